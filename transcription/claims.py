"""What a clause of a report claims: its content words with their negation, its numbers, whose words it gives. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import rjieba

from transcription.transcript import Speaker
from transcription.values import Value, values

_CALLER = re.compile("(?<!们)客户|(?<!们)用户|来电人|来电者|顾客|对方")
_AGENT = re.compile("(?<!们)客服|坐席|座席|工作人员|接线员")
# words of the report itself: who reports and that something was said, wished or asked, never that it was granted
_FRAME = re.compile(
    "客户|用户|来电人|来电者|来电|顾客|对方|客服|坐席|座席|工作人员|接线员|反映|表示|询问|咨询|告知|提出|"
    "希望|要求|请求|需要|称|说|问|想|是否|能否|如何|情况|相关|关于|进行|其|该|及|以及|并|并且|称其|说明|"
    "提到|提供|通话|本次|目前|现在|一个|一下|号码|订单号|单号|型号|故障码|身份证|银行卡|税号|邮箱|"
    "金额|日期|时间|地址"
)
_FRAME_HEAD = re.compile("反映|表示|询问|咨询|告知|提出|希望|要求|请求|需要|客户|客服")
_SMALL = re.compile(
    "的|了|着|过|是|有|在|到|去|来|给|让|被|把|请|为|对|从|和|与|或|就|也|还|又|才|很|太|再|都|会|能|可以|"
    "要|应|该|我|你|您|他|她|它|我们|你们|咱们|这|那|这个|那个|这边|那边|自己|里|上|下|中|内|前|后|时|等|"
    "个|位|啊|吧|呢|吗|嘛|嗯|呃|哦|喂|好|好的|行|对的|那么|因为|所以|但|但是|而|而且|然后|如果|要是|的话|"
    "之后|之前|以后|以前|时候|的时候|由|向|将|于|因|则|以|所|及时|左右|大概|大约|一些|些|什么|怎么|多少|"
    "哪|哪里|做|用|已|已经|没|不|没有|未|别|无|非|不是|不会|不能|不要|不用|不想|不行|不可以|能不能|是不是|有没有|"
    "可不可以|会不会|要不要|无需|不得|勿"
)
_NO = re.compile("不|没|未|别(?!的|人|处)|无法|无需|拒绝|勿|莫|甭")
_NOT_NO = re.compile(
    "不错|不好意思|不过|差不多|不仅|不但|不光|不断|不管|不论|不同|不久|不少|不止|对不起|了不起|不得不|不客气|不一会|要不然|要不|没关系|没事|没问题"
    "|识别|辨别|鉴别|告别|特别|分别|类别|级别|性别|区别|个别|未来|(.)[不没]\\1|是不是|能不能|有没有|可不可以|什么不|来不及|不见不散"
)
_ASKS = re.compile(
    "[吗么]$|(.)[不没]\\1|可不可以|能不能|是不是|有没有|多少|什么|怎么|咋|哪|谁|几[点号个天]|如何|是否|能否|？"
)
_PROPOSES = re.compile(
    "(?:吧|(?:好|行|可以|对|是|成|方便)(?:吗|么)|好不好|行不行|成不成|可不可以|对不对|是不是)[？。]?$"
)
_REPORTS_QUESTION = re.compile("问|咨询|是否|能否|如何|想知道|想|希望|要求|请求|申请|需要|提出|打听|想要")
_IF = re.compile("如果|要是|假如|倘若|万一|假设|若是|若(?=[不没您能])|(?<![您你我他她它这那们])的话|除非|只有|一旦")
_DONE = re.compile("已|(?<![为算到受])了(?!解)|过(?=[，。]|$)|好了|完了|成功")
_YES = re.compile(
    "(?:嗯|哦|啊|呃|那)*[，、]?(?:是的?|对的?|有的?|可以的?(?!吗)|能的?|行|好的?|没错|没问题|当然|要的?)(?:$|[，。！啊呀呢嘛])"
)
_NEXT = re.compile("就|便|才|而|但|却|所以")  # what stands behind these is no longer denied
_BOUND = re.compile("[之以]?[内前后上下]|左右")  # behind a number: within, before
_LETTERS = re.compile(r"[A-Za-z0-9*]")
_NAME = 2


@dataclass(frozen=True, slots=True)
class Claim:
    """A clause.

    ``words``: content words and whether they are denied (None: a name or a time, that cannot be); ``things`` are those
    that name something. ``side``: whose words it says it gives; ``asks``: it reports a question or a wish; ``denies``:
    it holds a negation; ``done``: it says that something is over.
    """

    text: str
    words: tuple[tuple[str, bool | None], ...]
    things: frozenset[str]
    values: tuple[Value, ...]
    side: Speaker | None
    asks: bool
    denies: bool
    done: bool


@lru_cache(maxsize=4096)
def claims(clause: str) -> Claim:
    """What the clause claims. ``clause`` is in canonical writing."""
    bare = clause.strip("，。！？；：、…,;!? ")
    side = Speaker.CALLER if _CALLER.search(bare) else Speaker.AGENT if _AGENT.search(bare) else None
    if _CALLER.search(bare) and _AGENT.search(bare):  # 客户要求客服...: who speaks stands first
        first = min((_CALLER, _AGENT), key=lambda who: found.start() if (found := who.search(bare)) else len(bare))
        side = Speaker.CALLER if first is _CALLER else Speaker.AGENT
    asks = interrogative(clause) or _REPORTS_QUESTION.search(bare) is not None
    found = tuple(values(bare))
    told = list(_content(bare, found))
    things = frozenset(word for word, _, thing in told if thing)
    return Claim(bare, tuple((word, no) for word, no, _ in told), things, found, side, asks, negated(bare), done(bare))


def bare_time(clause: str) -> bool:
    """Whether a clause only says when or how much: 明天上午九点. What it belongs to stands beside it."""
    return all(no is None for _, no in claims(clause).words)


def negated(text: str, word: str | None = None) -> bool:
    """Whether a clause denies, or denies the word: an odd number of negations before it, or 修不好 right behind it."""
    masked = _NOT_NO.sub(lambda found: "~" * len(found.group()), text)
    if word is None:
        return _NO.search(masked) is not None
    at = text.find(word)
    before = len(_NO.findall(_NEXT.split(masked[:at])[-1])) % 2 == 1
    behind = masked[at + len(word) :].startswith("不") and len(word) == 1
    return before != behind


def done(text: str) -> bool:
    """Whether a clause says that something has happened: 已退款, 退了款; not 退款."""
    return _DONE.search(text) is not None


def affirms(text: str) -> bool:
    """Whether a turn begins with a yes."""
    return _YES.match(text) is not None


def interrogative(text: str) -> bool:
    """Whether something is asked. 周三上门，可以吗？ is a proposal, not a question."""
    bare = text.rstrip("，。、！；：")
    return _ASKS.search(bare) is not None and _PROPOSES.search(bare) is None


def conditional(text: str) -> bool:
    """Whether a sentence holds under a condition only."""
    return _IF.search(text) is not None


def _reported(cut: str) -> str:
    """表示满意 is one word to the cutter, of which 表示 is ours."""
    head = _FRAME_HEAD.match(cut)
    return cut[head.end() :] if head else cut


def _content(bare: str, numbers: Sequence[Value]) -> Iterator[tuple[str, bool | None, bool]]:
    between = list(bare)
    for number in numbers:
        until = found.end() if (found := _BOUND.match(bare, number.until)) else number.until
        between[number.start : until] = " " * (until - number.start)
    for cut, tag in rjieba.tag("".join(between)):
        word = "" if _FRAME.fullmatch(cut) else _reported(cut)
        if not word.strip() or _SMALL.fullmatch(word) or _LETTERS.search(word):
            continue
        if tag[0] in "xuypcerokhqw" or (tag[0] in "fd" and len(word) == 1 and word not in "全免"):
            continue
        stem = _NO.sub("", word) if len(word) > _NAME and _NO.match(word) and not _NOT_NO.search(word) else word
        if stem:
            yield stem, None if tag[0] in "tm" or tag == "nr" else negated(bare, stem), tag[0] in "ns"
