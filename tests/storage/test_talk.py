"""When which agent talked, as seconds of the recording."""

import pytest

from storage.pages import CallEvent
from storage.records import EventKind
from storage.talk import began, windows
from telephony.call import Outcome

BEGAN = 1000.0


def event(at: float, kind: EventKind, subject: str = "", **detail: object) -> CallEvent:
    """An event of a call."""
    return CallEvent(at, kind, subject, detail)


def test_a_transfer_gives_each_agent_a_window() -> None:
    """The first agent's words are not the second's."""
    events = [
        event(BEGAN + 10, EventKind.ANSWERED, "1001"),
        event(BEGAN + 30, EventKind.LEFT, "1001"),
        event(BEGAN + 34, EventKind.ANSWERED, "1003"),
        event(BEGAN + 60, EventKind.LEFT, "1003"),
    ]
    assert windows(events, BEGAN) == [(10.0, 30.0, "1001"), (34.0, 60.0, "1003")]


def test_hold_is_no_talk() -> None:
    """Music on the agent's leg is nobody's words; a Resumed without a Held (a REFER sends one) changes nothing."""
    events = [
        event(BEGAN + 10, EventKind.ANSWERED, "1001"),
        event(BEGAN + 12, EventKind.RESUMED, "1001"),
        event(BEGAN + 20, EventKind.HELD, "1001"),
        event(BEGAN + 28, EventKind.RESUMED, "1001"),
        event(BEGAN + 40, EventKind.LEFT, "1001"),
    ]
    assert windows(events, BEGAN) == [(10.0, 20.0, "1001"), (28.0, 40.0, "1001")]


def test_the_moment_in_which_a_transfer_is_completed_is_no_talk() -> None:
    """A REFER takes the caller back from hold and is over three milliseconds later."""
    events = [
        event(BEGAN + 10, EventKind.ANSWERED, "1001"),
        event(BEGAN + 20, EventKind.HELD, "1001"),
        event(BEGAN + 30, EventKind.RESUMED, "1001"),
        event(BEGAN + 30.003, EventKind.LEFT, "1001"),
    ]
    assert windows(events, BEGAN) == [(10.0, 20.0, "1001")]


def test_an_end_that_was_not_seen_is_the_end_of_the_call() -> None:
    """A PBX that died tells no Left."""
    events = [event(BEGAN + 10, EventKind.ANSWERED, "1001"), event(BEGAN + 50, EventKind.ENDED)]
    assert windows(events, BEGAN) == [(10.0, 50.0, "1001")]


def test_a_call_nobody_answered_has_no_window_and_an_unknown_start_no_answer() -> None:
    """An empty list says that no agent talked; None that nothing is known."""
    assert windows([event(BEGAN, EventKind.ENDED)], BEGAN) == []
    assert windows([event(BEGAN, EventKind.ANSWERED, "1001")], None) is None


def test_the_recording_begins_when_the_pbx_says_so() -> None:
    """Not when it says that it stopped; and of two recordings each when its own file was told."""
    told = event(7.0, EventKind.RECORDED, files=["2026/a.wav"])
    again = event(20.0, EventKind.RECORDED, files=["/var/spool/asterisk/monitor/2026/b.wav"])
    events = [event(6.0, EventKind.RECORDED, stopped=True), told, again]
    assert began(events, None, None, None) == 7.0
    assert began(events, None, None, None, ["x/b.wav", "x/b-rx.wav"]) == 20.0
    assert began([], None, 40.0, Outcome.ANSWERED) is None


@pytest.mark.parametrize(
    ("seconds", "stopped", "outcome", "expected"),
    [
        (32.9, 40.0, Outcome.ANSWERED, 7.0),  # as long as told
        (30.0, 40.0, Outcome.ANSWERED, 10.0),  # began to write three seconds after it was told
        (50.0, 40.0, Outcome.ANSWERED, 7.0),  # went on after the call
        (30.0, None, Outcome.ANSWERED, 12.0),  # ended with the call
        (30.0, None, Outcome.LOST, 7.0),  # nobody knows when the PBX died
    ],
)
def test_the_files_length_tells_where_the_pbx_does_not(
    seconds: float, stopped: float | None, outcome: Outcome, expected: float
) -> None:
    """A file is as long as its recording lasted, silence filled in, and ends with it."""
    events = [event(7.0, EventKind.RECORDED, files=["a.wav"])]
    if stopped is not None:
        events.append(event(stopped, EventKind.RECORDED, stopped=True))
    assert began(events, seconds, 42.0, outcome) == pytest.approx(expected)


def test_without_a_word_of_the_pbx_the_end_and_the_length_tell() -> None:
    """A dialplan that sends no event."""
    assert began([], 30.0, 42.0, Outcome.ANSWERED) == 12.0
    assert began([], 30.0, 42.0, Outcome.LOST) is None
