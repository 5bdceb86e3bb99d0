"""JSON for programs and for the pages' own modules, behind the same rights. Errors are problem details.

Times are epoch seconds, lists have a ``cursor`` (null at the end). Documented in ``docs/desk.md``.
"""

import json
from dataclasses import asdict

from aiohttp import web

from screenpop.accounts import SESSION
from screenpop.audio import the_call
from screenpop.call_pages import players, transcript_state, withheld
from screenpop.card import Json
from screenpop.deps import DEPS
from screenpop.errors import problem
from screenpop.forms import json_object
from screenpop.rights import RIGHTS, Role
from screenpop.ticket_pages import a_page, tell, the_ticket
from storage.edits import RefusedError, StaleError, TicketField
from storage.pages import CallItem, TicketItem, TicketPage

DAY = 86400
LONGEST_LOOK = 3650  # days


def ticket_json(item: TicketItem) -> Json:
    """A ticket of a list."""
    ticket = item.ticket
    return {
        "id": ticket.id,
        "number": ticket.number,
        "version": item.version,
        "status": ticket.status.value,
        "title": ticket.title,
        "category": ticket.category,
        "urgency": ticket.urgency,
        "owner": ticket.owner,
        "line": ticket.line,
        "caller": ticket.caller,
        "customer": None
        if ticket.customer_id is None
        else {"id": ticket.customer_id, "name": ticket.customer_name, "vip": item.vip},
        "reach": item.reach and item.reach.value,
        "calls": ticket.calls,
        "missed": item.missed,
        "opened": ticket.opened,
        "changed": ticket.changed,
    }


def call_json(call: CallItem) -> Json:
    """A call of a list."""
    return {
        "call": str(call.key),
        "caller": call.caller,
        "e164": call.e164,
        "region": call.region,
        "line": call.line,
        "phase": call.phase.value,
        "outcome": call.outcome and call.outcome.value,
        "arrived": call.arrived,
        "answered": call.answered,
        "ended": call.ended,
        "agents": list(call.agents),
        "ticket": call.ticket and {"id": call.ticket.id, "number": call.ticket.number, "joined": call.ticket.joined},
        "recorded": call.recorded,
        "waiting": call.waiting and call.waiting.value,
    }


def ticket_page_json(page: TicketPage) -> Json:
    """A ticket whole; ``typed`` names the fields whose value is a person's."""
    return {
        **ticket_json(page.item),
        "typed": sorted(page.typed),
        "call_list": [call_json(call) for call in page.calls],
        "timeline": [
            {
                "at": line.at,
                "kind": line.kind.value,
                "who": line.who,
                "call": line.call and str(line.call),
                "detail": dict(line.detail),
            }
            for line in page.timeline
        ],
        "crm": page.crm
        and {
            "id": page.crm.id,
            "state": page.crm.state.value,
            "status": page.crm.theirs and page.crm.theirs.value,
            "said": page.crm.said,
            "owner": page.crm.owner,
            "url": page.crm.url,
            "trouble": page.crm.trouble,
            "since": page.crm.troubled,
        },
    }


async def me(request: web.Request) -> web.Response:
    """``GET /api/me``: who is logged in and what they may do."""
    user = request[SESSION].user
    rights = sorted(RIGHTS[Role(user.role)])
    return _answer(
        {"login": user.login, "name": user.name, "role": user.role, "extension": user.extension, "rights": rights}
    )


async def tickets(request: web.Request) -> web.Response:
    """``GET /api/tickets``: filters as the page's; an agent gets their own."""
    found = await a_page(request)
    return _answer({"tickets": [ticket_json(item) for item in found.items], "cursor": found.cursor})


async def ticket(request: web.Request) -> web.Response:
    """``GET /api/tickets/{id}``."""
    return _answer(ticket_page_json(await the_ticket(request)))


async def change_ticket(request: web.Request) -> web.Response:
    """``PATCH /api/tickets/{id}``: ``version`` and the fields to change; 409 when the version is an old one."""
    page = await the_ticket(request)
    body = await json_object(request)
    version = body.pop("version", None)
    known = {field.value for field in TicketField}
    if not isinstance(version, int) or not body or not set(body) <= known:
        return problem(400, "Bad Request", f"version (a whole number) and any of {', '.join(sorted(known))}")
    if not all(value is None or isinstance(value, str) for value in body.values()):
        return problem(400, "Bad Request", "values are text or null")
    deps = request.app[DEPS]
    ticket_id = page.item.ticket.id
    changes = {TicketField(name): value for name, value in body.items()}
    try:
        await deps.ledger.edit_ticket(
            ticket_id, changes, who=request[SESSION].user.login, now=deps.now(), version=version
        )
    except StaleError as error:
        return problem(409, "Conflict", str(error))
    except RefusedError as error:
        return problem(422, "Unprocessable Content", str(error))
    await tell(request, ticket_id, page.calls)
    return _answer(ticket_page_json(await the_ticket(request)))


