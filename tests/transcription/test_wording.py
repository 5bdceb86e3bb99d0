"""What an engine writes becomes what people read: spaces, characters, punctuation, echoes, inventions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transcription.simplified import simplified
from transcription.wording import invented, joined, tidy, unlooped


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("你好 我 想 查 一下 订单", "你好我想查一下订单"),
        ("型号 是 KFR 35 GW", "型号是 KFR 35 GW"),
        ("請問您的聯繫電話是多少?", "请问您的联系电话是多少？"),
        ("好的,我記下了", "好的，我记下了"),
        ("一共 3.5 元, 下午 14:30 到", "一共3.5元，下午14:30到"),
        ("  ", ""),
        ("Yes, please", "Yes, please"),
        ("這個 麼", "这个么"),
    ],
)
def test_chinese_is_written_as_chinese_is_written(raw: str, read: str) -> None:
    """No spaces between characters, simplified, full-width marks beside characters; numbers keep theirs."""
    assert tidy(raw, "zh") == read


def test_other_languages_keep_their_spaces() -> None:
    """Korean and English words stay apart."""
    assert tidy(" 환불  주세요 ", "ko") == "환불 주세요"
    assert tidy("not in service, sorry", "en") == "not in service, sorry"


@pytest.mark.parametrize(
    ("traditional", "simple"),
    [
        ("後天維修師傅會來", "后天维修师傅会来"),
        ("頭髮、發票、乾淨、幹部", "头发、发票、干净、干部"),
        ("看著手機等著", "看着手机等着"),
        ("顯著的著名作家", "显著的著名作家"),
        ("裡面裏面、臺灣、爲了", "里面里面、台湾、为了"),
        ("我瞭解，一目瞭然，瞭望塔", "我了解，一目了然，瞭望塔"),
        ("乾坤、乾隆，乾淨", "乾坤、乾隆，干净"),
        ("简体字不变，0755-123 ABC", "简体字不变，0755-123 ABC"),
    ],
)
def test_traditional_characters_become_simplified(traditional: str, simple: str) -> None:
    """Whisper mixes both, also in the middle of a word."""
    assert simplified(traditional) == simple


@given(st.text(max_size=60))
def test_simplifying_twice_is_simplifying_once(text: str) -> None:
    """No character's simplified form is itself changed; the length stays."""
    once = simplified(text)
    assert simplified(once) == once
    assert len(once) == len(text)


@pytest.mark.parametrize(
    ("looped", "said"),
    [
        ("对对对对对对对对对对对对对对", ""),
        ("好的好的好的好的好的好的好的好的好的", ""),
        ("我知道了对对对对对", "我知道了对"),
        ("喂喂喂听得到吗", "喂喂喂听得到吗"),
        ("对对对，就是这个", "对对对，就是这个"),
        ("订单号是26040000000", "订单号是26040000000"),
        ("谢谢，谢谢，谢谢，谢谢，谢谢，谢谢，谢谢，谢谢", ""),
        ("哈哈哈哈", "哈"),
        ("", ""),
    ],
)
def test_an_engines_echo_is_not_what_was_said(looped: str, said: str) -> None:
    """A phrase four times and more in a row is an echo; three 喂 and a row of zeros are not."""
    assert unlooped(looped) == said


@pytest.mark.parametrize(
    "text",
    [
        "谢谢大家观看",
        "感谢观看。",
        "请不吝点赞 订阅 转发 打赏支持明镜与点点栏目",
        "字幕由Amara.org社群提供",
        "中文字幕志愿者 李宗盛",
    ],
)
def test_what_whisper_invents_on_noise_is_known(text: str) -> None:
    """Leftovers of the films it learnt from, which no caller says."""
    assert invented(text)


@pytest.mark.parametrize("text", ["谢谢", "谢谢大家", "电视没有字幕怎么办", "好的感谢您的理解再见", "我要投诉"])
def test_what_callers_say_is_no_invention(text: str) -> None:
    """Thanks and a question about subtitles stay."""
    assert not invented(text)


@pytest.mark.parametrize(
    ("first", "second", "whole"),
    [
        ("好的", "再见", "好的，再见"),
        ("好的。", "再见", "好的。再见"),
        ("yes", "please", "yes please"),
        ("", "喂", "喂"),
        ("喂", "", "喂"),
    ],
)
def test_pieces_of_a_turn_are_joined_as_one_reads_them(first: str, second: str, whole: str) -> None:
    """A comma stands for the pause between Chinese pieces."""
    assert joined(first, second) == whole
