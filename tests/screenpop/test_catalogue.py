"""Both catalogues have every text of the pages, and say it with the same holes."""

import re

import pytest

from screenpop import words
from screenpop.catalogue import read, texts
from screenpop.i18n import LANGUAGES, Reader, translations
from storage.edits import Refusal
from storage.records import AlarmKind, EventKind, Phase, RecordingKind, TimelineKind
from telephony.call import Outcome, Over
from telephony.link import Link
from tickets.ticket import Reachability, Status
from transcription.account import Category, FactKind, Sentiment, Urgency

HOLES = re.compile(r"%\(\w+\)[ds]|\{\w+\}")
CHINESE = re.compile("[一-鿿：]")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_in_the_catalogue(language: str) -> None:
    """New texts are brought in by ``python -m screenpop.catalogue``; gone ones have left."""
    have = {message.id if isinstance(message.id, str) else tuple(message.id) for message in read(language)} - {""}
    assert have == {text for text, _ in texts()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_with_its_holes(language: str) -> None:
    """Nothing empty, nothing doubtful, no hole lost; Chinese where Chinese is promised."""
    for message in read(language):
        if not message.id:
            continue
        source = message.id if isinstance(message.id, str) else message.id[-1]
        strings = [message.string] if isinstance(message.string, str) else list(message.string or ())
        for string in strings:
            assert string, source
            assert sorted(HOLES.findall(string)) == sorted(HOLES.findall(source)), source
            if language == "zh_CN":
                assert CHINESE.search(string), source
        assert not message.fuzzy, source


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        ("STATUS", Status),
        ("REACH", Reachability),
        ("OUTCOME", Outcome),
        ("PHASE", Phase),
        ("CATEGORY", Category),
        ("URGENCY", Urgency),
        ("SENTIMENT", Sentiment),
        ("DETAIL", FactKind),
        ("WHY", Over),
        ("EVENT", EventKind),
        ("TIMELINE", TimelineKind),
        ("ALARM", AlarmKind),
        ("LINK", Link),
        ("RECORDING", RecordingKind),
    ],
)
def test_every_code_of_the_other_rooms_has_a_name(table: str, codes: type) -> None:
    """No page shows ``answered_elsewhere``."""
    assert set(getattr(words, table)) == {code.value for code in codes}  # type: ignore[attr-defined] # an Enum


def test_every_refusal_has_words() -> None:
    """A person is told why."""
    from screenpop.ticket_pages import REFUSED  # noqa: PLC0415

    assert set(REFUSED) == set(Refusal)


def test_every_word_a_script_says_is_given_to_it() -> None:
    """``say("...")`` in our modules names a text of the page's table; a made-up one would throw in the browser."""
    from screenpop.assets import ROOT  # noqa: PLC0415
    from screenpop.card_words import CARD  # noqa: PLC0415
    from screenpop.shell_words import SHELL  # noqa: PLC0415

    given = set(words.DESK) | set(words.CALL) | set(SHELL) | set(CARD)
    for path in (ROOT / "js").glob("*.js"):
        for key in re.findall(r'\b(?:say\(|shortcut\("[^"]+", )"([^"$]+)"', path.read_text("utf-8")):
            assert key in given, (path.name, key)


def test_templates_have_no_text_outside_the_catalogue() -> None:
    """Between tags stands nothing that a reader of the other language could not read."""
    from screenpop.catalogue import HERE  # noqa: PLC0415

    for path in (HERE / "templates").glob("*.html"):
        bare = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", path.read_text("utf-8"), flags=re.DOTALL)
        bare = re.sub(r"<button[^>]*lang=\"[^\"]+\"[^>]*>[^<]*", "", bare)  # each language in its own
        for text in re.findall(r">([^<>]*)", bare):
            assert not re.search(r"[A-Za-z一-鿿]{2,}", text.replace("VIP", "")), (path.name, text.strip())
        for text in re.findall(r'\s(?:title|aria-label|placeholder|alt)="([^"]*)"', bare):
            assert not text.strip(), (path.name, text)


def test_plurals_dates_and_money_in_both_languages() -> None:
    """As each language writes them, on the site's clock."""
    from datetime import date  # noqa: PLC0415
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    chinese, english = (Reader(language, ZoneInfo("Asia/Shanghai")) for language in LANGUAGES)
    assert translations("en").ngettext("%(num)d ticket", "%(num)d tickets", 1) == "%(num)d ticket"
    assert translations("en").ngettext("%(num)d ticket", "%(num)d tickets", 2) == "%(num)d tickets"
    assert chinese.when(1_795_147_200.0) == english.when(1_795_147_200.0) == "2026-11-20 12:00"
    assert chinese.day(date(2026, 11, 20)) == "2026年11月20日"
    assert english.day("2026-11-20") == "November 20, 2026"
    assert chinese.day("soon") == "soon"
    assert chinese.yuan("2899.5") == "¥2,899.50"
    assert chinese.lasted(3725) == "62:05"
