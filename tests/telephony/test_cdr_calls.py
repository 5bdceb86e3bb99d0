"""What a PBX's call records tell is what its events told of the same calls.

``records/asterisk*.csv`` are the records that Asterisk 22.10 and 16.28 wrote of real calls, ``*.told`` what the same
calls' AMI streams told (``hotline replay --calls``).
"""

import json
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from telephony.call import Answered, Arrived, CallKey, Confirmed, Ended, Left, LeftMessage, Outcome, Over, Queued
from telephony.cdr_calls import PastCall, past_calls
from telephony.cdr_facts import facts_of
from telephony.cdr_rows import Row, from_csv
from telephony.lines import Lines
from telephony.phones import Phones

RECORDS = Path(__file__).parent / "records"
LINES = Lines({"4007002505": ["01062802505"], "4008001234": []})
PHONES = Phones(["PJSIP/carrier"], {})


def rows(name: str) -> list[Row]:
    """All rows of a file whose records have one line each."""
    found = [from_csv(line, UTC) for line in (RECORDS / name).read_text().splitlines()]
    assert None not in found
    return [row for row in found if row is not None]


def told(name: str) -> list[Any]:
    """What the events told."""
    return [json.loads(line) for line in (RECORDS / name).read_text().splitlines()]


def ours(found: list[PastCall]) -> dict[str, PastCall]:
    """The calls to our numbers."""
    return {call.uniqueid: call for call in found if call.number is not None}


def row(**values: Any) -> Row:
    """An answered row of a caller's channel."""
    usual = {
        "uniqueid": "1795290138.0",
        "linkedid": "1795290138.0",
        "channel": "PJSIP/carrier-00000000",
        "dest": "PJSIP/1001-00000001",
        "start": 1795290138.0,
        "end": 1795290159.0,
        "answered": True,
        "caller": "13812345678",
        "dialled": "4007002505",
        "app": "Queue",
        "data": "support,trk,,,30",
    }
    return Row(**{**usual, **values})


def one(*its_rows: Row) -> PastCall:
    """The only call of these rows."""
    (call,) = past_calls(its_rows, PHONES, LINES)
    return call


@pytest.mark.parametrize("asterisk", ["asterisk22", "asterisk16"])
def test_records_and_events_tell_the_same(asterisk: str) -> None:
    """Caller, number, queues, agents in their order and outcome; arrival and end to the second."""
    found = ours(past_calls(rows(f"{asterisk}.csv"), PHONES, LINES))
    heard = told(f"{asterisk}.told")
    for call in heard:
        if call["outcome"] == "lost":
            continue
        past = found.pop(call["call"])
        expected = (call["caller"], call["number"], tuple(call["queues"]), tuple(call["agents"]))
        assert (past.caller, past.number, past.queues, past.agents) == expected, call["what"]
        # Nothing in a record says that the caller left a message, unless the dialplan's last word was Record.
        same = "abandoned" if call["outcome"] == "voicemail" else call["outcome"]
        assert past.outcome.value == same, call["what"]
        assert -1 <= past.arrived - call["arrived"] <= 0
        assert abs(past.ended - call["ended"]) < 1.5
    assert found == {}, "calls that no event told of"
    assert len(heard) > 30


@pytest.mark.parametrize("asterisk", ["asterisk22", "asterisk16"])
def test_a_killed_pbx_leaves_no_record(asterisk: str) -> None:
    """The calls that were up when Asterisk was killed are in no record: they stay lost."""
    found = ours(past_calls(rows(f"{asterisk}.csv"), PHONES, LINES))
    killed = [call["call"] for call in told(f"{asterisk}.told") if call["outcome"] == "lost"]
    assert killed
    assert not set(killed) & found.keys()


def test_the_order_of_rows_does_not_matter_nor_that_one_is_there_twice() -> None:
    """Asterisk writes a pair's rows before its caller's, a table gives them in any order."""
    there = rows("asterisk22.csv")
    assert past_calls([*reversed(there), *there], PHONES, LINES) == past_calls(there, PHONES, LINES)


def test_without_linkedid_the_pairs_are_found_by_their_names() -> None:
    """cdr.conf without newcdrcolumns, a table without linkedid."""
    there = rows("asterisk22.csv")
    bare = [Row(**{name: getattr(x, name) for name in x.__slots__ if name != "linkedid"}) for x in there]
    with_it, without = (ours(past_calls(some, PHONES, LINES)) for some in (there, bare))
    assert {key: call.agents for key, call in without.items()} == {key: call.agents for key, call in with_it.items()}


