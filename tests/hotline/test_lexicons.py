"""A line's own words: read from its file, for its calls alone, and refused with what is wrong."""

import json
from pathlib import Path

import pytest

from hotline import lexicons
from hotline.cli import main
from hotline.settings import load

OWN = "[code]\norder_no = ['寄存码']\n\n[examples.caller]\n'报修' = ['窖池起沙了', '酒醅发黏']\n"
TURNS = {
    "called_at": "2026-04-16T10:00:00+08:00",
    "turns": [{"speaker": "caller", "start": 0, "end": 3, "text": "我的寄存码是88123456，东西坏了要修。"}],
}


def config(folder: Path, words: str | None) -> Path:
    """Two lines, one with words of its own."""
    file = folder / "hotline.toml"
    file.write_text(
        '[[pbx]]\nname = "main"\nuser = "hotline"\nsecret_env = "AMI"\ntrunks = ["PJSIP/carrier"]\n'
        '[[line]]\nnumber = "4007002505"\nrecord = false\nspeech.lexicon = "winery.toml"\n'
        '[[line]]\nnumber = "4008001234"\nrecord = false\n',
        encoding="utf-8",
    )
    if words is not None:
        (folder / "winery.toml").write_text(words, encoding="utf-8")
    return file


def test_a_line_has_its_own_words_and_the_other_the_standard_ones(tmp_path: Path) -> None:
    """The file is found beside the configuration."""
    made = lexicons.by_line(load(config(tmp_path, OWN)))
    assert list(made) == ["4007002505"]
    assert "寄存码" in made["4007002505"].tables["code.order_no"]


@pytest.mark.parametrize(("words", "says"), [
    (None, "winery.toml cannot be read"),
    ("[code", "winery.toml: no TOML"),
    ("[code]\norder_no = ['(']\n", "winery.toml: code.order_no: '('"),
    ("[examples.caller]\n'别的' = ['x']\n", "examples.caller.别的: there is no such table"),
])  # fmt: skip
def test_a_broken_file_is_a_fault_of_its_line(
    tmp_path: Path, words: str | None, says: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Named by ``hotline check`` with file, table and entry, and by ``hotline serve`` before anything runs."""
    monkeypatch.setenv("AMI", "secret")
    file = config(tmp_path, words)
    assert main(["check", "--config", str(file)]) == 1
    [line] = [line for line in capsys.readouterr().out.splitlines() if "lexicon" in line]
    assert "line[0].speech.lexicon" in line
    assert says in line
    assert main(["serve", "--config", str(file), "--port", "0"]) == 2
    assert says in capsys.readouterr().err


def test_the_commands_take_them_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """To try a file out before it is put to use."""
    turns, words = tmp_path / "turns.json", tmp_path / "own.toml"
    turns.write_text(json.dumps(TURNS), encoding="utf-8")
    words.write_text(OWN, encoding="utf-8")

    def found(*flags: str) -> list[str]:
        assert main(["summarise", str(turns), "--json", *flags]) == 0
        return [fact["value"] for fact in json.loads(capsys.readouterr().out)["facts"]]

    assert found() == []
    assert found("--lexicon", str(words)) == ["88123456"]
    assert main(["summarise", str(turns), "--lexicon", str(tmp_path / "gone.toml")]) == 2
    assert "gone.toml cannot be read" in capsys.readouterr().err
