"""Second factors of people: set up, asked for, taken once, taken away; every step on record.

Wrong codes count like wrong passwords, by login and by address; and after :data:`MOST_WRONG` in a row the app's codes
are refused for :data:`SHUT` however many addresses they come from. Only who knows the password gets so far, so nobody
else can keep somebody out with it, and a recovery code still opens.
"""

from dataclasses import dataclass
from enum import StrEnum

import structlog
from aiohttp import web

from screenpop import second_factor
from screenpop.accounts import From, LoginError, throttle
from screenpop.door import Door
from screenpop.known import counted_as
from screenpop.seal import SealError
from storage.accounts import Accounts, User
from storage.audit import Audit, What
from storage.second_factors import Factor, SecondFactors

MOST_WRONG = 10
SHUT = 12 * 3600.0  # seconds
SHOWN = 900.0  # seconds; an offer is for whoever proved themselves then, not for whoever finds the page open later
HOLDS = SHOWN + 900.0  # for the app's first code

log = structlog.get_logger()


class WrongCodeError(LoginError):
    """The code is wrong, or was taken before."""


class ShutError(LoginError):
    """Too many wrong codes in a row: only a recovery code opens, or the administrator."""


class AlreadyError(Exception):
    """There is a second factor already, or none to do that with."""


class Proof(StrEnum):
    """What somebody proved themselves by."""

    CODE = "code"
    RECOVERY = "recovery"


@dataclass(frozen=True, slots=True)
class Standing:
    """Somebody's second factor. ``since``: epoch seconds, None: there is none. ``required``: the role must have one."""

    since: float | None
    codes_left: int
    required: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """A secret for somebody's app that waits for its first code."""

    secret: str
    address: str


class Factors:
    """``site`` is what apps call us."""

    def __init__(self, accounts: Accounts, audit: Audit, door: Door, *, site: str) -> None:
        self._accounts, self._audit, self._door, self._site = accounts, audit, door, site
        self._seal = door.seal
        self._kept = SecondFactors(accounts.db)

    async def standing(self, user: User) -> Standing:
        """What a user has."""
        factor = await self._confirmed(user)
        left = 0 if factor is None else await self._kept.codes_left(user.id)
        return Standing(None if factor is None else factor.confirmed, left, self.required(user))

    def required(self, user: User) -> bool:
        """Whether a user may not log in without one."""
        return user.role in self._door.second_factor_of

    async def asked_of(self, user: User) -> bool:
        """Whether a code is asked for at the login."""
        return await self._confirmed(user) is not None

    async def offer(self, user: User, now: float) -> Offer:
        """A secret for the app, another one than the one that waits. Raises AlreadyError."""
        secret = second_factor.new_secret()
        if not await self._kept.begin(user.id, self._seal.close(secret, user.id), now):
            raise AlreadyError("there is a second factor already")
        return self._offer(secret, user)

    async def waiting(self, user: User, now: float) -> Offer | None:
        """The secret that waits for its first code; it is never shown again afterwards."""
        factor = await self._offered(user, now, SHOWN)
        if factor is None:
            return None
        try:
            return self._offer(self._seal.open(factor.secret, user.id), user)
        except SealError as error:
            log.error("second_factor_sealed", login=user.login, error=str(error))
            return None  # another one is offered

    async def confirm(self, user: User, typed: str, come: From, now: float) -> list[str]:
        """The app's first code: from now on it is asked for. The recovery codes. Raises LoginError, AlreadyError."""
        if await self._offered(user, now, HOLDS) is None:
            raise AlreadyError("there is no second factor that waits for its first code")
        step = await self._step(user, typed, come, now)
        codes = second_factor.new_recovery_codes()
        if step is None or not await self._kept.confirm(user.id, step, _hashes(codes), now):
            raise await self._wrong(user, come, now)
        await self._audit.add(user.login, What.SECOND_FACTOR_SET, user.login, now, ip=come.ip)
        return codes

    async def prove(self, user: User, typed: str, come: From, now: float) -> Proof:
        """Take a code of the app, or a recovery code. Raises LoginError, AlreadyError when there is none."""
        if await self._confirmed(user) is None:
            raise AlreadyError("there is no second factor")
        recovery = second_factor.recovery_hash(typed)
        if recovery is not None:
            await throttle(self._accounts, user, user.login, come, now)
            if not await self._kept.use_code(user.id, recovery, now):
                raise await self._wrong(user, come, now)
            await self._audit.add(user.login, What.RECOVERY_CODE_USED, user.login, now, ip=come.ip)
            return Proof.RECOVERY
        step = await self._step(user, typed, come, now)
        if step is None or not await self._kept.take(user.id, step):
            raise await self._wrong(user, come, now)
        return Proof.CODE

    async def renew_codes(self, user: User, typed: str, come: From, now: float) -> list[str]:
        """Other recovery codes instead of those there were. Raises LoginError, AlreadyError."""
        await self.prove(user, typed, come, now)
        codes = second_factor.new_recovery_codes()
        await self._kept.renew_codes(user.id, _hashes(codes))
        await self._audit.add(user.login, What.RECOVERY_CODES_MADE, user.login, now, ip=come.ip)
        return codes

    async def remove(self, user: User, typed: str, come: From, now: float) -> None:
        """Ask for it no more. Raises LoginError; AlreadyError when there is none, or the role must have one."""
        if self.required(user):
            raise AlreadyError("this role logs in with a second factor only")
        await self.prove(user, typed, come, now)
        await self._kept.remove(user.id)
        await self._audit.add(user.login, What.SECOND_FACTOR_REMOVED, user.login, now, ip=come.ip)

    async def _confirmed(self, user: User) -> Factor | None:
        factor = await self._kept.of(user.id)
        return None if factor is None or factor.confirmed is None else factor

    async def _offered(self, user: User, now: float, lasts_s: float) -> Factor | None:
        factor = await self._kept.of(user.id)
        waits = factor is not None and factor.confirmed is None and now - factor.created < lasts_s
        return factor if waits else None

    async def _step(self, user: User, typed: str, come: From, now: float) -> int | None:
        await throttle(self._accounts, user, user.login, come, now)
        factor = await self._kept.attempt(user.id, now, MOST_WRONG, SHUT)
        if factor is None:
            log.warning("second_factor_shut", login=user.login, ip=come.ip)
            await self._audit.add(user.login, What.CODE_REFUSED, user.login, now, {"shut": True}, ip=come.ip)
            raise ShutError
        try:
            secret = self._seal.open(factor.secret, user.id)
        except SealError as error:  # a recovery code still opens
            log.error("second_factor_sealed", login=user.login, error=str(error))
            raise ShutError from error
        return second_factor.step_of(secret, typed, factor.step, now)

    async def _wrong(self, user: User, come: From, now: float) -> WrongCodeError:
        await self._accounts.failed(counted_as(user, come.known) or user.login, come.network, now)
        await self._audit.add(user.login, What.CODE_REFUSED, user.login, now, ip=come.ip)
        return WrongCodeError("the code is wrong, or was taken before")

    def _offer(self, secret: str, user: User) -> Offer:
        return Offer(secret, second_factor.address(secret, user.login, self._site))


FACTORS: web.AppKey[Factors] = web.AppKey("factors", Factors)


def _hashes(codes: list[str]) -> list[str]:
    hashed = [second_factor.recovery_hash(code) for code in codes]
    return [one for one in hashed if one is not None]
