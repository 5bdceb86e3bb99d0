"""Routing's memory: whose phone is whose, and who spoke with a caller last."""

import pytest

from storage.accounts import Accounts
from storage.database import Database
from storage.ledger import Ledger
from storage.reads import Reads
from storage.records import EventKind, Known
from storage.route_reads import PhoneOf, RouteReads
from telephony.call import Fact, Outcome, Routed
from telephony.routing import RouteReason, Talk
from tests.storage.conftest import NOON, Ring, Told

LINE = "4007002505"
WANG = Known("C1", "王芳")


@pytest.fixture
def remembered(db: Database) -> RouteReads:
    """The reads on either database."""
    return RouteReads(db)


async def keep(ledger: Ledger, told: Told, facts: list[Fact], known: Known | None = None) -> None:
    """A call as it happened."""
    for fact in facts:
        await ledger.record(fact, now=NOON, number=told.number, known=known)


async def test_the_last_to_speak_in_each_call_newest_first(ledger: Ledger, remembered: RouteReads, ring: Ring) -> None:
    """After a transfer it is the second agent; calls nobody answered say nothing."""
    old, moved, missed = ring(began=NOON - 7200), ring(began=NOON - 3600), ring(began=NOON - 60)
    await keep(ledger, old, old.whole())
    transfer = [moved.answered("1001", 5.0), moved.left("1001", 20.0), moved.answered("1002", 21.0), moved.ended(80.0)]
    await keep(ledger, moved, [moved.arrived(), moved.confirmed(), *transfer])
    await keep(ledger, missed, missed.missed())
    found = await remembered.remembered(None, "+8613812345678", line=LINE, since=NOON - 86400, now=NOON)
    assert found.talks == (Talk("1002", 59.0), Talk("1001", 25.0))
    assert (await remembered.remembered(None, "+8613812345678", line=LINE, since=NOON - 5000, now=NOON)).talks == (
        Talk("1002", 59.0),
    )
    assert (await remembered.remembered(None, "+8613900000000", line=LINE, since=NOON - 86400, now=NOON)).talks == ()
    assert (await remembered.remembered(None, None, line=LINE, since=NOON - 86400, now=NOON)).talks == ()


async def test_a_lost_call_is_no_good_talk(ledger: Ledger, remembered: RouteReads, ring: Ring) -> None:
    """Nobody knows how it went on."""
    lost = ring()
    await keep(ledger, lost, [lost.arrived(), lost.confirmed(), lost.answered(), lost.ended(90.0, Outcome.LOST)])
    assert (await remembered.remembered(None, "+8613812345678", line=LINE, since=NOON - 86400, now=NOON)).talks == ()


async def test_customers_behind_one_switchboard_are_kept_apart(
    ledger: Ledger, remembered: RouteReads, ring: Ring
) -> None:
    """A known customer's agents, and those who spoke with nobody known from that number; never a neighbour's."""
    mine, neighbour, nobody = ring(began=NOON - 300), ring(began=NOON - 200), ring(began=NOON - 100)
    for told, known, agent in ((mine, WANG, "1001"), (neighbour, Known("C2", "李雷"), "1002"), (nobody, None, "1003")):
        facts = [told.arrived(), told.confirmed(), told.answered(agent), told.ended(60.0)]
        await keep(ledger, told, facts, known)
    found = await remembered.remembered("C1", "+8613812345678", line=LINE, since=NOON - 86400, now=NOON)
    assert [talk.agent for talk in found.talks] == ["1003", "1001"]


async def test_phones_are_those_of_active_users(db: Database, remembered: RouteReads) -> None:
    """Who left has no phone any more; who has none is not there."""
    accounts = Accounts(db)
    for login, extension in (("wang", "1001"), ("li", "1002"), ("boss", None)):
        await accounts.add(login, name=login.title(), role="agent", password="x", now=NOON, extension=extension)
    await accounts.change("li", NOON, active=False)
    assert (await remembered.remembered(None, None, line=LINE, since=NOON, now=NOON)).phones == (
        PhoneOf("wang", "Wang", "1001"),
    )


async def test_an_answer_to_the_dialplan_is_kept_on_its_call(ledger: Ledger, reads: Reads, ring: Ring) -> None:
    """Once for each time it was asked; told again it changes nothing; an agent to be tried has not rung."""
    told = ring()
    first = Routed(
        call=told.key, at=NOON + 1, reason=RouteReason.TICKET_OWNER, queue="support", agent="1001", priority=10
    )
    again = Routed(call=told.key, at=NOON + 9, reason=RouteReason.LATE, queue=None, agent=None, priority=0)
    await keep(ledger, told, [told.arrived(), told.confirmed(), first, first, again, told.queued(at=10.0)])
    page = await reads.call(told.key)
    assert page is not None
    kept = [(event.subject, dict(event.detail)) for event in page.events if event.kind is EventKind.ROUTED]
    assert kept == [
        ("", {"reason": "ticket_owner", "queue": "support", "agent": "1001", "priority": 10}),
        ("", {"reason": "late", "priority": 0}),
    ]
    assert page.item.agents == ()
    assert page.item.phase.value == "queued"


async def test_people_are_rung_where_they_sit(db: Database, ledger: Ledger, remembered: RouteReads, ring: Ring) -> None:
    """Not at their own phone when a guest sits there; who spoke last is looked for where they are by now."""
    accounts = Accounts(db)
    li, wang, sun = [
        await accounts.add(login, name=login.title(), role="agent", password="x", now=NOON, extension=extension)
        for login, extension in (("li", "1001"), ("wang", "1002"), ("sun", "1003"))
    ]
    told = ring(began=NOON - 60)
    await accounts.log_in(li, NOON - 100, 7200.0)
    await keep(ledger, told, [told.arrived(), told.confirmed(), told.answered("1001"), told.ended(60.0)])

    async def look() -> tuple[dict[str, str], list[str]]:
        found = await remembered.remembered(None, "+8613812345678", line=LINE, since=NOON - 86400, now=NOON)
        return {phone.login: phone.extension for phone in found.phones}, [talk.agent for talk in found.talks]

    assert await look() == ({"li": "1001", "sun": "1003", "wang": "1002"}, ["1001"])
    await accounts.log_in(li, NOON, 7200.0, extension="1005")
    await accounts.log_in(wang, NOON, 7200.0, extension="1003")
    assert await look() == ({"li": "1005", "wang": "1003"}, ["1005"]), "sun's phone is taken"
    await accounts.change("li", NOON, active=False)
    assert await look() == ({"wang": "1003"}, []), "who left is not rung"
    assert sun.extension == "1003"
