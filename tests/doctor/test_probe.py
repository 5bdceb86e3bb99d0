"""What a PBX is asked, and what is made of its answers: against a server that answers as Asterisk 22 did."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from hotline.doctor.gathered import Answers, Reach
from hotline.doctor.probe import probe, probe_login
from hotline.telephony_settings import Pbx

VARIABLES = {
    "DEVICE_STATE(PJSIP/carrier)": "NOT_INUSE",
    "DEVICE_STATE(PJSIP/nobody)": "INVALID",
    "PJSIP_ENDPOINT(carrier,context)": "from-carrier",
    "PJSIP_ENDPOINT(1001,context)": "inside",
    "STRFTIME(,,%z)": "+0800",
    "ROOT": "/recordings",
    "AST_CONFIG(manager.conf,hotline,read)": "call,agent",
    "AST_CONFIG(manager.conf,hotline,eventfilter,0)": "^Event: Newchannel",
    "AST_CONFIG(manager.conf,hotline,eventfilter,1)": "^Event: Hangup",
    "AST_CONFIG(cdr.conf,csv,loguniqueid)": "no",
}
LISTS = {
    "QueueStatus": [
        "Event: QueueParams\nQueue: support\nMax: 0",
        "Event: QueueMember\nQueue: support\nName: Li\nLocation: Local/1001@phones/n\nStateInterface: PJSIP/1001",
    ],
    "ShowDialPlan": [
        "Event: ListDialplan\nContext: in\nExtension: 4007002505\nPriority: 1\nApplication: A\nAppData: ${ROOT}/a:b",
        "Event: ListDialplan\nContext: in\nIncludeContext: more\nRegistrar: pbx_config",
    ],
    "CoreShowChannels": [],
}


class Manager:
    """Answers one connection after the other. ``denied`` actions are refused."""

    def __init__(self, denied: frozenset[str] = frozenset(), ahead: float = 0.0) -> None:
        self.denied, self.ahead = denied, ahead
        self.asked: list[dict[str, str]] = []
        self.talks: set[asyncio.Task[None] | None] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The PBX's side."""
        self.talks.add(asyncio.current_task())
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        while text := (await self._read(reader)):
            action = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
            self.asked.append(action)
            writer.write("".join(f"{message}\n\n" for message in self._answer(action)).replace("\n", "\r\n").encode())
        writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> str:
        try:
            return (await reader.readuntil(b"\r\n\r\n")).decode()
        except (asyncio.IncompleteReadError, ConnectionError):
            return ""

    def _answer(self, action: dict[str, str]) -> list[str]:
        name, ours = action["Action"], f"ActionID: {action['ActionID']}"
        success = f"Response: Success\n{ours}"
        if name == "Login":
            if action["Secret"] != "the-secret":
                return [f"Response: Error\n{ours}\nMessage: Authentication failed"]
            return [success, "Event: FullyBooted\nPrivilege: system,all\nStatus: Fully Booted"]
        if name in self.denied:
            return [f"Response: Error\n{ours}\nMessage: Permission denied"]
        if name in LISTS:
            rows = [row.replace("\n", f"\n{ours}\n", 1) for row in LISTS[name]]
            return [success, *rows, f"Event: {name}Complete\n{ours}\nEventList: Complete\nListItems: {len(rows)}"]
        extra = {
            "ListCommands": "Ping: Keepalive command.  (Priv: <none>)\n"
            "Originate: Originate Call.  (Priv: originate,all)\n"
            "ShowDialPlan: Show dialplan.  (Priv: config,reporting,all)",
            "CoreSettings": "AsteriskVersion: 22.10.1",
            "Ping": f"Ping: Pong\nTimestamp: {1_795_290_138 + self.ahead:.6f}",
            "Getvar": f"Variable: x\nValue: {VARIABLES.get(action.get('Variable', ''), '')}",
        }[name]
        return [f"{success}\n{extra}"]


