"""Each fault by its name: what is wrong with a PBX that was spoilt, offline."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hotline.doctor.catalogue import CATALOGUE, Code, Severity
from hotline.doctor.finding import Report
from hotline.doctor.gathered import Answers, Reach, Records, Sounds
from tests.doctor.conftest import NOW, SECRET, settings
from tests.doctor.spoilt import ANSWERS, REPORTING, SOUND, SPOILT

Judged = Callable[..., Report]
C = Code


def codes(report: Report) -> set[Code]:
    """Of all findings, warnings too."""
    return {finding.code for finding in report.findings}


def test_a_sound_pbx(judged: Judged) -> None:
    """Neither its files nor its answers hold a fault or a warning."""
    assert judged().findings == []
    assert judged(SOUND).findings == []


@pytest.mark.parametrize(("edit", "found"), SPOILT, ids=[f"{e[0]}-{e[1][:24]}-{e[2][:24]!r}" for e, _ in SPOILT])
def test_a_spoilt_file(judged: Judged, pbx_files: Path, edit: tuple[str, str, str], found: set[Code]) -> None:
    """One edit, and exactly what follows from it."""
    file, pattern, new = edit
    path = pbx_files / file
    changed, times = re.subn(pattern, new, path.read_text(), flags=re.MULTILINE)
    assert times, f"nothing in {file} is {pattern}"
    path.write_text(changed)
    assert codes(judged()) == found


@pytest.mark.parametrize(("changes", "found"), [case[1:] for case in ANSWERS], ids=[case[0] for case in ANSWERS])
def test_an_answer(judged: Judged, changes: dict[str, Any], found: set[Code]) -> None:
    """What the running PBX says."""
    assert codes(judged(replace(SOUND, **changes))) == found


def test_without_files_only_what_the_pbx_said_counts(judged: Judged) -> None:
    """Nothing is made up; what could not be seen is told with how it could be."""
    report = judged(SOUND, files=None)
    assert report.findings == []
    assert {"timestampevents", "the dialplan"} <= {note.what for note in report.unchecked}
    assert all(note.how for note in report.unchecked)


def test_without_files_a_channel_nobody_told_of_is_a_class_that_is_not_read(judged: Judged) -> None:
    """Calls came and went while we listened, and not one Newchannel or Hangup was sent."""
    assert codes(judged(replace(SOUND, silent_change=True), files=None)) == {C.CLASS_MISSING}


def test_without_files_no_full_boot_is_no_class_system(judged: Judged) -> None:
    """FullyBooted follows every login of a user who reads system."""
    assert codes(judged(replace(SOUND, seen={}), files=None)) == {C.CLASS_SYSTEM}


@pytest.mark.parametrize(
    ("sounds", "found"),
    [
        (Sounds(trouble="it is no folder"), {C.RECORDINGS_FOLDER}),
        (Sounds(looked_at=3, newest=NOW), set()),
        (Sounds(looked_at=3, newest=NOW - 8 * 86400), {C.RECORDINGS_STALE}),
        (Sounds(looked_at=3, newest=NOW, unmarked=("a.wav",)), {C.RECORDING_MARK}),
        (Sounds(looked_at=3, newest=NOW, without_legs=("a.wav",)), {C.RECORDING_LEGS}),
        (Sounds(looked_at=3, newest=NOW, without_uniqueid=("a.wav",)), {C.RECORDING_NAME}),
        (Sounds(looked_at=3, newest=NOW, unreadable=("a.wav",)), {C.RECORDINGS_FOLDER}),
        (Sounds(), set()),
    ],
)
def test_recordings(judged: Judged, sounds: Sounds, found: set[Code]) -> None:
    """What lies in the folder."""
    assert codes(judged(SOUND, sounds=sounds)) == found


@pytest.mark.parametrize(
    ("records", "found"),
    [
        (Records(trouble="it cannot be read"), {C.CDR_FILE}),
        (Records(columns=18, uniqueid=False), {C.CDR_UNIQUEID}),
        (Records(columns=21, uniqueid=True), set()),
        (Records(), set()),
    ],
)
def test_call_records(judged: Judged, records: Records, found: set[Code]) -> None:
    """The PBX's own file."""
    assert codes(judged(SOUND, records=records)) == found


