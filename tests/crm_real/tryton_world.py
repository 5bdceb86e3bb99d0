"""The real Tryton from behind: what people do at its screen, for the connectors' contract."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from crm.connector import Can, Connector, Context
from crm.kit import PlainWorld, Wire
from crm.trouble import InvalidError
from crm.tryton import Tryton, open_connector
from tests.crm_real.tryton_lab import DATABASE, PASSWORDS, PLAIN, PROJECT, Screen, TrytonLab

MAPPING: Mapping[str, Any] = {
    "ticket": {"statuses": {"accepted": "新建", "working": "处理中", "solved": "已解决", "closed": "已关闭"}}
}
WRITES = {Can.TICKET: b"model.project.work.create", Can.NOTE: b"model.ir.note.create"}


async def opened(
    lab: TrytonLab,
    *,
    url: str | None = None,
    key: str | None = None,
    mapping: Mapping[str, Any] = MAPPING,
    **settings: Any,
) -> Tryton:
    """The connector to the lab's Tryton, by default as the user of our own."""
    given = {"url": url or lab.url, "database": DATABASE, "user": PLAIN, "project": PROJECT, **settings}
    context = Context(
        secret=lambda _: key or PASSWORDS[given["user"]],
        base=Path(),
        clock=time.time,  # noqa: TID251 - a real system has a real clock
        area="0755",
        mapping=mapping,
    )
    return await open_connector(given, context)


async def party(screen: Screen, name: str, *phones: str) -> int:
    """A party in China with these numbers, each typed as Tryton lets people type it.

    A number with its extension is refused as a telephone: people write the extension into the comment.
    """
    [china] = await screen.find("country.country", ["code", "=", "CN"])
    number = await screen.create("party.party", name=name, addresses=[["create", [{"country": china}]]])
    for phone in phones:
        await mechanism(screen, number, phone)
    return number


async def mechanism(screen: Screen, number: int, phone: str) -> int:
    """A number of a party."""
    try:
        return await screen.create("party.contact_mechanism", party=number, type="phone", value=phone)
    except InvalidError:
        line, _, extension = phone.rpartition("-")
        values = {"value": line, "comment": f"分机 {extension}"}
        return await screen.create("party.contact_mechanism", party=number, type="phone", **values)


class TrytonWorld(PlainWorld):
    """For the kit. Every customer it asks for is new, so whatever hangs on the last one was made since."""

    def __init__(self, lab: TrytonLab, connector: Connector, screen: Screen) -> None:
        self.lab, self.connector, self.screen = lab, connector, screen
        self._last = 0

    async def seed(self, name: str, phones: Sequence[str]) -> str:
        """One party with its numbers."""
        self._last = await party(self.screen, name, *phones)
        return str(self._last)

    async def rename(self, customer_id: str, name: str) -> None:
        """Its name."""
        await self.screen.write("party.party", customer_id, name=name)

    async def remove(self, customer_id: str) -> None:
        """Deleted."""
        await self.screen.do("party.party", "delete", [int(customer_id)])

    async def touch(self, ticket_id: str) -> None:
        """Another order in the list, which changes nothing that we read."""
        await self.screen.write("project.work", ticket_id, sequence=7)

    async def notes(self, customer_id: str, key: str) -> int:  # noqa: ARG002 - the customer is new: all are of this key
        """Notes on the party."""
        return len(await self.screen.find("ir.note", ["resource", "=", f"party.party,{customer_id}"]))

    async def tickets(self, key: str) -> int:  # noqa: ARG002 - the customer is new: all are of this key
        """Works of the party that was made last."""
        return len(await self.screen.find("project.work", ["party", "=", self._last]))

    def losing(self, what: Can) -> AbstractAsyncContextManager[Connector]:
        """Over a wire that breaks once the write is done."""
        return self._losing(WRITES[what])

    @asynccontextmanager
    async def _losing(self, write: bytes) -> AsyncIterator[Connector]:
        parts = urlsplit(self.lab.url)
        async with Wire(parts.hostname or "", parts.port or 80, lambda head: write in head) as wire:
            connector = await opened(self.lab, url=wire.url)
            try:
                yield connector
            finally:
                await connector.close()
                assert wire.lost
