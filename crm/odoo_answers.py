"""What Odoo's errors mean. Pure.

Odoo names the Python exception that ended a request, over JSON-2 beside a status, over ``/jsonrpc`` inside a 200. The
name decides: a wrong field is a ``ValueError`` and a 500 (19.0 was seen doing it), no trouble of the system. Whatever
is told this way was rolled back, so the outcome of a write is never unknown.
"""

import re
from collections.abc import Mapping
from typing import Any

from crm.trouble import AuthError, CrmError, InvalidError, NotFoundError, RateLimitedError, TransientError

_LONGEST_SHOWN = 200
_KINDS: Mapping[str, type[CrmError]] = {
    "AccessDenied": AuthError,
    "AccessError": AuthError,
    "Forbidden": AuthError,
    "SessionExpiredException": AuthError,
    "Unauthorized": AuthError,
    "MissingError": NotFoundError,
    "NotFound": NotFoundError,
    "TooManyRequests": RateLimitedError,
    # A transaction that met another one, a database or a machine in trouble: later it may go.
    "ConcurrencyError": TransientError,
    "LockError": TransientError,
    "MemoryError": TransientError,
    "TimeoutError": TransientError,
    "ConnectionError": TransientError,
    "InternalServerError": TransientError,
    "ServiceUnavailable": TransientError,
}
_PERMANENT_SQL = frozenset(
    {
        "CheckViolation",
        "DataError",
        "ForeignKeyViolation",
        "IntegrityError",
        "InvalidTextRepresentation",
        "NotNullViolation",
        "NumericValueOutOfRange",
        "ProgrammingError",
        "UndefinedColumn",
        "UndefinedTable",
        "UniqueViolation",
    }
)
_FIELD = re.compile(r"Invalid field (?:name )?'?([\w.]+)'?")
_NO_DATABASE = re.compile(r'database "[^"]*" does not exist')
_REFUSED = re.compile(r"security restrictions|not allowed to|access rights", re.IGNORECASE)
_GONE = re.compile(r"does not exist or has been deleted|No matching record found", re.IGNORECASE)
_RIVAL = re.compile(r"could not serialize|deadlock|could not obtain lock|concurrent", re.IGNORECASE)


def error_named(system: str, name: str, message: str) -> CrmError:
    """The error for an exception's full name (``odoo.exceptions.MissingError``) and what it said."""
    last = name.rpartition(".")[2]
    says = f"{system}: {shown(message) or last}"
    if _NO_DATABASE.search(message):
        return InvalidError(f"{says}; is the setting database right?", "database")
    if kind := _KINDS.get(last):
        return kind(says)
    if name.startswith("psycopg2") and last not in _PERMANENT_SQL:
        return TransientError(says)
    field = _FIELD.search(message)
    return InvalidError(says, field[1] if field else None)


def error_loading(system: str, messages: Any) -> CrmError | None:
    """The error among the messages of ``load``, which come inside a success; None when there is none.

    They carry no names of exceptions, only text, which we ask for in English.
    """
    errors = [each for each in messages if isinstance(each, dict) and each.get("type") == "error"]
    if not errors:
        return None
    text, field = str(errors[0].get("message", "")), errors[0].get("field")
    says = f"{system}: {shown(text)}"
    if _RIVAL.search(text):
        return TransientError(says)
    if _REFUSED.search(text):
        return AuthError(f"{says} (the key's user needs the right)")
    if field is None and _GONE.search(text):
        return NotFoundError(says)
    return InvalidError(says, field if isinstance(field, str) else None)


def shown(text: str) -> str:
    """The beginning of what Odoo said, on one line."""
    return " ".join(text.split())[:_LONGEST_SHOWN]
