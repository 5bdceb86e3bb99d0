"""A real call through a real Asterisk with a real Odoo behind: on the card, on the customer's timeline, and back."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from crm.kit import Fresh
from crm.odoo_text import text_of
from hotline.clock import now
from storage.migrate import upgrade
from tests.crm_real.odoo_lab import DATABASE, PLAIN, PROJECT, NoOdooError
from tests.crm_real.odoo_world import Screen
from tests.crm_real.own_odoo import OwnOdoo, own, prepared
from tests.crm_real.test_odoo import bought
from tests.pbx.labs import Lab, NoLabError
from tests.pbx.labs import running as pbx_running
from tests.pbx.service import BOSS, Page, Service, get, hire, logged_in, pages_of, pbx_toml, service, serving, site_toml

pytestmark = [pytest.mark.crm, pytest.mark.timeout(900)]

URL = "https://calls.example"
SAYS = {
    "texts": ["你好，我家的热水器漏水了，麻烦派人来修一下。", "好的，明天上午九点以前师傅上门给您维修热水器。"],
    "confidence": 0.95,
}
MAPPING = """
[ticket.statuses]
accepted = "新建"
working = "处理中"
solved = "已解决"
closed = "已解决"
"""
STAGE_S = 60.0  # a stage moved in Odoo stands on our ticket by then
CARD_S = 1.5  # a card is there so long after the call arrived, on a machine that is busy with all of this


def crm_toml(odoo: OwnOdoo, folder: Path) -> str:
    """The configuration's part on Odoo."""
    (folder / "odoo.toml").write_text(MAPPING, encoding="utf-8")
    (folder / "says.json").write_text(json.dumps(SAYS), encoding="utf-8")
    return f"""
        [crm]
        connector = "odoo"
        mapping = "{folder / "odoo.toml"}"
        [crm.settings]
        url = "{odoo.lab.url}"
        database = "{DATABASE}"
        project = "{PROJECT}"
        also = {{ closed = {{ state = "1_done" }} }}
        """


@dataclass
class Customer:
    """Somebody in Odoo, and what stands there of his calls."""

    screen: Screen
    id: int
    mobile: str

    async def notes(self) -> list[str]:
        """What stands on his timeline, oldest first: plain text with the links' addresses."""
        mine = [["model", "=", "res.partner"], ["res_id", "=", self.id], ["message_type", "=", "comment"]]
        rows = await self.screen.do("mail.message", "search_read", domain=mine, fields=["body"], order="id")
        return [str(row["body"]) for row in rows]

    async def tasks(self) -> list[dict[str, Any]]:
        """His tasks."""
        mine = [["partner_id", "=", self.id]]
        rows = await self.screen.do(
            "project.task", "search_read", domain=mine, fields=["name", "stage_id", "project_id", "state"], order="id"
        )
        return list(rows)


@dataclass
class House:
    """The service with everything around it."""

    lab: Lab
    odoo: OwnOdoo
    service: Service
    folder: Path
    pages: list[Page]
    boss: aiohttp.ClientSession
    customer: Customer
    driven: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    async def ring(self) -> str:
        """The customer calls and 1001 answers; the call's key."""
        self.driven += 1
        (page,) = self.pages
        before = set(page.shown)
        self.lab.environment["CRM_CALLER"] = self.customer.mobile
        script = Path(__file__).with_name("call_scenarios.py")
        await asyncio.to_thread(self.lab.drive, script, self.folder / f"call{self.driven}", "customer")
        (call,) = set(page.shown) - before
        return call

    def cards(self, call: str) -> list[tuple[float, dict[str, Any]]]:
        """All that 1001's page was told of a call's card, and when."""
        (page,) = self.pages
        return [(at, told["card"]) for at, told in page.told if told["type"] == "card" and told["card"]["call"] == call]

    async def call(self, call: str) -> dict[str, Any]:
        """What our API says of a call."""
        found: dict[str, Any] = await get(self.boss, f"/api/calls/{call}")
        return found

    async def move(self, ticket: int, status: str) -> None:
        """Somebody here moves the ticket."""
        page = await get(self.boss, f"/api/tickets/{ticket}")
        data = {"version": str(page["version"]), "status": status, "was_status": page["status"]}
        async with self.boss.post(f"/tickets/{ticket}", data=data, allow_redirects=False) as answer:
            assert answer.status == 303, await answer.text()


async def until(what: Any, within: float) -> float:
    """Wait until ``what()`` gives something true; how many seconds it took."""
    began = now()
    async with asyncio.timeout(within):
        while not await what():  # noqa: ASYNC110 - both are other processes
            await asyncio.sleep(0.5)
    return now() - began


async def spend(lab: Lab, odoo: OwnOdoo, folder: Path) -> House:
    """The whole story, once; the tests look at what is left of it."""
    screen = Screen(odoo.lab)
    try:
        return await _spend(lab, odoo, folder, screen)
    finally:
        await screen.close()


async def _spend(lab: Lab, odoo: OwnOdoo, folder: Path, screen: Screen) -> House:
    fresh = Fresh()
    mobile = fresh.mobile()
    customer = Customer(screen, await screen.create("res.partner", name=fresh.name(), phone=f"+86 {mobile}"), mobile)
    await bought(screen, customer.id, 4)
    url = f"sqlite+aiosqlite:///{folder / 'hotline.db'}"
    site = site_toml(lab.recordings).replace("port = 0", f'port = 0\n        url = "{URL}"')
    site = site.replace('engine = "none"', f'engine = "scripted"\n        model = "{folder / "says.json"}"')
    one = service(folder, [lab], pbx_toml(lab) + site + crm_toml(odoo, folder), url)
    one.environment["HOTLINE_ODOO_KEY"] = odoo.lab.key(PLAIN)
    await upgrade(url)
    await hire(url)
    async with serving(one), pages_of(one, agents=["1001"]) as pages, logged_in(one.address, BOSS) as boss:
        house = House(lab, odoo, one, folder, pages, boss, customer)
        await one.listening()
        await story(house)
    return house


