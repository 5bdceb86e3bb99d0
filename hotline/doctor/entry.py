"""Where the carrier's calls enter the dialplan, and what becomes of each of our numbers there. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hotline.doctor.dialplan import Dialplan
from hotline.doctor.gathered import Case
from hotline.doctor.walk import Walk, walk
from hotline.telephony_settings import Line

_REFUSING = frozenset(
    {"hangup", "congestion", "busy", "noop", "set", "goto", "gotoif", "wait", "progress", "log", "verbose", "playtones",
     "return", "resetcdr", "gosub", "gosubif", "macro", "execif"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Way:
    """What becomes of one number of a line in one context."""

    line: Line
    number: str
    context: str
    walk: Walk

    @property
    def answered(self) -> bool:
        """Whether anything is done with the call but refusing it."""
        return leads_on(self.walk)


@dataclass(frozen=True, slots=True)
class Entry:
    """``contexts`` are the trunks', ``guessed`` when nobody told them; ``ways`` follow each number from there."""

    plan: Dialplan
    contexts: tuple[str, ...]
    guessed: bool
    ways: tuple[Way, ...]

    def of(self, line: Line) -> list[Way]:
        """The ways of a line that lead on."""
        return [way for way in self.ways if way.line == line and way.answered]


def leads_on(found: Walk) -> bool:
    """Whether a walk comes to anything but a refusal, or to where it can no longer be followed."""
    return found.partial is not None or any(met.app.lower() not in _REFUSING for met in found.met)


def enter(case: Case) -> Entry | None:
    """Follow every number of ours; None without a dialplan or without an idea where its calls enter."""
    plan = case.plan
    if plan is None:
        return None
    known = tuple(dict.fromkeys(context for context in _told(case).values() if context in plan.contexts))
    contexts = known or _guessed(plan, case.settings.line)
    if not contexts:
        return None
    ways = [
        Way(line, number, context, walk(plan, context, number))
        for context in contexts
        for line in case.settings.line
        for number in (line.number, *line.aliases)
    ]
    return Entry(plan, contexts, not known, tuple(ways))


def _told(case: Case) -> Mapping[str, str]:
    """The trunks' contexts, as the PBX or its files tell."""
    found = {trunk: case.answers.contexts[trunk] for trunk in case.pbx.trunks if trunk in case.answers.contexts}
    if case.files is None:
        return found
    for trunk in case.pbx.trunks:
        context = context_in_files(case, trunk)
        if trunk not in found and context is not None:
            found[trunk] = context
    return found


def context_in_files(case: Case, endpoint: str) -> str | None:
    """The context of ``PJSIP/name`` or ``SIP/name`` in the PBX's files."""
    technology, _, name = endpoint.partition("/")
    conf = case.files.confs.get("pjsip.conf" if technology == "PJSIP" else "sip.conf") if case.files else None
    if conf is None:
        return None
    for section in conf.named(name):
        if technology == "SIP" or section.get("type") == "endpoint":
            return section.get("context", "default")
    return None


def _guessed(plan: Dialplan, lines: Sequence[Line]) -> tuple[str, ...]:
    """Contexts that name one of our numbers and that no other of them jumps to."""
    numbers = {number for line in lines for number in (line.number, *line.aliases)}
    naming = [name for name, context in plan.contexts.items() if numbers & context.extensions.keys()]
    targets = {
        met.context
        for name in naming
        for number in numbers & plan.contexts[name].extensions.keys()
        for met in walk(plan, name, number).met
        if met.context != name
    }
    return tuple(name for name in naming if name not in targets)
