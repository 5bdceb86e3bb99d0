"""What becomes of a call in a dialplan: every application it may come to, as far as the text tells. Pure.

Variables are filled in where the dialplan sets them to something known; a jump that depends on anything else makes the
walk ``partial``: then what was not met may still be there, and no fault is told for its absence.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from hotline.doctor.dialplan import Dialplan, Step, call_of, forged

_MOST = 4000  # steps: a FreePBX leads a call through some hundreds
_SET = re.compile(r"\s*_{0,2}([A-Za-z]\w*|CALLERID\(\w+\))\s*=(.*)", re.DOTALL)
_HANDLER = re.compile(r"\s*CHANNEL\(hangup_handler_(?:push|wipe)\)\s*=(.*)", re.DOTALL)
_SLICE = re.compile(r"(\w+):(-?\d+)(?::(-?\d+))?")
_CALLER = re.compile(r"CALLERID\((?:num|name|all|ani|dnid|rdnis)\b", re.IGNORECASE)
_DEEPEST = 6
_ENDS = frozenset({"hangup", "return", "macroexit", "busy", "congestion"})


@dataclass(frozen=True, slots=True)
class Met:
    """An application the call may come to; ``args`` with known variables filled in, ``raw`` as written.

    ``exten`` is the extension as written, a pattern perhaps, ``dialled`` the number that it took.
    """

    context: str
    exten: str
    dialled: str
    priority: int
    app: str
    args: str
    raw: str

    @property
    def where(self) -> str:
        """For people."""
        return f"[{self.context}] {self.exten},{self.priority}"


@dataclass(slots=True)
class Walk:
    """The result: ``met`` in order, jumps to what is not there, ``partial`` with the reason.

    ``assigned`` are the values a variable may have had: of several ways to one place only the first is followed on.
    """

    met: list[Met] = field(default_factory=list)
    assigned: dict[str, set[str]] = field(default_factory=dict)
    nowhere: list[tuple[Met, str]] = field(default_factory=list)
    partial: str | None = None

    def apps(self, *names: str) -> list[Met]:
        """Every application of these names."""
        wanted = {name.lower() for name in names}
        return [met for met in self.met if met.app.lower() in wanted]


def walk(plan: Dialplan, context: str, number: str) -> Walk:
    """Follow a call that comes to ``number`` in ``context``."""
    walker = _Walker(plan)
    walker.jump(context, number, "1", None)
    walker.run()
    return walker.found


def arguments(text: str) -> list[str]:
    """An application's arguments: commas inside brackets and braces divide nothing."""
    depth, out, current = 0, [], ""
    for char in text:
        depth += char in "([{"
        depth -= char in ")]}"
        if char == "," and depth <= 0:
            out.append(current.strip())
            current = ""
        else:
            current += char
    return [*out, current.strip()]


def options(text: str) -> dict[str, str]:
    """An application's options: ``br(caller.wav)`` is b without a value and r with one."""
    found, current, depth, begun = {}, "", 0, 0
    for at, char in enumerate(text):
        if depth == 0 and char.isalpha():
            current = char
            found[current] = ""
        depth += char in "([{"
        if depth == 1 and char == "(":
            begun = at + 1
        depth -= char in ")]}"
        if depth == 0 and char == ")" and current:
            found[current] = text[begun:at]
    return found


