"""Category, urgency, mood and issue of short calls."""

from collections.abc import Callable

import pytest

from transcription.account import Summary

Told = Callable[..., Summary]


@pytest.mark.parametrize(
    ("said", "category", "urgency"),
    [
        ("吸尘器充了一晚上电，一拔下来就没电了。", "报修", "中"),
        ("厨房水管裂了，水止不住，流得满地都是。", "报修", "高"),
        ("我妈的制氧机突然不工作了，她离不开这个。", "报修", "高"),
        ("整栋楼都停电了，你们什么时候来修？", "报修", "高"),
        ("我上周报修的空调，怎么到现在还没人联系我？", "进度", "中"),
        ("麻烦查一下我前天交的落户申请现在到哪个环节了？", "进度", "低"),
        ("理赔款说是三天到账，今天都第四天了，还没看到。", "进度", "中"),
        ("我那个快递从周一就停在郑州不动了。", "物流", "中"),
        ("能不能把收货的时间改到下午六点以后？上午家里没人。", "物流", "低"),
        ("昨天买的鞋想换个颜色，吊牌没摘。", "退换", "低"),
        ("刚收到的手机屏幕就有条划痕，给我换台新的吧。", "退换", "中"),
        ("你们把我发票金额开少了，少了两百块，给我重新开。", "发票", "中"),
        ("你好，能补开上个月的发票吗？", "发票", "低"),
        ("三个月多扣了我九十块，再不退我就打12315。", "投诉", "高"),
        ("你们前台小姑娘态度太差了，我要她跟我道歉。", "投诉", "中"),
        ("我打电话来没别的事，就是想夸夸你们的维修师傅。", "表扬", "低"),
        ("请问你们周末上班吗？", "咨询", "低"),
        ("我银行卡刚才在超市丢了，赶紧给我冻结。", "咨询", "高"),
    ],
)
def test_category_and_urgency(told: Told, said: str, category: str, urgency: str) -> None:
    """By purpose and by the six rules, whatever the tone."""
    summary = told("a 您好，请讲。", f"c {said}")
    assert (summary.category, summary.urgency) == (category, urgency)


@pytest.mark.parametrize(
    ("said", "mood"),
    [
        ("你们这效率也太低了吧，我都催了三遍了。", "负面"),
        ("每次打电话都让我等，等到什么时候是个头？", "负面"),
        ("师傅特别细致，走的时候还把地给擦了，真不错。", "正面"),
        ("没想到这么快就解决了，太谢谢你们了！", "正面"),
        ("这么贵啊，能不能便宜点？", "中性"),
        ("快点儿哈，我等着用。", "中性"),
        ("哎，人老了记性不好，不好意思啊。", "中性"),
        ("太好了，那就这么定了。", "中性"),
    ],
)
def test_mood(told: Told, said: str, mood: str) -> None:
    """Blame is bad, praise is good; haste, prices and courtesy are neither."""
    assert told("a 您好，请讲。", f"c {said}").sentiment == mood


def test_praise_at_the_end_takes_blame_back(told: Told) -> None:
    """The whole call counts."""
    summary = told("c 你们太过分了，到现在没人来！", "a 师傅到楼下了。", "c 哎呀来了来了，师傅态度真好，谢谢你们。")
    assert summary.sentiment == "正面"


def test_the_issue_is_the_callers_words_and_cites_them(told: Told) -> None:
    """Greetings are left out, the sentence is his."""
    summary = told("a 您好。", "c 喂，你好，我家客厅的空调不制冷了，吹出来都是热风。")
    assert summary.issue == "我家客厅的空调不制冷了，吹出来都是热风"
    assert summary.evidence[summary.issue] == (1,)


@pytest.mark.parametrize("lines", [(), ("a 您好？",), ("a 您好？", "c 喂？", "c 。"), ("c ", "a ")])
def test_nothing_said_is_not_detected(told: Told, lines: tuple[str, ...]) -> None:
    """No issue is made up."""
    summary = told(*lines)
    assert summary.issue is None
    assert summary.category == "无效"
