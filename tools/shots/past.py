"""What happened at the demo's company before the pictures are taken: calls with recordings and what was said in them.

The calls go the service's own way (cards, ledger, tickets, jobs); the words are those of the demo's stories and of the
short talks below, as no speech model is needed for a picture.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import soundfile

from hotline.demo.story import Story, load_stories
from hotline.demo.tape import wav_header
from storage.edits import TicketField
from telephony.call import (
    Answered,
    Arrived,
    CallKey,
    Confirmed,
    Ended,
    Fact,
    Held,
    Left,
    Outcome,
    Over,
    Queued,
    Rang,
    Resumed,
    Stopped,
)
from tools.shots.house import PBX, House
from transcription.summary import summarise
from transcription.transcript import Speaker, Transcript, Turn

ZONE = ZoneInfo("Asia/Shanghai")
RATE = 8000
LINE, SHOP = "4007002505", "4008001234"
STORIES = {story.name: story for story in load_stories()}


def at(text: str) -> float:
    """Epoch seconds of ``04-16 10:30`` (in 2026) at the company."""
    return datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=ZONE).timestamp()


@dataclass(frozen=True, slots=True)
class Talk:
    """A call that was. ``agents``: who talked, one after the other; none: the caller gave up.

    ``said`` by agent and caller in turn, the agent first; None: the words of ``story``.
    """

    when: str
    caller: str | None
    agents: tuple[str, ...] = ()
    story: str = "repair"
    said: tuple[str, ...] | None = None
    line: str = LINE
    rang: tuple[str, ...] = ()  # whose phones rang in vain
    waited: float = 14.0
    state: dict[TicketField, str] = field(default_factory=dict)
    note: tuple[str, str] | None = None  # who wrote what onto the ticket


PAST = (
    Talk(
        "04-13 15:20",
        "15400944730",
        ("1003",),
        said=(
            "您好，美家电器服务热线，请问有什么可以帮您？",
            "你好，我的榨汁机怎么清洗？刀头能拆下来吗？",
            "可以的，逆时针转一下就能取下来，用清水冲洗就行。",
            "好的，明白了，谢谢。",
        ),
        state={TicketField.STATUS: "closed"},
    ),
    Talk(
        "04-14 09:12",
        "15400880007",
        ("1001", "1003"),
        "complaint",
        state={TicketField.STATUS: "working", TicketField.OWNER: "chenj"},
        note=("chenj", "已联系维修站，师傅承认排班失误。经理下午亲自回电道歉，并免上门费。"),
    ),
    Talk(
        "04-14 14:05",
        "057447011200",
        ("1003",),
        "invoice",
        line=SHOP,
        rang=("1001",),
        state={TicketField.STATUS: "solved"},
    ),
    Talk(
        "04-15 09:40",
        "15400336072",
        ("1002",),
        "vip_parcel",
        line=SHOP,
        rang=("1001",),
        state={TicketField.STATUS: "working", TicketField.OWNER: "lisy"},
        note=("lisy", "快递已催，武汉中转站今晚发出。"),
    ),
    Talk("04-15 11:02", None, ("1002",), "wrong_number", state={TicketField.STATUS: "closed"}),
    Talk(
        "04-15 15:30",
        "15402269175",
        ("1002",),
        "bad_line",
        rang=("1001",),
        state={TicketField.STATUS: "working", TicketField.URGENCY: "高"},
    ),
    Talk(
        "04-15 16:48",
        "15400833624",
        ("1001",),
        said=(
            "您好，美家电器服务热线，请问有什么可以帮您？",
            "你好，我的电磁炉开机就报警，显示E2，能修吗？",
            "可以的，我帮您登记维修，师傅明天下午联系您。",
            "好的，谢谢。",
        ),
    ),
    Talk(
        "04-16 08:42",
        "15400128801",
        ("1001",),
        "repair",
        state={TicketField.STATUS: "working", TicketField.OWNER: "wangxy"},
        note=("wangxy", "客户家有老人，师傅上门前务必先打电话。"),
    ),
    Talk("04-16 09:03", "02147417788", waited=58.0),
    Talk(
        "04-16 09:18",
        "15401499285",
        ("1001",),
        line=SHOP,
        said=(
            "您好，美家商城客服，请问有什么可以帮您？",
            "你好，我买的洗碗机想改一下送货时间，改到周六可以吗？",
            "可以的，我帮您改到周六上午送货，司机会提前给您打电话。",
            "好的，谢谢你。",
        ),
    ),
    Talk("04-16 09:37", "15400611203", waited=41.0, rang=("1002",)),
    Talk("04-16 09:41", "15400611203", waited=66.0, rang=("1003",)),
    Talk(
        "04-16 09:52",
        "15401944730",
        ("1003",),
        said=(
            "您好，美家电器服务热线，请问有什么可以帮您？",
            "你好，我的电热水壶漏水了，还在保修期里吗？",
            "在的，保修两年，我帮您安排换新，三天之内寄到。",
            "太好了，谢谢。",
        ),
    ),
    Talk(
        "04-16 10:08",
        "15401388174",
        ("1001",),
        said=(
            "您好，美家电器服务热线，请问有什么可以帮您？",
            "你好，净水器的滤芯该换了，多少钱一套？",
            "一套滤芯是268元，师傅上门更换不另收费。",
            "那帮我约一个周日上午吧。",
            "好的，已经登记，周日上午师傅上门。",
            "谢谢，再见。",
        ),
    ),
    Talk("04-16 10:15", "057147448833", waited=73.0),
)


class Telling:
    """Tells the service what happens. ``calls`` counts them, for their names."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.calls = 0
        self.made: dict[str, CallKey] = {}  # by caller, the first call

    async def tell(self, when: float, *facts: Fact) -> None:
        """Facts at that moment, shown and written."""
        self.house.clock.now = when
        service = self.house.service
        service.sink.deliver(facts)
        await service.pipeline.settled()
        await service.desk_side.presence.settled()

    def key(self, when: float) -> CallKey:
        """A call nobody had before."""
        self.calls += 1
        return CallKey(PBX, f"{int(when)}.{self.calls}")

    async def comes(self, when: float, caller: str | None, line: str = LINE) -> CallKey:
        """A caller is in the queue."""
        key = self.key(when)
        arrived = Arrived(call=key, at=when, caller=caller, caller_name=None, number=line, dialled=line)
        if caller is not None:
            self.made.setdefault(caller, key)
        await self.tell(when, arrived, Confirmed(call=key, at=when))
        await self.tell(when + 2, Queued(call=key, at=when + 2, queue="support" if line == LINE else "ringall"))
        return key

    async def past(self, talk: Talk) -> None:
        """A whole call, its recording, what was said, and what people did with its ticket."""
        begins = at(talk.when)
        key = await self.comes(begins, talk.caller, talk.line)
        answered = begins + talk.waited
        for agent in (*talk.rang, *talk.agents[:1]):
            await self.tell(begins + 4, Rang(call=key, at=begins + 4, agent=agent, queue="support"))
        for agent in talk.rang:
            why = Over.ANSWERED_ELSEWHERE if talk.agents else Over.GAVE_UP
            await self.tell(answered - 1, Stopped(call=key, at=answered - 1, agent=agent, why=why))
        if not talk.agents:
            await self.tell(answered, Ended(call=key, at=answered, outcome=Outcome.ABANDONED))
            return
        turns, seconds = said_in(talk)
        over = answered + seconds
        await self._talk(key, talk.agents, answered, over)
        self._record(key, talk, answered, seconds)
        await self.tell(over, Ended(call=key, at=over, outcome=Outcome.ANSWERED))
        await self._recorded(key)
        summary = summarise(turns, datetime.fromtimestamp(begins, ZONE))
        transcript = Transcript(turns, "vosk", "vosk-model-small-cn-0.22", seconds=seconds)
        await self.house.service.ledger.said(key, transcript, summary, over + 9)
        await self._people(key, talk, over + 60)

    async def _talk(self, key: CallKey, agents: tuple[str, ...], answered: float, over: float) -> None:
        first, *others = agents
        await self.tell(answered, Answered(call=key, at=answered, agent=first, queue="support"))
        if others:
            middle = answered + (over - answered) * 0.6
            await self.tell(middle - 6, Held(call=key, at=middle - 6, agent=first))
            await self.tell(middle, Resumed(call=key, at=middle, agent=first))
            await self.tell(middle, Left(call=key, at=middle, agent=first, why=Over.TRANSFERRED))
            await self.tell(middle, Answered(call=key, at=middle, agent=others[0]))
        await self.tell(over, Left(call=key, at=over, agent=agents[-1], why=Over.ENDED))

    async def _people(self, key: CallKey, talk: Talk, when: float) -> None:
        ledger, reads = self.house.service.ledger, self.house.service.reads
        page = await reads.call(key)
        if page is None or page.item.ticket is None:
            return
        ticket = page.item.ticket.id
        if talk.state:
            found = await reads.ticket(ticket)
            assert found is not None
            who = talk.state.get(TicketField.OWNER) or "zhoumin"
            await ledger.edit_ticket(ticket, talk.state, who=who, now=when, version=found.item.version)
        if talk.note is not None:
            who, text = talk.note
            await ledger.note(ticket, text, who, when + 120)

    def _record(self, key: CallKey, talk: Talk, answered: float, seconds: float) -> None:
        day = datetime.fromtimestamp(answered, ZONE).strftime("%Y/%m/%d")
        base = self.house.root / day / f"{talk.line}-{key.linkedid}"
        base.parent.mkdir(parents=True, exist_ok=True)
        sounds = [soundfile.read(leg, frames=int(seconds * RATE), dtype="int16")[0] for leg in STORIES[talk.story].legs]
        for suffix, samples in zip(("-rx", "-tx"), sounds, strict=True):
            data = samples.astype("<i2").tobytes()
            base.with_name(f"{base.name}{suffix}.wav").write_bytes(wav_header(len(data)) + data)
        base.with_name(f"{base.name}.done").touch()

    async def _recorded(self, key: CallKey) -> None:
        """Wait until the service has found the recording, which is a job."""
        async with asyncio.timeout(30):
            while True:
                page = await self.house.service.reads.call(key)
                if page is not None and page.recordings:
                    return
                await asyncio.sleep(0.02)


def said_in(talk: Talk) -> tuple[tuple[Turn, ...], float]:
    """What was said, and how long the call was, in seconds."""
    story: Story = STORIES[talk.story]
    if talk.said is None:
        turns = tuple(
            Turn(Speaker(turn.speaker), turn.start, turn.end, turn.text, 0.93, _who(talk, turn.speaker))
            for turn in story.said
        )
        return turns, soundfile.info(story.legs[0]).duration
    start, made = 1.2, []
    for place, text in enumerate(talk.said):
        speaker = Speaker.CALLER if place % 2 else Speaker.AGENT
        end = start + 0.19 * len(text)
        made.append(Turn(speaker, start, end, text, 0.93, _who(talk, speaker)))
        start = end + 0.6
    return tuple(made), start


def _who(talk: Talk, speaker: str) -> str | None:
    return talk.agents[0] if speaker == Speaker.AGENT else None


def folder_of(path: Path) -> Path:
    """Where pictures go unless somebody says otherwise."""
    return path / "docs" / "screenshots"
