"""Master.csv is read from its end, as far as is needed, whatever callers and logrotate did to it."""

import asyncio
import gzip
import io
import os
import time
from datetime import UTC
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

import pytest

from telephony import cdr_file
from telephony.cdr import RecordsError
from telephony.cdr_calls import past_calls
from telephony.cdr_file import CsvRecords, records_backwards
from telephony.cdr_rows import from_csv
from telephony.lines import Lines
from telephony.phones import Phones

RECORDS = Path(__file__).parent / "records"
BEGAN = 1_795_300_000


def record(number: int, *, caller: str = "13812345678", at: int | None = None, seconds: int = 20) -> str:
    """One call's record; call number n arrives n minutes after BEGAN."""
    start = BEGAN + number * 60 if at is None else at
    begin, end = (time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(start + more)) for more in (0, seconds))
    return (
        f'"","{caller}","4007002505","in-400",""""" <{caller}>","PJSIP/carrier-{number:08x}","PJSIP/1001-{number:08x}",'
        f'"Queue","support,trk,,,30","{begin}","{begin}","{end}",{seconds},{seconds},"ANSWERED","DOCUMENTATION",'
        f'"{start}.{number}","did=4007002505","","{start}.{number}",{number}\n'
    )


def write(path: Path, numbers: range, *, last_ended: float | None = None) -> None:
    """A file of these calls' records, last written to when the last of them ended."""
    path.write_text("".join(record(number) for number in numbers))
    ended = BEGAN + numbers[-1] * 60 + 20 if last_ended is None else last_ended
    os.utime(path, (ended, ended))


async def numbers(records: CsvRecords, since: float, call: str | None = None) -> list[int]:
    """The sequence numbers of what is found, in order."""
    return sorted(row.sequence for row in await records.rows(since, call))


async def test_only_what_began_since_then(tmp_path: Path) -> None:
    """And of one call only its own."""
    write(tmp_path / "Master.csv", range(100))
    records = CsvRecords(tmp_path / "Master.csv", UTC)
    assert await numbers(records, BEGAN + 95 * 60) == [95, 96, 97, 98, 99]
    assert await numbers(records, BEGAN, f"{BEGAN + 42 * 60}.42") == [42]


