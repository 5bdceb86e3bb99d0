"""Customers are found by pieces of their names and numbers, on both databases alike, and only those who are there."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from crm.customer import Customer, Phone
from storage.crm_index import CrmIndex
from storage.crm_index_rows import News
from storage.crm_index_turn import Turn
from storage.customer_search import CustomerSearch
from storage.customer_words import clauses, customer_tokens, has, rank
from storage.customers import EmbeddedCrm
from storage.database import Database


def one(id_: str, name: str, *numbers: str, company: str | None = None) -> Customer:
    """A customer with E.164 numbers."""
    return Customer(id_, name, tuple(Phone(number, number) for number in numbers), company=company)


PEOPLE = (
    one("C-1001", "张伟", "+8613812345678"),
    one("C-1002", "张伟强", "+8613912345678", company="深圳市前海恒泰精密机械有限公司"),
    one("C-1003", "李娜", "+8675588886666", company="张伟劳务工作室"),
    one("C-1004", "John Smith", "+85221234567", company="H3C Technologies"),
    one("C-1005", "司马相如", "+8613800005678", company="恒达贸易"),
    one("C-1006", "如马"),
)
ASKED: tuple[tuple[str, Sequence[str]], ...] = (
    ("张伟", ("C-1001", "C-1002", "C-1003")),  # whose name it is, then whose begins so, then a company
    ("伟强", ("C-1002",)),
    ("张", ("C-1001", "C-1002", "C-1003")),
    ("張偉", ("C-1001", "C-1002", "C-1003")),
    ("马相如", ("C-1005",)),  # in the other the pairs are missing
    ("恒泰机械", ("C-1002",)),
    ("恒 机械", ("C-1002",)),
    ("5678", ("C-1005", "C-1001", "C-1002")),
    ("1381", ("C-1001",)),
    ("138 1234 5678", ("C-1001",)),
    ("+86 138-1234-5678", ("C-1001",)),
    ("12345678", ("C-1001", "C-1002")),  # the last eight digits
    ("22345678", ()),
    ("1234", ("C-1001", "C-1002")),  # from the middle: where the last eight begin
    ("123456", ("C-1001", "C-1002")),
    ("3456", ("C-1001", "C-1002")),  # and the last six
    ("345678", ("C-1001", "C-1002")),
    ("9123", ()),  # elsewhere within: in no index
    ("8888", ("C-1003",)),  # a local number without its area code
    ("8888 6666", ("C-1003",)),
    ("0755-8888 6666", ("C-1003",)),
    ("0755", ("C-1003",)),
    ("86666", ("C-1003",)),
    ("2123 4567", ("C-1004",)),
    ("张伟 5678", ("C-1001", "C-1002")),
    ("张伟 138", ("C-1001",)),
    ("smith", ("C-1004",)),
    ("SMI", ("C-1004",)),
    ("h3c", ("C-1004",)),
    ("c-1005", ("C-1005",)),
    ("C1005", ("C-1005",)),
    ("王五", ()),
    ("", ()),
    ("?!\"*' OR )", ()),
)


@pytest.fixture
async def search(db: Database) -> CustomerSearch:
    """The people, found."""
    await EmbeddedCrm(db).add_many(PEOPLE)
    search = CustomerSearch(db)
    while await search.catch_up(4):
        pass
    return search


async def ids(search: CustomerSearch, question: str) -> list[str]:
    """Whom a question finds."""
    return [found.id for found in await search.find(question)]


async def test_customers_are_found_by_pieces(search: CustomerSearch) -> None:
    """Names, companies, ids, the beginnings and ends of numbers, traditional characters, several together."""
    answers = {question: tuple(await ids(search, question)) for question, _ in ASKED}
    assert answers == {question: tuple(wanted) for question, wanted in ASKED}
    assert [found.id for found in await search.find("张", limit=2)] == ["C-1001", "C-1002"]


async def test_what_changes_is_found_anew(db: Database, search: CustomerSearch) -> None:
    """A new name replaces the old one, a new customer comes, and nothing is left to do afterwards."""
    assert await search.catch_up() == 0
    await EmbeddedCrm(db).add_many([replace(PEOPLE[0], name="赵敏"), one("hotline:1", "赵云", "+8613700000000")])
    assert await search.catch_up() == 2
    assert await ids(search, "赵") == ["hotline:1", "C-1001"]
    assert "C-1001" not in await ids(search, "张伟")
    await search.forget()
    assert await search.catch_up() == 7
    assert await ids(search, "赵") == ["hotline:1", "C-1001"]
    found = await search.get("C-1002")
    assert found is not None
    assert (found.name, [phone.e164 for phone in found.phones]) == ("张伟强", ["+8613912345678"])
    assert await search.get("C-9") is None


async def test_with_a_crm_its_copy_is_searched_beside_those_entered_here(db: Database) -> None:
    """Not those of an import before, nor another CRM's, nor who is gone there; what a load drops is not found."""
    await EmbeddedCrm(db).add_many([one("1", "王五", "+8613800000001"), one("hotline:1", "王五", "+8613800000001")])
    copy, search = CrmIndex(db, "odoo"), CustomerSearch(db, "odoo")
    turn = Turn(copy, "us")
    claim = await turn.take(1.0)
    assert claim is not None
    told = replace(claim.told, load=1, began=2.0)
    news = [News("7", one("7", "王五", "+8613800000001"), 3.0, load=1), News("8", one("8", "王五六"), 3.0, load=1)]
    await turn.step(told, news, 3.0)
    assert await search.catch_up() == 4
    assert await ids(search, "王五") == ["7", "hotline:1", "8"]
    assert await ids(CustomerSearch(db), "王五") == ["1", "hotline:1"]
    assert await ids(CustomerSearch(db, "tryton"), "王五") == ["hotline:1"]
    assert (await search.get("1"), (await search.get("8")) is not None) == (None, True)
    await copy.learn([News("8", None, 4.0), News("7", one("7", "王五", "+8613800000001"), 4.0)])
    assert await ids(search, "王五六") == [], "read from where it is kept, whatever the index says"
    assert await search.catch_up() == 1, "who came as they were is not indexed again"
    again = replace(told, load=2, began=10.0)
    await turn.step(again, [News("9", one("9", "王五九"), 11.0, load=2)], 11.0)
    await turn.end(again, 12.0, drop=True)
    while await search.catch_up():
        pass
    assert await ids(search, "王五") == ["hotline:1", "9"]


def test_what_the_index_leaves_open_is_looked_at() -> None:
    """Only so many digits of an end are indexed: a longer end that goes on otherwise is no hit; hits are ranked."""
    asked = clauses("999912345678")
    assert {"ю12345678"} <= {token for way in asked[0].ways for token in way}
    assert set(customer_tokens(PEOPLE[0])) >= {"ю5678", "ю345678", "ю12345678", "ж138", "ж1381234", "张伟", "я张伟"}
    assert not has(PEOPLE[0], asked)
    assert [rank(customer, "张伟")[0] for customer in PEOPLE[:4]] == [0, 1, 3, 3]
