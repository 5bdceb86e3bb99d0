"""The vosk engine: any Kaldi model folder of its makers, always by path, never by language or name (that downloads).

Hazards reproduced with vosk 0.3.45 (docs/speech.md): a truncated graph fails only when a recogniser is made, an odd
grammar segfaults, a kept recogniser grows. So the model is tried on half a second of silence at once, the grammar is
only ever a JSON list of non-empty strings, and a recogniser is replaced after some minutes of sound.
"""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import vosk

from transcription.engines import EngineSpec, ModelError, Samples, Segment, Span
from transcription.modelfolder import Kind, faults
from transcription.wording import tidy

RECYCLE = 180.0  # seconds of sound a recogniser is fed: 652 MB grew to 775 MB over 8.4 minutes
_BLOCK = 4.0  # seconds fed at once; the chunk size makes no difference to speed
_RATE = 16_000  # Hz, of models that do not say
_UNKNOWN = "[unk]"  # lets a grammar reject what is none of its phrases, in models that have the word
_NO_WORDS = (_UNKNOWN, "<unk>", "[noise]", "[laughter]")


class VoskEngine:
    """A loaded vosk model. One recogniser a leg, fed one span after the other."""

    name = "vosk"

    def __init__(self, spec: EngineSpec) -> None:
        """Load and try the model folder. Raises ModelError naming what is missing; a crash is the parent's to see."""
        if found := faults(spec.model, Kind.VOSK):
            raise ModelError(f"{spec.model} is no whole vosk model: {'; '.join(found)}")
        vosk.SetLogLevel(-1)
        self.model = spec.model.name
        self.rate = _sample_rate(spec.model)
        self._language = spec.language
        self._model = vosk.Model(model_path=str(spec.model))
        self._grammar = _grammar(spec.grammar, unknown=self._model.vosk_model_find_word(_UNKNOWN) >= 0)
        self._decode(self._recogniser(), np.zeros(self.rate // 2, dtype=np.int16))

    def transcribe(self, samples: Samples, spans: Sequence[Span], done: Callable[[int], None]) -> list[Segment]:
        """See :class:`transcription.engines.Engine`."""
        segments, recogniser, fed = [], self._recogniser(), 0.0
        for i, span in enumerate(spans, start=1):
            if fed > RECYCLE:
                recogniser, fed = self._recogniser(), 0.0
            words = self._decode(recogniser, samples[int(span.start * self.rate) : int(span.end * self.rate)])
            fed += span.end - span.start
            done(i)
            words = [word for word in words if word["word"] not in _NO_WORDS]
            if words:
                text = tidy(" ".join(word["word"] for word in words), self._language)
                confidence = sum(word["conf"] for word in words) / len(words)
                segments.append(Segment(span.start, span.end, text, round(min(1.0, confidence), 3)))
        return segments

    def _recogniser(self) -> Any:
        arguments = [self._model, self.rate, *([self._grammar] if self._grammar else [])]
        recogniser = vosk.KaldiRecognizer(*arguments)
        recogniser.SetWords(True)  # noqa: FBT003 - the library's signature; it costs a fifth and gives the confidence
        return recogniser

    def _decode(self, recogniser: Any, samples: Samples) -> list[dict[str, Any]]:
        """The words of one span: the recogniser may end an utterance inside it, so every result is collected."""
        words: list[dict[str, Any]] = []
        step = int(_BLOCK * self.rate)
        for at in range(0, len(samples), step):
            if recogniser.AcceptWaveform(samples[at : at + step].tobytes()):
                words += json.loads(recogniser.Result()).get("result", [])
        words += json.loads(recogniser.FinalResult()).get("result", [])
        return words


def _grammar(phrases: Sequence[str], *, unknown: bool) -> str | None:
    """The phrases as vosk wants them; escaped characters would be dropped without a word, [] would crash it."""
    kept = [phrase.strip() for phrase in phrases if phrase.strip()]
    return json.dumps([*kept, *([_UNKNOWN] if unknown else [])], ensure_ascii=False) if kept else None


def _sample_rate(folder: Path) -> int:
    """The rate the model was trained at, from its feature configuration."""
    for name in ("conf/mfcc.conf", "mfcc.conf"):
        if (folder / name).is_file():
            found = re.search(r"^--sample-frequency=(\d+)", (folder / name).read_text(encoding="utf-8"), re.MULTILINE)
            return int(found[1]) if found else _RATE
    return _RATE
