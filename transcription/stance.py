"""Whether the agent's words about an act bind anybody. Pure.

No: what is denied, forecast, a rule, an empty word, done already or at once, a question, a proposal not agreed to.
"""

import re
from dataclasses import dataclass

from transcription.account import FactKind
from transcription.acts import MEETINGS
from transcription.context import Context
from transcription.dialogue import Clause, Line

_SAME_WORD = re.compile(r"(.)[没不]\1")
_CONSENT = re.compile(
    "可以吗|好吗|行吗|行不|可以吧|您看|怎么样|咋样|好不|方便吗|方便不|成吗|成不|中不|可不可以|能接受吗|同意吗|好吧？|行吧？|可以不|好伐|可否|如何|可以么|行么"
)
_OPEN_QUESTION = re.compile(
    "什么|哪|怎么|多少|几[点号个天位]|谁|有没有|是不是|是否|还是|要不要|过没|没有？|[了过]没|是.{0,12}[吗吧]|吗[？。]?$"
)
_ABOUT_TO = re.compile("就(?:去|给|来|让|派|送|发|退|打)[^，。]*了[，。！]?$")  # 今天就去给您办了
_TELLS = re.compile(
    "(?:告诉|通知|发(?:给)?|告知|回复|答复|跟)(?:您|你)[^？]*(?:什么|多少|哪|谁|几|怎么|是不是|能不能)[^？吗]*$"
)
_THEIRS = re.compile(
    "^.{0,3}(?:您|你)(?:刚才?)?(?:发|传|寄|交|付|拍|填|签|拿|送|带|报)(?:过来|来|到|好|完|过去|上来)?(?:了(?=我|就|马上|师傅)|的(?![，。]))"
)
_WAIT = re.compile("稍等|等一下|等一会|您等|别挂|请等|等我|稍候")
_DONE = re.compile("(?<![，。…])好了|完了|已经|[改登提交报催转记办加取查弄点发][^，。]{0,3}了[，。！]?")


@dataclass
class Stance:
    """Judges clauses of one call."""

    context: Context

    def binds_nobody(self, line: Line, clause: Clause, kind: str) -> bool:
        """Whether the words about an act of this kind ('': any) promise nothing."""
        ready = kind == "repair" and self.context.fetched(line, clause)  # 后天您来拿
        return (
            self.context.deadlines.withdrawn(line, clause.start, clause.end)
            or (self._says_no(clause.text) and not ready)
            or self._foretells(line, clause, kind)
            or self._is_past(line, clause, kind)
            or self._only_asked(line, clause, kind)
        )

    def _says_no(self, text: str) -> bool:
        has = self.context.has
        text = _THEIRS.sub("", text)
        return has("negated", _SAME_WORD.sub("", text)) or has("information", text) or has("empty", text)

    def _foretells(self, line: Line, clause: Clause, kind: str) -> bool:
        return self.context.has("forecast", clause.text) and not (kind in MEETINGS and self._about(line, clause))

    def _is_past(self, line: Line, clause: Clause, kind: str) -> bool:
        dated = self.context.when_named(line, clause)
        past = self.context.deadlines.past.get(line.index, ())
        if not dated and any(clause.start <= m.start < clause.end for m in past):
            return True
        if not self.context.has("finished", clause.text) or kind == "bear" or _ABOUT_TO.search(clause.text):
            return False
        return not (dated and (kind in MEETINGS or self.context.has("delegate", clause.text)))

    def _only_asked(self, line: Line, clause: Clause, kind: str) -> bool:
        """Whether it is a question, or a proposal that the caller does not take."""
        text, agreed = clause.text, self.context.agreed_to
        if re.search("可以(?:帮|给|为|替)", text) and not self.context.when_named(line, clause):
            return not agreed(line, plainly=True) or clause.asks
        offered = text.rstrip("。，").endswith("吧") or _CONSENT.search(line.whole[clause.start :].partition("。")[0])
        if kind and offered:
            return not agreed(line)
        if clause.asks and kind and text.endswith("？") and not _OPEN_QUESTION.search(text):
            return not agreed(line, plainly=True)
        return clause.asks and not _TELLS.search(text)

    def _about(self, line: Line, clause: Clause) -> bool:
        """Whether it is an hour that is named roughly (大概2点到): an appointment all the same."""
        named = self.context.deadlines.named(line, clause.start, clause.end)
        return any(m.kind is FactKind.TIME for m in named) and self.context.has("about", clause.text)

    def done_soon(self, line: Line, clause: Clause) -> bool:
        """Whether what was announced is done while they talk: 我给您催一下...催好了."""
        rest = line.whole[clause.end :]
        if re.search("请(?:您|你)|麻烦(?:您|你)|(?:报|说|念|提供)(?:一)?下", line.whole[: clause.start]):
            return True  # 请您报一下单号，我马上帮您反映
        if _WAIT.search(line.whole) or _DONE.search(rest):
            return True
        after = next(
            (other for other in self.context.conversation[line.index + 1 : line.index + 3] if not other.caller), None
        )
        return after is not None and re.match("[^，。]{0,6}(?:好了|完了|已经)", after.whole) is not None
