"""Browsers that somebody logged in with before: whoever guesses at their password elsewhere cannot keep them out.

After failures a login waits, which anybody on the network can bring about. So a browser in which the whole login once
succeeded carries a mark, made with what only the account holds; its failures are counted apart, by the mark. A mark
opens nothing, and another password voids it. Pure.
"""

import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from hashlib import sha256

from storage.accounts import User

MOST = 10  # people who share a browser at one desk; the last ones are remembered
_MARK = re.compile(r"[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]{22}")


def with_mark(user: User, kept: str) -> str:
    """What a browser carries from now on: a new mark of this user, before those of others that it had."""
    others = [mark for mark in _marks(kept) if not _of(mark, user)]
    name = secrets.token_urlsafe(12)
    return "~".join([f"{name}.{_sign(name, user)}", *others][:MOST])


def counted_as(user: User | None, kept: str) -> str | None:
    """By what this browser's failures to log in as that user are counted; None: by the login, like everybody's."""
    if user is None:
        return None
    return next((f"known:{mark.partition('.')[0]}" for mark in _marks(kept) if _of(mark, user)), None)


def _marks(kept: str) -> list[str]:
    return [mark for mark in kept.split("~", MOST)[:MOST] if _MARK.fullmatch(mark)]


def _of(mark: str, user: User) -> bool:
    name, _, sign = mark.partition(".")
    return hmac.compare_digest(sign, _sign(name, user))


def _sign(name: str, user: User) -> str:
    whose = f"known browser {user.id} {name}".encode()
    return urlsafe_b64encode(hmac.digest(user.password.encode(), whose, sha256)[:16]).rstrip(b"=").decode()
