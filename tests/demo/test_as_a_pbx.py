"""The demo goes through the very code that listens to a real Asterisk, and tells it the truth of its stories."""

import asyncio
import random
from pathlib import Path

import pytest

from hotline.clock import now
from hotline.demo import LINES, TRUNKS, VOICEMAIL_EVENT
from hotline.demo.pbx import DemoPbx
from hotline.demo.story import Story, load_stories
from telephony.ami import AmiSettings
from telephony.call import Answered, Arrived, Confirmed, Ended, Fact, Outcome, Over, Rang, Stopped
from telephony.events import Snapshot
from telephony.lines import Lines
from telephony.link import AmiLink, LinkState
from telephony.recordings import RecordingError, Rules, find
from telephony.tracker import Tracker

STORIES = load_stories()
SPEED = 40.0


async def _facts_until_ended(link: AmiLink) -> list[Fact]:
    """All facts of the first call that ends."""
    tracker = Tracker(
        "demo", Lines({line.number: line.aliases for line in LINES}), TRUNKS, voicemail_event=VOICEMAIL_EVENT
    )
    told: list[Fact] = []
    async for item in link:
        if isinstance(item, LinkState):
            continue
        told += tracker.resync(item, now()) if isinstance(item, Snapshot) else tracker.feed(item, now())
        for fact in told:
            if isinstance(fact, Ended):
                return [other for other in told if other.call == fact.call]
    raise AssertionError


async def _one_call(root: Path, story: Story) -> list[Fact]:
    rng = random.Random(1)
    async with DemoPbx(root, now, rng, SPEED, [story]) as demo:
        at = demo.address
        link = AmiLink(AmiSettings(name="demo", host=at.host, port=at.port, user=at.user, secret=at.secret), now)
        running = asyncio.get_running_loop().create_task(link.run())
        try:
            facts = await _facts_until_ended(link)
        finally:
            running.cancel()
            await asyncio.wait({running})
        counts = link.counts
        assert (counts.forged_lines, counts.forged_events, counts.dropped, counts.oversize) == (0, 0, 0, 0)
        return facts


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
async def test_every_story_is_understood_as_it_was(story: Story, tmp_path: Path) -> None:
    """Who called which line, who answered in which order, how it ended, and the recording is found complete."""
    facts = await _one_call(tmp_path, story)
    (arrived,) = (fact for fact in facts if isinstance(fact, Arrived))
    assert arrived.number == story.number
    assert arrived.caller == (None if story.caller == "anonymous" else story.caller)
    assert any(isinstance(fact, Confirmed) for fact in facts)
    assert tuple(fact.agent for fact in facts if isinstance(fact, Answered)) == story.answered_by
    ended = facts[-1]
    assert isinstance(ended, Ended)
    assert ended.outcome is (Outcome.ANSWERED if story.answered_by else Outcome.ABANDONED)
    assert arrived.at is not None
    async with asyncio.timeout(5):
        while True:
            try:
                rules = Rules(mark=".done", quiet=20.0, repairs=tmp_path / "repaired")
                (legs,) = find(tmp_path, arrived.call.linkedid, arrived=arrived.at, now=now(), rules=rules)
            except RecordingError:
                await asyncio.sleep(0.01)
            else:
                break
    assert legs.caller is not None
    assert legs.agent is not None
    assert not legs.repaired


async def test_when_all_phones_ring_one_answers_and_the_others_stop(tmp_path: Path) -> None:
    """Three cards, two of them withdrawn because a colleague was quicker."""
    story = next(story for story in STORIES if story.name == "vip_parcel")
    facts = await _one_call(tmp_path, story)
    assert {fact.agent for fact in facts if isinstance(fact, Rang)} == {"1001", "1002", "1003"}
    stopped = {fact.agent: fact.why for fact in facts if isinstance(fact, Stopped)}
    assert stopped == {"1001": Over.ANSWERED_ELSEWHERE, "1003": Over.ANSWERED_ELSEWHERE}
