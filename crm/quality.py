"""What is wrong with customers as the CRM has them, so that callers are not known: found and named only. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from crm.customer import Customer


class Fault(StrEnum):
    """What is wrong."""

    UNREADABLE = "unreadable"  # a number that no caller could show
    PHONELESS = "phoneless"  # no number at all
    SHARED = "shared"  # a number that several customers have
    LONGER = "longer"  # a text longer than the CRM takes: writing it back would cut it


@dataclass(frozen=True, slots=True)
class Blemish:
    """One fault of one customer. ``said``: the number or text it is about; ``others``: who has the number, too."""

    fault: Fault
    customer_id: str
    name: str
    said: str
    others: tuple[str, ...] = ()


def blemishes(customer: Customer, longest: Mapping[str, int]) -> Iterator[Blemish]:
    """What is wrong with a customer by itself. ``longest``: characters that the CRM takes, by our name of a text."""
    if not customer.phones:
        yield Blemish(Fault.PHONELESS, customer.id, customer.name, "")
    for phone in customer.phones:
        if phone.e164 is None:
            yield Blemish(Fault.UNREADABLE, customer.id, customer.name, phone.raw)
    texts = [("phone", phone.raw) for phone in customer.phones]
    texts += [(name, getattr(customer, name) or "") for name in ("name", "company", "note")]
    for name, text in texts:
        if len(text) > longest.get(name, len(text)):
            yield Blemish(Fault.LONGER, customer.id, customer.name, text)
