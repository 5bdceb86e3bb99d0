"""The stories are whole calls of a real PBX, and each telling of one uses names that were never used before."""

import random
import re
import wave
from pathlib import Path

import pytest
import soundfile

from hotline.demo import AGENTS, LINES, TRUNKS
from hotline.demo.story import Message, Names, Retelling, Story, load_stories, value

STORIES = load_stories()
NOW = 1_800_000_000.5


def names(messages: list[Message]) -> set[str]:
    """Everything in a telling that must be its own."""
    text = "\n".join(line for message in messages for key, line in message if key != "Timestamp")
    return set(re.findall(r"\d{10}\.\d+|PJSIP/\w+-[0-9a-f]{8}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", text))


def told(story: Story, retelling: Retelling) -> list[Message]:
    return [retelling.tell(beat.message, NOW + beat.at, "2027/01/15") for beat in story.beats]


def test_there_is_something_for_every_situation_a_newcomer_should_see() -> None:
    """Known and unknown callers, a VIP, a ring-all, an abandoned call, a transfer, both lines."""
    by_name = {story.name: story for story in STORIES}
    assert {story.number for story in STORIES} == {line.number for line in LINES}
    assert by_name["gives_up"].answered_by == ()
    assert by_name["complaint"].answered_by == ("1001", "1003")
    assert len(by_name["vip_parcel"].busy) == 3
    assert len({agent for story in STORIES for agent in story.answered_by}) >= 3


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
class TestEveryStory:
    def test_begins_with_the_carrier_and_ends_with_its_hang_up(self, story: Story) -> None:
        first = story.beats[0].message
        call = value(first, "Linkedid")
        assert value(first, "Event") == "Newchannel"
        assert value(first, "Uniqueid") == call
        assert value(first, "Channel", ).startswith(TRUNKS[0])  # type: ignore[union-attr]
        assert value(first, "CallerIDNum") == story.caller
        ended = [value(beat.message, "Uniqueid") for beat in story.beats if value(beat.message, "Event") == "Hangup"]
        assert ended.count(call) == 1
        begun = [value(b.message, "Uniqueid") for b in story.beats if value(b.message, "Event") == "Newchannel"]
        assert sorted(filter(None, ended)) == sorted(filter(None, begun))

    def test_is_told_in_order(self, story: Story) -> None:
        times = [beat.at for beat in story.beats]
        assert times == sorted(times)
        assert times[0] < 0.1

    def test_only_known_phones_ring(self, story: Story) -> None:
        assert set(story.busy) <= {agent.extension for agent in AGENTS}
        assert set(story.answered_by) <= set(story.busy)

    def test_both_legs_are_as_long_as_the_recording(self, story: Story) -> None:
        rx, tx = (soundfile.info(leg) for leg in story.legs)
        assert (rx.subtype, rx.samplerate, rx.channels) == ("ALAW", 8000, 1)
        assert rx.frames == tx.frames
        at = {value(beat.message, "Event"): beat.at for beat in story.beats}
        assert rx.duration == pytest.approx(at["MixMonitorStop"] - at["MixMonitorStart"], abs=0.3)

    def test_what_was_said_can_be_heard_where_it_was_said(self, story: Story) -> None:
        """The truth's times fit the sound: the speaker's leg is loud there. A few dropouts of the bad line aside."""
        legs = dict(zip(("caller", "agent"), (soundfile.read(leg)[0] for leg in story.legs), strict=True))
        for turn in story.said:
            heard = legs[turn.speaker][int(turn.start * 8000) : int(turn.end * 8000)]
            assert (heard**2).mean() ** 0.5 > 0.01, turn.text

    def test_two_tellings_share_no_name(self, story: Story) -> None:
        giving = Names(random.Random(1))
        first, second = (told(story, Retelling(giving)) for _ in range(2))
        original = [beat.message for beat in story.beats]
        assert len(names(first)) == len(names(original))
        assert not names(first) & names(second)
        assert not names(first) & names(original) - {n for n in names(original) if n.startswith("PJSIP/")}

    def test_a_telling_differs_from_the_capture_only_in_its_names(self, story: Story) -> None:
        """The same name becomes the same name, everywhere; nothing else changes."""
        mapping: dict[str, str] = {}
        for old, new in zip(
            (beat.message for beat in story.beats), told(story, Retelling(Names(random.Random(1)))), strict=True
        ):
            for (key, before), (same_key, after) in zip(old, new, strict=True):
                assert key == same_key
                if before != after and key != "Timestamp" and not key.startswith("File"):
                    assert mapping.setdefault(before, after) == after
        assert len(set(mapping.values())) == len(mapping)

    def test_the_recording_is_named_after_the_fresh_call_and_day(self, story: Story) -> None:
        telling = told(story, Retelling(Names(random.Random(1))))
        call = value(telling[0], "Uniqueid")
        recording = next(message for message in telling if value(message, "UserEvent") == "CC400Recording")
        assert value(recording, "File") == f"2027/01/15/{story.number}-{call}.wav"
        assert value(recording, "FileTx") == f"2027/01/15/{story.number}-{call}-tx.wav"

    def test_nothing_tells_where_it_was_made(self, story: Story) -> None:
        for file in story.legs[0].parent.iterdir():
            assert not re.search(rb"/(?:root|work|home|opt|tmp|var)/", file.read_bytes())


def test_the_wave_module_cannot_read_a_law_so_the_tape_must() -> None:
    """Why the tape decodes with soundfile."""
    leg: Path = STORIES[0].legs[0]
    with pytest.raises(wave.Error):
        wave.open(str(leg))
