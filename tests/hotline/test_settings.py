"""The configuration names every fault at once, each with its line, and has no secret of its own."""

from pathlib import Path

import pytest

from hotline.cli import main
from hotline.settings import ConfigError, load
from hotline.tomlplace import line_of, places

SOUND = """
[site]
name = "美家电器"

[[pbx]]
name = "hq"
user = "hotline"
trunks = ["PJSIP/carrier"]

[[line]]
number = "4007002505"
aliases = ["01062802505"]
name = "售后"
area = "010"

[[agent]]
extension = "1001"
name = "王芳"

[recordings]
root = "rec"
"""


def write(folder: Path, text: str) -> Path:
    """A configuration file with this text."""
    path = folder / "hotline.toml"
    path.write_text(text, encoding="utf-8")
    return path


def faults_of(path: Path) -> list[str]:
    """What is said of a file; nothing when it is sound."""
    try:
        load(path)
    except ConfigError as error:
        return [str(fault) for fault in error.faults]
    return []


def test_a_sound_file_is_read_with_paths_from_its_own_folder(tmp_path: Path) -> None:
    """Relative paths mean relative to the file, wherever the service is started."""
    settings = load(write(tmp_path, SOUND))
    assert settings.recordings.root == tmp_path / "rec"
    assert settings.data == tmp_path / "var"
    assert settings.line[0].aliases == ("01062802505",)
    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path}/var/hotline.db"


def test_every_fault_is_named_at_once_with_its_line(tmp_path: Path) -> None:
    """Three slips give three faults, not the first only."""
    text = (
        SOUND.replace('user = "hotline"\n', "").replace("extension =", "extention =").replace("4007002505", "400-700")
    )
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, text))
    told = {(fault.key, fault.line) for fault in caught.value.faults}
    lines = text.splitlines()
    assert ("pbx[0].user", lines.index("[[pbx]]") + 1) in told
    assert ("line[0].number", lines.index('number = "400-700"') + 1) in told
    assert ("agent[0].extention", lines.index('extention = "1001"') + 1) in told


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[pbx\n", "not TOML"),
        ('[site]\ntimezone = "Asia/Peking"\n', "no such time zone"),
        (SOUND + '\n[[line]]\nnumber = "01062802505"\n', "stands twice"),
        (SOUND.replace('[recordings]\nroot = "rec"', ""), "recordings.root is missing"),
        ("[server]\nport = 70000\n", "less than or equal to 65535"),
    ],
)
def test_a_fault_says_what_to_do(tmp_path: Path, text: str, says: str) -> None:
    """The message of each fault names the trouble in words."""
    with pytest.raises(ConfigError, match=says):
        load(write(tmp_path, text))


def test_a_half_written_file_is_a_fault_and_no_crash(tmp_path: Path) -> None:
    """Whatever an interrupted editor leaves, the answer is a ConfigError or settings."""
    sound = SOUND.encode()
    seen: set[str] = set()
    for end in range(0, len(sound), 7):
        path = tmp_path / "half.toml"
        path.write_bytes(sound[:end])
        seen.update(faults_of(path))
    assert seen


def test_the_secret_comes_from_the_environment_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without either the message names the variable to set."""
    pbx = load(write(tmp_path, SOUND)).pbx[0]
    with pytest.raises(LookupError, match="HOTLINE_PBX_HQ_SECRET"):
        pbx.secret()
    monkeypatch.setenv("HOTLINE_PBX_HQ_SECRET", "from-env")
    assert pbx.secret() == "from-env"
    (tmp_path / "secret").write_text("from-file\n", encoding="utf-8")
    pbx = load(write(tmp_path, SOUND.replace("trunks", 'secret_file = "secret"\ntrunks'))).pbx[0]
    assert pbx.secret() == "from-file"


def test_a_secret_in_the_file_is_refused(tmp_path: Path) -> None:
    """A secret does not belong into a file that people copy around."""
    with pytest.raises(ConfigError, match=r"pbx\[0\].secret"):
        load(write(tmp_path, SOUND.replace("trunks", 'secret = "x"\ntrunks')))


def test_check_prints_faults_and_says_no(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1 and a line a fault; 0 and 'sound' when there is none."""
    assert main(["check", "--config", str(write(tmp_path, "[server]\nport = -1\nhots = 1\n"))]) == 1
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert main(["check", "--config", str(write(tmp_path, "[site]\n"))]) == 0
    assert "sound" in capsys.readouterr().out


OUTSIDE = """
[[pbx]]
name = "hq"
user = "hotline"
trunks = ["PJSIP/carrier"]
tls_ca = "no-such.pem"
[pbx.cdr]
url_env = "NO_SUCH_CDR_URL"
[pbx.recorder]
user = "recorder"
[pbx.recordings]
url = "sftp://pbx/var/spool/asterisk/monitor/"
known_hosts = "no-such-hosts"
secret_env = "NO_SUCH_PASSWORD"
[[line]]
number = "4007002505"
[routing]
http_port = 0
token_env = "NO_SUCH_TOKEN"
"""


