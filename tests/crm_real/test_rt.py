"""Request Tracker 5 itself: the whole contract, the labelled customers, and what only a real one does."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import pytest

from crm.connector import Change, Draft, Note, Of, Ref, Status
from crm.customer import Customer
from crm.kit import CHECKS, Check, Fresh, NotShownError
from crm.matching import decide
from crm.rt import Rt
from crm.trouble import AuthError, ConflictError, InvalidError, NotFoundError, TransientError
from numbering.identify import identify
from numbering.number import Number
from tests.crm_real.rt_lab import BARE, QUEUE, NoRtError, RtLab, running
from tests.crm_real.rt_world import MAPPING, RtWorld, Screen, opened

pytestmark = [pytest.mark.crm, pytest.mark.timeout(600)]
SAID = ("客户说漏水。",)


@pytest.fixture(scope="module")
def lab() -> Iterator[RtLab]:
    """The RT."""
    try:
        with running() as found:
            yield found
    except NoRtError as error:
        pytest.skip(str(error))


@pytest.fixture
async def screen(lab: RtLab) -> AsyncIterator[Screen]:
    """Somebody who works in RT."""
    admin = Screen(lab)
    yield admin
    await admin.close()


@pytest.fixture
async def rt(lab: RtLab) -> AsyncIterator[Rt]:
    """The connector."""
    connector = await opened(lab)
    yield connector
    await connector.close()


@pytest.mark.parametrize("check", CHECKS, ids=str)
async def test_the_contract(lab: RtLab, screen: Screen, rt: Rt, check: Check) -> None:
    """Every sentence."""
    await rt.health()
    try:
        await check(RtWorld(lab, rt, screen))
    except NotShownError as why:
        pytest.skip(str(why))


async def patiently(rt: Rt, number: Number) -> Sequence[Customer]:
    """Who is found: a busy machine may need more than the second that a card has."""
    for _ in range(4):
        try:
            return await rt.find(number)
        except TransientError:
            continue
    return await rt.find(number)


@pytest.mark.parametrize(
    "by",
    [
        {"find_typed": ("MobilePhone", "WorkPhone")},
        {
            "find_typed": (),
            "find_exact": ("PhoneE164", "PhoneE164b"),
            "mapping": {**MAPPING, "customer": {"phones": ["MobilePhone", "WorkPhone", "cf.PhoneE164"]}},
        },
    ],
    ids=["as typed", "custom fields"],
)
async def test_the_labelled_customers_are_found(lab: RtLab, by: dict[str, Any]) -> None:
    """A thousand, typed in nine spellings and with extensions: at least 99 % of the numbers, and nobody else's."""
    wanted = [
        (row[f"{kind}_e164"], row["phone_ext"] if kind == "phone" else "", row["name"] if kind == "mobile" else "")
        for row in lab.labdata().rows(1000)
        for kind in ("mobile", "phone")
        if row[f"{kind}_e164"]
    ]
    rt = await opened(lab, **by)
    gate, missed = asyncio.Semaphore(2), []

    async def look(e164: str, ext: str, name: str) -> None:
        number = identify(f"{e164}转{ext}" if ext else e164)
        async with gate:
            match = decide(number, await patiently(rt, number))
        if not match.candidates or (name and name not in {each.customer.name for each in match.candidates}):
            missed.append(e164)

    try:
        await rt.health()
        async with asyncio.TaskGroup() as group:
            for each in wanted:
                group.create_task(look(*each))
    finally:
        await rt.close()
    assert len(missed) <= len(wanted) * 0.01, f"{len(missed)} of {len(wanted)}: {missed[:10]}"


async def customer(screen: Screen, **values: Any) -> str:
    """A new user."""
    fresh = Fresh()
    return await screen.create("user", Name=f"kit-{fresh.mobile()}", RealName=fresh.name(), **values)


async def everything(rt: Rt, of: Of, cursor: str) -> tuple[list[Change], str]:
    """All pages of a round."""
    found: list[Change] = []
    while True:
        page = await rt.changes(of, cursor)
        found += page.changes
        cursor = page.cursor
        if not page.more:
            return found, cursor


