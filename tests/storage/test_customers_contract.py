"""The embedded customers keep the contract of all connectors, as far as they go."""

from collections.abc import Sequence
from itertools import count

import pytest

from crm.customer import Customer
from crm.kit import CHECKS, Check, PlainWorld
from crm.phones import split_phones
from storage.customers import EmbeddedCrm
from storage.database import Database


class World(PlainWorld):
    """Our own table of customers."""

    def __init__(self, crm: EmbeddedCrm) -> None:
        self.connector = crm
        self._crm, self._numbers = crm, count(1)

    async def seed(self, name: str, phones: Sequence[str]) -> str:
        """As an import would."""
        customer_id = f"C{next(self._numbers)}"
        found = tuple(phone for cell in phones for phone in split_phones(cell))
        await self._crm.add_many([Customer(customer_id, name, found)])
        return customer_id


# There is no way to delete a customer yet, so what happens then cannot be shown.
THEIRS = [check for check in CHECKS if check.needs in EmbeddedCrm.can and check.name != "a deleted customer is gone"]


@pytest.mark.parametrize("check", THEIRS, ids=str)
async def test_contract(check: Check, db: Database) -> None:
    """Of finding and reading, all."""
    await check(World(EmbeddedCrm(db)))
