"""What the agent's words mean where they stand: what was talked about, asked, settled and agreed. Pure.

那就后天下午4点到6点 is an appointment only after somebody was to come, 三天 a deadline only after 多久能退.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from transcription.account import FactKind
from transcription.acts import Act, Tie
from transcription.deadlines import Deadlines, counts_time
from transcription.dialogue import Clause, Line, Mention
from transcription.lexicon import Lexicon
from transcription.sentences import Sentence

_BARE = 12  # characters of a clause that only says when
_LATEST = 6  # acts
_CALLED = 4  # lines: how long a call that was talked about waits for its hour
_LATELY = 16  # lines: how long a visit that was talked about waits for its hour
_WHEN = (FactKind.DATE, FactKind.TIME)
_PADDING = re.compile(
    "[上中下]午|早上|晚上|傍晚|一早|之?前|之?间|以后|时间|给您|给你|那么|还是|没问题|有[空号位]|[那就好行可以吧的在约定改到成您看呢啊也了对嗯能来，。？！、]"
)
_MORE = 3  # characters of a clause that only says when, besides its day and hour
_JUST_ARRANGED = re.compile("(?:约|订|排|预约|登记|安排|留)(?:好|上)了")
_YES = re.compile("(?:可以|没问题|行|方便|好的?|成|中|要得|OK|ok)(?:的|啊|呀|哈|吧|嘞|呢)?[，。！]?$")
_TO_OTHERS = re.compile("(?:跟|给|向|和|同)(?!我)[^，。]{1,6}(?:说|讲|带|提)")
_OPENING = re.compile("开门|关门|营业|几点上班|你们.{0,4}上班|开不开|开到|哪个厅|开吗|开着")
_OURS = ("visit", "pickup", "send", "call", "repair")
_ABOUT_TIME = re.compile(
    "[上下中]午|早上|晚|周末|礼拜|星期|周[一二三四五六日]|[明后今]天|号|点|时候|几时|哪天|多久|早点|改|有空|在家"
)
_AFTER = re.compile("(?:完|好|到|后|过)(?:了|以后|之后)?[，]?(?:多久|几天|多长时间)")
_DELIVERY = re.compile(
    "(?:能|可以|再|会|给您|给你|才|就)送(?!修|检)|送货|配送|派送|[午天号]送|[周期拜][一二三四五六日天]送|送(?:过)?来"
)
_MEET = re.compile("那就|就定|约|定在|改")
_SETTLED = re.compile("那|就|改|约|可以|的话|给您|有空|有号|有位|没问题|行|好|成")
_WHEN_WORD = "(?:什么时候|啥时候?|几时|何时|几点|哪天|多久|多会儿)[^，。]{0,4}"
_ASKED_WHEN = {
    "visit": re.compile(f"{_WHEN_WORD}(?:来|到(?!账|货)|过来|上门|装)"),
    "send": re.compile(f"{_WHEN_WORD}(?:送|寄|发)"),
    "refund": re.compile(f"{_WHEN_WORD}(?:退|给钱|到账)"),
    "repair": re.compile(f"{_WHEN_WORD}(?:修|弄|搞|做|办|好)"),
}


@dataclass
class Context:
    """One call, as far as it was read. ``acts``: what was promised so far."""

    conversation: Sequence[Line]
    words: Lexicon
    deadlines: Deadlines
    acts: Sequence[Act]

    def fetched(self, line: Line, clause: Clause) -> str | None:
        """几时能拿? -- 后天下午您来拿: something will be ready."""
        if not self.words["promise.ready"].search(clause.text) or not self.when_named(line, clause):
            return None
        before = self.conversation[line.index - 1] if line.index else line
        asked = before.caller and self.has("ask_when", before.whole)
        return "repair" if asked or re.search("[修做办弄制配印洗改]好", line.whole) else None

    def meeting_again(self, line: Line, clause: Clause) -> str | None:
        """A day or hour that settles what was talked about: 那就后天下午4点到6点."""
        named = self.named(line, clause)
        if not self._only_says_when(line, clause, named):
            return None
        exact = {m.kind for m in named} == {*_WHEN}
        hours = {m.value for m in named if m.kind is FactKind.TIME}
        same_hour = (act for act in reversed(self.acts[-_LATEST:]) if act.by_when[11:].replace("/", "-") in hours)
        said = next(same_hour, None)
        if exact and said and not said.tie:
            return said.kind  # 好，礼拜一晚上7点到8点: said again
        arranged = _JUST_ARRANGED.search(line.whole[: clause.start]) is not None
        kind = self.talked_about(line) or ("visit" if arranged else None)
        if exact and _MEET.search(clause.text):
            return kind or "visit"
        return kind if arranged or self._settles(line, clause) else None

    def _only_says_when(self, line: Line, clause: Clause, named: Sequence[Mention]) -> bool:
        """Whether a clause names a day or an hour and not much else: no deadline, no opening hours."""
        if not named or all(mention.detail.endswith(("内", "后")) for mention in named):
            return False  # 2小时内: by when, not a meeting
        before = self.conversation[line.index - 1] if line.index else line
        if self.has("idle", clause.text) or (before.caller and _OPENING.search(before.whole)):
            return False
        hours = {m.value for m in self.deadlines.named(line, 0, len(line.whole)) if m.kind is FactKind.TIME}
        rest = clause.text
        for mention in named:
            rest = rest.replace(line.whole[mention.start : mention.end], "")
        return len(_PADDING.sub("", rest)) <= _MORE and len(hours) <= 1

    def _settles(self, line: Line, clause: Clause) -> bool:
        """Whether a day named in the clause answers what the caller said of time."""
        before = self.conversation[line.index - 1] if line.index else line
        asked = before.caller and self.has("ask_when", before.whole)
        timely = before.caller and (asked or _ABOUT_TIME.search(before.whole) is not None)
        own = re.match("(?:好|行|可以|嗯|，|。)*(?:那|就|改|约|还是)", clause.text)
        if not (timely or own) and not (before.caller and before.clauses and before.clauses[-1].asks):
            return False
        return bool(_SETTLED.search(line.whole)) or asked or self.agreed_to(line)

    def talked_about(self, line: Line) -> str | None:
        """The kind of the appointment that was talked about last."""
        for other in reversed(self.conversation[max(0, line.index - _LATELY) : line.index + 1]):
            if not other.caller and other is not line:
                made = [act for act in self.acts if act.line == other.index and act.kind in _OURS and not act.tie]
                if made:
                    return made[-1].kind
            near = not other.caller and line.index - other.index <= _CALLED
            called = near and self.has("future", other.whole) and self.deadlines.tie(other.whole)[0] is Tie.NONE
            for kind in ("pickup", "call", "visit") if called else ("pickup", "visit"):
                if self.words[f"act.{kind}"].search(other.whole):
                    return kind
            if _DELIVERY.search(other.whole):
                return "send"
        return None

    def asked_for(self, sentence: Sentence, clause: Clause) -> str | None:
        """The act that the caller asked for, where the answer only says when: 多久能退? -- 5个工作日."""
        line = sentence.line
        before = self.conversation[line.index - 1] if line.index else line
        only = counts_time(clause.text) or self.when_named(line, clause)
        if not before.caller or not only or not self.has("ask_when", before.whole):
            return None
        rest = line.whole[clause.end : sentence.clauses[-1].end]
        if self.has("idle", before.whole) or any(
            self.words[f"act.{name}"].search(rest) for name in self.words.group("act")
        ):
            return None
        kinds = [name for name in self.words.group("act") if self.words[f"act.{name}"].search(before.whole)]
        kinds = kinds or [kind for kind, asked in _ASKED_WHEN.items() if asked.search(before.whole)]
        if not kinds and self.acts and len(before.whole) <= _BARE and self.acts[-1].line == line.index - 2:
            return self.acts[-1].kind  # 几天？: of what was just promised
        return kinds[0] if kinds else None

    def counted_from_then(self, line: Line) -> bool:
        """Whether the span answers how long something takes after an event: 办完多久到账? -- 10个工作日."""
        before = self.conversation[line.index - 1] if line.index else line
        return before.caller and self.has("ask_when", before.whole) and _AFTER.search(before.whole) is not None

    def agreed_to(self, line: Line, *, plainly: bool = False) -> bool:
        """Whether the caller's next words are a yes, or (unless ``plainly``) at least no refusal."""
        for reply in self.conversation[line.index + 1 : line.index + 3]:
            if reply.caller and reply.clauses:
                yes = self.words["talk.accept"].search(reply.clauses[0].text) or _YES.search(reply.clauses[0].text)
                no = any(self.words[f"talk.{table}"].search(reply.whole) for table in ("unsuitable", "busy", "refuse"))
                return bool(yes) or not (no or plainly)
        return False

    def named(self, line: Line, clause: Clause) -> list[Mention]:
        """The days to come and the hours that the clause names."""
        return self.deadlines.named(line, clause.start, clause.end)

    def when_named(self, line: Line, clause: Clause) -> bool:
        """Whether the clause names its own day or hour."""
        return bool(self.named(line, clause))

    def has(self, table: str, text: str) -> bool:
        """Whether an entry of a table ``promise.*`` fits the text."""
        return self.words[f"promise.{table}"].search(text) is not None


def granted(line: Line, answer: Line, words: Lexicon) -> Iterator[tuple[str, Clause]]:
    """Where the caller asks to be called, or something to be passed on, and the agent's next words grant it."""
    first = answer.clauses[0].text if answer.clauses else ""
    if answer.caller or not words["talk.accept"].search(first) or words["promise.negated"].search(answer.whole):
        return
    for clause in line.clauses:
        asked = words["promise.request_call"].search(clause.text) and words["promise.request"].search(clause.text)
        told = words["promise.finished"].search(clause.text) or words["promise.ask_when"].search(clause.text)
        if asked and not told:
            yield ("forward" if _TO_OTHERS.search(clause.text) else "call"), clause
