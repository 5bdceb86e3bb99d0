"""Conversations as files: what was said cannot break out of its place, and other programs can read them."""

import json
import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transcription.account import Category, Detail, FactKind, Sentiment, Summary, Urgency
from transcription.corrections import Correction, Part
from transcription.formats import Conversation, Sound, Titles, as_object, as_text, plain, srt, webvtt
from transcription.formats_vcon import container, vcon
from transcription.transcript import Level, Speaker, Transcript, Turn, Word

ZONE = timezone(timedelta(hours=8))
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=ZONE)
TURNS = (
    Turn(Speaker.AGENT, 0.5, 2.0, "您好，<b>沐川</b> & 售后 -->", 0.9, "1001"),
    Turn(Speaker.CALLER, 2.5, 6.25, "洗衣机\n\n不转", 0.8, words=(Word(2.5, 3.0, "洗衣机", 0.8),)),
    Turn(Speaker.CALLER, 3661.0, 3661.0, "00:00 --> 00:01\r\nNOTE 假的", 0.8),
    Turn(Speaker.AGENT, 3662.0, 3663.0, "  ", 0.8),
)
SUMMARY = Summary(
    "洗衣机不转",
    Category.REPAIR,
    Urgency.MIDDLE,
    Sentiment.NEUTRAL,
    (Detail(FactKind.MODEL, "XQB80", "caller", 2.5, 1),),
    (),
    {"洗衣机不转": (1,)},
)
SOUNDS = (
    Sound("a-rx.wav", "audio/wav", 3, "ab" * 32, "cd" * 64, Speaker.CALLER, 62.0, "https://h.test/1"),
    Sound("a-tx.wav", "audio/wav", 3, "ab" * 32, "cd" * 64, Speaker.AGENT, 62.0),
    Sound("a.wav", "audio/mpeg", 3, "ab" * 32, "cd" * 64, None, 62.0),
)
TOLD = Conversation(
    call="main:1795147200.1",
    line="4007002505",
    line_name="售后",
    arrived=datetime(2026, 11, 20, 12, 0, tzinfo=ZONE),
    began=datetime(2026, 11, 20, 12, 0, 5, tzinfo=ZONE),
    transcript=Transcript(TURNS, "vosk", "small-cn", levels=(Level(Speaker.CALLER, -20.0, -3.0, 0.0),)),
    summary=SUMMARY,
    caller="+8613812345678",
    caller_name="张伟",
    agents=("1001", "1002"),
    names={"1001": "李 明"},
    ticket="20261120-0001",
    outcome="answered",
    seconds=62.0,
    sounds=SOUNDS,
    corrections=(Correction(Part.CATEGORY, "", {"text": "报修"}, {"text": "咨询"}, "li", 1_795_150_000.0),),
)


def said(text: str) -> Conversation:
    """One turn."""
    return replace(TOLD, transcript=Transcript((Turn(Speaker.CALLER, 1.0, 2.0, text, 1.0),), "e", "m"))


def test_webvtt() -> None:
    """Voices are tagged, markup is text, an empty turn is no cue, a turn without length has some."""
    assert webvtt(TOLD) == (
        "WEBVTT\n\n"
        "NOTE main:1795147200.1 2026-11-20T12:00:00+08:00\n\n"
        "0\n00:00:00.500 --> 00:00:02.000\n<v 坐席 1001 李 明>您好，&lt;b&gt;沐川&lt;/b&gt; &amp; 售后 --&gt;</v>\n\n"
        "1\n00:00:02.500 --> 00:00:06.250\n<v 客户>洗衣机 不转</v>\n\n"
        "2\n01:01:01.000 --> 01:01:01.001\n<v 客户>00:00 --&gt; 00:01 NOTE 假的</v>\n"
    )


def test_srt() -> None:
    """Numbered from one, commas in times, what players take for markup in wide letters."""
    assert srt(TOLD, Titles("Caller", "Agent")) == (
        "1\n00:00:00,500 --> 00:00:02,000\nAgent 1001 李 明: 您好，＜b＞沐川＜/b＞ & 售后 —＞\n\n"
        "2\n00:00:02,500 --> 00:00:06,250\nCaller: 洗衣机 不转\n\n"
        "3\n01:01:01,000 --> 01:01:01,001\nCaller: 00:00 —＞ 00:01 NOTE 假的\n"
    )


def test_plain_text() -> None:
    """The summary, then a line a turn."""
    assert plain(TOLD).splitlines() == [
        "# main:1795147200.1 2026-11-20 12:00+08:00",
        "# 洗衣机不转",
        "[0:00:00] 坐席 1001 李 明: 您好，<b>沐川</b> & 售后 -->",
        "[0:00:02] 客户: 洗衣机 不转",
        "[1:01:01] 客户: 00:00 --> 00:01 NOTE 假的",
    ]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_nothing_said_breaks_out_of_its_line(text: str) -> None:
    """Whatever is said: as many cues and lines as turns with words, and no second arrow in SubRip."""
    told = said(text)
    words = len(told.turns)
    cues = webvtt(told).rstrip("\n").split("\n\n")
    assert len(cues) == 2 + words
    assert len(re.findall("-->", webvtt(told))) == words
    assert len(re.findall("-->", srt(told))) == words
    assert len(srt(told).splitlines()) == 3 * words
    assert len(plain(told).splitlines()) == 2 + words
    assert not any(line.startswith(("=", "+", "-", "@")) for line in plain(told).splitlines())
    payload = cues[-1].split("\n")[-1]
    if words:
        assert payload.count("<") == 2  # the voice tag's
        assert payload.count(">") == 2


