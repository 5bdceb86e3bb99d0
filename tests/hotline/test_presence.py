"""What phones do becomes agents' states: talks that end, and pauses as the PBX has them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from hotline.desk_side import DeskSide
from hotline.settings import Settings
from hotline.telephony_settings import Agent, Line, Policy
from screenpop.presence import TalkOver
from screenpop.standings import STATES, Standings
from storage.agent_states import AgentStates
from storage.database import Database
from storage.fanout import MemoryFanout
from storage.trouble import StorageError, Trouble
from telephony.call import Answered, Arrived, CallKey, Ended, Fact, Left, Outcome, Over, Rang
from telephony.pauses import PauseSeen

NOW = 1_795_147_200.0
SETTINGS = Settings(
    line=(
        Line(number="4007002505", policy=Policy(wrap_up=45.0)),
        Line(number="4008001234", policy=Policy(wrap_up=0.0)),
    ),
    agent=(Agent(extension="1001"), Agent(extension="1002")),
)


class Heard:
    """A pipeline that only remembers."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.links: list[tuple[str, bool]] = []

    def deliver(self, facts: Sequence[Fact]) -> None:
        """Facts."""
        self.facts += facts

    def hears(self, pbx: str, *, on: bool) -> None:
        """Links."""
        self.links.append((pbx, on))


class Side:
    """A desk side that runs."""

    def __init__(self, db: Database) -> None:
        self.made = DeskSide(SETTINGS, db=db, fanout=MemoryFanout(), clock=lambda: NOW)
        self.pipeline = Heard()
        self.sink = self.made.beside(self.pipeline)

    async def tell(self, *facts: Fact) -> None:
        """What happens at phones, and until it has had its effect."""
        self.sink.deliver(facts)
        await self.made.presence.settled()

    def hears(self, agent: str, *, paused: bool, reason: str | None = None, at: float | None = None) -> None:
        """What the PBX says of pauses; ``at``: by an event, None: in its list."""
        self.made.presence.paused(PauseSeen("main", agent, paused, reason, at))

    async def sees(self, agent: str, *, paused: bool, reason: str | None = None) -> None:
        """The same, and until it has had its effect."""
        self.hears(agent, paused=paused, reason=reason)
        await self.made.presence.settled()

    async def state(self, extension: str) -> tuple[str, str | None, float | None]:
        """State, reason, end."""
        found = await self.made.standings.of(extension)
        return found["state"], found["reason"], found["until"]


