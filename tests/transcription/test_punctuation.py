"""Punctuation out of pauses and particles, for engines that write none; and turns tidied as a whole."""

import itertools

import pytest

from transcription.punctuation import asks, punctuated
from transcription.tidy import tidied
from transcription.transcript import Speaker, Turn, Word


def said(text: str) -> tuple[Word, ...]:
    """Words of 0.2 s: a space is no pause, ``/`` one of 0.4 s, ``//`` one of a second."""
    words, at = [], 0.0
    for key, group in itertools.groupby(text.split(" "), key=lambda part: set(part) == {"/"}):
        for part in group:
            if key:
                at += 0.4 if len(part) == 1 else 1.0
            else:
                words.append(Word(round(at, 2), round(at + 0.2, 2), part, 0.9))
                at += 0.2
    return tuple(words)


@pytest.mark.parametrize(
    ("heard", "read"),
    [
        ("你好 / 我家 的 空调 不 制冷 了", "你好，我家的空调不制冷了。"),
        ("好的 // 请问 空调 是 什么 型号", "好的。请问空调是什么型号？"),
        ("我 想 约 明天 上午 洗牙 但是 我 没有 卡", "我想约明天上午洗牙，但是我没有卡。"),
        ("幺五四 / 零零幺二 // 八八三六", "幺五四，零零幺二，八八三六。"),
        ("我 要 退 windows eleven", "我要退windows eleven。"),
        ("嗯 / 对", "嗯对。"),
        ("", ""),
    ],
)
def test_pauses_make_commas_and_ends(heard: str, read: str) -> None:
    """A breath after the first character is none; a dictated number is not torn into sentences."""
    assert punctuated(said(heard) if heard else ()) == read


@pytest.mark.parametrize(
    "clause",
    [
        "可以吗", "请问有什么可以帮您", "到底到哪里了", "是不是漏气了", "那能赔多少", "几点到", "您的联系电话是多少",
        "这咋整啊", "没有换吧", "普通号还是专家号", "喂", "那我的钱呢",
    ],
)  # fmt: skip
def test_a_question_is_known_by_its_words(clause: str) -> None:
    """Particles, words that ask, choices."""
    assert asks(clause)


@pytest.mark.parametrize(
    "clause",
    [
        "我没什么要说的", "花了两千八百九十九呢", "都没有", "没有", "我不知道是谁", "退款要核实以后才能定", "什么都行",
        "好的谢谢", "坏了好几个", "我现在不能答应您",
    ],
)  # fmt: skip
def test_a_statement_is_none(clause: str) -> None:
    """The same words where they do not ask."""
    assert not asks(clause)


def turn(text: str, *words: Word) -> Turn:
    """A caller's turn."""
    return Turn(Speaker.CALLER, 0.0, 5.0, text, 0.9, None, words)


def test_turns_are_tidied_and_their_words_stay_as_heard() -> None:
    """Words keep their times and wording: what is beeped later is found by them."""
    words = said("电话 / 幺五四 / 零零幺二 / 八八三六 // 什么 时候 来")
    (made,) = tidied([turn("电话幺五四零零幺二八八三六什么时候来", *words)], "zh")
    assert made.text == "电话，15400128836。什么时候来？"
    assert made.words == words
    assert tidied([made], "zh") == (made,)


def test_an_engine_that_punctuates_is_believed() -> None:
    """Its marks stay, only the numbers change."""
    words = said("三百二十八块五 / 对 吧")
    (made,) = tidied([turn("三百二十八块五，对吧！", *words)], "zh")
    assert made.text == "328块5，对吧！"
    assert tidied([turn("好的谢谢再见")], "zh")[0].text == "好的谢谢再见"


def test_other_languages_are_left_alone() -> None:
    """Only Chinese writing is known here."""
    turns = (turn("one two three", *said("one two three")),)
    assert tidied(turns, "en") == turns


def test_words_that_are_not_the_whole_text_take_nothing_away() -> None:
    """A server may give the times of some words only, and of two pieces joined one may have none."""
    words = said("我要 // 投诉")
    for text in ("我要投诉空调", "您好我要投诉"):
        assert tidied([turn(text, *words)], "zh")[0].text == text
    assert tidied([turn("我要投诉", *words)], "zh")[0].text != "我要投诉", "all of it: the pause is written"
