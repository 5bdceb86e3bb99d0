"""What an agent does about their own desk: state, the work after a call, the phone they sit at.

A pause is one at the PBX or it is none: the PBX is asked first, and where no login of ours may do that, nothing is
paused. What an agent is told of the PBX's pauses comes by itself (:meth:`screenpop.standings.Standings.happen`).
"""

from aiohttp import web

from screenpop import seats
from screenpop.accounts import SESSION, come_from
from screenpop.answers.cards import CallCard
from screenpop.answers.desk import Desk, DeskState, Seat, SeatTaken, StateChange
from screenpop.deps import DEPS, HUB, Deps
from screenpop.dialling import STATUS
from screenpop.errors import problem
from screenpop.finding import asker
from screenpop.hands import Cannot, HandError
from screenpop.presence import AgentState, Done, Happening, Longer, Pause, Ready, WrapUp
from screenpop.rights import Right
from screenpop.route import Api, Route, Scope
from screenpop.shapes import answer, body
from screenpop.standings import Standings
from storage.audit import What
from telephony.call import CallKey

LONGER = 60.0  # seconds that the work after a call is prolonged by
LOOK_BACK = 900.0  # seconds; work about a call that ended before is not taken up again


async def desk(request: web.Request) -> web.Response:
    """``GET /api/desk``."""
    deps, session = request.app[DEPS], request[SESSION]
    extension, hand = session.extension, deps.hand
    state = None
    if extension is not None and deps.standings is not None:
        state = DeskState.model_validate(await deps.standings.of(extension))
    return answer(
        Desk(
            extension=extension,
            own=session.user.extension,
            state=state,
            others=() if extension is None else tuple(await seats.others(deps, extension, session.user.login)),
            phones=tuple(seats.phones(deps)),
            reasons=() if hand is None else tuple(hand.pauses),
            may_pause=hand is not None and hand.may_pause,
            may_dial=hand is not None and hand.may_dial,
            wrap_up=0.0 if deps.standings is None else deps.standings.wrap_up(None),
            missed=0 if deps.callbacks is None else (await deps.callbacks.waiting(deps.now(), limit=1)).waiting,
            now=deps.now(),
        )
    )


async def change(request: web.Request) -> web.Response:
    """``POST /api/desk/state``: 409 without a phone, or where the PBX does not take it."""
    deps, session = request.app[DEPS], request[SESSION]
    wanted = await body(request, StateChange)
    if session.extension is None or deps.standings is None:
        return _no_phone()
    extension, what = session.extension, await _happening(deps, deps.standings, session.extension, wanted)
    paused = AgentState((await deps.standings.of(extension))["state"]) is AgentState.PAUSED
    if paused or wanted.state is AgentState.PAUSED:
        try:
            await _at_the_pbx(deps, extension, wanted)
        except HandError as error:
            return problem(STATUS[error.kind], error.kind.value, error.text)
    return await _happened(request, deps.standings, extension, what)


async def done(request: web.Request) -> web.Response:
    """``POST /api/desk/wrap-up/done``: the work after the call is done."""
    return await _of_work(request, Done())


async def work(request: web.Request) -> web.Response:
    """``GET /api/desk/work``: the card of the call that the work after it is about; 404 where there is none."""
    deps, session = request.app[DEPS], request[SESSION]
    if session.extension is None or deps.standings is None:
        return _no_phone()
    told = (await deps.standings.of(session.extension))["call"]
    if told is None:
        raise web.HTTPNotFound(text="there is no work after a call")
    call = CallKey.parse(told)
    if not await deps.reads.concerns(call, asker(session)):
        raise web.HTTPForbidden(text="this call is not yours")
    card = await deps.card(call, session.extension)
    if card is None:
        raise web.HTTPNotFound(text="nothing is kept of that call")
    return answer(CallCard.model_validate(card))


async def longer(request: web.Request) -> web.Response:
    """``POST /api/desk/wrap-up/longer``: it takes a minute more; 409 when it is over."""
    return await _of_work(request, Longer(LONGER))


