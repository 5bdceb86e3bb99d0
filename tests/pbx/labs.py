"""Real Asterisks for tests: each in a folder, on addresses and ports of its own, so that many run beside each other.

An Asterisk is installed once for each release (the PBX lab's own ``asterisk-lab install``, half a minute, kept below
~/.cache/hotline). What runs is always a copy of it, hard-linked and so made in a second: a test may write what it
likes into its configuration. Copies are kept in a pool and given out under a file lock; so several test runs on one
machine never meet.
"""

import fcntl
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

REPO = Path(__file__).parents[2]
SUITES = {"22": ("", "asterisk-lab"), "16": ("bullseye", "asterisk-lab16")}
"""Asterisk release -> the Debian suite that has it (the lab's own choice where empty) and the folder of its install."""

PHONES = (1, 2, 11, 12, 13, 14)
"""Last octets of a lab's addresses: PBX, carrier, four phones."""
NETS = range(40, 80)
"""Third octets tests may take; a lab on 127.0.NET has AMI port 6000 + NET and two hundred RTP ports."""
COPIES = 12
USER = 5038
"""The numeric user that Asterisk runs as in the lab."""
LINES = {"4007002505": ("01062802505",), "4008001234": ()}
TRUNK = "PJSIP/carrier"
VOICEMAIL = "CC400Voicemail"


class NoLabError(Exception):
    """There can be no Asterisk here: the text says why."""


