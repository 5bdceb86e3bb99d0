"""What the way from a file to turns costs in errors: our stretches against the same engine on stretches cut by hand.

``python bench/cer.py FOLDER --model DIR [--engine whisper]``. FOLDER holds dialogues (``NAME.json`` with ``turns`` of
``speaker, start, end, text, spoken`` beside ``NAME-rx.wav`` and ``NAME-tx.wav``). "By hand": the engine gets each true
turn by itself, with 0.2 s of air on both sides, as nobody but the truth could cut it. Error rates are over all
characters of the set, against the written or the spoken form, whichever a leg is nearer to.
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transcription.audio import load_leg, resample
from transcription.engines import Engine, EngineSpec, Span, open_engine
from transcription.hearing import hear
from transcription.transcript import Speaker, Turn

AIR = 0.2  # seconds
LEGS = {Speaker.CALLER: "rx", Speaker.AGENT: "tx"}


def plain(text: str) -> str:
    """What counts: letters, digits and characters, in lower case."""
    return re.sub(r"[\W_]+", "", text).lower()


def errors(reference: str, heard: str) -> int:
    """Characters to change, add or remove (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for i, wanted in enumerate(reference, start=1):
        last, row[0] = row[0], i
        for j, got in enumerate(heard, start=1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (wanted != got))
    return row[-1]


@dataclass
class Sum:
    """Errors over characters."""

    wrong: int = 0
    of: int = 0

    def add(self, turns: Sequence[dict[str, Any]], heard: str) -> float:
        """Count one leg; its own rate."""
        forms = [plain("".join(turn[form] for turn in turns)) for form in ("text", "spoken")]
        wrong, of = min((errors(form, plain(heard)), len(form)) for form in forms)
        self.wrong, self.of = self.wrong + wrong, self.of + of
        return wrong / max(1, of)

    @property
    def rate(self) -> float:
        """The share."""
        return self.wrong / max(1, self.of)


def by_hand(engine: Engine, path: Path, turns: Sequence[dict[str, Any]]) -> str:
    """What the engine says to the true turns of one leg."""
    leg = load_leg(path)
    samples = resample(leg.samples, leg.rate, engine.rate)
    cut = [Span(max(0.0, turn["start"] - AIR), min(leg.seconds, turn["end"] + AIR)) for turn in turns]
    return "".join(segment.text for segment in engine.transcribe(samples, cut, lambda _n: None))


def right(turns: Sequence[dict[str, Any]], made: Sequence[Turn]) -> list[dict[str, Any]]:
    """The true turns that are not for the most part covered by turns of their speaker, or are by the other's alone."""
    lost = []
    for turn in turns:
        covered = sum(
            max(0.0, min(turn["end"], heard.end) - max(turn["start"], heard.start))
            for heard in made
            if heard.speaker == turn["speaker"]
        )
        if covered <= (turn["end"] - turn["start"]) / 2:
            lost.append(turn)
    return lost


def extra(turns: Sequence[dict[str, Any]], made: Sequence[Turn]) -> list[Turn]:
    """Turns where the speaker says nothing at all in truth."""
    return [
        heard
        for heard in made
        if not any(
            turn["speaker"] == heard.speaker and heard.start < turn["end"] and heard.end > turn["start"]
            for turn in turns
        )
    ]


def main() -> int:
    """Print a line a call, what was lost or made up, and the sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--engine", default="whisper")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--only", default="", help="calls whose name holds this")
    parser.add_argument("--ours", action="store_true", help="leave the cuts by hand out")
    parser.add_argument("--turns", action="store_true", help="print what was heard, too")
    args = parser.parse_args()
    engine = open_engine(EngineSpec(args.engine, args.model))
    ours, hand = Sum(), Sum()
    count = wrong = 0
    spent = sound = 0.0
    for truth in sorted(path for path in args.folder.glob("*.json") if args.only in path.name):
        turns = json.loads(truth.read_bytes())["turns"]
        paths = {speaker: truth.with_name(f"{truth.stem}-{leg}.wav") for speaker, leg in LEGS.items()}
        began = time.perf_counter()
        made = hear(engine, paths)
        spent, sound = spent + time.perf_counter() - began, sound + made.seconds
        line = f"{truth.stem:28}"
        for speaker, path in paths.items():
            own = [turn for turn in turns if turn["speaker"] == speaker]
            line += f" {speaker} {ours.add(own, ''.join(t.text for t in made.turns if t.speaker is speaker)):.3f}"
            line += "" if args.ours else f" (by hand {hand.add(own, by_hand(engine, path, own)):.3f})"
        lost = right(turns, made.turns)
        print(f"{line} turns right {len(turns) - len(lost)}/{len(turns)}", flush=True)
        for turn in lost:
            print(f"    lost: {turn['start']:.2f} {turn['speaker']} {turn['text']}")
        for heard in extra(turns, made.turns):
            print(f"    made up: {heard.start:.2f} {heard.speaker} {heard.text}")
        for heard in made.turns if args.turns else ():
            print(f"    {heard.start:6.2f} {heard.end:6.2f} {heard.speaker:6} {heard.confidence:.2f} {heard.text}")
        count, wrong = count + len(turns), wrong + len(lost)
    print(f"all: CER {ours.rate:.4f}" + ("" if args.ours else f", by hand {hand.rate:.4f}"), end="")
    print(f"; turns right {count - wrong}/{count}; {spent / max(1e-9, sound):.2f} s of work a second of call")
    return 0


if __name__ == "__main__":
    sys.exit(main())
