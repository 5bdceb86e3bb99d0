"""Phrases of a grammar in a model's own words."""

import pytest

from transcription.engines.grammar import spelled

WORDS = frozenset(["空调", "遥控器", "遥控", "器", "订单", "号", "kfr", "一", "二", "幺", "three"])


@pytest.mark.parametrize(
    ("phrase", "heard"),
    [
        ("空调", "空调"),
        ("空调遥控器", "空调 遥控器"),  # the longest words that are known
        ("空调 订单号", "空调 订单 号"),
        ("KFR", "kfr"),
        ("  空调  ", "空调"),
    ],
)
def test_a_phrase_is_spelled_in_known_words(phrase: str, heard: str) -> None:
    """As people write it: vosk wants its words apart."""
    assert spelled([phrase], "zh", WORDS.__contains__).phrases == (heard,)


def test_words_are_cut_only_where_people_write_no_spaces() -> None:
    """Elsewhere what is in no dictionary is not a row of short words."""
    assert spelled(["kfrthree"], "en", WORDS.__contains__).unknown == ("kfrthree",)
    assert spelled(["kfrthree"], "zh", WORDS.__contains__).phrases == ("kfr three",)


def test_what_cannot_be_spelled_is_told() -> None:
    """Vosk would drop it without a word; an empty phrase is nothing to tell of."""
    made = spelled(["空调", "洗衣机", "空调机", "空调", "", " "], "zh", WORDS.__contains__)
    assert made.phrases == ("空调",)
    assert made.unknown == ("洗衣机", "空调机")


def test_any_digits_follow_each_other_in_any_order() -> None:
    """Vosk learns pairs of words: each pair is a phrase, so that a number may be as long as it likes."""
    made = spelled(["订单号#"], "zh", WORDS.__contains__)
    assert set(made.phrases) == {f"{one} {two}" for one in "一二幺" for two in "一二幺"} | {
        f"订单 号 {digit}" for digit in "一二幺"
    }
    assert spelled(["#"], "en", WORDS.__contains__).phrases == ("three three", "three")


def test_without_digits_in_the_model_there_are_none() -> None:
    """A language whose digits we do not know, a model that has none."""
    for language in ("xx", "ko"):
        assert spelled(["空调 #"], language, WORDS.__contains__).unknown == ("空调 #",)
