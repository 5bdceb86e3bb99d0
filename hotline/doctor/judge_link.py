"""The connection: is the PBX there, does it take our login, what does it speak, how late is its clock? Pure."""

import ipaddress
import re
from collections.abc import Sequence

from hotline.doctor.catalogue import Code
from hotline.doctor.finding import Report
from hotline.doctor.gathered import Case, Reach

_MOST_APART = 2.0  # seconds between two clocks that NTP keeps
_SHORTEST = 12  # characters of a secret that is not guessed
_EVERYBODYS = frozenset({"amp111", "mysecret", "secret", "password", "asterisk", "admin", "changeme", "passw0rd"})
_TRIED = range(16, 23)


def judge(case: Case, report: Report) -> None:
    """Everything about reaching the PBX that its files do not tell better."""
    pbx, answers, subject = case.pbx, case.answers, case.subject
    place = f"{pbx.host}:{pbx.port}"
    if answers.reach is Reach.IN:
        report.well(subject, f"logged in at {place} as {pbx.user}")
    elif answers.reach is Reach.REFUSED and not report.has(Code.NO_USER, Code.WRONG_SECRET, Code.NOT_PERMITTED):
        report.tell(Code.REFUSED, subject, f"{place} refuses the login of {pbx.user}: {answers.trouble}")
    elif answers.reach is Reach.TLS:
        report.tell(Code.TLS, subject, answers.trouble)
    elif answers.reach is Reach.AWAY and not report.has(Code.AMI_DISABLED, Code.AMI_ELSEWHERE):
        report.tell(Code.UNREACHABLE, subject, f"{place} cannot be used: {answers.trouble}")
    if not pbx.tls and not _near(pbx.host):
        report.tell(Code.PLAIN_LINK, subject, f"{place} is another machine, and tls is not set")
    if case.secret is not None:
        _secret(case, case.secret, report)
    _version(case, report)
    _clock(case, report)


def twins(cases: Sequence[Case], report: Report) -> None:
    """One PBX under two names."""
    places: dict[tuple[str, int], str] = {}
    for case in cases:
        first = places.setdefault((case.pbx.host, case.pbx.port), case.pbx.name)
        if first != case.pbx.name:
            report.tell(Code.PBX_TWICE, case.subject, f"{case.pbx.host}:{case.pbx.port} is {first} as well")


def _secret(case: Case, secret: str, report: Report) -> None:
    if len(secret) < _SHORTEST or secret.lower() in _EVERYBODYS or secret.lower() == case.pbx.user.lower():
        what = f"the secret of {case.pbx.user} has {len(secret)} characters or is everybody's"
        report.tell(Code.SECRET_WEAK, case.subject, what)


def _version(case: Case, report: Report) -> None:
    version = case.answers.version
    major = re.match(r"(?:certified[/-])?(\d+)\.", version or "")
    if major is None:
        return
    if int(major[1]) in _TRIED:
        report.well(case.subject, f"Asterisk {version}")
    else:
        report.tell(Code.VERSION, case.subject, f"it is Asterisk {version}")


def _clock(case: Case, report: Report) -> None:
    if case.answers.clock is None:
        return
    ahead, give = case.answers.clock
    if abs(ahead) > _MOST_APART + give:
        word = "ahead of" if ahead > 0 else "behind"
        report.tell(Code.CLOCK, case.subject, f"the PBX's clock is {abs(ahead):.1f} s {word} ours")
    else:
        report.well(case.subject, f"clocks are {abs(ahead) * 1000:.0f} ms apart")


def _near(host: str) -> bool:
    """Whether the host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
