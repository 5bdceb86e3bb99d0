"""What several modules drive through Asterisks of their own, done beside each other: calls are mostly waiting.

A module with a function ``work(tools)``, and ``SECONDS``, about how long it takes, has it run once, in a thread, when
the first of all selected tests needs such a result; its tests take the result from the fixture ``done``.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.conftest import CannotRunError, RedisServer
from tests.pbx.labs import NoLabError

THREADS = "pbx"
AT_ONCE = 3  # on two processors: more and the phones' voices stutter


@dataclass(frozen=True)
class Tools:
    """What a work may use: a folder of its own, and databases on a PostgreSQL (NoLabError where there is none)."""

    folder: Path
    new_url: Callable[[], str]


@contextmanager
def unheard() -> Iterator[None]:
    """What our threads log is not printed: meanwhile other tests look at what their commands print."""

    def from_others(*values: Any, **how: Any) -> None:
        if not threading.current_thread().name.startswith(THREADS):
            print(*values, **how)  # noqa: T201 - as the logger would

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("structlog._output.print", from_others, raising=False)
        yield


@contextmanager
def redis_running() -> Iterator[str]:
    """The address of a Redis-speaking server of one's own. NoLabError where none can run."""
    try:
        server = RedisServer()
        server.start()
    except (CannotRunError, OSError) as error:
        raise NoLabError(str(error)) from error
    try:
        yield server.url
    finally:
        server.remove()


class Works:
    """The works of all modules of which a test was selected, begun when this is made."""

    def __init__(self, request: pytest.FixtureRequest, folders: pytest.TempPathFactory) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix=THREADS)
        self._results: dict[Any, Future[Any]] = {}
        new_url = _databases(request)
        modules = {item.module for item in request.session.items if isinstance(item, pytest.Function) and _wanted(item)}
        for module in sorted(modules, key=lambda module: -module.SECONDS):
            if module.work not in self._results:
                tools = Tools(folders.mktemp("work"), new_url)
                self._results[module.work] = self._pool.submit(module.work, tools)

    def done(self, module: ModuleType) -> Any:
        """A module's result, once it is there."""
        try:
            return self._results[module.work].result()
        except NoLabError as error:
            pytest.skip(str(error))

    def close(self) -> None:
        """Begin nothing more and wait for what is under way: it stops what it started."""
        self._pool.shutdown(cancel_futures=True)


def _wanted(item: pytest.Function) -> bool:
    given = item.callspec.params.values() if hasattr(item, "callspec") else ()
    named = {*item.fixturenames, *(value for value in given if isinstance(value, str))}
    return "done" in named and not any(item.iter_markers("skip"))


def _databases(request: pytest.FixtureRequest) -> Callable[[], str]:
    """New databases, for one thread at a time."""
    lock = threading.Lock()
    try:
        postgres = request.getfixturevalue("postgres")
    except pytest.skip.Exception as skipped:
        reason = str(skipped)

        def none() -> str:
            raise NoLabError(reason)

        return none

    def new_url() -> str:
        with lock:
            url: str = postgres.new_url()
            return url

    return new_url
