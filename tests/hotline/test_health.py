"""A proxy learns whether to send people here, and nothing else."""

from typing import Any

import pytest
from aiohttp import web
from pytest_aiohttp.plugin import AiohttpClient

from hotline.health import Health
from storage.trouble import Trouble, trouble

UP, DOWN = {"link": "up", "name": "hq"}, {"link": "down", "name": "branch"}


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        ({"database": None, "pbx": [UP]}, 200, {"ok": True, "database": True, "pbx": True}),
        ({"database": None, "pbx": [UP, DOWN]}, 200, {"ok": True, "database": True, "pbx": False}),
        ({"database": "disk full", "pbx": [UP]}, 503, {"ok": False, "database": False, "pbx": True}),
        (None, 503, {"ok": False, "database": False, "pbx": None}),
    ],
)
async def test_it_says_whether_it_can_serve(
    aiohttp_client: AiohttpClient, status: dict[str, Any] | None, code: int, said: dict[str, Any]
) -> None:
    """A database that is away sends agents to the other service, a PBX that is away does not."""

    async def report() -> dict[str, Any]:
        if status is None:
            raise trouble(Trouble.AWAY)
        return status

    app = web.Application()
    app.router.add_get("/healthz", Health(report).page)
    answer = await (await aiohttp_client(app)).get("/healthz")
    assert (answer.status, await answer.json()) == (code, said)
