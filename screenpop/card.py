"""What an agent sees of a call, and the two things that fill it in after it opened.

Pure. Knows calls, customers and tickets as nouns; must not know sockets, pages or the database. The JSON made here is
what the WebSocket carries (``docs/desk.md``); nothing else makes card JSON.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from crm.connector import Item
from crm.customer import Candidate, Match
from numbering.number import Number
from screenpop.aloud import Sentences, aloud
from storage.recalled import Choice, LastCall, Memory, OpenTicket, Standing
from telephony.call import CallKey
from tickets.ticket import Ticket

MOST_PURCHASES = 3

Json = dict[str, Any]


class State(StrEnum):
    """What the agent's phone does about the call."""

    RINGING = "ringing"
    TALKING = "talking"


class Problem(StrEnum):
    """Why a lookup said nothing about the caller: nobody must take it for "not a customer"."""

    LATE = "late"  # no answer within the budget; a later one still fills the card
    DOWN = "down"  # the CRM could not be asked


@dataclass(frozen=True, slots=True)
class LineInfo:
    """One of our 400 numbers as people call it, and the area code ("0755") its local callers leave out."""

    name: str
    area: str | None = None


@dataclass(frozen=True, slots=True)
class Filled:
    """The lookup's answer for a call: who it may be, and what is still open for them. Not a fact of the PBX.

    ``number`` is the caller with what was found out since the card opened (the region), None to leave it.
    ``copied``: it is not the CRM's word of now but our copy's, as the CRM had it then (epoch seconds). ``checking``:
    the CRM is being asked, an answer that counts follows. ``items``: the sure customer's open tickets in the CRM, None
    as long as nobody knows. ``links``: where people see the customers in the CRM, by their id.
    """

    call: CallKey
    match: Match
    tickets: tuple[Ticket, ...] = ()
    problem: Problem | None = None
    number: Number | None = None
    copied: float | None = None
    checking: bool = False
    items: tuple[Item, ...] | None = None
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ticketed:
    """The call was linked to its ticket; ``joined`` when that ticket was open before the call."""

    call: CallKey
    ticket_id: int
    ticket_number: str
    joined: bool


