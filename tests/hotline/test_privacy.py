"""What is kept of one person: found, packed into a file, and taken out so that nothing of it can be found again."""

import json
import time
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary, column, select, table

from hotline.privacy import ERASE, PrivacyDesk
from hotline.telephony_settings import Policy
from numbering.identify import identify
from screenpop.answers.privacy import PersonQuery
from storage.audit import What
from storage.backup import rewrite
from storage.customer_search import CustomerSearch
from storage.database import Database, sqlite_file
from storage.deliveries import Attempt, Deliveries
from storage.erasures import LiveCallError, digest_of
from storage.jobs import JobError
from storage.persons import By, Person, Persons, known_by, subject_of
from storage.records import Known, NewJob
from storage.search import Asker, Search
from storage.search_tables import FULL_TEXT
from storage.trouble import UnknownCallError
from telephony.call import Arrived, CallKey, Confirmed, LeftMessage
from tests.hotline.seal_house import LINE, SealHouse
from transcription.account import Category, Sentiment, Summary, Urgency
from transcription.transcript import Speaker, Transcript, Turn

NUMBER = "+8613812345678"
PERSON = Person(By.NUMBER, NUMBER)
NAME, WORDS, NOTE, ISSUE = "欧阳若溪", "我家住在梧桐山路qzv号", "客户说周末才在家", "净水器qzv滤芯漏水"
ISSUED = Summary(ISSUE, Category.REPAIR, Urgency.HIGH, Sentiment.BAD, (), (), {})
SAID = Transcript((Turn(Speaker.CALLER, 1.0, 3.0, WORDS, 0.9),), "scripted", "own", seconds=18.0)
SECRETS = (NUMBER, "13812345678", NAME, WORDS, NOTE, ISSUE)


class House(SealHouse):
    """A house with somebody who called, and their data."""

    def __init__(self, db: Database, folder: Path) -> None:
        super().__init__(db, folder, Policy(originals="encrypt"))
        self.desk = PrivacyDesk(
            db=db, reads=self.reads, outbox=self.outbox, originals=self.originals, clock=lambda: self.now
        )

    async def lived(self) -> CallKey:
        """A call of theirs with everything there can be."""
        key = await self.call()
        await self.ledger.know(key, Known("C7", NAME, vip=True), self.now)
        self.now += 60
        page = await self.page(key)
        await self.ledger.said(key, SAID, ISSUED, self.now, self.sealing.follow(page, SAID))
        await self.seal()
        assert page.item.ticket is not None
        await self.ledger.note(page.item.ticket.id, NOTE, "li", self.now)
        await self.audit.add("li", What.LISTENED, str(key), self.now)
        await self.audit.add("li", What.DIALLED, NUMBER, self.now, {"from": "1001"})
        await self.outbox.add_now(NewJob("recording", f"{key}:recording", {"call": str(key)}), self.now)
        return key

    async def stranger(self) -> CallKey:
        """Somebody else's call."""
        return await self.call(caller="13900000000")

    async def erase(self) -> None:
        """Do the job."""
        job = await self.outbox.claim([ERASE], self.now, 60)
        assert job is not None
        await self.do(job, self.desk.erase)

    def found(self) -> set[str]:
        """Which secrets lie anywhere in the folder, the database with its log included."""
        file = sqlite_file(self.db.url)
        assert file is not None
        places = [path for path in (*self.folder.rglob("*"), *file.parent.glob(f"{file.name}*")) if path.is_file()]
        held = b"\n".join(path.read_bytes() + path.name.encode() for path in places)
        spelt = {secret: (secret.encode(), json.dumps(secret).encode()[1:-1]) for secret in SECRETS}
        return {secret for secret, forms in spelt.items() if any(form in held for form in forms)}


