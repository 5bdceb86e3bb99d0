"""manager.conf, where it is at hand: is our user there, from where may he come, what else is open? Pure."""

import ipaddress
import re

from hotline.doctor.acl import permitted, too_wide
from hotline.doctor.astconf import Conf, Section
from hotline.doctor.catalogue import Code
from hotline.doctor.finding import Report
from hotline.doctor.gathered import Case

_SHORTEST_TIMEOUT = 1000  # milliseconds
_YES = frozenset({"yes", "true", "y", "t", "1", "on"})
_ANY = "0.0.0.0"  # noqa: S104 - compared, not bound; Asterisk's default
_DEFAULT_PORT, _DEFAULT_TLS_PORT = "5038", "5039"
_PLACE = re.compile(r"\[?([0-9A-Fa-f.:]*?)\]?(?::(\d+))?")


def judge(case: Case, report: Report) -> None:
    """What the file says, and what AST_CONFIG() told of it."""
    conf = case.files.confs.get("manager.conf") if case.files else None
    if case.files is not None:
        _secrets_kept(case, report)
    if conf is not None:
        _general(case, conf, report)
        user = _section(conf, case.pbx.user)
        if user is None:
            if not conf.gaps:
                what = f"manager.conf has no [{case.pbx.user}]"
                report.tell(Code.NO_USER, case.subject, what)
        else:
            _user(case, user, report)
    _times(case, conf, report)
    _timeout(case, conf, report)


def _section(conf: Conf, user: str) -> Section | None:
    """The user's sections as one, as Asterisk adds them up."""
    found = conf.named(user)
    return Section(user, template=False, items=[item for part in found for item in part.items]) if found else None


def is_yes(value: str | None, *, default: bool) -> bool:
    """Asterisk's own reading of a switch."""
    return default if value is None else value.strip().lower() in _YES


def _general(case: Case, conf: Conf, report: Report) -> None:
    subject = "manager.conf [general]"

    def value(key: str, default: str) -> str:
        return conf.get("general", key, default) or default

    if not is_yes(value("enabled", "no"), default=False):
        report.tell(Code.AMI_DISABLED, subject, f"enabled = {value('enabled', 'no')}")
    bind, port = value("bindaddr", _ANY), value("port", _DEFAULT_PORT)
    if _anywhere(bind):
        report.tell(Code.AMI_OPEN, subject, f"bindaddr = {bind}: reachable on every address, unencrypted")
    if case.pbx.tls:
        if not is_yes(value("tlsenable", "no"), default=False):
            report.tell(Code.TLS, case.subject, f"tls is set here, and {subject} has no tlsenable = yes")
        place = _PLACE.fullmatch(value("tlsbindaddr", bind))
        bind, port = (place[1], place[2] or _DEFAULT_TLS_PORT) if place else (bind, str(case.pbx.port))
    _place(case, bind, port, report)
    if is_yes(value("webenabled", "no"), default=False) and _http_open(case):
        report.tell(Code.AMI_OVER_HTTP, subject, "webenabled = yes, and http.conf serves it on other addresses")
    if not is_yes(value("allowmultiplelogin", "yes"), default=True):
        report.tell(Code.ONE_LOGIN, subject, "allowmultiplelogin = no")


def _place(case: Case, bind: str, port: str, report: Report) -> None:
    """Whether the PBX listens where we look for it."""
    if port != str(case.pbx.port):
        what = f"the PBX listens on port {port}, {case.pbx.port} is configured here"
        report.tell(Code.AMI_ELSEWHERE, case.subject, what)
    try:
        there = ipaddress.ip_address(bind)
        here = ipaddress.ip_address("127.0.0.1" if case.pbx.host == "localhost" else case.pbx.host)
    except ValueError:
        return
    # two private addresses may be one machine's, behind a translation; loopback is nobody else's
    if not there.is_unspecified and there != here and (there.is_loopback or here.is_loopback):
        report.tell(Code.AMI_ELSEWHERE, case.subject, f"the PBX listens on {there} only, {here} is configured here")


def _anywhere(bind: str) -> bool:
    """Whether strangers can reach the address."""
    try:
        address = ipaddress.ip_address(bind)
    except ValueError:
        return False
    return address.is_unspecified or not (address.is_loopback or address.is_private)


def _http_open(case: Case) -> bool:
    files = case.files
    if files is None or "http.conf" not in files.confs:
        return True
    bind = files.get("http.conf", "general", "bindaddr", "") or ""
    return is_yes(files.get("http.conf", "general", "enabled"), default=False) and not bind.startswith("127.")


def _user(case: Case, user: Section, report: Report) -> None:
    subject = f"manager.conf [{user.name}]"
    if case.secret is not None and (user.get("secret") or "") != case.secret:
        report.tell(Code.WRONG_SECRET, subject, "its secret is not the one configured here")
    if user.get("acl") is not None:
        report.unknown(subject, "from where it may log in", "its acl stands in acl.conf: look there")
        return
    if case.source is not None and not permitted(user.items, case.source):
        report.tell(Code.NOT_PERMITTED, subject, f"permit and deny refuse us: we come from {case.source}")
    wide = too_wide(user.items)
    if wide is not None:
        report.tell(Code.PERMIT_WIDE, subject, wide)


def _times(case: Case, conf: Conf | None, report: Report) -> None:
    """Whether events bear a time: seen, else configured."""
    told = case.answers.conf.get("manager.conf/general/timestampevents")
    configured = conf.get("general", "timestampevents", "no") if conf is not None and not conf.gaps else told
    if case.answers.stamped is False or (configured is not None and not is_yes(configured, default=False)):
        report.tell(Code.NO_TIMESTAMPS, case.subject, "its events have no Timestamp")
    elif configured is None and case.answers.stamped is None:
        report.unknown(case.subject, "timestampevents", "nothing happened while we listened: --watch, or --pbx-config")


def _timeout(case: Case, conf: Conf | None, report: Report) -> None:
    user = None if conf is None else _section(conf, case.pbx.user)
    told = case.answers.own
    if user is None and told is None:
        return
    value = user.get("writetimeout", "") if user is not None else (told or {}).get("writetimeout", "")
    if not (value or "").isdigit() or int(value or 0) < _SHORTEST_TIMEOUT:
        what = f"writetimeout of {case.pbx.user} is {value or 'not set: 100'} ms"
        report.tell(Code.WRITE_TIMEOUT, case.subject, what)


def _secrets_kept(case: Case, report: Report) -> None:
    assert case.files is not None
    if case.files.readable:
        what = f"the rights of {', '.join(case.files.readable)} in {case.files.folder} let everybody read"
        report.tell(Code.SECRET_READABLE, case.subject, what)
    for trouble in case.files.unreadable:
        report.unknown(case.subject, trouble, "let the doctor read it, or run it as a user who may")
