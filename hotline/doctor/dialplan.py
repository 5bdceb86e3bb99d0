"""A dialplan as Asterisk holds it, whichever way it was learnt, and how an extension is looked up in it. Pure.

From ``extensions.conf`` (:func:`of_conf`) or from the rows of AMI's ``ShowDialPlan`` (:func:`of_rows`).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from hotline.doctor.astconf import Conf

_EXTEN = re.compile(r"([^,]+?)\s*,\s*([^,(]+?)\s*(?:\(([^)]*)\))?\s*(?:\+\s*\d+)?\s*,\s*(.*)", re.DOTALL)
_CALL = re.compile(r"([A-Za-z_][\w-]*)\s*(?:\((.*)\)\s*)?", re.DOTALL)
_SPECIAL = frozenset("istTheoaf")
_CLASS = {"X": "0123456789", "Z": "123456789", "N": "23456789"}
_DEEPEST = 16  # contexts that include one another


@dataclass(frozen=True, slots=True)
class Step:
    """One priority of an extension."""

    priority: int
    label: str | None
    app: str
    args: str


@dataclass(slots=True)
class Context:
    """One context: its extensions as written (patterns with their underscore), what it includes, in order."""

    name: str
    extensions: dict[str, list[Step]] = field(default_factory=dict)
    includes: list[str] = field(default_factory=list)
    switches: bool = False

    def add(self, exten: str, step: Step) -> None:
        """One more priority."""
        self.extensions.setdefault(exten, []).append(step)


@dataclass(slots=True)
class Dialplan:
    """All contexts. ``globals`` are the variables of ``[globals]``; ``whole``: nothing could have been left unread."""

    contexts: dict[str, Context] = field(default_factory=dict)
    globals: dict[str, str] = field(default_factory=dict)
    whole: bool = True

    def context(self, name: str) -> Context:
        """The context of this name, made when it is not there."""
        return self.contexts.setdefault(name, Context(name))

    def find(self, context: str, number: str, _depth: int = 0) -> tuple[str, str] | None:
        """Which extension of which context takes ``number``: exact before patterns, own ones before included ones."""
        here = self.contexts.get(context)
        if here is None or _depth > _DEEPEST:
            return None
        if number in here.extensions:
            return context, number
        fitting = [exten for exten in here.extensions if exten.startswith("_") and matches(exten, number)]
        if fitting:
            return context, min(fitting, key=_looseness)
        for included in here.includes:
            found = self.find(included, number, _depth + 1)
            if found is not None:
                return found
        return None

    def reach(self, context: str) -> list[Context]:
        """The context and all it includes."""
        seen: dict[str, Context] = {}
        waiting = [context]
        while waiting:
            name = waiting.pop(0)
            if name in self.contexts and name not in seen:
                seen[name] = self.contexts[name]
                waiting += self.contexts[name].includes
        return list(seen.values())


def matches(pattern: str, number: str) -> bool:
    """Whether ``_0086X.`` and the like take a number; ``.`` is one or more, ``!`` any, ``-`` is for the eye only."""
    compiled = _compiled(pattern)
    return compiled is not None and compiled.fullmatch(number) is not None


def takes_anything(pattern: str) -> bool:
    """Whether the pattern's end takes any characters, line breaks too."""
    return pattern.startswith("_") and pattern.endswith((".", "!"))


def forged(pattern: str) -> str:
    """A number that the pattern takes, with a line break in it where it takes anything."""
    out, rest = "", pattern.removeprefix("_")
    while rest:
        char, rest = rest[0], rest[1:]
        if char in ".!":
            return out + "1\r\n\r\nEvent: Newchannel"
        if char == "[":
            inner, _, rest = rest.partition("]")
            out += inner[:1]
        elif char != "-":
            out += _CLASS.get(char.upper(), char)[0]
    return out


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    out, rest = "", pattern.removeprefix("_")
    while rest:
        char, rest = rest[0], rest[1:]
        if char in ".!":
            out += ".+" if char == "." else ".*"
            break
        if char == "[":
            inner, end, rest = rest.partition("]")
            if not end:
                return None
            out += "[" + inner.replace("\\", "").replace("^", r"\^").replace("[", r"\[") + "]"
        elif char.upper() in _CLASS:
            out += f"[{_CLASS[char.upper()]}]"
        elif char != "-":
            out += re.escape(char)
    try:
        return re.compile(out, re.DOTALL)
    except re.error:
        return None


@cache
def _looseness(pattern: str) -> tuple[int, ...]:
    """Asterisk takes the narrowest first: place by place, fewest digits."""
    places, rest = [], pattern.removeprefix("_")
    while rest:
        char, rest = rest[0], rest[1:]
        if char == "[":
            inner, _, rest = rest.partition("]")
            places.append(len(inner))
        elif char in ".!":
            places.append(99 if char == "." else 100)
        elif char != "-":
            places.append(len(_CLASS.get(char.upper(), "1")))
    return tuple(places)


def call_of(text: str) -> tuple[str, str] | None:
    """``App(args)`` as (app, args); None when it is none."""
    call = _CALL.fullmatch(text.strip())
    return None if call is None else (call[1], call[2] or "")


def of_rows(rows: Iterable[Mapping[str, str]], variables: Mapping[str, str] | None = None) -> Dialplan:
    """From the rows of ``ShowDialPlan``."""
    plan = Dialplan(globals=dict(variables or {}))
    for row in rows:
        context = plan.context(row.get("Context", ""))
        if "IncludeContext" in row:
            context.includes.append(row["IncludeContext"].partition(",")[0].partition("|")[0])
        elif "Switch" in row:
            context.switches = True
        elif row.get("Priority", "").isdigit() and "Extension" in row:
            label = row.get("ExtensionLabel")
            step = Step(int(row["Priority"]), label, row.get("Application", ""), row.get("AppData", ""))
            context.add(row["Extension"], step)
    return plan


def of_conf(conf: Conf) -> Dialplan:
    """From ``extensions.conf`` and what it includes."""
    plan = Dialplan(whole=not conf.gaps)
    for section in conf.sections:
        if section.template or section.name == "general":
            continue
        if section.name == "globals":
            plan.globals |= {item.key: item.value for item in section.items}
            continue
        context = plan.context(section.name)
        last: tuple[str, int] | None = None
        for item in section.items:
            if item.key == "include":
                context.includes.append(item.value.partition(",")[0].partition("|")[0].strip())
            elif item.key in ("switch", "lswitch", "eswitch"):
                context.switches = True
            elif item.key in ("exten", "same"):
                last = _line(context, item.key, item.value, last)
    return plan


def _line(context: Context, key: str, value: str, last: tuple[str, int] | None) -> tuple[str, int] | None:
    """One ``exten =>`` or ``same =>``; the extension and priority that ``same => n`` goes on from."""
    text = value if key == "exten" else f"{last[0] if last else ''},{value}"
    found = _EXTEN.fullmatch(text)
    if found is None or not found[1]:
        return last
    exten, number, label, call = found[1], found[2].strip(), found[3], call_of(found[4])
    if number.isdigit():
        priority = int(number)
    elif number in ("n", "next", "s", "same") and last is not None and last[0] == exten:
        priority = last[1] + (number[0] == "n")
    else:
        return last  # a hint
    if call is not None:
        context.add(exten, Step(priority, label, *call))
    return exten, priority


def is_special(exten: str) -> bool:
    """Whether Asterisk itself goes there (i, t, h...), and no number dialled does."""
    return exten in _SPECIAL
