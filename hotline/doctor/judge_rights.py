"""What our AMI user hears and may do: enough, and nothing more. Pure."""

from collections.abc import Sequence

from hotline.doctor.astconf import Item
from hotline.doctor.catalogue import Code
from hotline.doctor.entry import Entry
from hotline.doctor.filters import HELPFUL, NEEDED, UNNEEDED, Filters
from hotline.doctor.finding import Report
from hotline.doctor.gathered import Case, Reach
from hotline.doctor.judge_manager import is_yes
from hotline.doctor.modules import used

_NEEDED = ("call", "agent", "user")
_TOO_MUCH = ("all", "dtmf", "verbose", "security", "command", "agi", "dialplan")
_MODULES = {
    "app_queue.so": "queues",
    "app_mixmonitor.so": "recordings",
    "app_userevent.so": "the dialplan's own events",
    "pbx_config.so": "the dialplan",
}
_DANGEROUS = (
    "Originate",
    "Command",
    "Redirect",
    "Setvar",
    "UpdateConfig",
    "DBPut",
    "ModuleLoad",
    "MixMonitor",
    "Hangup",
)


def judge(case: Case, entry: Entry | None, report: Report) -> None:
    """Classes, filter, actions, modules."""
    _classes(case, report)
    _actions(case, report)
    _filter(case, report)
    _modules(case, entry, report)
    dangerous = is_yes(
        case.files.get("asterisk.conf", "options", "live_dangerously") if case.files else None, default=False
    )
    if case.answers.dangerous or dangerous:
        report.tell(Code.DANGEROUS, case.subject, "live_dangerously = yes: a file's existence could be asked by Getvar")
    if case.answers.own is not None:
        report.tell(Code.CONFIG_READABLE, case.subject, f"{case.pbx.user} could read manager.conf by AST_CONFIG()")


def _user_lines(case: Case) -> list[Item] | None:
    """Our user's lines in manager.conf, from the file or as the PBX told them."""
    if case.files is not None and "manager.conf" in case.files.confs:
        found = case.files.confs["manager.conf"].named(case.pbx.user)
        return [item for part in found for item in part.items] if found else None
    if case.answers.own is not None:
        told = [Item(key, value, "AST_CONFIG") for key, value in case.answers.own.items()]
        return told + [Item("eventfilter", text, "AST_CONFIG") for text in case.answers.filters]
    return None


def _given(lines: Sequence[Item], key: str) -> frozenset[str] | None:
    values = [item.value for item in lines if item.key == key]
    return frozenset(part.strip() for part in values[-1].split(",") if part.strip()) if values else frozenset()


def _classes(case: Case, report: Report) -> None:
    subject, lines = f"{case.subject}, user {case.pbx.user}", _user_lines(case)
    given = None if lines is None else _given(lines, "read")
    if given is not None:
        missing = [name for name in _NEEDED if name not in given and "all" not in given]
        if missing:
            report.tell(
                Code.CLASS_MISSING, subject, f"read = {', '.join(sorted(given))}: {', '.join(missing)} not there"
            )
        wanted = _TOO_MUCH if case.pbx.recording_event else _TOO_MUCH[:-1]  # names of recordings come by VarSet then
        much = [name for name in wanted if name in given]
        if much:
            report.tell(Code.READS_TOO_MUCH, subject, f"read has {', '.join(much)}")
        if not missing and not much:
            report.well(subject, f"read = {', '.join(sorted(given))}")
    elif case.answers.reach is Reach.IN:
        if case.answers.silent_change:
            what = "channels came or went while we listened, and no Newchannel or Hangup was sent"
            report.tell(Code.CLASS_MISSING, subject, what)
        elif not {"Newchannel", "Hangup"} & case.answers.seen.keys():
            how = "make a test call with hotline doctor --watch, or give --pbx-config"
            report.unknown(subject, "classes call, agent and user: nothing happened while we listened", how)
    heard_boot = "FullyBooted" in case.answers.seen
    if case.answers.reach is Reach.IN and not heard_boot and not (given and {"system", "all"} & given):
        report.tell(Code.CLASS_SYSTEM, subject, "the PBX did not send FullyBooted after the login: no class system")


