"""Calls for a service that goes away in their middle; run as the PBX lab's tools/scenarios.py is."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import scenarios  # type: ignore[import-not-found]


@scenarios.sc  # type: ignore[untyped-decorator]
async def unseen(lab: Any, _params: dict[str, Any]) -> str:
    """1002 answers; from when the file "go" is there nobody listens: a transfer to 1001, a second call, their ends"""  # noqa: D400 - printed in a list
    lab.beh = {"1001": {"ring": None}, "1002": {"ring": 0.3}, "1003": {"ring": None}}
    first = await lab.inbound("4008001234", "13812345678")
    await lab.up(first)
    talks = await lab.agent_call("1002")
    go = Path(lab.out) / "go"
    for _ in range(600):
        if await asyncio.to_thread(go.exists):
            break
        await asyncio.sleep(0.05)
    lab.beh["1001"] = {"ring": 0.3}
    talks.refer("1001")
    await lab.agent_call("1001")
    lab.beh |= {"1002": {"ring": None}, "1003": {"ring": 0.3}}
    second = await lab.inbound("4008001234", "02158881234")
    await lab.up(second)
    await lab.agent_call("1003")
    third = await lab.inbound("4007002505", "01088886666")
    await lab.up(third)
    await asyncio.sleep(1.2)
    for caller in (third, second, first):
        caller.hangup()
    return "1002 answered the first call and passed it to 1001; 1003 answered the second; the third gave up in the menu"


if __name__ == "__main__":
    sys.exit(asyncio.run(scenarios.main()))
