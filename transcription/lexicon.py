"""The words that the summary's rules look for, kept as tables in ``lexicon.toml``. Pure once loaded.

A table is a list of regular expressions over the canonical writing of a turn; those below ``examples`` (in
``examples.toml``) are plain statements by category, to learn from. An admin extends the tables with a file of the same
form: its entries are added to ours.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

_EXAMPLES = "examples."


class LexiconError(ValueError):
    """A lexicon that cannot be used: the message names the table and the fault."""


@dataclass(frozen=True)
class Lexicon:
    """Tables by dotted name (``code.order_no``), each a list of expressions.

    ``memo``: what others worked out from the tables, kept for next time.
    """

    tables: Mapping[str, Sequence[str]]
    memo: dict[str, object] = field(default_factory=dict, compare=False, repr=False)
    _compiled: dict[str, re.Pattern[str]] = field(default_factory=dict, compare=False, repr=False)
    _groups: dict[str, list[str]] = field(default_factory=dict, compare=False, repr=False)

    def __getitem__(self, name: str) -> re.Pattern[str]:
        """The table as one expression. KeyError when there is no such table."""
        if name not in self._compiled:
            self._compiled[name] = _compile(name, self.tables[name])
        return self._compiled[name]

    def group(self, prefix: str) -> list[str]:
        """The last parts of the names of the tables below ``prefix``, in the order of the file."""
        if prefix not in self._groups:
            start = f"{prefix}."
            self._groups[prefix] = [name.removeprefix(start) for name in self.tables if name.startswith(start)]
        return self._groups[prefix]

    def extended(self, toml: str) -> "Lexicon":
        """This lexicon and the tables of ``toml``. LexiconError names what is wrong with it."""
        try:
            more = _flat(tomllib.loads(toml))
        except tomllib.TOMLDecodeError as error:
            raise LexiconError(f"no TOML: {error}") from error
        for name, entries in more.items():
            if name not in self.tables:
                raise LexiconError(f"{name}: there is no such table")
            if not name.startswith(_EXAMPLES):
                _compile(name, entries)
        return Lexicon({name: [*entries, *more.get(name, ())] for name, entries in self.tables.items()})


@cache
def standard() -> Lexicon:
    """The lexicon of the package."""
    room = files("transcription")
    tables: dict[str, list[str]] = {}
    for name in ("lexicon.toml", "examples.toml"):
        tables |= _flat(tomllib.loads(room.joinpath(name).read_text(encoding="utf-8")))
    return Lexicon(tables)


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, list[str]]:
    tables: dict[str, list[str]] = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            tables |= _flat(value, f"{name}.")
        elif isinstance(value, list) and all(isinstance(entry, str) for entry in value):
            tables[name] = value
        else:
            raise LexiconError(f"{name}: a table is a list of strings")
    return tables


def _compile(name: str, entries: Sequence[str]) -> re.Pattern[str]:
    for entry in entries:
        try:
            re.compile(entry)
        except re.error as error:
            raise LexiconError(f"{name}: {entry!r}: {error}") from error
    return re.compile("|".join(f"(?:{entry})" for entry in entries) or "(?!)")
