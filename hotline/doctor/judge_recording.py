"""Is every line recorded so that the recording can be found, told complete, and taken apart? Pure.

From the dialplan (what MixMonitor is told) and from the folder (what came of it).
"""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from hotline.doctor.catalogue import Code
from hotline.doctor.entry import Entry, Way
from hotline.doctor.finding import Report
from hotline.doctor.gathered import Case, Sounds
from hotline.doctor.walk import Met, arguments, options
from hotline.telephony_settings import Line

_UNIQUE = re.compile(
    r"\$\{(?:UNIQUEID|LINKEDID|CHANNEL\((?:uniqueid|linkedid)\)|CDR\((?:uniqueid|linkedid)\))\}", re.IGNORECASE
)
_GUESSABLE = re.compile(r"(?:\$\{STRFTIME\([^}]*\}?[^}/]*,%Y/%m/%d\)\}/)?[^/]*")
_VALUES = re.compile(r"[A-Za-z]\((?:[^()]|\([^()]*\))*\)")  # of options
_CALLER, _AGENT = ("rx", "in", "r"), ("tx", "out", "t")  # as telephony.recordings takes them
_KNOWN = re.compile(rf"{_UNIQUE.pattern}|\$\{{STRFTIME\(\$\{{EPOCH\}}[^}}]*\}}", re.IGNORECASE)
_STALE = 7 * 86400.0


def judge(case: Case, entry: Entry | None, report: Report) -> None:
    """The dialplan's recording and messages, line by line."""
    for line in case.settings.line if entry is not None else ():
        assert entry is not None
        ways = entry.of(line)
        if ways:
            _recording(case, line, ways, report)
            _voicemail(case, line, ways, report)


def _recording(case: Case, line: Line, ways: Sequence[Way], report: Report) -> None:
    if not line.record or case.pbx.recorder is not None:
        return
    subject = f"line {line.number}"
    started = [met for way in ways for met in way.walk.apps("MixMonitor")]
    if started:
        for met in started:
            _one(case, met, report)
        _told(case, line, ways, report)
    elif (doubt := _partial(ways) or _by_queue(case)) is not None:
        report.unknown(subject, f"its recording: {doubt}", "hotline doctor --watch")
    else:
        report.tell(Code.NOT_RECORDED, subject, "its calls meet no MixMonitor, and record is true")


def _partial(ways: Sequence[Way]) -> str | None:
    return next((way.walk.partial for way in ways if way.walk.partial), None)


def _by_queue(case: Case) -> str | None:
    conf = case.files.confs.get("queues.conf") if case.files else None
    recording = conf is not None and any(section.get("monitor-format") for section in conf.sections)
    return "queues.conf has a monitor-format" if recording else None


def _one(case: Case, met: Met, report: Report) -> None:
    name, given, command, *_ = [*arguments(met.args), "", ""]
    if not _UNIQUE.search(name):
        if "${" in name and not re.search(r"\$\{(?:STRFTIME|EPOCH|CALLERID|EXTEN)", name):
            report.unknown(met.where, f"whether {name} holds the Uniqueid", "hotline doctor --watch")
        else:
            report.tell(Code.RECORDING_NAME, met.where, f"MixMonitor writes {name}, without the Uniqueid")
    _legs(met, given, report)
    _mark(case, met, name, command.replace("^{", "${"), report)


def _legs(met: Met, given: str, report: Report) -> None:
    """Both legs, under names that say which is which."""
    named = options(given)
    for leg, option, endings in (("caller", "r", _CALLER), ("agent", "t", _AGENT)):
        name = named.get(option)
        if not name and re.search(r"\$", _VALUES.sub("", given)):
            report.unknown(met.where, f"whether MixMonitor writes legs: {given}", "hotline doctor --watch")
            return
        if not name:
            what = f"MixMonitor does not write the {leg}'s leg"
        elif re.split(r"[-_.]", PurePosixPath(name).stem.lower())[-1] not in endings:
            what = f"MixMonitor writes the {leg}'s leg to {name}, whose name does not end in -{endings[0]}"
        else:
            continue
        report.tell(Code.RECORDING_LEGS, f"{met.where}, {leg}", what)


def _mark(case: Case, met: Met, name: str, command: str, report: Report) -> None:
    """A mark of the configured name, beside the recording."""
    mark, stem = case.settings.recordings_of(case.pbx).mark, name.removesuffix(PurePosixPath(name).suffix)
    what = None
    if mark not in command and command.startswith("${"):
        report.unknown(met.where, f"what MixMonitor runs after a recording: {command}", "hotline doctor --watch")
    elif mark not in command:
        what = f"MixMonitor runs {command or 'nothing'} after the recording, which leaves no {mark}"
    elif stem not in command and "MIXMONITOR_FILENAME" not in command:
        what = f"MixMonitor runs {command} after the recording: not beside {name}"
    elif not name.startswith("/") and case.files is not None:
        spool = case.files.get("asterisk.conf", "directories", "astspooldir", "/var/spool/asterisk")
        folder = command.partition(stem)[0].rpartition(" ")[2]
        if folder.startswith("/") and "$" not in folder and folder != f"{spool}/monitor/":
            what = f"MixMonitor writes below {spool}/monitor, and {command} leaves the mark in {folder}"
    if what is not None:
        report.tell(Code.RECORDING_MARK, met.where, what)


