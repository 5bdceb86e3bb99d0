"""A conversation as a vCon, the IETF's container: draft-ietf-vcon-vcon-core-03 (1 July 2026), syntax 0.4.0. Pure.

Unsigned form. Parties: the caller first, then the agents. A recording is referred to, never put in: by its https
address where there is one, always by name and digests, so that a copy handed over beside it can be proved. The draft
has a version-8 UUID; ours is made of the call's key, so that the same call always has the same.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from transcription.formats import Conversation, Sound, as_object
from transcription.transcript import Speaker

SYNTAX = "0.4.0"
VENDOR = "hotline"
_INCOMPLETE = {"abandoned": "hung-up", "lost": "failed", "voicemail": "voicemail-no-message", "answered": "failed"}
_MEDIA = {
    "audio/wav": "audio/x-wav",
    "audio/mpeg": "audio/x-mp3",
    "audio/mp4": "audio/x-mp4",
}  # as the draft names them


def vcon(told: Conversation, now: datetime, site: str = "hotline") -> str:
    """The vCon as text, made at ``now`` by the house called ``site``."""
    return json.dumps(container(told, now, site), ensure_ascii=False, indent=1) + "\n"


def container(told: Conversation, now: datetime, site: str = "hotline") -> dict[str, Any]:
    """The vCon."""
    dialog = _dialog(told)
    made: dict[str, Any] = {
        "vcon": SYNTAX,
        "uuid": str(_uuid(f"{site}/{told.call}")),
        "created_at": now.isoformat(timespec="seconds"),
    }
    if told.summary is not None and told.summary.issue:
        made["subject"] = told.summary.issue
    if told.masked:
        made["redacted"] = {"uuid": made["uuid"], "type": "pii"}
        made["uuid"] = str(_uuid(f"{site}/{told.call}/masked"))
    analysis = list(_analysis(told, now, list(range(len(dialog)))))
    return {**made, "parties": _parties(told), "dialog": dialog, **({"analysis": analysis} if analysis else {})}


def _parties(told: Conversation) -> list[dict[str, str]]:
    caller: dict[str, str] = {"type": "person"}
    if told.caller and not told.masked:
        caller["tel"] = told.caller
    if told.caller_name:
        caller |= {"name": told.caller_name, "validation": "none"}
    if len(caller) == 1:
        caller["name"] = "anonymous"
    parties = [caller]
    for agent in told.agents:
        name = {"name": told.names[agent], "validation": "none"} if told.names.get(agent) else {}
        parties.append({"type": "person", "uuid": agent, "org": told.line_name or told.line, **name})
    return parties


def _dialog(told: Conversation) -> list[dict[str, Any]]:
    agents = list(range(1, len(told.agents) + 1))
    start = told.began.isoformat(timespec="milliseconds")
    if not told.sounds and told.transcript is None:
        disposition = _INCOMPLETE.get(told.outcome or "", "failed")
        return [{"type": "incomplete", "start": start, "parties": [0, *agents], "disposition": disposition}]
    sounds: Sequence[Sound | None] = told.sounds or (None,)
    dialog = []
    for sound in sounds:
        speaker = None if sound is None else sound.speaker
        parties: list[int] = {None: [0, *agents], Speaker.CALLER: [0], Speaker.AGENT: agents}[speaker]
        one: dict[str, Any] = {"type": "recording", "start": start, "parties": parties}
        seconds = told.seconds if sound is None else sound.seconds
        if seconds is not None:
            one["duration"] = seconds
        if parties[:1] != [0]:
            one["originator"] = 0
        if sound is None:
            one["mediatype"] = "audio/x-wav"  # needless by the draft where there is no content, but readers ask for it
        else:
            one |= {"mediatype": _MEDIA.get(sound.media, sound.media), "filename": sound.name}
            one |= {"url": sound.url} if sound.url else {}
            one["content_hash"] = [_hash("sha512", sound.sha512), _hash("sha256", sound.sha256)]
        dialog.append(one)
    return dialog


def _analysis(told: Conversation, now: datetime, dialog: list[int]) -> Sequence[dict[str, Any]]:
    whole = as_object(told, now)
    made = []
    common = {"dialog": dialog, "mediatype": "application/json", "vendor": VENDOR, "encoding": "json"}
    if told.transcript is not None:
        product = f"{told.transcript.engine} {told.transcript.model}".strip()
        body = {"language": told.transcript.language, "turns": whole["turns"]}
        made.append({"type": "transcript", **common, "product": product, "schema": "hotline-turns-1", "body": body})
    if told.summary is not None:
        body = {**whole["summary"], "corrections": whole["corrections"]}
        made.append({"type": "summary", **common, "schema": "hotline-summary-1", "body": body})
        mood = {"sentiment": told.summary.sentiment.value}
        made.append({"type": "sentiment", **common, "schema": "hotline-sentiment-1", "body": mood})
    return made


def _hash(algorithm: str, digest: str) -> str:
    """As the draft writes a digest: sha512-BASE64URL, without padding."""
    return f"{algorithm}-{base64.urlsafe_b64encode(bytes.fromhex(digest)).decode().rstrip('=')}"


def _uuid(name: str) -> UUID:
    """A version 8 UUID (RFC 9562) of a name."""
    raw = bytearray(hashlib.sha256(name.encode()).digest()[:16])
    raw[6], raw[8] = raw[6] & 0x0F | 0x80, raw[8] & 0x3F | 0x80
    return UUID(bytes=bytes(raw))
