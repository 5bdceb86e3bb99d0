"""The dialplan, as a file for extensions.conf. Pure text.

Rules it keeps, each for something seen on Asterisk 16.28 and 22.10:

* A trunk's context holds exact numbers. ``_X.`` would match a Request-URI with CR LF in it, which AMI then repeats.
* The caller's number and name are filtered before anything else runs, so queue_log, CDR and later events are clean.
* Events, file names and the post-record command hold the line's number and the Uniqueid, nothing of the caller's.
* A message is told when its file is closed: after Record(), or by the hangup handler, as most callers just hang up.
"""

from itertools import chain

from hotline.dialplan import asking
from hotline.dialplan.plan import Kind, Plan, forms
from hotline.dialplan.steps import comment, context, extension
from hotline.telephony_settings import Line

FILE = "hotline_extensions.conf"
SHORTEST_MESSAGE = 16_044
"""Bytes: a header and a second of sound. A caller who hangs up at the tone left no message."""
NUMBERS = range(3, 21)
"""Digits of the other numbers that may go on from the trunk's context."""


def render(plan: Plan) -> str:
    """The file's text."""
    head = (
        f'; hotline: dialplan for PBX "{plan.pbx.name}", printed by `hotline dialplan`. Print it anew, do not edit.\n'
        f"; Modules: {' '.join(modules(plan))}\n"
    )
    message = _message(plan) if leaves_messages(plan) else []
    return "\n".join(
        [head, _trunk(plan), _calls(plan), _begin(plan), *asking.contexts(plan), _queue(plan), *message, _hangup(plan)]
    )


def modules(plan: Plan) -> list[str]:
    """What Asterisk must have loaded for it."""
    plain, asks, messages = plan.kind is Kind.ASTERISK, plan.route is not None, leaves_messages(plan)
    needed = {
        "app_stack func_callerid func_cdr func_channel func_logic func_strings app_playback": True,
        "app_queue": plain,
        "app_mixmonitor app_userevent": plan.mixes,
        "app_read": any(line.routing.menu for line in plan.lines),
        "res_curl func_curl func_uri": asks,
        "app_dial app_queue func_devstate": asks and plain,
        "app_dial app_queue func_extstate func_devstate": asks and not plain,
        "app_record app_userevent func_env": messages,
    }
    return list(dict.fromkeys(chain.from_iterable(names.split() for names, needs in needed.items() if needs)))


def leaves_messages(plan: Plan) -> bool:
    """Whether callers whom nobody answered are asked for a message: the service must know the event that tells it."""
    return plan.pbx.voicemail_event is not None and plan.dial.message_seconds > 0


def _trunk(plan: Plan) -> str:
    ours: dict[str, Line] = {}
    for line in plan.lines:
        for form in chain.from_iterable(forms(number) for number in (line.number, *line.aliases)):
            ours.setdefault(form, line)
    text = []
    for line in plan.lines:
        text.append(f"; {comment(line.name) or line.number}")
        text += [f"exten => {form},1,Goto(hotline-call,{line.number},1)" for form, of in ours.items() if of is line]
    if plan.on is not None:
        text.append(f"; The trunk's other numbers go on into {plan.on}: digits only, so each length by itself.")
        text += [
            f"exten => _{plus}{'X' * length},1,Goto({plan.on},${{EXTEN}},1)" for length in NUMBERS for plus in ("", "+")
        ]
    if plan.on is not None and plan.kind is not Kind.ASTERISK:
        text.append(f"exten => s,1,Goto({plan.on},s,1)")
    return context(
        "hotline-trunk",
        "From the carrier: the trunk's endpoint has context = hotline-trunk. Only these numbers exist here; to any\n"
        "other the PBX answers 404 and makes neither channel nor event. Put no pattern like _X. beside them: it lets\n"
        "a caller write whole events to AMI by his Request-URI.",
        *text,
    )


def _calls(plan: Plan) -> str:
    return context(
        "hotline-call", "Our lines: begin, menu, routing, queue.", *(_call(plan, line) for line in plan.lines)
    )


def _call(plan: Plan, line: Line) -> str:
    """A line's calls. The menu's keys choose the queue here, so that they do without the service too."""
    steps = [f"Set(HOTLINE_QUEUE={line.routing.queue})"]
    if line.routing.menu:
        longest = max(len(keys) for keys in line.routing.menu)
        steps.append(f"Read(HOTLINE_KEY,{plan.dial.menu_prompt},{longest},,1,5)")
        steps.append("Set(HOTLINE_KEY=${FILTER(0-9*#,${HOTLINE_KEY})})")
    for keys, queue in line.routing.menu.items():
        steps.append(f'Set(HOTLINE_QUEUE=${{IF($["${{HOTLINE_KEY}}" = "{keys}"]?{queue}:${{HOTLINE_QUEUE}})}})')
    if plan.route:
        steps.append(f"Gosub(hotline-route,s,1({line.number},${{HOTLINE_KEY}}))")
    recorded = "record" if line.record else ""
    begin = f"{line.number},1,Gosub(hotline-begin,s,1({line.number},{recorded}))"
    return extension(begin, *steps, "Goto(hotline-queue,s,1)")


