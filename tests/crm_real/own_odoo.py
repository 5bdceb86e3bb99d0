"""An Odoo process of one's own on the lab's database: to be stopped, and held, while others work with the lab's."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.crm_real.odoo_lab import BARE, DATABASE, REPO, NoOdooError, OdooLab, running


@contextmanager
def prepared() -> Iterator[OdooLab]:
    """The lab's Odoo, which needs not run itself once its database is there. Raises NoOdooError."""
    home = Path(os.environ.get("LAB", "/var/tmp/crm-lab"))  # noqa: S108 - the lab's own default
    tools = Path(os.environ.get("HOTLINE_SHARED", REPO.parent / "shared")) / "crm-lab"
    if (tools / "odoo-lab").exists() and (home / f"odoo19-{BARE}.key").exists() and _open(55440):
        yield OdooLab(tools, home, "")
        return
    with running() as lab:
        yield lab


def _open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(os.environ.get("CRM_PGPORT", port)))) == 0


class OwnOdoo:
    """The process. ``lab``: where it answers, with the keys of the lab's users."""

    def __init__(self, lab: OdooLab) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.lab = replace(lab, url=f"http://127.0.0.1:{self._port}")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers. Raises NoOdooError."""
        home = self.lab.home
        program = [str(home / "v-odoo/bin/python"), str(home / "odoo19/usr/bin/odoo")]
        options = ["-c", str(home / "odoo19.conf"), "-d", DATABASE, f"--http-port={self._port}"]
        self._process = subprocess.Popen(
            [*program, *options, f"--logfile={home}/odoo19-own.log"],
            env={**os.environ, "PYTHONPATH": str(home / "odoo19/usr/lib/python3/dist-packages")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        for _ in range(240):
            try:
                with opener.open(f"{self.lab.url}/web/health", timeout=5):
                    return
            except (OSError, urllib.error.URLError):
                time.sleep(0.25)
        raise NoOdooError(f"no Odoo at {self.lab.url} within a minute")

    def stop(self) -> None:
        """End it at once, as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Stuck: its port open, its process stopped."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


@contextmanager
def own(lab: OdooLab) -> Iterator[OwnOdoo]:
    """One, started."""
    odoo = OwnOdoo(lab)
    try:
        odoo.start()
        yield odoo
    finally:
        odoo.stop()
