"""`hotline dialplan`: what is printed for a configuration, and what it never prints."""

import re
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.cli import main
from hotline.dialplan import extensions, manager, notes
from hotline.dialplan.plan import Kind, Plan, Secrets, Unfit, forms, plan
from hotline.settings import Settings
from telephony.lines import Lines
from telephony.reading import LAYOUTS

DOCS = Path(__file__).parents[2] / "docs"
SOUND: dict[str, Any] = {
    "pbx": [{"name": "main", "user": "hotline", "trunks": ["PJSIP/carrier"], "voicemail_event": "CC400Voicemail"}],
    "line": [
        {
            "number": "4007002505",
            "aliases": ["01062802505"],
            "name": "客服",
            "routing": {"queue": "support", "menu": {"1": "sales"}, "vip_announcement": "vip"},
        },
        {"number": "4008001234", "record": False, "routing": {"queue": "after.sales"}},
    ],
    "agent": [{"extension": "1001"}, {"extension": "1002", "interfaces": ["Local/1002@queue-agents"]}],
    "recordings": {"root": "/var/spool/asterisk/monitor"},
    "routing": {"http_port": 8410},
}
SECRETS = Secrets(user="a-secret-here", recorder="another-one", token="a-token-here", desk="a-third-one")


def _settings(**changes: Any) -> Settings:
    return Settings.model_validate(SOUND | changes)


def _pbx(**changes: Any) -> list[dict[str, object]]:
    return [SOUND["pbx"][0] | changes]


def _plan(kind: Kind = Kind.ASTERISK, **changes: Any) -> Plan:
    settings = _settings(**changes)
    return plan(settings, settings.pbx[0], kind, SECRETS)


def _context(text: str, name: str) -> str:
    """The lines of a context."""
    return text.partition(f"[{name}]\n")[2].partition("\n[")[0]


# -- numbers


@given(st.from_regex(r"\+?[0-9]{3,20}", fullmatch=True))
def test_every_form_of_a_number_is_that_number_for_the_service_too(number: str) -> None:
    """What the dialplan takes for a line, the tracker takes for it; the configured form is the first."""
    made = forms(number)
    assert made[0] == number
    assert all(Lines({number: ()}).number(form) == number for form in made)
    assert all(re.fullmatch(r"\+?[0-9]+", form) for form in made)


@pytest.mark.parametrize(
    ("number", "form"),
    [
        ("4007002505", "+864007002505"),
        ("4007002505", "00864007002505"),
        ("4007002505", "864007002505"),
        ("01062802505", "+861062802505"),
        ("01062802505", "1062802505"),
        ("+864007002505", "4007002505"),
        ("+85221234567", "+85221234567"),
    ],
)
def test_the_forms_carriers_send_are_there(number: str, form: str) -> None:
    """With and without country code and trunk 0."""
    assert form in forms(number)


def test_a_short_number_has_no_country_code() -> None:
    """The last digits some carriers send are no number of their own."""
    assert forms("2505") == ["2505"]


# -- the trunk


def test_the_trunk_takes_exact_numbers_alone() -> None:
    """No pattern at all where nothing goes on."""
    trunk = _context(extensions.render(_plan()), "hotline-trunk")
    found = re.findall(r"^exten => ([^,]+),", trunk, re.MULTILINE)
    assert all(re.fullmatch(r"\+?[0-9]+", form) for form in found)
    assert len(found) == len(set(found))
    assert set(found) == {*forms("4007002505"), *forms("01062802505"), *forms("4008001234")}


@pytest.mark.parametrize("kind", Kind)
def test_other_numbers_go_on_by_digits_of_a_fixed_count(kind: Kind) -> None:
    """No pattern that ends in a dot or an exclamation mark: it would match what stands behind the digits."""
    text = extensions.render(_plan(kind, dialplan={"next": "my-trunk"}))
    patterns = re.findall(r"^exten => (_[^,]+),1,(.*)$", _context(text, "hotline-trunk"), re.MULTILINE)
    assert patterns
    assert all(re.fullmatch(r"_\+?X{3,20}", pattern) for pattern, _ in patterns)
    assert {step for _, step in patterns} == {"Goto(my-trunk,${EXTEN},1)"}
    assert not re.findall(r"^exten => _[^,]*[.!]", text, re.MULTILINE)


