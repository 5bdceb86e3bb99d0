"""What every CRM must be able to do for us, and what some can do besides.

Two implementations: the embedded customers (``storage.customers``) and, by later work, real CRMs.
"""

from collections.abc import Sequence
from enum import Flag, auto
from typing import Protocol

from crm.customer import Customer
from numbering.number import Number


class Can(Flag):
    """Capabilities of a connector beyond finding a customer."""

    FIND = auto()
    NOTE = auto()


class CrmError(Exception):
    """The CRM could not answer: the message says which system, what it said and what to do."""


class Connector(Protocol):
    """A CRM. Answers are candidates only; :mod:`crm.matching` re-normalises and decides."""

    name: str
    can: Can

    async def find(self, number: Number) -> Sequence[Customer]:
        """Every customer that may own ``number`` (E.164 and, for fixed lines, any extension). Raises CrmError."""
        ...
