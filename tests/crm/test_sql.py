"""The direct SQL connector on SQLite and on a real PostgreSQL: the whole contract, and what goes wrong there."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from crm.kit import CHECKS, Check, NotShownError
from tests.crm.sql_shop import PostgresShop, Shop, SqliteShop, World, mapping_for, opened


@pytest.fixture(params=["sqlite", "postgresql"])
async def shop(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop's database with its tables, on either kind."""
    if request.param == "sqlite":
        yield SqliteShop(tmp_path / "shop.db")
        return
    asyncpg = pytest.importorskip("asyncpg")
    server = request.getfixturevalue("postgres")
    made = server.new_url(empty=True)
    plain = make_url(made).set(drivername="postgresql").render_as_string(hide_password=False)
    pool = await asyncpg.create_pool(plain, min_size=1, max_size=4)
    yield PostgresShop(plain, pool)
    await pool.close()
    server.drop(made)


@pytest.fixture
async def world(shop: Shop) -> AsyncIterator[World]:
    """The shop and the connector to it."""
    connector = await opened(shop.url, mapping_for(shop.kind))
    world = World(shop, connector)
    await world.make()
    yield world
    await connector.close()


@pytest.mark.parametrize("check", CHECKS, ids=str)
async def test_contract(check: Check, world: World) -> None:
    """As far as something that only reads has part in it."""
    try:
        await check(world)
    except NotShownError as why:
        assert "does not do" in str(why)  # noqa: PT017 - the reason to leave it out
