"""A shop's own database as its programmer left it, on whichever kind: what the direct SQL connector is tried on."""
# ruff: noqa: S608 - statements are what a test of statements is made of

import asyncio
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from crm.connector import Connector, Context
from crm.kit import PlainWorld
from crm.registry import open_named

TABLES = """
CREATE TABLE kehu ({id}, xingming varchar(80) NOT NULL, gongsi varchar(80), dengji varchar(20), dianhua1 varchar(80),
 dianhua2 varchar(80), gengxin {time} NOT NULL, bingru varchar(20));
CREATE TABLE dingdan (kehu bigint NOT NULL, chanpin varchar(80), riqi date, jine numeric(12, 2), danhao varchar(40));
CREATE TABLE gongdan ({id}, kehu bigint, biaoti varchar(200), zhuangtai varchar(20), gengxin {time} NOT NULL);
"""
DIGITS = {
    "postgresql": "regexp_replace({0}, '[^0-9]', '', 'g')",
    "mysql": "regexp_replace({0}, '[^0-9]', '')",
}
COLUMNS = "id, xingming AS name, gongsi AS company, dengji AS level, dianhua1 AS phone, dianhua2 AS phone2"
STATUSES = {"accepted": "待处理", "working": ["处理中", "等配件"], "solved": "完成", "closed": "关闭"}


def mapping_for(kind: str, **more: Any) -> dict[str, Any]:
    """The mapping file, with a search that finds all spellings on this kind of database."""
    looks = "dianhua1 LIKE :like_loose OR dianhua2 LIKE :like_loose"
    if kind in DIGITS:
        looks = " OR ".join(f"{DIGITS[kind].format(name)} LIKE :like_national" for name in ("dianhua1", "dianhua2"))
    sql = {
        "find": f"SELECT {COLUMNS} FROM kehu WHERE bingru IS NULL AND ({looks})",
        "get": f"SELECT {COLUMNS} FROM kehu WHERE bingru IS NULL AND id = :id",
        "items": (
            "SELECT id, kehu AS customer, biaoti AS title, zhuangtai AS status, gengxin AS updated"
            " FROM gongdan WHERE kehu = :customer ORDER BY gengxin DESC LIMIT :limit"
        ),
        "purchases": (
            "SELECT chanpin AS what, riqi AS day, jine AS amount, danhao AS order_no"
            " FROM dingdan WHERE kehu = :customer ORDER BY riqi DESC LIMIT :limit"
        ),
        "load": f"SELECT {COLUMNS} FROM kehu WHERE bingru IS NULL AND id > :after ORDER BY id LIMIT :limit",
        "customer_changes": (
            f"SELECT {COLUMNS}, gengxin AS updated, bingru AS merged"
            " FROM kehu WHERE gengxin >= :since ORDER BY gengxin LIMIT :limit"
        ),
        "ticket_changes": (
            "SELECT id, kehu AS customer, biaoti AS title, zhuangtai AS status, gengxin AS updated"
            " FROM gongdan WHERE gengxin >= :since ORDER BY gengxin LIMIT :limit"
        ),
        "customer_url": "https://shop.example/kehu/{id}",
        "page": 20,
        **more,
    }
    return {"sql": sql, "ticket": {"statuses": STATUSES}}


class Shop(Protocol):
    """The database as the shop's own program sees it."""

    kind: str
    url: str

    async def run(self, statement: str, *values: Any) -> list[Any]:
        """Carry out a statement with ``?`` in it; the rows."""
        ...


@dataclass
class SqliteShop:
    """In a file."""

    file: Path
    kind: str = "sqlite"
    url: str = ""

    def __post_init__(self) -> None:
        self.url = f"sqlite:///{self.file}"

    async def run(self, statement: str, *values: Any) -> list[Any]:
        """In its own connection."""
        connection = sqlite3.connect(self.file)
        connection.execute("PRAGMA synchronous=OFF")  # nobody switches the machine off
        try:
            with connection:
                return connection.execute(statement, values).fetchall()
        finally:
            connection.close()


@dataclass
class PostgresShop:
    """On a server. ``pool``: asyncpg's."""

    url: str
    pool: Any
    kind: str = "postgresql"

    async def run(self, statement: str, *values: Any) -> list[Any]:
        """With its own numbering of values."""
        parts = statement.split("?")
        text = "".join(part + (f"${place}" if place < len(parts) else "") for place, part in enumerate(parts, 1))
        return list(await self.pool.fetch(text, *values))


@dataclass
class MysqlShop:
    """On a MySQL or MariaDB. ``pool``: aiomysql's."""

    url: str
    pool: Any
    kind: str = "mysql"

    async def run(self, statement: str, *values: Any) -> list[Any]:
        """With its own marks for values."""
        async with self.pool.acquire() as connection, connection.cursor() as cursor:
            await cursor.execute(statement.replace("%", "%%").replace("?", "%s"), values)
            return list(await cursor.fetchall()) if cursor.description else []


NOW = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f', 'now')",
    "postgresql": "clock_timestamp() AT TIME ZONE 'UTC'",
    "mysql": "utc_timestamp(3)",
}


@dataclass
class World(PlainWorld):
    """For the kit, and for more."""

    shop: Shop
    connector: Connector
    _last: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def make(self) -> None:
        """The tables."""
        types = {
            "sqlite": ("id integer PRIMARY KEY", "text"),
            "postgresql": ("id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "timestamp"),
            "mysql": ("id bigint AUTO_INCREMENT PRIMARY KEY", "datetime(3)"),
        }
        key, moment = types[self.shop.kind]
        for statement in TABLES.format(id=key, time=moment).strip().split(";")[:-1]:
            await self.shop.run(statement)

    async def seed(self, name: str, phones: Sequence[str], **more: Any) -> str:
        """A customer with two fields for numbers."""
        values = {"xingming": name, "dianhua1": phones[0], "dianhua2": " / ".join(phones[1:]) or None, **more}
        return await self.insert("kehu", values)

    async def insert(self, table: str, values: Mapping[str, Any]) -> str:
        """A row with the time of now; its id."""
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        async with self._last:
            await self.shop.run(
                f"INSERT INTO {table} ({names}, gengxin) VALUES ({marks}, {NOW[self.shop.kind]})", *values.values()
            )
            [[last]] = await self.shop.run(f"SELECT max(id) FROM {table}")
        return str(last)

    async def rename(self, customer_id: str, name: str) -> None:
        """As the shop's program does."""
        await self.shop.run(
            f"UPDATE kehu SET xingming = ?, gengxin = {NOW[self.shop.kind]} WHERE id = ?", name, int(customer_id)
        )

    async def remove(self, customer_id: str) -> None:
        """For good."""
        await self.shop.run("DELETE FROM kehu WHERE id = ?", int(customer_id))


async def opened(url: str, mapping: Mapping[str, Any], base: Path = Path(), **settings: Any) -> Any:
    """The connector to a database. Its times are UTC; it has time, as a machine may be busy with other tests."""
    clock = time.time  # noqa: TID251 - a real database has a real clock
    context = Context(lambda name: {"PASSWORD": "secret"}[name], base, clock, "0755", mapping)
    return await open_named("sql", {"url": url, "timezone": "UTC", "timeout": 5, **settings}, context)
