"""What is to be printed, before it is text: the configuration as the PBX sees it, every name safe in a PBX's file.

Pure. A name that could end a line, an argument or a shell word there is a fault, never escaped: an admin can change it.
"""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from hotline.dialplan.settings import FOLDER, Dialplan
from hotline.settings import Settings
from hotline.telephony_settings import Agent, Line, Pbx, Routing
from telephony.lines import Lines

SPOOL = "/var/spool/asterisk/monitor"
_LONG = 7  # digits: what is shorter is no number that a country code could stand before
_ABROAD = re.compile(r"(?:\+|00)(?!86)")
_DEVICE = re.compile(r"[A-Za-z0-9]{1,20}/[A-Za-z0-9_.@/-]{1,80}")
_EVENT = re.compile(r"[A-Za-z0-9_-]{1,40}")
_MARK = re.compile(r"[A-Za-z0-9._-]{1,20}")
_USER = re.compile(r"[A-Za-z0-9_.-]{1,40}")
_GENERAL = "general"  # a section of manager.conf that is no user


class Kind(StrEnum):
    """Whose files they are: plain Asterisk's, or those of a distribution that writes most of them itself."""

    ASTERISK = "asterisk"
    FREEPBX = "freepbx"
    ISSABEL = "issabel"


class Unfit(Exception):  # noqa: N818 - says of the configuration what is wrong with it
    """The configuration does not say all that a PBX must know. ``faults`` names everything, not only the first."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Secrets:
    """What stands in the PBX's files and in no configuration. None: not known here, or not to be printed."""

    user: str | None = None
    recorder: str | None = None
    token: str | None = None
    desk: str | None = None


class Desk(NamedTuple):
    """An agent's phone: its number, what Dial() calls it and what the queues call it."""

    extension: str
    device: str
    member: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The configuration as one PBX must know it.

    ``dial_as``: what Dial() calls a phone, as "PJSIP/{extension}". ``service``: this machine, ``recordings``: the
    recordings root, both as the PBX sees them. ``mark``: what the post-record command leaves. ``route``: host and port
    where the dialplan asks; None: it does not.
    """

    kind: Kind
    pbx: Pbx
    lines: tuple[Line, ...]
    desks: tuple[Desk, ...]
    dial_as: str
    dial: Dialplan
    secrets: Secrets
    service: str
    recordings: str
    mark: str
    route: str | None

    @property
    def recorded(self) -> bool:
        """Whether some line's calls are recorded, by whomever: callers are told."""
        return any(line.record for line in self.lines)

    @property
    def mixes(self) -> bool:
        """Whether the dialplan records. Where the service does it by a login of its own, the dialplan must not."""
        return self.recorded and self.pbx.recorder is None

    @property
    def on(self) -> str | None:
        """The context into which other numbers of the trunk go on."""
        return self.dial.next or (None if self.kind is Kind.ASTERISK else "from-pstn")

    @property
    def queues(self) -> list[str]:
        """Every queue a call may be sent to, each once."""
        named = [queue for line in self.lines for queue in (line.routing.queue, *line.routing.menu.values()) if queue]
        return list(dict.fromkeys(named))

    @property
    def announcements(self) -> list[str]:
        """Every sound that routing may have played, each once."""
        named = [s for line in self.lines for s in (line.routing.announcement, line.routing.vip_announcement) if s]
        return list(dict.fromkeys(named))


def plan(settings: Settings, pbx: Pbx, kind: Kind, secrets: Secrets) -> Plan:
    """The configuration as ``pbx`` must know it. Raises Unfit."""
    local, place, routing = is_loopback(pbx.host), settings.recordings_of(pbx), settings.routing
    service = settings.dialplan.service or ("127.0.0.1" if local else "")
    host = routing.host if _is_one_address(routing.host) else service
    dial_as = _dial_as(routing.dial, kind)
    made = Plan(
        kind=kind,
        pbx=pbx,
        lines=settings.line,
        desks=tuple(_desk(agent, dial_as) for agent in settings.agent),
        dial_as=dial_as,
        dial=settings.dialplan,
        secrets=secrets,
        service=service,
        recordings=settings.dialplan.recordings or (str(place.root) if local and place.root is not None else SPOOL),
        mark=place.mark,
        route=None if routing.http_port is None else f"{f'[{host}]' if ':' in host else host}:{routing.http_port}",
    )
    faults = [*_lacking(made, settings), *_unsafe(made)]
    if faults:
        raise Unfit(faults)
    return made


