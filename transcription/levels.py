"""How loud a leg is while somebody speaks, and when that is a fault of the recording."""

import math
from collections.abc import Sequence

import numpy as np

from transcription.audio import CLIPPED, FLOOR_DBFS, FULL, Leg
from transcription.engines import Span
from transcription.transcript import LegTrouble, Level, Speaker
from transcription.trouble import Trouble

FAINT_DBFS = -40.0  # a usual call is at -25 to -15; below this recognisers begin to guess
CLIPPED_SHARE = 0.01  # of the samples at full scale while somebody speaks
_PIECE = 60.0  # seconds looked at in one piece


def level(speaker: Speaker, leg: Leg, spoken: Sequence[Span]) -> Level:
    """Mean and peak in dBFS and the clipped share where somebody speaks; of the whole leg where nobody does."""
    whole = [Span(at, at + _PIECE) for at in np.arange(0.0, leg.seconds, _PIECE).tolist()]
    count, power, peak, clipped = 0, 0.0, 0, 0
    for span in spoken or whole:
        sound = np.abs(leg.samples[int(span.start * leg.rate) : int(span.end * leg.rate)].astype(np.int32))
        if len(sound):
            count, power = count + len(sound), power + float(np.sum((sound / FULL) ** 2))
            peak, clipped = max(peak, int(sound.max())), clipped + int(np.count_nonzero(sound >= CLIPPED))
    return Level(
        speaker,
        round(_dbfs(power / count) if count else FLOOR_DBFS, 1),
        round(_dbfs((peak / FULL) ** 2), 1),
        round(clipped / count, 4) if count else 0.0,
    )


def faults(found: Level) -> list[LegTrouble]:
    """What is wrong with a leg that was understood all the same, or as far as it could be."""
    troubles = []
    if found.dbfs < FAINT_DBFS:
        troubles.append(LegTrouble(found.speaker, Trouble.FAINT, f"speech at {found.dbfs:.0f} dBFS is very faint"))
    if found.clipped > CLIPPED_SHARE:
        text = f"{100 * found.clipped:.0f} % of the samples of speech are clipped: recorded too loud"
        troubles.append(LegTrouble(found.speaker, Trouble.CLIPPED, text))
    return troubles


def _dbfs(power: float) -> float:
    return max(FLOOR_DBFS, 10 * math.log10(power)) if power > 0 else FLOOR_DBFS
