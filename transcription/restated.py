"""When two sayings of one side mean the same act: repeated, made more precise, or changed. Pure."""

import re
from collections.abc import Sequence

from transcription.acts import ANSWERS, MEETINGS, MONEY, Act, Tie
from transcription.dialogue import Line
from transcription.lexicon import Lexicon
from transcription.transcript import Speaker

_NEARBY = 8  # lines: how long an act without a day waits for one
_ALIKE = 0.34  # share of pairs of characters two sayings of one act have in common
_VAGUE = ("repair", "other", "correct", *MEETINGS)  # 给您换一台..., 12点之前送到: what, then when
_WORK = {"repair", "visit", "other", "correct"}
_PAPERS = {"发票", "链接", "短信", "报价", "合同", "方案", "明细", "账单", "资料", "报告", "照片", "确认", "视频"}
_HANDS = re.compile("[发寄传交拍付送补填签盖报打转带拿还去]")
_BROUGHT = re.compile("派[送到件]|送[到货达上来]|配送|上门")
_TRADE = re.compile(
    "[水电瓦木油焊]工|管家|站长|店长|经理|定损|勘测|测量|设计师|工程师|保洁|司机|快递|回收|搬家|医生|护士|疏通|开锁"
)
_GET_DONE = re.compile("[弄搞办整](?:掉|定|好|完)")
_SLIP = re.compile("不要拖|不拖了|别拖|还是[今明]|哦不|不对|啊不|算了|不不")  # 今晚发，哦不，明天发
_IDLE = re.compile("[您你我们给会的了就在把那先再，。！？、]")


