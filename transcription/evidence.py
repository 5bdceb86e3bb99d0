"""Whether a sentence says only what was said. Pure.

A sentence about a call is believed when every number, name, date and content word of it is found in the turns it
cites, with the same negation, and not only inside a question or a condition it does not repeat. Words that merely
report (客户, 表示, 询问) need no evidence; words that commit somebody (同意, 承诺, 拒绝) do. Where it names a side
(客户, 客服), that side must have said it. In doubt a sentence is refused: what is lost is a convenience.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from transcription.claims import Claim, affirms, bare_time, claims, conditional, done, interrogative, negated
from transcription.details import Found, find
from transcription.dialogue import lines
from transcription.lexicon import standard
from transcription.spoken import written
from transcription.transcript import Speaker, Turn
from transcription.values import Value, plain, taken_back, values

_SOON = 6.0  # seconds until an answer is one
_BESIDE = 2  # clauses from one to the next that it belongs with
_BETWEEN = 2  # characters between those of one word: 回个电话
_LOOSE = re.compile("[\u4e00-\u9fff]{1,3}[^好完成到上了过掉起不没未\u0000-\u4dff]")  # 修...好 is not 修好
_HOUSE = re.compile("号|栋|幢|单元|室|弄|楼|层")
_NAMED = re.compile("[\u4e00-\u9fff](?<![是了在到有月的于约共至为改说或和])")
_A_MONTH, _HALF_A_YEAR = 31, 183  # days
_ANY_DAY = datetime(2026, 1, 5, tzinfo=UTC)  # both sides are read as of it, where nobody says what day it was
_STOP = re.compile("[，。！？；：、…,;!?]+")
_LABEL = re.compile("^(?:订单号|单号|型号|故障码|电话|身份证|银行卡|税号|邮箱|金额|日期|时间|地址)：")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_SENTENCE = re.compile("[^。！？；!?;]+[。！？；!?;]*")
_CLAUSE = re.compile("[^，、：…,]+[，、：…,]*")
_SAME = {  # the plain word of what a report says in a better one
    "维修": ("修",), "修理": ("修",), "更换": ("换",), "损坏": ("坏",), "购买": ("买",), "发送": ("发",),
    "回电": ("回电话", "打电话", "回个电话", "打过来", "打给", "联系"), "致电": ("打电话",), "联系": ("打电话", "打给"),
    "派人": ("派",), "送达": ("送到",), "寄送": ("寄",), "寄出": ("寄",), "领取": ("领",), "支付": ("付",),
    "次日": ("明天", "明早", "明儿"), "当天": ("今天",), "当晚": ("今晚", "今天晚上"),
    "尽快": ("快点", "赶紧", "早点", "马上"),
    "返还": ("退",), "退还": ("退",), "无法": ("不能", "没法", "不了", "不到"), "费用": ("费", "钱"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Support:
    """Whether a sentence holds, and what in it nobody said: words, numbers, ``不:词`` where a negation differs."""

    ok: bool
    unmatched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Said:
    """A clause of a turn. ``text`` has no spaces or punctuation at its ends."""

    speaker: Speaker | None
    text: str
    values: tuple[Value, ...]
    asks: bool
    conditional: bool
    turn: int = 0
    place: int = 0  # among the clauses of all turns; between turns that do not follow each other there is a gap
    answered: bool = False  # a question that the other one answers with yes, in the next turn


def supported(sentence: str, turns: Sequence[str] | Sequence[Turn], called_at: datetime | None = None) -> Support:
    """Hold a sentence against the turns it cites.

    Turns as plain text: who spoke is not looked at. ``called_at`` (aware): what 明天 is counted from, so that a date
    in the sentence (2026-05-20) may be one that was said as 后天.
    """
    told = [turn if isinstance(turn, Turn) else Turn(Speaker.CALLER, 0.0, 0.0, turn, 1.0) for turn in turns]
    named = all(isinstance(turn, Turn) for turn in turns)
    said = list(_placed(told, named=named))
    if not said:
        return Support(ok=False, unmatched=(sentence,))
    found = find(lines(told), called_at or _ANY_DAY, standard())
    gone = taken_back([written(turn.text) for turn in told])
    missing: list[str] = []
    side: Speaker | None = None
    for whole in _SENTENCE.findall(_LABEL.sub("", written(sentence))):
        asks, if_then = interrogative(whole), conditional(whole)
        for clause in _CLAUSE.findall(whole):
            claim = claims(clause)
            side = claim.side or side
            heard = [one for one in said if side is None or one.speaker in (None, side)]
            missing += _words(claim, heard, asks=asks or claim.asks, if_then=if_then)
            missing += _values(claim, heard, found, gone, called_at or _ANY_DAY)
    return Support(not missing, tuple(dict.fromkeys(missing)))


def says_something(sentence: str) -> bool:
    """Whether there is anything in a sentence that would need evidence: 客户来电咨询 says nothing."""
    told = [claims(clause) for whole in _SENTENCE.findall(written(sentence)) for clause in _CLAUSE.findall(whole)]
    return any(claim.words or claim.values for claim in told)


def _placed(told: Sequence[Turn], *, named: bool) -> Iterator[_Said]:
    place, until = 0, 0.0
    for index, turn in enumerate(told):
        place += 1 if turn.start - until < _SOON else _BESIDE + 1
        until = turn.end
        for clause in _clauses(turn, index, told, named=named):
            yield replace(clause, place=place)
            place += 1


def _clauses(turn: Turn, index: int, told: Sequence[Turn], *, named: bool) -> Iterator[_Said]:
    after = told[index + 1] if index + 1 < len(told) else None
    heard = after is not None and after.speaker is not turn.speaker and after.start - turn.end < _SOON
    yes = heard and after is not None and affirms(written(after.text))
    for whole in _SENTENCE.findall(written(turn.text)):
        if_then = conditional(whole)
        pieces = _CLAUSE.findall(whole)
        for piece in pieces:
            bare = _STOP.sub("", piece)
            if bare:
                last = piece if piece is not pieces[-1] else f"{bare}{whole[-1]}"
                speaker = turn.speaker if named else None
                asks = interrogative(last)
                yield _Said(speaker, bare, tuple(values(bare)), asks, if_then, index, answered=asks and yes)


def _words(claim: Claim, said: Sequence[_Said], *, asks: bool, if_then: bool) -> Iterator[str]:
    """The words of a claim that have no evidence."""
    over, holding = not claim.done, list[list[_Said]]()
    for word, no in claim.words:
        where = list(_places(word, said))
        if not where:
            yield word
            continue
        agreeing = [one for one, form in where if _agrees(one, form, word, claim, denied=no and form == word)]
        holding.append(agreeing)
        over = over or any(done(one.text) for one in agreeing)
        if not agreeing:
            yield f"不:{word}"
        elif not asks and all(one.asks and not (one.answered or _answers(one, claim, said)) for one in agreeing):
            yield f"？{word}"
        elif not if_then and all(one.conditional for one in agreeing):
            yield f"如果:{word}"
    if claim.words and not over:
        yield f"已:{claim.text}"
    if claim.denies and not claim.words and not any(negated(one.text) for one in said):
        yield f"不:{claim.text}"
    if len(holding) == len(claim.words) and all(holding) and not _together(claim, holding):
        yield f"…:{claim.text}"


def _agrees(one: _Said, form: str, word: str, claim: Claim, *, denied: bool | None) -> bool:
    """Whether a clause denies as the claim does: the word, and as a whole where the word is what is claimed.

    A thing may stand in a clause that denies something else of it, and so may a time, as long as the claim has a verb.
    """
    if denied is not None and form in one.text and negated(one.text, form) != denied:
        return False
    beside = denied is None or word in claim.things
    verbs = any(no is not None and other not in claim.things for other, no in claim.words)
    return (beside and verbs) or negated(one.text) == claim.denies


def _together(claim: Claim, holding: Sequence[Sequence[_Said]]) -> bool:
    """Whether the words of a claim were said of one thing: in one clause or beside it, times with what they time."""
    verbs = [places for places, (_, no) in zip(holding, claim.words, strict=True) if no is not None]
    times = [places for places, (_, no) in zip(holding, claim.words, strict=True) if no is None]
    for first in verbs[0] if verbs else ():
        near = [[one for one in places if abs(one.place - first.place) <= _BESIDE] for places in verbs]
        if not all(near):
            continue
        spots = {one.place for places in near for one in places}
        if all(any(one.place in spots or _beside(one, spots) for one in places) for places in times):
            return True
    return not verbs


def _beside(one: _Said, spots: Collection[int]) -> bool:
    return bare_time(one.text) and any(abs(one.place - spot) <= _BESIDE for spot in spots)


def _places(word: str, said: Sequence[_Said]) -> Iterator[tuple[_Said, str]]:
    """The clauses that say a word, and the form in which they do: the word, a plainer one, or 回个电话 for 回电话."""
    loose = re.compile(f".{{0,{_BETWEEN}}}?".join(map(re.escape, word))) if _LOOSE.fullmatch(word) else None
    for one in said:
        form = next((form for form in (word, *_SAME.get(word, ())) if form in one.text), None)
        if form is None and loose is not None and (found := loose.search(one.text)):
            form = found.group()
        if form is not None:
            yield one, form


def _answers(question: _Said, claim: Claim, said: Sequence[_Said]) -> bool:
    """Whether a question was answered with what the claim says: 故障码是什么? E4."""
    return any(
        one.turn == question.turn + 1 and {value.text for value in one.values} & {value.text for value in claim.values}
        for one in said
    )


def _values(claim: Claim, said: Sequence[_Said], found: Found, gone: set[str], day: datetime) -> Iterator[str]:
    """The numbers, dates and codes of a claim that nobody said, took back, or said of something else."""
    standing = {plain(m.value) for m in found.standing}
    gone = gone | ({plain(m.value) for m in found.mentions} - standing)
    meant = find(lines([Turn(Speaker.CALLER, 0.0, 0.0, claim.text, 1.0)]), day, standard())
    there = {(m.kind, m.value) for m in found.standing}
    covered = [(m.start, m.end) for m in meant.mentions if (m.kind, m.value) in there]
    covered += [d.span() for d in _DAY.finditer(claim.text) if _day_said(d.group(), said, day.date())]
    everything = "".join(one.text for one in said)
    for value in claim.values:
        if value.text in gone or _swapped(value, claim, said) or _elsewhere(value, claim, everything):
            yield value.text
        elif value.text in standing or any(start <= value.start and value.end <= end for start, end in covered):
            continue
        elif not value.within(everything, [one for clause in said for one in clause.values]):
            yield value.text


def _elsewhere(value: Value, claim: Claim, everything: str) -> bool:
    """Whether a house number stands behind another name than was said: 公寓5号 where it was 大学路5号."""
    before, behind = claim.text[max(0, value.start - 1) : value.start], claim.text[value.end :]
    if not _HOUSE.match(behind) or not _NAMED.fullmatch(before):
        return False
    return f"{before}{claim.text[value.start : value.end]}" not in everything


def _day_said(iso: str, said: Sequence[_Said], today: date) -> bool:
    """5号 may be the 5th of a month another turn named: one not far away. 4月5号 is one of the nearest year."""
    try:
        day = date.fromisoformat(iso)
    except ValueError:
        return False
    away = abs((day - today).days)
    for clause in said:
        months = {one.text for one in clause.values if one.unit == "month"}
        if any(one.unit == "day" and one.text == str(day.day) for one in clause.values):
            if months and str(day.month) in months and away <= _HALF_A_YEAR:
                return True
            if not months and away <= _A_MONTH:
                return True
    return False


def _swapped(value: Value, claim: Claim, said: Sequence[_Said]) -> bool:
    """Whether what the claim says of this number was said of another one of its sort, and never of this one."""
    if not value.unit:
        return False
    for word, _ in claim.words:
        beside = [one for clause in said if word in clause.text for one in clause.values if one.unit == value.unit]
        if beside and not any(one.text == value.text for one in beside):
            return True
    return False
