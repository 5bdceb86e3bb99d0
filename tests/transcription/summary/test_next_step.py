"""The next step: what somebody must do first. The call is on Thursday, 2026-04-16, 10:00."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from transcription.account import Step, Summary
from transcription.summary import as_json

Told = Callable[..., Summary]
START = ("a 您好。", "c 空调坏了，想报修。")


@pytest.mark.parametrize(
    ("lines", "who", "by_when"),
    [
        (["a 师傅明天上午9点到11点上门，来之前给您打电话。"], "agent", "2026-04-17"),
        (["a 运费我们出。后天给您发新的。"], "agent", "2026-04-18"),
        (["a 麻烦您把照片发给我们。", "c 好，我今晚就发。", "a 收到后三天内给您答复。"], "caller", "2026-04-16"),
        (["a 我会把您的意见转给店长。"], "agent", ""),
    ],
)
def test_what_falls_due_first_comes_first(told: Told, lines: list[str], who: str, by_when: str) -> None:
    """A day before no day; the calling before the visit; it is one of the promises and cites the same turns."""
    summary = told(*START, *lines)
    step = summary.next_step
    assert step is not None
    assert (step.who, step.by_when) == (who, by_when)
    assert step in [Step(each.who, each.what, each.by_when, each.turns) for each in summary.promises]
    assert as_json(summary)["next_step"] == {
        "who": who, "what": step.what, "by_when": by_when, "turns": list(step.turns)
    }  # fmt: skip


def test_where_nobody_promised_anything_there_is_none(told: Told) -> None:
    """Said plainly, not made up."""
    summary = told(*START, "a 一般三天左右能修好。")
    assert summary.next_step is None
    assert as_json(summary)["next_step"] is None


def test_it_follows_corrections(told: Told) -> None:
    """A promise that somebody takes out is no next step any more."""
    summary = told(*START, "a 后天给您发新的。")
    assert summary.next_step is not None
    assert replace(summary, promises=()).next_step is None
