"""A statement of the operator's for somebody else's database: read here before any database sees it. Pure.

It may only ask. The lexer knows strings, quoted names and comments, so that what stands in them is neither taken for a
placeholder nor for a word that writes. It is the first of three locks: the session is read-only, and the database user
should have no other right than SELECT.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

_OPAQUE = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ | --[^\n]* | /\*.*?\*/""",
    re.VERBOSE | re.DOTALL,
)
_PLACEHOLDER = re.compile(r"(?<![:\w]):([A-Za-z_]\w*)")
_WORD = re.compile(r"[A-Za-z_]\w*")
_WRITES = re.compile(
    r"\b(into|update|delete|truncate|drop|alter|create|grant|revoke|attach|for\s+(?:no\s+key\s+|key\s+)?share"
    r"|lock\s+in\s+share\s+mode|pg_terminate_backend|pg_cancel_backend|nextval|setval|load_file|load_extension)\b",
    re.IGNORECASE,
)


class StatementError(ValueError):
    """The statement cannot be used; the text says why."""


class Style(StrEnum):
    """How a driver wants its parameters."""

    NUMBERED = "numbered"  # $1, PostgreSQL
    NAMED = "named"  # :name, SQLite
    PERCENT = "percent"  # %(name)s, MySQL


@dataclass(frozen=True, slots=True)
class Statement:
    """One question. ``name``: as the file has it (``find``). ``text``: without a semicolon at its end."""

    name: str
    text: str

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The names that values are wanted for, each once, in order."""
        return tuple(dict.fromkeys(_PLACEHOLDER.findall(self.code)))

    @property
    def code(self) -> str:
        """The text with blanks where strings, quoted names and comments stood."""
        return _OPAQUE.sub(lambda found: " " * len(found[0]), self.text)

    @property
    def words(self) -> frozenset[str]:
        """Every name and keyword, in lower case; quoted names too."""
        quoted = {found[0][1:-1] for found in _OPAQUE.finditer(self.text) if found[0][0] in '"`'}
        return frozenset(_WORD.findall(self.code.lower())) | quoted

    def rendered(self, style: Style) -> str:
        """For a driver."""
        if style is Style.NAMED:
            return self.text
        order = self.placeholders
        if style is Style.NUMBERED:
            return self._filled(lambda name: f"${order.index(name) + 1}", str)
        return self._filled(lambda name: f"%({name})s", lambda text: text.replace("%", "%%"))

    def within(self, outer: str) -> "Statement":
        """This statement as a table of another: ``outer`` has ``{}`` where it stands."""
        return Statement(self.name, outer.replace("{}", f"(\n{self.text}\n)"))

    def _filled(self, put: Callable[[str], str], keep: Callable[[str], str]) -> str:
        parts, at = [], 0
        for found in _PLACEHOLDER.finditer(self.code):
            parts += [keep(self.text[at : found.start()]), put(found[1])]
            at = found.end()
        return "".join((*parts, keep(self.text[at:])))


def read_statement(name: str, text: str) -> Statement:
    """The statement as it may be used. Raises StatementError with every fault."""
    statement = Statement(name, re.sub(r"[\s;]+$", "", text))
    faults = list(_faults(statement))
    if faults:
        raise StatementError(f"{name}: {'; '.join(faults)}")
    return statement


def read_setting(text: str) -> str:
    """A statement for the beginning of each session (row level security, a search path). Raises StatementError."""
    statement = Statement("session_init", re.sub(r"[\s;]+$", "", text))
    if not re.match(r"\s*(set\b(?!\s+(global|persist))|select\b|use\b|pragma\b)", statement.code, re.IGNORECASE):
        raise StatementError("session_init: a statement there begins with SET, SELECT, USE or PRAGMA")
    if ";" in statement.code:
        raise StatementError("session_init: several statements in one; write a list")
    if found := _WRITES.search(statement.code):
        raise StatementError(f"session_init: it writes: {found[0].upper()}")
    return statement.text


def _faults(statement: Statement) -> Iterator[str]:
    code = statement.code
    if not code.strip():
        yield "is empty"
        return
    if ";" in code:
        yield "several statements in one"
    if not re.match(r"[\s(]*(select|with)\b", code, re.IGNORECASE):
        yield "begins with neither SELECT nor WITH: nothing is written into this database"
    if found := _WRITES.search(code):
        yield f"{' '.join(found[0].upper().split())} in a statement that may only read"
    if "/*!" in statement.text:
        yield "a comment that MySQL would carry out"
    if re.search(r"['\"`]|/\*|\*/", code):
        yield "a quote or a comment that does not end"
    if re.search(r"(?<!\w)\$\d|%\(\w+\)s", code):
        yield "values are put in by :name"
