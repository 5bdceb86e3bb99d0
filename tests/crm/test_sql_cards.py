"""What the direct SQL connector brings: cards, everybody, every change; and the index that it finds missing."""
# ruff: noqa: S608 - statements are what a test of statements is made of

from datetime import date
from decimal import Decimal

import pytest

from crm.connector import Of, Ref, Status
from crm.customer import Contract, Purchase
from crm.sql_rows import Mark
from crm.trouble import InvalidError
from numbering.identify import identify
from tests.crm.sql_shop import COLUMNS, NOW, Shop, World, mapping_for, opened
from tests.crm.test_sql import database, shop, world

__all__ = ["database", "shop", "world"]  # fixtures
MOBILE = "13812345678"
CALLER = identify(MOBILE)


async def bought(shop: Shop, customer: str, day: date, what: str, amount: str) -> None:
    """An order."""
    on = day if shop.kind == "postgresql" else day.isoformat()
    paid = Decimal(amount) if shop.kind == "postgresql" else amount
    await shop.run("INSERT INTO dingdan VALUES (?, ?, ?, ?, ?)", int(customer), what, on, paid, f"A{day.day}")


async def test_a_card_is_whole(shop: Shop, world: World) -> None:
    """Company, level, VIP, purchases with day and yuan, open tickets with their word and ours, where to look at it."""
    customer = await world.seed("林晓峰", [MOBILE, "0755-88886666转8012"], gongsi="云杉科技", dengji="VIP 金卡")
    for day, what in ((1, "桶装水"), (3, "饮水机")):
        await bought(shop, customer, date(2026, 11, day), what, f"{day}26.50")
    for title, word in (("漏水", "等配件"), ("不热", "完成"), ("换芯", "待处理"), ("怪响", "看看再说")):
        await world.insert("gongdan", {"kehu": int(customer), "biaoti": title, "zhuangtai": word})
    [found] = await world.connector.find(CALLER)
    assert (found.id, found.name, found.company, found.level, found.vip) == (
        customer,
        "林晓峰",
        "云杉科技",
        "VIP 金卡",
        True,
    )
    assert [(phone.e164, phone.ext) for phone in found.phones] == [("+8613812345678", None), ("+8675588886666", "8012")]
    assert found.purchases == (
        Purchase("饮水机", date(2026, 11, 3), Decimal("326.50"), "A3"),
        Purchase("桶装水", date(2026, 11, 1), Decimal("126.50"), "A1"),
    )
    assert await world.connector.get(customer) == found
    assert world.connector.url_of(Ref(Of.CUSTOMER, customer)) == f"https://shop.example/kehu/{customer}"
    items = await world.connector.items(customer)
    assert {(item.title, item.said, item.status) for item in items} == {
        ("漏水", "等配件", Status.WORKING),
        ("换芯", "待处理", Status.ACCEPTED),
        ("怪响", "看看再说", Status.UNKNOWN),
    }
    assert all(item.customer_id == customer and item.updated for item in items)


async def test_an_open_ticket_behind_closed_ones_is_shown(world: World) -> None:
    """The statement may list closed ones: they do not push the open one out."""
    customer = await world.seed("林晓峰", [MOBILE])
    for place in range(12):
        word = "关闭" if place else "处理中"
        await world.insert("gongdan", {"kehu": int(customer), "biaoti": f"第{place}张", "zhuangtai": word})
    assert [item.title for item in await world.connector.items(customer, 5)] == ["第0张"]


async def test_vip_is_a_column_where_there_is_one(shop: Shop, world: World) -> None:
    """Named so, or by the mapping with its words."""
    await world.seed("林晓峰", [MOBILE], dengji="VIP", gongsi="否")
    for columns, customer, vip in (
        (f"{COLUMNS}, 1 AS vip", {}, True),
        (f"{COLUMNS}, gongsi AS vip", {}, False),
        (COLUMNS, {"vip": "company", "vip_words": ["否"]}, True),
        (COLUMNS, {}, True),
    ):
        mapping = mapping_for(shop.kind, find=f"SELECT {columns} FROM kehu WHERE dianhua1 = :national", get="")
        del mapping["sql"]["get"]
        connector = await opened(shop.url, {**mapping, "customer": customer})
        [found] = await connector.find(CALLER)
        assert found.vip is vip
        await connector.close()


