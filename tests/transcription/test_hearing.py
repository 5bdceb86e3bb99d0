"""From files to turns with an engine that says its lines: levels, faults of a leg, doubled legs, bad files."""

import io
import os
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from transcription.engines import Samples, Segment, Span
from transcription.hearing import Heard, hear
from transcription.levels import level
from transcription.transcript import Speaker
from transcription.trouble import AudioProblem, Trouble

RATE = 8000
CALLER, AGENT = Speaker.CALLER, Speaker.AGENT
Clips = Callable[[str], Any]


class Parrot:
    """An engine that says the same to whatever it is given."""

    name, model, rate, at_once = "parrot", "parrot", RATE, 1
    notes: tuple[str, ...] = ()

    def transcribe(self, _samples: Samples, spans: Sequence[Span], done: Callable[[int], None]) -> list[Segment]:
        """The same words for every span."""
        done(len(spans))
        return [Segment(span.start, span.end, "电话是154-0226-9175", 0.9) for span in spans]


@pytest.fixture
def recorded(tmp_path: Path) -> Callable[..., Path]:
    """Write a file: ``recorded(name, seconds, (at, sound), ...)``."""

    def write(name: str, seconds: float, *parts: tuple[float, Any]) -> Path:
        sound = np.zeros(int(seconds * RATE))
        for at, part in parts:
            start = int(at * RATE)
            sound[start : start + len(part)] += part[: len(sound) - start]
        soundfile.write(tmp_path / name, np.clip(sound, -1, 1), RATE, subtype="PCM_16")
        return tmp_path / name

    return write


def troubles(heard: Heard) -> list[tuple[Speaker, Trouble]]:
    """Whose trouble is which."""
    return [(one.speaker, one.trouble) for one in heard.troubles]


def test_both_legs_levels_are_told_and_the_text_is_tidied(recorded: Callable[..., Path], clip: Clips) -> None:
    """A usual call has no fault; its levels are those of speech, not of the pauses."""
    voice = clip("zh_caller")
    caller, agent = recorded("rx.wav", 30, (1, voice)), recorded("tx.wav", 30, (10, clip("zh_agent")))
    heard = hear(Parrot(), {CALLER: caller, AGENT: agent})
    assert troubles(heard) == []
    assert [turn.text for turn in heard.turns] == ["电话是15402269175"] * 2
    of_caller, of_agent = heard.levels
    assert (of_caller.speaker, of_agent.speaker) == (CALLER, AGENT)
    loudness = 10 * np.log10(np.mean(voice**2))
    assert of_caller.dbfs == pytest.approx(loudness, abs=1.5)
    assert of_caller.peak == pytest.approx(20 * np.log10(np.abs(voice).max()), abs=0.2)
    assert of_caller.clipped == 0


@pytest.mark.parametrize(
    ("gain", "trouble"), [(1 / 25, Trouble.FAINT), (12, Trouble.CLIPPED)], ids=["far too faint", "far too loud"]
)
def test_a_leg_recorded_wrongly_is_heard_and_told(
    recorded: Callable[..., Path], clip: Clips, gain: float, trouble: Trouble
) -> None:
    """The words are there, and so is the reason why they may be wrong."""
    caller = recorded("rx.wav", 8, (1, clip("zh_caller") * gain))
    heard = hear(Parrot(), {CALLER: caller, AGENT: recorded("tx.wav", 8, (6.2, clip("zh_agent")))})
    assert troubles(heard) == [(CALLER, trouble)]
    assert {turn.speaker for turn in heard.turns} == {CALLER, AGENT}


def test_one_sound_in_both_files_is_said_once(recorded: Callable[..., Path], clip: Clips) -> None:
    """A recorder that wrote the mix twice: what was said is there once, and people are told why nobody is named."""
    parts = [(1, clip("zh_agent")), (8, clip("zh_caller"))]
    heard = hear(Parrot(), {CALLER: recorded("rx.wav", 14, *parts), AGENT: recorded("tx.wav", 14, *parts)})
    assert troubles(heard) == [(AGENT, Trouble.SAME)]
    assert [turn.speaker for turn in heard.turns] == [CALLER, CALLER]


