"""Speech is found where somebody speaks, and nowhere else: tones, silence, noise and the length of a stretch."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from transcription.engines import Span
from transcription.voice import Ear, spans

RATE = 8000
Clips = Callable[[str], Any]


def leg(seconds: float, *parts: tuple[float, Any]) -> Any:
    """Samples with ``parts`` (at, sound) added to silence."""
    sound = np.zeros(int(seconds * RATE))
    for at, part in parts:
        start = int(at * RATE)
        sound[start : start + len(part)] += part[: len(sound) - start]
    return (np.clip(sound, -1, 1) * 32_767).astype(np.int16)


def tone(hertz: float, seconds: float, level: float = 0.2) -> Any:
    """A sine."""
    return level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)


def covered(found: list[Span], start: float, end: float) -> float:
    """The share of start..end that the spans cover."""
    return sum(max(0.0, min(end, span.end) - max(start, span.start)) for span in found) / (end - start)


def test_two_sentences_are_found_whole_and_apart(clip: Clips) -> None:
    """Each is covered from its first sound to its last, and the pause between them is not."""
    first, second = clip("zh_caller"), clip("zh_agent")
    found = spans(leg(14, (1, first), (8, second)), RATE)
    assert covered(found, 1.05, 1 + len(first) / RATE - 0.05) > 0.97
    assert covered(found, 8.05, 8 + len(second) / RATE - 0.05) > 0.97
    assert covered(found, 6, 7.5) == 0
    assert covered(found, 0, 0.6) == 0


@pytest.mark.parametrize(
    "sound",
    [
        np.concatenate([tone(450, 1), np.zeros(4 * RATE), tone(450, 1)]),
        np.concatenate([np.concatenate([tone(450, 0.2), np.zeros(RATE)])] * 4),
        np.concatenate([tone(hertz, 0.1, 0.35) for hertz in [440, 880] * 20]),
        tone(697, 0.5, 0.3) + tone(1209, 0.5, 0.3),
        tone(425, 3) + np.random.default_rng(1).normal(0, 0.001, 3 * RATE),
        np.zeros(3 * RATE),
        np.random.default_rng(2).normal(0, 0.0005, 5 * RATE),
    ],
    ids=[
        "ringback 1 s on 4 s off",
        "hold beeps",
        "two-tone hold music",
        "a held key",
        "a tone on a line",
        "nothing",
        "comfort noise",
    ],
)
def test_machines_and_empty_lines_are_no_speech(sound: Any) -> None:
    """What rings, beeps or hums has no words in it, and engines invent some when they are fed it."""
    assert spans(leg(len(sound) / RATE + 2, (1, sound)), RATE) == []


def test_ringback_before_the_answer_is_left_out_but_the_greeting_is_not(clip: Clips) -> None:
    """The agent's leg begins with the ringing that the caller hears."""
    greeting = clip("zh_agent")
    found = spans(leg(16, (0.5, tone(450, 1)), (5.5, tone(450, 1)), (8, greeting)), RATE)
    assert covered(found, 0, 7) == 0
    assert covered(found, 8.05, 8 + len(greeting) / RATE - 0.05) > 0.97


def test_a_bad_line_does_not_glue_sentences_together(clip: Clips) -> None:
    """With noise 14 dB under the voice there are still two stretches, and they hold the sentences."""
    first, second = clip("zh_caller"), clip("zh_agent")
    level = float(np.sqrt(np.mean(first**2))) / 10 ** (14 / 20)
    noise = np.random.default_rng(3).normal(0, level, 16 * RATE)
    found = spans(leg(16, (0, noise), (1, first), (9, second)), RATE)
    assert covered(found, 1.1, 1 + len(first) / RATE - 0.1) > 0.9
    assert covered(found, 9.1, 9 + len(second) / RATE - 0.1) > 0.9
    assert covered(found, 6.2, 8.5) < 0.3
    assert max(span.end - span.start for span in found) < 6


def test_a_monologue_is_cut_where_it_is_quiet(clip: Clips) -> None:
    """No stretch is longer than engines take, none overlaps, nothing between the cuts is lost."""
    voice = clip("zh_caller")
    talk = np.concatenate([voice] * 12)
    found = spans(leg(len(talk) / RATE, (0, talk)), RATE, Ear(longest=10, gap=2))
    assert max(span.end - span.start for span in found) <= 10
    assert all(before.end <= after.start for before, after in itertools.pairwise(found))
    assert covered(found, 0.3, len(talk) / RATE - 0.3) > 0.98


@pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 44_100, 48_000])
def test_any_rate_gives_the_same_stretches(clip: Clips, rate: int) -> None:
    """A leg recorded at another rate is heard alike."""
    import soxr  # noqa: PLC0415 - here only

    samples = leg(7, (1, clip("zh_agent")))
    wanted, found = spans(samples, RATE), spans(soxr.resample(samples, RATE, rate), rate)
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        assert (a.start, a.end) == pytest.approx((b.start, b.end), abs=0.07)


def test_very_short_legs_are_no_trouble() -> None:
    """No sample, one sample, less than a frame."""
    for count in (0, 1, 239):
        assert spans(np.ones(count, dtype=np.int16), RATE) == []


def test_the_turns_of_the_dialogues_are_found(shared: Any) -> None:
    """Six spoken calls, 71 turns, one on a bad line: each turn is covered, and nothing stands where nobody speaks."""
    import json  # noqa: PLC0415 - here only

    from transcription.audio import load_leg  # noqa: PLC0415 - here only

    for truth in sorted((shared / "dialogues").glob("*.json")):
        turns = json.loads(truth.read_bytes())["turns"]
        for name, speaker in (("rx", "caller"), ("tx", "agent")):
            sound = load_leg(truth.with_name(f"{truth.stem}-{name}.wav"))
            found = spans(sound.samples, sound.rate)
            said = [(turn["start"], turn["end"]) for turn in turns if turn["speaker"] == speaker]
            assert min(covered(found, start, end) for start, end in said) > 0.95, truth.name
            assert all(any(s.start < end and s.end > start for start, end in said) for s in found), truth.name