@pytest.mark.parametrize(
    ("times", "offset", "wrong"),
    [
        ("UTC yes", "+0800", False),
        ("Asia/Shanghai yes", "+0800", True),
        ("Asia/Shanghai no", "+0800", False),
        ("UTC no", "+0800", True),
        ("UTC no", None, False),
    ],
)
def test_times_of_call_records(
    judged: Judged,
    pbx_files: Path,
    times: str,
    offset: str | None,
    wrong: bool,  # noqa: FBT001
) -> None:
    """In the zone that is configured (first word), with usegmtime or without (second), or hours off."""
    zone, gmt = times.split()
    conf = pbx_files / "cdr.conf"
    conf.write_text(conf.read_text().replace("usegmtime = yes", f"usegmtime = {gmt}"))
    chosen = settings(pbx={"cdr": {"file": "/nowhere/Master.csv", "timezone": zone}})
    assert codes(judged(replace(SOUND, offset=offset), chosen)) == ({C.CDR_TIMES} if wrong else set())


@pytest.mark.parametrize("secret", ["short", "Mysecret", "amp111", "hotline"])
def test_a_secret_that_is_guessed(judged: Judged, pbx_files: Path, secret: str) -> None:
    """Short ones, well-known ones, the user's own name."""
    conf = pbx_files / "manager.d" / "hotline.conf"
    conf.write_text(conf.read_text().replace(SECRET, secret))
    assert codes(judged(secret=secret)) == {C.SECRET_WEAK}


def test_another_machine_without_tls(judged: Judged) -> None:
    """The secret would cross the network."""
    report = judged(SOUND, settings(pbx={"host": "10.1.2.3"}), files=None, source="10.1.2.4")
    assert codes(report) == {C.PLAIN_LINK}
    assert report.faults == []


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ("tlsenable = yes\ntlsbindaddr = 127.0.0.1:5039", set()),
        ("tlsenable = yes\ntlsbindaddr = 127.0.0.1", set()),
        ("tlsenable = yes\ntlsbindaddr = [::]:5039", set()),
        ("tlsenable = yes", set()),
        ("tlsenable = yes\ntlsbindaddr = 127.0.0.1:5061", {C.AMI_ELSEWHERE}),
        ("tlsenable = yes\ntlsbindaddr = 10.0.0.1:5039", {C.AMI_ELSEWHERE}),
        ("tlsbindaddr = 127.0.0.1:5039", {C.TLS}),
    ],
)
def test_tls(judged: Judged, pbx_files: Path, lines: str, found: set[Code]) -> None:
    """The encrypted port has an address of its own."""
    conf = pbx_files / "manager.conf"
    conf.write_text(conf.read_text().replace("enabled = yes", f"enabled = yes\n{lines}"))
    assert codes(judged(chosen=settings(pbx={"tls": True, "port": 5039}))) == found


def test_agents_who_are_listed(judged: Judged) -> None:
    """Where people are listed, all must be."""
    listed = [{"extension": "1001"}, {"extension": "1002"}]
    assert codes(judged(SOUND, settings(agent=listed))) == {C.MEMBER_UNLISTED}
    assert codes(judged(SOUND, settings(agent=[*listed, {"extension": "1003"}]))) == set()


def test_a_trunk_without_its_technology(judged: Judged) -> None:
    """Its channels are PJSIP/sz-trunk-00000001."""
    report = judged(SOUND, settings(pbx={"trunks": ["sz-trunk"]}), files=None)
    assert [(finding.code, finding.remedy) for finding in report.findings] == [
        (C.TRUNK_UNKNOWN, 'trunks = ["PJSIP/sz-trunk"]')
    ]


