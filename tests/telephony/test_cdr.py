"""Call records in a database: the tables of FreePBX, Issabel and Asterisk's own modules, read and never written.

HOTLINE_MYSQL_URL (``mysql://user@host/name`` of a server and database in which tables may be made) has them tried on a
MySQL or MariaDB too.
"""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from telephony.cdr import RecordsError, TableRecords, _bound
from telephony.cdr_calls import past_calls
from telephony.lines import Lines
from telephony.phones import Phones

SHANGHAI = ZoneInfo("Asia/Shanghai")
BEGAN = 1_795_307_605  # 2026-11-22 08:33:25 in Shanghai
PHONES, LINES = Phones(["PJSIP/carrier"], {}), Lines({"4007002505": ["01062802505"]})

# FreePBX 16 and later; Issabel's has neither linkedid nor sequence.
FREEPBX = (
    "CREATE TABLE cdr (calldate {time} NOT NULL, clid varchar(80), src varchar(80), dst varchar(80),"
    " dcontext varchar(80), channel varchar(80), dstchannel varchar(80), lastapp varchar(80), lastdata varchar(80),"
    " duration int, billsec int, disposition varchar(45), amaflags int, accountcode varchar(20), uniqueid varchar(32),"
    " userfield varchar(255), did varchar(50), recordingfile varchar(255),"
    " cnum varchar(80), linkedid varchar(32), sequence int)"
)
ISSABEL = FREEPBX.replace(", linkedid varchar(32), sequence int", "")
INSERT = "INSERT INTO {table} ({names}) VALUES ({values})"


def rows_of_a_call(number: int, *, start: int, linkedid: bool = True) -> list[dict[str, Any]]:
    """A transferred call: a queue's member behind a Local pair, then a colleague; dst says nothing any more."""
    call, local = f"{start}.{number}", f"Local/1001@from-queue-{number:08x}"
    usual = {"clid": '"" <13812345678>', "src": "13812345678", "dst": "1003", "dcontext": "from-internal"}
    ours = {**usual, "channel": f"PJSIP/carrier-{number:08x}", "uniqueid": call, "did": "01062802505", "linkedid": call}
    answered = {"disposition": "ANSWERED", "billsec": 5}
    queue = {"lastapp": "Queue", "lastdata": "400,t,,,300", "dstchannel": f"{local};1", "at": start, "duration": 12}
    dial = {
        "lastapp": "Dial",
        "lastdata": "PJSIP/1003,,tr",
        "dstchannel": "PJSIP/1003-1",
        "at": start + 12,
        "duration": 9,
    }
    behind = {"channel": f"{local};2", "dstchannel": "PJSIP/1001-1", "lastapp": "Dial", "lastdata": "", "did": ""}
    pair = {**usual, **behind, "uniqueid": f"{start}.{number + 1}", "linkedid": call, "at": start + 2, "duration": 10}
    found = [
        {**ours, **queue, **answered, "sequence": 4},
        {**ours, **dial, **answered, "sequence": 9},
        {**pair, **answered, "sequence": 6},
    ]
    return found if linkedid else [{k: v for k, v in x.items() if k not in ("linkedid", "sequence")} for x in found]


