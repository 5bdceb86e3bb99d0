"""An engine that says what a file tells it to: for tests and for trying the service without a model. Hears nothing.

The model is a JSON file: ``{"texts": ["…", …], "confidence": 0.9, "do": null, "only": null, "words": false}``. Each
span of speech gets the next text of the list, over and over, so what is asked of the rest of the service (spans, turns,
times, speakers) is real. ``words``: each character is a word, evenly spread over its span. ``do`` plays a native
library at its worst, see :func:`_misbehave`; ``only``: on legs whose length in seconds rounds to this number.
"""

import json
import os
import signal
import threading
from collections.abc import Callable, Sequence

from transcription.engines import EngineSpec, ModelError, Samples, Segment, Span
from transcription.transcript import Word

_BITE = 32 * 2**20  # bytes


class ScriptedEngine:
    """Says its lines."""

    name = "scripted"
    rate = 8000
    at_once = 1
    notes: tuple[str, ...] = ()

    def __init__(self, spec: EngineSpec) -> None:
        """Read the script. Raises ModelError."""
        try:
            script = json.loads(spec.model.read_bytes())
            self._texts: list[str] = [str(text) for text in script["texts"]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelError(f"{spec.model} is no script: {error}") from error
        self.model = spec.model.name
        self._confidence = float(script.get("confidence", 0.9))
        self._do: str | None = script.get("do")
        self._only: int | None = script.get("only")
        self._words = bool(script.get("words"))
        self._next = 0
        if self._do == "segv_at_start":
            os.kill(os.getpid(), signal.SIGSEGV)

    def transcribe(self, samples: Samples, spans: Sequence[Span], done: Callable[[int], None]) -> list[Segment]:
        """See :class:`transcription.engines.Engine`."""
        if self._do and self._only in (None, round(len(samples) / self.rate)):
            _misbehave(self._do)
        said = []
        for i, span in enumerate(spans, start=1):
            if self._texts:
                said.append(self._say(span, self._texts[self._next]))
                self._next = (self._next + 1) % len(self._texts)
            done(i)
        return said

    def _say(self, span: Span, text: str) -> Segment:
        each = (span.end - span.start) / max(1, len(text))
        words = tuple(
            Word(round(span.start + i * each, 3), round(span.start + (i + 1) * each, 3), one, self._confidence)
            for i, one in enumerate(text if self._words else "")
        )
        return Segment(span.start, span.end, text, self._confidence, words)


def _misbehave(do: str) -> None:
    """What native libraries have been seen doing.

    ``segv``, ``abort``, ``kill``: die of that signal; ``hang``: never come back; ``hog``: eat memory; ``raise``: our
    own bug; ``babble``: print to stdout.
    """
    signals = {"segv": signal.SIGSEGV, "abort": signal.SIGABRT, "kill": signal.SIGKILL}
    if do in signals:
        os.kill(os.getpid(), signals[do])
    elif do == "hang":
        threading.Event().wait()
    elif do == "hog":
        eaten = []
        while True:
            eaten.append(b"\x01" * _BITE)
    elif do == "raise":
        raise RuntimeError("the script says so")
    elif do == "babble":
        print('{"turns": "nonsense"}', flush=True)  # noqa: T201 - that is what it is for
