"""A tone over what is not for every ear: sample for sample where it was told, and nowhere else."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from transcription.beeped import TONE, beep
from transcription.bleeping import bleeps, masked_bleeps
from transcription.transcript import Bleep, Speaker, Turn, Word
from transcription.trouble import AudioProblem

RATE = 8000


def recording(path: Path, seconds: float = 12.0, channels: int = 1, **written: Any) -> Path:
    """Noise, so that no two stretches are alike."""
    noise = np.random.default_rng(4).integers(-3000, 3000, (int(seconds * RATE), channels), dtype=np.int16)
    soundfile.write(path, noise, RATE, **written)
    return path


@pytest.mark.parametrize("channels", [1, 2])
def test_only_what_was_told_is_covered(channels: int, tmp_path: Path) -> None:
    """Across the blocks it is read in, over the end, before the beginning, overlapping."""
    source, target = recording(tmp_path / "a.wav", channels=channels), tmp_path / "b.wav"
    spans = [(-1.0, 0.01), (1.2345, 2.5), (2.4, 3.0), (8.0, 8.4), (11.9, 99.0)]
    beep(source, target, spans)
    before, _ = soundfile.read(source, dtype="int16", always_2d=True)
    after, rate = soundfile.read(target, dtype="int16", always_2d=True)
    assert rate == RATE
    assert before.shape == after.shape
    covered = np.zeros(len(before), dtype=bool)
    for start, end in spans:
        covered[max(0, int(np.floor(start * RATE))) : int(np.ceil(end * RATE))] = True
    assert np.array_equal(before[~covered], after[~covered])
    assert not np.array_equal(before[covered], after[covered])
    stretch = after[int(8.0 * RATE) : int(8.4 * RATE), 0].astype(float)
    loudest = np.abs(np.fft.rfft(stretch)).argmax() * RATE / len(stretch)
    assert loudest == pytest.approx(TONE, abs=3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.wav", "b.wav"]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a.wav", {"subtype": "ALAW"}),
        ("a.WAV", {"subtype": "GSM610", "format": "WAV"}),
        ("a.gsm", {"subtype": "GSM610", "format": "RAW"}),
        ("a.flac", {}),
        ("a.ogg", {}),
    ],
)
def test_what_the_pbx_may_have_written(name: str, written: dict[str, Any], tmp_path: Path) -> None:
    """Decoded and covered."""
    source, target = recording(tmp_path / name, 3.0, **written), tmp_path / "b.wav"
    beep(source, target, [(1.0, 2.0)])
    before, _ = soundfile.read(source, dtype="int16")
    after, _ = soundfile.read(target, dtype="int16")
    assert np.array_equal(before[:RATE], after[:RATE])
    assert np.array_equal(before[2 * RATE :], after[2 * RATE :])
    assert not np.array_equal(before[RATE : 2 * RATE], after[RATE : 2 * RATE])


def test_what_is_no_sound_is_named_and_what_is_gone_too(tmp_path: Path) -> None:
    """The one for good, the other for now."""
    for name in ("a.wav", "a.ulaw"):  # the second has no header that could say what it is
        (tmp_path / name).write_text("no sound")
        with pytest.raises(AudioProblem):
            beep(tmp_path / name, tmp_path / "b.wav", [])
    with pytest.raises(FileNotFoundError):
        beep(tmp_path / "gone.wav", tmp_path / "b.wav", [])


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the original as it was."""
    source = recording(tmp_path / "a.wav", 1.0)

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        beep(source, tmp_path / "b.wav", [(0.0, 0.5)])
    assert list(tmp_path.iterdir()) == [source]


def test_a_bleep_is_where_the_words_are() -> None:
    """By the words' times where there are any, to either side a little."""
    words = (Word(10.0, 10.5, "卡号", 1), Word(11.0, 12.0, "六二九九", 1), Word(12.5, 13.0, "谢谢", 1))
    turn = Turn(Speaker.CALLER, 10.0, 13.0, "卡号6299谢谢", 1.0, words=words)
    assert bleeps([turn], [(0, 2, 6, "bank_card")]) == (Bleep(Speaker.CALLER, 10.85, 12.15, "bank_card"),)


def test_without_words_a_bleep_has_a_margin_and_stays_near_its_turn() -> None:
    """People do not speak evenly."""
    turn = Turn(Speaker.CALLER, 20.0, 30.0, "我的卡号是6299991020304058谢谢", 1.0)
    (found,) = bleeps([turn], [(0, 5, 21, "bank_card")])
    assert 20.0 <= found.start <= 20.8
    assert 29.8 <= found.end <= 30.3


def test_what_was_masked_before_anybody_noted_where() -> None:
    """Transcripts of an older version: wherever a mask stands, and the four digits that follow it."""
    turns = [Turn(Speaker.AGENT, 0.0, 1.0, "您好", 1.0), Turn(Speaker.CALLER, 2.0, 6.0, "************4058", 1.0)]
    (found,) = masked_bleeps(turns)
    assert found.speaker is Speaker.CALLER
    assert found.start <= 2.0
    assert found.end >= 6.0
