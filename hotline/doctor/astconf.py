"""Asterisk's configuration files as Asterisk reads them: sections, templates, includes, comments. Pure.

``[name](!)`` is a template, ``[name](base,other)`` inherits, ``[name](+)`` adds to one that is there. Of a key that is
there twice the last one counts, as in Asterisk. ``#exec`` is not run; its presence is noted, as something may come out.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

_HEAD = re.compile(r"\[([^\]]+)\]\s*(?:\(([^)]*)\))?")
_INCLUDE = re.compile(r"#(try)?include\s+[\"<]?([^\">]+)[\">]?")
_DEEPEST = 10  # files that include one another, as Asterisk's own limit

Reader = Callable[[str], Sequence[tuple[str, str]] | None]
"""Files of a name or a pattern as written after ``#include``: (name, text) each; None where there is none to read."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line ``key = value``; ``where`` is ``file:line`` for people."""

    key: str
    value: str
    where: str


@dataclass(slots=True)
class Section:
    """One ``[name]``; ``items`` begin with what it inherits."""

    name: str
    template: bool
    items: list[Item] = field(default_factory=list)

    def get(self, key: str, default: str | None = None) -> str | None:
        """The value that counts."""
        return next((item.value for item in reversed(self.items) if item.key == key), default)

    def all(self, key: str) -> list[str]:
        """Every value of a key that may be repeated, in order."""
        return [item.value for item in self.items if item.key == key]


@dataclass(slots=True)
class Conf:
    """One configuration file with all it includes. ``gaps`` are what could not be read: names for people."""

    sections: list[Section] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)

    def named(self, name: str) -> list[Section]:
        """Every section of this name: pjsip.conf has an endpoint, an aor and an auth of one name."""
        return [section for section in self.sections if section.name == name and not section.template]

    def get(self, section: str, key: str, default: str | None = None) -> str | None:
        """The value that counts in the sections of this name."""
        found = [value for part in self.named(section) if (value := part.get(key)) is not None]
        return found[-1] if found else default

    def all(self, section: str, key: str) -> list[str]:
        """Every value of a repeated key in the sections of this name."""
        return [value for part in self.named(section) for value in part.all(key)]

    @property
    def users(self) -> Iterator[Section]:
        """Every section that is neither a template nor ``[general]``."""
        return (section for section in self.sections if not section.template and section.name != "general")


def read(name: str, reader: Reader) -> Conf | None:
    """The configuration ``name`` ("manager.conf"); None when there is no such file to read."""
    found = reader(name)
    if found is None:
        return None
    conf = Conf()
    for file, text in found:
        _parse(conf, file, text, reader, 0)
    return conf


def _parse(conf: Conf, file: str, text: str, reader: Reader, depth: int) -> None:
    conf.files.append(file)
    for number, line in _lines(text):
        if line.startswith("#"):
            _directive(conf, line, reader, depth)
        elif head := _HEAD.match(line):
            _open(conf, head[1].strip(), head[2] or "")
        elif conf.sections and "=" in line:
            key, _, value = line.partition("=")
            item = Item(key.strip(), value.removeprefix(">").strip(), f"{file}:{number}")
            conf.sections[-1].items.append(item)


def _directive(conf: Conf, line: str, reader: Reader, depth: int) -> None:
    include = _INCLUDE.match(line)
    if include is None:
        if line.startswith("#exec"):
            conf.gaps.append(line)
        return
    found = reader(include[2].strip()) if depth < _DEEPEST else None
    if found is None and include[1] is None:
        conf.gaps.append(line)
    for file, text in found or ():
        _parse(conf, file, text, reader, depth + 1)


def _open(conf: Conf, name: str, options: str) -> None:
    marks = [mark.strip() for mark in options.split(",") if mark.strip()]
    if "+" in marks:
        present = next((section for section in reversed(conf.sections) if section.name == name), None)
        if present is not None:
            conf.sections.remove(present)
            conf.sections.append(present)  # what follows is added to it
            return
    section = Section(name, "!" in marks)
    for base in marks:
        for parent in conf.sections:
            if parent.name == base:
                section.items += parent.items
    conf.sections.append(section)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines without comments: ``;`` to the end unless escaped, ``;--`` to ``--;`` over lines."""
    inside = False
    for number, raw in enumerate(text.splitlines(), 1):
        rest, kept = raw, ""
        while rest:
            if inside:
                _, end, rest = rest.partition("--;")
                inside = not end
                continue
            at = _comment(rest)
            if at is None:
                kept += rest
                break
            kept += rest[:at]
            if not rest.startswith(";--", at) or rest.startswith(";---", at):
                break
            inside, rest = True, rest[at + 3 :]
        line = kept.replace("\\;", ";").strip()
        if line:
            yield number, line


def _comment(text: str) -> int | None:
    at = text.find(";")
    while at > 0 and text[at - 1] == "\\":
        at = text.find(";", at + 1)
    return None if at < 0 else at
