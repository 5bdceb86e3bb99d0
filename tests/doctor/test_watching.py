"""``doctor --watch``: real calls, as they were captured, told step by step, with what was missing of them."""

import gzip
import re
from pathlib import Path
from typing import Any

import pytest

from hotline.doctor.catalogue import Code
from hotline.doctor.finding import Report
from hotline.doctor.watching import Expected, Watch
from hotline.pbx_feed import tracker_of
from hotline.settings import Settings
from telephony.framing import Framer, Response
from telephony.reading import LAYOUTS

CAPTURES = Path(__file__).parents[1] / "captures"
ALL = Expected(queue=True, user_events=True)


def company(**pbx: Any) -> Settings:
    """The captured company."""
    return Settings.model_validate(
        {
            "pbx": [
                {"name": "pbx", "user": "hotline", "trunks": ["PJSIP/carrier"], "voicemail_event": "CC400Voicemail"}
                | pbx
            ],
            "line": [{"number": "4007002505", "aliases": ["01062802505"]}, {"number": "4008001234"}],
            "recordings": {"root": "/nowhere"},
        }
    )


def captured(situation: str) -> bytes:
    """The bytes of a call on Asterisk 22."""
    return gzip.decompress((CAPTURES / situation / "asterisk22.ami.gz").read_bytes())


def watched(data: bytes, settings: Settings, expected: Expected = ALL, late: float = 0.01) -> tuple[list[str], Report]:
    """What is said of it, and what was missing. Events are read ``late`` seconds after their time."""
    seen, tracker, report = Watch(settings, settings.pbx[0]), tracker_of(settings.pbx[0], settings), Report()
    said = []
    for event in Framer(LAYOUTS).feed(data):
        if isinstance(event, Response) or seen.ended is not None:
            continue
        stamp = getattr(event, "stamp", None)
        now = float(stamp or 0) + late
        said += [step.text for step in seen.see(event, tracker.feed(event, now), now)]
    seen.judge(expected, report)
    return said, report


def without(data: bytes, pattern: str) -> bytes:
    """The stream without the events that match: a class not read, a filter too narrow."""
    return b"\r\n\r\n".join(block for block in data.split(b"\r\n\r\n") if not re.search(pattern.encode(), block))


def test_a_call_is_told_step_by_step() -> None:
    """Arrival, queue, ring, answer, recording, end."""
    said, report = watched(captured("ring_no_answer"), company())
    told = [text for text in said if not text.startswith("the dialplan's event")]
    assert [re.sub(r"\d{4}/.*", "...", text) for text in told] == [
        "008613912345678 calls 4007002505",
        "it is a real call: a ticket would be made",
        "it is recorded to ...",
        "it waits in the queue support",
        "1001's phone rings: the card would open",
        "1001's phone stops: nobody answered it",
        "1002's phone rings: the card would open",
        "1002 talks",
        "the recording has ended",
        "1002 has finished: the talk is over",
        "the call has ended: answered",
    ]
    assert report.findings == []
    assert report.unchecked == []


@pytest.mark.parametrize("situation", sorted(path.name for path in CAPTURES.iterdir()))
def test_every_captured_call_can_be_watched(situation: str) -> None:
    """Whatever happens in it, nothing is raised and no fault is made up of a sound PBX."""
    _, report = watched(captured(situation), company(), Expected())
    assert {finding.code for finding in report.findings} <= {Code.MEMBER_UNKNOWN}  # some have members from outside


@pytest.mark.parametrize(
    ("missing", "code"),
    [
        (r"^Event: (Queue|Agent)", Code.CLASS_MISSING),
        (r"^Event: UserEvent", Code.CLASS_MISSING),
        (r"Privilege: call,all", Code.CLASS_MISSING),
        (r"^Event: Newchannel", Code.CLASS_MISSING),
        (r"^Event: BridgeEnter", Code.FILTER_NARROW),
    ],
)
def test_what_is_not_sent_is_missed(missing: str, code: Code) -> None:
    """A class that is not read, an event that the filter drops."""
    _, report = watched(without(captured("answered"), missing), company())
    assert [finding.code for finding in report.findings] == [code]


def test_an_end_that_is_not_sent_is_said() -> None:
    """The call goes on for ever."""
    _, report = watched(without(captured("answered"), r"^Event: Hangup"), company())
    assert [note.what for note in report.unchecked] == ["the call's end: none was told while we watched"]


def test_times_that_are_not_sent() -> None:
    """Timestampevents = no."""
    data = re.sub(rb"\r\nTimestamp: [0-9.]+", b"", captured("answered"))
    _, report = watched(data, company())
    assert [finding.code for finding in report.findings] == [Code.NO_TIMESTAMPS]


def test_a_clock_that_is_off() -> None:
    """Events are read long after, or before, their own time."""
    for late in (9.0, -9.0):
        _, report = watched(captured("answered"), company(), late=late)
        assert [finding.code for finding in report.findings] == [Code.CLOCK]


def test_the_wrong_trunk() -> None:
    """A call for our number on a channel that is not configured."""
    said, report = watched(captured("answered"), company(trunks=["PJSIP/other"]))
    assert "a call for 4007002505 came on PJSIP/carrier, which is none of trunks" in said
    assert [(finding.code, finding.remedy) for finding in report.findings] == [
        (Code.TRUNK_UNKNOWN, 'trunks = ["PJSIP/carrier"]')
    ]


def test_a_number_that_is_not_ours() -> None:
    """The number was forgotten."""
    settings = company()
    others = settings.model_copy(update={"line": settings.line[1:]})
    said, report = watched(captured("answered"), others)
    assert "a call came on the trunk for 4007002505, which is none of our numbers" in said
    assert [finding.code for finding in report.findings] == [Code.ALIAS_MISSING]


def test_a_member_who_is_nobody() -> None:
    """The queue called an interface that no name explains."""
    data = captured("answered").replace(b"Interface: PJSIP/1001", b"Interface: Custom/desk")
    _, report = watched(data, company())
    assert [(finding.code, finding.remedy) for finding in report.findings] == [
        (Code.MEMBER_UNKNOWN, 'interfaces = ["Custom/desk"]')
    ]


@pytest.mark.parametrize(
    ("setting", "code"),
    [({"recording_event": "Other"}, Code.RECORDING_EVENT), ({"voicemail_event": "Other"}, Code.VOICEMAIL_UNTOLD)],
)
def test_events_under_other_names(setting: dict[str, str], code: Code) -> None:
    """The dialplan names files in events that nobody configured."""
    _, report = watched(captured("voicemail"), company(**setting))
    assert [finding.code for finding in report.findings] == [code]


def test_nothing_came() -> None:
    """Then it is said what to do."""
    _, report = watched(b"", company())
    assert report.findings == []
    assert ["nothing came" in note.what for note in report.unchecked] == [True]
