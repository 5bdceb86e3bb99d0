"""A real Odoo tells us of a change by itself: its automation rule, our door, the record read again."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from crm.guarded import Guarded
from crm.kit import Fresh
from crm.records import Change
from hotline.clock import now
from hotline.crm_push_in import PATH, PushIn
from tests.crm_real.odoo_lab import NoOdooError, OdooLab, running
from tests.crm_real.odoo_world import Screen, opened

pytestmark = [pytest.mark.crm, pytest.mark.timeout(600)]

TOKEN = "a-long-random-text"


@pytest.fixture(scope="module")
def lab() -> Iterator[OdooLab]:
    """The Odoo."""
    try:
        with running() as found:
            yield found
    except NoOdooError as error:
        pytest.skip(str(error))


@pytest.fixture
async def screen(lab: OdooLab) -> AsyncIterator[Screen]:
    """Somebody who works in Odoo."""
    admin = Screen(lab)
    yield admin
    await admin.close()


async def test_a_change_is_told_by_odoo_itself(lab: OdooLab, screen: Screen) -> None:
    """Before Odoo answers the one who saved it, or just then; to the token's bearer only."""
    told: asyncio.Queue[Change] = asyncio.Queue()

    async def take(changes: Sequence[Change]) -> None:
        for change in changes:
            told.put_nowait(change)

    connector = Guarded(await opened(lab), now)
    door = PushIn(connector, TOKEN, take)
    app = web.Application()
    door.add_to(app)
    mark = Fresh().name()
    async with TestServer(app) as server:
        url = f"http://127.0.0.1:{server.port}{PATH}"
        rules = [await rule(screen, mark, f"{url}?token={token}") for token in (TOKEN, "wrong")]
        try:
            customer = await screen.create("res.partner", name=mark, phone="138 1234 5678")
            async with asyncio.timeout(20):
                assert (await told.get()).ref.id == str(customer)
                await screen.write("res.partner", customer, name=f"{mark} 二")
                while (change := await told.get()).customer is None or change.customer.name == mark:
                    pass  # made and filled in are two writes to Odoo
            assert (change.ref.id, change.customer.name) == (str(customer), f"{mark} 二")
        finally:
            await screen.do("base.automation", "unlink", rules)
            await door.close()
            await connector.close()
    assert door.report()["refused"] >= 1
    assert door.report()["error"] is None


async def rule(screen: Screen, mark: str, url: str) -> int:
    """An automation rule on contacts of that name, as an administrator makes it."""
    (model,) = await screen.do("ir.model", "search", domain=[["model", "=", "res.partner"]])
    action = {"name": f"hotline {mark}", "model_id": model, "state": "webhook", "webhook_url": url}
    return await screen.create(
        "base.automation",
        name=f"hotline {mark}",
        model_id=model,
        trigger="on_create_or_write",
        filter_domain=f'[["name", "like", "{mark}"]]',
        action_server_ids=[[0, 0, action]],
    )
