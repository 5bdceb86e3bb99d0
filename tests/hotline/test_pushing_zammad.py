"""Zammad hears each call whole, whatever happens on the way: its state machine played; answers lost, and we killed."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.push import Message
from crm.trouble import TransientError, UnknownOutcomeError
from hotline.crm_settings import Push
from hotline.push_target import Target
from hotline.pushing import Pushing, kind_of
from numbering.identify import identify
from storage.database import Database
from storage.jobs import Job, JobState
from storage.ledger import Ledger
from storage.migrate import upgrade
from storage.pages import CallPage
from storage.pushed import Tellings
from storage.reads import Reads
from telephony.call import CallKey
from tests.hotline.test_pushing import KEY, Clock, answered, arrived, confirmed, ended, left, settings_of

PUSH = Push(kind="zammad", url="https://zammad.example/api/v1/cti/t")


class Killed(BaseException):
    """We were, there and then."""


class Zammad:
    """Its caller log, as its source has it: a second newCall breaks, and so does what belongs to no call."""

    def __init__(self, fates: Sequence[str]) -> None:
        self.fates = list(fates)
        self.log: list[str] = []
        self.last: str | None = None

    def hear(self, message: Message) -> int:
        """The status of its answer. Raises what becomes of the connection."""
        fate = self.fates.pop(0) if self.fates else "fine"
        event = json.loads(message.body)["event"]
        match fate:
            case "away":
                raise TransientError("no connection")
            case "trouble":
                return 500
            case "lost before":
                raise UnknownOutcomeError("broken")
        if (event == "newCall") == ("newCall" in self.log):
            return 500
        self.log.append(event)
        if fate == "lost after":
            raise UnknownOutcomeError("broken")
        return 502 if fate == "gateway" else 200


class Memory:
    """What was told, kept in memory; and where we may be killed."""

    def __init__(self, kills: Sequence[bool]) -> None:
        self.kills, self.rows = list(kills), dict[str, bool]()

    async def of_call(self, target: str, call: str) -> Tellings:
        """What stands there."""
        assert (target, call) == (kind_of(PUSH), str(KEY))
        return Tellings(dict(self.rows), {}, None)

    async def begins(self, _target: str, _call: str, name: str, _now: float) -> None:
        """In doubt from now on."""
        self.rows.setdefault(name, False)

    async def told(self, _target: str, _call: str, name: str, _now: float) -> None:
        """For sure, unless we die just before."""
        if self.kills and self.kills.pop(0):
            raise Killed
        self.rows[name] = True

    async def not_told(self, _target: str, _call: str, name: str) -> None:
        """For sure."""
        del self.rows[name]

    async def forget(self, _before: float) -> int:
        """Nothing."""
        return 0


class Page:
    """One call, whatever is asked for."""

    def __init__(self, page: CallPage) -> None:
        self.page = page

    async def call(self, _key: CallKey) -> CallPage:
        """It."""
        return self.page


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> CallPage:
    """A whole call, as the database has it."""

    async def made() -> CallPage:
        url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('page')}/hotline.db"
        await upgrade(url)
        db = Database.open(url)
        for fact in (arrived, confirmed, answered, left, ended):
            await Ledger(db).record(fact, now=Clock().now, number=identify("13812345678"))
        found = await Reads(db).call(KEY)
        await db.close()
        assert found is not None
        return found

    return asyncio.run(made())


class Answer:
    """What Http brings back."""

    system, headers, text = "Zammad", dict[str, str](), ""

    def __init__(self, status: int) -> None:
        self.status = status


class Kept:
    """How it went is not this test's."""

    async def add(self, _attempt: object) -> None:
        """Keep nothing."""

    async def forget(self, _before: float) -> None:
        """There is nothing."""


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.sampled_from(["fine", "away", "trouble", "lost before", "lost after", "gateway"]), max_size=8),
    st.lists(st.booleans(), max_size=4),
)
def test_each_call_is_heard_whole_and_in_order(page: CallPage, fates: list[str], kills: list[bool]) -> None:
    """One newCall, and behind it answer and hangup: repeated where an answer was lost, never left out."""
    zammad, memory, clock = Zammad(fates), Memory(kills), Clock()
    pushing = Pushing(
        settings=settings_of(PUSH),
        reads=Page(page),  # type: ignore[arg-type]
        pushed=memory,  # type: ignore[arg-type]
        deliveries=Kept(),  # type: ignore[arg-type]
        clock=clock,
    )
    (target,) = pushing._targets.values()

    class Wire:
        """To Zammad."""

        async def ask(self, *_: Any, data: bytes, headers: Mapping[str, str], **__: Any) -> Answer:
            """Hear it."""
            return Answer(zammad.hear(Message(data, headers)))

    target._http = Wire()  # type: ignore[assignment]
    asyncio.run(_until_done(pushing, clock))
    heard = [event for at, event in enumerate(zammad.log) if event not in zammad.log[:at]]
    assert heard == ["newCall", "answer", "hangup"]
    assert zammad.log.count("newCall") == 1
    assert all(memory.rows.values())


async def _until_done(pushing: Pushing, clock: Clock) -> None:
    """Run the job until it has nothing left to do; killed it is run again."""
    job = Job(1, kind_of(PUSH), str(KEY), {"call": str(KEY)}, JobState.RUNNING, 1, 1, 0.0, None, None, 0.0, 0.0)
    for _ in range(100):
        try:
            waits = await pushing.handlers[job.kind](replace(job))
        except Killed:
            continue
        if waits is None:
            return
        clock.now = waits.until
    raise AssertionError("it never comes to an end")


def test_the_wire_is_where_the_target_sends() -> None:
    """What stands in for it above has a place there."""
    assert "_http" in vars(Target("zammad", PUSH, None, "/"))  # type: ignore[arg-type]
