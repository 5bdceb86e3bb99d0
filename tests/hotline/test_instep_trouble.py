"""Comparing and repairing when things go wrong: broken off, the CRM away, nobody to tell what is right."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from crm.connector import Can, Once, Traits
from crm.connector import Status as Theirs
from crm.customer import Customer, Phone
from crm.instep import Mend, What
from crm.trouble import AuthError, InvalidError, TransientError
from hotline.index import Index
from hotline.instep import CRM_INSTEP
from storage.jobs import JobState
from storage.records import NewJob
from tests.crm.papercrm import EVERYTHING
from tests.hotline.instep_house import BEGAN, PaperHouse, opened
from tickets.ticket import Status

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a folder of our own in it


@pytest.fixture
async def house(sqlite_template: Path) -> AsyncIterator[PaperHouse]:
    """Nobody has called yet. In memory where there is some: hundreds of transactions are no matter of disks here."""
    with TemporaryDirectory(dir=MEMORY) as folder:
        shutil.copy(sqlite_template, f"{folder}/hotline.db")
        async with opened(f"sqlite+aiosqlite:///{folder}/hotline.db", Path(folder)) as made:
            yield made


async def kinds(house: PaperHouse) -> set[tuple[What, Mend]]:
    """What is left."""
    return {(each.difference.what, each.difference.mend) for each in await house.left()}


async def test_a_crm_that_shows_one_record_at_a_time_is_compared_too(house: PaperHouse) -> None:
    """Slower, and what a note says cannot be read: whether it is there can."""
    house.crm.can = EVERYTHING & ~(Can.SURVEY | Can.ITEMS)
    house.crm.traits = Traits(once=Once.MARKER)
    made = await house.calls(4)
    del house.crm.tasks[made[0].task]
    del house.crm.notes[made[1].note]
    house.crm.notes[made[2].note].text = "客户没有来电"
    twin = house.crm.copy(made[3].task)
    house.crm.tasks = {twin: house.crm.tasks.pop(twin), **house.crm.tasks}
    house.crm.tasks[twin].key = house.crm.tasks[made[3].task].key  # as two racers make them
    found = await house.compare()
    assert found.compared == 12
    assert await kinds(house) == {(What.GONE, Mend.TICKET), (What.GONE, Mend.CALL), (What.TWICE, Mend.CLOSE)}
    await house.mend(*await house.left())
    assert await house.left() == []


async def test_a_comparison_goes_on_where_it_was_broken_off(house: PaperHouse) -> None:
    """The CRM went away in the middle: it is waited for, nothing is compared twice, nothing left out."""
    await house.calls(3)
    house.crm.before = lambda what: house.crm.trouble.append(TransientError("away")) if what == "items" else None
    await house.outbox.add_now(NewJob(CRM_INSTEP, "night"), house.clock())
    job = await house.outbox.claim((CRM_INSTEP,), house.clock(), 60.0)
    assert job is not None
    answer = await house.instep.compare(job)
    assert answer is not None
    assert "away" in answer.why
    [broken] = await house.instep.sync.rounds()
    assert (broken.compared, broken.ended, broken.trouble) == (3, None, "away")
    house.crm.before = lambda _what: None
    assert await house.comparer().compare(job) is None
    [over] = await house.instep.sync.rounds()
    assert (over.id, over.compared, over.total, over.accuracy) == (broken.id, 9, 9, 100.0)
    assert over.trouble is None


@pytest.mark.parametrize(
    ("error", "state"), [(AuthError("no such key"), JobState.READY), (InvalidError("no field"), JobState.DEAD)]
)
async def test_what_a_person_must_mend_is_said(house: PaperHouse, error: Exception, state: JobState) -> None:
    """A key that is refused is tried again, a refusal for good given up in one sentence; calls are not disturbed."""
    await house.calls(1)

    def refuse(what: str) -> None:
        if what == "get":
            raise error

    house.crm.before = refuse
    at = house.clock()
    await house.outbox.add_now(NewJob(CRM_INSTEP, "night"), at)
    await house.work_once()
    [job] = [each for each in await house.outbox.list() if each.kind == CRM_INSTEP]
    assert job.state is state
    assert str(error) in (job.why or job.error or "")
    [found] = await house.instep.sync.rounds()
    assert found.trouble == str(error)


async def test_what_a_job_is_about_to_write_is_no_difference(house: PaperHouse) -> None:
    """It is counted by itself."""
    made = await house.calls(2)
    await house.move(made[0], Status.SOLVED)  # its job is due
    house.crm.before = lambda what: house.crm.trouble.append(TransientError("away")) if what == "read_ticket" else None
    await house.outbox.add_now(NewJob(CRM_INSTEP, "night"), house.clock())
    job = await house.outbox.claim((CRM_INSTEP,), house.clock(), 60.0)
    assert job is not None
    assert await house.instep.compare(job) is None
    [found] = await house.instep.sync.rounds()
    assert (found.compared, found.waiting, found.differing) == (5, 1, 0)


async def test_two_customers_merged_there_are_one_here_after_the_repair(house: PaperHouse) -> None:
    """Their records hang on the one that is left; our ticket and its call take it, the note follows."""
    made = (await house.calls(1))[0]
    left = Customer("left", "王芳", (Phone(made.phone, f"+86{made.phone}"),), vip=True)
    house.crm.customers["left"] = left
    del house.crm.customers[made.customer]
    house.crm.tasks[made.task].customer_id = house.crm.notes[made.note].customer_id = "left"
    await house.compare()
    assert {(What.NOBODY, Mend.SEARCH), (What.CUSTOMER, Mend.ASSIGN)} <= await kinds(house)
    await house.mend(*await house.left())
    await house.compare()
    assert await house.left() == []
    page = await house.reads.call(made.call)
    assert page is not None
    assert (page.item.customer_id, page.item.customer_name, page.item.vip) == ("left", "王芳", True)
    assert house.crm.notes[made.note].customer_id == "left"


async def test_a_customer_nobody_finds_is_left_to_people(house: PaperHouse) -> None:
    """The ticket keeps the name it had, and the list says why."""
    made = (await house.calls(1))[0]
    del house.crm.customers[made.customer]
    await house.compare()
    await house.mend(*await house.left())
    [left] = [each for each in await house.left() if each.difference.what is What.NOBODY]
    assert made.number in (left.trouble or "")
    page = await house.reads.ticket(made.ticket)
    assert page is not None
    assert page.item.ticket.customer_id == made.customer


async def test_both_moved_is_left_to_people_until_one_of_them_moves_it(house: PaperHouse) -> None:
    """No repair undoes what a person did; when people agree the difference is gone."""
    made = (await house.calls(1))[0]
    await house.move(made, Status.CLOSED, quietly=True)
    house.crm.touch(made.task, status=Theirs.SOLVED)
    await house.compare()
    [left] = await house.left()
    assert (left.difference.what, left.difference.mend) == (What.APART, Mend.PERSON)
    await house.mend(left)
    [left] = await house.left()
    assert "person" in (left.trouble or "")
    assert house.crm.tasks[made.task].status is Theirs.SOLVED
    house.crm.touch(made.task, status=Theirs.CLOSED)
    await house.compare()
    assert await house.left() == []


async def test_a_refused_job_is_a_difference_and_its_repair_tries_it_again(house: PaperHouse) -> None:
    """With what the CRM said."""
    made = (await house.calls(1))[0]

    def refuse(what: str) -> None:
        if what == "set_status":
            raise InvalidError("no such stage")

    house.crm.before = refuse
    await house.move(made, Status.SOLVED)
    await house.work()
    await house.compare()
    [left] = await house.left()
    assert (left.difference.what, left.difference.mend) == (What.REFUSED, Mend.TICKET)
    assert "no such stage" in left.difference.theirs
    house.crm.before = lambda _what: None
    await house.mend(left)
    assert await house.left() == []
    assert house.crm.tasks[made.task].status is Theirs.SOLVED


async def test_what_agrees_again_by_itself_is_not_repaired(house: PaperHouse) -> None:
    """It is looked at once more before anything is done."""
    made = (await house.calls(1))[0]
    note = house.crm.notes.pop(made.note)
    await house.compare()
    [left] = await house.left()
    house.crm.notes[made.note] = note
    before = list(house.crm.asked)
    await house.mend(left)
    assert await house.left() == []
    assert not {"keep_note", "create_ticket", "set_status"} & set(house.crm.asked[len(before) :])


async def test_a_copy_that_people_work_on_is_not_closed(house: PaperHouse) -> None:
    """Somebody moves it at that very moment."""
    made = (await house.calls(1))[0]
    copy = house.crm.copy(made.task)
    await house.compare()
    [left] = await house.left()
    house.crm.before = lambda what: house.crm.touch(copy, status=Theirs.WORKING) if what == "set_status" else None
    await house.mend(left)
    [left] = await house.left()
    assert "changed there" in (left.trouble or "")
    assert (house.crm.tasks[copy].status, house.crm.tasks[copy].comments) == (Theirs.WORKING, {})


async def test_a_note_emptied_there_stays_so(house: PaperHouse) -> None:
    """Whoever empties it does not want it."""
    made = (await house.calls(1))[0]
    house.crm.notes[made.note].text = ""
    assert (await house.compare()).differing == 0


async def test_calls_from_before_the_crm_was_connected_need_not_be_there(house: PaperHouse) -> None:
    """Nobody promised them."""
    quiet = house.ledger
    house.ledger = house.quiet
    with pytest.raises(AssertionError):  # nothing was written of it
        await house.calls(1)
    house.ledger = quiet
    assert (await house.compare()).differing == 0


async def test_the_nights_job_is_added_once(house: PaperHouse) -> None:
    """For the coming night at three, in the site's zone."""
    for _ in range(3):
        await house.instep.add()
    [job] = [each for each in await house.outbox.list() if each.kind == CRM_INSTEP]
    assert job.key == "night:2026-11-23"
    assert job.due - BEGAN == pytest.approx(23 * 3600 + 17 * 60 + 42)


