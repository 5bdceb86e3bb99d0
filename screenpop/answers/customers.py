"""Customers as the API tells them."""

from datetime import date
from typing import Any, Self

from pydantic import Field

from crm.customer import Customer
from screenpop.answers.calls import Call
from screenpop.answers.tickets import Ticket
from screenpop.rendering import phone
from screenpop.route import Shape


class CustomerPhone(Shape):
    """A number of a customer. ``e164`` null: it is masked, or what is written there is no number."""

    display: str
    e164: str | None


class FoundCustomer(Shape):
    """A customer of ours, or of the CRM's copy; ``id`` is whose they are."""

    id: str
    name: str
    company: str | None
    level: str | None
    vip: bool
    owner: str | None
    phones: tuple[CustomerPhone, ...]

    @classmethod
    def of(cls, customer: Customer, *, full: bool = False) -> Self:
        """From the row; ``full``: with the numbers."""
        return cls(**_of(customer, full=full))


class Bought(Shape):
    """A purchase. ``amount`` in yuan."""

    what: str
    on: date | None
    amount: str | None = Field(examples=["2899.00"])
    order_no: str | None


class Signed(Shape):
    """A contract."""

    what: str
    number: str | None
    until: date | None


class WholeCustomer(FoundCustomer):
    """A customer, and what there is of them for who asks: their own calls and tickets, or everybody's.

    ``known`` false: we have no copy, only calls or tickets that name them. ``colleagues``: logins that own open tickets
    of this customer which are not shown.
    """

    note: str | None
    known: bool
    purchases: tuple[Bought, ...]
    contracts: tuple[Signed, ...]
    tickets: tuple[Ticket, ...]
    calls: tuple[Call, ...]
    colleagues: tuple[str, ...]

    @classmethod
    def whole(cls, customer: Customer, *, full: bool = False, **more: Any) -> Self:
        """From the rows; ``full``: with the numbers."""
        return cls(
            **_of(customer, full=full),
            note=customer.note,
            purchases=tuple(
                Bought(
                    what=one.what,
                    on=one.on,
                    amount=None if one.amount is None else str(one.amount),
                    order_no=one.order_no,
                )
                for one in customer.purchases
            ),
            contracts=tuple(Signed(what=one.what, number=one.number, until=one.until) for one in customer.contracts),
            **more,
        )


def _of(customer: Customer, *, full: bool) -> dict[str, Any]:
    return {
        "id": customer.id,
        "name": customer.name,
        "company": customer.company,
        "level": customer.level,
        "vip": customer.vip,
        "owner": customer.owner,
        "phones": tuple(
            CustomerPhone(
                display=phone(one.e164, one.raw, full=full) or (one.raw if full else "****"),
                e164=one.e164 if full else None,
            )
            for one in customer.phones
        ),
    }