def test_agents_who_log_in(judged: Judged) -> None:
    """An extension of a queue that nobody logs in for has no page; before anybody was added that is no news."""
    assert codes(judged(SOUND, extensions=frozenset({"1001"}))) == {C.NO_LOGIN}
    assert codes(judged(SOUND, extensions=frozenset({"1001", "1003"}))) == set()
    assert codes(judged(SOUND, extensions=frozenset())) == set()


def test_an_interface_that_is_somebodys(judged: Judged, pbx_files: Path) -> None:
    """The agent's interfaces make any name a person's."""
    conf = pbx_files / "queues.conf"
    conf.write_text(conf.read_text().replace("member => PJSIP/1002,", "member => SIP/frontdesk,"))
    people = [{"extension": "1001"}, {"extension": "1003"}, {"extension": "1002", "interfaces": ["SIP/frontdesk"]}]
    assert codes(judged(chosen=settings(agent=people))) == set()


def test_a_line_that_is_not_recorded(judged: Judged, pbx_files: Path) -> None:
    """With record = false the doctor asks for no MixMonitor; nor does a service that starts recordings itself."""
    conf = pbx_files / "extensions.conf"
    conf.write_text(re.sub(r" same => n,ExecIf.*\n", "", conf.read_text()))
    unrecorded = [{"number": "4007002505", "aliases": ["01062802505"], "record": False}]
    assert codes(judged(chosen=settings(line=unrecorded))) == set()
    assert codes(judged(chosen=settings(pbx={"recorder": {"user": "recorder"}}))) == set()


@pytest.mark.parametrize(
    ("recorder", "found"),
    [
        (Answers(reach=Reach.IN, actions=REPORTING | {"MixMonitor": frozenset({"system", "all"})}), set()),
        (Answers(reach=Reach.IN, actions=REPORTING), {C.RECORDER_LOGIN}),
        (Answers(reach=Reach.REFUSED, trouble="Authentication failed"), {C.RECORDER_LOGIN}),
        (Answers(reach=Reach.NO_SECRET, trouble="no secret"), {C.RECORDER_LOGIN}),
        (Answers(reach=Reach.AWAY), set()),
    ],
)
def test_the_login_that_starts_recordings(judged: Judged, recorder: Answers, found: set[Code]) -> None:
    """It must be let in, and may start MixMonitor."""
    chosen = settings(pbx={"recorder": {"user": "recorder"}})
    assert codes(judged(SOUND, chosen, recorder=recorder)) == found


PAUSES = REPORTING | {"QueuePause": frozenset({"agent", "all"}), "QueueAdd": frozenset({"agent", "all"})}
CALLS = PAUSES | {"Originate": frozenset({"originate", "all"})}


@pytest.mark.parametrize(
    ("desk", "found"),
    [
        (Answers(reach=Reach.IN, actions=CALLS), set()),
        (Answers(reach=Reach.IN, actions=PAUSES), {C.DESK_LOGIN}),
        (Answers(reach=Reach.IN, actions=CALLS | {"Command": frozenset({"command", "all"})}), {C.DESK_WIDE}),
        (Answers(reach=Reach.REFUSED, trouble="Authentication failed"), {C.DESK_LOGIN}),
        (Answers(reach=Reach.NO_SECRET, trouble="no secret"), {C.DESK_LOGIN}),
        (Answers(reach=Reach.AWAY), set()),
    ],
)
def test_the_login_that_acts_for_desks(judged: Judged, desk: Answers, found: set[Code]) -> None:
    """It must be let in, may pause and call, and should do nothing else."""
    chosen = settings(pbx={"desk": {"user": "desk", "originate": True, "context": "from-internal"}})
    assert codes(judged(SOUND, chosen, desk=desk)) - {C.DESK_CONTEXT} == found


def test_a_desk_login_that_may_only_pause(judged: Judged) -> None:
    """Is enough where nobody calls by a click; one that may call is too much then."""
    chosen = settings(pbx={"desk": {"user": "desk"}})
    assert not codes(judged(SOUND, chosen, desk=Answers(reach=Reach.IN, actions=PAUSES)))
    assert codes(judged(SOUND, chosen, desk=Answers(reach=Reach.IN, actions=CALLS))) == {C.DESK_WIDE}


