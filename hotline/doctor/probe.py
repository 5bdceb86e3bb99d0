"""Asks one PBX over AMI, with the service's own login and nothing that changes anything there.

A right is learnt from ``ListCommands``, which names only what this user may do; queues, devices, contexts and functions
by reading variables, as far as ``write = reporting`` allows. Judges nothing.
"""

import asyncio
import re
import ssl
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from hotline.doctor.dialplan import Dialplan, of_rows
from hotline.doctor.gathered import Answers, Member, Reach
from hotline.pbx_feed import login_of
from hotline.telephony_settings import Pbx
from telephony.ami import AmiError, Connection, RefusedError
from telephony.events import Event
from telephony.framing import Framer
from telephony.reading import LAYOUTS

_PRIVILEGES = re.compile(r"\(Priv: ([^)]*)\)\s*$")
_WANTED = (
    "cdr.conf/general/enable",
    "cdr.conf/general/unanswered",
    "cdr.conf/csv/loguniqueid",
    "cdr.conf/csv/usegmtime",
    "manager.conf/general/timestampevents",
)
_COMPLETE = re.compile(rb"\r\nEventList: complete\r\n", re.IGNORECASE)
_MOST_FILTERS = 50
_MOST_VARIABLES = 400
_MOST_PHONES = 50
_SETTLE = 0.3  # seconds an event may come after a list that shows what it tells
_PATIENCE = 10.0  # seconds for one list
_VARIABLE = re.compile(r"[A-Za-z0-9_.@/ -]{1,80}")

Clock = Callable[[], float]


async def probe(pbx: Pbx, secret: str, clock: Clock, listen: float) -> Answers:
    """Log in, ask, listen for ``listen`` seconds, leave."""
    session = _Session(pbx, secret, clock)
    try:
        return await _asked(session, listen)
    finally:
        session.connection.abort("asked enough")


async def _asked(session: "_Session", listen: float) -> Answers:
    try:
        await session.connection.open()
    except RefusedError as error:
        return Answers(reach=Reach.REFUSED, trouble=str(error))
    except (AmiError, OSError) as error:
        reach = Reach.TLS if isinstance(error.__cause__, ssl.SSLError) or "tls_ca" in str(error) else Reach.AWAY
        return Answers(reach=reach, trouble=str(error) or type(error).__name__)
    try:
        return await session.ask_all(listen)
    except (AmiError, OSError) as error:
        return Answers(reach=Reach.AWAY, trouble=f"after the login: {error}")


async def probe_login(pbx: Pbx, user: str, secret: str, clock: Clock) -> Answers:
    """What a further login may do: one that starts recordings, or acts for the desks."""
    session = _Session(pbx.model_copy(update={"user": user}), secret, clock)
    try:
        await session.connection.open()
        return Answers(reach=Reach.IN, actions=await session.actions())
    except RefusedError as error:
        return Answers(reach=Reach.REFUSED, trouble=str(error))
    except (AmiError, OSError) as error:
        return Answers(reach=Reach.AWAY, trouble=str(error))
    finally:
        session.connection.abort("asked enough")