def forms(number: str) -> list[str]:
    """Every form in which a carrier may send a number, the configured one first: exactly these, no pattern."""
    if len(number.lstrip("+")) < _LONG or _ABROAD.match(number):
        return [number]
    national = number.removeprefix("+").removeprefix("00")
    national = national.removeprefix("86") if len(national) > 11 else national  # noqa: PLR2004 - as telephony.lines
    cores = [national] if not national.startswith("0") else [national, national[1:]]
    lines = Lines({number: ()})
    spelt = [number, *(prefix + core for core in cores for prefix in ("", "+86", "0086", "86"))]
    return [form for form in dict.fromkeys(spelt) if lines.number(form) == number]


def device_of(dial_as: str, extension: str) -> str:
    """What Dial() calls the phone with this number."""
    return dial_as.replace("{extension}", extension)


def _dial_as(configured: str, kind: Kind) -> str:
    """What Dial() calls a phone: as configured, else what the queues of these distributions call it."""
    return configured if kind is Kind.ASTERISK or configured != Routing().dial else "Local/{extension}@from-queue/n"


def _desk(agent: Agent, dial_as: str) -> Desk:
    device = device_of(dial_as, agent.extension)
    return Desk(agent.extension, device, agent.interfaces[0] if agent.interfaces else device)


def _is_one_address(host: str) -> bool:
    """Whether the service listens at one address: not at all of them, not under a name that the PBX must look up."""
    try:
        return not ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Whether a PBX is on this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _lacking(made: Plan, settings: Settings) -> Iterator[str]:
    """What the configuration must say and does not."""
    if not made.service:
        yield "dialplan.service is missing: this machine's IP address as the PBX sees it"
    if settings.routing.http_port == 0:
        yield "routing.http_port is 0: the dialplan must know the port, so name one"
    if made.route and not is_loopback(made.pbx.host) and is_loopback(settings.routing.host):
        yield f"routing.host is {settings.routing.host}, where the PBX on {made.pbx.host} cannot ask"
    for line in made.lines:
        if line.routing.queue is None:
            yield f"[[line]] {line.number}: routing.queue is missing: the queue its calls reach"


def _unsafe(made: Plan) -> Iterator[str]:
    """Names that mean something else in a PBX's file, or to its shell."""
    recorder = made.pbx.recorder
    for key, name, form in (
        ("recordings.mark", made.mark, _MARK),
        ("[[pbx]] user", made.pbx.user, _USER),
        ("[[pbx]] recorder.user", None if recorder is None else recorder.user, _USER),
        ("[[pbx]] desk.user", None if made.pbx.desk is None else made.pbx.desk.user, _USER),
        ("[[pbx]] recording_event", made.pbx.recording_event, _EVENT),
        ("[[pbx]] voicemail_event", made.pbx.voicemail_event, _EVENT),
        ("routing.dial", device_of(made.dial_as, "1001"), _DEVICE),
        *((f"[[agent]] {desk.extension}: its first interface", desk.member, _DEVICE) for desk in made.desks),
    ):
        if name is not None and (not form.fullmatch(name) or name == _GENERAL):
            yield f"{key}: {name!r} cannot stand in a PBX's file; use letters, digits, - and _"
    if not re.fullmatch(FOLDER, made.recordings) or ".." in made.recordings.split("/"):
        yield f"dialplan.recordings: {made.recordings!r} cannot stand in a dialplan; name the folder on the PBX"
