"""Real Asterisks, and what is driven through them beside each other."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.pbx.labs import Lab, NoLabError, running
from tests.pbx.works import Works, unheard

OwnLab = Callable[..., Lab]
"""own_lab(name, suite="22") -> Lab."""


def _started(stack: ExitStack, suite: str) -> Lab:
    try:
        return stack.enter_context(running(suite))
    except NoLabError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """An Asterisk 22 with the lab's configuration, the same for all tests: leave its configuration alone."""
    with ExitStack() as stack:
        yield _started(stack, "22")


@pytest.fixture(scope="session")
def lab16() -> Iterator[Lab]:
    """An Asterisk 16, otherwise like ``lab``."""
    with ExitStack() as stack:
        yield _started(stack, "16")


@pytest.fixture(scope="module")
def own_lab() -> Iterator[OwnLab]:
    """``own_lab("doctor", suite="22")``: a started Asterisk that this module alone has and may change.

    The same name gives the same one again, as it stands. Stopped at the module's end.
    """
    with ExitStack() as stack:
        labs: dict[tuple[str, str], Lab] = {}

        def give(name: str, suite: str = "22") -> Lab:
            if (name, suite) not in labs:
                labs[name, suite] = _started(stack, suite)
            return labs[name, suite]

        yield give


@pytest.fixture(scope="session")
def works(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Works]:
    """What the selected modules drive through Asterisks of their own, begun at once."""
    with unheard():
        running_works = Works(request, tmp_path_factory)
        yield running_works
        running_works.close()


@pytest.fixture(scope="module")
def done(request: pytest.FixtureRequest, works: Works) -> Any:
    """What this module's ``work`` gave."""
    return works.done(request.module)
