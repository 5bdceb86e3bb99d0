"""The tracker's rules where no capture shows them: confirmation, adoption, pickup, two devices, what stays behind."""

import gc
import sys
import tracemalloc

import pytest

from telephony import events as ev
from telephony.call import (
    Answered,
    Arrived,
    CallKey,
    Confirmed,
    Ended,
    Fact,
    Left,
    LeftMessage,
    Outcome,
    Over,
    Queued,
    Rang,
    Recorded,
    Stopped,
)
from telephony.events import Event, LiveChannel, Snapshot, Waiting
from telephony.legs import Phase
from telephony.lines import Lines
from telephony.phones import Phones
from telephony.tracker import Tracker

UID, NAME, AT = "1795290138.0", "PJSIP/carrier-00000000", "1795290138.500000"
CALLER = (AT, NAME, UID, UID)
KEY = CallKey("pbx", UID)


def new(
    *,
    name: str = NAME,
    uid: str = UID,
    linked: str | None = None,
    exten: str | None = "4007002505",
    caller: str | None = "13812345678",
    state: str = "4",
) -> ev.NewChannel:
    """A carrier's channel."""
    return ev.NewChannel(AT, name, state, caller, "<unknown>", exten, uid, linked or uid)


def leg(agent: str, number: int = 1, *, device: str = "PJSIP") -> tuple[str, str, str]:
    """An agent's channel for the call: its name, Uniqueid and Linkedid."""
    return f"{device}/{agent}-{number:08x}", f"1795290140.{agent}{number}", UID


def made(*, agents: dict[str, str] | None = None) -> Tracker:
    """A tracker of one line."""
    return Tracker(
        "pbx", Lines({"4007002505": ("01062802505",)}), ["PJSIP/carrier"], agents, voicemail_event="Voicemail"
    )


def feed(tracker: Tracker, *each: Event, now: float | None = None) -> list[Fact]:
    """The facts of these events."""
    return [fact for event in each for fact in tracker.feed(event, now)]


def words(facts: list[Fact]) -> list[str]:
    """Facts in short: ``rang 1001``."""
    said = []
    for fact in facts:
        parts = [type(fact).__name__.lower(), getattr(fact, "agent", ""), getattr(fact, "why", "")]
        said.append(" ".join(part for part in parts if part))
    return said


def queued(*agents: str) -> list[Event]:
    """The call waits in a queue that rings these agents."""
    each: list[Event] = [new(), ev.Seen(*CALLER), ev.Joined(*CALLER, "support")]
    for agent in agents:
        each.append(ev.MemberCalled(*CALLER, *leg(agent), "support", f"PJSIP/{agent}"))
        each.append(ev.Dialled(*CALLER, *leg(agent)))
    return each


def answered(agent: str) -> list[Event]:
    """The agent took it and both are in a bridge."""
    name, uid, linked = leg(agent)
    return [
        ev.DialOver(*CALLER, name, uid, linked, "ANSWER"),
        ev.MemberAnswered(*CALLER, name, uid, linked, "support", f"PJSIP/{agent}"),
        ev.Entered(AT, "b1", None, name, uid, linked, None),
        ev.Entered(AT, "b1", None, NAME, UID, UID, None),
    ]


# -- which channels are calls of ours


@pytest.mark.parametrize(
    ("event", "ours"),
    [
        (new(), True),
        (new(exten="+864007002505"), True),
        (new(exten="01062802505"), True),
        (new(exten="861062802505"), True),
        (new(exten="4001112222"), False),
        (new(exten="s"), False),
        (new(exten=None), False),
        (new(name="PJSIP/1001-00000000"), False),
        (new(name="PJSIP/carrier2-00000000"), False),
        (new(linked="1795290100.1"), False),
        (new(state="0"), False),
    ],
)
def test_a_call_of_ours_is_a_carriers_channel_of_its_own_to_one_of_our_numbers(event: Event, *, ours: bool) -> None:
    """Each part of the rule is needed."""
    facts = feed(made(), event)
    assert [fact.number for fact in facts if isinstance(fact, Arrived)] == (["4007002505"] if ours else [])


