"""All customers looked through for what keeps callers from being known, with flat memory, beside the event loop."""

import asyncio
import csv
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from crm.connector import Connector
from crm.customer import Customer
from crm.quality import Blemish, Fault, blemishes
from screenpop.sheets import safe_cell
from storage.crm_index import CrmIndex
from storage.doubles import Doubles

Pages = AsyncIterator[Sequence[Customer]]
Tell = Callable[[Blemish], None]

CUSTOMERS = "customers"  # how many there are, beside the counts of faults
HEADERS = ("fault", "customer", "name", "number or text", "also of")


async def of_index(index: CrmIndex) -> Pages:
    """The customers of our copy. Raises StorageError."""
    after = ""
    while page := await index.page(after):
        yield page
        after = page[-1].id


async def of_crm(crm: Connector) -> Pages:
    """Those of the CRM itself. Raises CrmError."""
    async for page, _ in crm.load():
        yield page


async def look_through(pages: Pages, longest: Mapping[str, int], tell: Tell) -> dict[str, int]:
    """Tell every blemish; how many there are of each fault, and how many customers."""
    counts: Counter[str] = Counter({CUSTOMERS: 0} | {fault.value: 0 for fault in Fault})

    def note(blemish: Blemish) -> None:
        counts[blemish.fault.value] += 1
        tell(blemish)

    with Doubles() as doubles:
        async for page in pages:
            counts[CUSTOMERS] += len(page)
            await asyncio.to_thread(_page, page, longest, doubles, note)
        await asyncio.to_thread(_shared, doubles, note)
    return dict(counts)


def _page(page: Sequence[Customer], longest: Mapping[str, int], doubles: Doubles, note: Tell) -> None:
    for customer in page:
        for blemish in blemishes(customer, longest):
            note(blemish)
        doubles.add(
            (f"{phone.e164} {phone.ext}" if phone.ext else phone.e164, customer.id)
            for phone in customer.phones
            if phone.e164 is not None
        )


def _shared(doubles: Doubles, note: Tell) -> None:
    for number, (first, *others) in doubles.several():
        note(Blemish(Fault.SHARED, first, "", number, tuple(others)))


class CsvList:
    """Rows in a file that Excel reads: UTF-8 with its mark, and no cell that it would take for a formula."""

    def __init__(self, path: Path, headers: Sequence[str]) -> None:
        self._file = path.open("w", encoding="utf-8-sig", newline="")
        self._writer = csv.writer(self._file)
        self._writer.writerow(headers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _t: type[BaseException] | None, _e: BaseException | None, _tb: TracebackType | None) -> None:
        self._file.close()

    def tell(self, blemish: Blemish) -> None:
        """One row. Raises OSError."""
        self.row((blemish.fault.value, blemish.customer_id, blemish.name, blemish.said, " ".join(blemish.others)))

    def row(self, cells: Sequence[str]) -> None:
        """Any row. Raises OSError."""
        self._writer.writerow([safe_cell(cell) for cell in cells])
