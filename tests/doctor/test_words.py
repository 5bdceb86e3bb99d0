"""The doctor's words: its table for people, its command, its exit codes."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hotline.cli import main
from hotline.doctor.astconf import Item
from hotline.doctor.catalogue import CATALOGUE, Code
from hotline.doctor.filters import HELPFUL, NEEDED, Filters
from hotline.doctor.finding import Report
from hotline.doctor.watching import Step
from telephony.reading import LAYOUTS

PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"
_NOT_FILTERED = {"CoreShowChannel", "Status", "QueueEntry", "QueueMember", "OriginateResponse"}
_DISPENSABLE = {"Newstate", "VarSet"}  # they only confirm a call a moment sooner; a recording's name another way


def test_every_code_stands_in_the_page_for_people() -> None:
    """With its severity, and no other does."""
    rows = re.findall(r"^\| `([a-z-]+)` \| (fault|warning) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert dict(rows) == {code.value: entry.severity.value for code, entry in CATALOGUE.items()}


def test_the_events_that_must_pass_are_those_that_are_read() -> None:
    """Whoever has the tracker read another event decides here whether a filter may drop it."""
    read = {name.decode() for name in LAYOUTS if not name.endswith(b"Complete") or name == b"AgentComplete"}
    assert read - _NOT_FILTERED - _DISPENSABLE == set(NEEDED) | set(HELPFUL)


@pytest.mark.parametrize(
    ("lines", "passes"),
    [
        ([], True),
        (["^Event: Newchannel"], True),
        (["^Event: Hangup"], False),
        (["^Event: Hangup", "Newchannel"], True),
        (["!Newchannel"], False),
        (["!Hangup"], True),
        (["Newchannel", "!PJSIP/carrier"], False),
        (["Event: New[[:alpha:]]+"], True),
    ],
)
def test_filters_as_asterisk_applies_them(lines: list[str], passes: bool) -> None:  # noqa: FBT001
    """Any including one, no excluding one."""
    filters = Filters([Item("eventfilter", line, "") for line in lines])
    assert filters.passes("Event: Newchannel\r\nPrivilege: call,all\r\nChannel: PJSIP/carrier-1\r\n") is passes


@pytest.mark.parametrize(
    ("key", "value", "passes"),
    [
        ("eventfilter(name(Newchannel))", "", True),
        ("eventfilter(action(include),name(Hangup))", "", False),
        ("eventfilter(action(exclude),name(Newchannel),header(Channel),method(starts_with))", "PJSIP/", False),
        ("eventfilter(action(exclude),name(Newchannel),header(Channel),method(exact))", "PJSIP/", True),
        ("eventfilter(action(exclude),header(Channel),method(contains))", "carrier", False),
        ("eventfilter(action(exclude),header(Channel),method(ends_with))", "-1", False),
        ("eventfilter(action(exclude),header(Context))", "carrier", True),
    ],
)
def test_filters_of_newer_asterisks(key: str, value: str, passes: bool) -> None:  # noqa: FBT001
    """By name, header and method."""
    event = "Event: Newchannel\r\nPrivilege: call,all\r\nChannel: PJSIP/carrier-1\r\n"
    assert Filters([Item(key, value, "")]).passes(event) is passes


def test_a_filter_that_is_no_expression_is_said() -> None:
    """And not judged by."""
    filters = Filters([Item("eventfilter", "(", "")])
    assert filters.unread == ["("]
    assert not filters


def test_a_fault_is_told_once() -> None:
    """However many checks come upon it."""
    report = Report()
    for _ in range(2):
        report.tell(Code.CLOCK, "PBX a", "late")
    report.tell(Code.CLOCK, "PBX b", "late")
    assert len(report.findings) == 2


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration whose PBX is not there."""
    monkeypatch.setenv("HOTLINE_PBX_MAIN_SECRET", "0123456789abcdef0123")
    (tmp_path / "recordings").mkdir()
    file = tmp_path / "hotline.toml"
    file.write_text(
        """
        [[pbx]]
        name = "main"
        port = 1
        user = "hotline"
        trunks = ["PJSIP/carrier"]
        [[line]]
        number = "4007002505"
        [recordings]
        root = "recordings"
        [transcription]
        engine = "none"
        """,
        encoding="utf-8",
    )
    return file


def _doctor(*args: Any) -> int:
    return main(["doctor", *map(str, args)])


def test_faults_are_told_with_what_to_do(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What, why, what to do; exit code 1."""
    assert _doctor("--config", config) == 1
    said = capsys.readouterr().out
    assert re.search(r"FAULT +unreachable: PBX main: 127.0.0.1:1 cannot be used", said)
    assert "why: no call is seen at all" in said
    assert "do:  check host and port" in said
    assert "1 fault, 0 warnings" in said


def test_faults_as_json(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One object."""
    assert _doctor("--config", config, "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert told["sound"] is False
    assert [fault["code"] for fault in told["faults"]] == ["unreachable"]
    assert set(told["faults"][0]) == {"code", "severity", "subject", "what", "why", "remedy"}


def test_what_a_caller_wrote_does_not_reach_the_terminal(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number with an escape sequence in it."""

    async def played(*_: Any, say: Callable[[Step], None], **__: Any) -> Report:
        say(Step(0.0, "\x1b[2J138\r\n calls 4007002505"))
        return Report()

    monkeypatch.setattr("hotline.commands.doctor.watch", played)
    assert _doctor("--config", config, "--watch") == 0
    assert "0.000 s  \ufffd[2J138\ufffd\ufffd calls 4007002505\n" in capsys.readouterr().out


def test_call_records_that_are_not_there(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A database that cannot be read, a recorder without its secret."""
    text = config.read_text(encoding="utf-8")
    more = '[pbx.cdr]\nurl = "sqlite:///gone.db"\n[pbx.recorder]\nuser = "recorder"\n'
    config.write_text(text.replace("[[line]]", f"{more}[[line]]"), encoding="utf-8")
    assert _doctor("--config", config, "--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert {fault["code"] for fault in told["faults"]} == {"unreachable", "cdr-file", "recorder-login"}


def test_watching_a_pbx_that_is_not_there(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said at once."""
    assert _doctor("--config", config, "--watch", "--timeout", 5) == 1
    assert "unreachable" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--pbx", "other"], "no [[pbx]] is named other: main"),
        (["--pbx-config", "/nowhere/at/all"], "--pbx-config"),
        (["--config", "/nowhere.toml"], "cannot be read"),
    ],
)
def test_called_wrongly(config: Path, args: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and what is wrong."""
    assert _doctor("--config", config, *args) == 2
    assert said in capsys.readouterr().err
