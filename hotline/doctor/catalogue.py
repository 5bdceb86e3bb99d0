"""Every fault the doctor knows: what people would notice of it, and what usually mends it. Pure: a table.

A fault makes calls, cards, recordings or records go wrong, or opens the PBX to others. A warning may do so, or is
riskier than it need be. ``docs/doctor.md`` holds the same table for people; a test keeps the two together.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """Whether the doctor's answer is no."""

    FAULT = "fault"
    WARNING = "warning"


class Code(StrEnum):
    """The name of one fault, the same in every language and version."""

    # the service's own house
    DATABASE = "database"
    DATABASE_BEHIND = "database-behind"
    REDIS = "redis"
    SPEECH_MODEL = "speech-model"
    DATA_FOLDER = "data-folder"
    SECRET_MISSING = "secret-missing"
    SECRET_READABLE = "secret-readable"
    SECRET_WEAK = "secret-weak"
    PBX_TWICE = "pbx-twice"
    # the link
    UNREACHABLE = "unreachable"
    REFUSED = "login-refused"
    TLS = "tls"
    PLAIN_LINK = "plain-link"
    VERSION = "version"
    CLOCK = "clock"
    # manager.conf
    AMI_DISABLED = "ami-disabled"
    AMI_ELSEWHERE = "ami-elsewhere"
    AMI_OPEN = "ami-open"
    AMI_OVER_HTTP = "ami-over-http"
    NO_USER = "user-missing"
    WRONG_SECRET = "secret-wrong"
    NOT_PERMITTED = "address-not-permitted"
    PERMIT_WIDE = "permit-wide"
    ONE_LOGIN = "one-login"
    NO_TIMESTAMPS = "no-timestamps"
    WRITE_TIMEOUT = "write-timeout"
    # rights
    CLASS_MISSING = "class-missing"
    CLASS_SYSTEM = "class-system"
    READS_TOO_MUCH = "reads-too-much"
    NO_REPORTING = "no-reporting"
    RIGHTS_WIDE = "rights-wide"
    FILTER_NARROW = "filter-narrow"
    FILTER_THIN = "filter-thin"
    FILTER_WIDE = "filter-wide"
    DANGEROUS = "live-dangerously"
    CONFIG_READABLE = "config-readable"
    RECORDER_LOGIN = "recorder-login"
    DESK_LOGIN = "desk-login"
    DESK_WIDE = "desk-wide"
    DESK_CONTEXT = "desk-context"
    MODULE_MISSING = "module-missing"
    # trunk and dialplan
    TRUNK_UNKNOWN = "trunk-unknown"
    TRUNK_CONTEXT = "trunk-context"
    TRUNK_INSIDE = "trunk-inside"
    NUMBER_MISSING = "number-missing"
    ALIAS_MISSING = "alias-missing"
    WILDCARD = "wildcard"
    WILDCARD_REFUSED = "wildcard-refused"
    CALLER_TEXT = "caller-text"
    JUMP_NOWHERE = "jump-nowhere"
    VOICEMAIL_EVENT = "voicemail-event"
    VOICEMAIL_UNTOLD = "voicemail-untold"
    RECORDING_EVENT = "recording-event"
    # queues
    QUEUE_MISSING = "queue-missing"
    QUEUE_EMPTY = "queue-empty"
    MEMBER_UNKNOWN = "member-unknown"
    MEMBER_UNLISTED = "member-unlisted"
    MEMBER_INVALID = "member-invalid"
    NO_LOGIN = "agent-without-login"
    # recordings
    NOT_RECORDED = "not-recorded"
    RECORDING_LEGS = "recording-legs"
    RECORDING_MARK = "recording-mark"
    RECORDING_NAME = "recording-name"
    RECORDINGS_FOLDER = "recordings-folder"
    RECORDINGS_STALE = "recordings-stale"
    # the PBX's own call records
    CDR_FILE = "cdr-file"
    CDR_OFF = "cdr-off"
    CDR_UNIQUEID = "cdr-uniqueid"
    CDR_TIMES = "cdr-times"
    CDR_UNANSWERED = "cdr-unanswered"


