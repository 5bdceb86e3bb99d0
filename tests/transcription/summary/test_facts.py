"""Facts in short pieces of calls of many trades, written before the rules had seen them (``facts_minis.txt``).

A piece: ``# title`` (``@ 2026-06-05T16:22`` where the day matters), turns (a: agent, c: caller), ``=`` and the facts.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from transcription.account import Summary

Told = Callable[..., Summary]
MINIS = Path(__file__).with_name("facts_minis.txt")


def pieces() -> Iterator[tuple[str, str, list[str], list[str]]]:
    """Title, moment, turns and facts of each piece."""
    for block in MINIS.read_text(encoding="utf-8").split("\n\n"):
        head, *turns, truth = block.strip().splitlines()
        title, _, at = head.removeprefix("# ").partition(" @ ")
        facts = sorted(one.strip() for one in truth.removeprefix("=").split(",") if one.strip())
        yield title, at or "2026-04-16T10:00", turns, facts


@pytest.mark.parametrize(("title", "at", "turns", "facts"), list(pieces()), ids=[one[0] for one in pieces()])
def test_just_these_facts(told: Told, title: str, at: str, turns: list[str], facts: list[str]) -> None:
    """No fact less, none more."""
    assert sorted(f"{fact.kind} {fact.value}" for fact in told(*turns, at=at).facts) == facts, title
