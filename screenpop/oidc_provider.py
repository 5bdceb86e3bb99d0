"""The identity provider: where it is, what its keys are, and a code turned into who logged in.

Everything is asked by https (http on this machine only), followed nowhere else, and bounded in size and time. What it
says of itself is kept for an hour; its keys are asked for again when a token names one that we do not have.
"""

import asyncio
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import quote_plus, urlencode, urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout

from screenpop.oidc_claims import Claims, Key, TokenError, UnknownKeyError, keys_of, verified
from screenpop.ways_back import trusted

KEPT = 3600.0  # seconds
AGAIN = 30.0  # between two looks for a key that was not there
TIMEOUT = 8.0
LARGEST = 512 * 1024
OK = 200


class ProviderError(Exception):
    """The provider does not answer, or not as OpenID Connect has it: the text says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What was agreed with the provider, and what its word is worth here.

    ``login_claim``: names the account. ``role_claim``: holds what ``roles`` make a role of, the first that fits; None:
    roles are given here. ``create``: accounts are made at the first login, with ``role`` where no claim tells it.
    ``url``: where people reach us (None: as their browser says).
    """

    issuer: str
    client: str
    secret: str | None
    name: str = ""
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    login_claim: str = "preferred_username"
    role_claim: str | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    role: str = "agent"
    create: bool = False
    url: str | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    document: Mapping[str, Any]
    at: float


class Provider:
    """One identity provider. ``clock``: epoch seconds."""

    def __init__(self, terms: Terms, clock: Callable[[], float]) -> None:
        self.terms = terms
        self._clock = clock
        self._http: ClientSession | None = None
        self._said: _Known | None = None
        self._keys: tuple[list[Key], float] | None = None
        self._turn = asyncio.Lock()

    async def close(self) -> None:
        """Give up connections."""
        if self._http is not None:
            await self._http.close()

    async def entrance(self, *, state: str, nonce: str, verifier: str, redirect: str) -> str:
        """Where a browser begins a login. Raises ProviderError."""
        document = await self._document()
        asked = {
            "response_type": "code",
            "client_id": self.terms.client,
            "redirect_uri": redirect,
            "scope": " ".join(self.terms.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return _joined(document["authorization_endpoint"], asked)

    async def who(self, code: str, *, nonce: str, verifier: str, redirect: str) -> tuple[Claims, str]:
        """Who logged in, and the ID token that says so. Raises ProviderError, TokenError."""
        document = await self._document()
        answer = await self._exchange(document, code, verifier, redirect)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise ProviderError("it gave no ID token")
        claims = await self._verified(token, nonce)
        if self._wanted() - set(claims):
            claims = {**await self._more(document, answer, claims), **claims}
        return claims, token

    async def exit(self, id_token: str, back: str) -> str | None:
        """Where a browser logs out there, too; None where it has no such place. Raises ProviderError."""
        place = (await self._document()).get("end_session_endpoint")
        if place is None:
            return None
        return _joined(
            place, {"id_token_hint": id_token, "client_id": self.terms.client, "post_logout_redirect_uri": back}
        )

    async def names_itself(self) -> bool:
        """Whether its answers carry its name (RFC 9207). Raises ProviderError."""
        return (await self._document()).get("authorization_response_iss_parameter_supported") is True

    def _wanted(self) -> set[str]:
        return {name for name in (self.terms.login_claim, self.terms.role_claim) if name is not None}

    async def _verified(self, token: str, nonce: str) -> Claims:
        try:
            return self._held(token, await self._signing(), nonce)
        except UnknownKeyError:
            return self._held(token, await self._signing(anew=True), nonce)

    def _held(self, token: str, keys: list[Key], nonce: str) -> Claims:
        terms = self.terms
        return verified(token, keys, issuer=terms.issuer, client=terms.client, nonce=nonce, now=self._clock())

    async def _exchange(
        self, document: Mapping[str, Any], code: str, verifier: str, redirect: str
    ) -> Mapping[str, Any]:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier}
        headers = {}
        ways = document.get("token_endpoint_auth_methods_supported")
        if self.terms.secret is None:
            form["client_id"] = self.terms.client
        elif not isinstance(ways, list) or not ways or "client_secret_basic" in ways:
            pair = f"{quote_plus(self.terms.client)}:{quote_plus(self.terms.secret)}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": self.terms.client, "client_secret": self.terms.secret}
        return await self._ask("POST", document["token_endpoint"], data=form, headers=headers)

    async def _more(self, document: Mapping[str, Any], answer: Mapping[str, Any], claims: Claims) -> Claims:
        """What the token left out and the provider tells beside it, of the same person."""
        place, access = document.get("userinfo_endpoint"), answer.get("access_token")
        if place is None or not isinstance(access, str) or not access.isascii() or not access.isprintable():
            return {}
        more = await self._ask("GET", place, headers={"Authorization": f"Bearer {access}"})
        if more.get("sub") != claims["sub"]:
            raise TokenError("what is told beside it is of somebody else")
        return more

    async def _signing(self, *, anew: bool = False) -> list[Key]:
        async with self._turn:
            keys, at = self._keys or ([], 0.0)
            age = self._clock() - at
            if self._keys is None or age > KEPT or (anew and age > AGAIN):
                place = (await self._document_now())["jwks_uri"]
                keys = keys_of(await self._ask("GET", place))
                self._keys = keys, self._clock()
            return keys

    async def _document(self) -> Mapping[str, Any]:
        async with self._turn:
            return await self._document_now()

    async def _document_now(self) -> Mapping[str, Any]:
        if self._said is None or self._clock() - self._said.at > KEPT:
            issuer = self.terms.issuer
            document = await self._ask("GET", issuer.rstrip("/") + "/.well-known/openid-configuration")
            if document.get("issuer") != issuer:
                raise ProviderError(f"it says that it is {document.get('issuer')!r}, not {issuer!r}")
            needed = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            for name in (*needed, "userinfo_endpoint", "end_session_endpoint"):
                if name in needed or document.get(name) is not None:
                    _safe(name, document.get(name), issuer)
            self._said = _Known(document, self._clock())
        return self._said.document

    async def _ask(self, method: str, place: str, **more: Any) -> Mapping[str, Any]:
        if self._http is None:
            self._http = ClientSession(timeout=ClientTimeout(total=TIMEOUT), headers={"Accept": "application/json"})
        try:
            async with self._http.request(method, place, allow_redirects=False, **more) as response:
                raw = await response.content.read(LARGEST + 1)
                while len(raw) <= LARGEST and (piece := await response.content.read(LARGEST)):
                    raw += piece
                status = response.status
        except (ClientError, TimeoutError, ValueError) as error:
            raise ProviderError(f"{place} does not answer: {error or type(error).__name__}") from error
        try:
            told = json.loads(raw[: LARGEST + 1])
        except (ValueError, RecursionError) as error:
            raise ProviderError(f"{place} answered {status} without JSON") from error
        if status != OK or not isinstance(told, dict):
            why = told.get("error") if isinstance(told, dict) else None
            raise ProviderError(f"{place} answered {status}: {why!r}")
        return told


def _safe(name: str, address: object, issuer: str) -> None:
    if not isinstance(address, str) or not address.isprintable() or not trusted(address):
        raise ProviderError(f"its {name} is no https address")
    if issuer.startswith("https:") and not address.startswith("https:"):
        raise ProviderError(f"its {name} is no https address")


def _joined(address: str, query: Mapping[str, str]) -> str:
    return address + ("&" if urlsplit(address).query else "?") + urlencode(query)
