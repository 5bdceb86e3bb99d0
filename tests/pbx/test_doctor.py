"""The doctor at a real Asterisk: every fault sown into its configuration is named, and none where there is none."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hotline.clock import now
from hotline.doctor.catalogue import Code
from hotline.doctor.examine import examine
from hotline.doctor.finding import Report
from hotline.settings import load
from tests.pbx.faults import FAULTS, Fault
from tests.pbx.labs import TRUNK, USER, VOICEMAIL, Lab

pytestmark = [pytest.mark.pbx, pytest.mark.timeout(280)]

SAMPLE = (
    "another secret",
    "filter without Hangup",
    "allowed to make calls",
    "the trunk has another name",
    "any number answered",
    "recorded without a mark",
    "a member without a phone",
)
"""What is tried without ``--long``: one fault of each kind of file."""

TOML = """
[[pbx]]
name = "lab"
port = {port}
user = "{user}"
trunks = ["{trunk}"]
voicemail_event = "{voicemail}"
[pbx.cdr]
file = "{cdr}"
timezone = "UTC"
[[line]]
number = "4007002505"
aliases = ["01062802505"]
[[line]]
number = "4008001234"
[recordings]
root = "{recordings}"
[transcription]
engine = "none"
"""


@pytest.fixture(scope="module")
def sick(own_lab: Callable[..., Lab]) -> Lab:
    """An Asterisk to make ill."""
    return own_lab("doctor")


@pytest.fixture(scope="module")
def healthy(sick: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its configuration as it is when nothing is wrong."""
    kept = tmp_path_factory.mktemp("healthy") / "etc"
    shutil.copytree(sick.etc, kept)
    sick.cdr.parent.mkdir(parents=True, exist_ok=True)
    sick.cdr.touch()
    return kept


def _put(lab: Lab, file: str, text: str, mode: int = 0o640) -> None:
    """A file of the running PBX's configuration, and of its next start."""
    for path in (lab.etc / file, lab.root / "etc/asterisk" / file):
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        os.chown(path, USER, USER)


def _toml(lab: Lab, user: str) -> str:
    return TOML.format(
        port=lab.ami_port, user=user, trunk=TRUNK, voicemail=VOICEMAIL, cdr=lab.cdr, recordings=lab.recordings
    )


def _examined(lab: Lab, folder: Path, *, user: str = "crmfiltered", files: bool, fault: Fault | None = None) -> Report:
    text = _toml(lab, user)
    for old, new in fault.swap if fault else ():
        assert old in text
        text = text.replace(old, new)
    config = folder / "hotline.toml"
    config.write_text(text, encoding="utf-8")
    os.environ["HOTLINE_PBX_LAB_SECRET"] = (fault.secret if fault else None) or lab.secret
    try:
        folders = {"lab": lab.root / "etc/asterisk"} if files else {}
        return asyncio.run(examine(load(config), config=config, folders=folders, listen=0.0, clock=now))
    finally:
        del os.environ["HOTLINE_PBX_LAB_SECRET"]


def _codes(report: Report) -> set[Code]:
    return {finding.code for finding in report.faults}


@pytest.mark.parametrize("files", [True, False], ids=["files", "ami"])
@pytest.mark.parametrize("user", ["crm", "crmfiltered"])
def test_a_sound_pbx_has_no_fault(sick: Lab, healthy: Path, tmp_path: Path, user: str, files: bool) -> None:  # noqa: FBT001
    """The lab as it is, for both of its users, with its files and without."""
    assert healthy.is_dir()
    report = _examined(sick, tmp_path, user=user, files=files)
    assert report.faults == []
    assert report.sound


@pytest.mark.long
@pytest.mark.parametrize("files", [True, False], ids=["files", "ami"])
def test_a_sound_pbx_of_an_older_release_has_no_fault(lab16: Lab, tmp_path: Path, files: bool) -> None:  # noqa: FBT001
    """Asterisk 16."""
    lab16.cdr.parent.mkdir(parents=True, exist_ok=True)
    lab16.cdr.touch()
    assert _examined(lab16, tmp_path, files=files).faults == []


@pytest.mark.parametrize(
    "fault",
    [pytest.param(fault, id=fault.name, marks=() if fault.name in SAMPLE else (pytest.mark.long,)) for fault in FAULTS],
)
def test_every_fault_is_named(sick: Lab, healthy: Path, tmp_path: Path, fault: Fault) -> None:
    """With the PBX's files at hand, over AMI alone where it shows there, and nothing else is made up."""
    sound = (healthy / fault.file).read_text(encoding="utf-8")
    _put(sick, fault.file, fault.edit(sound), fault.mode)
    _take(sick, fault)
    try:
        with_files = _examined(sick, tmp_path, files=True, fault=fault)
        without = _examined(sick, tmp_path, files=False, fault=fault)
    finally:
        _put(sick, fault.file, sound)
        _take(sick, fault)
    assert fault.code in _codes(with_files)
    assert _codes(with_files) <= {fault.code, *fault.also}
    if fault.over_ami is None:
        assert _codes(without) <= {fault.code, *fault.also}
    else:
        assert fault.over_ami in _codes(without)
        assert _codes(without) <= {fault.over_ami, fault.code, *fault.also}
    assert all(finding.what and finding.why and finding.remedy for finding in with_files.findings)


def _take(lab: Lab, fault: Fault) -> None:
    """Have the PBX take what is in its files."""
    if fault.reload is None:
        lab.restart()
    for command in fault.reload or ():
        lab.cli(command)


@pytest.mark.long
@pytest.mark.parametrize("suite", ["22", "16"])
def test_a_real_call_is_watched(suite: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """From its arrival to its recording's mark; nothing is missing, exit code 0."""
    lab: Lab = request.getfixturevalue("lab" if suite == "22" else "lab16")
    config = tmp_path / "hotline.toml"
    config.write_text(_toml(lab, "crmfiltered"), encoding="utf-8")
    command = [sys.executable, "-m", "hotline", "doctor", "--config", str(config), "--watch", "--timeout", "90"]
    environment = os.environ | {"HOTLINE_PBX_LAB_SECRET": lab.secret}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as doctor:
        assert doctor.stdout is not None
        assert "listening" in doctor.stdout.readline()
        lab.scenarios(tmp_path / "calls", "a_answered")
        said = doctor.stdout.read()
    assert doctor.returncode == 0, said
    for words in ("13812345678 calls 4007002505", "1001's phone rings", "1001 talks", "complete: caller, agent, mixed"):
        assert words in said
    assert "0 faults, 0 warnings" in said


def test_the_sample_is_of_the_table() -> None:
    """A slip of the pen would leave a fault out."""
    assert set(SAMPLE) <= {fault.name for fault in FAULTS}
    assert len(FAULTS) >= 20
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
