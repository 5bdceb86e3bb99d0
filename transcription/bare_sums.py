"""Which bare numbers of a call are sums of money: judged by what stands around them and by the other sums. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from transcription.dialogue import Clause, Line

_NUMBER = re.compile(
    r"(?<![\dA-Za-z.\-@_/])(?P<yuan>[1-9]\d{0,6}(?:\.\d{1,2})?|0\.\d{1,2})"
    r"(?![\d.]*[\dA-Za-z])(?!\.?\d)(?![-/@_%％℃°:：乘×*xX])"
    r"(?!(?:多|几|来)(?:[块元，。]|$)"
    r"|个(?!税)|天|次|号|点|码|岁|度|分|人|楼|层|栋|幢|年|月|日|折|兆|公|斤|米|里程|台|件|张|条|只|双|瓶|箱|盒|袋|桶|杯|副|扇|辆|节|集"
    r"|门|名|桌|亩|颗|片|粒|针|把|根|款|句|趟|圈|步|级|克|吋|小时|秒|位|倍|期|套|单元|间|晚|份|室|股|路|弄|多|几|来[个块]|到\d|至\d|百|千|万|毫|平|寸|匹|升"
    r"|瓦|伏|本(?!金|息|来|身|月|次)|话热线|热线|平台|吨|字|方|排|座|车|班|届|集|房|床|卡|版|系列|型|寸|英寸|环|届|章|页|周|礼拜|星期|世|次|分钟|刻|遍|回(?!来)|户|家|栋|组|院|跟|支|枚|队|成)"
)
_WHICH = (
    "应该|本来|实际上?|了|我们?|你们?|咱们?|您|他们?|她|它|的话|的|是|到|大概|大约|差不多|才|就|只|要"
    "|一共|总共|得|成|在|为|有|明明|都|能|足足|整整|出|过|大约|我这边|也|另外|那|去"
)
_FILL = rf"(?:{_WHICH}){{0,4}}$"
_PER = (
    r"(?:每|单)个|[每一1单](?:张|件|份|套|人|位|晚|天|次|只|台|条|米|平米?|平方米?|方|吨|度|公?斤|顿|餐|期|课时"
    r"|节课?|个?小时|个?月|年|季度?|个季度|瓶|箱|盒|袋|桶|辆|间|户|席|公里|趟|回|杯|升|门|项|注|支|针|颗)"
)
# in front of the number, with small words between
_MONEY = re.compile(
    rf"(?:拿回来?|到手|剩下?|{_PER}|[一1两2三3半六6]个?(?:月|季度?|年|学期|疗程)|最[低高多少]|起步|保了?|花了?|付了?|交了?|收了?|扣了?|(?<!后|倒|减|消)退|赔"
    r"|补|充了?(?!电)|缴了?|罚了?|取了?|转了?|刷了?|刷走了?|划了?|划走了?|报价|价格?|价位|单价|原价|现价|售价|标价|价值|费用?|金额|[车房货余租尾首欠罚拖存]款|款|首付|押金|定金|订金|余额|欠了?"
    r"|合计|总计|共计|包月|包年|月租|租金|套餐|便宜了?|优惠了?|减免?了?|省了?|抵扣?|涨到|涨了|降到|降了|只要|收入|工资|月薪|保额|限额|额度|算下来|值|贵了?|差价|差额|利息|本金|另算|另加|再加|外加|另收|再收"
    rf"|算了|\d[加减]|加一?块儿?|加起来|拢共|统共|垫了?|亏了?|损失了?|借了?|返|保费|保价|声明|面值|赚了?|卖了?|押了?|奖金|补贴|税|车险|交强险|商业险|拍了个){_FILL}"
)
_BIG = re.compile(rf"(?:还|留|贷|贷款|存|存了?|加|要|卖|掉了?|汇|打了?|投了?|涨|一共|总共){_FILL}")  # of larger numbers
_WRITTEN = re.compile(
    rf"(?:(?:票|发票|账单|合同|页面|单子|单据|收据|小票|标签)(?:上|里|里头)?(?:面)?(?:写|开|打|印|标)(?:的|了|着)|上[头面]?(?:写|标)着){_FILL}"
)
_ITEM = re.compile(rf"(?:(?:[这那每上前头另]一?1?|(?:^|[，、。])[一1两])笔(?:扣?款|钱)?|[这那]单){_FILL}")
_BEHIND = re.compile(
    r"(?:块|元)?(?:是|的)?[^，。？\d]{0,4}(?:手续费|工本费|押金|定金|订金|首付|尾款|差价|利息|罚款|本金|租金|运费|工费|材料费|服务费|话费)"
    r"|我?们?(?:自己)?(?:来)?(?:补|出|付|掏|认了|给你|转你)|(?:退|减|扣|抵|返|变|降到?|涨到?|改成?)\d|(?:块)?(?:的)?现[金钱]|[退还赔]给?我|整(?:[，。]|$)|[加减]\d|[这那]笔|打发|起步|封顶|包邮|(?:我|你们|得|要|就)?(?:全退|都退|全款|全额|全部|全数)"
    r"|(?:在[^，。]{1,8})?(?:买|收|拿|入|订|卖|付|交)的|[一每](?:年|个?月|季度?|天|次|位|人|晚|平|套|件|张|份|学期|颗|台|个|只|条|米|公?斤|吨|箱|瓶|课时|节|小时|辆|桌|间|盒|袋|支|针|回|趟|顿|方)"
)
_FESTIVAL = re.compile("618|1111|1212|12315|12345|12305|95\\d{3}|10086|10010|10000|315|996")
_NO_MONEY = re.compile(
    r"(?:[打拨]了?|年满|不到|未满|超过|满|选的?|穿|(?:最后|后面|末尾|结尾|尾巴|前面|中间|开头|后[几两三四]?位)(?:[几两三四]位)?|号码?|编号|尾号|码|尾|[^价]单|型|版本?|窗口|第|房间?|密码|识别|电话|手机|热线|座机|跑了?|读数|用了|走了|[水电气]表[^，。]{0,4}"
    r"|身高|体重|血压|血糖|分机|温度|水温|调到|开到|设到|设定|考了|得分|评分|频道|尺码|利率|年化|费率|汇率|税率|比例|系数|三者|升级?到|上期|这期|本期|上次抄|型号|叫|双|[包厅房室桌台]|装回?|更新到|系统|航班|车次|叫到|排到|排|[年岁月]|区号|邮编|车牌)(?:是|为|到|的|：)*$"
)
_YEAR = re.compile(r"(?:19[89]|20[0-3])\d")
_VERSION = re.compile("版本|升级|升到|更新到|系统|固件|软件|装回|[vV]$|屏幕|英寸|视力|公里|里程|倍")
_ASKS = re.compile(
    "价[^，。]{0,8}多少|多少钱|(?:啥|什么|几个|多少)价|价格|金额|费用|总价|多少元|多少块|(?:怎么|咋个?|如何|怎样)(?:个)?(?:收|算)(?:费|钱|的|法)?|收费|[收要加花]钱|费用|啥钱|什么钱|几块钱|几钱"
    "|(?:花|付|消费|收|扣|退|赔|交|转|刷|充|存|省|贴|补|要|给|买的?|卖|租|保|贷|欠|亏|笔|天|月|年|晚|次|次性|共)(?:我|您|你|他|们|了|的|得|是|大概|要|一共|到底|还)*多少(?!天|个|人|次|号|层|平|台|小时|分|时间|岁|兆|度|公里)"
    "|报(?:个|下|一下)?价|贵不贵|啥价|几多钱|好多钱|[问报]价"
)
_TALK = re.compile("钱|费|价|款|[块元]|账单|优惠|打[\\d.]+折|折")
_SAYS = re.compile(
    r"(?:讲|说|要|报|喊|开|卖|给|是|才|只|就|得|加|出|补|收|成|改成|变成|的是|即|等于|一共|总共|共|的话|算|才|满|打[\d.一二三四五六七八九]+折|不要|算您|按)(?:了|的|我|您|你|是|到)*$"
)
_WORK = re.compile(r"(?:换|修|装|洗|做|办|配|补|测|上门|清洗|维修|保养|升级|续|加)[^，。\d]{1,5}$")
_PRICED = re.compile("报价|多少钱|赔|[^电话]费|价钱?|钱")
_WRITES = re.compile("(?!1[家个])[\\dA-Za-z]")
_LAST = re.compile(r"(?:啊|呀|呢|吧|嘛|哦|噢|咯|了|哈|的|对吧|是吧|对吗|是吗|左右|这个数)*[，。！？；…]*$")
_NAMED = re.compile(r"[\u4e00-\u9fa5A-Za-z]{1,9}$")
_TOTAL = re.compile("一共|总共|合计|总计|共计|加起来|加一块")
_CHARS = re.compile(r"[A-Za-z\d\-、，。…？！\s嗯呃啊哦]+")
_SMALL = re.compile("再来?|还有?|[1一]个|[后最末前中][面头边后尾间]?|就?是|那个|然后|接着|[几两三四]位|[这那]")
_SIZE = re.compile("叫|型号|牌|码|身高|尺|体重|三者|保额|只有|第")
_PIECE = re.compile(r"\d{3,}[，、。…]*")
_CODE = re.compile(r"[A-Za-z\d][A-Za-z\d\-]{5,}")
_CUT = re.compile(r"(\d(?:\.\d)?)(\d|[一二三四五六七八九])?折")
_ANSWERED = 2  # lines: how long a question for money waits
_REPEATED = 12  # lines: how long a bare number is the sum that was named
_LONG = 8  # lines: how long a bare number with cents may be money
_RECENT = 3  # lines: how long talk of money lasts
_HUNDRED, _LEAST = 100, 10
_WORD = 2
_FEW = 50
_COVER = 100_000  # yuan
_OLD = 120


@dataclass
class _Book:
    """What is known of the money of a call while its lines are read."""

    lines: Sequence[Line]
    known: dict[Decimal, list[int]] = field(default_factory=dict)  # sum -> lines that name it
    asked: dict[bool, int] = field(default_factory=dict)
    never: set[str] = field(default_factory=set)
    talked: list[int] = field(default_factory=list)  # lines that name a sum

    def add(self, value: Decimal, line: int) -> None:
        """A sum is named in a line."""
        self.known.setdefault(value, []).append(line)
        self.talked.append(line)

    def recent(self, line: int) -> bool:
        """Whether a sum was named shortly before or in the line."""
        return any(line - _RECENT <= other <= line for other in self.talked)

    def same(self, value: Decimal, line: int) -> bool:
        """Whether the sum is named near the line."""
        return any(abs(line - other) <= _REPEATED for other in self.known.get(value, ()))

    def derived(self, value: Decimal, line: int) -> bool:
        """Whether it is the sum or difference of two known sums, or one of them reduced by the 折 that was said."""
        if value < _HUNDRED:
            return False
        sums = [known for known, said in self.known.items() if min(said) <= line + _WORD]
        if value == sum(known for known, said in self.known.items() if line in said):
            return True  # 380加90加150，620
        if any(value == a + b or value == abs(a - b) for i, a in enumerate(sums) for b in sums[i + 1 :]):
            return True
        said = "".join(other.whole for other in self.lines[max(0, line - _WORD) : line + 1])
        cuts = [Decimal(f"{cut[1]}{cut[2] or ''}") for cut in _CUT.finditer(said) if not cut[2] or cut[2].isdigit()]
        return any(abs(a * cut / (_HUNDRED if cut > _LEAST else _LEAST) - value) <= 1 for a in sums for cut in cuts)


@dataclass(frozen=True)
class _Candidate:
    """A bare number with what stands around it."""

    line: Line
    start: int
    end: int
    clause: Clause
    value: Decimal

    @property
    def digits(self) -> str:
        return self.line.text[self.start : self.end]

    @property
    def head(self) -> str:
        return self.line.whole[self.clause.start : self.start]

    @property
    def tail(self) -> str:
        return self.line.whole[self.end : self.clause.end]

    def beside(self, step: int) -> Clause | None:
        """The clause so many before (-1) or behind (1)."""
        clauses = self.line.clauses
        at = next((i for i, clause in enumerate(clauses) if clause.start == self.clause.start), None)
        if at is None or not 0 <= at + step < len(clauses):
            return None
        return clauses[at + step]


def bare_sums(lines: Sequence[Line], known: Sequence[tuple[int, Decimal]]) -> Iterator[tuple[int, int, int]]:
    """Line, start and end of each bare number that is a sum; ``known``: line and value of the sums with a unit."""
    book = _Book(lines)
    for index, value in known:
        book.add(value, index)
    waiting: list[_Candidate] = []
    for line in lines:
        candidates = [
            _Candidate(line, *found.span("yuan"), line.clause_at(found.start("yuan")), Decimal(found["yuan"]))
            for found in _NUMBER.finditer(line.text)
        ]
        for _ in range(2):  # the price at the end of a list proves those in front of it
            left = []
            for candidate in candidates:
                if _is_sum(candidate, book):
                    book.add(candidate.value, line.index)
                    yield line.index, candidate.start, candidate.end
                else:
                    left.append(candidate)
            candidates = left
        waiting += candidates
        if any(_ASKS.search(clause.text) and clause.asks for clause in line.clauses) or _ASKS.search(line.whole[-12:]):
            book.asked[line.caller] = line.index
    for candidate in waiting:  # what is said later may prove it: 5199 = 500 + 4699
        if not _excluded(candidate, book) and (
            book.same(candidate.value, candidate.line.index) or book.derived(candidate.value, candidate.line.index)
        ):
            yield candidate.line.index, candidate.start, candidate.end


def _is_sum(one: _Candidate, book: _Book) -> bool:  # noqa: C901, PLR0911 -- one rule after the other
    """The rules, the surest first."""
    head, tail, index = one.head, one.tail, one.line.index
    if len(one.digits) < _WORD or _excluded(one, book):
        return False
    if _MONEY.search(head) or _BEHIND.match(tail) or _ITEM.search(head):
        return True
    if one.value >= _HUNDRED and (
        _BIG.search(head)
        and not re.match("的|以上|以下|以内", tail)
        and (one.value >= _HUNDRED * _LEAST or book.recent(index))
    ):
        return True
    if (one.value >= _HUNDRED or _TALK.search(one.line.whole)) and _WRITTEN.search(head):
        return True
    if book.same(one.value, index) or book.derived(one.value, index):
        return True
    if index - book.asked.get(not one.line.caller, -9) <= _ANSWERED:
        return True
    if re.search(r"\.\d\d$", one.digits):
        return True
    if "." in one.digits:
        return (
            book.recent(index)
            or any(abs(index - line) <= _LONG for line in book.talked)
            or bool(_TALK.search(one.line.whole[max(0, one.clause.start - 16) : one.clause.end]))
        )
    priced = one.value >= _HUNDRED and _LAST.match(tail)
    if priced and (_PRICED.search(one.line.whole) if one.line.caller else _WORK.search(head)):
        return bool(_NAMED.search(head))  # 换屏680; 重新喷漆1850，报价单我有
    if not one.line.caller and _FEW <= one.value < _COVER and _LAST.match(tail) and book.recent(index):
        return bool(_NAMED.search(head)) and _SIZE.search(head) is None  # 拍片不包，拍片150
    before = one.beside(-1)
    if (
        not head
        and _LAST.match(tail)
        and before is not None
        and re.search("(?:半|票|单|优惠|会员|折后|全)价[，…]?$", before.text)
    ):
        return True  # 60到64半价，35
    return _in_list(one, book) or _in_talk(one, book) or _read_out(one)


def _excluded(one: _Candidate, book: _Book) -> bool:  # noqa: C901, PLR0911 -- one rule after the other
    """Numbers of another meaning: a code's name or a measure in front, a piece of dictation, a festival."""
    head = one.head
    if _FESTIVAL.fullmatch(one.digits) and not _MONEY.search(head):
        return True
    if _YEAR.fullmatch(one.digits) and not (
        _MONEY.search(head) or _ITEM.search(head) or book.same(one.value, one.line.index)
    ):
        return True
    if one.digits in book.never and not _MONEY.search(head):
        return True
    if re.fullmatch(r"1[3-9]\d{1,5}", one.digits) and re.match("…|，?[呃嗯]，?不对", one.line.whole[one.end :]):
        return True  # the beginning of a telephone number
    if re.match("[那这]个?号|开头|打头|结尾", one.tail):
        return True
    if "." in one.digits and _VERSION.search(one.line.whole[: one.start][-12:]):
        return True
    if _NO_MONEY.search(head) and not _MONEY.search(head):
        book.never.add(one.digits)  # the same number elsewhere is none either
        return True
    if re.search("型号|叫|品牌", head) and not _MONEY.search(head):
        book.never.add(one.digits)
    if re.search("(?:我|都|今年|虚岁|满|快)$", head) and re.match("了|岁", one.tail) and one.value < _OLD:
        return True  # 我都58了
    if one.value >= _HUNDRED * _LEAST and "里程" in head:
        return True
    return _dictated(one) and not book.same(one.value, one.line.index)


