"""Against a real Asterisk: pauses and calls by a click, with the rights that ``hotline dialplan`` prints."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hotline.dialplan import manager
from hotline.dialplan.plan import Kind, Secrets, plan
from hotline.settings import load
from storage.migrate import upgrade
from tests.pbx.admin import Phones, phones
from tests.pbx.labs import TRUNK, Lab, NoLabError, running
from tests.pbx.service import Service, get, hire, logged_in, pages_of, serving, site_toml
from tests.pbx.works import Tools

pytestmark = [pytest.mark.pbx, pytest.mark.timeout(280)]

SECONDS = 40
SECRET, DESK_SECRET = "a-secret-of-this-test", "another-secret-of-this-test"
PBX = """
[[pbx]]
name = "lab"
port = {port}
user = "hotline"
secret_file = "{folder}/secret"
trunks = ["{trunk}"]
[pbx.desk]
user = "desk"
secret_file = "{folder}/desk-secret"
pauses = ["用餐", "会议"]
originate = true
context = "agents-out"
ring = 5
"""
DIALPLAN = """
[agents-out]
exten => _1[3-9]XXXXXXXXX,1,Set(CDR(userfield)=ticket=${HOTLINE_CALLBACK})
 same => n,Dial(PJSIP/${EXTEN}@carrier,10)
"""


@dataclass
class Day:
    """What was asked for, what was answered, and what the phones and the PBX saw."""

    answers: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    queues: dict[str, str] = field(default_factory=dict)
    states: dict[str, dict[str, Any]] = field(default_factory=dict)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    invited: list[tuple[str, str]] = field(default_factory=list)  # carrier's INVITEs: to, from
    phone_saw: list[str] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    cards: list[dict[str, Any]] = field(default_factory=list)
    cdr: str = ""
    log: str = ""


def work(tools: Tools) -> Day:
    """The day, on an Asterisk 22 of its own."""
    with running("22") as lab:
        return asyncio.run(_spend(lab, tools.folder))


def _set_up(lab: Lab, folder: Path) -> str:
    """The PBX as an admin sets it up; the service's configuration."""
    (folder / "secret").write_text(SECRET)
    (folder / "desk-secret").write_text(DESK_SECRET)
    site = site_toml(lab.recordings).replace("[[line]]", '[[line]]\nrouting.queue = "ringall"')
    config = PBX.format(port=lab.ami_port, folder=folder, trunk=TRUNK) + site
    (folder / "hotline.toml").write_text(config, encoding="utf-8")
    settings = load(folder / "hotline.toml")
    made = plan(settings, settings.pbx[0], Kind.ASTERISK, Secrets(user=SECRET, desk=DESK_SECRET))
    with (lab.etc / "manager.conf").open("a", encoding="utf-8") as file:
        file.write(manager.render(made))
    extensions = (lab.etc / "extensions.conf").read_text(encoding="utf-8")
    (lab.etc / "extensions.conf").write_text(extensions + DIALPLAN, encoding="utf-8")
    lab.reload()
    return config


async def _spend(lab: Lab, folder: Path) -> Day:
    day = Day()
    url = f"sqlite+aiosqlite:///{folder / 'hotline.db'}"
    await upgrade(url)
    await hire(url)
    service = Service(folder / "service", _set_up(lab, folder), {"HOTLINE_DATABASE_URL": url})
    async with serving(service), phones(lab) as people:
        await service.listening()
        async with logged_in(service.address, "u1001") as me, logged_in(service.address, "u1002") as her:
            await _pauses(lab, me, her, day)
            async with pages_of(service, agents=["1001"]) as (page,):
                await _calls(me, people, day, page.told)
            day.told = [said["dial"] for _, said in page.told if said["type"] == "dial"]
            day.cards = [said["card"] for _, said in page.told if said["type"] == "card"]
            await asyncio.to_thread(lab.kill)
            day.answers["pause away"] = await _post(me, "/api/desk/state", {"state": "paused", "reason": "会议"})
            day.answers["dial away"] = await _post(me, "/api/desk/dial", {"number": "13800138009"})
    day.invited = [(e["to"], e["frm"]) for e in people.carrier.log if e["what"] == "invite_received"]
    day.phone_saw = [e["frm"] for e in people.agents["1001"].log if e["what"] == "invite_received"]
    day.cdr = lab.cdr.read_text(encoding="utf-8")
    day.log = service.log
    return day