def test_an_echo_is_said_once(recorded: Callable[..., Path], clip: Clips) -> None:
    """The agent's voice, faint on the caller's leg a quarter of a second later."""
    agent = clip("zh_agent")
    caller = recorded("rx.wav", 16, (1.25, agent * 0.15), (8, clip("zh_caller")))
    heard = hear(Parrot(), {CALLER: caller, AGENT: recorded("tx.wav", 16, (1, agent))})
    assert [(turn.speaker, round(turn.start)) for turn in heard.turns] == [(AGENT, 1), (CALLER, 8)]


def test_the_level_of_a_leg_on_which_nobody_speaks() -> None:
    """Of the whole leg, in pieces; an empty line is at the floor."""
    from transcription.audio import Leg  # noqa: PLC0415 - here only

    empty = Leg(np.zeros(RATE * 130, dtype=np.int16), RATE, repaired=False, level=-96, clipped=0, peak=-96)
    assert level(CALLER, empty, ()).dbfs == -96
    loud = Leg(np.full(RATE * 130, 32_767, dtype=np.int16), RATE, repaired=False, level=0, clipped=1, peak=0)
    assert (level(CALLER, loud, ()).peak, level(CALLER, loud, ()).clipped) == (0, 1)


TONE = 0.5 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)


def wav(sound: Any = TONE, rate: int = RATE, kind: str = "WAV", subtype: str = "PCM_16") -> bytes:
    """A sound file."""
    out = io.BytesIO()
    soundfile.write(out, sound, rate, format=kind, subtype=subtype)
    return out.getvalue()


def float_wav(value: float) -> bytes:
    """A float file that holds nothing else."""
    return wav(np.full(2 * RATE, value, dtype=np.float32), subtype="FLOAT")


