"""How tests share two processors (-n 3 --dist loadfile --no-loadscope-reorder): one waits while the others work.

A file stays in one process. Those with real Asterisks stay in one altogether: what several of them drive is driven
once, beside each other, and its calls are mostly waiting. So do those with a browser, which is started once and keeps
one processor busy. Both begin at once, the others, those of many tests first, go beside them.
"""

import gc
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

ROOT = Path(__file__).parent
WAITING, BROWSER = "pbx", "browser"


class Beside(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """A file is a unit of work, or what :func:`unit` makes of several."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return unit(self.config.rootpath / file) or file


def unit(path: Path) -> str | None:
    """What a file of tests is done together with."""
    if path.parent == ROOT / "pbx":
        return WAITING
    return BROWSER if path.parent == ROOT / "desk" or path.name.startswith("test_browser") else None


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Nothing of nine thousand collected tests is ever garbage: looking at it again would stop the clock for long."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Beside | None:
    """Ours for files, its own for everything else."""
    return Beside(config, log) if config.getvalue("dist") == "loadfile" else None


def turn(items: Sequence[pytest.Item]) -> Callable[[pytest.Item], tuple[int, int, str]]:
    """By what to sort tests."""
    tests = Counter(item.path for item in items)
    units = (WAITING, BROWSER, None)

    def place(item: pytest.Item) -> tuple[int, int, str]:
        first = units.index(unit(item.path))
        return first, 0 if units[first] else -tests[item.path], str(item.path)

    return place
