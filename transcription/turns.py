"""From what the engine heard on each leg to the turns of one conversation. Pure.

Overlapping speech stays as it is: the turns follow their starts, and a short 嗯 into the other's sentence is a turn.
"""

from collections.abc import Iterable, Mapping, Sequence

from transcription.engines import Segment
from transcription.transcript import Speaker, Turn
from transcription.wording import joined

SLACK = 0.6  # seconds by which a talk window is widened: events and recording do not share a clock edge
PAUSE = 0.8  # seconds between two segments of one speaker that still are one turn
LONGEST = 30.0  # seconds of a turn made of several segments: a monologue stays readable and citable


def windowed(
    segments: Iterable[Segment], talk: Sequence[tuple[float, float, str]] | None
) -> list[tuple[Segment, str | None]]:
    """The agent leg's segments with the extension of who talked: the window they overlap most, None when unknown.

    Where ``talk`` is known, what lies outside every window is no agent's (prompts, ringback, announcements) and goes.
    """
    if talk is None:
        return [(segment, None) for segment in segments]
    kept: list[tuple[Segment, str | None]] = []
    for segment in segments:
        best, agent = 0.0, None
        for start, end, extension in talk:
            shared = min(segment.end, end + SLACK) - max(segment.start, start - SLACK)
            if shared > best:
                best, agent = shared, extension
        if agent is not None and best >= min(SLACK, (segment.end - segment.start) / 2):
            kept.append((segment, agent))
    return kept


def conversation(
    legs: Mapping[Speaker, Sequence[Segment]], talk: Sequence[tuple[float, float, str]] | None = None
) -> tuple[Turn, ...]:
    """Both legs' segments as turns in order of start.

    Two segments become one turn when the same person (and agent) goes on within ``PAUSE`` and nobody began in between.
    """
    said = [
        Turn(speaker, segment.start, segment.end, segment.text, segment.confidence, agent, segment.words)
        for speaker, segments in legs.items()
        for segment, agent in (
            windowed(segments, talk) if speaker is Speaker.AGENT else [(segment, None) for segment in segments]
        )
    ]
    turns: list[Turn] = []
    for turn in sorted(said, key=lambda turn: (turn.start, turn.end)):
        if turns and _goes_on(turns[-1], turn):
            turns[-1] = _merged(turns[-1], turn)
        else:
            turns.append(turn)
    return tuple(turns)


def _goes_on(before: Turn, turn: Turn) -> bool:
    return (
        (before.speaker, before.agent) == (turn.speaker, turn.agent)
        and turn.start - before.end < PAUSE
        and turn.end - before.start <= LONGEST
    )


def _merged(before: Turn, turn: Turn) -> Turn:
    first, second = before.end - before.start, turn.end - turn.start
    confidence = (before.confidence * first + turn.confidence * second) / max(first + second, 1e-6)
    return Turn(
        before.speaker, before.start, max(before.end, turn.end), joined(before.text, turn.text),
        round(confidence, 3), before.agent, before.words + turn.words,
    )  # fmt: skip
