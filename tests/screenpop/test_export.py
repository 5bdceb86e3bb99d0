"""A call as a file: for whom it concerns, masked for those who may not see everything, every one on record."""

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from storage.audit import What
from storage.records import Known
from transcription.account import Category, Detail, FactKind, Promise, Sentiment, Summary, Urgency
from transcription.corrections import Change, Part
from transcription.formats import Format
from transcription.transcript import Speaker, Transcript, Turn, Word

if TYPE_CHECKING:
    from telephony.call import CallKey
    from tests.screenpop.conftest import House, Visit

PHONE, FIXED, MAIL = "13987654321", "075588886666", "li.lei@muchuan.test"
TURNS = (
    Turn(Speaker.CALLER, 0.5, 2.0, f"我的电话是{PHONE}，邮箱{MAIL}", 0.9, words=(Word(0.5, 2.0, f"电话{PHONE}", 0.9),)),
    Turn(Speaker.AGENT, 2.0, 3.0, "好的，给您打过去", 0.9, "1001"),
)
SUMMARY = Summary(
    issue=f"要回电{PHONE}",
    category=Category.QUESTION,
    urgency=Urgency.LOW,
    sentiment=Sentiment.NEUTRAL,
    facts=(Detail(FactKind.PHONE, PHONE, "caller", 0.5, 0), Detail(FactKind.EMAIL, MAIL, "caller", 0.5, 0)),
    promises=(Promise("agent", f"给{PHONE}打电话", "", 1),),
    evidence={f"电话：{PHONE}": (0,), f"邮箱：{MAIL}": (0,)},
)
EVERY = [one.value for one in Format]


@pytest.fixture
async def call(house: "House") -> "CallKey":
    """A call of 李's with words, a corrected summary, and a language model's sentence."""
    key = await house.answered(known=Known("c1", "张伟"))
    await house.ledger.said(key, Transcript(TURNS, "vosk", "small-cn"), SUMMARY, house.time)
    change = Change(Part.FACT, f"phone|{PHONE}", {"kind": "phone", "value": FIXED})
    await house.ledger.correct_summary(key, [change], who="li", now=house.time, seen=0)
    made = {"model": "m", "sentences": [{"text": f"客户要求回电{PHONE}", "turns": [0]}]}
    assert await house.ledger.polished(key, house.time, made)
    return key


async def test_who_may_see_everything_gets_everything(house: "House", visit: "Visit", call: "CallKey") -> None:
    """With a harmless file name, kept nowhere on the way, and on record."""
    zhao = await visit("zhao")
    name = str(call).replace(":", "_")
    for wanted in EVERY:
        answer = await zhao.get(f"/calls/{call}/export/{wanted}")
        assert answer.status == 200
        text = await answer.text()
        assert PHONE in text
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}.{wanted}"'
        assert "no-store" in answer.headers["Cache-Control"]
        row = (await house.audit.rows(what=What.EXPORTED))[0]
        assert (row.who, row.subject, row.detail) == ("zhao", str(call), {"format": wanted, "masked": False})
        if wanted in ("json", "vcon"):
            assert FIXED in text  # what the person corrected it to
            assert "张伟" in text


@pytest.mark.parametrize(("login", "query"), [("li", ""), ("zhao", "?masked=1")])
async def test_others_get_it_masked(login: str, query: str, house: "House", visit: "Visit", call: "CallKey") -> None:
    """No number, name or address of the caller anywhere in the file: text, words, summary, corrections, evidence."""
    visitor = await visit(login)
    for wanted in EVERY:
        answer = await visitor.get(f"/calls/{call}/export/{wanted}{query}")
        assert answer.status == 200
        text = await answer.text()
        for secret in (PHONE, FIXED, MAIL, "13812345678", "张伟"):
            assert secret not in text, (wanted, secret)
        row = (await house.audit.rows(what=What.EXPORTED))[0]
        assert row.detail == {"format": wanted, "masked": True}
        if wanted == "json":
            assert json.loads(text)["masked"] is True
            assert json.loads(text)["caller"] == {"number": "138****5678", "name": "张**"}


async def test_recordings_are_named_with_their_digests(house: "House", visit: "Visit", call: "CallKey") -> None:
    """Of the files as they are heard; a file that is gone is left out."""
    zhao = await visit("zhao")
    told = json.loads(await zhao.text(f"/calls/{call}/export/json"))
    digest = hashlib.sha256((house.recordings / f"{call.linkedid}-rx.wav").read_bytes()).hexdigest()
    assert [(one["file"], one["speaker"]) for one in told["recordings"]] == [
        (f"{call.linkedid}-rx.wav", "caller"),
        (f"{call.linkedid}-tx.wav", "agent"),
    ]
    assert told["recordings"][0]["sha256"] == digest
    assert told["recordings"][0]["url"] is None  # the house is not reached by https
    (house.recordings / f"{call.linkedid}-tx.wav").unlink()
    vcon = json.loads(await zhao.text(f"/calls/{call}/export/vcon"))
    assert [one["filename"] for one in vcon["dialog"]] == [f"{call.linkedid}-rx.wav"]


async def test_what_was_not_said_cannot_be_written(house: "House", visit: "Visit", call: "CallKey") -> None:
    """No words yet: no subtitles, but the facts of the call. Unknown formats and strangers get nothing."""
    bare = await house.answered()
    li, wang = await visit("li"), await visit("wang")
    for wanted in ("vtt", "srt", "txt"):
        assert (await li.get(f"/calls/{bare}/export/{wanted}")).status == 404
    assert json.loads(await li.text(f"/calls/{bare}/export/json"))["turns"] == []
    assert (await li.get(f"/calls/{call}/export/exe")).status == 404
    assert (await wang.get(f"/calls/{call}/export/json")).status == 403
    assert [row.who for row in await house.audit.rows(what=What.EXPORTED)] == ["li"]


async def test_the_page_offers_every_format(visit: "Visit", call: "CallKey") -> None:
    """Below the words."""
    page = await (await visit("li")).text(f"/calls/{call}")
    for wanted in EVERY:
        assert f'/export/{wanted}"' in page
    assert "语言模型的表述" in page
