"""The real RT from behind: what its administrator does at the screen, for the connectors' contract."""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from crm.connector import Can, Connector, Context
from crm.http import BULK, Http
from crm.kit import Fresh, PlainWorld, Wire
from crm.rt import Rt, open_connector
from crm.rt_plan import quoted
from crm.rt_rest import Rest
from tests.crm_real.rt_lab import PLAIN, QUEUE, ROOT, RtLab

MAPPING: Mapping[str, Any] = {"ticket": {"statuses": {"closed": "resolved"}}}
SEARCHED = ("MobilePhone", "WorkPhone", "HomePhone")
WRITES = {Can.TICKET: b"POST /REST/2.0/ticket ", Can.NOTE: b"/comment HTTP/"}


async def opened(
    lab: RtLab, *, url: str | None = None, token: str | None = None, mapping: Mapping[str, Any] = MAPPING, **given: Any
) -> Rt:
    """The connector to the lab's RT, by default as the user of our own."""
    settings = {
        "url": url or lab.url,
        "queue": QUEUE,
        "find_typed": SEARCHED,
        "also": {"closed": {"结案": "是"}},
        "connections": 3,
        **given,
    }
    context = Context(
        secret=lambda _: token or lab.token(PLAIN),
        base=Path(),
        clock=time.time,  # noqa: TID251 - a real system has a real clock
        area="0755",
        mapping=mapping,
    )
    return await open_connector(settings, context)


class Screen:
    """RT as its administrator."""

    def __init__(self, lab: RtLab) -> None:
        self._rest = Rest(Http("RT", lab.url, connections=2), lab.token(ROOT), time.time)  # noqa: TID251 - a real one

    async def create(self, what: str, **values: Any) -> str:
        """A new record; its id."""
        made = await self._rest.ask("POST", f"/{what}", body=values, pace=BULK, writes=True)
        name = made.json_object()["id"]
        return str((await self.read(what, str(name)))["id"])

    async def read(self, what: str, record: str) -> dict[str, Any]:
        """One record."""
        return (await self._rest.ask("GET", f"/{what}/{record}", pace=BULK)).json_object()

    async def write(self, what: str, record: str, **values: Any) -> None:
        """Change one."""
        await self._rest.ask("PUT", f"/{what}/{record}", body=values, pace=BULK, writes=True)

    async def comment(self, ticket: str, text: str) -> None:
        """A comment."""
        body = {"Content": text, "ContentType": "text/plain"}
        await self._rest.ask("POST", f"/ticket/{ticket}/comment", body=body, pace=BULK, writes=True)

    async def with_key(self, what: str, key: str) -> list[str]:
        """The ids of tickets or transactions that carry a key of ours."""
        if what == "tickets":
            found = await self._rest.rows("/tickets", {"query": f"CF.{{CallID}} = {quoted(key)}"}, pace=BULK)
        else:
            search = [{"field": "CustomField.{CallID}", "operator": "=", "value": key}]
            found = await self._rest.rows("/transactions", {}, search, pace=BULK)
        return [str(row["id"]) for row in found.items]

    async def history(self, ticket: str) -> list[str]:
        """The texts of a ticket's history, oldest first."""
        query = {"orderby": "id", "fields": "Content"}
        found = await self._rest.rows(f"/ticket/{ticket}/attachments", query, pace=BULK)
        return [str(row.get("Content", "")) for row in found.items]

    async def close(self) -> None:
        """Close the connection."""
        await self._rest.close()


class RtWorld(PlainWorld):
    """For the kit."""

    def __init__(self, lab: RtLab, connector: Connector, screen: Screen) -> None:
        self.lab, self.connector, self.screen = lab, connector, screen

    async def seed(self, name: str, phones: Sequence[str]) -> str:
        """One user, whose numbers go into as many fields."""
        numbers = dict(zip(("MobilePhone", "WorkPhone", "HomePhone"), phones, strict=False))
        return await self.screen.create("user", Name=f"kit-{Fresh().mobile()}", RealName=name, **numbers)

    async def rename(self, customer_id: str, name: str) -> None:
        """Its name."""
        await self.screen.write("user", customer_id, RealName=name)

    async def remove(self, customer_id: str) -> None:
        """Disabled: RT deletes nobody."""
        await self.screen.write("user", customer_id, Disabled=1)

    async def touch(self, ticket_id: str) -> None:
        """A comment, perhaps within the second."""
        await self.screen.comment(ticket_id, "客户又来电")

    async def notes(self, customer_id: str, key: str) -> int:  # noqa: ARG002 - keys are of one customer
        """Comments with the key."""
        return len(await self.screen.with_key("transactions", key))

    async def tickets(self, key: str) -> int:
        """Tickets with the key."""
        return len(await self.screen.with_key("tickets", key))

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
