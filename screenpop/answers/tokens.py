"""Programs' tokens as the API tells and takes them."""

from typing import Self

from pydantic import Field

from screenpop.route import Scope, Shape
from storage.tokens import LONGEST_NAME, Token

LONGEST_DAYS = 3650


class TokenItem(Shape):
    """A token. The secret itself is shown once, to whoever makes it. ``expires`` null: never."""

    id: int
    name: str
    scopes: tuple[Scope, ...]
    created: float
    created_by: str
    expires: float | None
    used: float | None = Field(description="about when it was used last")
    used_ip: str | None
    revoked: float | None

    @classmethod
    def of(cls, token: Token) -> Self:
        """From the row; scopes that nobody knows any more open nothing and are left out."""
        return cls(
            id=token.id,
            name=token.name,
            scopes=tuple(scope for scope in Scope if scope.value in token.scopes),
            created=token.created,
            created_by=token.created_by,
            expires=token.expires,
            used=token.used,
            used_ip=token.used_ip,
            revoked=token.revoked,
        )


class TokenList(Shape):
    """One's own tokens, the newest first, revoked ones too."""

    tokens: tuple[TokenItem, ...]


class NewToken(Shape):
    """A token to be made. ``days`` null: it never expires. ``password``: the present one, of who has one."""

    name: str = Field(min_length=1, max_length=LONGEST_NAME, examples=["Odoo"])
    scopes: tuple[Scope, ...] = Field(min_length=1, max_length=len(Scope))
    days: int | None = Field(90, ge=1, le=LONGEST_DAYS)
    password: str = Field("", max_length=1024)


class MadeToken(TokenItem):
    """A token that was just made: nobody can read its ``secret`` again."""

    secret: str

    @classmethod
    def with_secret(cls, token: Token, secret: str) -> Self:
        """Once."""
        return cls(**TokenItem.of(token).model_dump(), secret=secret)
