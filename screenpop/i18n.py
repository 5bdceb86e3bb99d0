"""The reader's language: catalogues, dates and money. Chinese first, English too.

The ``.po`` files are compiled in memory at start, so a checkout needs no build step. A missing translation shows the
English source text; ``tests/screenpop/test_catalogue.py`` keeps both catalogues complete.
"""

import io
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency
from babel.support import Translations

LOCALES = Path(__file__).parent / "locale"
LANGUAGES = ("zh_CN", "en")
DEFAULT = LANGUAGES[0]
MINUTE = 60


@cache
def translations(language: str) -> Translations:
    """The compiled catalogue of one of :data:`LANGUAGES`."""
    with (LOCALES / language / "LC_MESSAGES" / "hotline.po").open("rb") as source:
        catalogue = read_po(source, locale=language, domain="hotline", abort_invalid=True)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled, domain="hotline")


def choose(cookie: str | None, accept: str) -> str:
    """The reader's own choice, else what the browser prefers (``Accept-Language``), else Chinese."""
    if cookie in LANGUAGES:
        return cookie
    wanted: list[tuple[float, str]] = []
    for part in accept.split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            wanted.append((float(weight or 1), tag.lower()))
        except ValueError:
            continue
    for _, tag in sorted(wanted, key=lambda pair: -pair[0]):
        for language in LANGUAGES:
            if tag.split("-")[0] == language.split("_")[0]:
                return language
    return DEFAULT


@dataclass(frozen=True, slots=True)
class Reader:
    """One language in the site's time zone; every method is a filter or function of the templates."""

    language: str
    zone: ZoneInfo

    @property
    def html(self) -> str:
        """The language as HTML names it."""
        return "zh-CN" if self.language == "zh_CN" else self.language

    def say(self, text: str) -> str:
        """A source text in this language."""
        return str(translations(self.language).gettext(text)) if text else ""

    def moment(self, at: float) -> datetime:
        """Epoch seconds on the site's clock."""
        return datetime.fromtimestamp(at, self.zone)

    def when(self, at: float | None) -> str:
        """Day and time to the minute."""
        return "" if at is None else format_datetime(self.moment(at), "y-MM-dd HH:mm", locale=self.language)

    def clock(self, at: float | None) -> str:
        """Time of day to the second."""
        return "" if at is None else format_time(self.moment(at), "HH:mm:ss", locale=self.language)

    def day(self, value: date | str | None) -> str:
        """A date without a time; text is read as ISO 8601 and shown as it is where it is not."""
        if isinstance(value, str):
            try:
                value = date.fromisoformat(value)
            except ValueError:
                return str(value)
        return "" if value is None else format_date(value, "long", locale=self.language)

    def yuan(self, amount: Decimal | str | None) -> str:
        """An amount in yuan; text that is no number is shown as it is."""
        if amount is None:
            return ""
        try:
            return format_currency(Decimal(amount), "CNY", locale=self.language).replace("CN¥", "¥")
        except InvalidOperation:
            return str(amount)

    def lasted(self, seconds: float | None) -> str:
        """A duration as m:ss."""
        if seconds is None:
            return ""
        whole = max(0, round(seconds))
        return f"{whole // MINUTE}:{whole % MINUTE:02d}"
