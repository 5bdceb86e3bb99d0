"""The job ``polish``: a language model of one's own says the call in better words, after the rules have summed it up.

Off unless ``[transcription.llm]`` names a server, and only that address is ever asked. What was said leaves masked;
what comes back is kept only where the turns bear it out (:mod:`transcription.polish`).
"""

import asyncio
import json
import os
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import structlog

from hotline.call_board import CallBoard
from hotline.settings import Settings
from hotline.speech_settings import LanguageModel
from storage.drain import Handler
from storage.fanout import Fanout
from storage.jobs import HopelessError, Job, JobError, Wait
from storage.ledger import Ledger
from storage.pages import CallPage
from storage.reads import Reads
from storage.records import NewJob
from transcription.polish import Sentence, believed, questions, read, shown
from transcription.transcript import Transcript

POLISH = "polish"
LARGEST = 1_000_000  # bytes of an answer
TRIES = 3  # an answer that is none of the form is asked for so often
_BUSY = frozenset({408, 409, 425, 429})
_SAID = 200  # characters of a refusal that are told

log = structlog.get_logger()


class _FormlessError(Exception):
    """The model answered something else than was asked for."""


@dataclass(frozen=True, slots=True)
class Polishing:
    """Asks the model. ``zones``: lines that are not in the site's time zone."""

    server: LanguageModel
    ledger: Ledger
    board: CallBoard
    clock: Callable[[], float]
    zone: ZoneInfo
    zones: Mapping[str, ZoneInfo]

    @property
    def handlers(self) -> dict[str, Handler]:
        """Handlers by kind of job, as the outbox takes them."""
        return {POLISH: self.polish}

    @staticmethod
    def follow(page: CallPage, transcript: Transcript) -> Sequence[NewJob]:
        """The job that a new transcript leads to."""
        call = str(page.item.key)
        return [NewJob(POLISH, call, {"call": call}, again=True)] if transcript.turns else []

    async def polish(self, job: Job) -> Wait | None:
        """Have the call said in better words. What the model does not manage is left out; the call is complete."""
        page = await self.board.page(job)
        if page.transcript is None or page.item.said is None or page.polished is not None:
            return None
        turns = shown(page.transcript.turns)
        try:
            said = [sentence for asked in questions(turns) for sentence in await self._ask(asked)]
        except _FormlessError as error:
            if job.attempts < TRIES:
                raise JobError(str(error)) from error
            log.warning("a language model does not answer in the form asked for", call=str(page.item.key))
            said = []
        called_at = datetime.fromtimestamp(page.item.arrived, self.zones.get(page.item.line, self.zone))
        polished = believed(said, turns, called_at)
        made = {
            "model": self.server.model,
            "at": self.clock(),
            "sentences": [{"text": one.text, "turns": list(one.turns)} for one in polished.kept],
            "dropped": len(polished.dropped),
        }
        if await self.ledger.polished(page.item.key, page.item.said, made):
            await self.board.changed(page)
        return None

    async def _ask(self, messages: list[dict[str, str]]) -> list[Sentence]:
        """One answer's sentences. Raises JobError, HopelessError, _FormlessError."""
        asked = {"model": self.server.model, "messages": messages, "temperature": 0, "stream": False}
        timeout = aiohttp.ClientTimeout(total=self.server.timeout)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
                session.post(
                    f"{self.server.url.rstrip('/')}/chat/completions",
                    json=asked,
                    headers=self._headers(),
                    ssl=await asyncio.to_thread(self._trust),
                    allow_redirects=False,
                ) as answer,
            ):
                body = await _limited(answer)
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise JobError(f"the language model cannot be reached: {error or type(error).__name__}") from error
        if status in _BUSY or status >= 500:  # noqa: PLR2004 - the server's own trouble
            raise JobError(f"the language model answers {status}: {_told(body)}")
        if status != 200:  # noqa: PLR2004 - OK
            raise HopelessError(f"the language model refuses with {status}: {_told(body)}")
        sentences = read(_content(body))
        if sentences is None:
            raise _FormlessError("the language model answers something else than the JSON asked for")
        return sentences

    def _headers(self) -> dict[str, str]:
        if self.server.key_env is None:
            return {}
        key = os.environ.get(self.server.key_env)
        if not key:
            raise HopelessError(f"the key of the language model is missing: set {self.server.key_env}")
        return {"Authorization": f"Bearer {key}"}

    def _trust(self) -> ssl.SSLContext | bool:
        if self.server.ca_file is None:
            return True
        return ssl.create_default_context(cafile=self.server.ca_file)


def open_polishing(
    settings: Settings, *, ledger: Ledger, reads: Reads, fanout: Fanout, clock: Callable[[], float]
) -> Polishing | None:
    """The asker of the configured model; None where none is configured."""
    server = settings.transcription.llm
    if server is None:
        return None
    zones = {line.number: ZoneInfo(line.timezone) for line in settings.line if line.timezone}
    return Polishing(server, ledger, CallBoard(reads, fanout), clock, settings.site.zone, zones)


async def _limited(answer: aiohttp.ClientResponse) -> bytes:
    """The body. JobError when it does not end."""
    body = bytearray()
    async for piece in answer.content.iter_any():
        body += piece
        if len(body) > LARGEST:
            raise JobError(f"the language model answers more than {LARGEST} bytes")
    return bytes(body)


def _content(body: bytes) -> str:
    """The text of the first choice. _FormlessError when there is none."""
    try:
        told: Any = json.loads(body)
        content = told["choices"][0]["message"]["content"]
    except (ValueError, RecursionError, LookupError, TypeError) as error:
        raise _FormlessError("the language model answers in a form of its own") from error
    if not isinstance(content, str):
        raise _FormlessError("the language model answers no text")
    return content


def _told(body: bytes) -> str:
    text = body[: _SAID * 4].decode("utf-8", "replace")
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:_SAID]
