"""Whether anything can be heard on a leg, without a model."""

import math
import struct
from array import array
from pathlib import Path

import pytest

from telephony.loudness import loudest, silent

RATE = 8000


def leg(path: Path, *parts: tuple[float, float], coding: int = 1) -> Path:
    """A WAV of ``(seconds, amplitude 0 to 1)`` stretches of a 400 Hz tone."""
    samples = array("h")
    for seconds, amplitude in parts:
        for n in range(int(seconds * RATE)):
            samples.append(int(32767 * amplitude * math.sin(2 * math.pi * 400 * n / RATE)))
    sound = samples.tobytes()
    form = struct.pack("<HHIIHH", coding, 1, RATE, 2 * RATE, 2, 16)
    head = b"RIFF" + struct.pack("<I", len(sound) + 36) + b"WAVEfmt " + struct.pack("<I", 16) + form
    path.write_bytes(head + b"data" + struct.pack("<I", len(sound)) + sound)
    return path


def test_a_voice_is_loud_and_an_empty_line_is_not(tmp_path: Path) -> None:
    """Half of full scale is -9 dBFS; comfort noise counts as silence."""
    assert loudest(leg(tmp_path / "a.wav", (1, 0.0), (0.2, 0.5), (1, 0.0))) == pytest.approx(-9, abs=0.3)
    assert silent(loudest(leg(tmp_path / "b.wav", (2, 0.001))))
    assert silent(loudest(leg(tmp_path / "c.wav", (2, 0.0))))
    assert not silent(loudest(leg(tmp_path / "d.wav", (2, 0.02))))


def test_only_the_time_in_which_people_talked_counts(tmp_path: Path) -> None:
    """Prompts before the answer do not make an agent heard who is not."""
    path = leg(tmp_path / "a.wav", (3, 0.5), (10, 0.0), (1, 0.5))
    assert not silent(loudest(path))
    assert silent(loudest(path, [(3.1, 8.0), (9.0, 12.9)]))
    assert not silent(loudest(path, [(3.1, 8.0), (12.0, 99.0)]))
    assert silent(loudest(path, [(50.0, 60.0)]))


def test_of_what_is_not_plain_samples_nothing_is_said(tmp_path: Path) -> None:
    """Neither silent nor heard: GSM in a WAV, a header alone, no WAV."""
    assert loudest(leg(tmp_path / "a.wav", (1, 0.0), coding=0x31)) is None
    assert loudest(leg(tmp_path / "b.wav")) is None
    (tmp_path / "c.gsm").write_bytes(b"\xd0" * 330)
    assert loudest(tmp_path / "c.gsm") is None
    assert not silent(None)
