"""The copy of the CRM's customers is loaded, followed and compared, whatever happens in the middle."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crm.connector import Can, Change, Feed, Of, Ref, Traits
from crm.trouble import AuthError, CrmError, InvalidError, RateLimitedError, RestingError, TransientError
from hotline.crm_settings import Crm
from hotline.index import OTHERS_TURN, Index, source_of
from hotline.index_plan import last_night, load_due, rest, suspicious
from hotline.settings import Settings
from numbering.identify import identify
from storage.crm_index_state import Told
from storage.crm_index_turn import want
from storage.database import Database
from tests.hotline.town import Town, mobile, person

NOON = 1_795_147_200.0  # 2026-11-20 12:00 in Shanghai
DAY = 86400.0
POLL = 30.0
SETTINGS = Settings(crm=Crm(connector="town", poll_every=POLL))


@dataclass
class House:
    """A service with a town behind it, and the time."""

    db: Database
    town: Town
    index: Index
    now: float = NOON

    async def who(self, count: int) -> list[str]:
        """Who is known under the number so numbered."""
        copy = await self.index.copy.find(identify(mobile(count)))
        return [customer.name for customer in copy.customers]

    async def round(self, later: float = POLL) -> float:
        """A round after some seconds."""
        self.now += later
        return await self.index.round()

    def another(self) -> Index:
        """A second service on the same database."""
        return Index(db=self.db, connector=self.town, clock=lambda: self.now, settings=SETTINGS)


class Watched(Index):
    """One whose rounds are told when they are over."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self.rounds: asyncio.Queue[float] = asyncio.Queue()

    async def round(self) -> float:
        """A round, told."""
        pause = await super().round()
        self.rounds.put_nowait(pause)
        return pause


@pytest.fixture
async def house(sqlite_url: str) -> AsyncIterator[House]:
    """A town of five customers, none of them known yet."""
    db = Database.open(sqlite_url)
    town = Town([person(count) for count in range(1, 6)])
    made = House(db, town, Index(db=db, connector=town, clock=lambda: made.now, settings=SETTINGS))
    yield made
    await db.close()


async def test_everybody_is_known_after_a_load(house: House) -> None:
    """And the operator is told how it went."""
    assert (await house.index.copy.find(identify(mobile(1)))).whole is False
    assert await house.round() == POLL
    copy = await house.index.copy.find(identify(mobile(5)))
    assert [customer.name for customer in copy.customers] == ["客户5"]
    assert (copy.whole, copy.at) == (True, house.now)
    report = house.index.report()
    assert (report["state"], report["customers"], report["loading"]) == ("following", 5, False)
    assert report["found_by_load"] == {"added": 5, "changed": 0, "dropped": 0}
    assert report["as_of"] == house.now
    await house.round()
    assert sum(asked.startswith("load") for asked in house.town.asked) == 4, "once: two, two, one, none"


async def test_a_load_goes_on_where_it_was_broken_off(house: House) -> None:
    """Killed behind the first page, the next service begins with the second."""

    def kill(place: str) -> None:
        if place == "c04":
            raise asyncio.CancelledError

    house.town.meanwhile = kill
    with pytest.raises(asyncio.CancelledError):
        await house.round()
    assert await house.who(2) == ["客户2"]
    house.town.meanwhile = lambda _: None
    house.town.asked.clear()
    second = house.another()
    house.now += 1
    assert await second.round() == POLL
    assert house.town.asked[0] == "load c02"
    assert await house.who(5) == ["客户5"]
    assert (second.told.count, second.told.load) == (5, 1)


async def test_a_place_that_the_crm_does_not_know_any_more(house: House) -> None:
    """The load begins anew instead of never ending."""
    told = Told(load=1, began=NOON, paged=NOON, place="lost", count=2, start="0")
    await house.index.turn.take(NOON)
    await house.index.turn.step(told, (), NOON)
    assert await house.round(1) == 900
    assert house.index.told.error == "town: no such place"
    assert await house.round(900) == POLL
    assert await house.who(1) == ["客户1"]
    assert house.index.told.error is None


async def test_what_changes_while_a_load_runs_is_known_after_it(house: House) -> None:
    """A page that was read before somebody changed does not undo the change, nor bring back the deleted."""

    def meanwhile(place: str) -> None:
        if place == "c04":
            house.now += 1
            house.town.put(replace(person(1), name="改名"))
            house.town.remove("c02")
            house.town.put(person(9))

    house.town.meanwhile = meanwhile
    await house.round()
    assert await house.who(1) == ["改名"]
    assert await house.who(2) == []
    assert await house.who(9) == ["客户9"]


