"""A real MariaDB for tests: Debian's own packages, unpacked into a folder and run from there; nothing is installed.

It takes half a minute the first time. HOTLINE_MYSQL_URL (``mysql://user@host/name``) names another server instead,
in whose database tables may be made.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGES = ("mariadb-server-core", "mariadb-client-core", "liburing2", "libaio1")


class NoMariaError(Exception):
    """There can be no MariaDB here: the text says why."""


@contextmanager
def running() -> Iterator[str]:
    """The address of an empty database. Raises NoMariaError."""
    if given := os.environ.get("HOTLINE_MYSQL_URL"):
        yield given
        return
    root = Path(os.environ.get("LAB", "/var/tmp/crm-lab")) / "mariadb"  # noqa: S108 - the lab's own default
    if not (root / "usr/bin/my_print_defaults").exists():
        _unpack(root)
    folder = Path(tempfile.mkdtemp(prefix="maria-"))
    try:
        with _server(root, folder) as socket:
            yield f"mysql://root@/hotline_test?host={socket}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unpack(root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        _checked(["apt-get", "download", "-q", package], root)
    for file in sorted(root.glob("*.deb")):
        _checked(["dpkg-deb", "-x", file.name, "."], root)


@contextmanager
def _server(root: Path, folder: Path) -> Iterator[Path]:
    libraries = f"{root}/lib/x86_64-linux-gnu:{root}/usr/lib/x86_64-linux-gnu"
    environment = {**os.environ, "LD_LIBRARY_PATH": libraries}
    user = ["--user=root"] if os.geteuid() == 0 else []
    common = ["--no-defaults", f"--basedir={root}/usr", f"--datadir={folder}/data", *user]
    install = [f"{root}/usr/bin/mariadb-install-db", *common, "--auth-root-authentication-method=normal"]
    _checked([*install, "--skip-name-resolve"], root, environment)
    socket = folder / "s"
    quick = ["--skip-networking", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M"]
    program = [f"{root}/usr/sbin/mariadbd", *common, *quick, f"--lc-messages-dir={root}/usr/share/mysql"]
    process = subprocess.Popen(
        [*program, f"--socket={socket}"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        _wait(process)
        yield socket
    finally:
        process.terminate()
        process.communicate(timeout=30)


def _wait(process: subprocess.Popen[str]) -> None:
    """Until it takes connections: it says so."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if "ready for connections" in line:
            return
    raise NoMariaError(f"no MariaDB: {said[-3:]}")


def _checked(command: list[str], cwd: Path, environment: dict[str, str] | None = None) -> None:
    try:
        done = subprocess.run(
            command, cwd=cwd, env=environment, timeout=200, capture_output=True, text=True, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoMariaError(f"no MariaDB: {command[0]}: {error}") from error
    if done.returncode:
        raise NoMariaError(f"no MariaDB: {' '.join(command[:3])} ended with {done.returncode}: {done.stderr[-300:]}")
