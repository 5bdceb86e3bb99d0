"""The PBX lab's scenarios and some of ours, to be run as its tools/scenarios.py is (its tools must be importable)."""

import asyncio
import sys
from typing import Any
from urllib.parse import quote

import scenarios  # type: ignore[import-not-found]


@scenarios.sc  # type: ignore[untyped-decorator]
async def busy(lab: Any, params: dict[str, Any]) -> str:
    """Overlapping calls to both numbers; every fifth caller has no patience; three agents answer and talk a little"""  # noqa: D400 - printed in a list
    for user in ("1001", "1002", "1003"):
        lab.beh[user] = {"ring": 0.5, "talk": params.get("talk", 1.2)}

    async def one(number: int) -> None:
        await asyncio.sleep(number * params.get("gap", 0.25))
        caller = await lab.inbound("4008001234" if number % 2 else "4007002505", f"139{20000000 + number * 41}")
        await lab.up(caller)
        try:
            await asyncio.wait_for(caller.ended.wait(), 1.5 if number % 5 == 4 else params.get("patience", 25))
        except TimeoutError:
            caller.hangup()

    count = params.get("n", 10)
    await asyncio.gather(*(one(number) for number in range(count)))
    return f"{count} overlapping calls, every fifth caller gives up after 1.5 s"


@scenarios.sc  # type: ignore[untyped-decorator]
async def slow_answer(lab: Any, _params: dict[str, Any]) -> str:
    """Three phones ring for a long time, then 1002 answers"""  # noqa: D400 - printed in a list
    lab.beh = {"1001": {"ring": None}, "1002": {"ring": 7.0}, "1003": {"ring": None}}
    caller = await lab.inbound("4008001234", "01088886666")
    await lab.up(caller)
    agent = await lab.agent_call("1002")
    await asyncio.sleep(1)
    agent.hangup()
    return "all three agents rang for 7 s; 1002 answered and hung up"


@scenarios.sc  # type: ignore[untyped-decorator]
async def quick(lab: Any, _params: dict[str, Any]) -> str:
    """A lot in a few seconds: ring-all, answered by 1001, held, blind transfer to 1003, the caller hangs up"""  # noqa: D400 - printed in a list
    lab.beh = {"1001": {"ring": 0.8}, "1002": {"ring": None}, "1003": {"ring": None}}
    caller = await lab.inbound("4008001234", "13812345678")
    await lab.up(caller)
    first = await lab.agent_call("1001")
    await asyncio.sleep(0.8)
    await first.hold()
    await asyncio.sleep(0.8)
    await first.unhold()
    lab.beh["1003"] = {"ring": 1.5}
    first.refer("1003")
    await lab.agent_call("1003")
    await asyncio.sleep(1.5)
    caller.hangup()
    return "ring-all, answered by 1001, held, blind transfer to 1003 who answered; the caller hung up"


@scenarios.sc  # type: ignore[untyped-decorator]
async def outside(lab: Any, _params: dict[str, Any]) -> str:
    """1001 answers and transfers the caller to somebody outside, who answers"""  # noqa: D400 - printed in a list
    lab.beh = {"1001": {"ring": 0.8}, "1002": {"ring": None}, "1003": {"ring": None}, "carrier": {"ring": 1.5}}
    caller = await lab.inbound("4008001234", "13812345678")
    await lab.up(caller)
    agent = await lab.agent_call("1001")
    await asyncio.sleep(1.5)
    agent.refer("13900001111")
    await asyncio.sleep(5)
    caller.hangup()
    return "answered by 1001, blind transfer to 13900001111 outside, who answered; the caller hung up"


@scenarios.sc  # type: ignore[untyped-decorator]
async def nobody_there(lab: Any, _params: dict[str, Any]) -> str:
    """1001 answers and transfers the caller to 1003, who rejects: the caller is hung up by the PBX"""  # noqa: D400 - printed in a list
    lab.beh = {"1001": {"ring": 0.8}, "1002": {"ring": None}, "1003": {"ring": None}}
    caller = await lab.inbound("4008001234", "13812345678")
    await lab.up(caller)
    agent = await lab.agent_call("1001")
    await asyncio.sleep(1.5)
    lab.beh["1003"] = {"code": 486, "ring": 1.0}
    agent.refer("1003")
    await asyncio.wait_for(caller.ended.wait(), 20)
    return "answered by 1001, blind transfer to 1003 who was busy; the PBX hung up"


scenarios.PARAMS["busy", "thirty"] = {"n": 30, "gap": 0.6, "talk": 2.0, "patience": 40}


def _forged(*lines: str) -> str:
    """Lines as a caller hides them in the user part of an address, after a blank one."""
    return "".join(f"%0D%0A{quote(line, safe='')}" for line in ("", *lines))


FORGED_ID = "1795200000.997"
scenarios.PARAMS["p_hostile", "ours"] = {
    "forms": [
        (label, {"from_user": f"13700000011{_forged(*lines)}"}, "4008001234")
        for label, lines in {
            "a message that nobody left": ("Event: UserEvent", "UserEvent: CC400Voicemail", "File: x.wav"),
            "an agent who does not talk": ("Event: AgentConnect", "MemberName: Agent-1003"),
            "the end of all calls": ("Event: Shutdown", "Shutdown: Cleanly"),
            "an answer to a question": ("Response: Success", "Message: Authentication accepted"),
            "a row of the list": ("Event: CoreShowChannel", f"Uniqueid: {FORGED_ID}"),
            "an end of the list": ("Event: CoreShowChannelsComplete", "ListItems: 0"),
            "many blank lines": ("", "", "", "", "Event: Hangup"),
        }.items()
    ]
    + [
        (
            "a new call in the number dialled",
            {"from_user": "13700000012"},
            "4007002505"
            + _forged("Event: Newchannel", "CallerIDNum: 13800138009", f"Uniqueid: {FORGED_ID}", "Exten: 4007002505"),
        ),
        ("an honest caller", {"from_user": "13900000001"}, "4008001234"),
    ],
}

if __name__ == "__main__":
    sys.exit(asyncio.run(scenarios.main()))
