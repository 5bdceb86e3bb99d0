"""Which extension takes a number, and what becomes of the call."""

import pytest

from hotline.doctor.astconf import read
from hotline.doctor.dialplan import Dialplan, forged, matches, of_conf, of_rows
from hotline.doctor.walk import arguments, callers_own, options, walk


def plan(text: str) -> Dialplan:
    """A dialplan of this extensions.conf."""
    conf = read("extensions.conf", lambda name: [(name, text)] if name == "extensions.conf" else None)
    assert conf is not None
    return of_conf(conf)


def apps(text: str, number: str = "4007002505") -> list[str]:
    """``App(args)`` of a call to a number in [in]."""
    return [f"{met.app}({met.args})" for met in walk(plan(text), "in", number).met]


@pytest.mark.parametrize(
    ("pattern", "number", "fits"),
    [
        ("_X.", "12", True),
        ("_X.", "1", False),
        ("_X!", "1", True),
        ("_+X.", "+86", True),
        ("_1[3-9]XXXXXXXXX", "13812345678", True),
        ("_1[3-9]XXXXXXXXX", "12812345678", False),
        ("_N00", "200", True),
        ("_Z00", "000", False),
        ("_400-XXX-XXXX", "4007002505", True),
        ("_[a-c]X", "b7", True),
        ("_X.", "1\r\nEvent: Newchannel", True),
        ("_[", "1", False),
    ],
)
def test_patterns(pattern: str, number: str, fits: bool) -> None:  # noqa: FBT001
    """Asterisk's own signs."""
    assert matches(pattern, number) is fits


@pytest.mark.parametrize("pattern", ["_X.", "_0086X.", "_[2-8]X!", "_.", "_400XXXX."])
def test_a_forged_number_fits_its_pattern(pattern: str) -> None:
    """So what becomes of it can be followed."""
    assert matches(pattern, forged(pattern))
    assert "\r\n" in forged(pattern)


@pytest.mark.parametrize(
    ("number", "taken"),
    [("4007002505", "4007002505"), ("4007002506", "_400XXXXXXX"), ("4017002505", "_4X."), ("5", None)],
)
def test_the_narrowest_extension_takes_the_number(number: str, taken: str | None) -> None:
    """Exact, then narrow, then wide; whatever order they are written in."""
    text = "[in]\nexten => _4X.,1,A()\nexten => _400XXXXXXX,1,B()\nexten => 4007002505,1,C()"
    found = plan(text).find("in", number)
    assert (found and found[1]) == taken


def test_own_extensions_come_before_included_ones() -> None:
    """However narrow those are."""
    text = "[in]\ninclude => more\nexten => _X.,1,Own()\n[more]\nexten => 12,1,Included()"
    assert apps(text, "12") == ["Own()"]


def test_contexts_that_include_each_other_end() -> None:
    """Nothing is found, and it ends."""
    assert plan("[in]\ninclude => b\n[b]\ninclude => in").find("in", "12") is None


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("exten => _X.,1,A()\n same => n,B(${EXTEN:3})", ["A()", "B(7002505)"]),
        ("exten => _X.,1,A(${EXTEN:-4}|${EXTEN:0:3})", ["A(2505|400)"]),
        ("exten => _X.,1,Set(Q=sales)\n same => n,Queue(${Q})", ["Set(Q=sales)", "Queue(sales)"]),
        ("exten => _X.,1,Goto(b)\n same => n,A()\n same => n(b),B()", ["Goto(b)", "B()"]),
        ("exten => _X.,1,Goto(3)\nexten => _X.,2,A()\nexten => _X.,3,B()", ["Goto(3)", "B()"]),
        ("exten => _X.,1,Gosub(s,s,1(x))\n same => n,B()\n[s]\nexten => s,1,A(${ARG1})\n same => n,Return()",
         ["Gosub(s,s,1(x))", "A(x)", "Return()", "B()"]),
        ("exten => _X.,1,Macro(m,x)\n same => n,B()\n[macro-m]\nexten => s,1,A(${ARG1})",
         ["Macro(m,x)", "A(x)", "B()"]),
        ("exten => _X.,1,GotoIf($[${X}]?a:b)\n same => n(a),A()\n same => n,Hangup()\n same => n(b),B()",
         ["GotoIf($[${X}]?a:b)", "A()", "Hangup()", "B()"]),
        ("exten => _X.,1,ExecIf($[${X}]?A(1,2):B(3))\n same => n,C()", ["B(3)", "A(1,2)", "NoOp()", "C()"]),
        ("exten => _X.,1,ExecIf($[${X}]?Goto(b))\n same => n,A()\n same => n,Hangup()\n same => n(b),B()",
         ["Goto(b)", "NoOp()", "B()", "A()", "Hangup()"]),
        ("exten => _X.,1,GotoIf($[${X}]?:b)\n same => n,A()\n same => n(b),B()", ["GotoIf($[${X}]?:b)", "B()", "A()"]),
        ("exten => _X.,1,Goto(m,s,1)\n[m]\nexten => s,1,WaitExten(5)\nexten => 1,1,A()\nexten => t,1,B()",
         ["Goto(m,s,1)", "WaitExten(5)", "B()", "A()"]),
        ("exten => _X.,1,Goto(${FILTER(0-9,+${EXTEN})},2)\n same => n,B()", ["Goto(4007002505,2)", "B()"]),
        ("exten => _X.,1,Set(CHANNEL(hangup_handler_push)=h,s,1)\n same => n,B()\n[h]\nexten => s,1,A()",
         ["Set(CHANNEL(hangup_handler_push)=h,s,1)", "A()", "B()"]),
        ("exten => 5,1,A()\nexten => i,1,B()", ["B()"]),
        ("exten => _X.,1,A()\n same => n,Goto(1)", ["A()", "Goto(1)"]),
    ],
)  # fmt: skip
def test_a_call_is_followed(text: str, met: list[str]) -> None:
    """Variables, labels, priorities, subroutines, macros, conditions, handlers, loops."""
    assert apps(f"[in]\n{text}") == met


