"""``hotline number``: what the service makes of a number, a JSON line each."""

import io
import json
import subprocess
import sys

import pytest

from hotline.cli import main


def answers(capsys: pytest.CaptureFixture[str], *args: str) -> list[dict[str, str | None]]:
    """The JSON lines of one run."""
    assert main(["number", *args]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_five_keys(capsys: pytest.CaptureFixture[str]) -> None:
    """The contract: raw, e164, ext, kind, region."""
    assert answers(capsys, "--area", "0755", "--", "88886666转8012") == [
        {"raw": "88886666转8012", "e164": "+8675588886666", "ext": "8012", "kind": "fixed", "region": "广东省深圳市"}
    ]


def test_several_and_those_that_begin_with_a_minus(capsys: pytest.CaptureFixture[str]) -> None:
    """A line each, in order."""
    kinds = [
        answer["kind"] for answer in answers(capsys, "--", "15400001234", "-", "", "10086", "1001", "+85223456789")
    ]
    assert kinds == ["mobile", "invalid", "withheld", "service", "extension", "foreign"]


def test_lines_from_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """One number a line, whatever the line end."""
    monkeypatch.setattr("sys.stdin", io.StringIO("15400001234\r\nanonymous\n4007002505"))
    assert [answer["kind"] for answer in answers(capsys)] == ["mobile", "withheld", "hotline"]


def test_bytes_that_are_no_text() -> None:
    """Named or on standard input: invalid, and the answer is still JSON."""
    command = [sys.executable, "-m", "hotline", "number"]
    named = subprocess.run([*command, "--", b"154\xff0000"], capture_output=True, check=True)
    given = subprocess.run(command, input=b"154\xff0000\n15400001234\n", capture_output=True, check=True)
    assert [json.loads(line)["kind"] for line in (named.stdout + given.stdout).splitlines()] == [
        "invalid",
        "invalid",
        "mobile",
    ]


def test_an_area_code_that_china_does_not_have(capsys: pytest.CaptureFixture[str]) -> None:
    """Called wrongly: 2, and nothing on stdout."""
    assert main(["number", "--area", "0999", "--", "88886666"]) == 0
    capsys.readouterr()
    assert main(["number", "--area", "123", "--", "88886666"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "'123'" in said.err
