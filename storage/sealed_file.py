"""A file under lock and key: sealed in pieces, so that any stretch of it can be read without the rest.

    magic | length of the head | head (JSON) | piece 0 | piece 1 | ...

Each piece is 64 KiB of the original, encrypted with AES-256-GCM or SM4-GCM. The key of a file is derived (HKDF) from
the key named in its head and from the head itself, which holds a random salt, what the file is of, and the original's
length. A piece's nonce is its number and whether it is the last. So a piece that was changed, moved, left out or taken
from another file does not open, and neither does a file that was cut off or renamed to be another.

Knows files and keys; no database and no policy. Blocking: call it in a thread.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC = b"hotline-sealed-1"
PIECE = 65_536
_TAG = 16
_LONGEST_HEAD = 4096
_SALT = 32


class CipherName(StrEnum):
    """What a file is sealed with."""

    AES = "aes-256-gcm"
    SM4 = "sm4-gcm"


class SealError(Exception):
    """A sealed file that cannot be opened: damaged, cut off, of something else, or its key is not here."""


class NoKeyError(SealError):
    """The key that sealed the file is not configured."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys by id, 32 bytes each; ``current`` seals, with ``cipher``."""

    current: str
    by_id: Mapping[str, bytes]
    cipher: CipherName = CipherName.AES

    def __repr__(self) -> str:
        """Never the keys."""
        return f"Keys({self.current!r}, of {sorted(self.by_id)}, {self.cipher.value})"


def seal(source: Path, target: Path, keys: Keys, of: str) -> int:
    """Write ``target``, a sealed copy that opens only as being of ``of``; the original's length in bytes.

    What was written is on the disk and was opened again and held against the original. Raises OSError, and SealError
    when the original changed meanwhile; then there is no ``target``.
    """
    size = source.stat().st_size
    head = json.dumps(
        {"cipher": keys.cipher.value, "key": keys.current, "salt": os.urandom(_SALT).hex(), "of": of, "bytes": size}
    ).encode()
    part = target.with_name(f"{target.name}.part")
    try:
        part.touch(mode=0o600)
        with source.open("rb") as plain, part.open("wb") as out:
            out.write(MAGIC + len(head).to_bytes(2, "big") + head)
            secret = _Secret(keys, head)
            for number, last in _pieces(size):
                piece = plain.read(_length(size, number))
                out.write(secret.shut(piece, number, last=last))
            out.flush()
            os.fsync(out.fileno())
        held_against(source, Sealed(part, keys, of))
        part.replace(target)
        _settle(target.parent)
    finally:
        part.unlink(missing_ok=True)
    return size


class Sealed:
    """A sealed file, opened for reading. ``size``: the original's length in bytes."""

    def __init__(self, path: Path, keys: Keys, of: str) -> None:
        self._path = path
        with path.open("rb") as file:
            head = _head(file, path)
            self._body = file.tell()
        told = _told(head, path)
        if told["of"] != of:
            raise SealError(f"{path.name} is of {told['of']}, not of {of}")
        self.size = int(told["bytes"])
        self.key = str(told["key"])
        self._secret = _Secret(keys, head)
        pieces = max(1, -(-self.size // PIECE))
        if path.stat().st_size != self._body + self.size + pieces * _TAG:
            raise SealError(f"{path.name} is not as long as it was sealed")

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """The original's bytes from ``start`` up to ``end``, piece by piece. Raises SealError and OSError."""
        end = min(end, self.size)
        with self._path.open("rb") as file:
            for number in range(start // PIECE, -(-end // PIECE)):
                file.seek(self._body + number * (PIECE + _TAG))
                length = _length(self.size, number)
                shut = file.read(length + _TAG)
                last = (number + 1) * PIECE >= self.size
                plain = self._secret.open(shut, number, last=last, name=self._path.name)
                low = max(0, start - number * PIECE)
                yield plain[low : end - number * PIECE]


class _Secret:
    """The derived key of one file."""

    def __init__(self, keys: Keys, head: bytes) -> None:
        told = json.loads(head)
        key = keys.by_id.get(str(told["key"]))
        if key is None:
            raise NoKeyError(f"the sealing key {told['key']!r} is not configured: add it to [[sealing.keys]]")
        self._head = head
        salt = bytes.fromhex(told["salt"])
        self._cipher: type[algorithms.AES | algorithms.SM4]
        if told["cipher"] == CipherName.SM4.value:
            self._key = HKDF(hashes.SM3(), 16, salt, b"hotline sealed" + head).derive(key)
            self._cipher = algorithms.SM4
        else:
            self._key = HKDF(hashes.SHA256(), 32, salt, b"hotline sealed" + head).derive(key)
            self._cipher = algorithms.AES

    def shut(self, piece: bytes, number: int, *, last: bool) -> bytes:
        encryptor = Cipher(self._cipher(self._key), modes.GCM(_nonce(number, last=last))).encryptor()
        encryptor.authenticate_additional_data(self._head)
        return encryptor.update(piece) + encryptor.finalize() + encryptor.tag

    def open(self, shut: bytes, number: int, *, last: bool, name: str) -> bytes:
        body, tag = shut[:-_TAG], shut[-_TAG:]
        try:
            decryptor = Cipher(self._cipher(self._key), modes.GCM(_nonce(number, last=last), tag)).decryptor()
            decryptor.authenticate_additional_data(self._head)
            return decryptor.update(body) + decryptor.finalize()
        except (InvalidTag, ValueError) as error:
            raise SealError(f"{name} was changed or damaged after it was sealed (piece {number})") from error


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\1" if last else b"\0")


def _pieces(size: int) -> Iterator[tuple[int, bool]]:
    count = max(1, -(-size // PIECE))
    for number in range(count):
        yield number, number == count - 1


def _length(size: int, number: int) -> int:
    return min(PIECE, size - number * PIECE)


def _head(file: BinaryIO, path: Path) -> bytes:
    start = file.read(len(MAGIC) + 2)
    length = int.from_bytes(start[len(MAGIC) :], "big")
    if not start.startswith(MAGIC) or not 0 < length <= _LONGEST_HEAD:
        raise SealError(f"{path.name} is no sealed file")
    return file.read(length)


def _told(head: bytes, path: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(head)
        fine = told["cipher"] in set(CipherName) and int(told["bytes"]) >= 0 and bytes.fromhex(told["salt"])
    except (ValueError, KeyError, TypeError) as error:
        raise SealError(f"{path.name} has a damaged head") from error
    if not fine:
        raise SealError(f"{path.name} has a damaged head")
    return told


def held_against(source: Path, opened: Sealed) -> None:
    """Read both to their ends. SealError where they differ, or the sealed one does not open; OSError; blocking."""
    with source.open("rb") as plain:
        for piece in opened.read(0, opened.size):
            if plain.read(len(piece)) != piece:
                raise SealError(f"{source.name} changed while it was sealed")
        if plain.read(1):
            raise SealError(f"{source.name} grew while it was sealed")


def _settle(folder: Path) -> None:
    """Have the new name itself on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