@dataclass(frozen=True, slots=True)
class Recalled:
    """What our own database knows of the caller, told after the match. Not a fact of the PBX.

    ``customer``: of whom it is (the id of the sure or chosen one, None where nobody is), and the card shows it as long
    as it stands for that customer. ``today``: the site's day it was read on.
    """

    call: CallKey
    customer: str | None
    memory: Memory
    today: date | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """A person said who the caller is, or took it back (``standing.choice`` None).

    ``entered``: the customer, where it was made for this call and the lookup may not know it.
    """

    call: CallKey
    standing: Standing
    entered: Candidate | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """One agent's view of one call. ``since`` is when this state began, epoch seconds on the service's clock.

    ``match``, ``items``, ``copied`` and ``links`` are those of :class:`Filled`; ``match`` is None while the lookup
    runs. ``shown`` is the caller's number grouped for people, '' when withheld. ``memory`` and ``today`` are those of
    :class:`Recalled`, ``remembered`` only while nobody is sure. ``lines`` names our numbers.
    """

    agent: str
    call: CallKey
    state: State
    since: float
    held: bool
    line: str
    line_name: str
    queue: str | None
    caller: Number
    shown: str
    match: Match | None = None
    problem: Problem | None = None
    tickets: tuple[Ticket, ...] = ()
    ticket: Ticketed | None = None
    copied: float | None = None
    items: tuple[Item, ...] | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    memory: Memory | None = None
    today: date | None = None
    chosen: Choice | None = None
    remembered: Choice | None = None
    lines: Mapping[str, LineInfo] = field(default_factory=dict)

    def json(self) -> Json:
        """The card as the page reads it."""
        return {
            "call": str(self.call),
            "state": self.state.value,
            "since": self.since,
            "held": self.held,
            "line": {"number": self.line, "name": self.line_name},
            "queue": self.queue,
            "caller": {
                "raw": self.caller.raw,
                "e164": self.caller.e164,
                "ext": self.caller.ext,
                "display": self.shown,
                "kind": self.caller.kind.value,
                "region": self.caller.region,
            },
            "match": self._match(),
            "chosen": self.chosen and _choice(self.chosen),
            "remembered": self.remembered and _choice(self.remembered),
            "tickets": [_ticket(ticket) for ticket in self._open()],
            "aloud": self._aloud(),
            "last_calls": [self._call(call) for call in (self.memory.calls if self.memory else ())],
            "crm_tickets": None if self.items is None else [_item(item) for item in self.items],
            "ticket": self.ticket
            and {"id": self.ticket.ticket_id, "number": self.ticket.ticket_number, "joined": self.ticket.joined},
        }

    @property
    def _whose(self) -> str | None:
        if self.chosen is not None:
            return self.chosen.customer_id
        return self.match.sure.id if self.match is not None and self.match.sure is not None else None

    def _open(self) -> tuple[OpenTicket, ...]:
        """The open tickets: where somebody is sure who it is, not those of others who share the number."""
        found = tuple(OpenTicket(ticket) for ticket in self.tickets) if self.memory is None else self.memory.tickets
        whose = self._whose
        return found if whose is None else tuple(each for each in found if each.ticket.customer_id in (whose, None))

    def _aloud(self) -> Sentences | None:
        """About the matter of the person on the phone; None as long as nobody knows whose matters these are.

        The ticket that the call joined, else the one that changed last; not the one that this call opened.
        """
        if self.memory is None or self.match is None or (self._whose is None and self.match.candidates):
            return None
        theirs = [each for each in self._open() if each.ticket.customer_id in (self._whose, None)]
        ours = self.ticket
        if ours is not None:
            theirs = [each for each in theirs if ours.joined or each.ticket.id != ours.ticket_id]
            theirs.sort(key=lambda each: each.ticket.id != ours.ticket_id)
        return aloud(theirs[0], self.today) if theirs else None

    def _call(self, call: LastCall) -> Json:
        line = self.lines.get(call.line)
        return {
            "call": str(call.call),
            "at": call.at,
            "line": (line.name if line else "") or call.line,
            "outcome": call.outcome and call.outcome.value,
            "issue": call.issue,
            "category": call.category,
            "agents": list(call.agents),
        }

    def _match(self) -> Json | None:
        if self.match is None:
            return None
        return {
            "sure": self.match.sure is not None,
            "problem": self.problem and self.problem.value,
            "as_of": self.copied,
            "customers": [
                _candidate(candidate) | {"url": _web(self.links.get(candidate.customer.id))}
                for candidate in self.match.candidates
            ],
        }


def _candidate(candidate: Candidate) -> Json:
    customer = candidate.customer
    return {
        "id": customer.id,
        "name": customer.name,
        "company": customer.company,
        "level": customer.level,
        "vip": customer.vip,
        "owner": customer.owner,
        "note": customer.note,
        "reason": candidate.reason.value,
        "matched": candidate.matched,
        "purchases": [
            {
                "what": purchase.what,
                "on": purchase.on and purchase.on.isoformat(),
                "amount": None if purchase.amount is None else str(purchase.amount),
                "order_no": purchase.order_no,
            }
            for purchase in customer.purchases[:MOST_PURCHASES]
        ],
        "contracts": [
            {"what": contract.what, "number": contract.number, "until": contract.until and contract.until.isoformat()}
            for contract in customer.contracts
        ],
    }


def _choice(choice: Choice) -> Json:
    return {"id": choice.customer_id, "name": choice.name, "who": choice.who, "at": choice.at}


def _ticket(of: OpenTicket) -> Json:
    ticket, promise = of.ticket, of.promise
    return {
        "id": ticket.id,
        "number": ticket.number,
        "title": ticket.title,
        "status": ticket.status.value,
        "owner": ticket.owner,
        "owner_name": of.owner_name,
        "summary": of.summary,
        "promise": promise and {"who": promise.who, "what": promise.what, "by_when": promise.by_when},
        "opened": ticket.opened,
    }


def _item(item: Item) -> Json:
    """A ticket in the CRM: its own word for the status, ours where the mapping has one."""
    return {
        "id": item.ref.id,
        "title": item.title,
        "status": item.status.value,
        "said": item.said,
        "owner": item.owner,
        "updated": item.updated,
        "url": _web(item.url),
    }


def _web(url: str | None) -> str | None:
    """An address that a browser may be sent to; None for anything else that a CRM calls one."""
    return url if url is not None and url.startswith(("https://", "http://")) else None
