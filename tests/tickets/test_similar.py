"""Similar tickets: what is suggested is about the same matter, on causes the threshold was not chosen by."""

from functools import cache
from pathlib import Path

import pytest

from storage.search_words import words
from tickets.similar import MOST, Like, Matter, Usual, similar, usual

PARTS = ("part one", "part two")
FILE = Path(__file__).parent / "matters.txt"
E1 = Matter(1, "打不着火", "报修", ("热水器", "打不着", "电池"), ("打不着",), frozenset({"E1"}))
SAME = Matter(2, "点不着", "报修", ("热水器", "打不着"), ("点不着",), frozenset({"E1"}))
OTHER = Matter(3, "退票", "退换", ("航班", "退票"), ("退票",))


@cache
def matters(part: str) -> tuple[tuple[int, Matter], ...]:
    """The made-up matters of a part of the file, each with the number of its cause."""
    found: list[tuple[int, Matter]] = []
    cause, here = 0, ""
    for line in FILE.read_text(encoding="utf-8").splitlines():
        if line.startswith("="):
            here = line.strip("= ")
        if not line.strip() or line.startswith("="):
            cause += 1
        elif here == part and not line.startswith("#"):
            title, _, said = line.partition("|")
            codes = frozenset(word.upper() for word in words(line) if word[0].isascii() and word[-1].isdigit())
            told, named = (tuple(word for word in words(text) if word.upper() not in codes) for text in (said, title))
            found.append((cause, Matter(len(found), title.strip(), None, told, named, codes)))
    return tuple(found)


def right_wrong_missed(part: str) -> tuple[int, int, int]:
    """Suggestions that are about the same, those that are not, and matters of the same cause not suggested."""
    all_of_them = matters(part)
    docs = [matter for _, matter in all_of_them]
    known = usual([matter for one in PARTS for _, matter in matters(one)])
    right = wrong = missed = 0
    for cause, matter in all_of_them:
        same = {other.id for its, other in all_of_them if its == cause and other.id != matter.id}
        told = {like.id for like in similar(matter, docs, known)}
        right, wrong, missed = right + len(told & same), wrong + len(told - same), missed + len(same - told)
    return right, wrong, missed


@pytest.mark.parametrize("part", PARTS)
def test_what_is_suggested_is_about_the_same(part: str) -> None:
    """Nine of ten suggestions, and nearly half of what there is; part two is what the threshold is judged by."""
    right, wrong, missed = right_wrong_missed(part)
    assert right / (right + wrong) >= 0.85, (right, wrong, missed)
    assert right / (right + missed) >= 0.45, (right, wrong, missed)


def test_a_shared_code_and_word_say_so() -> None:
    """The why is what both say, the most telling first; the ticket itself and strangers are left out."""
    known = Usual(100, {"热水器": 30})
    found = similar(E1, [E1, OTHER, SAME], known)
    assert [like.id for like in found] == [2]
    assert found[0].why[0] == "E1"
    assert set(found[0].why) == {"E1", "打不着", "热水器"}
    assert 0 < found[0].likeness <= 1


def test_another_category_is_less_alike() -> None:
    """The same words in a complaint and in a repair."""
    known = usual([E1, SAME, OTHER])
    complaint = Matter(4, SAME.title, "投诉", SAME.words, SAME.title_words, SAME.codes)
    same, other = similar(E1, [SAME, complaint], known, like=0.0)
    assert (same.id, other.id) == (2, 4)
    assert same.likeness > other.likeness


def test_nothing_to_go_by_suggests_nothing() -> None:
    """A ticket of which nothing is known; an empty house; words that everybody uses."""
    empty = Matter(9, "", None, ())
    everywhere = [Matter(one, "", None, ("热水器",)) for one in range(10, 60)]
    assert similar(empty, [E1, SAME], usual([E1, SAME])) == []
    assert similar(E1, [], usual([])) == []
    assert similar(E1, [empty], usual([E1, empty])) == []
    assert len(similar(E1, everywhere, usual(everywhere), like=0.0)) <= MOST


def test_the_newest_of_equals_comes_first() -> None:
    """And the order does not depend on how they are handed in."""
    twins = [Matter(one, SAME.title, "报修", SAME.words, SAME.title_words, SAME.codes) for one in (5, 7, 6)]
    known = usual([E1, OTHER, *twins])
    first = similar(E1, twins, known)
    assert [like.id for like in first] == [7, 6, 5]
    assert first == similar(E1, twins[::-1], known)
    assert isinstance(first[0], Like)
