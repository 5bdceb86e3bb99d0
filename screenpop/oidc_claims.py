"""An ID token held against what we asked for: who signed it, for whom, when, and for which login.

Only asymmetric signatures: a token signed with a public key as if it were a password (HS256), or not at all, is none.
Keys come from the provider and are picked by us, never by what the token carries (``jwk``, ``jku``, ``x5u``).
"""

import hmac
from collections.abc import Iterable, Mapping
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
SKEW = 60.0  # seconds that clocks may differ
OLDEST = 600.0  # seconds since it was made: it answers a login that began a moment ago
LARGEST = 16_000  # characters
LONGEST_SUBJECT = 255
_KINDS: dict[str, type[RSAKey | ECKey]] = {"RS": RSAKey, "PS": RSAKey, "ES": ECKey}

Claims = Mapping[str, Any]
Key = RSAKey | ECKey


class TokenError(Exception):
    """The token is not to be believed: the text says why."""


class UnknownKeyError(TokenError):
    """It names a key that we do not have; the provider may have a new one."""


def keys_of(document: Mapping[str, Any]) -> list[Key]:
    """The signing keys of a JWK Set; secrets, encryption keys and what cannot be read are left out."""
    found: list[Key] = []
    told = document.get("keys")
    for raw in told if isinstance(told, list) else ():
        if not isinstance(raw, Mapping) or raw.get("kty") not in ("RSA", "EC") or raw.get("use", "sig") != "sig":
            continue
        try:
            found += [key for key in KeySet.import_key_set({"keys": [dict(raw)]}).keys if isinstance(key, Key)]
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    return found


def verified(token: str, keys: Iterable[Key], *, issuer: str, client: str, nonce: str, now: float) -> Claims:
    """What an ID token says, once all of it holds. Raises TokenError."""
    claims = _signed(token, keys)
    _held_against(claims, issuer, client, nonce)
    _in_time(claims, now)
    return claims


def _signed(token: str, keys: Iterable[Key]) -> Claims:
    if len(token) > LARGEST:
        raise TokenError("it is too large")
    try:
        header = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError, TypeError) as error:
        raise TokenError("it is no signed token") from error
    algorithm, kid = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS:
        raise TokenError(f"it is signed by {algorithm!r}")
    fitting = [
        key for key in keys if isinstance(key, _KINDS[algorithm[:2]]) and (kid is None or key.kid in (None, kid))
    ]
    if not fitting:
        raise UnknownKeyError(f"nobody knows the key {kid!r}")
    for key in fitting:
        try:
            return jwt.decode(token, key, algorithms=[algorithm]).claims
        except (JoseError, ValueError, TypeError):
            continue
    raise UnknownKeyError("none of the provider's keys signed it")


def _held_against(claims: Claims, issuer: str, client: str, nonce: str) -> None:
    if claims.get("iss") != issuer:
        raise TokenError(f"it is from {claims.get('iss')!r}")
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or client not in audiences:
        raise TokenError(f"it is for {audience!r}")
    if claims.get("azp", client if len(audiences) == 1 else None) != client:
        raise TokenError(f"it was given to {claims.get('azp')!r}")
    said = claims.get("nonce")
    if not isinstance(said, str) or not hmac.compare_digest(said.encode("utf-8", "replace"), nonce.encode()):
        raise TokenError("it answers another login")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
        raise TokenError("it names nobody")


def _in_time(claims: Claims, now: float) -> None:
    ends, made = _time(claims, "exp"), _time(claims, "iat")
    if ends + SKEW <= now:
        raise TokenError("it has ended")
    if not now - OLDEST - SKEW <= made <= now + SKEW:
        raise TokenError("it was not made now")
    if claims.get("nbf") is not None and _time(claims, "nbf") > now + SKEW:
        raise TokenError("it does not hold yet")


def _time(claims: Claims, name: str) -> float:
    value = claims.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TokenError(f"its {name} is no time")
    return value
