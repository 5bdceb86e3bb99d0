"""The part of callers.py with a real Odoo behind: the CRM lab's, as the tests use it."""

import time
from collections.abc import Sequence

from bench.took import Took
from crm.guarded import Guarded
from hotline.clock import now
from hotline.crm_settings import Crm
from hotline.index import Index
from hotline.lookup import Lookup
from hotline.settings import Settings
from numbering.identify import identify
from storage.database import Database
from telephony.call import CallKey
from tests.crm_real.odoo_lab import NoOdooError, OdooLab, running
from tests.crm_real.odoo_world import opened
from tickets.ticket import Ticket

BUDGET = 0.8  # seconds, as in the service
ROUNDS = 3


async def measure(url: str, rings: int) -> None:
    """Odoo's customers copied into the database at ``url``; cards without the copy and with it."""
    try:
        with running() as lab:
            await _measure(lab, url, rings)
    except NoOdooError as error:
        print(f"odoo: left out: {error}")


async def _measure(lab: OdooLab, url: str, rings: int) -> None:
    numbers = [row["mobile_e164"] for row in lab.labdata().rows(1000) if row["mobile_e164"]][:rings]
    connector, db = Guarded(await opened(lab), now), Database.open(url)
    try:
        index = Index(db=db, connector=connector, clock=now, settings=Settings(crm=Crm(connector="odoo", area="0755")))
        begun = time.perf_counter()
        await index.round()
        took, told = time.perf_counter() - begun, index.told
        print(
            f"Odoo's customers copied: {told.count} in {took:.1f} s, {told.rate or 0:.0f} a second as Odoo serves them"
        )
        plain = Lookup(connector, _none_open, BUDGET, "0755")
        copy = Lookup(connector, _none_open, BUDGET, "0755", copy=index.copy, clock=now)
        alone = Took("card from Odoo alone: who it is"), Took("card from Odoo alone: complete", BUDGET)
        both = Took("card with the copy: who it is", 0.05), Took("card with the copy: complete", BUDGET)
        for number in range(ROUNDS):
            some = numbers[number::ROUNDS]
            await _cards(plain, some, *alone)
            await _cards(copy, some, *both)
        for each in (*alone, *both):
            print(each.line())
    finally:
        await connector.close()
        await db.close()


async def _cards(lookup: Lookup, numbers: Sequence[str], first: Took, whole: Took) -> None:
    """From the number to the first customers on the card, and to the last that is added to it."""
    named, complete = [], []
    for count, e164 in enumerate(numbers):
        begun, name, last = time.perf_counter(), None, 0.0
        async for filled in lookup.answers(CallKey("bench", f"{count}.0"), identify(e164)):
            last = time.perf_counter() - begun
            if name is None and filled.match.candidates:
                name = last
        assert name is not None, f"Odoo does not know {e164}"
        named.append(name)
        complete.append(last)
    first.rounds.append(named)
    whole.rounds.append(complete)


async def _none_open(_customer: str | None, _e164: str | None) -> Sequence[Ticket]:
    return ()
