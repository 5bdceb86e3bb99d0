"""When this process listened, when it did not, and that what it missed is looked into."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from hotline import listening
from hotline.listening import Listening
from storage.database import Database
from storage.gaps import Gap, Gaps
from storage.ledger import Ledger
from storage.outbox import Outbox
from storage.trouble import Trouble, trouble
from telephony.call import CallKey
from telephony.link import Link, LinkState

NOON = 1_795_147_200.0
UP = CallKey("main", "1795147190.1")


class Ear:
    """A listening process with a clock of its own."""

    def __init__(self, db: Database, service: str = "a:1") -> None:
        self.now = NOON
        self.woken = 0
        self.gaps = Gaps(db, Ledger(db))
        self.outbox = Outbox(db)
        self.listening = Listening(self.gaps, {"main": 5.0}, lambda: self.now, self._wake, service)

    def _wake(self) -> None:
        self.woken += 1

    def link(self, link: Link, at: float, *, since: float | None = None, why: str = "") -> None:
        """The link says something at so many seconds after noon."""
        self.now = NOON + at
        began = None if since is None else NOON + since
        until = NOON + at if link in (Link.UP, Link.GAP) else None
        self.listening.link("main", LinkState(link, NOON + at, why, began, until))

    async def kept(self) -> list[tuple[float, float, str]]:
        """The gaps: since, until, why."""
        await self.listening.settled()
        return [(gap.since - NOON, gap.until - NOON, gap.why) for gap in await self.gaps.recent()]


@pytest.fixture
async def database(sqlite_url: str) -> AsyncIterator[Database]:
    """A fresh database."""
    opened = Database.open(sqlite_url)
    yield opened
    await opened.close()


@pytest.fixture
async def ear(database: Database) -> AsyncIterator[Ear]:
    """A process that runs."""
    made = Ear(database)
    task = asyncio.get_running_loop().create_task(made.listening.run())
    yield made
    task.cancel()
    await asyncio.wait({task})


async def test_the_very_first_start_missed_nothing(ear: Ear) -> None:
    """Nobody listened before, so there is nothing to make up for."""
    ear.link(Link.UP, 0)
    assert not ear.listening.knows("main")
    ear.listening.told("main", [UP])
    assert ear.listening.knows("main")
    assert await ear.kept() == []


async def test_a_break_is_a_gap_until_the_pbx_said_what_is_up(ear: Ear) -> None:
    """From the last thing heard, not from when it was noticed; the job knows which calls were up."""
    ear.link(Link.UP, 0)
    ear.listening.told("main", [])
    ear.link(Link.DOWN, 40, why="half-open link")
    assert not ear.listening.knows("main")
    ear.link(Link.DOWN, 45, why="connection refused")
    ear.link(Link.UP, 60, since=21)
    assert await ear.kept() == []
    ear.listening.told("main", [UP])
    assert await ear.kept() == [(21.0, 60.0, "half-open link")]
    (job,) = await ear.outbox.list()
    (gap,) = await ear.gaps.recent()
    assert job.payload == {"pbx": "main", "live": [UP.linkedid], "gap": gap.id}
    assert (job.due, ear.woken) == (NOON + 65, 1)


async def test_dropped_events_are_a_gap_in_a_link_that_stands(ear: Ear) -> None:
    """The link tells from when to when."""
    ear.link(Link.UP, 0)
    ear.listening.told("main", [])
    ear.link(Link.GAP, 31, since=30, why="7 events dropped so far")
    assert not ear.listening.knows("main")
    ear.listening.told("main", [])
    assert await ear.kept() == [(30.0, 31.0, "7 events dropped so far")]


async def test_broken_again_before_the_pbx_could_tell_is_one_gap(ear: Ear) -> None:
    """Nobody knows what happened since the first break."""
    ear.link(Link.UP, 0)
    ear.listening.told("main", [])
    ear.link(Link.DOWN, 10, why="gone")
    ear.link(Link.UP, 20, since=9)
    ear.link(Link.DOWN, 22, why="gone again")
    ear.link(Link.UP, 30, since=21)
    ear.listening.told("main", [])
    assert await ear.kept() == [(9.0, 30.0, "gone again")]


async def test_a_pbx_that_does_not_tell_what_is_up(ear: Ear) -> None:
    """No write = reporting: the gap is known all the same, but nobody's call is ended for it."""
    ear.link(Link.UP, 0)
    ear.listening.told("main", [])
    ear.link(Link.DOWN, 10)
    ear.link(Link.UP, 20, since=9, why="logged in")
    ear.link(Link.UP, 20.5, why="Permission denied for CoreShowChannels")
    assert await ear.kept() == [(9.0, 20.0, "")]
    (job,) = await ear.outbox.list()
    assert job.payload["live"] is None


