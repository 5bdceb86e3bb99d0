"""What we know of our records in a CRM: begun writes are not forgotten, and only the last writer is heard."""

import pytest

from crm.connector import Of, Ref, Status
from storage.crm_refs import CrmRefs, RefState
from storage.database import Database
from storage.outbox import Outbox
from storage.records import NewJob
from telephony.call import CallKey
from tests.storage.conftest import NOON

KEY = "hotline:shop:main:1.1:note"
CALL = CallKey("main", "1.1")


@pytest.fixture
def refs(db: Database) -> CrmRefs:
    """The references on either database."""
    return CrmRefs(db)


async def test_a_write_that_began_is_known_to_have_begun(refs: CrmRefs) -> None:
    """After a crash between write and answer the next worker sees that somebody may have written."""
    first = await refs.begin(KEY, Of.NOTE, now=NOON, call=CALL)
    assert first.before is None
    second = await refs.begin(KEY, Of.NOTE, now=NOON + 60, call=CALL)
    assert second.before is not None
    assert (second.before.state, second.before.begun, second.before.ref) == (RefState.BEGUN, NOON, None)


async def test_a_kept_record_is_found_by_key_call_and_their_id(refs: CrmRefs) -> None:
    """Whoever asks finds the same record."""
    turn = await refs.begin(KEY, Of.NOTE, now=NOON, call=CALL)
    assert await refs.kept(turn, Ref(Of.NOTE, "77", "v1"), now=NOON + 1, customer_id="9", written="d1")
    ref = await refs.get(KEY)
    assert ref is not None
    assert (ref.ref, ref.customer_id, ref.written, ref.begun) == (Ref(Of.NOTE, "77", "v1"), "9", "d1", None)
    assert await refs.of_call(CALL) == ref
    assert await refs.of_records(Of.NOTE, ["77", "78"]) == {"77": ref}
    assert await refs.of_records(Of.TICKET, ["77"]) == {}
    assert await refs.page() == [ref]
    assert await refs.page(Of.NOTE, after=KEY) == []


async def test_who_was_overtaken_is_told_and_changes_nothing(refs: CrmRefs, outbox: Outbox) -> None:
    """A worker that slept past its lease does not undo what the next one knows; its jobs are not added either."""
    slow = await refs.begin(KEY, Of.NOTE, now=NOON, call=CALL)
    quick = await refs.begin(KEY, Of.NOTE, now=NOON + 1, call=CALL)
    assert await refs.kept(quick, Ref(Of.NOTE, "1"), now=NOON + 2, written="new")
    assert not await refs.kept(slow, Ref(Of.NOTE, "2"), now=NOON + 3, written="old", jobs=[NewJob("crm-call", "x")])
    ref = await refs.get(KEY)
    assert ref is not None
    assert (ref.id, ref.written) == ("1", "new")
    assert await outbox.list() == []


async def test_trouble_stands_until_it_is_over(refs: CrmRefs) -> None:
    """People see why something is not there; once it is, nothing of it is left."""
    assert await refs.trouble(KEY, "nobody began", NOON) == NOON
    assert await refs.get(KEY) is None
    turn = await refs.begin(KEY, Of.NOTE, now=NOON)
    assert await refs.trouble(KEY, "odoo is in trouble", NOON + 1) == NOON + 1
    assert await refs.trouble(KEY, "odoo is in trouble", NOON + 9) == NOON + 1
    ref = await refs.get(KEY)
    assert ref is not None
    assert (ref.trouble, ref.troubled, ref.state) == ("odoo is in trouble", NOON + 1, RefState.BEGUN)
    assert dict(await refs.counts()) == {"begun": 1, "kept": 0, "gone": 0, "trouble": 1}
    await refs.kept(turn, Ref(Of.NOTE, "1"), now=NOON + 2)
    assert (ref := await refs.get(KEY)) is not None
    assert (ref.trouble, ref.state) == (None, RefState.KEPT)


async def test_a_wanted_status_is_known_until_its_outcome_is(refs: CrmRefs) -> None:
    """A worker that died after it set the status leaves what it set, so that nobody takes it for people's doing."""
    first = await refs.begin(KEY, Of.TICKET, now=NOON)
    assert await refs.kept(first, Ref(Of.TICKET, "5", "v1"), now=NOON, status=Status.ACCEPTED)
    died = await refs.begin(KEY, Of.TICKET, now=NOON + 1)
    assert await refs.want(died, Status.SOLVED)
    turn = await refs.begin(KEY, Of.TICKET, now=NOON + 2)
    assert turn.before is not None
    assert (turn.before.wanted, turn.before.status, turn.before.theirs) == (
        Status.SOLVED,
        Status.ACCEPTED,
        Status.ACCEPTED,
    )
    assert not await refs.want(died, Status.CLOSED)
    assert await refs.told(turn, Status.SOLVED, Ref(Of.TICKET, "5", "v2"))
    assert await refs.over(turn, NOON + 3)
    ref = await refs.get(KEY)
    assert ref is not None
    assert (ref.status, ref.version, ref.wanted, ref.begun) == (Status.SOLVED, "v2", None, None)
    assert [each.key for each in await refs.open_tickets("", 10)] == [KEY]


async def test_what_is_gone_there_is_not_written_over(refs: CrmRefs) -> None:
    """It has no reference any more, until somebody wants it forgotten and made anew."""
    turn = await refs.begin(KEY, Of.NOTE, now=NOON)
    await refs.kept(turn, Ref(Of.NOTE, "1"), now=NOON)
    await refs.gone(await refs.begin(KEY, Of.NOTE, now=NOON + 1), NOON + 2)
    ref = await refs.get(KEY)
    assert ref is not None
    assert (ref.state, ref.ref, ref.id) == (RefState.GONE, None, "1")
    assert await refs.forget(KEY)
    assert not await refs.forget(KEY)
    assert await refs.get(KEY) is None


async def test_the_cursor_moves_with_the_jobs_it_caused(refs: CrmRefs, outbox: Outbox) -> None:
    """Changes that were read are not read again, and what they ask for is there."""
    assert await refs.cursor("odoo") is None
    await refs.move("odoo", "c1", NOON, [NewJob("crm-ticket", "7", {"ticket": 7}, again=True)])
    await refs.move("odoo", "c2", NOON + 1)
    assert await refs.cursor("odoo") == "c2"
    assert [(job.kind, job.key) for job in await outbox.list()] == [("crm-ticket", "7")]
