"""Faults to sow into the lab's configuration, one by one, and what the doctor must call each of them."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from hotline.doctor.catalogue import Code

Edit = Callable[[str], str]

_MANAGER = "manager reload"
_DIALPLAN = "dialplan reload"
_QUEUES = "queue reload all"
_PJSIP = "module reload res_pjsip.so"
_CDR = ("module reload cdr_csv.so", "cdr reload")


@dataclass(frozen=True)
class Fault:
    """One edit of one file. ``code``: what must be found with the PBX's files at hand; ``over_ami``: without them.

    ``settings`` is put into hotline.toml's [[pbx]]; ``swap`` replaces text anywhere in hotline.toml. ``also`` may be
    found besides: what follows from the fault. ``reload``: console commands that make it count; None: a restart.
    """

    name: str
    file: str
    edit: Edit
    code: Code
    over_ami: Code | None
    reload: tuple[str, ...] | None
    also: frozenset[Code] = frozenset()
    swap: tuple[tuple[str, str], ...] = ()
    mode: int = 0o640
    secret: str | None = field(default=None, repr=False)


def _sub(pattern: str, new: str) -> Edit:
    def edit(text: str) -> str:
        changed, times = re.subn(pattern, new, text, flags=re.MULTILINE)
        assert times, f"{pattern} is nowhere in the lab's configuration"
        return changed

    return edit


def _ours(pattern: str, new: str) -> Edit:
    """An edit of our user's section of manager.conf only."""

    def edit(text: str) -> str:
        before, head, rest = text.partition("[crmfiltered]\n")
        assert head
        ours, bracket, behind = rest.partition("\n[")
        return before + head + _sub(pattern, new)(ours) + bracket + behind

    return edit


def _manager(name: str, edit: Edit, code: Code, over_ami: Code | None = None, *also: Code) -> Fault:
    return Fault(name, "manager.conf", edit, code, over_ami, (_MANAGER,), frozenset(also))


def _dialplan(name: str, pattern: str, new: str, code: Code, *also: Code) -> Fault:
    return Fault(name, "extensions.conf", _sub(pattern, new), code, code, (_DIALPLAN,), frozenset(also))


def _queue(name: str, pattern: str, new: str, code: Code, *also: Code) -> Fault:
    return Fault(name, "queues.conf", _sub(pattern, new), code, code, (_QUEUES,), frozenset(also))


def _unchanged(text: str) -> str:
    return text


