"""Our numbers in every form a carrier may send."""

import pytest

from telephony.lines import Lines

OURS = Lines({"4007002505": ("01062802505",), "4008001234": ()})


@pytest.mark.parametrize(
    "dialled",
    ["4007002505", "+864007002505", "00864007002505", "864007002505", "01062802505", "+861062802505", "1062802505"],
)
def test_a_number_in_any_form_is_the_line(dialled: str) -> None:
    """With and without country code and trunk 0, and whatever hyphens stand in it: Asterisk passes over these."""
    assert OURS.number(dialled) == "4007002505"
    assert OURS.number(f"-{dialled[:4]}-{dialled[4:]}-") == "4007002505"


@pytest.mark.parametrize(
    "dialled",
    [None, "", "s", "-", "4007002506", "40070025055", "4007002505#", "4007002505 ", "400700２505", "4007002505\r"],
)
def test_any_other_is_none_of_ours(dialled: str | None) -> None:
    """Nothing that only looks like it."""
    assert OURS.number(dialled) is None


def test_a_number_cannot_be_two_lines() -> None:
    """Told when the configuration is read."""
    with pytest.raises(ValueError, match="01062802505"):
        Lines({"4007002505": ("01062802505",), "4008001234": ("01062802505",)})
