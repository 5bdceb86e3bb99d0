"""What a status of HTTP usually means for us. Pure. What a system means otherwise is its connector's to say."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from crm.trouble import (
    AuthError,
    ConflictError,
    CrmError,
    InvalidError,
    NotFoundError,
    RateLimitedError,
    TransientError,
    UnknownOutcomeError,
    UnsupportedError,
)

_LONGEST_WAIT = 3600.0
_KINDS: Mapping[int, type[CrmError]] = {
    401: AuthError,
    403: AuthError,
    404: NotFoundError,
    405: UnsupportedError,
    408: TransientError,
    409: ConflictError,
    410: NotFoundError,
    412: ConflictError,
    425: TransientError,
    501: UnsupportedError,
}
_HINTS = {
    401: "the key is wrong or has expired",
    403: "the key has no right to this, or is wrong",
    404: "no such record, or url is wrong",
}


def error_of(system: str, status: int, headers: Mapping[str, str], text: str, *, writes: bool) -> CrmError | None:
    """The error that an answer means, None for a success (2xx). ``headers`` by lower-case name.

    A gateway's 502 or 504 on a write leaves its outcome unknown: the system behind may have done it.
    """
    if 200 <= status < 300:  # noqa: PLR2004
        return None
    says = f"{system} answered {status}"
    if hint := _HINTS.get(status):
        says += f" ({hint})"
    if shown := _shown(text):
        says += f": {shown}"
    if status == 429 or (status == 503 and "retry-after" in headers):  # noqa: PLR2004
        return RateLimitedError(says, _after(headers))
    if kind := _KINDS.get(status):
        return kind(says)
    if status < 500:  # noqa: PLR2004
        return InvalidError(says)
    return UnknownOutcomeError(says) if writes and status in (500, 502, 504) else TransientError(says)


def _shown(text: str) -> str:
    """The beginning of what it said, on one line; a page of HTML says nothing to an operator."""
    begins = " ".join(text[:1000].split())
    return "" if begins[:1] == "<" else begins[:200]


def _after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, as told in seconds or as a date by the system's own clock."""
    told = headers.get("retry-after", "").strip()
    if told.isdecimal() and told.isascii():
        return min(float(told), _LONGEST_WAIT)
    try:
        until, now = parsedate_to_datetime(told), parsedate_to_datetime(headers.get("date", ""))
        return min(max(0.0, until.timestamp() - now.timestamp()), _LONGEST_WAIT)
    except (ValueError, OverflowError):
        return None
