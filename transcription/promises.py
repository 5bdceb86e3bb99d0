"""Who promised what by when. Pure.

A promise binds the speaker or his company to a future act for the other side: an agreed appointment, a call back, a
repair, a refund, something sent, passed on or paid for; of the caller, an act that the company waits for. No promises:
acts that are finished, forecasts and rules (一般, 预计), what cannot be promised, empty assurances (一定重视), what was
proposed and not agreed, open conditions (如果...), the caller's own plans and threats. One entry for each act: what is
said again or changed later replaces what was said first.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from transcription.account import FactKind, Promise
from transcription.deadlines import Deadlines, counts_time
from transcription.details import Found
from transcription.dialogue import Clause, Line, Mention
from transcription.lexicon import Lexicon
from transcription.transcript import Speaker

_MEETINGS = ("visit", "pickup")
_ANSWERS = ("call", "notify", "reply")  # one act said twice: 核实后答复您, 给您回电话
_SENTENCE_END = re.compile("[。？！；…]$")
_WHEN_DONE = re.compile("(?:以后|之后|后)[，]?$")  # 验收以后, ...: when, not what
_LATEST = 40  # acts among which a repetition is looked for
_BARE = 10  # characters of a clause that only says when
_LONGEST = 60
_RECENT = 4  # lines: how long a request of the agent waits
_LATELY = 16  # lines: how long a visit that was talked about waits for its hour
_WHEN = (FactKind.DATE, FactKind.TIME)
_AFTER = re.compile("(?:完|好|到|后|过)(?:了|以后|之后)?[，]?(?:多久|几天|多长时间)")
_FOR_YOU = re.compile("会(?:(?:给|帮|为|替)(?!他|她)|跟|和|把|有|再|先)|将(?:给|为|把|会)|(?:给|帮|为|替)(?:您|你)")
_DELIVERY = re.compile("送货|配送|派送|[午天号]送|[周期拜][一二三四五六日天]送|送(?:过)?来")
_HOW_LONG = re.compile("多久|几天|多长时间|什么时候|啥时候|几时|哪天")
_CONSENT = re.compile(
    "可以吗|好吗|行吗|行不行|可以吧|您看|怎么样|好不好|方便吗|成吗|可不可以|行不|方便不|能接受吗|同意吗"
)
_VERB = re.compile("会|给|您|他|她|要")


@dataclass(frozen=True, slots=True)
class _Act:
    """One act found in a clause."""

    kind: str
    who: Speaker
    what: str
    by_when: str
    line: int
    turns: tuple[int, ...]
    sentence: tuple[int, int]  # line and start of its sentence


def promises(found: Found, conversation: Sequence[Line], called_at: datetime, words: Lexicon) -> tuple[Promise, ...]:
    """The promises of the call in the order in which they were made."""
    reader = _Reader(conversation, words, Deadlines(called_at, words, found.standing))
    acts: list[_Act] = []
    for line in conversation:
        for act in reader.caller(line) if line.caller else reader.agent(line):
            _add(acts, act)
    return tuple(Promise(str(act.who), act.what, act.by_when, act.line, act.turns) for act in acts)


def _add(acts: list[_Act], act: _Act) -> None:
    """Take the act in; an act of the same kind that it repeats or changes goes."""
    first = max(0, len(acts) - _LATEST)
    if act.kind not in ("forward", "bear", "other"):  # 我转告经理, 明天给您打电话: one act
        acts[first:] = [
            old for old in acts[first:] if old.kind != "forward" or old.by_when or old.sentence != act.sentence
        ]
    for index, old in enumerate(acts[first:], first):
        if old.who is not act.who or not _same_act(old, act):
            continue
        keep = old if old.by_when and not act.by_when else act
        acts[index] = _Act(
            keep.kind,
            keep.who,
            keep.what,
            keep.by_when,
            keep.line,
            tuple(sorted({*old.turns, *act.turns})),
            act.sentence,
        )
        return
    acts.append(act)


def _same_act(old: _Act, new: _Act) -> bool:
    same_day = old.by_when[:10] == new.by_when[:10]
    open_ended = not old.by_when or not new.by_when
    if old.kind in _MEETINGS and new.kind in _MEETINGS:
        return True
    if old.sentence == new.sentence and old.kind in _ANSWERS and new.kind in _ANSWERS:
        return same_day or open_ended
    if old.kind in _ANSWERS and new.kind in _ANSWERS and old.kind != new.kind:
        return False
    return old.kind == new.kind and (same_day or (open_ended and new.line - old.line <= _RECENT * 2))


@dataclass
class _Reader:
    conversation: Sequence[Line]
    words: Lexicon
    deadlines: Deadlines

    def agent(self, line: Line) -> Iterator[_Act]:
        """What the agent promises in the line."""
        floor, sentence, conditional = 0, 0, False
        open_act: _Act | None = None  # without a deadline yet
        for clause in line.clauses:
            conditional = conditional or bool(self.words["promise.condition"].search(clause.text))
            act = None if conditional else self._agent_act(line, clause, floor)
            if act and open_act and act[0] in _MEETINGS and len(clause.text) <= _BARE:
                act = None  # 我重新给您发，10分钟之内到: the deadline of what is sent
            if act:
                kind, by_when, turns = act
                what = _clean(line.whole[self._told_from(line, clause, floor) : clause.end])
                if kind in _MEETINGS and by_when:
                    self.deadlines.appointment = date.fromisoformat(by_when[:10])
                made = _Act(kind, Speaker.AGENT, what, by_when, line.index, turns, (line.index, sentence))
                open_act = None if by_when else made
                floor = clause.end
                yield made
            elif (
                open_act
                and not _VERB.search(clause.text)
                and self._dated(line, clause)
                and not self._is_no_promise(line, clause, open_act.kind)
            ):
                by_when, turns = self.deadlines.when(line, clause, clause.start, meeting=False)
                yield replace(open_act, what=f"{open_act.what}，{_clean(clause.text)}", by_when=by_when, turns=turns)
                open_act = None
            elif self._is_no_promise(line, clause, ""):
                floor = clause.end  # a day in a forecast or a rule belongs to no promise
            if _SENTENCE_END.search(clause.text):
                sentence, floor, conditional, open_act = clause.end, clause.end, False, None

    def _agent_act(self, line: Line, clause: Clause, floor: int) -> tuple[str, str, tuple[int, ...]] | None:
        """The act of a clause: its kind, deadline and turns; None where nobody is bound."""
        text = self.words["promise.tied"].sub("", clause.text)
        kind = next((name for name in self.words.group("act") if self.words[f"act.{name}"].search(text)), None)
        kind = (
            kind or self._meeting_again(line, clause) or self._asked_how_long(line, clause) or self._other(line, clause)
        )
        if kind is None or _WHEN_DONE.search(clause.text) or self._is_no_promise(line, clause, kind):
            return None
        by_when, turns = self.deadlines.when(line, clause, floor, meeting=kind in _MEETINGS)
        if counts_time(clause.text) and self._counted_from_then(line):
            by_when = ""
        if kind in _MEETINGS and not by_when and not re.search("会|马上|立即|立刻|尽快|这就", clause.text):
            return None
        if not by_when and not (self.words["promise.future"].search(clause.text) or counts_time(clause.text)):
            return None
        return kind, by_when, turns

    def _meeting_again(self, line: Line, clause: Clause) -> str | None:
        """A day or hour that settles a visit which was talked about: 那就后天下午4点到6点."""
        named = self._named(line, clause)
        if not named or all(
            mention.detail.endswith(("内", "后")) for mention in named
        ):  # 2小时内: by when, not a meeting
            return None
        if re.search("那就|就定|约|定在", clause.text) and {m.kind for m in named} == {*_WHEN}:
            return "visit"
        settled = re.search("那|就|改|约|可以|的话|给您|有空|有号|有位|没问题|行", line.whole)
        before = self.conversation[line.index - 1] if line.index else line
        if not settled and not (before.caller and before.clauses and before.clauses[-1].asks and self._agreed_to(line)):
            return None
        near = self.conversation[max(0, line.index - _LATELY) : line.index + 1]
        about = any(_DELIVERY.search(other.whole) for other in near) or any(
            self.words["act.visit"].search(other.whole) or self.words["act.pickup"].search(other.whole)
            for other in near
        )
        return "visit" if about else None

    def _other(self, line: Line, clause: Clause) -> str | None:
        """An act of a kind nobody listed, where the agent names its day: 明天给您安排上牌."""
        return "other" if _FOR_YOU.search(clause.text) and self._dated(line, clause) else None

    def _counted_from_then(self, line: Line) -> bool:
        """Whether the span answers how long something takes after an event: 办完多久到账? -- 10个工作日."""
        before = self.conversation[line.index - 1] if line.index else line
        return before.caller and _HOW_LONG.search(before.whole) is not None and _AFTER.search(before.whole) is not None

    def _asked_how_long(self, line: Line, clause: Clause) -> str | None:
        """The act that the caller asked for, where the answer is only a span: 多久能退? -- 5个工作日."""
        before = self.conversation[line.index - 1] if line.index else line
        if not before.caller or not counts_time(clause.text) or not _HOW_LONG.search(before.whole):
            return None
        return next((name for name in self.words.group("act") if self.words[f"act.{name}"].search(before.whole)), None)

    def _is_no_promise(self, line: Line, clause: Clause, kind: str) -> bool:
        for table in ("negated", "forecast", "information", "empty"):
            if self.words[f"promise.{table}"].search(clause.text):
                return True
        dated = self._dated(line, clause)
        if not dated and any(clause.start <= m.start < clause.end for m in self.deadlines.past.get(line.index, ())):
            return True
        if self.words["promise.finished"].search(clause.text) and kind != "bear" and not (kind in _MEETINGS and dated):
            return True
        if re.search("可以(?:帮|给|为|替)", clause.text) and not dated and not self._agreed_to(line, plainly=True):
            return True
        if kind and _CONSENT.search(line.whole[clause.start :].partition("。")[0]):
            return not self._agreed_to(line)
        return clause.asks

    def _named(self, line: Line, clause: Clause) -> list[Mention]:
        """The days to come and the hours that the clause names."""
        return [m for m in self.deadlines.at.get(line.index, ()) if clause.start <= m.start < clause.end]

    def _dated(self, line: Line, clause: Clause) -> bool:
        """Whether the clause names a day to come or an hour."""
        return bool(self._named(line, clause))

    def _agreed_to(self, line: Line, *, plainly: bool = False) -> bool:
        """Whether the caller's next words are a yes, or (unless ``plainly``) at least no refusal."""
        for reply in self.conversation[line.index + 1 : line.index + 3]:
            if reply.caller and reply.clauses:
                yes = self.words["talk.accept"].search(reply.clauses[0].text)
                no = any(self.words[f"talk.{table}"].search(reply.whole) for table in ("unsuitable", "busy", "refuse"))
                return bool(yes) or not (no or plainly)
        return False

    def _told_from(self, line: Line, clause: Clause, floor: int) -> int:
        """Where the sentence about the act begins: with its day, if that stands in the clause before."""
        if self._dated(line, clause):
            return clause.start
        starts = [m.start for m in self.deadlines.at.get(line.index, ()) if floor <= m.start < clause.start]
        return line.clause_at(starts[-1]).start if starts else clause.start

    def caller(self, line: Line) -> Iterator[_Act]:
        """What the caller promises in the line."""
        before = [other for other in self.conversation[max(0, line.index - _RECENT) : line.index] if not other.caller]
        awaited = any(self.words["promise.awaited"].search(other.whole) for other in before[-2:])
        floor = 0
        for clause in line.clauses:
            text = clause.text
            if (
                not self.words["promise.caller"].search(text)
                or self.words["promise.caller_not"].search(text)
                or clause.asks
            ):
                continue
            if not self.words["promise.caller_future"].search(text) or not (
                awaited or re.search("给(?:你|您)们?|你们", text)
            ):
                continue
            by_when, turns = self.deadlines.when(line, clause, floor, meeting=False)
            asked = before[-1].index if before and awaited else line.index
            yield _Act(
                "caller",
                Speaker.CALLER,
                _clean(text),
                by_when,
                line.index,
                tuple(sorted({asked, *turns})),
                (line.index, 0),
            )


def _clean(text: str) -> str:
    return re.sub(r"^(?:好的?|嗯|那|行|可以的?|对|是的|没问题)[，。！]*|[，。！；…]+$", "", text)[:_LONGEST]
