"""How callers are taken on our lines: what their numbers are, and by which rules their calls become tickets."""

from collections.abc import Mapping

from hotline.pipeline import LineRules
from hotline.settings import Settings
from numbering import region
from numbering.identify import identify
from numbering.number import Number
from tickets.rules import LinePolicy


def identify_with_region(raw: str | None, area: str | None = None) -> Number:
    """A number with its place name."""
    return region.with_region(identify(raw, area))


def rules_of(settings: Settings) -> Mapping[str, LineRules]:
    """The rules of each line, by its number."""
    found = {}
    for line in settings.line:
        hours = line.policy.join_window_hours
        found[line.number] = LineRules(
            line.area, LinePolicy(line.policy.join_open, None if hours is None else hours * 3600)
        )
    return found
