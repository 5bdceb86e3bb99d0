"""The direct SQL connector on SQLite and on a real PostgreSQL: the whole contract, and what goes wrong there."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from crm.connector import Can
from crm.kit import CHECKS, Check
from tests.conftest import Postgres
from tests.crm.sql_shop import PostgresShop, Shop, SqliteShop, World, mapping_for, opened

WRITES = Can.NOTE | Can.TICKET


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> Iterator[str]:
    """A database on the server, for one test after the other."""
    made = postgres.new_url(empty=True)
    yield make_url(made).set(drivername="postgresql").render_as_string(hide_password=False)
    postgres.drop(made)


@pytest.fixture(params=["sqlite", "postgresql"])
async def shop(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop's database with nothing in it, on either kind."""
    if request.param == "sqlite":
        yield SqliteShop(tmp_path / "shop.db")
        return
    asyncpg = pytest.importorskip("asyncpg")
    url = request.getfixturevalue("database")
    pool = await asyncpg.create_pool(url, min_size=1, max_size=4)
    await pool.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO public")
    yield PostgresShop(url, pool)
    await pool.close()


@pytest.fixture
async def world(shop: Shop) -> AsyncIterator[World]:
    """The shop and the connector to it."""
    connector = await opened(shop.url, mapping_for(shop.kind))
    world = World(shop, connector)
    await world.make()
    yield world
    await connector.close()


@pytest.mark.parametrize("check", [check for check in CHECKS if not check.needs & WRITES], ids=str)
async def test_contract(check: Check, world: World) -> None:
    """All that something that only reads has part in: nothing of it is left out."""
    await check(world)