class Server:
    """A database with somebody's call records in it."""

    def __init__(self, url: str) -> None:
        self.url = url
        drivers = {"mysql": "mysql+aiomysql", "postgresql": "postgresql+asyncpg", "sqlite": "sqlite+aiosqlite"}
        parsed = make_url(url)
        self.kind = parsed.get_backend_name()
        self._engine = create_async_engine(parsed.set(drivername=drivers[self.kind]))

    async def make(self, statement: str, table: str = "cdr", time: str | None = None) -> None:
        """Make a table afresh."""
        type_of_time = time or {"sqlite": "text", "postgresql": "timestamp", "mysql": "datetime"}[self.kind]
        async with self._engine.begin() as conn:
            await conn.execute(text(f"DROP TABLE IF EXISTS {table}"))
            await conn.execute(text(statement.format(time=type_of_time)))

    async def add(self, rows: list[dict[str, Any]], *, zone: ZoneInfo = SHANGHAI, aware: bool = False) -> None:
        """Write records; ``at`` is epoch seconds."""
        for row in rows:
            moment = datetime.fromtimestamp(row["at"], UTC if aware else zone)
            written: Any = moment if aware else moment.replace(tzinfo=None)
            if self.kind == "sqlite":
                written = written.isoformat(" ")
            values = {**{k: v for k, v in row.items() if k != "at"}, "calldate": written}
            statement = INSERT.format(
                table="cdr", names=", ".join(values), values=", ".join(f":{name}" for name in values)
            )
            async with self._engine.begin() as conn:
                await conn.execute(text(statement), values)

    async def run(self, statement: str) -> None:
        """Run anything."""
        async with self._engine.begin() as conn:
            await conn.execute(text(statement))

    async def close(self) -> None:
        """Let go."""
        await self._engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Server]:
    """Each kind of database."""
    if request.param == "mysql" and not os.environ.get("HOTLINE_MYSQL_URL"):
        pytest.skip("no MySQL: set HOTLINE_MYSQL_URL")
    url = f"sqlite:///{tmp_path / 'master.db'}"
    if request.param == "mysql":
        url = os.environ["HOTLINE_MYSQL_URL"]
    elif request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    opened = Server(url)
    yield opened
    await opened.close()


async def agents(records: TableRecords, since: float, call: str | None = None) -> dict[str, tuple[str, ...]]:
    """Who talked in which call."""
    return {past.uniqueid: past.agents for past in past_calls(await records.rows(since, call), PHONES, LINES)}


@pytest.mark.parametrize("linkedid", [True, False], ids=["FreePBX", "Issabel"])
async def test_calls_are_told_from_the_usual_tables(server: Server, *, linkedid: bool) -> None:
    """Since a time, or one call alone; who spoke behind a Local pair and after a transfer."""
    await server.make(FREEPBX if linkedid else ISSABEL)
    for number in range(3):
        await server.add(rows_of_a_call(number * 10, start=BEGAN + number * 3600, linkedid=linkedid))
    records = TableRecords(server.url, "cdr", {}, SHANGHAI)
    last = f"{BEGAN + 7200}.20"
    assert await agents(records, BEGAN + 1800) == {f"{BEGAN + 3600}.10": ("1001", "1003"), last: ("1001", "1003")}
    assert await agents(records, BEGAN + 7000, last) == {last: ("1001", "1003")}
    (call,) = past_calls(await records.rows(BEGAN + 7000), PHONES, LINES)
    assert (call.number, call.caller, call.arrived, call.ended) == (
        "4007002505",
        "13812345678",
        BEGAN + 7200,
        BEGAN + 7221,
    )
    assert call.talks[0].begins == BEGAN + 7202


async def test_times_with_a_zone_and_in_utc(server: Server) -> None:
    """timestamptz, and usegmtime=yes with timezone = "UTC"."""
    if server.kind == "postgresql":
        await server.make(FREEPBX, time="timestamptz")
        await server.add(rows_of_a_call(0, start=BEGAN), aware=True)
        assert len(await TableRecords(server.url, "cdr", {}, ZoneInfo("America/New_York")).rows(BEGAN - 60)) == 3
    await server.make(FREEPBX)
    await server.add(rows_of_a_call(0, start=BEGAN), zone=ZoneInfo("UTC"))
    records = TableRecords(server.url, "cdr", {}, UTC)
    assert [row.start - BEGAN for row in await records.rows(BEGAN - 60)] == [12, 2, 0]
    assert await records.rows(BEGAN + 60) == []


async def test_a_wrong_zone_is_found_out(server: Server) -> None:
    """By the Uniqueids, which have no zone."""
    await server.make(FREEPBX)
    await server.add(rows_of_a_call(0, start=BEGAN))
    with pytest.raises(RecordsError, match=r"its times are \+8 h off: set timezone"):
        await TableRecords(server.url, "cdr", {}, UTC).rows(BEGAN - 60)


