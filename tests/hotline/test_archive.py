"""Where the settings say that recordings are, and from there onto a call."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from hotline.archive import Archive
from hotline.attach import Attach
from hotline.call_board import CallBoard
from hotline.commands.check import outside
from hotline.pipeline import jobs_of
from hotline.settings import Settings
from storage.database import Database
from storage.fanout import MemoryFanout
from storage.jobs import Wait
from storage.ledger import Ledger
from storage.migrate import upgrade
from storage.outbox import Outbox
from storage.reads import Reads
from telephony.call import Answered, Arrived, CallKey, Confirmed, Ended, Outcome, Recorded

NOW = 1795290238.0
LINE = "4007002505"


@pytest.fixture
async def db(tmp_path: Path) -> AsyncIterator[Database]:
    """A database."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'hotline.db'}"
    await upgrade(url)
    db = Database.open(url)
    yield db
    await db.close()


def archive(db: Database, folder: Path, pbxs: list[dict[str, Any]], **common: Any) -> Archive:
    """As the service makes it."""
    raw = [{"user": "hotline", "trunks": ["PJSIP/carrier"], **pbx} for pbx in pbxs]
    lines = [{"number": LINE, "policy": {"keep_recordings_days": 90}}, {"number": "4008001234", "record": False}]
    settings = Settings.model_validate({"data": folder / "var", "pbx": raw, "line": lines, "recordings": common})
    return Archive(settings, db=db, ledger=Ledger(db), reads=Reads(db), outbox=Outbox(db), clock=lambda: NOW)


async def test_each_pbx_has_its_own_place_or_the_common_one(db: Database, tmp_path: Path) -> None:
    """And copies of its own where it has a place of its own: two PBXs may use one name."""
    (tmp_path / "voicemail").mkdir()
    made = archive(
        db,
        tmp_path,
        [
            {"name": "hq"},
            {"name": "branch", "recordings": {"root": tmp_path / "b", "messages": tmp_path / "m", "mark": ".ok"}},
            {"name": "far", "recordings": {"url": "https://far.example/rec/", "wait": 7}},
        ],
        root=tmp_path / "monitor",
    )
    found = dict(made.recorders)
    assert {name: recorder.root for name, recorder in found.items()} == {
        "hq": tmp_path / "monitor",
        "branch": tmp_path / "b",
        "far": tmp_path / "var/fetched/far",
    }
    assert [recorder.messages for recorder in found.values()] == [tmp_path / "voicemail", tmp_path / "m", None]
    assert len({recorder.rules.repairs for recorder in found.values()}) == 3
    assert [recorder.rules.mark for recorder in found.values()] == [".done", ".ok", ".done"]
    assert [recorder.rules.quiet for recorder in found.values()] == [20.0, 20.0, 7.0]
    assert made.started_by_us == frozenset()
    assert "record" not in made.handlers


async def test_a_recorder_login_is_off_unless_it_is_named_and_needs_its_secret(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing one is told at the start, not at the first call."""
    pbxs: list[dict[str, Any]] = [{"name": "hq", "recorder": {"user": "recorder"}}, {"name": "branch"}]
    with pytest.raises(LookupError, match="HOTLINE_PBX_HQ_RECORDER_SECRET"):
        archive(db, tmp_path, pbxs, root=tmp_path)
    monkeypatch.setenv("HOTLINE_PBX_HQ_RECORDER_SECRET", "x")
    made = archive(db, tmp_path, pbxs, root=tmp_path)
    assert made.started_by_us == {"hq"}
    assert (await made.report())["recorders"] == {"hq": "not connected yet"}
    assert set(made.handlers) == {"record", "retention", "strays", "seal", "seal-round", "erase"}


async def test_a_secret_neither_stands_in_an_address_nor_crosses_the_network_in_the_clear() -> None:
    """It would stand in logs and in the file; on this machine's own loopback nobody listens."""
    with pytest.raises(ValueError, match="no password in the url"):
        Settings.model_validate({"recordings": {"url": "https://me:secret@far.example/rec/"}})
    with pytest.raises(ValueError, match="use https"):
        Settings.model_validate({"recordings": {"url": "http://far.example/rec/", "secret_env": "X"}})
    for url in ("http://127.0.0.5:8000/rec/", "http://localhost/rec/", "https://far.example/rec/"):
        assert Settings.model_validate({"recordings": {"url": url, "secret_env": "X"}}).recordings.url == url


def test_a_server_that_nothing_here_can_speak_with_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told by hotline check, not by the first call's job."""
    (tmp_path / "known_hosts").touch()
    place = {"url": "sftp://me@far.example/rec/", "known_hosts": tmp_path / "known_hosts"}
    settings = Settings.model_validate({"recordings": place})
    assert outside(settings) == []
    monkeypatch.setattr("hotline.commands.check.find_spec", lambda _name: None)
    assert [fault.key for fault in outside(settings)] == ["recordings.url"]


async def test_a_recording_on_a_web_server_ends_on_its_call(db: Database, tmp_path: Path) -> None:
    """Fetched by the names the PBX told, played from our copy."""
    folder = tmp_path / "far/2026/11/21"
    folder.mkdir(parents=True)
    sound = (Path(__file__).parents[1] / "audio/zh_caller.wav").read_bytes()
    for leg in ("", "-rx", "-tx"):
        (folder / f"{LINE}-1795290138.1{leg}.wav").write_bytes(sound)
    (folder / f"{LINE}-1795290138.1.done").touch()
    app = web.Application()
    app.router.add_static("/rec", tmp_path / "far")
    server = TestServer(app)
    await server.start_server()
    made = archive(db, tmp_path, [{"name": "hq"}], url=str(server.make_url("/rec/")))
    ledger, outbox, call = Ledger(db), Outbox(db), CallKey("hq", "1795290138.1")
    for fact in (
        Arrived(call=call, at=NOW - 100, caller="13812345678", caller_name=None, number=LINE, dialled=LINE),
        Confirmed(call=call, at=NOW - 100),
        Recorded(call=call, at=NOW - 99, files=(f"/var/spool/asterisk/monitor/2026/11/21/{LINE}-{call.linkedid}.wav",)),
        Answered(call=call, at=NOW - 90, agent="1001"),
        Ended(call=call, at=NOW - 60, outcome=Outcome.ANSWERED),
    ):
        await ledger.record(fact, now=NOW, jobs=jobs_of(fact))
    board = CallBoard(Reads(db), MemoryFanout())
    attach = Attach(ledger=ledger, board=board, recorders=made.recorders, clock=lambda: NOW)
    job = await outbox.claim(["recording"], NOW, 60)
    assert job is not None
    assert not isinstance(await attach.recording(job), Wait)
    page = await Reads(db).call(call)
    assert page is not None
    (row,) = page.recordings
    assert row.rx == f"2026/11/21/{LINE}-1795290138.1-rx.wav"
    path = made.recorders.path(call, row.rx)
    assert path.is_relative_to(tmp_path / "var/fetched")
    assert path.read_bytes() == sound
    await server.close()