class _Walker:
    def __init__(self, plan: Dialplan) -> None:
        self._plan = plan
        self.found = Walk(partial=None if plan.whole else "a file it includes is not at hand")
        self._known = dict(plan.globals)
        self._seen: set[tuple[str, str, str, int]] = set()
        self._todo: list[tuple[str, str, str, int]] = []  # context, extension as written, as dialled, priority

    def run(self) -> None:
        """Until nothing new is reached. Depth first: what was set last is what the next step sees."""
        while self._todo:
            place = self._todo.pop()
            if place in self._seen:
                continue
            self._seen.add(place)
            if len(self._seen) > _MOST:
                self.found.partial = f"it goes on after {_MOST} steps"
                return
            self._at(*place)

    def _at(self, context: str, exten: str, dialled: str, priority: int) -> None:
        for step in self._plan.contexts[context].extensions[exten]:
            if step.priority != priority:
                continue
            self._known |= {"EXTEN": dialled, "CONTEXT": context}
            before = len(self._todo)
            ends = [self._one(met) for met in self._met(context, exten, dialled, step)]
            if not all(ends):
                # below the jumps it made: they are taken up first, as a subroutine sets what comes after it
                self._todo.insert(before, (context, exten, dialled, priority + 1))

    def _met(self, context: str, exten: str, dialled: str, step: Step) -> Iterator[Met]:
        """The application of a step; of ExecIf both of its applications."""
        calls: list[tuple[str, str] | None] = [(step.app, step.args)]
        if step.app.lower() == "execif":
            calls = [call_of(branch) for branch in reversed(_branches(step.args))]
        for call in calls:
            if call is not None:
                yield Met(context, exten, dialled, step.priority, call[0], self.fill(call[1]), call[1])
        if step.app.lower() == "execif":
            yield Met(context, exten, dialled, step.priority, "NoOp", "", "")  # neither: the call goes on

    def _one(self, met: Met) -> bool:
        """One application; True when the call does not go on behind it."""
        self.found.met.append(met)
        app = met.app.lower()
        if app in _ENDS:
            return True
        if app in ("goto", "gotoif", "gotoiftime"):
            branches = [met.args] if app == "goto" else [branch.strip() for branch in _branches(met.args)]
            for branch in reversed(branches):
                self._to(met, branch)
            return app == "goto" or (len(branches) > 1 and all(branches))
        if app in ("gosub", "gosubif"):
            for branch in reversed(_branches(met.args) if app == "gosubif" else [met.args]):
                self._to(met, branch)
        elif app in ("set", "mset"):
            self._set(met)
        else:
            self._aside(met, app)
        return False

    def _aside(self, met: Met, app: str) -> None:
        """Applications that lead on elsewhere and come back."""
        if app == "macro":
            name, _, rest = met.args.partition(",")
            self._arguments(rest)
            self._to(met, f"macro-{name},s,1")
        elif app in ("waitexten", "background"):
            self._keys(met)
        elif app == "dial" and "Local/" in met.args:
            self.found.partial = self.found.partial or f"{met.where} goes on in {met.args}"

    def _keys(self, met: Met) -> None:
        """A menu: any extension of the context may be keyed in, or none in time."""
        for part in self._plan.reach(met.context):
            for exten in part.extensions:
                if exten in ("t", "i") or exten.strip("0123456789*#") == "":
                    self.jump(met.context, exten, "1", met)
                elif exten.startswith("_"):
                    self.jump(met.context, forged(exten), "1", met)

    def _set(self, met: Met) -> None:
        handler = _HANDLER.fullmatch(met.raw)
        if handler is not None:
            self._to(met, self.fill(handler[1]))
            return
        assignment = _SET.fullmatch(met.raw)
        if assignment is not None:
            name, value = assignment[1], self.fill(assignment[2])
            self.found.assigned.setdefault(name, set()).add(value)
            # what it was before is not known: under a name of its own, or filling it in would never end
            self._known[name] = value.replace(f"${{{name}}}", f"${{_{name}}}")

    def _arguments(self, text: str) -> None:
        for number, value in enumerate(text.split(",") if text else (), 1):
            self._known[f"ARG{number}"] = value

    def _to(self, met: Met, target: str) -> None:
        """A jump: ``[[context,]exten,]priority[(args)]``, in Gosub's and Goto's own order."""
        place, _, rest = target.strip().partition("(")
        if not place:
            return
        if rest:
            self._arguments(rest.rpartition(")")[0] if ")" in rest else rest)
        parts = [part.strip() for part in place.split(",")]
        if "$" in place:
            self.found.partial = self.found.partial or f"{met.where} jumps to {target.strip()}, known only in the call"
            return
        context = parts[0] if len(parts) > 2 and parts[0] else met.context  # noqa: PLR2004 - context, exten, priority
        exten = parts[-2] if len(parts) > 1 and parts[-2] else None
        self.jump(context, exten, parts[-1], met)

    def jump(self, context: str, exten: str | None, priority: str, met: Met | None) -> None:
        """Go on there; ``exten`` None: in the same extension."""
        if exten is None and met is not None:
            found: tuple[str, str] | None = (met.context, met.exten)
            dialled = self._known["EXTEN"]
        else:
            dialled = exten or ""
            found = self._plan.find(context, dialled) or self._plan.find(context, "i")
        if found is None:
            here = self._plan.reach(context)
            if any(part.switches for part in here):
                self.found.partial = f"[{context}] is looked up elsewhere (switch)"
            elif met is not None:
                self.found.nowhere.append((met, f"{context},{dialled},{priority}"))
            return
        at = self._priority(found, priority)
        if at is None:
            if met is not None and priority not in ("n", ""):
                self.found.nowhere.append((met, f"{found[0]},{dialled},{priority}"))
            return
        self._todo.append((*found, dialled, at))

    def _priority(self, found: tuple[str, str], priority: str) -> int | None:
        steps = self._plan.contexts[found[0]].extensions[found[1]]
        return next((s.priority for s in steps if priority in (str(s.priority), s.label)), None)

    def fill(self, text: str, depth: int = 0) -> str:
        """Known variables put in; what is not known stays as it is written."""
        out, rest = "", text
        while "${" in rest and depth < _DEEPEST:
            before, _, behind = rest.partition("${")
            inner, rest = _closed(behind)
            out += before + self._value(inner, depth)
        return out + rest

    def _value(self, inner: str, depth: int) -> str:
        if inner in self._known:
            return self.fill(self._known[inner], depth + 1)
        cut = _SLICE.fullmatch(inner)
        if cut is not None and cut[1] in self._known:
            value = self.fill(self._known[cut[1]], depth + 1)
            begin, length = int(cut[2]), cut[3]
            piece = value[begin:]
            return piece if length is None else piece[: int(length)]
        only = re.fullmatch(r"FILTER\(([^,]*),(.*)\)", inner, re.DOTALL)
        if only is not None:
            value = self.fill(only[2], depth + 1)
            if "$" not in value:
                allowed = only[1].replace("\\", "")
                return "".join(c for c in value if re.match(f"[{re.escape(allowed).replace(chr(92) + '-', '-')}]", c))
        return "${" + inner + "}"