def _told(case: Case, line: Line, ways: Sequence[Way], report: Report) -> None:
    """Whether the names are told by the event that is configured, or can be guessed."""
    wanted = case.pbx.recording_event
    events = [met for way in ways for met in way.walk.apps("UserEvent")]
    if wanted is None or any(_event(met) == wanted for met in events):
        return
    others = sorted({_event(met) for met in events if "File" in met.args} - {case.pbx.voicemail_event})
    names = sorted({arguments(met.args)[0] for way in ways for met in way.walk.apps("MixMonitor")})
    if others:
        what = f"recording_event is {wanted}, and the dialplan sends {', '.join(others)}"
        report.tell(Code.RECORDING_EVENT, f"line {line.number}", what)
    elif _partial(ways) or all(_GUESSABLE.fullmatch(name) for name in names):
        return
    elif any("${" in _KNOWN.sub("", name) for name in names):
        how = "make a test call with --watch"
        report.unknown(f"line {line.number}", f"whether {', '.join(names)} lie where they are looked for", how)
    else:
        what = f"recording_event is {wanted}, and the dialplan never sends it; files are {', '.join(names)}"
        report.tell(Code.RECORDING_EVENT, f"line {line.number}", what)


def _voicemail(case: Case, line: Line, ways: Sequence[Way], report: Report) -> None:
    wanted = case.pbx.voicemail_event
    sent = [met for way in ways for met in way.walk.apps("UserEvent")]
    events = {_event(met) for met in sent}
    boxes = [met for way in ways for met in way.walk.apps("Record", "VoiceMail")]
    partial, subject = _partial(ways), f"line {line.number}"
    if wanted is None:
        if boxes:
            what = f"{boxes[0].where} {boxes[0].app} takes a message, and no voicemail_event is configured"
            report.tell(Code.VOICEMAIL_UNTOLD, subject, what)
    elif wanted not in events and boxes and not partial:
        names = ", ".join(sorted(events)) or "none"
        what = f"voicemail_event is {wanted}; after {boxes[0].app} at {boxes[0].where} the dialplan sends {names}"
        report.tell(Code.VOICEMAIL_EVENT, subject, what)
    elif wanted not in events and partial:
        report.unknown(subject, f"whether {wanted} is sent: {partial}", "hotline doctor --watch, and leave a message")
    for met in sent:
        if _event(met) == wanted and not partial:
            file = next((part for part in arguments(met.args)[1:] if re.match(r"File\s*:", part)), None)
            if file is None or not _UNIQUE.search(file):
                what = f"{wanted} is sent without the message's file" if file is None else f"{wanted} names {file}"
                report.tell(
                    Code.VOICEMAIL_EVENT, met.where, f"{what}: a File: whose name holds ${{UNIQUEID}} is needed"
                )


def _event(met: Met) -> str:
    return arguments(met.args)[0]


def judge_folder(case: Case, sounds: Sounds, now: float, report: Report) -> None:
    """What lies in the recordings folder."""
    recordings = case.settings.recordings_of(case.pbx)
    subject = f"recordings {recordings.root}"
    if sounds.trouble is not None:
        report.tell(Code.RECORDINGS_FOLDER, subject, sounds.trouble)
        return
    if not sounds.looked_at:
        report.unknown(subject, "marks, legs and names: nothing is recorded there yet", "make a test call: --watch")
        return
    if sounds.unreadable:
        what = f"{len(sounds.unreadable)} of the newest {sounds.looked_at} cannot be read, as {sounds.unreadable[0]}"
        report.tell(Code.RECORDINGS_FOLDER, subject, what)
    for code, names, lacking in (
        (Code.RECORDING_MARK, sounds.unmarked, f"no {recordings.mark} beside them"),
        (Code.RECORDING_LEGS, sounds.without_legs, "no legs of the caller and the agent"),
        (Code.RECORDING_NAME, sounds.without_uniqueid, "no Uniqueid in their names"),
    ):
        if names:
            what = f"{len(names)} of the newest {sounds.looked_at} have {lacking}, as {names[0]}"
            report.tell(code, subject, what)
    if sounds.newest is not None and now - sounds.newest > _STALE:
        report.tell(Code.RECORDINGS_STALE, subject, f"the newest is {(now - sounds.newest) / 86400:.0f} days old")
    if not report.has(Code.RECORDING_MARK, Code.RECORDING_LEGS, Code.RECORDING_NAME, Code.RECORDINGS_FOLDER):
        report.well(subject, f"the newest {sounds.looked_at} have marks, legs and Uniqueids")