# -- what a caller writes


@pytest.mark.parametrize("kind", Kind)
def test_what_a_caller_writes_is_filtered_before_it_is_used(kind: Kind) -> None:
    """The caller's own values stand in two steps that filter them, and behind these in the question, encoded."""
    for line in extensions.render(_plan(kind)).splitlines():
        if "CALLERID" in line and not re.match(r" same => n,Set\(CALLERID\((num|name)\)=\$\{FILTER\(", line):
            assert line.count("CALLERID") == line.count("URIENCODE(${CALLERID(num)})") == 1
        for word in ("UserEvent(", "MixMonitor(", "Record("):
            if word in line:
                assert not re.search(r"CALLERID|EXTEN|CONNECTEDLINE|DNID|ANI", line)


def test_recordings_are_named_by_line_and_uniqueid_alone() -> None:
    """Three files, then the mark by its configured name."""
    (line,) = re.findall(
        r"n,(MixMonitor\(.*)", extensions.render(_plan(recordings={"root": "/rec", "mark": ".finished"}))
    )
    files = "${HOTLINE_DIR}/${HOTLINE_REC}"
    assert line == f"MixMonitor({files}.wav,r({files}-rx.wav)t({files}-tx.wav),/usr/bin/touch {files}.finished)"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"recordings": {"root": "/rec", "mark": ".done;reboot"}}, "recordings.mark"),
        ({"recordings": {"root": "/my recordings"}}, "dialplan.recordings"),
        ({"recordings": {"root": "/rec/../../etc"}}, "dialplan.recordings"),
        ({"pbx": _pbx(user="x]\nsecret = y")}, "[[pbx]] user"),
        ({"pbx": _pbx(user="general")}, "[[pbx]] user"),
        ({"pbx": _pbx(voicemail_event="X,File: y")}, "voicemail_event"),
        ({"pbx": _pbx(recording_event="X)")}, "recording_event"),
        ({"agent": [{"extension": "1001", "interfaces": ["PJSIP/1&PJSIP/2"]}]}, "[[agent]] 1001"),
        ({"pbx": _pbx(host="10.0.0.9")}, "dialplan.service"),
        ({"pbx": _pbx(host="10.0.0.9"), "dialplan": {"service": "10.0.0.5"}}, "routing.host is 127.0.0.1"),
        ({"routing": {"http_port": 0}}, "routing.http_port"),
        ({"line": [{"number": "4007002505"}]}, "routing.queue is missing"),
    ],
)
def test_what_cannot_stand_in_a_pbx_s_file_is_a_fault(changes: dict[str, Any], said: str) -> None:
    """Named, never escaped."""
    with pytest.raises(Unfit) as caught:
        _plan(**changes)
    assert any(said in fault for fault in caught.value.faults)


def test_every_fault_is_named_at_once() -> None:
    """An admin goes round once."""
    with pytest.raises(Unfit) as caught:
        _plan(pbx=_pbx(host="pbx.example", user="x y"), line=[{"number": "4007002505"}])
    assert len(caught.value.faults) == 4


@given(st.text(max_size=60))
def test_a_line_s_name_stays_a_comment(name: str) -> None:
    """Whatever it holds, no line of the dialplan is made of it."""
    lines = [SOUND["line"][0] | {"name": name}]
    plain = [SOUND["line"][0] | {"name": "x"}]

    def steps(given: object) -> list[str]:
        text = extensions.render(_plan(line=given))
        return [line for line in re.split(r"[\r\n]", text) if line and not line.startswith(";")]

    assert steps(lines) == steps(plain)


# -- routing


def test_the_service_may_only_choose_among_what_is_printed() -> None:
    """Queues, agents and sounds of the configuration, whole names."""
    route = _context(extensions.render(_plan()), "hotline-route")
    assert re.findall(r'REGEX\("(.*?)"', route) == ["^(support|sales|after[.]sales)$", "^(1001|1002)$", "^(vip)$"]


