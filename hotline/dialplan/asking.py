"""The part of the dialplan that asks the service where a call shall go, and rings the agent it names. Pure text.

Asked by ``CURL()``, whose time is limited as a whole: dead, hung, dripping or unreachable, the service costs a caller
0.3 s at most (docs/adr/0037-the-dialplan-asks-by-curl.md). What comes back only chooses among names that stand here.
"""

from collections.abc import Iterator, Sequence

from hotline.dialplan.plan import Desk, Kind, Plan, device_of
from hotline.dialplan.steps import context, extension

CONNECT = 0.2
ANSWER = 0.3
"""Seconds: as long as the dialplan waits for a connection to the service, and for its whole answer."""
ANYBODY = "[0-9]+"
SHORT = range(2, 7)
"""Digits of an extension, where the configuration names none."""
_REFUSALS = "301,302,303,307,308,400,401,403,404,405,408,429,500,502,503,504"


def contexts(plan: Plan) -> list[str]:
    """The contexts; none where the dialplan does not ask."""
    if plan.route is None:
        return []
    return [_route(plan), _agent(plan)]


def before_queue(plan: Plan) -> list[str]:
    """Steps between routing and the queue: what the caller hears, whose phone rings first."""
    steps = []
    if plan.route and plan.announcements:
        steps += ['GotoIf($["${HOTLINE_ANNOUNCE}" = ""]?said)', "Playback(${HOTLINE_ANNOUNCE})", "(said),NoOp()"]
    if plan.route:
        steps.append('GosubIf($["${HOTLINE_AGENT}" != ""]?hotline-agent,${HOTLINE_AGENT},1)')
    return steps


def _route(plan: Plan) -> str:
    token = plan.secrets.token
    asked = (
        f"http://{plan.route}/route?pbx={plan.pbx.name}&did=${{URIENCODE(${{ARG1}})}}&menu=${{URIENCODE(${{ARG2}})}}"
        "&caller=${URIENCODE(${CALLERID(num)})}&call=${URIENCODE(${UNIQUEID})}"
    )
    return context(
        "hotline-route",
        "ARG1: the line, ARG2: the key pressed. After these times the call goes on with the queue of its line\n"
        "and key, whatever the service does. Its answer may only choose among the names below.",
        extension(
            f"s,1,Set(CURLOPT(conntimeout)={CONNECT})",
            f"Set(CURLOPT(httptimeout)={ANSWER})",
            "Set(CURLOPT(followlocation)=no)",
            f"Set(CURLOPT(failurecodes)={_REFUSALS})",
            "Set(CURLOPT(hashcompat)=yes)",
            f"Set(CURLOPT(httpheader)=X-Hotline-Token: {token})" if token else "NoOp(no token: see the notes)",
            f"Set(HASH(HOTLINE)=${{CURL({asked})}})",
            *_choose("queue", "HOTLINE_QUEUE", plan.queues),
            *_choose("agent", "HOTLINE_AGENT", [desk.extension for desk in plan.desks] or [ANYBODY]),
            *_choose("announce", "HOTLINE_ANNOUNCE", plan.announcements),
            "Set(QUEUE_PRIO=0${FILTER(0-9,${HASH(HOTLINE,priority)}):0:4})",
            "Return()",
        ),
    )


def _choose(key: str, variable: str, names: Sequence[str]) -> list[str]:
    """Take a name from the answer if it is one of these."""
    if not names:
        return []
    known = "|".join(name.replace(".", "[.]") for name in names)
    return [
        f"Set(HOTLINE_SAID=${{FILTER(0-9A-Za-z_./\\-,${{HASH(HOTLINE,{key})}})}})",
        f'Set({variable}=${{IF(${{REGEX("^({known})$" ${{HOTLINE_SAID}})}}?${{HOTLINE_SAID}}:${{{variable}}})}})',
    ]


def _agent(plan: Plan) -> str:
    return context(
        "hotline-agent",
        "The phones that may ring before the queue: free ones, whose agent has not paused, for so many seconds.",
        *(_ring(plan, desk) for desk in plan.desks or _anybody(plan)),
    )


def _anybody(plan: Plan) -> Iterator[Desk]:
    """Where the configuration names no agents: any phone with a short number of this PBX."""
    for digits in SHORT:
        device = device_of(plan.dial_as, "${EXTEN}")
        yield Desk(f"_{'X' * digits}", device, device)


def _ring(plan: Plan, desk: Desk) -> str:
    state = f"DEVICE_STATE({desk.device})"
    if plan.kind is not Kind.ASTERISK and desk.device.startswith("Local/"):
        state = "EXTENSION_STATE(${EXTEN}@ext-local)"  # a Local channel's state says nothing of the phone behind it
    return extension(
        f'{desk.extension},1,GotoIf($["${{{state}}}" != "NOT_INUSE"]?busy)',
        # QUEUE_MEMBER() of who is not in the queue writes an error to Asterisk's log
        f'GotoIf($["${{REGEX("(^|,){desk.member}(,|$)" ${{QUEUE_MEMBER_LIST(${{HOTLINE_QUEUE}})}})}}" != "1"]?free)',
        f'GotoIf($["${{QUEUE_MEMBER(${{HOTLINE_QUEUE}},paused,{desk.member})}}" = "1"]?busy)',
        f"(free),Dial({desk.device},{plan.dial.agent_ring},t)",
        "(busy),Return()",
    )
