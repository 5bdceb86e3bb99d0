"""What can go wrong at a CRM's end, sorted by what is to be done about it. Pure.

A connector maps whatever its system says into one of these: a 200 with an error inside, a 403 that means a bad token, a
500 that means a wrong field. What a breaker counts and what is tried again is decided from the class alone.
"""


class CrmError(Exception):
    """The CRM could not do it; the text names the system, what it said and what to do.

    ``counts``: a breaker counts it, the system itself is in trouble. ``again``: the same request may succeed later.
    """

    counts = False
    again = False


class TransientError(CrmError):
    """It did not answer in time, broke the connection, or said that it is out of order for now."""

    counts = True
    again = True


class RateLimitedError(TransientError):
    """It wants us to ask less; ``after`` seconds from now, where it said so."""

    def __init__(self, text: str, after: float | None = None) -> None:
        super().__init__(text)
        self.after = after


class RestingError(RateLimitedError):
    """It was not asked: it has been in trouble and is left alone for ``after`` seconds more."""

    counts = False


class UnknownOutcomeError(TransientError):
    """A write was sent and no answer came: it is looked up by its key before it is sent again."""


class AuthError(CrmError):
    """It does not know us, or will not let us: a person must mend key or rights. Tried again, rarely."""

    again = True


class NotFoundError(CrmError):
    """The record is not there (any more)."""


class ConflictError(CrmError):
    """Somebody changed the record since we read it."""


class InvalidError(CrmError):
    """It refuses what we sent, and will each time. ``field``: which, where it said so."""

    def __init__(self, text: str, field: str | None = None) -> None:
        super().__init__(text)
        self.field = field


class UnsupportedError(CrmError):
    """It cannot do this at all; ``Connector.can`` says so beforehand."""
