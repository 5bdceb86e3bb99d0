"""What the caller wants, in his own words. Pure.

The sentence is taken from the caller's turns, never made up: his best line by topic, wish and trouble, and a second one
where he says later what he demands. Nothing of the kind said: no issue.
"""

import re
from collections.abc import Sequence

from transcription.account import Category
from transcription.dialogue import Line
from transcription.lexicon import Lexicon

_TABLE = {
    Category.PRAISE: ("praise.ask",),
    Category.COMPLAINT: ("complaint.word", "complaint.conduct", "complaint.demand"),
    Category.INVOICE: ("invoice.ask",),
    Category.RETURNS: ("returns.ask",),
    Category.REPAIR: ("repair.ask",),
    Category.LOGISTICS: ("logistics.ask",),
    Category.PROGRESS: ("progress.ask", "progress.filed"),
    Category.QUESTION: ("question.ask",),
    Category.INVALID: ("invalid.wrong", "invalid.advert", "invalid.prank"),
}
_DEMAND = {
    Category.COMPLAINT: "category.complaint.demand",
    Category.RETURNS: "category.returns.wish",
    Category.INVOICE: "category.invoice.ask",
}
_ENDS = re.compile("[。？！；…]$")
_EARLY = 4  # lines of the caller in which he usually says it
_ENOUGH = 3.0
_LONGEST = 70
_SHORTEST = 4


def issue(conversation: Sequence[Line], category: Category, words: Lexicon) -> tuple[str | None, tuple[int, ...]]:
    """The sentence and the turns that say it; None and no turns when nothing was detected."""
    said = [line for line in conversation if line.caller and line.whole]
    scored = [(_score(line, place, category, words), line) for place, line in enumerate(said)]
    best, line = max(scored, key=lambda pair: (pair[0], -pair[1].index), default=(0.0, None))
    if line is None or best < _ENOUGH:
        return None, ()
    parts = [(_sentence(line, category, words), line.index)]
    table = _DEMAND.get(category)
    if table:
        more = next((other for other in said if other.index > line.index and words[table].search(other.whole)), None)
        if more is not None:
            parts.append((_sentence(more, category, words), more.index))
    parts = [(text, turn) for text, turn in parts if len(text) >= _SHORTEST]
    if not parts:
        return None, ()
    return "；".join(text for text, _ in parts), tuple(turn for _, turn in parts)


def _score(line: Line, place: int, category: Category, words: Lexicon) -> float:
    topic = sum(3.0 for table in _TABLE[category] if words[f"category.{table}"].search(line.whole))
    wish = 1.5 if words["issue.wish"].search(line.whole) else 0.0
    trouble = 1.5 if words["issue.trouble"].search(line.whole) else 0.0
    score = topic + wish + trouble + min(len(line.whole), 40) / 20
    return score * (2.0 if place < _EARLY // 2 else 1.3 if place < _EARLY else 0.7)


def _sentence(line: Line, category: Category, words: Lexicon) -> str:
    """The clauses of the line from the first that matters to the last, without small talk."""
    tables = [f"category.{table}" for table in _TABLE[category]] + ["issue.wish", "issue.trouble"]
    told = [c for c in line.clauses if len(c.text) > 1 and any(words[table].search(c.text) for table in tables)]
    if not told:
        return ""
    start, end = told[0].start, told[-1].end
    before = [c for c in line.clauses if c.end == start and len(words["issue.small_talk"].sub("", c.text)) >= _SHORTEST]
    if before:
        start = before[0].start  # 我买的电饭煲, 三天了都没有更新
    for clause in line.clauses:  # to the end of the sentence
        if clause.start == end and not _ENDS.search(line.whole[:end]) and clause.end - start <= _LONGEST:
            end = clause.end
    while end - start > _LONGEST and len(told) > 1:
        told.pop()
        end = told[-1].end
    text = words["issue.small_talk"].sub("", line.whole[start:end])
    return re.sub(r"[，。！；…、]+$", "", text)[:_LONGEST]