def _dictated(one: _Candidate) -> bool:
    """Whether it stands between other pieces of digits and letters."""
    behind = one.beside(1)
    if (
        behind is not None
        and not one.tail.strip("，、…")
        and _PIECE.fullmatch(behind.text)
        and not _MONEY.search(one.head)
    ):
        return True
    if not _CHARS.fullmatch(_SMALL.sub("", one.clause.text)):
        return False
    for step in (-1, 1):
        beside = one.beside(step)
        if beside is not None and not re.search(r"[\dA-Za-z]", beside.text) and _CHARS.fullmatch(beside.text):
            beside = one.beside(2 * step)  # 嗯，
        if beside is not None and _CHARS.fullmatch(beside.text) and re.search(r"[\dA-Za-z]", beside.text):
            return True
    return False


def _in_list(one: _Candidate, book: _Book) -> bool:
    """传感器85 between other prices: a name and a number, and a sum in the next or the last clause."""
    if not _LAST.match(one.tail) or not _NAMED.search(one.head) or re.search("叫|型号|牌|三者|保额|只有", one.head):
        return False
    for beside in (one.beside(-1), one.beside(1)):
        if beside is None:
            continue
        numbers = [Decimal(found) for found in re.findall(r"(?<![\d.A-Za-z\-])\d+(?:\.\d+)?", beside.text)]
        near = [number for number in numbers if one.line.index in book.known.get(number, ())]
        if any(number / _HUNDRED <= one.value <= number * _HUNDRED for number in near):
            return True
        if _TOTAL.search(beside.text) and numbers and numbers[-1] > one.value:
            return True
    return False


