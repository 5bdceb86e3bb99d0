"""Where the printed files go on a PBX, what must be there already, and what is missing. Pure text."""

from collections.abc import Iterator

from hotline.dialplan import extensions, manager
from hotline.dialplan.plan import Kind, Plan, is_loopback

FILE = "hotline_notes.txt"
_INTO = {
    Kind.ASTERISK: ("manager.conf", "extensions.conf"),
    Kind.FREEPBX: ("manager_custom.conf", "extensions_custom.conf"),
    Kind.ISSABEL: ("manager_custom.conf", "extensions_custom.conf"),
}
_RELOAD = {
    Kind.ASTERISK: 'asterisk -rx "manager reload"; asterisk -rx "dialplan reload"; asterisk -rx "pjsip reload"',
    Kind.FREEPBX: "fwconsole reload",
    Kind.ISSABEL: 'asterisk -rx "manager reload"; asterisk -rx "dialplan reload"',
}
_TRUNK = {
    Kind.ASTERISK: "in pjsip.conf the endpoint of {trunks}: context = hotline-trunk (a SIP peer in sip.conf: the same)",
    Kind.FREEPBX: "Connectivity > Trunks > {trunks} > pjsip Settings > Advanced > Context: hotline-trunk "
    "(a chan_sip trunk: context=hotline-trunk in its PEER details)",
    Kind.ISSABEL: "PBX > Trunks > {trunks} > PEER details: context=hotline-trunk",
}


def render(plan: Plan) -> str:
    """The notes, numbered."""
    text = [f'hotline: what to do with the files for PBX "{plan.pbx.name}" ({plan.kind})', ""]
    for number, step in enumerate([*_steps(plan), *_missing(plan)], 1):
        head, *rest = step.splitlines()
        text += [f"{number}. {head}", *(f"{' ' * len(str(number))}  {line}" for line in rest)]
    return "\n".join(text) + "\n"


def _steps(plan: Plan) -> Iterator[str]:
    manager_conf, extensions_conf = _INTO[plan.kind]
    yield (
        f"Copy {manager.FILE} and {extensions.FILE} to /etc/asterisk, owned by Asterisk's user, mode 0640:\n"
        "they hold secrets."
    )
    yield f"Last line of /etc/asterisk/{manager_conf}:     #include {manager.FILE}"
    yield _listening(plan)
    yield f"Last line of /etc/asterisk/{extensions_conf}:  #include {extensions.FILE}"
    yield f"The trunk: {_TRUNK[plan.kind].format(trunks=', '.join(plan.pbx.trunks))}"
    if plan.kind is not Kind.ASTERISK:
        yield from _distribution(plan)
    yield f"Queues that must exist: {', '.join(plan.queues)}"
    sounds = list(dict.fromkeys(_sounds(plan)))
    if sounds:
        yield (
            f"Sounds that must exist below Asterisk's sounds folder: {', '.join(sounds)}\n"
            "The notice says that the call is recorded (为保证服务质量，您的通话将被录音). Without the file Asterisk\n"
            "warns in its log, says nothing to the caller and records all the same."
        )
    if plan.mixes:
        yield (
            f"Recordings go to {plan.recordings}/YYYY/MM/DD on the PBX. The service must read that folder\n"
            "([recordings] root or url), Asterisk's user must write to it."
        )
    if plan.pbx.cdr is not None and plan.pbx.cdr.file is not None:
        yield (
            "Call records: in cdr.conf unanswered = yes below [general], and below [csv] loguniqueid = yes,\n"
            "loguserfield = yes (it has the number called) and newcdrcolumns = yes (the Linkedid)"
        )
    yield f"Load it: {_RELOAD[plan.kind]}"
    yield "Check it: hotline doctor, then a call from a mobile phone under hotline doctor --watch"


