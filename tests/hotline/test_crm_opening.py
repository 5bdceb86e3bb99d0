"""The CRM that the configuration names is opened; what is wrong is told at start; one that is down stops nothing."""

from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from crm.connector import Health, Unable
from crm.customer import Phone
from crm.registry import ConnectorError
from crm.trouble import AuthError, InvalidError, TransientError
from hotline.cli import main
from hotline.commands.check import outside
from hotline.crm_opening import first_word, open_crm, report
from hotline.settings import load
from numbering.identify import identify
from tests.crm.smalldesk import TOKEN, SmallDesk

MAPPING = Path(__file__).parents[1] / "crm" / "smalldesk.toml"
FILE = """
[crm]
connector = "rest"
mapping = "desk.toml"
area = "0755"

[crm.settings]
url = "{url}"
secret_env = "DESK_TOKEN"
header = "X-Token"
format = "{{secret}}"
"""


def write(folder: Path, url: str = "http://127.0.0.1:1/api") -> Path:
    """A configuration with SmallDesk behind, its mapping beside it."""
    mapping = MAPPING.read_text(encoding="utf-8").replace("{national}", "{last8}")
    (folder / "desk.toml").write_text(mapping, encoding="utf-8")
    path = folder / "hotline.toml"
    path.write_text(FILE.format(url=url), encoding="utf-8")
    return path


async def test_the_crm_of_the_configuration_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the file to a customer; numbers written locally are those of its area; how it goes is told."""
    monkeypatch.setenv("DESK_TOKEN", TOKEN)
    desk = SmallDesk()
    desk.add_contact("林晓峰", ["8888 6666"])
    async with TestServer(desk.app()) as server:
        crm = await open_crm(load(write(tmp_path, str(server.make_url("/api")))).crm, lambda: 0.0)
        try:
            await first_word(crm)
            (customer,) = await crm.find(identify("0755-88886666"))
            assert (customer.name, customer.phones) == ("林晓峰", (Phone("8888 6666", "+8675588886666"),))
            told = report(crm)
            assert (told["connector"], told["work"]["lookup"]["asked"], told["work"]["write"]["asked"]) == (
                "rest",
                1,
                0,
            )
        finally:
            await crm.close()


async def test_what_is_missing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is not set, a mapping that is not there or says nothing sensible."""
    monkeypatch.delenv("DESK_TOKEN", raising=False)
    settings = load(write(tmp_path)).crm
    with pytest.raises(ConnectorError, match="set DESK_TOKEN"):
        await open_crm(settings, lambda: 0.0)
    monkeypatch.setenv("DESK_TOKEN", TOKEN)
    mapping = tmp_path / "desk.toml"
    mapping.write_text("[customer]\nnam = 1\n", encoding="utf-8")
    with pytest.raises(ConnectorError, match=r"rest\.health: Field required"):
        await open_crm(settings, lambda: 0.0)
    mapping.write_text("[customer", encoding="utf-8")
    with pytest.raises(ConnectorError, match=r"desk\.toml is not TOML"):
        await open_crm(settings, lambda: 0.0)
    mapping.unlink()
    with pytest.raises(ConnectorError, match=r"desk\.toml cannot be read: No such file"):
        await open_crm(settings, lambda: 0.0)


def test_hotline_check_says_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without asking the CRM anything: nobody listens there."""
    path = write(tmp_path)
    monkeypatch.delenv("DESK_TOKEN", raising=False)
    monkeypatch.delenv("HOOK_KEY", raising=False)
    with path.open("a", encoding="utf-8") as file:
        file.write('\n[[crm.push]]\nkind = "webhook"\nurl = "https://x.example"\nsecret_env = "HOOK_KEY"\n')
    assert [fault.key for fault in outside(load(path)) if fault.key.startswith("crm")] == ["crm.push[0]", "crm"]
    assert main(["check", "--config", str(path)]) == 1
    assert "crm: connector rest: no secret: set DESK_TOKEN" in capsys.readouterr().out
    monkeypatch.setenv("DESK_TOKEN", TOKEN)
    monkeypatch.setenv("HOOK_KEY", "secret")
    (short,) = [fault for fault in outside(load(path)) if fault.key.startswith("crm")]
    assert "HOOK_KEY: a webhook's secret is whsec_ and base64 of 24 to 64 random bytes" in short.text
    monkeypatch.setenv("HOOK_KEY", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3")
    assert not [fault for fault in outside(load(path)) if fault.key.startswith("crm")]


class Says(Unable):
    """Says one thing when asked how it is."""

    def __init__(self, error: Exception | None) -> None:
        self._error = error

    async def health(self) -> Health:
        """How it is."""
        if self._error is not None:
            raise self._error
        return Health("1.0")


@pytest.mark.parametrize("error", [None, TransientError("no answer"), AuthError("wrong key"), TimeoutError()])
async def test_a_crm_that_is_down_keeps_nothing_from_starting(error: Exception | None) -> None:
    """It may be there in a minute."""
    await first_word(Says(error))


async def test_a_crm_without_the_fields_that_are_mapped_does() -> None:
    """It would find nobody, call after call."""
    with pytest.raises(ConnectorError, match="no 'mobil'"):
        await first_word(Says(InvalidError("res.partner has no 'mobil' (perhaps mobile)")))
