"""The direct SQL connector on a real MariaDB: the contract, and what only this kind does."""
# ruff: noqa: S608 - statements are what a test of statements is made of

import contextlib
import importlib.util
import os
import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiomysql
import pytest

from crm.connector import Of
from crm.kit import CHECKS, Check, NotShownError
from crm.matching import decide
from crm.sql_rows import Mark
from crm.sql_settings import where_of
from crm.trouble import AuthError, InvalidError, TransientError
from numbering.identify import identify
from tests.crm.sql_shop import COLUMNS, MysqlShop, World, mapping_for, opened
from tests.crm_real.maria_lab import NoMariaError, running

pytestmark = [pytest.mark.crm, pytest.mark.timeout(300)]
CALLER = identify("13812345678")


def labdata() -> Sequence[Mapping[str, Any]]:
    """The labelled thousand."""
    shared = Path(os.environ.get("HOTLINE_SHARED", Path(__file__).parents[3] / "shared"))
    if not (file := shared / "crm-lab" / "labdata.py").exists():
        pytest.skip(f"no labelled customers at {file} (HOTLINE_SHARED names the folder that has them)")
    spec = importlib.util.spec_from_file_location("labdata", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rows: Sequence[Mapping[str, Any]] = module.rows(1000)
    return rows


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
    await shop.run(f"CREATE OR REPLACE DATABASE {where.name} CHARACTER SET utf8mb4")
    pool.close()
    await pool.wait_closed()
    shop.pool = await aiomysql.create_pool(
        **there, user=where.user, db=where.name, minsize=1, maxsize=4, autocommit=True, charset="utf8mb4"
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


async def test_the_labelled_customers_are_found_by_the_index_that_is_told(world: World) -> None:
    """A thousand in nine spellings; the generated column that the advice names finds them at once."""
    rows = labdata()
    for row in rows:
        await world.seed(row["name"], [row["mobile"] or "-", row["phone"]])
    find = f"SELECT {COLUMNS} FROM kehu WHERE right(regexp_replace(dianhua1, '[^0-9]', ''), 11) = :national"
    mapping = {"sql": {"find": find}}
    connector = await opened(world.shop.url, mapping)
    [line] = await connector.advice()
    await connector.close()
    found = re.search(r"reads all of kehu \((\d+) rows\) each time: (ALTER TABLE .*), and compare (\w+)$", line)
    assert found is not None, line
    assert int(found[1]) > 500
    await world.shop.run(found[2])
    connector = await opened(
        world.shop.url, {"sql": {"find": f"SELECT {COLUMNS} FROM kehu WHERE {found[3]} = :national"}}
    )
    assert not await connector.advice()
    missed, took = [], []
    for row in rows:
        if e164 := row["mobile_e164"]:
            number = identify(e164)
            began = time.perf_counter()
            match = decide(number, await connector.find(number))
            took.append(time.perf_counter() - began)
            if row["name"] not in {each.customer.name for each in match.candidates}:
                missed.append(e164)
    took.sort()
    print(f"MariaDB: {len(took) - len(missed)} of {len(took)}, p50 {took[len(took) // 2] * 1000:.1f} ms")  # noqa: T201
    assert len(missed) <= len(took) * 0.01, missed
    await connector.close()


async def test_all_numbers_of_the_labelled_are_found_by_their_digits(world: World) -> None:
    """Fixed lines with extensions too, by LIKE."""
    rows = [row for row in labdata()[:300] if row["phone_e164"]]
    for row in rows:
        await world.seed(row["name"], [row["mobile"] or "-", row["phone"]])
    missed = []
    for row in rows:
        number = identify(f"{row['phone_e164']}转{row['phone_ext']}" if row["phone_ext"] else row["phone_e164"])
        if not decide(number, await world.connector.find(number)).candidates:
            missed.append(row["phone"])
    assert len(missed) <= len(rows) * 0.01, missed


async def test_nothing_is_written(world: World) -> None:
    """By a user with all rights, through a function; and what would hide in a comment is refused before."""
    await world.seed("林晓峰", ["13812345678"])
    await world.shop.run(
        "CREATE FUNCTION renames() RETURNS bigint MODIFIES SQL DATA BEGIN UPDATE kehu SET xingming = 'x'; RETURN 1; END"
    )
    find = "SELECT renames() AS id, 'x' AS name, 'x' AS phone FROM kehu WHERE :e164 <> ''"
    for init in ((), ("SET SESSION TRANSACTION READ WRITE",)):
        connector = await opened(world.shop.url, {"sql": {"find": find}}, session_init=init)
        with pytest.raises(InvalidError, match="READ ONLY transaction"):
            await connector.find(CALLER)
        await connector.close()
    [[name]] = await world.shop.run("SELECT xingming FROM kehu")
    assert name == "林晓峰"


async def test_a_slow_statement_is_given_up_by_the_server(world: World) -> None:
    """Whoever asks next, over the same session, is answered."""
    await world.seed("林晓峰", ["13812345678"])
    slow = f"SELECT {COLUMNS} FROM kehu WHERE :e164 <> '+8613812345678' OR benchmark(1000000000, md5(id)) = 0"
    connector = await opened(world.shop.url, {"sql": {"find": slow}}, timeout=0.3)
    began = time.perf_counter()
    with pytest.raises(TransientError, match=r"too slow|no answer within"):
        await connector.find(CALLER)
    assert time.perf_counter() - began < 1
    assert await connector.find(identify("13800000000"))
    await connector.close()


async def test_what_goes_wrong_is_told_by_its_class(world: World) -> None:
    """Sessions that were ended, a column that is gone, a locked table, rights, a password, a server that is none."""
    shop, connector = world.shop, world.connector
    await world.seed("林晓峰", ["13812345678"])
    assert await connector.find(CALLER)
    for [process] in await shop.run("SELECT id FROM information_schema.processlist WHERE id <> connection_id()"):
        with contextlib.suppress(aiomysql.Error):  # our own pool's others may go with it
            await shop.run(f"KILL {process}")
    assert await connector.find(CALLER)
    await shop.run("ALTER TABLE kehu RENAME COLUMN gongsi TO danwei")
    with pytest.raises(InvalidError, match=r"Unknown column 'gongsi'.*was the CRM upgraded"):
        await connector.find(CALLER)
    with pytest.raises(InvalidError, match=r"find: .*get: .*load: .*customer_changes: "):
        await connector.health()
    await shop.run("ALTER TABLE kehu RENAME COLUMN danwei TO gongsi")
    await connector.health()
    async with shop.pool.acquire() as held, held.cursor() as cursor:  # type: ignore[attr-defined]
        await cursor.execute("LOCK TABLES kehu WRITE")
        with pytest.raises(TransientError, match=r"too slow|no answer within|timeout"):
            await connector.find(CALLER)
        await cursor.execute("UNLOCK TABLES")
    assert await connector.find(CALLER)
    await shop.run("CREATE OR REPLACE USER reader@localhost IDENTIFIED BY 'secret'")
    await shop.run("GRANT SELECT ON gongdan TO reader@localhost")
    as_reader = shop.url.replace("root@", "reader@")
    for secret, says in (("PASSWORD", "SELECT command denied"), (None, "Access denied")):
        stranger = await opened(as_reader, mapping_for("mysql"), secret_env=secret)
        with pytest.raises(AuthError, match=says):
            await stranger.find(CALLER)
        await stranger.close()
    nobody = await opened("mysql://root@127.0.0.1:1/shop", mapping_for("mysql"))
    with pytest.raises(TransientError):
        await nobody.find(CALLER)


async def test_times_with_a_zone_and_without_are_read_alike(world: World) -> None:
    """TIMESTAMP goes by the session's zone, DATETIME by the setting: one feed, where both stand in local time."""
    await world.shop.run("CREATE TABLE zwei (id int PRIMARY KEY, a timestamp(3) NULL, b datetime(3))")
    for column in ("a", "b"):
        ask = f"SELECT id, 'x' AS name, '13812345678' AS phone, {column} AS updated FROM zwei"
        changes = f"{ask} WHERE {column} >= :since ORDER BY {column} LIMIT :limit"
        sql = {"find": f"{ask} WHERE :e164 <> ''", "customer_changes": changes}
        connector = await opened(world.shop.url, {"sql": sql}, timezone="Asia/Shanghai")
        cursor = (await connector.changes(Of.CUSTOMER, None)).cursor
        async with world.shop.pool.acquire() as shop, shop.cursor() as cursor_:  # type: ignore[attr-defined]
            await cursor_.execute("SET time_zone = '+08:00'")
            await cursor_.execute("REPLACE INTO zwei VALUES (1, now(3), now(3))")
            await cursor_.execute("REPLACE INTO zwei SELECT 2, a - INTERVAL 1 HOUR, b - INTERVAL 1 HOUR FROM zwei")
        page = await connector.changes(Of.CUSTOMER, cursor)
        [change] = page.changes
        assert change.ref.id == "1"
        assert change.at is not None
        assert abs(change.at - Mark.read(cursor).seen) < 30
        await connector.close()
