"""Tryton 7.8 itself: the whole contract, the labelled customers, and what only a real one does."""

from collections.abc import AsyncIterator, Iterator

import pytest

from crm.kit import CHECKS, Check, NotShownError
from crm.tryton import Tryton
from tests.crm_real.tryton_lab import NoTrytonError, Screen, TrytonLab, running
from tests.crm_real.tryton_world import TrytonWorld, opened

pytestmark = [pytest.mark.crm, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def lab() -> Iterator[TrytonLab]:
    """The Tryton."""
    try:
        with running() as found:
            yield found
    except NoTrytonError as error:
        pytest.skip(str(error))


@pytest.fixture
async def screen(lab: TrytonLab) -> AsyncIterator[Screen]:
    """Somebody who works in Tryton."""
    admin = Screen(lab.url)
    [company] = await admin.find("company.company")
    admin.of_company(company)
    yield admin
    await admin.close()


@pytest.fixture
async def tryton(lab: TrytonLab) -> AsyncIterator[Tryton]:
    """The connector."""
    connector = await opened(lab)
    yield connector
    await connector.close()


@pytest.mark.parametrize("check", CHECKS, ids=str)
async def test_the_contract(lab: TrytonLab, screen: Screen, tryton: Tryton, check: Check) -> None:
    """Every sentence."""
    try:
        await check(TrytonWorld(lab, tryton, screen))
    except NotShownError as why:
        pytest.skip(str(why))
