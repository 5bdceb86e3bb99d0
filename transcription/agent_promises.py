"""What the agent binds the company to, clause by clause. Pure.

Read by meaning: somebody of ours (我, 师傅, 让仓库...) does something (tables ``act.*``, or any doing for the caller)
that lies ahead (a day, an hour, a span, 会, 马上). Not: what is done, denied, forecast, a rule, an open condition, the
caller's own business, or a proposal he did not take.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from transcription.account import FactKind
from transcription.acts import MEETINGS, Act, Event, Tie
from transcription.context import Context
from transcription.deadlines import counts_time
from transcription.dialogue import Clause, Line
from transcription.sentences import Sentence, sentences, shown
from transcription.stance import Stance
from transcription.transcript import Speaker

_WHEN_ONLY = re.compile("(?:以后|之后|后)[，]?$")  # 验收以后, ...: when, not what
_A_DAY = 10  # characters of YYYY-MM-DD
_BARE = 12  # characters of a clause that only says when
_GOES_ON = (
    "forward",
    "praise",
    "refund",
    "send",
    "notify",
    "call",
    "repair",
    "correct",
    "compensate",
    "bear",
    "pickup",
)
_AT_ONCE = ("call", "other", "visit", "correct", "keep", "notify")
_WE_DO = re.compile("(?<![给帮为替跟和与])我们?(?!这边)")
_PASSED_ON = re.compile("(?:我|给您|帮您|这边|再|会|，)*(?:转到|转给|转交|上报|反映|递)")
_ITS_NUMBER = re.compile("单号|编号|号码|工号|[^，。]{0,3}号[，。]?$")
_TODAY = re.compile("今天|今晚|今儿|今日|今夜|下班")
_WE = re.compile("我|咱|师傅|经理|专员|客服")
_SHARES = ("call", "notify", "send", "repair", "visit")
_ALSO = re.compile("(?:再|并|然后|同时|顺便)(?!送(?:您|你)|给?(?:您|你)送)")
_RECEIVED = re.compile("收到|到(?:了|的话|货|账)|(?:发|传|寄|交|拿|送)(?:来|过来|到|了)|[付签填拍盖]")
_HANDED_ON = re.compile(
    "(?:拿|转|发|递|带|送)给(?!您|你|客户)[^，。您你]{0,8}(?:班长|经理|主任|主管|领导|老师|师傅|同事|部门|财务|仓库)"
)
_MOVED = re.compile("[改转调挪换移](?:过去|过来)")
_FOR_THEM = re.compile(
    "(?:好的?|行|嗯|可以|，)*(?:那|就|您|你|直接|都)*(?:把[^，。]{1,10})?(?:发|寄|送|传|交|拍|报|打|转)(?:到|给|过来)?(?!您|你)"
    "[^，。我完好]{0,14}(?:[A-Za-z@]|邮箱|我(?:们)?(?:这)?(?:[，。]|$)|柜台|窗口|前台|公众号|微信|后台|号楼?|部|厅|库|室)"
)
_GOODS = re.compile("(?:零件|配件|备件|货|件|款|钱|新机|材料|样机|主板)(?:大概|最快)?[^，。]{0,6}到(?=[，。]|$)")
_GOODS_TOO = ("visit", "other")
_ARRANGED = re.compile(
    "(?<!合)约(?:在|到|好|了|上|的是)|预约(?:在|到|好|了|上)|安排(?:在|到|好|了|上)|定(?:在|到|好|了)|排(?:在|到)|改(?:约|成|到|为|在)"
)
_FOR_YOU = re.compile(
    "(?:给|帮|为|替|代|跟|和|同|向)(?:您|你|客户|孩子|老人|大家)|(?<![给帮为替跟和与同向])[发寄送退赔打转补还汇付回换催盯拉加装修办](?:给|到)?(?:您|你)"
)
_SOON = re.compile("会|马上|立即|立刻|立马|尽快|这就|现在就")
_VERB = re.compile("会|给|您|他|她|要")


@dataclass
class AgentReader:
    """Reads the agent's lines of one call."""

    context: Context
    events: list[Event] = field(default_factory=list)  # what is to happen, promised or not

    def __post_init__(self) -> None:
        self._stance = Stance(self.context)

    def read(self, line: Line) -> Iterator[Act]:
        """The acts of a line."""
        for sentence in sentences(line):
            yield from self._sentence(sentence)

    def _sentence(self, sentence: Sentence) -> Iterator[Act]:
        line, floor, conditional, general = sentence.line, sentence.key[1], False, False
        lead = ""  # 修好了, ...: what the next act waits for
        open_act: Act | None = None  # without a deadline yet
        last: Act | None = None
        for clause in sentence.clauses:
            conditional = conditional or (
                self.context.has("condition", clause.text) and not self._hangs_on_theirs(line, clause)
            )
            act = None if conditional else self._also(clause, self._act(sentence, clause, floor, lead), last)
            if act and general and not act.by_when and not _WE.search(clause.text):
                act = None  # 一般30天，好了会通知
            general = general or self.context.has("forecast", clause.text)
            if act and open_act and act.kind in MEETINGS and len(clause.text) <= _BARE and open_act.kind != "call":
                act = None  # 我重新给您发，10分钟之内到: the deadline of what is sent
            if not act and self.context.when_named(line, clause):
                day, _ = self.context.deadlines.when(line, clause, clause.start, meeting=False)
                self.events.append(Event(line.index, clause.text, day[:10]))
            if act:
                floor, lead = clause.end, ""
                open_act = None if act.by_when or act.tie not in (Tie.NONE, Tie.AFTER) else act
                last = act
                yield act
            elif last and len(last.by_when) == _A_DAY and self._only_hour(line, clause):
                hour = self.context.deadlines.named(line, clause.start, clause.end)[0].value.replace("-", "/")
                last = replace(last, what=f"{last.what}，{shown(clause.text)}", by_when=f"{last.by_when}T{hour}")
                floor = clause.end
                yield last
            elif open_act and self._only_when(line, clause, open_act):
                by_when, turns = self.context.deadlines.when(line, clause, clause.start, meeting=False)
                yield replace(
                    open_act, what=f"{open_act.what}，{shown(clause.text)}", by_when=by_when, turns=turns, tie=Tie.NONE
                )
                open_act = None
            elif self._waits(line, clause):
                lead = clause.text
            elif self._stance.binds_nobody(line, clause, ""):
                floor = clause.end  # a day in a forecast or a rule belongs to no promise

    def _hangs_on_theirs(self, line: Line, clause: Clause) -> bool:
        """Whether the condition is what the caller just promised: 今天能收到的话, 您发来了我就..."""
        made = self.context.acts[-1] if self.context.acts else None
        near = made is not None and made.who is Speaker.CALLER and line.index - made.line == 1
        return near and _RECEIVED.search(clause.text) is not None

    @staticmethod
    def _also(clause: Clause, act: Act | None, last: Act | None) -> Act | None:
        """The act; with the day of the one before, if it shares it: 5点前传上去，再给您打个电话."""
        if not act or not last or act.by_when or act.tie is not Tie.NONE or act.counted or last.tie is not Tie.NONE:
            return act
        shares = last.by_when and act.kind in _SHARES and _ALSO.match(clause.text)
        return replace(act, by_when=last.by_when) if shares else act

    def _act(self, sentence: Sentence, clause: Clause, floor: int, lead: str) -> Act | None:
        """The act of a clause; None where nobody is bound."""
        line = sentence.line
        tie, tied_to = self.context.deadlines.tie(clause.text)
        if tie is Tie.NONE and lead:
            tie, tied_to = self.context.deadlines.tie(lead, whole=True)
        text = self.context.words["promise.tied"].sub("", clause.text)
        if tie is not Tie.NONE and self.context.when_named(line, clause):
            tie = Tie.NONE  # 到时候, 周五上午9点
        if tie is Tie.AFTER:
            text = text.partition(tied_to)[2] or text
        kind, bare = self._kind(sentence, clause, text)
        if kind is None or _WHEN_ONLY.search(clause.text) or self._stance.binds_nobody(line, clause, kind):
            return None
        if tie in (Tie.BEFORE, Tie.DAY_BEFORE) and kind == "refund" and tied_to != "当天":
            return None  # 提前一天退，全退: a rule
        by_when: str = ""
        turns: tuple[int, ...] = (line.index,)
        if tie is Tie.AFTER:
            by_when, turns = self._after(line, clause, floor, lead)
        elif tie is Tie.NONE:
            by_when, turns = self.context.deadlines.when(line, clause, floor, meeting=bare or kind in MEETINGS)
        counted = (
            tie in (Tie.NONE, Tie.AFTER)
            and (counts_time(clause.text) or (tie is Tie.AFTER and counts_time(lead)))
            and not self.context.when_named(line, clause)
        )
        if counted and self.context.counted_from_then(line):
            by_when = ""
        if not self._binds(sentence, clause, kind, by_when, tie):
            return None
        follows = re.match("让|叫|喊|把", clause.text) is not None
        what = shown(line.whole[self._told_from(line, clause, floor) : clause.end])
        return Act(
            kind, Speaker.AGENT, what, by_when, line.index, turns, sentence.key, tie, tied_to, counted, follows, bare
        )

    def _after(self, line: Line, clause: Clause, floor: int, lead: str) -> tuple[str, tuple[int, ...]]:
        """The day of an act that waits for another: one that its sentence names, else open."""
        if counts_time(clause.text) or counts_time(lead):
            return "", (line.index,)
        by_when, turns = self.context.deadlines.when(line, clause, floor, meeting=False)
        return by_when[:10], turns

    def _binds(self, sentence: Sentence, clause: Clause, kind: str, by_when: str, tie: Tie) -> bool:
        """Whether what is said of the act lies ahead."""
        line, text = sentence.line, clause.text
        if kind in MEETINGS and not by_when and tie is Tie.NONE and not _SOON.search(text) and not self._sent(text):
            return False
        if tie is not Tie.NONE or counts_time(text):
            return True
        if by_when:
            own = self.context.deadlines.named(line, sentence.key[1], clause.end) or self.context.has(
                "today", line.whole
            )
            return (
                bool(own) or self.context.has("future", text) or self.context.has("side", text) or kind not in MEETINGS
            )
        if kind in ("forward", "praise") and _WE_DO.search(text) and not self._stance.done_soon(line, clause):
            return True
        at_once = self.context.has("now", text) and kind in _AT_ONCE
        if at_once or (kind not in ("bear", "compensate", "refund") and self._stance.done_soon(line, clause)):
            return False
        return self.context.has("future", text) or self._sent(text) or (kind in _GOES_ON and self._goes_on(sentence))

    def _goes_on(self, sentence: Sentence) -> bool:
        """Whether the sentence promised something before: 明天派人去复抄，多扣的退到您账户."""
        return (
            bool(self.context.acts)
            and self.context.acts[-1].who is Speaker.AGENT
            and self.context.acts[-1].sentence == sentence.key
        )

    def _kind(self, sentence: Sentence, clause: Clause, text: str) -> tuple[str | None, bool]:
        """What is done: by the tables of acts, by what was talked about, or somehow for the caller.

        And whether the clause only says when.
        """
        line = sentence.line
        if _FOR_THEM.match(clause.text) and not self.context.when_named(line, clause):
            return None, False  # 那就发到这个邮箱: the caller will
        names = self.context.words.group("act")
        found = self.context.fetched(line, clause)
        found = found or next((name for name in names if self.context.words[f"act.{name}"].search(text)), None)
        if found == "visit" and _ARRANGED.search(text) and len(text) <= _BARE + 4:
            return self.context.talked_about(line) or found, True
        if found:
            return _meant(found, text), False
        when = self.context.meeting_again(line, clause) or self.context.asked_for(sentence, clause)
        if when:
            lead = line.whole[sentence.key[1] : clause.start]
            when = next((name for name in names if self.context.words[f"act.{name}"].search(lead)), when)
        return (when, True) if when else (self._other(line, clause, text), False)

    def _other(self, line: Line, clause: Clause, text: str) -> str | None:
        """An act of a kind nobody listed: 明天给您安排上牌, 周四来喷药, 我叫保安下去瞅一眼."""
        if self.context.has("idle", text):
            return None
        if self._sent(text):
            return "other"
        ahead = bool(self.context.deadlines.named(line, clause.start, clause.end)) or counts_time(text)
        ahead = ahead or self.context.has("today", text) or text != clause.text  # 收到以后...
        sided = self.context.has("side", text) and self.context.has("doing", text)
        if ahead and (_FOR_YOU.search(text) or sided):
            return "other"
        soon = re.search("会|马上|立即|立刻|立马|尽快|这就|回头|待会|等下|稍后|随后|现在就|一定|保证|肯定|一会", text)
        return "other" if soon and _FOR_YOU.search(text) and not self.context.has("now", text) else None

    def _sent(self, text: str) -> bool:
        """Whether somebody of ours is told to act: 我让师傅...来."""
        return self.context.has("delegate", text)

    def _only_when(self, line: Line, clause: Clause, act: Act) -> bool:
        """Whether the clause only adds a day to the act before: 给您补寄，后天寄出."""
        if len(clause.text) <= _BARE and _TODAY.search(clause.text) and not re.search("[您你？]", clause.text):
            return True
        if _VERB.search(clause.text) or self._stance.binds_nobody(line, clause, act.kind):
            return False
        return (
            bool(self.context.named(line, clause))
            or self.context.deadlines.counted(clause.text, clause.text) is not None
        )

    def _only_hour(self, line: Line, clause: Clause) -> bool:
        """Whether the clause only adds the hour to the day before: 周四上午过来，8点到10点之间."""
        named = self.context.deadlines.named(line, clause.start, clause.end)
        return len(clause.text) <= _BARE + 2 and len(named) == 1 and named[0].kind is FactKind.TIME

    def _waits(self, line: Line, clause: Clause) -> bool:
        """修好了, ...: a clause that only says after what. 查到了, ... at the beginning is news."""
        if clause.start == line.clauses[0].start and not re.search("后|完", clause.text):
            return False
        return len(clause.text) <= _BARE * 2 and self.context.deadlines.tie(clause.text, whole=True)[0] is Tie.AFTER

    def _told_from(self, line: Line, clause: Clause, floor: int) -> int:
        """Where the sentence about the act begins: with its day, if that stands in the clause before."""
        if self.context.named(line, clause):
            return clause.start
        starts = [m.start for m in self.context.deadlines.named(line, floor, clause.start)]
        return line.clause_at(starts[-1]).start if starts else clause.start


def _meant(kind: str, text: str) -> str | None:
    """The act that a table named, put right by the other words of the clause."""
    if kind == "visit" and _PASSED_ON.match(text):
        return "forward"
    if kind == "keep" and "占" in text and "时间" in text:
        return "visit"
    if kind == "send" and _HANDED_ON.search(text):
        return "forward"
    if kind == "visit" and _MOVED.search(text):
        return "correct"
    number = kind == "keep" and _ITS_NUMBER.search(text)
    return None if number or (kind in _GOODS_TOO and _GOODS.search(text)) else kind
