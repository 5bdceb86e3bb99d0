"""An identity provider of our own on this machine that says whatever a test wants."""

from base64 import b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "hotline", "s3 cret:+"
CLAIMS = {"sub": "77", "preferred_username": "li", "name": "李 明"}


@cache
def first() -> RSAKey:
    """Made once for all tests: it takes a while."""
    return RSAKey.generate_key(2048, {"kid": "first"})


@dataclass
class Liar:
    """What it says. ``claims`` over the true ones of an ID token (None: left out); ``document`` over its discovery."""

    now: float
    claims: dict[str, Any] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] | None = None
    key: RSAKey = field(default_factory=first)
    shown: list[RSAKey] = field(default_factory=list)
    issuer: str = ""
    nonce: str = ""
    challenge: str = ""
    redirect: str = ""
    status: int = 200
    asked: list[str] = field(default_factory=list)

    def app(self) -> web.Application:
        """Discovery, keys, tokens, userinfo."""
        app = web.Application()
        app.router.add_get("/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/keys", self._keys)
        app.router.add_post("/token", self._token)
        app.router.add_get("/userinfo", self._userinfo)
        return app

    def begun(self, location: str) -> str:
        """A browser arrives here; what it brings is remembered. The state to go back with."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        self.nonce, self.challenge, self.redirect = asked["nonce"], asked["code_challenge"], asked["redirect_uri"]
        return asked["state"]

    async def _discovery(self, _request: web.Request) -> web.Response:
        self.asked.append("discovery")
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize?tenant=1",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "end_session_endpoint": f"{self.issuer}/bye",
        }
        return web.json_response({**told, **self.document})

    async def _keys(self, _request: web.Request) -> web.Response:
        self.asked.append("keys")
        return web.json_response({"keys": [key.as_dict(private=False) for key in self.shown or [self.key]]})

    async def _token(self, request: web.Request) -> web.Response:
        self.asked.append("token")
        sent = await request.post()
        proof = urlsafe_b64encode(sha256(str(sent["code_verifier"]).encode()).digest()).rstrip(b"=").decode()
        pair = b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()
        right = proof == self.challenge and sent["redirect_uri"] == self.redirect and sent["code"] == "the-code"
        if not right or pair != f"{CLIENT}:s3+cret%3A%2B":
            return web.json_response({"error": "invalid_grant"}, status=400)
        if self.status != 200:
            return web.json_response({"error": "server_error"}, status=self.status)
        true = {
            "iss": self.issuer,
            "aud": CLIENT,
            "nonce": self.nonce,
            "exp": self.now + 300,
            "iat": self.now,
            **CLAIMS,
        }
        claims = {name: value for name, value in {**true, **self.claims}.items() if value is not None}
        token = jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)
        return web.json_response({"id_token": token, "access_token": "letmein", "token_type": "Bearer"})

    async def _userinfo(self, request: web.Request) -> web.Response:
        self.asked.append("userinfo")
        assert request.headers["Authorization"] == "Bearer letmein"
        return web.json_response(self.userinfo or {"sub": "77"})
