"""Metrics ask nobody to log in, so they are for this machine only."""

from aiohttp import web
from pytest_aiohttp.plugin import AiohttpClient

from hotline.metrics import FACTS, page


async def test_this_machine_sees_the_counters_and_a_proxy_does_not(aiohttp_client: AiohttpClient) -> None:
    """What comes through a proxy may come from anywhere."""
    app = web.Application()
    app.router.add_get("/metrics", page)
    client = await aiohttp_client(app)
    FACTS.labels("Rang").inc()
    answer = await client.get("/metrics")
    assert 'hotline_facts_total{kind="Rang"}' in await answer.text()
    assert (await client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"})).status == 403
