"""One story told to Tryton: first to a real one, which is recorded, then to the recording in every test run."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from crm.connector import Context, Draft, Note, Of, Status
from crm.customer import Reason
from crm.matching import decide
from crm.trouble import ConflictError
from crm.tryton import Tryton, open_connector
from numbering.identify import identify

FILE = Path(__file__).parent / "exchanges/tryton78.json"
MAPPING: Mapping[str, Any] = {
    "ticket": {"statuses": {"accepted": "新建", "working": "处理中", "solved": "已解决", "closed": "已关闭"}}
}
STRANGE = "热水器 <b>\"E4\"</b> & 'x'"
RENAMED = "改名了"

Act = Callable[[], Awaitable[None]]
"""Somebody in Tryton gives the person of the story another name, and the line another number."""


async def opened(url: str, facts: Mapping[str, Any], key: str) -> Tryton:
    """The connector as the story has it."""
    settings = {"url": url, "database": "tryton", "user": "hotline", "project": "客服工单"}
    clock = float(facts["now"])
    return await open_connector(settings, Context(lambda _: key, Path(), lambda: clock, "0755", MAPPING))


async def tell(tryton: Tryton, facts: Mapping[str, Any], act: Act) -> None:
    """The story. ``facts``: who is there, with which numbers, and the part of keys that is new each time."""
    assert (await tryton.health()).version == "7.8"
    await _the_caller_is_found(tryton, facts)
    customers = await tryton.changes(Of.CUSTOMER, None)
    tickets = await tryton.changes(Of.TICKET, None)
    assert not customers.changes
    assert not tickets.changes
    ticket = await _one_ticket(tryton, facts)
    await _one_note(tryton, facts, ticket)
    await act()
    page = await tryton.changes(Of.CUSTOMER, customers.cursor)
    told = {change.customer.id: change.customer for change in page.changes if change.customer}
    assert told[facts["person"]].name == RENAMED
    assert [phone.e164 for phone in told[facts["firm"]].phones] == [f"+86{facts['line'][1:-1]}0"]
    assert not page.more
    page = await tryton.changes(Of.TICKET, tickets.cursor)
    [item] = [change.item for change in page.changes if change.ref.id == ticket]
    assert item is not None
    assert (item.status, item.said, item.customer_id) == (Status.CLOSED, "已关闭", facts["person"])
    [seen] = await tryton.survey(Of.TICKET, [ticket])
    assert seen.item == item
    loaded = [customer.id async for some, _ in tryton.load(str(int(facts["firm"]) - 1)) for customer in some]
    assert loaded[:2] == [facts["firm"], facts["person"]]


async def _the_caller_is_found(tryton: Tryton, facts: Mapping[str, Any]) -> None:
    number = identify(facts["mobile"])
    match = decide(number, await tryton.find(number))
    assert match.sure is not None
    assert (match.sure.id, match.sure.name) == (facts["person"], facts["name"])
    assert (match.sure.level, match.sure.vip) == ("VIP", True)
    assert [(each.what, str(each.on), str(each.amount)) for each in match.sure.purchases] == [
        ("桶装水 18.9L", "2026-11-02", "52.00"),
        ("桶装水 18.9L", "2026-11-01", "26.00"),
    ]
    assert await tryton.get(facts["person"]) == match.sure
    number = identify(facts["line"] + "转8012")
    [candidate] = decide(number, await tryton.find(number)).candidates
    assert (candidate.customer.id, candidate.reason) == (facts["firm"], Reason.FIXED_EXT)
    assert not await tryton.find(identify(facts["stranger"]))
    assert await tryton.get("2000000000") is None


async def _one_ticket(tryton: Tryton, facts: Mapping[str, Any]) -> str:
    draft = Draft(f"hotline:story:lab:{facts['run']}:ticket", facts["person"], STRANGE, STRANGE)
    assert await tryton.by_key(Of.TICKET, draft.key) is None
    first = await tryton.create_ticket(draft)
    assert await tryton.create_ticket(draft) == first
    assert [item.title for item in await tryton.items(facts["person"])] == [STRANGE]
    working = await tryton.set_status(first, Status.WORKING)
    with pytest.raises(ConflictError):
        await tryton.set_status(first, Status.SOLVED)
    await tryton.add_comment(working, STRANGE, f"hotline:story:lab:{facts['run']}:status-1")
    await tryton.set_status(working, Status.CLOSED)
    assert not await tryton.items(facts["person"])
    return first.id


async def _one_note(tryton: Tryton, facts: Mapping[str, Any], ticket: str) -> None:
    key = f"hotline:story:lab:{facts['run']}:note"
    links = (("录音", "https://hotline.example/r/1"),)
    first = await tryton.keep_note(Note(key, facts["person"], "来电", ("接通。",), links), None)
    again = await tryton.keep_note(Note(key, facts["person"], "来电", ("接通。", STRANGE), links, ticket), first)
    blind = await tryton.keep_note(Note(key, facts["person"], "来电", ("接通。", STRANGE), links, ticket), None)
    assert first.id == again.id == blind.id
    assert await tryton.by_key(Of.NOTE, key) == blind
    [seen] = await tryton.survey(Of.NOTE, [first.id])
    assert (seen.customer_id, STRANGE in seen.text, key in seen.text) == (facts["person"], True, False)
