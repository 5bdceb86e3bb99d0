"""Our calls and tickets in the company's CRM: what stands there, and what its people do to it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from crm.connector import Can, Of, Once
from crm.customer import Customer, Phone
from crm.trouble import AuthError, InvalidError, RateLimitedError, TransientError, UnsupportedError
from hotline.settings import Site
from storage.jobs import JobState
from storage.records import TimelineKind
from telephony.call import Ended, Outcome
from tests.hotline.shop_crm import Shop, lost
from tests.hotline.writeback_house import ARRIVED, House, opened
from tickets.ticket import Status


@pytest.fixture
async def house(sqlite_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """One customer of the shop; nobody has called yet."""
    async with opened(sqlite_url, tmp_path) as made:
        yield made


def lines(text: tuple[str, ...]) -> str:
    """Paragraphs as one text."""
    return "\n".join(text)


async def test_a_call_stands_on_the_customers_timeline(house: House) -> None:
    """Answered by whom, how long, what about, what was promised, what is next, where to hear it: one note."""
    key = await house.call()
    await house.whole(key)
    await house.settle()
    note, number = house.note, (await house.ticket(key)).item.ticket.number
    assert note.customer_id == house.known.customer_id
    assert note.title == "138 1234 5678 来电 · 已接听 1:00"
    assert note.paragraphs == (
        "2026-11-22 03:42 来电，拨打 400-700-2505。",
        "等待 0:05 后由 王芳 接听，通话 1:00。",
        "问题：热水器漏水",
        "类别：报修；紧急程度：高；情绪：中性",
        "坐席承诺：明天上午上门维修（2026-11-23 前）",
        "来电人承诺：准备发票",
        "下一步：明天上午上门维修（2026-11-23 前）",
        f"工单 {number}",
    )
    assert note.links == (("录音与文字记录", f"https://calls.example/calls/{key}"),)
    assert note.ticket_id == house.case_id
    assert note.key == "hotline:shop-hotline:hq:1795290138.1:note"


async def test_the_note_is_written_as_the_call_goes_on(house: House) -> None:
    """At the answer, at the end, with what was said: always the same note, and never again without news."""
    key = await house.call()
    await house.settle()
    assert house.shop.notes == {}
    await house.answer(key)
    await house.settle()
    assert "正在通话" in lines(house.note.paragraphs)
    await house.whole(key)
    await house.settle()
    assert "热水器漏水" in lines(house.note.paragraphs)
    writes = house.shop.asked.count("keep_note")
    await house.ledger.link_recording(key, (await house.page(key)).recordings[0], house.clock())
    await house.settle()
    assert house.shop.asked.count("keep_note") == writes


async def test_a_caller_entered_here_is_nobody_there(house: House) -> None:
    """The CRM is not asked for a customer it cannot know; once it knows the number, it is the customer's there."""
    house.phone = "13900000001"
    key = await house.call(known=False)
    made, _ = await house.ledger.enter_customer(key, name="陈一", company=None, note=None, who="li", now=house.clock())
    await house.whole(key)
    await house.settle()
    assert (house.shop.notes, house.shop.cases) == ({}, {})
    assert made.id not in "".join(house.shop.asked)
    house.shop.customers["s9"] = Customer("s9", "陈先生", (Phone(house.phone, "+8613900000001"),))
    await house.say(key)
    await house.settle()
    assert house.note.customer_id == "s9"


async def test_a_missed_call_asks_to_be_called_back(house: House) -> None:
    """That is what the people there must see."""
    key = await house.call()
    await house.tell(Ended(call=key, at=ARRIVED + 12, outcome=Outcome.ABANDONED))
    await house.settle()
    assert house.note.paragraphs[1:3] == ("无人接听，客户等待 0:12 后挂断。", "下一步：回拨客户")


async def test_a_strangers_call_waits_until_somebody_knows_who_it_was(house: House) -> None:
    """Nothing is written of nobody; all of it once the customer is known."""
    key = await house.call(known=False)
    await house.tell(Ended(call=key, at=ARRIVED + 12, outcome=Outcome.ABANDONED), known=False)
    await house.settle()
    assert (house.shop.notes, house.shop.cases) == ({}, {})
    assert await house.back.refs.page() == []
    await house.ledger.know(key, house.known, house.clock())
    await house.settle()
    assert house.note.customer_id == house.case.customer == house.known.customer_id


