"""The stories are whole calls of a real PBX, and each telling of one uses names that were never used before."""

import random
import re

import pytest
import soundfile

from hotline.demo import AGENTS, LINES, TRUNKS
from hotline.demo.story import Message, Names, Retelling, Story, load_stories, value

STORIES = load_stories()
NOW = 1_800_000_000.5

each_story = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)


def _own_names(messages: list[Message]) -> set[str]:
    text = "\n".join(line for message in messages for key, line in message if key != "Timestamp")
    return set(re.findall(r"\d{10}\.\d+|PJSIP/\w+-[0-9a-f]{8}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", text))


def _names() -> Names:
    return Names(random.Random(1))


def _told(story: Story, names: Names) -> list[Message]:
    retelling = Retelling(names)
    return [retelling.tell(beat.message, NOW + beat.at, "2027/01/15") for beat in story.beats]


def test_there_is_something_for_every_situation_a_newcomer_should_see() -> None:
    """Both lines, a ring-all, an abandoned call, a transfer, three agents who answer."""
    by_name = {story.name: story for story in STORIES}
    assert {story.number for story in STORIES} == {line.number for line in LINES}
    assert by_name["gives_up"].answered_by == ()
    assert by_name["complaint"].answered_by == ("1001", "1003")
    assert len(by_name["vip_parcel"].busy) == 3
    assert {agent for story in STORIES for agent in story.answered_by} == {"1001", "1002", "1003"}


@each_story
def test_a_story_begins_with_the_carrier_and_ends_with_its_hang_up(story: Story) -> None:
    """The first event is the carrier channel's; every channel that came goes once."""
    first = story.beats[0].message
    call = value(first, "Linkedid")
    assert (value(first, "Event"), value(first, "Uniqueid")) == ("Newchannel", call)
    assert (value(first, "Channel") or "").startswith(TRUNKS)
    assert value(first, "CallerIDNum") == story.caller
    came, gone = (
        sorted(value(beat.message, "Uniqueid") or "" for beat in story.beats if value(beat.message, "Event") == event)
        for event in ("Newchannel", "Hangup")
    )
    assert came == gone
    assert call in came


@each_story
def test_a_story_is_told_in_order(story: Story) -> None:
    """It starts at once and never goes back in time."""
    times = [beat.at for beat in story.beats]
    assert times == sorted(times)
    assert times[0] < 0.1


@each_story
def test_only_known_phones_ring(story: Story) -> None:
    """Nobody rings who is no agent of the demo; who answered, rang."""
    assert set(story.busy) <= {agent.extension for agent in AGENTS}
    assert set(story.answered_by) <= set(story.busy)


@each_story
def test_both_legs_are_as_long_as_the_recording(story: Story) -> None:
    """Sound and stream belong to the same call."""
    rx, tx = (soundfile.info(leg) for leg in story.legs)
    assert (rx.subtype, rx.samplerate, rx.channels) == ("ALAW", 8000, 1)
    assert rx.frames == tx.frames
    at = {value(beat.message, "Event"): beat.at for beat in story.beats}
    assert rx.duration == pytest.approx(at["MixMonitorStop"] - at["MixMonitorStart"], abs=0.3)


@each_story
def test_what_was_said_can_be_heard_where_it_was_said(story: Story) -> None:
    """The speaker's leg is loud at the times that the story tells, and only there: those are true."""
    legs = dict(zip(("caller", "agent"), (soundfile.read(leg)[0] for leg in story.legs), strict=True))
    for turn in story.said:
        heard = legs[turn.speaker][int(turn.start * 8000) : int(turn.end * 8000)]
        assert (heard**2).mean() ** 0.5 > 0.01, turn.text
    silence = legs["caller"].copy()
    for turn in story.said:
        if turn.speaker == "caller":
            silence[int((turn.start - 0.2) * 8000) : int((turn.end + 0.2) * 8000)] = 0
    assert story.name == "bad_line" or (silence**2).mean() ** 0.5 < 0.01


@each_story
def test_two_tellings_share_no_name(story: Story) -> None:
    """No Uniqueid, channel or bridge comes twice."""
    names = _names()
    first, second = _told(story, names), _told(story, names)
    original = _own_names([beat.message for beat in story.beats])
    assert len(_own_names(first)) == len(original)
    assert not _own_names(first) & _own_names(second)
    assert not {name for name in _own_names(first) & original if not name.startswith("PJSIP/")}


@each_story
def test_a_telling_differs_from_the_capture_only_in_its_names(story: Story) -> None:
    """The same name becomes the same name everywhere, two names never one; nothing else changes."""
    mapping: dict[str, str] = {}
    for beat, new in zip(story.beats, _told(story, _names()), strict=True):
        for (key, before), (same_key, after) in zip(beat.message, new, strict=True):
            assert key == same_key
            if before != after and key != "Timestamp" and not key.startswith("File"):
                assert mapping.setdefault(before, after) == after
    assert len(set(mapping.values())) == len(mapping)


@each_story
def test_the_recording_is_named_after_the_fresh_call_and_day(story: Story) -> None:
    """As the lab's dialplan names them: YYYY/MM/DD/NUMBER-UNIQUEID."""
    telling = _told(story, _names())
    call = value(telling[0], "Uniqueid")
    recording = next(message for message in telling if value(message, "UserEvent") == "CC400Recording")
    assert value(recording, "File") == f"2027/01/15/{story.number}-{call}.wav"
    assert value(recording, "FileTx") == f"2027/01/15/{story.number}-{call}-tx.wav"


@each_story
def test_nothing_tells_where_it_was_made(story: Story) -> None:
    """No path of the machine that recorded the stories."""
    for file in story.legs[0].parent.iterdir():
        assert not re.search(rb"/(?:root|work|home|opt|tmp|var)/", file.read_bytes())
