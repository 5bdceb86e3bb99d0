"""A snapshot is merged a few calls at a time: what happens in between is told at once, and told right."""

import pytest

from telephony import events as ev
from telephony.call import Answered, Arrived, Ended, Fact, Outcome, Rang
from telephony.lines import Lines
from telephony.tracker import Tracker

AT = "1795290138.5"
CALLS = 100


def made() -> Tracker:
    """Of a company with one number."""
    return Tracker("pbx", Lines({"4007002505": ()}), ("PJSIP/carrier",))


def uid(call: int) -> str:
    """Of a caller's channel."""
    return f"1795290000.{call}"


def leg(call: int) -> str:
    """Of the agent's phone in that call."""
    return f"1795290001.{call}"


def listed(*calls: int, bridged: bool = True) -> ev.Snapshot:
    """Callers who talk with an agent, or whose agent's phone rings."""
    rows = []
    for call in calls:
        bridge, state = (f"b{call}", "6") if bridged else ("", "5")
        caller = f"PJSIP/carrier-{call:08x}"
        rows.append(
            ev.LiveChannel(None, caller, "6", "13812345678", None, "s", uid(call), uid(call), "4007002505", bridge)
        )
        phone = f"PJSIP/{2000 + call}-{call:08x}"
        rows.append(ev.LiveChannel(None, phone, state, "1", None, "", leg(call), uid(call), "", bridge))
    return ev.Snapshot(tuple(rows))


def told(facts: list[Fact], kind: type[Fact]) -> list[str]:
    """Of which calls this is said."""
    return [fact.call.linkedid for fact in facts if isinstance(fact, kind)]


def test_the_steps_together_are_the_whole() -> None:
    """Whatever their size."""
    whole = made().resync(listed(*range(CALLS)), 5.0)
    assert len(told(whole, Answered)) == CALLS
    for size in (1, 7, CALLS, 1000):
        tracker = made()
        steps = list(tracker.merge(listed(*range(CALLS))).steps(5.0, size))
        assert [fact for step in steps for fact in step] == whole
        assert max(len(told(step, Arrived)) for step in steps) == min(size, CALLS)


def test_a_phone_that_rings_in_between_is_told_at_once() -> None:
    """For a new caller, and for one who is in the list but not merged yet."""
    tracker = made()
    merge = tracker.merge(listed(*range(CALLS), bridged=False))
    steps = merge.steps(5.0, 10)
    next(steps)
    new = ev.NewChannel(AT, "PJSIP/carrier-ffffffff", "4", "13812345678", None, "4007002505", "9.9", "9.9")
    assert merge.before(new, 5.0) == []
    assert told(tracker.feed(new, 5.0), Arrived) == ["9.9"]
    last = CALLS - 1
    names = (f"PJSIP/carrier-{last:08x}", uid(last), uid(last), "PJSIP/1001-77", "7.7", uid(last))
    ring = ev.MemberCalled(AT, *names, "support", "PJSIP/1001")
    assert told(merge.before(ring, 5.0), Arrived) == [uid(last)]
    assert [fact.agent for fact in tracker.feed(ring, 5.0) if isinstance(fact, Rang)] == ["1001"]
    rest = [fact for step in steps for fact in step]
    assert uid(last) not in told(rest, Arrived)
    assert not told(rest, Ended)
    assert len(tracker.calls) == CALLS + 1


@pytest.mark.parametrize("known", [False, True])
def test_who_hangs_up_in_between_has_ended_and_does_not_come_back(*, known: bool) -> None:
    """Held or not before: the call ends as the event says, once."""
    tracker = made()
    if known:
        tracker.resync(listed(*range(CALLS)), 4.0)
    merge = tracker.merge(listed(*range(CALLS)))
    steps = merge.steps(5.0, 10)
    facts = next(steps)
    over = ev.HangUp(AT, f"PJSIP/carrier-{50:08x}", uid(50), uid(50), "16")
    facts += merge.before(over, 5.0) + tracker.feed(over, 5.0)
    assert [fact.outcome for fact in facts if isinstance(fact, Ended)] == [Outcome.ANSWERED]
    facts += [fact for step in steps for fact in step]
    assert told(facts, Ended) == [uid(50)]
    assert uid(50) not in {key.linkedid for key in tracker.calls}