@pytest.mark.parametrize(
    ("arrived", "caller"),
    [
        ("13812345678", "13812345678"),
        ("+8613812345678", "+8613812345678"),
        ("anonymous", None),
        ("Restricted", None),
        ("UNAVAILABLE", None),
        ("<unknown>", None),
        ("", None),
        (None, None),
        ("1" * 21, None),
        ("138\nEvent", None),
        ("138 1234", None),
    ],
)
def test_a_caller_is_a_number_or_nobody(arrived: str | None, caller: str | None) -> None:
    """Withheld ones come as words."""
    (fact,) = feed(made(), new(caller=arrived))
    assert isinstance(fact, Arrived)
    assert fact.caller == caller


# -- confirmation


def test_a_call_is_told_at_once_and_confirmed_by_a_second_event() -> None:
    """The card need not wait; the ticket does."""
    tracker = made()
    assert words(feed(tracker, new())) == ["arrived"]
    assert words(feed(tracker, new())) == []
    assert words(feed(tracker, ev.Seen(*CALLER))) == ["confirmed"]
    assert words(feed(tracker, ev.Seen(*CALLER))) == []


def test_another_channels_event_with_the_calls_uniqueid_is_refused_and_counted() -> None:
    """It is forged, or nobody knows what it is; it must not end the call."""
    tracker = made()
    feed(tracker, new())
    assert feed(tracker, ev.Seen(AT, "PJSIP/carrier-00000099", UID, UID)) == []
    assert feed(tracker, ev.HangUp(AT, "PJSIP/carrier-00000099", UID, UID, "16")) == []
    assert tracker.tallies.mismatched == 2
    assert KEY in tracker.calls


def test_a_renamed_channel_is_still_the_callers() -> None:
    """Masquerades rename channels."""
    tracker = made()
    feed(tracker, new(), ev.Renamed(AT, NAME, "PJSIP/carrier-0000000a", UID))
    assert words(feed(tracker, ev.HangUp(AT, "PJSIP/carrier-0000000a", UID, UID, "16"))) == ["ended"]


def test_what_nothing_confirms_expires() -> None:
    """After a minute on our clock, not before; a confirmed call never does."""
    tracker = made()
    other = new(uid="1795290139.9", name="PJSIP/carrier-00000009")
    feed(tracker, new(), now=1000.0)
    feed(tracker, ev.Seen(*CALLER), other, now=1001.0)
    assert feed(tracker, ev.Departed(AT, "b", "x", "y", "z"), now=1002.0) == []
    assert feed(tracker, ev.Departed(AT, "b", "x", "y", "z"), now=1061.0) == []
    (fact,) = feed(tracker, ev.Departed(AT, "b", "x", "y", "z"), now=1063.0)
    assert isinstance(fact, Ended)
    assert (fact.call.linkedid, fact.outcome) == ("1795290139.9", Outcome.LOST)
    assert list(tracker.calls) == [KEY]
    assert tracker.tallies.unconfirmed == 1


# -- phones


def test_two_devices_of_one_agent_are_one_card() -> None:
    """It comes with the first that rings and stays until the last is over; the other device's cancel ends nothing."""
    tracker = made()
    desk, mobile = leg("1001", 1), leg("1001", 2, device="SIP")
    facts = feed(
        tracker,
        new(),
        ev.Dialled(*CALLER, *desk),
        ev.Dialled(*CALLER, *mobile),
        ev.DialOver(*CALLER, *mobile, "ANSWER"),
        ev.DialOver(*CALLER, *desk, "CANCEL"),
        ev.HangUp(AT, desk[0], desk[1], UID, "26"),
        ev.Entered(AT, "b1", None, *mobile, None),
        ev.Entered(AT, "b1", None, NAME, UID, UID, None),
        ev.HangUp(AT, mobile[0], mobile[1], UID, "16"),
        ev.HangUp(*CALLER, "16"),
    )
    assert words(facts) == ["arrived", "confirmed", "rang 1001", "answered 1001", "left 1001 ended", "ended"]