def _actions(case: Case, report: Report) -> None:
    subject, actions, lines = f"{case.subject}, user {case.pbx.user}", case.answers.actions, _user_lines(case)
    written = None if lines is None else _given(lines, "write")
    if actions is not None and "CoreShowChannels" not in actions:
        report.tell(Code.NO_REPORTING, subject, "it may not ask for CoreShowChannels")
    elif actions is None and written is not None and not {"reporting", "system", "all"} & written:
        report.tell(Code.NO_REPORTING, subject, f"write = {', '.join(sorted(written)) or 'nothing'}")
    much = sorted((written or frozenset()) - {"reporting"})
    may = [name for name, by in (actions or {}).items() if not by & {"reporting", "<none>"}]
    if may:
        may.sort(key=lambda name: (name not in _DANGEROUS, name))
        more = f" and {len(may) - 6} more" if len(may) > 6 else ""  # noqa: PLR2004 - enough to see how bad it is
        report.tell(Code.RIGHTS_WIDE, subject, f"it may do {', '.join(may[:6])}{more}")
    elif much:
        report.tell(Code.RIGHTS_WIDE, subject, f"write has {', '.join(much)}")
    elif actions is not None and "CoreShowChannels" in actions:
        report.well(subject, "may ask what is there, and do nothing")


def _filter(case: Case, report: Report) -> None:
    subject, lines = f"{case.subject}, user {case.pbx.user}", _user_lines(case)
    if lines is None:
        return
    filters = Filters([item for item in lines if item.key.startswith("eventfilter")])
    for text in filters.unread:
        report.unknown(subject, f"the event filter {text}", "it could not be understood: make a test call with --watch")
    if not filters and not filters.unread:
        report.tell(Code.FILTER_WIDE, subject, "it has no event filter")
        return
    trunk = f"{case.pbx.trunks[0]}-00000001"
    channels = (trunk, "PJSIP/1001-00000002", "Local/1001@queue-agents-00000001;2")
    hidden = filters.hidden(NEEDED, channels)
    if hidden:
        names = ", ".join(f"{name} {of}".strip() for name, of in hidden.items())
        report.tell(Code.FILTER_NARROW, subject, f"the event filter drops {names}")
        return
    thin = filters.hidden(HELPFUL, channels)
    if thin:
        report.tell(Code.FILTER_THIN, subject, f"the event filter drops {', '.join(thin)}")
    if not filters.hidden(dict.fromkeys(UNNEEDED, "call"), channels):
        report.tell(Code.FILTER_WIDE, subject, "the event filter drops nothing of what nobody reads")


def _modules(case: Case, entry: Entry | None, report: Report) -> None:
    actions = case.answers.actions
    if actions is not None and "QueueStatus" not in actions:
        report.tell(Code.MODULE_MISSING, case.subject, "app_queue.so is not loaded: there are no queues")
    conf = case.files.confs.get("modules.conf") if case.files else None
    if conf is None or conf.gaps:
        return
    auto = is_yes(conf.get("modules", "autoload"), default=False)
    loaded = {_module(value) for key in ("load", "preload", "require") for value in conf.all("modules", key)}
    kept_out = {_module(value) for value in conf.all("modules", "noload")}
    wanted = _MODULES | ({"cdr_csv.so": "the file of call records"} if case.pbx.cdr and case.pbx.cdr.file else {})
    for way in entry.ways if entry is not None else ():
        wanted = used(way.walk) | wanted
    for module, what in wanted.items():
        if module in kept_out or not (auto or module in loaded):
            report.tell(Code.MODULE_MISSING, f"modules.conf {module}", f"{module} is not loaded: it makes {what}")


def _module(name: str) -> str:
    return name if name.endswith(".so") else f"{name}.so"