async def test_a_ticket_is_made_once_and_told_every_status(house: House) -> None:
    """Its status there is ours; each change is a line on the customer's timeline."""
    key = await house.call()
    await house.settle()
    number = (await house.ticket(key)).item.ticket.number
    assert house.case.title == f"{number} 138 1234 5678 来电"
    for status, said in ((Status.WORKING, "处理中"), (Status.SOLVED, "已解决"), (Status.CLOSED, "已关闭")):
        await house.move(key, status)
        await house.settle()
        assert house.case.said == said
    moves = sorted(note.title for note in house.shop.notes.values() if "moved" in note.key)
    assert moves == [f"工单 {number}：受理 → 处理中", f"工单 {number}：处理中 → 解决", f"工单 {number}：解决 → 关闭"]
    assert TimelineKind.CRM not in {line.kind for line in (await house.ticket(key)).timeline}


async def test_two_calls_on_one_ticket_are_two_notes_and_one_ticket(house: House) -> None:
    """As here."""
    for _ in range(2):
        await house.whole(await house.call())
    await house.settle()
    assert len(house.shop.cases) == 1
    assert [note.ticket_id for note in house.shop.notes.values()] == [house.case_id] * 2


async def test_a_note_that_stands_on_a_ticket_waits_for_it(house: House) -> None:
    """Where a system has no other place for calls: one ticket, the note on it, whichever job comes first."""
    house.shop.traits = replace(house.shop.traits, notes_on_tickets=True)
    await house.answer(await house.call())
    await house.settle()
    assert house.note.ticket_id == house.case_id
    assert house.shop.asked.index("create_ticket") < house.shop.asked.index("keep_note")


async def test_what_people_there_do_stands_on_our_ticket_and_ours_follows(house: House) -> None:
    """A stage moved there is moved here, by the CRM's name; nothing is written back because of it."""
    key = await house.call()
    await house.settle()
    house.shop.move(house.case_id, "处理中")
    writes = len([what for what in house.shop.asked if what == "set_status"])
    await house.settle()
    page = await house.ticket(key)
    line = page.timeline[-1]
    assert page.item.ticket.status is Status.WORKING
    assert (line.kind, line.who) == (TimelineKind.CRM, "shop")
    assert line.detail == {"was": "新建", "said": "处理中", "from": "accepted", "to": "working"}
    assert len([what for what in house.shop.asked if what == "set_status"]) == writes
    assert not [note for note in house.shop.notes.values() if "moved" in note.key]


async def test_a_word_of_theirs_that_is_none_of_ours_is_shown_and_not_followed(house: House) -> None:
    """Nobody guesses."""
    key = await house.call()
    await house.settle()
    house.shop.move(house.case_id, "等待配件")
    await house.settle()
    page = await house.ticket(key)
    assert page.item.ticket.status is Status.ACCEPTED
    assert page.timeline[-1].detail == {"was": "新建", "said": "等待配件"}
    assert house.case.said == "等待配件"


async def test_both_moved_it_at_once_and_neither_is_undone(house: House) -> None:
    """Theirs stays theirs, and a comment says what ours is; our timeline says what theirs is."""
    key = await house.call()
    await house.settle()
    house.shop.move(house.case_id, "等待配件")
    await house.move(key, Status.SOLVED)
    await house.settle()
    page = await house.ticket(key)
    assert page.item.ticket.status is Status.SOLVED
    assert house.case.said == "等待配件"
    (comment,) = house.case.comments.values()
    assert "已由“受理”变为“解决”" in comment
    assert house.shop.overwritten == []


async def test_a_status_is_not_set_over_one_moved_at_that_very_moment(house: House) -> None:
    """Between our look and our write: the CRM refuses the stale version, and a comment says it."""
    key = await house.call()
    await house.settle()
    await house.move(key, Status.SOLVED)

    async def just_then(what: str) -> None:
        if what == "set_status":
            house.shop.before = Shop().before
            house.shop.move(house.case_id, "处理中")

    house.shop.before = just_then
    await house.settle()
    assert house.case.said == "处理中"
    assert len(house.case.comments) == 1
    assert house.shop.overwritten == []


async def test_another_change_there_does_not_keep_our_status_out(house: House) -> None:
    """Somebody writes a comment there meanwhile: another version, but nobody moved it."""
    key = await house.call()
    await house.settle()
    await house.move(key, Status.WORKING)

    async def just_then(what: str) -> None:
        if what == "set_status":
            house.shop.before = Shop().before
            house.shop.touch(house.case_id)

    house.shop.before = just_then
    await house.settle()
    assert (house.case.said, house.case.comments) == ("处理中", {})


async def test_a_ticket_that_changes_faster_than_we_look_is_left_alone(house: House) -> None:
    """A comment says what ours is, and that is all."""
    key = await house.call()
    await house.settle()
    await house.move(key, Status.WORKING)

    async def always(what: str) -> None:
        if what == "set_status":
            house.shop.touch(house.case_id)

    house.shop.before = always
    await house.settle()
    assert house.case.said == "新建"
    assert len(house.case.comments) == 1