def _begin(plan: Plan) -> str:
    steps = [
        "Set(__HOTLINE_CALL=${FILTER(0-9A-Za-z._\\-,${UNIQUEID})})",
        "Set(CALLERID(num)=${FILTER(0-9A-Za-z+*#._\\-,${CALLERID(num)})})",
        "Set(CALLERID(name)=${FILTER(\\x20\\x21\\x23-\\x2b\\x2d-\\x3a\\x3c-\\x7e\\x80-\\xff,${CALLERID(name)})})",
        "Set(CHANNEL(hangup_handler_push)=hotline-hangup,s,1)",
    ]
    if plan.kind is not Kind.ASTERISK:  # what their own inbound routes set, and their call records show
        steps += ["Set(__FROM_DID=${ARG1})", "Set(CDR(did)=${ARG1})"]
    else:  # dst ends as "s": without this a call record does not tell which line was called
        steps += ["Set(CDR(userfield)=did=${ARG1})"]
    return context(
        "hotline-begin",
        "ARG1: the line. ARG2: whether it is recorded. A caller may write what he likes into his number and name;\n"
        "from here on nobody reads more than what numbers and names are made of.",
        extension(
            "s,1,Set(__HOTLINE_LINE=${ARG1})",
            *steps,
            "Answer()",
            "Wait(0.3)",
            *(_record(plan) if plan.recorded else []),
            "(done),Return()",
        ),
    )


def _record(plan: Plan) -> list[str]:
    """The notice, then the recording: both, the caller (r), what the caller hears (t); at its end the mark."""
    event, files = plan.pbx.recording_event, "${HOTLINE_DIR}/${HOTLINE_REC}"
    told = "File: ${HOTLINE_REC}.wav,FileRx: ${HOTLINE_REC}-rx.wav,FileTx: ${HOTLINE_REC}-tx.wav"
    steps = ['GotoIf($["${ARG2}" = ""]?done)', *([f"Playback({plan.dial.notice})"] if plan.dial.notice else [])]
    if plan.mixes:
        steps += [
            f"Set(HOTLINE_DIR={plan.recordings})",
            "Set(HOTLINE_REC=${STRFTIME(${EPOCH},,%Y/%m/%d)}/${HOTLINE_LINE}-${HOTLINE_CALL})",
            f"MixMonitor({files}.wav,r({files}-rx.wav)t({files}-tx.wav),/usr/bin/touch {files}{plan.mark})",
        ]
    return [*steps, *([f"UserEvent({event},{told})"] if plan.mixes and event else [])]


def _queue(plan: Plan) -> str:
    if plan.kind is not Kind.ASTERISK:
        end = ["Goto(ext-queues,${HOTLINE_QUEUE},1)"]
    else:
        end = [f"Queue(${{HOTLINE_QUEUE}},{plan.dial.queue_options},,,{plan.dial.queue_wait})"]
        good_bye = [f"Playback({plan.dial.goodbye})", "Hangup(16)"]
        end += ["Goto(hotline-voicemail,s,1)"] if leaves_messages(plan) else good_bye
    first, *rest = *asking.before_queue(plan), *end
    return context("hotline-queue", "HOTLINE_QUEUE is the queue.", extension(f"s,1,{first}", *rest))


def _message(plan: Plan) -> list[str]:
    file = f"{plan.recordings}/${{HOTLINE_MESSAGE}}.wav"
    noted = ["Set(CDR(userfield)=did=${HOTLINE_LINE}&voicemail=1)"] if plan.kind is Kind.ASTERISK else []
    return [
        context(
            "hotline-voicemail",
            "Nobody answered: a message. A call that did not begin in hotline-begin has no name for it.",
            extension(
                's,1,GotoIf($["${HOTLINE_CALL}" = ""]?bye)',
                f"Playback({plan.dial.message_prompt})",
                "Set(HOTLINE_MESSAGE=voicemail/${HOTLINE_LINE}-${HOTLINE_CALL})",
                f"Record({file},5,{plan.dial.message_seconds},k)",
                "Gosub(hotline-message,s,1)",
                f"(bye),Playback({plan.dial.goodbye})",
                "Hangup(16)",
            ),
        ),
        context(
            "hotline-message",
            "Once the file is closed: marks it complete, and tells of it if it holds a second of sound.",
            extension(
                's,1,GotoIf($["${HOTLINE_MESSAGE}" = ""]?none)',
                f"Set(FILE({plan.recordings}/${{HOTLINE_MESSAGE}}{plan.mark})=complete)",
                f"GotoIf($[0${{STAT(s,{file})}} < {SHORTEST_MESSAGE}]?none)",
                f"UserEvent({plan.pbx.voicemail_event},File: ${{HOTLINE_MESSAGE}}.wav)",
                *noted,
                "(none),Set(HOTLINE_MESSAGE=)",
                "Return()",
            ),
        ),
    ]


def _hangup(plan: Plan) -> str:
    steps = ["StopMixMonitor()"] if plan.mixes else []
    steps += ["Gosub(hotline-message,s,1)"] if leaves_messages(plan) else []
    first, *rest = *steps, "Return()"
    return context(
        "hotline-hangup",
        "Runs when the caller's channel is gone, whoever hung up and wherever the call was.",
        extension(f"s,1,{first}", *rest),
    )
