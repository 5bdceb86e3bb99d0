"""Which pictures there are: whose page, and what is done on it before it is taken."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from playwright.async_api import Page, expect

from screenpop.presence import Done
from telephony.call import Answered, CallKey, Ended, Left, Outcome, Over, Rang
from tools.shots.house import PASSWORD
from tools.shots.past import LINE, SHOP, Telling, at

NOW = at("04-16 10:30")
WIDE, PHONE = (1280, 720), (390, 844)

Act = Callable[[Page], Awaitable[None]]


async def nothing(_page: Page) -> None:
    """Take it as it is."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture. ``who`` None: nobody is logged in; ``path`` may have ``{repair}`` and the like, see :class:`Stage`.

    ``title``: what is to be seen, for the list.
    """

    name: str
    title: str
    who: str | None
    path: str
    act: Act = nothing
    size: tuple[int, int] = WIDE


@dataclass(frozen=True, slots=True)
class Scene:
    """What goes on at the desks while some pictures are taken."""

    shots: tuple[Shot, ...]
    before: Callable[[Telling], Awaitable[None]] | None = None
    after: Callable[[Telling], Awaitable[None]] | None = None


class Calls:
    """The calls of the scenes, to end them by."""

    open: list[tuple[CallKey, str, bool]] = []  # noqa: RUF012 - one run, one list

    @classmethod
    async def rings(
        cls, telling: Telling, since: float, caller: str | None, line: str = LINE, agent: str = "1001"
    ) -> CallKey:
        """A call rings at a phone."""
        key = await telling.comes(since, caller, line)
        await telling.tell(since + 3, Rang(call=key, at=since + 3, agent=agent, queue="support"))
        cls.open.append((key, agent, False))
        return key

    @classmethod
    async def talks(
        cls, telling: Telling, since: float, caller: str | None, line: str = LINE, agent: str = "1001"
    ) -> CallKey:
        """An agent has taken a call."""
        key = await cls.rings(telling, since, caller, line, agent)
        await telling.tell(since + 9, Answered(call=key, at=since + 9, agent=agent, queue="support"))
        cls.open[-1] = (key, agent, True)
        return key

    @classmethod
    async def over(cls, telling: Telling) -> None:
        """All of them end, and the work after them."""
        now = telling.house.clock.now
        for key, agent, talked in cls.open:
            outcome = Outcome.ANSWERED if talked else Outcome.ABANDONED
            left = [Left(call=key, at=now, agent=agent, why=Over.ENDED)] if talked else []
            await telling.tell(now, *left, Ended(call=key, at=now, outcome=outcome))
        await telling.house.service.desk_side.standings.happen("1001", Done())
        cls.open.clear()


async def two_calls(telling: Telling) -> None:
    """One is talked with, another rings."""
    await Calls.talks(telling, NOW - 134, "15400336072", SHOP)
    await Calls.rings(telling, NOW - 9, "15400128801")
    telling.house.clock.now = NOW


async def several(telling: Telling) -> None:
    """The number is two people's."""
    await Calls.talks(telling, NOW + 51, "15402269175")
    telling.house.clock.now = NOW + 90


async def stranger(telling: Telling) -> None:
    """Nobody knows the number."""
    await Calls.talks(telling, NOW + 151, "15407120936")
    telling.house.clock.now = NOW + 180


async def after_call(telling: Telling) -> None:
    """A talk has just ended."""
    key = await Calls.talks(telling, NOW + 241, "15401499285", SHOP)
    await telling.tell(NOW + 340, Left(call=key, at=NOW + 340, agent="1001", why=Over.ENDED))
    await telling.tell(NOW + 340, Ended(call=key, at=NOW + 340, outcome=Outcome.ANSWERED))
    Calls.open.clear()
    telling.house.clock.now = NOW + 361


async def end(telling: Telling) -> None:
    """The scene is over."""
    await Calls.over(telling)


async def quiet(telling: Telling) -> None:
    """Later: no call, no work after one."""
    telling.house.clock.now = NOW + 900