def test_a_phone_that_moves_in_between_is_where_it_moved() -> None:
    """The list says that it rings; by now it talks."""
    tracker = made()
    merge = tracker.merge(listed(*range(CALLS), bridged=False))
    steps = merge.steps(5.0, 10)
    facts = next(steps)
    last = CALLS - 1
    for name, channel in ((f"PJSIP/{2000 + last}-{last:08x}", leg(last)), (f"PJSIP/carrier-{last:08x}", uid(last))):
        entered = ev.Entered(AT, "b", None, name, channel, uid(last), None)
        facts += merge.before(entered, 5.0) + tracker.feed(entered, 5.0)
    facts += [fact for step in steps for fact in step]
    assert told(facts, Answered) == [uid(last)]


def test_calls_that_vanished_are_lost_a_few_at_a_time_too() -> None:
    """The PBX was restarted."""
    tracker = made()
    tracker.resync(listed(*range(CALLS)), 4.0)
    steps = list(tracker.merge(ev.Snapshot(())).steps(5.0, 30))
    assert [len(told(step, Ended)) for step in steps] == [30, 30, 30, 10]
    assert not tracker.calls


@pytest.mark.parametrize("waits", ["support", "sales", None])
def test_a_caller_whom_nobody_was_seen_to_answer_is_in_doubt_unless_still_in_the_same_queue(waits: str | None) -> None:
    """Somebody may have talked and left in the gap: abandoned would be a guess."""
    tracker = made()
    name, channel = f"PJSIP/carrier-{0:08x}", uid(0)
    new = ev.NewChannel(AT, name, "4", "13812345678", None, "4007002505", channel, channel)
    for event in (new, ev.Joined(AT, name, channel, channel, "support")):
        tracker.feed(event, 1.0)
    waiting = () if waits is None else (ev.Waiting(None, waits, name, channel, "a"),)
    tracker.missed()
    tracker.resync(ev.Snapshot(listed(0, bridged=False).channels[:1], waiting), 5.0)
    (ended,) = tracker.feed(ev.HangUp(AT, name, channel, channel, "16"), 6.0)
    assert isinstance(ended, Ended)
    assert ended.outcome is (Outcome.ABANDONED if waits == "support" else Outcome.LOST)


@pytest.mark.parametrize(("missed", "outcome"), [(False, Outcome.ABANDONED), (True, Outcome.LOST)])
def test_who_hangs_up_between_the_links_return_and_the_list_may_have_talked(
    missed: bool,  # noqa: FBT001 - a case
    outcome: Outcome,
) -> None:
    """Seen with Asterisk 22 on a busy machine: the caller went while the list was still being read."""
    tracker = made()
    name, channel = f"PJSIP/carrier-{0:08x}", uid(0)
    new = ev.NewChannel(AT, name, "4", "13812345678", None, "4007002505", channel, channel)
    for event in (new, ev.Joined(AT, name, channel, channel, "support")):
        tracker.feed(event, 1.0)
    if missed:
        tracker.missed()
    (ended,) = tracker.feed(ev.HangUp(AT, name, channel, channel, "16"), 6.0)
    assert isinstance(ended, Ended)
    assert ended.outcome is outcome


def test_a_colleague_who_is_consulted_has_no_card() -> None:
    """A phone rings under the caller's Linkedid while the caller talks: an agent asks somebody."""
    asked = ev.LiveChannel(None, "PJSIP/1003-9", "5", "1", None, "", "9.1", uid(0), "", "")
    facts = made().resync(ev.Snapshot((*listed(0).channels, asked)), 5.0)
    assert not told(facts, Rang)


def test_a_caller_who_was_given_our_own_number_to_show_has_no_number_known() -> None:
    """A dialplan that calls outside for a caller shows the 400 number; the card must not name us."""
    caller, *rest = listed(0).channels
    facts = made().resync(ev.Snapshot((caller._replace(caller="4007002505"), *rest)), 5.0)
    assert isinstance(facts[0], Arrived)
    assert facts[0].caller is None


@pytest.mark.parametrize(
    ("uniqueid", "arrived"),
    [
        ("1795290000.7", 1795290000.0),
        ("pbx-1795290000.7", 1795290000.0),  # with systemname in asterisk.conf
        ("1795290999.7", 1795290500.0),  # a PBX whose clock is ahead: no call comes from the future
        ("odd", 1795290500.0),
    ],
)
def test_an_adopted_call_arrived_when_its_channel_was_made(uniqueid: str, arrived: float) -> None:
    """A caller who has waited for ten minutes does not seem to have come just now."""
    caller = ev.LiveChannel(
        None, "PJSIP/carrier-00000001", "6", "13812345678", None, "s", uniqueid, uniqueid, "4007002505", ""
    )
    first = made().resync(ev.Snapshot((caller,)), 1795290500.0)[0]
    assert isinstance(first, Arrived)
    assert first.at == arrived
