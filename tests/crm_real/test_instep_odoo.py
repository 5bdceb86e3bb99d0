"""A hundred differences planted between our calls and tickets and a real Odoo: all found, all repaired, no more."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from crm.customer import Customer, Phone
from crm.instep import Mend, What
from crm.kit import Fresh
from crm.odoo import Odoo
from storage.migrate import upgrade
from tests.crm_real.odoo_lab import PROJECT, NoOdooError, OdooLab, running
from tests.crm_real.odoo_world import Screen, opened
from tests.hotline.instep_house import House, Made
from tickets.ticket import Status

pytestmark = [pytest.mark.crm, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def lab() -> Iterator[OdooLab]:
    """The Odoo."""
    try:
        with running() as found:
            yield found
    except NoOdooError as error:
        pytest.skip(str(error))


@pytest.fixture
async def screen(lab: OdooLab) -> AsyncIterator[Screen]:
    """Somebody who works in Odoo."""
    admin = Screen(lab)
    yield admin
    await admin.close()


@pytest.fixture
async def odoo(lab: OdooLab) -> AsyncIterator[Odoo]:
    """The connector."""
    connector = await opened(lab)
    yield connector
    await connector.close()


@dataclass
class Both:
    """Our house, and who works in Odoo."""

    house: House
    screen: Screen
    stranger: int
    solved: int


Plant = Callable[[Both, Made], Awaitable[str]]


async def ticket_deleted(both: Both, made: Made) -> str:
    """Somebody deletes the task."""
    await both.screen.do("project.task", "unlink", [int(made.task)])
    return f"ticket:{made.ticket}"


async def ticket_lost(both: Both, made: Made) -> str:
    """It was never written."""
    await both.screen.do("project.task", "unlink", [int(made.task)])
    await forget(both.house, "ticket_id = :it AND of = 'ticket'", made.ticket)
    return f"ticket:{made.ticket}"


async def ours_moved(both: Both, made: Made) -> str:
    """We solved it, and nobody told Odoo."""
    await both.house.move(made, Status.SOLVED, quietly=True)
    return f"ticket:{made.ticket}"


async def theirs_moved(both: Both, made: Made) -> str:
    """They solved it, and we did not hear."""
    await both.screen.write("project.task", made.task, stage_id=both.solved)
    return f"ticket:{made.ticket}"


async def ticket_of_another(both: Both, made: Made) -> str:
    """Somebody gives it to another contact."""
    await both.screen.write("project.task", made.task, partner_id=both.stranger)
    return f"ticket:{made.ticket}"


async def ticket_copied(both: Both, made: Made) -> str:
    """Somebody presses Duplicate."""
    await both.screen.do("project.task", "copy", [int(made.task)])
    return f"ticket:{made.ticket}"


async def note_altered(both: Both, made: Made) -> str:
    """Somebody writes something else into it."""
    await both.screen.write("mail.message", made.note, body="<p>客户没有来电</p>")
    return f"call:{made.call}"


async def note_deleted(both: Both, made: Made) -> str:
    """Somebody deletes it."""
    await both.screen.do("mail.message", "unlink", [int(made.note)])
    return f"call:{made.call}"


async def note_moved(both: Both, made: Made) -> str:
    """It hangs on another contact."""
    await both.screen.write("mail.message", made.note, res_id=both.stranger)
    return f"call:{made.call}"


async def note_lost(both: Both, made: Made) -> str:
    """It was never written."""
    await both.screen.do("mail.message", "unlink", [int(made.note)])
    await forget(both.house, "call = :it", str(made.call))
    return f"call:{made.call}"


async def customer_renamed(both: Both, made: Made) -> str:
    """Under another name by now."""
    await both.screen.write("res.partner", made.customer, name=f"王总{made.customer}")
    return f"customer:{made.customer}"


TICKETS: list[tuple[Plant, What, Mend]] = [
    (ticket_deleted, What.GONE, Mend.TICKET),
    (ticket_lost, What.MISSING, Mend.TICKET),
    (ours_moved, What.OURS_NEWER, Mend.TICKET),
    (theirs_moved, What.THEIRS_NEWER, Mend.FOLLOW),
    (ticket_of_another, What.CUSTOMER, Mend.ASSIGN),
    (ticket_copied, What.TWICE, Mend.CLOSE),
]
NOTES: list[tuple[Plant, What, Mend]] = [
    (note_altered, What.ALTERED, Mend.CALL),
    (note_deleted, What.GONE, Mend.CALL),
    (note_moved, What.CUSTOMER, Mend.CALL),
    (note_lost, What.MISSING, Mend.CALL),
]
CUSTOMERS: list[tuple[Plant, What, Mend]] = [(customer_renamed, What.COPY, Mend.REFRESH)]


async def forget(house: House, which: str, it: object) -> None:
    """Our own word of a record is lost."""
    async with house.db.write() as conn:
        await conn.execute(text(f"DELETE FROM crm_refs WHERE {which}"), {"it": it})  # noqa: S608 - written above


async def people(screen: Screen, count: int) -> list[Customer]:
    """New contacts with a mobile each."""
    fresh = Fresh()
    rows = [(fresh.name(), fresh.mobile()) for _ in range(count)]
    values = [{"name": name, "phone": phone} for name, phone in rows]
    ids = await screen.do("res.partner", "create", vals_list=values)
    return [
        Customer(str(made), name, (Phone(phone, f"+86{phone}"),)) for made, (name, phone) in zip(ids, rows, strict=True)
    ]


async def stand(screen: Screen, some: list[Made]) -> list[Any]:
    """Tasks and notes as Odoo has them, with the moment each was written."""
    tasks = await screen.do("project.task", "read", [int(each.task) for each in some], fields=["name", "write_date"])
    notes = await screen.do("mail.message", "read", [int(each.note) for each in some], fields=["body", "write_date"])
    return [tasks, notes]


async def test_a_hundred_differences_with_a_real_odoo(screen: Screen, odoo: Odoo, tmp_path: Path) -> None:
    """On tickets, notes and customers, beside some that agree and stay untouched."""
    url = f"sqlite+aiosqlite:///{tmp_path}/hotline.db"
    await upgrade(url)
    house = House(url, tmp_path, odoo, site=f"step{Fresh().mobile()}")
    try:
        made = await house.ring(await people(screen, 38))
        began = time.perf_counter()
        clean = await house.compare()
        took = time.perf_counter() - began
        assert [each.difference for each in await house.left()] == []
        assert (clean.compared, clean.accuracy) == (3 * 38, 100.0)
        [home] = await screen.do("project.project", "search", domain=[["name", "=", PROJECT]])
        stages = [["name", "=", "已解决"], ["project_ids", "in", [home]]]
        [solved] = await screen.do("project.task.type", "search", domain=stages)
        stranger = await screen.create("res.partner", name=Fresh().name())
        both, planted = Both(house, screen, stranger, solved), {}
        for kinds, count in ((TICKETS, 34), (NOTES, 33), (CUSTOMERS, 33)):
            for position, each in enumerate(made[:count]):
                plant, what, mend = kinds[position % len(kinds)]
                planted[await plant(both, each)] = (what, mend)
        assert len(planted) == 100
        before = await stand(screen, made[34:])
        found = await house.compare()
        left = await house.left()
        assert {each.difference.subject: (each.difference.what, each.difference.mend) for each in left} == planted
        assert found.differing == 100
        began = time.perf_counter()
        await house.mend(*left)
        mended = time.perf_counter() - began
        assert [each.difference for each in await house.left()] == []
        again = await house.compare()
        assert (again.differing, again.accuracy, again.compared) == (0, 100.0, again.total)
        assert await stand(screen, made[34:]) == before
        mine = [["name", "ilike", f"{made[0].number.partition('-')[0]}-"], ["partner_id", "=", stranger]]
        assert await screen.count("project.task", *mine) == 5  # those given to the stranger, and no other
        print(f"\n{clean.compared} records compared in {took:.1f} s, 100 repaired in {mended:.1f} s")  # noqa: T201
    finally:
        await house.db.close()
