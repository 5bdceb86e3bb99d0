"""An admin adds words; mistakes in them are named."""

from datetime import UTC, datetime

import pytest

from transcription.account import Category
from transcription.lexicon import LexiconError, standard
from transcription.summary import summarise
from transcription.transcript import Speaker, Turn


def test_added_words_are_found() -> None:
    """A trade's own name for an order number."""
    turns = [Turn(Speaker.CALLER, 0, 3, "我的寄存码是88123456，东西坏了要修。", 1.0)]
    at = datetime(2026, 4, 16, tzinfo=UTC)
    assert not summarise(turns, at).facts
    extended = standard().extended("[code]\norder_no = ['寄存码']\n")
    assert [fact.value for fact in summarise(turns, at, extended).facts] == ["88123456"]


def test_added_examples_are_learnt() -> None:
    """A trade's own way to say what a call is about; plain words, so a bracket in one is no expression."""
    turns = [Turn(Speaker.CALLER, 0, 3, "窖池起沙了，酒醅发黏，来瞧瞧吧。", 1.0)]
    at = datetime(2026, 4, 16, tzinfo=UTC)
    assert summarise(turns, at).category is not Category.REPAIR
    more = "[examples.caller]\n'报修' = ['窖池起沙', '酒醅发黏（左边那口', '酒醅发黏', '窖池漏了']\n"
    assert summarise(turns, at, standard().extended(more)).category is Category.REPAIR


@pytest.mark.parametrize(
    ("toml", "named"),
    [
        ("[examples.caller]\n'别的' = ['x']\n", "examples.caller.别的"),
        ("[code", "TOML"),
        ("[code]\norder_no = ['(']\n", "code.order_no"),
        ("[code]\nnothing = ['x']\n", "code.nothing"),
        ("[code]\norder_no = 'x'\n", "code.order_no"),
    ],
)
def test_a_bad_table_is_named(toml: str, named: str) -> None:
    """With the table's name and what is wrong."""
    with pytest.raises(LexiconError, match=named):
        standard().extended(toml)


def test_every_table_compiles() -> None:
    """No rule of ours is broken."""
    lexicon = standard()
    assert all(lexicon[name] for name in lexicon.tables)


def test_each_category_has_examples_enough() -> None:
    """Of callers and of agents; none stands under two categories."""
    lexicon = standard()
    for side, least in (("caller", 30), ("agent", 5)):
        lists = [lexicon.tables[f"examples.{side}.{category.value}"] for category in Category]
        assert min(len(entries) for entries in lists) >= least
        assert len({entry for entries in lists for entry in entries}) == sum(len(entries) for entries in lists)
