"""Logging in and out, and who a request comes from.

The browser holds a random token and nothing else. A session ends two hours after it was last used and twelve hours
after the login whatever happened; an open desk counts as use. A wrong login costs the same time as a wrong password,
and both are counted, by name and by address, so that guessing stops long before it finds anything; those of a browser
that the same person logged in with before are counted apart (:mod:`screenpop.known`). Passwords are hashed in a thread,
two at a time: each takes a tenth of a second and 64 MB on purpose.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import structlog
from aiohttp import web
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from screenpop.deps import DEPS
from screenpop.known import counted_as, with_mark
from screenpop.people import People
from screenpop.rights import Role
from storage.accounts import AccountError, Accounts, Session, User
from storage.audit import Audit, What

COOKIE = "hotline"
KNOWN = f"{COOKIE}_known"  # says who logged in with this browser before
KNOWN_LASTS = 90 * 86400.0  # seconds
IDLE = 2 * 3600.0  # seconds
LONGEST = 12 * 3600.0
RENEW = 300.0  # a session's last use is written down at most this often
WINDOW = 15 * 60.0
MOST_BY_LOGIN = 8  # failed logins in the window
MOST_BY_ADDRESS = 40
AT_ONCE = 2
NO_PASSWORD = "!"  # noqa: S105 - instead of a hash: who logs in by an identity provider only

SESSION: web.RequestKey[Session] = web.RequestKey("session", Session)

log = structlog.get_logger()


class LoginError(Exception):
    """Nobody was logged in."""


class WrongError(LoginError):
    """Login or password is wrong; which of them is not said."""


class ThrottledError(LoginError):
    """Too many failures of this login or from this address; ``wait`` seconds until the oldest may be forgotten."""

    def __init__(self, wait: float) -> None:
        super().__init__(f"too many failed logins, wait {wait:.0f} s")
        self.wait = wait


@dataclass(frozen=True, slots=True)
class From:
    """Where a login comes from. ``known``: the marks of who logged in there before."""

    ip: str | None
    browser: str | None
    known: str = ""

    @property
    def network(self) -> str | None:
        """What failures are counted by: the address; of IPv6 the network, as one machine has all of its addresses."""
        address = _address(self.ip or "")
        return str(IPv6Network((int(address), 64), strict=False)) if isinstance(address, IPv6Address) else self.ip


SatDown = Callable[[str, str | None], Awaitable[None]]


async def nobody(_login: str, _extension: str | None) -> None:
    """Who is told that a login sits down at a phone or leaves it, where there are no phones."""


class Logins:
    """Logins and sessions over the accounts that storage keeps.

    ``people``: what they are called. ``sat_down`` is told who logs in at which phone, ``stood_up`` who leaves it.
    """

    def __init__(
        self,
        accounts: Accounts,
        audit: Audit,
        hasher: PasswordHasher,
        sat_down: SatDown = nobody,
        stood_up: SatDown = nobody,
    ) -> None:
        self._accounts = accounts
        self._sat_down, self._stood_up = sat_down, stood_up
        self._audit = audit
        self._hasher = hasher
        self.people = People(accounts)
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._nobody: str | None = None

    async def check(self, login: str, password: str, come: From, now: float) -> User:
        """Whose login and password these are. Nobody is logged in by it. Raises LoginError."""
        async with self._turn:
            user = await self._accounts.find(login)
            await throttle(self._accounts, user, login, come, now)
            right = await asyncio.to_thread(self._verify, user, password)
            if not right or user is None or not user.active:
                await self._accounts.failed(_counted(user, login, come), come.network, now)
                tried = login if user is not None else f"{login[:2]}***"  # people type passwords there, too
                await self._audit.add(tried, What.LOGIN_REFUSED, tried, now, ip=come.ip)
                raise WrongError
        return user

    async def open(self, user: User, come: From, now: float, extension: str | None = None) -> str:
        """The token of a new session of somebody who proved who they are. Raises LoginError: the user is gone.

        ``extension``: the phone they sit at, None for their own.
        """
        await self._accounts.forgive(counted_as(user, come.known) or user.login, now - WINDOW)
        try:
            token = await self._accounts.log_in(user, now, IDLE, ip=come.ip, browser=come.browser, extension=extension)
        except AccountError as error:
            raise WrongError from error
        seat = extension or user.extension
        detail = None if seat is None else {"extension": seat}
        await self._audit.add(user.login, What.LOGGED_IN, user.login, now, detail, ip=come.ip)
        await self._sat_down(user.login, seat)
        return token

    async def session(self, token: str, now: float) -> Session | None:
        """The live session of a token; using it keeps it alive, but not for ever."""
        session = await self._accounts.session(token, now)
        if session is None or not stands(session, now):
            return None
        await self.people.renew(now)
        if now - session.seen >= RENEW:
            await self._accounts.seen(session, now, lasts(session, now))
        return session

    async def log_out(self, token: str, session: Session, now: float) -> None:
        """End a session."""
        await self._accounts.log_out(token)
        await self._accounts.seats.tidy(now)
        await self._stood_up(session.user.login, session.extension)
        await self._audit.add(session.user.login, What.LOGGED_OUT, session.user.login, now)

    def _verify(self, user: User | None, password: str) -> bool:
        """In a thread. Nobody's password is verified too: how long the answer takes must not tell who exists."""
        known = user is not None and user.password != NO_PASSWORD
        if not known and self._nobody is None:
            self._nobody = self._hasher.hash(secrets.token_hex())
        hashed = user.password if user is not None and known else self._nobody or ""
        try:
            return self._hasher.verify(hashed, password) and known
        except (VerificationError, InvalidHashError):
            return False


