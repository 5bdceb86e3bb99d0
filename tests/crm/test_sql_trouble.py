"""What goes wrong at a database's end, and what it costs: each by its class, the next question answered again."""
# ruff: noqa: S608 - statements are what a test of statements is made of

import asyncio
import os
import signal
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from crm.connector import Of
from crm.trouble import AuthError, InvalidError, TransientError
from numbering.identify import identify
from tests.crm.sql_shop import COLUMNS, Shop, SqliteShop, World, mapping_for, opened
from tests.crm.test_sql import database, shop, world

__all__ = ["database", "shop", "world"]  # fixtures
MOBILE = "13812345678"
CALLER = identify(MOBILE)
SLOW = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1e9) SELECT max(i) FROM n",
    "postgresql": "SELECT pg_sleep(20)",
}


async def other(shop: Shop, settings: Mapping[str, Any] | None = None, **sql: Any) -> Any:
    """A connector with other statements."""
    return await opened(shop.url, mapping_for(shop.kind, **sql), **(settings or {}))


def within(connector: Any, seconds: float) -> None:
    """From now on a lookup has so long."""
    connector._lookups._limit = seconds


async def test_a_statement_that_takes_too_long_is_given_up(shop: Shop, world: World) -> None:
    """In the time that a lookup has; whoever asks next is answered."""
    await world.seed("林晓峰", [MOBILE])
    slow = f":e164 <> '+8613812345678' OR ({SLOW[shop.kind]}) IS NULL"
    find = f"SELECT {COLUMNS} FROM kehu WHERE dianhua1 = :raw AND ({slow})"
    connector = await other(shop, {"timeout": 0.2}, find=find)
    began = time.perf_counter()
    with pytest.raises(TransientError, match=r"too slow|no answer within 0\.2 s"):
        await connector.find(CALLER)
    assert time.perf_counter() - began < 5
    within(connector, 10)
    assert not await connector.find(identify("13800000000"))
    await connector.close()


async def test_a_database_that_is_not_there_is_a_trouble_of_the_moment(tmp_path: Path) -> None:
    """A server that is down, a file on a disk that is not mounted: told, and asked again later."""
    for url in (f"postgresql://nobody@/shop?host={tmp_path}", "postgresql://nobody@127.0.0.1:1/shop"):
        connector = await opened(url, mapping_for("postgresql"))
        with pytest.raises(TransientError):
            await connector.find(CALLER)
    file = tmp_path / "shop.db"
    connector = await opened(f"sqlite:///{file.name}", mapping_for("sqlite"), tmp_path)
    with pytest.raises(TransientError, match="is the file there"):
        await connector.find(CALLER)
    await World(SqliteShop(file), connector).make()
    assert not await connector.find(CALLER)
    await connector.close()


