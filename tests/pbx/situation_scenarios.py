"""Plays the situations of situations/script.txt, to be run as the lab's tools/scenarios.py is.

Each line is a scenario of that name. More phones than the lab's own: a second device of 1001 and two contacts of 1005;
phones that forward. The PBX must have the additions of situations/*.conf.
"""

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import scenarios  # type: ignore[import-not-found]
import sipua  # type: ignore[import-not-found]

SCRIPT = Path(__file__).parent / "situations" / "script.txt"
MORE = {"1001b": ("1001b", 15), "1005": ("1005", 16), "1005b": ("1005", 17)}
"""By what the script calls them: whom the phone is of, the last octet of its address."""
SILENT = {"ring": None}


class Lab(scenarios.Lab):  # type: ignore[misc]
    """The lab with more phones, whose behaviour may change between two calls."""

    async def phones_up(self) -> None:
        """All phones of the lab, and ours."""
        await super().phones_up()
        for key, (user, octet) in MORE.items():
            phone = sipua.Phone(user, f"{self.net}.{octet}", (f"{self.net}.1", 5060), on_call=self.on_agent)
            phone.key = key
            self.ag[key] = await phone.start()
        self.beh = dict.fromkeys(self.ag, SILENT) | {"carrier": {"ring": 1.0}}

    async def on_agent(self, call: Any) -> None:
        """A phone is called."""
        phone = call.phone
        how = self.beh.get(getattr(phone, "key", phone.user), SILENT)
        if "forward" in how:
            call.state = "ended"
            call.phone = sipua.Phone(how["forward"], f"{self.net}.1", phone.proxy)  # whose address the answer gives
            call.phone.send = phone.send
            call.respond(302, "Moved Temporarily")
            call.phone = phone
            call.ended.set()
        elif "code" in how:
            call.reject(how["code"], "Busy Here")
        else:
            call.ringing()
            if how["ring"] is not None:
                await asyncio.sleep(how["ring"])
                if call.state == "ringing":
                    await call.answer()


class Play:
    """One situation on its way: who of the script is which call."""

    def __init__(self, lab: Any) -> None:
        self.lab = lab
        self.who: dict[str, Any] = {}

    async def step(self, text: str) -> None:
        """One step of the script."""
        for pattern, do in WORDS:
            found = re.fullmatch(pattern, text)
            if found:
                await do(self, *found.groups())
                return
        raise ValueError(f"no such words: {text}")

    async def wait(self, seconds: str) -> None:
        """Nothing, for a while."""
        await asyncio.sleep(float(seconds))

    async def behave(self, user: str, how: str, what: str | None) -> None:
        """From the next call on."""
        kinds: dict[str, dict[str, Any]] = {"busy": {"code": 486}, "silent": SILENT, "forwards": {"forward": what}}
        self.lab.beh[user] = {"ring": float(what or 0)} if how == "answers" else kinds[how]

    async def call(self, name: str, number: str, caller: str | None) -> None:
        """A caller rings one of our numbers, and the PBX answers."""
        await self.route(name, "none", caller, number)

    async def route(self, name: str, route: str, caller: str | None, number: str = "4007002505") -> None:
        """The same, straight to a part of the dialplan."""
        await self.console(f"dialplan set global ROUTE {route}")
        self.who[name] = await self.lab.inbound(number, caller or "13812345678")
        await self.lab.up(self.who[name])
        if route != "none":
            await asyncio.sleep(0.4)

    async def at(self, name: str, user: str) -> None:
        """A call is up at this phone that the script does not know yet."""
        self.who[name] = await self.lab.agent_call(user, 60, skip=tuple(self.who.values()))

    async def dial(self, name: str, user: str, how: str, number: str) -> None:
        """A phone calls; with "dials" until it is answered."""
        self.who[name] = await self.lab.ag[user].call(number)
        if how == "dials":
            await self.lab.up(self.who[name])

    async def refer(self, name: str, number: str, other: str | None) -> None:
        """A transfer by the phone, with Replaces where another call is named."""
        self.who[name].refer(number, replaces=self.who.get(other or ""))

    async def act(self, name: str, verb: str) -> None:
        """Hold, resume, hang up; nothing where the call is over."""
        call = self.who[name]
        if verb == "ends":
            await asyncio.wait_for(call.ended.wait(), 60)
        elif verb == "hangs up":
            call.hangup()
        elif call.state == "up":
            await (call.hold() if verb == "holds" else call.unhold())

    async def press(self, name: str, digits: str) -> None:
        """Keys."""
        self.who[name].dtmf(digits)

    async def say(self, name: str, clip: str) -> None:
        """One of the PBX's own sounds."""
        await self.lab.say(self.who[name], clip)

    async def pick_up(self, user: str) -> None:
        """What rings at this phone is answered now."""
        for call in list(self.lab.ag[user].calls.values()):
            if call.state == "ringing":
                await call.answer()

    async def console(self, command: str) -> None:
        """At the PBX's own console."""
        await asyncio.to_thread(self.lab.cli, command)


WORDS: list[tuple[str, Callable[..., Awaitable[None]]]] = [
    (r"([\d.]+)", Play.wait),
    (r"(\w+) (busy|silent|answers|forwards)(?: ([\d.]+))?", Play.behave),
    (r"(\w+) calls (\d+)(?: from (\d+))?", Play.call),
    (r"(\w+) via (\w+)(?: from (\d+))?", Play.route),
    (r"(\w+) at (\w+)", Play.at),
    (r"(\w+) = (\w+) (dials|rings) (\S+)", Play.dial),
    (r"(\w+) refers (\d+)(?: with (\w+))?", Play.refer),
    (r"(\w+) (holds|resumes|hangs up|ends)", Play.act),
    (r"(\w+) presses (\S+)", Play.press),
    (r"(\w+) says (\S+)", Play.say),
    (r"(\w+) picks up", Play.pick_up),
    (r"pbx does (.+)", Play.console),
]


def script() -> dict[str, list[str]]:
    """The steps of each situation."""
    lines = [line for line in SCRIPT.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return {name: steps.strip().split(" | ") for name, _, steps in (line.partition(":") for line in lines)}


def _scenario(name: str, steps: list[str]) -> None:
    async def play(lab: Any, _params: dict[str, Any]) -> str:
        going = Play(lab)
        for step in steps:
            await going.step(step)
        return " | ".join(steps)

    play.__name__, play.__doc__ = name, " | ".join(steps)
    scenarios.sc(play)


for situation, each in script().items():
    _scenario(situation, each)
scenarios.Lab = Lab

if __name__ == "__main__":
    sys.exit(asyncio.run(scenarios.main()))
