"""The copy of a real Odoo's customers: all of them, what changes, who is merged or deleted; a caller known from it."""

import time
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest

from crm.guarded import Guarded
from crm.kit import Fresh
from crm.matching import decide
from hotline.clock import now
from hotline.crm_settings import Crm
from hotline.index import Index
from hotline.lookup import Lookup
from hotline.settings import Settings
from numbering.identify import identify
from screenpop.card import Filled
from storage.crm_index_turn import want
from storage.database import Database
from telephony.call import CallKey
from tests.crm_real.odoo_lab import NoOdooError, OdooLab, running
from tests.crm_real.odoo_world import Screen, opened
from tickets.ticket import Ticket

pytestmark = [pytest.mark.crm, pytest.mark.timeout(600)]
SETTINGS = Settings(crm=Crm(connector="odoo", area="0755"))
RINGS = 60


@pytest.fixture(scope="module")
def lab() -> Iterator[OdooLab]:
    """The Odoo."""
    try:
        with running() as found:
            yield found
    except NoOdooError as error:
        pytest.skip(str(error))


@pytest.fixture
async def screen(lab: OdooLab) -> AsyncIterator[Screen]:
    """Somebody who works in Odoo."""
    admin = Screen(lab)
    yield admin
    await admin.close()


@pytest.fixture
async def crm(lab: OdooLab) -> AsyncIterator[Guarded]:
    """The guarded connector."""
    connector = Guarded(await opened(lab), now)
    yield connector
    await connector.close()


@pytest.fixture
async def index(crm: Guarded, sqlite_url: str) -> AsyncIterator[Index]:
    """A copy, loaded."""
    db = Database.open(sqlite_url)
    index = Index(db=db, connector=crm, clock=now, settings=SETTINGS)
    assert await index.round() == SETTINGS.crm.poll_every, index.told.error
    yield index
    await db.close()


async def names(index: Index, mobile: str) -> list[str]:
    """Who has this number in the copy."""
    return [customer.name for customer in (await index.copy.find(identify(mobile))).customers]


async def nothing_open(_customer: str | None, _e164: str | None) -> Sequence[Ticket]:
    """No tickets of ours."""
    return ()


async def test_the_labelled_customers_are_in_the_copy(lab: OdooLab, index: Index) -> None:
    """A thousand, typed in nine spellings: at least 99 % are found, each by the whole number."""
    told = index.told
    print(f"\nOdoo index load: {told.count} customers, {told.rate or 0:.0f} a second")  # noqa: T201 - the figure
    wanted = [row for row in lab.labdata().rows(1000) if row["mobile_e164"]]
    missed = []
    for row in wanted:
        number = identify(row["mobile_e164"])
        match = decide(number, (await index.copy.find(number)).customers)
        if row["name"] not in {candidate.customer.name for candidate in match.candidates}:
            missed.append(row["mobile_e164"])
    assert len(missed) <= len(wanted) * 0.01, f"{len(missed)} of {len(wanted)}: {missed[:10]}"


async def test_changes_merges_and_deletions_reach_the_copy(screen: Screen, index: Index) -> None:
    """The first two by the feed, within one round; a deletion, that Odoo tells nobody, by the comparison."""
    fresh = Fresh()
    phones = [fresh.mobile() for _ in range(4)]
    one, two, three = [
        await screen.create("res.partner", name=f"甲{number}", phone=phone)
        for number, phone in enumerate(phones[:3], 1)
    ]
    await index.round()
    assert [await names(index, phone) for phone in phones[:3]] == [["甲1"], ["甲2"], ["甲3"]]
    await screen.write("res.partner", one, phone=phones[3])
    await index.round()
    assert [await names(index, phone) for phone in (phones[0], phones[3])] == [[], ["甲1"]]
    wizard = await screen.create(
        "base.partner.merge.automatic.wizard", state="selection", partner_ids=[[6, 0, [one, two]]], dst_partner_id=two
    )
    await screen.do("base.partner.merge.automatic.wizard", "action_merge", [wizard])
    await index.round()
    assert list(await index.copy.kept([str(one), str(two)])) == [str(two)]
    await screen.do("res.partner", "unlink", [three])
    await index.round()
    assert await names(index, phones[2]) == ["甲3"]
    await want(index.copy)
    await index.round()
    assert await names(index, phones[2]) == []


async def test_a_caller_is_known_from_the_copy_before_odoo_answers(lab: OdooLab, crm: Guarded, index: Index) -> None:
    """The time to the first name and to all that Odoo has, told; both are the same person."""
    lookup = Lookup(crm, nothing_open, 5, "0755", copy=index.copy, clock=now)
    rows = [row for row in lab.labdata().rows(1000) if row["mobile_e164"]][:RINGS]
    first, whole = [], []
    for count, row in enumerate(rows):
        begun, told = time.perf_counter(), list[Filled]()
        async for filled in lookup.answers(CallKey("hq", f"{count}.0"), identify(row["mobile_e164"])):
            if not told:
                first.append(time.perf_counter() - begun)
            told.append(filled)
        whole.append(time.perf_counter() - begun)
        assert row["name"] in {candidate.customer.name for candidate in told[0].match.candidates}
        assert told[-1].problem is None
        assert {each.customer.id for each in told[0].match.candidates} == {
            each.customer.id for each in told[-1].match.candidates
        }
        if told[-1].match.sure is not None:
            assert told[-1].items is not None
            assert told[-1].links
    for name, took in (("first name", sorted(first)), ("whole card and what was learnt", sorted(whole))):
        print(f"{name}: p50 {took[len(took) // 2] * 1000:.0f} ms, worst {took[-1] * 1000:.0f} ms")  # noqa: T201
