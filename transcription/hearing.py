"""One recording from files to turns: what the child process does for each order. Knows no processes."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from transcription.audio import MAX_SECONDS, Leg, load_leg, load_stereo, resample
from transcription.crosstalk import same
from transcription.engines import Engine, Samples, Segment, Span
from transcription.levels import faults, level
from transcription.tidy import tidied
from transcription.tones import RATE
from transcription.transcript import LegTrouble, Level, Speaker, Turn
from transcription.trouble import AudioProblem, Trouble
from transcription.turns import conversation
from transcription.voice import loudness, spans


@dataclass(frozen=True, slots=True)
class Heard:
    """The turns, what was wrong with a leg, the longer leg's length in seconds, and how loud each leg is."""

    turns: tuple[Turn, ...]
    troubles: tuple[LegTrouble, ...]
    seconds: float
    levels: tuple[Level, ...]


def hear(
    engine: Engine,
    paths: Mapping[Speaker, Path],
    *,
    talk: Sequence[tuple[float, float, str]] | None = None,
    language: str = "zh",
    max_seconds: float = MAX_SECONDS,
    started: Callable[[float], None] = lambda _seconds: None,
    done: Callable[[float], None] = lambda _share: None,
) -> Heard:
    """Transcribe the legs; their text is tidied as the ``language`` is written.

    ``started`` is told the seconds of audio to expect, ``done`` the share done (0 to 1). A leg without speech is a
    trouble of that leg. Raises AudioProblem when no leg has anything to hear.
    """
    sound, problems = _load(paths, max_seconds)
    work = _speech(sound, problems)
    if not work:
        raise next(iter(problems.values()))
    started(sum(sound[speaker].seconds for speaker in work))
    segments = _decode(engine, sound, work, done)
    levels = tuple(level(speaker, leg, work.get(speaker, ())) for speaker, leg in sound.items())
    troubles = [LegTrouble(speaker, problem.trouble, problem.text) for speaker, problem in problems.items()]
    troubles += [fault for found in levels if found.speaker in work for fault in faults(found)]
    return Heard(
        tidied(conversation(segments, talk), language),
        tuple(troubles),
        round(max(leg.seconds for leg in sound.values()), 3),
        levels,
    )


def _speech(sound: Mapping[Speaker, Leg], problems: dict[Speaker, AudioProblem]) -> dict[Speaker, list[Span]]:
    """Where somebody speaks on each leg; why a leg has nothing to hear goes into ``problems``."""
    work: dict[Speaker, list[Span]] = {}
    for speaker, leg in sound.items():
        other = next((one for whose, one in sound.items() if whose is not speaker and not one.silent), None)
        if leg.silent:
            text = f"{leg.seconds:.0f} s and nothing louder than {leg.peak:.0f} dBFS"
            problems[speaker] = AudioProblem(Trouble.SILENT, text)
        elif speaker is Speaker.AGENT and Speaker.CALLER in work and other is not None and _same(leg, other):
            problems[speaker] = AudioProblem(Trouble.SAME, "the very sound of the caller's leg: both legs are the mix")
        elif found := spans(leg.samples, leg.rate, other=None if other is None else _at(other, leg.rate)):
            work[speaker] = found
        else:
            problems[speaker] = AudioProblem(Trouble.NO_SPEECH, f"no speech in {leg.seconds:.0f} s of sound")
    return work


def _at(leg: Leg, rate: int) -> Samples:
    return resample(leg.samples, leg.rate, rate)


def _same(leg: Leg, other: Leg) -> bool:
    beside = _at(other, RATE)
    return same(_at(leg, RATE), beside, loudness(beside))


def _decode(
    engine: Engine,
    sound: Mapping[Speaker, Leg],
    work: Mapping[Speaker, Sequence[Span]],
    done: Callable[[float], None],
) -> dict[Speaker, list[Segment]]:
    """What the engine heard on each leg; the legs side by side where it can do that."""
    total = sum(len(found) for found in work.values())
    finished = dict.fromkeys(work, 0)
    telling = Lock()

    def leg(speaker: Speaker) -> list[Segment]:
        def tell(count: int) -> None:
            with telling:
                finished[speaker] = count
                done(sum(finished.values()) / total)

        own = sound[speaker]
        return engine.transcribe(resample(own.samples, own.rate, engine.rate), work[speaker], tell)

    if engine.at_once == 1 or len(work) == 1:
        return {speaker: leg(speaker) for speaker in work}
    with ThreadPoolExecutor(engine.at_once) as pool:
        return dict(zip(work, pool.map(leg, work), strict=True))


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
