"""States as they are kept: one row as long as it is so, one after the other, and what two saw happens once."""

import asyncio

from sqlalchemy import select

from storage.agent_states import AgentStates, KeptState
from storage.database import Database
from storage.seat_tables import agent_states
from telephony.call import CallKey

NOW = 1_795_147_200.0
CALL = CallKey("main", "1.1")


async def rows(db: Database) -> list[tuple[str, str, float, float | None, str | None]]:
    """All that was ever kept: phone, state, from, to, by whom."""
    columns = (agent_states.c.extension, agent_states.c.state, agent_states.c.began, agent_states.c.ended)
    async with db.read() as conn:
        found = await conn.execute(select(*columns, agent_states.c.who).order_by(agent_states.c.id))
        return [(row[0], row[1], row[2], row[3], row[4]) for row in found]


async def test_states_follow_each_other_without_a_gap(db: Database) -> None:
    """Each ends where the next begins; what only changes in a state changes its row; no news writes nothing."""
    states = AgentStates(db)
    work = KeptState("wrap_up", NOW, until=NOW + 30, call=CALL)
    first = await states.change("1001", lambda _: work, who=None, now=NOW)
    longer = await states.change(
        "1001", lambda _: KeptState("wrap_up", NOW, until=NOW + 90, call=CALL), who="li", now=NOW + 1
    )
    assert await states.change("1001", lambda before: before, who="li", now=NOW + 2) is None
    assert await states.change("1001", lambda _: None, who="li", now=NOW + 2) is None
    ready = await states.change("1001", lambda _: KeptState("ready", NOW + 40), who="li", now=NOW + 40)
    versions = [kept and (kept.version, kept.until, kept.call) for kept in (first, longer, ready)]
    assert versions == [(1, NOW + 30, CALL), (2, NOW + 90, CALL), (3, None, None)]
    await states.change("1002", lambda before: None if before else KeptState("paused", NOW, "午餐"), who=None, now=NOW)
    assert await rows(db) == [
        ("1001", "wrap_up", NOW, NOW + 40, None),
        ("1001", "ready", NOW + 40, None, "li"),
        ("1002", "paused", NOW, None, None),
    ]
    assert {phone: kept.state for phone, kept in (await states.now()).items()} == {"1001": "ready", "1002": "paused"}
    assert await states.last_work("1001", NOW) == CALL
    assert await states.last_work("1001", NOW + 1) is None, "before one sat there"
    assert await states.of("1003") is None


async def test_what_many_saw_happens_once(db: Database) -> None:
    """The same end of a talk from six sides at once, on a phone that never had a state, and another call's beside."""
    sides = [AgentStates(db) for _ in range(6)]

    def work(before: KeptState | None) -> KeptState:
        return KeptState("wrap_up", NOW + (0 if before is None else before.version), until=NOW + 30)

    done = await asyncio.gather(
        *(side.change("1001", work, who=None, now=NOW, cause="one") for side in sides),
        sides[0].change("1001", work, who=None, now=NOW, cause="two"),
    )
    assert sorted(kept.version for kept in done if kept is not None) == [1, 2]
    assert len(await rows(db)) == 2
