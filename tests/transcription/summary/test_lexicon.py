"""An admin adds words; mistakes in them are named."""

from datetime import UTC, datetime

import pytest

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


@pytest.mark.parametrize(
    ("toml", "named"),
    [
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
