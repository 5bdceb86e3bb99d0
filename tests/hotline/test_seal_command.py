"""``hotline seal`` as the person who keeps the keys uses it, and what the configuration refuses."""

import asyncio
import base64
import json
from pathlib import Path

import pytest

from hotline.archive import keys
from hotline.cli import main
from hotline.seal_settings import Sealing, SealingKey
from hotline.settings import ConfigError, load
from hotline.telephony_settings import Policy
from storage.audit import Audit, What
from storage.database import Database
from tests.hotline.seal_house import SealHouse

LINES = """
data = "{data}"
[[line]]
number = "4007002505"
record = false
[line.policy]
originals = "encrypt"
"""


@pytest.fixture
def sealed(tmp_path: Path, sqlite_url: str, capsys: pytest.CaptureFixture[str]) -> tuple[Path, str, bytes]:
    """A configuration with a key, a call whose originals it sealed, and what the caller's leg was."""
    assert main(["seal", "new-key", str(tmp_path / "old.key")]) == 0
    printed = capsys.readouterr().out
    config = tmp_path / "hotline.toml"
    config.write_text(f"{LINES.format(data=tmp_path / 'var')}\n{printed}")
    settings = load(config)

    async def fill() -> tuple[str, bytes]:
        db = Database.open(sqlite_url)
        house = SealHouse(db, tmp_path, Policy(originals="encrypt"))
        house.keyring = keys(settings.sealing)
        call = await house.call()
        before = (house.root / f"{call.linkedid}-rx.wav").read_bytes()
        await house.said(call)
        await house.seal()
        await db.close()
        return str(call), before

    return (config, *asyncio.run(fill()))


def seal(config: Path, url: str, *args: str) -> int:
    """The command on that database."""
    return main(["seal", "--config", str(config), "--database", url, "--json", *args])


def test_status_verify_open_and_rotate(
    sealed: tuple[Path, str, bytes], sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From one key to the next; the old one may go, and the original is what it was."""
    config, call, before = sealed
    assert seal(config, sqlite_url) == 0
    assert json.loads(capsys.readouterr().out) == {"current": "old", "files": {"old": 3}, "missing": []}
    assert seal(config, sqlite_url, "open", call, "--leg", "rx", "--out", str(tmp_path / "out.wav")) == 0
    assert (tmp_path / "out.wav").read_bytes() == before
    assert (tmp_path / "out.wav").stat().st_mode & 0o077 == 0
    assert seal(config, sqlite_url, "open", call, "--leg", "rx", "--out", str(tmp_path / "out.wav")) == 2
    assert "File exists" in capsys.readouterr().err
    assert main(["seal", "new-key", str(tmp_path / "new.key")]) == 0
    new = capsys.readouterr().out
    config.write_text(config.read_text().replace("[[sealing.keys]]", f"{new}\n[[sealing.keys]]"))
    assert seal(config, sqlite_url, "rotate") == 0
    assert json.loads(capsys.readouterr().out) == {"files": 3, "sound": 3, "faults": []}
    config.write_text(config.read_text().split("[[sealing.keys]]")[0] + new)
    assert seal(config, sqlite_url, "verify") == 0
    assert json.loads(capsys.readouterr().out)["sound"] == 3
    for file in (tmp_path / "var" / "sealed").rglob("*.sealed"):
        file.write_bytes(file.read_bytes()[:-1])
    assert seal(config, sqlite_url, "verify") == 1
    assert seal(config, sqlite_url, "open", call, "--leg", "rx", "--out", str(tmp_path / "again.wav")) == 1
    assert not (tmp_path / "again.wav").exists()

    async def opened() -> int:
        db = Database.open(sqlite_url)
        rows = await Audit(db).rows(what=What.RECORDING_OPENED)
        await db.close()
        return len(rows)

    assert asyncio.run(opened()) == 1


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["open", "main:1.1"], "--out"),
        (["open", "nonsense", "--out", "x"], "no call"),
        (["open", "main:1.1", "--out", "x"], "no such recording"),
        (["new-key"], "the file to make"),
    ],
)
def test_a_command_that_makes_no_sense_says_so(
    args: list[str], told: str, sealed: tuple[Path, str, bytes], sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2."""
    assert seal(sealed[0], sqlite_url, *args) == 2
    assert told in capsys.readouterr().err


def test_a_missing_key_is_told_with_its_files(
    sealed: tuple[Path, str, bytes], sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status: exit code 1."""
    config, _, _ = sealed
    main(["seal", "new-key", str(tmp_path / "other.key")])
    new = capsys.readouterr().out
    config.write_text(config.read_text().split("[[sealing.keys]]")[0] + new)
    assert seal(config, sqlite_url) == 1
    assert json.loads(capsys.readouterr().out)["missing"] == ["old"]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("", "originals = encrypt needs a key"),
        ('[[sealing.keys]]\nid = "a"', "name env or file"),
        ('[[sealing.keys]]\nid = "a"\nenv = "A"\n[[sealing.keys]]\nid = "a"\nenv = "B"', "stands twice: a"),
        ('[sealing]\ncipher = "rot13"', "aes-256-gcm"),
    ],
)
def test_what_the_configuration_refuses(more: str, told: str, tmp_path: Path) -> None:
    """With words that say what to do."""
    config = tmp_path / "hotline.toml"
    config.write_text(f"{LINES.format(data=tmp_path)}\n{more}\n")
    with pytest.raises(ConfigError, match=told):
        load(config)


def test_dropping_originals_needs_a_copy(tmp_path: Path) -> None:
    """Or there would be nothing left to hear."""
    config = tmp_path / "hotline.toml"
    for wrong in ("beep = false", "redact = []"):
        config.write_text(LINES.format(data=tmp_path).replace('"encrypt"', '"drop"') + wrong)
        with pytest.raises(ConfigError, match="needs beep = true"):
            load(config)


def test_check_names_a_key_that_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not there, not base64, too short; the key itself is never printed."""
    config = tmp_path / "hotline.toml"
    config.write_text(f'{LINES.format(data=tmp_path)}\n[[sealing.keys]]\nid = "a"\nenv = "A_KEY"\n')
    for value, told in ((None, "set A_KEY"), ("?secret?", "is no base64"), ("c2hvcnQ=", "has 5 bytes, not 32")):
        monkeypatch.delenv("A_KEY", raising=False)
        if value is not None:
            monkeypatch.setenv("A_KEY", value)
        assert main(["check", "--config", str(config)]) == 1
        printed = capsys.readouterr().out
        assert told in printed
        assert value is None or value not in printed
    key = SealingKey(id="a", env="A_KEY")
    monkeypatch.setenv("A_KEY", base64.b64encode(b"\5" * 32).decode())
    assert keys(Sealing(keys=(key,))).by_id == {"a": b"\5" * 32}
