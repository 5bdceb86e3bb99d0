"""When which agent talked, as seconds of the recording."""

from hotline.talk import recorded_from, windows
from storage.pages import CallEvent
from storage.records import EventKind

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


def test_an_end_that_was_not_seen_is_the_end_of_the_call() -> None:
    """A PBX that died tells no Left."""
    events = [event(BEGAN + 10, EventKind.ANSWERED, "1001"), event(BEGAN + 50, EventKind.ENDED)]
    assert windows(events, BEGAN) == [(10.0, 50.0, "1001")]


def test_a_call_nobody_answered_has_no_window_and_an_unknown_start_no_answer() -> None:
    """An empty list says that no agent talked; None that nothing is known."""
    assert windows([event(BEGAN, EventKind.ENDED)], BEGAN) == []
    assert windows([event(BEGAN, EventKind.ANSWERED, "1001")], None) is None


def test_the_recording_begins_when_the_pbx_says_so() -> None:
    """Not when it says that it stopped."""
    events = [event(9.0, EventKind.RECORDED, stopped=True), event(7.0, EventKind.RECORDED, stopped=False)]
    assert recorded_from(events) == 7.0
    assert recorded_from([]) is None
