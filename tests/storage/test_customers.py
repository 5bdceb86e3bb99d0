"""The embedded customers: found by exact number, whole, on either database."""

import asyncio
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, select

from crm.connector import Can, Connector
from crm.customer import Contract, Customer, Phone, Purchase, Reason
from crm.matching import decide
from crm.trouble import CrmError
from numbering.identify import identify
from storage.customer_tables import contracts, purchases
from storage.customers import MOST_FOUND, Added, EmbeddedCrm
from storage.database import Database

ZHANG = Customer(
    id="C1",
    name="张伟",
    phones=(Phone("154 0000 1234", "+8615400001234"), Phone("010-88886666转8012", "+861088886666", "8012")),
    company="云杉科技",
    level="金卡",
    vip=True,
    owner="李娜",
    purchases=(
        Purchase("空调", date(2026, 3, 4), Decimal("2999.00"), "A4"),
        Purchase("电视", date(2026, 1, 2), Decimal("-0.05"), None),
        Purchase("遥控器", date(2025, 1, 2)),
        Purchase("旧货"),
    ),
    contracts=(Contract("延保", "W-1", date(2027, 1, 1)), Contract("维护")),
    note="怕狗",
)
LI = Customer("C2", "李娜", (Phone("010 8888 6666", "+861088886666"),))


def ids(found: Sequence[Customer]) -> list[str]:
    """Their ids."""
    return [customer.id for customer in found]


@pytest.fixture
async def crm(db: Database) -> EmbeddedCrm:
    """An embedded CRM with Zhang and Li."""
    embedded = EmbeddedCrm(db)
    assert await embedded.add_many([ZHANG, LI]) == Added(2, 0)
    return embedded


async def test_it_is_a_connector(crm: EmbeddedCrm) -> None:
    """What the pipeline asks of any CRM."""
    connector: Connector = crm
    assert Can.FIND in connector.can
    assert connector.name == "embedded"


async def test_a_customer_comes_back_whole(crm: EmbeddedCrm) -> None:
    """All that was given, by id."""
    assert await crm.get("C1") == ZHANG
    assert await crm.get("c1") is None
    assert await crm.count() == 2


async def test_the_card_has_the_three_newest_purchases(crm: EmbeddedCrm) -> None:
    """The card shows three; the rest is one click away."""
    (found,) = await crm.find(identify("+86 154 0000 1234"))
    assert [purchase.what for purchase in found.purchases] == ["空调", "电视", "遥控器"]
    assert found.phones == ZHANG.phones
    assert found.contracts == ZHANG.contracts


async def test_everybody_on_a_switchboard_is_a_candidate(crm: EmbeddedCrm) -> None:
    """With whatever extension; the decision is matching's."""
    assert ids(await crm.find(identify("010-88886666"))) == ["C1", "C2"]
    match = decide(identify("010-88886666转8012"), await crm.find(identify("010-88886666转8012")))
    assert [(each.customer.id, each.reason) for each in match.candidates] == [
        ("C1", Reason.FIXED_EXT),
        ("C2", Reason.SWITCHBOARD),
    ]


@pytest.mark.parametrize("caller", ["15400001235", "5400001234", "00001234", "8012", "anonymous", "95588", "x' OR 1=1"])
async def test_nobody_else_is_found(crm: EmbeddedCrm, caller: str) -> None:
    """No suffixes, no likeness, no withheld callers."""
    assert list(await crm.find(identify(caller))) == []


async def test_a_known_id_is_replaced_whole(crm: EmbeddedCrm, db: Database) -> None:
    """Old numbers and purchases are gone, not left beside the new ones."""
    moved = Customer("C1", "张伟", (Phone("15400005678", "+8615400005678"),))
    assert await crm.add_many([moved, Customer("C3", "王芳", ())]) == Added(1, 1)
    assert await crm.get("C1") == moved
    assert list(await crm.find(identify("15400001234"))) == []
    async with db.read() as conn:
        assert (await conn.execute(select(purchases))).all() == []
        assert (await conn.execute(select(contracts))).all() == []


async def test_the_later_of_two_with_one_id_stays(crm: EmbeddedCrm) -> None:
    """As two rows of one file may have it."""
    first = Customer("C9", "甲", (Phone("15400000001", "+8615400000001"),))
    later = Customer("C9", "乙", (Phone("15400000002", "+8615400000002"),))
    assert await crm.add_many([first, later]) == Added(1, 0)
    assert await crm.get("C9") == later


async def test_purchases_are_kept_newest_first(crm: EmbeddedCrm) -> None:
    """In whatever order they came."""
    given_order = (Purchase("旧", date(2020, 1, 1)), Purchase("无"), Purchase("新", date(2026, 1, 1)))
    await crm.add_many([Customer("C5", "丁", (), purchases=given_order)])
    found = await crm.get("C5")
    assert found is not None
    assert [purchase.what for purchase in found.purchases] == ["新", "旧", "无"]


