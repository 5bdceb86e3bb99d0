"""A CSV file as people export it: encodings, separators, broken lines. Streams: a million rows cost no memory.

Knows records only, not what a column means (:mod:`crm.mapping`).
"""

import codecs
import csv
import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, Self

from crm.mapping import RowProblem, Why

LONGEST_LINE = 200_000  # characters
MOST_LINES = 200  # a record's; a quote never closed would else swallow the rest of the file
_LONGEST_PLAIN = 100_000  # the CSV reader refuses longer cells
_TOLD = 64  # lines between two looks at how far the file is read
_BLOCK = 1 << 20
_DELIMITERS = ",;\t|"
_REPLACED = "\ufffd"
_MAGIC = (
    (b"PK\x03\x04", "an Excel workbook (.xlsx): save it as CSV UTF-8 first"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls): save it as CSV first"),
    (b"%PDF", "a PDF"),
)


class CsvFileError(Exception):
    """The file as a whole cannot be read: the message says why and what to do."""


class Record(NamedTuple):
    """One record, begun in line ``line`` (the first is 1): its cells, or with ``problem`` what was there as text."""

    line: int
    cells: list[str]
    problem: RowProblem | None = None


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A file whose encoding and separator are known."""

    path: Path
    size: int  # bytes
    encoding: str
    delimiter: str

    @classmethod
    def look_at(cls, path: Path, encoding: str | None = None) -> Self:
        """Find encoding and separator; reads the file once. Raises CsvFileError."""
        try:
            size = path.stat().st_size
            with path.open("rb") as stream:
                encoding = _known_codec(encoding) if encoding else _detect(stream)
                stream.seek(0)
                text = io.TextIOWrapper(stream, encoding, errors="replace", newline="")
                first = next((line for line in iter(lambda: text.readline(LONGEST_LINE), "") if line.strip()), "")
        except OSError as error:
            raise CsvFileError(f"{path} cannot be read: {error.strerror or error}") from error
        except UnicodeError as error:
            raise CsvFileError(f"{path} is not {encoding}: {error}; leave --encoding out to have it found") from error
        if not first:
            raise CsvFileError(f"{path} is empty: the first row must name the columns")
        return cls(path, size, encoding, _delimiter(first))

    def records(self, seen: list[int] | None = None) -> Iterator[Record]:
        """Every record that is not blank, the header first; ``seen[0]`` follows the bytes read. Raises CsvFileError."""
        try:
            with self.path.open("rb") as stream:
                text = io.TextIOWrapper(stream, self.encoding, errors="replace", newline="")
                for record in self._parsed(_Lines(text)):
                    if seen is not None and not record.line % _TOLD:
                        seen[0] = stream.tell()
                    yield record
                if seen is not None:
                    seen[0] = stream.tell()
        except (OSError, UnicodeError) as error:  # the disk, or a UTF-16 file that stops in mid-character
            raise CsvFileError(f"{self.path} cannot be read to its end: {error}") from error

    def _parsed(self, lines: "_Lines") -> Iterator[Record]:
        reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
        while True:
            lines.begin()
            line = lines.plain()
            if line is not None and _REPLACED not in line:
                cells = line.rstrip("\r\n").split(self.delimiter)
                if any(cells) and not lines.is_separator_hint():
                    yield Record(lines.first, cells)
                continue
            if line is not None:
                lines.back()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except (csv.Error, _EndlessError) as error:
                yield lines.refuse(str(error))
                continue
            if any(_REPLACED in cell for cell in cells):
                yield lines.refuse(f"holds bytes that are not {self.encoding}", Why.NOT_TEXT, cells)
            elif any(cells) and not lines.is_separator_hint():
                yield Record(lines.first, cells)


class _EndlessError(Exception):
    """A record or line goes on for too long."""


class _Lines:
    """Lines for the CSV reader, which can be taken back when they turn out not to belong to a broken record."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._again: deque[str] = deque()
        self._taken: list[str] = []
        self._passed = 0  # lines before the record under way

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if len(self._taken) >= MOST_LINES:
            raise _EndlessError(f"a quote is opened and not closed within {MOST_LINES} lines")
        line = self._again.popleft() if self._again else self._text.readline(LONGEST_LINE)
        if not line:
            raise StopIteration
        self._taken.append(line)
        if len(line) >= LONGEST_LINE and line[-1] not in "\r\n":
            while (rest := self._text.readline(LONGEST_LINE)) and rest[-1] not in "\r\n":
                pass
            raise _EndlessError(f"longer than {LONGEST_LINE} characters")
        return line

    def plain(self) -> str | None:
        """The next record, if it is a line that only has to be cut at its separators; else nothing is taken."""
        line = self._again.popleft() if self._again else self._text.readline(LONGEST_LINE)
        if '"' not in line and 0 < len(line) < _LONGEST_PLAIN:
            self._taken.append(line)
            return line
        if line:
            self._again.appendleft(line)
        return None

    def back(self) -> None:
        """What was taken was not wanted that way."""
        self._again.extendleft(reversed(self._taken))
        self._taken = []

    @property
    def first(self) -> int:
        """The number of the record's first line."""
        return self._passed + 1

    def begin(self) -> None:
        """The next record."""
        self._passed += len(self._taken)
        self._taken = []

    def is_separator_hint(self) -> bool:
        """Whether this is ``sep=;``, which Excel reads and writes as the first line."""
        return self._passed == 0 and self._taken[0].strip().lower()[:-1] == "sep="

    def refuse(self, text: str, why: Why = Why.NOT_CSV, cells: list[str] | None = None) -> Record:
        """The record as a problem. Unless it was parsed only its first line is lost, the others are read again."""
        if cells is None:
            cells = [self._taken[0].rstrip("\r\n")[:1000]] if self._taken else []
            self._again.extendleft(reversed(self._taken[1:]))
            del self._taken[1:]
        return Record(self.first, cells, RowProblem(self.first, None, why, text))