@pytest.mark.parametrize(
    "text", ["Goto(${DB(where/to)},s,1)", "Goto(${ELSEWHERE},1)", "GotoIf($[1]?${A},${B},1)", "Macro(${NAME})"]
)
def test_jumps_known_only_in_the_call_end_the_certainty(text: str) -> None:
    """Then nothing is concluded from what was not met."""
    found = walk(plan(f"[in]\nexten => _X.,1,{text}\n"), "in", "4007002505")
    assert found.partial is not None
    assert found.nowhere == []


def test_every_value_of_a_variable_is_known() -> None:
    """Two ways set it and come to one place."""
    text = (
        "[in]\nexten => _X.,1,Set(Q=a)\n same => n,GotoIf($[${X}]?on)\n same => n,Set(Q=b)\n same => n(on),Queue(${Q})"
    )
    assert walk(plan(text), "in", "12").assigned == {"Q": {"a", "b"}}


def test_a_local_channel_ends_the_certainty() -> None:
    """What is behind it is another call for the dialplan."""
    assert walk(plan("[in]\nexten => _X.,1,Dial(Local/1@agents/n)"), "in", "12").partial


def test_a_jump_to_what_is_not_there_is_told() -> None:
    """With the place it stands."""
    found = walk(plan("[in]\nexten => _X.,1,Goto(nowhere,s,1)\n"), "in", "12")
    assert [(met.where, target) for met, target in found.nowhere] == [("[in] _X.,1", "nowhere,s,1")]


def test_a_switch_may_hold_anything() -> None:
    """Realtime dialplans are looked up elsewhere."""
    assert walk(plan("[in]\nswitch => Realtime/in@extensions\n[b]\nexten => 1,1,Goto(in,2,1)"), "b", "1").partial


def test_an_endless_dialplan_ends() -> None:
    """A number that grows with every jump."""
    assert walk(plan("[in]\nexten => _X.,1,Goto(1${EXTEN},1)"), "in", "12").partial


def test_rows_of_the_running_pbx_give_the_same() -> None:
    """ShowDialPlan numbers the priorities and names labels."""
    rows = [
        {"Context": "in", "Extension": "_X.", "Priority": "1", "Application": "Goto", "AppData": "there"},
        {"Context": "in", "Extension": "_X.", "Priority": "2", "ExtensionLabel": "there", "Application": "B"},
        {"Context": "in", "IncludeContext": "more"},
        {"Context": "in", "Extension": "12", "Priority": "hint", "Application": "PJSIP/12"},
    ]
    found = of_rows(rows)
    assert [met.app for met in walk(found, "in", "4007002505").met] == ["Goto", "B"]
    assert found.contexts["in"].includes == ["more"]


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("x,Name: ${CALLERID(name)}", True),
        ("${CALLERID(num)}.wav", True),
        ("${TOUPPER(${CALLERID(name)})}", True),
        ("${CALLERID(num):2}", True),
        ("${FILTER(0-9,${CALLERID(num)})}.wav", False),
        ("${UNIQUEID}.wav", False),
        ("${FILTER(0-9,${CALLERID(num)})} ${CALLERID(name)}", True),
        ("${CALLERID(pres)}", False),
    ],
)
def test_what_the_caller_chose(text: str, own: bool) -> None:  # noqa: FBT001
    """A filter around it makes it ours."""
    assert callers_own(text) is own


def test_a_filtered_number_written_back_is_ours() -> None:
    """Set(CALLERID(num)=...) at the beginning covers all that follows."""
    text = (
        "[in]\nexten => _X.,1,Set(CALLERID(num)=${FILTER(0-9,${CALLERID(num)})})\n same => n,System(${CALLERID(num)})"
    )
    assert [callers_own(met.args) for met in walk(plan(text), "in", "12").apps("System")] == [False]


def test_options_of_an_application() -> None:
    """With values that hold brackets, and without any."""
    text = "br(${A(b,${C(d)})}-rx.wav)t(x)V"
    assert options(text) == {"b": "", "r": "${A(b,${C(d)})}-rx.wav", "t": "x", "V": ""}


def test_commas_inside_brackets_divide_nothing() -> None:
    """MixMonitor's options have some."""
    assert arguments("${STRFTIME(${EPOCH},,%Y)}.wav,r(a,b)t(c),touch x") == [
        "${STRFTIME(${EPOCH},,%Y)}.wav",
        "r(a,b)t(c)",
        "touch x",
    ]
