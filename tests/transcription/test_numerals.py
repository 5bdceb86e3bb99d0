"""Numbers in a transcript read as people write them; what only looks like a number stays what was said."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transcription.numerals import numbered

STAYS = """
三心二意 一会儿 万一 一五一十 七上八下 乱七八糟 说一不二 不管三七二十一 三三两两 十分感谢 万分抱歉 一清二楚 一点儿
第一次 三天两头 千万别 半斤八两 四季 八成 十有八九 千方百计 五一劳动节 双十一 十一长假 两三天 七八个 三四十
二三十分钟 十几个 好几百 星期三 周五 礼拜六 统一 唯一 百姓 三星手机 五粮液 三亚 九江 一模一样 三轮车 一块 两台
三天 二十四小时 一个半小时 三个月 八八折 二年级 一楼
"""


@pytest.mark.parametrize(
    ("heard", "read"),
    [
        ("幺五四，零零幺二，八八三六", "15400128836"),
        ("一三八，零零一三，八零零零。", "13800138000。"),
        ("订单号是二零二六，零四幺二，七七八", "订单号是20260412778"),
        ("九幺三三零二九九，M A，幺二零零，三七七八，对吗？", "91330299MA12003778，对吗？"),
        ("型号是K F R 三五 G W", "型号是KFR35GW"),
        ("金额是四千五百九十八元", "金额是4598元"),
        ("一共三百二十八块五", "一共328块5"),
        ("四月十七号，下午两点到四点", "4月17号，下午2点到4点"),
        ("二零二六年四月十六号", "2026年4月16号"),
        ("梧桐路八十八号，三栋五零二室", "梧桐路88号，3栋502室"),
        ("我家在一百二十号楼", "我家在120号楼"),
        ("版本五点二点幺", "版本5.2.1"),
        ("电池剩百分之七十八", "电池剩78%"),
        ("这期八百四十七", "这期847"),
        ("打幺二三幺五", "打12315"),
    ],
)
def test_what_people_look_up_becomes_digits(heard: str, read: str) -> None:
    """Order numbers, amounts, dates, times, addresses, codes; groups of a dictated number are one number again."""
    assert numbered(heard) == read


@pytest.mark.parametrize(
    ("written_by_whisper", "read"),
    [
        ("电话是154-026-917-5。", "电话是1540269175。"),
        ("订单号是2026-0412-77吧", "订单号是2026041277吧"),
        ("拨打 400-700-2505", "拨打4007002505"),
        ("154，0226，9175", "15402269175"),
        ("2026-04-16", "2026-04-16"),
        ("9-11点", "9-11点"),
        ("13-15号", "13-15号"),
        ("10000-15000元", "10000-15000元"),
        ("原价25600，20席以上", "原价25600，20席以上"),
        ("iPhone 15 Pro", "iPhone 15 Pro"),
    ],
)
def test_digits_in_odd_groups_are_joined_but_not_dates_ranges_and_lists(written_by_whisper: str, read: str) -> None:
    """Hyphens in the midst of a number go; a hyphen that means something stays."""
    assert numbered(written_by_whisper) == read


@pytest.mark.parametrize("said", STAYS.split())
def test_idioms_guesses_names_and_small_counts_stay(said: str) -> None:
    """Nobody looks them up, and as digits they read wrong."""
    assert numbered(said) == said
    assert numbered(f"好的，{said}，谢谢。") == f"好的，{said}，谢谢。"


@settings(max_examples=60)
@given(st.text("零一二两三幺十百千万点块号月，。 ABk15-", max_size=24))
def test_any_text_gives_text(said: str) -> None:
    """Whatever an engine makes of noise: no error, no private character left, no digit out of nothing."""
    read = numbered(said)
    assert not any(0xE000 <= ord(char) <= 0xF8FF for char in read)
    if not set(said) - set("，。 ABk"):
        assert not any(char.isdigit() for char in read)


def test_the_dialogues_read_as_they_were_written_down(shared: Any) -> None:
    """256 turns said and written: nine in ten of those with numbers come out to the letter, the others stay."""

    def plain(text: str) -> str:
        return "".join(char for char in text if char.isalnum()).lower()

    changed = right = kept = still = 0
    for path in sorted((shared / "dialogues").rglob("*.json")):
        for turn in json.loads(path.read_bytes())["turns"]:
            said, wanted, read = plain(turn["spoken"]), plain(turn["text"]), numbered(turn["spoken"])
            assert numbered(read) == read, "tidying twice changes nothing"
            if said == wanted:
                kept, still = kept + 1, still + (plain(read) == wanted)
            else:
                changed, right = changed + 1, right + (plain(read) == wanted)
    assert right >= 0.9 * changed
    assert still >= 0.98 * kept