def test_an_interface_that_is_configured_is_the_agent_it_is_configured_for() -> None:
    """A softphone beside a desk phone."""
    tracker = made(agents={"PJSIP/soft-wang": "1001", "Local/wang@phones": "1001"})
    facts = feed(tracker, new(), ev.Dialled(*CALLER, *leg("soft-wang")))
    assert words(facts)[-1] == "rang 1001"


@pytest.mark.parametrize("told", [True, False])
def test_a_picked_up_call_is_the_pickers(*, told: bool) -> None:
    """The queue still names the member whose phone rang, the channel is the picker's own; Pickup may be filtered."""
    tracker = made()
    taken = ("PJSIP/1003-00000009", "1795290141.9", "1795290141.9")
    picked = [ev.PickedUp(AT, *taken, *leg("1001"))] if told else []
    facts = feed(
        tracker,
        *queued("1001"),
        *picked,
        ev.MemberAnswered(*CALLER, *taken, "support", "PJSIP/1001"),
        ev.HangUp(AT, leg("1001")[0], leg("1001")[1], UID, "26"),
        ev.Entered(AT, "b1", None, *taken, None),
        ev.Entered(AT, "b1", None, NAME, UID, UID, None),
    )
    assert sorted(words(facts)[-2:]) == ["answered 1003", "stopped 1001 answered_elsewhere"]


def pair(name: str, number: int = 1) -> tuple[tuple[str, str, str], tuple[str, str, str]]:
    """The two halves of a Local pair for the call."""
    base, uid = f"Local/{name}-{number:08x}", f"1795290139.{number}"
    return (f"{base};1", f"{uid}1", UID), (f"{base};2", f"{uid}2", UID)


def member(interface: str, phone: str) -> tuple[list[Event], list[Event]]:
    """A queue's member behind a Local pair: how that phone is rung, and how it answers."""
    near, far = pair(interface.removeprefix("Local/").removesuffix("/n"))
    ring: list[Event] = [
        new(),
        ev.Seen(*CALLER),
        ev.Joined(*CALLER, "support"),
        ev.MemberCalled(*CALLER, *near, "support", interface),
        ev.Dialled(*CALLER, *near),
        ev.Dialled(AT, *far, *leg(phone)),
    ]
    talk: list[Event] = [
        ev.DialOver(AT, *far, *leg(phone), "ANSWER"),
        ev.DialOver(*CALLER, *near, "ANSWER"),
        ev.MemberAnswered(*CALLER, *near, "support", interface),
        ev.Entered(AT, "b2", None, *leg(phone), None),
        ev.Entered(AT, "b2", None, *far, None),
        ev.Entered(AT, "b1", None, *near, None),
        ev.Entered(AT, "b1", None, NAME, UID, UID, None),
    ]
    return ring, talk


def test_a_local_member_rings_when_a_phone_behind_it_does() -> None:
    """Not before: its dialplan may wait, or find nobody."""
    ring, _ = member("Local/1001@queue-agents/n", "1001")
    tracker = made()
    assert words(feed(tracker, *ring[:-1])) == ["arrived", "confirmed", "queued"]
    (rang,) = feed(tracker, ring[-1])
    assert isinstance(rang, Rang)
    assert (rang.agent, rang.queue) == ("1001", "support")


@pytest.mark.parametrize(
    ("interface", "phone", "agents", "who"),
    [
        ("Local/1001@queue-agents/n", "1001", {}, "1001"),
        ("Local/1001@queue-agents", "1003", {}, "1003"),  # the dialplan sent it to a colleague
        ("Local/1001@queue-agents", "soft-wang", {}, "1001"),  # nobody told us whose phone that is: the member's
        ("Local/alpha@hotdesk/n", "1002", {}, "1002"),  # the member tells nobody
        ("Local/alpha@hotdesk/n", "1002", {"Local/alpha@hotdesk": "1010"}, "1010"),  # the configuration does
        ("Local/alpha@hotdesk/n", "1002", {"Local/alpha@hotdesk": "1010", "PJSIP/1002": "1012"}, "1012"),
        ("Local/alpha@hotdesk/n", "soft-wang", {}, None),
    ],
)
def test_behind_a_local_member_it_is_the_phone_that_tells_the_agent(
    interface: str, phone: str, agents: dict[str, str], who: str | None
) -> None:
    """Else the configuration, else the member; and the call is answered even where nobody knows by whom."""
    ring, talk = member(interface, phone)
    tracker = made(agents=agents)
    facts = feed(tracker, *ring, *talk)
    assert words(facts)[3:] == ([] if who is None else [f"rang {who}", f"answered {who}"])
    done = ev.MemberDone(*CALLER, None, None, None, "support", interface, "agent")
    facts = feed(tracker, ev.HangUp(AT, leg(phone)[0], leg(phone)[1], UID, "16"), done, ev.HangUp(*CALLER, "16"))
    assert words(facts) == [*([] if who is None else [f"left {who} ended"]), "ended"]
    assert [fact.outcome for fact in facts if isinstance(fact, Ended)] == [Outcome.ANSWERED]


