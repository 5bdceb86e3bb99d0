"""Whether a record of ours and the CRM's own agree, and what would bring them together. Pure.

What counts as agreeing is told to people in docs/in-step.md: change both together. Nothing here reads or writes; what
a difference needs done is only named (:class:`Mend`), and done by the jobs that write to the CRM anyway, or to our own
copy of what is the CRM's.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from crm.connector import Item, Seen, Status
from crm.customer import Customer


class What(StrEnum):
    """How two records differ."""

    MISSING = "missing"  # it should stand there and never did
    GONE = "gone"  # it stood there and was taken away
    TWICE = "twice"  # another open record there speaks for the same ticket of ours
    CUSTOMER = "customer"  # it hangs on another customer there
    OURS_NEWER = "ours_newer"  # the status: moved here, not there
    THEIRS_NEWER = "theirs_newer"  # the status: moved there, not here
    APART = "apart"  # the status: both sides know, and neither may follow the other
    UNNAMED = "unnamed"  # the status: theirs has no word of ours in the mapping
    ALTERED = "altered"  # the note does not say any more what we wrote
    REFUSED = "refused"  # the CRM refused what we wanted to write, and the job was given up
    COPY = "copy"  # our copy of what is the CRM's own (name, level, VIP) is another
    NOBODY = "nobody"  # the CRM has no such customer (any more)


class Mend(StrEnum):
    """What repairing a difference does."""

    CALL = "call"  # the note of the call is looked up and written again
    TICKET = "ticket"  # the ticket is looked up, made if it is not there, and told our status
    FOLLOW = "follow"  # our ticket takes their status
    ASSIGN = "assign"  # our ticket takes their customer
    REFRESH = "refresh"  # our copy is read again
    SEARCH = "search"  # the customer is searched by the caller's number again
    CLOSE = "close"  # the copy there is commented on and closed
    PERSON = "person"  # nobody but a person can tell what is right


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which a record differs. ``subject``: our key of it, or ``customer:ID``.

    ``ours``, ``theirs``: what stands where, for people to read; empty: nothing. ``detail``: what repairing needs.
    """

    subject: str
    what: What
    ours: str
    theirs: str
    mend: Mend
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OurTicket:
    """A ticket of ours. ``told``: our status as the CRM was told it last; ``theirs``: theirs as we saw it last.

    ``id``: its record there as far as we know, None: none was ever made. ``may_become``: what our status may become.
    ``refused``: what the CRM said to the job that was given up.
    """

    subject: str
    number: str
    status: Status
    customer_id: str | None
    id: str | None = None
    told: Status | None = None
    theirs: Status | None = None
    may_become: Collection[Status] = ()
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class OurNote:
    """A note of ours. ``says``: what must be read in it; None: what it says is not compared.

    ``customers``: on whose timeline it may stand: the call's customer, and whom the CRM had for that when it was
    written. ``mend``: the job that keeps it. ``refused``: as of a ticket.
    """

    subject: str
    name: str
    customers: Collection[str]
    id: str | None = None
    says: Sequence[str] | None = None
    mend: Mend = Mend.CALL
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class OurCustomer:
    """What we have copied of a customer: names and VIP marks on tickets and calls, the card of the local index.

    ``named``: (name, VIP) as they stand on tickets and calls; ``needed``: an open ticket names it.
    """

    id: str
    named: Collection[tuple[str, bool]] = ()
    card: Customer | None = None
    needed: bool = False

    @property
    def subject(self) -> str:
        """As differences name it."""
        return f"customer:{self.id}"


def ticket(ours: OurTicket, there: Item | None, keyed: str | None, others: Sequence[Item] = ()) -> list[Difference]:
    """How a ticket differs. ``there``: the record of ``ours.id``; ``keyed``: the id of the one found by our key.

    ``others``: further records there that name the ticket's number.
    """
    if there is None:
        what = What.MISSING if ours.id is None else What.GONE
        return [Difference(ours.subject, what, ours.number, keyed or ours.refused or "", Mend.TICKET)]
    if ours.refused is not None:
        return [Difference(ours.subject, What.REFUSED, ours.number, ours.refused, Mend.TICKET)]
    found = [
        Difference(ours.subject, What.TWICE, there.ref.id, other.ref.id, Mend.CLOSE, {"id": other.ref.id})
        for other in others
        if other.ref.id != there.ref.id and other.status not in (Status.SOLVED, Status.CLOSED)
    ]
    if there.customer_id != ours.customer_id:
        mend = Mend.PERSON if there.customer_id is None else Mend.ASSIGN
        found.append(
            Difference(
                ours.subject,
                What.CUSTOMER,
                ours.customer_id or "",
                there.customer_id or "",
                mend,
                {"customer": there.customer_id or ""},
            )
        )
    return [*found, *_status(ours, there)]