class Restated:
    """Compares what was said in one call."""

    def __init__(self, conversation: Sequence[Line], words: Lexicon) -> None:
        """The call's lines, to see whether the caller objected between two sayings."""
        self._conversation = conversation
        self._words = words
        self._rules = (
            self._bare, self._goods, self._together, self._vague, self._tied, self._meeting, self._answer, self._money,
            self._other_kind, self._by_kind,
        )  # fmt: skip

    def same(self, old: Act, new: Act) -> bool:
        """Whether ``new`` says ``old`` again, or changes it. The first rule that knows decides."""
        if old.who is not new.who:
            return False
        if old.who is Speaker.CALLER:
            slip = old.line == new.line and _SLIP.search(self._conversation[new.line].whole)
            return bool(slip) or _same_of_caller(old, new)
        return next((verdict for rule in self._rules if (verdict := rule(old, new)) is not None), False)

    def _bare(self, old: Act, new: Act) -> bool | None:
        """那就明晚7点半，换严师傅过去; 师傅上门...那就周六."""
        if old.sentence == new.sentence and new.what.startswith(old.what):
            return True  # 开好了会发过去，最晚后天
        if old.bare and old.sentence == new.sentence and old.day == new.day and not new.tie:
            return True
        again = new.bare and old.kind == new.kind and not (old.tie and old.day) and new.line - old.line <= _NEARBY
        return True if again else None

    def _goods(self, old: Act, new: Act) -> bool | None:
        """后天能到您那儿...后天给您送."""
        if "捎" in new.what:
            return None
        if {old.kind, new.kind} == {"send", "visit"} and old.day == new.day != "" and old.tie is new.tie:
            return not self._things(old.what + new.what) & _PAPERS
        return None

    def _together(self, old: Act, new: Act) -> bool | None:
        """Two clauses of one sentence: 8点以前发给您，我下班前弄好它; 我跟财务讲，让他们...; 转告经理，记一次表扬."""
        if old.sentence != new.sentence:
            return None
        if new.kind in ("repair", "other") and _GET_DONE.search(new.what):
            return old.day == new.day
        if {old.kind, new.kind} == {"forward", "praise"}:
            return old.day == new.day
        follows = new.follows and old.kind in ("forward", "other", "call", "notify") and not (old.day and new.day)
        return True if follows else None

    def _vague(self, old: Act, new: Act) -> bool | None:
        """给您换一台，12点之前送到."""
        dated = not old.day and not old.tie and bool(new.day)
        if old.kind not in _VAGUE or new.kind not in (*MEETINGS, "send") or not dated:
            return None
        near = old.kind in ("repair", "other") and new.line - old.line <= _NEARBY // 2
        return True if old.line == new.line or near else None

    def _tied(self, old: Act, new: Act) -> bool | None:
        """先给您打电话, and later 上门前给您打电话; 收到以后出结果，短信通知您."""
        if not (old.tie or new.tie):
            return None
        both_answer = old.kind in ANSWERS and new.kind in ANSWERS
        if old.tie and new.tie:
            return old.tie is new.tie and (both_answer or old.kind == new.kind)
        if old.kind == new.kind == "refund" and not (old.day and new.day):
            return True
        tied, free = (old, new) if old.tie else (new, old)
        near = new.line - old.line <= 1 and not _from_event(tied)
        if tied.tie is Tie.AFTER and (old.sentence == new.sentence or near):
            return both_answer and not (tied.day and free.day)
        return tied.tie is Tie.BEFORE and both_answer and not free.by_when and abs(old.line - new.line) <= _NEARBY

    def _meeting(self, old: Act, new: Act) -> bool | None:
        """One appointment a call, unless two days are named at once."""
        kinds = {old.kind, new.kind}
        if "apology" in kinds and kinds & {*MEETINGS} and old.day == new.day != "" and not (old.tie or new.tie):
            return True  # 站长上门，当面道歉
        if old.kind not in MEETINGS or new.kind not in MEETINGS:
            return None
        trades = [set(_TRADE.findall(act.what)) for act in (old, new)]
        if old.day and new.day and old.day != new.day and all(trades) and not trades[0] & trades[1]:
            return False  # 水工今晚来, 电工明早来
        return not (old.day and new.day and old.day != new.day and old.line == new.line)

    def _answer(self, old: Act, new: Act) -> bool | None:
        """明天答复您...5点之前给您打电话."""
        if old.kind not in ANSWERS or new.kind not in ANSWERS:
            return None
        beside = old.sentence == new.sentence
        if not beside and (_from_event(old) or _from_event(new)):
            return _from_event(old) and _from_event(new)
        if old.day == new.day:
            return beside or old.kind == new.kind or not old.day or "reply" in (old.kind, new.kind)
        if not (old.day and new.day):
            return beside or new.line - old.line <= _NEARBY
        return old.line != new.line and self._objected(old.line, new.line)

    def _money(self, old: Act, new: Act) -> bool | None:
        """赔您5块，等下打到您账户."""
        if old.kind not in MONEY or new.kind not in MONEY or old.kind == new.kind:
            return None
        if old.kind == "compensate" and new.kind == "refund" and not old.day and new.day:
            return new.line - old.line <= _NEARBY  # 赔您1000...后天转给您
        return old.sentence == new.sentence and "bear" not in (old.kind, new.kind)

    def _other_kind(self, old: Act, new: Act) -> bool | None:
        if old.kind == new.kind:
            return None
        return old.sentence == new.sentence and {old.kind, new.kind} <= _WORK and old.day == new.day

    def _by_kind(self, old: Act, new: Act) -> bool | None:
        if old.kind == "send":
            return self._same_thing(old, new)
        if old.kind == "keep" and "留" in old.what and "留" in new.what:
            return True
        if old.kind in ("other", "keep"):
            return _alike(old.what, new.what)
        if old.kind == "forward":
            return old.sentence == new.sentence or new.line - old.line <= _NEARBY or _alike(old.what, new.what)
        if old.day == new.day or not (old.day and new.day):
            return True
        return old.sentence != new.sentence and (old.kind != "refund" or self._objected(old.line, new.line))

    def _same_thing(self, old: Act, new: Act) -> bool:
        ours, theirs = self._things(old.what), self._things(new.what)
        if ours and theirs and not ours & theirs:
            return False
        if old.day == new.day:
            return True
        goods = old if ours & _PAPERS and not theirs else new if theirs & _PAPERS and not ours else None
        if goods and _BROUGHT.search((new if goods is old else old).what):
            return False  # 链接短信发您...大后天给您派到镇上
        changed = old.line != new.line and self._objected(old.line, new.line)
        if not (old.day and new.day) and not (ours & theirs and changed):
            near = old.sentence == new.sentence or new.line - old.line <= _NEARBY
            return near and not (old.counted or new.counted)
        return changed or (old.line != new.line and bool(ours & theirs))

    def _things(self, what: str) -> set[str]:
        return set(self._words["promise.things"].findall(what))

    def _objected(self, first: int, last: int) -> bool:
        """Whether the caller asked for another time between two lines."""
        between = (line for line in self._conversation[first + 1 : last] if line.caller)
        return any(self._words["promise.objects"].search(line.whole) for line in between)


def _same_of_caller(old: Act, new: Act) -> bool:
    """我下周一去盖章，盖好就寄给你们."""
    if old.line == new.line:
        if new.tie is Tie.AFTER and not old.tie:
            return False  # 我明天寄，我寄了就填
        hands = [set(_HANDS.findall(act.what)) for act in (old, new)]
        if bool(old.tie) != bool(new.tie) and all(hands) and not hands[0] & hands[1]:
            return False  # 报告我带，药名晚上拍给你们
        return not (old.day and new.day and old.day != new.day)
    if not set(_HANDS.findall(old.what)) & set(_HANDS.findall(new.what)):
        return False
    near = new.line - old.line <= 2  # noqa: PLR2004
    return _alike(old.what, new.what) or (near and (old.day == new.day or not (old.day and new.day)))


def _from_event(act: Act) -> bool:
    """Counted from something that happens after the call: 报告出来之后2个工作日内."""
    return act.counted and act.tie is Tie.AFTER


def _alike(one: str, other: str) -> bool:
    pairs = [{text[i : i + 2] for i in range(len(text) - 1)} for text in (_IDLE.sub("", one), _IDLE.sub("", other))]
    least = min(len(pairs[0]), len(pairs[1]))
    return least > 0 and len(pairs[0] & pairs[1]) / least >= _ALIKE
