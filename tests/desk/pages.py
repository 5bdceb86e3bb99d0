"""Every page there is, with an address of it that shows something; and how a page is judged."""

import re
from dataclasses import dataclass

from playwright.async_api import Page

from hotline.clock import now
from screenpop.factors import FACTORS
from screenpop.routes import ROUTES
from storage.deliveries import Attempt
from tests.desk.stage import CUSTOMER, KNOWN, Stage
from transcription.account import Category, Detail, FactKind, Promise, Sentiment, Summary, Urgency
from transcription.transcript import Speaker, Transcript, Turn

HEAVIEST = 400 * 1024
"""Bytes of a page with all it loads, as they cross the network (gzip)."""
FIRST_PAINT = 1.0
"""Seconds."""
TRIES = 4
"""How often a page may try to paint in time: other work on the machine makes it late, nothing makes it early."""

NO_PAGES = {  # GET, but no page that somebody looks at: a file, sound, a part of a page, a way to somewhere else
    "/",
    "/ws",
    "/login/oidc",
    "/login/oidc/back",
    "/desk/recent",
    "/tickets/rows",
    "/callbacks/rows",
    "/calls/{key}/state",
    "/calls/{key}/summary",
    "/calls/{key}/audio/{recording}/{leg}",
    "/calls/{key}/peaks/{recording}",
    "/calls/{key}/export/{format}",
    "/audit/file",
    "/privacy/export",
    "/login/code",  # the second steps of a login: tests/screenpop/test_browser_account.py
    "/login/set-up",
}
TURNS = (
    Turn(Speaker.AGENT, 0.3, 1.9, "您好，美家电器。", 0.9, "1001"),
    Turn(Speaker.CALLER, 2.1, 5.0, "我家客厅的空调不制冷了，型号是KFR35。", 0.4),
    Turn(Speaker.AGENT, 5.2, 8.0, "好的，周六上午给您登记上门维修。", 0.9, "1001"),
)
SUMMARY = Summary(
    "客厅空调不制冷",
    Category.REPAIR,
    Urgency.HIGH,
    Sentiment.BAD,
    (Detail(FactKind.MODEL, "KFR35", "caller", 2.1, 1),),
    (Promise("agent", "上门维修", "2026-11-28", 2),),
    {"客厅空调不制冷": (1,)},
)


@dataclass(frozen=True)
class Places:
    """What the pages' addresses are of."""

    call: str
    ticket: int
    delivery: int

    def of(self, path: str) -> str:
        """A route's address."""
        known = {"key": self.call, "customer": CUSTOMER.id}
        known["id"] = str(self.delivery if path.startswith("/deliveries") else self.ticket)
        address = re.sub(r"\{(\w+)\}", lambda found: known[found[1]], path)
        return address + {"/search": "?q=空调", "/privacy": f"?number={KNOWN}", "/calls": "?outcome="}.get(path, "")

    @property
    def all(self) -> list[str]:
        """Every page, and the one that says that there is none."""
        shorn = [re.sub(r"\{(\w+):[^}]+\}", r"{\1}", one.path) for one in ROUTES if one.method == "GET"]
        return [*(self.of(path) for path in shorn if path not in NO_PAGES and "/api/" not in path), "/calls/stage:1.1"]


async def a_days_work(house: Stage) -> Places:
    """A call that was talked, recorded and written down, one that was missed, a receiver told in vain."""
    talk = house.pbx.play("answered", other={})
    talk.upto(1.0)
    caller = (await house.until("SELECT id, ticket_id, caller FROM calls WHERE ticket_id IS NOT NULL"))[0]
    talk.end()
    house.pbx.play("abandoned_in_queue").end()
    await house.until("SELECT id FROM recordings")
    await house.until("SELECT id FROM callbacks")
    await house.service.ledger.said(talk.call, Transcript(TURNS, "vosk", "small-cn"), SUMMARY, now())
    told = Attempt("push:flows.example:1f0c2d3e", talk.key, "arrived", "arrived", now(), 0.2, 500, "500", "{}", "no")
    await house.service.crm_side.deliveries.add(told)
    await house.service.finding.customers.catch_up(100)
    ((delivery,),) = await house.rows("SELECT id FROM deliveries")
    root = await house.service.accounts.find("root")
    assert root is not None
    await house.server.app[FACTORS].offer(root, now())
    return Places(talk.key, caller.ticket_id, delivery)


async def weight(page: Page) -> int:
    """Bytes of what a page has loaded, packed as it was sent."""
    heavy: int = await page.evaluate(
        "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
        ".reduce((sum, one) => sum + one.encodedBodySize, 0)"
    )
    return heavy


async def painted(page: Page) -> float:
    """Seconds until something was painted."""
    at: float = await page.evaluate(
        "() => new Promise((painted) => new PerformanceObserver((seen) => {"
        " for (const one of seen.getEntriesByName('first-contentful-paint')) painted(one.startTime); })"
        ".observe({ type: 'paint', buffered: true }))"
    )
    return at / 1000
