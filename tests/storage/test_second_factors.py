"""Second factors, logins half done, sessions side by side and identities, on either database."""

import asyncio

import pytest

from storage.accounts import Accounts, User
from storage.database import Database
from storage.identities import Identities
from storage.login_steps import LoginSteps
from storage.second_factors import SecondFactors
from storage.sessions import Sessions

NOW = 1_795_147_200.0
HOUR = 3600.0


@pytest.fixture
async def li(db: Database) -> User:
    """An agent."""
    return await Accounts(db).add("li", name="李雷", role="agent", password="$argon2id$x", now=NOW)


async def test_a_secret_waits_until_its_first_code(db: Database, li: User) -> None:
    """Another one may take its place until then, and not afterwards."""
    factors = SecondFactors(db)
    assert await factors.of(li.id) is None
    assert await factors.begin(li.id, "A", NOW)
    assert await factors.begin(li.id, "B", NOW)
    assert await factors.everybody() == set()
    assert await factors.confirm(li.id, 100, ["h1", "h2"], NOW)
    assert not await factors.confirm(li.id, 101, ["h3"], NOW), "once"
    assert not await factors.begin(li.id, "C", NOW)
    factor = await factors.of(li.id)
    assert factor is not None
    assert (factor.secret, factor.confirmed, factor.step) == ("B", NOW, 100)
    assert await factors.everybody() == {li.id}
    assert await factors.codes_left(li.id) == 2
    assert await factors.remove(li.id)
    assert not await factors.remove(li.id)
    assert await factors.codes_left(li.id) == 0


async def test_a_code_is_taken_once_however_many_bring_it_at_once(db: Database, li: User) -> None:
    """One of them wins; none of an earlier step is taken later."""
    factors = SecondFactors(db)
    await factors.begin(li.id, "A", NOW)
    await factors.confirm(li.id, 100, ["h1"], NOW)
    assert sorted(await asyncio.gather(*(factors.take(li.id, 105) for _ in range(5)))) == [False] * 4 + [True]
    assert not await factors.take(li.id, 104)
    assert sorted(await asyncio.gather(*(factors.use_code(li.id, "h1", NOW) for _ in range(5)))) == [False] * 4 + [True]
    assert not await factors.use_code(li.id, "other", NOW)


async def test_no_more_attempts_than_allowed_however_many_at_once(db: Database, li: User) -> None:
    """Counted before they are looked at; after the time one more; a right code forgets them."""
    factors = SecondFactors(db)
    await factors.begin(li.id, "A", NOW)
    tries = await asyncio.gather(*(factors.attempt(li.id, NOW, 3, HOUR) for _ in range(8)))
    assert sum(factor is not None for factor in tries) == 3
    assert await factors.attempt(li.id, NOW + HOUR, 3, HOUR) is not None
    assert await factors.attempt(li.id, NOW + HOUR, 3, HOUR) is None
    assert await factors.take(li.id, 7)
    assert await factors.attempt(li.id, NOW + HOUR, 3, HOUR) is not None
    assert await factors.attempt(0, NOW, 3, HOUR) is None


async def test_a_step_is_worth_so_many_attempts_and_so_long(db: Database, li: User) -> None:
    """And nothing once the password is another, or the account switched off."""
    steps, accounts = LoginSteps(db), Accounts(db)
    token = await steps.begin(li, "1001", "/tickets", NOW + 600, NOW)
    step = await steps.look(token, NOW)
    assert step is not None
    assert (step.user, step.extension, step.back) == (li, "1001", "/tickets")
    assert await steps.look("other", NOW) is None
    assert await steps.look(token, NOW + 600) is None
    tries = await asyncio.gather(*(steps.attempt(token, NOW, 5) for _ in range(8)))
    assert sum(one is not None for one in tries) == 5
    await accounts.change("li", NOW, password="$argon2id$y")
    assert await steps.look(token, NOW) is None
    again = await accounts.find("li")
    assert again is not None
    token = await steps.begin(again, None, "/", NOW + 600, NOW)
    await accounts.change("li", NOW, active=False)
    assert await steps.look(token, NOW) is None


async def test_sessions_end_side_by_side(db: Database, li: User) -> None:
    """One's own only; a new password ends all but one, which has another token then."""
    accounts, sessions = Accounts(db), Sessions(db)
    wang = await accounts.add("wang", name="王芳", role="agent", password="$argon2id$x", now=NOW)
    theirs = await accounts.log_in(wang, NOW, HOUR)
    tokens = [await accounts.log_in(li, NOW + number, HOUR) for number in range(3)]
    mine = await sessions.of(li.id, NOW)
    assert [session.created for session in mine] == [NOW + 2, NOW + 1, NOW]
    assert not await sessions.end(wang.id, mine[0].id)
    assert await sessions.end(li.id, mine[0].id)
    token, ended = await sessions.change_password(li.id, "$argon2id$new", NOW, mine[1].id)
    assert ended == [mine[2].id]
    kept = await accounts.session(token, NOW)
    assert kept is not None
    assert (kept.id, kept.user.password) == (mine[1].id, "$argon2id$new")
    assert [await accounts.session(old, NOW) for old in tokens] == [None] * 3
    assert await sessions.end_others(li.id, None) == [kept.id]
    assert await accounts.session(theirs, NOW) is not None


async def test_an_identity_is_one_person_s_and_a_person_has_one(db: Database, li: User) -> None:
    """Until it is forgotten; it goes with the user, and the ID token with the session."""
    accounts, identities = Accounts(db), Identities(db)
    wang = await accounts.add("wang", name="王芳", role="agent", password="!", now=NOW)
    assert await identities.link(li.id, "https://id", "1", NOW)
    assert not await identities.link(wang.id, "https://id", "1", NOW)
    assert not await identities.link(li.id, "https://id", "2", NOW)
    assert await identities.link(wang.id, "https://other", "1", NOW)
    assert await identities.find("https://id", "1") == li
    assert await identities.find("https://id", "3") is None
    token = await accounts.log_in(li, NOW, HOUR)
    await identities.keep(token, "a.b.c")
    session = await accounts.session(token, NOW)
    assert session is not None
    assert await identities.id_token(session.id) == "a.b.c"
    await accounts.log_out(token)
    assert await identities.id_token(session.id) is None
    assert await identities.unlink(li.id)
    assert not await identities.unlink(li.id)
    await accounts.remove("wang")
    assert await identities.find("https://other", "1") is None