async def test_the_operator_is_told(house: PaperHouse) -> None:
    """Accuracy, kinds, the list; what is wrong with the customers."""
    made = await house.calls(2)
    house.crm.customers["x"] = Customer("x", "无号码")
    house.crm.customers["y"] = replace(house.crm.customers[made[0].customer], id="y")
    del house.crm.notes[made[0].note]
    await house.compare()
    told = await house.instep.report()
    assert told["last"]["accuracy"] == 83.33
    assert told["running"] is None
    assert (told["differing"], told["kinds"]) == (1, {"gone": 1})
    assert told["differences"][0]["call"] == str(made[0].call)
    quality = told["last"]["quality"]
    assert (quality["customers"], quality["phoneless"], quality["shared"], quality["unreadable"]) == (4, 1, 1, 0)


async def test_the_copy_of_the_crms_customers_is_compared_and_renewed(house: PaperHouse) -> None:
    """Its card says another level, or shows somebody who is not there any more."""
    made = await house.calls(3)
    first, second = (house.crm.customers[each.customer] for each in made[:2])
    house.crm.customers[first.id] = replace(first, level="银牌")
    reading = Index(db=house.db, connector=house.guarded, clock=house.clock, settings=house.settings)
    await reading.round()
    assert (await reading.copy.sizes()).customers == 3
    house.crm.customers[first.id] = replace(first, level="金牌")
    await house.move(made[1], Status.CLOSED)
    await house.work()
    del house.crm.customers[second.id]
    house.instep = house.comparer(reading.copy)
    await house.compare()
    gone = {each.difference.subject: each for each in await house.left()}
    assert gone[f"customer:{first.id}"].difference.what is What.COPY
    assert (gone[f"customer:{first.id}"].difference.ours, gone[f"customer:{first.id}"].difference.theirs) == (
        "level 银牌",
        "level 金牌",
    )
    assert gone[f"customer:{second.id}"].difference.what is What.NOBODY
    await house.mend(*await house.left())
    assert await house.left() == []
    kept = await reading.copy.kept([first.id, second.id])
    assert {each.id: each.level for each in kept.values()} == {first.id: "金牌"}