def _listening(plan: Plan) -> str:
    where = f"[general] of manager.conf: enabled = yes, port = {plan.pbx.port}"
    if is_loopback(plan.pbx.host):
        return f"{where}, bindaddr = 127.0.0.1"
    if plan.pbx.tls:
        return f"{where.replace('port', 'tlsbindport')}, tlsenable = yes, tlsbindaddr, tlscertfile"
    return f"{where}, bindaddr = {plan.pbx.host}. AMI is plain text: a network of your own only, or tls = true"


def _distribution(plan: Plan) -> Iterator[str]:
    yield (
        "Our numbers now go round the inbound routes, which may stay as they are; all other numbers still take them.\n"
        "Outbound calls are untouched: no predial hook is needed, as they are no calls of the hotline.\n"
        "Where the trunk's context cannot be changed: a Custom Destination hotline-call,NUMBER,1 for each line, as\n"
        "its inbound route's destination. The catch-all of from-pstn then still takes numbers with lines of a caller's."
    )
    yield "Queues and extensions: Call Recording = Don't Care or Never, or each call is recorded twice"
    if extensions.leaves_messages(plan):
        yield (
            "Custom Destinations: add hotline-voicemail,s,1 and make it the fail-over destination of each queue.\n"
            "A queue's own announcements, times and members stay with the web pages."
        )
    strange = [desk.extension for desk in plan.desks if desk.member != f"Local/{desk.extension}@from-queue/n"]
    if strange:
        yield f"Queue members are Local/NUMBER@from-queue/n here; [[agent]] says otherwise of {', '.join(strange)}"


def _sounds(plan: Plan) -> Iterator[str]:
    if plan.recorded and plan.dial.notice:
        yield plan.dial.notice
    if any(line.routing.menu for line in plan.lines):
        yield plan.dial.menu_prompt
    yield from plan.announcements if plan.route else ()
    if extensions.leaves_messages(plan):
        yield plan.dial.message_prompt
    if plan.kind is Kind.ASTERISK or extensions.leaves_messages(plan):
        yield plan.dial.goodbye


def _missing(plan: Plan) -> Iterator[str]:
    """What the files lack, or what is weaker than it could be."""
    if plan.secrets.user is None:
        yield f"SECRET: the line of [{plan.pbx.user}] in {manager.FILE} is empty, so nobody can log in yet."
    if plan.pbx.recorder is not None:
        yield (
            f"RISK: [{plan.pbx.recorder.user}] needs write=system and could run any program: {manager.FILE}\n"
            "says how. The dialplan does not record then. To do without, take [pbx.recorder] out of hotline.toml."
        )
        if plan.secrets.recorder is None:
            yield f"SECRET: the line of [{plan.pbx.recorder.user}] in {manager.FILE} is empty."
    yield from _desk(plan)
    if plan.route is None:
        yield (
            "Routing is not asked: set routing.http_port. The dialplan asks by HTTP alone, as Asterisk waits\n"
            "for a hung FastAGI server without end."
        )
    else:
        if plan.secrets.token is None:
            yield f"TOKEN: {extensions.FILE} has none, so routing answers 403 and calls go to their lines' queues."
        if not plan.desks:
            yield "No [[agent]] is named, so any phone with two to six digits may be rung before the queue."
    if not extensions.leaves_messages(plan):
        yield 'No messages are taken: set voicemail_event = "CC400Voicemail" in [[pbx]] for that.'
    if plan.mixes and plan.pbx.recording_event is None:
        yield "recording_event is off: recordings are found by the Uniqueid in their names alone."


def _desk(plan: Plan) -> Iterator[str]:
    """The login that acts for agents' desks."""
    desk = plan.pbx.desk
    if desk is None:
        return
    if plan.secrets.desk is None:
        yield f"SECRET: the line of [{desk.user}] in {manager.FILE} is empty: agents cannot pause from their desks."
    if desk.originate:
        yield (
            f"RISK: [{desk.user}] may have any number called (write = originate); {manager.FILE} says more.\n"
            f"Calls by a click go on in [{desk.context}], which must exist and let out only what agents may call."
        )