@asynccontextmanager
async def running(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """While the block lasts."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work) for work in works]
        yield
        for task in tasks:
            task.cancel()


@pytest.fixture
async def side(sqlite_url: str) -> AsyncIterator[Side]:
    """It."""
    db = Database.open(sqlite_url)
    side = Side(db)
    async with running(side.made.presence.run()):
        yield side
    await db.close()


def talk(call: CallKey, line: str = "4007002505", agent: str = "1001") -> list[Fact]:
    """A call that an agent takes."""
    return [
        Arrived(call=call, at=NOW, caller="13812345678", caller_name=None, number=line, dialled=line),
        Rang(call=call, at=NOW + 1, agent="1002"),
        Rang(call=call, at=NOW + 1, agent=agent),
        Answered(call=call, at=NOW + 2, agent=agent),
    ]


def over(call: CallKey, agent: str = "1001") -> list[Fact]:
    """Its end."""
    return [
        Left(call=call, at=NOW + 9, agent=agent, why=Over.ENDED),
        Ended(call=call, at=NOW + 9, outcome=Outcome.ANSWERED),
    ]


async def test_after_a_talk_there_is_work_as_long_as_the_line_says(side: Side) -> None:
    """For who talked, not for whose phone only rang; the pipeline hears all of it first."""
    first, second = CallKey("main", "1.1"), CallKey("main", "1.2")
    await side.tell(*talk(first, line="4008001234"), *over(first))
    assert await side.state("1001") == ("ready", None, None)
    await side.tell(*talk(second))
    assert await side.state("1001") == ("ready", None, None)
    await side.tell(*over(second))
    assert await side.state("1001") == ("wrap_up", None, NOW + 45)
    assert await side.state("1002") == ("ready", None, None)
    assert len(side.pipeline.facts) == 12
    side.sink.hears("main", on=True)
    assert side.pipeline.links == [("main", True)]


async def test_pauses_are_as_the_pbx_says(side: Side) -> None:
    """With their reasons, through calls, until it says otherwise; a phone nobody configured can be chosen then."""
    call = CallKey("main", "1.1")
    await side.sees("1001", paused=True, reason="午餐")
    await side.tell(*talk(call), *over(call))
    assert await side.state("1001") == ("paused", "午餐", NOW + 45)
    await side.sees("1001", paused=False)
    assert await side.state("1001") == ("wrap_up", None, NOW + 45)
    await side.sees("1009", paused=False)
    assert await side.state("1009") == ("ready", None, None)
    assert side.made.presence.phones == {"1001", "1002", "1009"}


@pytest.mark.parametrize("at", [NOW, None], ids=["told by events", "told by lists"])
async def test_a_short_pause_is_over_when_the_pbx_says_so(side: Side, at: float | None) -> None:
    """However soon after its beginning: what ends it is heard before that has had its effect."""
    await side.sees("1001", paused=True, reason="会议")
    await side.sees("1001", paused=False)
    side.hears("1001", paused=True, reason="午餐", at=at)
    side.hears("1001", paused=False, at=at and at + 0.01)
    await side.made.presence.settled()
    assert await side.state("1001") == ("ready", None, None)


async def test_a_pause_is_not_forgotten_with_a_database_that_is_down(
    side: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last word of the PBX is so once it is back, though nobody says it again."""
    monkeypatch.setattr("hotline.presence.AGAIN", 0.01)
    happen: Callable[..., Coroutine[Any, Any, bool]] = Standings.happen
    done = asyncio.Event()

    async def down(*_: Any, **__: Any) -> bool:
        raise StorageError(Trouble.AWAY, "down")

    async def up(*args: Any, **more: Any) -> bool:
        changed = await happen(*args, **more)
        done.set()
        return changed

    monkeypatch.setattr(Standings, "happen", down)
    await side.sees("1001", paused=False)
    await side.sees("1001", paused=True, reason="会议")
    monkeypatch.setattr(Standings, "happen", up)
    await asyncio.wait_for(done.wait(), 10)
    assert await side.state("1001") == ("paused", "会议", None)


async def test_a_database_that_is_down_stops_nothing(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it does not take is dropped, and the next is told again."""
    happen: Callable[..., Coroutine[Any, Any, bool]] = Standings.happen

    async def down(*_: Any, **__: Any) -> bool:
        raise StorageError(Trouble.AWAY, "down")

    one, two = CallKey("main", "1.1"), CallKey("main", "1.2")
    monkeypatch.setattr(Standings, "happen", down)
    await side.tell(*talk(one), *over(one))
    monkeypatch.setattr(Standings, "happen", happen)
    assert await side.state("1001") == ("ready", None, None)
    await side.tell(*talk(two), *over(two))
    assert (await side.state("1001"))[0] == "wrap_up"


async def test_two_services_keep_one_state(sqlite_url: str) -> None:
    """Both see the talk end, one since its middle only; work after it begins and ends once, and after a restart."""
    db, fanout, clock = Database.open(sqlite_url), MemoryFanout(), asyncio.get_running_loop().time
    began = clock()

    def now() -> float:
        return NOW + clock() - began

    call = CallKey("main", "1.1")
    lines = (Line(number="4007002505", policy=Policy(wrap_up=0.3)),)
    sides = [DeskSide(Settings(line=lines), db=db, fanout=fanout, clock=now) for _ in range(3)]
    came = talk(call)[0]
    async with fanout.subscribe(STATES) as told:
        for agent in ("1001", "1002"):
            async with running(*(work() for side in sides[:2] for work in (side.presence.run, side.standings.run))):
                sides[0].presence.deliver([came, Answered(call=call, at=NOW + 2, agent=agent)])
                sides[1].presence.deliver(
                    [came, Answered(call=call, at=None, agent=agent)]
                )  # it was restarted meanwhile
                for side in sides[:2]:
                    side.presence.deliver(over(call, agent))
                    await side.presence.settled()
                assert (await anext(told))[1] == {"extension": agent, "version": 1}
                if agent == "1001":
                    assert (await anext(told))[1] == {"extension": agent, "version": 2}
        async with running(sides[2].standings.run()):  # nobody was there when it was over
            assert (await anext(told))[1] == {"extension": "1002", "version": 2}
    kept = (await AgentStates(db).now()).items()
    assert [(phone, one.state, one.version) for phone, one in sorted(kept)] == [
        ("1001", "ready", 2),
        ("1002", "ready", 2),
    ]
    await fanout.close()
    await db.close()


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
async def test_a_clock_that_is_set_prolongs_no_work(sqlite_url: str, step: float) -> None:
    """Work after a call ends when it was said that it would, or at once."""
    db, now, fanout = Database.open(sqlite_url), NOW, MemoryFanout()
    standings = Standings(AgentStates(db), fanout, lambda: now)
    async with running(standings.run()), fanout.subscribe(STATES) as told:
        await standings.happen("1001", TalkOver(CallKey("main", "1.1"), 0.2))
        await anext(told)
        now += step
        standings.wake()
        async with asyncio.timeout(10):
            await anext(told)
        assert (await standings.of("1001"))["state"] == "ready"
    await fanout.close()
    await db.close()


async def test_time_that_passes_waits_for_the_database(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work after a call ends once the database is back; nothing dies of it."""
    monkeypatch.setattr("screenpop.standings.AGAIN", 0.01)
    db = Database.open(sqlite_url)
    now, states = NOW, AgentStates(db)
    standings = Standings(states, MemoryFanout(), lambda: now)
    side = DeskSide(SETTINGS, db=db, fanout=MemoryFanout(), clock=lambda: now)
    side.presence.deliver([*talk(CallKey("main", "1.1")), *over(CallKey("main", "1.1"))])
    async with running(side.presence.run()):
        await side.presence.settled()
    change, refused = AgentStates.change, asyncio.Event()

    async def down(*_: Any, **__: Any) -> None:
        refused.set()
        raise StorageError(Trouble.AWAY, "down")

    monkeypatch.setattr(AgentStates, "change", down)
    async with running(standings.run()):
        now += 60
        standings.wake()
        await asyncio.wait_for(refused.wait(), 10)
        monkeypatch.setattr(AgentStates, "change", change)
        async with asyncio.timeout(10):
            while (await standings.of("1001"))["state"] != "ready":  # noqa: ASYNC110 - no event of its own
                await asyncio.sleep(0.005)
    await db.close()
