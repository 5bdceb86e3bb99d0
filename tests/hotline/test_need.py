"""Who is written down first."""

import pytest

from hotline.need import Matter, need
from tickets.ticket import Status
from transcription.account import Category, Urgency

NOW = 1_795_147_200.0
PLAIN = Matter(Status.WORKING, Category.QUESTION, Urgency.LOW, vip=False)


@pytest.mark.parametrize(
    "pressing",
    [
        Matter(Status.ACCEPTED, Category.COMPLAINT, None, vip=False),
        Matter(Status.WORKING, None, Urgency.HIGH, vip=False),
        Matter(Status.WORKING, None, None, vip=True),
    ],
)
def test_open_trouble_goes_before_what_is_newer(pressing: Matter) -> None:
    """A complaint, something urgent, a VIP: even of yesterday."""
    assert need(NOW - 86_400, pressing) > need(NOW, PLAIN) == need(NOW, None)


@pytest.mark.parametrize("status", [Status.SOLVED, Status.CLOSED])
def test_what_is_over_presses_nobody(status: Status) -> None:
    """However loud it once was."""
    assert need(NOW, Matter(status, Category.COMPLAINT, Urgency.HIGH, vip=True)) == NOW


def test_of_equals_the_newest_goes_first() -> None:
    """Trouble or none."""
    trouble = Matter(Status.WORKING, Category.COMPLAINT, None, vip=False)
    assert need(NOW + 1, PLAIN) > need(NOW, PLAIN)
    assert need(NOW + 1, trouble) > need(NOW, trouble)