def test_calls_by_a_click_need_their_context(judged: Judged) -> None:
    """One that the dialplan has."""
    chosen = settings(pbx={"desk": {"user": "desk", "originate": True, "context": "no-such-context"}})
    assert codes(judged(SOUND, chosen, desk=Answers(reach=Reach.IN, actions=CALLS))) == {C.DESK_CONTEXT}


GENERATED = """
[carrier-in]
include => did
include => did-catchall
[did]
exten => 4007002505,1,Set(__FROM=${EXTEN})
 same => n,Gosub(sub-record,s,1(in,${EXTEN},always))
 same => n,ExecIf($["${CALLERID(name)}" = ""]?Set(CALLERID(name)=${CALLERID(num)}))
 same => n,Set(CHANNEL(language)=cn)
 same => n,Goto(queues,400,1)
exten => 01062802505,1,Goto(4007002505,1)
[did-catchall]
include => did-custom
[sub-record]
exten => s,1,GotoIf($[${LEN(${ARG1})}]?check)
 same => n,Return()
 same => n(check),Gosub(${ARG1},1(${ARG2},${ARG3}))
 same => n,Return()
exten => in,1,Set(__NAME=${ARG1}-${FILTER(0-9,${CALLERID(num)})}-${UNIQUEID})
 same => n,MixMonitor(${DIR}${YEAR}/${NAME}.${FORMAT},abi(MIX)${OPTIONS}${BEEP},${POST})
 same => n,Return()
[queues]
exten => 400,1,Macro(user-callerid)
 same => n,Queue(support,t,,,${TIMEOUT},,,${GOSUB})
 same => n,Goto(app-blackhole,hangup,1)
[macro-user-callerid]
exten => s,1,Set(CALLERID(number)=${CALLERID(number):0:40})
[app-blackhole]
exten => hangup,1,Hangup()
"""


def test_a_generated_dialplan_makes_no_fault_up(judged: Judged, pbx_files: Path) -> None:
    """As FreePBX writes them: names from variables that only the call knows."""
    (pbx_files / "extensions.conf").write_text(GENERATED)
    report = judged(SOUND)
    assert report.findings == []
    unknown = " ".join(note.what for note in report.unchecked)
    for words in ("what MixMonitor runs", "whether MixMonitor writes legs", "lie where they are looked for"):
        assert words in unknown


def test_a_dialplan_that_cannot_be_followed_is_no_fault(judged: Judged, pbx_files: Path) -> None:
    """Much of a generated dialplan is known in the call only: it is said, and nothing is concluded."""
    conf = pbx_files / "extensions.conf"
    text = "[carrier-in]\nexten => 4007002505,1,Goto(${DB(to)},s,1)\nexten => 01062802505,1,Goto(4007002505,1)\n"
    conf.write_text(text)
    report = judged(SOUND)
    assert report.findings == []
    assert any("jumps to" in note.what for note in report.unchecked)


def test_a_file_that_is_not_at_hand_is_no_fault(judged: Judged, pbx_files: Path) -> None:
    """Whatever stands behind an include that cannot be read may be the missing piece."""
    conf = pbx_files / "extensions.conf"
    conf.write_text("#include gone.conf\n[carrier-in]\n")
    manager = pbx_files / "manager.conf"
    manager.write_text(manager.read_text().replace("manager.d/*.conf", "gone.conf"))
    assert not codes(judged()) & {C.NO_USER, C.NOT_RECORDED, C.JUMP_NOWHERE}


def test_every_fault_says_why_and_what_to_do() -> None:
    """No code without its entry, no entry without words."""
    assert set(CATALOGUE) == set(Code)
    for entry in CATALOGUE.values():
        assert entry.why
        assert entry.remedy
        assert entry.severity in Severity