def test_its_answer_is_never_dialled() -> None:
    """What Dial() gets stands in the file."""
    agents = _context(extensions.render(_plan()), "hotline-agent")
    assert re.findall(r"Dial\(([^,]+),", agents) == ["PJSIP/1001", "PJSIP/1002"]
    assert re.findall(r"paused,([^)]+)\)", agents) == ["PJSIP/1001", "Local/1002@queue-agents"]


def test_without_named_agents_short_numbers_may_ring() -> None:
    """Two to six digits, as the configured device."""
    agents = _context(extensions.render(_plan(agent=[])), "hotline-agent")
    assert re.findall(r"exten => (\w+),", agents) == ["_XX", "_XXX", "_XXXX", "_XXXXX", "_XXXXXX"]
    assert set(re.findall(r"Dial\(([^,]+),", agents)) == {"PJSIP/${EXTEN}"}


def test_the_menu_chooses_without_the_service() -> None:
    """Key and queue stand in the dialplan; lines without a menu read no key."""
    text = extensions.render(_plan(routing={}))
    calls = _context(text, "hotline-call")
    assert 'Set(HOTLINE_QUEUE=${IF($["${HOTLINE_KEY}" = "1"]?sales:${HOTLINE_QUEUE})})' in calls
    assert calls.count("Read(") == 1
    assert "CURL" not in text
    assert "hotline-agent" not in text


def test_agi_alone_is_not_printed() -> None:
    """Asterisk waits for a hung FastAGI server without end (docs/adr/0037)."""
    made = _plan(routing={"agi_port": 4573})
    assert "AGI(" not in extensions.render(made)
    assert "FastAGI" in notes.render(made)


def test_the_question_goes_where_the_pbx_can_ask() -> None:
    """The service's address as the PBX sees it; an IPv6 one in brackets."""
    remote: dict[str, Any] = {"pbx": _pbx(host="10.0.0.9"), "routing": {"http_port": 8410, "host": "::"}}
    assert _plan(**remote, dialplan={"service": "10.0.0.5"}).route == "10.0.0.5:8410"
    assert _plan(**remote, dialplan={"service": "2001:db8::5"}).route == "[2001:db8::5]:8410"
    assert _plan().route == "127.0.0.1:8410"
    assert _plan(routing={"http_port": 8410, "host": "localhost"}).route == "127.0.0.1:8410"
    one: dict[str, Any] = {"pbx": _pbx(host="10.0.0.9"), "routing": {"http_port": 8410, "host": "192.168.1.5"}}
    assert _plan(**one, dialplan={"service": "10.0.0.5"}).route == "192.168.1.5:8410"


# -- recording, messages


def test_a_line_that_is_not_recorded_is_not() -> None:
    """Its calls hear no notice either."""
    calls = _context(extensions.render(_plan()), "hotline-call")
    assert "(4007002505,record)" in calls
    assert "(4008001234,)" in calls


def test_where_the_service_records_the_dialplan_does_not() -> None:
    """But callers are told all the same; the login's risk stands beside it and in the notes."""
    made = _plan(pbx=_pbx(recorder={"user": "recorder"}))
    text = extensions.render(made)
    assert "MixMonitor" not in text
    assert "Playback(hotline/recording-notice)" in text
    user = manager.render(made)
    assert "RISK" in user
    assert re.search(r"\[recorder\]\nsecret = another-one\n(.*\n)+read =\nwrite = system\n", user)
    assert "RISK" in notes.render(made)


def test_the_desk_login_has_no_more_rights_than_it_needs() -> None:
    """It may pause; only where calls by a click are wanted it may call, too, and hears of that: a risk that is told."""
    made = _plan(pbx=_pbx(desk={"user": "desk"}))
    user = manager.render(made)
    assert re.search(r"\[desk\]\nsecret = a-third-one\n(.*\n)+read =\nwrite = agent\n", user)
    assert "RISK" not in user + notes.render(made)
    made = _plan(pbx=_pbx(desk={"user": "desk", "originate": True, "context": "agents-out"}))
    user = manager.render(made)
    assert re.search(r"\[desk\]\nsecret = a-third-one\n(.*\n)+read = call\nwrite = agent,originate\n", user)
    assert "eventfilter = ^Event: OriginateResponse[^A-Za-z]\n" in user
    assert "[agents-out]" in user
    assert "RISK" in user
    assert "[agents-out]" in notes.render(made)


