"""``hotline index``: the copy loaded, compared and looked at from the command line, beside a service or without one."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from crm.guarded import Guarded
from crm.trouble import InvalidError
from hotline.cli import main
from hotline.commands import index as command
from hotline.crm_settings import Crm
from tests.hotline.town import Town, person

MAPPING = Path(__file__).parents[1] / "crm" / "smalldesk.toml"

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Town:
    """The CRM that the configuration names, whichever that is."""
    town = Town([person(count) for count in range(1, 6)])

    async def opened(_: Crm, clock: Callable[[], float]) -> Guarded:
        return Guarded(town, clock)

    monkeypatch.setattr(command, "open_crm", opened)
    return town


@pytest.fixture
def run(town: Town, sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """``hotline index`` with these words: exit code and what it printed."""
    assert town.customers
    config = tmp_path / "hotline.toml"
    config.write_text(f'[crm]\nconnector = "rest"\nmapping = "{MAPPING}"\n[crm.settings]\nurl = "http://127.0.0.1:9"\n')

    def call(*words: str) -> tuple[int, str]:
        code = main(["index", "--config", str(config), "--database", sqlite_url, *words])
        return code, capsys.readouterr().out

    return call


def test_loaded_and_looked_at(run: Run) -> None:
    """The rate of the load, then what there is."""
    assert run("status") == (0, "0 customers, 0 numbers\nnever read as a whole\n")
    code, said = run("load")
    assert code == 0
    assert said.startswith("5 customers, ")
    assert said.endswith(" a second\n")
    code, said = run("status", "--json")
    report = json.loads(said)
    assert (report["state"], report["customers"], report["numbers"], report["error"]) == ("following", 5, 5, None)
    code, said = run()
    assert said.splitlines()[0] == "5 customers, 5 numbers"
    assert "5 added, 0 changed, 0 dropped" in said


def test_compared(run: Run, town: Town) -> None:
    """What nobody told is found out, each time anew."""
    run("load")
    town.quiet = True
    town.remove("c01")
    town.put(person(2, "悄悄"))
    assert run("reconcile") == (0, "4 customers compared: 0 added, 1 changed, 1 dropped\n")
    assert run("reconcile") == (0, "4 customers compared: 0 added, 0 changed, 0 dropped\n")


def test_a_crm_that_refuses(run: Run, town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    """Said once, and not waited for."""
    town.fails["load"] = InvalidError("town: no right to list customers")
    assert run("load") == (1, "")
    town.fails.clear()
    code, said = run("load", "--json")
    assert (code, json.loads(said)["customers"]) == (0, 5)
    assert capsys.readouterr().out == ""


def test_customers_of_our_own_have_no_copy(sqlite_url: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The embedded ones are in the database anyway."""
    config = tmp_path / "hotline.toml"
    config.write_text("[site]\n")
    assert main(["index", "--config", str(config), "--database", sqlite_url, "load"]) == 2
    assert "there is no copy" in capsys.readouterr().err