async def test_several_rows_are_one_customer_also_across_pages(shop: Shop, world: World) -> None:
    """A table of numbers joined: whoever has many keeps them all, wherever a page ends."""
    await shop.run("CREATE TABLE haoma (kehu bigint, hao varchar(40))")
    wanted: dict[str, set[str]] = {}
    for number in range(9):
        customer = await world.seed(f"客户{number}", ["-"])
        wanted[customer] = {f"+86138{number:04d}{place:04d}" for place in range(number)}
        for e164 in sorted(wanted[customer]):
            await shop.run("INSERT INTO haoma VALUES (?, ?)", int(customer), e164)
    rows = "SELECT k.id, k.xingming AS name, h.hao AS phone FROM kehu k LEFT JOIN haoma h ON h.kehu = k.id"
    connector = await opened(
        shop.url,
        {
            "sql": {
                "find": f"{rows} WHERE k.id IN (SELECT kehu FROM haoma WHERE hao = :e164)",
                "load": f"{rows} WHERE k.id > :after ORDER BY k.id LIMIT :limit",
                "page": 10,
            }
        },
    )
    loaded = {each.id: {phone.e164 for phone in each.phones} async for page, _ in connector.load() for each in page}
    assert loaded == wanted
    [found] = await connector.find(identify("13800080003"))
    assert {phone.e164 for phone in found.phones} == wanted[found.id]
    await shop.run("UPDATE haoma SET kehu = 1")
    with pytest.raises(InvalidError, match=r"1 has 10 rows and more: enlarge sql\.page"):
        async for _ in connector.load():
            pass
    await connector.close()


async def test_contracts_and_purchases_may_lie_in_a_json_column(shop: Shop, world: World) -> None:
    """One statement, no further questions."""
    await world.seed("林晓峰", [MOBILE], gongsi='[{"p": "滤芯", "d": "2026-10-01", "no": "H1"}, 7]')
    mapping = {
        "sql": {
            "find": "SELECT id, xingming AS name, dianhua1 AS phone, gongsi AS deals FROM kehu WHERE dianhua1 = :nsn"
        },
        "customer": {
            "purchases": {"within": "deals", "what": "p", "on": "d"},
            "contracts": {"within": "deals", "what": "p", "number": "no"},
        },
    }
    connector = await opened(shop.url, mapping)
    await connector.health()
    [found] = await connector.find(CALLER)
    assert found.purchases == (Purchase("滤芯", date(2026, 10, 1)),)
    assert found.contracts == (Contract("滤芯", "H1"),)
    await connector.close()


async def everything(world: World, of: Of, cursor: str) -> tuple[list[str], str]:
    """The ids of all pages of a round, repeats too."""
    found: list[str] = []
    while True:
        page = await world.connector.changes(of, cursor)
        found += [change.ref.id for change in page.changes]
        cursor = page.cursor
        if not page.more:
            return found, cursor


async def test_an_import_of_one_moment_is_read_to_its_end(shop: Shop, world: World) -> None:
    """Fifteen pages of customers that were all changed at the same time; nothing is left out, and it ends."""
    cursor = (await world.connector.changes(Of.CUSTOMER, None)).cursor
    [[now]] = await shop.run(f"SELECT {NOW[shop.kind]}")
    for number in range(300):
        await shop.run("INSERT INTO kehu (xingming, gengxin) VALUES (?, ?)", f"客户{number}", now)
    seen, cursor = await everything(world, Of.CUSTOMER, cursor)
    assert len(set(seen)) == 300
    assert Mark.read(cursor).position is None


