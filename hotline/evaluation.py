"""Runs calls whose truth is known through the same code as real ones, and counts how good what comes out is.

Once from their true turns (what the rules are worth), once word by word as recognisers write (what redaction is worth),
and once for each engine from their sound.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from transcription.lexicon import Lexicon
from transcription.redaction import redact_turns
from transcription.scoring import Missed, Score, blackened, heard, summed_up
from transcription.summary import as_json, summarise
from transcription.transcript import Turn
from transcription.truth import KnownCall, TruthError, read
from transcription.worker import AudioProblem, EngineSpec, NoModel, Transcriber, TranscriptionError

GIVEN, SPOKEN = "given turns", "word by word"


@dataclass(slots=True)
class Column:
    """One way in: its counts, what went wrong by call, which calls could not be done at all and why."""

    name: str
    score: Score = field(default_factory=Score)
    missed: dict[str, Missed] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    memory: int | None = None  # bytes at most, of the engine's process


@dataclass(frozen=True, slots=True)
class Known:
    """A call and where its sound is, if it has any."""

    call: KnownCall
    caller: Path | None
    agent: Path | None


def known_calls(folder: Path, zone: ZoneInfo) -> Iterator[Known]:
    """Every call with a truth in or below a folder, in order of name. Raises TruthError, OSError."""
    if not folder.is_dir():
        raise TruthError(f"{folder} is no folder")
    for file in sorted(folder.rglob("*.json")):
        call = read(str(file.relative_to(folder)), file.read_bytes(), zone)
        if call is not None:
            caller, agent = (file.with_name(f"{file.stem}-{leg}.wav") for leg in ("rx", "tx"))
            yield Known(call, caller if caller.exists() else None, agent if agent.exists() else None)


def from_text(calls: Sequence[Known], lexicon: Lexicon | None) -> list[Column]:
    """The rules alone: from the written form, and redaction from what was said word by word as well."""
    given, spoken = Column(GIVEN), Column(SPOKEN)
    for known in calls:
        call = known.call
        began = time.perf_counter()
        score, missed, kept, shown = _kept(call, call.turns, lexicon)
        given.score += score
        given.score += blackened(call, kept, shown, aligned=True)
        given.score += Score(
            spent=time.perf_counter() - began, seconds=max((turn.end for turn in call.turns), default=0)
        )
        if missed:
            given.missed[call.name] = missed
        said = tuple(replace(turn, text=text) for turn, text in zip(call.turns, call.spoken, strict=True))
        score, missed, kept, shown = _kept(call, said, lexicon)
        spoken.score += score
        spoken.score += blackened(call, kept, shown, aligned=False)
        if missed:
            spoken.missed[call.name] = missed
    return [given, spoken]


async def from_sound(
    calls: Sequence[Known], spec: EngineSpec, lexicon: Lexicon | None, tell: Callable[[str], None]
) -> Column:
    """One engine over all calls that have sound. Raises NoModel."""
    column = Column(f"{spec.engine} {spec.model.name}")
    transcriber = Transcriber(spec)
    try:
        await transcriber.probe()
        for number, known in enumerate(calls, start=1):
            began = time.perf_counter()
            try:
                made = await transcriber.transcribe(known.caller, known.agent)
            except NoModel:
                raise
            except (TranscriptionError, AudioProblem) as error:
                column.failed[known.call.name] = str(error)
                continue
            spent = time.perf_counter() - began
            column.memory = max(column.memory or 0, await asyncio.to_thread(_peak, transcriber.pids)) or None
            score, missed, kept, shown = _kept(known.call, made.turns, lexicon)
            column.score += score
            column.score += heard(known.call, made.turns)
            column.score += blackened(known.call, kept, shown, aligned=False)
            column.score += Score(seconds=made.seconds, spent=spent)
            column.missed[known.call.name] = missed
            tell(f"{column.name}: {number} of {len(calls)} calls, {known.call.name} took {spent:.0f} s")
    finally:
        await transcriber.close()
    return column


def _kept(call: KnownCall, turns: Sequence[Turn], lexicon: Lexicon | None) -> tuple[Score, Missed, list[Turn], str]:
    """As the service keeps a call: blackened first, then summed up."""
    kept = list(redact_turns(turns)[0])
    summary = summarise(kept, call.called_at, lexicon)
    score, missed = summed_up(call, summary, kept)
    return score, missed, kept, str(as_json(summary))


def _peak(pids: Sequence[int]) -> int:
    """The most memory that any of the processes ever held, in bytes; 0 where the system does not say."""
    most = 0
    for pid in pids:
        try:
            status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        except OSError:
            continue
        most = max([most, *(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))])
    return most