async def sit(request: web.Request) -> web.Response:
    """``POST /api/desk/seat``: sit at another phone, or at none; the desks of this login open anew."""
    deps, session = request.app[DEPS], request[SESSION]
    wanted = (await body(request, Seat)).extension
    user, before = session.user, session.extension
    if wanted != before:
        if not await deps.accounts.seats.sit(session.id, user.login, wanted, deps.now()):
            raise web.HTTPUnauthorized(text="log in first")
        ip = come_from(request).ip
        await deps.audit.add(
            user.login, What.SEATED, user.login, deps.now(), {"extension": wanted, "before": before}, ip=ip
        )
        if before is not None:
            await seats.tell(deps, before)
        await seats.sat_down(deps, user.login, wanted)
    names = [] if wanted is None else await seats.others(deps, wanted, user.login)
    if wanted != before:
        request.app[HUB].move_session(session.id, seats.word(wanted, names))
    response = answer(SeatTaken(extension=wanted, others=tuple(names)))
    if wanted is not None:
        seats.remember(request, response, wanted)
    return response


async def _happening(deps: Deps, standings: Standings, extension: str, wanted: StateChange) -> Happening:
    match wanted.state:
        case AgentState.READY:
            return Ready()
        case AgentState.PAUSED:
            return Pause(wanted.reason)
        case AgentState.WRAP_UP:
            return WrapUp(await _last_call(deps, standings, extension), standings.wrap_up(None) or LONGER)


async def _last_call(deps: Deps, standings: Standings, extension: str) -> CallKey | None:
    """The call to go back to: of one's own time at this phone, and not long ago."""
    sat = await deps.accounts.seats.last(extension, deps.now())
    since = max(deps.now() - LOOK_BACK, deps.now() if sat is None else sat.began)
    return await standings.last_work(extension, since)


async def _at_the_pbx(deps: Deps, extension: str, wanted: StateChange) -> None:
    """Have the PBX pause the phone, or take it back. HandError."""
    if deps.hand is None or not deps.hand.may_pause:
        raise HandError(Cannot.NOT_ALLOWED, "no login of the PBX may pause phones")
    if wanted.reason is not None and deps.hand.pauses and wanted.reason not in deps.hand.pauses:
        raise HandError(Cannot.NOT_ALLOWED, f"a pause is for one of {', '.join(deps.hand.pauses)}")
    await deps.hand.pause(extension, wanted.state is AgentState.PAUSED, wanted.reason)


async def _of_work(request: web.Request, what: Happening) -> web.Response:
    deps, session = request.app[DEPS], request[SESSION]
    if session.extension is None or deps.standings is None:
        return _no_phone()
    return await _happened(request, deps.standings, session.extension, what)


async def _happened(request: web.Request, standings: Standings, extension: str, what: Happening) -> web.Response:
    changed = await standings.happen(extension, what, who=request[SESSION].user.login)
    state = DeskState.model_validate(await standings.of(extension))
    if not changed and isinstance(what, Longer) and state.until is None:
        return problem(409, "Conflict", "the work after the call is over")
    return answer(state)


def _no_phone() -> web.Response:
    return problem(409, Cannot.NO_PHONE.value, "name the phone you sit at first: POST /api/desk/seat")


ROUTES = (
    Route(
        "GET", "/api/desk", desk, Right.DESK, Api("One's own desk: state, phone, what may be done", Scope.DESK, Desk)
    ),
    Route(
        "POST",
        "/api/desk/state",
        change,
        Right.DESK,
        Api(
            "Be ready, pause, or go back to the work after a call",
            Scope.DESK,
            DeskState,
            StateChange,
            errors=(400, 409, 422, 502),
        ),
    ),
    Route(
        "GET",
        "/api/desk/work",
        work,
        Right.DESK,
        Api("The card of the call that the work after it is about", Scope.DESK, CallCard, errors=(404, 409)),
    ),
    Route(
        "POST",
        "/api/desk/wrap-up/done",
        done,
        Right.DESK,
        Api("The work after the call is done", Scope.DESK, DeskState, errors=(409,)),
    ),
    Route(
        "POST",
        "/api/desk/wrap-up/longer",
        longer,
        Right.DESK,
        Api("The work after the call takes a minute more", Scope.DESK, DeskState, errors=(409,)),
    ),
    Route(
        "POST",
        "/api/desk/seat",
        sit,
        Right.DESK,
        Api("Sit at another phone, or at none", None, SeatTaken, Seat, errors=(400,), people=True),
    ),
)
