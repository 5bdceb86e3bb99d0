"""A house in which two agents have had calls, each with secrets of its own; and every address of the API in it."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from screenpop.route import Route, Scope
from storage.records import Known
from transcription.account import Category, Detail, FactKind, Promise, Sentiment, Summary, Urgency
from transcription.transcript import Speaker, Transcript, Turn

if TYPE_CHECKING:
    from telephony.call import CallKey
    from tests.screenpop.conftest import House

SECRETS = {"li": "丽水路九号", "wang": "王府井八号"}  # said in that agent's call alone, and in nobody else's
CALLERS = {"li": "13811110001", "wang": "13922220002"}
PHONES = {"li": "1001", "wang": "1002"}


@dataclass(frozen=True, slots=True)
class Planted:
    """The calls and tickets by whose they are."""

    calls: "dict[str, CallKey]"
    tickets: dict[str, int]


async def plant(house: "House") -> Planted:
    """Two answered calls, written down and summed up, each on a ticket of its agent's."""
    calls, tickets = {}, {}
    for login, secret in SECRETS.items():
        known = Known(f"c-{login}", f"{secret}的客户", vip=True)
        call = await house.answered(PHONES[login], CALLERS[login], known)
        turns = (Turn(Speaker.CALLER, 0.5, 2.0, f"我住在{secret}，洗衣机不转", 0.9),)
        summary = Summary(
            issue=f"{secret}洗衣机不转",
            category=Category.REPAIR,
            urgency=Urgency.HIGH,
            sentiment=Sentiment.NEUTRAL,
            facts=(Detail(FactKind.ADDRESS, secret, "caller", 0.5, 0),),
            promises=(Promise("agent", f"到{secret}上门", "2026-11-21", 0),),
            evidence={f"{secret}洗衣机不转": (0,)},
        )
        await house.ledger.said(call, Transcript(turns, "vosk", "small-cn"), summary, house.time)
        ticket = await house.ticket_of(call)
        await house.ledger.note(ticket, f"备注：{secret}", login, house.time)
        calls[login], tickets[login] = call, ticket
    return Planted(calls, tickets)


def address_of(route: Route, planted: Planted, whose: str) -> str:
    """An address of a route about what is somebody's; what names neither call, ticket nor customer is not there."""
    ours = {
        "key": str(planted.calls[whose]),
        "customer": f"c-{whose}",
        "leg": "caller",
        "format": "json",
        "recording": "0",
        "receiver": "nobody",
    }
    if "/tickets/" in route.path:
        ours["id"] = str(planted.tickets[whose])
    return re.sub(r"\{(\w+)(:[^{}]+)?\}", lambda place: ours.get(place[1], "999999"), route.path)


async def token_for(house: "House", login: str, *scopes: Scope) -> str:
    """A token of somebody's."""
    _, secret = await house.deps.tokens.make(
        login, "测试程序", [scope.value for scope in scopes or Scope], by=login, now=house.time, expires=None
    )
    return secret