async def test_a_repair_that_the_crm_refuses_says_so(house: PaperHouse) -> None:
    """And is over; one that it cannot take now waits."""
    made = (await house.calls(1))[0]
    del house.crm.notes[made.note]
    await house.compare()
    [left] = await house.left()
    house.crm.before = lambda what: house.crm.trouble.append(InvalidError("no right")) if what == "survey" else None
    await house.mend(left)
    [left] = await house.left()
    assert (left.mending, left.trouble) == (None, "no right")
    house.crm.before = lambda _what: None
    house.crm.trouble = [TransientError("away")]
    await house.mend(left)
    assert await house.left() == []


async def test_a_repair_broken_off_in_the_middle_is_begun_again(house: PaperHouse) -> None:
    """The CRM went away between our look and what was to be done."""
    made = (await house.calls(1))[0]
    house.crm.customers["other"] = Customer("other", "李娜")
    house.crm.tasks[made.task].customer_id = "other"
    await house.compare()
    [left] = await house.left()
    asked: list[str] = []

    def away(what: str) -> None:
        asked.append(what)
        if what == "get" and asked.count("get") == 1:
            raise TransientError("away")

    house.crm.before = away
    await house.mend(left)
    assert await house.left() == []
    page = await house.reads.ticket(made.ticket)
    assert page is not None
    assert page.item.ticket.customer_id == "other"