@dataclass
class Lab:
    """A running Asterisk. ``etc`` is its configuration as a test may change it: :meth:`reload` or :meth:`restart` then.

    ``folder`` is the PBX lab with its tools, ``prefix`` this Asterisk's own folder.
    """

    folder: Path
    prefix: Path
    suite: str
    net: str
    ami_port: int
    rtp: str
    environment: dict[str, str] = field(repr=False, default_factory=dict)

    @property
    def root(self) -> Path:
        """The folder that is / for the PBX."""
        return self.prefix / "root"

    @property
    def recordings(self) -> Path:
        """What the PBX records, as this machine sees it."""
        return self.root / "var/spool/asterisk/monitor"

    @property
    def voicemail(self) -> Path:
        """Where the dialplan's messages are."""
        return self.root / "var/spool/asterisk/voicemail"

    @property
    def cdr(self) -> Path:
        """The PBX's own call records, cdr_csv's file."""
        return self.root / "var/log/asterisk/cdr-csv/Master.csv"

    @property
    def etc(self) -> Path:
        """The configuration, every value filled in. Files here count from the next reload or start on."""
        return self.prefix / "etc"

    @cached_property
    def secrets(self) -> dict[str, str]:
        """AMI_CRM_SECRET (users crm and crmfiltered), AMI_ADMIN_SECRET, AMI_FULL_SECRET, AMI_AGENT_SECRET."""
        text = (self.prefix / "secrets.env").read_text(encoding="utf-8")
        return dict(re.findall(r"^(\w+)=(\S+)$", text, re.MULTILINE))

    @property
    def secret(self) -> str:
        """The secret of the AMI users crm and crmfiltered."""
        return self.secrets["AMI_CRM_SECRET"]

    def cli(self, command: str) -> str:
        """What the PBX's console says to a command."""
        return self.run("cli", command)

    def start(self) -> None:
        """Start it with what is in :attr:`etc`; nothing when it runs."""
        self.run("start")

    def stop(self) -> None:
        """Stop it in order; nothing when it does not run."""
        self.run("stop")

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self.run("kill9")

    def restart(self) -> None:
        """Stop it and start it with what is in :attr:`etc`."""
        self.stop()
        self.start()

    def reload(self) -> str:
        """Have the running PBX read :attr:`etc` again; what it says."""
        target = self.root / "etc/asterisk"
        for file in target.iterdir():
            if file.is_file() and not (self.etc / file.name).exists():
                file.unlink()
        for file in sorted(self.etc.glob("*.conf")):
            shutil.copyfile(file, target / file.name)
            os.chown(target / file.name, USER, USER)
            (target / file.name).chmod(0o640)
        return self.cli("core reload")

    def run(self, *command: str) -> str:
        """One command of asterisk-lab; what it printed."""
        done = subprocess.run(
            [self.folder / "asterisk-lab", *command],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"asterisk-lab {' '.join(command)}: {done.stderr.strip()[-500:]}"
        return done.stdout

    def drive(self, script: Path, out: Path, *names: str, timeout: float = 150) -> None:
        """Run a script that takes the arguments of the lab's tools/scenarios.py: real SIP calls from here."""
        where = ["--prefix", str(self.prefix), "--net", self.net, "--ami-port", str(self.ami_port)]
        driven = [sys.executable, str(script), *where, "--out", str(out), *names]
        done = subprocess.run(
            driven, env=self.environment, timeout=timeout, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{' '.join(names)}: {done.stdout[-500:]} {done.stderr[-1000:]}"

    def scenarios(self, out: Path, *names: str, timeout: float = 150) -> list[dict[str, Any]]:
        """Real SIP calls, one scenario after the other; what the phones and the PBX's own records say of each.

        A name is the scenario's, with its variant behind a colon where it has one ("d_blind:dtmf").
        """
        tools = self.folder / "tools"
        self.drive(Path(__file__).with_name("more_scenarios.py"), out, *names, timeout=timeout)
        subprocess.run([sys.executable, str(tools / "gen_readme.py"), str(out)], check=True, timeout=30)
        return [json.loads((out / f"{name.replace(':', '-')}.truth.json").read_text()) for name in names]


def find_lab() -> Path:
    """The PBX lab's folder; NoLabError where there is none or it cannot run."""
    shared = Path(os.environ.get("HOTLINE_SHARED", REPO.parent / "shared"))
    folder = Path(os.environ.get("HOTLINE_PBX_LAB", shared / "pbx-lab"))
    if not (folder / "asterisk-lab").is_file():
        raise NoLabError(f"no PBX lab at {folder}: set HOTLINE_PBX_LAB or HOTLINE_SHARED")
    if os.geteuid() != 0:
        raise NoLabError("the PBX lab starts Asterisk by chroot and needs root")
    for program in ("apt-get", "dpkg-deb", "chroot"):
        if shutil.which(program) is None:
            raise NoLabError(f"the PBX lab needs {program}, which this machine has not")
    return folder


@contextmanager
def running(suite: str = "22") -> Iterator[Lab]:
    """An Asterisk of a release ("22" or "16"), started with the lab's configuration; nobody else has it meanwhile."""
    folder = find_lab()
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "hotline"
    with ExitStack() as stack:
        base = _installed(folder, cache, suite)
        prefix = _copy(base, cache / "labs", suite, stack)
        third = _free_net(cache / "labs", stack)
        rtp = 24_000 + (third - NETS.start) * 200
        lab = Lab(folder, prefix, suite, f"127.0.{third}", 6000 + third, f"{rtp}-{rtp + 199}")
        lab.environment = os.environ | {
            "ASTERISK_LAB_PREFIX": str(prefix),
            "ASTERISK_LAB_NET": lab.net,
            "ASTERISK_LAB_AMI_PORT": str(lab.ami_port),
            "ASTERISK_LAB_RTP": lab.rtp,
            "PYTHONPATH": str(folder / "tools"),
        }
        for command in ("stop", "reset", "start"):
            lab.run(command)
        stack.callback(lab.stop)
        shutil.rmtree(lab.etc, ignore_errors=True)
        shutil.copytree(lab.root / "etc/asterisk", lab.etc)
        lab.environment["ASTERISK_LAB_ETC"] = str(lab.etc)
        yield lab


def _installed(folder: Path, cache: Path, suite: str) -> Path:
    """The folder with an Asterisk of that release, installed once. It is never started: copies of it are."""
    suites, name = SUITES[suite]
    named = os.environ.get("HOTLINE_PBX_PREFIX" if suite == "22" else f"HOTLINE_PBX_PREFIX{suite}")
    prefix = Path(named) if named else cache / name
    prefix.parent.mkdir(parents=True, exist_ok=True)
    with prefix.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (prefix / ".installed").exists():
            return prefix
        environment = os.environ | {"ASTERISK_LAB_PREFIX": str(prefix)}
        if suites:
            environment["ASTERISK_LAB_SUITES"] = suites
        done = subprocess.run(
            [folder / "asterisk-lab", "install"],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        if done.returncode:
            raise NoLabError(f"no Asterisk {suite} can be had here: {done.stderr.strip()[-300:]}")
    return prefix


def _copy(base: Path, pool: Path, suite: str, stack: ExitStack) -> Path:
    """A copy of an install that nobody else uses, locked until the stack closes."""
    pool.mkdir(parents=True, exist_ok=True)
    for number in range(COPIES):
        prefix = pool / f"{suite}-{number}"
        if not _locked(prefix.with_suffix(".lock"), stack):
            continue
        if _stamp(prefix) != _stamp(base):
            shutil.rmtree(prefix, ignore_errors=True)
            fresh = prefix.with_suffix(".new")
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir()
            for part, how in (("root/usr", ["--link"]), ("root", []), ("secrets.env", []), (".installed", [])):
                _clone(base, fresh, part, how)
            fresh.rename(prefix)
        return prefix
    raise NoLabError(f"all {COPIES} copies of Asterisk {suite} are in use")


def _stamp(prefix: Path) -> str | None:
    file = prefix / ".installed"
    return file.read_text(encoding="utf-8") if file.exists() else None


def _clone(base: Path, fresh: Path, part: str, how: Sequence[str]) -> None:
    """Copy a part of an install; what is there already (the linked programs) stays."""
    target = fresh / part
    target.parent.mkdir(parents=True, exist_ok=True)
    done = ["cp", "--archive", "--no-clobber", *how, "--no-target-directory", str(base / part), str(target)]
    subprocess.run(done, check=False, capture_output=True, timeout=60)  # cp 9.2 - 9.4 fail where they keep a file
    assert target.exists()


def _free_net(pool: Path, stack: ExitStack) -> int:
    for third in NETS:
        if not _locked(pool / f"net-{third}.lock", stack):
            continue
        if _free("127.0.0.1", 6000 + third, socket.SOCK_STREAM) and all(
            _free(f"127.0.{third}.{last}", 5060, socket.SOCK_DGRAM) for last in PHONES
        ):
            return third
    raise NoLabError("no loopback net with free SIP ports")


def _free(host: str, port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _locked(file: Path, stack: ExitStack) -> bool:
    """Take a file lock until the stack closes; False when somebody has it."""
    lock = file.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return False
    stack.enter_context(lock)
    return True