@asynccontextmanager
async def serving(manager: Manager) -> AsyncIterator[Pbx]:
    """The PBX as it is configured."""
    server = await asyncio.start_server(manager.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield Pbx(name="main", port=port, user="hotline", trunks=("PJSIP/carrier", "PJSIP/nobody"))
    finally:
        server.close()
        await server.wait_closed()
        await asyncio.gather(*(talk for talk in manager.talks if talk is not None))


async def asked(manager: Manager, secret: str = "the-secret") -> Answers:
    """What one examination learns."""
    async with serving(manager) as pbx:
        return await probe(pbx, secret, lambda: 1_795_290_138.0, 0.0)


async def test_everything_that_can_be_asked_is_learnt() -> None:
    """Rights, queues, devices, contexts, the dialplan with its variables, our own section, the clock."""
    answers = await asked(Manager(ahead=7.5))
    assert answers.reach is Reach.IN
    assert answers.version == "22.10.1"
    assert answers.actions is not None
    assert answers.actions["Originate"] == {"originate", "all"}
    assert answers.queues == frozenset({"support"})
    assert [member.device for member in answers.members] == ["PJSIP/1001"]
    assert answers.trunks == {"PJSIP/carrier": "NOT_INUSE", "PJSIP/nobody": "INVALID"}
    assert answers.contexts == {"PJSIP/carrier": "from-carrier", "PJSIP/1001": "inside"}
    assert answers.plan is not None
    assert answers.plan.globals == {"ROOT": "/recordings"}
    assert answers.plan.contexts["in"].includes == ["more"]
    assert answers.plan.contexts["in"].extensions["4007002505"][0].args == "${ROOT}/a:b"
    assert answers.own == {"read": "call,agent"}
    assert answers.filters == ("^Event: Newchannel", "^Event: Hangup")
    assert answers.conf == {"cdr.conf/csv/loguniqueid": "no"}
    assert answers.clock is not None
    assert answers.clock[0] == pytest.approx(7.5)
    assert answers.offset == "+0800"
    assert answers.dangerous is False
    assert answers.seen == {"FullyBooted": 1}


async def test_nothing_that_changes_anything_is_asked() -> None:
    """Nor a secret."""
    manager = Manager()
    await asked(manager)
    harmless = {"Login", "ListCommands", "CoreSettings", "Ping", "Getvar", *LISTS}
    assert {action["Action"] for action in manager.asked} == harmless
    assert not any("secret" in action.get("Variable", "") for action in manager.asked)


@pytest.mark.parametrize("denied", ["ListCommands", "Getvar", "QueueStatus", "ShowDialPlan", "CoreShowChannels"])
async def test_what_is_denied_is_unknown(denied: str) -> None:
    """And the rest is learnt all the same."""
    answers = await asked(Manager(frozenset({denied})))
    assert answers.reach is Reach.IN
    unknown = {"ListCommands": answers.actions, "QueueStatus": answers.queues, "ShowDialPlan": answers.plan}
    assert unknown.get(denied) is None
    assert answers.clock is not None


async def test_a_wrong_secret_is_a_refusal() -> None:
    """With the PBX's own word."""
    answers = await asked(Manager(), "another")
    assert (answers.reach, answers.trouble) == (Reach.REFUSED, "Authentication failed")


async def test_the_login_that_starts_recordings() -> None:
    """Its own rights, asked with its own secret."""
    async with serving(Manager()) as pbx:
        found = await probe_login(pbx, "recorder", "the-secret", lambda: 0.0)
        refused = await probe_login(pbx, "recorder", "another", lambda: 0.0)
    assert found.actions is not None
    assert "Originate" in found.actions
    assert refused.reach is Reach.REFUSED


async def test_nobody_there() -> None:
    """A closed port."""
    async with serving(Manager()) as pbx:
        closed = pbx
    answers = await probe(closed, "the-secret", lambda: 0.0, 0.0)
    assert answers.reach is Reach.AWAY
    assert answers.trouble


async def test_a_port_without_tls() -> None:
    """The handshake is answered with a greeting in plain text."""
    async with serving(Manager()) as pbx:
        answers = await probe(pbx.model_copy(update={"tls": True}), "the-secret", lambda: 0.0, 0.0)
    assert answers.reach is Reach.TLS
