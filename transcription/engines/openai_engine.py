"""The engine that asks a server of one's own: OpenAI's ``/audio/transcriptions``, as several local servers speak it.

Each span of speech is asked for by itself, like with the other engines. What comes back is strange input: times are
kept inside the span, and loops, inventions and what no mouth is fast enough for are dropped (:mod:`.belief`).
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from transcription.engines import EndpointBusy, EngineSpec, ModelError, Samples, Segment, SoundRefused, Span
from transcription.engines.belief import UNKNOWN, Believed, Piece, believed, prompt_of
from transcription.engines.endpoint import Client
from transcription.transcript import Word
from transcription.wording import tidy

AGAIN = 1.0  # seconds until a server that was busy is asked once more
LONGEST_WORD = 60  # characters


class OpenAIEngine:
    """A server that has shown that it transcribes."""

    name = "openai"
    rate = 16_000
    at_once = 2  # both legs: the work is the server's
    notes: tuple[str, ...] = ()

    def __init__(self, spec: EngineSpec) -> None:
        """Ask for half a second of silence. Raises ModelError and EndpointAway: what is wrong with server or key."""
        if spec.endpoint is None:
            raise ModelError("the openai engine needs the address of a server: [transcription.endpoint] url")
        self.model = spec.endpoint.model
        if spec.grammar:
            self.notes = ("a speech server knows no grammar: name the words in hot_words",)
        self._client = Client(spec.endpoint)
        self._language = spec.language
        self._prompt = prompt_of(spec.language, spec.hot_words)
        self._fields = [
            ("model", spec.endpoint.model),
            ("language", spec.language),
            ("response_format", "verbose_json"),
            ("temperature", "0"),
            ("timestamp_granularities[]", "segment"),
            *([("timestamp_granularities[]", "word")] if spec.word_times else []),
        ]
        try:
            self._asked(np.zeros(self.rate // 2, dtype=np.int16), self._prompt)
        except (SoundRefused, EndpointBusy) as error:
            raise ModelError(str(error)) from error

    def transcribe(self, samples: Samples, spans: Sequence[Span], done: Callable[[int], None]) -> list[Segment]:
        """See :class:`transcription.engines.Engine`."""
        said = []
        for i, span in enumerate(spans, start=1):
            sound = samples[int(span.start * self.rate) : int(span.end * self.rate)]
            heard = self._heard(sound, span, self._prompt)
            if self._prompt and (heard.echo or heard.leak):
                heard = self._heard(sound, span, None)
            if heard.text:
                said.append(Segment(span.start, span.end, heard.text, round(heard.confidence, 3), heard.words))
            done(i)
        return said

    def _heard(self, sound: Samples, span: Span, prompt: str | None) -> Believed:
        answer = self._asked(sound, prompt)
        words = tuple(_words(answer.get("words"), span, self._language))
        segments = [one for one in _list(answer.get("segments")) if isinstance(one.get("text"), str)]
        pieces = [
            Piece(one["text"], _number(one.get("avg_logprob")), _number(one.get("no_speech_prob"))) for one in segments
        ]
        heard = believed(pieces or [Piece(answer["text"], None, None)], self._language, prompt, span.end - span.start)
        whole = len(heard.text) >= len(tidy(answer["text"], self._language))  # else the words are of what was dropped
        return Believed(heard.text, heard.confidence, words if whole else (), heard.echo, heard.leak)

    def _asked(self, sound: Samples, prompt: str | None) -> Mapping[str, Any]:
        """The server's answer; one that is busy is asked twice."""
        fields = [*self._fields, *([("prompt", prompt)] if prompt else [])]
        try:
            return self._client.transcribe(sound, self.rate, fields)
        except EndpointBusy:
            time.sleep(AGAIN)
            return self._client.transcribe(sound, self.rate, fields)


def _list(told: object) -> list[dict[str, Any]]:
    return [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []


def _number(told: object) -> float | None:
    """A finite number, or None."""
    if isinstance(told, bool) or not isinstance(told, int | float) or not math.isfinite(told):
        return None
    return float(told)


def _words(told: object, span: Span, language: str) -> list[Word]:
    """The words with sane times, in the leg's time; none at all when one is out of order, for then none is sure."""
    made: list[Word] = []
    for one in _list(told):
        text, start, end = one.get("word"), _number(one.get("start")), _number(one.get("end"))
        if not isinstance(text, str) or start is None or end is None or not 0 <= start <= end:
            return []
        start, end = (round(min(span.end, span.start + at), 3) for at in (start, end))
        if len(text) > LONGEST_WORD or (made and start < made[-1].start):
            return []
        chance = _number(one.get("probability"))
        made.append(Word(start, end, tidy(text, language), UNKNOWN if chance is None else min(1.0, max(0.0, chance))))
    return made
