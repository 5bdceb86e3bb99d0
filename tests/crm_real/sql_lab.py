"""The databases of the lab's Odoo, Tryton and Request Tracker, as a reader with no other right than SELECT.

The systems run beside it: customers are made at their screens, found in their tables.
"""

import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from crm.connector import Connector
from crm.kit import World
from tests.crm.sql_doc import mapping_of
from tests.crm.sql_shop import opened
from tests.crm_real import odoo_lab, odoo_world, rt_lab, rt_world, tryton_lab, tryton_world

READER = "hotline_reader"
TROUBLES = (odoo_lab.NoOdooError, tryton_lab.NoTrytonError, rt_lab.NoRtError)
_DATABASES = {"odoo": "odoo19", "tryton": "tryton", "rt": "rt5"}
_TABLES = {
    "odoo": "res_partner, res_users, project_task, project_task_type, sale_order, sale_order_line",
    "tryton": "party_party, party_contact_mechanism, sale_opportunity, sale_sale, sale_line",
    "rt": "users, principals, tickets, groups, groupmembers, objectcustomfieldvalues, customfields",
}


@dataclass(frozen=True, slots=True)
class System:
    """One that runs. ``lab``: its own."""

    name: str
    lab: Any

    def rows(self) -> Sequence[Mapping[str, Any]]:
        """The labelled thousand."""
        rows: Sequence[Mapping[str, Any]] = self.lab.labdata().rows(1000)
        return rows

    async def master(self) -> Any:
        """A connection with all rights, as the system's own program has."""
        return await asyncpg.connect(host="127.0.0.1", port=_port(), user="postgres", database=_DATABASES[self.name])

    async def let_in(self) -> None:
        """Our reader, as a company's administrator would make one."""
        connection = await self.master()
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", READER):
                await connection.execute(f"CREATE ROLE {READER} LOGIN")
            await connection.execute(f"GRANT SELECT ON {_TABLES[self.name]} TO {READER}")
        finally:
            await connection.close()

    async def connector(self, mapping: Mapping[str, Any] | None = None, **settings: Any) -> Any:
        """The connector to its database, by the page's own mapping file."""
        url = f"postgresql://{settings.pop('user', READER)}@127.0.0.1:{_port()}/{_DATABASES[self.name]}"
        return await opened(url, mapping or mapping_of(f"{self.name}.toml"), **settings)

    @asynccontextmanager
    async def world(self, connector: Connector) -> AsyncIterator[World]:
        """For the kit: people at the system's screen, and the connector to its tables."""
        world: World
        screen: Any
        if self.name == "tryton":
            screen = tryton_lab.Screen(self.lab.url)
            [company] = await screen.find("company.company")
            screen.of_company(company)
            world = tryton_world.TrytonWorld(self.lab, connector, screen)
        elif self.name == "odoo":
            screen = odoo_world.Screen(self.lab)
            world = odoo_world.OdooWorld(self.lab, connector, screen, "json2")
        else:
            screen = rt_world.Screen(self.lab)
            world = rt_world.RtWorld(self.lab, connector, screen)
        try:
            yield world
        finally:
            await screen.close()


@contextmanager
def running(name: str) -> Iterator[System]:
    """One of them. Raises one of TROUBLES."""
    labs: Mapping[str, Any] = {"odoo": odoo_lab.running, "tryton": tryton_lab.running, "rt": rt_lab.running}
    with labs[name]() as lab:
        yield System(name, lab)


def _port() -> int:
    return int(os.environ.get("CRM_PGPORT", "55440"))
