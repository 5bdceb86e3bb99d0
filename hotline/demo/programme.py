"""What the demo plays next, and when. Pure: an endless list of cues from a random generator, no clock.

Long calls follow each other at a pace that a two-core machine can transcribe; short ones fall between. No agent is ever
in two calls: a story whose phones are busy is moved until they are free. After half an hour the pace falls, so that a
demo forgotten over night does not fill the disk with recordings (about 2.5 MB a conversation).
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hotline.demo.story import Story

FIRST = (7.0, 9.0)
"""Seconds from the start to the first call, least and most: time to log in, so that the phone is seen ringing."""
GAP = (75.0, 90.0)
"""Seconds from one conversation's arrival to the next."""
BETWEEN = (18.0, 40.0)
"""Seconds from a conversation's arrival to that of the short call beside it."""
BESIDE = 0.6
"""How many conversations have a short call beside them; the first always has."""
LONG = 45.0
"""A story of at least this many seconds is a conversation, a shorter one falls between two."""
SLOWER = ((1800.0, 1.0), (7200.0, 3.0), (float("inf"), 12.0))
"""Until which second of the programme, by how much the gaps are stretched."""
_OPENING = ("repair", "vip_parcel", "complaint", "gives_up")
_STEP = 1.0
_REST = 2.0  # s an agent's phone is left alone between two calls


@dataclass(frozen=True, slots=True)
class Cue:
    """Play ``story`` so many seconds after the programme began."""

    at: float
    story: Story


def programme(stories: Sequence[Story], rng: random.Random) -> Iterator[Cue]:
    """Cues in order of time, for ever. The first round opens with the known customer, the VIP and the complaint."""
    conversations = [story for story in stories if story.seconds >= LONG]
    long = _rounds(conversations or stories, rng)
    short = _rounds([story for story in stories if conversations and story.seconds < LONG], rng)
    at = rng.uniform(*FIRST)
    told: list[Cue] = []
    for turn, story in enumerate(long):
        stretch = next(factor for until, factor in SLOWER if at < until)
        cue = Cue(_free(at, story, told), story)
        told = [old for old in told if old.at + old.story.seconds > at] + [cue]
        yield cue
        following = cue.at + rng.uniform(*GAP) * stretch
        if (turn == 0 or rng.random() < BESIDE) and (beside := next(short, None)) is not None:
            extra = Cue(_free(cue.at + rng.uniform(*BETWEEN), beside, told), beside)
            told.append(extra)
            yield extra
            following = max(following, extra.at)
        at = following


def _rounds(stories: Sequence[Story], rng: random.Random) -> Iterator[Story]:
    order = sorted(stories, key=lambda story: (story.name not in _OPENING, story.name))
    order.sort(key=lambda story: _OPENING.index(story.name) if story.name in _OPENING else len(_OPENING))
    while order:
        yield from order
        last = order[-1]
        rng.shuffle(order)
        if len(order) > 1 and order[0] is last:
            order.append(order.pop(0))


def _free(at: float, story: Story, told: Sequence[Cue]) -> float:
    """The first moment from ``at`` on when no agent would be in two calls."""
    while any(_clash(at, story, cue) for cue in told):
        at += _STEP
    return at


def _clash(at: float, story: Story, cue: Cue) -> bool:
    return any(
        at + start < cue.at + end + _REST and cue.at + begin < at + stop + _REST
        for agent, spans in story.busy.items()
        for start, stop in spans
        for begin, end in cue.story.busy.get(agent, ())
    )
