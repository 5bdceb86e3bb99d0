"""Whether the logins behind all open pages still stand, asked at one go: one by one that would cost the most of all."""

from collections.abc import Collection, Sequence

import structlog
from aiohttp import web

from screenpop.accounts import RENEW, lasts, stands
from screenpop.deps import DEPS, HUB
from screenpop.hub import Page
from screenpop.seats import word
from storage.accounts import Session
from storage.tokens import Holder
from storage.trouble import StorageError
from storage.watched import Watched

log = structlog.get_logger()


async def ended(app: web.Application, pages: Collection[Page]) -> Sequence[Page]:
    """The pages whose login or token has ended, or may something else by now; those that sit elsewhere are moved.

    An open page counts as use of its login.
    """
    people, programs = [page for page in pages if not page.program], [page for page in pages if page.program]
    try:
        logins, tokens = await _logins(app, people), await _tokens(app, programs)
    except StorageError as error:  # who is logged in cannot be known now: calls ring all the same
        log.warning("sessions_unchecked", pages=len(pages), error=str(error))
        return ()
    found: dict[str, Session | Holder] = {**logins, **tokens}
    moved = {}
    for page in pages:
        now = found.get(page.token)
        if now is not None and now.user.role == page.role and now.extension != page.extension:
            moved[page.session] = now.extension  # by way of another process perhaps
    for session, extension in moved.items():
        app[HUB].move_session(session, word(extension, []))
    return [page for page in pages if page.token not in found or found[page.token].user.role != page.role]


async def _logins(app: web.Application, pages: Collection[Page]) -> dict[str, Session]:
    deps = app[DEPS]
    now, watched = deps.now(), Watched(deps.accounts.db)
    live = await watched.live({page.token for page in pages}, now)
    found = {token: one for token, one in live.items() if stands(one, now)}
    used = [one for one in found.values() if now - one.seen >= RENEW]
    try:
        await watched.seen([(one, lasts(one, now)) for one in used], now)
    except StorageError as error:  # they still stand for now, and who has ended is known
        log.warning("use_of_sessions_not_written", error=str(error))
    return found


async def _tokens(app: web.Application, pages: Collection[Page]) -> dict[str, Holder]:
    tokens, now = app[DEPS].tokens, app[DEPS].now()
    asked = {token: await tokens.holder(token, now) for token in {page.token for page in pages}}
    return {token: holder for token, holder in asked.items() if holder is not None}