async def test_what_shows_itself_late_or_is_dated_ahead_is_told(shop: Shop, world: World) -> None:
    """A slow transaction is stamped with its start; a wrong clock's date does not carry the feed beyond today."""
    one, two, three = [await world.seed(name, [MOBILE]) for name in "甲乙丙"]
    ahead = {"sqlite": "'2099-01-01 00:00:00'", "postgresql": "timestamp '2099-01-01'"}[shop.kind]
    late = {
        "sqlite": "strftime('%Y-%m-%d %H:%M:%f', 'now', '-100 seconds')",
        "postgresql": "clock_timestamp() AT TIME ZONE 'UTC' - interval '100 s'",
    }[shop.kind]
    await shop.run(f"UPDATE kehu SET gengxin = {ahead} WHERE id = ?", int(one))
    seen, cursor = await everything(world, Of.CUSTOMER, (await world.connector.changes(Of.CUSTOMER, None)).cursor)
    assert one in seen
    await shop.run(f"UPDATE kehu SET gengxin = {late}, bingru = '{three}' WHERE id = ?", int(two))
    page = await world.connector.changes(Of.CUSTOMER, cursor)
    merged = [change for change in page.changes if change.ref.id == two]
    assert [(change.gone, change.merged, change.customer) for change in merged] == [(True, three, None)]
    await world.rename(three, "丙丙")
    seen, cursor = await everything(world, Of.CUSTOMER, page.cursor)
    assert three in seen


async def test_a_ticket_that_changed_is_told_with_their_word(world: World) -> None:
    """And ours."""
    cursor = (await world.connector.changes(Of.TICKET, None)).cursor
    ticket = await world.insert("gongdan", {"kehu": 1, "biaoti": "漏水", "zhuangtai": "处理中"})
    page = await world.connector.changes(Of.TICKET, cursor)
    [change] = page.changes
    assert change.item is not None
    assert (change.ref.id, change.item.status, change.item.said) == (ticket, Status.WORKING, "处理中")


async def test_the_missing_index_is_named_and_mends_it(shop: Shop, world: World) -> None:
    """What is told can be copied as it stands; then nothing is missing any more."""
    assert world.connector
    find = f"SELECT {COLUMNS} FROM kehu WHERE lower(dianhua1) = :e164"
    mapping = mapping_for(shop.kind, find=find)
    for name in ("items", "purchases", "customer_changes", "ticket_changes"):
        del mapping["sql"][name]
    connector = await opened(shop.url, mapping)
    assert not await connector.advice()  # nobody there: nothing to be read whole
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
    await shop.run(
        f"INSERT INTO kehu (xingming, dianhua1, gengxin) {many} SELECT 'x', '138' || i, {NOW[shop.kind]} FROM n"
    )
    await shop.run("ANALYZE kehu")
    [line] = await connector.advice()
    assert line.startswith("find reads all of kehu")
    await shop.run(line.rpartition(": ")[2])
    assert not await connector.advice()
    assert "name" in (await connector.describe())["customer"]
    await connector.close()


@pytest.mark.parametrize("shop", ["sqlite"], indirect=True)
async def test_ids_that_are_text_are_loaded_too(shop: Shop, world: World) -> None:
    """In their own order, from the first."""
    assert world.connector
    await shop.run("CREATE TABLE people (id varchar(20) PRIMARY KEY, name varchar(20), phone varchar(20))")
    wanted = [f"K{number:03d}" for number in range(35)]
    for customer in (*wanted, "007"):
        await shop.run("INSERT INTO people VALUES (?, 'x', '13812345678')", customer)
    sql = {
        "find": "SELECT * FROM people WHERE phone = :national",
        "get": "SELECT * FROM people WHERE id = :id",
        "load": "SELECT * FROM people WHERE id > :after ORDER BY id LIMIT :limit",
        "page": 10,
    }
    connector = await opened(shop.url, {"sql": sql})
    assert [each.id async for page, _ in connector.load() for each in page] == ["007", *wanted]
    found = await connector.get("007")
    assert found is not None
    assert found.id == "007"
    assert await connector.get("7") is None
    await connector.close()
