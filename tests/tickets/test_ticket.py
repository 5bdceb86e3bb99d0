"""A ticket's legal moves."""

import pytest

from tickets.ticket import MOVES, Status

FORWARD = [Status.ACCEPTED, Status.WORKING, Status.SOLVED, Status.CLOSED]


@pytest.mark.parametrize(("before", "after"), [(a, b) for a in Status for b in Status])
def test_a_ticket_moves_forward_and_back_only_from_solved_to_work(before: Status, after: Status) -> None:
    """受理 -> 处理中 -> 解决 -> 关闭, steps may be skipped; what was not solved after all goes back to work."""
    forward = FORWARD.index(after) > FORWARD.index(before)
    again = (before, after) == (Status.SOLVED, Status.WORKING)
    assert (after in MOVES[before]) == (forward or again)


def test_a_closed_ticket_stays_closed() -> None:
    """A new call about it opens a new ticket."""
    assert not MOVES[Status.CLOSED]


def test_only_tickets_somebody_still_works_on_are_open() -> None:
    """What decides whether a new call joins."""
    assert {status for status in Status if status.open} == {Status.ACCEPTED, Status.WORKING}
