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

from telephony.ami import AmiError, AmiSettings, Connection, RefusedError
from telephony.framing import Counts, Framer
from telephony.reading import LAYOUTS

log = structlog.get_logger()

RISK = (
    "the recorder login needs write = system,reporting and no read. With class system, whoever has its secret can run "
    "shell commands on the PBX. Permit this machine's address alone, keep the secret in a file that only the service "
    "can read, and prefer MixMonitor in the dialplan: see hotline dialplan"
)

_PLAIN = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_MOST = 30.0  # seconds between tries of a PBX that does not answer
_REFUSED_MOST = 300.0


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
        self._settings = settings
        self._rng = random.Random() if rng is None else rng  # noqa: S311 - jitter
        self._connection: Connection | None = None
        self.up = asyncio.Event()
        self.trouble: str | None = "not connected yet"

    async def run(self) -> None:
        """Stay connected until cancelled."""
        log.warning("this service starts recordings", pbx=self._settings.name, user=self._settings.user, risk=RISK)
        failed = 0
        while True:
            try:
                await self._session()
                failed, longest = 0, _MOST
            except RefusedError as error:
                self._tell(f"the recorder login {self._settings.user} is refused: {error}")
                failed, longest = failed + 1, _REFUSED_MOST
                await asyncio.sleep(self._settings.refused_retry)
            except (AmiError, OSError) as error:
                self._tell(str(error) or type(error).__name__)
                failed, longest = failed + 1, _MOST
            pause = min(longest, self._settings.first_retry * 2 ** min(failed, 10))
            await asyncio.sleep(pause * (0.5 + self._rng.random() / 2))

    async def start(self, uniqueid: str, names: Files) -> Start:
        """Record the channel with this Uniqueid.

        Raises AmiError: whether it records is then unknown, ask again; RefusedError: the login may not.
        """
        connection = self._connection
        if connection is None:
            raise AmiError(self.trouble or "no connection")
        deadline = self._settings.deadline
        try:
            asked = {"Channel": uniqueid, "Variable": "MIXMONITOR_FILENAME"}
            if (await connection.ask("Getvar", asked, deadline)).get("Value", "").strip():
                return Start.ALREADY
            order = {"Channel": uniqueid, "File": names.mix, "Options": f"r({names.caller})t({names.agent})"}
            await connection.ask("MixMonitor", order, deadline)
        except RefusedError as error:
            if "no such channel" in str(error).lower():
                return Start.GONE
            self.trouble = f"{error}: grant [{self._settings.user}] write = system,reporting in manager.conf"
            raise RefusedError(self.trouble) from error
        self.trouble = None
        return Start.STARTED

    async def _session(self) -> None:
        connection = Connection(self._settings, Framer(LAYOUTS, Counts()), _ignore, _ignore)
        try:
            await connection.open()
            self._connection = connection
            self.trouble = None
            self.up.set()
            log.info("the recorder login stands", pbx=self._settings.name, user=self._settings.user)
            while not connection.lost.done():
                await asyncio.wait({connection.lost}, timeout=self._settings.ping_every)
                if not connection.lost.done():
                    await connection.ask("Ping", {}, self._settings.ping_every)
            self._tell(connection.lost.result())
        finally:
            self._connection = None
            self.up.clear()
            connection.abort("closed by us")

    def _tell(self, why: str) -> None:
        """Once, not at every try."""
        if why != self.trouble:
            log.warning("the recorder login is down", pbx=self._settings.name, why=why)
        self.trouble = why


def _ignore(_heard: object) -> None:
    """What the PBX tells this login is nobody's business; it should have no read class at all."""
