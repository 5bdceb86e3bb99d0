"""The PBX's own call records, from which lost calls are completed. Pure."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hotline.doctor.catalogue import Code
from hotline.doctor.finding import Report
from hotline.doctor.gathered import Case
from hotline.doctor.judge_manager import is_yes


def judge(case: Case, now: datetime, report: Report) -> None:
    """Only where ``[pbx.cdr]`` names them. ``now`` is an aware time: zones differ by season."""
    cdr = case.pbx.cdr
    if cdr is None:
        return
    subject = f"{case.subject}, call records"
    records = case.records
    if records is not None and records.trouble is not None:
        report.tell(Code.CDR_FILE, subject, records.trouble)
    if not is_yes(_setting(case, "general", "enable"), default=True):
        report.tell(Code.CDR_OFF, subject, "cdr.conf: enable = no")
    unanswered = _setting(case, "general", "unanswered")
    if unanswered is not None and not is_yes(unanswered, default=False):
        report.tell(Code.CDR_UNANSWERED, subject, f"cdr.conf: unanswered = {unanswered}")
    if cdr.file is not None:
        configured = _setting(case, "csv", "loguniqueid")
        if records is not None and records.uniqueid is False:
            report.tell(Code.CDR_UNIQUEID, subject, f"the last row of {cdr.file} has no Uniqueid")
        elif configured is not None and not is_yes(configured, default=False):
            report.tell(Code.CDR_UNIQUEID, subject, f"cdr.conf [csv]: loguniqueid = {configured}")
        elif records is not None and records.uniqueid:
            report.well(subject, f"{cdr.file} has Uniqueids")
    _times(case, now, report)


def _setting(case: Case, section: str, key: str) -> str | None:
    found = case.files.get("cdr.conf", section, key) if case.files else None
    return found if found is not None else case.answers.conf.get(f"cdr.conf/{section}/{key}")


def _times(case: Case, now: datetime, report: Report) -> None:
    """Is the zone configured the one that records are written in."""
    assert case.pbx.cdr is not None
    zone = case.pbx.cdr.timezone
    ours = now.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
    gmt = _setting(case, "csv", "usegmtime")
    theirs: timedelta | None = None
    if case.pbx.cdr.file is not None and is_yes(gmt, default=False):
        theirs = timedelta()
    elif case.answers.offset is not None and (gmt is not None or case.pbx.cdr.file is None):
        sign, hours, minutes = case.answers.offset[0], int(case.answers.offset[1:3]), int(case.answers.offset[3:])
        theirs = timedelta(hours=hours, minutes=minutes) * (-1 if sign == "-" else 1)
    if theirs is not None and theirs != ours:
        what = f"records are written {_hours(theirs)} of UTC, timezone here is {zone} ({_hours(ours)})"
        report.tell(Code.CDR_TIMES, f"{case.subject}, call records", what)


def _hours(offset: timedelta) -> str:
    return f"{offset.total_seconds() / 3600:+g} h"
