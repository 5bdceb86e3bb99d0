"""A real Request Tracker 5 for tests: the CRM lab's, used as it runs or else installed and started (minutes, once).

What is added to the lab's is what docs/rt.md asks an administrator for: a queue, custom fields, a user of our own with
its token, and the overlay that lets RT search telephone numbers. Customers that tests make stay.
"""

import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from tests.crm_real.odoo_lab import OdooLab

REPO = Path(__file__).parents[2]
QUEUE = "客服工单"
PLAIN, BARE, ROOT = "hotline", "bare", "root"
_OVERLAY = Path(__file__).with_name("rt_overlay.pm")
_PREPARE = Path(__file__).with_name("rt_prepare.pl")


class NoRtError(Exception):
    """There can be no RT here: the text says why."""


@dataclass(frozen=True, slots=True)
class RtLab:
    """A running RT. ``tools``: the CRM lab's folder; ``home``: where it keeps its systems."""

    tools: Path
    home: Path
    url: str

    def token(self, login: str) -> str:
        """The token of a user."""
        name = "rt5.tok" if login == ROOT else f"rt5-{login}.tok"
        return (self.home / name).read_text(encoding="utf-8").strip()

    def processes(self) -> list[int]:
        """The server's own, and its workers."""
        first = int((self.home / "rt5.pid").read_text(encoding="utf-8"))
        told = (each.read_text(encoding="utf-8") for each in Path("/proc").glob(f"{first}/task/*/children"))
        return [first, *(int(number) for text in told for number in text.split())]

    def labdata(self) -> ModuleType:
        """The labelled customers: ``rows(1000)``."""
        return OdooLab(self.tools, self.home, self.url).labdata()


@contextmanager
def running() -> Iterator[RtLab]:
    """An RT; stopped afterwards if it was started for this. Raises NoRtError."""
    tools = Path(os.environ.get("HOTLINE_SHARED", REPO.parent / "shared")) / "crm-lab"
    if not (tools / "rt-lab").exists():
        raise NoRtError(f"no CRM lab at {tools} (HOTLINE_SHARED names the folder that has it)")
    home = Path(os.environ.get("LAB", "/var/tmp/crm-lab"))  # noqa: S108 - the lab's own default
    lab = RtLab(tools, home, f"http://127.0.0.1:{os.environ.get('RT_PORT', '18085')}")
    ours = not _answers(lab.url)
    if ours:
        _run(tools, "install", 600)
        _run(tools, "start", 60)
    try:
        if not (home / "rt5.tok").exists():
            _run(tools, "seed", 300)
        if not (home / f"rt5-{BARE}.tok").exists() or not _overlay(home).exists():
            _prepare(lab)
        yield lab
    finally:
        if ours:
            _run(tools, "stop", 60)


def _overlay(home: Path) -> Path:
    return home / "ch-trixie/usr/local/share/request-tracker5/lib/RT/User_Local.pm"


def _prepare(lab: RtLab) -> None:
    """RT reads overlays when it starts."""
    _run(lab.tools, "stop", 60)
    _overlay(lab.home).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(_OVERLAY, _overlay(lab.home))
    inside = lab.home / "ch-trixie"
    shutil.copy(_PREPARE, inside / "tmp")
    program = ["chroot", str(inside), "perl", "-I/usr/share/request-tracker5/lib", f"/tmp/{_PREPARE.name}", "/tmp"]  # noqa: S108 - in the chroot
    _checked(program, 120)
    for login in (PLAIN, BARE):
        shutil.move(inside / f"tmp/{login}.tok", lab.home / f"rt5-{login}.tok")
    _run(lab.tools, "start", 60)


def _run(tools: Path, verb: str, within: float) -> None:
    _checked([str(tools / "rt-lab"), verb], within)


def _checked(command: list[str], within: float) -> None:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            code = process.wait(within)
        except subprocess.TimeoutExpired as error:
            process.kill()
            raise NoRtError(f"no RT: {' '.join(command[:2])}: {error}") from error
    if code:
        raise NoRtError(f"no RT: {' '.join(command[:2])} ended with {code}")


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(f"{url}/REST/2.0/rt", timeout=5).close()
    except urllib.error.HTTPError as error:
        error.close()
        return error.code == 401
    except OSError:
        return False
    return True
