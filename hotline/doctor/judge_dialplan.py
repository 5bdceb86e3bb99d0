"""Trunks, contexts and our numbers in the dialplan, and what a caller may do to it. Pure."""

from collections.abc import Iterator

from hotline.doctor.catalogue import Code
from hotline.doctor.dialplan import forged, is_special, takes_anything
from hotline.doctor.entry import Entry, context_in_files, leads_on
from hotline.doctor.finding import Report
from hotline.doctor.gathered import Case, Reach
from hotline.doctor.walk import Met, callers_own, walk
from telephony.lines import Lines

_OUTSIDE = ("13912345678", "013912345678", "0085221234567", "9013912345678", "913912345678")
"""Numbers that nobody should be able to dial through the PBX from outside."""
_WRITING = ("mixmonitor", "monitor", "record", "system", "trysystem", "userevent", "queuelog", "agi", "eagi", "deadagi")
_INVALID = "INVALID"
_LONGEST = 120


def judge(case: Case, entry: Entry | None, report: Report) -> None:
    """Everything between the carrier and the queue but queues, recording and messages."""
    _trunks(case, report)
    if entry is None:
        if case.plan is None:
            if case.answers.reach is Reach.IN or case.files is not None:
                report.unknown(case.subject, "the dialplan", "write = reporting lets it be asked for; or --pbx-config")
        elif not report.has(Code.TRUNK_CONTEXT, Code.TRUNK_UNKNOWN):
            what = "no context of the dialplan names any of our numbers"
            report.tell(Code.NUMBER_MISSING, case.subject, what)
        return
    if entry.guessed:
        how = "load func_pjsip_endpoint.so, or give --pbx-config"
        report.unknown(case.subject, f"the trunk's context, taken to be {', '.join(entry.contexts)}", how)
    _inside(case, entry, report)
    _numbers(case, entry, report)
    _aliases(case, entry, report)
    _wildcards(entry, report)
    _callers_text(entry, report)
    for way in entry.ways:
        for met, target in way.walk.nowhere if way.answered and entry.plan.whole else ():
            report.tell(Code.JUMP_NOWHERE, met.where, f"{met.app}({_short(met.raw)}): there is no {target}")


def _trunks(case: Case, report: Report) -> None:
    for trunk in case.pbx.trunks:
        technology, slash, name = trunk.partition("/")
        if not slash:
            what = f"{trunk} has no technology before it, and channels are named after it: PJSIP/{trunk}"
            report.tell(Code.TRUNK_UNKNOWN, f"{case.subject}, trunk {trunk}", what, f'trunks = ["PJSIP/{trunk}"]')
            continue
        conf = case.files.confs.get("pjsip.conf") if case.files and technology == "PJSIP" else None
        there = None if conf is None or conf.gaps else any(s.get("type") == "endpoint" for s in conf.named(name))
        if case.answers.trunks.get(trunk) == _INVALID and technology in ("PJSIP", "SIP", "IAX2"):
            report.tell(Code.TRUNK_UNKNOWN, f"{case.subject}, trunk {trunk}", f"the PBX knows no device {trunk}")
            continue
        if there is False and trunk not in case.answers.trunks:
            report.tell(Code.TRUNK_UNKNOWN, f"{case.subject}, trunk {trunk}", f"pjsip.conf has no endpoint [{name}]")
            continue
        context = case.answers.contexts.get(trunk) or context_in_files(case, trunk)
        if context is not None and case.plan is not None and case.plan.whole and context not in case.plan.contexts:
            what = f"its context is {context}, and the dialplan has none of that name"
            report.tell(Code.TRUNK_CONTEXT, f"{case.subject}, trunk {trunk}", what)
        elif context is not None:
            report.well(f"{case.subject}, trunk {trunk}", f"enters the dialplan in {context}")