@pytest.mark.parametrize(
    ("values", "number"),
    [
        ({"dialled": "4007002505"}, "4007002505"),
        ({"dialled": "+864007002505"}, "4007002505"),
        ({"dialled": "01062802505"}, "4007002505"),
        ({"dialled": "1003"}, None),
        ({"dialled": "1003", "did": "4008001234"}, "4008001234"),
        ({"dialled": "1003", "userfield": "did=4008001234&sipcallid=a@b"}, "4008001234"),
        ({"dialled": "4007002505", "did": "4008001234"}, "4008001234"),
        ({"dialled": "s", "did": "", "userfield": "no names here"}, None),
        ({"dialled": "4007002505", "userfield": "did=999"}, "4007002505"),
    ],
)
def test_the_number_is_the_one_dialled_however_the_dialplan_went_on(values: dict[str, str], number: str | None) -> None:
    """A did column first, then what the dialplan wrote into userfield, then dst, which transfers write over."""
    assert one(row(**values)).number == number


@pytest.mark.parametrize(
    ("app", "userfield", "outcome"),
    [
        ("VoiceMail", "", Outcome.VOICEMAIL),
        ("Record", "", Outcome.VOICEMAIL),
        ("Hangup", "did=4007002505&voicemail=1", Outcome.VOICEMAIL),
        ("Playback", "", Outcome.ABANDONED),
        ("Read", "", Outcome.ABANDONED),
    ],
)
def test_a_message_is_told_by_the_last_application_or_the_dialplan(app: str, userfield: str, outcome: Outcome) -> None:
    """The last row of a caller whom nobody answered has no dstchannel and says ANSWERED."""
    rang = row(answered=False)
    last = row(dest="", app=app, userfield=userfield, start=1795290160.0, end=1795290170.0, sequence=3)
    assert one(rang, last).outcome is outcome


@pytest.mark.parametrize(
    ("caller", "kept"),
    [
        ("13812345678", "13812345678"),
        ("+8613812345678", "+8613812345678"),
        ("anonymous", None),
        ("", None),
        ("13812345678\r\nUniqueid: 1.1", None),
    ],
)
def test_a_caller_counts_only_where_it_is_a_number(caller: str, kept: str | None) -> None:
    """As live: a withheld one is a word, a forged one is anything."""
    assert one(row(caller=caller)).caller == kept


def test_channel_names_begin_anew_with_each_start_of_the_pbx() -> None:
    """A pair of yesterday with the same name tells nothing of today's call."""
    local = "Local/1001@queue-agents-00000000"
    today = row(dest=f"{local};1", linkedid=None)
    yesterday = row(uniqueid="1795200000.3", linkedid=None, channel=f"{local};2", dest="PJSIP/1002-00000009")
    old = Row(**{**{n: getattr(yesterday, n) for n in yesterday.__slots__}, "start": 1795200000.0, "end": 1795200009.0})
    assert one(today, old).agents == ("1001",)


def test_an_answered_queue_counts_even_when_nobody_knows_whose_phone_it_was() -> None:
    """As live: AgentConnect answers the call, whoever the member is."""
    call = one(row(dest="SIP/hotdesk-17"))
    assert (call.outcome, call.agents) == (Outcome.ANSWERED, ())


def test_the_facts_of_a_past_call() -> None:
    """What the ledger is told: in order, and nothing after the end."""
    key = CallKey("main", "1795290138.0")
    first = row(end=1795290150.0)
    second = row(dest="PJSIP/1003-00000002", start=1795290150.0, app="Dial", data="PJSIP/1003", sequence=2)
    facts = facts_of(one(first, second), key)
    assert [type(fact) for fact in facts] == [Arrived, Confirmed, Queued, Answered, Left, Answered, Left, Ended]
    assert [fact.why for fact in facts if isinstance(fact, Left)] == [Over.TRANSFERRED, Over.ENDED]
    assert [fact.agent for fact in facts if isinstance(fact, Answered)] == ["1001", "1003"]
    assert [fact.queue for fact in facts if isinstance(fact, Answered)] == ["support", None]
    assert facts[-1].at == 1795290159.0
    message = facts_of(one(row(dest="", app="VoiceMail")), key)
    assert isinstance(message[-2], LeftMessage)
    assert isinstance(message[-1], Ended)
    with pytest.raises(ValueError, match="no call of ours"):
        facts_of(one(row(dialled="1003")), key)
