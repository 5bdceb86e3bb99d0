"""Headers as Asterisk leaves them when it is killed, in each of the formats MixMonitor writes, made true on a copy."""

import struct
from pathlib import Path

import pytest
import soundfile

from telephony.wavhead import Head, read, repair, trim_gsm

WAV = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
WAV16 = struct.pack("<HHIIHH", 1, 1, 16000, 32000, 2, 16)
WAV49 = struct.pack("<HHIIHHHH", 0x31, 1, 8000, 1625, 65, 0, 2, 320)


def killed(path: Path, form: bytes, sound: bytes, *, fact: bool = False) -> Path:
    """A file whose sizes are all 0, as Asterisk 22.10 was seen to leave it."""
    head = b"RIFF\0\0\0\0WAVEfmt " + struct.pack("<I", len(form)) + form
    head += (b"fact" + struct.pack("<II", 4, 0)) if fact else b""
    path.write_bytes(head + b"data\0\0\0\0" + sound)
    return path


@pytest.mark.parametrize(
    ("form", "sound", "fact", "frames"),
    [
        (WAV, b"\1\0" * 8000 + b"\1", False, 8000),
        (WAV16, b"\1\0" * 16000, False, 16000),
        (WAV49, b"\0" * (65 * 50 + 12), True, 50 * 320),
    ],
)
def test_a_killed_recording_can_be_decoded_after_its_repair(
    tmp_path: Path, form: bytes, sound: bytes, frames: int, *, fact: bool
) -> None:
    """Whole blocks only, the count of samples too, one second each; the original stays as it is."""
    original = killed(tmp_path / "x.wav", form, sound, fact=fact)
    before = original.read_bytes()
    assert read(original).head is Head.OPEN
    wav = repair(original, tmp_path / "repaired" / "x.wav")
    assert wav.head is Head.SOUND
    assert wav.seconds == pytest.approx(frames / wav.rate)
    assert soundfile.info(str(tmp_path / "repaired" / "x.wav")).frames == frames
    assert original.read_bytes() == before
    if fact:
        assert struct.unpack_from("<I", (tmp_path / "repaired" / "x.wav").read_bytes(), 48)[0] == frames


def test_a_sound_header_is_not_repaired(tmp_path: Path) -> None:
    """There is nothing to do, and nothing to gain."""
    path = tmp_path / "x.wav"
    soundfile.write(path, [0.1] * 800, 8000, subtype="PCM_16")
    with pytest.raises(ValueError, match="nothing to repair"):
        repair(path, tmp_path / "y.wav")
    assert not (tmp_path / "y.wav").exists()


def test_headerless_gsm_loses_its_broken_frame(tmp_path: Path) -> None:
    """65,536 bytes were on disk when the PBX died: 1,985 frames and 31 bytes of the next."""
    path = tmp_path / "x.gsm"
    path.write_bytes(b"\xd0" * 65536)
    assert trim_gsm(path, tmp_path / "repaired" / "x.gsm")
    assert (tmp_path / "repaired" / "x.gsm").stat().st_size == 1985 * 33
    assert not trim_gsm(tmp_path / "repaired" / "x.gsm", tmp_path / "z.gsm")


@pytest.mark.parametrize("cut", range(0, 61, 7))
def test_half_a_header_is_no_header(tmp_path: Path, cut: int) -> None:
    """Whatever is cut off, nothing is raised and nothing is made up."""
    path = killed(tmp_path / "x.wav", WAV49, b"", fact=True)
    path.write_bytes(path.read_bytes()[:cut])
    assert read(path).head in (Head.FOREIGN, Head.EMPTY)
