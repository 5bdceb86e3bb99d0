"""What a call is about: one category by its main purpose. Pure.

If two fit, the earlier wins: 无效 > 表扬 > 投诉 > 发票 > 退换 > 报修 > 物流 > 进度 > 咨询. 无效, 表扬 and 投诉 hang on
what is done with words (dialling wrong, selling, thanking, demanding that the company answers for its conduct; anger
alone is no complaint), so they have rules. The others are topics: what the caller says first weighs most, what the
agent then does counts as well; the words' weights are learnt from examples (:mod:`transcription.likeness`), beside
tables of turns of phrase.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transcription.account import Category
from transcription.dialogue import Line
from transcription.lexicon import Lexicon
from transcription.likeness import Scores, likeness

_TOPICS = {
    Category.INVOICE: "invoice",
    Category.RETURNS: "returns",
    Category.REPAIR: "repair",
    Category.LOGISTICS: "logistics",
    Category.PROGRESS: "progress",
    Category.QUESTION: "question",
}
_OPENING = 2  # statements in which a caller says why he rings
_CHINESE = re.compile("[\u4e00-\u9fff]")
_SUBSTANCE = 5  # Chinese characters of a line that says something: more than a number
_FIRST, _NEXT = 3.0, 2.5  # weight of a caller's first statement, and of his second
_LATER, _FADES, _LEAST = 1.2, 0.85, 0.2  # of his third, how it falls from one to the next, and how far
_AGENT = 0.8  # of what the agent says, the greeting aside
_TABLES = 0.5  # share of the turns of phrase beside the learnt words
_TABLE_WEIGHT = {True: 4.0, False: 1.0}  # of a turn of phrase in the opening, and later
_HALF = 0.5  # 请问 opens every kind of call; and what is like enough to the most likely
_SHORT_CALL = 8  # lines of a caller who wants nothing of the company
_ANYTHING = 4  # characters beside small talk in a call that is about something
_EVIDENCE = 2  # turns that are named


@dataclass(frozen=True, slots=True)
class Verdict:
    """A label and the turns that decided it."""

    category: Category
    turns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Weighed:
    """How much of each category is in a line, weighted by its place."""

    line: Line
    scores: Scores


def categorise(conversation: Sequence[Line], words: Lexicon) -> Verdict:
    """The category of the call."""
    weighed = _weighed(conversation, words)
    for judge in (_invalid, _praise, _complaint):
        verdict = judge(conversation, weighed, words)
        if verdict is not None:
            return verdict
    return _topic(conversation, weighed, words)


def opening(conversation: Sequence[Line]) -> list[Line]:
    """The caller's first lines of substance."""
    return _statements(conversation)[:_OPENING]


def _statements(conversation: Sequence[Line]) -> list[Line]:
    return [line for line in conversation if line.caller and len(_CHINESE.findall(line.whole)) >= _SUBSTANCE]


def _weighed(conversation: Sequence[Line], words: Lexicon) -> list[_Weighed]:
    learnt = likeness(words)
    places = {line.index: place for place, line in enumerate(_statements(conversation))}
    greeting = next((line.index for line in conversation if not line.caller), None)
    found = []
    for line in conversation:
        if line.index == greeting or (line.caller and line.index not in places):
            continue
        weight = _weight(places[line.index]) if line.caller else _AGENT
        scores = learnt.of(line.whole, caller=line.caller)
        found.append(_Weighed(line, {category: weight * score for category, score in scores.items()}))
    return found


def _weight(place: int) -> float:
    if place < _OPENING:
        return _NEXT if place else _FIRST
    return max(_LEAST, _LATER * _FADES ** (place - _OPENING))


def _sum(weighed: Sequence[_Weighed]) -> dict[Category, float]:
    return {category: sum(each.scores[category] for each in weighed) for category in Category}


def _hits(lines: Sequence[Line], words: Lexicon, *tables: str) -> list[int]:
    return [line.index for line in lines if any(words[f"category.{table}"].search(line.whole) for table in tables)]


def _invalid(conversation: Sequence[Line], weighed: Sequence[_Weighed], words: Lexicon) -> Verdict | None:
    said = [line for line in conversation if line.caller and line.whole]
    agent = [line for line in conversation if not line.caller]
    if len("".join(words["issue.small_talk"].sub("", line.whole) for line in said)) < _ANYTHING:
        return Verdict(Category.INVALID, tuple(line.index for line in said))
    wrong, denied = _hits(said, words, "invalid.wrong"), _hits(agent[1:], words, "invalid.denial")
    if wrong and denied and len(said) <= _SHORT_CALL:
        return Verdict(Category.INVALID, tuple(sorted({*wrong, *denied})))
    advert, refused = _hits(said, words, "invalid.advert"), _hits(agent, words, "invalid.not_needed")
    like = _sum(weighed)
    likely = like[Category.INVALID] >= max(like.values())
    if (refused and (advert or likely)) or ((wrong or denied) and likely and len(said) <= _SHORT_CALL):
        return Verdict(Category.INVALID, tuple(sorted({*advert, *refused, *wrong, *denied})))
    prank = _hits(said, words, "invalid.prank")
    return Verdict(Category.INVALID, tuple(prank)) if prank and len(said) <= _SHORT_CALL else None


