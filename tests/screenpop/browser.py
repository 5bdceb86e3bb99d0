"""A real Chromium for stories of the pages, and the calls they are about.

The fixtures here are known to all tests of this folder.
Every story ends with: no error, no warning and no policy violation in the console, no request to another host.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import BrowserContext, Page, expect

from crm.customer import Candidate, Customer, Reason
from numbering.identify import identify
from screenpop.card import Ticketed
from screenpop.deps import HUB
from telephony.call import Answered, Arrived, CallKey, Confirmed, Fact, Left, Over, Queued, Rang
from tests.chromium import Chromium

if TYPE_CHECKING:
    from storage.records import Known
    from tests.screenpop.conftest import House

SECOND = 1000


class Server:
    """The application on a port of its own, which can be closed and opened again."""

    def __init__(self, app: web.Application) -> None:
        self.app = app
        self.runner = web.AppRunner(app)
        self.port = 0

    async def open(self) -> None:
        """Listen; the second time on the same port."""
        if self.runner.server is None:
            await self.runner.setup()
        self.site = web.TCPSite(self.runner, "127.0.0.1", self.port)
        await self.site.start()
        self.port = self.runner.addresses[0][1]

    async def cut(self) -> None:
        """Stop listening and cut every socket."""
        await self.site.stop()
        await self.app[HUB].close()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"


Open = Callable[..., Awaitable[Page]]


@pytest_asyncio.fixture(loop_scope="session")
async def server(house: "House") -> AsyncIterator[Server]:
    """The application with a fast heartbeat."""
    house.beat = 1.0
    server = Server(house.app())
    await server.open()
    yield server
    await server.runner.cleanup()


@pytest.fixture
def complaints() -> list[str]:
    """What browsers complained of. A story that provokes some takes them out: what is left fails it."""
    return []


async def log_in(context: BrowserContext, url: str, login: str, password: str) -> None:
    """Have a browser logged in without its having to look at the login page. How people do: tests/desk/hands.py."""
    fields: dict[str, str | float | bool] = {"login": login, "password": password}
    answer = await context.request.post(f"{url}/login", form=fields, headers={"Origin": url}, max_redirects=0)
    assert answer.status == 303, await answer.text()


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(server: Server, complaints: list[str], chromium: Chromium) -> AsyncIterator[Open]:
    """A logged-in page, by login and path; ``beside`` a page it is another tab of the same browser."""
    browser = await chromium.browser()
    contexts: list[BrowserContext] = []

    def watch(page: Page) -> None:
        page.on("console", lambda said: complain(said.type, f"{said.text} {said.location.get('url', '')}".strip()))
        page.on("pageerror", lambda error: complain("error", str(error)))
        page.on("request", lambda asked: foreign(asked.url))

    def complain(kind: str, text: str) -> None:
        # A line that is cut on purpose is reported by the browser itself.
        if kind in ("error", "warning") and "ERR_CONNECTION_REFUSED" not in text:
            complaints.append(text)

    def foreign(url: str) -> None:
        if not url.startswith((server.url, server.url.replace("http", "ws"), "data:")):
            complaints.append(url)

    async def open_page(login: str, path: str = "/desk", *, beside: Page | None = None, **options: Any) -> Page:
        if beside is None:
            context = await browser.new_context(
                **{"base_url": server.url, "viewport": {"width": 1280, "height": 720}, "locale": "zh-CN"} | options
            )
            contexts.append(context)
            context.set_default_timeout(15 * SECOND)
            await log_in(context, server.url, login, "correct horse")
        else:
            context = beside.context
        page = await context.new_page()
        watch(page)
        await page.goto(path)
        if path in ("/desk", "/tickets"):
            await expect(page.locator("#connection")).to_have_attribute("data-state", "on")
        return page

    yield open_page
    for context in contexts:
        await context.close()
    assert not complaints


def arrived(call: CallKey, caller: str | None = "13812345678") -> Arrived:
    """It comes in."""
    return Arrived(call=call, at=None, caller=caller, caller_name=None, number="4007002505", dialled="4007002505")


def rang(call: CallKey, agent: str = "1001") -> Rang:
    """It rings."""
    return Rang(call=call, at=None, agent=agent, queue="support")


def offered(*customers: Customer) -> tuple[Candidate, ...]:
    """Customers of one number."""
    return tuple(Candidate(customer, Reason.SWITCHBOARD, "0755-88886666") for customer in customers)


async def happen(house: "House", fact: Fact, known: "Known | None" = None) -> None:
    """Something happens at the PBX: written, and told to the desks."""
    caller = fact.caller if isinstance(fact, Arrived) else None
    await house.ledger.record(fact, now=house.time, number=identify(caller), known=known)
    await house.tell(fact)


async def ring(
    house: "House", caller: str | None = "13812345678", *agents: str, known: "Known | None" = None
) -> CallKey:
    """A call rings at phones (1001), is written and has its ticket."""
    call = house.key()
    await happen(house, arrived(call, caller), known)
    await happen(house, Confirmed(call=call, at=house.time))
    await happen(house, Queued(call=call, at=house.time, queue="support"))
    for agent in agents or ("1001",):
        await happen(house, rang(call, agent))
    page = await house.reads.call(call)
    assert page is not None
    assert page.item.ticket is not None
    ticket = page.item.ticket
    await house.tell(Ticketed(call, ticket.id, ticket.number, joined=ticket.joined))
    return call


async def answer(house: "House", call: CallKey, agent: str = "1001") -> None:
    """An agent takes it."""
    await happen(house, Answered(call=call, at=house.time, agent=agent, queue="support"))


async def hang_up(house: "House", call: CallKey, agent: str = "1001") -> None:
    """The talk is over."""
    await happen(house, Left(call=call, at=house.time, agent=agent, why=Over.ENDED))
