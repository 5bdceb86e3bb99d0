"""The audit trail as the API tells it."""

from typing import Self

from pydantic import JsonValue

from screenpop.audit_words import subject
from screenpop.route import Shape
from storage.audit import AuditRow, What


class AuditEntry(Shape):
    """One deed. ``who``: a login, or ``cli:USER`` for the command line; ``subject``: a call, a ticket, a login.

    A number that was dialled is E.164, or masked (138****5678).
    """

    id: int
    at: float
    who: str
    what: What
    subject: str
    detail: dict[str, JsonValue] | None
    ip: str | None

    @classmethod
    def of(cls, row: AuditRow, *, full: bool = False) -> Self:
        """From the row; ``full``: with numbers."""
        return cls(
            id=row.id,
            at=row.at,
            who=row.who,
            what=row.what,
            subject=row.subject if full else subject(row.what, row.subject),
            detail=None if row.detail is None else dict(row.detail),
            ip=row.ip,
        )


class AuditList(Shape):
    """A page, the newest first; ``cursor`` asks for the next, null at the end."""

    entries: tuple[AuditEntry, ...]
    cursor: str | None
