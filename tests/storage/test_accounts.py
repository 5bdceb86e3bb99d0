"""People who log in, their sessions, failed logins."""

import pytest
from sqlalchemy import select

from storage.account_tables import sessions, users
from storage.accounts import AccountError, Accounts, User
from storage.database import Database
from storage.sessions import Sessions

NOW = 1_795_147_200.0
HOUR = 3600.0


@pytest.fixture
def accounts(db: Database) -> Accounts:
    """The accounts on either database."""
    return Accounts(db)


async def li(accounts: Accounts, **changes: str | bool) -> User:
    """An agent."""
    options = {"name": "李雷", "role": "agent", "password": "$argon2id$x", "extension": "1001", **changes}
    return await accounts.add("Li", now=NOW, **options)  # type: ignore[arg-type]


async def test_a_login_is_one_whatever_its_case(accounts: Accounts) -> None:
    """Kept in lower case, found in any, taken once."""
    made = await li(accounts)
    assert (made.login, made.name, made.role, made.extension) == ("li", "李雷", "agent", "1001")
    assert (made.active, made.demo) == (True, False)
    assert await accounts.find(" LI ") == made
    assert await accounts.find("wang") is None
    with pytest.raises(AccountError, match="already"):
        await accounts.add("LI", name="x", role="agent", password="y", now=NOW)


@pytest.mark.parametrize("login", ["", " ", "a b", "a" * 65, "-x", "李雷", "a\nb", "a/b"])
async def test_a_login_that_nobody_could_type_is_refused(accounts: Accounts, login: str) -> None:
    """Nothing is kept."""
    with pytest.raises(AccountError, match="a login has"):
        await accounts.add(login, name="x", role="agent", password="y", now=NOW)
    assert await accounts.everybody() == []


async def test_a_token_opens_its_session_until_it_ends(accounts: Accounts) -> None:
    """By time, by logging out; a wrong token opens nothing."""
    user = await li(accounts)
    token = await accounts.log_in(user, NOW, HOUR, ip="192.0.2.7", browser="x" * 999)
    session = await accounts.session(token, NOW + HOUR - 1)
    assert session is not None
    assert (session.user, session.ip, session.created, session.expires) == (user, "192.0.2.7", NOW, NOW + HOUR)
    assert len(session.browser or "") == 300
    assert await accounts.session(token, NOW + HOUR) is None
    assert await accounts.session(token[:-1] + "!", NOW) is None
    await accounts.seen(session, NOW + HOUR - 1, HOUR)
    assert await accounts.session(token, NOW + HOUR + 1) is not None
    await accounts.log_out(token)
    assert await accounts.session(token, NOW + 1) is None


async def test_who_reads_the_database_can_log_in_as_nobody(db: Database, accounts: Accounts) -> None:
    """Tokens are kept hashed, passwords as they come: hashed."""
    token = await accounts.log_in(await li(accounts), NOW, HOUR)
    async with db.read() as conn:
        kept = (await conn.execute(select(sessions.c.token))).scalar_one()
        password = (await conn.execute(select(users.c.password))).scalar_one()
    assert token not in kept
    assert len(kept) == 64
    assert password == "$argon2id$x"


@pytest.mark.parametrize(
    ("changes", "stays"),
    [
        ({"name": "李"}, True),
        ({"extension": None}, True),
        ({"password": "$argon2id$new"}, False),
        ({"role": "admin"}, False),
        ({"active": False}, False),
    ],
)
async def test_what_changes_somebodys_rights_ends_their_sessions(
    accounts: Accounts, changes: dict[str, str | bool | None], *, stays: bool
) -> None:
    """A new name does not."""
    token = await accounts.log_in(await li(accounts), NOW, HOUR)
    changed = await accounts.change("LI", NOW + 1, **changes)
    assert all(getattr(changed, name) == value for name, value in changes.items())
    assert (await accounts.session(token, NOW + 2) is not None) == stays


async def test_who_may_not_log_in_has_no_session(accounts: Accounts) -> None:
    """Even one whose password was looked at in the moment of being switched off, or of getting another one."""
    user = await li(accounts)
    await accounts.change("li", NOW, active=False)
    with pytest.raises(AccountError):
        await accounts.log_in(user, NOW, HOUR)
    await accounts.change("li", NOW, active=True)
    token = await accounts.log_in(user, NOW, HOUR)
    await Sessions(accounts.db).change_password(user.id, "another hash", NOW, 0)
    with pytest.raises(AccountError):
        await accounts.log_in(user, NOW, HOUR)
    assert await accounts.session(token, NOW) is None


async def test_nobody_is_changed_or_removed_by_mistake(accounts: Accounts) -> None:
    """Unknown people and unknown fields are told."""
    user = await li(accounts)
    with pytest.raises(AccountError, match="no user"):
        await accounts.change("wang", NOW, name="王芳")
    with pytest.raises(TypeError, match="demo"):
        await accounts.change("li", NOW, demo=True)
    assert not await accounts.remove("wang")
    token = await accounts.log_in(user, NOW, HOUR)
    assert await accounts.remove("LI")
    assert await accounts.session(token, NOW) is None
    with pytest.raises(AccountError):
        await accounts.log_in(user, NOW, HOUR)


async def test_the_demos_people_go_together(accounts: Accounts) -> None:
    """And nobody else."""
    await li(accounts)
    for login in ("demo-1001", "demo-boss"):
        await accounts.add(login, name=login, role="agent", password="x", now=NOW, demo=True)
    assert await accounts.remove_demo() == 2
    assert [user.login for user in await accounts.everybody()] == ["li"]


async def test_failed_logins_are_counted_by_login_and_by_address(accounts: Accounts) -> None:
    """Since a moment; forgiven after a success; old ones of everybody forgotten with it."""
    for login, ip, at in (("li", "192.0.2.1", 10.0), ("LI ", "192.0.2.2", 20.0), ("wang", "192.0.2.1", 30.0)):
        await accounts.failed(login, ip, NOW + at)
    assert await accounts.failures("li", "192.0.2.1", NOW) == (2, 2)
    assert await accounts.failures("li", "192.0.2.1", NOW + 10) == (1, 1)
    assert await accounts.failures("x" * 500, None, NOW) == (0, 0)
    await accounts.failed("x" * 500, None, NOW)
    await accounts.forgive("Li", NOW + 5)
    assert await accounts.failures("li", "192.0.2.1", NOW) == (0, 1)
    await accounts.forgive("li", NOW + 31)
    assert await accounts.failures("wang", "192.0.2.1", NOW) == (0, 0)


async def test_ended_sessions_do_not_pile_up(db: Database, accounts: Accounts) -> None:
    """Each login sweeps."""
    user = await li(accounts)
    for day in range(5):
        await accounts.log_in(user, NOW + day * 86400, HOUR)
    async with db.read() as conn:
        assert len((await conn.execute(select(sessions.c.id))).all()) == 1
