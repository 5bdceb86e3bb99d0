"""How well an engine hears the spoken dialogues: character error rate a leg, speakers, speed.

``python bench/speech.py FOLDER --engine whisper --model DIR``. FOLDER holds ``NAME.json`` with ``turns`` (speaker,
start, end, text, spoken) beside ``NAME-rx.wav`` (caller) and ``NAME-tx.wav`` (agent). The error rate is taken against
the written form (digits as digits) and the spoken one; the lower counts, since engines write numbers either way.
"""

import argparse
import asyncio
import json
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transcription.transcript import Speaker, Transcript
from transcription.worker import EngineSpec, Transcriber


def errors(reference: str, heard: str) -> int:
    """Characters to change, add or remove (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for i, wanted in enumerate(reference, start=1):
        last, row[0] = row[0], i
        for j, got in enumerate(heard, start=1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (wanted != got))
    return row[-1]


def plain(text: str) -> str:
    """What counts: letters, digits and characters, in lower case."""
    return re.sub(r"[\W_]+", "", text).lower()


def rate(turns: Sequence[dict[str, Any]], heard: str) -> tuple[float, float]:
    """Error rates of one leg against the written and the spoken form."""
    made = []
    for form in ("text", "spoken"):
        reference = plain("".join(turn[form] for turn in turns))
        made.append(errors(reference, plain(heard)) / max(1, len(reference)))
    return made[0], made[1]


def speakers_right(turns: Sequence[dict[str, Any]], made: Transcript) -> int:
    """True turns that a turn of the same speaker covers for the most part."""
    right = 0
    for turn in turns:
        covered = sum(
            max(0.0, min(turn["end"], heard.end) - max(turn["start"], heard.start))
            for heard in made.turns
            if heard.speaker == turn["speaker"]
        )
        right += covered > (turn["end"] - turn["start"]) / 2
    return right


async def main() -> int:
    """Print a line a call and the sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--engine", default="whisper")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--turns", action="store_true", help="print what was heard, too")
    args = parser.parse_args()
    transcriber = Transcriber(EngineSpec(args.engine, args.model))
    print(f"model {await transcriber.probe()}", file=sys.stderr)
    all_turns = all_right = 0
    spent = sound = 0.0
    legs: list[float] = []
    for truth in sorted(args.folder.glob("*.json")):
        turns = json.loads(truth.read_bytes())["turns"]
        began = time.perf_counter()
        rx, tx = (truth.with_name(f"{truth.stem}-{leg}.wav") for leg in ("rx", "tx"))
        made = await transcriber.transcribe(rx, tx)
        took = time.perf_counter() - began
        line = f"{truth.stem:28}"
        for speaker in Speaker:
            heard = "".join(turn.text for turn in made.turns if turn.speaker is speaker)
            written, spoken = rate([turn for turn in turns if turn["speaker"] == speaker], heard)
            legs.append(min(written, spoken))
            line += f" {speaker} {written:.3f}/{spoken:.3f}"
        right = speakers_right(turns, made)
        print(f"{line} speakers {right}/{len(turns)} turns {len(made.turns)} rtf {took / made.seconds:.2f}")
        for turn in made.turns if args.turns else ():
            print(f"    {turn.start:6.2f} {turn.speaker:6} {turn.confidence:.2f} {turn.text}")
        all_turns, all_right, spent, sound = (
            all_turns + len(turns), all_right + right, spent + took, sound + made.seconds,
        )  # fmt: skip
    await transcriber.close()
    mean = sum(legs) / max(1, len(legs))
    print(
        f"mean CER of legs {mean:.3f}, speakers {all_right}/{all_turns}, seconds a second of call {spent / sound:.2f}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
