"""What a text is found by: no dictionary between the asker and what was said."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.search_words import MOST, terms, tokens, words

SAID = "您好，我家的热水器不加热了，显示E4，型号是JSQ24-12，訂單号 154 026 917 5，电话138-1234-5678"


@pytest.mark.parametrize(
    "question",
    [
        "热水器",  # three characters
        "热水",  # two
        "热",  # one
        "家的热",  # across what a segmenter calls words
        "不加热",
        "订单",  # said in traditional characters
        "訂單",  # asked in them
        "e4",
        "Ｅ４",  # full width
        "JSQ24-12",
        "jsq2412",
        "JSQ24",
        "1540269175",  # said in groups
        "154-026-9175",  # asked in others
        "9175",  # its tail
        "154026",  # its beginning
        "13812345678",
        "5678",
        "热水器 e4 9175",  # all of them
    ],
)
def test_what_was_said_is_found(question: str) -> None:
    """Every token a question asks for stands in the index."""
    assert _finds(question, SAID)


@pytest.mark.parametrize("question", ["洗衣机", "热器", "E5", "热水器 洗衣机", "JSQ25", "91757"])
def test_what_was_not_said_is_not_found(question: str) -> None:
    """Nor is a question half answered."""
    assert not _finds(question, SAID)


@pytest.mark.parametrize("question", ["", "  ", "？！", "\0", "-", "***"])
def test_a_question_without_words_asks_for_nothing(question: str) -> None:
    """It is not a question that everything answers."""
    assert terms(question) == ()


def test_idle_words_are_left_out_of_a_question_that_has_others() -> None:
    """But looked for where there is nothing else."""
    assert [term.text for term in terms("请问一下我的热水器怎么办")] == ["热水器"]
    assert [term.text for term in terms("您好")] == ["您好"]


def test_words_that_say_what_it_is_about() -> None:
    """Without numbers, idle words and single characters; as often as said."""
    assert words("您好，热水器不加热，热水器显示E4，订单号1540269175") == ["热水器", "加热", "热水器", "e4"]


def test_masked_digits_are_found_by_what_is_left_of_them() -> None:
    """Nothing else of the number is in the index."""
    assert "5678" in tokens("尾号****5678")
    assert _finds("5678", "卡号****5678")


def test_an_endless_text_stays_within_what_a_database_takes() -> None:
    """Hours of speech lose some words rather than the call its transcript."""
    endless = " ".join(f"{number:040d}" for number in range(3000))
    kept = tokens(endless)
    assert sum(len(token.encode()) + 5 for token in kept) <= MOST


@settings(max_examples=60)
@given(st.text(max_size=60))
def test_tokens_are_ones_both_databases_keep_whole(text: str) -> None:
    """No space, quote or operator in them; small letters; sorted and each once."""
    kept = tokens(text)
    assert kept == sorted(set(kept))
    assert all(token.isalnum() and token == token.lower() for token in kept)
    for term in terms(text):
        assert all(token.isalnum() for token in term.tokens)


def _finds(question: str, text: str) -> bool:
    index = tokens(text)
    wanted = terms(question)
    assert wanted
    return all(
        any(one.startswith(token) for one in index) if term.start else token in index
        for term in wanted
        for token in term.tokens
    )
