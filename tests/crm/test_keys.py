"""Keys of writes, texts that go out, connectors by name."""

from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm import registry
from crm.connector import Context
from crm.keys import LONGEST, Key, key_of, read_key
from crm.registry import ConnectorError, check_settings, names, open_named
from crm.wording import html, plain, shortened


def test_a_key_as_it_stands_in_a_crm() -> None:
    """Readable, and the same every time."""
    key = key_of("美家电器", "hq", "1763776453.12", "note")
    assert key == "hotline:美家电器:hq:1763776453.12:note"
    assert read_key(key) == Key("美家电器", "hq", "1763776453.12", "note")


PART = st.text(min_size=1, max_size=80).filter(str.strip)


@given(st.tuples(PART, PART, PART, PART), st.tuples(PART, PART, PART, PART))
def test_keys_are_apart_and_fit(one: tuple[str, str, str, str], two: tuple[str, str, str, str]) -> None:
    """Whatever a site or PBX is called: bounded, five parts, no spaces; others' keys are others'."""
    first, second = key_of(*one), key_of(*two)
    assert len(first) <= LONGEST
    assert first.count(":") == 4
    assert not any(sign.isspace() for sign in first)
    assert read_key(first) is not None
    assert (first == second) == (one == two)


@pytest.mark.parametrize(
    "text", ["", "hotline", "cti:a:b:c:d", "hotline:a:b:c", "hotline:a:b:c:d:e", "hotline:a::c:d", "hotline:a b:c:d:e"]
)
def test_what_is_no_key_of_ours(text: str) -> None:
    """Is none."""
    assert read_key(text) is None


def test_a_key_needs_all_its_parts() -> None:
    """An empty one would make two calls one."""
    with pytest.raises(ValueError, match="needs all"):
        key_of("site", "hq", " ", "note")


def test_html_escapes_and_links_only_the_web() -> None:
    """A caller's words are no markup, and no script is a link."""
    links = (("录音", 'https://x.example/"1'), ("bad", "javascript:alert(1)"))
    assert html(("a <b>\nc & d",), links) == (
        "<p>a &lt;b&gt;<br>c &amp; d</p>"
        '<p><a href="https://x.example/&quot;1">录音</a></p>'
        "<p>bad: javascript:alert(1)</p>"
    )
    assert plain(("a", "b"), links[:1]) == 'a\nb\n录音: https://x.example/"1'


@pytest.mark.parametrize(("longest", "text"), [(None, "热水器漏水"), (5, "热水器漏水"), (4, "热水器…"), (1, "…")])
def test_a_text_is_cut_to_what_fits(longest: int | None, text: str) -> None:
    """With a sign that it was."""
    assert shortened("热水器漏水", longest) == text


def context(**secrets: str) -> Context:
    """A context with these variables."""

    def secret(name: str) -> str:
        if name not in secrets:
            raise LookupError(f"no secret: set {name}")
        return secrets[name]

    return Context(secret, Path(), lambda: 0.0)


async def test_a_secret_that_is_not_set_is_named() -> None:
    """Before anything is asked."""
    settings = {"url": "https://c.example", "secret_env": "CRM_KEY"}
    given = Context(
        context().secret, Path(), lambda: 0.0, mapping={"rest": {"health": {"path": "/"}, "find": {"path": "/{e164}"}}}
    )
    with pytest.raises(ConnectorError, match="set CRM_KEY"):
        await open_named("rest", settings, given)


async def test_a_ca_file_that_cannot_be_read_is_told() -> None:
    """As any other slip in the settings."""
    plan = {"rest": {"health": {"path": "/"}, "find": {"path": "/{e164}"}}}
    given = Context(context().secret, Path("/nowhere"), lambda: 0.0, mapping=plan)
    with pytest.raises(ConnectorError, match=r"the CA file /nowhere/ca\.pem cannot be used"):
        await open_named("rest", {"url": "https://c.example", "ca_file": "ca.pem"}, given)


@pytest.mark.parametrize(
    ("url", "sound"),
    [
        ("https://crm.example/api/", True),
        ("http://127.0.0.1:8069", True),
        ("http://[::1]:8069", True),
        ("http://localhost", True),
        ("http://crm.example", False),
        ("http://127.0.0.1.evil.example", False),
        ("ftp://crm.example", False),
        ("https://user:pw@crm.example", False),
        ("https://crm.example/?db=1", False),
        ("https://crm.example:99999", False),
        ("crm.example", False),
    ],
)
def test_where_a_crm_may_be(url: str, sound: bool) -> None:  # noqa: FBT001
    """Not where our key would cross the network readable, nor with a password in the address."""
    try:
        check_settings("rest", {"url": url})
    except ConnectorError:
        assert not sound
    else:
        assert sound


Installed = Callable[..., None]


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Installed:
    """Makes packages of others be installed, by (name, value) of their entry points."""

    def install(*points: tuple[str, str]) -> None:
        found = [EntryPoint(name, value, registry.GROUP) for name, value in points]

        def entry_points(group: str) -> Iterable[EntryPoint]:
            return [point for point in found if point.group == group]

        monkeypatch.setattr(registry, "entry_points", entry_points)

    return install


async def test_connectors_of_others_are_found(installed: Installed) -> None:
    """Ours keep their names; two for one name, or one that is broken, are told."""
    installed(
        ("mine", "crm.rest:open_connector"),
        ("two", "a:b"),
        ("two", "c:d"),
        ("broken", "no.such.module:open"),
        ("rest", "evil:open"),
    )
    assert {"mine", "two", "odoo", "rest"} <= set(names())
    with pytest.raises(ConnectorError, match="url: is missing"):
        await open_named("mine", {}, context())
    with pytest.raises(ConnectorError, match="several packages bring a connector 'two'"):
        await open_named("two", {}, context())
    with pytest.raises(ConnectorError, match=r"broken \(no\.such\.module:open\) cannot be loaded"):
        await open_named("broken", {}, context())
    with pytest.raises(ConnectorError, match="no connector 'oddo'; there are: embedded, "):
        await open_named("oddo", {}, context())
    check_settings("rest", {"url": "https://c.example"})
