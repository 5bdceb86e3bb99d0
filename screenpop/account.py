"""One's own account: sessions side by side, and the password. What pages and API do with it, written once."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from aiohttp import web

from screenpop.accounts import LOGINS, NO_PASSWORD, SESSION, LoginError, come_from, know, set_cookie
from screenpop.deps import DEPS
from screenpop.door import Door
from screenpop.endings import ENDINGS
from screenpop.passwords import Weakness, weakness
from storage.accounts import Session
from storage.audit import What
from storage.sessions import Sessions

FRESH = 900.0  # seconds since a login for which it proves who is there, where there is no password to ask for


class StaleError(LoginError):
    """There is no password to ask for, and the login was too long ago."""


class WeakError(Exception):
    """The new password is not taken."""

    def __init__(self, why: Weakness) -> None:
        super().__init__(f"the new password is not taken: {why.value}")
        self.why = why


async def own_sessions(request: web.Request) -> Sequence[Session]:
    """The live logins of who asks, the last used first."""
    return await _sessions(request).of(request[SESSION].user.id, request.app[DEPS].now())


async def end_session(request: web.Request, session_id: int) -> bool:
    """End one of one's own logins; its open pages close at once. False when there is none such."""
    user = request[SESSION].user
    if not await _sessions(request).end(user.id, session_id):
        return False
    await _ended(request, [session_id])
    return True


async def end_others(request: web.Request) -> int:
    """End all of one's logins but this one. How many."""
    session = request[SESSION]
    ended = await _sessions(request).end_others(session.user.id, session.id)
    await _ended(request, ended)
    return len(ended)


async def change_password(request: web.Request, old: str, new: str, response: web.Response) -> web.Response:
    """Change one's password: all other logins end, and this one goes on with the cookie put into the response.

    Raises WeakError, LoginError when the old one is wrong.
    """
    deps, session = request.app[DEPS], request[SESSION]
    user, come = session.user, come_from(request)
    why = Weakness.SAME if new == old else weakness(new, user.login, user.name, deps.site)
    if why is not None:
        raise WeakError(why)
    await request.app[LOGINS].check(user.login, old, come, deps.now())
    hashed = await asyncio.to_thread(deps.hasher.hash, new)
    token, ended = await _sessions(request).change_password(user.id, hashed, deps.now(), session.id)
    await deps.audit.add(user.login, What.PASSWORD_CHANGED, user.login, deps.now(), ip=come.ip)
    await _ended(request, ended)
    set_cookie(request, response, token)
    await request.app[ENDINGS].renew(session.id)
    know(request, response, replace(user, password=hashed))
    return response


async def prove(request: web.Request, password: str) -> None:
    """Hold who is there against who logged in: a page left open is not the person. Raises LoginError."""
    deps, session = request.app[DEPS], request[SESSION]
    if has_password(deps.door, session):
        await request.app[LOGINS].check(session.user.login, password, come_from(request), deps.now())
    elif deps.now() - session.created > FRESH:
        raise StaleError


def has_password(door: Door, session: Session) -> bool:
    """Whether somebody's password opens anything here; who comes from an identity provider only has none."""
    return door.passwords and session.user.password != NO_PASSWORD


async def _ended(request: web.Request, ended: Sequence[int]) -> None:
    deps, user = request.app[DEPS], request[SESSION].user
    if ended:
        told = {"sessions": len(ended)}
        await deps.audit.add(user.login, What.SESSION_ENDED, user.login, deps.now(), told, ip=come_from(request).ip)
    await request.app[ENDINGS].tell(ended)


def _sessions(request: web.Request) -> Sessions:
    return Sessions(request.app[DEPS].accounts.db)