async def cards(page: Page) -> None:
    """Wait for a card that knows its caller."""
    await expect(page.locator("article.pop").first).to_be_visible()
    await page.wait_for_timeout(400)


async def entering(page: Page) -> None:
    """Begin to say who that is."""
    await cards(page)
    await page.locator("[data-enter=name]").fill("方建华")
    await page.locator("[data-enter=company]").fill("临江小学")


async def opened_palette(page: Page) -> None:
    """A name is typed."""
    await page.keyboard.press("Control+k")
    await page.keyboard.type("洗碗机")
    await expect(page.locator("#palette mark").first).to_be_visible()


async def opened_help(page: Page) -> None:
    """What keys there are."""
    await page.keyboard.press("?")
    await expect(page.locator("dialog[open]")).to_be_visible()


def opened(menu: str) -> Act:
    """A menu of the header."""

    async def act(page: Page) -> None:
        await page.locator(f"#{menu} > summary").click()
        await page.wait_for_timeout(400)

    return act


async def waves(page: Page) -> None:
    """The recording is drawn."""
    await expect(page.locator(".player-wave canvas, .player-wave svg").first).to_be_attached()
    await page.wait_for_timeout(700)


async def set_up(page: Page) -> None:
    """The code to photograph."""
    form = page.locator("form[action='/account/second-factor']")
    await form.locator("input[type=password]").fill(PASSWORD)
    await form.locator("button.btn-primary").click()
    await expect(page.locator(".qr")).to_be_visible()


async def searched(page: Page) -> None:
    """Results are there."""
    await page.wait_for_timeout(200)


SCENES = (
    Scene(
        (
            Shot("desk", "The desk: one call rings while another is talked with", "wangxy", "/desk", cards),
            Shot("desk-phone-menu", "One's own phone, ring and language", "wangxy", "/desk", opened("me")),
        ),
        two_calls,
        end,
    ),
    Scene((Shot("desk-several", "A number that is two customers'", "wangxy", "/desk", cards),), several, end),
    Scene((Shot("desk-unknown", "An unknown caller, being entered", "wangxy", "/desk", entering),), stranger, end),
    Scene((Shot("desk-wrap-up", "The work after a call", "wangxy", "/desk", cards),), after_call, end),
    Scene(
        (
            Shot("audit", "Who looked at what", "hexd", "/audit"),
            Shot("desk-empty", "Ready for the next call", "wangxy", "/desk"),
            Shot("desk-missed", "Callers to call back", "wangxy", "/desk", opened("missed")),
            Shot("desk-state", "One's own state", "wangxy", "/desk", opened("state")),
            Shot("keys", "The keys, shown by ?", "wangxy", "/desk", opened_help),
            Shot("palette", "Search from anywhere, Ctrl+K", "wangxy", "/desk", opened_palette),
            Shot("tickets", "Tickets", "zhoumin", "/tickets"),
            Shot("ticket", "A ticket", "zhoumin", "/tickets/{complaint_ticket}"),
            Shot("calls", "Calls", "zhoumin", "/calls"),
            Shot("call", "A call: recording, transcript, summary", "zhoumin", "/calls/{repair}", waves),
            Shot("call-phone", "The same on a phone", "zhoumin", "/calls/{repair}", waves, PHONE),
            Shot("search", "Search in what was said", "zhoumin", "/search?q=空调", searched),
            Shot("customer", "A customer", "zhoumin", "/customers/MJ0001"),
            Shot("account", "One's own account", "wangxy", "/account"),
            Shot("second-factor", "Setting up a second factor", "wangxy", "/account", set_up),
            Shot("login", "Logging in", None, "/login"),
            Shot("status", "How the service is doing", "hexd", "/status"),
            Shot("deliveries", "Webhooks: what was told to whom", "hexd", "/deliveries"),
            Shot("delivery", "One delivery", "hexd", "/deliveries/{delivery}"),
            Shot("privacy", "What is kept of one person", "hexd", "/privacy?number=15400128801"),
            Shot("api", "The API, from the same table as its routes", "hexd", "/api"),
            Shot("manage", "The administrator's pages", "hexd", "/tickets", opened("manage")),
        ),
        quiet,
    ),
)
