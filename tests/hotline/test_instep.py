"""Both sides compared: whatever differs is found, whatever is repaired agrees, and nothing else was touched."""

import copy
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from sqlalchemy import text

from crm.connector import Status as Theirs
from crm.customer import Customer
from crm.instep import Mend, What
from tests.hotline.instep_house import House, Made, PaperHouse, opened
from tickets.ticket import Status

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a folder of our own in it


@pytest.fixture
async def house(sqlite_template: Path) -> AsyncIterator[PaperHouse]:
    """Nobody has called yet. In memory where there is some: hundreds of transactions are no matter of disks here."""
    with TemporaryDirectory(dir=MEMORY) as folder:
        shutil.copy(sqlite_template, f"{folder}/hotline.db")
        async with opened(f"sqlite+aiosqlite:///{folder}/hotline.db", Path(folder)) as made:
            yield made


async def ticket_deleted(house: PaperHouse, made: Made) -> str:
    """Somebody there deletes the ticket."""
    del house.crm.tasks[made.task]
    return f"ticket:{made.ticket}"


async def note_deleted(house: PaperHouse, made: Made) -> str:
    """Somebody there deletes the note."""
    del house.crm.notes[made.note]
    return f"call:{made.call}"


async def note_altered(house: PaperHouse, made: Made) -> str:
    """Somebody there writes something else into it."""
    house.crm.notes[made.note].text = "客户没有来电"
    return f"call:{made.call}"


async def note_moved(house: PaperHouse, made: Made) -> str:
    """It hangs on another customer."""
    house.crm.notes[made.note].customer_id = "stranger"
    return f"call:{made.call}"


async def note_lost(house: PaperHouse, made: Made) -> str:
    """It was never written, and the job that should have is gone."""
    del house.crm.notes[made.note]
    async with house.db.write() as conn:
        await conn.execute(text("DELETE FROM crm_refs WHERE call = :call"), {"call": str(made.call)})
    return f"call:{made.call}"


async def ticket_lost(house: PaperHouse, made: Made) -> str:
    """The same of a ticket."""
    del house.crm.tasks[made.task]
    async with house.db.write() as conn:
        await conn.execute(text("DELETE FROM crm_refs WHERE ticket_id = :id"), {"id": made.ticket})
    return f"ticket:{made.ticket}"


async def ours_moved(house: PaperHouse, made: Made) -> str:
    """We solved it, and nobody told them."""
    await house.move(made, Status.SOLVED, quietly=True)
    return f"ticket:{made.ticket}"


async def theirs_moved(house: PaperHouse, made: Made) -> str:
    """They solved it, and we did not hear."""
    house.crm.tasks[made.task].status = Theirs.SOLVED
    house.crm.tasks[made.task].revision += 1
    return f"ticket:{made.ticket}"


async def ticket_of_another(house: PaperHouse, made: Made) -> str:
    """They gave it to somebody else."""
    house.crm.tasks[made.task].customer_id = "stranger"
    return f"ticket:{made.ticket}"


async def ticket_copied(house: PaperHouse, made: Made) -> str:
    """Somebody there made a copy."""
    house.crm.copy(made.task)
    return f"ticket:{made.ticket}"


async def customer_renamed(house: PaperHouse, made: Made) -> str:
    """A VIP by now, under another name."""
    now = replace(house.crm.customers[made.customer], name="王总", vip=True)
    house.crm.customers[made.customer] = now
    return f"customer:{made.customer}"


Plant = Callable[[PaperHouse, Made], Awaitable[str]]
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


async def ours(house: House, but: set[int]) -> list[Any]:
    """Our tickets and calls as they are, without those of some tickets."""
    async with house.db.read() as conn:
        tickets = [tuple(row) for row in await conn.execute(text("SELECT * FROM tickets")) if row.id not in but]
        calls = [tuple(row) for row in await conn.execute(text("SELECT * FROM calls")) if row.ticket_id not in but]
        return [tickets, calls]


async def test_a_hundred_differences_are_found_and_repaired_and_nothing_else_is_touched(house: PaperHouse) -> None:
    """Every kind of them, on tickets, notes and customers, beside some that agree."""
    house.crm.customers["stranger"] = Customer("stranger", "陌生人")
    made = await house.calls(38)
    clean = await house.compare()
    assert (clean.differing, clean.accuracy, await house.left()) == (0, 100.0, [])
    assert clean.compared == clean.total == 3 * 38
    planted = {}
    for kinds, count in ((TICKETS, 34), (NOTES, 33), (CUSTOMERS, 33)):
        for position, each in enumerate(made[:count]):
            plant, what, mend = kinds[position % len(kinds)]
            planted[await plant(house, each)] = (what, mend)
    assert len(planted) == 100
    touched = {each.ticket for each in made[:34]}
    theirs = copy.deepcopy((house.crm.tasks, house.crm.notes))
    before = await ours(house, touched)
    found = await house.compare()
    left = await house.left()
    assert {each.difference.subject: (each.difference.what, each.difference.mend) for each in left} == planted
    assert (found.differing, found.accuracy) == (100, 12.28)
    await house.mend(*left)
    assert await house.left() == []
    again = await house.compare()
    assert (again.differing, again.accuracy, again.compared) == (0, 100.0, again.total)
    assert await ours(house, touched) == before
    for each in made[34:]:
        assert house.crm.tasks[each.task] == theirs[0][each.task]
        assert house.crm.notes[each.note] == theirs[1][each.note]