HUGE = struct.pack("<I", 0xFFFFFFF0)
BAD = {
    "a comment as long as the disk": (wav()[:12] + b"LIST" + HUGE + wav()[12:], Trouble.HALF_HEADER),
    "a description as long as the disk": (wav()[:16] + HUGE + wav()[20:], Trouble.HALF_HEADER),
    "three channels": (wav(np.stack([TONE] * 3, axis=1)), Trouble.ODD_FORMAT),
    "a rate of 1 Hz": (wav()[:24] + struct.pack("<I", 1) + wav()[28:], Trouble.ODD_FORMAT),
    "no bits a sample": (wav()[:34] + b"\0\0" + wav()[36:], Trouble.NOT_AUDIO),
    "RF64, torn": (wav(kind="RF64")[:50], Trouble.NOT_AUDIO),
    "W64, torn": (wav(kind="W64")[:50], Trouble.NOT_AUDIO),
    "Ogg, torn": (wav(kind="OGG", subtype="VORBIS")[:300], Trouble.NOT_AUDIO),
    "an empty Ogg stream": (b"OggS" + b"\0" * 60, Trouble.NOT_AUDIO),
    "a picture": (b"\x89PNG\r\n\x1a\n" + b"\0" * 500, Trouble.NOT_AUDIO),
    "a zip of recordings": (b"PK\x03\x04" + b"\0" * 500, Trouble.NOT_AUDIO),
    "an MP4": (b"\0\0\0\x20ftypisom" + b"\0" * 500, Trouble.NOT_AUDIO),
    "zeros": (b"\0" * 5000, Trouble.NOT_AUDIO),
    "one sample": (wav(TONE[:1]), Trouble.SILENT),
    "a constant": (wav(np.full(2 * RATE, 0.4)), Trouble.SILENT),
    "nothing but NaN": (float_wav(np.nan), Trouble.SILENT),
    "nothing but infinity": (float_wav(np.inf), Trouble.SILENT),
    "float samples beyond all bounds": (float_wav(3e38), Trouble.SILENT),
    "a held tone": (wav(), Trouble.NO_SPEECH),
    "a tone on an offset": (wav(TONE * 0.3 + 0.5), Trouble.NO_SPEECH),
    "AIFF by the name of wav": (wav(kind="AIFF"), Trouble.NO_SPEECH),
    "RF64": (wav(kind="RF64"), Trouble.NO_SPEECH),
    "W64": (wav(kind="W64"), Trouble.NO_SPEECH),
    "Sun's": (wav(kind="AU", subtype="ULAW"), Trouble.NO_SPEECH),
    "GSM by the name of wav": (wav(kind="RAW", subtype="GSM610"), Trouble.NO_SPEECH),
    "Opus by the name of wav": (wav(kind="OGG", subtype="OPUS"), Trouble.NO_SPEECH),
    "MP3 by the name of wav": (wav(kind="MP3", subtype="MPEG_LAYER_III"), Trouble.NO_SPEECH),
    "96 kHz": (wav(0.5 * np.sin(2 * np.pi * 440 * np.arange(192_000) / 96_000), 96_000), Trouble.NO_SPEECH),
    "an odd number of bytes": (wav()[:-1], Trouble.NO_SPEECH),
    "cut in the midst of a sample": (wav(subtype="PCM_24")[:-10_001], Trouble.NO_SPEECH),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_has_a_named_reason_and_no_text(tmp_path: Path, what: str) -> None:
    """Whatever stands where a recording should: a reason from the list, never words."""
    data, trouble = BAD[what]
    path = tmp_path / "call.wav"
    path.write_bytes(data)
    with pytest.raises(AudioProblem) as refused:
        hear(Parrot(), {CALLER: path})
    assert refused.value.trouble is trouble
    assert refused.value.text


def test_what_is_no_file_is_named_at_once(tmp_path: Path) -> None:
    """A pipe that nobody writes to, a link to itself, a folder, a name that cannot be: none is waited for."""
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "loop.wav").symlink_to(tmp_path / "loop.wav")
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "gone.wav").symlink_to(tmp_path / "nowhere.wav")
    for name, trouble in {
        "pipe.wav": Trouble.UNREADABLE, "loop.wav": Trouble.UNREADABLE, "folder.wav": Trouble.UNREADABLE,
        "gone.wav": Trouble.MISSING, "a\0b.wav": Trouble.MISSING, "x" * 300: Trouble.UNREADABLE,
    }.items():  # fmt: skip
        with pytest.raises(AudioProblem) as refused:
            hear(Parrot(), {CALLER: tmp_path / name})
        assert refused.value.trouble is trouble, name


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rights are the system's word; as root there are none to miss, so it is played."""
    path = tmp_path / "call.wav"
    path.write_bytes(wav())

    def refuse(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(AudioProblem, match="Permission denied") as refused:
        hear(Parrot(), {CALLER: path})
    assert refused.value.trouble is Trouble.UNREADABLE


def test_one_bad_leg_leaves_the_other_to_be_heard(tmp_path: Path, recorded: Callable[..., Path], clip: Clips) -> None:
    """The caller's words are kept, and what is wrong with the agent's file is told."""
    (tmp_path / "tx.wav").write_bytes(b"RIFF")
    heard = hear(Parrot(), {CALLER: recorded("rx.wav", 8, (1, clip("zh_caller"))), AGENT: tmp_path / "tx.wav"})
    assert troubles(heard) == [(AGENT, Trouble.HALF_HEADER)]
    assert [turn.speaker for turn in heard.turns] == [CALLER]
    assert [found.speaker for found in heard.levels] == [CALLER]


def test_each_bad_file_of_the_lab_gives_words_or_a_reason(shared: Path) -> None:
    """Those that hold speech are heard; the others are named."""
    said, reasons = set(), {}
    for path in sorted((shared / "speech/bad-audio").iterdir()):
        try:
            heard = hear(Parrot(), {CALLER: path})
        except AudioProblem as problem:
            reasons[path.name] = problem.trouble
        else:
            assert heard.turns
            said.add(path.name)
    assert reasons == {
        "garbage.wav": Trouble.NOT_AUDIO, "half_header.wav": Trouble.HALF_HEADER, "header_only.wav": Trouble.NO_SOUND,
        "zero.wav": Trouble.EMPTY, "st44100.wav": Trouble.STEREO, "stereo8k.wav": Trouble.STEREO,
    }  # fmt: skip
    assert len(said) == 10