def test_json_holds_everything() -> None:
    """Read back it is what went in; words stand where there are some."""
    read = json.loads(as_text(TOLD, NOW))
    assert read == as_object(TOLD, NOW)
    assert read["format"] == "hotline-conversation"
    assert read["version"] == 1
    assert read["turns"][1]["words"] == [{"start": 2.5, "end": 3.0, "text": "洗衣机", "confidence": 0.8}]
    assert "words" not in read["turns"][0]
    assert read["agents"] == [{"extension": "1001", "name": "李 明"}, {"extension": "1002", "name": None}]
    assert read["corrections"][0]["machine"] == {"text": "咨询"}
    assert read["recordings"][0]["sha256"] == "ab" * 32
    bare = json.loads(as_text(replace(TOLD, transcript=None, summary=None), NOW))
    assert (bare["transcript"], bare["turns"], bare["summary"]) == (None, [], None)


COMMON = {"type", "start", "duration", "parties", "originator", "mediatype", "filename", "url", "content_hash"}


def check_vcon(made: dict[str, Any]) -> None:
    """What the draft's tables demand of the unsigned form, of what we use of it."""
    assert made["vcon"] == "0.4.0"
    assert UUID(made["uuid"]).version == 8
    assert datetime.fromisoformat(made["created_at"]).tzinfo is not None
    allowed = {"vcon", "uuid", "created_at", "subject", "redacted", "parties", "dialog", "analysis"}
    assert set(made) <= allowed
    for party in made["parties"]:
        assert set(party) <= {"tel", "name", "validation", "uuid", "type", "org"}
        assert all(isinstance(value, str) for value in party.values())
        assert party["type"] == "person"
    parties = range(len(made["parties"]))
    for dialog in made["dialog"]:
        assert datetime.fromisoformat(dialog["start"]).tzinfo is not None
        assert all(index in parties for index in dialog["parties"])
        if dialog["type"] == "incomplete":
            assert set(dialog) == {"type", "start", "parties", "disposition"}
            assert dialog["disposition"] in {
                "no-answer",
                "congestion",
                "failed",
                "busy",
                "hung-up",
                "voicemail-no-message",
            }
            continue
        assert dialog["type"] == "recording"
        assert set(dialog) <= COMMON
        assert "url" not in dialog or dialog["url"].startswith("https://")
        assert "url" not in dialog or "content_hash" in dialog
        for digest in dialog.get("content_hash", ()):
            assert re.fullmatch(r"sha(512|256)-[A-Za-z0-9_-]+", digest)
    for analysis in made.get("analysis", ()):
        assert {"type", "dialog", "mediatype", "vendor", "encoding", "body"} <= set(analysis)
        assert analysis["encoding"] == "json"
        assert all(index in range(len(made["dialog"])) for index in analysis["dialog"])


def test_vcon_is_as_the_draft_has_it() -> None:
    """Parties, a dialog a file with its digests, transcript, summary and mood as analysis."""
    made = json.loads(vcon(TOLD, NOW, "沐川"))
    check_vcon(made)
    assert made["parties"][0] == {"type": "person", "tel": "+8613812345678", "name": "张伟", "validation": "none"}
    assert made["parties"][1]["uuid"] == "1001"
    caller, agent, mix = made["dialog"]
    assert (caller["parties"], agent["parties"], mix["parties"]) == ([0], [1, 2], [0, 1, 2])
    assert agent["originator"] == 0
    assert "originator" not in caller
    assert caller["content_hash"][0].startswith("sha512-")
    assert caller["start"] == "2026-11-20T12:00:05.000+08:00"
    assert caller["mediatype"] == "audio/x-wav"
    assert [one["type"] for one in made["analysis"]] == ["transcript", "summary", "sentiment"]
    assert made["analysis"][1]["body"]["corrections"][0]["who"] == "li"
    assert made["subject"] == "洗衣机不转"


def test_a_vcon_is_the_same_one_again() -> None:
    """Its name is made of site and call, so that nobody gets a second one of the same call."""
    first, again = (container(TOLD, NOW + timedelta(days=days), "a") for days in (0, 1))
    assert first["uuid"] == again["uuid"]
    assert first["uuid"] != container(TOLD, NOW, "b")["uuid"]
    masked = container(replace(TOLD, masked=True, caller="138****5678"), NOW, "a")
    check_vcon(masked)
    assert masked["redacted"] == {"uuid": first["uuid"], "type": "pii"}
    assert "tel" not in masked["parties"][0]  # 138****5678 is no tel URL


@pytest.mark.parametrize(
    ("outcome", "disposition"), [("abandoned", "hung-up"), ("lost", "failed"), ("voicemail", "voicemail-no-message")]
)
def test_a_call_nobody_answered_is_an_incomplete_one(outcome: str, disposition: str) -> None:
    """Of which the draft wants the reason, and no content."""
    made = container(
        replace(TOLD, transcript=None, summary=None, sounds=(), outcome=outcome, caller=None, caller_name=None), NOW
    )
    check_vcon(made)
    assert made["dialog"][0]["disposition"] == disposition
    assert made["parties"][0] == {"type": "person", "name": "anonymous"}
    assert "analysis" not in made


def test_a_transcript_whose_sound_is_gone_keeps_its_dialog() -> None:
    """The words are evidence that there was a recording."""
    made = container(replace(TOLD, sounds=()), NOW)
    check_vcon(made)
    assert made["dialog"] == [
        {
            "type": "recording",
            "start": "2026-11-20T12:00:05.000+08:00",
            "parties": [0, 1, 2],
            "duration": 62.0,
            "mediatype": "audio/x-wav",
        }
    ]
