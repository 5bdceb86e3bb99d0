"""What programs log in with: kept as a hash, of somebody, until an end."""

import pytest
from sqlalchemy import select

from storage.accounts import Accounts
from storage.database import Database
from storage.token_tables import tokens
from storage.tokens import MOST, PREFIX, TokenError, Tokens

NOW = 1_795_147_200.0
HOUR = 3600.0


@pytest.fixture
async def kept(db: Database) -> Tokens:
    """Tokens on either database, of two people."""
    for login, extension in (("li", "1001"), ("wang", "1002")):
        await Accounts(db).add(login, name=login, role="agent", password="x", now=NOW, extension=extension)
    return Tokens(db)


async def test_a_token_is_kept_as_a_hash_and_holds_until_its_end(kept: Tokens, db: Database) -> None:
    """Who reads the database can ask for nothing; a moment after its end it opens nothing."""
    token, secret = await kept.make("li", " 报表\n程序 ", ["tickets", "calls"], by="li", now=NOW, expires=NOW + HOUR)
    assert secret.startswith(PREFIX)
    assert (token.login, token.name, sorted(token.scopes)) == ("li", "报表 程序", ["calls", "tickets"])
    async with db.read() as conn:
        row = (await conn.execute(select(tokens))).one()
    assert not [value for value in row if isinstance(value, str) and secret.removeprefix(PREFIX) in value]
    held = await kept.holder(secret, NOW + HOUR - 1)
    assert held is not None
    assert (held.token, held.user.login, held.extension) == (token, "li", "1001")
    assert await kept.holder(secret, NOW + HOUR) is None
    assert await kept.holder(secret[:-1], NOW) is None
    assert not token.live(NOW + HOUR)


async def test_it_sits_where_its_owner_sits(kept: Tokens, db: Database) -> None:
    """Hot-desking: the phone of the owner's live login; their own when they are not there."""
    accounts = Accounts(db)
    _, secret = await kept.make("li", "x", ["desk"], by="li", now=NOW, expires=None)
    li = await accounts.find("li")
    assert li is not None
    session = await accounts.session(await accounts.log_in(li, NOW, HOUR), NOW)
    assert session is not None
    assert await accounts.seats.sit(session.id, "li", "1009", NOW)
    held, later = await kept.holder(secret, NOW + 1), await kept.holder(secret, NOW + HOUR)
    assert held is not None
    assert later is not None
    assert (held.extension, later.extension) == ("1009", "1001")


async def test_it_ends_with_its_owner_or_by_a_word(kept: Tokens, db: Database) -> None:
    """Revoked once, by whom is kept; switched off and removed people have none."""
    accounts = Accounts(db)
    first, one = await kept.make("li", "one", ["calls"], by="li", now=NOW, expires=None)
    second, two = await kept.make("li", "two", ["calls"], by="cli", now=NOW, expires=None)
    assert await kept.revoke(first.id, by="wang", now=NOW + 1, login="wang") is None
    assert await kept.revoke(first.id, by="li", now=NOW + 1, login="li") == first
    assert await kept.revoke(first.id, by="li", now=NOW + 2) is None
    assert await kept.holder(one, NOW + 3) is None
    assert [(token.id, token.revoked) for token in await kept.of("li")] == [(second.id, None), (first.id, NOW + 1)]
    await kept.used(second.id, NOW + 4, "10.0.0.7")
    held = await kept.holder(two, NOW + 5)
    assert held is not None
    assert (held.token.used, held.token.used_ip) == (NOW + 4, "10.0.0.7")
    await accounts.change("li", NOW, active=False)
    assert await kept.holder(two, NOW + 5) is None
    await accounts.remove("li")
    assert await kept.of() == []


async def test_what_cannot_be_made(kept: Tokens) -> None:
    """Of nobody, without a name, too many."""
    with pytest.raises(TokenError, match="no user"):
        await kept.make("nobody", "x", ["calls"], by="cli", now=NOW, expires=None)
    with pytest.raises(TokenError, match="name"):
        await kept.make("li", " \n", ["calls"], by="li", now=NOW, expires=None)
    for number in range(MOST):
        await kept.make("li", str(number), ["calls"], by="li", now=NOW, expires=NOW + HOUR)
    with pytest.raises(TokenError, match="revoke"):
        await kept.make("li", "more", ["calls"], by="li", now=NOW, expires=None)
    assert (await kept.make("wang", "more", ["calls"], by="wang", now=NOW, expires=None))[0].login == "wang"
    assert (await kept.make("li", "later", ["calls"], by="li", now=NOW + HOUR, expires=None))[0].name == "later"