def _status(ours: OurTicket, there: Item) -> list[Difference]:
    if there.status is ours.status:
        return []
    said = there.said or there.status.value
    if there.status is Status.UNKNOWN:
        return [Difference(ours.subject, What.UNNAMED, ours.status.value, said, Mend.PERSON)]
    moved_here = ours.told is not None and ours.status is not ours.told
    moved_there = ours.theirs is not None and there.status is not ours.theirs
    if moved_here and not moved_there:
        return [Difference(ours.subject, What.OURS_NEWER, ours.status.value, said, Mend.TICKET)]
    if moved_there and not moved_here:
        mend = Mend.FOLLOW if there.status in ours.may_become else Mend.PERSON
        return [Difference(ours.subject, What.THEIRS_NEWER, ours.status.value, said, mend)]
    return [Difference(ours.subject, What.APART, ours.status.value, said, Mend.PERSON)]


def note(ours: OurNote, there: Seen | None, keyed: str | None) -> list[Difference]:
    """How a note differs; ``keyed``: the id of the one found by our key, asked for where ``there`` is None.

    A note that people emptied there is one they did not want: that is theirs to say, and no difference.
    """
    if there is None:
        what = What.MISSING if ours.id is None else What.GONE
        return [Difference(ours.subject, what, ours.name, keyed or ours.refused or "", ours.mend)]
    if ours.refused is not None:
        return [Difference(ours.subject, What.REFUSED, ours.name, ours.refused, ours.mend)]
    if ours.says is not None and not _words(there.text):
        return []
    found = []
    if there.customer_id is not None and there.customer_id not in ours.customers:
        whose = ", ".join(sorted(ours.customers))
        found.append(Difference(ours.subject, What.CUSTOMER, whose, there.customer_id, ours.mend))
    if missing := _missing(ours.says or (), there.text):
        found.append(Difference(ours.subject, What.ALTERED, missing, there.text, ours.mend))
    return found


def customer(ours: OurCustomer, theirs: Customer | None) -> list[Difference]:
    """How our copies of a customer differ from what the CRM says now."""
    if theirs is None or theirs.id != ours.id:
        if not ours.needed and ours.card is None:
            return []  # what is over keeps the name it had
        now = "" if theirs is None else theirs.id
        mend = Mend.SEARCH if ours.needed else Mend.REFRESH
        return [Difference(ours.subject, What.NOBODY, ours.id, now, mend)]
    copies = [_named(name, vip) for name, vip in sorted(ours.named) if (name, vip) != (theirs.name, theirs.vip)]
    found = []
    if copies:
        told = _named(theirs.name, theirs.vip)
        found.append(Difference(ours.subject, What.COPY, "; ".join(copies), told, Mend.REFRESH))
    elif ours.card is not None and (wrong := _unlike(ours.card, theirs)):
        here, there = ("; ".join(f"{name} {of}" for name, of in side) for side in zip(*wrong, strict=True))
        found.append(Difference(ours.subject, What.COPY, here, there, Mend.REFRESH))
    return found


def agreeing(compared: int, differing: int) -> float | None:
    """How many of those compared agree, in percent with two decimals, never rounded up to all; None: of nothing."""
    if not compared:
        return None
    return (compared - differing) * 10_000 // compared / 100


def _named(name: str, vip: bool) -> str:  # noqa: FBT001 - as customers have it
    return f"{name} (VIP)" if vip else name


def _unlike(card: Customer, theirs: Customer) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """What the index shows and the CRM says otherwise, field by field."""
    return [
        ((name, str(ours or "-")), (name, str(now or "-")))
        for name in ("name", "level", "vip", "company", "owner")
        if (ours := getattr(card, name)) != (now := getattr(theirs, name))
    ]


def _missing(says: Sequence[str], text: str) -> str:
    """What of ``says`` is not read in a text, whatever its lines and spaces became there."""
    there = _words(text)
    return "\n".join(each for each in says if _words(each) not in there)


def _words(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))
