"""``hotline transcribe`` and ``hotline model`` as people and scripts call them: stdout holds results alone."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from hotline.cli import main
from transcription.engines import EngineSpec
from transcription.modelstore import DemoModelError

Script = Callable[..., EngineSpec]
LegFile = Callable[..., Path]


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A configuration whose data folder is the test's own."""
    file = tmp_path / "hotline.toml"
    file.write_text('data = "data"\n', encoding="utf-8")
    return str(file)


@pytest.fixture(autouse=True)
def logs_of_its_own() -> Iterator[None]:
    """A command sets the logs up for its process; the next test's stderr is another one."""
    yield
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def no_demo_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without the demo's wheels."""

    def missing(_into: Path) -> Path:
        raise DemoModelError("not installed")

    monkeypatch.setattr("hotline.commands.transcribe.assemble_demo_model", missing)
    monkeypatch.setattr("hotline.commands.model.assemble_demo_model", missing)


def test_two_legs_give_turns_and_a_summary(
    config: str, script: Script, leg_file: LegFile, capsys: pytest.CaptureFixture[str]
) -> None:
    """The JSON of the design: speakers, seconds, confidence, and the summary beside them."""
    spec = script("您好请讲", "我家的洗衣机漏水了")
    caller, agent = leg_file("rx", 16, (7, "zh_caller")), leg_file("tx", 16, (0.5, "zh_agent"))
    called = ["--engine", "scripted", "--model", str(spec.model), "--called-at", "2026-04-16T10:12+08:00"]
    assert main(["transcribe", str(caller), str(agent), *called, "--config", config, "--json"]) == 0
    printed = capsys.readouterr()
    answer = json.loads(printed.out)
    assert [(turn["speaker"], turn["text"]) for turn in answer["turns"]] == [
        ("agent", "我家的洗衣机漏水了"), ("caller", "您好请讲"),
    ]  # fmt: skip
    assert set(answer["turns"][0]) == {"speaker", "start", "end", "text", "confidence"}
    assert {"issue", "category", "urgency", "sentiment", "facts", "promises", "evidence"} <= set(answer["summary"])
    assert "\\u" not in printed.out


def test_the_configured_engine_is_used_and_lines_are_for_people(
    config: str, script: Script, leg_file: LegFile, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without flags the configuration's engine and model; without --json one line a turn."""
    spec = script("喂")
    with Path(config).open("a", encoding="utf-8") as file:
        file.write(f'[transcription]\nengine = "scripted"\nmodel = "{spec.model}"\n')
    assert main(["transcribe", str(leg_file("rx", 6, (0.5, "zh_caller"))), "--config", config]) == 0
    assert capsys.readouterr().out.split()[1:] == ["caller", "喂"]


def test_a_line_is_heard_as_its_calls_are(
    config: str, script: Script, leg_file: LegFile, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its own engine and model; a line that is none of ours, or an engine without its address, is a usage error."""
    spec, leg = script("喂"), str(leg_file("rx", 6, (0.5, "zh_caller")))
    with Path(config).open("a", encoding="utf-8") as file:
        file.write('[transcription]\nengine = "none"\n[[line]]\nnumber = "4001"\naliases = ["0101"]\nrecord = false\n')
        file.write(f'[line.speech]\nengine = "scripted"\nmodel = "{spec.model}"\n')
    for line in ("4001", "0101"):
        assert main(["transcribe", leg, "--line", line, "--config", config]) == 0
        assert capsys.readouterr().out.split()[1:] == ["caller", "喂"]
    for flags, reason in (
        (["--line", "4002"], "no [[line]] 4002"),
        ([], "engine = none"),
        (["--engine", "openai"], "[transcription.endpoint] url"),
    ):
        assert main(["transcribe", leg, *flags, "--config", config]) == 2
        assert reason in capsys.readouterr().err


def test_what_goes_wrong_is_told_on_stderr_alone(
    config: str, script: Script, leg_file: LegFile, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No file, silence, no model, a crash: exit code 1 and an empty stdout, so a script never reads half a JSON."""
    spec, good, silent = script("喂"), leg_file("rx", 6, (0.5, "zh_caller")), leg_file("tx", 6)
    crashing = tmp_path / "crash.json"
    crashing.write_text('{"texts": [], "do": "segv"}')
    for legs, flags, reason in (
        ([str(tmp_path / "gone.wav")], ["--model", str(spec.model)], "gone.wav is not there"),
        ([str(silent)], ["--model", str(spec.model)], "nothing louder"),
        ([str(good)], ["--model", str(tmp_path / "none")], "is no script"),
        ([str(good)], ["--model", str(crashing)], "SIGSEGV"),
        ([str(good)], [], "hotline model get"),
    ):
        assert main(["transcribe", *legs, "--engine", "scripted", *flags, "--config", config, "--json"]) == 1
        printed = capsys.readouterr()
        assert printed.out == ""
        assert reason in printed.err


def test_a_bad_leg_is_mentioned_and_the_other_one_printed(
    config: str, script: Script, leg_file: LegFile, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half of a conversation is better than none."""
    good, silent = leg_file("rx", 6, (0.5, "zh_caller")), leg_file("tx", 6)
    flags = ["--engine", "scripted", "--model", str(script("喂").model), "--config", config, "--json"]
    assert main(["transcribe", str(good), str(silent), *flags]) == 0
    printed = capsys.readouterr()
    assert [turn["text"] for turn in json.loads(printed.out)["turns"]] == ["喂"]
    assert "the agent's leg: 6 s and nothing louder" in printed.err


def test_a_wrong_time_is_a_usage_error(config: str, leg_file: LegFile, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, with how to write it."""
    leg = str(leg_file("rx", 1))
    assert main(["transcribe", leg, "--called-at", "yesterday", "--config", config]) == 2
    assert "2026-04-16T10:12+08:00" in capsys.readouterr().err


def test_models_are_added_and_listed(
    config: str, tmp_path: Path, korean: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty store says what to do; what is added is in the list, as JSON on wish; what is no model is refused."""
    assert main(["model", "--config", config, "list"]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "hotline model get" in printed.err
    assert main(["model", "--config", config, "add", str(korean), "--name", "korean", "--json"]) == 0
    (made,) = json.loads(capsys.readouterr().out)
    assert (made["name"], made["engine"], made["faults"]) == ("korean", "vosk", [])
    assert Path(made["path"]) == tmp_path / "data/models/korean"
    assert main(["model", "--config", config, "list"]) == 0
    assert capsys.readouterr().out.startswith("korean\tvosk\t")
    assert main(["model", "--config", config, "add", str(tmp_path / "gone")]) == 1
    assert "gone is not there" in capsys.readouterr().err
    assert main(["model", "--config", config, "demo"]) == 1
    assert capsys.readouterr().out == ""
