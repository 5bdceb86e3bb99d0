"""One's own programs: tokens made, shown once, looked at and revoked; on the account's page and as JSON.

Only by a person's login: a token makes no tokens.
"""

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from aiohttp import web

from screenpop.account import StaleError, has_password, prove
from screenpop.account_api import unproven
from screenpop.account_words import THROTTLED, WRONG_PASSWORD
from screenpop.accounts import SESSION, LoginError, ThrottledError, come_from
from screenpop.answers.tokens import LONGEST_DAYS, MadeToken, NewToken, TokenItem, TokenList
from screenpop.deps import DEPS
from screenpop.errors import problem
from screenpop.forms import form
from screenpop.rendering import reader, render
from screenpop.rights import Right, Role, may
from screenpop.route import Api, Route, Scope
from screenpop.row_id import row_id
from screenpop.shapes import answer, body, done
from screenpop.tokens import NEEDS
from screenpop.words import N_, Words
from storage.audit import What
from storage.tokens import LONGEST_NAME, Token, TokenError

DAY = 86400.0
SCOPE: Words = {
    "calls": N_("Read calls, transcripts and recordings"),
    "tickets": N_("Read tickets and customers, search"),
    "write": N_("Change tickets, summaries and customers, add notes"),
    "desk": N_("Own state, phone and cards"),
    "numbers": N_("Callers' numbers in full"),
    "audit": N_("Who looked at what"),
    "privacy": N_("Export and erase what is kept of one person"),
    "status": N_("State of the service, deliveries"),
}
DAYS = re.compile(r"[0-9]{1,6}")
LASTS = (30, 90, 365, 0)  # days, 0: never ends
CANNOT = N_("A token needs a name and at least one thing it may do.")
REFUSED = N_("No more tokens can be made: revoke some first.")
STALE = N_("Log out and in again first: a token is made within a quarter of an hour after the login.")


async def token_values(request: web.Request) -> dict[str, Any]:
    """What the template ``_tokens.html`` shows; for the account's page."""
    deps, session = request.app[DEPS], request[SESSION]
    now = deps.now()
    role = Role(session.user.role)
    return {
        "tokens": [token for token in await deps.tokens.of(session.user.login) if token.live(now)],
        "scope_words": {code: text for code, text in SCOPE.items() if may(role, NEEDS[Scope(code)])},
        "every_scope": SCOPE,
        "lasts": LASTS,
        "asks_password": has_password(deps.door, session),
        "longest_name": LONGEST_NAME,
    }


async def make(request: web.Request) -> web.Response:
    """``POST /account/tokens``: ``name``, ``days`` (0: no end), ``scope_calls=1``..., ``password``: shows it once."""
    fields = await form(request)
    days = fields.get("days", "")
    if not DAYS.fullmatch(days) or int(days) > LONGEST_DAYS:
        raise web.HTTPBadRequest(text=f"days is a whole number up to {LONGEST_DAYS}")
    role = Role(request[SESSION].user.role)
    scopes = [scope for scope in Scope if fields.get(f"scope_{scope.value}") and may(role, NEEDS[scope])]
    say = reader(request).say
    if not scopes or not fields.get("name", "").strip():
        return render(request, "token.html", 422, made=None, trouble=say(CANNOT))
    try:
        await prove(request, fields.get("password", ""))
        made, secret = await _make(request, fields["name"], scopes, int(days) or None)
    except TokenError:
        return render(request, "token.html", 422, made=None, trouble=say(REFUSED))
    except LoginError as error:
        late = isinstance(error, ThrottledError)
        why = THROTTLED if late else STALE if isinstance(error, StaleError) else WRONG_PASSWORD
        return render(request, "token.html", 429 if late else 422, made=None, trouble=say(why))
    return render(request, "token.html", made=made, secret=secret, every_scope=SCOPE, trouble="")


async def revoke(request: web.Request) -> web.Response:
    """``POST /account/tokens/{id}/revoke``."""
    await _revoke(request)
    raise web.HTTPSeeOther("/account#tokens")


async def tokens_json(request: web.Request) -> web.Response:
    """``GET /api/tokens``."""
    found = await request.app[DEPS].tokens.of(request[SESSION].user.login)
    return answer(TokenList(tokens=tuple(TokenItem.of(token) for token in found)))


async def make_json(request: web.Request) -> web.Response:
    """``POST /api/tokens``: 422 for scopes that one's own role does not reach."""
    sent = await body(request, NewToken)
    role = Role(request[SESSION].user.role)
    beyond = [scope.value for scope in sent.scopes if not may(role, NEEDS[scope])]
    if beyond:
        return problem(
            422, "Unprocessable Content", f"your role has not what {', '.join(beyond)} opens", refusal="scope"
        )
    try:
        await prove(request, sent.password)
        made, secret = await _make(request, sent.name, sent.scopes, sent.days)
    except StaleError:
        return problem(422, "Unprocessable Content", "the login was too long ago: log in again", refusal="proof")
    except LoginError as error:
        return unproven(error, "the present password is wrong")
    except TokenError as error:
        return problem(422, "Unprocessable Content", str(error), refusal="token")
    return answer(MadeToken.with_secret(made, secret), HTTPStatus.CREATED)


async def revoke_json(request: web.Request) -> web.Response:
    """``DELETE /api/tokens/{id}``."""
    await _revoke(request)
    return done()


async def _make(request: web.Request, name: str, scopes: Iterable[Scope], days: int | None) -> tuple[Token, str]:
    deps, login = request.app[DEPS], request[SESSION].user.login
    now = deps.now()
    expires = None if days is None else now + days * DAY
    made, secret = await deps.tokens.make(
        login, name, [scope.value for scope in scopes], by=login, now=now, expires=expires
    )
    detail = {"id": made.id, "name": made.name, "scopes": sorted(made.scopes), "expires": expires}
    await deps.audit.add(login, What.PROGRAM_ADDED, login, now, detail, ip=come_from(request).ip)
    return made, secret


async def _revoke(request: web.Request) -> None:
    deps, login = request.app[DEPS], request[SESSION].user.login
    now = deps.now()
    ended = await deps.tokens.revoke(row_id(request), by=login, now=now, login=login)
    if ended is None:
        raise web.HTTPNotFound(text="you have no such token")
    detail = {"id": ended.id, "name": ended.name}
    await deps.audit.add(login, What.PROGRAM_REMOVED, login, now, detail, ip=come_from(request).ip)


ROUTES = (
    Route("POST", "/account/tokens", make, Right.ACCOUNT),
    Route("POST", r"/account/tokens/{id:\d+}/revoke", revoke, Right.ACCOUNT),
    Route(
        "GET",
        "/api/tokens",
        tokens_json,
        Right.ACCOUNT,
        Api("One's own programs' tokens", None, answer=TokenList, people=True),
    ),
    Route(
        "POST",
        "/api/tokens",
        make_json,
        Right.ACCOUNT,
        Api(
            "Make a token; its secret is told once",
            None,
            answer=MadeToken,
            body=NewToken,
            status=201,
            errors=(422, 429),
            people=True,
        ),
    ),
    Route(
        "DELETE",
        r"/api/tokens/{id:\d+}",
        revoke_json,
        Right.ACCOUNT,
        Api("Revoke a token", None, status=204, people=True),
    ),
)
