"""Who is told of calls by webhook, how that goes, and telling it again: ``/deliveries`` and the same as JSON.

What was sent holds callers' numbers, so each look at one is audited. Telling again keeps the id of what is told, that a
receiver may know it; time and signature are those of the new sending.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field

from screenpop.accounts import SESSION, come_from
from screenpop.answers.deliveries import (
    DeliveryItem,
    DeliveryList,
    Receiver,
    Receivers,
    Replayed,
    WholeDelivery,
)
from screenpop.deps import DEPS
from screenpop.forms import query
from screenpop.numbers import may_see
from screenpop.outgoing import Outgoing
from screenpop.rendering import render
from screenpop.rights import Right
from screenpop.route import Api, Route, Scope, Shape
from screenpop.row_id import row_id
from screenpop.shapes import answer, done, query_of, row_below
from storage.audit import What
from storage.deliveries import Delivery
from storage.jobs import JobState

PAGE = 50
MOST = 200


class DeliveriesQuery(Shape):
    """Which attempts."""

    receiver: str | None = None
    call: str | None = None
    failed: bool = False
    cursor: str | None = None
    limit: Annotated[int, Field(ge=1, le=MOST)] = PAGE


async def receivers_json(request: web.Request) -> web.Response:
    """``GET /api/receivers``."""
    return answer(Receivers(receivers=await _receivers(request)))


async def listed(request: web.Request) -> web.Response:
    """``GET /api/deliveries``."""
    asked = query_of(request, DeliveriesQuery)
    rows, cursor = await _page(request, asked)
    return answer(DeliveryList(deliveries=tuple(DeliveryItem.of(row) for row in rows), cursor=cursor))


async def one(request: web.Request) -> web.Response:
    """``GET /api/deliveries/{id}``."""
    return answer(WholeDelivery.of(await _looked(request), full=may_see(request)))


async def again(request: web.Request) -> web.Response:
    """``POST /api/deliveries/{id}/again``."""
    await _again(request)
    return done()


async def all_again(request: web.Request) -> web.Response:
    """``POST /api/receivers/{receiver}/again``: whatever was given up."""
    return answer(Replayed(calls=await _all_again(request)))


async def resume(request: web.Request) -> web.Response:
    """``POST /api/receivers/{receiver}/resume``."""
    await _resume(request)
    return done()


async def page(request: web.Request) -> web.Response:
    """``GET /deliveries``: receivers, and attempts by ``receiver``, ``call``, ``failed``."""
    asked = {name: value for name, value in query(request).items() if value}
    wanted = DeliveriesQuery(
        receiver=asked.get("receiver"),
        call=asked.get("call", "").strip() or None,
        failed="failed" in asked,
        cursor=asked.get("cursor"),
    )
    rows, cursor = await _page(request, wanted)
    kept = {name: value for name, value in asked.items() if name != "cursor"}
    return render(
        request,
        "deliveries.html",
        receivers=await _receivers(request),
        rows=rows,
        query=kept,
        first=wanted.cursor is None,
        more=f"/deliveries?{urlencode({**kept, 'cursor': cursor})}" if cursor else None,
    )


async def one_page(request: web.Request) -> web.Response:
    """``GET /deliveries/{id}``."""
    return render(request, "delivery.html", one=await _looked(request))


async def again_form(request: web.Request) -> web.Response:
    """``POST /deliveries/{id}/again``."""
    found = await _again(request)
    raise web.HTTPSeeOther(f"/deliveries?{urlencode({'call': found.call})}")


async def all_again_form(request: web.Request) -> web.Response:
    """``POST /receivers/{receiver}/again``."""
    await _all_again(request)
    raise web.HTTPSeeOther("/deliveries")


async def resume_form(request: web.Request) -> web.Response:
    """``POST /receivers/{receiver}/resume``."""
    await _resume(request)
    raise web.HTTPSeeOther("/deliveries")


def _outgoing(request: web.Request) -> Outgoing:
    outgoing = request.app[DEPS].outgoing
    if outgoing is None:
        raise web.HTTPNotFound(text="nobody is told of calls here")
    return outgoing


async def _receivers(request: web.Request) -> tuple[Receiver, ...]:
    outgoing = request.app[DEPS].outgoing
    if outgoing is None:
        return ()
    counts, gone = await outgoing.outbox.counts(), await outgoing.deliveries.gone()
    return tuple(
        Receiver(
            receiver=one["receiver"],
            kind=one["kind"],
            state=str(one["state"].value),
            told=one["told"],
            failed=one["failed"],
            waiting=counts.get((one["receiver"], JobState.READY), 0),
            given_up=counts.get((one["receiver"], JobState.DEAD), 0),
            error=one["error"],
            gone=gone.get(one["receiver"]),
        )
        for one in outgoing.told.report()
    )


async def _page(request: web.Request, asked: DeliveriesQuery) -> tuple[Sequence[Delivery], str | None]:
    """A page and the cursor of the next. 400 for a cursor that is none of ours."""
    below = row_below(asked.cursor)
    outgoing = request.app[DEPS].outgoing
    if outgoing is None:
        return [], None
    rows = await outgoing.deliveries.page(
        target=asked.receiver,
        call=asked.call,
        failed=asked.failed,
        below=below,
        limit=asked.limit + 1,
    )
    return rows[: asked.limit], str(rows[asked.limit - 1].id) if len(rows) > asked.limit else None


async def _looked(request: web.Request) -> Delivery:
    found = await _outgoing(request).deliveries.get(row_id(request))
    if found is None:
        raise web.HTTPNotFound(text="no such delivery; they are kept for thirty days")
    await _audit(request, What.LOOKED, found.call, {"delivery": found.id})
    return found


async def _again(request: web.Request) -> Delivery:
    outgoing = _outgoing(request)
    kept = await outgoing.deliveries.get(row_id(request))
    if kept is not None:
        await _hears(request, kept.target)
    found = None if kept is None else await outgoing.deliveries.again(kept.id, request.app[DEPS].now())
    if found is None:
        raise web.HTTPNotFound(text="no such delivery; they are kept for thirty days")
    outgoing.outbox.wake()
    await _audit(request, What.JOB_REPLAYED, found.call, {"receiver": found.target, "name": found.name})
    return found


async def _all_again(request: web.Request) -> int:
    receiver, outgoing = await _receiver(request), _outgoing(request)
    await _hears(request, receiver)
    count = await outgoing.deliveries.all_again(receiver, request.app[DEPS].now())
    outgoing.outbox.wake()
    await _audit(request, What.JOB_REPLAYED, receiver, {"calls": count})
    return count


async def _resume(request: web.Request) -> None:
    receiver = await _receiver(request)
    await _outgoing(request).told.resume(receiver)
    await _audit(request, What.JOB_REPLAYED, receiver, {"resumed": True})


async def _hears(request: web.Request, receiver: str) -> None:
    """409 for a receiver whom nothing would reach."""
    found = next((one for one in await _receivers(request) if one.receiver == receiver), None)
    if found is None:
        raise web.HTTPConflict(text="this receiver is configured no more")
    if found.gone is not None:
        raise web.HTTPConflict(text="this receiver wants to hear no more: ask it again first")


async def _receiver(request: web.Request) -> str:
    wanted = request.match_info["receiver"]
    if wanted not in {one.receiver for one in await _receivers(request)}:
        raise web.HTTPNotFound(text="no such receiver")
    return wanted


async def _audit(request: web.Request, what: What, subject: str, detail: Mapping[str, Any]) -> None:
    deps = request.app[DEPS]
    await deps.audit.add(request[SESSION].user.login, what, subject, deps.now(), detail, ip=come_from(request).ip)


def _api(
    summary: str,
    shape: type[Shape] | None = None,
    asked: type[Shape] | None = None,
    *,
    status: int = 200,
    errors: tuple[int, ...] = (),
) -> Api:
    errors = (400,) if asked else errors
    return Api(summary, Scope.STATUS, answer=shape, query=asked, status=status, errors=errors)


ROUTES = (
    Route("GET", "/deliveries", page, Right.STATUS),
    Route("GET", r"/deliveries/{id:\d+}", one_page, Right.STATUS),
    Route("POST", r"/deliveries/{id:\d+}/again", again_form, Right.STATUS),
    Route("POST", "/receivers/{receiver}/again", all_again_form, Right.STATUS),
    Route("POST", "/receivers/{receiver}/resume", resume_form, Right.STATUS),
    Route("GET", "/api/receivers", receivers_json, Right.STATUS, _api("Who is told of calls", Receivers)),
    Route(
        "GET",
        "/api/deliveries",
        listed,
        Right.STATUS,
        _api("Attempts to tell of calls", DeliveryList, DeliveriesQuery),
    ),
    Route("GET", r"/api/deliveries/{id:\d+}", one, Right.STATUS, _api("One attempt, whole", WholeDelivery)),
    Route(
        "POST",
        r"/api/deliveries/{id:\d+}/again",
        again,
        Right.STATUS,
        _api("Tell it once more", status=204, errors=(409,)),
    ),
    Route(
        "POST",
        "/api/receivers/{receiver}/again",
        all_again,
        Right.STATUS,
        _api("Tell a receiver whatever was given up", Replayed, errors=(409,)),
    ),
    Route(
        "POST",
        "/api/receivers/{receiver}/resume",
        resume,
        Right.STATUS,
        _api("Ask a receiver again that had gone", status=204),
    ),
)
