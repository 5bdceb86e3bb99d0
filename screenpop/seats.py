"""Hot-desking: agents name the phone they sit at when they log in, and may move to another without logging out.

Several may sit at one phone; nobody is refused, all of them are told. Whoever sits down at a phone where a colleague
sat finds it without the colleague's work after a call.
"""

import re
from collections.abc import Mapping, Sequence

from aiohttp import web

from screenpop.accounts import secure
from screenpop.card import Json
from screenpop.deps import Deps
from screenpop.desk import topic
from screenpop.presence import TakenOver
from storage.seats import PRESENT, Sitting

EXTENSION = re.compile(r"[0-9]{2,8}", re.ASCII)
COOKIE = "seat"  # the phone named last in this browser
YEAR = 365 * 24 * 3600
BACK = 900.0  # seconds; whoever comes back to their phone within that goes on where they were


def extension_of(text: str) -> str | None:
    """The extension somebody typed, None for none. ValueError where it is not 2 to 8 digits."""
    typed = text.strip()
    if not typed:
        return None
    if not EXTENSION.fullmatch(typed):
        raise ValueError("an extension has 2 to 8 digits")
    return typed


def remembered(request: web.Request) -> str:
    """The phone named last in this browser, '' where none was."""
    kept = request.cookies.get(COOKIE, "")
    return kept if EXTENSION.fullmatch(kept) else ""


def remember(request: web.Request, response: web.StreamResponse, extension: str) -> None:
    """Have this browser offer the phone at the next login."""
    response.set_cookie(COOKIE, extension, max_age=YEAR, samesite="Lax", path="/", secure=secure(request))


def phones(deps: Deps) -> list[str]:
    """The phones one may choose from; others may be typed."""
    return sorted(set(deps.phones()), key=lambda name: (len(name), name))


async def others(deps: Deps, extension: str, login: str) -> list[str]:
    """Names of colleagues who sit at the same phone now."""
    people = await deps.accounts.seats.at(extension, deps.now())
    return _others(_present(people, deps.now()), login)


def word(extension: str | None, names: list[str]) -> Json:
    """What a page is told of its seat."""
    return {"type": "seat", "extension": extension, "others": names}


async def tell(deps: Deps, extension: str) -> None:
    """Tell everybody at a phone who else is there."""
    present = _present(await deps.accounts.seats.at(extension, deps.now()), deps.now())
    for login in present:
        said = word(extension, _others(present, login))
        await deps.fanout.publish(topic(extension), said | {"to": login})


async def sat_down(deps: Deps, login: str, extension: str | None) -> None:
    """A login sits down at a phone: those who sit there are told, and its state is nobody else's."""
    if extension is None:
        return
    now = deps.now()
    await tell(deps, extension)
    if deps.standings is None or len(_present(await deps.accounts.seats.at(extension, now), now)) > 1:
        return
    before = await deps.accounts.seats.last(extension, now, but=1)
    if before is None or before.login != login or now - before.until > BACK:
        await deps.standings.happen(extension, TakenOver(), who=login)


async def stood_up(deps: Deps, _login: str, extension: str | None) -> None:
    """A login leaves a phone: those who still sit there are told."""
    if extension is not None:
        await tell(deps, extension)


def _present(people: Sequence[Sitting], now: float) -> dict[str, str]:
    """Names by login, of who was heard of lately: a browser that was closed without logging out is nobody."""
    return {one.login: one.name or one.login for one in people if now - one.seen <= PRESENT}


def _others(present: Mapping[str, str], login: str) -> list[str]:
    return [name for one, name in present.items() if one != login]