LOGINS: web.AppKey[Logins] = web.AppKey("logins", Logins)


def stands(session: Session, now: float) -> bool:
    """Whether a login that the database has may go on."""
    return now < session.created + LONGEST and session.user.role in set(Role)


def lasts(session: Session, now: float) -> float:
    """Seconds that a login goes on for when it is used now, but not for ever."""
    return min(IDLE, session.created + LONGEST - now)


async def throttle(accounts: Accounts, user: User | None, login: str, come: From, now: float) -> None:
    """Let nobody go on who failed too often lately. Raises ThrottledError.

    Failures of others, at other browsers, do not count where that person logged in before.
    """
    by_login, by_address = await accounts.failures(_counted(user, login, come), come.network, now - WINDOW)
    known = counted_as(user, come.known) is not None
    if by_login >= MOST_BY_LOGIN or (not known and by_address >= MOST_BY_ADDRESS):
        log.warning("login_throttled", login=None if user is None else user.login, ip=come.ip)
        raise ThrottledError(WINDOW)


def _counted(user: User | None, login: str, come: From) -> str:
    """By what failures are counted; of a login that nobody has only a digest is kept: it may be a password."""
    if user is None:
        return sha256(login.strip().lower().encode("utf-8", "replace")).hexdigest()
    return counted_as(user, come.known) or user.login


def come_from(request: web.Request) -> From:
    """Address and browser of a request. A proxy on this machine is believed about the address it forwards for.

    Only about the last one it tells, in however many headers: all before that is what the browser says.
    """
    here = _address(request.remote or "")
    told = _address(",".join(request.headers.getall("X-Forwarded-For", ())).rpartition(",")[2])
    ip = told if told is not None and here is not None and here.is_loopback else here
    return From(
        request.remote if ip is None else str(ip), request.headers.get("User-Agent"), token_of(request, KNOWN) or ""
    )


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An address as proxies tell it: with a port perhaps, which would make each connection another one."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        found = ip_address(bare)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def whose(session: Session) -> tuple[str, int, float]:
    """A login, to be told apart from all others: numbers of sessions are given again once they ended."""
    return session.user.login, session.id, session.created


def cookie_name(request: web.Request, name: str = COOKIE) -> str:
    """What a cookie of ours is called. With TLS neither another host nor a page without TLS can plant one of it."""
    return f"__Host-{name}" if secure(request) else name


def secure(request: web.Request) -> bool:
    """Whether the browser reached us by https, through a proxy perhaps."""
    return request.app[DEPS].secure or request.secure


def token_of(request: web.Request, name: str = COOKIE) -> str | None:
    """The token that the browser sent, the session's mostly."""
    return request.cookies.get(cookie_name(request, name))


def set_cookie(
    request: web.Request, response: web.StreamResponse, token: str, name: str = COOKIE, lasts_s: float = LONGEST
) -> None:
    """Give the browser its token: not to scripts, not to other sites, not without TLS where there is TLS."""
    response.set_cookie(
        cookie_name(request, name),
        token,
        httponly=True,
        samesite="Lax",
        secure=secure(request),
        path="/",
        max_age=int(lasts_s),
    )


def drop_cookie(request: web.Request, response: web.StreamResponse, name: str = COOKIE) -> None:
    """Have the browser forget its token."""
    response.del_cookie(cookie_name(request, name), path="/", secure=secure(request), httponly=True, samesite="Lax")


def know(request: web.Request, response: web.StreamResponse, user: User) -> None:
    """Have the browser carry a mark that this user logged in with it."""
    if user.password != NO_PASSWORD:
        set_cookie(request, response, with_mark(user, token_of(request, KNOWN) or ""), KNOWN, KNOWN_LASTS)
