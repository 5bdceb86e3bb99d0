"""How soon somebody must act, and the caller's mood, both from the words. Pure.

Urgency is 高 where one of six rules holds: danger going on (H1), money or an account being lost (H2), a home without
its basic service or a business that stands still (H3), an event of the caller within 24 hours that fails unless
something is done (H4), a fault that affects infants, pregnant, ill or old people (H5), the threat of an outside body or
a word broken twice (H6). Else 中 where something had gone wrong before the call, else 低. 急 and 快点 change nothing.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from transcription.account import Category, FactKind, Sentiment, Urgency
from transcription.category import opening
from transcription.details import Found
from transcription.dialogue import Line
from transcription.lexicon import Lexicon

_FAULTY = (Category.REPAIR, Category.COMPLAINT)
_CALM = (Category.INVALID, Category.PRAISE)
_NOW = re.compile("(?<!到)现在|正在|一直在|还在|刚刚?|马上")
_PAST_EVENT = re.compile("上次|昨天|前天|去年|买的|那次|(?:做|考|坐|看|办|动|上|开)(?:的|过|完|了)")
_LAST = 3  # lines in which praise takes discontent back
_NEAR = 40  # characters between an event and its 明天


def urgency(
    conversation: Sequence[Line], category: Category, found: Found, called_at: datetime, words: Lexicon
) -> tuple[Urgency, tuple[int, ...]]:
    """The level and the turns that decided it."""
    said = [line for line in conversation if line.caller]
    if category in _CALM:
        return Urgency.LOW, ()
    for rule in (_danger, _losing, _without, _frail, _threat):
        turns = tuple(rule(said, category, words))
        if turns:
            return Urgency.HIGH, turns
    turns = tuple(_event(said, found, called_at, words))
    if turns:
        return Urgency.HIGH, turns
    wrong = _wrong(conversation, words)
    return (Urgency.MIDDLE, wrong) if wrong or category in _FAULTY else (Urgency.LOW, ())


def _wrong(conversation: Sequence[Line], words: Lexicon) -> tuple[int, ...]:
    """Where something is said to have gone wrong: by the caller at the start, not by his own slip; or admitted."""
    trouble = [line.index for line in conversation if line.caller and words["urgency.trouble"].search(line.whole)]
    admitted = [line.index for line in conversation if not line.caller and words["urgency.admitted"].search(line.whole)]
    slip = any(words["urgency.own_slip"].search(line.whole) for line in conversation if line.caller)
    early = {line.index for line in opening(conversation)}
    if admitted or (early & set(trouble) and not slip):
        return tuple(sorted({*trouble, *admitted}))
    return ()


def _danger(said: Sequence[Line], category: Category, words: Lexicon) -> Iterator[int]:
    """Something is wrong now: of a fault in any words, in other calls where it is said to go on."""
    for line in said:
        if words["urgency.danger"].search(line.whole) and (category in _FAULTY or _NOW.search(line.whole)):
            yield line.index


def _losing(said: Sequence[Line], _: Category, words: Lexicon) -> Iterator[int]:
    yield from (line.index for line in said if words["urgency.losing"].search(line.whole))


def _without(said: Sequence[Line], category: Category, words: Lexicon) -> Iterator[int]:
    if category in (*_FAULTY, Category.PROGRESS):
        yield from (line.index for line in said if words["urgency.without"].search(line.whole))


def _frail(said: Sequence[Line], category: Category, words: Lexicon) -> Iterator[int]:
    wrong = any(words["urgency.trouble"].search(line.whole) for line in said)
    if category in _FAULTY or (wrong and category is not Category.QUESTION):
        for table in ("frail", "old_age"):
            yield from (line.index for line in said if words[f"urgency.{table}"].search(line.whole))


def _threat(said: Sequence[Line], _: Category, words: Lexicon) -> Iterator[int]:
    for line in said:
        body = words["urgency.threat"].search(line.whole)
        if (body and words["urgency.threat_will"].search(line.whole)) or words["urgency.twice"].search(line.whole):
            yield line.index


def _event(said: Sequence[Line], found: Found, called_at: datetime, words: Lexicon) -> Iterator[int]:
    """An event of the caller that is less than a day away."""
    days = {
        m.line: datetime.fromisoformat(m.value).date()
        for m in found.mentions
        if m.kind is FactKind.DATE and m.value >= called_at.date().isoformat()
    }
    for line in said:
        for event in words["urgency.event"].finditer(line.whole):
            near = line.whole[max(0, event.start() - _NEAR) : event.end() + _NEAR]
            if not words["urgency.soon"].search(near) or _PAST_EVENT.search(near):
                continue
            day = days.get(line.index, called_at.date())
            if day <= (called_at + timedelta(hours=24)).date():
                yield line.index
                break


def sentiment(conversation: Sequence[Line], words: Lexicon) -> tuple[Sentiment, tuple[int, ...]]:
    """The caller's mood over the whole call and the turns that show it."""
    said = [line for line in conversation if line.caller]
    bad = [line.index for line in said if words["sentiment.bad"].search(line.whole)]
    good = [
        line.index
        for line in said
        if words["sentiment.good"].search(line.whole) and not words["sentiment.not_good"].search(line.whole)
    ]
    last = {line.index for line in said[-_LAST:]}
    if bad and not (good and good[-1] in last and good[-1] > bad[-1]):
        return Sentiment.BAD, tuple(bad)
    if good:
        return Sentiment.GOOD, tuple(good)
    return Sentiment.NEUTRAL, ()
