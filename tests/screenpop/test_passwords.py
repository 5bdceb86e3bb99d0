"""Which passwords are taken, and which everybody would try first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.passwords import make_up
from screenpop.passwords import SHORTEST, Weakness, weakness


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", Weakness.SHORT),
        ("kq7#mv2!x", Weakness.SHORT),
        ("   kq7#mv   ", Weakness.SHORT),
        ("x" * 2000, Weakness.LONG),
        ("aaaaaaaaaaaa", Weakness.COMMON),
        ("abababababab", Weakness.COMMON),
        ("Password123", Weakness.COMMON),
        ("P@ssw0rd2026!", Weakness.COMMON),
        ("1234567890", Weakness.COMMON),
        ("13812345678", Weakness.COMMON),
        ("0987654321", Weakness.COMMON),
        ("qwertyuiop", Weakness.COMMON),
        ("1qaz2wsx3edc", Weakness.COMMON),
        ("woaini5201314", Weakness.COMMON),
        ("a123456789", Weakness.COMMON),
        ("zhongguo2026", Weakness.COMMON),
        ("testertester", Weakness.COMMON),
        ("li.ming2026", Weakness.NAME),
        ("muchuan 热线 2026", None),
        ("沐川热线 2026", Weakness.SHORT),
        ("沐川热线 20261", Weakness.NAME),
        ("correct horse", None),
        ("我家门前有三棵枣树", Weakness.SHORT),
        ("我家门前有三棵枣树啊", None),
        ("k48-2917-3384", None),
        ("li.ming likes long walks", None),
    ],
)
def test_what_is_refused_and_why(password: str, why: Weakness | None) -> None:
    """Short, common, or what everybody here would try first."""
    assert weakness(password, "li.ming", "李 明", "沐川热线") == why


def test_what_we_make_up_is_taken() -> None:
    """The command line's own passwords, as many as you like."""
    assert {weakness(make_up(), "li") for _ in range(300)} == {None}


@given(st.text(max_size=40), st.text(max_size=20))
def test_any_text_gets_an_answer(password: str, name: str) -> None:
    """Whatever is typed; what is too short is always refused."""
    why = weakness(password, name)
    assert why is not None or len(password) >= SHORTEST