def test_a_colleague_of_a_colleague_rings_through_pairs_of_pairs() -> None:
    """A Local member whose dialplan calls another Local channel; the queue gives all of it up at once."""
    outer, inner = pair("1001@queue-agents"), pair("1003@from-internal", 2)
    tracker = made()
    facts = feed(
        tracker,
        new(),
        ev.Joined(*CALLER, "support"),
        ev.MemberCalled(*CALLER, *outer[0], "support", "Local/1001@queue-agents"),
        ev.Dialled(AT, *outer[1], *inner[0]),
        ev.Dialled(AT, *inner[1], *leg("1003")),
        ev.MemberSilent(*CALLER, *outer[0], "support", "Local/1001@queue-agents", "6000"),
    )
    assert words(facts)[3:] == ["rang 1003", "stopped 1003 no_answer"]


def test_in_a_parking_lot_nobody_hears_anybody() -> None:
    """Although all who are parked share a bridge, an agent's own channel among them for a while."""
    tracker = made()
    feed(tracker, *queued("1001"), *answered("1001"))
    other = ("PJSIP/1002-00000007", "1795290150.7", "1795290150.7")
    facts = feed(
        tracker,
        ev.Entered(AT, "lot", "holding_bridge", *other, None),
        ev.Entered(AT, "lot", "holding_bridge", NAME, UID, UID, None),
    )
    assert words(facts) == ["left 1001 transferred"]


def test_late_events_about_a_phone_that_is_done_change_nothing() -> None:
    """A DialBegin, a ring or an answer after the phone stopped."""
    tracker = made()
    over = ev.HangUp(AT, leg("1001")[0], leg("1001")[1], UID, "16")
    facts = feed(tracker, *queued("1001"), ev.DialOver(*CALLER, *leg("1001"), "CANCEL"), over)
    assert words(facts)[-1] == "stopped 1001 gave_up"
    assert feed(tracker, ev.Dialled(*CALLER, *leg("1001")), ev.DialOver(*CALLER, *leg("1001"), "ANSWER")) == []
    assert [x.phase for x in tracker.calls[KEY].legs.values()] == [Phase.OVER]


def test_every_field_may_be_missing() -> None:
    """An event of nothing but None makes nothing, and nothing is raised."""
    tracker = made()
    feed(tracker, *queued("1001"), *answered("1001"))
    kinds = [
        kind
        for kind in vars(ev).values()
        if isinstance(kind, type) and hasattr(kind, "_fields") and kind not in (Snapshot, ev.ListDone)
    ]
    assert len(kinds) > 20
    for kind in kinds:
        assert feed(tracker, kind(*[None] * len(kind._fields))) == []


def test_a_message_makes_a_voicemail_but_not_of_an_answered_call() -> None:
    """The outcome is the best that happened to the caller."""
    told = ev.Told(*CALLER, "Voicemail", "\r\nFile: voicemail/x.wav\r\n")
    tracker = made()
    facts = feed(tracker, new(), told, told, ev.HangUp(*CALLER, "16"))
    assert words(facts) == ["arrived", "confirmed", "leftmessage", "ended"]
    assert [f.file for f in facts if isinstance(f, LeftMessage)] == ["voicemail/x.wav"]
    assert [f.outcome for f in facts if isinstance(f, Ended)] == [Outcome.VOICEMAIL]
    facts = feed(made(), *queued("1001"), *answered("1001"), told, ev.HangUp(*CALLER, "16"))
    assert [f.outcome for f in facts if isinstance(f, Ended)] == [Outcome.ANSWERED]


