"""Tickets as the API tells and takes them."""

from typing import Any, Literal, Self

from pydantic import Field, JsonValue, model_validator

from screenpop.answers.calls import Call, CallSummary, hidden
from screenpop.answers.names import CustomerName
from screenpop.route import Shape
from storage.crm_ref import RefState
from storage.pages import TicketItem, TicketPage, TimelineItem
from storage.records import TimelineKind
from storage.similar import Suggestion
from tickets.proposals import Proposal
from tickets.ticket import Reachability, Status

CURSOR = r"^[0-9]{1,12}(\.[0-9]{1,12})?_[0-9]{1,18}$"
MOST = 200
Choice = Literal["open", "accepted", "working", "solved", "closed", "all"]


class TicketQuery(Shape):
    """Which tickets. Whoever may not list everybody's gets their own, whatever ``owner`` says."""

    status: Choice = Field("open", description="`open`: accepted and working ones")
    line: str | None = Field(None, max_length=32, description="one of our numbers")
    owner: str | None = Field(None, max_length=64, description="a login; empty: anybody")
    text: str | None = Field(None, max_length=100, description="looked for in number, caller, customer and title")
    customer: str | None = Field(None, max_length=128, description="a customer's id")
    missed: bool = Field(default=False, description="only those whose caller is to be called back")
    cursor: str | None = Field(None, pattern=CURSOR, description="from the answer before, as it is")
    limit: int = Field(50, ge=1, le=MOST)


class Ticket(Shape):
    """A ticket of a list. ``title``, ``category`` and ``urgency`` are a person's, else the machine's."""

    id: int
    number: str = Field(examples=["20261121-0007"])
    version: int = Field(description="counts people's changes; send it back with yours")
    status: Status
    title: str
    category: str | None
    urgency: str | None
    owner: str | None = Field(description="a login")
    line: str
    caller: str | None = Field(description="E.164, or masked (138****5678); null: withheld")
    customer: CustomerName | None
    reach: Reachability | None = Field(description="null: nothing is known yet")
    calls: int
    missed: int = Field(description="how many of its calls nobody answered")
    opened: float
    changed: float

    @classmethod
    def of(cls, item: TicketItem, *, full: bool = False) -> Self:
        """From the row; ``full``: with the caller's number."""
        return cls(**_of(item, full=full))


class TicketList(Shape):
    """A page of a list, the ticket that changed last first. ``cursor`` null: there are no more."""

    tickets: tuple[Ticket, ...]
    cursor: str | None


class TimelineLine(Shape):
    """Something that happened to a ticket. ``who`` null: the machine. What is in ``detail`` goes by ``kind``."""

    at: float
    kind: TimelineKind
    who: str | None
    call: str | None
    detail: dict[str, JsonValue]

    @classmethod
    def of(cls, line: TimelineItem) -> Self:
        """From the row."""
        return cls(
            at=line.at, kind=line.kind, who=line.who, call=line.call and str(line.call), detail=dict(line.detail)
        )


class InCrm(Shape):
    """How the ticket stands in the CRM. ``said``: its own word for the status; ``since``: of the trouble."""

    id: str | None
    state: RefState
    status: str | None
    said: str | None
    owner: str | None
    url: str | None
    trouble: str | None
    since: float | None


class WholeTicket(Ticket):
    """A ticket whole. ``typed`` names the fields whose value is a person's; calls newest first.

    ``summary``: of the call that was summed up last.
    """

    typed: tuple[str, ...]
    summary: CallSummary | None
    call_list: tuple[Call, ...]
    timeline: tuple[TimelineLine, ...]
    crm: InCrm | None

    @classmethod
    def of_page(cls, page: TicketPage, *, full: bool = False) -> Self:
        """From the rows; ``full``: with the caller's number."""
        crm = page.crm
        return cls(
            **_of(page.item, full=full),
            typed=tuple(sorted(page.typed)),
            summary=None if page.summary is None else CallSummary.of(page.summary),
            call_list=tuple(Call.of(call, full=full) for call in page.calls),
            timeline=tuple(TimelineLine.of(line) for line in page.timeline),
            crm=None
            if crm is None
            else InCrm(
                id=crm.id,
                state=crm.state,
                status=crm.theirs and crm.theirs.value,
                said=crm.said,
                owner=crm.owner,
                url=crm.url,
                trouble=crm.trouble,
                since=crm.troubled,
            ),
        )


class TicketChange(Shape):
    """``version`` as it was read, and the fields to change. Null or blank gives a field back to the machine."""

    version: int = Field(ge=0)
    status: str | None = Field(None, examples=["working"])
    title: str | None = None
    category: str | None = None
    urgency: str | None = None
    owner: str | None = Field(None, description="a login")

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.model_fields_set <= {"version"}:
            raise ValueError("version, and any of category, owner, status, title, urgency")
        return self


class Note(Shape):
    """A note for a ticket's timeline."""

    text: str


class SimilarTicket(Ticket):
    """An open ticket that may be about the same: how alike (0 to 1), and the words that say so."""

    likeness: float
    why: tuple[str, ...]

    @classmethod
    def of_suggestion(cls, one: Suggestion) -> Self:
        """From the row."""
        return cls(**_of(one.item), likeness=one.like.likeness, why=one.like.why)


class Proposed(Shape):
    """What the line's rules propose for a field, and the word of the summary that made them."""

    field: str
    value: str
    because: str

    @classmethod
    def of(cls, one: Proposal) -> Self:
        """From the rule's answer."""
        return cls(field=one.field.value, value=one.value, because=one.because)


class Similar(Shape):
    """Beside a ticket."""

    similar: tuple[SimilarTicket, ...]
    proposed: tuple[Proposed, ...]


def _of(item: TicketItem, *, full: bool = False) -> dict[str, Any]:
    ticket = item.ticket
    name = None
    if ticket.customer_id is not None:
        name = CustomerName(id=ticket.customer_id, name=ticket.customer_name, vip=item.vip)
    return {
        "id": ticket.id,
        "number": ticket.number,
        "version": item.version,
        "status": ticket.status,
        "title": ticket.title,
        "category": ticket.category,
        "urgency": ticket.urgency,
        "owner": ticket.owner,
        "line": ticket.line,
        "caller": ticket.caller if full else hidden(ticket.caller),
        "customer": name,
        "reach": item.reach,
        "calls": ticket.calls,
        "missed": item.missed,
        "opened": ticket.opened,
        "changed": ticket.changed,
    }
