"""What is kept of one person: found, packed into a file, and taken out so that nothing of it can be found again."""

import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hotline.privacy import ERASE, PrivacyDesk
from hotline.telephony_settings import Policy
from numbering.identify import identify
from storage.audit import What
from storage.backup import rewrite
from storage.database import Database, sqlite_file
from storage.erasures import LiveCallError, digest_of
from storage.jobs import JobError
from storage.persons import By, Person
from storage.records import Known, NewJob
from storage.search import Asker, Search
from storage.trouble import UnknownCallError
from telephony.call import Arrived, CallKey, Confirmed
from tests.hotline.seal_house import LINE, SealHouse
from transcription.account import Category, Sentiment, Summary, Urgency
from transcription.transcript import Speaker, Transcript, Turn

NUMBER = "+8613812345678"
PERSON = Person(By.NUMBER, NUMBER)
NAME, WORDS, NOTE, ISSUE = "欧阳若溪", "我家住在梧桐山路", "客户说周末才在家", "净水器滤芯漏水"
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