def test_recordings_are_told_once() -> None:
    """By the dialplan's event or by the variable, whichever comes."""
    told = ev.Told(*CALLER, "CC400Recording", "\r\nFile: a.wav\r\nFileRx: a-rx.wav\r\nFileTx: a-tx.wav\r\n")
    variable = ev.VariableSet(*CALLER, "MIXMONITOR_FILENAME", "/var/spool/a.wav")
    facts = feed(made(), new(), told, told, variable, ev.RecordingStopped(*CALLER), ev.RecordingStopped(*CALLER))
    recorded = [(f.files, f.stopped) for f in facts if isinstance(f, Recorded)]
    assert recorded == [(("a.wav", "a-rx.wav", "a-tx.wav"), False), (("/var/spool/a.wav",), False), ((), True)]


# -- after a break


def row(name: str, uid: str, *, state: str = "6", dnid: str | None = None, bridge: str | None = None) -> LiveChannel:
    """A channel as the PBX lists it; all of one call."""
    return LiveChannel(None, name, state, "13812345678", "<unknown>", "s", uid, UID, dnid, bridge)


def test_a_call_that_vanished_is_lost_with_its_cards() -> None:
    """Nobody knows how it ended."""
    tracker = made()
    feed(tracker, *queued("1001", "1002"), *answered("1001"))
    facts = tracker.resync(Snapshot(()), 5.0)
    assert words(facts) == ["left 1001 lost", "stopped 1002 lost", "ended"]
    assert [f.outcome for f in facts if isinstance(f, Ended)] == [Outcome.LOST]
    assert all(fact.at == 5.0 for fact in facts)
    assert not tracker.calls


def test_a_call_that_is_still_there_goes_on() -> None:
    """Nothing is told twice, and its end is told as ever."""
    tracker = made()
    feed(tracker, *queued("1001"), *answered("1001"))
    rows = (row(NAME, UID, bridge="b1"), row(*leg("1001")[:2], bridge="b1"))
    assert tracker.resync(Snapshot(rows), 5.0) == []
    assert words(feed(tracker, ev.HangUp(*CALLER, "16"))) == ["left 1001 ended", "ended"]


def test_who_talks_now_is_told_after_a_break() -> None:
    """1001 rang when the link broke; 1002 talks now."""
    tracker = made()
    feed(tracker, *queued("1001"))
    rows = (row(NAME, UID, bridge="b9"), row(*leg("1002")[:2], bridge="b9"))
    assert words(tracker.resync(Snapshot(rows), 5.0)) == ["stopped 1001 lost", "answered 1002"]


def test_a_live_call_nobody_told_us_of_is_adopted() -> None:
    """With its queue, the agent who talks and the phone that rings. Only Status knows what was dialled."""
    listed = row(NAME, UID, bridge="b1")._replace(exten="start")
    rows = (
        listed,
        listed._replace(dnid="01062802505"),
        row(*leg("1001")[:2], bridge="b1"),
        row(*leg("1003")[:2], state="5"),
        row("PJSIP/carrier-00000077", "1795290150.7"),  # a leg to the outside
    )
    waiting = (Waiting(None, "support", NAME, UID, "a1"), Waiting(None, "sales", "x", "9.9", "a1"))
    facts = made().resync(Snapshot(rows, waiting), 5.0)
    assert words(facts) == ["arrived", "confirmed", "queued", "rang 1003", "answered 1001"]
    first, queue = facts[0], facts[2]
    assert isinstance(first, Arrived)
    assert isinstance(queue, Queued)
    assert (first.number, first.dialled, first.caller, queue.queue) == (
        "4007002505", "01062802505", "13812345678", "support"
    )  # fmt: skip


