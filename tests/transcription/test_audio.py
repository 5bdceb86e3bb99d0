"""Every recording gives its sound or a named reason, never nonsense: containers, codings and crashes."""

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from transcription.audio import AudioProblem, Trouble, load_leg, load_stereo, resample

RATE = 8000
SECONDS = 1.0
TONE = 0.5 * np.sin(2 * np.pi * 440 * np.arange(int(RATE * SECONDS)) / RATE)


def wav(subtype: str = "PCM_16", sound: object = TONE, rate: int = RATE, kind: str = "WAV") -> bytes:
    """A sound file as soundfile writes it."""
    out = io.BytesIO()
    soundfile.write(out, sound, rate, format=kind, subtype=subtype)
    return out.getvalue()


def with_size(data: bytes, size: int) -> bytes:
    """The same WAV file with another size of its data chunk, and of the file."""
    at = data.index(b"data") + 4
    changed = data[:at] + struct.pack("<I", size) + data[at + 4 :]
    return changed[:4] + struct.pack("<I", size) + changed[8:]


SOUND = {
    "16 bit": wav(),
    "A-law": wav("ALAW"),
    "mu-law": wav("ULAW"),
    "24 bit": wav("PCM_24"),
    "unsigned 8 bit": wav("PCM_U8"),
    "float": wav("FLOAT"),
    "double": wav("DOUBLE"),
    "extensible header": wav("PCM_16", kind="WAVEX"),
    "WAV49, which cannot seek": wav("GSM610"),
    "headerless GSM": wav("GSM610", kind="RAW"),
    "FLAC": wav("PCM_16", kind="FLAC"),
    "Ogg Opus": wav("OPUS", kind="OGG"),
    "Ogg Vorbis": wav("VORBIS", kind="OGG"),
    "MP3": wav("MPEG_LAYER_III", kind="MP3"),
    "44.1 kHz": wav(sound=np.sin(2 * np.pi * 440 * np.arange(44_100) / 44_100) / 2, rate=44_100),
    "data size 0: still recording, or the PBX was killed": with_size(wav(), 0),
    "data size 0xFFFFFFFF": with_size(wav(), 0xFFFFFFFF),
    "A-law with data size 0": with_size(wav("ALAW"), 0),
    "WAV49 with data size 0": with_size(wav("GSM610"), 0),
    "cut in the middle": wav()[: 44 + RATE],
}


@pytest.mark.parametrize("what", SOUND)
@pytest.mark.parametrize("name", ["call.wav", "call.mp3", "call"])
def test_sound_is_decoded_whatever_the_file_is_called(tmp_path: Path, what: str, name: str) -> None:
    """The content says what a file is: the tone comes out, at its pitch and level, in mono 16 bit."""
    path = tmp_path / name
    path.write_bytes(SOUND[what])
    leg = load_leg(path)
    assert leg.samples.dtype == np.int16
    assert leg.seconds == pytest.approx(SECONDS / 2 if "cut" in what else SECONDS, abs=0.11)
    spectrum = np.abs(np.fft.rfft(leg.samples))
    assert spectrum.argmax() / leg.seconds == pytest.approx(440, abs=5)
    assert leg.level == pytest.approx(-9, abs=1.5)
    assert leg.repaired == ("size" in what or "cut" in what)
    assert not leg.silent


