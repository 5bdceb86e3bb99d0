"""Whose account a provider's word opens: the one linked to that identity, the one of that name, or a new one.

A name can change hands at the provider; an identity (its subject) cannot. So the first login links them, and from then
on only that identity opens the account.
"""

from screenpop.accounts import NO_PASSWORD, From
from screenpop.deps import Deps
from screenpop.oidc_claims import Claims
from screenpop.oidc_provider import Terms
from storage.accounts import LOGIN, AccountError, User
from storage.audit import What
from storage.identities import Identities

LONGEST_NAME = 100
PROVIDER = "oidc"  # who changed what, in the audit trail


class StrangerError(Exception):
    """The provider knows somebody, and nobody here is that: the text says why."""


async def person(deps: Deps, terms: Terms, claims: Claims, come: From) -> User:
    """The user that claims are of, with the role they give. Raises StrangerError; it is on record."""
    try:
        return await _person(deps, terms, claims)
    except StrangerError as error:
        named = str(claims.get(terms.login_claim, ""))[:64]
        await deps.audit.add(named, What.LOGIN_REFUSED, named, deps.now(), {"provider": str(error)}, ip=come.ip)
        raise


async def _person(deps: Deps, terms: Terms, claims: Claims) -> User:
    identities, subject = Identities(deps.accounts.db), claims["sub"]
    role = _role(terms, claims)
    user = await identities.find(terms.issuer, subject)
    if user is None:
        user = await _named(deps, terms, claims, role)
        if not user.active:  # nor linked: who has that name at the provider now may be somebody else
            raise StrangerError("the account is switched off")
        if not await identities.link(user.id, terms.issuer, subject, deps.now()):
            raise StrangerError("the account of that name belongs to another identity")
        detail = {"issuer": terms.issuer, "subject": subject}
        await deps.audit.add(PROVIDER, What.IDENTITY_LINKED, user.login, deps.now(), detail)
    if not user.active:
        raise StrangerError("the account is switched off")
    if role is not None and role != user.role:
        told = {"role": role, "was": user.role}
        user = await deps.accounts.change(user.login, deps.now(), role=role)
        await deps.audit.add(PROVIDER, What.USER_CHANGED, user.login, deps.now(), told)
    return user


async def _named(deps: Deps, terms: Terms, claims: Claims, role: str | None) -> User:
    login = claims.get(terms.login_claim)
    if not isinstance(login, str) or not LOGIN.fullmatch(login.strip().lower()):
        raise StrangerError(f"its {terms.login_claim} is no login: {str(login)[:64]!r}")
    if terms.login_claim == "email" and claims.get("email_verified") is not True:
        raise StrangerError("its e-mail address is not verified")
    user = await deps.accounts.find(login)
    if user is not None:
        if user.demo:
            raise StrangerError("the account of that name is a demo's")
        return user
    if not terms.create:
        raise StrangerError("there is no account of that name")
    name = claims.get("name")
    shown = name.strip()[:LONGEST_NAME] if isinstance(name, str) and name.strip() else login
    given = role or terms.role
    try:
        user = await deps.accounts.add(login, name=shown, role=given, password=NO_PASSWORD, now=deps.now())
    except AccountError as error:
        raise StrangerError(str(error)) from error
    await deps.audit.add(PROVIDER, What.USER_ADDED, user.login, deps.now(), {"role": given})
    return user


def _role(terms: Terms, claims: Claims) -> str | None:
    """The role that claims give; None where roles are given here. Raises StrangerError: they give none."""
    if terms.role_claim is None:
        return None
    said = claims.get(terms.role_claim)
    held = list(said) if isinstance(said, list | dict) else [said]  # some providers give an object named by the roles
    for name, role in terms.roles.items():
        if name in held:
            return role
    raise StrangerError(f"its {terms.role_claim} gives no role here")
