"""A customer's call through the PBX lab, to be run as its tools/scenarios.py is; CRM_CALLER names who calls."""

import asyncio
import os
import sys
from typing import Any

import scenarios  # type: ignore[import-not-found]


@scenarios.sc  # type: ignore[untyped-decorator]
async def customer(lab: Any, _params: dict[str, Any]) -> str:
    """Answered by 1001, both say something, the customer hangs up"""  # noqa: D400 - printed in a list
    lab.beh = {"1001": {"ring": 1.5}, "1002": {"ring": None}, "1003": {"ring": None}}
    caller = await lab.inbound("4007002505", os.environ["CRM_CALLER"])
    await lab.up(caller)
    agent = await lab.agent_call("1001")
    await asyncio.sleep(0.5)
    await lab.say(caller, "vm-mailboxfull")
    await lab.say(agent, "ss-noservice")
    caller.hangup()
    return "answered by 1001; the customer hung up"


if __name__ == "__main__":
    sys.exit(asyncio.run(scenarios.main()))
