"""Customers out of a CSV file, batch by batch; a large file is read by a process beside the one that writes.

Reading and writing cost a processor about the same time, and Python gives one process one processor. What passes
between the two are rows ready for the database. Never more than two batches wait, so a million rows take no more
memory than ten thousand. Knows nothing of the command line.
"""

import asyncio
import gc
import multiprocessing
import signal
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from crm.csvfile import CsvFile, CsvFileError, Record
from crm.customer import Customer
from crm.mapping import Columns, RowProblem, map_row
from storage.customer_rows import Prepared

BATCH = 5000  # customers a transaction: a tenth of a second in which a call waits for the disk, more among a million
_MOST_ROWS = 4 * BATCH  # read for one batch: a file of bad rows alone must be told about as well
_BESIDE = 4 << 20  # bytes: a smaller file is read before another process has started


@dataclass(slots=True)
class Batch:
    """What some rows came to: ``kept`` of them are customers, ready to be written.

    ``told`` are problems in the order of the file, with the row's cells where it was refused. ``read``: bytes so far.
    """

    rows: int = 0
    kept: int = 0
    made: Prepared = field(default_factory=lambda: Prepared.of(()))
    told: list[tuple[RowProblem, list[str] | None]] = field(default_factory=list)
    read: int = 0


def columns_of(source: CsvFile) -> Columns:
    """The header. Raises CsvFileError, HeaderError."""
    return _columns(next(source.records(), None))


async def batches(source: CsvFile, area: str | None) -> AsyncGenerator[Batch]:
    """All rows behind the header, in order. ``area``: of numbers written locally. Raises CsvFileError, HeaderError."""
    if source.size < _BESIDE:
        for batch in _batches(source, area):
            yield batch
        return
    ours, theirs = multiprocessing.Pipe(duplex=False)
    # Spawned, not forked: a fork would take the database's threads and connections for its own.
    child = multiprocessing.get_context("spawn").Process(target=_read, args=(theirs, source, area), daemon=True)
    child.start()
    theirs.close()
    loop = asyncio.get_running_loop()
    coming: asyncio.Future[Batch | None] = loop.run_in_executor(None, _next, ours, child)
    try:
        while True:
            found = await asyncio.shield(coming)
            if found is None:
                return
            coming = loop.run_in_executor(None, _next, ours, child)
            yield found
    finally:
        child.kill()
        await asyncio.wait({coming})  # it ends now, with a batch or an error that nobody waits for any more
        coming.exception()
        child.join()
        ours.close()


@contextmanager
def rarely_collected() -> Iterator[None]:
    """Hardly a cycle comes about in rows, and looking for them takes a tenth of the time."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(100_000)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _next(ours: Connection, child: BaseProcess) -> Batch | None:
    """The next batch, None after the last. Raises CsvFileError."""
    try:
        said: Batch | CsvFileError | None = ours.recv()
    except (EOFError, OSError) as error:  # OSError: in the middle of a batch
        child.join()
        raise CsvFileError(f"the process that reads the file has died (exit code {child.exitcode})") from error
    if isinstance(said, CsvFileError):
        raise said
    return said


def _read(theirs: Connection, source: CsvFile, area: str | None) -> None:
    """The process beside: every batch into the pipe, which holds little, then None."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both; the one that writes ends this one
    with rarely_collected():
        try:
            try:
                for batch in _batches(source, area):
                    theirs.send(batch)
                theirs.send(None)
            except CsvFileError as error:
                theirs.send(error)
        except BrokenPipeError:
            return  # nobody wants it any more


def _columns(record: Record | None) -> Columns:
    if record is None or record.problem:
        raise CsvFileError(f"the first row cannot be read: {record.problem if record else 'it is empty'}")
    return Columns.of(record.cells)


def _batches(source: CsvFile, area: str | None) -> Iterator[Batch]:
    seen = [0]
    records = source.records(seen)
    columns = _columns(next(records, None))
    batch, customers = Batch(), list[Customer]()
    for record in records:
        batch.rows += 1
        mapped = record.problem or map_row(columns, record.cells, record.line, area)
        if isinstance(mapped, RowProblem):
            batch.told.append((mapped, record.cells))
        else:
            customers.append(mapped.customer)
            for problem in mapped.problems:
                batch.told.append((problem, None))
        if len(customers) >= BATCH or batch.rows >= _MOST_ROWS:
            yield _whole(batch, customers, seen[0])
            batch, customers = Batch(), []
    if batch.rows:
        yield _whole(batch, customers, seen[0])


def _whole(batch: Batch, customers: list[Customer], read: int) -> Batch:
    batch.kept, batch.made, batch.read = len(customers), Prepared.of(customers), read
    return batch