async def test_a_locked_file_is_waited_for_no_longer_than_there_is_time(tmp_path: Path) -> None:
    """Then it is told; unlocked, it answers."""
    shop = SqliteShop(tmp_path / "shop.db")
    connector = await other(shop, {"timeout": 0.2})
    await World(shop, connector).make()
    writer = sqlite3.connect(shop.file, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    with pytest.raises(TransientError, match=r"locked|no answer within"):
        await connector.find(CALLER)
    writer.execute("ROLLBACK")
    writer.close()
    within(connector, 10)
    assert not await connector.find(CALLER)
    await connector.close()


async def test_what_an_upgrade_took_away_is_named_and_the_rest_goes_on(shop: Shop, world: World) -> None:
    """First by the statement that fails, then by health with all names; put back, nothing needs to be restarted."""
    customer = await world.seed("林晓峰", [MOBILE])
    await world.connector.health()
    await shop.run("ALTER TABLE kehu RENAME COLUMN gongsi TO danwei")
    with pytest.raises(InvalidError, match=r"SQL find: .*gongsi.*was the CRM upgraded\? mend the statement"):
        await world.connector.find(CALLER)
    assert not await world.connector.items(customer)
    with pytest.raises(InvalidError, match=r"find: .*gongsi.*get: .*load: .*customer_changes: "):
        await world.connector.health()
    await shop.run("ALTER TABLE kehu RENAME COLUMN danwei TO gongsi")
    await world.connector.health()
    assert await world.connector.find(CALLER)


async def test_what_the_mapping_wants_and_a_statement_lacks_is_named(shop: Shop, world: World) -> None:
    """Before the first call; and two columns of one name."""
    assert world.connector
    mapping = mapping_for(shop.kind, get="SELECT id, xingming AS name, id FROM kehu WHERE id = :id")
    mapping["customer"] = {"phones": ["phone", "phone2"], "level": "dengji"}
    connector = await opened(shop.url, mapping)
    with pytest.raises(InvalidError) as found:
        await connector.health()
    said = str(found.value)
    assert "find has no column for customer.level: 'dengji'" in said
    assert "find has no column for customer.phones" not in said
    assert ("get has several columns id" in said) is (shop.kind == "postgresql")  # SQLite calls the second id:1
    assert "get has no column for customer.phones: 'phone2'" in said
    await connector.close()


async def test_a_card_without_its_purchases_is_still_a_card(shop: Shop, world: World) -> None:
    """The table of orders is gone, or slow: the customer is found all the same."""
    await world.seed("林晓峰", [MOBILE])
    await shop.run("DROP TABLE dingdan")
    [found] = await world.connector.find(CALLER)
    assert (found.name, found.purchases) == ("林晓峰", ())
    with pytest.raises(InvalidError, match="purchases"):
        await world.connector.get(found.id)


async def test_a_statement_that_overlooks_the_number_pops_nobody(shop: Shop, world: World) -> None:
    """A hundred and fifty customers for one number are no answer."""
    for number in range(150):
        await world.seed(f"客户{number}", [MOBILE])
    connector = await other(shop, find=f"SELECT {COLUMNS} FROM kehu WHERE :e164 <> ''")
    with pytest.raises(InvalidError, match="brings 150 customers for one number: it overlooks the number"):
        await connector.find(CALLER)
    await connector.close()


@pytest.mark.parametrize("customer", ["abc", "99999999999999999999999", "", "1; DROP TABLE kehu", "1 OR 1=1"])
async def test_an_id_that_cannot_be_one_is_nobodys(world: World, customer: str) -> None:
    """Neither an error nor somebody else."""
    await world.seed("林晓峰", [MOBILE])
    assert await world.connector.get(customer) is None
    assert not await world.connector.items(customer)


async def test_a_load_that_does_not_go_on_is_refused(shop: Shop, world: World) -> None:
    """An order that is not the id's would go in circles, or leave people out."""
    for number in range(30):
        await world.seed(f"客户{number}", [f"138{number:08d}"])
    load = f"SELECT {COLUMNS} FROM kehu WHERE id > :after OR 1 = 1 ORDER BY id LIMIT :limit"
    connector = await other(shop, load=load)
    with pytest.raises(InvalidError, match="does not go on behind :after"):
        async for _ in connector.load():
            pass
    await connector.close()


async def test_a_feed_out_of_order_or_without_times_is_refused(shop: Shop, world: World) -> None:
    """It would leave changes out, silently."""
    cursor = (await world.connector.changes(Of.CUSTOMER, None)).cursor
    for name in ("甲", "乙"):
        await world.seed(name, [MOBILE])
        await asyncio.sleep(0.01)  # the databases' clocks, by which rows are stamped, go on
    ask = f"SELECT {COLUMNS}, {{0}} AS updated FROM kehu WHERE gengxin >= :since ORDER BY {{1}} LIMIT :limit"
    for column, order, says in (("gengxin", "gengxin DESC", "oldest first"), ("bingru", "gengxin", "has no time")):
        connector = await other(shop, customer_changes=ask.format(column, order))
        with pytest.raises(InvalidError, match=says):
            await connector.changes(Of.CUSTOMER, cursor)
        await connector.close()
    with pytest.raises(InvalidError, match="no cursor of ours"):
        await world.connector.changes(Of.CUSTOMER, "[]")


only_postgres = pytest.mark.parametrize("shop", ["postgresql"], indirect=True)


@only_postgres
async def test_sessions_that_the_server_ended_are_opened_anew(shop: Shop, world: World) -> None:
    """A restart, a firewall: the call behind it notices nothing."""
    await world.seed("林晓峰", [MOBILE])
    assert await world.connector.find(CALLER)
    ended = await shop.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'hotline' AND datname = current_database()"
    )
    assert ended
    assert await world.connector.find(CALLER)


