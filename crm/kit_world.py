"""What a check of the connectors' contract is, and what it needs to be run against any of them.

A check needs the connector and a :class:`World`: a way to put records into the system behind the connector's back and
to count what is there. Nothing here knows pytest; a check that holds returns, one that does not raises AssertionError,
one that this connector or world has no part in raises :class:`NotShownError` with the reason.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from random import Random, SystemRandom
from typing import Protocol

from crm.connector import Can, Connector
from crm.customer import Match
from crm.keys import key_of
from crm.matching import decide
from numbering.identify import identify


class NotShownError(Exception):
    """This check says nothing here: the text tells why. A reason to skip, never to pass."""


class World(Protocol):
    """The system behind a connector, as a test sees it. What a world cannot do raises :class:`NotShownError`."""

    @property
    def connector(self) -> Connector:
        """The connector to be tested, open."""
        ...

    async def seed(self, name: str, phones: Sequence[str]) -> str:
        """Put a customer into the system with these numbers as they are written; its id. Others may be there too."""
        ...

    async def rename(self, customer_id: str, name: str) -> None:
        """Change a customer, as somebody at the CRM's own screen would."""
        ...

    async def remove(self, customer_id: str) -> None:
        """Delete (or put away) a customer."""
        ...

    async def touch(self, ticket_id: str) -> None:
        """Change a ticket, as somebody at the CRM's own screen would."""
        ...

    async def notes(self, customer_id: str, key: str) -> int:
        """How many notes of this key stand on the customer's timeline."""
        ...

    async def tickets(self, key: str) -> int:
        """How many tickets were made with this key."""
        ...

    def losing(self, what: Can) -> AbstractAsyncContextManager[Connector]:
        """A connector whose write (``Can.NOTE`` or ``Can.TICKET``) is done, and whose answer never arrives."""
        ...


class PlainWorld:
    """A base for worlds: what it does not override is not shown."""

    async def rename(self, customer_id: str, name: str) -> None:
        """Not shown."""
        raise NotShownError(f"this world changes no customer ({customer_id}, {name})")

    async def remove(self, customer_id: str) -> None:
        """Not shown."""
        raise NotShownError(f"this world deletes no customer ({customer_id})")

    async def touch(self, ticket_id: str) -> None:
        """Not shown."""
        raise NotShownError(f"this world changes no ticket ({ticket_id})")

    async def notes(self, customer_id: str, key: str) -> int:
        """Not shown."""
        raise NotShownError(f"this world counts no notes ({customer_id}, {key})")

    async def tickets(self, key: str) -> int:
        """Not shown."""
        raise NotShownError(f"this world counts no tickets ({key})")

    def losing(self, what: Can) -> AbstractAsyncContextManager[Connector]:
        """Not shown."""
        raise NotShownError(f"this world loses no answer ({what.name})")


@dataclass(frozen=True, slots=True)
class Check:
    """One sentence of the contract: ``name`` says it, ``needs`` are the abilities it is about."""

    name: str
    needs: Can
    hold: Callable[[World], Awaitable[None]]

    def __str__(self) -> str:
        return self.name

    async def __call__(self, world: World) -> None:
        """See whether it holds. Raises AssertionError, or NotShownError."""
        if missing := self.needs & ~world.connector.can:
            raise NotShownError(f"{world.connector.name} does not do {missing.name}")
        await self.hold(world)


class Fresh:
    """Numbers, names and keys that nothing else in the system has; the same ones for the same ``seed``."""

    def __init__(self, seed: int | None = None) -> None:
        self._random: Random = SystemRandom() if seed is None else Random(seed)  # noqa: S311 - numbers for a test

    def mobile(self) -> str:
        """Eleven digits."""
        return f"1{self._random.choice(('38', '59', '87'))}{self._digits(8)}"

    def fixed(self) -> str:
        """A Shenzhen number without its area code: eight digits."""
        return f"8{self._random.randint(2, 8)}{self._digits(6)}"

    def key(self, kind: str) -> str:
        """A key of ours."""
        return key_of("kit", "lab", f"17{self._digits(8)}.{self._digits(4)}", kind)

    def name(self) -> str:
        """A customer's."""
        return f"林晓峰{self._digits(6)}"

    def _digits(self, count: int) -> str:
        return "".join(str(self._random.randrange(10)) for _ in range(count))


async def asked(world: World, raw: str) -> Match:
    """Who calls from ``raw``: what the connector finds, decided as for a real call."""
    number = identify(raw)
    return decide(number, await world.connector.find(number))


def ids(match: Match) -> set[str]:
    """The customers of a match."""
    return {candidate.customer.id for candidate in match.candidates}


def expect(held: object, text: str) -> None:
    """Raise AssertionError with ``text`` unless ``held``."""
    if not held:
        raise AssertionError(text)
