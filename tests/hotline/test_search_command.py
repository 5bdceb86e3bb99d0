"""``hotline search`` prints where it was said, and makes the index anew."""

import json
from typing import TYPE_CHECKING

import pytest

from hotline.cli import main
from numbering.identify import identify
from storage.database import Database
from storage.ledger import Ledger
from telephony.call import Answered, Arrived, CallKey, Confirmed, Ended, Outcome
from tests.conftest import apart
from transcription.transcript import Speaker, Transcript, Turn

if TYPE_CHECKING:
    from telephony.call import Fact

KEY = CallKey("main", "1795147200.1")
AT = 1_795_147_200.0


async def fill(url: str) -> None:
    """One call."""
    db = Database.open(url)
    facts: list[Fact] = [
        Arrived(call=KEY, at=AT, caller="13812345678", caller_name=None, number="4007002505", dialled="4007002505"),
        Confirmed(call=KEY, at=AT),
        Answered(call=KEY, at=AT, agent="1001", queue=None),
        Ended(call=KEY, at=AT, outcome=Outcome.ANSWERED),
    ]
    for fact in facts:
        await Ledger(db).record(fact, now=AT, number=identify("13812345678"))
    turns = (Turn(Speaker.CALLER, 3.0, 5.0, "热水器不热", 0.9),)
    await Ledger(db).said(KEY, Transcript(turns, "scripted", "none"), None, AT)
    await db.close()


def test_search_and_rebuild(sqlite_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """0 with what was found, 1 with nothing, 2 for no question; the rebuilt index finds the same."""
    apart(fill(sqlite_url))
    where = ["--database", sqlite_url]
    for _ in range(2):
        assert main(["search", *where, "热水器"]) == 0
        assert capsys.readouterr().out == f"{KEY}\n      3.0 caller 热水器不热\n"
        assert main(["search", *where, "--rebuild"]) == 0
        assert "2 calls, tickets and customers" in capsys.readouterr().err
    assert main(["search", *where, "--json", "热水器"]) == 0
    assert json.loads(capsys.readouterr().out)["call"]["said"][0]["start"] == 3.0
    assert main(["search", *where, "洗衣机"]) == 1
    assert main(["search", *where]) == 2
    assert main(["search", *where, "--limit", "0", "热水器"]) == 2