def test_channels_of_the_list_that_events_overtook_are_left_alone() -> None:
    """Gone ones do not come back, fresh ones are not lost."""
    tracker = made()
    feed(tracker, new(uid="5.0", name="PJSIP/carrier-5"))
    gone, fresh = frozenset({UID}), frozenset({"5.0"})
    assert tracker.resync(Snapshot((row(NAME, UID, dnid="4007002505"),), (), gone, fresh), 5.0) == []
    assert [key.linkedid for key in tracker.calls] == ["5.0"]


def test_a_snapshot_twice_changes_nothing() -> None:
    """Two listeners, two snapshots."""
    tracker = made()
    rows = (row(NAME, UID, dnid="4007002505", bridge="b1"), row(*leg("1001")[:2], bridge="b1"))
    assert words(tracker.resync(Snapshot(rows), 5.0)) == ["arrived", "confirmed", "answered 1001"]
    assert tracker.resync(Snapshot(rows), 6.0) == []


# -- what stays


def internal(tracker: Tracker, number: int, *, hung_up: bool) -> None:
    """An agent rings a colleague; none of ours."""
    source = (f"PJSIP/1001-1{number:07x}", f"1796{number:06d}.1", f"1796{number:06d}.1")
    phone = (f"PJSIP/1002-1{number:07x}", f"1796{number:06d}.2", source[1])
    feed(tracker, ev.Dialled(AT, *source, *phone))
    if hung_up:
        feed(tracker, ev.HangUp(AT, phone[0], phone[1], source[1], "16"), ev.HangUp(AT, *source, "16"))


def test_nothing_stays_of_phones_that_talked_with_several_callers_or_picked_up() -> None:
    """A conference that callers and an agent enter and leave; a pick-up by a phone that is nobody's."""
    tracker = made()
    second = (AT, "PJSIP/carrier-00000005", "1795290160.5", "1795290160.5")
    phone = ("PJSIP/1001-00000008", "1795290161.8", "1795290161.8")
    feed(tracker, *queued("1002"), new(name=second[1], uid=second[2]), ev.Seen(*second))
    stranger = ("PJSIP/lobby-00000001", "1795290162.1", "1795290162.1")
    feed(tracker, ev.PickedUp(AT, *stranger, *leg("1002")))
    for _ in range(3):
        feed(tracker, *(ev.Entered(AT, "room", "softmix", *each, None) for each in (CALLER[1:], second[1:], phone)))
    assert words(feed(tracker, ev.HangUp(*second, "16"))) == ["left 1001 ended", "ended"]
    assert words(feed(tracker, ev.HangUp(AT, *phone, "16"))) == ["left 1001 ended"]
    assert words(feed(tracker, ev.HangUp(*CALLER, "16"))) == ["ended"]
    live = tracker._live
    assert not live.legs
    assert not live.shared
    assert len(live.bridges) == 0


def test_nothing_stays_of_calls_that_are_none_of_ours() -> None:
    """What an agent rings is known while it rings, for a transfer; after a break, while the PBX still has it."""
    tracker = made()
    for number in range(10):
        internal(tracker, number, hung_up=True)
    assert not tracker._live.others
    internal(tracker, 11, hung_up=False)
    assert tracker._live.others
    tracker.resync(Snapshot(()), 1.0)
    assert not tracker._live.others


def day(tracker: Tracker, calls: int) -> None:
    """That many calls, one after another, each answered by one of three agents that rang."""
    for number in range(calls):
        uid, name = f"1795{number:06d}.{number}", f"PJSIP/carrier-{number:08x}"
        caller = (AT, name, uid, uid)
        legs = [(f"PJSIP/{agent}-{number:08x}", f"{uid}.{agent}", uid) for agent in ("1001", "1002", "1003")]
        feed(tracker, new(name=name, uid=uid), ev.Seen(*caller), ev.Joined(*caller, "support"))
        for each in legs:
            feed(tracker, ev.MemberCalled(*caller, *each, "support", each[0][:10]), ev.Dialled(*caller, *each))
        feed(tracker, ev.MemberAnswered(*caller, *legs[0], "support", "PJSIP/1001"))
        feed(tracker, ev.Entered(AT, uid, None, *legs[0], None), ev.Entered(AT, uid, None, name, uid, uid, None))
        feed(tracker, ev.HangUp(*caller, "16"))
        feed(tracker, *(ev.HangUp(AT, each[0], each[1], uid, "16") for each in legs))


