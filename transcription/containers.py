"""What kind of sound file some bytes are, by the bytes alone: a name proves nothing. Pure: bytes in, a reason out.

Engines take any bytes for speech and answer with plausible nonsense, so what is not known for sure is refused.
"""

from pathlib import PurePath

from transcription.trouble import AudioProblem, Trouble

_MAGIC = (b"RIFF", b"RIFX", b"RF64", b"riff\x2e\x91\xcf\x11", b"fLaC", b"OggS", b"FORM", b"caff", b".snd", b"ID3")
_HEADERLESS = (".raw", ".pcm", ".sln", ".sln16", ".slin", ".alaw", ".ulaw", ".al", ".ul", ".g722", ".g729", ".vox")
_GSM_FRAME, _GSM_MARK = 33, 0xD  # bytes; the nibble each frame begins with


def check(path: PurePath, data: bytes) -> None:
    """Raise AudioProblem unless ``data`` begins as a container that can be read: EMPTY, HALF_HEADER, RAW, NOT_AUDIO."""
    if not data:
        raise AudioProblem(Trouble.EMPTY, f"{path.name} has zero bytes")
    if b"RIFF".startswith(data[:4]) or (data[:4] == b"RIFF" and b"WAVE".startswith(data[8:12])):
        if len(data) < 12:  # noqa: PLR2004 - RIFF, size, WAVE
            raise AudioProblem(Trouble.HALF_HEADER, f"{path.name}: {len(data)} bytes, not even a whole header")
    elif not data.startswith(_MAGIC) and not _is_mp3(data) and not _is_gsm(data):
        if path.suffix.lower() in _HEADERLESS:
            raise AudioProblem(Trouble.RAW, f"{path.name} has no header: record as wav, or convert it")
        raise AudioProblem(Trouble.NOT_AUDIO, f"{path.name} is no audio file we know (begins {data[:8].hex(' ')})")


def forced(data: bytes) -> dict[str, str | int]:
    """What libsndfile must be told: only headerless GSM, whose every frame bears a mark, needs telling."""
    if _is_gsm(data):
        return {"format": "RAW", "subtype": "GSM610", "samplerate": 8000, "channels": 1}
    return {}


def _is_gsm(data: bytes) -> bool:
    """Headerless GSM 06.10: whole frames that all begin with the nibble 0xD; three at least, so not by chance."""
    marks = data[::_GSM_FRAME]
    return len(data) >= 3 * _GSM_FRAME and len(data) % _GSM_FRAME == 0 and all(mark >> 4 == _GSM_MARK for mark in marks)


def _is_mp3(data: bytes) -> bool:
    """MPEG audio: two frame headers in a row that agree. One alone is found in any noise."""
    length = _mp3_frame(data[:4])
    return length > 0 and _mp3_frame(data[length : length + 4]) > 0 and data[1] == data[length + 1]


def _mp3_frame(head: bytes) -> int:
    """Bytes of the layer III frame with this header, 0 when it is none."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:  # noqa: PLR2004 - sync, layer III
        return 0
    version, bits, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or bits in (0, 15) or rate == 3:  # noqa: PLR2004 - reserved values
        return 0
    one = version == 3  # noqa: PLR2004 - MPEG 1; else MPEG 2 and 2.5
    kbit = (
        (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
        if one
        else (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
    )[bits - 1]
    hertz = (44_100, 48_000, 32_000)[rate] // {3: 1, 2: 2, 0: 4}[version]
    return (144 if one else 72) * kbit * 1000 // hertz + (head[2] >> 1 & 1)