async def test_a_card_shows_what_stands_in_custom_fields(lab: RtLab, screen: Screen) -> None:
    """RT keeps no level of a customer; a company's own field does."""
    mobile = Fresh().mobile()
    one = await customer(screen, MobilePhone=mobile, Organization="瑞达贸易", CustomFields={"客户等级": "金卡"})
    mapping = {**MAPPING, "customer": {"level": "cf.客户等级", "vip": "cf.客户等级", "vip_words": ["金卡"]}}
    rt = await opened(lab, mapping=mapping)
    try:
        await rt.health()
        [found] = await rt.find(identify(mobile))
        assert (found.id, found.company, found.level, found.vip) == (one, "瑞达贸易", "金卡", True)
        assert await rt.get(one) == found
        loaded = [each async for some, _ in rt.load() for each in some if each.id == one]
        assert loaded == [found]
    finally:
        await rt.close()


async def test_the_note_of_a_call_stands_in_its_ticket(screen: Screen, rt: Rt) -> None:
    """The recording's link works, what a caller said is text; more of it is one comment more, not the same twice."""
    fresh = Fresh()
    one = await customer(screen)
    ticket = await rt.create_ticket(Draft(fresh.key("ticket"), one, "热水器漏水", "来电。"))
    link = (("录音", "https://hotline.example/r/1?a=1&b=2"),)
    note = Note(fresh.key("note"), one, "来电", ("<script>alert(1)</script>",), link, ticket.id)
    first = await rt.keep_note(note, None)
    assert await rt.keep_note(note, first) == first
    more = Note(note.key, one, "来电 2分10秒", (*note.paragraphs, "摘要：已派工。"), link, ticket.id)
    for known in (first, None, first):
        assert await rt.keep_note(more, known) == first
    told = "".join(await screen.history(ticket.id))
    assert told.count('<a href="https://hotline.example/r/1?a=1&amp;b=2">录音</a>') == 2
    assert told.count("已派工") == 1
    assert "&lt;script&gt;" in told
    assert "<script" not in told
    [seen] = await rt.survey(Of.NOTE, [first.id])
    assert seen.customer_id == one
    assert all(words in seen.text for words in ("<script>", "来电 2分10秒", "已派工", "录音"))


async def test_a_call_without_a_ticket_is_one_of_its_own(screen: Screen, rt: Rt) -> None:
    """Solved, its customer's; given to the other when the agent says who it was, and naming the ticket made later."""
    fresh = Fresh()
    one, two = await customer(screen), await customer(screen)
    key = fresh.key("note")
    ref = await rt.keep_note(Note(key, one, "来电 售后", SAID), None)
    [home] = await screen.with_key("tickets", key)
    item = await rt.read_ticket(home)
    assert item is not None
    assert (item.customer_id, item.status, item.title) == (one, Status.SOLVED, "来电 售后")
    assert not await rt.items(one)
    ticket = await rt.create_ticket(Draft(fresh.key("ticket"), two, "热水器漏水", "来电。"))
    assert await rt.keep_note(Note(key, two, "来电 售后", SAID, ticket_id=ticket.id), ref) == ref
    item = await rt.read_ticket(home)
    assert item is not None
    assert item.customer_id == two
    links = (await screen.read("ticket", home))["_hyperlinks"]
    assert ("refers-to", ticket.id) in {(link["ref"], str(link.get("id"))) for link in links}


async def test_what_rt_did_not_do_is_told(rt: Rt, screen: Screen) -> None:
    """It answers 200 to a status that is none of the queue's, and makes a ticket without a requestor who is none."""
    fresh = Fresh()
    one = await customer(screen)
    ticket = await rt.create_ticket(Draft(fresh.key("ticket"), one, "热水器漏水", "来电。", Status.WORKING))
    item = await rt.read_ticket(ticket.id)
    assert item is not None
    assert (item.status, item.ref) == (Status.WORKING, ticket)
    with pytest.raises(InvalidError, match="without its requestor"):
        await rt.create_ticket(Draft(fresh.key("ticket"), "999999999", "热水器漏水", "来电。"))
    with pytest.raises(NotFoundError):
        await rt.set_status(Ref(Of.TICKET, "999999999"), Status.SOLVED)
    with pytest.raises(NotFoundError):
        await rt.add_comment(Ref(Of.TICKET, "999999999"), "x", fresh.key("status-1"))