@pytest.mark.parametrize("killed", [True, False])
async def test_the_next_start_finds_the_time_in_which_no_service_ran(
    database: Database, monkeypatch: pytest.MonkeyPatch, *, killed: bool
) -> None:
    """Stopped: from that very moment. Killed: from the last beat."""
    monkeypatch.setattr(listening, "BEAT", 0.01)
    first = Ear(database, "a:1")
    beaten, real = asyncio.Event(), first.gaps.heard

    async def heard(pbx: str, service: str, since: float, until: float) -> None:
        await real(pbx, service, since, until)
        if until == NOON + 30:
            beaten.set()

    monkeypatch.setattr(first.gaps, "heard", heard)
    running = asyncio.get_running_loop().create_task(first.listening.run())
    first.link(Link.UP, 0)
    first.listening.told("main", [])
    first.now = NOON + 30
    await asyncio.wait_for(beaten.wait(), 20)
    running.cancel()
    await asyncio.wait({running})
    first.now = NOON + 37
    if not killed:
        await first.listening.stop()
    second = Ear(database, "a:2")
    second_run = asyncio.get_running_loop().create_task(second.listening.run())
    second.link(Link.UP, 60)
    second.listening.told("main", [])
    assert await second.kept() == [(30.0 if killed else 37.0, 60.0, "not_running")]
    second_run.cancel()
    await asyncio.wait({second_run})


async def test_killed_before_the_pbx_said_what_is_up_the_gap_is_not_forgotten(ear: Ear, database: Database) -> None:
    """The next start finds the whole of it."""
    ear.link(Link.UP, 0)
    ear.listening.told("main", [])
    ear.now = NOON + 30
    await ear.listening.settled()
    await ear.listening.stop()
    second = Ear(database, "a:2")
    second.link(Link.UP, 60)
    third = Ear(database, "a:3")
    task = asyncio.get_running_loop().create_task(third.listening.run())
    third.link(Link.UP, 90)
    third.listening.told("main", [])
    assert await third.kept() == [(30.0, 90.0, "not_running")]
    task.cancel()
    await asyncio.wait({task})


async def test_a_database_that_is_down_is_waited_for(ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gap is written when it is back, and listening goes on meanwhile."""
    monkeypatch.setattr(listening, "PAUSE", 0.001)
    real, tries = ear.gaps.began, 0

    async def began(pbx: str, service: str, now: float) -> None:
        nonlocal tries
        tries += 1
        if tries < 4:
            raise trouble(Trouble.AWAY, "no route to host")
        await real(pbx, service, now)

    monkeypatch.setattr(ear.gaps, "began", began)
    ear.link(Link.UP, 0)
    ear.listening.told("main", [])
    ear.link(Link.DOWN, 10, why="gone")
    ear.link(Link.UP, 20, since=9)
    ear.listening.told("main", [])
    assert await ear.kept() == [(9.0, 20.0, "gone")]
    assert tries == 5


async def test_two_services_that_lose_the_link_at_once_keep_a_gap_each(ear: Ear, database: Database) -> None:
    """Neither covers the other's; both look, and what one finds the other finds written."""
    other = Ear(database, "b:1")
    task = asyncio.get_running_loop().create_task(other.listening.run())
    for one in (ear, other):
        one.link(Link.UP, 0)
        one.listening.told("main", [])
        await one.listening.settled()
    for one in (ear, other):
        one.link(Link.DOWN, 10, why="gone")
    for one in (ear, other):
        one.link(Link.UP, 20, since=9)
        one.listening.told("main", [])
        await one.listening.settled()
    found = await ear.gaps.recent()
    assert [(gap.service, gap.since - NOON) for gap in found] == [("b:1", 9.0), ("a:1", 9.0)]

    async def covered(gap: Gap) -> bool:
        return await ear.gaps.covered(gap)

    assert [await covered(gap) for gap in found] == [False, False]
    task.cancel()
    await asyncio.wait({task})
