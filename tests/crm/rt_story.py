"""One story told to Request Tracker: to a real one, which is recorded, then to the recording in every test run."""

import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from crm.connector import Context, Draft, Note, Of, Status
from crm.customer import Reason
from crm.matching import decide
from crm.rt import Rt, open_connector
from crm.trouble import ConflictError
from numbering.identify import identify
from tests.crm.tape import ADDRESS, SECRET, Tape

FILE = Path(__file__).parent / "exchanges" / "rt5.json"
MAPPING: Mapping[str, Any] = {
    "customer": {"level": "cf.客户等级"},
    "ticket": {"statuses": {"closed": "resolved"}},
}
STRANGE = "热水器 <b>\"E4\"</b> & 'x'"
RENAMED = "改名了"
KEPT = ("Content-Type", "Date", "ETag", "Location")

Rename = Callable[[], Awaitable[None]]
"""Somebody in RT gives the person of the story another name."""


class RtTape(Tape):
    """A tape that keeps queries, RT's headers and what is no JSON."""

    async def _answer(self, request: web.Request) -> web.Response:
        body = json.loads(await request.read() or b"null")
        asked = {"method": request.method, "path": request.path, "query": dict(request.query), "body": self._same(body)}
        return self._play(asked) if self._target is None else await self._record(request, body, asked)

    def _play(self, asked: Mapping[str, Any]) -> web.Response:
        name = json.dumps(asked, ensure_ascii=False, sort_keys=True)
        fitting = [each for each in self._exchanges if each["asked"] == asked]
        if not fitting:
            self.unknown.append(name)
            return web.json_response({"message": f"not recorded: {name}"}, status=500)
        turn = self._played.get(name, 0)
        self._played[name] = turn + 1
        found = fitting[min(turn, len(fitting) - 1)]
        return web.Response(body=_bytes(found["answer"]), status=found["status"], headers=found["headers"])

    async def _record(self, request: web.Request, body: Any, asked: Mapping[str, Any]) -> web.Response:
        assert self._session is not None
        sent = {
            name: request.headers[name] for name in ("Authorization", "Cookie", "If-Match") if name in request.headers
        }
        url = f"{self._target}{request.path_qs}"
        async with self._session.request(request.method, url, json=body, headers=sent) as answer:
            text, status = await answer.text(), answer.status
            headers = {name: answer.headers[name] for name in KEPT if name in answer.headers}
            cookie = answer.headers.get("Set-Cookie")
        told: Any = json.loads(text) if "json" in headers.get("Content-Type", "") and text else text
        told = self._trim(request.path, body, told) if self._trim else told
        told = json.loads(json.dumps(told).replace(str(self._target), ADDRESS))
        if cookie:
            headers["Set-Cookie"] = f"RT_SID_lab={SECRET}; path=/"
        self._exchanges.append({"asked": asked, "status": status, "headers": headers, "answer": self._same(told)})
        return web.Response(
            body=_bytes(told), status=status, headers={**headers, **({"Set-Cookie": cookie} if cookie else {})}
        )


def _bytes(told: Any) -> bytes:
    return (told if isinstance(told, str) else json.dumps(told, ensure_ascii=False)).encode()


async def opened(url: str, facts: Mapping[str, Any], token: str) -> Rt:
    """The connector as the story has it."""
    settings = {
        "url": url,
        "queue": "客服工单",
        "find_typed": ["MobilePhone", "WorkPhone"],
        "also": {"closed": {"结案": "是"}},
    }
    clock = float(facts["now"])
    return await open_connector(settings, Context(lambda _: token, Path(), lambda: clock, "0755", MAPPING))


async def tell(rt: Rt, facts: Mapping[str, Any], rename: Rename) -> None:
    """The story. ``facts``: who is there, with which numbers, and the part of keys that is new each time."""
    assert (await rt.health()).version.startswith("5.")
    await _the_caller_is_found(rt, facts)
    customers = await rt.changes(Of.CUSTOMER, None)
    tickets = await rt.changes(Of.TICKET, None)
    assert not customers.changes
    assert not tickets.changes
    ticket = await _one_ticket(rt, facts)
    await _one_note(rt, facts, ticket)
    await rename()
    page = await rt.changes(Of.CUSTOMER, customers.cursor)
    assert RENAMED in {change.customer.name for change in page.changes if change.customer}
    assert not page.more
    page = await rt.changes(Of.CUSTOMER, page.cursor)
    assert not page.changes
    page = await rt.changes(Of.TICKET, tickets.cursor)
    [item] = [change.item for change in page.changes if change.ref.id == ticket]
    assert item is not None
    assert (item.status, item.said, item.customer_id) == (Status.CLOSED, "resolved", facts["person"])


async def _the_caller_is_found(rt: Rt, facts: Mapping[str, Any]) -> None:
    number = identify(facts["mobile"])
    match = decide(number, await rt.find(number))
    assert match.sure is not None
    assert (match.sure.id, match.sure.name) == (facts["person"], facts["name"])
    assert (match.sure.company, match.sure.level, match.sure.vip) == (facts["company"], "VIP", True)
    assert await rt.get(facts["person"]) == match.sure
    number = identify(facts["line"] + "转8012")
    [candidate] = decide(number, await rt.find(number)).candidates
    assert (candidate.customer.id, candidate.reason) == (facts["person"], Reason.FIXED_EXT)
    assert not await rt.find(identify(facts["stranger"]))
    assert await rt.get("2000000000") is None


async def _one_ticket(rt: Rt, facts: Mapping[str, Any]) -> str:
    draft = Draft(f"hotline:story:lab:{facts['run']}:ticket", facts["person"], STRANGE, STRANGE, urgency="高")
    assert await rt.by_key(Of.TICKET, draft.key) is None
    first = await rt.create_ticket(draft)
    assert await rt.create_ticket(draft) == first
    assert [item.title for item in await rt.items(facts["person"])] == [STRANGE]
    working = await rt.set_status(first, Status.WORKING)
    with pytest.raises(ConflictError):
        await rt.set_status(first, Status.SOLVED)
    key = f"hotline:story:lab:{facts['run']}:status-1"
    await rt.add_comment(working, STRANGE, key)
    await rt.add_comment(working, STRANGE, key)
    with pytest.raises(ConflictError):  # our own comment is a change as well
        await rt.set_status(working, Status.CLOSED)
    item = await rt.read_ticket(first.id)
    assert item is not None
    closed = await rt.set_status(item.ref, Status.CLOSED)
    assert not await rt.items(facts["person"])
    [seen] = await rt.survey(Of.TICKET, [first.id])
    assert seen.ref == closed
    return first.id


async def _one_note(rt: Rt, facts: Mapping[str, Any], ticket: str) -> None:
    links = (("录音", "https://hotline.example/r/1"),)
    for kind, where in (("note", ticket), ("note-2", None)):
        key = f"hotline:story:lab:{facts['run']}:{kind}"
        first = await rt.keep_note(Note(key, facts["person"], "来电", ("接通。",), links, where), None)
        again = await rt.keep_note(Note(key, facts["person"], "来电", ("接通。", STRANGE), links, where), first)
        blind = await rt.keep_note(Note(key, facts["person"], "来电", ("接通。", STRANGE), links, where), None)
        assert first.id == again.id == blind.id
        assert await rt.by_key(Of.NOTE, key) == blind
        [seen] = await rt.survey(Of.NOTE, [first.id])
        assert seen.customer_id == facts["person"]
        assert seen.text.count("热水器") == 1