REFUSED = {
    "zero bytes": (b"", Trouble.EMPTY),
    "three bytes": (b"RIF", Trouble.HALF_HEADER),
    "eight bytes": (wav()[:8], Trouble.HALF_HEADER),
    "half a header": (wav()[:20], Trouble.HALF_HEADER),
    "header without its data chunk": (wav()[:36], Trouble.HALF_HEADER),
    "header only": (wav()[:44], Trouble.NO_SOUND),
    "header only, size 0": (with_size(wav(), 0)[:44], Trouble.NO_SOUND),
    "size 0 and a comment behind it": (with_size(wav(), 0)[:44] + b"LIST\4\0\0\0INFO", Trouble.NO_SOUND),
    "noise bytes": (bytes((i * 7919 >> 3) % 251 for i in range(40_000)), Trouble.NOT_AUDIO),
    "a sync word of MP3 in noise": (b"\xff\xe3\x18\xc4" + bytes(range(256)) * 40, Trouble.NOT_AUDIO),
    "a text": ("通话记录".encode() * 100, Trouble.NOT_AUDIO),
    "a web page": (b"<html><body>404</body></html>" * 10, Trouble.NOT_AUDIO),
    "an AVI": (b"RIFF\x24\x00\x00\x00AVI LIST" + b"\0" * 64, Trouble.NOT_AUDIO),
    "a torn FLAC": (wav("PCM_16", kind="FLAC")[:60], Trouble.NOT_AUDIO),
    "two channels": (wav(sound=np.stack([TONE, TONE], axis=1)), Trouble.STEREO),
    "six channels": (wav(sound=np.stack([TONE] * 6, axis=1)), Trouble.ODD_FORMAT),
    "no channel at all": (wav()[:22] + b"\0\0" + wav()[24:], Trouble.ODD_FORMAT),
    "65535 channels": (wav()[:22] + b"\xff\xff" + wav()[24:], Trouble.ODD_FORMAT),
    "rate 0, on which vosk hangs": (wav()[:24] + struct.pack("<I", 0) + wav()[28:], Trouble.ODD_FORMAT),
    "negative rate, on which vosk aborts": (wav()[:24] + struct.pack("<i", -8000) + wav()[28:], Trouble.ODD_FORMAT),
    "an unknown coding": (wav()[:20] + b"\x99\x99" + wav()[22:], Trouble.NOT_AUDIO),
    "samples before their description": (wav()[:12] + wav()[36:], Trouble.NOT_AUDIO),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_sound_is_refused_by_name(tmp_path: Path, what: str) -> None:
    """A reason from the list and a text that a supervisor can read."""
    data, trouble = REFUSED[what]
    path = tmp_path / "call.wav"
    path.write_bytes(data)
    with pytest.raises(AudioProblem) as refused:
        load_leg(path)
    assert refused.value.trouble is trouble
    assert refused.value.text


@pytest.mark.parametrize("name", ["call.sln", "call.raw", "call.alaw", "call.g722", "call.vox"])
def test_headerless_samples_are_refused(tmp_path: Path, name: str) -> None:
    """Their rate and coding could only be guessed, and a wrong guess decodes to plausible nonsense."""
    path = tmp_path / name
    path.write_bytes((TONE * 20_000).astype("<i2").tobytes())
    with pytest.raises(AudioProblem) as refused:
        load_leg(path)
    assert refused.value.trouble is Trouble.RAW


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    """Not there, and there but no file, are two troubles."""
    for path, trouble in ((tmp_path / "gone.wav", Trouble.MISSING), (tmp_path, Trouble.UNREADABLE)):
        with pytest.raises(AudioProblem) as refused:
            load_leg(path)
        assert refused.value.trouble is trouble


def test_too_long_is_refused(tmp_path: Path) -> None:
    """A limit in seconds, whatever the header says."""
    (tmp_path / "long.wav").write_bytes(with_size(wav(), 0))
    with pytest.raises(AudioProblem) as refused:
        load_leg(tmp_path / "long.wav", max_seconds=0.5)
    assert refused.value.trouble is Trouble.TOO_LONG


def test_sixteen_bit_and_a_law_come_back_bit_for_bit(tmp_path: Path) -> None:
    """Nothing is lost on the way through float."""
    steps = np.arange(-32_768, 32_768, 7).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", steps, RATE, subtype="PCM_16")
    assert np.array_equal(load_leg(tmp_path / "a.wav").samples, steps)
    soundfile.write(tmp_path / "b.wav", steps, RATE, subtype="ALAW")
    assert np.array_equal(load_leg(tmp_path / "b.wav").samples, soundfile.read(tmp_path / "b.wav", dtype="int16")[0])


def test_a_float_file_with_infinities_is_clipped(tmp_path: Path) -> None:
    """NaN is silence, beyond full scale is full scale; the share of clipped samples is told."""
    sound = TONE.astype(np.float32).copy()
    sound[:100], sound[100:200], sound[200:300] = np.nan, np.inf, -7.0
    soundfile.write(tmp_path / "f.wav", sound, RATE, subtype="FLOAT")
    leg = load_leg(tmp_path / "f.wav")
    assert set(leg.samples[:100].tolist()) == {0}
    assert set(leg.samples[100:300].tolist()) == {32_767, -32_768}
    assert leg.clipped == pytest.approx(200 / 8000)


@pytest.mark.parametrize(
    ("level", "silent"),
    [(0.0, True), (0.0005, True), (0.002, True), (0.02, False)],
    ids=["digital", "line", "noise", "speech"],
)
def test_a_silent_leg_is_known_by_its_energy(tmp_path: Path, level: float, *, silent: bool) -> None:
    """Digital silence and comfort noise are silent; a soft voice is not."""
    noise = np.random.default_rng(5).normal(0, level, RATE) if level else np.zeros(RATE)
    soundfile.write(tmp_path / "s.wav", noise, RATE)
    assert load_leg(tmp_path / "s.wav").silent is silent


def test_stereo_gives_both_legs_when_asked_for(tmp_path: Path) -> None:
    """Left and right stay apart; a mono file has no two legs."""
    soundfile.write(tmp_path / "two.wav", np.stack([TONE, TONE * 0], axis=1), RATE)
    left, right = load_stereo(tmp_path / "two.wav")
    assert (left.silent, right.silent) == (False, True)
    soundfile.write(tmp_path / "one.wav", TONE, RATE)
    with pytest.raises(AudioProblem) as refused:
        load_stereo(tmp_path / "one.wav")
    assert refused.value.trouble is Trouble.ODD_FORMAT


def test_resampling_keeps_length_and_pitch() -> None:
    """8 to 16 kHz: twice the samples of the same tone."""
    made = resample((TONE * 20_000).astype(np.int16), RATE, 16_000)
    assert (str(made.dtype), len(made)) == ("int16", 16_000)
    assert np.abs(np.fft.rfft(made)).argmax() == 440


@given(st.binary(max_size=300), st.sampled_from(["", "half", "wav", "ogg", "flac"]))
def test_any_bytes_give_sound_or_a_reason(tmp_path_factory: pytest.TempPathFactory, tail: bytes, head: str) -> None:
    """Whatever a disk or a copy made of a file: no exception but AudioProblem."""
    heads = {"": b"", "half": wav()[:30], "wav": wav()[:44], "ogg": wav("VORBIS", kind="OGG")[:200], "flac": b"fLaC"}
    path = tmp_path_factory.mktemp("any") / "x.wav"
    path.write_bytes(heads[head] + tail)
    found = outcome(path)
    assert isinstance(found, Trouble) or len(found.samples) > 0


def outcome(path: Path) -> Any:
    """The leg, or the trouble it was refused with."""
    try:
        return load_leg(path)
    except AudioProblem as problem:
        return problem.trouble


def test_the_bad_audio_of_the_lab(shared: Path) -> None:
    """Each file that was seen going wrong: sound of the right length, or the right reason."""
    expected: dict[str, float | Trouble] = {
        "alaw.wav": 5.39, "datasize0.wav": 5.39, "datasizeFF.wav": 5.39, "float.wav": 5.39, "mp3_named.wav": 5.5,
        "s24.wav": 5.39, "truncated.wav": 2.7, "u8.wav": 5.39, "wav49.wav": 5.44, "x.gsm": 5.4,
        "garbage.wav": Trouble.NOT_AUDIO, "half_header.wav": Trouble.HALF_HEADER, "header_only.wav": Trouble.NO_SOUND,
        "zero.wav": Trouble.EMPTY, "st44100.wav": Trouble.STEREO, "stereo8k.wav": Trouble.STEREO,
    }  # fmt: skip
    for path in sorted((shared / "speech/bad-audio").iterdir()):
        found = outcome(path)
        wanted = expected[path.name]
        if isinstance(wanted, float):
            assert found.seconds == pytest.approx(wanted, abs=0.05), path.name
        else:
            assert found is wanted, path.name