async def test_other_names_and_a_table_elsewhere(server: Server) -> None:
    """columns, and schema.table; spelt as the database spells them."""
    names = FREEPBX.replace("TABLE cdr", "TABLE anrufe").replace("calldate", "BEGINN").replace("dstchannel", "ziel")
    await server.make(names, "anrufe")
    schema = {"sqlite": "main.", "postgresql": "public."}.get(server.kind, "")
    columns = {"start": "beginn", "dest": "ziel"}
    assert await TableRecords(server.url, f"{schema}anrufe", columns, SHANGHAI).rows(BEGAN) == []
    with pytest.raises(RecordsError, match=r"has no column start or calldate; name it in columns\.start"):
        await TableRecords(server.url, f"{schema}anrufe", {"dest": "ziel"}, SHANGHAI).rows(BEGAN)
    with pytest.raises(RecordsError, match="has no column nowhere"):
        await TableRecords(server.url, f"{schema}anrufe", {**columns, "did": "nowhere"}, SHANGHAI).rows(BEGAN)


async def test_a_call_key_is_a_parameter(server: Server) -> None:
    """Whatever a Uniqueid looks like, it is compared and never run."""
    await server.make(FREEPBX)
    await server.add(rows_of_a_call(0, start=BEGAN))
    records = TableRecords(server.url, "cdr", {}, SHANGHAI)
    assert await records.rows(BEGAN - 60, "x' OR '1'='1") == []
    assert await records.rows(BEGAN - 60, "x'; DROP TABLE cdr; --") == []
    assert len(await records.rows(BEGAN - 60)) == 3


async def test_nothing_can_be_written(server: Server) -> None:
    """Should anything ever try."""
    await server.make(FREEPBX)
    records = TableRecords(server.url, "cdr", {}, SHANGHAI)
    async with records._engine.connect() as conn:
        await _bound(conn, 5.0)
        with pytest.raises(DBAPIError):
            await conn.execute(text("DELETE FROM cdr"))


async def test_what_is_wrong_is_said(server: Server) -> None:
    """No such table; the password is never told."""
    await server.make(FREEPBX)
    with pytest.raises(RecordsError, match="cdr_of_nobody"):
        await TableRecords(server.url, "cdr_of_nobody", {}, SHANGHAI).rows(BEGAN)


async def test_an_address_that_is_none() -> None:
    """Each with what to do."""
    for url, why in [
        ("no address", "is none"),
        ("oracle://x/y", "no way to read"),
        ("sqlite://", "names no file"),
        ("sqlite:///nowhere/at/all.db", "no such file"),
    ]:
        with pytest.raises(RecordsError, match=why):
            await TableRecords(url, "cdr", {}, SHANGHAI).rows(BEGAN)
    with pytest.raises(RecordsError, match="columns: begin is none of"):
        TableRecords("sqlite:///x.db", "cdr", {"begin": "calldate"}, SHANGHAI)
    with pytest.raises(RecordsError) as raised:
        await TableRecords("postgresql://me:geheim@127.0.0.1:1/x", "cdr", {}, SHANGHAI).rows(BEGAN)
    assert "geheim" not in str(raised.value)


async def test_sqlite_is_not_made_where_there_is_none(tmp_path: Path) -> None:
    """A slip in the path leaves no empty database behind."""
    with pytest.raises(RecordsError):
        await TableRecords(f"sqlite:///{tmp_path / 'slip.db'}", "cdr", {}, SHANGHAI).rows(BEGAN)
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - blocking is fine here


async def test_a_slow_database_is_given_up(postgres_url: str) -> None:
    """A table without an index, or one that somebody else holds."""
    server = Server(postgres_url)
    await server.make(FREEPBX)
    async with server._engine.connect() as other:
        await other.execute(text("LOCK TABLE cdr IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(RecordsError, match=r"no answer within|statement timeout"):
            await TableRecords(postgres_url, "cdr", {}, SHANGHAI, timeout=0.5).rows(BEGAN)
    await server.close()
