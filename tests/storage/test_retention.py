"""Recordings whose time is over, and files that belong to no call, on either database."""

from typing import TYPE_CHECKING

import pytest

from storage.audit import Audit, What
from storage.database import Database
from storage.ledger import Ledger
from storage.reads import Reads
from storage.records import RecordingKind, RecordingRow
from storage.retention import Retention
from storage.strays import Stray, Strays
from tests.storage.conftest import NOON

if TYPE_CHECKING:
    from tests.storage.conftest import Ring, Told


@pytest.fixture
def retention(db: Database) -> Retention:
    """On either database."""
    return Retention(db)


@pytest.fixture
def strays(db: Database) -> Strays:
    """On either database."""
    return Strays(db)


async def recorded(ledger: Ledger, call: "Told", *names: str) -> None:
    """A call that is over, with these recordings."""
    for fact in call.whole():
        await ledger.record(fact, now=fact.at or 0.0, number=call.number)
    for name in names:
        await ledger.link_recording(call.key, RecordingRow(None, None, name, 30.0), call.began + 40)


async def test_only_what_is_old_over_and_of_the_line_is_due(retention: Retention, ledger: Ledger, ring: "Ring") -> None:
    """In pages, by id; each is due until it is deleted."""
    old, young = ring(began=NOON - 1000), ring(began=NOON)
    other, open_call = ring(line="4008001234", began=NOON - 1000), ring(began=NOON - 1000)
    await recorded(ledger, old, "a.wav", "b.wav")
    await recorded(ledger, young, "c.wav")
    await recorded(ledger, other, "d.wav")
    for fact in open_call.whole()[:-1]:
        await ledger.record(fact, now=NOON)
    await ledger.link_recording(open_call.key, RecordingRow(None, None, "e.wav", 1.0), NOON)
    first = await retention.due(old.line, NOON - 500, limit=1)
    rest = await retention.due(old.line, NOON - 500, after=first[-1].id)
    assert [(due.call, due.recording.mix) for due in (*first, *rest)] == [(old.key, "a.wav"), (old.key, "b.wav")]


async def test_a_deletion_is_known_once_on_the_call_and_in_the_audit_trail(
    retention: Retention, ledger: Ledger, reads: Reads, db: Database, ring: "Ring"
) -> None:
    """Two services that delete at once write it once; linking the recording again does not bring it back."""
    call = ring()
    await recorded(ledger, call, "a.wav")
    (due,) = await retention.due(call.line, NOON + 99)
    assert await retention.deleted(due, who="policy", why="older than 30 days", now=NOON + 100)
    assert not await retention.deleted(due, who="policy", why="older than 30 days", now=NOON + 200)
    await ledger.link_recording(call.key, RecordingRow(None, None, "a.wav", 30.0), NOON + 300)
    page = await reads.call(call.key)
    assert page is not None
    assert page.recordings[0].deleted == NOON + 100
    assert page.spoken is None
    assert not page.item.recorded
    assert await retention.due(call.line, NOON + 99) == []
    (row,) = await Audit(db).rows(what=What.RECORDING_DELETED)
    assert (row.who, row.subject, row.at) == ("policy", str(call.key), NOON + 100)
    assert row.detail == {"files": ["a.wav"], "kind": "call", "why": "older than 30 days"}


async def test_a_message_is_kept_as_one(ledger: Ledger, reads: Reads, ring: "Ring") -> None:
    """Its kind and when it began; the ticket's timeline says that a message was added."""
    call = ring()
    await recorded(ledger, call, "whole.wav")
    message = RecordingRow("m.wav", None, None, 9.0, kind=RecordingKind.VOICEMAIL, began=NOON + 20)
    for _ in range(2):
        await ledger.link_recording(call.key, message, NOON + 40)
    page = await reads.call(call.key)
    assert page is not None
    assert [(row.kind, row.began) for row in page.recordings] == [
        (RecordingKind.CALL, None),
        (RecordingKind.VOICEMAIL, NOON + 20),
    ]
    assert page.spoken == page.recordings[0]  # somebody talked: the whole call is what was said
    assert page.item.ticket is not None
    ticket = await reads.ticket(page.item.ticket.id)
    assert ticket is not None
    assert [line.detail for line in ticket.timeline if line.kind == "recording"] == [{}, {"kind": "voicemail"}]


async def test_calls_are_told_from_strays(strays: Strays, ledger: Ledger, ring: "Ring") -> None:
    """Of many names, more than a database takes at once; another PBX's call of the same Uniqueid is another call."""
    call = ring()
    assert await strays.first_call("main") is None
    await recorded(ledger, call)
    many = [f"1.{n}" for n in range(1000)]
    assert await strays.calls_among("main", [*many, call.key.linkedid]) == {call.key.linkedid}
    assert await strays.calls_among("branch", [call.key.linkedid]) == set()
    assert await strays.first_call("main") == call.began
    assert await strays.first_call("mai") is None


async def test_each_look_replaces_the_last_ones_list(strays: Strays) -> None:
    """What got its call, or was deleted, is off it; what stays keeps when it was first found; PBXs do not mix."""
    a, b = Stray("main", "a.wav", 1, NOON), Stray("main", "b.wav", 2, NOON + 1)
    other = Stray("branch", "a.wav", 3, NOON + 2)
    await strays.replace("main", [a, b], NOON + 100)
    await strays.replace("branch", [other], NOON + 100)
    await strays.replace("main", [Stray("main", "b.wav", 9, NOON + 5)], NOON + 200)
    count, newest = await strays.newest()
    assert count == 2
    assert [(s.pbx, s.name, s.bytes, s.changed, s.found) for s in newest] == [
        ("main", "b.wav", 9, NOON + 5, NOON + 100),
        ("branch", "a.wav", 3, NOON + 2, NOON + 100),
    ]
    assert (await strays.newest(1))[0] == 2
