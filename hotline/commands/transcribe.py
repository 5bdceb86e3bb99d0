"""``hotline transcribe CALLER AGENT``: what was said on the two legs of a recording, and the summary of it."""

import argparse
import asyncio
import json
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from hotline import clock, logs
from hotline.cli import UsageError
from hotline.settings import ConfigError, Settings, load
from hotline.speech import spec_for
from hotline.telephony_settings import LineSpeech
from transcription.engines import ENGINES, EngineSpec
from transcription.modelstore import DemoModelError, assemble_demo_model
from transcription.summary import as_json, summarise
from transcription.transcript import Transcript
from transcription.worker import AudioProblem, NoModel, Transcriber, TranscriptionError

_NO_MODEL = "no model for {engine} below {models}: hotline model get, hotline model add PATH, or --model PATH"
_PATIENT = 2.0  # seconds a person waits without a sign of life


def add(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("caller", type=Path, metavar="CALLER", help="the caller's leg (MixMonitor's r() file)")
    parser.add_argument(
        "agent", type=Path, metavar="AGENT", nargs="?",
        help="the agent's leg (the t() file); the same file twice: one stereo file, the caller on the left",
    )  # fmt: skip
    parser.add_argument("--engine", choices=ENGINES, help="default: the configuration's, else what the model is for")
    parser.add_argument("--model", type=Path, metavar="PATH", help="the model's folder; default: the first that works")
    parser.add_argument("--language", help="the language spoken (default: the configuration's, zh)")
    parser.add_argument("--line", metavar="NUMBER", help="as this line's calls are written down: its own [line.speech]")
    parser.add_argument(
        "--called-at", metavar="ISO", help="when the call began, with its zone; default: the file's time"
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="hotline.toml")
    parser.add_argument("--json", action="store_true", help='print {"turns", "summary"} instead of lines to read')


def run(args: argparse.Namespace) -> int:
    """Print the conversation; exit code 1, and nothing on stdout, when it cannot be had."""
    try:
        settings = load(args.config)
    except ConfigError as error:
        raise UsageError(str(error)) from error
    called_at = _called_at(args, settings)
    logs.configure()  # what the worker logs belongs on stderr
    try:
        spec = _spec(args, settings)
        transcript = asyncio.run(_transcribe(spec, args.caller, args.agent))
    except (TranscriptionError, AudioProblem) as error:
        sys.stderr.write(f"hotline transcribe: {error}\n")
        return 1
    for trouble in transcript.troubles:
        sys.stderr.write(f"hotline transcribe: the {trouble.speaker}'s leg: {trouble.text}\n")
    _print(transcript, called_at, as_lines=not args.json)
    return 0


def _called_at(args: argparse.Namespace, settings: Settings) -> datetime:
    if args.called_at is not None:
        try:
            at = datetime.fromisoformat(args.called_at)
        except ValueError as error:
            raise UsageError(
                f"--called-at {args.called_at!r} is no ISO 8601 time: write 2026-04-16T10:12+08:00"
            ) from error
        return at if at.tzinfo else at.replace(tzinfo=settings.site.zone)
    try:
        return datetime.fromtimestamp(args.caller.stat().st_mtime, settings.site.zone)
    except OSError:  # reading the leg will say what is wrong with it
        return datetime.fromtimestamp(clock.now(), settings.site.zone)


def _spec(args: argparse.Namespace, settings: Settings) -> EngineSpec:
    """The engine to use; the demo's model is put together when whisper is asked for and its wheels are installed."""
    wanted = settings.transcription
    own = _asked(args, settings)
    engine, language = own.engine or wanted.engine, own.language or wanted.language
    if engine == "none":
        raise UsageError("the configuration says engine = none: name one with --engine")
    if engine == "openai" and wanted.endpoint is None:
        raise UsageError("the openai engine needs the address of your server: [transcription.endpoint] url")
    models = settings.data / "models"
    spec = spec_for(settings, own)
    if spec is None and engine in ("auto", "whisper"):
        try:
            spec = EngineSpec("whisper", assemble_demo_model(models), language)
        except DemoModelError as error:
            raise NoModel(f"{_NO_MODEL.format(engine=engine, models=models)} (nor the demo's: {error})") from error
    if spec is None:
        raise NoModel(_NO_MODEL.format(engine=engine, models=models))
    return spec


def _asked(args: argparse.Namespace, settings: Settings) -> LineSpeech:
    """What the line says, with what was given on the command line put over it."""
    own = LineSpeech()
    if args.line is not None:
        found = [line.speech for line in settings.line if args.line in (line.number, *line.aliases)]
        if not found:
            raise UsageError(f"the configuration has no [[line]] {args.line}")
        own = found[0]
    given: dict[str, Any] = {}
    if args.model is not None:
        given = {"engine": args.engine or "auto", "model": args.model}
    elif args.engine is not None and args.engine != (own.engine or settings.transcription.engine):
        given = {"engine": args.engine, "model": None}
    if args.language is not None:
        given["language"] = args.language
    return own.model_copy(update=given)


async def _transcribe(spec: EngineSpec, caller: Path, agent: Path | None) -> Transcript:
    transcriber = Transcriber(spec)
    began = last = time.monotonic()

    def progress(share: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - began > _PATIENT and (now - last > 1 or share == 1):
            last = now
            sys.stderr.write(f"hotline transcribe: {100 * share:.0f} %\n")

    try:
        return await transcriber.transcribe(caller, agent, progress=progress)
    finally:
        await transcriber.close()


def _print(transcript: Transcript, called_at: datetime, *, as_lines: bool) -> None:
    if as_lines:
        for turn in transcript.turns:
            sys.stdout.write(f"{turn.start:7.2f} {turn.speaker:6} {turn.text}\n")
        return
    turns: list[dict[str, Any]] = [
        {
            "speaker": turn.speaker,
            "start": turn.start,
            "end": turn.end,
            "text": turn.text,
            "confidence": turn.confidence,
        }
        for turn in transcript.turns
    ]
    answer = {"turns": turns, "summary": as_json(summarise(transcript.turns, called_at))}
    sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
