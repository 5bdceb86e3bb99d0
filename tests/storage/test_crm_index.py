"""The copy of a CRM's customers: everybody who may be the caller, never older than what was known, one worker at it."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.customer import Contract, Customer, Phone, Purchase
from crm.index_keys import keys_for, keys_of
from crm.matching import decide
from numbering.identify import identify
from storage.crm_index import Copy, CrmIndex
from storage.crm_index_rows import News, Written
from storage.crm_index_state import Told
from storage.crm_index_turn import LostTurnError, Turn, want
from storage.customer_json import card_text, customer_of, details_text
from storage.database import Database

NOON = 1_795_147_200.0
ZHANG = Customer(
    "7",
    "张伟",
    (Phone("154 0000 1234", "+8615400001234"), Phone("010-88886666转8012", "+861088886666", "8012")),
    company="云杉科技",
    level="金卡",
    vip=True,
    owner="李娜",
    note="怕狗",
)
BOUGHT = replace(
    ZHANG,
    purchases=(Purchase("空调", date(2026, 3, 4), Decimal("2999.00"), "A4"), Purchase("旧货")),
    contracts=(Contract("延保", "W-1", date(2027, 1, 1)), Contract("维护")),
)
LI = Customer("8", "李娜", (Phone("010 8888 6666", "+861088886666"),))


def names(copy: Copy) -> list[str]:
    """Who was found."""
    return [customer.name for customer in copy.customers]


@pytest.fixture
async def index(db: Database) -> CrmIndex:
    """An empty copy."""
    return CrmIndex(db, "odoo")


@pytest.fixture
async def turn(index: CrmIndex) -> Turn:
    """The turn, taken."""
    mine = Turn(index, "a")
    assert await mine.take(NOON) is not None
    return mine


async def test_a_customer_comes_back_whole(index: CrmIndex, turn: Turn) -> None:
    """All that the CRM said, and when it did."""
    assert await turn.step(Told(), [News("7", BOUGHT, NOON)], NOON) == Written(added=1)
    assert await index.find(identify("+86 154 0000 1234")) == Copy((BOUGHT,), NOON, whole=False)
    assert await index.kept(["7", "8"]) == {"7": BOUGHT}
    assert list(await index.page()) == [BOUGHT]
    assert list(await index.page("7")) == []
    assert (await index.sizes()).numbers == 2


async def test_everybody_on_a_switchboard_is_found(index: CrmIndex, turn: Turn) -> None:
    """With whatever extension; the decision is matching's."""
    await turn.step(Told(), [News("7", ZHANG, NOON), News("8", LI, NOON)], NOON)
    assert names(await index.find(identify("010-88886666"))) == ["张伟", "李娜"]
    assert names(await index.find(identify("021-88886666"))) == []
    assert names(await index.find(identify("anonymous"))) == []


async def test_a_number_without_a_city_is_found_on_every_line(index: CrmIndex, turn: Turn) -> None:
    """Whose it is depends on the line that rings: matching says so, with that line's area."""
    local = Customer("9", "本地", (Phone("8888 6666", None),))
    await turn.step(Told(), [News("9", local, NOON)], NOON)
    for area in ("0755", "020"):
        caller = identify("88886666", area)
        assert decide(caller, (await index.find(caller)).customers, area).sure == local
        assert decide(caller, (await index.find(caller)).customers, "0571").sure is None


async def test_a_listing_does_not_take_away_what_a_look_brought(index: CrmIndex, turn: Turn) -> None:
    """A list of everybody has no purchases; the card has them all the same."""
    await index.learn([News("7", BOUGHT, NOON, looked=True)])
    assert await turn.step(Told(), [News("7", ZHANG, NOON + 1, load=1)], NOON) == Written()
    assert (await index.kept(["7"]))["7"] == BOUGHT
    renamed = replace(ZHANG, name="张大伟", level=None)
    await turn.step(Told(), [News("7", renamed, NOON + 2, load=2)], NOON)
    kept = (await index.kept(["7"]))["7"]
    assert (kept.name, kept.level, kept.purchases) == ("张大伟", None, BOUGHT.purchases)


