"""One's own account as the API tells it, and what is sent to change it."""

from typing import Self

from pydantic import Field

from screenpop.factors import Offer, Standing
from screenpop.rights import Role
from screenpop.route import Shape
from storage.accounts import Session


class SecondFactor(Shape):
    """``since``: when it was set up, null: there is none. ``required``: this role logs in with one only."""

    since: float | None
    recovery_codes: int = Field(description="how many are unused")
    required: bool

    @classmethod
    def of(cls, standing: Standing) -> Self:
        """From what the account has."""
        return cls(since=standing.since, recovery_codes=standing.codes_left, required=standing.required)


class Account(Shape):
    """Who is logged in and by what. ``password``: whether there is one here, or an identity provider has it."""

    login: str
    name: str
    role: Role
    password: bool
    second_factor: SecondFactor


class Login(Shape):
    """A browser that is logged in. ``this``: the one that asks."""

    id: int
    this: bool
    created: float
    used: float = Field(description="last, to a few minutes")
    expires: float
    ip: str | None
    browser: str | None = Field(description="what it calls itself")
    extension: str | None

    @classmethod
    def of(cls, session: Session, this: int) -> Self:
        """From the session."""
        return cls(
            id=session.id,
            this=session.id == this,
            created=session.created,
            used=session.seen,
            expires=session.expires,
            ip=session.ip,
            browser=session.browser,
            extension=session.extension,
        )


class LoginList(Shape):
    """The last used first."""

    sessions: tuple[Login, ...]


class Ended(Shape):
    """How many logins were ended."""

    ended: int


class NewPassword(Shape):
    """The present password and another one."""

    old: str = Field(max_length=1024)
    new: str = Field(max_length=1024)


class Proven(Shape):
    """The present password."""

    password: str = Field(max_length=1024)


class Code(Shape):
    """A code of the authenticator app, or a recovery code where one will do."""

    code: str = Field(max_length=64, examples=["123456"])


class Secret(Shape):
    """What an authenticator app is given: the key, and the same as an address that apps read off a QR code."""

    secret: str
    address: str = Field(examples=["otpauth://totp/hotline:li?secret=ABC&issuer=hotline"])

    @classmethod
    def of(cls, offer: Offer) -> Self:
        """From the offer."""
        return cls(secret=offer.secret, address=offer.address)


class RecoveryCodes(Shape):
    """Shown once, here; each opens one login."""

    recovery_codes: tuple[str, ...]
