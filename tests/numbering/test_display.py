"""Numbers as people read them, and as those may who must not ring them."""

import pytest

from numbering.display import display, mask
from numbering.identify import identify


@pytest.mark.parametrize(
    ("raw", "shown", "masked"),
    [
        ("+8615400001234", "154 0000 1234", "154****1234"),
        ("01088886666", "010-8888 6666", "010-****6666"),
        ("0393 8888666", "0393-888 8666", "0393-****8666"),
        ("010-88886666转8012", "010-8888 6666-8012", "010-****6666"),
        ("4007002505", "400-700-2505", "400-700-2505"),
        ("8008108888", "800-810-8888", "800-810-8888"),
        ("0085291234567", "+852 9123 4567", "+852 ****4567"),
        ("+12025550123", "+1 202-555-0123", "+1 ****0123"),
        ("10086", "10086", "10086"),
        ("sip:95588@10.0.0.1", "95588", "95588"),
        ("0755-12345", "0755-12345", "0755-12345"),
        ("sip:8012@pbx", "8012", "8012"),
        ("anonymous", "", ""),
        (None, "", ""),
        ("call\r\nme", "call me", "****"),
        ("x" * 100, "x" * 40, "****"),
    ],
)
def test_shown_and_masked(raw: str | None, shown: str, masked: str) -> None:
    """Grouped as printed on cards; the middle hidden; nothing at all of what is no number."""
    number = identify(raw)
    assert (display(number), mask(number)) == (shown, masked)


@pytest.mark.parametrize("raw", ["15400001234", "010-88886666-8012", "4007002505", "+85291234567", "0393-8888666"])
def test_what_is_shown_can_be_typed(raw: str) -> None:
    """People copy a number from a card into a form: it must be the same number there."""
    number = identify(raw)
    again = identify(display(number))
    assert (again.e164, again.ext, again.kind) == (number.e164, number.ext, number.kind)