def _inside(case: Case, entry: Entry, report: Report) -> None:
    """Whether a call from outside can be led out again, or into what only agents may dial."""
    names = [trunk.partition("/")[2] for trunk in case.pbx.trunks]
    phones = {context for device, context in case.answers.contexts.items() if device not in case.pbx.trunks}
    pjsip = case.files.confs.get("pjsip.conf") if case.files else None
    for section in pjsip.users if pjsip else ():
        if section.get("type") == "endpoint" and section.name.isdigit():
            phones.add(section.get("context") or "default")
    for context in entry.contexts:
        reached = {part.name for part in entry.plan.reach(context)}
        shared = sorted(reached & phones)
        if shared:
            what = f"{context} is or includes {', '.join(shared)}, where agents' phones dial"
            report.tell(Code.TRUNK_INSIDE, f"{case.subject}, context {context}", what)
        for number in _OUTSIDE:
            out = [
                met
                for met in walk(entry.plan, context, number).apps("Dial")
                if any(f"@{name}" in met.args or f"/{name}/" in met.args for name in names)
            ]
            if out:
                what = f"a caller who dials {number} comes to {out[0].app}({_short(out[0].args)}) at {out[0].where}"
                report.tell(Code.TRUNK_INSIDE, f"{case.subject}, context {context}", what)
                break


def _numbers(case: Case, entry: Entry, report: Report) -> None:
    for line in case.settings.line:
        for number in (line.number, *line.aliases):
            ways = [way for way in entry.ways if way.line == line and way.number == number]
            if any(way.answered for way in ways):
                report.well(f"line {line.number}", f"{number} is answered in {ways[0].context}")
                continue
            end = next((met for way in ways for met in reversed(way.walk.met)), None)
            says = f"it ends at {end.where} {end.app}()" if end else "no extension takes it"
            what = f"{number} comes to nothing in {', '.join(entry.contexts)}: {says}"
            report.tell(Code.NUMBER_MISSING, f"line {line.number}", what)


def _aliases(case: Case, entry: Entry, report: Report) -> None:
    """Numbers the dialplan leads where it leads ours, and that are none of ours here."""
    lines = Lines({line.number: line.aliases for line in case.settings.line})
    for context in entry.contexts:
        for part in entry.plan.reach(context):
            for exten in part.extensions:
                if exten.startswith("_") or not exten.lstrip("+").isdigit() or lines.number(exten) is not None:
                    continue
                met = walk(entry.plan, part.name, exten).met
                ours = next((n for step in met if (n := lines.number(step.dialled)) is not None), None)
                if ours is not None:
                    what = f"the dialplan leads {exten} where it leads {ours}, and {exten} is no alias of it here"
                    report.tell(Code.ALIAS_MISSING, f"line {ours}", what, f'aliases = ["{exten}"] for the line {ours}')


def _wildcards(entry: Entry, report: Report) -> None:
    for context in entry.contexts:
        refused = []
        for part in entry.plan.reach(context):
            for exten in part.extensions:
                if not takes_anything(exten) or is_special(exten):
                    continue
                found = walk(entry.plan, part.name, forged(exten))
                if not leads_on(found):
                    refused.append(exten)
                    continue
                end = next((met for met in found.met if met.app.lower() not in ("noop", "set", "goto")), None)
                what = f"it takes any number, line breaks too, and goes on to {end.app if end else 'unknown places'}"
                report.tell(Code.WILDCARD, f"[{part.name}] {exten}", what)
        if refused:
            what = f"{', '.join(refused)}: any number is taken, line breaks too, and refused"
            report.tell(Code.WILDCARD_REFUSED, f"[{context}]", what)


def _callers_text(entry: Entry, report: Report) -> None:
    for met in _met(entry):
        if met.app.lower() in _WRITING and callers_own(met.args):
            what = f"{met.app}({_short(met.raw)}) holds what the caller wrote, unfiltered"
            report.tell(Code.CALLER_TEXT, met.where, what)


def _met(entry: Entry) -> Iterator[Met]:
    for way in entry.ways:
        yield from way.walk.met


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
