"""One person's data as the API tells and takes it."""

from typing import Self

from pydantic import Field, model_validator

from screenpop.route import Shape
from storage.erasures import Erasure
from storage.persons import About, By, Person, known_by


class PersonQuery(Shape):
    """Whose: a number as people write it, or a customer's id. One of them."""

    number: str | None = Field(None, min_length=2, max_length=64)
    customer: str | None = Field(None, min_length=1, max_length=128)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.number is None) == (self.customer is None):
            raise ValueError("name a number or a customer")
        return self

    @property
    def person(self) -> Person:
        """As storage knows people."""
        if self.customer is not None:
            return Person(By.CUSTOMER, self.customer)
        assert self.number is not None
        return known_by(self.number)


class KeptOfPerson(Shape):
    """How much is kept. ``live``: a call of theirs goes on; ``crm``: their records in the CRM, which stay there."""

    calls: int
    recordings: int
    tickets: int
    customers: int
    live: bool
    crm: tuple[str, ...]

    @classmethod
    def of(cls, about: About) -> Self:
        """From what was found."""
        return cls(
            calls=about.calls,
            recordings=about.recordings,
            tickets=about.tickets,
            customers=about.customers,
            live=about.live,
            crm=about.crm,
        )


class ErasureItem(Shape):
    """An erasure. Whose is not known any more once it is done; ``digest``, scrypt of number and ``salt``, can tell.

    scrypt(number, salt, n=16384, r=8, p=1), 32 bytes in hexadecimal digits; the salt is taken as it is written here.
    """

    id: int
    by: By
    salt: str
    digest: str
    who: str
    asked: float
    done: float | None
    calls: int
    tickets: int
    recordings: int
    trouble: str | None

    @classmethod
    def of(cls, one: Erasure) -> Self:
        """From the row."""
        return cls(
            id=one.id,
            by=one.by,
            salt=one.salt,
            digest=one.digest,
            who=one.who,
            asked=one.asked,
            done=one.done,
            calls=one.calls,
            tickets=one.tickets,
            recordings=one.recordings,
            trouble=one.trouble,
        )


class ErasuresQuery(Shape):
    """Which page."""

    cursor: str | None = None
    limit: int = Field(50, ge=1, le=200)


class ErasureList(Shape):
    """A page of erasures, the newest first; ``cursor`` asks for the next, null at the end."""

    erasures: tuple[ErasureItem, ...]
    cursor: str | None


class ErasureBegun(Shape):
    """It is being done; ``crm``: records that stay in the CRM."""

    id: int
    crm: tuple[str, ...]
