"""A webhook that tells of calls: CloudEvents 1.0 as JSON, signed as Standard Webhooks has it. Pure.

The id is made of the site, the call and what happened: the same each time it is sent. The signature covers id, time of
sending and body; with several secrets there are several signatures, so that a receiver can change to a new one.
"""

import hmac
import json
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from crm.push import Happening, Message

TYPE = "hotline.call"  # .arrived, .answered and so on
PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64  # bytes of a secret


class SecretError(ValueError):
    """The secret cannot be used; the text says what one looks like."""


class Webhook:
    """Tells a webhook. ``secret``: ``whsec_`` and base64 of 24 to 64 bytes; several, parted by spaces, sign all.

    Raises SecretError.
    """

    def __init__(self, secret: str) -> None:
        self._keys = [_key(text) for text in secret.split()]
        if not self._keys:
            raise SecretError("an empty secret signs nothing")

    def name_of(self, happening: Happening) -> str | None:
        """Everything is told."""
        return happening.name

    def message(self, happening: Happening, now: float) -> Message:
        """The event, signed at ``now``."""
        message_id = id_of(happening)
        body = json.dumps(event_of(happening), ensure_ascii=False, separators=(",", ":")).encode()
        headers = {
            "Content-Type": "application/cloudevents+json; charset=utf-8",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now)),
            "webhook-signature": sign(self._keys, message_id, int(now), body),
        }
        return Message(body, headers)

    def heard_before(self, happening: Happening, status: int, text: str, *, doubtful: bool) -> bool:  # noqa: ARG002
        """A receiver that knows the id says 200."""
        return False


def id_of(happening: Happening) -> str:
    """``msg_`` and 32 hexadecimal digits; no full stop in it, for that parts what is signed."""
    told = f"{happening.call.site}\0{happening.call.call}\0{happening.name}"
    return f"msg_{sha256(told.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def event_of(happening: Happening) -> dict[str, Any]:
    """The CloudEvent. What is not known is null in ``data``, and left out outside it, as CloudEvents wants it."""
    call = happening.call
    event = {
        "specversion": "1.0",
        "id": id_of(happening),
        "source": "/hotline",
        "type": f"{TYPE}.{happening.what}",
        "subject": call.call,
        "time": None if happening.at is None else _iso(happening.at),
        "datacontenttype": "application/json",
        "data": {
            "site": call.site,
            "call": call.call,
            "line": call.line,
            "caller": call.caller,
            "arrived": _iso(call.arrived),
            "customer": None if call.customer is None else _customer(call.customer, vip=call.vip),
            "ticket": call.ticket,
            "link": call.link,
            "agent": None if happening.agent is None else _agent(happening),
            "queue": happening.queue,
            "outcome": happening.ending,
            **happening.detail,
        },
    }
    return {name: value for name, value in event.items() if value is not None}


def sign(keys: Sequence[bytes], message_id: str, at: int, body: bytes) -> str:
    """The value of ``webhook-signature``."""
    signed = f"{message_id}.{at}.".encode() + body
    return " ".join(f"v1,{b64encode(hmac.digest(key, signed, 'sha256')).decode()}" for key in keys)


def _key(text: str) -> bytes:
    told = f"a webhook's secret is {PREFIX} and base64 of {SHORTEST} to {LONGEST} random bytes"
    if not text.startswith(PREFIX):
        raise SecretError(told)
    try:
        key = b64decode(text.removeprefix(PREFIX), validate=True)
    except (Error, ValueError) as error:
        raise SecretError(told) from error
    if not SHORTEST <= len(key) <= LONGEST:
        raise SecretError(f"{told}, not {len(key)}")
    return key


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def _customer(customer: tuple[str, str], *, vip: bool) -> Mapping[str, Any]:
    return {"id": customer[0], "name": customer[1], "vip": vip}


def _agent(happening: Happening) -> Mapping[str, Any]:
    return {"extension": happening.agent, "name": happening.agent_name}
