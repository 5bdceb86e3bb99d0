"""One record of a CRM that is ours, as it is kept. Pure. Times are epoch seconds."""

from dataclasses import dataclass
from enum import StrEnum

from crm.connector import Of, Ref, Status
from telephony.call import CallKey


class RefState(StrEnum):
    """How a record of theirs stands, as far as we know."""

    BEGUN = "begun"  # we set out to make it; whether it is there is not known
    KEPT = "kept"
    GONE = "gone"  # it was there and is not any more: people there took it away


@dataclass(frozen=True, slots=True)
class CrmRef:
    """One record of the CRM that is ours.

    ``of`` a NOTE: ``call`` is the call it tells of, else it tells of a move of the ticket ``ticket_id``. ``of`` a
    TICKET: ``ticket_id`` is ours. ``id`` and ``version`` are theirs, as ``customer_id``: whose timeline it stands on.
    ``status``: our status as we told it last, ``theirs``: theirs in our words, ``said``: in their own words.
    ``wanted``: the status of a write whose outcome is not known; ``owed``: one to be told by a comment, for people
    there moved the ticket meanwhile. ``begun``: since when a write is under way, None when all writes ended.
    ``written``: a digest of what a note says. ``trouble``: why it is not in line, since ``troubled``.
    """

    key: str
    of: Of
    id: str | None
    version: str | None
    customer_id: str | None
    call: CallKey | None
    ticket_id: int | None
    state: RefState
    status: Status | None
    theirs: Status | None
    said: str | None
    owner: str | None
    url: str | None
    wanted: Status | None
    owed: Status | None
    written: str | None
    begun: float | None
    trouble: str | None
    troubled: float | None
    made: float
    at: float

    @property
    def ref(self) -> Ref | None:
        """As connectors take it; None while it is not known to be there."""
        return None if self.id is None or self.state is RefState.GONE else Ref(self.of, self.id, self.version)
