"""One person's data: found, packed into a file that anybody can read, and erased with its recordings.

Erasing is a job: it survives a crash, and says what stands in its way. Files go before the row that names them, so that
what is repeated after a crash finds them gone and goes on.
"""

import asyncio
import json
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path

import structlog

from hotline.originals import Originals
from screenpop.answers.calls import WholeCall
from screenpop.answers.tickets import WholeTicket
from screenpop.call_pages import players
from screenpop.sounds import ClosedError, of_leg
from storage.audit import Audit, What
from storage.database import Database
from storage.drain import Handler
from storage.erasures import Erasure, Erasures, Sound
from storage.jobs import HopelessError, Job, JobError
from storage.outbox import Outbox
from storage.pages import CallPage
from storage.persons import About, Person, Persons
from storage.reads import Reads
from storage.records import NewJob
from telephony.call import CallKey

log = structlog.get_logger()

ERASE = "erase"
LEGS = ("mix", "rx", "tx")


class PrivacyDesk:
    """The service's own. ``originals`` know where recordings lie, sealed ones and copies too."""

    def __init__(
        self, *, db: Database, reads: Reads, outbox: Outbox, originals: Originals, clock: Callable[[], float]
    ) -> None:
        self._persons, self._erasures, self._audit = Persons(db), Erasures(db), Audit(db)
        self._reads, self._outbox, self._clock = reads, outbox, clock
        self._originals = originals

    @property
    def handlers(self) -> dict[str, Handler]:
        """Handlers by kind of job, as the outbox takes them."""
        return {ERASE: self.erase}

    async def about(self, person: Person) -> About:
        """How much is kept. Raises StorageError."""
        return await self._persons.about(person)

    async def newest(self, limit: int = 50, below: int | None = None) -> Sequence[Erasure]:
        """The last erasures; ``below`` the last id of the page before. Raises StorageError."""
        return await self._erasures.newest(limit, below)

    async def pack(self, person: Person, into: Path) -> Sequence[CallKey]:
        """Everything, as a zip file; the calls whose sound is in it. Raises StorageError, OSError."""
        rest, heard = await self._persons.rest(person), []
        with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as pack:
            lines = []
            for key in await self._persons.calls(person):
                page = await self._reads.call(key)
                if page is not None:
                    lines.append(_line(page))
                    if await self._pack_call(pack, page):
                        heard.append(key)
            for ticket_id in await self._persons.tickets(person):
                ticket = await self._reads.ticket(ticket_id)
                if ticket is not None:
                    text = WholeTicket.of_page(ticket, full=True).model_dump_json(indent=1)
                    await asyncio.to_thread(pack.writestr, f"tickets/{ticket.item.ticket.number}.json", text)
            told = json.dumps(rest, ensure_ascii=False, indent=1, default=str)
            await asyncio.to_thread(pack.writestr, "other.json", told)
            await asyncio.to_thread(pack.writestr, "index.html", _index(person, lines))
        return heard

    async def ask(self, person: Person, who: str) -> int:
        """Have it erased; the number of the erasure. Raises LiveCallError, StorageError."""
        number = await self._erasures.begin(person, who, self._clock())
        await self._outbox.add_now(NewJob(ERASE, f"{ERASE}:{number}", {"erasure": number}), self._clock())
        return number

    async def erase(self, job: Job) -> None:
        """Do it, or what is left of it. Raises JobError when a file cannot be removed."""
        erasure = await self._erasures.get(int(job.payload["erasure"]))
        if erasure is None or erasure.person is None:
            return
        while (found := await self._erasures.next_call(erasure)) is not None:
            key, sounds = found
            for sound in sounds:
                await self._remove(erasure, sound)
            await self._erasures.call(erasure, key, len(sounds), self._clock())
        await self._erasures.finish(erasure, self._clock())
        done = await self._erasures.get(erasure.id)
        if done is not None:
            told = {"erasure": done.id, "calls": done.calls, "tickets": done.tickets, "recordings": done.recordings}
            subject = f"erased:{done.digest[:16]}"
            await self._audit.add(done.who, What.PERSON_ERASED, subject, self._clock(), told)
            log.info("a person's data was erased", **told)

    async def _remove(self, erasure: Erasure, sound: Sound) -> None:
        recorder = self._originals.recorders.of(sound.call)
        if recorder is None:
            text = f"{sound.call}: its PBX is not configured any more: its recordings cannot be found"
            await self._erasures.trouble(erasure.id, text)
            raise HopelessError(text)
        try:
            await asyncio.to_thread(recorder.forget, sound.recording, sound.call.linkedid)
            await asyncio.to_thread(self._originals.forget, sound.id)
        except OSError as error:
            text = f"{sound.call}: {error}: the service's user needs the right to write in that folder"
            await self._erasures.trouble(erasure.id, text)
            raise JobError(text) from error

    async def _pack_call(self, pack: zipfile.ZipFile, page: CallPage) -> bool:
        """Whether there was sound."""
        heard = False
        folder = f"calls/{_plain(str(page.item.key))}"
        text = WholeCall.of_page(page, players(page, {}), full=True, listens=True).model_dump_json(indent=1)
        await asyncio.to_thread(pack.writestr, f"{folder}/call.json", text)
        if page.transcript is not None:
            said = "\n".join(f"[{turn.start:.1f}] {turn.speaker.value}: {turn.text}" for turn in page.transcript.turns)
            await asyncio.to_thread(pack.writestr, f"{folder}/transcript.txt", said)
        for number, row in enumerate(page.recordings):
            for leg in LEGS:
                if row.deleted is not None or of_leg(row, leg) is None:
                    continue
                try:
                    async with self._originals.plain(page.item.key, row, leg) as path:
                        await asyncio.to_thread(pack.write, path, f"{folder}/{number}-{leg}{path.suffix.lower()}")
                        heard = True
                except (LookupError, ClosedError) as error:
                    await asyncio.to_thread(pack.writestr, f"{folder}/{number}-{leg}.missing.txt", str(error))
        return heard


def _line(page: CallPage) -> str:
    item = page.item
    at = datetime.fromtimestamp(item.arrived, UTC).isoformat(timespec="seconds")
    outcome = "" if item.outcome is None else item.outcome.value
    issue = "" if page.summary is None else page.summary.issue or ""
    place = f"calls/{_plain(str(item.key))}/call.json"
    cells = "".join(f"<td>{escape(text)}</td>" for text in (item.line, outcome, issue))
    return f'<tr><td><a href="{escape(place)}">{at}</a></td>{cells}</tr>'


def _index(person: Person, lines: Sequence[str]) -> str:
    """A page that needs nothing else to be read."""
    title = escape(f"{person.by.value} {person.value}")
    return (
        f'<!doctype html><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>'
        f"<table>{''.join(lines)}</table><p>calls/ tickets/ other.json</p>"
    )


def _plain(text: str) -> str:
    """A folder's name."""
    return "".join(char if char.isascii() and (char.isalnum() or char in ".-") else "_" for char in text)
