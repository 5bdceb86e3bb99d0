"""The audit trail as the API tells it."""

from typing import Self

from pydantic import JsonValue

from screenpop.route import Shape
from storage.audit import AuditRow, What


class AuditEntry(Shape):
    """One deed. ``who``: a login, or ``cli:USER`` for the command line; ``subject``: a call, a ticket, a login."""

    id: int
    at: float
    who: str
    what: What
    subject: str
    detail: dict[str, JsonValue] | None
    ip: str | None

    @classmethod
    def of(cls, row: AuditRow) -> Self:
        """From the row."""
        return cls(
            id=row.id,
            at=row.at,
            who=row.who,
            what=row.what,
            subject=row.subject,
            detail=None if row.detail is None else dict(row.detail),
            ip=row.ip,
        )


class AuditList(Shape):
    """A page, the newest first; ``cursor`` asks for the next, null at the end."""

    entries: tuple[AuditEntry, ...]
    cursor: str | None
