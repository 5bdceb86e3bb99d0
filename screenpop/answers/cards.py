"""The card of a call, as the socket tells it. :mod:`screenpop.card` makes it; this says what is in it."""

from pydantic import Field

from crm.customer import Reason
from numbering.number import Kind
from screenpop.answers.names import TicketOfCall
from screenpop.card import Problem as LookupProblem
from screenpop.card import State as CardState
from screenpop.route import Shape
from telephony.call import Outcome
from tickets.ticket import Status


class CardLine(Shape):
    """Our number that was called, and what people call it."""

    number: str
    name: str


class CardCaller(Shape):
    """The caller's number. ``ext``: digits behind a switchboard; ``display``: grouped for people, empty: withheld."""

    raw: str
    e164: str | None
    ext: str | None
    display: str
    kind: Kind
    region: str | None


class CardPurchase(Shape):
    """Something the customer bought; ``on`` a date, ``amount`` in yuan."""

    what: str
    on: str | None
    amount: str | None
    order_no: str | None


class CardContract(Shape):
    """A contract, warranty or service plan; ``until`` a date."""

    what: str
    number: str | None
    until: str | None


class CardCustomer(Shape):
    """Somebody it may be. ``reason``: why; ``matched``: the number as the CRM has it; ``url``: http(s)."""

    id: str
    name: str
    company: str | None
    level: str | None
    vip: bool
    owner: str | None
    note: str | None
    reason: Reason
    matched: str
    purchases: tuple[CardPurchase, ...]
    contracts: tuple[CardContract, ...]
    url: str | None


class CardMatch(Shape):
    """Who it may be. ``as_of``: it is our copy's word of then, null: the CRM's of now.

    ``problem``: nothing is known because the CRM was late or could not be asked.
    """

    sure: bool
    problem: LookupProblem | None
    as_of: float | None
    customers: tuple[CardCustomer, ...]


class CardChoice(Shape):
    """A customer by a person's word: ``who`` said so, and when."""

    id: str
    name: str
    who: str
    at: float


class CardPromise(Shape):
    """Of a ticket's promises the one that falls due first."""

    who: str
    what: str
    by_when: str


class CardTicket(Shape):
    """An open ticket of the caller."""

    id: int
    number: str
    title: str
    status: Status
    owner: str | None
    owner_name: str | None
    summary: str | None
    promise: CardPromise | None
    opened: float


class CardCall(Shape):
    """An earlier call of the caller; ``line`` by its name."""

    call: str
    at: float
    line: str
    outcome: Outcome | None
    issue: str | None
    category: str | None
    agents: tuple[str, ...]


class CrmTicket(Shape):
    """A ticket open in the CRM; ``said``: the status in its own words; ``url``: http(s)."""

    id: str
    title: str | None
    status: str | None
    said: str | None
    owner: str | None
    updated: float | None
    url: str | None


class Aloud(Shape):
    """A sentence for somebody who asks for progress, by language."""

    zh_CN: str = Field(description="Chinese")  # noqa: N815 - a language's name
    en: str = Field(description="English")


class CallCard(Shape):
    """One agent's view of one call. ``since``: of this state; ``match`` null while the lookup runs.

    ``chosen``: the customer by a person's word; ``remembered``: chosen on an earlier call of this number, and not sure.
    ``crm_tickets`` null: not known.
    """

    call: str
    state: CardState
    since: float
    held: bool
    line: CardLine
    queue: str | None
    caller: CardCaller
    match: CardMatch | None
    chosen: CardChoice | None
    remembered: CardChoice | None
    tickets: tuple[CardTicket, ...]
    aloud: Aloud | None
    last_calls: tuple[CardCall, ...]
    crm_tickets: tuple[CrmTicket, ...] | None
    ticket: TicketOfCall | None
