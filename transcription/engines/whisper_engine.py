"""The whisper engine: faster-whisper (the extra ``whisper``) on a CTranslate2 model folder, on the CPU.

Each span of speech is decoded by itself: whisper given a whole leg drops text around holds (docs/speech.md). The
language is the line's. What it repeats or invents on noise is dropped rather than shown as said.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from transcription.engines import EngineSpec, ModelError, Samples, Segment, Span
from transcription.modelfolder import Kind, faults
from transcription.wording import invented, tidy, unlooped

PROMPTS = {"zh": "以下是普通话的客服电话录音，使用简体中文。"}  # steers to simplified characters and punctuation
BEAM = 5
DOUBT = -1.2  # mean log probability of a token below which whisper was guessing
NOISE = 0.6  # whisper's own chance that nobody speaks, believed only together with a poor log probability


class WhisperEngine:
    """A loaded whisper model."""

    name = "whisper"
    rate = 16_000

    def __init__(self, spec: EngineSpec) -> None:
        """Load the model folder. Raises ModelError naming what is missing, be it the extra itself."""
        try:
            from faster_whisper import WhisperModel  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise ModelError(f"the whisper engine needs the extra: pip install 'hotline[whisper]' ({error})") from error
        if found := faults(spec.model, Kind.WHISPER):
            raise ModelError(f"{spec.model} is no whole faster-whisper model: {'; '.join(found)}")
        try:
            self._model: Any = WhisperModel(
                str(spec.model), device="cpu", compute_type="int8", cpu_threads=spec.threads, local_files_only=True
            )
        except (RuntimeError, ValueError) as error:  # what CTranslate2 raises for a damaged model.bin
            raise ModelError(f"{spec.model} cannot be loaded: {error}") from error
        self.model = spec.model.name
        self._language = spec.language
        self._decode(np.zeros(self.rate // 2, dtype=np.float32))

    def transcribe(self, samples: Samples, spans: Sequence[Span], done: Callable[[int], None]) -> list[Segment]:
        """See :class:`transcription.engines.Engine`."""
        said = []
        for i, span in enumerate(spans, start=1):
            piece = samples[int(span.start * self.rate) : int(span.end * self.rate)].astype(np.float32) / 32_768
            text, confidence = self._decode(piece)
            if text:
                said.append(Segment(span.start, span.end, text, round(confidence, 3)))
            done(i)
        return said

    def _decode(self, sound: Any) -> tuple[str, float]:
        """Text and confidence of one span, ('', 0) for what is noise, echo or invention."""
        segments, _ = self._model.transcribe(
            sound,
            language=self._language,
            beam_size=BEAM,
            condition_on_previous_text=False,
            initial_prompt=PROMPTS.get(self._language),
            without_timestamps=True,
            temperature=[0.0, 0.4, 0.8],
        )
        texts, weights = [], []
        for segment in segments:
            if segment.avg_logprob < DOUBT and segment.no_speech_prob > NOISE:
                continue
            text = unlooped(tidy(segment.text, self._language))
            if text and not invented(text):
                texts.append(text)
                weights.append((segment.avg_logprob, len(text)))
        if not texts:
            return "", 0.0
        total = sum(length for _, length in weights)
        return "".join(texts), math.exp(min(0.0, sum(log * length for log, length in weights) / total))