@only_postgres
async def test_a_session_whose_end_is_noticed_in_the_middle_is_opened_anew(
    shop: Shop, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client's library then says that its own state is wrong: the session is lost all the same."""
    assert shop
    await world.seed("林晓峰", [MOBILE])
    assert await world.connector.find(CALLER)
    connector: Any = world.connector
    [session] = connector._lookups._idle

    async def confused(*_: Any) -> Any:
        raise asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress")

    monkeypatch.setattr(session, "_prepare", confused)
    assert await world.connector.find(CALLER)


@only_postgres
async def test_a_server_that_hangs_costs_the_time_there_is(shop: Shop, world: World) -> None:
    """Its process stopped in the middle: left alone, with another session in its place; and nothing waits for it."""
    connector = await other(shop)
    await world.seed("林晓峰", [MOBILE])
    assert await connector.find(CALLER)
    [[process]] = await shop.run(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'hotline' AND datname = current_database()"
    )
    os.kill(process, signal.SIGSTOP)
    within(connector, 0.3)
    try:
        with pytest.raises(TransientError, match=r"no answer within 0\.3 s"):
            await connector.find(CALLER)
        within(connector, 10)
        assert await connector.find(CALLER)
        await connector.close()
    finally:
        os.kill(process, signal.SIGCONT)


@only_postgres
async def test_nothing_is_written_even_by_a_superuser_and_its_functions(shop: Shop, world: World) -> None:
    """Not even after a session_init that takes the lock off."""
    assert world.connector
    await shop.run(
        "CREATE FUNCTION renames() RETURNS bigint LANGUAGE sql AS $$ UPDATE kehu SET xingming = 'x' RETURNING id $$"
    )
    find = "SELECT renames() AS id, 'x' AS name, 'x' AS phone WHERE :e164 <> ''"
    for init in ((), ("SET default_transaction_read_only = off",)):
        connector = await other(shop, {"session_init": init}, find=find)
        with pytest.raises(InvalidError, match="read-only transaction"):
            await connector.find(CALLER)
        await connector.close()


async def test_nothing_is_written_into_a_file(tmp_path: Path) -> None:
    """Opened to be read; a session_init that takes one lock off meets the other."""
    shop = SqliteShop(tmp_path / "shop.db")
    connector = await other(shop, {"session_init": ("PRAGMA query_only = OFF",)})
    await World(shop, connector).make()
    assert not await connector.find(CALLER)
    session = connector._lookups._idle[0]
    for text in ("DELETE FROM kehu", "CREATE TABLE neu (x)", "PRAGMA user_version = 7"):
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            session._connection.execute(text)
    await connector.close()


@only_postgres
async def test_rights_and_rows_that_are_withheld(shop: Shop, world: World) -> None:
    """No right to a table: told as a matter of rights. Row level security: session_init says whose rows."""
    await world.seed("林晓峰", [MOBILE], dengji="7")
    await shop.run("DROP ROLE IF EXISTS shop_reader")
    await shop.run("CREATE ROLE shop_reader LOGIN")
    try:
        reader = shop.url.replace("://hotline@", "://shop_reader@")
        connector = await opened(reader, mapping_for(shop.kind))
        with pytest.raises(AuthError, match=r"permission denied for table kehu; give the user of url SELECT"):
            await connector.find(CALLER)
        with pytest.raises(InvalidError, match=r"find: permission denied .*items: permission denied"):
            await connector.health()
        await shop.run("GRANT SELECT ON kehu, dingdan, gongdan TO shop_reader")
        await shop.run("ALTER TABLE kehu ENABLE ROW LEVEL SECURITY")
        await shop.run("CREATE POLICY own ON kehu USING (dengji = current_setting('app.org', true))")
        assert not await connector.find(CALLER)
        await connector.close()
        connector = await opened(
            reader, mapping_for(shop.kind), session_init=("SELECT set_config('app.org', '7', false)",)
        )
        assert await connector.find(CALLER)
        await connector.close()
    finally:
        await shop.run("DROP OWNED BY shop_reader")
        await shop.run("DROP ROLE shop_reader")
