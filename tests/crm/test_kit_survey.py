"""The kit's checks of seeing many at once find the faults they are there for."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from crm.connector import Of, Seen, Status
from crm.customer import Customer
from crm.kit import PlainWorld
from crm.kit_survey import CHECKS
from crm.kit_world import Check
from tests.crm.papercrm import PaperCrm

NAMED = {check.name: check for check in CHECKS}


class World(PlainWorld):
    """A CRM on paper."""

    def __init__(self) -> None:
        self.connector = PaperCrm()

    async def seed(self, name: str, phones: Sequence[str]) -> str:
        """Somebody; the numbers do not matter here."""
        new = self.connector.new_id()
        self.connector.customers[new] = Customer(new, name, note=" ".join(phones))
        return new


def twice(seen: Seen) -> list[Seen]:
    """Says what was not asked for."""
    return [seen, replace(seen, ref=replace(seen.ref, id="0"))]


def wordless(seen: Seen) -> list[Seen]:
    """Leaves out what the note says."""
    return [replace(seen, text="来电")]


def elsewhere(seen: Seen) -> list[Seen]:
    """Names another customer."""
    return [replace(seen, customer_id="0")]


def stale(seen: Seen) -> list[Seen]:
    """Tells of a ticket how it began."""
    assert seen.item is not None
    return [replace(seen, item=replace(seen.item, status=Status.ACCEPTED))]


def forgetful(_: Seen) -> list[Seen]:
    """Sees nothing."""
    return []


@pytest.mark.parametrize("check", CHECKS, ids=str)
async def test_a_sound_connector_passes(check: Check) -> None:
    """Both."""
    await check(World())


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("notes are seen as they stand", twice),
        ("notes are seen as they stand", wordless),
        ("notes are seen as they stand", elsewhere),
        ("notes are seen as they stand", forgetful),
        ("tickets are seen as they stand", twice),
        ("tickets are seen as they stand", stale),
        ("tickets are seen as they stand", forgetful),
    ],
)
async def test_a_planted_fault_is_found(
    name: str, spoil: Callable[[Seen], list[Seen]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the check that speaks of it."""
    world = World()
    survey = world.connector.survey

    async def spoilt(of: Of, ids: Sequence[str]) -> Sequence[Seen]:
        return [each for seen in await survey(of, ids) for each in spoil(seen)]

    monkeypatch.setattr(world.connector, "survey", spoilt)
    with pytest.raises(AssertionError):
        await NAMED[name](world)
