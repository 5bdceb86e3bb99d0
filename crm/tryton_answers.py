"""What Tryton's errors mean. Pure.

They come inside a 200 as ``[class, what]``. Only four classes are told; any other exception of the server is told by
its words alone, without its class (7.8: ``["'nope'", ""]`` for a field that is not there). Whatever is told this way
was rolled back, so the outcome of a write is never unknown.
"""

import re
from collections.abc import Mapping
from typing import Any

from crm.http_answers import error_of
from crm.trouble import AuthError, ConflictError, CrmError, InvalidError, NotFoundError, TransientError

_LONGEST_SHOWN = 200
# 7.8 tells refused access by the same class as any other refusal; calls that write are made in English.
_REFUSED = re.compile(r"You are not allowed to|is not allowed\.$|没有访问 .+ 的权限|不允许")
_GONE = re.compile(r"that don't exist|does not exist\.$|已经不存在")
# 7.8 says so of its own models to those who ask while it loads a database; of others, that there are none.
_NOT_LOADED = re.compile(r"'(?:ir|res|party)\.[\w.]+'")
_FIELD = re.compile(r'for field "([^"]+)"')
_NO_DATABASE = re.compile(r"database .{1,80}? does not exist", re.DOTALL)


def error_told(system: str, told: Any) -> CrmError:
    """The error for what stands under ``error``."""
    kind, words = (told[0], told[1]) if isinstance(told, list) and len(told) > 1 else (str(told), "")
    match kind:
        case "ConcurrencyException":
            return ConflictError(f"{system}: {shown(words)}")
        case "UserError":
            return _of_user(system, _parts(words))
        case "UserWarning":
            return InvalidError(f"{system} would ask a person first: {shown(_parts(words)[1:2])}")
        case "LoginException":
            return AuthError(
                f"{system} asks for more than a password at login ({shown(_parts(words)[1:2])}): "
                "give us a user that a password is enough for"
            )
        case _ if _NOT_LOADED.fullmatch(shown(kind)):
            return TransientError(
                f"{system} does not know {shown(kind)} (yet): is it still starting, is the module party activated?"
            )
        case _:
            return InvalidError(f"{system} stumbled over {shown(kind)}: is everything that the mapping names there?")


def error_status(system: str, status: int, headers: Mapping[str, str], text: str, *, writes: bool) -> CrmError | None:
    """The error for a status; None for a success. Tryton answers so before it has looked for any record."""
    if status == 404 or _NO_DATABASE.search(text[:2000]):  # noqa: PLR2004 - 7.8: a 503 with PostgreSQL's words
        return InvalidError(f"{system} has no such address or database: check url and database", "database")
    if status == 403:  # noqa: PLR2004
        return InvalidError(f"{system} answered 403: what was asked is no method of it")
    return error_of(system, status, headers, text, writes=writes)


def shown(words: Any) -> str:
    """The beginning of what Tryton said, on one line."""
    text = " ".join(str(word) for word in words if word) if isinstance(words, list) else str(words)
    return " ".join(text.split())[:_LONGEST_SHOWN]


def _of_user(system: str, parts: list[Any]) -> CrmError:
    message = shown(parts[:1])
    says = f"{system}: {shown(parts[:2])}"
    if _REFUSED.search(message):
        return AuthError(f"{says} (our user needs the right)")
    if _GONE.search(message):
        return NotFoundError(says)
    field = _FIELD.search(message)
    return InvalidError(says, field[1] if field else None)


def _parts(words: Any) -> list[Any]:
    return words if isinstance(words, list) else [words]
