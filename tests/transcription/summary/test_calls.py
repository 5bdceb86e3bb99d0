"""Ninety written calls of as many trades: what the summary finds, and that it says nothing nobody said."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from transcription.spoken import written
from transcription.summary import as_json, summarise
from transcription.transcript import Turn

SECRET = ("id_card", "bank_card")
DIGITS = "零一二三四五六七八九"


def found(wanted: Iterable[tuple[str, str]], said: Iterable[tuple[str, str]]) -> int:
    """How many of the wanted pairs were said, each once."""
    return sum((Counter(wanted) & Counter(said)).values())


def canonical(kind: str, value: str) -> str:
    """Amounts compare as numbers, everything else as text."""
    return f"{float(value):g}" if kind == "amount" else value.upper()


def facts(listed: Iterable[dict[str, str]]) -> list[tuple[str, str]]:
    """Kind and value of the facts that may be shown in full."""
    return [(f["kind"], canonical(f["kind"], f["value"])) for f in listed if f["kind"] not in SECRET]


def promised(listed: Iterable[dict[str, str]]) -> list[tuple[str, str]]:
    """Who and the day."""
    return [(p["who"], p["by_when"][:10]) for p in listed]


@pytest.fixture(scope="module")
def summaries(calls: list[Any]) -> list[tuple[Any, Any]]:
    """Every call with its summary as JSON."""
    return [(call, as_json(summarise(call.turns, call.called_at))) for call in calls]


@pytest.mark.parametrize(
    ("read", "key", "recall", "precision"), [(facts, "facts", 0.97, 0.97), (promised, "promises", 0.95, 0.93)]
)
def test_what_was_said_is_found_and_nothing_else(
    summaries: list[tuple[Any, Any]],
    read: Callable[[Iterable[dict[str, str]]], list[tuple[str, str]]],
    key: str,
    recall: float,
    precision: float,
) -> None:
    """Facts by kind and value, promises by who and day, over all calls; the floor is what is reached today."""
    wanted, said, both = 0, 0, 0
    for call, summary in summaries:
        want, got = read(call.truth[key]), read(summary[key])
        wanted, said, both = wanted + len(want), said + len(got), both + found(want, got)
    assert wanted > 80
    assert both / wanted >= recall
    assert both / said >= precision


@pytest.mark.parametrize(("label", "share"), [("category", 0.95), ("urgency", 0.97), ("sentiment", 0.97)])
def test_labels_agree_with_people(summaries: list[tuple[Any, Any]], label: str, share: float) -> None:
    """Category, urgency and mood."""
    right = sum(summary[label] == call.truth[label] for call, summary in summaries)
    assert right / len(summaries) >= share


def test_no_card_number_is_ever_in_a_summary(summaries: list[tuple[Any, Any]]) -> None:
    """Neither in facts nor in sentences, with or without separators."""
    cards = 0
    for call, summary in summaries:
        flat = re.sub(r"[\s\-]", "", json.dumps(summary, ensure_ascii=False))
        for fact in call.truth["facts"]:
            if fact["kind"] in SECRET and len(fact["value"]) > 8:
                cards += 1
                assert fact["value"] not in flat, call.name
    assert cards >= 8


def test_every_sentence_has_evidence_that_says_it(summaries: list[tuple[Any, Any]]) -> None:
    """The issue and each promise share their words with the turns they cite; each fact's digits are said there."""
    for call, summary in summaries:
        assert (summary["issue"] is None) or summary["evidence"][summary["issue"]]
        for promise in summary["promises"]:
            said = "".join(written(call.turns[i].text) for i in promise["turns"])
            assert all(part in said for part in re.split("[，*]+", promise["what"])), (call.name, promise)
        assert all(0 <= i < len(call.turns) for turns in summary["evidence"].values() for i in turns)


def test_a_call_that_asks_nothing_leaves_no_facts_and_no_promises(summaries: list[tuple[Any, Any]]) -> None:
    """Wrong numbers and advertising: the digits in them are nobody's."""
    invalid = [(call, summary) for call, summary in summaries if call.truth["category"] == "无效"]
    assert len(invalid) >= 3
    assert all(not summary["facts"] and not summary["promises"] for _, summary in invalid)


def test_dictated_calls_without_a_pause_mark_read_nearly_as_well(calls: list[Any]) -> None:
    """The same calls as a recogniser writes them: spoken numerals, no punctuation."""
    wanted, said, both = 0, 0, 0
    for call in calls:
        turns = [Turn(t.speaker, t.start, t.end, spoken(t.text), 1.0) for t in call.turns]
        summary = summarise(turns, call.called_at)
        want, got = facts(call.truth["facts"]), facts(as_json(summary)["facts"])
        wanted, said, both = wanted + len(want), said + len(got), both + found(want, got)
    assert both / wanted >= 0.90
    assert both / said >= 0.90


def spoken(text: str) -> str:
    """The text as it is spoken: 3单元502 -> 三单元五零二, 2899元 -> 两千八百九十九元, no pauses."""
    counted = r"(?<![\dA-Za-z\-.])(\d{1,6})(?=元|块|点|号(?!码)|月|日|天|个|分钟|小时|岁|度|栋|弄|万|千|公里|次|楼|米)"
    text = re.sub(counted, lambda m: numeral(int(m[1])), text)
    text = re.sub(r"(?<=[点块])(\d{1,2})(?!\d)", lambda m: numeral(int(m[1])), text)
    digits = lambda m: m[0] if "@" in m[0] else "".join(digit(c) for c in m[0]).replace("-", "杠")  # noqa: E731
    return re.sub(r"[，。！？；：、…—]", "", re.sub(r"[A-Za-z0-9.@_\-]+", digits, text))


def digit(char: str) -> str:
    """One digit as it is dictated."""
    return "幺" if char == "1" else DIGITS[int(char)] if char.isdigit() else char


def numeral(value: int) -> str:
    """A number below a million in words."""
    for size, unit in ((10_000, "万"), (1000, "千"), (100, "百"), (10, "十")):
        if value >= size:
            high, rest = divmod(value, size)
            head = "" if size == 10 and high == 1 else numeral(high)
            gap = "零" if 0 < rest < size // 10 else ""
            return f"{head}{unit}{gap}{numeral(rest) if rest else ''}"
    return DIGITS[value]
