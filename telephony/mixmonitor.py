"""Recording started by us: MixMonitor over a second AMI login, for a PBX whose dialplan does not record.

Asterisk gives the action MixMonitor to the write class ``system`` only, and its ``Command`` field runs any shell
command as the PBX's user (16.28 and 22.10). So this login is a key to the PBX; it is off by default, :data:`RISK` is
told at every start, and ``Command`` is never sent: a recording we started has no post-record mark and counts as
complete when it has not grown for a while. File names are made of our number and the Uniqueid alone.

The PBX is asked first whether it records the channel already (MIXMONITOR_FILENAME, which MixMonitor sets), so that
neither the dialplan's recording nor an attempt whose answer was lost is doubled.
"""

import asyncio
import random
import re
from enum import StrEnum
from typing import NamedTuple

import structlog

from telephony.ami import AmiSettings, RefusedError
from telephony.side_login import SideLogin

log = structlog.get_logger()

RISK = (
    "the recorder login needs write = system,reporting and no read. With class system, whoever has its secret can run "
    "shell commands on the PBX. Permit this machine's address alone, keep the secret in a file that only the service "
    "can read, and prefer MixMonitor in the dialplan: see hotline dialplan"
)

_PLAIN = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")


class Files(NamedTuple):
    """Names below Asterisk's folder of recordings: both mixed, the caller's leg, what the caller hears."""

    mix: str
    caller: str
    agent: str


class Start(StrEnum):
    """What became of it."""

    STARTED = "started"
    ALREADY = "already"  # the channel is being recorded: by the dialplan, or by our own earlier try
    GONE = "gone"  # there is no such channel any more


def files(number: str, uniqueid: str, day: str) -> Files:
    """Names of a recording; ``day`` as YYYY/MM/DD. ValueError for a number or Uniqueid with anything odd in it."""
    if not (_PLAIN.fullmatch(number) and _PLAIN.fullmatch(uniqueid) and re.fullmatch(r"\d{4}/\d\d/\d\d", day)):
        raise ValueError(f"no name for a recording can be made of {number!r}, {uniqueid!r}, {day!r}")
    stem = f"{day}/{number}-{uniqueid}"
    return Files(f"{stem}.wav", f"{stem}-rx.wav", f"{stem}-tx.wav")


class Starter:
    """One PBX's recorder login: :meth:`run` keeps the connection, :meth:`start` records a channel.

    ``up`` is set while it stands; ``trouble``: why nothing can be recorded now, for the operator.
    """

    def __init__(self, settings: AmiSettings, rng: random.Random | None = None) -> None:
        self._login = SideLogin(settings, "the recorder login", rng)

    @property
    def up(self) -> asyncio.Event:
        """Set while the connection stands."""
        return self._login.up

    @property
    def trouble(self) -> str | None:
        """Why nothing can be recorded now."""
        return self._login.trouble

    async def run(self) -> None:
        """Stay connected until cancelled."""
        settings = self._login.settings
        log.warning("this service starts recordings", pbx=settings.name, user=settings.user, risk=RISK)
        await self._login.run()

    async def start(self, uniqueid: str, names: Files) -> Start:
        """Record the channel with this Uniqueid.

        Raises AmiError: whether it records is then unknown, ask again; RefusedError: the login may not.
        """
        login = self._login
        connection, deadline = login.connection, login.settings.deadline
        try:
            asked = {"Channel": uniqueid, "Variable": "MIXMONITOR_FILENAME"}
            if (await connection.ask("Getvar", asked, deadline)).get("Value", "").strip():
                return Start.ALREADY
            order = {"Channel": uniqueid, "File": names.mix, "Options": f"r({names.caller})t({names.agent})"}
            await connection.ask("MixMonitor", order, deadline)
        except RefusedError as error:
            if "no such channel" in str(error).lower():
                return Start.GONE
            login.trouble = f"{error}: grant [{login.settings.user}] write = system,reporting in manager.conf"
            raise RefusedError(login.trouble) from error
        login.trouble = None
        return Start.STARTED