async def test_changes_are_followed_and_repeats_are_no_news(house: House) -> None:
    """A new number, a deletion, a merge: each counted once though told thrice."""
    await house.round()
    house.town.put(replace(person(1), phones=person(11).phones))
    house.town.remove("c02")
    house.town.quiet = True
    house.town.put(person(4, "合并后"))
    house.town.quiet = False
    house.town.remove("c03", merged="c04")
    await house.round()
    assert [await house.who(count) for count in (1, 11, 2, 3, 4)] == [[], ["客户1"], [], [], ["合并后"]]
    assert house.index.told.news == 4
    await house.round()
    assert house.index.told.news == 4
    assert (await house.index.copy.find(identify(mobile(5)))).at == house.now


async def test_at_night_all_is_compared(house: House) -> None:
    """Who was deleted, merged or changed without a word is found out, and told."""
    await house.round()
    house.town.quiet = True
    house.town.remove("c01")
    house.town.put(person(2, "悄悄"))
    house.town.put(person(8))
    await house.round(3600)
    assert await house.who(1) == ["客户1"]
    await house.round(DAY)
    assert [await house.who(count) for count in (1, 2, 8)] == [[], ["悄悄"], ["客户8"]]
    assert house.index.report()["found_by_load"] == {"added": 1, "changed": 1, "dropped": 1}


async def test_a_crm_without_a_feed_is_read_at_night(house: House) -> None:
    """It is not asked for changes; a load broken off long ago begins anew, as nobody tells what changed since."""
    house.town.traits = Traits(feed=Feed.FULL_ONLY)
    await house.round()
    assert house.index.report()["state"] == "loaded"
    assert not any(asked.startswith("changes") for asked in house.town.asked)
    house.town.put(person(1, "新名"))
    await house.round()
    assert await house.who(1) == ["客户1"]
    house.town.fails["load"] = TransientError("town: away")
    await house.round(DAY)
    house.town.fails.clear()
    house.town.asked.clear()
    await house.round(2 * 3600)
    assert house.town.asked[0] == "load"
    assert await house.who(1) == ["新名"]


async def test_a_crm_that_lists_nobody_teaches_by_its_changes(house: House) -> None:
    """Those who change are known, the others are not said to be strangers."""
    house.town.can &= ~Can.LOAD
    await house.round()
    assert house.index.report()["state"] == "learns"
    house.town.put(person(1))
    await house.round()
    copy = await house.index.copy.find(identify(mobile(1)))
    assert (len(copy.customers), copy.whole) == (1, False)


async def test_most_customers_do_not_vanish_overnight(house: House) -> None:
    """A key that suddenly sees a few keeps the others known; when a second load says the same they go."""
    for count in range(20, 60):
        house.town.put(person(count))
    await house.round()
    house.town.quiet = True
    for count in range(20, 60):
        house.town.remove(f"c{count}")
    await house.round(DAY)
    assert await house.who(33) == ["客户33"]
    assert house.index.report()["held"] == 40
    await want(house.index.copy)
    await house.round()
    assert await house.who(33) == []
    assert (house.index.told.held, house.index.told.dropped) == (0, 40)


async def test_trouble_is_told_and_goes_by(house: House) -> None:
    """What is known stays; the next round begins where this one stopped."""
    await house.round()
    house.town.put(person(1, "新名"))
    house.town.fails["changes"] = RestingError("town is in trouble", 17.0)
    assert await house.round() == 17
    assert house.index.report()["error"] == "town is in trouble"
    assert await house.who(1) == ["客户1"]
    house.town.fails.clear()
    assert await house.round() == POLL
    assert house.index.report()["error"] is None
    assert await house.who(1) == ["新名"]


async def test_two_services_do_not_load_at_once(house: House) -> None:
    """The second waits; when the first was silent for too long it takes over, and the first writes nothing more."""
    gate = house.town.gates["load"] = asyncio.Event()
    second = house.another()
    async with asyncio.TaskGroup() as group:
        first = group.create_task(house.index.round())
        await house.town.reached["load"].wait()
        assert await second.round() == OTHERS_TURN
        house.now += 60
        assert await second.turn.take(house.now) is not None
        gate.set()
    assert first.result() == OTHERS_TURN
    assert await house.who(1) == []
    assert await second.round() == POLL
    assert await house.who(1) == ["客户1"]