def test_without_an_event_no_message_is_taken() -> None:
    """The service would not learn of it."""
    made = _plan(pbx=_pbx(voicemail_event=None))
    assert "Record(" not in extensions.render(made)
    assert "voicemail_event" in notes.render(made)


@pytest.mark.parametrize("kind", Kind)
def test_every_context_that_is_called_is_there(kind: Kind) -> None:
    """Ours by our names, theirs by theirs."""
    several: list[dict[str, Any]] = [{}, {"routing": {}}, {"agent": []}, {"pbx": _pbx(voicemail_event=None)}]
    for changes in several:
        text = extensions.render(_plan(kind, **changes))
        ours = set(re.findall(r"^\[(.+)\]$", text, re.MULTILINE))
        called = set(re.findall(r"(?:Goto|Gosub)\((hotline[\w-]*),", text)) | set(
            re.findall(r"\?(hotline[\w-]*),", text)
        )
        assert called <= ours
        assert ("ext-queues" in text) is (kind is not Kind.ASTERISK)
        jumps = re.findall(r"\]\?(\w+)\)$", text, re.MULTILINE)
        assert set(jumps) <= set(re.findall(r"n\((\w+)\),", text))


# -- the AMI user


def test_the_user_may_look_and_nothing_else() -> None:
    """Least rights, from one address, with a filter."""
    text = manager.render(_plan())
    assert re.findall(r"^(read|write|permit|secret) = (.*)$", text, re.MULTILINE) == [
        ("secret", "a-secret-here"),
        ("permit", "127.0.0.1/255.255.255.255"),
        ("read", "system,call,agent,user"),
        ("write", "reporting"),
    ]
    assert "timestampevents = yes" in text


def test_the_filter_lets_through_all_that_is_read() -> None:
    """Every event of the classes asked for; names that only begin alike are left out. VarSet is of another class."""
    (pattern,) = re.findall(r"^eventfilter = (.*)$", manager.render(_plan()), re.MULTILINE)
    for name in LAYOUTS:
        event = f"Event: {name.decode()}\r\nPrivilege: x\r\n"
        asked = name in (b"CoreShowChannel", b"Status", b"QueueEntry", b"QueueMember") or name.endswith(b"Complete")
        if name not in (b"VarSet", b"OriginateResponse") and (not asked or name == b"AgentComplete"):
            assert re.match(pattern, event), name
    for other in ("NewchannelX", "DeviceStateChange", "QueueMemberStatus", "RTCPSent", "Newexten"):
        assert not re.match(pattern, f"Event: {other}\r\nEvent: Newchannel\r\n"), other


def test_the_filter_is_what_the_documentation_says_is_read() -> None:
    """docs/telephony.md, "What is read"."""
    said = (
        (DOCS / "telephony.md").read_text(encoding="utf-8").partition("## What is read\n")[2].partition("Everything")[0]
    )
    named = set(re.findall(r"\b[A-Z][A-Za-z]+\b", said)) - {"MIXMONITOR_FILENAME"}
    assert named - {"VarSet"} == set(manager.events()) - {"FullyBooted", "Shutdown", "Reload"}


# -- the command


CONFIG = """
[[pbx]]
name = "main"
user = "hotline"
trunks = ["PJSIP/carrier"]
[[line]]
number = "4007002505"
[line.routing]
queue = "support"
[recordings]
root = "/var/spool/asterisk/monitor"
[routing]
http_port = 8410
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sound configuration and its secrets."""
    path = tmp_path / "hotline.toml"
    path.write_text(CONFIG, encoding="utf-8")
    monkeypatch.setenv("HOTLINE_PBX_MAIN_SECRET", "a-secret-here")
    monkeypatch.setenv("HOTLINE_ROUTING_TOKEN", "a-token-here")
    return path


