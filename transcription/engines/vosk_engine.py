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
from transcription.engines.grammar import spelled
from transcription.modelfolder import Kind, faults
from transcription.transcript import Word
from transcription.wording import tidy

RECYCLE = 180.0  # seconds of sound a recogniser is fed: 652 MB grew to 775 MB over 8.4 minutes
_BLOCK = 4.0  # seconds fed at once; the chunk size makes no difference to speed
_RATE = 16_000  # Hz, of models that do not say
_UNKNOWN = "[unk]"  # lets a grammar reject what is none of its phrases, in models that have the word
_NO_WORDS = (_UNKNOWN, "<unk>", "[noise]", "[laughter]")


class VoskEngine:
    """A loaded vosk model. One recogniser a leg, fed one span after the other; legs side by side share the model."""

    name = "vosk"

    def __init__(self, spec: EngineSpec) -> None:
        """Load and try the model folder. Raises ModelError naming what is missing; a crash is the parent's to see."""
        if found := faults(spec.model, Kind.VOSK):
            raise ModelError(f"{spec.model} is no whole vosk model: {'; '.join(found)}")
        vosk.SetLogLevel(-1)
        self.model = spec.model.name
        self.rate = _sample_rate(spec.model)
        self._language = spec.language
        self.at_once = max(1, spec.threads)
        self._model = vosk.Model(model_path=str(spec.model))
        self._grammar, self.notes = self._allowed(spec)
        self._decode(self._recogniser(), np.zeros(self.rate // 2, dtype=np.int16))

    def transcribe(self, samples: Samples, spans: Sequence[Span], done: Callable[[int], None]) -> list[Segment]:
        """See :class:`transcription.engines.Engine`."""
        segments, recogniser, fed = [], self._recogniser(), 0.0
        for i, span in enumerate(spans, start=1):
            if fed > RECYCLE:
                recogniser, fed = self._recogniser(), 0.0
            sound = samples[int(span.start * self.rate) : int(span.end * self.rate)]
            words = [
                _word(word, span, fed) for word in self._decode(recogniser, sound) if word["word"] not in _NO_WORDS
            ]
            fed += len(sound) / self.rate
            done(i)
            if words:
                text = tidy(" ".join(word.text for word in words), self._language)
                confidence = sum(word.confidence for word in words) / len(words)
                segments.append(Segment(span.start, span.end, text, round(confidence, 3), tuple(words)))
        return segments

    def _allowed(self, spec: EngineSpec) -> tuple[str | None, tuple[str, ...]]:
        """The grammar as vosk wants it, and what cannot be had with this model."""
        notes = []
        if spec.hot_words:
            notes.append("vosk cannot favour hot_words; a grammar is what it has")
        if not spec.grammar:
            return None, tuple(notes)
        if any((spec.model / name).is_file() for name in ("graph/HCLG.fst", "HCLG.fst")):
            notes.append(f"{self.model} has one fixed graph (no Gr.fst): the grammar is not used, speech is free")
            return None, tuple(notes)
        made = spelled(spec.grammar, spec.language, self._knows)
        if made.unknown:
            notes.append(f"not in the words of {self.model}, so never heard: {', '.join(made.unknown)}")
        if not made.phrases:
            notes.append("nothing is left of the grammar: speech is free")
            return None, tuple(notes)
        # Escaped characters would be dropped without a word, and [] would crash it.
        phrases = [*made.phrases, *([_UNKNOWN] if self._knows(_UNKNOWN) else [])]
        return json.dumps(phrases, ensure_ascii=False), tuple(notes)

    def _knows(self, word: str) -> bool:
        return int(self._model.vosk_model_find_word(word)) >= 0

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


def _word(told: dict[str, Any], span: Span, fed: float) -> Word:
    """A word in the leg's time: vosk counts from the first sample that the recogniser was ever fed."""
    start, end = (min(span.end, max(span.start, span.start + told[name] - fed)) for name in ("start", "end"))
    return Word(round(start, 3), round(end, 3), told["word"], round(min(1.0, told["conf"]), 3))


def _sample_rate(folder: Path) -> int:
    """The rate the model was trained at, from its feature configuration."""
    for name in ("conf/mfcc.conf", "mfcc.conf"):
        if (folder / name).is_file():
            found = re.search(r"^--sample-frequency=(\d+)", (folder / name).read_text(encoding="utf-8"), re.MULTILINE)
            return int(found[1]) if found else _RATE
    return _RATE