async def test_many_at_once(crm: EmbeddedCrm) -> None:
    """More than one statement's worth of ids, twice."""
    crowd = [Customer(f"N{n:05d}", f"客户{n}", (Phone("", f"+86154{n:08d}"),)) for n in range(2500)]
    assert await crm.add_many(crowd) == Added(2500, 0)
    assert await crm.add_many(reversed(crowd)) == Added(0, 2500)
    assert await crm.count() == 2502
    assert ids(await crm.find(identify("15400001234"))) == ["C1", "N01234"]
    assert await crm.add_many([]) == Added(0, 0)


async def test_a_number_of_very_many_is_cut_but_the_right_extension_is_in(crm: EmbeddedCrm) -> None:
    """Nobody is recognised by such a trunk, but the one with the caller's extension is."""
    crowd = [Customer(f"A{n:05d}", "某", (Phone("", "+861088886666", str(n)),)) for n in range(MOST_FOUND + 50)]
    await crm.add_many(crowd)
    found = await crm.find(identify("010-88886666转8012"))
    assert len(found) == MOST_FOUND
    assert "C1" in ids(found)


async def test_finding_takes_one_statement(crm: EmbeddedCrm, db: Database) -> None:
    """A card waits for every round trip."""
    statements: list[str] = []
    engine = db._looker or db._reader.sync_engine

    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    await crm.find(identify("010-88886666"))
    assert len([statement for statement in statements if "customer_phones" in statement]) == 1
    assert len([statement for statement in statements if not statement.startswith("BEGIN")]) == 1


async def test_finding_reads_the_index_and_no_whole_table(sqlite_url: str) -> None:
    """A million customers are found as fast as two: by SQLite's plan, which no busy machine can blur."""
    db = Database.open(sqlite_url)
    explained: list[str] = []

    def explain(conn: Connection, _cursor: object, statement: str, parameters: tuple[object, ...], *_: object) -> None:
        if "customer_phones" in statement and not explained:
            explained.append("")
            plan = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            explained.extend(row.detail for row in plan)

    assert db._looker is not None
    event.listen(db._looker, "before_cursor_execute", explain)
    await EmbeddedCrm(db).find(identify("15400001234"))
    await db.close()
    assert [detail for detail in explained if detail.startswith("SCAN")] in ([], ["SCAN callers"] * 4)  # those found
    assert any("COVERING INDEX ix_customer_phones_e164_ext_customer_id (e164=?)" in detail for detail in explained)


async def test_two_imports_of_the_same_people_at_once(crm: EmbeddedCrm) -> None:
    """Neither waits for ever nor breaks the other; each customer is whole, of one of the two."""
    one = [Customer(f"N{n}", "一", (Phone("1", f"+86154{n:08d}"),)) for n in range(300)]
    two = [Customer(f"N{n}", "二", (Phone("2", f"+86154{n:08d}"),)) for n in reversed(range(300))]
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        group.create_task(crm.add_many(one))
        group.create_task(crm.add_many(two))
    for number in (0, 150, 299):
        found = await crm.get(f"N{number}")
        assert found is not None
        assert (found.name, [phone.raw for phone in found.phones]) in (("一", ["1"]), ("二", ["2"]))


async def test_a_database_without_our_tables_is_the_crms_trouble(tmp_path: Path) -> None:
    """The card says that the CRM cannot answer; nothing else of the call suffers."""
    bare = Database.open(f"sqlite+aiosqlite:///{tmp_path / 'bare.db'}")
    with pytest.raises(CrmError, match="hotline migrate"):
        await EmbeddedCrm(bare).find(identify("15400001234"))
    await bare.close()


SOME_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30)
MAYBE = st.one_of(st.none(), SOME_TEXT)
MONEY = st.one_of(st.none(), st.decimals(-(10**9), 10**9, places=2))
PEOPLE = st.builds(
    Customer,
    id=st.text("abc", min_size=1, max_size=3),
    name=SOME_TEXT,
    phones=st.lists(st.builds(Phone, SOME_TEXT, st.just("+8615400009999"), st.none()), max_size=3).map(tuple),
    company=MAYBE,
    level=MAYBE,
    vip=st.booleans(),
    owner=MAYBE,
    purchases=st.lists(st.builds(Purchase, SOME_TEXT, st.dates(), MONEY, MAYBE), max_size=3)
    .map(lambda bought: sorted(bought, key=lambda each: each.on or date.min, reverse=True))
    .map(tuple),
    contracts=st.lists(st.builds(Contract, SOME_TEXT, MAYBE, st.one_of(st.none(), st.dates())), max_size=2).map(tuple),
    note=MAYBE,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PEOPLE, max_size=4))
def test_whoever_is_written_is_read_back_and_found(sqlite_url: str, people: list[Customer]) -> None:
    """Any text, any sum, any day."""

    async def there_and_back() -> None:
        db = Database.open(sqlite_url)
        try:
            crm = EmbeddedCrm(db)
            await crm.add_many(people)
            last = {customer.id: customer for customer in people}
            for customer in last.values():
                assert await crm.get(customer.id) == customer
            found = ids(await crm.find(identify("15400009999")))
            assert {each.id for each in last.values() if each.phones} <= set(found)
        finally:
            await db.close()

    asyncio.run(there_and_back())
