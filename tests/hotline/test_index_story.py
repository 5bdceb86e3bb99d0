"""Whatever people do in the CRM while the copy is loaded, followed, broken off and pushed to: in the end both agree."""

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.connector import Change, Of, Ref
from crm.trouble import TransientError
from hotline.crm_settings import Crm
from hotline.index import Index
from hotline.lookup import Lookup
from hotline.settings import Settings
from numbering.identify import identify
from storage.crm_index_turn import want
from storage.database import Database
from telephony.call import CallKey
from tests.hotline.town import Town, mobile, person
from tickets.ticket import Ticket

NOON = 1_795_147_200.0
PEOPLE = st.integers(1, 5)
STEPS = st.one_of(
    st.tuples(st.sampled_from(["enters", "leaves", "moves", "merges", "pushes", "rings"]), PEOPLE, st.booleans()),
    st.tuples(st.sampled_from(["round", "load", "another", "broken"]), st.just(0), st.booleans()),
)


class Story:
    """One town, one database, two services, and what happens."""

    def __init__(self, url: str) -> None:
        self.now = NOON
        self.town = Town([person(count) for count in (1, 2, 3)])
        self.db = Database.open(url)
        given = Settings(crm=Crm(connector="town", look_ahead=2))
        self.services = [
            Index(db=self.db, connector=self.town, clock=lambda: self.now, settings=given) for _ in range(2)
        ]

    async def step(self, what: str, who: int, during: bool) -> None:  # noqa: FBT001 - of hypothesis' making
        """One thing happens; a change in the CRM maybe in the middle of the next page of a load."""
        self.now += 1
        if what in ("enters", "leaves", "moves", "merges"):
            if during:
                self.town.meanwhile = lambda _: self.once(what, who)
            else:
                self.change(what, who)
        elif what == "pushes":
            await self.services[0].take([Change(Ref(Of.CUSTOMER, f"c{who:02d}"), None)])
        elif what == "rings":
            lookup = Lookup(self.town, nothing_open, 60, copy=self.services[0].copy, clock=lambda: self.now)
            async for filled in lookup.answers(CallKey("hq", "1.0"), identify(mobile(who))):
                last = filled
            theirs = {each.id for each in await self.town.find(identify(mobile(who)))}
            assert {each.customer.id for each in last.match.candidates} == theirs, "never somebody else"
        else:
            await self.work(what, fails=during)

    async def work(self, what: str, *, fails: bool) -> None:
        """A round of a service, that fails maybe, or is killed in its middle."""
        self.now += 30
        if what == "load":
            await want(self.services[0].copy)
        if fails:
            self.town.fails["changes" if what == "round" else "load"] = TransientError("town: away")
        task = asyncio.get_running_loop().create_task(self.services[what == "another"].round())
        if what == "broken":

            def kill(_: str) -> None:
                task.cancel()

            self.town.meanwhile = kill
        await asyncio.wait({task})
        assert task.cancelled() or task.result() > 0
        self.town.meanwhile = lambda _: None
        self.town.fails.clear()

    def once(self, what: str, who: int) -> None:
        """In the middle of a load, the first time only."""
        self.town.meanwhile = lambda _: None
        self.now += 1
        self.change(what, who)

    def change(self, what: str, who: int) -> None:
        """Somebody works in the CRM."""
        here = f"c{who:02d}"
        if what == "enters":
            self.town.put(person(who, f"第{len(self.town.told)}版"))
        elif here not in self.town.customers:
            return
        elif what == "leaves":
            self.town.remove(here)
        elif what == "moves":
            self.town.put(replace(self.town.customers[here], phones=person(who % 5 + 1).phones))
        elif into := next((each for each in self.town.customers if each != here), None):
            self.town.remove(here, merged=into)


async def nothing_open(_customer: str | None, _e164: str | None) -> Sequence[Ticket]:
    """No tickets of ours."""
    return ()


@pytest.mark.parametrize("quiet", [False, True], ids=["by the feed", "by the comparison"])
@given(steps=st.lists(STEPS, max_size=8))
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_in_the_end_both_agree(
    sqlite_template: Path,
    tmp_path: Path,
    quiet: bool,  # noqa: FBT001 - a parameter of the test
    steps: list[tuple[str, int, bool]],
) -> None:
    """By the feed alone where it tells all; by the nightly comparison where it tells nothing."""
    shutil.copy(sqlite_template, tmp_path / "story.db")

    async def told() -> None:
        story = Story(f"sqlite+aiosqlite:///{tmp_path / 'story.db'}")
        story.town.quiet = quiet
        try:
            await story.work("round", fails=False)
            for step in steps:
                await story.step(*step)
            story.town.meanwhile = lambda _: None
            await story.work("load" if quiet else "round", fails=False)
            kept = {each.id: each for each in await story.services[0].copy.page()}
            assert kept == story.town.customers
            for count in range(1, 6):
                found = await story.services[0].copy.find(identify(mobile(count)))
                assert {each.id for each in found.customers} == {
                    each.id for each in await story.town.find(identify(mobile(count)))
                }
        finally:
            await story.db.close()

    asyncio.run(told())
