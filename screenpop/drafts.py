"""The note somebody is writing on a ticket, kept as they write: each person's own, gone once it is added."""

from aiohttp import web
from pydantic import Field

from screenpop.accounts import SESSION
from screenpop.deps import DEPS
from screenpop.errors import problem
from screenpop.rights import Right
from screenpop.route import Api, Route, Scope, Shape
from screenpop.shapes import answer, body
from screenpop.ticket_pages import the_ticket
from storage.drafts import Draft
from storage.edits import RefusedError


class DraftText(Shape):
    """What is written so far. Blank: there is no draft any more."""

    text: str


class KeptDraft(Shape):
    """What is kept of a note being written; ``saved`` null: nothing."""

    text: str
    saved: float | None = Field(description="epoch seconds")


async def draft(request: web.Request) -> web.Response:
    """``GET /api/tickets/{id}/draft``."""
    page = await the_ticket(request)
    return _answer(await request.app[DEPS].reads.draft(page.item.ticket.id, request[SESSION].user.login))


async def keep(request: web.Request) -> web.Response:
    """``PUT /api/tickets/{id}/draft``."""
    page = await the_ticket(request)
    sent = await body(request, DraftText)
    deps = request.app[DEPS]
    try:
        kept = await deps.ledger.keep_draft(page.item.ticket.id, sent.text, request[SESSION].user.login, deps.now())
    except RefusedError as error:
        return problem(422, "Unprocessable Content", str(error), refusal=error.refusal.value)
    return _answer(kept)


def _answer(kept: Draft) -> web.Response:
    return answer(KeptDraft(text=kept.text, saved=kept.at))


ROUTES = (
    Route(
        "GET",
        r"/api/tickets/{id:\d+}/draft",
        draft,
        Right.TICKETS,
        Api("The note one is writing on a ticket", Scope.TICKETS, answer=KeptDraft),
    ),
    Route(
        "PUT",
        r"/api/tickets/{id:\d+}/draft",
        keep,
        Right.TICKETS,
        Api("Keep what one has written so far", Scope.WRITE, answer=KeptDraft, body=DraftText, errors=(400, 422)),
    ),
)
