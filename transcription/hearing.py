"""One recording from files to turns: what the child process does for each order. Knows no processes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from transcription.audio import MAX_SECONDS, Leg, load_leg, load_stereo, resample
from transcription.engines import Engine, Segment, Span
from transcription.transcript import LegTrouble, Speaker, Turn
from transcription.trouble import AudioProblem, Trouble
from transcription.turns import conversation
from transcription.voice import spans


@dataclass(frozen=True, slots=True)
class Heard:
    """The turns, what was wrong with one leg while the other could be heard, and the longer leg's length in seconds."""

    turns: tuple[Turn, ...]
    troubles: tuple[LegTrouble, ...]
    seconds: float


def hear(
    engine: Engine,
    paths: Mapping[Speaker, Path],
    *,
    talk: Sequence[tuple[float, float, str]] | None = None,
    max_seconds: float = MAX_SECONDS,
    started: Callable[[float], None] = lambda _seconds: None,
    done: Callable[[float], None] = lambda _share: None,
) -> Heard:
    """Transcribe the legs. ``started`` is told the seconds of audio to expect, ``done`` the share done (0 to 1).

    A leg without speech is a trouble of that leg. Raises AudioProblem when no leg has anything to hear.
    """
    sound, problems = _load(paths, max_seconds)
    work: dict[Speaker, list[Span]] = {}
    for speaker, leg in sound.items():
        if leg.silent:
            text = f"{leg.seconds:.0f} s and nothing louder than {leg.peak:.0f} dBFS"
            problems[speaker] = AudioProblem(Trouble.SILENT, text)
        elif found := spans(leg.samples, leg.rate):
            work[speaker] = found
        else:
            problems[speaker] = AudioProblem(Trouble.NO_SPEECH, f"no speech in {leg.seconds:.0f} s of sound")
    if not work:
        raise next(iter(problems.values()))
    started(sum(sound[speaker].seconds for speaker in work))
    total = sum(len(found) for found in work.values())
    finished, segments = 0, dict[Speaker, list[Segment]]()
    for speaker, found in work.items():
        leg, before = sound[speaker], finished
        samples = resample(leg.samples, leg.rate, engine.rate)
        segments[speaker] = engine.transcribe(samples, found, lambda n, b=before: done((b + n) / total))  # type: ignore[misc]
        finished += len(found)
    return Heard(
        conversation(segments, talk),
        tuple(LegTrouble(speaker, problem.trouble, problem.text) for speaker, problem in problems.items()),
        round(max(leg.seconds for leg in sound.values()), 3),
    )


def _load(paths: Mapping[Speaker, Path], max_seconds: float) -> tuple[dict[Speaker, Leg], dict[Speaker, AudioProblem]]:
    """Each leg, or what is wrong with it; the same path for both is one stereo file with the caller on the left."""
    if len(paths) > 1 and len(set(paths.values())) == 1:
        left, right = load_stereo(next(iter(paths.values())), max_seconds=max_seconds)
        return {Speaker.CALLER: left, Speaker.AGENT: right}, {}
    sound, problems = dict[Speaker, Leg](), dict[Speaker, AudioProblem]()
    for speaker, path in paths.items():
        try:
            sound[speaker] = load_leg(path, max_seconds=max_seconds)
        except AudioProblem as problem:
            problems[speaker] = problem
    return sound, problems
