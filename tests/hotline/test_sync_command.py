"""``hotline sync`` as an operator types it: compared, listed, repaired, and the customers looked through."""

import asyncio
import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from crm.customer import Customer, Phone
from crm.guarded import Guarded
from crm.registry import ConnectorError
from hotline import instep
from hotline.cli import main
from hotline.commands import sync as command
from hotline.crm_settings import Crm
from screenpop.sheets import safe_cell
from storage.customers import EmbeddedCrm
from storage.database import Database
from tests.crm.papercrm import PaperCrm
from tests.hotline.instep_house import Made, opened

MAPPING = Path(__file__).parents[1] / "crm" / "smalldesk.toml"

Hotline = Callable[..., tuple[int, str, str]]


@pytest.fixture
def paper() -> PaperCrm:
    """The CRM."""
    return PaperCrm()


@pytest.fixture
def made(paper: PaperCrm, sqlite_url: str, tmp_path: Path) -> list[Made]:
    """Three calls that stand there."""

    async def ring() -> list[Made]:
        async with opened(sqlite_url, tmp_path, paper) as house:
            return await house.calls(3)

    return asyncio.run(ring())


@pytest.fixture
def hotline(
    paper: PaperCrm,
    sqlite_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Hotline:
    """``hotline sync`` with these words: exit code, what it printed, what it said beside."""

    async def open_paper(_: Crm, clock: Callable[[], float]) -> Guarded:
        return Guarded(paper, clock)

    monkeypatch.setattr(command, "open_crm", open_paper)
    monkeypatch.setattr(command, "LOOK_ON", 0.01)
    monkeypatch.setattr(instep, "MENDED", 0.01)
    config = tmp_path / "hotline.toml"
    config.write_text(
        '[site]\nname = "shop"\n[server]\nurl = "https://calls.example"\n'
        f'[crm]\nconnector = "rest"\nindex = false\nmapping = "{MAPPING}"\n'
        '[crm.settings]\nurl = "http://127.0.0.1:9"\n'
    )

    def call(*words: str) -> tuple[int, str, str]:
        code = main(["sync", "--config", str(config), "--database", sqlite_url, *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_compared_listed_and_repaired(hotline: Hotline, paper: PaperCrm, made: list[Made], tmp_path: Path) -> None:
    """Exit code 1 as long as something differs; a list for people, one for spreadsheets, one for programs."""
    code, said, _ = hotline("--days", "0")
    assert (code, said.count("\n")) == (0, 1)
    assert "100.00 % in step, 0 of 9 differ; 0 differ now" in said
    del paper.notes[made[0].note]
    paper.tasks[made[1].task].customer_id = "=cmd"
    paper.customers["=cmd"] = Customer("=cmd", "陌生人")
    code, said, beside = hotline("--days", "0", "--csv", str(tmp_path / "list.csv"))
    assert code == 1
    assert "taken away there" in said
    assert "77.77 % in step, 2 of 9 differ; 2 differ now" in said
    assert "9 of 9" in beside
    rows = list(csv.reader((tmp_path / "list.csv").read_text("utf-8-sig").splitlines()))
    assert rows[0][0] == "id"
    assert [row[5] for row in rows[1:] if row[1] == "on another customer there"] == ["'=cmd"]
    code, said, _ = hotline("--last", "--json")
    told = json.loads(said)
    assert (code, told["last"]["accuracy"], len(told["differences"])) == (1, 77.77, 2)
    one = next(each["id"] for each in told["differences"] if each["what"] == "gone")
    code, said, beside = hotline("--repair", str(one), "--repair", "999")
    assert (code, len(paper.notes)) == (1, 3)
    assert "there is no difference 999" in beside
    assert "by now 88.88 %; 1 differ now" in said
    code, said, _ = hotline("--repair", "all")
    assert code == 0
    assert "by now 100.00 %; 0 differ now" in said


def test_without_the_key_the_running_service_is_asked(
    hotline: Hotline, made: list[Made], monkeypatch: pytest.MonkeyPatch
) -> None:
    """This shell only looks on."""
    assert made

    async def no_key(_: Crm, _clock: Callable[[], float]) -> Guarded:
        raise ConnectorError("no secret: set KEY")

    async def over(here: command.Here, _over: object) -> None:
        assert here.handlers() == {}

    monkeypatch.setattr(command, "open_crm", no_key)
    monkeypatch.setattr(command, "_until", over)
    code, said, beside = hotline()
    assert (code, said) == (1, "both sides were never compared to the end\n")
    assert "no secret: set KEY; the running service is asked" in beside


def test_the_crms_customers_are_looked_through(
    hotline: Hotline, paper: PaperCrm, made: list[Made], tmp_path: Path
) -> None:
    """Counted, listed, and written so that no spreadsheet reckons with it."""
    first = paper.customers[made[0].customer]
    paper.customers |= {
        "a": replace(first, id="a", name="同号"),
        "b": Customer("b", "无号码"),
        "c": Customer("c", "=HYPERLINK(1)", (Phone("@约晚上打", None),)),
    }
    code, said, _ = hotline("--quality")
    assert code == 1
    assert said.splitlines()[-1].startswith("6 customers; 1 numbers that no caller could show; 1 customers without")
    assert any(line.startswith("shared:") and "also of a" in line for line in said.splitlines())
    code, said, _ = hotline("--quality", "--json", "--csv", str(tmp_path / "list.csv"))
    counts = json.loads(said)["counts"]
    assert counts == {"customers": 6, "unreadable": 1, "phoneless": 1, "shared": 1, "longer": 0}
    data = (tmp_path / "list.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(data.decode("utf-8-sig").splitlines()))
    assert ["unreadable", "c", "'=HYPERLINK(1)", "'@约晚上打", ""] in rows
    assert [row[3] for row in rows if row[0] == "shared"] == [f"'{first.phones[0].e164}"]


def test_our_own_customers_are_looked_through(
    sqlite_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is no CRM to be in step with."""
    config = tmp_path / "own.toml"
    config.write_text("")

    async def fill() -> None:
        db = Database.open(sqlite_url)
        await EmbeddedCrm(db).add_many([Customer("1", "王芳"), Customer("2", "李娜", (Phone("1381", None),))])
        await db.close()

    asyncio.run(fill())
    words = ["sync", "--config", str(config), "--database", sqlite_url]
    assert main([*words, "--quality", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["counts"]["phoneless"] == 1
    assert main(words) == 2
    assert "nothing to be in step with" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("--repair", "seven"), ("--quality", "--repair", "all"), ("--quality", "--last")])
def test_called_wrongly(hotline: Hotline, words: tuple[str, ...]) -> None:
    """Said at once."""
    assert hotline(*words)[0] == 2


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("王芳", "王芳"),
        ("=1+1", "'=1+1"),
        ("+8613812345678", "'+8613812345678"),
        (" @x", "' @x"),
        ("-1", "'-1"),
        ("", ""),
    ],
)
def test_no_cell_is_a_formula(text: str, cell: str) -> None:
    """Whatever a customer is called."""
    assert safe_cell(text) == cell
