"""``hotline export``: one call to stdout or a file, many into a folder, each on record."""

import asyncio
import json
import re
import shutil
from pathlib import Path

import pytest

from hotline.cli import main
from numbering.identify import identify
from storage.audit import Audit, AuditRow, What
from storage.database import Database
from storage.ledger import Ledger
from storage.records import Known, RecordingRow
from telephony.call import Answered, Arrived, CallKey, Confirmed, Ended, Outcome
from transcription.account import Category, Sentiment, Summary, Urgency
from transcription.transcript import Speaker, Transcript, Turn

NOON = 1_795_147_200.0  # 2026-11-20 12:00 in Shanghai
LINE, OTHER = "4007002505", "4008001234"
SUMMARY = Summary("空调不制冷", Category.REPAIR, Urgency.MIDDLE, Sentiment.NEUTRAL, (), (), {})
CONFIG = """
[site]
name = "沐川"
[server]
url = "https://desk.test/hotline"
[recordings]
root = "rec"
[[pbx]]
name = "hq"
user = "hotline"
trunks = ["PJSIP/carrier"]
[[line]]
number = "4007002505"
name = "售后"
[[line]]
number = "4008001234"
[[agent]]
extension = "1001"
name = "李明"
"""


@pytest.fixture
def house(tmp_path: Path, sqlite_template: Path) -> Path:
    """A configuration, a database with three calls: one with words, one without, one of another line a day later."""
    (tmp_path / "hotline.toml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "rec").mkdir()
    (tmp_path / "rec" / "1-rx.wav").write_bytes(b"RIFF")
    (tmp_path / "var").mkdir()
    shutil.copy(sqlite_template, tmp_path / "var" / "hotline.db")
    asyncio.run(_calls(f"sqlite+aiosqlite:///{tmp_path / 'var' / 'hotline.db'}"))
    return tmp_path


async def _calls(url: str) -> None:
    db = Database.open(url)
    ledger = Ledger(db)
    for number, (line, at) in enumerate([(LINE, NOON), (LINE, NOON + 60), (OTHER, NOON + 86_400)], 1):
        key = CallKey("hq", str(number))
        for fact in (
            Arrived(call=key, at=at, caller="13812345678", caller_name=None, number=line, dialled=line),
            Confirmed(call=key, at=at),
            Answered(call=key, at=at + 1, agent="1001", queue=None),
            Ended(call=key, at=at + 9, outcome=Outcome.ANSWERED),
        ):
            await ledger.record(fact, now=at, number=identify("13812345678"), known=Known("c1", "张伟"))
        if number != 2:
            await ledger.link_recording(key, RecordingRow("1-rx.wav", None, None, 9.0), at)
            turns = (Turn(Speaker.AGENT, 0.5, 2.0, "您好，电话13987654321", 0.9, "1001"),)
            await ledger.said(key, Transcript(turns, "vosk", "m"), SUMMARY, at + 20)
    await db.close()


def audited(house: Path) -> list[AuditRow]:
    """What is on record."""

    async def rows() -> list[AuditRow]:
        db = Database.open(f"sqlite+aiosqlite:///{house / 'var' / 'hotline.db'}")
        try:
            return list(await Audit(db).rows(what=What.EXPORTED))
        finally:
            await db.close()

    return asyncio.run(rows())


def export(house: Path, *args: str) -> int:
    """Run the command."""
    return main(["export", "--config", str(house / "hotline.toml"), *args])


def test_one_call(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On stdout, with names and the recording's address; on record under who ran it."""
    assert export(house, "hq:1", "--format", "vtt") == 0
    out = capsys.readouterr().out
    assert out.startswith("WEBVTT\n")
    assert "<v 坐席 1001 李明>您好，电话13987654321</v>" in out
    assert export(house, "hq:1") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["caller"] == {"number": "+8613812345678", "name": "张伟"}
    assert told["line"] == {"number": LINE, "name": "售后"}
    assert [one["url"] for one in told["recordings"]] == [
        "https://desk.test/hotline/calls/hq:1/audio/0/caller?download=1"
    ]
    rows = audited(house)
    assert [row.detail for row in rows] == [
        {"format": "json", "masked": False},
        {"format": "vtt", "masked": False},
    ]
    assert all(row.who.startswith("cli:") and row.subject == "hq:1" for row in rows)


def test_masked_into_a_file(house: Path) -> None:
    """For those outside; readable by the owner only, over what was there."""
    out = house / "a.json"
    out.write_text("old", encoding="utf-8")
    assert export(house, "hq:1", "--masked", "--out", str(out)) == 0
    text = out.read_text(encoding="utf-8")
    assert json.loads(text)["masked"] is True
    for secret in ("13812345678", "13987654321", "张伟"):
        assert secret not in text
    assert out.stat().st_mode & 0o077 == 0
    assert [path.name for path in house.glob("*.json")] == ["a.json"]  # nothing half written beside it


def test_many_into_a_folder(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a time and a line; those without words are counted; a second run writes the same files."""
    folder = house / "out"
    for _ in range(2):
        assert export(house, "--since", "2026-11-20", "--format", "srt", "--out", str(folder)) == 0
        assert capsys.readouterr().out == "2 written, 1 without words\n"
        names = sorted(path.name for path in folder.iterdir())
        assert names == ["20261120-120000-hq_1.srt", "20261121-120000-hq_3.srt"]
    until = ("--since", "2026-11-20T00:00+08:00", "--until", "2026-11-21", "--format", "json")
    assert export(house, *until, "--out", str(house / "day")) == 0
    assert len(list((house / "day").iterdir())) == 2
    assert export(house, "--line", OTHER, "--out", str(house / "line")) == 0
    assert [path.name for path in (house / "line").iterdir()] == ["20261121-120000-hq_3.json"]


def test_called_wrongly(house: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 2, and what to do instead."""
    monkeypatch.chdir(house)
    for args, said in [
        ((), "name one CALL"),
        (("hq:1", "--since", "2026-11-20"), "name one CALL"),
        (("--since", "2026-11-20"), "--out"),
        (("--since", "gestern", "--out", "x"), "no date"),
        (("nonsense",), "no call"),
        (("hq:1", "--out", "/proc/none/a.vtt"), "/proc/none/a.vtt"),
        (("--line", LINE, "--out", "/proc/none"), "/proc/none"),
    ]:
        assert export(house, *args) == 2, args
        assert said in capsys.readouterr().err


def test_what_is_not_there(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1, nothing on stdout, nothing on record."""
    assert export(house, "hq:99") == 1
    assert export(house, "hq:2", "--format", "txt") == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert re.search("there is no call hq:99.*nothing was written down of hq:2", told.err, re.DOTALL)
    assert audited(house) == []
