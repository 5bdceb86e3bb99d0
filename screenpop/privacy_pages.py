"""``/privacy``: what is kept of one person, all of it in one file, and taking it out. Also by programs.

For administrators. Each look, each file and each erasure is audited, with the number masked.
"""

import asyncio
import tempfile
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from screenpop.accounts import SESSION, come_from
from screenpop.answers.privacy import (
    ErasureBegun,
    ErasureItem,
    ErasureList,
    ErasuresQuery,
    KeptOfPerson,
    PersonQuery,
)
from screenpop.deps import DEPS
from screenpop.errors import problem
from screenpop.forms import form, query
from screenpop.privacy import Privacy
from screenpop.rendering import reader, render
from screenpop.rights import Right
from screenpop.route import Api, Route, Scope
from screenpop.shapes import answer, body, query_of, row_below
from screenpop.words import N_
from storage.audit import What
from storage.erasures import LiveCallError
from storage.persons import Person, subject_of

PIECE = 256 * 1024
LIVE = N_("A call of theirs goes on. Wait for its end.")
UNSURE = N_("Type the number of calls that will be erased, to show that you mean it.")
NOBODY = N_("Write one number, or the id of one customer.")


async def page(request: web.Request) -> web.Response:
    """``GET /privacy``: ``number`` or ``customer``."""
    return await _page(request, query(request))


async def about(request: web.Request) -> web.Response:
    """``GET /api/privacy/person``."""
    person = query_of(request, PersonQuery).person
    found = await _desk(request).about(person)
    await _audit(request, What.LOOKED, person, {"calls": found.calls})
    return answer(KeptOfPerson.of(found))


async def erasures(request: web.Request) -> web.Response:
    """``GET /api/privacy/erasures``."""
    asked = query_of(request, ErasuresQuery)
    rows = await _desk(request).newest(asked.limit + 1, row_below(asked.cursor))
    cursor = str(rows[asked.limit - 1].id) if len(rows) > asked.limit else None
    return answer(ErasureList(erasures=tuple(ErasureItem.of(row) for row in rows[: asked.limit]), cursor=cursor))


async def export(request: web.Request) -> web.StreamResponse:
    """``GET /privacy/export`` and ``GET /api/privacy/export``: a zip file."""
    person = query_of(request, PersonQuery).person
    desk = _desk(request)
    with tempfile.TemporaryDirectory(prefix="hotline-") as folder:
        file = Path(folder) / "person.zip"
        heard = await desk.pack(person, file)
        await _audit(request, What.PERSON_EXPORTED, person, {"bytes": file.stat().st_size})
        deps, who, ip = request.app[DEPS], request[SESSION].user.login, come_from(request).ip
        for call in heard:  # on the page of each it says who has its sound
            await deps.audit.add(who, What.DOWNLOADED, str(call), deps.now(), {"person": True}, ip=ip)
        headers = {"Content-Disposition": 'attachment; filename="person.zip"', "Content-Type": "application/zip"}
        response = web.StreamResponse(headers=headers)
        response.content_length = file.stat().st_size
        await response.prepare(request)
        with file.open("rb") as pack:
            while piece := await asyncio.to_thread(pack.read, PIECE):
                await response.write(piece)
        await response.write_eof()
    return response


async def erase(request: web.Request) -> web.Response:
    """``POST /api/privacy/erasures``: 409 while a call of theirs goes on."""
    person = (await body(request, PersonQuery)).person
    found = await _desk(request).about(person)
    try:
        number = await _desk(request).ask(person, request[SESSION].user.login)
    except LiveCallError:
        return problem(HTTPStatus.CONFLICT, "Conflict", "a call of theirs goes on")
    return answer(ErasureBegun(id=number, crm=found.crm), HTTPStatus.ACCEPTED)


async def erase_form(request: web.Request) -> web.Response:
    """``POST /privacy/erase``: ``number`` or ``customer``, and ``sure``, how many calls that are."""
    fields = await form(request)
    person = _asked(fields)
    if person is None:
        return await _page(request, fields, 400, trouble=NOBODY)
    found = await _desk(request).about(person)
    if fields.get("sure", "").strip() != str(found.calls):
        return await _page(request, fields, 422, trouble=UNSURE)
    try:
        await _desk(request).ask(person, request[SESSION].user.login)
    except LiveCallError:
        return await _page(request, fields, 409, trouble=LIVE)
    raise web.HTTPSeeOther("/privacy")


async def _page(request: web.Request, fields: Mapping[str, str], code: int = 200, *, trouble: str = "") -> web.Response:
    person = _asked(fields)
    tried = bool(fields.get("number", "").strip() or fields.get("customer", "").strip())
    if tried and person is None:
        code, trouble = 400, NOBODY
    found = None
    if person is not None:
        found = await _desk(request).about(person)
        await _audit(request, What.LOOKED, person, {"calls": found.calls})
    return render(
        request,
        "privacy.html",
        code,
        query={name: fields.get(name, "").strip() for name in ("number", "customer")},
        found=found,
        erasures=await _desk(request).newest(),
        trouble=reader(request).say(trouble) if trouble else "",
    )


def _asked(fields: Mapping[str, str]) -> Person | None:
    """Who is meant; None where nobody, or not one, is."""
    given = {name: text for name in ("number", "customer") if (text := fields.get(name, "").strip())}
    try:
        return PersonQuery.model_validate(given).person
    except ValidationError:
        return None


def _desk(request: web.Request) -> Privacy:
    desk = request.app[DEPS].privacy
    if desk is None:
        raise web.HTTPNotFound(text="nothing is kept of people here")
    return desk


async def _audit(request: web.Request, what: What, person: Person, detail: Mapping[str, Any]) -> None:
    deps, subject = request.app[DEPS], subject_of(person)
    await deps.audit.add(request[SESSION].user.login, what, subject, deps.now(), detail, ip=come_from(request).ip)


ROUTES = (
    Route("GET", "/privacy", page, Right.PRIVACY),
    Route("GET", "/privacy/export", export, Right.PRIVACY),
    Route("POST", "/privacy/erase", erase_form, Right.PRIVACY),
    Route(
        "GET",
        "/api/privacy/person",
        about,
        Right.PRIVACY,
        Api("How much is kept of one person", Scope.PRIVACY, answer=KeptOfPerson, query=PersonQuery, errors=(400, 404)),
    ),
    Route(
        "GET",
        "/api/privacy/export",
        export,
        Right.PRIVACY,
        Api(
            "All that is kept of one person, as a zip file",
            Scope.PRIVACY,
            query=PersonQuery,
            errors=(400, 404),
            media="application/zip",
        ),
    ),
    Route(
        "GET",
        "/api/privacy/erasures",
        erasures,
        Right.PRIVACY,
        Api("What was erased", Scope.PRIVACY, answer=ErasureList, query=ErasuresQuery, errors=(404,)),
    ),
    Route(
        "POST",
        "/api/privacy/erasures",
        erase,
        Right.PRIVACY,
        Api(
            "Erase what is kept of one person",
            Scope.PRIVACY,
            answer=ErasureBegun,
            body=PersonQuery,
            status=202,
            errors=(400, 404, 409),
        ),
    ),
)
