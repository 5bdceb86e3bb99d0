"""The demo's customers import without a fault, and the stories' callers are among them as each story says."""

import csv

from crm.customer import Customer
from crm.mapping import Columns, Mapped, map_row
from hotline.demo import AGENTS, CUSTOMERS, LINES
from hotline.demo.story import load_stories
from numbering.identify import identify


def _customers() -> list[Customer]:
    with CUSTOMERS.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    columns = Columns.of(header)
    assert columns.ignored == ()
    found = []
    for line, row in enumerate(rows, 2):
        mapped = map_row(columns, row, line)
        assert isinstance(mapped, Mapped)
        assert mapped.problems == ()
        found.append(mapped.customer)
    return found


CALLERS = {story.name: identify(story.caller).e164 for story in load_stories()}


def _owners(story: str) -> list[Customer]:
    return [c for c in _customers() if any(phone.e164 == CALLERS[story] is not None for phone in c.phones)]


def test_thirty_customers_with_ids_of_their_own() -> None:
    """No id twice."""
    assert len({customer.id for customer in _customers()}) == 30


def test_the_known_callers_are_known() -> None:
    """With the level that their story tells."""
    assert [customer.vip for customer in _owners("repair")] == [False]
    assert [customer.vip for customer in _owners("vip_parcel")] == [True]
    assert [customer.level for customer in _owners("complaint")] == ["银卡"]
    assert len(_owners("repair")[0].purchases) >= 3


def test_two_customers_share_a_mobile_and_two_a_switchboard() -> None:
    """For these the service must offer both and guess none."""
    assert len(_owners("bad_line")) == 2
    assert sorted(phone.ext for customer in _owners("invoice") for phone in customer.phones if phone.ext) == [
        "8012",
        "8020",
    ]


def test_strangers_are_strangers() -> None:
    """One unknown number, one withheld."""
    assert _owners("gives_up") == []
    assert CALLERS["wrong_number"] is None


def test_every_story_rings_a_line_we_have() -> None:
    """And the four agents have names of their own."""
    numbers = {line.number for line in LINES}
    assert {story.number for story in load_stories()} <= numbers
    assert len({agent.name for agent in AGENTS}) == len(AGENTS) == 4
