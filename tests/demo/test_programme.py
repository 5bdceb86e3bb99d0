"""The programme is one a real floor could have: nobody talks twice at once, and two cores can keep up with it."""

import random
from itertools import islice, pairwise

import pytest

from hotline.demo.programme import LONG, Cue, programme
from hotline.demo.story import load_stories

STORIES = load_stories()
SEEDS = range(8)


def _cues(seed: int, count: int = 60) -> list[Cue]:
    return list(islice(programme(STORIES, random.Random(seed)), count))


@pytest.mark.parametrize("seed", SEEDS)
class TestEveryProgramme:
    """What holds whatever the random generator says."""

    def test_no_agent_is_in_two_calls(self, seed: int) -> None:
        """An agent whose phone rings or talks in one call is in no other."""
        busy: dict[str, list[tuple[float, float]]] = {}
        for cue in _cues(seed, 200):
            for agent, spans in cue.story.busy.items():
                busy.setdefault(agent, []).extend((cue.at + start, cue.at + end) for start, end in spans)
        for times in busy.values():
            assert all(before[1] < after[0] for before, after in pairwise(sorted(times)))

    def test_the_first_call_comes_within_ten_seconds(self, seed: int) -> None:
        """A newcomer sees a known customer at once."""
        first = _cues(seed, 1)[0]
        assert first.at <= 10.0
        assert first.story.name == "repair"

    def test_calls_come_in_order_of_time(self, seed: int) -> None:
        """A cue is never before the one before it."""
        times = [cue.at for cue in _cues(seed, 200)]
        assert times == sorted(times)

    def test_a_machine_of_two_cores_can_transcribe_them(self, seed: int) -> None:
        """Whisper needs 0.34 s for a second of a conversation: at most 40 % of any ten minutes may go there."""
        played = _cues(seed)
        for cue in played:
            speech = sum(c.story.seconds for c in played if cue.at <= c.at < cue.at + 600)
            assert speech * 0.34 < 600 * 0.4

    def test_conversations_follow_each_other_at_a_steady_pace(self, seed: int) -> None:
        """A minute and a quarter to a minute and a half, a little more where phones are busy."""
        long = [cue.at for cue in _cues(seed, 30) if cue.story.seconds >= LONG]
        assert all(70.0 <= after - before <= 120.0 for before, after in pairwise(long))

    def test_everything_is_played_within_twelve_minutes(self, seed: int) -> None:
        """Who watches for a while sees every situation."""
        assert {cue.story.name for cue in _cues(seed) if cue.at < 720.0} == {story.name for story in STORIES}

    def test_no_story_follows_itself(self, seed: int) -> None:
        """Two conversations in a row differ."""
        long = [cue.story.name for cue in _cues(seed, 100) if cue.story.seconds >= LONG]
        assert all(before != after for before, after in pairwise(long))


def test_calls_overlap_sometimes() -> None:
    """As on a real floor."""
    assert any(before.at + before.story.seconds > after.at for before, after in pairwise(_cues(1, 20)))


def test_a_forgotten_demo_does_not_fill_the_disk() -> None:
    """A day takes less than half a gigabyte: three files of 16 kB a second."""
    day = [cue for cue in _cues(1, 2000) if cue.at < 86_400]
    assert sum(cue.story.seconds * 48_000 for cue in day) < 5e8


def test_the_same_generator_gives_the_same_programme() -> None:
    """The programme depends on the generator alone."""
    assert _cues(5) == _cues(5)
    assert _cues(5) != _cues(6)
