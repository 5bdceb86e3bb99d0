"""CSV as it comes out of Excel, of old programs and of accidents."""

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.csvfile import LONGEST_LINE, MOST_LINES, CsvFile, CsvFileError, Record
from crm.mapping import Why

TEXT = '姓名,手机\r\n张伟,15400001234\r\n"李,娜",15400005678\r\n'
ROWS = [["姓名", "手机"], ["张伟", "15400001234"], ["李,娜", "15400005678"]]


def written(folder: Path, content: bytes) -> Path:
    """A file of that content."""
    path = folder / "customers.csv"
    path.write_bytes(content)
    return path


def read(folder: Path, content: bytes, encoding: str | None = None) -> list[Record]:
    """All records of a file of that content."""
    return list(CsvFile.look_at(written(folder, content), encoding).records())


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8-sig"),
        (TEXT.encode("gbk"), "gb18030"),
        (TEXT.replace("张", "𠮷").encode("gb18030"), "gb18030"),
        (TEXT.encode("utf-16"), "utf-16"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "utf-16"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (b"name,phone\nJohn,15400001234\n", "utf-8"),
    ],
)
def test_encodings(tmp_path: Path, content: bytes, encoding: str) -> None:
    """The encoding is found."""
    source = CsvFile.look_at(written(tmp_path, content))
    assert source.encoding == encoding
    cells = [record.cells for record in source.records()]
    assert len(cells) in (2, 3)
    assert cells[-1][1] in ("15400001234", "15400005678")
    assert all("\ufffd" not in cell and "\ufeff" not in cell for row in cells for cell in row)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators(tmp_path: Path, delimiter: str, end: str) -> None:
    """The separator and line end are found."""
    text = TEXT.replace("\r\n", end).replace(",", delimiter).replace(f"李{delimiter}娜", "李,娜")
    assert [record.cells for record in read(tmp_path, text.encode())] == ROWS


def test_separator_hint(tmp_path: Path) -> None:
    """Excel's separator hint is obeyed, and is no header."""
    assert [r.cells for r in read(tmp_path, "sep=;\r\n姓名;手机\r\n张伟;15400001234\r\n".encode())] == ROWS[:2]


def test_line_numbers(tmp_path: Path) -> None:
    """Blank lines are no records; lines are counted as an editor counts them."""
    records = read(tmp_path, '\n姓名,手机\n\n,,\n"张\n伟",15400001234\n李娜,1\n'.encode())
    assert [(record.line, record.cells[0]) for record in records] == [(2, "姓名"), (5, "张\n伟"), (7, "李娜")]


@pytest.mark.parametrize(
    "broken",
    ['张"伟"x,"154', '"张伟,15400001234', '"张"伟,15400001234'],
    ids=["second cell", "never closed", "text behind"],
)
def test_broken_quoting(tmp_path: Path, broken: str) -> None:
    """Broken quoting costs one line."""
    good = "".join(f"客户{n},1540000{n:04d}\n" for n in range(MOST_LINES * 2))
    records = read(tmp_path, f"姓名,手机\n{good}{broken}\n{good}".encode())
    bad = [record for record in records if record.problem]
    assert [(record.line, record.cells) for record in bad] == [(MOST_LINES * 2 + 2, [broken])]
    assert bad[0].problem is not None
    assert bad[0].problem.why is Why.NOT_CSV
    assert len(records) == MOST_LINES * 4 + 2


def test_quote_open_at_the_end(tmp_path: Path) -> None:
    """A quote open at the end of the file costs one line."""
    records = read(tmp_path, '姓名,手机\n"张伟,15400001234\n李娜,15400005678\n'.encode())
    assert [(record.line, record.problem is None) for record in records] == [(1, True), (2, False), (3, True)]


def test_endless_line(tmp_path: Path) -> None:
    """An endless line costs itself."""
    endless = "x" * (LONGEST_LINE * 3)
    records = read(tmp_path, f"姓名,手机\n{endless}\n李娜,15400005678\n".encode())
    assert [(record.line, record.problem is None) for record in records] == [(1, True), (2, False), (3, True)]


def test_damaged_bytes(tmp_path: Path) -> None:
    """Damaged bytes cost their row."""
    good = "客户,15400001234\n".encode() * 20
    records = read(tmp_path, "姓名,手机\n".encode() + good + b"\xe5\xbc,15400001234\n" + good)
    bad = [record for record in records if record.problem]
    assert [(record.line, record.problem.why) for record in bad if record.problem] == [(22, Why.NOT_TEXT)]
    assert len(records) == 42


def test_zero_byte(tmp_path: Path) -> None:
    """A zero byte reaches the mapping, which refuses the row."""
    assert read(tmp_path, "姓名,手机\n张\0伟,15400001234\n".encode())[1].cells == ["张\0伟", "15400001234"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"\n\r\n  \n", "is empty"),
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"\xd0\xcf\x11\xe0rest", "Excel workbook"),
        (b"%PDF-1.7", "PDF"),
    ],
)
def test_no_csv(tmp_path: Path, content: bytes, said: str) -> None:
    """A file that is no csv is told as such."""
    with pytest.raises(CsvFileError, match=said):
        CsvFile.look_at(written(tmp_path, content))


def test_no_file(tmp_path: Path) -> None:
    """A missing file, a folder and a wrong encoding name are each said to be that."""
    with pytest.raises(CsvFileError, match="cannot be read"):
        CsvFile.look_at(tmp_path / "none.csv")
    with pytest.raises(CsvFileError, match="cannot be read"):
        CsvFile.look_at(tmp_path)
    with pytest.raises(CsvFileError, match="no such encoding"):
        CsvFile.look_at(written(tmp_path, TEXT.encode()), "klingon")
    with pytest.raises(CsvFileError, match="no such encoding"):
        CsvFile.look_at(written(tmp_path, TEXT.encode()), "base64")


def test_named_encoding(tmp_path: Path) -> None:
    """The named encoding wins."""
    assert [record.cells for record in read(tmp_path, TEXT.encode("gbk"), "gbk")] == ROWS


def test_progress(tmp_path: Path) -> None:
    """Progress follows the bytes."""
    source = CsvFile.look_at(written(tmp_path, ("姓名,手机\n" + "张伟,15400001234\n" * 50_000).encode()))
    seen = [0]
    places = [seen[0] for _ in source.records(seen)]
    assert places == sorted(places)
    assert places[-1] == source.size
    assert 0 < places[len(places) // 2] < source.size


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from(list("ab张,;\t|'＂ \0\x1f\u2028\x85")), max_size=30), st.sampled_from(",;\t|"))
def test_a_line_without_quotes_is_cut_as_the_csv_reader_cuts_it(
    tmp_path_factory: pytest.TempPathFactory, line: str, delimiter: str
) -> None:
    """The short cut for such lines makes no other cells of them."""
    path = written(tmp_path_factory.mktemp("plain"), f"a{delimiter}b\r\n{line}\r\n".encode())
    cells = [record.cells for record in CsvFile(path, 1, "utf-8", delimiter).records()][1:]
    wanted = next(csv.reader([f"{line}\r\n"], delimiter=delimiter, strict=True))
    assert cells == ([wanted] if any(wanted) else [])