async def story(house: House) -> None:
    """What happens, with what must hold at each point."""
    customer, odoo = house.customer, house.odoo
    first = await house.ring()
    card = house.cards(first)[-1][1]
    check_card(card, customer)

    async def told() -> bool:
        return any("热水器" in note for note in await customer.notes())

    house.seconds["note with summary"] = await until(told, 90)
    call = await house.call(first)
    (note,) = await customer.notes()
    assert f'href="{URL}/calls/{first}"' in note
    assert call["summary"]["issue"] in text_of(note)
    (task,) = await customer.tasks()
    ticket = call["ticket"]["id"]
    assert task["stage_id"][1] == "新建"
    assert task["name"].startswith(call["ticket"]["number"])
    assert "project.task" in note  # the note links the task

    [working] = await customer.screen.do(
        "project.task.type", "search", domain=[["name", "=", "处理中"], ["project_ids", "in", task["project_id"][:1]]]
    )
    await customer.screen.write("project.task", task["id"], stage_id=working)

    async def moved() -> bool:
        return bool((await get(house.boss, f"/api/tickets/{ticket}"))["status"] == "working")

    house.seconds["stage in Odoo to our ticket"] = await until(moved, STAGE_S)
    await stuck(house, ticket)
    await away(house, ticket)
    print(json.dumps({what: round(seconds, 1) for what, seconds in house.seconds.items()}))  # noqa: T201
    assert odoo.lab.url in note or "/odoo/" in note


def check_card(card: dict[str, Any], customer: Customer) -> None:
    """The customer of Odoo with what he bought last."""
    assert card["match"]["sure"] is True
    (shown,) = card["match"]["customers"]
    assert shown["id"] == str(customer.id)
    assert len(shown["purchases"]) == 3
    assert shown["purchases"][0]["on"] == "2026-11-05"  # the fourth in the evening, UTC


async def stuck(house: House, ticket: int) -> None:
    """Odoo does not answer: the card is there at once and says so; what was to be written is, once it goes on."""
    with house.odoo.held():
        call = await house.ring()
        check_troubled(house, call, "stuck")
        await house.move(ticket, "solved")
        await asyncio.sleep(10)  # long enough for writes to be tried, and to be left alone
    await arrived(house, call, ["处理中 → 解决"], "stuck")


async def away(house: House, ticket: int) -> None:
    """The same with no Odoo at all; meanwhile the service is killed, too."""
    house.odoo.stop()
    call = await house.ring()
    check_troubled(house, call, "away")
    await house.service.kill()
    await house.service.start()
    await house.move(ticket, "closed")
    await asyncio.sleep(5)
    await asyncio.to_thread(house.odoo.start)
    await arrived(house, call, ["处理中 → 解决", "解决 → 关闭"], "away")


def check_troubled(house: House, call: str, name: str) -> None:
    """Known by the copy, at once, and said to be one."""
    cards = house.cards(call)
    first_at, first = cards[0]
    house.seconds[f"card while {name}"] = first_at - first["since"]
    named_at = next(at for at, card in cards if card["match"])
    house.seconds[f"customer on the card while {name}"] = named_at - first["since"]
    assert named_at - first["since"] < CARD_S
    match = cards[-1][1]["match"]
    assert [shown["id"] for shown in match["customers"]] == [str(house.customer.id)]
    assert match["problem"] == "down"
    assert match["as_of"] is not None


async def arrived(house: House, call: str, moves: Sequence[str], name: str) -> None:
    """The call's note with its ticket, every move's note and the status are there, each once."""

    async def there() -> bool:
        notes, tasks = await house.customer.notes(), await house.customer.tasks()
        whole = any(call in note and "热水器" in note and "/project.task/" in note for note in notes)
        done = "1_done" if len(moves) > 1 else "01_in_progress"
        told = all(any(move in note for note in notes) for move in moves)
        return whole and told and tasks[0]["stage_id"][1] == "已解决" and tasks[0]["state"] == done

    house.seconds[f"all written after {name}"] = await until(there, 240)
    notes = await house.customer.notes()
    assert [sum(each in note for note in notes) for each in (call, *moves)] == [1, *(1 for _ in moves)]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The story, told."""
    folder = tmp_path_factory.mktemp("call")
    try:
        with prepared() as shared, own(shared) as odoo, pbx_running("22") as lab:
            yield asyncio.run(spend(lab, odoo, folder))
    except (NoOdooError, NoLabError) as error:
        pytest.skip(str(error))


def test_a_call_with_odoo_behind(house: House) -> None:
    """Card with purchases, note with link and summary, their stage on our ticket; stuck and gone, nothing is lost."""
    assert house.driven == 3


def test_each_call_and_each_move_stands_there_once(house: House) -> None:
    """Nothing is doubled by an Odoo that came back, nor by a service that died meanwhile."""

    async def look() -> list[str]:
        screen = Screen(house.odoo.lab)
        try:
            return await Customer(screen, house.customer.id, house.customer.mobile).notes()
        finally:
            await screen.close()

    notes = [text_of(note) for note in asyncio.run(look())]
    assert len([note for note in notes if "来电" in note.splitlines()[0]]) == 3
    assert len([note for note in notes if "→" in note.splitlines()[0]]) == 2
    assert len(notes) == 5
