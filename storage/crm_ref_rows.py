"""Records of a CRM that are ours, read from their table. Private to storage."""

from typing import Any

from sqlalchemy import Row, Select, select

from crm.connector import Of, Status
from storage.crm_ref import CrmRef, RefState
from storage.crm_ref_tables import crm_refs
from telephony.call import CallKey


def ref_of_ticket(ticket_id: int) -> Select[Any]:
    """The record of a ticket of ours."""
    ours = select(crm_refs).where(crm_refs.c.of == Of.TICKET.value, crm_refs.c.ticket_id == ticket_id)
    return ours.limit(1)


def as_ref(row: Row[Any]) -> CrmRef:
    """A row of the table."""
    return CrmRef(
        key=row.key,
        of=Of(row.of),
        id=row.id,
        version=row.version,
        customer_id=row.customer_id,
        call=None if row.call is None else CallKey.parse(row.call),
        ticket_id=row.ticket_id,
        state=RefState(row.state),
        status=_status(row.status),
        theirs=_status(row.theirs),
        said=row.said,
        owner=row.owner,
        url=row.url,
        wanted=_status(row.wanted),
        owed=_status(row.owed),
        written=row.written,
        begun=row.begun,
        trouble=row.trouble,
        troubled=row.troubled,
        made=row.made,
        at=row.at,
    )


def _status(value: str | None) -> Status | None:
    return None if value is None else Status(value)