async def test_a_word_that_is_no_status_there_is_told_when_it_is_set(lab: RtLab, screen: Screen) -> None:
    """RT's interface lists no statuses, so this shows only then; in its own words."""
    rt = await opened(lab, mapping={"ticket": {"statuses": {"working": "处理中", "closed": "resolved"}}})
    try:
        ticket = await rt.create_ticket(Draft(Fresh().key("ticket"), await customer(screen), "漏水", "来电。"))
        with pytest.raises(InvalidError, match="isn't a valid status"):
            await rt.set_status(ticket, Status.WORKING)
    finally:
        await rt.close()


async def test_closed_and_solved_are_told_apart_by_a_field(rt: Rt, screen: Screen) -> None:
    """Both are resolved to RT; the field is cleared when the ticket is opened again."""
    ticket = await rt.create_ticket(Draft(Fresh().key("ticket"), await customer(screen), "漏水", "来电。"))
    for status in (Status.SOLVED, Status.CLOSED, Status.SOLVED, Status.CLOSED, Status.WORKING, Status.ACCEPTED):
        ticket = await rt.set_status(ticket, status)
        item = await rt.read_ticket(ticket.id)
        assert item is not None
        assert (item.status, item.ref) == (status, ticket)


async def test_a_list_tells_a_change_as_well_as_a_ticket_by_itself(rt: Rt, screen: Screen) -> None:
    """A status that rests on the feed's version is refused once somebody has changed the ticket."""
    one = await customer(screen)
    cursor = (await rt.changes(Of.TICKET, None)).cursor
    ticket = await rt.create_ticket(Draft(Fresh().key("ticket"), one, "漏水", "来电。"))
    [listed] = await rt.items(one)
    changes, cursor = await everything(rt, Of.TICKET, cursor)
    [told] = [change for change in changes if change.ref.id == ticket.id]
    assert told.item == listed
    await screen.write("ticket", ticket.id, Status="stalled", Owner="root")
    with pytest.raises(ConflictError):
        await rt.set_status(listed.ref, Status.SOLVED)
    changes, _ = await everything(rt, Of.TICKET, cursor)
    item = [change.item for change in changes if change.ref.id == ticket.id][-1]
    assert item is not None
    assert (item.status, item.said, item.owner) == (Status.WORKING, "stalled", "root")
    await rt.set_status(item.ref, Status.SOLVED)


async def test_a_merged_ticket_is_the_one_it_went_into(rt: Rt, screen: Screen) -> None:
    """RT itself takes the old number for the new one."""
    one = await customer(screen)
    left, gone = [await rt.create_ticket(Draft(Fresh().key("ticket"), one, each, "来电。")) for each in ("甲", "乙")]
    await screen.write("ticket", gone.id, MergeInto=left.id)
    item = await rt.read_ticket(gone.id)
    assert item is not None
    assert (item.ref.id, item.title) == (gone.id, "甲")
    await screen.write("ticket", left.id, Status="deleted")
    assert await rt.read_ticket(left.id) is None


async def test_a_disabled_customer_is_gone_and_comes_back(rt: Rt, screen: Screen) -> None:
    """In the feed and in the search."""
    mobile = Fresh().mobile()
    one = await customer(screen, MobilePhone=mobile)
    cursor = (await rt.changes(Of.CUSTOMER, None)).cursor
    for disabled in (1, 0):
        await screen.write("user", one, Disabled=disabled)
        changes, cursor = await everything(rt, Of.CUSTOMER, cursor)
        last = [change for change in changes if change.ref.id == one][-1]
        assert last.gone is bool(disabled)
        assert bool(await rt.find(identify(mobile))) is not last.gone


async def test_what_was_told_is_not_told_again(rt: Rt, screen: Screen) -> None:
    """The overlap is read again, and only what is new in it costs a request."""
    one = await customer(screen)
    cursor = (await rt.changes(Of.CUSTOMER, None)).cursor
    await screen.write("user", one, RealName="改名了")
    changes, cursor = await everything(rt, Of.CUSTOMER, cursor)
    assert [change.customer.name for change in changes if change.customer and change.ref.id == one] == ["改名了"]
    changes, _ = await everything(rt, Of.CUSTOMER, cursor)
    assert one not in {change.ref.id for change in changes}


