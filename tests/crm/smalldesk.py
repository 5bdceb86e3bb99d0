"""A small CRM with a JSON API, for tests: contacts, cases, notes; as strict as real ones, and as odd."""

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

TOKEN = "small-secret"
PAGE = 25
Row = dict[str, Any]


@dataclass
class SmallDesk:
    """Its records, and its API as an application. ``silent``: it overlooks queries, as some do."""

    contacts: dict[str, Row] = field(default_factory=dict)
    cases: dict[str, Row] = field(default_factory=dict)
    notes: dict[str, Row] = field(default_factory=dict)
    comments: list[tuple[str, str]] = field(default_factory=list)
    silent: bool = False
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1001))

    def app(self) -> web.Application:
        """The API below ``/api``."""
        app = web.Application(middlewares=[self._door])
        app.add_routes(
            [
                web.get("/api/me", self._me),
                web.get("/api/contacts", self._list_contacts),
                web.get("/api/contacts/{id}", self._contact),
                web.get("/api/cases", self._list_cases),
                web.post("/api/cases", self._make_case),
                web.get("/api/cases/{id}", self._case),
                web.patch("/api/cases/{id}", self._change_case),
                web.post("/api/cases/{id}/comments", self._comment),
                web.get("/api/notes", self._list_notes),
                web.post("/api/notes", self._make_note),
                web.put("/api/notes/{id}", self._change_note),
            ]
        )
        return app

    def add_contact(self, name: str, phones: list[str]) -> str:
        """Somebody new; the id."""
        uid = str(next(self.numbers))
        self.contacts[uid] = {"uid": int(uid), "full_name": name, "tel": [{"no": each} for each in phones]}
        self.change(self.contacts[uid])
        return uid

    def change(self, row: Row, **fields: Any) -> None:
        """Somebody at the screen changes a record."""
        row.update(fields)
        row["changed"] = datetime.now(UTC).isoformat()  # noqa: TID251 - a system has a clock
        row["rev"] = row.get("rev", 0) + 1

    @web.middleware
    async def _door(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.headers.get("X-Token") != TOKEN:
            return web.json_response({"error": "who are you?"}, status=403)
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _me(self, _: web.Request) -> web.Response:
        return web.json_response({"system": {"version": "SmallDesk 1.2"}})

    async def _list_contacts(self, request: web.Request) -> web.Response:
        rows = [row for row in self.contacts.values() if not row.get("gone") or "since" in request.query]
        after, phone, since = (request.query.get(name) for name in ("after", "phone", "since"))
        if phone and not self.silent:
            rows = [row for row in rows if any(phone in re.sub(r"\D", "", tel["no"]) for tel in row["tel"])]
        if since:
            rows = [row for row in rows if row["changed"] >= since]
        if phone:
            return web.json_response({"data": {"items": rows}})
        rows = sorted(rows, key=lambda row: int(row["uid"]))
        rows = [row for row in rows if int(row["uid"]) > int(after or 0)]
        following = str(rows[PAGE - 1]["uid"]) if len(rows) > PAGE else None
        return web.json_response({"data": {"items": rows[:PAGE]}, "next": following})

    async def _contact(self, request: web.Request) -> web.Response:
        row = self.contacts.get(request.match_info["id"])
        return _found(None if row is None or row.get("gone") else row)

    async def _list_cases(self, request: web.Request) -> web.Response:
        rows = [row for row in self.cases.values() if _fits(row, request.query, ("call_key", "contact"))]
        return web.json_response({"data": {"items": rows}})

    async def _make_case(self, request: web.Request) -> web.Response:
        given = await request.json()
        if len(given["subject"]) > 64:
            return web.json_response({"subject": "at most 64 characters"}, status=422)
        if any(row["call_key"] == given["call_key"] for row in self.cases.values()):
            return web.json_response({"error": "call_key is there already"}, status=409)
        number = str(next(self.numbers))
        self.cases[number] = {"id": int(number), "state": "New", **given}
        self.change(self.cases[number])
        return web.json_response({"case": {"id": int(number)}}, status=201)

    async def _case(self, request: web.Request) -> web.Response:
        return _found(self.cases.get(request.match_info["id"]))

    async def _change_case(self, request: web.Request) -> web.Response:
        row, given = self.cases[request.match_info["id"]], await request.json()
        if request.headers.get("If-Match", str(row["rev"])) != str(row["rev"]):
            return web.json_response({"error": "changed meanwhile"}, status=412)
        if given["state"] in ("New", "Open", "Done"):  # anything else is taken, and not kept
            self.change(row, state=given["state"])
        return web.json_response({"ok": True})

    async def _comment(self, request: web.Request) -> web.Response:
        self.comments.append((request.match_info["id"], (await request.json())["text"]))
        return web.Response(status=204)

    async def _list_notes(self, request: web.Request) -> web.Response:
        rows = [row for row in self.notes.values() if _fits(row, request.query, ("call_key",))]
        return web.json_response(rows)

    async def _make_note(self, request: web.Request) -> web.Response:
        number = str(next(self.numbers))
        self.notes[number] = {"id": number, **await request.json()}
        return web.json_response({"id": number}, status=201)

    async def _change_note(self, request: web.Request) -> web.Response:
        self.notes[request.match_info["id"]].update(await request.json())
        return web.json_response({})


def _found(row: Row | None) -> web.Response:
    return web.json_response({"error": "no such record"}, status=404) if row is None else web.json_response(row)


def _fits(row: Row, query: Mapping[str, str], names: tuple[str, ...]) -> bool:
    return all(name not in query or str(row.get(name)) == query[name] for name in names)