async def _pauses(lab: Lab, me: aiohttp.ClientSession, her: aiohttp.ClientSession, day: Day) -> None:
    """From the desk to every queue of the agent, and from the PBX to the desk."""
    asked = {"state": "paused", "reason": "用餐"}
    day.answers["pause"] = await _post(me, "/api/desk/state", asked)
    for queue in ("support", "ringall", "sales", "salesn"):
        day.queues[queue] = await asyncio.to_thread(lab.cli, f"queue show {queue}")
    day.answers["ready"] = await _post(me, "/api/desk/state", {"state": "ready"})
    day.queues["ready"] = await asyncio.to_thread(lab.cli, "queue show")
    desks = {"support": "PJSIP/1002", "ringall": "PJSIP/1002"}
    desks |= {"sales": "Local/1002@queue-agents", "salesn": "Local/1002@queue-agents/n"}
    for queue, interface in desks.items():
        await asyncio.to_thread(lab.cli, f"queue pause member {interface} queue {queue} reason lunch")
    day.states["paused there"] = await _state(her, "paused")
    await asyncio.to_thread(lab.cli, "queue unpause member PJSIP/1002")
    day.states["back there"] = await _state(her, "ready")


async def _calls(me: aiohttp.ClientSession, people: Phones, day: Day, told: list[tuple[float, dict[str, Any]]]) -> None:
    """A missed caller who is reached, one who is busy, one called by hand; what is not called at all."""

    async def over(clicks: int) -> None:
        """Wait until so many calls by a click are over."""
        async with asyncio.timeout(20):
            while sum(said["type"] == "dial" and said["dial"]["state"] == "over" for _, said in told) < clicks:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    for number in ("13800138001", "13800138002", "13800138003"):
        call = await people.call("4008001234", from_user=number)
        await asyncio.sleep(1)
        call.hangup()
        await asyncio.wait_for(call.ended.wait(), 5)
    day.rows["missed"] = await _rows(me, 3)
    first, second, _ = (row["id"] for row in day.rows["missed"])
    people.answer = {"1001": 0.5, "carrier": 0.3}
    day.answers["click"] = await _post(me, "/api/desk/dial", {"callback": first})
    day.answers["twice"] = await _post(me, "/api/desk/dial", {"number": "13800138009"})
    day.rows["reached"] = await _rows(me, 2)
    for call in [*people.agents["1001"].calls.values()]:
        call.hangup()
    await over(1)
    people.reject = {"carrier"}
    day.answers["busy"] = await _post(me, "/api/desk/dial", {"callback": second})
    await over(2)
    day.rows["busy"] = await _rows(me, 2, tries=1)
    people.reject = {"1001"}
    day.answers["phone busy"] = await _post(me, "/api/desk/dial", {"number": "138 0013 8009"})
    await over(3)
    people.reject = set()
    by_hand = await people.agents["1001"].call("13800138003")
    await asyncio.wait_for(by_hand.answered.wait(), 10)
    day.rows["by hand"] = await _rows(me, 1, tries=1)
    by_hand.hangup()
    for name, number in (("no way out", "010-62805678"), ("abroad", "+85291234567"), ("service", "95588")):
        day.answers[name] = await _post(me, "/api/desk/dial", {"number": number})
    await over(4)  # the answer comes another way than the word to the desk, and may be faster


async def _post(session: aiohttp.ClientSession, path: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    async with session.post(path, json=asked) as answer:
        return answer.status, await answer.json()


async def _rows(session: aiohttp.ClientSession, wanted: int, tries: int = 0) -> list[dict[str, Any]]:
    """The list of missed callers once it is so long, and so many tries stand in it."""
    rows: list[dict[str, Any]] = []
    async with asyncio.timeout(15):
        while (len(rows), sum(row["tries"] for row in rows)) != (wanted, tries):
            await asyncio.sleep(0.05)
            rows = (await get(session, "/api/callbacks"))["callbacks"]
    return rows


async def _state(session: aiohttp.ClientSession, wanted: str) -> dict[str, Any]:
    """The agent's state, once it is the one that is waited for."""
    async with asyncio.timeout(10):
        while (state := (await get(session, "/api/desk"))["state"])["state"] != wanted:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)
    return dict(state)


