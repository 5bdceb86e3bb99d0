"""The short cut for common spellings says what a careful look says, or nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from numbering.identify import carefully
from numbering.number import Kind
from numbering.quick import quick

DIGITS = "0123456789"
COUNTRY = st.sampled_from(["", "", "+86", "0086", "86", "(86)", "(+86)", "+86-", "+86 ", "0086-", "(0086)", "(86"])
AREA = st.one_of(
    st.sampled_from(["10", "21", "755", "950", "951", "852", "853", "886", "400", "800", "108"]),
    st.text(DIGITS, min_size=2, max_size=3),
)
PART = st.sampled_from(["", " ", "-"])
LINE = st.one_of(st.text(DIGITS, min_size=6, max_size=9), st.from_regex(r"(?:400|800|95|1)[0-9]{4,6}", fullmatch=True))
MARK = st.sampled_from(["-", "转", "#", " #", " ext. ", "ext", "x", " x"])
EXT = st.one_of(st.just(""), st.text(DIGITS, min_size=1, max_size=6))


@st.composite
def mobiles(draw: st.DrawFn) -> str:
    """As people write mobiles, or nearly."""
    digits = "1" + draw(st.text(DIGITS, min_size=9, max_size=11))
    return f"{draw(COUNTRY)}{draw(PART)}{digits[:3]}{draw(PART)}{digits[3:7]}{draw(PART)}{digits[7:]}"


@st.composite
def lines(draw: st.DrawFn) -> str:
    """As people write fixed lines, or nearly."""
    area = draw(st.sampled_from(["0", "", "(0"])) + draw(AREA) + draw(st.sampled_from(["", ")"]))
    line, ext = draw(LINE), draw(EXT)
    cut = draw(st.integers(2, 4))
    head = f"{draw(COUNTRY)}{area}{draw(PART)}{line[:cut]}{draw(PART)}{line[cut:]}"
    return head + (draw(MARK) + ext if ext else "")


@settings(max_examples=250, deadline=None)
@given(st.one_of(mobiles(), lines(), st.text(max_size=20)), st.sampled_from([None, "0755", "010", "0951"]))
def test_never_another_number(raw: str, area: str | None) -> None:
    """Whatever is read at one glance is what the whole plan makes of it, on a line of any city."""
    assert quick(raw) in (None, carefully(raw, area))


@pytest.mark.parametrize(
    ("raw", "kind", "e164", "ext"),
    [
        ("15400001234", Kind.MOBILE, "+8615400001234", None),
        ("154 0000 1234", Kind.MOBILE, "+8615400001234", None),
        ("154-0000-1234", Kind.MOBILE, "+8615400001234", None),
        ("+8615400001234", Kind.MOBILE, "+8615400001234", None),
        ("+86-154-0000-1234", Kind.MOBILE, "+8615400001234", None),
        ("+86 154 0000 1234", Kind.MOBILE, "+8615400001234", None),
        ("008615400001234", Kind.MOBILE, "+8615400001234", None),
        ("(86)154-0000-1234", Kind.MOBILE, "+8615400001234", None),
        ("8615400001234", Kind.MOBILE, "+8615400001234", None),
        ("010-8888 6666", Kind.FIXED, "+861088886666", None),
        ("(010) 88886666", Kind.FIXED, "+861088886666", None),
        ("+86 755 8888 6666", Kind.FIXED, "+8675588886666", None),
        ("010-88886666-801", Kind.FIXED, "+861088886666", "801"),
        ("010-88886666转801", Kind.FIXED, "+861088886666", "801"),
        ("010-8888 6666 ext. 801", Kind.FIXED, "+861088886666", "801"),
        ("+86-10-88886666#801", Kind.FIXED, "+861088886666", "801"),
    ],
)
def test_the_usual_spellings_are_read_at_one_glance(raw: str, kind: Kind, e164: str, ext: str | None) -> None:
    """Or the short cut is none: these are what a list of customers consists of."""
    number = quick(raw)
    assert number is not None
    assert (number.raw, number.kind, number.e164, number.ext) == (raw, kind, e164, ext)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "１５４００００１２３４",  # full width
        "15400001234-5",
        "0755-8888666-6",  # eight digits, or seven and an extension
        "0755-40088886-66",  # a hotline behind an area code, or an extension
        "0951-8888666-12",
        "400-700-2505",
        "95588",
        "8012",
        "anonymous",
    ],
)
def test_what_is_in_doubt_is_left_to_a_careful_look(raw: str) -> None:
    """The short cut says nothing."""
    assert quick(raw) is None
