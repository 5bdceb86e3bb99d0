"""Cards are told in a call, in the ways people tell them; then all that the house writes or sends is looked through."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher
from structlog.testing import capture_logs

from hotline.call_board import CallBoard
from hotline.push_events import Teller
from hotline.said import Said
from hotline.telephony_settings import Policy
from screenpop.crm_texts import Pen
from screenpop.deps import Deps
from screenpop.export import conversation, written
from screenpop.i18n import Reader
from screenpop.web import build_app
from storage.accounts import Accounts
from storage.database import Database
from storage.fanout import MemoryFanout
from storage.search import Asker, Search
from telephony.call import CallKey
from tests.hotline.seal_house import LINE, NOON, SealHouse
from transcription.digit_runs import HARD
from transcription.formats import CHINESE, Format
from transcription.redaction import Policy as Masked
from transcription.redaction import redact_transcript
from transcription.transcript import Speaker, Transcript, Turn, Word

CARDS = ("6299991020304058", "110199196611150383", "6299990101022225")
PHONE, ORDER = "15400128836", "20260417778"
TALK = (
    ("agent", "您好，请报一下您的身份证号和银行卡卡号，工单号2026041700123。"),
    ("caller", "身份证幺幺零幺九九，一九六六年十一月十五号，零三八三。"),
    ("agent", "跟您核对一下，110199196611150383，对吗？"),
    ("caller", "对，我要投诉，卡号6299，9910，"),
    ("agent", "嗯，您继续。"),
    ("caller", "二零三零，四零五八，扣了我两次钱，一共328块5。"),
    ("agent", "好的，6299991020304058，扣了两次。"),
    ("caller", "还有一张要六二九九九九零一零一零二二二二五，也扣了，订单号20260417778。"),
    ("agent", "卡号6299-9901-0102-2225，明天下午3点前给您打15400128836退款，退到6299990101022225这张卡。"),
    ("caller", "好，退到6299990101022225。"),
)
LEAST = 9  # digits of a card in a row that give it away
PASSWORD = "correct horse"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def told() -> Transcript:
    """As an engine gives it, with words."""
    turns = []
    for i, (who, text) in enumerate(TALK):
        parts = re.findall(r"[\w]+|[^\w]+", text)
        step = 4.0 / len(parts)
        words = tuple(Word(i * 5 + n * step, i * 5 + (n + 1) * step, part, 0.9) for n, part in enumerate(parts))
        turns.append(Turn(Speaker(who), i * 5.0, i * 5.0 + 4, text, 0.9, words=words))
    return Transcript(tuple(turns), "scripted", "own", seconds=18.0)


def leaks(text: str) -> list[str]:
    """The pieces of cards in a text, however they are written; the last four digits of a card may show."""
    flat = "".join(HARD.get(char, char) for char in text)
    flat = re.sub(r"(?<=\d)[\s,，、。.\-\"\\]+(?=\d)", "", flat)
    pieces = {card[:-4][at : at + LEAST] for card in CARDS for at in range(len(card) - 4 - LEAST + 1)}
    return sorted(piece for piece in pieces if piece in flat)


@pytest.fixture
async def house(sqlite_url: str, tmp_path: Path) -> AsyncIterator[SealHouse]:
    """A house."""
    db = Database.open(sqlite_url)
    yield SealHouse(db, tmp_path, Policy())
    await db.close()


def test_the_looking_finds_what_is_there() -> None:
    """Or the rest of this page would prove nothing."""
    assert leaks(json.dumps([text for _, text in TALK], ensure_ascii=False))
    assert leaks("六二九九，九九一零，二零三零")
    assert leaks("6299-9910 2030")
    assert not leaks("************4058")


async def outputs(house: SealHouse, call: CallKey) -> AsyncIterator[tuple[str, str]]:
    """Everything that speaks of the call: what, and its text."""
    page = await house.page(call)
    zone = ZoneInfo("Asia/Shanghai")
    for masked in (True, False):
        given = conversation(page, zone=zone, lines={LINE: "售后"}, masked=masked)
        for form in Format:
            yield f"export {form.value}", written(given, form, datetime(2026, 11, 20, tzinfo=UTC), CHINESE, "hotline")
    teller = Teller("hotline", {}, lambda key: f"/calls/{key}")
    yield "webhooks", "".join(repr(happening) for happening in teller.happenings(page))
    assert page.summary is not None
    assert page.summary.issue is not None
    assert page.item.ticket is not None
    ticket = await house.reads.ticket(page.item.ticket.id)
    assert ticket is not None
    pen = Pen(Reader("zh_CN", zone), lines={}, agents={})
    yield "note in the CRM", repr(pen.call(page)) + repr(pen.ticket(ticket))
    for question in ("6299991020304058", "629999102030", "110199196611150383", "1101991966"):
        hits = await Search(house.db).calls(question, Asker("zhao", None, everything=True))
        yield f"search for {question}", repr([hit.snippets for hit in hits.hits])
        assert not hits.hits, question


async def served(house: SealHouse, call: CallKey) -> AsyncIterator[tuple[str, str]]:
    """The pages and the API, as a supervisor gets them."""
    accounts = Accounts(house.db)
    await accounts.add("zhao", name="赵", role="supervisor", password=CHEAP.hash(PASSWORD), now=NOON, extension=None)
    deps = Deps(
        ledger=house.ledger,
        reads=house.reads,
        accounts=accounts,
        audit=house.audit,
        fanout=MemoryFanout(),
        now=lambda: house.now,
        ears=house.originals,
        hasher=CHEAP,
    )
    page = await house.page(call)
    assert page.item.ticket is not None
    async with TestClient(TestServer(build_app(deps))) as client:
        origin = {"Origin": str(client.make_url("/")).rstrip("/")}
        await client.post("/login", data={"login": "zhao", "password": PASSWORD}, headers=origin, allow_redirects=False)
        ticket = page.item.ticket.id
        paths = [f"/calls/{call}", f"/api/calls/{call}", f"/tickets/{ticket}", f"/api/tickets/{ticket}", "/tickets"]
        for path in (*paths, *(f"/calls/{call}/export/{form.value}" for form in Format)):
            answer = await client.get(path, headers=origin)
            assert answer.status == 200, path
            yield path, await answer.text()


def files(house: SealHouse, url: str) -> Iterator[tuple[str, str]]:
    """What lies on the disk: the database with its log, and our folder."""
    database = Path(url.split("///", 1)[1])
    for path in (*database.parent.glob(f"{database.name}*"), *house.data.rglob("*")):
        if path.is_file() and path.suffix not in (".wav", ".sealed"):
            yield path.name, path.read_bytes().decode("utf-8", "replace")


async def test_no_card_gets_out(house: SealHouse, sqlite_url: str) -> None:
    """Database, index, pages, API, exports, notes, webhooks, what is told to open pages, the log; other numbers do."""
    fanout = MemoryFanout()
    call = await house.call()
    said = Said(
        ledger=house.ledger,
        clock=lambda: house.now,
        zone=ZoneInfo("Asia/Shanghai"),
        masks={LINE: partial(redact_transcript, policy=Masked())},
        follow=(house.sealing.follow,),
    )
    with capture_logs() as logged:
        async with fanout.subscribe("tickets") as news:
            await said.keep(await house.page(call), told())
            await house.seal()
            await CallBoard(house.reads, fanout).changed(await house.page(call))
            _, message = await anext(news)
        found = {"log": repr(logged), "told to pages": repr(message)}
        found |= {what: text async for what, text in outputs(house, call)}
        found |= {what: text async for what, text in served(house, call)}
    found |= dict(files(house, sqlite_url))
    page = await house.page(call)
    assert page.transcript is not None
    found["words"] = "".join(word.text for turn in page.transcript.turns for word in turn.words)
    assert {what: leaks(text) for what, text in found.items() if leaks(text)} == {}
    whole = found[f"/api/calls/{call}"]
    assert all(number in whole for number in (PHONE, ORDER, "2026041700123"))
    assert "0383" in whole
    assert PHONE in found["words"]
    assert {bleep.what for bleep in page.transcript.bleeps} == {"id_card", "bank_card"}
    await fanout.close()
