"""Files under lock and key: what went in comes out, any stretch of it, and nothing that was touched opens."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.sealed_file import PIECE, CipherName, Keys, NoKeyError, Sealed, SealError, seal

OF = "main:1795147200.1 a-rx.wav rx"
SIZES = (0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 200_000)


def keys(cipher: CipherName = CipherName.AES, current: str = "2026") -> Keys:
    """Two keys."""
    return Keys(current, {"2026": b"\1" * 32, "2025": b"\2" * 32}, cipher)


def original(folder: Path, size: int) -> Path:
    """A file of noise."""
    path = folder / "a-rx.wav"
    path.write_bytes(os.urandom(size))
    return path


@pytest.mark.parametrize("cipher", list(CipherName))
@pytest.mark.parametrize("size", SIZES)
def test_what_went_in_comes_out(cipher: CipherName, size: int, tmp_path: Path) -> None:
    """With either cipher, whatever the length; in the sealed file none of it can be seen."""
    plain, sealed = original(tmp_path, size), tmp_path / "a.sealed"
    assert seal(plain, sealed, keys(cipher), OF) == size
    opened = Sealed(sealed, keys(cipher), OF)
    assert opened.size == size
    assert b"".join(opened.read(0, size)) == plain.read_bytes()
    assert size < 16 or plain.read_bytes()[:16] not in sealed.read_bytes()
    assert sorted(tmp_path.iterdir()) == [plain, sealed]
    assert sealed.stat().st_mode & 0o077 == 0


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.integers(0, 200_010), length=st.integers(0, 150_000))
def test_any_stretch_can_be_read(start: int, length: int, tmp_path: Path) -> None:
    """As a player asks for it."""
    plain, sealed = tmp_path / "a-rx.wav", tmp_path / "a.sealed"
    if not sealed.exists():
        seal(original(tmp_path, 200_000), sealed, keys(), OF)
    assert (
        b"".join(Sealed(sealed, keys(), OF).read(start, start + length)) == plain.read_bytes()[start : start + length]
    )


def test_an_older_key_still_opens(tmp_path: Path) -> None:
    """Keys are told apart by their ids; one that is not here is named."""
    sealed = tmp_path / "a.sealed"
    seal(original(tmp_path, 10), sealed, keys(current="2025"), OF)
    opened = Sealed(sealed, keys(), OF)
    assert opened.key == "2025"
    with pytest.raises(NoKeyError, match="'2025' is not configured"):
        Sealed(sealed, Keys("2026", {"2026": b"\1" * 32}), OF)
    with pytest.raises(SealError, match="changed or damaged"):
        list(Sealed(sealed, Keys("2025", {"2025": b"\3" * 32}), OF).read(0, 10))
    assert "\\x01" not in repr(keys())


@pytest.mark.parametrize("at", [0, 17, 30, 200, 400, PIECE + 300, -1, -20])
def test_a_byte_that_was_changed_is_noticed(at: int, tmp_path: Path) -> None:
    """In the magic, the head, a piece, a tag."""
    sealed = tmp_path / "a.sealed"
    seal(original(tmp_path, 100_000), sealed, keys(), OF)
    content = bytearray(sealed.read_bytes())
    content[at] ^= 1
    sealed.write_bytes(content)
    with pytest.raises(SealError):
        list(Sealed(sealed, keys(), OF).read(0, 100_000))


def test_pieces_have_their_place(tmp_path: Path) -> None:
    """Changed round, left out, doubled, of another file: nothing opens."""
    one, two = tmp_path / "1.sealed", tmp_path / "2.sealed"
    plain = original(tmp_path, 3 * PIECE)
    seal(plain, one, keys(), OF)
    seal(plain, two, keys(), OF)
    whole, piece = one.read_bytes(), PIECE + 16
    head = len(whole) - 3 * piece
    a, b, c = (whole[head + n * piece : head + (n + 1) * piece] for n in range(3))
    other = two.read_bytes()[-piece:]
    for pieces in ((b, a, c), (a, b), (a, c), (a, b, c, c), (a, b, other), (a, a, c)):
        one.write_bytes(whole[:head] + b"".join(pieces))
        with pytest.raises(SealError):
            list(Sealed(one, keys(), OF).read(0, 3 * PIECE))
    with pytest.raises(SealError, match="not of main:2"):
        Sealed(two, keys(), "main:2 a-rx.wav rx")


@pytest.mark.parametrize("content", [b"", b"RIFF", b"hotline-sealed-1", b"hotline-sealed-1\0\4oops", b"x" * 5000])
def test_what_was_never_sealed_is_refused(content: bytes, tmp_path: Path) -> None:
    """By name, not with a crash."""
    (tmp_path / "a.sealed").write_bytes(content)
    with pytest.raises(SealError):
        Sealed(tmp_path / "a.sealed", keys(), OF)


def test_a_full_disk_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The original stays as it is, and nothing half written is left."""
    plain = original(tmp_path, 100)
    before = plain.read_bytes()

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        seal(plain, tmp_path / "a.sealed", keys(), OF)
    assert list(tmp_path.iterdir()) == [plain]
    assert plain.read_bytes() == before
