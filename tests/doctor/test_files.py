"""Asterisk's files are read as Asterisk reads them."""

from pathlib import Path

import pytest

from hotline.doctor.astconf import Conf, read
from hotline.doctor.files import gather


def parsed(text: str, **others: str) -> Conf:
    """A file of this text, others by the name before .conf."""
    files = {"main.conf": text} | {f"{name}.conf": content for name, content in others.items()}
    conf = read("main.conf", lambda name: [(name, files[name])] if name in files else None)
    assert conf is not None
    return conf


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[a]\nkey = one", "one"),
        ("[a]\nkey => one", "one"),
        ("[a]\nkey=one ; not two", "one"),
        ("[a]\nkey = one\\;two", "one;two"),
        ("[a]\nkey = one\nkey = two", "two"),
        ("[b](!)\nkey = one\n[a](b)", "one"),
        ("[b](!)\nkey = one\n[c](!)\nkey = two\n[a](b,c)", "two"),
        ("[b](!)\nkey = one\n[a](b)\nkey = two", "two"),
        ("[a]\nkey = one\n[x]\nkey = no\n[a](+)\nkey = two", "two"),
        ("[a]\nkey = one\n;-- key = two\nkey = three --;\n", "one"),
        ("[a]\nkey = one\n;--- only a line\n", "one"),
        ("[a]\n;key = two\n", None),
        ("key = one\n[b]\nkey = two", None),
    ],
)
def test_the_value_that_counts(text: str, value: str | None) -> None:
    """Templates, additions, comments, repeats."""
    assert parsed(text).get("a", "key") == value


def test_includes_stand_where_they_are_written() -> None:
    """Also in the middle of a section, also of files that include others."""
    conf = parsed("[a]\n#include one.conf\nkey = last", one='key = first\n#include "two.conf"', two="other = 2")
    assert (conf.get("a", "key"), conf.get("a", "other")) == ("last", "2")
    assert conf.files == ["main.conf", "one.conf", "two.conf"]
    assert conf.gaps == []


@pytest.mark.parametrize(
    ("line", "gap"), [("#include there.conf", True), ("#tryinclude there.conf", False), ("#exec /bin/true", True)]
)
def test_what_cannot_be_read_is_known(line: str, gap: bool) -> None:  # noqa: FBT001
    """Nothing is concluded from the absence of what may stand there."""
    assert bool(parsed(f"[a]\n{line}").gaps) is gap


def test_files_that_include_themselves_end() -> None:
    """As deep as Asterisk goes."""
    assert parsed("[a]\nkey = 1\n#include main.conf").get("a", "key") == "1"


def test_a_folder_is_read_with_its_includes(pbx_files: Path) -> None:
    """Wildcards, templates; no secret is open to everybody."""
    files = gather(pbx_files)
    assert files.get("manager.conf", "hotline", "write") == "reporting"
    assert files.get("manager.conf", "hotline", "secret") == "0123456789abcdef0123"
    assert files.get("manager.conf", "hotline-old", "secret") is None
    assert files.readable == ()
    (pbx_files / "manager.d" / "hotline.conf").chmod(0o644)
    assert gather(pbx_files).readable == ("manager.d/hotline.conf",)


@pytest.mark.parametrize("name", ["../outside.conf", "/outside.conf", "a/../../outside.conf"])
def test_nothing_outside_the_folder_is_read(pbx_files: Path, name: str) -> None:
    """An include that leads out of the folder is a gap."""
    (pbx_files.parent / "outside.conf").write_text("[a]\nkey = 1")
    (pbx_files / "queues.conf").write_text(f"#include {name}\n")
    conf = gather(pbx_files).confs["queues.conf"]
    assert conf.gaps == [f"#include {name}"]


def test_the_pbx_own_folder_name_means_the_folder(pbx_files: Path) -> None:
    """A copy of /etc/asterisk is read as it would be there."""
    (pbx_files / "queues.conf").write_text("#include /etc/asterisk/more.conf\n")
    (pbx_files / "more.conf").write_text("[extra]\nstrategy = linear\n")
    assert gather(pbx_files).get("queues.conf", "extra", "strategy") == "linear"


def test_bytes_that_are_no_utf8_do_no_harm(pbx_files: Path) -> None:
    """A comment in GBK."""
    (pbx_files / "cdr.conf").write_bytes("[general]\nenable = no ; 关闭".encode("gbk"))
    assert gather(pbx_files).get("cdr.conf", "general", "enable") == "no"