async def test_a_load_misses_nobody_when_others_are_disabled_meanwhile(rt: Rt, screen: Screen) -> None:
    """Those behind them move forward in RT's list."""
    doomed = [await customer(screen) for _ in range(3)]
    wanted = {await customer(screen) for _ in range(3)}
    seen: set[str] = set()
    pages = rt.load()
    async for some, place in pages:
        seen |= {each.id for each in some}
        while doomed and int(place.split()[0]) >= int(doomed[0]):
            await screen.write("user", doomed.pop(0), Disabled=1)
    assert wanted <= seen
    stale = f"{min(int(each) for each in wanted) - 1} 99999"  # a place in a list that was longer
    rest = [each.id async for some, _ in rt.load(stale) for each in some]
    assert wanted <= set(rest)
    assert len(rest) < 50


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ({"token": "1-1-0123456789abcdef0123456789abcdef"}, AuthError, "401"),
        (
            {"find_typed": ("MobilPhone", "WorkPhone", "Comments")},
            InvalidError,
            "'MobilPhone' is not.*'Comments' is not",
        ),
        ({"find_exact": ("Telefon",)}, InvalidError, "users have no custom field 'Telefon'"),
        ({"queue": "没有的"}, InvalidError, "no queue '没有的'"),
        ({"key_field": "Anruf"}, InvalidError, "tickets of .* no custom field 'Anruf'; transactions of"),
        (
            {"mapping": {**MAPPING, "customer": {"level": "cf.等级", "company": "Organisation"}}},
            InvalidError,
            r"no 'Organisation' \(perhaps Organization.*user has no 'cf'",
        ),
        ({"url": "http://127.0.0.1:1"}, TransientError, "Connect"),
    ],
)
async def test_what_is_set_up_wrong_is_said_at_start(
    lab: RtLab, given: dict[str, Any], error: type[Exception], says: str
) -> None:
    """One clear line, with every name."""
    connector = await opened(lab, **given)
    try:
        with pytest.raises(error, match=says):
            await connector.health()
    finally:
        await connector.close()


async def test_a_user_without_rights_is_told_as_such(lab: RtLab, screen: Screen) -> None:
    """Who may not see telephone numbers finds nobody, and may not write."""
    one = await customer(screen)
    connector = await opened(lab, token=lab.token(BARE))
    try:
        with pytest.raises(InvalidError, match=f"no queue '{QUEUE}', or our token's user lacks the right SeeQueue"):
            await connector.health()
        with pytest.raises(AuthError, match=r"needs a right|no right"):
            await connector.create_ticket(Draft(Fresh().key("ticket"), one, "漏水", "来电。"))
    finally:
        await connector.close()


async def test_an_rt_that_hangs_costs_a_second_and_is_asked_again(lab: RtLab, screen: Screen, rt: Rt) -> None:
    """Its processes stopped, its port open: told as such in time; going on, it answers as before."""
    mobile = Fresh().mobile()
    await customer(screen, MobilePhone=mobile)
    await rt.health()
    assert await rt.find(identify(mobile))
    processes = lab.processes()
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        async with asyncio.timeout(1.5):
            with pytest.raises(TransientError, match="no answer within"):
                await rt.find(identify(mobile))
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)
    assert await rt.find(identify(mobile))


async def test_a_token_that_was_taken_back_is_told(lab: RtLab, screen: Screen, rt: Rt) -> None:
    """With the cookie of a session that has ended RT would show the page where people log in."""
    one = await customer(screen)
    await rt.health()
    wrong = await opened(lab, token="1-1-00")
    wrong._rest._cookie, wrong._rest._until = "RT_SID_lab.18085=00", 1e12
    try:
        with pytest.raises(AuthError, match="401"):
            await wrong.get(one)
        with pytest.raises(AuthError, match="401"):
            await wrong.create_ticket(Draft(Fresh().key("ticket"), one, "漏水", "来电。"))
    finally:
        await wrong.close()