@pytest.fixture(scope="module", params=["done", pytest.param("16", marks=pytest.mark.long)])
def day(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Day:
    """What happened at an Asterisk 22, and at a 16."""
    if request.param == "done":
        found: Day = request.getfixturevalue("done")
        return found
    try:
        with running(request.param) as lab:
            return asyncio.run(_spend(lab, tmp_path_factory.mktemp("hand")))
    except NoLabError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("queue", ["support", "ringall", "sales", "salesn"])
def test_a_pause_reaches_every_queue(day: Day, queue: str) -> None:
    """Under whatever name the agent's phone is a member there, with the reason; nobody else's."""
    assert day.answers["pause"][0] == 200, day.answers["pause"]
    lines = [line for line in day.queues[queue].splitlines() if "Agent-100" in line]
    paused = {line.split()[0] for line in lines if "(paused:用餐" in line}
    assert paused == {"Agent-1001"}, day.queues[queue]


def test_ready_takes_it_back(day: Day) -> None:
    """Everywhere."""
    assert day.answers["ready"][0] == 200
    assert "paused" not in day.queues["ready"]


def test_a_pause_made_at_the_pbx_is_shown(day: Day) -> None:
    """Once no queue rings the agent any more; it is over when one does again."""
    assert day.states["paused there"]["reason"] == "lunch"
    assert day.states["back there"]["state"] == "ready"


def test_who_gave_up_is_to_be_called_back(day: Day) -> None:
    """The numbers masked until somebody takes one."""
    assert [(row["display"], row["e164"], row["state"]) for row in day.rows["missed"]] == [
        (f"138****800{last}", None, "waiting") for last in (1, 2, 3)
    ]


def test_a_click_rings_the_phone_first_and_then_the_number(day: Day) -> None:
    """Both see the line that was called; the dialplan is told which ticket it is about."""
    assert day.answers["click"][0] == 202
    assert day.answers["click"][1]["e164"] == "+8613800138001"
    assert "4008001234" in day.phone_saw[-3]
    to, frm = next((to, frm) for to, frm in day.invited if "13800138001" in to)
    assert "4008001234" in frm, to
    ticket = day.rows["missed"][0]["ticket"]["id"]
    assert f"ticket={ticket}" in day.cdr


def test_its_desk_is_told_how_far_it_is(day: Day) -> None:
    """Ringing, calling, talking, over; busy; the phone that is busy itself; what the context does not let out."""
    assert [(said["state"], said["why"]) for said in day.told] == [
        *(("ringing", None), ("calling", None), ("talking", None), ("over", None)),
        *(("ringing", None), ("calling", None), ("over", "busy")),
        *(("ringing", None), ("over", "phone_unreachable")),
        *(("ringing", None), ("over", "refused")),
    ]


def test_one_call_at_a_time(day: Day) -> None:
    """A second click while the phone rings is refused."""
    assert day.answers["twice"][0] == 409


def test_whom_we_reached_is_off_the_list(day: Day) -> None:
    """By a click or by hand; who was busy stays on it, for anybody."""
    assert {row["display"][-1] for row in day.rows["reached"]} == {"2", "3"}
    tried = next(row for row in day.rows["busy"] if row["display"].endswith("2"))
    assert (tried["state"], tried["result"], tried["tries"], tried["taken_by"]) == ("not_reached", "busy", 1, None)
    assert [row["display"][-1] for row in day.rows["by hand"]] == ["2"]


def test_calls_that_go_out_have_no_card(day: Day) -> None:
    """Only the callers' own calls had."""
    assert {card["caller"]["raw"] for card in day.cards} == {"13800138001", "13800138002", "13800138003"}
    assert "13800138009" not in {card["caller"]["raw"] for card in day.cards}


@pytest.mark.parametrize(
    ("asked", "status"),
    [("no way out", 502), ("abroad", 422), ("service", 422), ("pause away", 503), ("dial away", 503)],
)
def test_what_is_not_done_is_said(day: Day, asked: str, status: int) -> None:
    """A number that the context does not let out, kinds that are not called, a PBX that is away."""
    assert day.answers[asked][0] == status, day.answers[asked]


def test_the_rights_are_enough(day: Day) -> None:
    """Nothing was refused for want of a right."""
    assert "Permission denied" not in day.log
