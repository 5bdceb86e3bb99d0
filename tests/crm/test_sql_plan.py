"""Mapping files of a database: what is wrong with one is told, all of it; what each statement amounts to."""

from pathlib import Path
from typing import Any

import pytest

from crm.connector import Can, Context, Status
from crm.fieldmap import MappingError
from crm.registry import ConnectorError, check_settings, open_named
from crm.sql_plan import SqlPlan, values_of
from crm.sql_settings import where_of
from numbering.identify import identify
from tests.crm.sql_doc import mapping_of

FIND = "SELECT id, name, phone FROM k WHERE phone = :e164"


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ({}, "sql.find: is missing"),
        ({"find": []}, "find: there is no statement"),
        ({"find": "SELECT 1"}, "sql.find.0: asks for none of"),
        ({"find": FIND.replace(":e164", ":mobile")}, ":mobile is no value of it; there are :dialled, :digits"),
        ({"find": [FIND, "DELETE FROM k"]}, "neither SELECT nor WITH"),
        ({"find": FIND, "fnd": FIND}, "sql.fnd: no such statement"),
        ({"find": FIND, "get": "SELECT id FROM k"}, "get: asks for none of :id"),
        ({"find": FIND, "load": "SELECT id FROM k WHERE id > :after LIMIT :limit"}, "so it needs ORDER BY"),
        ({"find": FIND, "load": "SELECT id FROM k ORDER BY id LIMIT :limit"}, "load: asks for none of :after"),
        (
            {"find": FIND, "customer_changes": "SELECT id FROM k ORDER BY id LIMIT :limit"},
            "none of :since, :since_epoch",
        ),
        ({"find": FIND, "customer_url": "https://x.example/"}, "put {id} into it"),
        ({"find": [7]}, "a statement is a text"),
    ],
)
def test_a_faulty_file_is_refused(sql: dict[str, Any], says: str) -> None:
    """With the place."""
    with pytest.raises(MappingError) as found:
        SqlPlan.read(sql)
    assert says in str(found.value)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"url": "postgresql://reader:geheim@db/crm"}, "no password in an address"),
        ({"url": "oracle://reader@db/crm"}, "no address: write postgresql://"),
        ({"url": "postgresql://reader@db"}, "no address"),
        ({"url": "postgresql:///crm"}, "no address"),
        ({"url": "mysql://reader@db:x/crm"}, "no address"),
        ({"url": "mysql://reader@db/crm?charset=utf8"}, "?host=/folder"),
        ({"url": "sqlite://crm.db"}, "no address"),
        ({"url": "sqlite://crm/x.db"}, "a file is sqlite:///crm.db"),
        ({"url": "sqlite:///crm.db", "timezone": "Mars/Olympus"}, "no timezone"),
        ({"url": "sqlite:///crm.db", "session_init": ["DROP TABLE kehu"]}, "session_init"),
        ({"url": "sqlite:///crm.db", "connections": 1}, "connections"),
        ({"url": "sqlite:///crm.db", "pasword": "x"}, "no such setting"),
    ],
)
def test_faulty_settings_are_refused_by_check(settings: dict[str, Any], says: str) -> None:
    """Before anything is opened."""
    with pytest.raises(ConnectorError) as found:
        check_settings("sql", settings)
    assert says in str(found.value)


def test_addresses_are_understood() -> None:
    """As people write them for other programs."""
    where = where_of("postgresql+asyncpg://reader@[::1]:5433/crm")
    assert (where.host, where.port, where.user, where.name, where.local) == ("::1", 5433, "reader", "crm", True)
    assert where_of("mysql://r%40x@/crm?host=/run/mysqld/mysqld.sock").host == "/run/mysqld/mysqld.sock"
    assert not where_of("mariadb://reader@db.example/crm").local
    assert where_of("sqlite:////var/lib/crm.db").name == "/var/lib/crm.db"
    assert str(where) == "postgresql://::1:5433/crm"


async def test_another_machine_is_asked_over_tls_unless_that_is_waived(tmp_path: Path) -> None:
    """And a CA file that is none is told before anything is asked."""
    context = Context(lambda _: "geheim", tmp_path, lambda: 0.0, None, {"sql": {"find": FIND}})
    remote = {"url": "postgresql://reader@db.example/crm", "secret_env": "X"}
    opened = await open_named("sql", remote, context)
    access = opened._lookups._opens.args[0]  # type: ignore[attr-defined]
    assert access.trust is not None
    assert access.trust.check_hostname
    plain = await open_named("sql", {**remote, "plain": True}, context)
    assert plain._lookups._opens.args[0].trust is None  # type: ignore[attr-defined]
    with pytest.raises(ConnectorError, match=r"the CA file .* cannot be used"):
        await open_named("sql", {**remote, "ca_file": "none.pem"}, context)


@pytest.mark.parametrize("name", ["odoo.toml", "tryton.toml", "rt.toml", "shop.toml"])
def test_the_files_of_the_page_can_be_used(name: str) -> None:
    """Those that people copy."""
    given = mapping_of(name)
    plan = SqlPlan.read(given["sql"])
    mapping = plan.mapping(given)
    assert mapping.customer.phones != ("phone",) or name in ("odoo.toml", "tryton.toml")
    if name != "shop.toml":
        assert plan.can == Can.FIND | Can.GET | Can.ITEMS | Can.LOAD | Can.FEED | Can.DESCRIBE
        assert mapping.word_for(Status.WORKING)
        assert mapping.customer.purchases is not None or name == "rt.toml"


def test_the_values_of_a_search() -> None:
    """As the page's table has them."""
    values = values_of(identify("0755-8888 6666 转 8012"))
    assert values is not None
    assert values["e164"] == "+8675588886666"
    assert values["nsn"] == values["national"] == "75588886666"
    assert (values["last8"], values["ext"], values["dialled"]) == ("88886666", "8012", "075588886666")
    assert values["like_loose"] == "%7%5%5%8%8%8%8%6%6%6%6%"
    assert (values["like_national"], values["like_last8"]) == ("%75588886666%", "%88886666")
    assert values_of(identify("95588")) is None