def _praise(conversation: Sequence[Line], weighed: Sequence[_Weighed], words: Lexicon) -> Verdict | None:
    said = [line for line in conversation if line.caller]
    if _hits(said, words, "praise.not", "complaint.word"):
        return None
    start = _statements(conversation)
    first, every = _hits(start[:_OPENING], words, "praise.ask"), _hits(start, words, "praise.ask")
    early = _hits(start[: max(_OPENING, (len(start) + 1) // 2)], words, "praise.ask")  # thanks at the end are polite
    glad = [line.index for line in start if words["sentiment.good"].search(line.whole)]
    passed_on = _hits([line for line in conversation if not line.caller], words, "praise.agent")
    like = _sum(weighed)
    likely = like[Category.PRAISE] >= max(like.values())
    if first or (likely and early) or (passed_on and (every or len(glad) > 1)):
        return Verdict(Category.PRAISE, tuple(sorted({*every, *glad, *passed_on})))
    return None


def _complaint(conversation: Sequence[Line], weighed: Sequence[_Weighed], words: Lexicon) -> Verdict | None:
    said = [line for line in conversation if line.caller]
    agent = [line for line in conversation if not line.caller]
    named, taken = _hits(said, words, "complaint.word"), _hits(agent, words, "complaint.agent")
    threats = [
        line.index
        for line in said
        if words["urgency.threat"].search(line.whole) and words["urgency.threat_will"].search(line.whole)
    ]
    demand, conduct = _hits(said, words, "complaint.demand"), _hits(said, words, "complaint.conduct")
    if named or taken or (demand and (conduct or threats) and _answerable(weighed)):
        return Verdict(Category.COMPLAINT, tuple(sorted({*named, *demand, *conduct, *taken})))
    charge, fix = _hits(opening(conversation), words, "complaint.charge"), _hits(said, words, "complaint.fix")
    if charge and fix:
        return Verdict(Category.COMPLAINT, tuple(sorted({*charge, *fix})))
    return None


def _answerable(weighed: Sequence[_Weighed]) -> bool:
    """Whether the call is as much about the company's conduct as about any other matter."""
    like = _sum(weighed)
    return like[Category.COMPLAINT] >= max(like[topic] for topic in _TOPICS)


def _topic(conversation: Sequence[Line], weighed: Sequence[_Weighed], words: Lexicon) -> Verdict:
    learnt, (phrases, turns) = _sum(weighed), _phrases(conversation, words)
    most = max(learnt[topic] for topic in _TOPICS) or 1.0
    phrased = max(phrases.values(), default=0.0) or 1.0
    score = {topic: learnt[topic] / most + _TABLES * phrases.get(topic, 0.0) / phrased for topic in _TOPICS}
    if _hits(opening(conversation), words, "logistics.goods") and not _hits(conversation, words, "repair.said"):
        score[Category.REPAIR] *= _HALF  # a parcel that does not move is not broken
    best = max(score, key=lambda topic: score[topic])
    if not any(score.values()):
        return Verdict(Category.QUESTION, ())
    told = sorted((each for each in weighed if each.scores[best]), key=lambda each: -each.scores[best])
    named = turns.get(best) or [each.line.index for each in told[:_EVIDENCE]]
    return Verdict(best, tuple(sorted(named)))


def _phrases(
    conversation: Sequence[Line], words: Lexicon
) -> tuple[Mapping[Category, float], Mapping[Category, list[int]]]:
    """How often each topic's turns of phrase come up, and in which turns."""
    first = {line.index for line in opening(conversation)}
    score: dict[Category, float] = defaultdict(float)
    turns: dict[Category, list[int]] = defaultdict(list)
    for line in conversation:
        for topic, name in _TOPICS.items():
            found = {hit.group() for hit in words[f"category.{name}.ask"].finditer(line.whole)}
            if found:
                weight = _TABLE_WEIGHT[line.index in first] if line.caller else _AGENT
                score[topic] += weight * min(len(found), 2) * (_HALF if topic is Category.QUESTION else 1.0)
                turns[topic].append(line.index)
        if line.index in first and words["category.progress.filed_before"].search(line.whole):
            score[Category.PROGRESS] += _TABLE_WEIGHT[True]
            turns[Category.PROGRESS].append(line.index)
        if words["category.returns.wish"].search(line.whole):  # it counts as much wherever it falls
            score[Category.RETURNS] += _TABLE_WEIGHT[True]
            turns[Category.RETURNS].append(line.index)
    return score, turns
