"""A sound PBX's answers, and everything that can be wrong with it: edits of its files, changes of its answers."""

from typing import Any

from hotline.doctor.catalogue import Code
from hotline.doctor.gathered import Answers, Member, Reach

C = Code

REPORTING = {
    "CoreShowChannels": frozenset({"system", "reporting", "all"}),
    "QueueStatus": frozenset({"<none>"}),
    "Getvar": frozenset({"call", "reporting", "all"}),
}
SOUND = Answers(
    reach=Reach.IN,
    version="22.10.1",
    actions=REPORTING,
    queues=frozenset({"support", "sales"}),
    members=(
        Member("support", "Li", "PJSIP/1001", "PJSIP/1001", "1"),
        Member("sales", "Zhao", "Local/1003@phones/n", "PJSIP/1003", "5"),
    ),
    trunks={"PJSIP/sz-trunk": "NOT_INUSE"},
    contexts={"PJSIP/sz-trunk": "carrier-in", "PJSIP/1001": "inside"},
    clock=(0.01, 0.001),
    offset="+0800",
    dangerous=False,
    seen={"FullyBooted": 1},
)


def _in(file: str, pattern: str, new: str) -> tuple[str, str, str]:
    return file, pattern, new


SPOILT = [
    (_in("manager.conf", "enabled = yes", "enabled = no"), {C.AMI_DISABLED}),
    (_in("manager.conf", "enabled = yes\n", ""), {C.AMI_DISABLED}),
    (_in("manager.conf", "port = 5038\n", "port = 5039\n"), {C.AMI_ELSEWHERE}),
    (_in("manager.conf", "bindaddr = 127.0.0.1", "bindaddr = 10.1.2.3"), {C.AMI_ELSEWHERE}),
    (_in("manager.conf", "bindaddr = 127.0.0.1", "bindaddr = ::"), {C.AMI_OPEN}),
    (_in("manager.conf", "bindaddr = 127.0.0.1\n", ""), {C.AMI_OPEN}),
    (_in("manager.conf", "timestampevents = yes\n", ""), {C.NO_TIMESTAMPS}),
    (_in("manager.conf", "enabled = yes", "enabled = yes\nallowmultiplelogin = no"), {C.ONE_LOGIN}),
    (_in("manager.conf", "enabled = yes", "enabled = yes\nwebenabled = yes"), {C.AMI_OVER_HTTP}),
    (_in("manager.conf", "permit = .*", "permit = 10.0.0.0/255.0.0.0"), {C.NOT_PERMITTED, C.PERMIT_WIDE}),
    (_in("manager.conf", "permit = .*", "permit = 10.9.8.7"), {C.NOT_PERMITTED}),
    (_in("manager.conf", "deny = .*\npermit = .*", "permit = 127.0.0.1\ndeny = 0.0.0.0/0"), {C.NOT_PERMITTED}),
    (_in("manager.conf", "deny = .*\n", ""), {C.PERMIT_WIDE}),
    (_in("manager.conf", "permit = .*", "permit = 0.0.0.0/0"), {C.PERMIT_WIDE}),
    (_in("manager.conf", "writetimeout = 5000", "writetimeout = 100"), {C.WRITE_TIMEOUT}),
    (_in("manager.conf", "read = .*", "read = call,agent,user"), set()),
    (_in("manager.conf", "read = .*", "read = system,call"), {C.CLASS_MISSING}),
    (_in("manager.conf", "read = .*", "read = system,call,agent,user,dtmf"), {C.READS_TOO_MUCH}),
    (_in("manager.conf", "write = .*", "write ="), {C.NO_REPORTING}),
    (_in("manager.conf", "write = .*", "write = reporting,command"), {C.RIGHTS_WIDE}),
    (_in("manager.d/hotline.conf", "secret = .*", "secret = another0123456789"), {C.WRONG_SECRET}),
    (_in("manager.d/hotline.conf", "hotline", "somebody"), {C.NO_USER}),
    (_in("manager.d/hotline.conf", "eventfilter.*\n", ""), {C.FILTER_WIDE}),
    (_in("manager.d/hotline.conf", "eventfilter.*\n", "eventfilter = ^Event:\n"), {C.FILTER_WIDE}),
    (_in("manager.d/hotline.conf", r"\|UserEvent", ""), {C.FILTER_NARROW}),
    (_in("manager.d/hotline.conf", r"\|Pickup", ""), {C.FILTER_THIN}),
    (_in("manager.d/hotline.conf", "$", "\neventfilter = !Event: VarSet\n"), set()),
    (_in("manager.d/hotline.conf", "eventfilter.*\n", "eventfilter = !Channel: Local\n"), {C.FILTER_NARROW}),
    (_in("manager.d/hotline.conf", "eventfilter.*\n", "eventfilter(action(exclude),name(Hangup)) =\n"), {C.FILTER_NARROW}),
    (_in("manager.d/hotline.conf", "eventfilter.*\n", "eventfilter(action(exclude),name(VarSet)) =\n"), set()),
    (_in("asterisk.conf", "live_dangerously = no", "live_dangerously = yes"), {C.DANGEROUS}),
    (_in("modules.conf", "func_config.so", "app_queue.so"), {C.MODULE_MISSING}),
    (_in("modules.conf", "autoload = yes", "autoload = no"), {C.MODULE_MISSING}),
    (_in("pjsip.conf", "sz-trunk", "bj-trunk"), {C.TRUNK_UNKNOWN}),
    (_in("pjsip.conf", "context = carrier-in", "context = carrier"), {C.TRUNK_CONTEXT}),
    (_in("pjsip.conf", "context = carrier-in", "context = inside"), {C.TRUNK_INSIDE, C.NUMBER_MISSING, C.NOT_RECORDED, C.WILDCARD}),
    (_in("pjsip.conf", r"\[1003\]\(phone\)\n", ""), {C.MEMBER_INVALID}),
    (_in("extensions.conf", r"\[carrier-in\]\n", "[carrier-in]\nexten => _0X.,1,Dial(PJSIP/${EXTEN}@sz-trunk)\n"), {C.TRUNK_INSIDE, C.WILDCARD}),
    (_in("extensions.conf", r"exten => 4007002505,1.*\n", ""), {C.NUMBER_MISSING}),
    (_in("extensions.conf", r"(exten => )01062802505(.*)\n", r"\g<1>01062802505\2\n\g<1>02188886666\2\n"), {C.ALIAS_MISSING}),
    (_in("extensions.conf", r"\[carrier-in\]\n", "[carrier-in]\nexten => _X.,1,Goto(answer,4007002505,1)\n"), {C.WILDCARD}),
    (_in("extensions.conf", r"\[carrier-in\]\n", "[carrier-in]\nexten => _X.,1,Hangup(1)\n"), {C.WILDCARD_REFUSED}),
    (_in("extensions.conf", r"\[carrier-in\]\n", "[carrier-in]\ninclude => rest\n[rest]\nexten => _.,1,Goto(office,s,1)\n[carrier-in]\n"), {C.WILDCARD}),
    (_in("extensions.conf", r"FILTER\(0-9\+,\$\{CALLERID\(num\)\}\)", "CALLERID(name)"), {C.CALLER_TEXT}),
    (_in("extensions.conf", r"File: message/", "From: ${CALLERID(num)},File: message/"), {C.CALLER_TEXT}),
    (_in("extensions.conf", r"Gosub\(record,s,1", "Gosub(recording,s,1"), {C.JUMP_NOWHERE, C.NOT_RECORDED}),
    (_in("extensions.conf", "UserEvent.MessageLeft", "UserEvent(Voicemail"), {C.VOICEMAIL_EVENT}),
    (_in("extensions.conf", "UserEvent.CC400Recording", "UserEvent(Recording"), {C.RECORDING_EVENT}),
    (_in("extensions.conf", r" same => n,UserEvent.CC400Recording.*\n", ""), set()),
    (_in("extensions.conf", r"%Y/%m/%d\)\}/\$\{ARG1\}-\$\{UNIQUEID\}\)(?s:.*)CC400Recording", "%Y-%m-%d)}/${UNIQUEID})\\n same => n,MixMonitor(${FILE}.wav,r(a-r)t(a-t),touch ${ROOT}/${FILE}.done)\\n same => n,UserEvent(Other"), {C.RECORDING_EVENT}),
    (_in("extensions.conf", r" same => n,ExecIf.*MixMonitor.*\n", ""), {C.NOT_RECORDED}),
    (_in("extensions.conf", r"t\(\$\{FILE\}-tx.wav\)", ""), {C.RECORDING_LEGS}),
    (_in("extensions.conf", r",touch \S+\)\)", "))"), {C.RECORDING_MARK}),
    (_in("extensions.conf", r"\$\{ARG1\}-\$\{UNIQUEID\}\)", "${ARG1}-${EPOCH})"), {C.RECORDING_NAME}),
    (_in("extensions.conf", r"-rx.wav", "-tx.wav"), {C.RECORDING_LEGS}),
    (_in("extensions.conf", r"-rx.wav", "-caller.wav"), {C.RECORDING_LEGS}),
    (_in("extensions.conf", r"/\$\{FILE\}.done", "/${FILE}.ok"), {C.RECORDING_MARK}),
    (_in("extensions.conf", r"touch \$\{ROOT\}/\$\{FILE\}.done", "touch /srv/x.done"), {C.RECORDING_MARK}),
    (_in("extensions.conf", r"^ROOT = .*", "ROOT = /var/spool/asterisk/recordings"), {C.RECORDING_MARK}),
    (_in("extensions.conf", r"touch \S+ *\)\)", "touch ^{MIXMONITOR_FILENAME}.done))"), set()),
    (_in("extensions.conf", r"MessageLeft,File: message/\$\{UNIQUEID\}.wav", "MessageLeft"), {C.VOICEMAIL_EVENT}),
    (_in("extensions.conf", r"MessageLeft,File: message/\$\{UNIQUEID\}.wav", "MessageLeft,File: last.wav"), {C.VOICEMAIL_EVENT}),
    (_in("modules.conf", "func_config.so", "cdr_csv"), {C.MODULE_MISSING}),
    (_in("modules.conf", "func_config.so", "app_record.so"), {C.MODULE_MISSING}),
    (_in("modules.conf", "func_config.so", "app_macro.so"), set()),
    (_in("extensions.conf", r"Queue\(sales", "Queue(sale"), {C.QUEUE_MISSING}),
    (_in("extensions.conf", r"\(sales\),Queue\(sales,", "(sales),Set(Q=sale)\\n same => n,Goto(q)\\n same => n(support),Set(Q=support)\\n same => n(q),Queue(${Q},"), {C.QUEUE_MISSING}),
    (_in("queues.conf", r"member => PJSIP/1002,0,Wang", "member => SIP/frontdesk,0,Wang"), {C.MEMBER_UNKNOWN}),
    (_in("queues.conf", r"member => PJSIP/100\d.*\n", ""), {C.QUEUE_EMPTY}),
    (_in("cdr.conf", "enable = yes", "enable = no"), {C.CDR_OFF}),
    (_in("cdr.conf", "unanswered = yes", "unanswered = no"), {C.CDR_UNANSWERED}),
    (_in("cdr.conf", "loguniqueid = yes", "loguniqueid = no"), {C.CDR_UNIQUEID}),
]  # fmt: skip


