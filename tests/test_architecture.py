"""The rules of the house bite: a planted sin of each kind is found by the tools that the gate runs."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("hotline", "screenpop", "storage", "telephony", "crm", "tickets", "transcription", "numbering")
BIN = Path(sys.executable).parent
LONGEST = 350


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the packages to sin in."""
    for package in PACKAGES:
        leave = shutil.ignore_patterns("__pycache__", "static", "stories", "locale", "templates")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=leave)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def plant(file: Path, code: str) -> None:
    """Add code to a module."""
    file.write_text(file.read_text(encoding="utf-8") + f"\n{code}\n", encoding="utf-8")


def lint_imports(house: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter there."""
    command = [str(BIN / "lint-imports"), "--no-cache"]
    return subprocess.run(command, cwd=house, capture_output=True, text=True, check=False)


def ruff(house: Path) -> subprocess.CompletedProcess[str]:
    """Run ruff there."""
    command = [str(BIN / "ruff"), "check", "--no-cache", "--quiet", "."]
    return subprocess.run(command, cwd=house, capture_output=True, text=True, check=False)


def test_the_house_as_it_is_passes(house: Path) -> None:
    """What follows fails for its own reason only."""
    assert lint_imports(house).returncode == 0
    assert ruff(house).returncode == 0


@pytest.mark.parametrize(
    ("room", "sin"),
    [
        ("telephony/lines.py", "import storage.ledger"),  # upward
        ("crm/matching.py", "from tickets.ticket import Ticket"),  # one of the four in the middle meets another
        ("tickets/rules.py", "import asyncio"),  # a pure room with I/O
        ("screenpop/desk.py", "import storage.ledger"),  # a pure room that reaches SQL by way of another
        ("hotline/pipeline.py", "import sqlalchemy"),  # SQL outside storage
        ("telephony/link.py", "import panoramisk"),  # panoramisk outside its one module
    ],
)
def test_a_planted_import_is_found(house: Path, room: str, sin: str) -> None:
    """import-linter names the broken contract."""
    plant(house / room, sin)
    found = lint_imports(house)
    assert found.returncode != 0
    assert "BROKEN" in found.stdout


@pytest.mark.parametrize(
    ("room", "sin"),
    [
        ("tickets/rules.py", "import datetime\n\nWHEN = datetime.datetime.now(datetime.UTC)"),
        ("telephony/tracker.py", "import time\n\nWHEN = time.time()"),
        ("hotline/jobs.py", "import asyncio\n\n\ndef orphan() -> None:\n    asyncio.create_task(asyncio.sleep(1))"),
    ],
)
def test_a_planted_clock_or_orphan_is_found(house: Path, room: str, sin: str) -> None:
    """Ruff's banned calls hold."""
    plant(house / room, sin)
    found = ruff(house)
    assert found.returncode != 0
    assert "TID251" in found.stdout


def test_no_module_is_an_attic() -> None:
    """No module of ours is longer than 350 lines."""
    modules = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "versions" not in path.parts]
    assert modules
    long = {
        str(path.relative_to(ROOT)): lines
        for path in modules
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST
    }
    assert not long


def test_no_room_is_named_after_nothing() -> None:
    """No common, utils, helpers, services or models."""
    nothing = {"common", "utils", "util", "helpers", "services", "models"}
    assert not [path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.stem in nothing]