def test_secrets_are_printed_on_request_alone(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without them nobody can log in, rather than everybody."""
    assert main(["dialplan", "--config", str(config)]) == 0
    bare = capsys.readouterr().out
    assert "a-secret-here" not in bare
    assert "a-token-here" not in bare
    assert not re.search(r"^secret =", bare, re.MULTILINE)
    assert main(["dialplan", "--config", str(config), "--with-secrets"]) == 0
    told = capsys.readouterr().out
    assert "secret = a-secret-here" in told
    assert "X-Hotline-Token: a-token-here" in told


def test_what_is_printed_is_a_file_of_the_pbx_as_it_stands(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each line a comment, a section or a setting; --part prints one file as it goes to the PBX."""
    main(["dialplan", "--config", str(config)])
    for line in capsys.readouterr().out.splitlines():
        assert not line or re.match(r";|\[[\w-]+\](\(\+\))?$|[a-z]+ =|exten => | same => ", line), line
    main(["dialplan", "--config", str(config), "--part", "extensions"])
    assert capsys.readouterr().out.startswith("; hotline: dialplan")


def test_files_are_written_for_nobody_else(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Mode 0600, written over their own kind only."""
    out = tmp_path / "out"
    for _ in range(2):
        assert main(["dialplan", "--config", str(config), "--write", str(out)]) == 0
    paths = [Path(line) for line in capsys.readouterr().out.splitlines()[:3]]
    assert [path.name for path in paths] == ["hotline_manager.conf", "hotline_extensions.conf", "hotline_notes.txt"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in paths)
    paths[1].write_text("[from-internal]\n")
    assert main(["dialplan", "--config", str(config), "--write", str(out)]) == 2
    assert paths[1].read_text() == "[from-internal]\n"


@pytest.mark.parametrize(
    "secret", ["s3cret!", "with space in it", "with;semicolon", "a\\backslash-here", "two\nlines-here"]
)
def test_a_secret_a_pbx_would_read_otherwise_is_refused(
    config: Path, secret: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And not repeated."""
    monkeypatch.setenv("HOTLINE_PBX_MAIN_SECRET", secret)
    assert main(["dialplan", "--config", str(config), "--with-secrets"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert secret not in said.err


def test_what_is_missing_is_said(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A secret that is not there; a queue that is not named: exit code 1, everything on stderr."""
    monkeypatch.delenv("HOTLINE_PBX_MAIN_SECRET")
    monkeypatch.delenv("HOTLINE_ROUTING_TOKEN")
    assert main(["dialplan", "--config", str(config), "--with-secrets", "--part", "notes"]) == 0
    said = capsys.readouterr().out
    assert "SECRET" in said
    assert "TOKEN" in said
    config.write_text(CONFIG.replace('queue = "support"', ""), encoding="utf-8")
    assert main(["dialplan", "--config", str(config)]) == 1
    assert "routing.queue" in capsys.readouterr().err


def test_one_of_several_pbxs_is_chosen(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By name, or the command asks which."""
    second = '[[pbx]]\nname = "second"\nuser = "other"\ntrunks = ["PJSIP/x"]\n'
    config.write_text(CONFIG + second, encoding="utf-8")
    assert main(["dialplan", "--config", str(config)]) == 2
    assert "main, second" in capsys.readouterr().err
    assert main(["dialplan", "--config", str(config), "--pbx", "second", "--part", "manager"]) == 0
    assert "[other]" in capsys.readouterr().out
    assert main(["dialplan", "--config", str(config), "--pbx", "third"]) == 2


@pytest.mark.parametrize("kind", Kind)
def test_the_notes_say_where_everything_goes(kind: Kind) -> None:
    """The files to include from, the trunk's context, the queues, the way to load it."""
    said = notes.render(_plan(kind))
    custom = "" if kind is Kind.ASTERISK else "_custom"
    for word in (f"manager{custom}.conf", f"extensions{custom}.conf", "hotline-trunk", "support, sales", "reload"):
        assert word in said
    assert ("hotline-voicemail,s,1" in said) is (kind is not Kind.ASTERISK)
