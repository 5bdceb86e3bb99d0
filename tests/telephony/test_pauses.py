"""Whether an agent is paused, from what the PBX says of members of queues."""

import pytest

from telephony.events import MemberPaused, MemberRow
from telephony.framing import Counts, Framer
from telephony.pauses import Pauses, PauseSeen
from telephony.phones import Phones
from telephony.reading import LAYOUTS

PHONES = Phones(["PJSIP/carrier"], {"PJSIP/soft-wang": "1007"})
AT = 1795290353.8
DESK, LOCAL = "PJSIP/1001", "Local/1001@queue-agents/n"
ON = "\r\nPaused: 1\r\nPausedReason: 用餐\r\nRinginuse: 0"
OFF = "\r\nPaused: 0\r\nPausedReason: \r\nRinginuse: 0"

WIRE = """\
Event: QueueMemberPause\r
Privilege: agent,all\r
Timestamp: 1795290353.801169\r
Queue: support\r
MemberName: Agent-1001\r
Interface: PJSIP/1001\r
StateInterface: PJSIP/1001\r
Membership: static\r
Penalty: 0\r
CallsTaken: 9\r
LastCall: 1795290347\r
LastPause: 1795290353\r
LoginTime: 1795290138\r
InCall: 0\r
Status: 1\r
Paused: 1\r
PausedReason: 用餐\r
Ringinuse: 0\r
Wrapuptime: 0\r
\r
"""
ROW = """\
Event: QueueMember\r
Queue: support\r
Name: Agent-1001\r
Location: PJSIP/1001\r
StateInterface: PJSIP/1001\r
Membership: static\r
Penalty: 0\r
Status: 1\r
Paused: 1\r
PausedReason: 用餐\r
Wrapuptime: 0\r
ActionID: abc\r
\r
"""


def paused(queue: str, interface: str = DESK, text: str = ON) -> MemberPaused:
    """An event."""
    return MemberPaused(str(AT), queue, interface, text)


def row(queue: str, interface: str = DESK, told: str = "1", reason: str = "用餐") -> MemberRow:
    """A row of a list."""
    return MemberRow(None, queue, interface, told, reason, "a")


def seen(*, paused: bool, reason: str | None = None, at: float | None = AT, agent: str = "1001") -> PauseSeen:
    """What is told."""
    return PauseSeen("pbx", agent, paused, reason, at)


def test_events_and_rows_as_asterisk_writes_them() -> None:
    """Of 22.10; whatever stands behind the name, with a reason in Chinese."""
    read = list(Framer(LAYOUTS, Counts()).feed(f"{WIRE}{ROW}{WIRE}".encode()))
    assert [type(one).__name__ for one in read] == ["MemberPaused", "MemberRow", "MemberPaused"]
    assert Pauses("pbx", PHONES).feed(read[0], AT) == seen(paused=True, reason="用餐")  # type: ignore[arg-type]
    assert read[1] == MemberRow(None, "support", "PJSIP/1001", "1", "用餐", "abc")


def test_who_is_in_one_queue_is_paused_there_and_back() -> None:
    """Told once, however often it is repeated."""
    pauses = Pauses("pbx", PHONES)
    assert pauses.feed(paused("support"), AT) == seen(paused=True, reason="用餐")
    assert pauses.feed(paused("support"), AT) is None
    assert pauses.feed(paused("support", text=OFF), AT) == seen(paused=False)


def test_whom_another_queue_still_rings_is_not_paused() -> None:
    """Under whatever name that queue has for the phone."""
    pauses = Pauses("pbx", PHONES)
    first = pauses.listed([row("support", told="0"), row("sales", LOCAL, told="0")])
    assert first == [seen(paused=False, at=None)]
    assert pauses.feed(paused("support"), AT) is None
    assert pauses.feed(paused("sales", LOCAL), AT) == seen(paused=True, reason="用餐")
    assert pauses.feed(paused("support", text=OFF), AT) == seen(paused=False)


def test_a_list_tells_everybody_anew() -> None:
    """After a break of the link nobody knows what was told; agents by the configuration, too."""
    pauses = Pauses("pbx", PHONES)
    rows = [
        row("support"),
        row("support", "PJSIP/soft-wang", "0", ""),
        row("load", "Local/4@load/n"),
        row("x", "Agent/x"),
    ]
    wanted = [seen(paused=True, reason="用餐", at=None), seen(paused=False, at=None, agent="1007")]
    assert pauses.listed(rows) == wanted
    assert pauses.listed(rows) == wanted
    assert pauses.listed([]) == []


@pytest.mark.parametrize(
    "event",
    [
        MemberPaused(None, None, DESK, ON),
        MemberPaused(None, "support", None, ON),
        MemberPaused(None, "support", "PJSIP/carrier", ON),
        MemberPaused(None, "support", DESK, None),
        MemberPaused(None, "support", DESK, "\r\nStatus: 1"),
    ],
)
def test_what_does_not_say_it_is_not_guessed(event: MemberPaused) -> None:
    """Nothing missing is made up."""
    assert Pauses("pbx", PHONES).feed(event, AT) is None
