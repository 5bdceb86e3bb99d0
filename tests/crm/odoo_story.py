"""One story told to Odoo: first to a real one, which is recorded, then to the recording in every test run."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from crm.connector import Context, Draft, Note, Of, Status
from crm.customer import Reason
from crm.matching import decide
from crm.odoo import Odoo, open_connector
from crm.trouble import ConflictError
from numbering.identify import identify

FOLDER = Path(__file__).parent / "exchanges"
MAPPING: Mapping[str, Any] = {
    "ticket": {"statuses": {"accepted": "新建", "working": "处理中", "solved": "已解决", "closed": "已解决"}}
}
STRANGE = "热水器 <b>\"E4\"</b> & 'x'"
RENAMED = "改名了"

Rename = Callable[[], Awaitable[None]]
"""Somebody in Odoo gives the person of the story another name."""


def file_of(api: str) -> Path:
    """Where the exchanges are."""
    return FOLDER / f"odoo19_{api}.json"


async def opened(url: str, api: str, facts: Mapping[str, Any], key: str) -> Odoo:
    """The connector as the story has it."""
    settings = {
        "url": url,
        "database": "odoo19",
        "api": api,
        "user": "hotline",
        "project": "客服工单",
        "also": {"closed": {"state": "1_done"}},
    }
    clock = float(facts["now"])
    return await open_connector(settings, Context(lambda _: key, Path(), lambda: clock, "0755", MAPPING))


async def tell(odoo: Odoo, facts: Mapping[str, Any], rename: Rename) -> None:
    """The story. ``facts``: who is there, with which numbers, and the part of keys that is new each time."""
    assert (await odoo.health()).version == "19.0"
    await _the_caller_is_found(odoo, facts)
    customers = await odoo.changes(Of.CUSTOMER, None)
    tickets = await odoo.changes(Of.TICKET, None)
    assert not customers.changes
    assert not tickets.changes
    ticket = await _one_ticket(odoo, facts)
    await _one_note(odoo, facts, ticket)
    await rename()
    page = await odoo.changes(Of.CUSTOMER, customers.cursor)
    assert RENAMED in {change.customer.name for change in page.changes if change.customer}
    assert not page.more
    page = await odoo.changes(Of.TICKET, tickets.cursor)
    [item] = [change.item for change in page.changes if change.ref.id == ticket]
    assert item is not None
    assert (item.status, item.said, item.customer_id) == (Status.CLOSED, "已解决", facts["person"])
    loaded = [customer.id async for some, _ in odoo.load(str(int(facts["firm"]) - 1)) for customer in some]
    assert loaded[:2] == [facts["firm"], facts["person"]]


async def _the_caller_is_found(odoo: Odoo, facts: Mapping[str, Any]) -> None:
    number = identify(facts["mobile"])
    match = decide(number, await odoo.find(number))
    assert match.sure is not None
    assert (match.sure.id, match.sure.name) == (facts["person"], facts["name"])
    assert (match.sure.company, match.sure.level, match.sure.vip) == (facts["company"], "VIP", True)
    assert match.sure.owner == "Administrator"
    assert [(each.what, str(each.on), str(each.amount)) for each in match.sure.purchases] == [
        ("桶装水 18.9L", "2026-11-03", "52.00"),
        ("桶装水 18.9L", "2026-11-02", "26.00"),
    ]
    assert await odoo.get(facts["person"]) == match.sure
    number = identify(facts["line"] + "转8012")
    [candidate] = decide(number, await odoo.find(number)).candidates
    assert (candidate.customer.id, candidate.reason) == (facts["firm"], Reason.FIXED_EXT)
    assert not await odoo.find(identify(facts["stranger"]))
    assert await odoo.get("2000000000") is None


async def _one_ticket(odoo: Odoo, facts: Mapping[str, Any]) -> str:
    draft = Draft(f"hotline:story:lab:{facts['run']}:ticket", facts["person"], STRANGE, STRANGE, urgency="高")
    assert await odoo.by_key(Of.TICKET, draft.key) is None
    first = await odoo.create_ticket(draft)
    assert await odoo.create_ticket(draft) == first
    assert [item.title for item in await odoo.items(facts["person"])] == [STRANGE]
    working = await odoo.set_status(first, Status.WORKING)
    with pytest.raises(ConflictError):
        await odoo.set_status(first, Status.SOLVED)
    await odoo.add_comment(working, STRANGE, f"hotline:story:lab:{facts['run']}:status-1")
    await odoo.set_status(working, Status.CLOSED)
    assert not await odoo.items(facts["person"])
    return first.id


async def _one_note(odoo: Odoo, facts: Mapping[str, Any], ticket: str) -> None:
    key = f"hotline:story:lab:{facts['run']}:note"
    links = (("录音", "https://hotline.example/r/1"),)
    first = await odoo.keep_note(Note(key, facts["person"], "来电", ("接通。",), links), None)
    again = await odoo.keep_note(Note(key, facts["person"], "来电", ("接通。", STRANGE), links, ticket), first)
    blind = await odoo.keep_note(Note(key, facts["person"], "来电", ("接通。", STRANGE), links, ticket), None)
    assert first.id == again.id == blind.id
    assert await odoo.by_key(Of.NOTE, key) == blind
