"""Keeps the raw bytes of AMI connections with their times, for ``hotline replay`` and for tests.

Beside the bytes a ``.jsonl``: one line per read (``{"t", "off", "len"}``) and notes (``{"t", "off", "note"}``). Written
from a thread at intervals: a slow disk must not slow the reader down, or the PBX hangs up on it.
"""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import structlog

log = structlog.get_logger()

_EVERY = 0.5  # seconds between writes
_MOST = 64 << 20  # bytes kept in memory for a disk that does not keep up; then the capture ends, not the service


class Capture:
    """Appends to ``path`` and ``path`` + ``.jsonl`` while ``run`` runs. ``clock`` gives epoch seconds."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._path = path
        self._clock = clock
        self._bytes: list[bytes] = []
        self._lines: list[str] = []
        self._waiting = 0
        self._offset: int | None = None
        self._broken = False

    def read(self, data: bytes) -> None:
        """Bytes as they came from one read."""
        self._add(data, {"len": len(data)})

    def note(self, text: str) -> None:
        """Something that happened to the connection."""
        self._add(b"", {"note": text})

    def begin(self) -> None:
        """A new connection: half a message of the last one must not run into it."""
        if self._offset or self._bytes:
            self._add(b"\r\n\r\n", {"note": "connection cut"})

    async def run(self) -> None:
        """Write at intervals until cancelled; then write the rest."""
        try:
            while not self._broken:
                await asyncio.sleep(_EVERY)
                await asyncio.to_thread(self._write)
        finally:
            self._write()

    def _add(self, data: bytes, line: dict[str, object]) -> None:
        if self._broken:
            return
        if self._offset is None:
            try:
                self._offset = self._path.stat().st_size
            except OSError:
                self._offset = 0
        self._bytes.append(data)
        self._lines.append(json.dumps({"t": round(self._clock(), 6), "off": self._offset, **line}))
        self._offset += len(data)
        self._waiting += len(data)
        if self._waiting > _MOST:
            self._give_up("the disk does not keep up")

    def _write(self) -> None:
        data, lines = self._bytes, self._lines
        if not lines:
            return
        self._bytes, self._lines, self._waiting = [], [], 0
        try:
            with self._path.open("ab") as stream:
                stream.write(b"".join(data))
            with self._path.with_name(f"{self._path.name}.jsonl").open("a", encoding="utf-8") as sidecar:
                sidecar.write("\n".join(lines) + "\n")
        except OSError as error:
            self._give_up(str(error))

    def _give_up(self, why: str) -> None:
        self._broken = True
        self._bytes, self._lines = [], []
        log.error("the AMI capture ends here", path=str(self._path), why=why)
