"""The whisper engine: faster-whisper (the extra ``whisper``) on a CTranslate2 model folder, on the CPU.

Each span of speech is decoded by itself: whisper given a whole leg drops text around holds (docs/speech.md). The
language is the line's. What it repeats or invents on noise is dropped rather than shown as said.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from transcription.engines import EngineSpec, ModelError, Samples, Segment, Span
from transcription.engines.belief import PROMPTS, Believed, Piece, believed, prompt_of
from transcription.modelfolder import Kind, faults
from transcription.transcript import Word
from transcription.wording import tidy

BEAM = 5
TEMPERATURES = (0.0, 0.4, 0.8)  # tried in turn when the library finds the text too repetitive or improbable


class WhisperEngine:
    """A loaded whisper model."""

    name = "whisper"
    rate = 16_000
    at_once = 1  # its threads are busy with one leg
    notes: tuple[str, ...] = ()

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
        self._language, self._word_times = spec.language, spec.word_times
        self._prompt = prompt_of(spec.language, spec.hot_words)
        if spec.grammar:
            self.notes = ("whisper knows no grammar: name the words in hot_words",)
        self._decode(np.zeros(self.rate // 2, dtype=np.float32), 0.0)

    def transcribe(self, samples: Samples, spans: Sequence[Span], done: Callable[[int], None]) -> list[Segment]:
        """See :class:`transcription.engines.Engine`."""
        said = []
        for i, span in enumerate(spans, start=1):
            piece = samples[int(span.start * self.rate) : int(span.end * self.rate)].astype(np.float32) / 32_768
            heard = self._decode(piece, span.start)
            if heard.text:
                said.append(Segment(span.start, span.end, heard.text, round(heard.confidence, 3), heard.words))
            done(i)
        return said

    def _decode(self, sound: Any, start: float) -> Believed:
        """What was said in one span that begins at ``start``; no text for what is noise, echo or invention.

        What came out as an echo is decoded once more without the prompt: spelled letters (an e-mail address) were seen
        to end in 轻轻轻轻 with it and in letters without. So is what may be a hot word said, or only read from there.
        """
        heard = self._heard(sound, start, self._prompt)
        if self._prompt and (heard.echo or heard.leak):
            return self._heard(sound, start, PROMPTS.get(self._language) if heard.leak and not heard.echo else None)
        return heard

    def _heard(self, sound: Any, start: float, prompt: str | None) -> Believed:
        segments, _ = self._model.transcribe(
            sound,
            language=self._language,
            beam_size=BEAM,
            condition_on_previous_text=False,
            initial_prompt=prompt,
            without_timestamps=True,
            word_timestamps=self._word_times,
            temperature=TEMPERATURES,
        )
        pieces = [
            Piece(found.text, found.avg_logprob, found.no_speech_prob, self._words(found.words or (), start))
            for found in segments
        ]
        return believed(pieces, self._language, prompt, len(sound) / self.rate)

    def _words(self, found: Sequence[Any], start: float) -> tuple[Word, ...]:
        """The words in the leg's time."""
        return tuple(
            Word(
                round(start + float(word.start), 3),
                round(start + float(word.end), 3),
                tidy(word.word, self._language),
                round(float(word.probability), 3),
            )
            for word in found
        )
