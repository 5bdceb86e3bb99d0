"""A real Odoo 19 for tests: the CRM lab's, used as it runs or else installed and started (about two minutes, once).

What is added to the lab's: the sales application, and a user of our own with ordinary rights, as a company would have
one for us. Customers that tests make stay; nothing of the lab's own is changed.
"""

import importlib.util
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

REPO = Path(__file__).parents[2]
DATABASE = "odoo19"
PROJECT = "客服工单"
PLAIN, BARE = "hotline", "bare"
_USERS = f"""
from datetime import datetime, timedelta
for login, groups in (
    ("{PLAIN}", ["base.group_user", "base.group_partner_manager", "project.group_project_user",
                 "sales_team.group_sale_salesman_all_leads"]),
    ("{BARE}", ["base.group_user"]),
):
    user = env["res.users"].search([("login", "=", login)])
    user = user or env["res.users"].with_context(no_reset_password=True).create(dict(name=login, login=login))
    user.group_ids = [(6, 0, [env.ref(group).id for group in groups])]
    key = env["res.users.apikeys"].with_user(user)._generate("rpc", "lab", datetime.now() + timedelta(days=30))
    open(f"{{LAB}}/odoo19-{{login}}.key", "w").write(key)
env.cr.commit()
"""


class NoOdooError(Exception):
    """There can be no Odoo here: the text says why."""


@dataclass(frozen=True, slots=True)
class OdooLab:
    """A running Odoo. ``tools``: the CRM lab's folder; ``home``: where it keeps its systems."""

    tools: Path
    home: Path
    url: str

    def key(self, login: str) -> str:
        """The API key of a user: of the administrator for ``admin``."""
        name = "odoo19.key" if login == "admin" else f"odoo19-{login}.key"
        return (self.home / name).read_text(encoding="utf-8").strip()

    def labdata(self) -> ModuleType:
        """The labelled customers: ``rows(1000)``."""
        spec = importlib.util.spec_from_file_location("labdata", self.tools / "labdata.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


@contextmanager
def running() -> Iterator[OdooLab]:
    """An Odoo; stopped afterwards if it was started for this. Raises NoOdooError."""
    tools = Path(os.environ.get("HOTLINE_SHARED", REPO.parent / "shared")) / "crm-lab"
    if not (tools / "odoo-lab").exists():
        raise NoOdooError(f"no CRM lab at {tools} (HOTLINE_SHARED names the folder that has it)")
    home = Path(os.environ.get("LAB", "/var/tmp/crm-lab"))  # noqa: S108 - the lab's own default
    lab = OdooLab(tools, home, f"http://127.0.0.1:{os.environ.get('ODOO_PORT', '18069')}")
    ours = not _answers(lab.url)
    if ours:
        _run(tools, "install", 400)
        _run(tools, "start", 60)
    try:
        if not (home / "odoo19.key").exists():
            _run(tools, "seed", 120)
        if not (home / f"odoo19-{BARE}.key").exists():
            _prepare(lab)
        yield lab
    finally:
        if ours:
            _run(tools, "stop", 60)


def _prepare(lab: OdooLab) -> None:
    """The sales application and our users. A running Odoo takes a new application up only when it is started again."""
    _run(lab.tools, "stop", 60)
    _odoo(lab.home, "-i", "sale_management", "--stop-after-init")
    _odoo(lab.home, script=f"LAB = {str(lab.home)!r}\n{_USERS}")
    _run(lab.tools, "start", 60)


def _odoo(home: Path, *args: str, script: str | None = None) -> None:
    packages = home / "odoo19/usr/lib/python3/dist-packages"
    program = [str(home / "v-odoo/bin/python"), str(home / "odoo19/usr/bin/odoo"), *(["shell"] if script else [])]
    options = ["-c", str(home / "odoo19.conf"), "-d", DATABASE, "--no-http", f"--logfile={home}/odoo19-tests.log"]
    environment = {**os.environ, "PYTHONPATH": str(packages)}
    _checked([*program, *options, *args], 300, environment, script)


def _run(tools: Path, verb: str, within: float) -> None:
    _checked([str(tools / "odoo-lab"), verb], within, dict(os.environ), None)


def _checked(command: list[str], within: float, environment: dict[str, str], given: str | None) -> None:
    try:
        done = subprocess.run(
            command, input=given, env=environment, timeout=within, capture_output=True, text=True, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoOdooError(f"no Odoo: {' '.join(command[:2])}: {error}") from error
    if done.returncode:
        raise NoOdooError(f"no Odoo: {' '.join(command[:2])} ended with {done.returncode}: {done.stderr[-300:]}")


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url}/web/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