class Entry(NamedTuple):
    """What is the same of a fault wherever it is found."""

    severity: Severity
    why: str
    remedy: str


_F, _W = Severity.FAULT, Severity.WARNING
_C = Code

CATALOGUE: Mapping[Code, Entry] = {
    _C.DATABASE: Entry(_F, "nothing can be kept: no tickets, no calls, nobody can log in", "see the message; correct database.url or HOTLINE_DATABASE_URL"),
    _C.DATABASE_BEHIND: Entry(_W, "commands that do not start the service refuse to work on it", "hotline migrate, or start the service, which does it"),
    _C.REDIS: Entry(_F, "cards made by one process do not reach pages held by another", "correct redis.url or HOTLINE_REDIS_URL, or leave it out with one process"),
    _C.SPEECH_MODEL: Entry(_W, "transcripts and summaries wait until there is a model", 'hotline model add, or transcription.engine = "none"'),
    _C.DATA_FOLDER: Entry(_F, "database, repaired recordings and models are kept there", "make the folder and give it to the user the service runs as"),
    _C.SECRET_MISSING: Entry(_F, "the service does not start", "set the variable or name a secret_file"),
    _C.SECRET_READABLE: Entry(_F, "every user of that machine can read the secret and log in to the PBX", "chmod o-rwx, owned by the program that reads it"),
    _C.SECRET_WEAK: Entry(_F, "whoever reaches the AMI port guesses it and hears who calls whom", "a random secret of 20 characters or more, in manager.conf and here"),
    _C.PBX_TWICE: Entry(_F, "every call on it is shown and kept twice, under two keys", "name each PBX once; a trunk more goes into its trunks"),
    _C.UNREACHABLE: Entry(_F, "no call is seen at all", "check host and port here, enabled, bindaddr and port in manager.conf, and the firewall between; a port that speaks TLS only needs tls = true"),
    _C.REFUSED: Entry(_F, "no call is seen at all", "check user, secret, permit and deny in manager.conf, then: manager reload. Asterisk gives one answer for all of them; --pbx-config tells which"),
    _C.TLS: Entry(_F, "no call is seen at all", "tlsenable = yes and tlsbindaddr in manager.conf, port = its port here, tls_ca = its certificate's authority"),
    _C.PLAIN_LINK: Entry(_W, "the secret, the callers' numbers and their names cross the network readable", "tls = true with tlsenable in manager.conf, or a tunnel"),
    _C.VERSION: Entry(_W, "hotline was tried with Asterisk 16 and 22; others may name or order headers otherwise", "make test calls with hotline doctor --watch"),
    _C.CLOCK: Entry(_F, "times on calls and tickets are wrong, answering times can be negative, recordings of midnight are looked for in the wrong day", "run an NTP client on both machines"),
    _C.AMI_DISABLED: Entry(_F, "no call is seen at all", "[general] enabled = yes in manager.conf, then: core restart gracefully or manager reload"),
    _C.AMI_ELSEWHERE: Entry(_F, "no call is seen at all", "make host and port here fit bindaddr and port in manager.conf"),
    _C.AMI_OPEN: Entry(_F, "anybody who reaches that address may try secrets and read the traffic, calls and numbers in it", "bindaddr = 127.0.0.1 or one private address; tlsenable = yes where another machine must reach it"),
    _C.AMI_OVER_HTTP: Entry(_W, "the AMI can also be reached through the built-in web server, past bindaddr", "webenabled = no in manager.conf, unless something needs it"),
    _C.NO_USER: Entry(_F, "the login is refused", "add the user hotline dialplan prints, then: manager reload"),
    _C.WRONG_SECRET: Entry(_F, "the login is refused", "use the same secret in manager.conf and here, then: manager reload"),
    _C.NOT_PERMITTED: Entry(_F, "the login is refused", "permit = this machine's address/255.255.255.255 below deny = 0.0.0.0/0.0.0.0, then: manager reload"),
    _C.PERMIT_WIDE: Entry(_F, "whoever learns the secret can use it from anywhere", "deny = 0.0.0.0/0.0.0.0 and permit = this machine's address/255.255.255.255"),
    _C.ONE_LOGIN: Entry(_F, "a second service, a restart that overlaps and this doctor are refused while one is logged in", "allowmultiplelogin = yes in manager.conf"),
    _C.NO_TIMESTAMPS: Entry(_F, "events carry no time: calls, turns and answering times have none", "[general] timestampevents = yes in manager.conf, then: manager reload"),
    _C.WRITE_TIMEOUT: Entry(_F, "with the default of 100 ms Asterisk cuts a listener that is busy for a moment, and events are lost", "writetimeout = 5000 for this user"),
    _C.CLASS_MISSING: Entry(_F, "calls, agents or the dialplan's own events are not told", "read = system,call,agent,user for this user, then: manager reload"),
    _C.CLASS_SYSTEM: Entry(_W, "a restart of the PBX cannot be told from a broken line in captures and logs", "read = system,call,agent,user"),
    _C.READS_TOO_MUCH: Entry(_F, "the service is sent what it never reads; dtmf, verbose and security hold keys that callers press and other people's secrets", "read = system,call,agent,user"),
    _C.NO_REPORTING: Entry(_F, "after a reconnect the PBX cannot be asked what is there: calls that ended unseen stay on the pages", "write = reporting for this user, then: manager reload"),
    _C.RIGHTS_WIDE: Entry(_F, "whoever gets this secret can make calls, listen in or run programs on the PBX", "write = reporting, nothing else"),
    _C.FILTER_NARROW: Entry(_F, "events that calls are told from never arrive: cards stay, the wrong agent is shown, outcomes are wrong", "use the filter hotline dialplan prints, then: manager reload"),
    _C.FILTER_THIN: Entry(_W, "who picked up a colleague's ringing phone, the end of a recording and pauses are told late or not", "use the filter hotline dialplan prints"),
    _C.FILTER_WIDE: Entry(_W, "about twice the volume that is needed is sent", "use the filter hotline dialplan prints"),
    _C.DANGEROUS: Entry(_F, "any AMI user who may read a variable may read files and run programs on the PBX", "live_dangerously = no in asterisk.conf, then restart"),
    _C.CONFIG_READABLE: Entry(_W, "func_config lets every AMI user with reporting read every secret in the PBX's configuration", "noload = func_config.so in modules.conf, unless the dialplan uses AST_CONFIG()"),
    _C.RECORDER_LOGIN: Entry(_F, "no call is recorded, as the service is to start recordings", "the user hotline dialplan prints: write = system,reporting, no read; HOTLINE_PBX_<NAME>_RECORDER_SECRET"),
    _C.DESK_LOGIN: Entry(_F, "agents' pauses do not reach the queues, and nothing is called by a click", "the user hotline dialplan prints: write = agent, with originate where calls are made; HOTLINE_PBX_<NAME>_DESK_SECRET"),
    _C.DESK_WIDE: Entry(_W, "whoever takes the service's machine may do that on the PBX", "the user hotline dialplan prints: write = agent or agent,originate"),
    _C.DESK_CONTEXT: Entry(_F, "every call by a click is refused", "context in [pbx.desk]: one that lets out what agents may call"),
    _C.MODULE_MISSING: Entry(_F, "the dialplan stops where it needs the module", "load it in modules.conf, then: module load"),
    _C.TRUNK_UNKNOWN: Entry(_F, "calls are recognised by their trunk: none of its calls is a call of ours", "name the endpoint exactly as the PBX does (pjsip show endpoints) in trunks"),
    _C.TRUNK_CONTEXT: Entry(_F, "the PBX answers 404 to every call of the carrier", "context = of the trunk's endpoint: one that holds your 400 numbers"),
    _C.TRUNK_INSIDE: Entry(_F, "whoever calls from outside can dial what agents can dial, at your expense", "a context of its own for the trunk, with the 400 numbers only"),
    _C.NUMBER_MISSING: Entry(_F, "callers of that number hear that it does not exist", "an extension for it in the trunk's context; hotline dialplan prints one"),
    _C.ALIAS_MISSING: Entry(_F, "calls the carrier delivers under that number get no card and no ticket", "add it to aliases of the line"),
    _C.WILDCARD: Entry(_F, "a caller who writes line breaks into the number he dials gets his own lines into AMI, queue_log and your dialplan", "exact extensions for your numbers in the trunk's context; hotline dialplan prints them"),
    _C.WILDCARD_REFUSED: Entry(_W, "the call is refused, but a dialled number with line breaks still reaches AMI and queue_log; the service does not believe it", "leave the pattern out: Asterisk answers 404 by itself"),
    _C.CALLER_TEXT: Entry(_F, "the caller chooses that text: commas make new headers, slashes leave the folder, quotes end commands", "use ${FILTER(0-9+,${CALLERID(num)})}, and names from ${UNIQUEID} only"),
    _C.JUMP_NOWHERE: Entry(_F, "the call is dropped where the dialplan jumps to what is not there", "correct the jump, or add what it names"),
    _C.VOICEMAIL_EVENT: Entry(_F, "calls that leave a message are told as given up; nobody is asked to call back", "let the dialplan send that UserEvent after the message, or correct voicemail_event"),
    _C.VOICEMAIL_UNTOLD: Entry(_W, "a message that a caller leaves is not told to the service", "send a UserEvent after it and name it in voicemail_event; hotline dialplan prints one"),
    _C.RECORDING_EVENT: Entry(_F, "recordings are then found only where their folder can be guessed", "correct recording_event, or send that UserEvent after MixMonitor"),
    _C.QUEUE_MISSING: Entry(_F, "the caller falls through to what follows Queue(), mostly a hang-up", "add the queue to queues.conf, or correct its name"),
    _C.QUEUE_EMPTY: Entry(_W, "callers wait for nobody, or are turned away where joinempty = no", "add members, or log agents in"),
    _C.MEMBER_UNKNOWN: Entry(_F, "no page opens when that phone rings, and nobody is named as having answered", "interfaces = of the [[agent]] who sits there"),
    _C.MEMBER_UNLISTED: Entry(_F, "calls are told under an extension that belongs to nobody here", "an [[agent]] for it, or correct the queue's member"),
    _C.MEMBER_INVALID: Entry(_F, "the queue calls a phone that does not exist, and callers wait that much longer", "correct the member's interface, or add the phone"),
    _C.NO_LOGIN: Entry(_W, "no page can show the calls that ring at that phone", "hotline user add LOGIN --extension EXTENSION"),
    _C.NOT_RECORDED: Entry(_F, "every call of that line gets the alarm that its recording is missing", "MixMonitor in the dialplan before the queue (hotline dialplan prints it), or record = false"),
    _C.RECORDING_LEGS: Entry(_F, "the transcript cannot say who spoke, and is worse", "MixMonitor with r(NAME-rx.wav)t(NAME-tx.wav)"),
    _C.RECORDING_MARK: Entry(_F, "a recording counts as complete only after it was left alone for a while, and a killed PBX's cannot be told", "a post-record command for MixMonitor: /usr/bin/touch NAME.done, as hotline dialplan prints it"),
    _C.RECORDING_NAME: Entry(_F, "the recording cannot be found for its call", "a name that holds ${UNIQUEID}"),
    _C.RECORDINGS_FOLDER: Entry(_F, "no recording can be played, transcribed or summarised", "mount the folder here and let the service's user read it"),
    _C.RECORDINGS_STALE: Entry(_W, "perhaps the PBX records elsewhere, or not any more", "compare recordings.root with the folder MixMonitor writes to"),
    _C.CDR_FILE: Entry(_F, "calls that ended while nobody listened stay lost", "correct [pbx.cdr], and let the service's user read it"),
    _C.CDR_OFF: Entry(_F, "there are no records to complete lost calls from", "[general] enable = yes in cdr.conf and a back end loaded"),
    _C.CDR_UNIQUEID: Entry(_F, "a record cannot be told to belong to a call", "loguniqueid = yes in [csv] of cdr.conf, then: module reload cdr_csv"),
    _C.CDR_TIMES: Entry(_F, "records are looked for in the wrong hours and calls are told hours off", "timezone in [pbx.cdr]: the PBX's zone, UTC with usegmtime = yes"),
    _C.CDR_UNANSWERED: Entry(_W, "calls that nobody answered may have no record", "unanswered = yes in [general] of cdr.conf"),
}  # fmt: skip