async def test_purchases_are_there_before_the_first_call(house: House) -> None:
    """A list of customers has none: a few are looked at each round, those who changed again, the others weekly."""
    house.town.quiet = True
    house.town.buys("c02", "空调")
    house.town.buys("c04", "电视")
    house.town.quiet = False
    index = Index(
        db=house.db,
        connector=house.town,
        clock=lambda: house.now,
        settings=SETTINGS.model_copy(update={"crm": SETTINGS.crm.model_copy(update={"look_ahead": 6})}),
    )

    async def looked_at() -> list[str]:
        house.town.asked.clear()
        house.now += POLL
        await index.round()
        return [asked for asked in house.town.asked if asked.startswith("get")]

    assert len(await looked_at()) == 3
    assert len(await looked_at()) == 2
    assert await looked_at() == []
    kept = await index.copy.kept(["c02", "c04"])
    assert [each.purchases[0].what for each in kept.values()] == ["空调", "电视"]
    house.town.put(replace(person(3), level="金卡"))
    assert await looked_at() == ["get c03"]
    house.now += 6 * DAY
    assert await looked_at() == []
    house.now += DAY
    assert len(await looked_at()) == 3


async def test_a_push_is_known_at_once(house: House) -> None:
    """One that brings the customer, one that only names it, and one that says it is gone."""
    await house.round()
    house.town.quiet = True
    house.town.put(person(2, "推送"))
    house.now += 1
    await house.index.take([Change(Ref(Of.CUSTOMER, "c01"), None, customer=person(1, "直推"))])
    await house.index.take([Change(Ref(Of.CUSTOMER, "c02"), None), Change(Ref(Of.CUSTOMER, "c03"), None, gone=True)])
    assert [await house.who(count) for count in (1, 2, 3)] == [["直推"], ["推送"], []]


async def test_it_runs_until_it_is_stopped_and_a_push_hastens_it(house: House) -> None:
    """A round after each poke, without waiting for the time to come."""
    index = Watched(db=house.db, connector=house.town, clock=lambda: house.now, settings=SETTINGS)
    running = asyncio.get_running_loop().create_task(index.run())
    await index.rounds.get()
    house.town.put(person(1, "新名"))
    index.poke()
    await index.rounds.get()
    assert await house.who(1) == ["新名"]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert await house.another().turn.take(house.now) is not None, "the turn was let go"


@pytest.mark.parametrize(
    ("error", "row", "seconds"),
    [
        (RestingError("", 17.0), 3, 17.0),
        (RateLimitedError("", None), 1, 5.0),
        (TransientError(""), 1, 5.0),
        (TransientError(""), 4, 40.0),
        (TransientError(""), 99, 300.0),
        (AuthError(""), 1, 60.0),
        (InvalidError(""), 1, 900.0),
    ],
)
def test_how_long_it_rests(error: CrmError, row: int, seconds: float) -> None:
    """As the CRM asks; longer each time; long where a person must mend something."""
    assert rest(error, row, POLL) == seconds


def test_when_a_load_is_due() -> None:
    """Never loaded, broken off, or not since three o'clock at night here."""
    zone = ZoneInfo("Asia/Shanghai")
    assert last_night(NOON, zone) == NOON - 9 * 3600
    assert last_night(NOON - 10 * 3600, zone) == NOON - 33 * 3600
    done = Told(load=1, began=NOON, ended=NOON + 60, whole=NOON)
    assert load_due(Told(), NOON, zone)
    assert load_due(replace(done, ended=None), NOON + 120, zone)
    assert not load_due(done, NOON + 120, zone)
    assert not load_due(done, NOON + 15 * 3600 - 1, zone)
    assert load_due(done, NOON + 15 * 3600, zone)
    assert (suspicious(20, 0), suspicious(21, 30), suspicious(31, 30)) == (False, False, True)


def test_other_settings_are_another_source() -> None:
    """A copy that was read by another mapping, or from another system, is not used."""
    one = Crm(connector="odoo", settings={"url": "https://a", "database": "x"})
    assert source_of(one) == source_of(one.model_copy(update={"poll_every": 5.0}))
    assert source_of(one) != source_of(one.model_copy(update={"settings": {"url": "https://b", "database": "x"}}))
    assert source_of(one) != source_of(one.model_copy(update={"area": "0755"}))
    assert len(source_of(one)) <= 64
