"""Which line of a TOML file a key stands on: tomllib tells values without places. Pure."""

import re

_TABLE = re.compile(r"^\s*\[(?P<array>\[)?\s*(?P<name>[^\]]+?)\s*\]")
_KEY = re.compile(
    r"""^\s*(?P<key>(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*="""
)

Place = tuple[str | int, ...]


def places(text: str) -> dict[Place, int]:
    """Map every table and key path of a sound TOML text to its line (from 1); array tables carry their index.

    Keys inside inline tables and multi-line strings are not told apart: their line is that of the enclosing key.
    """
    found: dict[Place, int] = {}
    counts: dict[Place, int] = {}
    table: Place = ()
    inside: str | None = None  # the quotes that end a multi-line string
    for number, line in enumerate(text.splitlines(), 1):
        if inside:
            if inside in line:
                inside = None
            continue
        if match := _TABLE.match(line):
            table = _resolve(_split(match["name"]), counts)
            if match["array"]:
                index = counts.get(table, 0)
                counts[table] = index + 1
                table = (*table, index)
            found.setdefault(table, number)
        elif match := _KEY.match(line):
            found.setdefault((*table, *_split(match["key"])), number)
            rest = line[match.end() :]
            for quotes in ('"""', "'''"):
                if rest.count(quotes) == 1:
                    inside = quotes
    return found


def line_of(place: Place, known: dict[Place, int]) -> int | None:
    """Line of ``place`` or of the nearest table around it; None when even that is not in the file."""
    while place:
        if place in known:
            return known[place]
        place = place[:-1]
    return None


def _split(name: str) -> Place:
    return tuple(part.strip().strip("\"'") for part in name.split("."))


def _resolve(name: Place, counts: dict[Place, int]) -> Place:
    """Put the current index behind every array table on the way: ``[pbx.cdr]`` belongs to the last ``[[pbx]]``."""
    place: Place = ()
    for part in name[:-1]:
        place = (*place, part)
        if place in counts:
            place = (*place, counts[place] - 1)
    return (*place, name[-1])