async def test_a_ticket_deleted_there_is_not_made_again(house: House) -> None:
    """People there wanted it away; ours says so."""
    key = await house.call()
    await house.settle()
    house.shop.remove(house.case_id)
    await house.settle()
    await house.move(key, Status.WORKING)
    await house.settle()
    assert house.shop.cases == {}
    assert [line.detail for line in (await house.ticket(key)).timeline if line.kind is TimelineKind.CRM] == [
        {"gone": True}
    ]


@pytest.mark.parametrize("early", [True, False])
async def test_a_customer_merged_during_the_call_keeps_the_note(house: House, early: bool) -> None:  # noqa: FBT001
    """It stands with the one that is left, whether or not a note was there before."""
    house.phone = "13900000000"
    house.known = replace(house.known, customer_id=house.shop.add_customer("张伟（旧）", house.phone))
    left = house.shop.add_customer("张伟", "021-88886666")
    key = await house.call()
    await house.answer(key)
    if early:
        await house.settle()
    house.shop.merge(house.known.customer_id, left)
    await house.whole(key)
    await house.settle()
    assert house.note.customer_id == house.case.customer == left
    assert "热水器漏水" in lines(house.note.paragraphs)


async def test_a_customer_deleted_there_gets_no_note(house: House) -> None:
    """And no job is given up for it: the number is nobody's there."""
    house.shop.customers.clear()
    await house.whole(await house.call())
    await house.settle()
    assert (house.shop.notes, house.shop.cases) == ({}, {})
    assert await house.outbox.list(state=JobState.DEAD) == []


@pytest.mark.parametrize(
    ("once", "what", "when"),
    [
        (Once.NATIVE, "create_ticket", "after"),
        (Once.NATIVE, "keep_note", "after"),
        (Once.NATIVE, "set_status", "after"),
        (Once.MARKER, "create_ticket", "before"),
        (Once.MARKER, "create_ticket", "after"),
        (Once.MARKER, "keep_note", "after"),
        (Once.NATIVE, "set_status", "before"),
    ],
)
async def test_an_answer_that_gets_lost_makes_nothing_twice(house: House, once: Once, what: str, when: str) -> None:
    """Whether the write was done or not."""
    house.shop.traits = Shop(once).traits
    setattr(house.shop, when, lost(what))
    key = await house.call()
    await house.whole(key)
    if what == "set_status":
        await house.settle()
    await house.move(key, Status.WORKING)
    await house.settle()
    assert house.case.said == "处理中"
    assert "热水器漏水" in lines(house.note.paragraphs)
    assert len(house.shop.notes) == 2
    assert TimelineKind.CRM not in {line.kind for line in (await house.ticket(key)).timeline}


async def test_an_hour_without_the_crm_costs_nothing(house: House) -> None:
    """Calls come and tickets move; nothing is lost, nothing doubled, the breaker was seen, no job was given up."""

    async def down(_what: str) -> None:
        raise TransientError("shop: connection refused")

    house.shop.before = down
    keys = []
    for _ in range(3):
        keys.append(await house.call())
        await house.whole(keys[-1])
        for _ in range(6):
            await house.work()
            house.clock.now += 200
    asked = len(house.shop.asked)
    assert {"open", "half_open"} & {str(c.state.value) for c in house.guarded.conditions().values()}
    assert asked < 60
    waiting = [job for job in await house.outbox.list(state=JobState.READY) if job.kind != "crm-tickets"]
    assert max(job.due - job.changed for job in waiting) > 100  # the longer it lasts the rarer they come back
    house.shop.before = Shop().before
    house.clock.now += 100
    await house.work()  # whoever is answered first calls the others
    assert len(house.shop.cases) == 1
    assert len(house.shop.notes) == 3
    assert {job.state for job in await house.outbox.list()} == {JobState.DONE, JobState.READY}  # ready: it listens
    page = await house.ticket(keys[0])
    ref = await house.back.refs.of_ticket(page.item.ticket.id)
    assert ref is not None
    assert (ref.trouble, ref.begun) == (None, None)


@pytest.mark.parametrize(
    ("error", "after", "why"),
    [
        (AuthError("shop: no such key"), 60, "mend the key or its rights"),
        (RateLimitedError("shop: too many", 40), 40, "too many"),
    ],
)
async def test_what_a_person_must_mend_is_told(house: House, error: Exception, after: float, why: str) -> None:
    """Waiting says what for, costs no attempt, and stands on the ticket's record."""

    async def refuses(_what: str) -> None:
        raise error

    house.shop.before = refuses
    key = await house.call()
    await house.work()
    (job,) = await house.outbox.list(kind="crm-ticket")
    assert (job.state, job.attempts) == (JobState.READY, 0)
    assert why in (job.why or "")
    assert after <= job.due - house.clock() <= after + 10
    ref = await house.back.refs.of_ticket((await house.ticket(key)).item.ticket.id)
    assert ref is not None
    assert ref.trouble == str(error)
    assert ref.begun is None
    house.shop.before = Shop().before
    await house.settle()
    assert house.case.said == "新建"


