"""``/audit``: who looked at what, who changed whose rights. Also as JSON, and as a file for a spreadsheet.

Reading the trail is itself written into it: the first page and each file, with what was asked for.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Annotated
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field

from numbering.display import mask
from numbering.identify import identify
from screenpop.accounts import SESSION, come_from
from screenpop.answers.audit import AuditEntry, AuditList
from screenpop.audit_words import DEED, details, named
from screenpop.days import midnight
from screenpop.deps import DEPS
from screenpop.forms import query
from screenpop.numbers import lists_in_full, may_see
from screenpop.rendering import reader, render, spoken
from screenpop.rights import Right
from screenpop.route import Api, Route, Scope, Shape
from screenpop.shapes import BadShapeError, Fault, answer, query_of, row_below
from screenpop.sheets import sheet
from storage.audit import AuditRow, What

PAGE = 50
MOST = 500
FILE = 10_000  # rows of a file
TRAIL = "audit"  # the subject of a look at the trail itself
_CALL = re.compile(r"[A-Za-z0-9_-]{1,32}:[^\s/]+")


class AuditQuery(Shape):
    """Which deeds. ``since`` and ``until`` in epoch seconds."""

    who: Annotated[str | None, Field(max_length=64)] = None
    what: str | None = Field(None, description="one of the deeds that the answer names")
    subject: Annotated[str | None, Field(max_length=200)] = None
    since: float | None = None
    until: float | None = None
    cursor: str | None = None
    limit: Annotated[int, Field(ge=1, le=MOST)] = PAGE


async def listed(request: web.Request) -> web.Response:
    """``GET /api/audit``."""
    rows, cursor = await _page(request, query_of(request, AuditQuery))
    full = await lists_in_full(request)
    return answer(AuditList(entries=tuple(AuditEntry.of(row, full=full) for row in rows), cursor=cursor))


async def page(request: web.Request) -> web.Response:
    """``GET /audit``: filters ``who``, ``what``, ``subject``, ``since`` and ``until`` (days)."""
    wanted, kept = _asked(request)
    rows, cursor = await _page(request, wanted)
    return render(
        request,
        "audit.html",
        rows=rows,
        deeds=spoken(request, DEED),
        address=address,
        named=lambda row: named(row.what, row.subject, reader(request).say),
        details=lambda row: details(row.detail, reader(request).say),
        query=kept,
        first=wanted.cursor is None,
        file=f"/audit/file?{urlencode(kept)}",
        more=f"/audit?{urlencode({**kept, 'cursor': cursor})}" if cursor else None,
    )


async def file(request: web.Request) -> web.Response:
    """``GET /audit/file``: the same as CSV, at most ten thousand rows."""
    wanted, _ = _asked(request)
    rows, _ = await _page(request, wanted.model_copy(update={"limit": FILE, "cursor": None}))
    deeds, say = spoken(request, DEED), reader(request)
    cells = (
        (
            say.when(row.at),
            row.who,
            deeds[row.what.value],
            named(row.what, row.subject, say.say),
            json.dumps(row.detail, ensure_ascii=False) if row.detail else "",
            row.ip or "",
        )
        for row in rows
    )
    headers = {"Content-Disposition": 'attachment; filename="audit.csv"'}
    body = sheet(("at", "who", "what", "subject", "detail", "ip"), cells)
    return web.Response(body=body, content_type="text/csv", charset="utf-8", headers=headers)


def address(row: AuditRow) -> str | None:
    """The page of what was done something to, where it has one."""
    return f"/calls/{row.subject}" if _CALL.fullmatch(row.subject) and not row.subject.startswith("push:") else None


def _asked(request: web.Request) -> tuple[AuditQuery, Mapping[str, str]]:
    """What a page's address asks for, and as much of it as its links keep."""
    asked = {name: value.strip() for name, value in query(request).items() if value.strip()}
    kept = {name: value for name, value in asked.items() if name in ("who", "what", "subject", "since", "until")}
    wanted = AuditQuery(
        who=asked.get("who", "")[:64] or None,
        what=asked.get("what"),
        subject=asked.get("subject", "")[:200] or None,
        since=midnight(request, asked.get("since")),
        until=midnight(request, asked.get("until"), after=1),
        cursor=asked.get("cursor"),
    )
    return wanted, kept


async def _page(request: web.Request, asked: AuditQuery) -> tuple[Sequence[AuditRow], str | None]:
    """A page and the cursor of the next. 400 for a deed nobody knows and a cursor that is none of ours."""
    if asked.what is not None and asked.what not in DEED:
        raise BadShapeError([Fault("what", f"is one of {', '.join(DEED)}")])
    below = row_below(asked.cursor)
    deps = request.app[DEPS]
    number = None if asked.subject is None else identify(asked.subject).e164
    rows = await deps.audit.rows(
        who=asked.who,
        what=None if asked.what is None else What(asked.what),
        subject=number or asked.subject,
        since=asked.since,
        until=asked.until,
        below=below,
        limit=asked.limit + 1,
    )
    if number is not None and not may_see(request):  # that it stands there would say that it was dialled
        rows = []
    if below is None:
        told = asked.model_dump(exclude_none=True, exclude_defaults=True)
        if number is not None:
            told["subject"] = mask(identify(number))
        who, ip = request[SESSION].user.login, come_from(request).ip
        await deps.audit.add(who, What.LOOKED, TRAIL, deps.now(), told or None, ip=ip)
    more = len(rows) > asked.limit
    return rows[: asked.limit], str(rows[asked.limit - 1].id) if more else None


ROUTES = (
    Route("GET", "/audit", page, Right.AUDIT),
    Route("GET", "/audit/file", file, Right.AUDIT),
    Route(
        "GET",
        "/api/audit",
        listed,
        Right.AUDIT,
        Api("Who looked at what", Scope.AUDIT, answer=AuditList, query=AuditQuery, errors=(400,)),
    ),
)
