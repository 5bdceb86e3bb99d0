"""``hotline import``: the good rows kept, the bad ones told, the same again harmless."""

import asyncio
import csv
import json
import multiprocessing
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from crm.csvfile import CsvFile, CsvFileError
from crm.customer import Customer
from hotline.cli import main
from hotline.customer_file import BATCH, batches
from numbering.identify import identify
from storage.customers import EmbeddedCrm
from storage.database import Database

ROWS = [
    "客户编号,姓名,手机,电话,级别,购买记录,星座",
    "C1,张伟,154 0000 1234,88886666转8012,VIP,空调|2026-01-02|2999|A1,狮子",
    "C2,李娜,,,,,",
    'C3,"坏,15400000003,,,,',
    "C4,王芳,15400000004",
    "C5,赵敏,15400000005,,金卡,电视|去年,",
    "C6,,15400000006,,,,",
]


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database that is not there yet."""
    return f"sqlite+aiosqlite:///{tmp_path / 'data' / 'hotline.db'}"


def file(folder: Path, rows: list[str] = ROWS, encoding: str = "utf-8") -> Path:
    """A CSV of these rows."""
    path = folder / "customers.csv"
    path.write_bytes("\r\n".join(rows).encode(encoding))
    return path


def imported(capsys: pytest.CaptureFixture[str], path: Path, url: str, *more: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, JSON summary and what was said."""
    code = main(["import", str(path), "--database", url, "--json", *more])
    said = capsys.readouterr()
    return code, json.loads(said.out) if said.out else {}, said.err


def customer(url: str, raw: str) -> list[Customer]:
    """Who is found for a number afterwards."""

    async def find() -> list[Customer]:
        db = Database.open(url)
        try:
            return list(await EmbeddedCrm(db).find(identify(raw)))
        finally:
            await db.close()

    return asyncio.run(find())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
def test_the_good_rows_are_kept_and_the_bad_ones_told(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str], encoding: str
) -> None:
    """Two good rows of six, in whatever encoding."""
    code, answer, said = imported(capsys, file(tmp_path, encoding=encoding), url, "--area", "0755")
    assert code == 1
    assert (answer["rows"], answer["new"], answer["changed"], answer["refused"], answer["cells_left_out"]) == (
        6,
        2,
        0,
        4,
        1,
    )
    assert [(p["line"], p["column"], p["why"]) for p in answer["problems"]] == [
        (3, "手机", "no_phone"),
        (4, None, "not_csv"),
        (5, None, "ragged"),
        (6, "购买记录", "bad_value"),
        (7, "姓名", "no_name"),
    ]
    assert "line 5" in said
    assert answer["ignored_columns"] == ["星座"]
    (found,) = customer(url, "0755-88886666转8012")
    assert (found.id, found.name, found.vip) == ("C1", "张伟", True)
    assert [each.name for each in customer(url, "+8615400000005")] == ["赵敏"]


