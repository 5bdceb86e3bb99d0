"""The PBX's hand: pauses of agents' phones and calls by a click, over each PBX's desk login (``[pbx.desk]``).

Whom it may do it for is decided before; here is known which PBX has the phone, what its interface is called and which
way a number goes out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from hotline.calls_out import CallsOut, Click
from hotline.pbx_feed import login_of
from hotline.settings import Settings
from hotline.tasks import Crew
from hotline.telephony_settings import Agent, Pbx
from numbering.dialling import dialled
from numbering.identify import identify
from screenpop.hands import Cannot, HandError
from telephony.acting import Actor, Order, new_uniqueid
from telephony.ami import AmiError, AmiSettings, RefusedError
from telephony.call import CallKey
from telephony.lines import Lines
from telephony.phones import Phones

log = structlog.get_logger()

_NOWHERE = "extension does not exist"  # what Asterisk says where the context does not know the number


@dataclass(frozen=True, slots=True)
class _Arm:
    """One PBX that may be acted on."""

    pbx: Pbx
    actor: Actor
    phones: Phones


class PbxHand:
    """:class:`screenpop.hands.Hand` over the configured PBXs. ``clock`` gives epoch seconds.

    LookupError when a secret is not where the settings say.
    """

    def __init__(
        self,
        settings: Settings,
        out: CallsOut,
        clock: Callable[[], float],
        actor: Callable[[AmiSettings, CallsOut], Actor] = lambda login, out: Actor(login, out.take),
    ) -> None:
        self._settings, self._out, self._clock = settings, out, clock
        agents = {interface: agent.extension for agent in settings.agent for interface in agent.interfaces}
        self._arms = {
            pbx.name: _Arm(pbx, actor(_login(pbx), out), Phones(pbx.trunks, agents))
            for pbx in settings.pbx
            if pbx.desk is not None
        }
        self._agents: Mapping[str, Agent] = {agent.extension: agent for agent in settings.agent}
        self._lines = Lines({line.number: line.aliases for line in settings.line})

    @property
    def may_pause(self) -> bool:
        """Whether some PBX may be acted on."""
        return bool(self._arms)

    @property
    def may_dial(self) -> bool:
        """Whether some PBX may make calls for us."""
        return any(arm.pbx.desk is not None and arm.pbx.desk.originate for arm in self._arms.values())

    @property
    def pauses(self) -> Sequence[str]:
        """Reasons of all PBXs, each once."""
        told = [reason for arm in self._arms.values() if arm.pbx.desk is not None for reason in arm.pbx.desk.pauses]
        return tuple(dict.fromkeys(told))

    def start(self, crew: Crew) -> None:
        """Keep the logins connected."""
        for name, arm in self._arms.items():
            crew.start(arm.actor.run(), f"desk login of {name}")

    def report(self) -> list[dict[str, str | None]]:
        """Each PBX's desk login for the operator; ``trouble`` None where it stands."""
        return [{"name": name, "trouble": arm.actor.login.trouble} for name, arm in self._arms.items()]

    async def pause(self, extension: str, paused: bool, reason: str | None = None) -> None:  # noqa: FBT001 - protocol
        """Pause a phone in every queue of every PBX that has it, or take it back. Raises HandError."""
        if not self._arms:
            raise HandError(Cannot.NOT_ALLOWED, "no [pbx.desk] is configured")
        found, trouble = False, None
        for arm in self._arms.values():
            try:
                found = await _pause(arm, extension, reason, paused=paused) or found
            except HandError as error:
                trouble = error
        if trouble is not None:
            raise trouble
        if not found:
            raise HandError(Cannot.NO_PHONE, f"extension {extension} is a member of no queue")

    async def dial(
        self,
        extension: str,
        number: str,
        call: CallKey | None = None,
        *,
        line: str | None = None,
        ticket: int | None = None,
        who: str = "",
    ) -> None:
        """Ring the phone, then call ``number`` (E.164) from it. Raises HandError; never asked for twice."""
        arm = self._dialling(call)
        desk = arm.pbx.desk
        assert desk is not None
        digits = dialled(identify(number), abroad=desk.abroad)
        if digits is None or self._lines.number(digits) is not None:
            raise HandError(Cannot.NOT_ALLOWED, "numbers of this kind are not called from here")
        order = Order(
            uniqueid=new_uniqueid(),
            phone=self._phone(arm.pbx, extension),
            context=desk.context or "",
            exten=desk.prefix + digits,
            caller_id=desk.caller_id or (line or self._settings.line[0].number).lstrip("+"),
            ring=desk.ring,
            callback="" if ticket is None else str(ticket),
        )
        if not arm.actor.login.up.is_set():
            raise HandError(Cannot.PBX_AWAY, arm.actor.login.trouble or "not connected")
        if self._out.busy(extension):
            raise HandError(Cannot.BUSY, "a call is being made from this phone already")
        await self._originate(arm, order, Click(extension, who, number, self._clock()))

    async def _originate(self, arm: _Arm, order: Order, click: Click) -> None:
        await self._out.begin(order.uniqueid, click)  # before the PBX may tell of it, and before another click is asked
        try:
            await arm.actor.originate(order)
        except (RefusedError, ValueError) as error:
            await self._out.refused(order.uniqueid)
            nowhere = _NOWHERE in str(error).lower()
            text = (
                f"context {order.context} of PBX {arm.pbx.name} does not know {order.exten}" if nowhere else str(error)
            )
            log.error("a call by a click was refused", pbx=arm.pbx.name, why=text)
            raise HandError(Cannot.REFUSED, text) from error
        except AmiError as error:  # it may ring all the same: nobody clicks again at once
            raise HandError(Cannot.PBX_AWAY, str(error)) from error

    def _dialling(self, call: CallKey | None) -> _Arm:
        """The PBX that calls: that of the call where it may, else the first that may."""
        able = [arm for arm in self._arms.values() if arm.pbx.desk is not None and arm.pbx.desk.originate]
        if not able:
            raise HandError(Cannot.NOT_ALLOWED, "no [pbx.desk] has originate = true")
        return next((arm for arm in able if call is not None and arm.pbx.name == call.pbx), able[0])

    def _phone(self, pbx: Pbx, extension: str) -> str:
        """What Originate calls a phone."""
        agent = self._agents.get(extension)
        if pbx.desk is not None and pbx.desk.phone is not None:
            return pbx.desk.phone.replace("{extension}", extension)
        if agent is not None and agent.interfaces:
            return agent.interfaces[0]
        return self._settings.routing.dial.replace("{extension}", extension)


async def _pause(arm: _Arm, extension: str, reason: str | None, *, paused: bool) -> bool:
    """On one PBX, under every name that its queues have for the phone; whether there is one."""
    try:
        rows = await arm.actor.members()
        names = dict.fromkeys(
            row.interface for row in rows if row.interface and arm.phones.member(row.interface) == extension
        )
        for interface in names:
            await arm.actor.pause(interface, reason, paused=paused)
    except RefusedError as error:
        raise HandError(Cannot.REFUSED, str(error)) from error
    except AmiError as error:
        raise HandError(Cannot.PBX_AWAY, str(error)) from error
    except ValueError as error:
        raise HandError(Cannot.NOT_ALLOWED, str(error)) from error
    return bool(names)


def _login(pbx: Pbx) -> AmiSettings:
    assert pbx.desk is not None
    return replace(login_of(pbx, pbx.desk_secret()), user=pbx.desk.user, capture=None)