async def test_what_only_the_firm_has_stays_as_well(index: CrmIndex, turn: Turn) -> None:
    """A look finds the firm's level; the next list, which has none, is no news."""
    listed = replace(ZHANG, level=None, owner=None)
    await turn.step(Told(), [News("7", listed, NOON)], NOON)
    await index.learn([News("7", ZHANG, NOON + 1, looked=True)])
    assert (await index.kept(["7"]))["7"] == ZHANG
    assert await turn.step(Told(), [News("7", listed, NOON + 2)], NOON) == Written()
    assert (await index.kept(["7"]))["7"] == ZHANG


async def test_a_look_in_a_hurry_takes_no_purchases_away(index: CrmIndex, turn: Turn) -> None:
    """Purchases that only came late are not none; a look that had the time says whether there are any."""
    await turn.step(Told(), [News("7", BOUGHT, NOON)], NOON)
    await index.learn([News("7", ZHANG, NOON + 1, looked=True, bare=True)])
    assert (await index.kept(["7"]))["7"] == BOUGHT
    await index.learn([News("7", ZHANG, NOON + 2, looked=True)])
    assert (await index.kept(["7"]))["7"] == ZHANG


async def test_an_older_answer_undoes_nothing(index: CrmIndex, turn: Turn) -> None:
    """A page that was asked for before somebody changed his number, or was deleted, comes late."""
    moved = replace(LI, phones=(Phone("13900000000", "+8613900000000"),))
    await index.learn([News("8", moved, NOON + 5), News("7", None, NOON + 5, merged="8")])
    written = await turn.step(Told(), [News("8", LI, NOON), News("7", ZHANG, NOON)], NOON)
    assert written == Written()
    assert names(await index.find(identify("13900000000"))) == ["李娜"]
    assert names(await index.find(identify("010-88886666"))) == []


async def test_who_is_gone_is_found_no_more(index: CrmIndex, turn: Turn) -> None:
    """And is there again when the CRM says so."""
    await turn.step(Told(), [News("7", ZHANG, NOON)], NOON)
    assert await turn.step(Told(), [News("7", None, NOON + 1)], NOON) == Written(gone=1)
    assert names(await index.find(identify("15400001234"))) == []
    assert (await index.sizes()).customers == 0
    assert await turn.step(Told(), [News("7", ZHANG, NOON + 2)], NOON) == Written(added=1)
    assert names(await index.find(identify("15400001234"))) == ["张伟"]


async def test_a_load_drops_what_it_did_not_list(index: CrmIndex, turn: Turn) -> None:
    """But not who was learnt of while it ran."""
    await turn.step(Told(load=1), [News("7", ZHANG, NOON, load=1), News("8", LI, NOON, load=1)], NOON)
    second = Told(load=2, began=NOON + 10)
    await turn.begin(second, NOON + 10)
    await turn.step(second, [News("8", LI, NOON + 11, load=2)], NOON)
    await index.learn([News("9", replace(LI, id="9"), NOON + 12)])
    assert await turn.vanished(2, NOON + 10) == 1
    await turn.end(replace(second, ended=NOON + 13, whole=NOON + 10, dropped=1), NOON, drop=True)
    assert sorted(customer.id for customer in await index.page()) == ["8", "9"]
    assert names(await index.find(identify("15400001234"))) == []
    copy = await index.find(identify("01088886666"))
    assert (copy.at, copy.whole) == (NOON + 11, True)
    told = await index.told()
    await turn.step(replace(told, fed=NOON + 60), [], NOON)
    assert (await index.find(identify("01088886666"))).at == NOON + 60  # nothing changed until then


async def test_one_has_the_turn(index: CrmIndex) -> None:
    """Another gets it when it is let go, or not renewed; who lost it writes nothing any more."""
    a, b = Turn(index, "a", 30), Turn(index, "b", 30)
    assert await a.take(NOON) is not None
    assert await b.take(NOON + 29) is None
    await a.renew(NOON + 29)
    assert await b.take(NOON + 58) is None
    await a.release()
    assert await b.take(NOON + 58) is not None
    assert await a.take(NOON + 89) is not None
    with pytest.raises(LostTurnError):
        await b.step(Told(), [News("7", ZHANG, NOON)], NOON + 89)
    assert names(await index.find(identify("15400001234"))) == []