ANSWERS: list[tuple[str, dict[str, Any], set[Code]]] = [
    ("refused", {"reach": Reach.REFUSED}, {C.REFUSED}),
    ("away", {"reach": Reach.AWAY}, {C.UNREACHABLE}),
    ("no TLS there", {"reach": Reach.TLS}, {C.TLS}),
    ("an old PBX", {"version": "11.25.3"}, {C.VERSION}),
    ("a certified one", {"version": "certified/18.9-cert5"}, set()),
    ("clocks apart", {"clock": (-7.5, 0.01)}, {C.CLOCK}),
    ("a slow network", {"clock": (2.4, 1.0)}, set()),
    ("no reporting", {"actions": {"QueueStatus": frozenset({"<none>"})}}, {C.NO_REPORTING}),
    ("may call", {"actions": REPORTING | {"Originate": frozenset({"originate", "all"})}}, {C.RIGHTS_WIDE}),
    ("no queues at all", {"actions": {k: v for k, v in REPORTING.items() if k != "QueueStatus"}}, {C.MODULE_MISSING}),
    ("runs files", {"dangerous": True}, {C.DANGEROUS}),
    ("shows its secrets", {"own": {"read": "call"}}, {C.CONFIG_READABLE}),
    ("no times", {"stamped": False}, {C.NO_TIMESTAMPS}),
    ("no such trunk", {"trunks": {"PJSIP/sz-trunk": "INVALID"}}, {C.TRUNK_UNKNOWN}),
    ("a phone that is not there", {"members": (Member("support", "", "PJSIP/1009", "PJSIP/1009", "4"),)}, {C.MEMBER_INVALID, C.QUEUE_EMPTY}),
    ("another team's queue", {"queues": frozenset({"support", "sales", "robots"}), "members": (*SOUND.members, Member("robots", "", "Local/x@y", "", "4"))}, set()),
]  # fmt: skip