async def test_what_the_crm_refuses_for_good_is_given_up_loudly(house: House) -> None:
    """With its own words and the way back; replayed once it is mended, it goes on."""

    async def refuses(what: str) -> None:
        if what == "create_ticket":
            raise InvalidError("shop: field 'kind' is required")

    house.shop.before = refuses
    await house.call()
    await house.work()
    (job,) = await house.outbox.list(state=JobState.DEAD)
    assert (job.error or "").startswith("shop: field 'kind' is required. Mend that, then: hotline jobs replay")
    house.shop.before = Shop().before
    await house.outbox.replay(job.id, house.clock())
    await house.settle()
    assert house.case.said == "新建"


async def test_a_crm_that_keeps_only_notes_gets_notes(house: House) -> None:
    """What it cannot is not asked for."""
    house.shop.can = Can.FIND | Can.GET | Can.NOTE
    key = await house.call()
    await house.whole(key)
    await house.settle()
    assert house.note.ticket_id is None
    assert house.shop.cases == {}
    assert "create_ticket" not in house.shop.asked


async def test_a_crm_without_a_list_of_changes_is_looked_at(house: House) -> None:
    """What people do there comes home all the same."""
    house.shop.can = Can.FIND | Can.GET | Can.NOTE | Can.TICKET
    key = await house.call()
    await house.work()
    house.shop.move(house.case_id, "处理中")
    house.clock.now += 31
    await house.work()
    assert (await house.ticket(key)).item.ticket.status is Status.WORKING
    assert "changes" not in house.shop.asked


async def test_a_crm_that_lists_changes_of_customers_only_is_looked_at(house: House) -> None:
    """Its tickets are read instead, and that is no trouble."""

    async def refuses(what: str) -> None:
        if what == "changes":
            raise UnsupportedError("shop cannot list changes of a ticket")

    house.shop.before = refuses
    key = await house.call()
    await house.work()
    house.shop.move(house.case_id, "处理中")
    house.clock.now += 31
    await house.work()
    assert (await house.ticket(key)).item.ticket.status is Status.WORKING
    assert house.back.feed.trouble is None


async def test_a_place_in_the_changes_that_is_lost_costs_nothing(house: House) -> None:
    """After an upgrade of the CRM: every ticket that may have changed is looked at."""
    key = await house.call()
    await house.settle()
    house.shop.move(house.case_id, "已解决")

    async def refuses(what: str) -> None:
        if what == "changes":
            house.shop.before = Shop().before
            raise InvalidError("shop: no such cursor", "cursor")

    house.shop.before = refuses
    await house.settle()
    assert (await house.ticket(key)).item.ticket.status is Status.SOLVED


async def test_the_crms_own_webhook_makes_it_sooner(house: House) -> None:
    """The round need not come first."""
    key = await house.call()
    await house.settle()
    house.shop.move(house.case_id, "处理中")
    page = await house.shop.changes(Of.TICKET, "0")
    await house.back.feed.take(page.changes)
    job = await house.claim(("crm-ticket",))
    assert job is not None
    await house.do(job)
    assert (await house.ticket(key)).item.ticket.status is Status.WORKING


async def test_another_name_of_this_house_makes_nothing_twice(house: House) -> None:
    """Keys carry it; what was written under the old one is known by our own list."""
    key = await house.call()
    await house.whole(key)
    await house.move(key, Status.WORKING)
    await house.settle()
    house.settings = house.settings.model_copy(update={"site": Site(name="elsewhere")})
    house.back = house.another()
    await house.say(key)
    await house.move(key, Status.SOLVED)
    await house.settle()
    assert (len(house.shop.cases), len(house.shop.notes)) == (1, 3)
    assert house.case.said == "已解决"


async def test_tickets_of_strangers_are_made_where_that_is_wanted(house: House) -> None:
    """Without a customer; calls are notes of nobody's timeline, and there is none."""
    crm = house.settings.crm.model_copy(update={"strangers": True})
    house.settings = house.settings.model_copy(update={"crm": crm})
    house.back = house.another()
    key = await house.call(known=False)
    await house.tell(Ended(call=key, at=ARRIVED + 12, outcome=Outcome.ABANDONED), known=False)
    await house.settle()
    assert house.case.customer is None
    assert house.shop.notes == {}


async def test_the_operator_sees_how_it_goes(house: House) -> None:
    """Records by state, and when the CRM was heard last."""
    await house.whole(await house.call())
    await house.settle()
    report = await house.back.report()
    assert report["records"] == {"begun": 0, "kept": 2, "gone": 0, "trouble": 0}
    assert report["trouble"] is None
    assert report["heard"] is not None