def test_check_looks_at_what_the_file_points_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Secrets, certificates, folders and records that are not there are named before the service is started."""
    assert main(["check", "--config", str(write(tmp_path, OUTSIDE))]) == 1
    said = capsys.readouterr().out
    for fault in (
        "HOTLINE_PBX_HQ_SECRET",
        "HOTLINE_PBX_HQ_RECORDER_SECRET",
        "pbx[0].tls_ca",
        "NO_SUCH_CDR_URL",
        "pbx[0].recordings.known_hosts",
        "NO_SUCH_PASSWORD",
        "NO_SUCH_TOKEN",
    ):
        assert fault in said


@pytest.mark.parametrize(
    ("slip", "says"),
    [
        (('url_env = "NO_SUCH_CDR_URL"', ""), "exactly one of file, url and url_env"),
        (('known_hosts = "no-such-hosts"', ""), "known_hosts is missing"),
        (("tls_ca =", "tlsca ="), "no such setting"),
        (("http_port = 0", "http_port = 0\nbudget = 2.0"), "less than or equal to 0.3"),
    ],
)
def test_slips_in_what_a_pbx_needs(tmp_path: Path, slip: tuple[str, str], says: str) -> None:
    """What would be unsafe or cannot work is refused with a reason."""
    assert any(says in fault for fault in faults_of(write(tmp_path, OUTSIDE.replace(*slip))))


def test_places_of_nested_and_repeated_tables() -> None:
    """A sub-table belongs to the last of its array; a key inside a multi-line string is none."""
    known = places('[[pbx]]\nname = "a"\n[pbx.cdr]\nfile = """\nname = 1\n"""\n[[pbx]]\nname = "b"\n')
    assert known["pbx", 0, "name"] == 2
    assert known["pbx", 0, "cdr", "file"] == 4
    assert known["pbx", 1, "name"] == 8
    assert line_of(("pbx", 1, "user"), known) == 7


@pytest.mark.parametrize(
    ("records", "fault"),
    [
        ('url = "mysql://me:geheim@pbx/asteriskcdrdb"', "name that in url_env"),
        ('url = "mysql://:geheim@pbx/asteriskcdrdb"', "name that in url_env"),
        ('file = "Master.csv"\ncolumns = { calldate = "start" }', "calldate: our names are uniqueid"),
        ('file = "Master.csv"\nurl = "sqlite:///x.db"', "exactly one of file, url and url_env"),
        ("", "exactly one of file, url and url_env"),
    ],
)
def test_where_call_records_are_is_said_once_and_without_a_password(records: str, fault: str, tmp_path: Path) -> None:
    """The password of somebody's database does not stand in our file."""
    pbx = '[[pbx]]\nname = "hq"\nuser = "hotline"\ntrunks = ["PJSIP/carrier"]\n[pbx.cdr]\n'
    line = '\n[[line]]\nnumber = "4007002505"\nrecord = false\n'
    with pytest.raises(ConfigError) as raised:
        load(write(tmp_path, pbx + records + line))
    assert fault in str(raised.value)
    assert "geheim" not in str(raised.value)


@pytest.mark.parametrize(
    "url", ["mysql://me@pbx/asteriskcdrdb", "postgresql:///cdr?host=/run/postgresql", "sqlite:////var/lib/cdr.db"]
)
def test_an_address_of_call_records(url: str, tmp_path: Path) -> None:
    """Without a password it stands in the file."""
    pbx = f'[[pbx]]\nname = "hq"\nuser = "hotline"\ntrunks = ["PJSIP/carrier"]\n[pbx.cdr]\nurl = "{url}"\n'
    cdr = load(write(tmp_path, pbx + '[[line]]\nnumber = "4007002505"\nrecord = false\n')).pbx[0].cdr
    assert cdr is not None
    assert cdr.url == url


def test_the_settings_of_a_connector_are_checked_with_all_others(tmp_path: Path) -> None:
    """A slip in [crm.settings] has its line, as one in [site] has."""
    path = write(
        tmp_path,
        """[site]
nam = "x"

[crm]
connector = "rest"
mapping = "crm.toml"

[crm.settings]
url = "http://crm.example.com"
tokn_env = "X"
""",
    )
    assert sorted(faults_of(path)) == [
        "line 10: crm.settings.tokn_env: no such setting here; look for a slip of the pen",
        "line 2: site.nam: no such setting here; look for a slip of the pen",
    ]
    path.write_text(path.read_text().replace("nam =", "name =").replace("tokn_env", "secret_env"))
    assert faults_of(path) == [
        "line 8: crm.settings: url: our key would cross the network readable: use https, or set plain_http = true"
    ]


def test_a_connector_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With those that are."""
    (fault,) = faults_of(write(tmp_path, '[crm]\nconnector = "oddo"\n'))
    assert fault.startswith("line 2: crm.connector: no connector 'oddo'; there are: embedded, ")


def test_paths_of_the_crm_start_from_the_file(tmp_path: Path) -> None:
    """The mapping, and whatever the connector's own settings name."""
    crm = load(
        write(tmp_path, '[crm]\nconnector = "rest"\nmapping = "m.toml"\n[crm.settings]\nurl = "https://c.example"\n')
    ).crm
    assert (crm.mapping, crm.base) == (tmp_path / "m.toml", tmp_path)


@pytest.mark.parametrize(
    "wrong", ['connector = "embedded"\nmapping = "m.toml"', '[[crm.push]]\nkind = "webhook"\nurl = "https://x.example"']
)
def test_a_crm_that_makes_no_sense_is_refused(tmp_path: Path, wrong: str) -> None:
    """A mapping of nothing, a webhook that nobody could check."""
    assert len(faults_of(write(tmp_path, f"[crm]\n{wrong}\n"))) == 1
