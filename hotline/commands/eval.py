"""``hotline eval FOLDER``: how good transcripts and summaries are, held against calls whose truth is known."""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from hotline import lexicons, logs
from hotline.cli import UsageError
from hotline.evaluation import Column, Known, from_sound, from_text, known_calls
from hotline.settings import ConfigError, Settings, load
from transcription.engines import ENGINES, EngineSpec
from transcription.lexicon import LexiconError
from transcription.modelstore import first_working
from transcription.scoring import Score
from transcription.truth import TruthError
from transcription.worker import NoModel

_EXACT = 0.0005


def add(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "folder", type=Path, metavar="FOLDER", help="calls: NAME.json with turns and truth, NAME-rx.wav and NAME-tx.wav"
    )
    parser.add_argument(
        "--engine", action="append", default=[], metavar="NAME[=PATH]",
        help=f"decode the sound with this engine ({', '.join(ENGINES)}) and the model's folder; may be given several "
        "times. Without it only the texts are looked at",
    )  # fmt: skip
    parser.add_argument("--lexicon", type=Path, metavar="FILE", help="a line's own words, as [line.speech] lexicon")
    parser.add_argument("--config", type=Path, metavar="FILE", help="hotline.toml")
    parser.add_argument("-v", "--verbose", action="store_true", help="what was missed and what was wrong, by call")
    parser.add_argument("--json", action="store_true", help="counts and misses as JSON")


def run(args: argparse.Namespace) -> int:
    """Print the table; exit code 1 when a call could not be done at all."""
    try:
        settings = load(args.config)
        calls = list(known_calls(args.folder, settings.site.zone))
        lexicon = lexicons.read(args.lexicon) if args.lexicon else None
    except (ConfigError, TruthError, LexiconError, OSError) as error:
        raise UsageError(str(error)) from error
    if not calls:
        raise UsageError(f"no NAME.json with a truth in {args.folder}: docs/speech.md says how a known call is written")
    logs.configure()
    sounding = [known for known in calls if known.caller is not None or known.agent is not None]
    columns = from_text(calls, lexicon)
    try:
        for spec in [_spec(given, settings) for given in args.engine]:
            if not sounding:
                raise UsageError(f"no call in {args.folder} has sound: NAME-rx.wav and NAME-tx.wav beside NAME.json")
            columns.append(asyncio.run(from_sound(sounding, spec, lexicon, _tell)))
    except NoModel as error:
        sys.stderr.write(f"hotline eval: {error}\n")
        return 1
    _print(columns, calls, sounding, args)
    return int(any(column.failed for column in columns))


def _spec(given: str, settings: Settings) -> EngineSpec:
    engine, _, path = given.partition("=")
    if engine not in ENGINES:
        raise UsageError(f"there is no engine {engine!r}; there are: {', '.join(ENGINES)}")
    if path:
        return EngineSpec(engine, Path(path), settings.transcription.language)
    models = settings.data / "models"
    spec = first_working(models, engine=engine, model=None, language=settings.transcription.language)
    if spec is None:
        raise NoModel(f"no model for {engine} below {models}: hotline model add PATH, or --engine {engine}=PATH")
    return spec


def _tell(line: str) -> None:
    sys.stderr.write(f"hotline eval: {line}\n")


def _print(
    columns: Sequence[Column], calls: Sequence[Known], sounding: Sequence[Known], args: argparse.Namespace
) -> None:
    for column in columns:
        for name, why in column.failed.items():
            _tell(f"{column.name}: {name}: {why}")
    if args.json:
        told = {
            column.name: {
                "score": asdict(column.score),
                "memory": column.memory,
                "failed": column.failed,
                "missed": {name: asdict(missed) for name, missed in column.missed.items()},
            }
            for column in columns
        }
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
        return
    sys.stdout.write(f"{len(calls)} calls, {len(sounding)} with sound\n\n{table(columns)}")
    if args.verbose:
        sys.stdout.write("".join(_misses(column) for column in columns))


def table(columns: Sequence[Column]) -> str:
    """Markdown: a row a measure, a column a way in. Empty where there was nothing to measure."""
    rows = [["", *(column.name for column in columns)], ["---"] * (len(columns) + 1)]
    for name, show in MEASURES.items():
        shown = [show(column.score) for column in columns]
        if any(shown):
            rows.append([name, *shown])
    memory = [f"{column.memory / 2**20:.0f} MB" if column.memory else "" for column in columns]
    if any(memory):
        rows.append(["memory of the engine at most", *memory])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _share(part: str, whole: str) -> Callable[[Score], str]:
    def show(score: Score) -> str:
        got, of = getattr(score, part), getattr(score, whole)
        return f"{got / of:.3f} ({got:g} of {of:g})" if of else ""

    return show


def _seconds(score: Score) -> str:
    return f"{max(score.spent / score.seconds, _EXACT):.3f}" if score.spent and score.seconds else ""


MEASURES: Mapping[str, Callable[[Score], str]] = {
    "character error rate": _share("character_errors", "characters"),
    "turns with the right speaker": _share("right_speaker", "true_turns"),
    "turns lost": _share("lost_turns", "true_turns"),
    "facts, recall": _share("facts_hit", "facts_wanted"),
    "facts, precision": _share("facts_hit", "facts_said"),
    "promises, recall": _share("promises_hit", "promises_wanted"),
    "promises, precision": _share("promises_hit", "promises_said"),
    "category": _share("category", "calls"),
    "urgency": _share("urgency", "calls"),
    "sentiment": _share("sentiment", "calls"),
    "sentences that their turns say": _share("evidenced", "sentences"),
    "identity and bank cards hidden": _share("hidden", "cards"),
    "other digits masked": _share("masked", "other_digits"),
    "seconds of work a second of call": _seconds,
}


def _misses(column: Column) -> str:
    lines = [f"\n{column.name}\n"]
    for name, missed in column.missed.items():
        for what, entries in (
            ("category", [missed.category] if missed.category else []),
            ("missed", missed.facts_missed),
            ("wrong", missed.facts_wrong),
            ("promise missed", missed.promises_missed),
            ("promise wrong", missed.promises_wrong),
            ("not said", missed.unsupported),
        ):
            lines += [f"{name}: {what}: {entry}\n" for entry in entries]
    return "".join(lines)
