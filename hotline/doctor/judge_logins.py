"""The further logins: the one that starts recordings, and the one that acts for agents' desks. Pure."""

from hotline.doctor.catalogue import Code
from hotline.doctor.finding import Report
from hotline.doctor.gathered import Answers, Case, Reach

_WANTED = {"QueuePause": "agent", "Originate": "originate"}
_NEEDED = frozenset({"agent", "originate", "reporting", "<none>"})  # reporting asks, and does nothing


def judge(case: Case, report: Report) -> None:
    """Whether each is let in, may do what it is for, and no more."""
    recorder(case, report)
    _desk(case, report)


def recorder(case: Case, report: Report) -> None:
    """The second login, where the service starts recordings itself."""
    answers, login = case.recorder, case.pbx.recorder
    if answers is None or login is None or answers.reach is Reach.AWAY:
        return  # away: told of the first login
    subject = f"{case.subject}, recorder {login.user}"
    if answers.reach is not Reach.IN:
        report.tell(Code.RECORDER_LOGIN, subject, f"its login fails: {answers.trouble}")
    elif answers.actions is not None and not {"MixMonitor", "Getvar"} <= answers.actions.keys():
        lacking = sorted({"MixMonitor", "Getvar"} - answers.actions.keys())
        report.tell(Code.RECORDER_LOGIN, subject, f"it may not do {' and '.join(lacking)}")
    else:
        report.well(subject, "may start recordings")


def _desk(case: Case, report: Report) -> None:
    """Pauses, and calls by a click where they are wanted."""
    answers, login = case.desk, case.pbx.desk
    if answers is None or login is None or answers.reach is Reach.AWAY:
        return
    subject = f"{case.subject}, desk login {login.user}"
    if answers.reach is not Reach.IN:
        report.tell(Code.DESK_LOGIN, subject, f"its login fails: {answers.trouble}")
        return
    if case.plan is not None and login.context is not None and login.context not in case.plan.contexts:
        report.tell(Code.DESK_CONTEXT, subject, f"the dialplan has no [{login.context}]")
    if answers.actions is None:
        report.unknown(subject, "what it may do", "the PBX does not list it: click once")
        return
    wanted = [name for name in _WANTED if name == "QueuePause" or login.originate]
    lacking = [name for name in wanted if name not in answers.actions]
    if lacking:
        grant = ",".join(_WANTED[name] for name in wanted)
        report.tell(Code.DESK_LOGIN, subject, f"it may not do {' and '.join(lacking)}: write = {grant}")
    much = _more_than_needed(answers, originate=login.originate)
    if much:
        report.tell(Code.DESK_WIDE, subject, f"it may do {', '.join(much[:6])}")
    if not lacking and not much:
        report.well(subject, f"may do {' and '.join(wanted)}, and no more")


def _more_than_needed(answers: Answers, *, originate: bool) -> list[str]:
    """Actions that neither of its classes allows, and Originate where nobody clicks."""
    enough = _NEEDED if originate else _NEEDED - {"originate"}
    return sorted(name for name, by in (answers.actions or {}).items() if not by & enough)
