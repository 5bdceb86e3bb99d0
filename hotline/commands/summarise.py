"""``hotline summarise TURNS.json``: the summary of a conversation whose turns are known."""

import argparse
import json
import math
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, TypeGuard

from hotline import lexicons
from hotline.cli import UsageError
from transcription.account import Summary
from transcription.lexicon import LexiconError
from transcription.summary import as_json, summarise
from transcription.transcript import Speaker, Turn


def add(parser: argparse.ArgumentParser) -> None:
    """Name the arguments."""
    parser.add_argument("turns", type=Path, metavar="TURNS.json", help='{"called_at": ..., "turns": [...]}')
    parser.add_argument("--lexicon", type=Path, metavar="FILE", help="a line's own words, as [line.speech] lexicon")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the summary."""
    try:
        raw = args.turns.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{args.turns}: {error}") from error
    try:
        called_at, turns = read(raw)
    except ValueError as error:
        raise UsageError(f"{args.turns}: {error}") from error
    try:
        lexicon = lexicons.read(args.lexicon) if args.lexicon else None
    except LexiconError as error:
        raise UsageError(str(error)) from error
    summary = summarise(turns, called_at, lexicon)
    if args.json:
        json.dump(as_json(summary), sys.stdout, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        sys.stdout.write(readable(summary, turns))
    return 0


def read(raw: str) -> tuple[datetime, list[Turn]]:
    """Called-at time and turns of the JSON text. ValueError names the fault and where it is."""
    try:
        data = json.loads(raw)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"no JSON: {error}") from error
    if not isinstance(data, dict):
        raise WrongPartError("the file", "an object with called_at and turns", data)
    called_at = _moment(data.get("called_at"))
    listed = data.get("turns")
    if not isinstance(listed, list):
        raise WrongPartError("turns", "a list", listed)
    return called_at, [_turn(item, f"turns[{index}]") for index, item in enumerate(listed)]


class WrongPartError(ValueError):
    """A part of the file is of the wrong sort."""

    def __init__(self, where: str, wanted: str, got: object) -> None:
        """Say where, what belongs there and what stands there."""
        super().__init__(f"{where} must be {wanted}, not {json.dumps(got, ensure_ascii=False)[:60]}")


def _moment(value: object) -> datetime:
    wanted = "an ISO 8601 time with zone such as 2026-04-16T10:12:00+08:00"
    if not isinstance(value, str):
        raise WrongPartError("called_at", wanted, value)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise WrongPartError("called_at", wanted, value) from error
    if moment.tzinfo is None:
        raise WrongPartError("called_at", wanted, value)
    return moment


def _turn(item: object, where: str) -> Turn:
    if not isinstance(item, dict):
        raise WrongPartError(where, "an object", item)
    speaker = item.get("speaker")
    if speaker not in set(Speaker):
        raise WrongPartError(f"{where}.speaker", '"caller" or "agent"', speaker)
    text = item.get("text")
    if not isinstance(text, str):
        raise WrongPartError(f"{where}.text", "a string", text)
    start, end = _seconds(item, "start", where), _seconds(item, "end", where)
    if end < start:
        raise ValueError(f"{where}: it ends ({end:g}) before it starts ({start:g})")
    confidence = item.get("confidence", 1.0)
    if not _number(confidence) or not 0 <= confidence <= 1:
        raise WrongPartError(f"{where}.confidence", "a number from 0 to 1", confidence)
    return Turn(Speaker(speaker), start, end, text, float(confidence))


def _seconds(item: dict[str, Any], key: str, where: str) -> float:
    value = item.get(key)
    if not _number(value) or value < 0:
        raise WrongPartError(f"{where}.{key}", "seconds from the start, 0 or more", value)
    return float(value)


def _number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def readable(summary: Summary, turns: list[Turn]) -> str:
    """The summary for people: each line ends with the turns that say it."""
    lines = [
        f"{summary.category.value} · 紧急程度 {summary.urgency.value} · 情绪 {summary.sentiment.value}",
        f"诉求：{_cited(summary, summary.issue, turns) if summary.issue else '未识别'}",
    ]
    lines += [
        f"- {fact.kind.value} {fact.value}{'' if fact.sure else ' (?)'} {_at(fact.turns, turns)}"
        for fact in summary.facts
    ]
    lines += [
        f"* {promise.who}: {promise.what} → {promise.by_when or '未定'} {_at(promise.turns, turns)}"
        for promise in summary.promises
    ]
    if step := summary.next_step:
        lines.append(f"下一步：{step.who}: {step.what} → {step.by_when or '未定'} {_at(step.turns, turns)}")
    return "\n".join(lines) + "\n"


def _cited(summary: Summary, sentence: str, turns: list[Turn]) -> str:
    return f"{sentence} {_at(summary.evidence.get(sentence, ()), turns)}"


def _at(cited: tuple[int, ...], turns: list[Turn]) -> str:
    return " ".join(f"[{index} @{turns[index].start:.0f}s]" for index in cited)
