"""The AMI users, as a file for manager.conf. Pure text."""

import ipaddress

from hotline.dialplan.plan import Plan
from telephony.reading import LAYOUTS

FILE = "hotline_manager.conf"
CLASSES = "system,call,agent,user"
_ANSWERS = frozenset({"CoreShowChannel", "Status", "QueueEntry"})  # sent to the asker alone, past every filter
_OTHER_CLASS = frozenset({"VarSet"})  # class dialplan: half of all traffic, for names that the UserEvent tells
_STATE = ("FullyBooted", "Shutdown", "Reload")
MACHINE = {4: "255.255.255.255", 6: "128"}


def events() -> list[str]:
    """Every event the service reads of the classes it asks for: what its filter must let through."""
    names = {name.decode() for name, layout in LAYOUTS.items() if not layout.listed}
    return sorted(names - _ANSWERS - _OTHER_CLASS | set(_STATE))


def render(plan: Plan) -> str:
    """The file's text."""
    parts = [_HEAD.format(pbx=plan.pbx.name), _user(plan)]
    if plan.pbx.recorder is not None:
        parts.append(_recorder(plan))
    return "\n".join(parts)


_HEAD = """\
; hotline: AMI users for PBX "{pbx}", printed by `hotline dialplan`. Print it anew, do not edit.

[general](+)
; Times come from the PBX's clock. Without this no event says when it happened.
timestampevents = yes
"""


def _user(plan: Plan) -> str:
    return f"""\
; The service listens. It may list channels after a break of the link, and nothing else: not call, hang up, redirect,
; set, run or configure anything.
[{plan.pbx.user}]
{_secret(plan.secrets.user, plan.pbx.secret_variable)}
{_from(plan.service)}
read = {CLASSES}
write = reporting
; A slow moment of the network must not cost the connection (milliseconds).
writetimeout = 5000
; Only what is read is sent: about half of the volume.
eventfilter = ^Event: ({"|".join(events())})[^A-Za-z]
"""


def _recorder(plan: Plan) -> str:
    assert plan.pbx.recorder is not None
    return f"""\
; The service starts recordings itself by this login. RISK: MixMonitor over AMI needs write=system, and who has that
; can also run any program as Asterisk's user (MixMonitor's command, DialplanExtensionAdd), read every file of its
; configuration with its secrets (GetConfig), load modules and hang up every call (seen on Asterisk 22.10). Whoever
; takes the service's machine takes the PBX. Without [pbx.recorder] in hotline.toml the dialplan records, and nobody
; needs this.
[{plan.pbx.recorder.user}]
{_secret(plan.secrets.recorder, plan.pbx.recorder_secret_variable)}
{_from(plan.service)}
read =
write = system
writetimeout = 5000
"""


def _secret(secret: str | None, variable: str) -> str:
    """Without a secret nobody can log in, which is better than with one that everybody knows."""
    return f"secret = {secret}" if secret else f";secret = the value of {variable}, then take the semicolon away"


def _from(service: str) -> str:
    mask = MACHINE[ipaddress.ip_address(service).version]
    return f"deny = 0.0.0.0/0.0.0.0\ndeny = ::/0\npermit = {service}/{mask}"
