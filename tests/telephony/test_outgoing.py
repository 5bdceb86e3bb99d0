"""Calls that go out, from the events of a real one."""

import gzip
from pathlib import Path

import pytest

from telephony.events import Dialled, DialOver, HangUp
from telephony.framing import Framer, Response
from telephony.lines import Lines
from telephony.outgoing import OURS, Out, OutCall, Outgoing
from telephony.phones import Phones
from telephony.reading import LAYOUTS
from telephony.tracker import Tracker

PHONES = Phones(["PJSIP/carrier"], {"PJSIP/soft-wang": "1007"})
AT = "1795341604.632185"
PHONE, UID = "PJSIP/1001-00000000", "hotline-dd022327d69510d9"
CARRIER, LEG = "PJSIP/carrier-00000001", "1795341604.1"


def made(prefix: str = "") -> Outgoing:
    """Of one PBX."""
    return Outgoing("pbx", PHONES, prefix)


def dialled(string: str | None = "13800138000@carrier", channel: str | None = PHONE, dest: str = CARRIER) -> Dialled:
    """The phone calls the carrier."""
    return Dialled(AT, channel, UID, UID, dest, LEG, UID, string)


def over(status: str) -> DialOver:
    """What became of it."""
    return DialOver(AT, PHONE, UID, UID, CARRIER, LEG, UID, status)


def call(state: Out, agent: str | None = "1001", number: str = "13800138000") -> OutCall:
    """What is told."""
    return OutCall("pbx", UID, agent, number, state, 1795341604.632185)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("ANSWER", Out.TALKING),
        ("BUSY", Out.BUSY),
        ("NOANSWER", Out.NO_ANSWER),
        ("CANCEL", Out.NO_ANSWER),
        ("CONGESTION", Out.FAILED),
        ("CHANUNAVAIL", Out.FAILED),
        ("SOMETHING NEW", Out.FAILED),
    ],
)
def test_a_number_is_called(status: str, state: Out) -> None:
    """From whose phone, which one, and what became of it; the second of two ends is not told."""
    outgoing = made()
    assert outgoing.feed(dialled()) == call(Out.CALLING)
    assert outgoing.feed(over(status)) == call(state)
    assert outgoing.feed(over("CANCEL")) is None


@pytest.mark.parametrize(
    ("string", "prefix", "number"),
    [
        ("13800138000@carrier", "", "13800138000"),
        ("carrier/013800138000", "", "013800138000"),
        ("g0/913800138000", "9", "13800138000"),
        ("carrier/sip:+8613800138000@10.0.0.1", "", "+8613800138000"),
    ],
)
def test_the_number_in_what_was_dialled(string: str, prefix: str, number: str) -> None:
    """However the trunk wants it."""
    told = made(prefix).feed(dialled(string))
    assert told is not None
    assert told.number == number


@pytest.mark.parametrize(
    "event",
    [
        dialled(dest="PJSIP/1002-00000007"),  # a colleague
        dialled("carrier"),
        dialled("13800138000/13900139000"),  # which of them?
        dialled(None),
        dialled(channel=None),  # the PBX's own doing: an Originate to the trunk
        Dialled(None, None, None, None, None, None, None, None),
        over("ANSWER"),
        HangUp(AT, CARRIER, LEG, UID, "16"),
    ],
)
def test_what_is_none_tells_nothing(event: Dialled | DialOver | HangUp) -> None:
    """Colleagues, what cannot be read, and ends without a beginning."""
    assert made().feed(event) is None


def test_a_line_that_hangs_up_without_a_word() -> None:
    """It has failed."""
    outgoing = made()
    outgoing.feed(dialled())
    assert outgoing.feed(HangUp(AT, CARRIER, LEG, UID, "38")) == call(Out.FAILED)


def test_whose_phone_calls() -> None:
    """By its name, by the configuration, behind a Local channel; else nobody's."""
    for channel, agent in (
        ("PJSIP/soft-wang-0000000a", "1007"),
        ("Local/1001@queue-agents-00000000;1", "1001"),
        ("PJSIP/reception-0000000b", None),
    ):
        assert made().feed(dialled(channel=channel)) == call(Out.CALLING, agent)


def test_our_own_phone_is_put_down() -> None:
    """Of channels that an action of ours made."""
    told = made().feed(HangUp(AT, PHONE, UID, UID, "16"))
    assert told is not None
    assert (told.linkedid, told.state) == (UID, Out.OVER)
    assert UID.startswith(OURS)


CAPTURES = Path(__file__).parents[1] / "captures"
BACK = [("1001", "13812345678", Out.CALLING), ("1001", "13812345678", Out.TALKING)]


@pytest.mark.parametrize("asterisk", ["16", "22"])
@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("called_back", BACK),
        ("transferred_outside", []),
        ("forwarded_to_mobile", []),
        ("member_outside", []),
        ("answered", []),
    ],
)
def test_real_calls(name: str, asterisk: str, wanted: list[tuple[str, str, Out]]) -> None:
    """A missed caller called back from the phone by hand; not a caller of ours who is sent on to a mobile."""
    tracker = Tracker("pbx", Lines({"4007002505": ("01062802505",), "4008001234": ()}), ["PJSIP/carrier"])
    outgoing, found = made(), []
    for event in Framer(LAYOUTS).feed(gzip.decompress((CAPTURES / name / f"asterisk{asterisk}.ami.gz").read_bytes())):
        if isinstance(event, Response):
            continue
        tracker.feed(event)
        told = outgoing.feed(event) if isinstance(event, Dialled | DialOver | HangUp) else None
        if told is not None and not tracker.has(told.linkedid):
            found.append((told.agent, told.number, told.state))
    assert found == wanted