def _known_codec(name: str) -> str:
    try:
        io.TextIOWrapper(io.BytesIO(), name)  # refuses base64, which codecs.lookup knows as well
        return codecs.lookup(name).name
    except LookupError as error:
        raise CsvFileError(f"no such encoding: {name}; use utf-8, gb18030 or utf-16") from error


def _detect(stream: BinaryIO) -> str:
    """UTF-16 and UTF-8 by their marks; else UTF-8 if all of it or nearly all is; else GB18030, which holds GBK."""
    head = stream.read(4096)
    for magic, what in _MAGIC:
        if head.startswith(magic):
            raise CsvFileError(f"this is {what}")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if len(head) > 1 and head.count(0) > len(head) // 5:
        # ASCII letters and separators in UTF-16 have a zero byte, always on the same side.
        return "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
    stream.seek(0)
    good, bad = _count_utf8(stream)
    # One bad byte among much good UTF-8 is damage to a row; GBK text is hardly ever sound UTF-8 by chance.
    return "utf-8" if not bad or good > 10 * bad else "gb18030"


def _count_utf8(stream: BinaryIO) -> tuple[int, int]:
    """How many characters beyond ASCII are sound UTF-8, and how many places are not."""
    good = bad = 0
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    while block := stream.read(_BLOCK):
        text = decoder.decode(block)
        wrong = text.count(_REPLACED)
        bad += wrong
        good += len(text) - len(text.encode("ascii", "ignore")) - wrong
    return good, bad + decoder.decode(b"", final=True).count(_REPLACED)


def _delimiter(line: str) -> str:
    """The separator that the header uses most, outside quotes; a comma where there is only one column."""
    if line.lower().startswith("sep=") and len(line.strip()) == len("sep=,"):
        return line.strip()[-1]
    outside = "".join(line.split('"')[::2])
    return max(_DELIMITERS, key=outside.count)
