"""An ID token is believed when all of it holds, and else not."""

import hmac
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from screenpop.oidc_claims import LARGEST, OLDEST, SKEW, TokenError, UnknownKeyError, keys_of, verified

NOW = 1_795_147_200.0
ISSUER = "https://id.example.cn"
MINE, OTHERS = RSAKey.generate_key(2048, {"kid": "a"}), RSAKey.generate_key(2048, {"kid": "b"})
CURVE = ECKey.generate_key("P-256", {"kid": "c"})
SOUND: dict[str, Any] = {"iss": ISSUER, "aud": "hotline", "sub": "77", "nonce": "n", "exp": NOW + 300, "iat": NOW}


def keys() -> dict[str, Any]:
    """The provider's key set, with things in it that are none for us."""
    return {
        "keys": [
            MINE.as_dict(private=False),
            CURVE.as_dict(private=False),
            {"kty": "oct", "k": "c2VjcmV0", "kid": "s"},
            {"kty": "RSA", "kid": "broken"},
            {**OTHERS.as_dict(private=False), "use": "enc"},
            "nonsense",
        ]
    }


def signed(changes: dict[str, Any] | None = None, key: RSAKey | ECKey = MINE, alg: str = "RS256", **header: Any) -> str:
    """A token; a claim of None is left out."""
    claims = {name: value for name, value in {**SOUND, **(changes or {})}.items() if value is not None}
    head = {name: value for name, value in {"alg": alg, "kid": key.kid, **header}.items() if value is not None}
    return jwt.encode(head, claims, key, algorithms=[alg])


def read(token: str) -> Any:
    """Hold it against what we asked for."""
    return verified(token, keys_of(keys()), issuer=ISSUER, client="hotline", nonce="n", now=NOW)


def test_only_signing_keys_of_a_set_are_taken() -> None:
    """No shared secret, no encryption key, nothing broken."""
    assert [key.kid for key in keys_of(keys())] == ["a", "c"]
    assert keys_of({}) == []


@pytest.mark.parametrize(
    "token",
    [
        signed(),
        signed(key=CURVE, alg="ES256"),
        signed(alg="PS256"),
        signed(kid=None),
        signed({"aud": ["hotline"]}),
        signed({"aud": ["hotline", "other"], "azp": "hotline"}),
        signed({"exp": NOW - SKEW + 1, "iat": NOW - 200}),
        signed({"iat": NOW + SKEW}),
        signed({"nbf": NOW}),
    ],
)
def test_a_sound_token_is_believed(token: str) -> None:
    """Also from a clock that differs by a minute."""
    assert read(token)["sub"] == "77"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"iss": "https://evil.example.cn"}, "from"),
        ({"iss": ISSUER + "/"}, "from"),
        ({"iss": None}, "from"),
        ({"aud": "other"}, "for"),
        ({"aud": []}, "for"),
        ({"aud": None}, "for"),
        ({"aud": {"hotline": 1}}, "for"),
        ({"aud": ["hotline", "other"]}, "given to"),
        ({"aud": ["hotline", "other"], "azp": "other"}, "given to"),
        ({"azp": "other"}, "given to"),
        ({"nonce": "m"}, "another login"),
        ({"nonce": None}, "another login"),
        ({"nonce": 1}, "another login"),
        ({"sub": None}, "nobody"),
        ({"sub": ""}, "nobody"),
        ({"sub": "x" * 256}, "nobody"),
        ({"sub": 77}, "nobody"),
        ({"exp": NOW - SKEW}, "ended"),
        ({"exp": None}, "exp is no time"),
        ({"exp": True}, "exp is no time"),
        ({"iat": NOW + SKEW + 1}, "not made now"),
        ({"iat": NOW - OLDEST - SKEW - 1}, "not made now"),
        ({"iat": None}, "iat is no time"),
        ({"nbf": NOW + SKEW + 1}, "not hold yet"),
    ],
)
def test_a_lie_is_not(changes: dict[str, Any], why: str) -> None:
    """Each claim counts."""
    with pytest.raises(TokenError, match=why):
        read(signed(changes))


def test_signatures_that_are_none() -> None:
    """None at all, the public key as a password, somebody else's key under our key's name, a touched body."""
    none = "eyJhbGciOiJub25lIn0." + signed().split(".")[1] + "."
    with pytest.raises(TokenError, match="signed by 'none'"):
        read(none)
    text = urlsafe_b64encode(b'{"alg":"HS256","kid":"a"}').rstrip(b"=").decode() + "." + signed().split(".")[1]
    password = hmac.digest(MINE.as_pem(private=False), text.encode(), "sha256")
    with pytest.raises(TokenError, match="signed by 'HS256'"):
        read(f"{text}.{urlsafe_b64encode(password).rstrip(b'=').decode()}")
    with pytest.raises(UnknownKeyError):
        read(signed(key=OTHERS))
    with pytest.raises(UnknownKeyError):
        read(signed(key=OTHERS, kid="a"))
    with pytest.raises(TokenError):
        read(signed(key=OTHERS, kid="a", jwk=OTHERS.as_dict(private=False)))
    head, body, tail = signed().split(".")
    with pytest.raises(TokenError):
        read(f"{head}.{body[:-2]}AA.{tail}")


@given(st.text(max_size=200))
def test_any_text_is_refused_in_order(text: str) -> None:
    """No other error than the one that is caught."""
    with pytest.raises(TokenError):
        read(text)


@pytest.mark.parametrize("text", ["a.b.c", "..", "e30.e30.", "x" * (LARGEST + 1)])
def test_what_is_no_token_is_refused(text: str) -> None:
    """Shapes that look like one."""
    with pytest.raises(TokenError):
        read(text)


@pytest.mark.parametrize("keys", [None, 5, "RSA", {"kty": "RSA"}, [5, None, {"kty": ["RSA"]}, {"kty": "RSA", "n": 7}]])
def test_keys_that_are_none_are_left_out(keys: object) -> None:
    """Whatever a provider publishes in their place."""
    assert keys_of({"keys": keys}) == []