class _Session:
    def __init__(self, pbx: Pbx, secret: str, clock: Clock) -> None:
        self._pbx, self._clock = pbx, clock
        self.framer: Framer[Event] = Framer(LAYOUTS)
        self.connection = Connection(login_of(pbx, secret), self.framer, _ignore, self._heard)
        self._raw = bytearray()
        self._more = asyncio.Event()

    def _heard(self, data: bytes) -> None:
        self._raw += data
        self._more.set()

    async def ask_all(self, listen: float) -> Answers:
        """Everything, one after the other: the PBX answers in milliseconds."""
        actions = await self.actions()
        core = await self._ask("CoreSettings") or {}
        clock = await self._clock_of()
        queues, members = await self._queues()
        plan = await self._plan() if actions is None or "ShowDialPlan" in actions else None
        devices = {trunk: await self._get(f"DEVICE_STATE({trunk})") for trunk in self._pbx.trunks if _plain(trunk)}
        phones = sorted({member.device for member in members if _plain(member.device)})[:_MOST_PHONES]
        contexts = {}
        for device in (*devices, *phones):
            technology, _, name = device.partition("/")
            if technology == "PJSIP" and (context := await self._get(f"PJSIP_ENDPOINT({name},context)")):
                contexts[device] = context
        own = await self._own()
        filters = () if own is None else await self._filters()
        conf = {}
        for wanted in _WANTED if own is not None else ():
            file, section, key = wanted.split("/")
            if value := await self._get(f"AST_CONFIG({file},{section},{key})"):
                conf[wanted] = value
        offset = await self._get("STRFTIME(,,%z)")
        file_seen = await self._get("STAT(e,/etc/passwd)")
        changed = await self._listen(listen)
        blocks = list(_blocks(bytes(self._raw)))
        told = [block for block in blocks if "Privilege" in block and "ActionID" not in block]
        seen = Counter(block["Event"] for block in told if "Event" in block)
        live = [block for block in told if block.get("Event") not in ("FullyBooted", None)]
        return Answers(
            reach=Reach.IN,
            version=core.get("AsteriskVersion"),
            actions=actions,
            queues=queues,
            members=members,
            trunks={trunk: state for trunk, state in devices.items() if state},
            contexts=contexts,
            plan=plan,
            own=own,
            filters=filters,
            conf=conf,
            clock=clock,
            offset=offset if offset and re.fullmatch(r"[+-]\d{4}", offset) else None,
            dangerous=file_seen == "1",
            seen=seen,
            stamped=all("Timestamp" in block for block in live) if live else None,
            silent_change=changed and not seen.keys() & {"Newchannel", "Hangup"},
        )

    async def _ask(self, action: str, **fields: str) -> dict[str, str] | None:
        """The headers of an answer; None when the PBX refuses."""
        try:
            return await self.connection.ask(action, fields, _PATIENCE)
        except RefusedError:
            return None

    async def _get(self, variable: str) -> str | None:
        """A variable's or function's value; "" where there is no such thing, None where we may not ask."""
        answer = await self._ask("Getvar", Variable=variable)
        return None if answer is None else answer.get("Value", "")

    async def _rows(self, action: str, **fields: str) -> list[dict[str, str]] | None:
        """The rows of a list, to its end; None when the PBX refuses."""
        begin = len(self._raw)
        answer = await self._ask(action, **fields)
        if answer is None:
            return None
        ours = answer.get("ActionID", "")
        try:
            async with asyncio.timeout(_PATIENCE * 3):  # a generated dialplan has megabytes
                while True:
                    if _COMPLETE.search(self._raw, begin):
                        rows = [block for block in _blocks(bytes(self._raw[begin:])) if block.get("ActionID") == ours]
                        if any(row.get("EventList", "").lower() == "complete" for row in rows):
                            return [row for row in rows if "Event" in row and "EventList" not in row]
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError as error:
            raise AmiError(f"{action} was not answered to its end") from error

    async def actions(self) -> dict[str, frozenset[str]] | None:
        """What this user may do, each with the classes that allow it."""
        answer = await self._ask("ListCommands")
        if answer is None:
            return None
        found = {name: _PRIVILEGES.search(text) for name, text in answer.items()}
        return {name: frozenset(match[1].split(",")) for name, match in found.items() if match}

    async def _clock_of(self) -> tuple[float, float] | None:
        before = self._clock()
        answer = await self._ask("Ping") or {}
        after = self._clock()
        stamp = answer.get("Timestamp", "")
        if not re.fullmatch(r"\d{9,12}(\.\d+)?", stamp):
            return None
        return float(stamp) - (before + after) / 2, (after - before) / 2

    async def _queues(self) -> tuple[frozenset[str] | None, tuple[Member, ...]]:
        rows = await self._rows("QueueStatus")
        if rows is None:
            return None, ()
        names = frozenset(row["Queue"] for row in rows if row.get("Event") == "QueueParams" and "Queue" in row)
        return names, tuple(
            Member(
                queue=row.get("Queue", ""),
                name=row.get("Name", ""),
                interface=row.get("Location", ""),
                device=row.get("StateInterface", ""),
                status=row.get("Status", ""),
                dynamic=row.get("Membership") == "dynamic",
            )
            for row in rows
            if row.get("Event") == "QueueMember"
        )

    async def _plan(self) -> Dialplan | None:
        rows = await self._rows("ShowDialPlan")
        if not rows:
            return None
        names = set(re.findall(r"\$\{(\w+)\}", " ".join(row.get("AppData", "") for row in rows)))
        asked = sorted(name for name in names if name.isupper() and not name.startswith("ARG"))[:_MOST_VARIABLES]
        values: Mapping[str, str] = {name: value for name in asked if (value := await self._get(name))}
        return of_rows((row for row in rows if row.get("Event") == "ListDialplan"), values)

    async def _own(self) -> dict[str, str] | None:
        """Our own section of manager.conf, where func_config is loaded; never the secret itself."""
        user = self._pbx.user
        if not _plain(user) or not await self._get(f"AST_CONFIG(manager.conf,{user},read)"):
            return None
        return {
            key: value
            for key in ("read", "write", "writetimeout")
            if (value := await self._get(f"AST_CONFIG(manager.conf,{user},{key})"))
        }

    async def _filters(self) -> tuple[str, ...]:
        found: list[str] = []
        while len(found) < _MOST_FILTERS:
            value = await self._get(f"AST_CONFIG(manager.conf,{self._pbx.user},eventfilter,{len(found)})")
            if not value:
                break
            found.append(value)
        return tuple(found)

    async def _listen(self, seconds: float) -> bool:
        """Wait; whether channels came or went meanwhile."""
        before = await self._channels()
        await asyncio.sleep(seconds)
        changed = before is not None and before != await self._channels()
        if changed:
            await asyncio.sleep(_SETTLE)
        return changed

    async def _channels(self) -> frozenset[str] | None:
        rows = await self._rows("CoreShowChannels")
        return None if rows is None else frozenset(row.get("Uniqueid", "") for row in rows)


def _ignore(_event: Event) -> None:
    """Events are read from the raw bytes, all of them."""


def _plain(text: str) -> bool:
    """Whether a name may stand inside a function's brackets."""
    return _VARIABLE.fullmatch(text) is not None


def _blocks(raw: bytes) -> Iterator[dict[str, str]]:
    """What blank lines divide, as headers: good enough to look at, never to track calls by."""
    for block in raw.decode("utf-8", "replace").split("\r\n\r\n"):
        lines: Sequence[str] = block.strip("\r\n").split("\r\n")
        yield {key: value.removeprefix(" ") for key, colon, value in (line.partition(":") for line in lines) if colon}