async def add_note(request: web.Request) -> web.Response:
    """``POST /api/tickets/{id}/notes``: ``{"text": ...}``."""
    page = await the_ticket(request)
    text = (await json_object(request)).get("text")
    if not isinstance(text, str):
        return problem(400, "Bad Request", "text is missing")
    deps = request.app[DEPS]
    try:
        await deps.ledger.note(page.item.ticket.id, text, request[SESSION].user.login, deps.now())
    except RefusedError as error:
        return problem(422, "Unprocessable Content", str(error))
    await tell(request, page.item.ticket.id, page.calls)
    return web.Response(status=204)


async def call(request: web.Request) -> web.Response:
    """``GET /api/calls/{key}``: facts, recordings, transcript, summary, alarms; for whom the call concerns."""
    page = await the_call(request)
    return _answer(
        {
            **call_json(page.item),
            "dialled": page.dialled,
            "events": [
                {"at": event.at, "kind": event.kind.value, "subject": event.subject, "detail": dict(event.detail)}
                for event in page.events
            ],
            "recordings": [
                {
                    "kind": player.recording.kind.value,
                    "began": player.recording.began,
                    "seconds": player.seconds,
                    "repaired": player.recording.repaired,
                    "deleted": player.recording.deleted,
                    "withheld": player.withheld,
                    "legs": {track.leg.value: track.url for track in player.tracks},
                    "talk": [{"agent": t.agent, "start": t.start, "end": t.end} for t in player.talk],
                }
                for player in players(page, await withheld(request, page))
            ],
            "transcript": transcript_state(page),
            "turns": [
                {
                    "speaker": turn.speaker.value,
                    "agent": turn.agent,
                    "start": turn.start,
                    "end": turn.end,
                    "text": turn.text,
                    "confidence": turn.confidence,
                }
                for turn in (page.transcript.turns if page.transcript else ())
            ],
            "summary": page.summary
            and {
                "issue": page.summary.issue,
                "category": page.summary.category.value,
                "urgency": page.summary.urgency.value,
                "sentiment": page.summary.sentiment.value,
                "facts": [
                    {
                        "kind": fact.kind.value,
                        "value": fact.value,
                        "speaker": fact.speaker,
                        "at": fact.at,
                        "sure": fact.sure,
                        "turns": list(fact.turns or (fact.turn,) if fact.turn >= 0 else ()),
                        "by": fact.by,
                    }
                    for fact in page.summary.facts
                ],
                "promises": [
                    {
                        "who": promise.who,
                        "what": promise.what,
                        "by_when": promise.by_when,
                        "turns": list(promise.turns or (promise.turn,) if promise.turn >= 0 else ()),
                        "by": promise.by,
                    }
                    for promise in page.summary.promises
                ],
                "next_step": page.summary.next_step
                and {
                    "who": page.summary.next_step.who,
                    "what": page.summary.next_step.what,
                    "by_when": page.summary.next_step.by_when,
                    "turns": list(page.summary.next_step.turns),
                },
                "evidence": {sentence: list(turns) for sentence, turns in page.summary.evidence.items()},
            },
            "corrected": page.corrected,
            "corrections": [
                {
                    "part": one.part.value,
                    "key": one.key,
                    "value": one.value and dict(one.value),
                    "machine": one.machine and dict(one.machine),
                    "who": one.who,
                    "at": one.at,
                }
                for one in page.corrections
            ],
            "polished": page.polished and dict(page.polished),
            "alarms": [{"kind": alarm.kind.value, "detail": alarm.detail, "at": alarm.at} for alarm in page.alarms],
        }
    )


async def corrections(request: web.Request) -> web.Response:
    """``GET /api/corrections``: how much people corrected of the summaries of ``days`` (30) days, by line and model."""
    days = request.query.get("days", "30")
    if not days.isdecimal() or not 0 < int(days) <= LONGEST_LOOK:
        return problem(400, "Bad Request", f"days is a whole number up to {LONGEST_LOOK}")
    deps = request.app[DEPS]
    found = await deps.reads.corrected(deps.now() - int(days) * DAY)
    return _answer({"days": int(days), "corrected": [asdict(one) for one in found]})


async def status(request: web.Request) -> web.Response:
    """``GET /api/status``: what ``/status`` shows."""
    return _answer(dict(await request.app[DEPS].status()))


def _answer(body: Json) -> web.Response:
    return web.json_response(body, dumps=lambda value: json.dumps(value, ensure_ascii=False))