async def test_a_load_asked_for_is_known_to_whoever_takes_the_turn(index: CrmIndex) -> None:
    """Once: the load that begins then is the one."""
    await want(index)
    turn = Turn(index, "a")
    claim = await turn.take(NOON)
    assert claim is not None
    assert claim.wanted
    await turn.begin(Told(load=1, began=NOON), NOON)
    claim = await turn.take(NOON)
    assert claim is not None
    assert not claim.wanted


async def test_another_crms_customers_are_nobody(db: Database, index: CrmIndex, turn: Turn) -> None:
    """From the moment the settings name another one; they go with its first turn."""
    await turn.step(Told(load=1, whole=NOON), [News("7", ZHANG, NOON)], NOON)
    other = CrmIndex(db, "rt")
    caller = identify("15400001234")
    assert await other.find(caller) == Copy()
    assert await other.learn([News("8", LI, NOON)]) == Written()
    assert await Turn(other, "b").take(NOON + 60) is not None
    assert await other.told() == Told()
    assert await index.find(caller) == Copy()
    with pytest.raises(LostTurnError):
        await turn.step(Told(), [], NOON)


async def test_strange_text_is_kept(index: CrmIndex, turn: Turn) -> None:
    """Half characters, NUL and overlong extensions stop no load; an id that is none is left out."""
    odd = Customer("1", "张\0\ud800", (Phone("010-88886666", "+861088886666", "1" * 40),))
    news = [News("1", odd, NOON), News("", ZHANG, NOON), News("x" * 200, ZHANG, NOON), News("a\0b", ZHANG, NOON)]
    assert await turn.step(Told(), news, NOON) == Written(added=1)
    assert len((await index.find(identify("01088886666"))).customers) == 1


def test_how_far_it_is_is_read_by_another_version() -> None:
    """What a later one told besides is left out, what an earlier one did not tell is as new."""
    told = Told(load=3, began=NOON, count=7, spent=2.0, place="7")
    assert Told.read(told.text()) == told
    assert Told.read('{"load": 2, "of_tomorrow": 1}') == Told(load=2)
    assert told.loading
    assert told.rate == 3.5


_TEXT = st.text(max_size=8)
_MAYBE = st.none() | _TEXT
_DAY = st.none() | st.dates()


@given(
    st.builds(
        Customer,
        id=st.just("1"),
        name=_TEXT,
        phones=st.lists(st.builds(Phone, _TEXT, _MAYBE, _MAYBE), max_size=2).map(tuple),
        company=_MAYBE,
        level=st.none() | st.text(min_size=1, max_size=4),
        vip=st.booleans(),
        owner=st.none() | st.text(min_size=1, max_size=4),
        purchases=st.lists(
            st.builds(Purchase, _TEXT, _DAY, st.none() | st.decimals(allow_nan=False, allow_infinity=False), _MAYBE),
            max_size=2,
        ).map(tuple),
        contracts=st.lists(st.builds(Contract, _TEXT, _MAYBE, _DAY), max_size=2).map(tuple),
        note=_MAYBE,
    )
)
@settings(max_examples=60, deadline=None)
def test_any_customer_is_read_as_it_was_written(customer: Customer) -> None:
    """Word for word."""
    assert customer_of("1", card_text(customer), details_text(customer)) == customer


_SPELT = st.sampled_from(
    [
        "13800138000",
        "+86 138-0013-8000",
        "０１０８８８８６６６６",
        "010-88886666转801",
        "88886666",
        "8888666",
        "5551234-8",
    ]
)


@given(raw=_SPELT, caller=_SPELT, area=st.sampled_from(["010", "0755", "0730"]), theirs=st.none() | st.just("0755"))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whom_matching_would_accept_is_found(raw: str, caller: str, area: str, theirs: str | None) -> None:
    """Whatever the spelling and whatever line it rings on: the keys overlook nobody."""
    number, phone = identify(caller, area), Phone(raw, identify(raw, theirs).e164)
    if decide(number, [Customer("1", "甲", (phone,))], theirs or area).candidates:
        assert {key for key, _ in keys_of(phone, theirs)} & set(keys_for(number))
