"""Tables as files that spreadsheets read: UTF-8 with its mark, and no cell that one would take for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(text: str) -> str:
    """The text as a cell that no spreadsheet reckons with."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def sheet(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A CSV file."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(headers)
    writer.writerows([safe_cell(cell) for cell in row] for row in rows)
    return file.getvalue().encode("utf-8-sig")
