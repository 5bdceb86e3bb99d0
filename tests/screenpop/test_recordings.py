"""Recordings on a call's page: messages, who talked when, what was deleted, and files that belong to nobody."""

from typing import TYPE_CHECKING

from storage.audit import What
from storage.records import RecordingKind, RecordingRow
from storage.retention import Retention
from telephony.call import Answered, Arrived, CallKey, Confirmed, Ended, Left, LeftMessage, Outcome, Over

if TYPE_CHECKING:
    from tests.screenpop.conftest import House, Visit

LINE = "4007002505"


async def voicemail(house: "House") -> CallKey:
    """A call nobody answered, recorded whole, and the message its caller left."""
    key, at = house.key(), house.time
    for fact in (
        Arrived(call=key, at=at, caller="13812345678", caller_name=None, number=LINE, dialled=LINE),
        Confirmed(call=key, at=at + 0.1),
        LeftMessage(call=key, at=at + 40, file=f"voicemail/{key.linkedid}.wav"),
        Ended(call=key, at=at + 41, outcome=Outcome.VOICEMAIL),
    ):
        await house.ledger.record(fact, now=at)
    await house.ledger.link_recording(key, RecordingRow(None, None, "whole.wav", 41.0), at)
    message = RecordingRow("message.wav", None, None, 9.0, kind=RecordingKind.VOICEMAIL)
    await house.ledger.link_recording(key, message, at)
    return key


async def test_the_message_comes_first_and_is_called_one(house: "House", visit: "Visit") -> None:
    """On the page, in the API, and on the ticket, which is among those to call back."""
    call = await voicemail(house)
    boss = await visit("root")
    found = await boss.json(f"/api/calls/{call}")
    assert [(r["kind"], r["legs"]) for r in found["recordings"]] == [
        ("voicemail", {"caller": f"/calls/{call}/audio/1/caller"}),
        ("call", {"mix": f"/calls/{call}/audio/0/mix"}),
    ]
    page = await boss.text(f"/calls/{call}")
    assert page.index("来电人留言") < page.index("通话录音")
    assert "来电人留言" in await boss.text(f"/tickets/{found['ticket']['id']}")
    missed = await boss.json("/api/tickets?missed=1")
    assert found["ticket"]["id"] in [ticket["id"] for ticket in missed["tickets"]]


async def test_who_talked_when_through_a_transfer(house: "House", visit: "Visit") -> None:
    """Each agent's part, in seconds of the recording, which began before anybody answered."""
    key, at = house.key(), house.time
    for fact in (
        Arrived(call=key, at=at, caller="13812345678", caller_name=None, number=LINE, dialled=LINE),
        Confirmed(call=key, at=at),
        Answered(call=key, at=at + 10, agent="1001"),
        Left(call=key, at=at + 70, agent="1001", why=Over.TRANSFERRED),
        Answered(call=key, at=at + 75, agent="1003"),
        Left(call=key, at=at + 100, agent="1003", why=Over.ENDED),
        Ended(call=key, at=at + 100, outcome=Outcome.ANSWERED),
    ):
        await house.ledger.record(fact, now=at)
    await house.ledger.link_recording(key, RecordingRow("a-rx.wav", "a-tx.wav", None, 98.0, began=at + 2), at)
    boss = await visit("root")
    (recording,) = (await boss.json(f"/api/calls/{key}"))["recordings"]
    assert recording["talk"] == [
        {"agent": "1001", "start": 8.0, "end": 68.0},
        {"agent": "1003", "start": 73.0, "end": 98.0},
    ]
    page = await boss.text(f"/calls/{key}")
    assert "1001 0:08–1:08" in page
    assert "1003 1:13–1:38" in page


async def test_what_was_deleted_by_policy_says_so_and_is_not_served(house: "House", visit: "Visit") -> None:
    """When it was deleted stands on the page; its sound is gone for good, and the deletion is in the audit trail."""
    call = await house.answered()
    retention = Retention(house.db)
    (due,) = await retention.due(LINE, house.time + 1000)
    assert await retention.deleted(due, who="policy", why="older than 90 days", now=house.time + 500)
    boss = await visit("root")
    found = await boss.json(f"/api/calls/{call}")
    assert found["recordings"][0]["deleted"] == house.time + 500
    assert found["recordings"][0]["legs"] == {}
    assert found["recorded"] is False
    assert found["transcript"] == "deleted"
    assert "已按保存期限于" in await boss.text(f"/calls/{call}")
    assert (await boss.ask("GET", f"/calls/{call}/audio/0/caller")).status == 410
    (row,) = await house.audit.rows(what=What.RECORDING_DELETED)
    assert (row.who, row.subject) == ("policy", str(call))


async def test_the_operator_sees_files_that_belong_to_no_call(house: "House", visit: "Visit") -> None:
    """With name and size; and a login that cannot record says why. Without any, the page says that there are none."""
    stray = {"pbx": "main", "name": "2026/11/20/<x>-1795147200.9.wav", "bytes": 160_044, "changed": house.time}
    house.told["recordings"] = {"recorders": {"main": "refused"}, "strays": {"count": 1, "newest": [stray]}}
    boss = await visit("root")
    page = await boss.text("/status")
    assert "2026/11/20/&lt;x&gt;-1795147200.9.wav" in page
    assert "1 个文件不属于任何通话" in page
    assert "refused" in page
    none = {"count": 0, "newest": []}
    house.told["recordings"] = {"recorders": {}, "unsearchable": {"hq": "no such folder"}, "strays": none}
    page = await boss.text("/status")
    assert "hq 的录音无法检查：no such folder" in page
    assert "最近一周" not in page
    house.told["recordings"] = {"recorders": {}, "undeletable": "1: no right", "strays": none}
    page = await boss.text("/status")
    assert "最近一周的录音都有对应的通话" in page
    assert "到期的录音无法删除：1: no right" in page