def _in_talk(one: _Candidate, book: _Book) -> bool:
    """隔壁才要520 while sums are talked of: the number ends its clause behind a verb that names prices."""
    insured = one.value >= _COVER and one.tail.startswith("的")  # 三百万的: what is insured
    if not book.recent(one.line.index) or not _LAST.match(one.tail) or insured:
        return False
    if _SAYS.search(one.head):
        return True
    before = one.beside(-1)
    if not one.head and one.value >= _HUNDRED and before is not None and not _WRITES.search(before.text):
        sentence = re.split("[。？！]", one.line.whole[: one.start])[-1]
        numbers = re.findall(r"\d+(?:\.\d+)?", sentence)
        if any(one.line.index in book.known.get(Decimal(number), ()) for number in numbers):
            return True  # 鼎和那边是4310块，还有一家海石，3988
    return not one.head and before is not None and re.search(r"折|价|费|就$|要$|得$|就…*$", before.text) is not None


def _read_out(one: _Candidate) -> bool:
    """The agent reads an order: its number, the goods, the price: YS2601197，三人位加贵妃榻，5199，对吗？."""
    before, behind = one.beside(-1), one.beside(1)
    if one.line.caller or one.head or not _LAST.match(one.tail) or before is None:
        return False
    return bool(
        not re.search(r"\d", before.text)
        and len(before.text) > _WORD + 1
        and _CODE.search(one.line.whole[: before.start])
        and (behind is None or behind.asks)
    )
