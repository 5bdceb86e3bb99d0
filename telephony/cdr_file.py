"""Reads cdr_csv's Master.csv from its end: what was written last is what is asked for. Never whole, never writing.

Asterisk writes a call's rows when the call is over, so the file is in the order in which calls ended. Half a last line
is left for the next time; a file that logrotate has put aside is read on in (``Master.csv.1``, ``Master.csv-20261122``,
``.gz``). A record may have several lines (:mod:`telephony.cdr_rows`).
"""

import asyncio
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import BinaryIO

import structlog

from telephony.cdr import RecordsError, fits
from telephony.cdr_rows import Row, from_csv, is_record

log = structlog.get_logger()

BLOCK = 65536
LONGEST_RECORD = 4096  # bytes; Asterisk 22 has room for 1,024
LONGEST_CALL = 12 * 3600.0  # seconds: a row older than that before the moment asked for ends the search
SAMPLE = 20  # rows by which the zone of the times is tried
SLACK = 3600.0  # seconds by which the clocks of two machines and of a file server may differ


class CsvRecords:
    """A Master.csv. ``zone``: of the times in it. ``most``: bytes that one question may read."""

    def __init__(self, path: Path, zone: tzinfo, most: int = 64 * 2**20) -> None:
        self._path, self._zone, self._most = path, zone, most

    async def rows(self, since: float, call: str | None = None) -> Sequence[Row]:
        """As :meth:`telephony.cdr.Records.rows`."""
        found = await asyncio.to_thread(self._rows, since)
        if call is None:
            return found
        near = [row for row in found if row.channel.startswith("Local/") and row.linkedid is None]
        return [row for row in found if call in (row.uniqueid, row.linkedid)] + near

    def _rows(self, since: float) -> list[Row]:
        found: list[Row] = []
        newest: list[Row] = []
        without = 0
        try:
            for row in self._newest_first(since):
                if row is None:
                    without += 1
                    continue
                if len(newest) < SAMPLE:
                    newest.append(row)
                if row.start >= since:
                    found.append(row)
                elif row.end < since - LONGEST_CALL:
                    break
        except (OSError, EOFError, zlib.error) as error:
            raise RecordsError(f"{self._path} cannot be read: {error}") from error
        if without and not newest:
            advice = "set loguniqueid = yes in [csv] of cdr.conf, then: module reload cdr_csv"
            raise RecordsError(f"{self._path}: its records have no Uniqueid; {advice}")
        fits(str(self._path), newest)
        return found

    def _newest_first(self, since: float) -> Iterator[Row | None]:
        """The rows of the file and of those put aside; None for a record without Uniqueid."""
        budget = self._most
        for path in self._files(since):
            with _open(path) as file:
                for text in records_backwards(file):
                    budget -= len(text)
                    if budget < 0:
                        log.warning("call records are read back only so far", path=str(path), bytes=self._most)
                        return
                    yield from_csv(text, self._zone)

    def _files(self, since: float) -> list[Path]:
        """The file and those put aside that were written to since, newest first."""
        aside = [(path.stat().st_mtime, path) for path in self._path.parent.glob(f"{self._path.name}[.-]*")]
        newest = sorted((one for one in aside if one[0] >= since - SLACK), reverse=True)
        return [self._path, *(path for _, path in newest)]


def _open(path: Path) -> BinaryIO:
    if path.suffix != ".gz":
        return path.open("rb")
    with gzip.open(path) as packed:
        return io.BytesIO(packed.read(256 * 2**20))


def records_backwards(file: BinaryIO) -> Iterator[str]:
    """The whole records of a file, the last one first. What is no record, or not whole yet, is left out."""
    parts: list[bytes] = []
    size = 0
    for line in _lines_backwards(file):
        text = line.decode("utf-8", "replace") + "\n"
        if is_record(text):
            parts, size = [], 0
            yield text
            continue
        parts.insert(0, line)
        size += len(line) + 1
        while size > LONGEST_RECORD:
            size -= len(parts.pop()) + 1
        if not line.startswith(b'"'):
            continue
        text = b"\n".join(parts).decode("utf-8", "replace") + "\n"
        if is_record(text):
            parts, size = [], 0
            yield text


def _lines_backwards(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file without their ends, the last one first; what follows the last line end is left out."""
    position = file.seek(0, io.SEEK_END)
    rest: bytes | None = None  # the beginning of what was read, whose line began before it; None: nothing yet
    while position > 0:
        size = min(BLOCK, position)
        position -= size
        file.seek(position)
        lines = (file.read(size) + (rest or b"")).split(b"\n")
        complete = lines[1:-1] if rest is None else lines[1:]
        if rest is None and len(lines) == 1:
            continue  # a last line that is not whole, and longer than a block
        yield from reversed(complete)
        rest = lines[0] if len(lines[0]) <= LONGEST_RECORD else b"-"  # too long for a record: it needs no remembering
    if rest:
        yield rest
