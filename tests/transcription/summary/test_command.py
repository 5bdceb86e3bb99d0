"""``hotline summarise``: JSON for programs, lines for people, clear words for bad input."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hotline.cli import main

TURN: dict[str, Any] = {
    "speaker": "caller",
    "start": 0.0,
    "end": 4.0,
    "text": "空调坏了，E4，想报修。",
    "confidence": 0.4,
}
GOOD: dict[str, Any] = {"called_at": "2026-04-16T10:00:00+08:00", "turns": [TURN]}


def given(folder: Path, content: object) -> str:
    """A file with the content."""
    path = folder / "turns.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return str(path)


def test_json_has_the_promised_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What other programs rely on."""
    assert main(["summarise", given(tmp_path, GOOD), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert {"issue", "category", "urgency", "sentiment", "facts", "promises", "evidence"} <= set(summary)
    assert summary["category"] == "报修"
    assert summary["evidence"][summary["issue"]] == [0]


def test_people_read_lines_with_their_turns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each line ends with where it is said; doubtful facts carry a question mark."""
    content = GOOD | {"turns": [TURN | {"text": "空调坏了，显示E4，想报修。"}]}
    assert main(["summarise", given(tmp_path, content)]) == 0
    shown = capsys.readouterr().out
    assert "报修" in shown
    assert "fault_code E4 (?) [0 @0s]" in shown


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("{", "no JSON"),
        ([], "the file"),
        ({}, "called_at"),
        (GOOD | {"called_at": "2026-04-16T10:00:00"}, "called_at"),
        (GOOD | {"called_at": "soon"}, "called_at"),
        ({"called_at": GOOD["called_at"]}, "turns"),
        (GOOD | {"turns": ["x"]}, r"turns\[0\]"),
        (GOOD | {"turns": [TURN | {"speaker": "dog"}]}, r"turns\[0\].speaker"),
        (GOOD | {"turns": [TURN, TURN | {"start": -1}]}, r"turns\[1\].start"),
        (GOOD | {"turns": [TURN | {"end": None}]}, r"turns\[0\].end"),
        (GOOD | {"turns": [TURN | {"start": 9, "end": 4}]}, "before it starts"),
        (GOOD | {"turns": [TURN | {"text": 5}]}, r"turns\[0\].text"),
        (GOOD | {"turns": [TURN | {"confidence": 2}]}, r"turns\[0\].confidence"),
    ],
)
def test_bad_input_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: object, named: str) -> None:
    """Exit 2, nothing on stdout, the fault and its place on stderr."""
    assert main(["summarise", given(tmp_path, content), "--json"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.search(named, captured.err), captured.err


def test_a_missing_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No traceback."""
    assert main(["summarise", str(tmp_path / "none.json")]) == 2
    assert "none.json" in capsys.readouterr().err
