"""Numbers that several customers have, found among a million without holding them in memory.

They are put down in a file of this process's own that is gone when it is closed; the service's database has no part in
it. Used from one thread at a time.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Self


class Doubles:
    """Put numbers in, ask which came from several customers, close."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("", check_same_thread=False, isolation_level=None)  # on disk, without a name
        self._file.execute(
            "CREATE TABLE numbers (number TEXT, customer TEXT, PRIMARY KEY (number, customer)) WITHOUT ROWID"
        )
        self._file.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, numbers: Iterable[tuple[str, str]]) -> None:
        """Numbers, each with its customer's id."""
        self._file.executemany("INSERT OR IGNORE INTO numbers VALUES (?, ?)", numbers)

    def several(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Every number of several customers, with their ids, in order."""
        several = "SELECT number FROM numbers GROUP BY number HAVING count(*) > 1 ORDER BY number"
        theirs = "SELECT customer FROM numbers WHERE number = ? ORDER BY customer"
        for (number,) in self._file.execute(several).fetchall():
            yield number, tuple(customer for (customer,) in self._file.execute(theirs, (number,)))
