"""What axe-core finds on a page as it stands: the rules of WCAG 2.0 to 2.2, A and AA, and its best practices."""

from pathlib import Path
from typing import Any

from playwright.async_api import Page

AXE = (Path(__file__).parent / "vendor" / "axe-core-4.14.1" / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What still moves is brought to its end; what moves for ever has none.
LOOK = """async (rules) => {
  for (const one of document.getAnimations()) if (one.effect.getComputedTiming().endTime !== Infinity) one.finish();
  const { violations } = await axe.run(document, { runOnly: rules, resultTypes: ["violations"] });
  return violations.map(({ id, nodes }) => [id, nodes.map((node) => [node.target.join(" "), node.failureSummary])]);
}"""


async def faults(page: Page) -> list[Any]:
    """Each rule that is broken, with the elements that break it and why."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE)
    found: list[Any] = await page.evaluate(LOOK, RULES)
    return found


async def faults_in_both(page: Page) -> list[Any]:
    """The same in light and in dark."""
    found = []
    for theme in ("light", "dark"):
        await page.evaluate("(theme) => { document.documentElement.dataset.bsTheme = theme; }", theme)
        found += [(theme, fault) for fault in await faults(page)]
    return found