async def test_half_a_last_line_is_left_for_the_next_time(tmp_path: Path) -> None:
    """Asterisk was seen in the middle of writing."""
    path = tmp_path / "Master.csv"
    whole = record(1)
    for cut in (1, len(whole) // 2, len(whole) - 1):
        path.write_text(record(0) + whole[:cut])
        assert await numbers(CsvRecords(path, UTC), BEGAN) == [0]
    path.write_text(record(0) + whole)
    assert await numbers(CsvRecords(path, UTC), BEGAN) == [0, 1]


async def test_a_rotated_file_is_read_on_in(tmp_path: Path) -> None:
    """Master.csv.1 and a packed one, but none that was put aside before the time asked for."""
    write(tmp_path / "Master.csv", range(200, 210))
    write(tmp_path / "Master.csv.1", range(100, 200))
    packed = tmp_path / "Master.csv-20261121.gz"
    packed.write_bytes(gzip.compress("".join(record(n) for n in range(50, 100)).encode()))
    ended = BEGAN + 100 * 60
    os.utime(packed, (ended, ended))
    old = tmp_path / "Master.csv.9"
    write(old, range(3), last_ended=BEGAN - 10 * 86400)
    old.chmod(0)
    assert await numbers(CsvRecords(tmp_path / "Master.csv", UTC), BEGAN + 90 * 60) == list(range(90, 210))


async def test_a_file_just_rotated_may_be_empty(tmp_path: Path) -> None:
    """What is asked for stands in the one before."""
    (tmp_path / "Master.csv").touch()
    write(tmp_path / "Master.csv.1", range(5))
    assert await numbers(CsvRecords(tmp_path / "Master.csv", UTC), BEGAN) == [0, 1, 2, 3, 4]


class _Counting(io.BytesIO):
    """Counts what is read of it."""

    count = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        _Counting.count += len(data)
        return data


async def test_a_long_file_is_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten minutes of half a year of calls: as many blocks as the longest call may take, no more."""
    content = "".join(record(number) for number in range(40_000)).encode()  # four weeks, a call a minute
    path = tmp_path / "Master.csv"
    path.touch()

    def opened(_path: Path) -> BinaryIO:
        return _Counting(content)

    monkeypatch.setattr(cdr_file, "_open", opened)
    assert await numbers(CsvRecords(path, UTC), BEGAN + 39_990 * 60) == list(range(39_990, 40_000))
    half_a_day = 12 * 60 * len(record(30_000))
    assert _Counting.count < half_a_day + 3 * cdr_file.BLOCK < len(content) / 20


async def test_a_question_has_its_bounds(tmp_path: Path) -> None:
    """However long the gap: so many bytes and no more, the latest of them."""
    write(tmp_path / "Master.csv", range(1000))
    found = await numbers(CsvRecords(tmp_path / "Master.csv", UTC, most=10 * len(record(500))), BEGAN)
    assert 9 <= len(found) <= 12
    assert found[-1] == 999


async def test_forged_records_are_found_out_and_their_callers_calls_told(tmp_path: Path) -> None:
    """As the lab's Asterisk wrote them: numbers with line breaks, a header block in one."""
    path = tmp_path / "Master.csv"
    path.write_bytes((RECORDS / "hostile.csv").read_bytes())
    rows = await CsvRecords(path, UTC).rows(0)
    lines = Lines({"4007002505": [], "4008001234": []})
    calls = [call for call in past_calls(rows, Phones(["PJSIP/carrier"], {}), lines) if call.number]
    assert [(call.uniqueid, call.caller, call.number, call.agents) for call in calls] == [
        ("1795307605.0", None, "4008001234", ("1001",)),
        ("1795307608.4", "13812345678", "4008001234", ("1001",)),
        ("1795307610.8", "13900000001", "4008001234", ("1001",)),
        ("1795307614.12", None, "4008001234", ("1001",)),
        ("1795307618.17", "13900000001", "4008001234", ("1001",)),
    ]


@pytest.mark.parametrize("block", [7, 64, 1000])
def test_blocks_may_end_anywhere(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a character, in a line end, in the middle of a forged line."""
    monkeypatch.setattr(cdr_file, "BLOCK", block)
    content = (RECORDS / "hostile.csv").read_bytes() + record(1, caller="13812345678").encode()
    monkeypatch.undo()
    whole = list(records_backwards(io.BytesIO(content)))
    monkeypatch.setattr(cdr_file, "BLOCK", block)
    assert list(records_backwards(io.BytesIO(content))) == whole
    assert len(whole) == content.count(b',"DOCUMENTATION",')


def test_garbage_costs_itself_only() -> None:
    """A line without end, bytes that are no text, a record cut by a full disk: the records around them are found."""
    parts = [record(0).encode(), b"\x00\xff\xfe" * 50_000, b"\n", record(1).encode()[:100], b"\n", record(2).encode()]
    found = [from_csv(text, UTC) for text in records_backwards(io.BytesIO(b"".join([*parts, b"\n\n\r\n"])))]
    assert [row.sequence for row in found if row] == [2, 0]


async def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    """No file; a file whose records have no Uniqueid."""
    with pytest.raises(RecordsError, match="No such file"):
        await CsvRecords(tmp_path / "Master.csv", UTC).rows(0)
    path = tmp_path / "plain.csv"
    path.write_text(record(1).rsplit(f',"{BEGAN + 60}.1"', 2)[0] + "\n")
    with pytest.raises(RecordsError, match="loguniqueid = yes"):
        await CsvRecords(path, UTC).rows(0)


@pytest.mark.parametrize(("zone", "off"), [("Asia/Shanghai", "-8"), ("America/New_York", r"\+5")])
async def test_a_wrong_zone_is_found_out(zone: str, off: str, tmp_path: Path) -> None:
    """Otherwise nothing would ever be found, and nobody would know why. The Uniqueids tell."""
    write(tmp_path / "Master.csv", range(100))
    with pytest.raises(RecordsError, match=rf"its times are {off} h off: set timezone"):
        await CsvRecords(tmp_path / "Master.csv", ZoneInfo(zone)).rows(BEGAN + 95 * 60)


async def test_it_may_grow_while_it_is_read(tmp_path: Path) -> None:
    """Asterisk writes on; what is asked for next time is there."""
    path = tmp_path / "Master.csv"
    write(path, range(50))
    records = CsvRecords(path, UTC)
    with path.open("a") as file:
        for number in range(50, 60):
            file.write(record(number))
            file.flush()
            found, again = await asyncio.gather(numbers(records, BEGAN), numbers(records, BEGAN))
            assert found == again == list(range(number + 1))
