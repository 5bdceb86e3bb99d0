"""How tests share two processors (-n 3 --dist loadfile --no-loadscope-reorder): one waits while the others work.

A file stays in one process. Those with real Asterisks stay in one altogether: what several of them drive is driven
once, beside each other, and its calls are mostly waiting. Then what is slow, so that no long file is left to one
process at the end, then the others, those of many tests first.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

WAITING = Path(__file__).parent / "pbx"


class Beside(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """A file is a unit of work; those of one folder are one."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "pbx" if WAITING in (self.config.rootpath / file).parents else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Beside | None:
    """Ours for files, its own for everything else."""
    return Beside(config, log) if config.getvalue("dist") == "loadfile" else None


def turn(items: Sequence[pytest.Item]) -> Callable[[pytest.Item], tuple[int, int, str]]:
    """By what to sort tests."""
    tests = Counter(item.path for item in items)
    browser = {item.path for item in items if item.get_closest_marker("browser")}

    def place(item: pytest.Item) -> tuple[int, int, str]:
        path = item.path
        first = 0 if WAITING in path.parents else 1 if path in browser else 2
        return first, -tests[path] if first > 1 else 0, str(path)

    return place
