"""Takes the pictures. One service, one browser; a login and a context for each person, language and theme."""

import argparse
import asyncio
import base64
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from sqlalchemy import text

from tools.shots.house import PASSWORD, Clock, House, opened
from tools.shots.past import PAST, ZONE, Telling, at, folder_of
from tools.shots.png import smaller
from tools.shots.scenes import SCENES, Shot

LANGUAGES = {"zh_CN": "zh-CN", "en": "en-US"}
THEMES = ("light", "dark")
LIMIT = 6_000_000
QUIET = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--force-color-profile=srgb"]
STILL = "* { caret-color: transparent !important; animation: none !important; transition: none !important; }"
_FAILING = "04-16 09:41"  # while the webhooks' receiver was out of order


def chromium() -> str | None:
    """The browser, None where there is none."""
    return os.environ.get("HOTLINE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


class Camera:
    """Contexts by person, language, theme and size, logged in once each."""

    def __init__(self, browsers: Mapping[str, Browser], house: House) -> None:
        self._browsers, self._house = browsers, house
        self._contexts: dict[tuple[str | None, str, str, tuple[int, int]], BrowserContext] = {}

    async def log_in(self, shot: Shot) -> None:
        """Everybody whose pages will be taken."""
        for language in LANGUAGES:
            for theme in THEMES:
                key = (shot.who, language, theme, shot.size)
                if key not in self._contexts:
                    self._contexts[key] = await self._context(*key)

    async def page(self, shot: Shot, language: str, theme: str) -> Page:
        """A fresh page of somebody's browser."""
        page = await self._contexts[shot.who, language, theme, shot.size].new_page()
        await page.clock.set_fixed_time(datetime.fromtimestamp(self._house.clock.now, ZONE))
        return page

    async def _context(self, who: str | None, language: str, theme: str, size: tuple[int, int]) -> BrowserContext:
        context = await self._browsers[language].new_context(
            base_url=self._house.url,
            viewport={"width": size[0], "height": size[1]},
            locale=LANGUAGES[language],
            timezone_id=ZONE.key,
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="reduce",
            bypass_csp=True,  # for our own rule that nothing moves
        )
        # Asking to ring is for the first visit: who works here has answered.
        await context.add_init_script(
            "localStorage.setItem('alerts-asked', '1'); localStorage.setItem('ring', '{\"off\": true}')"
        )
        if who is not None:
            headers = {"Origin": self._house.url}
            answer = await context.request.post("/login", form={"login": who, "password": PASSWORD}, headers=headers)
            if not answer.ok:
                raise RuntimeError(f"{who} could not log in: {answer.status}")
        return context

    async def take(self, shot: Shot, path: str, language: str, theme: str) -> bytes:
        """One picture, as the browser makes it."""
        page = await self.page(shot, language, theme)
        try:
            await page.goto(path)
            if await page.locator("#connection").count():
                await page.wait_for_selector("#connection[data-state=on]", state="attached")
            await page.evaluate("document.fonts.ready")
            await shot.act(page)
            await page.mouse.move(0, 0)
            return await _picture(page)
        finally:
            await page.close()


async def _picture(page: Page) -> bytes:
    """What is seen: by the browser's quick way, whose rows are fast to read again."""
    await page.add_style_tag(content=STILL)
    devtools = await page.context.new_cdp_session(page)
    made = await devtools.send("Page.captureScreenshot", {"format": "png", "optimizeForSpeed": True})
    return base64.b64decode(made["data"])


async def places(telling: Telling) -> dict[str, str]:
    """What stands in the paths of pictures."""
    found: dict[str, str] = {}
    service = telling.house.service
    for name, caller in (("repair", "15400128801"), ("complaint", "15400880007")):
        page = await service.reads.call(telling.made[caller])
        assert page is not None
        assert page.item.ticket is not None
        found |= {name: str(page.item.key), f"{name}_ticket": str(page.item.ticket.id)}
    deliveries = await service.crm_side.deliveries.page(failed=True)
    found["delivery"] = str(deliveries[0].id)
    return found


async def prepare(house: House) -> Telling:
    """What happened before."""
    telling = Telling(house)
    for talk in PAST:
        house.refuse = talk.when == _FAILING
        await telling.past(talk)
        if house.refuse:
            await asyncio.sleep(1)  # a delivery is a job: it has to fail while the receiver is away
    async with house.service.db.write() as conn:  # nobody shall wonder at transcripts that wait for a model
        await conn.execute(text("update jobs set state = 'done' where kind = 'transcribe'"))
    return telling


async def shoot(out: Path, wanted: Iterable[str]) -> list[Path]:
    """All pictures whose names begin as wanted."""
    starts = tuple(wanted)
    made: list[Path] = []
    with tempfile.TemporaryDirectory(prefix="hotline-pictures-") as scratch:
        async with opened(Path(scratch), Clock(at("04-13 08:00"))) as house, async_playwright() as playwright:
            telling = await prepare(house)
            browsers = {  # what is the browser's own, a field for a day, speaks the browser's language
                language: await playwright.chromium.launch(
                    executable_path=chromium(), args=[*QUIET, f"--lang={tag}"], env={**os.environ, "LANGUAGE": language}
                )
                for language, tag in LANGUAGES.items()
            }
            camera, where = Camera(browsers, house), await places(telling)
            for scene in SCENES:
                shots = [shot for shot in scene.shots if not starts or shot.name.startswith(starts)]
                if not shots:
                    continue
                for shot in shots:  # who sits down after a call finds a phone without work
                    await camera.log_in(shot)
                if scene.before is not None:
                    await scene.before(telling)
                for shot in shots:
                    for language in LANGUAGES:
                        for theme in THEMES:
                            data = await camera.take(shot, shot.path.format(**where), language, theme)
                            file = out / f"{shot.name}.{language}.{theme}.png"
                            file.write_bytes(smaller(data))
                            made.append(file)
                    print(shot.name, flush=True)  # noqa: T201 - a command
                if scene.after is not None:
                    await scene.after(telling)
            for browser in browsers.values():
                await browser.close()
    return made


def index(out: Path) -> str:
    """The list of pictures, for people who look at the folder."""
    lines = [
        "# Pictures of every page",
        "",
        "Made by `tools/screenshots` of a running service with the demo's company: calls and customers are made up,",
        "what was said is the demo's written dialogues. Each page in Chinese and English, light and dark.",
        "",
    ]
    for scene in SCENES:
        for shot in scene.shots:
            names = [f"{shot.name}.{language}.{theme}.png" for language in LANGUAGES for theme in THEMES]
            if all((out / name).exists() for name in names):
                width = 200 if shot.size[0] < shot.size[1] else 400
                pictures = " ".join(f'<a href="{name}"><img src="{name}" width="{width}" alt=""></a>' for name in names)
                lines += [f"## {shot.title}", "", pictures, ""]
    return "\n".join(lines)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="tools/screenshots", description=__doc__)
    parser.add_argument("names", nargs="*", help="only pictures whose names begin so")
    parser.add_argument("--out", type=Path, default=folder_of(Path(__file__).parents[2]))
    args = parser.parse_args()
    if chromium() is None:
        print(  # noqa: T201
            "no Chromium here: install one (Debian: apt install chromium) or name it in HOTLINE_CHROMIUM",
            file=sys.stderr,
        )
        return 1
    args.out.mkdir(parents=True, exist_ok=True)
    made = asyncio.run(shoot(args.out, args.names))
    if not made:
        print("no picture has such a name", file=sys.stderr)  # noqa: T201
        return 1
    (args.out / "README.md").write_text(index(args.out), encoding="utf-8")
    size = sum(file.stat().st_size for file in args.out.glob("*.png"))
    print(f"{len(made)} pictures made; all in {args.out}: {size / 1e6:.1f} MB")  # noqa: T201
    return 0 if size < LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
