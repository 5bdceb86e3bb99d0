"""``hotline import FILE``: customers from CSV. Bad rows are reported with line and reason, the good ones kept."""

import argparse
import asyncio
import csv
import json
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from crm.csvfile import CsvFile, CsvFileError
from crm.mapping import HeaderError, RowProblem
from hotline.cli import UsageError
from hotline.customer_file import Batch, batches, columns_of, rarely_collected
from hotline.settings import ConfigError, Settings, load
from numbering.plan import area_code
from storage.customers import EmbeddedCrm
from storage.database import Database, sqlite_file
from storage.migrate import current, head, upgrade
from storage.trouble import StorageError

_TOLD = 20  # problems on the terminal
_LISTED = 1000  # problems in the JSON
_QUIET = 2.0  # seconds before progress is told, and between two tellings


def add(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("file", type=Path, metavar="FILE", help="CSV with a header row; docs/import.md has the columns")
    parser.add_argument(
        "--config", type=Path, help="the configuration file (default: HOTLINE_CONFIG or ./hotline.toml)"
    )
    parser.add_argument("--database", metavar="URL", help="import into this database instead of the configured one")
    parser.add_argument("--area", metavar="CODE", help="area code of numbers written without one (0755)")
    parser.add_argument("--encoding", help="utf-8, gb18030, utf-16 (default: found by looking)")
    parser.add_argument("--rejects", action="store_true", help="write refused rows to FILE.rejected.csv")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")


def run(args: argparse.Namespace) -> int:
    """Import; 0 when every row was kept, 1 when some were refused."""
    settings = _settings(args)
    area = args.area or _only_area(settings)
    if area is not None and area_code(area) is None:
        raise UsageError(f"China has no area code {area!r}")
    url = args.database or settings.database_url
    tally = Tally()
    try:
        source = CsvFile.look_at(args.file, args.encoding)
        with Rejects(args.file.with_suffix(".rejected.csv") if args.rejects else None) as rejects:
            job = Import(source, area, tally, rejects)
            with rarely_collected():
                asyncio.run(job.into(url))
    except (CsvFileError, HeaderError, StorageError) as error:
        raise UsageError(_after(tally, str(error))) from error
    except KeyboardInterrupt:
        _say(_after(tally, "stopped"))
        return 130
    answer = tally.summary(source, rejects.path if rejects.written else None)
    if args.json:
        sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(
            f"{tally.rows} rows ({source.encoding}): {tally.new} new customers, {tally.changed} changed, "
            f"{tally.refused} rows refused, {tally.flawed} cells left out\n"
        )
    return 1 if tally.refused else 0


def _settings(args: argparse.Namespace) -> Settings:
    if args.database and args.config is None:
        return Settings()  # nothing is asked of a configuration
    try:
        return load(args.config)
    except ConfigError as error:
        raise UsageError(str(error)) from error


def _only_area(settings: Settings) -> str | None:
    """The area code that all our lines share, if they do."""
    areas = {line.area for line in settings.line if line.area}
    return areas.pop() if len(areas) == 1 else None


def _after(tally: "Tally", text: str) -> str:
    kept = tally.new + tally.changed
    return f"{text} ({kept} customers are kept; importing again is harmless)" if kept else text


def _say(text: str) -> None:
    sys.stderr.write(f"hotline import: {text}\n")


@dataclass(slots=True)
class Tally:
    """What became of the rows."""

    rows: int = 0
    new: int = 0
    changed: int = 0  # their id was there before, or earlier in the file
    refused: int = 0
    flawed: int = 0  # cells that could not be read in rows that were kept
    ignored: tuple[str, ...] = ()
    problems: list[RowProblem] = field(default_factory=list)

    def note(self, problem: RowProblem) -> None:
        """Tell a problem, as far as anybody would read it."""
        told = self.refused + self.flawed
        if told < _TOLD:
            _say(str(problem))
        elif told == _TOLD:
            _say("more problems follow; --rejects writes every refused row to a file, --json lists the first thousand")
        if len(self.problems) < _LISTED:
            self.problems.append(problem)

    def summary(self, source: CsvFile, rejects: Path | None) -> dict[str, Any]:
        """The counts and the first problems, as JSON."""
        return {
            "file": str(source.path),
            "encoding": source.encoding,
            "delimiter": source.delimiter,
            "rows": self.rows,
            "new": self.new,
            "changed": self.changed,
            "refused": self.refused,
            "cells_left_out": self.flawed,
            "ignored_columns": list(self.ignored),
            "rejects": str(rejects) if rejects else None,
            "problems": [
                {"line": p.line, "column": p.column, "why": p.why.value, "text": p.text} for p in self.problems
            ],
        }


class Rejects(AbstractContextManager["Rejects"]):
    """The file of refused rows, made with the first: the same columns, the reason behind, to be mended and imported."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.written = 0
        self.headers: Sequence[str] = ()
        self._stream: Any = None

    def write(self, problem: RowProblem, cells: Sequence[str]) -> None:
        """Add a row. Raises CsvFileError when the file cannot be written."""
        if self.path is None:
            return
        width = len(self.headers)
        try:
            if self._stream is None:
                self._stream = self.path.open("w", encoding="utf-8-sig", newline="")  # with a mark: Excel asks for it
                csv.writer(self._stream).writerow([*self.headers, "refused_line", "refused_column", "refused_because"])
            row = [*cells[:width], *([""] * (width - len(cells))), problem.line, problem.column or "", problem.text]
            csv.writer(self._stream).writerow([*row, *cells[width:]])
        except OSError as error:
            raise CsvFileError(f"{self.path} cannot be written: {error.strerror or error}") from error
        self.written += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._stream.close()


class Import:
    """One import under way."""

    def __init__(self, source: CsvFile, area: str | None, tally: Tally, rejects: Rejects) -> None:
        self._source, self._area, self._tally, self._rejects = source, area, tally, rejects

    async def into(self, url: str) -> None:
        """Read everything into the database at ``url``. Raises CsvFileError, HeaderError, StorageError."""
        self._header()  # one that is none is told before a database is made
        db = await _open(url)
        try:
            crm = EmbeddedCrm(db)
            await crm.expect_many()
            begun = told = time.monotonic()
            async with aclosing(batches(self._source, self._area)) as coming:
                async for batch in coming:
                    self._note(batch)
                    added = await crm.add_prepared(batch.made)
                    self._tally.new += added.new
                    self._tally.changed += batch.kept - added.new
                    if time.monotonic() - told > _QUIET:
                        told = time.monotonic()
                        self._tell(batch.read, told - begun)
        finally:
            await db.close()

    def _header(self) -> None:
        columns = columns_of(self._source)
        self._rejects.headers = columns.headers
        self._tally.ignored = columns.ignored
        if columns.ignored:
            _say(f"columns that mean nothing to us are left out: {', '.join(columns.ignored)}")

    def _note(self, batch: Batch) -> None:
        self._tally.rows += batch.rows
        for problem, cells in batch.told:
            self._tally.note(problem)
            if cells is None:
                self._tally.flawed += 1
            else:
                self._tally.refused += 1
                self._rejects.write(problem, cells)

    def _tell(self, read: int, seconds: float) -> None:
        percent = 100 * read // max(self._source.size, 1)
        kept = self._tally.new + self._tally.changed
        _say(f"{percent} %, {kept} customers, {kept / seconds:.0f} a second")


async def _open(url: str) -> Database:
    """The database, made if there is none; one of another version is left as it is. Raises StorageError, UsageError."""
    file = sqlite_file(url)
    if file is not None and not file.exists():
        await upgrade(url)
    db = Database.open(url)
    version = await current(db)
    if version is None:
        await upgrade(url)
    elif version != head():
        await db.close()
        raise UsageError("the database is of another version: run `hotline migrate` first")
    return db