@pytest.fixture
async def house(sqlite_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """It."""
    db = Database.open(sqlite_url)
    yield House(db, tmp_path)
    await db.close()


async def test_after_erasing_nothing_can_be_found(house: House) -> None:
    """Not in the database or its log, not in a folder, not by search; what counts is there still."""
    key = await house.lived()
    other = await house.stranger()
    assert house.found() == set(SECRETS), "or this test would prove nothing"
    number = await house.desk.ask(PERSON, "root")
    await house.erase()
    file = sqlite_file(house.db.url)
    assert file is not None
    rewrite(file)
    assert not house.found()
    assert house.lying()["rec"] >= 3, "the stranger's"
    assert not (await Search(house.db).calls("梧桐山", Asker("zhao", None, everything=True))).hits
    page = await house.page(key)
    assert (page.item.e164, page.item.customer_name, page.item.outcome) == (None, None, "answered")
    assert page.item.agents == ("1001",)
    assert [row.deleted is not None for row in page.recordings] == [True]
    assert page.transcript is None
    assert (await house.page(other)).item.e164 == "+8613900000000"
    (done,) = await house.desk.newest()
    assert (done.id, done.person, done.calls, done.tickets, done.recordings) == (number, None, 1, 1, 1)
    assert done.digest == digest_of(done.salt, NUMBER)
    trail = await house.audit.rows()
    assert trail[0].what is What.PERSON_ERASED
    assert [row.subject for row in trail if row.what is What.DIALLED] == [f"erased:{done.digest[:16]}"]
    assert [row.subject for row in trail if row.what is What.LISTENED] == [str(key)]


async def test_what_comes_late_is_not_written(house: House) -> None:
    """A transcript that was being made, a recording that was being looked for."""
    key = await house.lived()
    await house.desk.ask(PERSON, "root")
    await house.erase()
    with pytest.raises(UnknownCallError):
        await house.ledger.said(key, SAID, None, house.now)
    assert not [kind for kind, _ in await house.outbox.counts() if kind == "recording"]


async def test_nobody_is_erased_in_the_middle_of_a_call(house: House) -> None:
    """And nothing is promised."""
    key = CallKey("main", "1795147999.1")
    arrived = Arrived(call=key, at=house.now, caller=NUMBER, caller_name=None, number=LINE, dialled=LINE)
    for fact in (arrived, Confirmed(call=key, at=house.now)):
        await house.ledger.record(fact, now=house.now, number=identify(NUMBER))
    assert (await house.desk.about(PERSON)).live
    with pytest.raises(LiveCallError):
        await house.desk.ask(PERSON, "root")
    assert not await house.desk.newest()


async def test_a_file_that_cannot_be_removed_is_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job waits and says why; once it may, it goes on."""
    await house.lived()
    await house.desk.ask(PERSON, "root")

    def refused(_recording: int) -> list[str]:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as locked:
        locked.setattr(house.originals, "forget", refused)
        with pytest.raises(JobError):
            await house.erase()
    (waiting,) = await house.desk.newest()
    assert waiting.done is None
    assert "needs the right to write" in (waiting.trouble or "")
    await house.erase()
    assert (await house.desk.newest())[0].done is not None


async def test_a_crash_in_the_middle_is_gone_on_with(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files gone, row not: the second time finds them gone."""
    await house.lived()
    await house.lived()
    await house.desk.ask(PERSON, "root")
    real = house.desk._erasures.call
    times = list[object]()

    async def dies(*args: object) -> None:
        times.append(args)
        if len(times) == 2:
            raise JobError("killed here")
        await real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(house.desk._erasures, "call", dies)
    with pytest.raises(JobError):
        await house.erase()
    await house.erase()
    (done,) = await house.desk.newest()
    assert (done.calls, done.recordings) == (2, 2)


async def test_everything_in_one_file(house: House, tmp_path: Path) -> None:
    """Calls, tickets, the sound (opened where it lies sealed), who looked; a page to begin with."""
    key = await house.lived()
    out = tmp_path / "person.zip"
    await house.desk.pack(PERSON, out)
    with zipfile.ZipFile(out) as pack:
        names = set(pack.namelist())
        folder = f"calls/{str(key).replace(':', '_')}"
        assert {f"{folder}/call.json", f"{folder}/transcript.txt", "other.json", "index.html"} <= names
        assert {f"{folder}/0-{leg}.wav" for leg in ("mix", "rx", "tx")} <= names
        call = json.loads(pack.read(f"{folder}/call.json"))
        assert (call["e164"], call["turns"][0]["text"]) == (NUMBER, WORDS)
        (ticket,) = (json.loads(pack.read(name)) for name in names if name.startswith("tickets/"))
        assert NOTE in json.dumps(ticket, ensure_ascii=False)
        rest = json.loads(pack.read("other.json"))
        assert {row["what"] for row in rest["audit"]} >= {"listened", "dialled"}
        assert ISSUE in pack.read("index.html").decode()
        assert pack.read(f"{folder}/0-mix.wav")[:4] == b"RIFF"


async def test_a_customer_of_the_crm(house: House) -> None:
    """By id: calls of that customer, from whatever number."""
    await house.lived()
    await house.stranger()
    about = await house.desk.about(Person(By.CUSTOMER, "C7"))
    assert (about.calls, about.recordings, about.tickets, about.live) == (1, 1, 1, False)
    assert (await house.desk.about(Person(By.CUSTOMER, "nobody"))).calls == 0


async def sit_down(house: House, key: CallKey, name: str) -> str:
    """Somebody enters the caller of a call as a customer, whom the service then finds by name; the customer's id."""
    entered, _ = await house.ledger.enter_customer(key, name=name, company=None, note=NOTE, who="li", now=house.now)
    assert await CustomerSearch(house.db).catch_up()
    return entered.id


async def words_left(house: House) -> set[str]:
    """Full-text tables whose pages still hold a word of theirs, deleted or not."""
    left = set()
    async with house.db.read() as conn:
        for index in FULL_TEXT:
            stored = await conn.execute(select(column("block", LargeBinary)).select_from(table(f"{index}_data")))
            pages = stored.scalars().all()
            if any(word.encode() in page for page in pages for word in ("若溪", "qzv")):
                left.add(index)
    return left


async def test_no_word_stays_in_the_indexes(house: House) -> None:
    """What full-text tables note as deleted is written anew, customers' names too; files' names have the number."""
    key = await house.lived()
    await sit_down(house, key, NAME)
    message = LeftMessage(call=key, at=house.now, file="msg-13812345678.wav")
    await house.ledger.record(message, now=house.now)
    assert await words_left(house) == set(FULL_TEXT)
    await house.desk.ask(PERSON, "root")
    await house.erase()
    assert not await words_left(house)
    assert not await CustomerSearch(house.db).find(NAME)
    async with house.db.read() as conn:
        details = (await conn.exec_driver_sql("SELECT detail FROM call_events WHERE kind = 'left_message'")).scalars()
        assert set(details) == {None}
        assert not (await conn.exec_driver_sql("SELECT name FROM entered_customers")).all()
    file = sqlite_file(house.db.url)
    assert file is not None
    rewrite(file)
    assert not house.found()


@pytest.mark.parametrize(
    "spelt", ["13812345678", "+86 138-1234-5678", "0086 138 1234 5678", "138 1234 5678 ", "138.1234.5678"]
)
async def test_however_it_is_written(spelt: str) -> None:
    """It is the same person."""
    assert known_by(spelt) == PERSON
    assert PersonQuery.model_validate({"number": spelt}).person == PERSON


async def test_a_number_that_is_none(house: House) -> None:
    """An extension, as calls keep it; whoever has it as a login keeps their own trail."""
    key = await house.call(caller="8012")
    await house.audit.add("8012", What.LOGGED_IN, "8012", house.now, {"ip": "x"})
    house.now += 60
    assert (await house.desk.about(known_by("80 12"))).calls == 1
    await house.desk.ask(known_by("80 12"), "root")
    await house.erase()
    assert (await house.page(key)).item.caller is None
    assert [row.detail for row in await house.audit.rows(what=What.LOGGED_IN, subject="8012")] == [{"ip": "x"}]


async def test_a_neighbours_number_is_not_theirs(house: House) -> None:
    """One number begins like another, a customer has two, somebody calls again meanwhile: all that stays."""
    await house.lived()
    async with house.db.write() as conn:
        for number, at in (("+86138123456789", 1.0), (f"{NUMBER};ext=8", 1.0), (NUMBER, house.now + 99)):
            await conn.exec_driver_sql(
                "INSERT OR REPLACE INTO number_choices (number, customer_id, customer_name, who, at, call)"
                " VALUES (?,?,?,?,?,?)",
                (number, "C9", "别人", "li", at, "main:9.9"),
            )
        await conn.exec_driver_sql("INSERT INTO customers (id, name, vip) VALUES ('hotline:77', '两个号码', 0)")
        for position, (raw, e164) in enumerate((("13812345678", NUMBER), ("总机转8", None))):
            await conn.exec_driver_sql(
                "INSERT INTO customer_phones (customer_id, position, raw, e164) VALUES (?,?,?,?)",
                ("hotline:77", position, raw, e164),
            )
    rest = await Persons(house.db).rest(PERSON)
    assert {row["number"] for row in rest["remembered"]} == {f"{NUMBER};ext=8", NUMBER}
    await house.desk.ask(PERSON, "root")
    await house.erase()
    async with house.db.read() as conn:
        choices = (await conn.exec_driver_sql("SELECT number FROM number_choices")).scalars()
        assert set(choices) == {"+86138123456789", NUMBER}
        phones = (await conn.exec_driver_sql("SELECT raw FROM customer_phones")).scalars()
        assert set(phones) == {"总机转8"}
        assert (await conn.exec_driver_sql("SELECT name FROM customers")).scalars().all() == ["两个号码"]


async def test_what_was_told_meanwhile_is_not_kept(house: House) -> None:
    """A webhook that is being told of the call while it is erased; what was told before goes, and is in the file."""
    key, kept = await house.lived(), Deliveries(house.db)
    attempt = Attempt("push:a", str(key), "ended", "ended", house.now, 0.1, 200, None, f'{{"caller":"{NUMBER}"}}', "ok")
    await kept.add(attempt)
    assert NUMBER in (await Persons(house.db).rest(PERSON))["sent"][0]["sent"]
    await house.desk.ask(PERSON, "root")
    await house.erase()
    await kept.add(attempt)
    assert not await kept.page()


async def test_a_ticket_of_two_callers(house: House) -> None:
    """Its words go with either; the other's call keeps its own, and its number."""
    key = await house.lived()
    page = await house.page(key)
    assert page.item.ticket is not None
    other = await house.stranger()
    await house.ledger.said(other, SAID, ISSUED, house.now)
    async with house.db.write() as conn:
        await conn.exec_driver_sql(
            "UPDATE calls SET ticket_id = ?, ticket_number = ? WHERE key = ?",
            (page.item.ticket.id, page.item.ticket.number, str(other)),
        )
    await house.desk.ask(PERSON, "root")
    await house.erase()
    ticket = await house.reads.ticket(page.item.ticket.id)
    assert ticket is not None
    assert (ticket.item.ticket.caller, ticket.item.ticket.customer_name, ticket.summary) == (None, None, None)
    assert not [line for line in ticket.timeline if WORDS in str(line.detail) or NOTE in str(line.detail)]
    there = await house.page(other)
    assert (there.item.e164, there.summary and there.summary.issue) == ("+8613900000000", ISSUE)


async def test_who_looked_stays_and_whom_does_not(house: House) -> None:
    """Looks at a person's data name the number masked; once it is erased only the digest, which is slow to guess."""
    await house.lived()
    subject = subject_of(PERSON)
    assert subject == "number 138****5678"
    await house.audit.add("root", What.LOOKED, subject, house.now)
    await house.desk.ask(PERSON, "root")
    await house.erase()
    (done,) = await house.desk.newest()
    assert [row.subject for row in await house.audit.rows(what=What.LOOKED)] == [f"erased:{done.digest[:16]}"]
    begins = time.process_time()
    assert digest_of(done.salt, NUMBER) == done.digest
    assert time.process_time() - begins > 0.005
