"""Who sits where: at the login, after moving, after leaving; and whose a call is that rang or was taken there."""

from dataclasses import dataclass

import pytest

from numbering.number import Kind, Number
from storage.accounts import Accounts, Session, User
from storage.database import Database
from storage.ledger import Ledger
from storage.reads import Reads
from storage.records import Entry
from storage.search import Asker
from storage.seats import LATE, Seats
from telephony.call import Answered, Arrived, CallKey, Confirmed, Ended, Fact, Left, Outcome, Over, Rang

NOW = 1_795_147_200.0
HOUR = 3600.0


@dataclass
class Site:
    """A database with people, and what the clock says."""

    db: Database
    now: float = NOW
    calls: int = 0

    def __post_init__(self) -> None:
        self.accounts, self.reads, self.ledger = Accounts(self.db), Reads(self.db), Ledger(self.db)
        self.seats = Seats(self.db)

    async def hire(self, login: str, extension: str | None) -> User:
        """Somebody new."""
        return await self.accounts.add(
            login, name=login.title(), role="agent", password="x", now=NOW, extension=extension
        )

    async def log_in(self, user: User, extension: str | None = None) -> tuple[str, Session]:
        """Their session, and its token."""
        token = await self.accounts.log_in(user, self.now, 2 * HOUR, extension=extension)
        session = await self.accounts.session(token, self.now)
        assert session is not None
        return token, session

    async def tell(self, *facts: Fact) -> None:
        """The ledger hears; each caller is another one."""
        raw = f"138{self.calls:08}"
        number = Number(raw, f"+86{raw}", None, Kind.MOBILE, None)
        await self.ledger.record_all([Entry(fact, self.now, number, None) for fact in facts])

    async def call(self, agent: str = "1001", *, at: float | None = None) -> CallKey:
        """A call that rang at two phones and was talked at one; a minute long, over by now."""
        self.calls += 1
        key, began = CallKey("main", f"{self.calls}.1"), self.now if at is None else at
        await self.tell(
            Arrived(call=key, at=began, caller="13812345678", caller_name=None, number="4007002505", dialled="x"),
            Confirmed(call=key, at=began),
            Rang(call=key, at=began + 1, agent=agent),
            Rang(call=key, at=began + 1, agent="1009"),
            Answered(call=key, at=began + 2, agent=agent),
            Left(call=key, at=began + 60, agent=agent, why=Over.ENDED),
            Ended(call=key, at=began + 60, outcome=Outcome.ANSWERED),
        )
        return key

    async def owner(self, key: CallKey) -> str | None:
        """Whose ticket the call made."""
        page = await self.reads.call(key)
        assert page is not None
        assert page.item.ticket is not None
        ticket = await self.reads.ticket(page.item.ticket.id)
        return None if ticket is None else ticket.item.ticket.owner


@pytest.fixture
def site(db: Database) -> Site:
    """It."""
    return Site(db)


async def test_a_login_sits_at_the_phone_it_names_else_at_its_own(site: Site) -> None:
    """And at none where it has none."""
    li, boss = await site.hire("li", "1001"), await site.hire("boss", None)
    assert (await site.log_in(li))[1].extension == "1001"
    assert (await site.log_in(li, "1005"))[1].extension == "1005"
    assert (await site.log_in(boss))[1].extension is None
    assert [one.login for one in await site.seats.at("1001", NOW)] == ["li"]
    assert [one.login for one in await site.seats.at("1005", NOW)] == ["li"]


async def test_moving_leaves_the_old_phone(site: Site) -> None:
    """Without logging out; to none, too; a session that has ended moves nowhere."""
    li = await site.hire("li", "1001")
    token, session = await site.log_in(li)
    assert await site.seats.sit(session.id, "li", "1002", NOW + 1)
    moved = await site.accounts.session(token, NOW + 1)
    assert moved is not None
    assert moved.extension == "1002"
    assert await site.seats.at("1001", NOW + 1) == []
    assert [(one.login, one.name, one.began) for one in await site.seats.at("1002", NOW + 1)] == [("li", "Li", NOW + 1)]
    assert await site.seats.sit(session.id, "li", None, NOW + 2)
    assert await site.seats.at("1002", NOW + 2) == []
    await site.accounts.log_out(token)
    assert not await site.seats.sit(session.id, "li", "1003", NOW + 3)
    assert await site.seats.at("1003", NOW + 3) == []
    assert await site.seats.named(NOW) == {"1001", "1002"}
    assert await site.seats.named(NOW + 1) == {"1002"}


async def test_a_seat_lasts_as_long_as_the_login(site: Site) -> None:
    """Used, it lasts on; logged out, switched off or removed, it is over at once."""
    li, wang, chen = await site.hire("li", "1001"), await site.hire("wang", "1001"), await site.hire("chen", "1001")
    token, session = await site.log_in(li)
    await site.log_in(wang)
    await site.log_in(chen)
    assert [one.login for one in await site.seats.at("1001", NOW)] == ["chen", "wang", "li"]
    await site.accounts.seen(session, NOW + HOUR, 2 * HOUR)
    assert [one.login for one in await site.seats.at("1001", NOW + 2.5 * HOUR)] == ["li"]
    assert await site.seats.who("1001", NOW + 2.5 * HOUR, NOW + 2.5 * HOUR) == "li"
    await site.accounts.log_out(token)
    assert [one.login for one in await site.seats.at("1001", NOW)] == ["chen", "wang"]
    await site.accounts.change("chen", NOW, active=False)
    await site.accounts.remove("wang")
    assert await site.seats.at("1001", NOW) == []