def _branches(text: str) -> list[str]:
    """``cond?a:b`` as [a, b]; the colons inside brackets and braces are not the dividing one."""
    depth, out, current = 0, [], ""
    question = _outside(text, "?")
    for char in text[question + 1 :] if question >= 0 else text:
        depth += char in "([{"
        depth -= char in ")]}"
        if char == ":" and depth <= 0:
            out.append(current)
            current = ""
        else:
            current += char
    return [*out, current]


def _outside(text: str, wanted: str) -> int:
    depth = 0
    for at, char in enumerate(text):
        depth += char in "([{"
        depth -= char in ")]}"
        if char == wanted and depth <= 0:
            return at
    return -1


def _closed(text: str) -> tuple[str, str]:
    """What stands before the brace that closes, and what behind it."""
    depth = 1
    for at, char in enumerate(text):
        depth += char == "{"
        depth -= char == "}"
        if depth == 0:
            return text[:at], text[at + 1 :]
    return text, ""


def callers_own(text: str) -> bool:
    """Whether the text holds what the caller wrote (his number, his name) without a filter around it."""
    rest = text
    while "${" in rest:
        _, _, behind = rest.partition("${")
        inner, rest = _closed(behind)
        bare = inner.lstrip().upper()
        if bare.startswith(("FILTER(", "LEN(", "MD5(", "SHA1(", "URIENCODE(", "BASE64_ENCODE(")):
            continue
        if _CALLER.search(inner):
            return True
    return False
