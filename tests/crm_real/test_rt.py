"""Request Tracker 5 itself: the whole contract, the labelled customers, and what only a real one does."""

from collections.abc import AsyncIterator, Iterator

import pytest

from crm.kit import CHECKS, Check, NotShownError
from crm.rt import Rt
from tests.crm_real.rt_lab import NoRtError, RtLab, running
from tests.crm_real.rt_world import RtWorld, Screen, opened

pytestmark = [pytest.mark.crm, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def lab() -> Iterator[RtLab]:
    """The RT."""
    try:
        with running() as found:
            yield found
    except NoRtError as error:
        pytest.skip(str(error))


@pytest.fixture
async def screen(lab: RtLab) -> AsyncIterator[Screen]:
    """Somebody who works in RT."""
    admin = Screen(lab)
    yield admin
    await admin.close()


@pytest.fixture
async def rt(lab: RtLab) -> AsyncIterator[Rt]:
    """The connector."""
    connector = await opened(lab)
    yield connector
    await connector.close()


@pytest.mark.parametrize("check", CHECKS, ids=str)
async def test_the_contract(lab: RtLab, screen: Screen, rt: Rt, check: Check) -> None:
    """Every sentence."""
    await rt.health()
    try:
        await check(RtWorld(lab, rt, screen))
    except NotShownError as why:
        pytest.skip(str(why))
