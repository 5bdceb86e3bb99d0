"""The direct SQL connector over the databases of Odoo, Tryton and Request Tracker, by docs/sql.md's own files."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from crm.kit import CHECKS, Check, Fresh, NotShownError
from crm.matching import decide
from crm.trouble import AuthError, InvalidError, TransientError
from numbering.identify import identify
from tests.crm.sql_doc import mapping_of
from tests.crm_real.sql_lab import TROUBLES, System, running

pytestmark = [pytest.mark.crm, pytest.mark.timeout(600)]


@pytest.fixture(scope="module", params=["odoo", "tryton", "rt"])
def system(request: pytest.FixtureRequest) -> Iterator[System]:
    """Each of them, running."""
    try:
        with running(request.param) as found:
            asyncio.run(found.let_in())
            yield found
    except TROUBLES as error:
        pytest.skip(str(error))


@pytest.fixture
async def connector(system: System) -> AsyncIterator[Any]:
    """The connector to its database."""
    opened = await system.connector(timeout=0.8)
    yield opened
    await opened.close()


@pytest.mark.parametrize("check", CHECKS, ids=str)
async def test_the_contract(system: System, connector: Any, check: Check) -> None:
    """Customers are made at the system's screen, in nine spellings; what only reads has no part in the rest."""
    async with system.world(connector) as world:
        try:
            await check(world)
        except NotShownError as why:
            pytest.skip(str(why))


async def test_the_labelled_customers_are_found(system: System, connector: Any) -> None:
    """A thousand, in nine spellings and with extensions: at least 99 % of the numbers, by the right name, quickly."""
    wanted = [
        (row[f"{kind}_e164"], row["phone_ext"] if kind == "phone" else "", row["name"] if kind == "mobile" else "")
        for row in system.rows()
        for kind in ("mobile", "phone")
        if row[f"{kind}_e164"]
    ]
    missed, took = [], []
    for e164, ext, name in wanted:
        number = identify(f"{e164}转{ext}" if ext else e164)
        began = time.perf_counter()
        found = await connector.find(number)
        took.append(time.perf_counter() - began)
        match = decide(number, found)
        if not match.candidates or (name and name not in {each.customer.name for each in match.candidates}):
            missed.append(e164)
    assert len(missed) <= len(wanted) * 0.01, f"{len(missed)} of {len(wanted)}: {missed[:10]}"
    took.sort()
    p50, p99 = (took[int(len(took) * part)] * 1000 for part in (0.5, 0.99))
    print(f"{system.name}: {len(wanted) - len(missed)} of {len(wanted)}, p50 {p50:.1f} ms, p99 {p99:.1f} ms")  # noqa: T201
    assert p50 < 100


async def test_it_is_told_at_start_what_the_database_has_not(system: System) -> None:
    """An upgrade took a column, a table is not ours to see, a statement would write: each named, before any call."""
    mapping = mapping_of(f"{system.name}.toml")
    table = {"odoo": "res_company", "tryton": "company_company", "rt": "acl"}[system.name]
    sql = {**mapping["sql"], "get": "SELECT id, nickname_of_old AS name FROM nowhere WHERE id = :id"}
    sql["items"] = f"SELECT id, 'x' AS title, 'x' AS status FROM {table} WHERE id = :customer"  # noqa: S608 - a test's own
    connector = await system.connector({**mapping, "sql": sql})
    try:
        with pytest.raises(InvalidError, match=r'get: .*"nowhere" does not exist.*items: permission denied'):
            await connector.health()
    finally:
        await connector.close()


async def test_it_may_not_write_whoever_it_is(system: System) -> None:
    """The reader has no right to; and a superuser's session is read-only."""
    hidden = "hotline_sql_test_writes"
    connection = await system.master()
    await connection.execute(f"DROP FUNCTION IF EXISTS {hidden}()")
    await connection.execute(
        f"CREATE FUNCTION {hidden}() RETURNS int LANGUAGE plpgsql AS"
        f" $$ BEGIN CREATE TABLE {hidden}_made (x int); RETURN 1; END $$"
    )
    mapping = mapping_of(f"{system.name}.toml")
    sql = {"find": f"SELECT {hidden}() AS id, 'x' AS name, 'x' AS phone WHERE :e164 <> ''"}
    try:
        for user in ("hotline_reader", "postgres"):
            connector = await system.connector({**mapping, "sql": sql}, user=user)
            with pytest.raises(InvalidError, match="read-only transaction"):
                await connector.find(identify("13812345678"))
            await connector.close()
    finally:
        await connection.execute(f"DROP FUNCTION {hidden}()")
        await connection.close()


async def test_a_locked_table_costs_no_more_than_the_time_there_is(system: System, connector: Any) -> None:
    """As while an upgrade rewrites it; afterwards it answers as before."""
    table = {"odoo": "res_partner", "tryton": "party_party", "rt": "users"}[system.name]
    number = identify(Fresh().mobile())
    assert not await connector.find(number)
    connection = await system.master()
    try:
        async with connection.transaction():
            await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            began = time.perf_counter()
            with pytest.raises(TransientError, match=r"too slow|no answer within"):
                await connector.find(number)
            assert time.perf_counter() - began < 1.2
    finally:
        await connection.close()
    assert not await connector.find(number)


async def test_a_wrong_user_is_told_as_such(system: System) -> None:
    """A role that is none."""
    connector = await system.connector(user="nobody_at_all")
    try:
        with pytest.raises(AuthError, match="nobody_at_all"):
            await connector.find(identify("13812345678"))
    finally:
        await connector.close()
