"""Looking at this machine: folders, files, database, Redis, models."""

import os
from pathlib import Path

import pytest

from hotline.doctor.gathered import Sounds
from hotline.doctor.places import look_at_house, look_at_recordings, look_at_records
from hotline.settings import Settings
from tests.doctor.conftest import NOW

UID = "1795290138.1"


def look(root: Path) -> Sounds:
    """With the default mark, twenty seconds of quiet."""
    return look_at_recordings(root, ".done", 20.0, NOW)


def put(root: Path, *names: str, age: float = 3600.0) -> None:
    """Files of this age, seconds."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"RIFF")
        os.utime(path, (NOW - age, NOW - age))


def test_whole_recordings(tmp_path: Path) -> None:
    """Legs, mark and Uniqueid are there."""
    stem = f"2026/11/21/4007002505-{UID}"
    put(tmp_path, f"{stem}.wav", f"{stem}-rx.wav", f"{stem}-tx.wav", f"{stem}.done")
    assert look(tmp_path) == Sounds(looked_at=1, newest=NOW - 3600)


@pytest.mark.parametrize(
    ("names", "lacking"),
    [
        ((f"a-{UID}.wav", f"a-{UID}-rx.wav"), "unmarked"),
        ((f"a-{UID}.wav", f"a-{UID}.done"), "without_legs"),
        (("a.wav", "a-rx.wav", "a.done"), "without_uniqueid"),
        (("20261121-10.5.wav", "20261121-10.5-rx.wav", "20261121-10.5.done"), "without_uniqueid"),
    ],
)
def test_what_a_recording_lacks(tmp_path: Path, names: tuple[str, ...], lacking: str) -> None:
    """One thing at a time."""
    put(tmp_path, *names)
    found = look(tmp_path)
    assert {name for name in ("unmarked", "without_legs", "without_uniqueid") if getattr(found, name)} == {lacking}


def test_a_recording_that_still_grows_lacks_nothing(tmp_path: Path) -> None:
    """Its mark comes at its end."""
    put(tmp_path, f"a-{UID}.wav", age=5)
    assert look(tmp_path) == Sounds(newest=NOW - 5)


def test_names_with_brackets(tmp_path: Path) -> None:
    """As a dialplan may make them."""
    put(tmp_path, f"[x]*-{UID}.wav", f"[x]*-{UID}-rx.wav", f"[x]*-{UID}.done")
    assert look(tmp_path).without_legs == ()


def test_no_folder(tmp_path: Path) -> None:
    """The reason is told."""
    assert look(tmp_path / "gone").trouble is not None
    put(tmp_path, "file")
    assert look(tmp_path / "file").trouble is not None


def test_call_records(tmp_path: Path) -> None:
    """The last whole row tells; a half-written one does not."""
    file = tmp_path / "Master.csv"
    assert look_at_records(file).trouble is not None
    file.write_text("")
    assert look_at_records(file).uniqueid is None
    old = '"","138","s","in","","PJSIP/c-1","","Queue","support","2026-11-21 10:00:00","","",9,0,"NO ANSWER","DOC"'
    file.write_text(f"{old}\n")
    assert look_at_records(file).uniqueid is False
    file.write_text(f'{old}\n{old},"{UID}","did=4007002505"\n{old[:40]}')
    found = look_at_records(file)
    assert (found.uniqueid, found.columns) == (True, 18)


async def test_a_new_service_lacks_only_a_model(tmp_path: Path) -> None:
    """The database is made at the first start; nothing is made by looking."""
    house = await look_at_house(Settings(data=tmp_path / "var"), None)
    assert (house.database, house.database_behind, house.redis, house.data, house.model) == (
        None,
        False,
        None,
        None,
        False,
    )
    assert not (tmp_path / "var").exists()


async def test_a_database_that_is_not_one(tmp_path: Path) -> None:
    """It is told in the database's own words."""
    (tmp_path / "hotline.db").write_bytes(b"no database at all, only text" * 99)
    assert (await look_at_house(Settings(data=tmp_path), None)).database is not None


async def test_a_database_of_this_version(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing to say."""
    monkeypatch.setenv("HOTLINE_DATABASE_URL", sqlite_url)
    house = await look_at_house(Settings(data=tmp_path), None)
    assert (house.database, house.database_behind, house.extensions) == (None, False, frozenset())


async def test_redis_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cards would not travel."""
    monkeypatch.setenv("HOTLINE_REDIS_URL", f"unix://{tmp_path}/gone")
    assert "does not answer" in ((await look_at_house(Settings(data=tmp_path), None)).redis or "")
    monkeypatch.setenv("HOTLINE_REDIS_URL", "http://wrong")
    assert (await look_at_house(Settings(data=tmp_path), None)).redis is not None


async def test_a_redis_that_is_there(tmp_path: Path, redis_server, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
    """It answers."""
    monkeypatch.setenv("HOTLINE_REDIS_URL", redis_server.url)
    assert (await look_at_house(Settings(data=tmp_path), None)).redis is None


async def test_secrets_of_ours_that_everybody_reads(tmp_path: Path) -> None:
    """A secret's file; the configuration where it holds a password."""
    secret, config = tmp_path / "secret", tmp_path / "hotline.toml"
    for path in (secret, config):
        path.write_text("x")
        path.chmod(0o644)
    pbx = {"name": "a", "user": "u", "trunks": ["PJSIP/c"], "secret_file": secret}
    line = {"number": "4007002505", "record": False}
    plain = Settings.model_validate({"pbx": [pbx], "line": [line], "data": tmp_path})
    assert (await look_at_house(plain, config)).readable == (str(secret),)
    secret.chmod(0o600)
    assert (await look_at_house(plain, config)).readable == ()
    with_password = plain.model_copy(
        update={"redis": plain.redis.model_copy(update={"url": "redis://user:word@127.0.0.1:1"})}
    )
    assert (await look_at_house(with_password, config)).readable == (str(config),)