def test_importing_again_changes_nothing_and_adds_nothing(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Known ids are replaced by the same."""
    path = file(tmp_path, ROWS[:2])
    assert imported(capsys, path, url)[:1] == (0,)
    before = customer(url, "15400001234")
    code, answer, _ = imported(capsys, path, url)
    assert (code, answer["new"], answer["changed"]) == (0, 0, 1)
    assert customer(url, "15400001234") == before


def test_refused_rows_are_written_to_be_mended_and_imported(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rejects have the same columns, the reason behind them, and go in again once mended."""
    _, answer, _ = imported(capsys, file(tmp_path), url, "--rejects")
    rejects = tmp_path / "customers.rejected.csv"
    assert answer["rejects"] == str(rejects)
    with rejects.open(encoding="utf-8-sig", newline="") as stream:
        header, *rows = csv.reader(stream)
    assert header[:7] == ROWS[0].split(",")
    assert next((row[0], row[7], row[8]) for row in rows) == ("C2", "3", "手机")
    assert len(rows) == 4
    mended = rejects.read_text(encoding="utf-8-sig").replace("C2,李娜,,", "C2,李娜,15400000002,")
    rejects.write_text(mended, encoding="utf-8")
    _, answer, _ = imported(capsys, rejects, url)
    assert (answer["new"], answer["refused"]) == (2, 2)  # the short row came out filled up
    assert [each.name for each in customer(url, "15400000002")] == ["李娜"]
    assert [each.name for each in customer(url, "15400000004")] == ["王芳"]


def test_no_rejects_file_without_rejects(tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty file would look like a fault."""
    _, answer, _ = imported(capsys, file(tmp_path, ROWS[:2]), url, "--rejects")
    assert answer["rejects"] is None
    assert not (tmp_path / "customers.rejected.csv").exists()


def test_many_problems_are_not_all_told(tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Twenty on the terminal, a thousand in the JSON, all in the counts."""
    path = file(tmp_path, ["姓名,手机"] + [f"客户{n},没有" for n in range(1500)])
    _, answer, said = imported(capsys, path, url)
    assert answer["refused"] == 1500
    assert len(answer["problems"]) == 1000
    assert len(said.splitlines()) == 21


def test_more_than_a_batch(tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Several transactions; without an id column the same people keep their made ids."""
    path = file(tmp_path, ["姓名,手机"] + [f"客户{n},154{n:08d}" for n in range(BATCH + 500)])
    assert imported(capsys, path, url)[1]["new"] == BATCH + 500
    assert imported(capsys, path, url)[1]["changed"] == BATCH + 500


def test_progress_is_told_when_it_takes_long(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On stderr, in percent and customers; a short import is silent."""
    path = file(tmp_path, ["姓名,手机"] + [f"客户{n},154{n:08d}" for n in range(BATCH + 500)])
    monkeypatch.setattr("hotline.commands.import_._QUIET", 1e9)
    assert imported(capsys, path, url)[2] == ""
    monkeypatch.setattr("hotline.commands.import_._QUIET", 0.0)
    said = imported(capsys, path, url)[2].splitlines()
    assert len(said) == 2
    assert f"100 %, {BATCH + 500} customers" in said[-1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        ("姓名,邮箱\n张伟,x\n".encode(), "no phone column"),
        ("手机\n15400001234\n".encode(), "no name column"),
        (b'"open,phone\nx,15400001234\n', "first row cannot be read"),
        (b"PK\x03\x04", "Excel workbook"),
    ],
)
def test_a_file_that_cannot_be_imported(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str], content: bytes, said: str
) -> None:
    """One clear line, exit code 2, and no database made for it."""
    path = tmp_path / "customers.csv"
    path.write_bytes(content)
    code, answer, err = imported(capsys, path, url)
    assert (code, answer) == (2, {})
    assert said in err
    assert "Traceback" not in err
    assert not (tmp_path / "data").exists()


def test_wrong_calls(tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing file, an unknown area, encoding, database: each named."""
    path = file(tmp_path)
    for args, said in (
        ([str(tmp_path / "none.csv"), "--database", url], "none.csv cannot be read"),
        ([str(path), "--database", url, "--area", "123"], "no area code '123'"),
        ([str(path), "--database", url, "--encoding", "klingon"], "no such encoding"),
        ([str(path), "--database", "mysql://x/y"], "sqlite+aiosqlite:///"),
        ([str(path), "--config", str(tmp_path / "none.toml")], "none.toml"),
    ):
        assert main(["import", *args]) == 2
        assert said in capsys.readouterr().err


def test_plain_summary(tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line on stdout for people."""
    assert main(["import", str(file(tmp_path, ROWS[:2])), "--database", url, "--area", "0755"]) == 0
    assert capsys.readouterr().out == ("1 rows (utf-8): 1 new customers, 0 changed, 0 rows refused, 0 cells left out\n")


def test_the_lines_area_is_taken_where_all_lines_share_one(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From hotline.toml, as is the database."""
    monkeypatch.delenv("HOTLINE_DATABASE_URL", raising=False)
    config = tmp_path / "hotline.toml"
    config.write_text(
        f'[[line]]\nnumber = "4007002505"\narea = "0755"\nrecord = false\n\n[database]\nurl = "{url}"\n',
        encoding="utf-8",
    )
    path = file(tmp_path, ["姓名,电话", "张伟,88886666"])
    assert main(["import", str(path), "--config", str(config)]) == 0
    assert "1 new" in capsys.readouterr().out
    assert [each.name for each in customer(url, "0755-88886666")] == ["张伟"]


def test_a_large_file_is_read_by_a_process_beside(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the same customers, the same problems in the same order, the same file of refused rows."""
    rows = [*ROWS, *(f"D{n},客户{n},154{n:08d},{n % 7}" + ",,," * (n % 50 > 0) for n in range(BATCH + 500))]
    path = file(tmp_path, rows)
    monkeypatch.setattr("hotline.commands.import_._QUIET", 1e9)
    here = imported(capsys, path, url, "--rejects", "--area", "0755")
    refused = (tmp_path / "customers.rejected.csv").read_bytes()
    monkeypatch.setattr("hotline.customer_file._BESIDE", 0)
    beside = imported(capsys, path, f"{url}2", "--rejects", "--area", "0755")
    assert beside == here
    assert here[1]["new"] > BATCH > here[1]["refused"] > 100
    assert (tmp_path / "customers.rejected.csv").read_bytes() == refused
    assert customer(f"{url}2", "15400001234") == customer(url, "15400001234") != []


async def test_the_process_beside_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By whoever wants its memory, say: the import says so instead of taking what came for the whole file."""
    monkeypatch.setattr("hotline.customer_file._BESIDE", 0)
    source = CsvFile.look_at(file(tmp_path, ["姓名,手机"] + [f"客户{n},154{n:08d}" for n in range(4 * BATCH)]))
    coming = batches(source, None)
    assert (await anext(coming)).kept == BATCH
    (child,) = multiprocessing.active_children()
    child.kill()
    with pytest.raises(CsvFileError, match="has died"):
        async for _ in coming:
            pass
    assert multiprocessing.active_children() == []


async def test_an_import_given_up_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C, or a database that went away."""
    monkeypatch.setattr("hotline.customer_file._BESIDE", 0)
    source = CsvFile.look_at(file(tmp_path, ["姓名,手机"] + [f"客户{n},154{n:08d}" for n in range(4 * BATCH)]))
    async with aclosing(batches(source, None)) as coming:
        await anext(coming)
    assert multiprocessing.active_children() == []
