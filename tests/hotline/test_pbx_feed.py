"""What a PBX's stream tells beside the facts of calls: pauses, and calls that go out."""

from collections.abc import Sequence

from hotline.pbx_feed import PbxFeed
from hotline.settings import Settings
from telephony.call import Fact
from telephony.events import Dialled, DialOver, Event, HangUp, MemberPaused, NewChannel
from telephony.outgoing import Out, OutCall
from telephony.pauses import PauseSeen

AT, UID = "1795290353.5", "1795290353.1"
CALLER, TRUNK = "PJSIP/carrier-00000001", "PJSIP/carrier-00000002"
SETTINGS = Settings.model_validate(
    {
        "pbx": [{"name": "main", "user": "hotline", "trunks": ["PJSIP/carrier"], "desk": {"user": "d", "prefix": "9"}}],
        "line": [{"number": "4007002505", "record": False}],
        "agent": [{"extension": "1007", "interfaces": ["PJSIP/soft-wang"]}],
    }
)


class Facts:
    """Takes facts and words of the link."""

    def deliver(self, facts: Sequence[Fact]) -> None:
        """Not looked at."""

    def hears(self, pbx: str, *, on: bool) -> None:
        """Not looked at."""


def told(*events: Event) -> tuple[list[PauseSeen], list[OutCall]]:
    """What these events tell."""
    paused: list[PauseSeen] = []
    went: list[OutCall] = []
    feed = PbxFeed(SETTINGS.pbx[0], "secret", SETTINGS, Facts(), lambda: 0.0, paused=paused.append, went=went.append)
    for event in events:
        feed._take(event)
    return paused, went


def test_a_pause_is_told_of_the_configured_agent() -> None:
    """With the PBX's own time."""
    event = MemberPaused(AT, "support", "PJSIP/soft-wang", "\r\nPaused: 1\r\nPausedReason: 会议")
    assert told(event, event)[0] == [PauseSeen("main", "1007", True, "会议", 1795290353.5)]  # noqa: FBT003 - a tuple


def test_a_call_out_is_told_without_the_digit_for_an_outside_line() -> None:
    """Whose phone, which number, what became of it."""
    phone = "PJSIP/soft-wang-00000003"
    out = Dialled(AT, phone, UID, UID, TRUNK, "1795290353.2", UID, "913812345678@carrier")
    over = DialOver(AT, phone, UID, UID, TRUNK, "1795290353.2", UID, "ANSWER")
    assert [(one.agent, one.number, one.state) for one in told(out, over)[1]] == [
        ("1007", "13812345678", Out.CALLING),
        ("1007", "13812345678", Out.TALKING),
    ]


def test_a_caller_of_ours_who_is_sent_on_is_no_call_out() -> None:
    """It is their call that goes on."""
    new = NewChannel(AT, CALLER, "4", "13812345678", None, "4007002505", UID, UID)
    out = Dialled(AT, CALLER, UID, UID, TRUNK, "1795290353.2", UID, "915400009999@carrier")
    over = DialOver(AT, CALLER, UID, UID, TRUNK, "1795290353.2", UID, "ANSWER")
    assert told(new, out, over, HangUp(AT, TRUNK, "1795290353.2", UID, "16"))[1] == []
