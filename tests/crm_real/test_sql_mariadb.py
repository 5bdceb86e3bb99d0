"""The direct SQL connector on a real MariaDB: the contract, and what only this kind does."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiomysql
import pytest

from crm.kit import CHECKS, Check, NotShownError
from crm.sql_settings import where_of
from tests.crm.sql_shop import MysqlShop, World, mapping_for, opened
from tests.crm_real.maria_lab import NoMariaError, running

pytestmark = [pytest.mark.crm, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The server."""
    try:
        with running() as found:
            yield found
    except NoMariaError as error:
        pytest.skip(str(error))


@pytest.fixture
async def world(url: str) -> AsyncIterator[World]:
    """A shop on it, and the connector."""
    where = where_of(url)
    there: dict[str, Any] = {"unix_socket": where.host} if where.host.startswith("/") else {"host": where.host}
    pool = await aiomysql.create_pool(
        **there, user=where.user, minsize=1, maxsize=4, autocommit=True, charset="utf8mb4"
    )
    shop = MysqlShop(url, pool)
    for statement in ("DROP DATABASE IF EXISTS test", "CREATE DATABASE test CHARACTER SET utf8mb4", "USE test"):
        await shop.run(statement)
    pool.close()
    await pool.wait_closed()
    shop.pool = await aiomysql.create_pool(
        **there, user=where.user, db="test", minsize=1, maxsize=4, autocommit=True, charset="utf8mb4"
    )
    world = World(shop, await opened(url, mapping_for("mysql")))
    await world.make()
    yield world
    await world.connector.close()
    shop.pool.close()
    await shop.pool.wait_closed()


@pytest.mark.parametrize("check", CHECKS, ids=str)
async def test_the_contract(check: Check, world: World) -> None:
    """As far as something that only reads has part in it."""
    try:
        await check(world)
    except NotShownError as why:
        pytest.skip(str(why))
