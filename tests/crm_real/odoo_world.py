"""The real Odoo from behind: what the administrator does at the screen, for the connectors' contract."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from crm.connector import Can, Connector, Context
from crm.http import BULK, Http
from crm.kit import PlainWorld, Wire
from crm.odoo import Odoo, open_connector
from crm.odoo_rpc import Json2
from tests.crm_real.odoo_lab import DATABASE, PLAIN, PROJECT, OdooLab

MAPPING: Mapping[str, Any] = {
    "ticket": {"statuses": {"accepted": "新建", "working": "处理中", "solved": "已解决", "closed": "已解决"}}
}
WRITES = {  # how a request begins that writes: the path of JSON-2, the arguments of /jsonrpc
    (Can.TICKET, "json2"): b"project.task/load",
    (Can.NOTE, "json2"): b"mail.message/load",
    (Can.TICKET, "jsonrpc"): b'"project.task", "load"',
    (Can.NOTE, "jsonrpc"): b'"mail.message", "load"',
}


async def opened(
    lab: OdooLab,
    *,
    url: str | None = None,
    key: str | None = None,
    mapping: Mapping[str, Any] = MAPPING,
    **settings: Any,
) -> Odoo:
    """The connector to the lab's Odoo, by default as the user of our own."""
    given = {
        "url": url or lab.url,
        "database": DATABASE,
        "project": PROJECT,
        "user": PLAIN,
        "also": {"closed": {"state": "1_done"}},
        **settings,
    }
    context = Context(
        secret=lambda _: key or lab.key(PLAIN),
        base=Path(),
        clock=time.time,  # noqa: TID251 - a real system has a real clock
        area="0755",
        mapping=mapping,
    )
    return await open_connector(given, context)


class Screen:
    """Odoo as its administrator."""

    def __init__(self, lab: OdooLab) -> None:
        headers = {"Authorization": f"bearer {lab.key('admin')}", "X-Odoo-Database": DATABASE}
        self._http = Http("Odoo", lab.url)
        self._rpc = Json2(self._http, headers)

    async def do(self, model: str, method: str, ids: list[int] | None = None, **arguments: Any) -> Any:
        """Call a method."""
        return await self._rpc.call(model, method, ids, pace=BULK, **arguments)

    async def create(self, model: str, **values: Any) -> int:
        """A new record."""
        made = await self.do(model, "create", vals_list=[values])
        return int(made[0])

    async def write(self, model: str, record: int | str, **values: Any) -> None:
        """Change one."""
        await self.do(model, "write", [int(record)], vals=values)

    async def count(self, model: str, *domain: Any) -> int:
        """How many there are, archived ones too."""
        return int(await self.do(model, "search_count", domain=list(domain), context={"active_test": False}))

    async def close(self) -> None:
        """Close the connection."""
        await self._http.close()


class OdooWorld(PlainWorld):
    """For the kit. Every customer it asks for is new, so whatever hangs on the last one was made since."""

    def __init__(self, lab: OdooLab, connector: Connector, screen: Screen, api: str) -> None:
        self.lab, self.connector, self.screen, self._api = lab, connector, screen, api
        self._last = 0

    async def seed(self, name: str, phones: Sequence[str]) -> str:
        """One contact: 19 has one field for numbers, so people write several into it."""
        self._last = await self.screen.create("res.partner", name=name, phone=" / ".join(phones))
        return str(self._last)

    async def rename(self, customer_id: str, name: str) -> None:
        """Its name."""
        await self.screen.write("res.partner", customer_id, name=name)

    async def remove(self, customer_id: str) -> None:
        """Deleted."""
        await self.screen.do("res.partner", "unlink", [int(customer_id)])

    async def touch(self, ticket_id: str) -> None:
        """Another text, perhaps within the second."""
        await self.screen.write("project.task", ticket_id, description="<p>客户又来电</p>")

    async def notes(self, customer_id: str, key: str) -> int:  # noqa: ARG002 - the customer is new: all are of this key
        """Comments on the contact."""
        mine = (["model", "=", "res.partner"], ["res_id", "=", int(customer_id)], ["message_type", "=", "comment"])
        return await self.screen.count("mail.message", *mine)

    async def tickets(self, key: str) -> int:  # noqa: ARG002 - the customer is new: all are of this key
        """Tasks of the contact that was made last."""
        return await self.screen.count("project.task", ["partner_id", "=", self._last])

    def losing(self, what: Can) -> AbstractAsyncContextManager[Connector]:
        """Over a wire that breaks once the write is done."""
        return self._losing(WRITES[what, self._api])

    @asynccontextmanager
    async def _losing(self, write: bytes) -> AsyncIterator[Connector]:
        parts = urlsplit(self.lab.url)
        async with Wire(parts.hostname or "", parts.port or 80, lambda head: write in head) as wire:
            connector = await opened(self.lab, url=wire.url, api=self._api)
            try:
                yield connector
            finally:
                await connector.close()
                assert wire.lost
