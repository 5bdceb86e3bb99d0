"""Shadow mode: every call is followed, and nothing comes of it but a line in the log."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from hotline.app import Service
from hotline.callers import identify_with_region
from hotline.clock import now
from hotline.newcomer import make_accounts
from hotline.replay import facts_of
from hotline.settings import Settings
from hotline.shadow import Shadow
from hotline.telephony_settings import Line, Pbx, Recordings
from storage.migrate import upgrade
from telephony.call import Fact
from telephony.lines import Lines
from telephony.tracker import Tracker

CAPTURES = Path(__file__).parents[1] / "captures"
LINES = {"4007002505": ("01062802505",), "4008001234": ()}


def facts(situation: str) -> list[Fact]:
    """What a captured stream tells."""
    stream = gzip.decompress((CAPTURES / situation / "asterisk22.ami.gz").read_bytes())
    return list(facts_of([stream], Tracker("hq", Lines(LINES), ["PJSIP/carrier"])))


def test_each_call_is_told_with_its_caller_masked() -> None:
    """What would have been shown to whom, without giving the caller away to whoever reads the log."""
    shadow = Shadow(identify_with_region)
    shadow.deliver(facts("thirty_calls"))
    told = shadow.report()
    assert told["calls"] == len(told["recent"]) == 30
    assert all(call["outcome"] in ("answered", "abandoned") for call in told["recent"])
    assert all("****" in call["caller"] for call in told["recent"])
    assert {pop["agent"] for call in told["recent"] for pop in call["pops"]} == {"1001", "1002", "1003"}


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[tuple[Service, str]]:
    """A service in shadow mode whose PBX is not there; its address."""
    root = tmp_path / "recordings"
    root.mkdir()
    settings = Settings(
        data=tmp_path / "var",
        shadow=True,
        recordings=Recordings(root=root),
        line=tuple(Line(number=number, aliases=aliases) for number, aliases in LINES.items()),
        pbx=(Pbx(name="hq", port=1, user="hotline", trunks=("PJSIP/carrier",)),),
    )
    await upgrade(settings.database_url)
    service = Service(settings, now, {"hq": "a-secret-of-this-test"})
    runner = web.AppRunner(service.build(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield service, f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()
    assert service.crew.error is None


async def test_nothing_is_shown_and_nothing_written(service: tuple[Service, str]) -> None:
    """A call is followed to its end: no card, no call, no ticket, no job; the pages say why."""
    serving, base = service
    accounts = await make_accounts(serving.accounts, serving.hasher, now())
    admin = next(account for account in accounts if account.login == "demo-admin")
    assert serving.shadow is not None
    serving.shadow.deliver(facts("answered"))
    jar = aiohttp.CookieJar(unsafe=True)
    headers = {"Origin": base, "Accept-Language": "zh-CN"}
    async with aiohttp.ClientSession(base, cookie_jar=jar, headers=headers) as session:
        async with session.post("/login", data={"login": admin.login, "password": admin.password}) as answer:
            assert "影子模式" in await answer.text()
        status = await (await session.get("/api/status")).json()
        assert status["shadow"]["calls"] == 1
        page = await (await session.get("/status")).text()
        assert "138****5678" in page
        assert "13812345678" not in page
    assert not await serving.reads.calls_today(0.0)
    assert not await serving.outbox.counts()
    assert len(serving.desk) == 0