async def test_who_sat_down_last_has_the_phone(site: Site) -> None:
    """Then who was there before, then the one whose own it is, unless they sit elsewhere; else nobody can say."""
    li, wang = await site.hire("li", "1001"), await site.hire("wang", "1002")
    assert await site.seats.who("1001", NOW, NOW) == "li", "nobody is logged in: it is li's own"
    assert await site.seats.who("1009", NOW, NOW) is None
    await site.log_in(li)
    site.now += 10
    token, _ = await site.log_in(wang, "1001")
    assert await site.seats.who("1001", site.now, site.now) == "wang"
    assert await site.seats.who("1002", site.now, site.now) is None, "its owner sits elsewhere"
    await site.accounts.log_out(token)
    assert await site.seats.who("1001", site.now, site.now) == "li"
    await site.hire("sun", "1002")
    assert await site.seats.who("1002", site.now, site.now) is None, "one of two: nobody can say which"


async def test_what_is_told_late_goes_by_who_sat_there_then(site: Site) -> None:
    """Facts written hours later, from the PBX's own records: the shift has changed since."""
    li, wang = await site.hire("li", "1001"), await site.hire("wang", "1002")
    token, session = await site.log_in(li)
    await site.accounts.seen(session, NOW + HOUR, 2 * HOUR)
    await site.accounts.log_out(token)
    site.now += 4 * HOUR
    await site.log_in(wang, "1001")
    then = await site.call(at=NOW + HOUR)
    assert await site.reads.concerns(then, Asker("li", None))
    assert not await site.reads.concerns(then, Asker("wang", "1002"))
    soon = await site.call(at=site.now - LATE / 2)
    assert await site.reads.concerns(soon, Asker("wang", "1002")), "clocks differ: what is told at once is of now"


async def test_a_colleagues_calls_stay_theirs_when_the_phone_changes_hands(site: Site) -> None:
    """Calls, today's list and the ticket are whose sat there, for ever; the phone's number gives nobody a right."""
    li, wang = await site.hire("li", "1001"), await site.hire("wang", "1002")
    token, _ = await site.log_in(li)
    hers = await site.call()
    await site.accounts.log_out(token)
    site.now += HOUR
    await site.log_in(wang, "1001")
    his = await site.call()
    for who, seen, unseen in ((Asker("li", "1001"), hers, his), (Asker("wang", "1002"), his, hers)):
        assert await site.reads.concerns(seen, who)
        assert not await site.reads.concerns(unseen, who)
        assert [item.key for item in await site.reads.calls_today(NOW, by=who)] == [seen]
    assert not await site.reads.concerns(hers, Asker("wang", "1001")), "who is given the phone for good gets no past"
    assert await site.owner(hers) == "li"
    assert await site.owner(his) == "wang"


async def test_who_talks_counts_not_who_heard_it_ring(site: Site) -> None:
    """The phone changes hands while it rings: the call and its ticket are of the one who takes it."""
    li, wang = await site.hire("li", "1001"), await site.hire("wang", "1002")
    token, _ = await site.log_in(li)
    key = CallKey("main", "9.1")
    await site.tell(
        Arrived(call=key, at=NOW, caller="13812345678", caller_name=None, number="4007002505", dialled="x"),
        Rang(call=key, at=NOW + 1, agent="1001"),
    )
    site.now += 2
    await site.accounts.log_out(token)
    await site.log_in(wang, "1001")
    await site.tell(Answered(call=key, at=NOW + 2, agent="1001"), Rang(call=key, at=NOW + 3, agent="1001"))
    assert await site.reads.concerns(key, Asker("wang", "1002"))
    assert not await site.reads.concerns(key, Asker("li", "1001"))
    assert await site.owner(key) == "wang"


async def test_calls_of_before_seats_were_kept_go_by_ones_own_phone(site: Site) -> None:
    """Old rows, and phones where nobody sat: the owner's by account, whatever phone a guest sits at."""
    key = await site.call("1001")
    site.now += 100
    await site.hire("li", "1001")
    wang = await site.hire("wang", "1002")
    await site.log_in(wang, "1001")
    assert await site.reads.concerns(key, Asker("li", "1001"))
    assert not await site.reads.concerns(key, Asker("wang", "1002"))


async def test_an_account_that_gets_another_phone_sits_there(site: Site) -> None:
    """Logins at their own phone go along; one that named another stays there."""
    li = await site.hire("li", "1001")
    token, _ = await site.log_in(li)
    guest, _ = await site.log_in(li, "1005")
    await site.accounts.change("li", NOW + 1, extension="1003")
    sessions = [await site.accounts.session(one, NOW + 1) for one in (token, guest)]
    assert [session and session.extension for session in sessions] == ["1003", "1005"]
    assert [one.login for one in await site.seats.at("1003", NOW + 1)] == ["li"]
    assert await site.seats.at("1001", NOW + 1) == []


async def test_two_at_one_phone_may_both_have_talked(site: Site) -> None:
    """Both open the call; not one whose browser was closed long before, nor one who sat down after it began."""
    li, wang, sun = [await site.hire(login, own) for login, own in (("li", "1001"), ("wang", "1002"), ("sun", None))]
    _, left = await site.log_in(sun, "1001")
    await site.accounts.seen(left, NOW + 60, 2 * HOUR)
    site.now += HOUR
    await site.log_in(li)
    await site.log_in(wang, "1001")
    call = await site.call()
    site.now += 30
    await site.log_in(await site.hire("late", None), "1001")
    opens = {login: await site.reads.concerns(call, Asker(login, None)) for login in ("li", "wang", "sun", "late")}
    assert opens == {"li": True, "wang": True, "sun": False, "late": False}
    assert await site.owner(call) == "wang"