C = Code
FAULTS = (
    _manager("another secret", _ours("^secret = .*", "secret = 0123456789abcdef"), C.WRONG_SECRET, C.REFUSED),
    _manager("another user", lambda text: text.replace("[crmfiltered]", "[screenpop]"), C.NO_USER, C.REFUSED),
    _manager("another address permitted", _ours("^permit = .*", "permit = 10.9.8.7/255.255.255.255"), C.NOT_PERMITTED, C.REFUSED),
    _manager("anybody permitted", _ours("^permit = .*", "permit = 0.0.0.0/0.0.0.0"), C.PERMIT_WIDE),
    _manager("nobody denied", _ours("^deny = .*\n", ""), C.PERMIT_WIDE),
    _manager("AMI off", _sub("^enabled = yes", "enabled = no"), C.AMI_DISABLED, C.UNREACHABLE),
    _manager("another port", _sub(r"^port = .*", "port = 5999"), C.AMI_ELSEWHERE, C.UNREACHABLE),
    _manager("every address, unencrypted", _sub("^bindaddr = .*", "bindaddr = 0.0.0.0"), C.AMI_OPEN),
    _manager("no timestamps", _sub("^timestampevents = yes", "timestampevents = no"), C.NO_TIMESTAMPS),
    _manager("one login at a time", _sub("^authlimit", "allowmultiplelogin = no\nauthlimit"), C.ONE_LOGIN),
    _manager("class call not read", _ours("^read = .*", "read = system,agent,user"), C.CLASS_MISSING),
    _manager("class agent not read", _ours("^read = .*", "read = system,call,user"), C.CLASS_MISSING),
    _manager("class user not read", _ours("^read = .*", "read = system,call,agent"), C.CLASS_MISSING),
    _manager("everything read", _ours("^read = .*", "read = all"), C.READS_TOO_MUCH),
    _manager("not allowed to ask", _ours("^write = .*", "write ="), C.NO_REPORTING, C.NO_REPORTING),
    _manager("allowed to do everything", _ours("^write = .*", "write = all"), C.RIGHTS_WIDE, C.RIGHTS_WIDE),
    _manager("allowed to make calls", _ours("^write = .*", "write = reporting,originate"), C.RIGHTS_WIDE, C.RIGHTS_WIDE),
    _manager("filter without Hangup", _ours(r"\|Hangup\|", "|"), C.FILTER_NARROW),
    _manager("filter against Local channels", _ours("^(eventfilter = .*)", r"\1\neventfilter = !Channel: Local/"), C.FILTER_NARROW),
    _manager("cut when busy", _ours("^writetimeout = .*\n", ""), C.WRITE_TIMEOUT),
    Fault("secrets for everybody", "manager.conf", _unchanged, C.SECRET_READABLE, None, (), mode=0o644),
    Fault("a secret everybody knows", "manager.conf", _ours("^secret = .*", "secret = amp111"), C.SECRET_WEAK, C.SECRET_WEAK, (_MANAGER,), secret="amp111"),
    Fault("functions that read files", "asterisk.conf", _sub("^live_dangerously = no", "live_dangerously = yes"), C.DANGEROUS, C.DANGEROUS, None),
    Fault("no queues", "modules.conf", _sub("^load = app_queue.so", "noload = app_queue.so"), C.MODULE_MISSING, C.MODULE_MISSING, None, frozenset({C.QUEUE_MISSING})),
    Fault("no events of the dialplan", "modules.conf", _sub("^load = app_userevent.so\n", ""), C.MODULE_MISSING, None, ()),
    Fault("the trunk has another name", "pjsip.conf", _sub(r"^\[carrier\]", "[carrier-sz]"), C.TRUNK_UNKNOWN, C.TRUNK_UNKNOWN, (_PJSIP,)),
    Fault("the trunk enters nowhere", "pjsip.conf", _sub("^context = from-carrier", "context = from-carier"), C.TRUNK_CONTEXT, None, (_PJSIP,)),
    Fault("the trunk enters where agents dial", "pjsip.conf", _sub("^context = from-carrier", "context = from-internal"), C.TRUNK_INSIDE, None, (_PJSIP,), frozenset({C.NUMBER_MISSING, C.WILDCARD, C.NOT_RECORDED})),
    _dialplan("a number left out", r"^exten => 4008001234,1,Goto\(in-400.*\n", "", C.NUMBER_MISSING),
    _dialplan("a landing number left out", r"^exten => 01062802505,1,Goto\(in-400.*\n", "", C.NUMBER_MISSING),
    _dialplan("a landing number nobody told us", r"^(exten => )01062802505(,1,Goto\(in-400.*)", r"\g<1>01062802505\2\n\g<1>01062802506\2", C.ALIAS_MISSING),
    _dialplan("any number answered", r"^exten => _X\.,1,Hangup\(1\)\nexten => i", "exten => _X.,1,Goto(in-400,4007002505,1)\nexten => i", C.WILDCARD),
    _dialplan("the caller's name in an event", r"Caller: \$\{FILTER\(0-9\+,\$\{CALLERID\(num\)\}\)\}", "Caller: ${CALLERID(name)}", C.CALLER_TEXT),
    _dialplan("a jump to nowhere", r"Goto\(fallback,s,1\)", "Goto(fall-back,s,1)", C.JUMP_NOWHERE),
    _dialplan("messages told under another name", r"UserEvent\(CC400Voicemail", "UserEvent(Voicemail400", C.VOICEMAIL_EVENT),
    _dialplan("recordings told under another name", r"UserEvent\(CC400Recording", "UserEvent(Recording400", C.RECORDING_EVENT),
    _dialplan("nothing recorded", r"^ same => n,MixMonitor.*\n", "", C.NOT_RECORDED),
    _dialplan("recorded without legs", r"r\(\$\{REC\}-rx.wav\)t\(\$\{REC\}-tx.wav\)", "", C.RECORDING_LEGS),
    _dialplan("recorded without a mark", r",/usr/bin/touch \$\{RECROOT\}/\$\{REC\}\.done\)", ")", C.RECORDING_MARK),
    _dialplan("recorded under the caller's number", r"Set\(REC=.*\)$", "Set(REC=${STRFTIME(${EPOCH},,%H%M)}-${FILTER(0-9,${CALLERID(num)})})", C.RECORDING_NAME),
    _dialplan("led to a queue that is not there", r"Queue\(ringall,", "Queue(ring-all,", C.QUEUE_MISSING),
    _queue("a member who is nobody", r"^(member => PJSIP/1002,0,Agent-1002)$", r"\1\nmember => Local/reception@queue-agents,0,Reception", C.MEMBER_UNKNOWN, C.MEMBER_INVALID),
    _queue("a member without a phone", r"^(member => PJSIP/1002,0,Agent-1002)$", r"\1\nmember => PJSIP/1009,0,Agent-1009", C.MEMBER_INVALID),
    Fault("a member who is not listed", "queues.conf", _sub(r"^(member => PJSIP/1002,0,Agent-1002)$", r"\1\nmember => PJSIP/1004,0,Agent-1004"), C.MEMBER_UNLISTED, C.MEMBER_UNLISTED, (_QUEUES,),
          swap=(("[recordings]", '[[agent]]\nextension = "1001"\n[[agent]]\nextension = "1002"\n[[agent]]\nextension = "1003"\n[recordings]'),)),
    Fault("recordings elsewhere", "manager.conf", _unchanged, C.RECORDINGS_FOLDER, C.RECORDINGS_FOLDER, (), swap=(("/monitor", "/moniter"),)),
    Fault("records without the Uniqueid", "cdr.conf", _sub("^loguniqueid = yes", "loguniqueid = no"), C.CDR_UNIQUEID, None, _CDR),
    Fault("no records", "cdr.conf", _sub("^enable = yes", "enable = no"), C.CDR_OFF, None, _CDR),
    Fault("records in another zone", "cdr.conf", _sub("^usegmtime = no", "usegmtime = yes"), C.CDR_TIMES, None, _CDR, swap=(('timezone = "UTC"', 'timezone = "Asia/Shanghai"'),)),
)  # fmt: skip
"""In the order of the PBX's files. Every one is sown alone into a sound configuration."""
