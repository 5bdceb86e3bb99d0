"""Against a real Asterisk: a service that was killed in the middle of calls finds out what became of them.

Held against the phones: the call that was up, one that began and was answered, one that gave up, all while nobody
listened. From the PBX's own Master.csv; no card for any of them afterwards.
"""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.pbx.service import BOSS, Service, get, hire, logged_in, pages_of, pbx_toml, service, site_toml

if TYPE_CHECKING:
    from tests.pbx.labs import Lab

pytestmark = [pytest.mark.pbx, pytest.mark.timeout(120)]


async def until(address: str, path: str, there: Any) -> Any:
    """What the API says once ``there`` holds of it; it is asked every tenth of a second."""
    async with asyncio.timeout(40), logged_in(address, BOSS) as boss:
        said = await get(boss, path)
        while not there(said):
            await asyncio.sleep(0.1)
            said = await get(boss, path)
        return said


async def calls_of(address: str) -> list[Any]:
    """Every call by the tickets' pages, in the order of their arrival."""
    async with logged_in(address, BOSS) as boss:
        tickets = (await get(boss, "/api/tickets"))["tickets"]
        pages = [await get(boss, f"/api/tickets/{ticket['id']}") for ticket in tickets]
        calls = [await get(boss, f"/api/calls/{call['call']}") for page in pages for call in page["call_list"]]
        return sorted(calls, key=lambda call: [int(part) for part in call["call"].partition(":")[2].split(".")])


def answered(one: Service, key: str) -> Any:
    """Wait until the service knows that 1002 talks."""
    return until(one.address, f"/api/calls/{key}", lambda call: call["agents"] == ["1002"])


async def first_call(one: Service) -> str:
    """The key of the first call that gets a ticket."""
    told = await until(one.address, "/api/tickets", lambda said: said["tickets"])
    async with logged_in(one.address, BOSS) as boss:
        page = await get(boss, f"/api/tickets/{told['tickets'][0]['id']}")
        return str(page["call_list"][0]["call"])


@pytest.mark.parametrize("suite", ["lab", pytest.param("lab16", marks=pytest.mark.long)])
async def test_what_happened_while_nobody_listened(
    suite: str, request: pytest.FixtureRequest, tmp_path: Path, sqlite_url: str
) -> None:
    """Killed mid-call and started again."""
    lab: Lab = request.getfixturevalue(suite)
    await hire(sqlite_url)
    cdr = f'cdr = {{ file = "{lab.cdr}", timezone = "{_zone()}", delay = 0.5 }}'
    one = service(tmp_path / "a", [lab], pbx_toml(lab, more=cdr) + site_toml(lab.recordings), sqlite_url)
    out = tmp_path / "calls"
    out.mkdir()
    script = Path(__file__).with_name("gap_scenarios.py")
    await one.start()
    try:
        driving = asyncio.get_running_loop().create_task(asyncio.to_thread(lab.drive, script, out, "unseen"))
        key = await first_call(one)
        await answered(one, key)
        await one.kill()
        (out / "go").touch()
        await driving
        await one.start()
        async with pages_of(one) as pages:
            status = await until(one.address, "/api/status", _all_found)
            calls = await calls_of(one.address)
            assert all(not page.shown for page in pages), "a late card"
    finally:
        await one.stop()
    truth = json.loads((out / "unseen.truth.json").read_text())
    assert [(call["caller"], call["line"], call["outcome"], call["agents"]) for call in calls] == [
        ("13812345678", "4008001234", "answered", ["1002", "1001"]),
        ("02158881234", "4008001234", "answered", ["1003"]),
        ("01088886666", "4007002505", "abandoned", []),
    ]
    byes = {event["call_id"]: event["t"] for event in truth["sip"] if event["what"] == "bye_sent"}
    assert all(min(abs(bye - call["ended"]) for bye in byes.values()) < 2 for call in calls)
    assert calls[0]["call"] == key
    assert len({call["ticket"]["id"] for call in calls}) == 3
    assert [[e["detail"]["was"] for e in call["events"] if e["kind"] == "completed"] for call in calls] == [
        ["lost"],
        ["unseen"],
        ["unseen"],
    ]
    (gap,) = status["gaps"]
    assert (gap["pbx"], gap["why"], gap["unseen"], gap["completed"]) == ("lab", "not_running", 2, 1)
    assert "Traceback" not in one.log


def _all_found(status: Any) -> bool:
    return any(gap["unseen"] == 2 and gap["completed"] == 1 for gap in status["gaps"])


def _zone() -> str:
    """The zone the lab's Asterisk writes its records in: this machine's."""
    local = Path("/etc/localtime").resolve().as_posix()
    return local.partition("zoneinfo/")[2] or "UTC"
