"""The AMI users, as a file for manager.conf. Pure text."""

import ipaddress

from hotline.dialplan.plan import Plan
from telephony.reading import LAYOUTS

FILE = "hotline_manager.conf"
CLASSES = "system,call,agent,user"
_ANSWERS = frozenset(
    {"CoreShowChannel", "Status", "QueueEntry", "QueueMember"}
)  # sent to the asker alone, past every filter
_OTHER_CLASS = frozenset({"VarSet"})  # class dialplan: half of all traffic, for names that the UserEvent tells
_OTHER_LOGIN = frozenset({"OriginateResponse"})  # to the desk login, which asks for it
_STATE = ("FullyBooted", "Shutdown", "Reload")
MACHINE = {4: "255.255.255.255", 6: "128"}


def events() -> list[str]:
    """Every event the service reads of the classes it asks for: what its filter must let through."""
    names = {name.decode() for name, layout in LAYOUTS.items() if not layout.listed}
    return sorted(names - _ANSWERS - _OTHER_CLASS - _OTHER_LOGIN | set(_STATE))


def render(plan: Plan) -> str:
    """The file's text."""
    parts = [_HEAD.format(pbx=plan.pbx.name), _user(plan)]
    if plan.pbx.recorder is not None:
        parts.append(_recorder(plan))
    if plan.pbx.desk is not None:
        parts.append(_desk(plan))
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


def _desk(plan: Plan) -> str:
    desk = plan.pbx.desk
    assert desk is not None
    return f"""\
; What agents do on their desks goes by this login: pauses{" and calls by a click" if desk.originate else ""}.
; Class agent may pause members of queues, add and remove them, and write to queue_log.
{_ORIGINATES.format(context=desk.context) if desk.originate else ""}\
[{desk.user}]
{_secret(plan.secrets.desk, plan.pbx.desk_secret_variable)}
{_from(plan.service)}
read ={" call" if desk.originate else ""}
write = agent{",originate" if desk.originate else ""}
writetimeout = 5000
{_FILTER if desk.originate else ""}"""


_ORIGINATES = """\
; RISK: with class originate, whoever has this secret can have any number called
; through any context of this dialplan, at your expense. The service itself dials digits alone, of numbers that it
; knows to be mobiles, fixed lines or 400 numbers, and only in [{context}]: let no more out of that than agents may
; call, and have the carrier cap what a day may cost.
"""
_FILTER = """\
; Only what became of the calls it asked for.
eventfilter = ^Event: OriginateResponse[^A-Za-z]
"""


def _secret(secret: str | None, variable: str) -> str:
    """Without a secret nobody can log in, which is better than with one that everybody knows."""
    return f"secret = {secret}" if secret else f";secret = the value of {variable}, then take the semicolon away"


def _from(service: str) -> str:
    mask = MACHINE[ipaddress.ip_address(service).version]
    return f"deny = 0.0.0.0/0.0.0.0\ndeny = ::/0\npermit = {service}/{mask}"
