"""What is kept of one person: their calls and tickets, and what else has their number. For export, before erasure.

A person is a number, or a customer of the CRM. Neither is stretched to the other: a switchboard's number is many
people's, and a customer's numbers are the CRM's to say.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select

from numbering.display import mask
from numbering.identify import identify
from storage.account_tables import audit
from storage.audit import What
from storage.callback_tables import callbacks
from storage.choice_tables import choices, entered_customers, note_drafts, number_choices
from storage.crm_ref_tables import crm_refs
from storage.customer_tables import customer_phones, customers
from storage.database import Database
from storage.push_tables import deliveries
from storage.tables import calls, recordings, tickets
from telephony.call import CallKey

_SPELT = re.compile(r"[\d\s().-]+")
_GAPS = re.compile(r"[\s().-]+")


class By(StrEnum):
    """By what a person is known."""

    NUMBER = "number"  # E.164, or the digits of one that has none
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody. ``value``: the number as calls keep it, or the customer's id."""

    by: By
    value: str


@dataclass(frozen=True, slots=True)
class About:
    """How much is kept. ``live``: a call of theirs goes on. ``crm``: records of theirs in the CRM, which stay there."""

    calls: int
    recordings: int
    tickets: int
    customers: int
    live: bool
    crm: tuple[str, ...]


def known_by(number: str) -> Person:
    """Whose number it is, as people write it. Calls keep one that is no E.164 number (an extension) as bare digits."""
    text = number.strip()
    return Person(By.NUMBER, identify(text).e164 or (_GAPS.sub("", text) if _SPELT.fullmatch(text) else text))


def subject_of(person: Person) -> str:
    """Somebody in the audit trail, whose readers see no numbers."""
    return f"{person.by.value} {person.value if person.by is By.CUSTOMER else mask(identify(person.value))}"


def of_number(number: str) -> ColumnElement[bool]:
    """Which choices are remembered of a number, behind whatever extension."""
    same: ColumnElement[bool] = number_choices.c.number == number
    return same | number_choices.c.number.startswith(f"{number};", autoescape=True)


def of_person(person: Person) -> ColumnElement[bool]:
    """Which calls are theirs."""
    if person.by is By.CUSTOMER:
        return calls.c.customer_id == person.value
    return or_(calls.c.e164 == person.value, calls.c.e164.is_(None) & (calls.c.caller == person.value))


def tickets_of(person: Person) -> Select[Any]:
    """The ids of tickets that are theirs, or have a call of theirs."""
    own = tickets.c.customer_id if person.by is By.CUSTOMER else tickets.c.caller
    called = select(calls.c.ticket_id).where(of_person(person), calls.c.ticket_id.is_not(None))
    return select(tickets.c.id).where(or_(own == person.value, tickets.c.id.in_(called)))


def customers_of(person: Person) -> Select[Any]:
    """The ids of our own customers who are this person: by id, or entered here with the number and no other."""
    if person.by is By.CUSTOMER:
        return select(customers.c.id).where(customers.c.id == person.value)
    theirs = select(customer_phones.c.customer_id).where(customer_phones.c.e164 == person.value)
    another = or_(customer_phones.c.e164 != person.value, customer_phones.c.e164.is_(None))
    others = select(customer_phones.c.customer_id).where(another)
    entered = customers.c.id.startswith("hotline:", autoescape=True)
    return select(customers.c.id).where(entered, customers.c.id.in_(theirs), customers.c.id.not_in(others))


class Persons:
    """Reads what is kept of people. All methods raise StorageError."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def about(self, person: Person) -> About:
        """How much there is."""
        theirs = select(calls.c.id).where(of_person(person))
        sounds = select(func.count()).select_from(recordings)
        async with self._db.read() as conn:
            counted = [
                (await conn.execute(query)).scalar_one()
                for query in (
                    select(func.count()).select_from(theirs.subquery()),
                    sounds.where(recordings.c.call_id.in_(theirs), recordings.c.deleted.is_(None)),
                    select(func.count()).select_from(tickets_of(person).subquery()),
                    select(func.count()).select_from(customers_of(person).subquery()),
                    select(func.count()).select_from(theirs.where(calls.c.ended.is_(None)).subquery()),
                )
            ]
            keys = select(calls.c.key).where(of_person(person))
            there = select(crm_refs.c.of, crm_refs.c.id).where(
                crm_refs.c.id.is_not(None),
                or_(crm_refs.c.call.in_(keys), crm_refs.c.ticket_id.in_(tickets_of(person))),
            )
            refs = tuple(f"{row.of} {row.id}" for row in await conn.execute(there.order_by(crm_refs.c.key)))
        return About(counted[0], counted[1], counted[2], counted[3], live=counted[4] > 0, crm=refs)

    async def calls(self, person: Person) -> Sequence[CallKey]:
        """Their calls, the oldest first."""
        query = select(calls.c.key).where(of_person(person)).order_by(calls.c.arrived, calls.c.id)
        async with self._db.read() as conn:
            return [CallKey.parse(key) for key in (await conn.execute(query)).scalars()]

    async def tickets(self, person: Person) -> Sequence[int]:
        """The ids of their tickets."""
        async with self._db.read() as conn:
            return list((await conn.execute(tickets_of(person).order_by(tickets.c.id))).scalars())

    async def rest(self, person: Person) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """What else has number or name: missed calls, choices, drafts, own customers, who was told and who looked."""
        theirs, keys = select(calls.c.id).where(of_person(person)), select(calls.c.key).where(of_person(person))
        found = tickets_of(person)
        number = person.value if person.by is By.NUMBER else ""
        own = customers_of(person)
        queries = {
            "callbacks": select(callbacks).where(or_(callbacks.c.number == number, callbacks.c.call_id.in_(theirs))),
            "choices": select(choices).where(choices.c.call_id.in_(theirs)),
            "remembered": select(number_choices).where(
                of_number(number) if number else number_choices.c.customer_id == person.value
            ),
            "entered": select(entered_customers).where(entered_customers.c.call_id.in_(theirs)),
            "drafts": select(note_drafts).where(note_drafts.c.ticket_id.in_(found)),
            "customers": select(customers).where(customers.c.id.in_(own)),
            "phones": select(customer_phones).where(customer_phones.c.customer_id.in_(own)),
            "sent": select(deliveries).where(deliveries.c.call.in_(keys)),
            "audit": select(audit).where(
                or_(
                    audit.c.subject.in_(keys),
                    audit.c.subject == subject_of(person),
                    (audit.c.what == What.DIALLED.value) & (audit.c.subject == number),
                )
            ),
        }
        async with self._db.read() as conn:
            return {
                name: [dict(row) for row in (await conn.execute(query)).mappings()] for name, query in queries.items()
            }