def test_finished_calls_leave_nothing_behind() -> None:
    """Ten thousand in a row keep no more objects than the first thousand did."""
    tracker = made()
    day(tracker, 1000)
    gc.collect()
    before = sys.getallocatedblocks()
    day(tracker, 10_000)
    gc.collect()
    assert not tracker.calls
    assert sys.getallocatedblocks() - before < 1000


def test_a_live_call_takes_at_most_four_kilobytes() -> None:
    """Queued, three phones rung, answered."""
    tracker = made()
    calls = 500
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(calls):
            uid = f"1795{number:06d}.{number}"
            caller = (AT, f"PJSIP/carrier-{number:08x}", uid, uid)
            feed(tracker, new(name=caller[1], uid=uid), ev.Seen(*caller), ev.Joined(*caller, "support"))
            for agent in ("1001", "1002", "1003"):
                each = (f"PJSIP/{agent}-{number:08x}", f"{uid}.{agent}", uid)
                feed(tracker, ev.MemberCalled(*caller, *each, "support", f"PJSIP/{agent}"))
            feed(tracker, ev.MemberAnswered(*caller, *each, "support", "PJSIP/1003"))
        gc.collect()
        used = (tracemalloc.get_traced_memory()[0] - before) / calls
    finally:
        tracemalloc.stop()
    assert len(tracker.calls) == calls
    assert used <= 4096, f"{used:.0f} bytes a call"


# -- lines and phones


def test_an_alias_stands_for_one_number_only() -> None:
    """Two that claim the same landing number are a mistake in the configuration."""
    with pytest.raises(ValueError, match="861062802505 stands for both"):
        Lines({"4007002505": ("01062802505",), "4008001234": ("+861062802505",)})


@pytest.mark.parametrize(
    ("channel", "agent", "trunk"),
    [
        ("PJSIP/1001-0000002a", "1001", False),
        ("SIP/1001-0000002a", "1001", False),
        ("PJSIP/carrier-0000002a", None, True),
        ("PJSIP/carrier-beijing-0000002a", None, False),
        ("PJSIP/soft-li-0000002a", "1004", False),
        ("CBAnn/1234-00000001;2", None, False),
        ("DAHDI/i1/01062802505-1", None, True),
        ("Local/1001@queue-agents-00000000;1", None, False),
        (None, None, False),
    ],
)
def test_a_channels_name_tells_whose_it_is(channel: str | None, agent: str | None, *, trunk: bool) -> None:
    """The carrier's are nobody's phone; neither are Local pairs, which have a phone behind them."""
    phones = Phones(["PJSIP/carrier", "DAHDI/i1"], {"PJSIP/soft-li": "1004"})
    assert (phones.agent(channel), phones.is_trunk(channel)) == (agent, trunk)


@pytest.mark.parametrize(
    ("interface", "agent"),
    [
        ("PJSIP/1001", "1001"),
        ("Local/1001@queue-agents", "1001"),
        ("Local/1001@queue-agents/n", "1001"),
        ("Local/wang@phones/n", "1002"),
        ("Local/li@phones", None),
        ("Local/13812345678@out", None),
        ("PJSIP/carrier", None),
        (None, None),
    ],
)
def test_a_queue_members_interface_tells_the_agent(interface: str | None, agent: str | None) -> None:
    """By configuration, or by its name where that is an extension."""
    assert Phones(["PJSIP/carrier"], {"Local/wang@phones": "1002"}).member(interface) == agent


def test_facts_of_a_whole_call() -> None:
    """From arrival to end, in order, each with its reason."""
    facts = feed(made(), *queued("1001", "1002"), *answered("1001"), ev.HangUp(*CALLER, "16"))
    assert [type(fact) for fact in facts] == [Arrived, Confirmed, Queued, Rang, Rang, Answered, Left, Stopped, Ended]
    assert [fact.why for fact in facts if isinstance(fact, Left | Stopped)] == [Over.ENDED, Over.GAVE_UP]
    assert all(fact.call == KEY and fact.at == 1795290138.5 for fact in facts)
