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
TEMPERATURES = (0.0, 0.4, 0.8)  # tried in turn when the library finds the text too repetitive or improbable
DOUBT = -1.2  # mean log probability of a token below which whisper was guessing
PIECE = 6  # characters; 客服 and 电话 are in the prompt, too, and people do say them
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
        """Text and confidence of one span, ('', 0) for what is noise, echo or invention.

        What came out as an echo is decoded once more without the prompt: spelled letters (an e-mail address) were seen
        to end in 轻轻轻轻 with it and in letters without.
        """
        prompt = PROMPTS.get(self._language)
        text, confidence, echo = self._heard(sound, prompt)
        if echo and prompt:
            text, confidence, _ = self._heard(sound, None)
        return text, confidence

    def _heard(self, sound: Any, prompt: str | None) -> tuple[str, float, bool]:
        """Text, confidence, and whether an echo was dropped."""
        segments, _ = self._model.transcribe(
            sound,
            language=self._language,
            beam_size=BEAM,
            condition_on_previous_text=False,
            initial_prompt=prompt,
            without_timestamps=True,
            temperature=TEMPERATURES,
        )
        texts, weights, echo = [], [], False
        for segment in segments:
            if segment.avg_logprob < DOUBT and segment.no_speech_prob > NOISE:
                continue
            written = tidy(segment.text, self._language)
            text = unlooped(written)
            echo = echo or bool(written and not text)
            if text and not invented(text) and not _leaked(text, prompt):
                texts.append(text)
                weights.append((segment.avg_logprob, len(text)))
        total = sum(length for _, length in weights)
        if not total:
            return "", 0.0, echo
        log = sum(log * length for log, length in weights) / total
        return "".join(texts), math.exp(min(0.0, log)), echo


def _leaked(text: str, prompt: str | None) -> bool:
    """Whether the text is a piece of the prompt, long enough that nobody says it by chance."""
    words = text.strip("，。")
    return prompt is not None and len(words) >= PIECE and words in prompt
