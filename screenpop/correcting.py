"""People correct the machine's summary of a call: a form that works without scripts, and the same as JSON.

What the machine said stays beside it. Card numbers that somebody types are masked like those that were said.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

from aiohttp import web

from screenpop.accounts import SESSION
from screenpop.answers.corrections import SummaryChanges
from screenpop.audio import the_call
from screenpop.call_pages import show
from screenpop.deps import DEPS
from screenpop.errors import problem
from screenpop.forms import form
from screenpop.rendering import reader
from screenpop.rights import Right
from screenpop.route import Api, Route, Scope
from screenpop.shapes import body, done
from screenpop.telling import ticket_changed
from screenpop.words import N_
from storage.pages import CallPage
from storage.summary_edits import CorrectedMeanwhileError, UnsoundError
from transcription.account import FactKind
from transcription.corrections import Change, Part, fact_key, facts_by_place, promise_key, promises_by_place
from transcription.redaction import redact
from transcription.summary import LABELS

UNSOUND = N_("A summary cannot hold that: please check what you entered.")
MEANWHILE = N_("Somebody else corrected this summary while you were typing. Look at it again, then correct it.")
_LABELS = (Part.CATEGORY, Part.URGENCY, Part.SENTIMENT)


@dataclass(frozen=True, slots=True)
class _Sent:
    """A form's fields."""

    fields: Mapping[str, str]

    def get(self, name: str) -> str:
        """A field's text, one line of it."""
        return " ".join(self.fields.get(name, "").split())

    def new(self, name: str, before: str) -> str | None:
        """What a person made of a field; None where it was left as it was."""
        return None if name not in self.fields or self.get(name) == " ".join(before.split()) else self.get(name)


async def correct(request: web.Request) -> web.Response:
    """``POST /calls/{key}/summary``: ``seen`` and any fields of the form, or ``undo_part`` and ``undo_key``."""
    page = await the_call(request)
    fields = _Sent(await form(request))
    say = reader(request).say
    try:
        seen = int(fields.get("seen"))
        changes = list(_changes(page, fields))
    except ValueError as error:
        raise web.HTTPBadRequest(text="this is not the form of a call's page") from error
    try:
        await _keep(request, page, changes, seen)
    except CorrectedMeanwhileError:
        now = await the_call(request)
        return await show(request, now, HTTPStatus.CONFLICT, trouble=say(MEANWHILE), typed=_typed(changes))
    except UnsoundError:
        unsound = HTTPStatus.UNPROCESSABLE_ENTITY
        return await show(request, page, unsound, trouble=say(UNSOUND), typed=_typed(changes))
    raise web.HTTPSeeOther(f"/calls/{page.item.key}#summary")


async def correct_json(request: web.Request) -> web.Response:
    """``PATCH /api/calls/{key}/summary``: ``{"seen", "changes": [{"part", "key", "value", "undo"}]}``."""
    page = await the_call(request)
    sent = await body(request, SummaryChanges)
    changes = [one.change for one in sent.changes]
    try:
        await _keep(request, page, changes, sent.seen)
    except CorrectedMeanwhileError as error:
        return problem(409, "Conflict", str(error), version=error.last)
    except UnsoundError as error:
        return problem(422, "Unprocessable Content", str(error))
    return done()


async def _keep(request: web.Request, page: CallPage, changes: list[Change], seen: int) -> None:
    deps, who = request.app[DEPS], request[SESSION].user.login
    if not changes:
        return
    masked = [replace(one, value=None if one.value is None else _masked(one.value)) for one in changes]
    if await deps.ledger.correct_summary(page.item.key, masked, who=who, now=deps.now(), seen=seen):
        ticket = page.item.ticket
        if ticket is not None:
            await ticket_changed(deps.fanout, ticket.id, page.item.key, page.item.agents)


def _typed(changes: Sequence[Change]) -> list[str]:
    """The texts of changes that were not kept, to be entered again."""
    values = [_masked(one.value) for one in changes if one.value is not None and one.part not in _LABELS]
    return [value[name] for value in values for name in ("text", "value", "what") if name in value]


def _masked(value: Mapping[str, str]) -> dict[str, str]:
    """Without card numbers. What a number is called decides: an order may look like a card."""
    kind = value.get("kind", "")
    called = LABELS[FactKind(kind)] if kind in set(FactKind) else ""
    return {
        name: redact(called + text)[0][len(called) :] if name in ("text", "what", "value") else text
        for name, text in value.items()
    }


def _changes(page: CallPage, sent: _Sent) -> Iterator[Change]:
    """What a form changes of the summary the page showed. ValueError for what no form of ours sends."""
    if "undo_part" in sent.fields:
        yield Change(Part(sent.get("undo_part")), sent.fields.get("undo_key", ""), undo=True)
        return
    if page.machine is None or page.summary is None:
        return
    issue = sent.new("issue", page.summary.issue or "")
    if issue is not None:
        yield Change(Part.ISSUE, value={"text": issue} if issue else None)
    for part in _LABELS:
        label = sent.new(part.value, getattr(page.summary, part.value).value)
        if label is not None:
            yield Change(part, value={"text": label})
    yield from _facts(page, sent)
    yield from _promises(page, sent)


def _facts(page: CallPage, sent: _Sent) -> Iterator[Change]:
    assert page.machine is not None
    for index, (key, fact) in enumerate(facts_by_place(page.machine, page.corrections)):
        if sent.fields.get(f"fact_{index}_key") != key:
            continue  # the page showed others: ``seen`` will say so
        value = sent.new(f"fact_{index}_value", fact.value)
        if sent.get(f"fact_{index}_gone") or value == "":
            yield Change(Part.FACT, key)
        elif value is not None:
            yield Change(Part.FACT, key, {"kind": fact.kind.value, "value": value})
    kind, value = sent.get("fact_new_kind"), sent.get("fact_new_value")
    if kind and value:
        yield Change(
            Part.FACT, fact_key(kind, _masked({"kind": kind, "value": value})["value"]), {"kind": kind, "value": value}
        )


def _promises(page: CallPage, sent: _Sent) -> Iterator[Change]:
    assert page.machine is not None
    for index, (key, promise) in enumerate(promises_by_place(page.machine, page.corrections)):
        if sent.fields.get(f"promise_{index}_key") != key:
            continue
        what = sent.new(f"promise_{index}_what", promise.what)
        by_when = sent.new(f"promise_{index}_by_when", promise.by_when)
        if sent.get(f"promise_{index}_gone") or what == "":
            yield Change(Part.PROMISE, key)
        elif what is not None or by_when is not None:
            then = promise.by_when if by_when is None else by_when
            yield Change(Part.PROMISE, key, {"who": promise.who, "what": what or promise.what, "by_when": then})
    who, what = sent.get("promise_new_who"), sent.get("promise_new_what")
    if who and what:
        value = {"who": who, "what": what, "by_when": sent.get("promise_new_by_when")}
        yield Change(Part.PROMISE, promise_key(who, _masked({"what": what})["what"]), value)


ROUTES = (
    Route("POST", "/calls/{key}/summary", correct, Right.TICKETS),
    Route(
        "PATCH",
        "/api/calls/{key}/summary",
        correct_json,
        Right.TICKETS,
        Api("Correct a call's summary", Scope.WRITE, body=SummaryChanges, status=204, errors=(409, 422)),
    ),
)
