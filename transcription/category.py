"""What a call is about: one category by its main purpose. Pure.

If two fit, the earlier wins: 无效 > 表扬 > 投诉 > 发票 > 退换 > 报修 > 物流 > 进度 > 咨询. The main purpose is what the
caller comes out with first; words that fall later weigh less. 投诉 needs a demand on the company's conduct (or on a
wrong charge), anger alone is none; asking where a filed refund is is 进度, not 退换.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from transcription.account import Category
from transcription.dialogue import Line
from transcription.lexicon import Lexicon

_TOPICS = {
    "invoice": Category.INVOICE,
    "returns": Category.RETURNS,
    "repair": Category.REPAIR,
    "logistics": Category.LOGISTICS,
    "progress": Category.PROGRESS,
    "question": Category.QUESTION,
}
_OPENING = 2  # lines of substance in which a caller says why he rings
_WEIGHT = {True: 4.0, False: 1.0}  # of a word in the opening, and later
_AGENT = 0.5  # of a word of the agent
_SHARE = 0.7  # of the best score: what fits as well
_SHORT_CALL = 8  # lines of a caller who wants nothing of the company
_SUBSTANCE = 5  # characters of a line that says something
_ANYTHING = 4  # characters beside small talk in a call that is about something


@dataclass(frozen=True, slots=True)
class Verdict:
    """A label and the turns that decided it."""

    category: Category
    turns: tuple[int, ...]


def categorise(conversation: Sequence[Line], words: Lexicon) -> Verdict:
    """The category of the call."""
    for judge in (_invalid, _praise, _complaint):
        verdict = judge(conversation, words)
        if verdict is not None:
            return verdict
    return _topic(conversation, words)


def opening(conversation: Sequence[Line]) -> list[Line]:
    """The caller's first lines of substance."""
    return [line for line in conversation if line.caller and len(line.whole) >= _SUBSTANCE][:_OPENING]


def _hits(lines: Sequence[Line], words: Lexicon, *tables: str) -> list[int]:
    return [line.index for line in lines if any(words[f"category.{table}"].search(line.whole) for table in tables)]


def _invalid(conversation: Sequence[Line], words: Lexicon) -> Verdict | None:
    said = [line for line in conversation if line.caller and line.whole]
    if len("".join(words["issue.small_talk"].sub("", line.whole) for line in said)) < _ANYTHING:
        return Verdict(Category.INVALID, tuple(line.index for line in said))
    wrong = _hits(said, words, "invalid.wrong")
    denied = _hits([line for line in conversation[2:] if not line.caller], words, "invalid.denial")
    if wrong and denied and len(said) <= _SHORT_CALL:
        return Verdict(Category.INVALID, tuple(sorted({*wrong, *denied})))
    advert, refused = _hits(said, words, "invalid.advert"), _hits(conversation, words, "invalid.not_needed")
    if advert and [i for i in refused if not conversation[i].caller]:
        return Verdict(Category.INVALID, tuple(sorted({*advert, *refused})))
    prank = _hits(said, words, "invalid.prank")
    return Verdict(Category.INVALID, tuple(prank)) if prank and len(said) <= _SHORT_CALL else None


def _praise(conversation: Sequence[Line], words: Lexicon) -> Verdict | None:
    said = [line for line in conversation if line.caller]
    start = opening(conversation)
    praise = _hits(start, words, "praise.ask")
    if praise and not _hits(said, words, "praise.not") and not _hits(said, words, "complaint.word"):
        return Verdict(Category.PRAISE, tuple(praise))
    return None


def _complaint(conversation: Sequence[Line], words: Lexicon) -> Verdict | None:
    said = [line for line in conversation if line.caller]
    agent = [line for line in conversation if not line.caller]
    named = _hits(said, words, "complaint.word")
    threats = [
        line.index
        for line in said
        if words["urgency.threat"].search(line.whole) and words["urgency.threat_will"].search(line.whole)
    ]
    demand, conduct = _hits(said, words, "complaint.demand"), _hits(said, words, "complaint.conduct")
    if named or _hits(agent, words, "complaint.agent") or (demand and (conduct or threats)):
        return Verdict(
            Category.COMPLAINT, tuple(sorted({*named, *demand, *conduct, *_hits(agent, words, "complaint.agent")}))
        )
    charge, fix = _hits(opening(conversation), words, "complaint.charge"), _hits(said, words, "complaint.fix")
    if charge and fix:
        return Verdict(Category.COMPLAINT, tuple(sorted({*charge, *fix})))
    return None


def _shows(line: Line, words: Lexicon) -> bool:
    """Whether the line tells of a thing and that something is wrong with it."""
    tables = ("category.repair.thing", "category.repair.symptom")
    return all(words[table].search(line.whole) for table in tables) and not words["urgency.losing"].search(line.whole)


def _topic(conversation: Sequence[Line], words: Lexicon) -> Verdict:
    start = opening(conversation)
    score, turns = _scores(conversation, {line.index for line in start}, words)
    _weigh_progress(score, start, words)
    if _hits(start, words, "logistics.goods") and not re.search("报修|维修", "".join(line.whole for line in start)):
        score["repair"] = 0.0  # a parcel that does not move is not broken
    elif max(score.values()) == score["question"]:
        broken = [line.index for line in start if _shows(line, words)]
        score["repair"] += _WEIGHT[True] * len(broken)
        turns["repair"] += broken
    best = max(score.values())
    for name, category in _TOPICS.items():
        if best and score[name] >= _SHARE * best:
            return Verdict(category, tuple(turns[name]))
    return Verdict(Category.QUESTION, ())


def _scores(
    conversation: Sequence[Line], first: Collection[int], words: Lexicon
) -> tuple[dict[str, float], dict[str, list[int]]]:
    """How much is said of each topic, and in which turns."""
    score = dict.fromkeys(_TOPICS, 0.0)
    turns: dict[str, list[int]] = {name: [] for name in _TOPICS}
    for line in conversation:
        for name in _TOPICS:
            found = {hit.group() for hit in words[f"category.{name}.ask"].finditer(line.whole)}
            if found:
                weight = _WEIGHT[line.index in first] if line.caller else _AGENT
                score[name] += weight * min(len(found), 2)
                turns[name].append(line.index)
        if words["category.returns.wish"].search(line.whole):  # it counts as much wherever it falls
            score["returns"] += _WEIGHT[True]
            turns["returns"].append(line.index)
    score["question"] *= 0.5  # 请问 opens every kind of call
    return score, turns


def _weigh_progress(score: dict[str, float], start: Sequence[Line], words: Lexicon) -> None:
    """Where a filed refund or repair is, is progress; not the refund or the repair."""
    if score["progress"] and score["returns"] and _hits(start, words, "progress.ask"):
        score["returns"] = 0.0
    if _hits(start, words, "progress.filed_before"):
        score["repair"] = score["returns"] = 0.0
        score["progress"] += _WEIGHT[True]
