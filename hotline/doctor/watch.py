"""Follows one test call live: link and tracker as the service has them, told step by step, with what was missing."""

import asyncio
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from hotline.doctor import judge_link
from hotline.doctor.catalogue import Code
from hotline.doctor.entry import enter
from hotline.doctor.finding import Report
from hotline.doctor.gathered import Case, Reach
from hotline.doctor.probe import probe
from hotline.doctor.watching import Expected, Step, Watch
from hotline.pbx_feed import login_of, tracker_of
from hotline.settings import Settings
from hotline.telephony_settings import Pbx
from telephony.events import Snapshot
from telephony.link import AmiLink, Link, LinkState
from telephony.recordings import Legs, Problem, RecordingError, Rules, find, marks

_GRACE = 10.0  # seconds a recording may take to appear, and to be complete above the configured wait
_LOOK = 0.5  # seconds between looks for it


async def watch(
    settings: Settings, pbx: Pbx, *, clock: Callable[[], float], say: Callable[[Step], None], patience: float
) -> Report:
    """Follow the first call that arrives within ``patience`` seconds to its end and its recording."""
    report = Report()
    try:
        secret = pbx.secret()
    except LookupError as error:
        report.tell(Code.SECRET_MISSING, f"PBX {pbx.name}", str(error))
        return report
    case = Case(settings=settings, pbx=pbx, secret=secret, answers=await probe(pbx, secret, clock, 0.0))
    if case.answers.reach is not Reach.IN:
        judge_link.judge(case, report)
        return report
    following = _Following(case, secret, clock, say)
    try:
        async with asyncio.timeout(patience):
            await following.to_the_end()
    except TimeoutError:
        say(Step(None, f"{patience:g} s are over"))
    following.seen.judge(following.expected(), report)
    if following.seen.ended is not None:
        await following.recording(report)
    return report


class _Following:
    def __init__(self, case: Case, secret: str, clock: Callable[[], float], say: Callable[[Step], None]) -> None:
        self._case, self._clock, self._say = case, clock, say
        self._link = AmiLink(replace(login_of(case.pbx, secret), capture=None), clock)
        self.seen = Watch(case.settings, case.pbx)

    async def to_the_end(self) -> None:
        """Until the call that was followed is over."""
        running = asyncio.get_running_loop().create_task(self._link.run())
        try:
            await self._read()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def _read(self) -> None:
        settings, tracker = self._case.settings, tracker_of(self._case.pbx, self._case.settings)
        numbers = " or ".join(line.number for line in settings.line)
        async for item in self._link:
            now = self._clock()
            if isinstance(item, LinkState):
                if item.link is not Link.UP:  # else its snapshot follows
                    self._say(Step(None, f"link {item.link}: {item.why}"))
            elif isinstance(item, Snapshot):
                for step in self.seen.present(item):
                    self._say(step)
                tracker.resync(item, now)
                self._say(Step(None, f"listening: call {numbers} from outside now"))
            else:
                for step in self.seen.see(item, tracker.feed(item, now), now):
                    self._say(step)
                if self.seen.ended is not None:
                    return

    def expected(self) -> Expected:
        """What the dialplan of the line leads through, where it could be read."""
        entry = enter(self._case)
        if entry is None or self.seen.arrived is None:
            return Expected()
        ways = [way for way in entry.ways if way.line.number == self.seen.arrived.number]
        if not ways or any(way.walk.partial for way in ways):
            return Expected()
        return Expected(
            queue=any(way.walk.apps("Queue") for way in ways),
            user_events=any(way.walk.apps("UserEvent") for way in ways),
        )

    async def recording(self, report: Report) -> None:
        """Wait until the call's recording is complete, and say what of it is missing."""
        arrived, settings = self.seen.arrived, self._case.settings
        line = next((line for line in settings.line if arrived and line.number == arrived.number), None)
        if arrived is None or line is None or not line.record:
            return
        subject, place = f"line {line.number}", settings.recordings_of(self._case.pbx)
        if place.root is None:
            how = "see the call's page in the service"
            report.unknown(subject, "its recording, which is fetched from elsewhere", how)
            return
        with tempfile.TemporaryDirectory(prefix="hotline-doctor-") as repairs:
            rules = Rules(mark=place.mark, quiet=place.wait, repairs=Path(repairs))
            try:
                legs = await self._found(place.root, rules)
            except RecordingError as error:
                missing = error.problem is Problem.MISSING
                report.tell(Code.NOT_RECORDED if missing else Code.RECORDINGS_FOLDER, subject, str(error))
                return
        self._judge(legs, place.mark, subject, report)

    async def _found(self, root: Path, rules: Rules) -> Legs:
        """The best of the call's recordings; RecordingError when it will not come."""
        assert self.seen.arrived is not None
        uniqueid, began = self.seen.arrived.call.linkedid, self._clock()
        hints = [name for fact in self.seen.facts for name in getattr(fact, "files", ())]
        while True:
            now = self._clock()
            try:
                arrived = self.seen.arrived.at or began
                found = await asyncio.to_thread(
                    find, root, uniqueid, arrived=arrived, now=now, rules=rules, hints=hints
                )
            except RecordingError as error:
                growing = error.problem is Problem.GROWING
                if error.problem is Problem.UNREADABLE or now - began > _GRACE + rules.quiet * growing:
                    raise
                await asyncio.sleep(_LOOK)
            else:
                return found[0]

    def _judge(self, legs: Legs, mark: str, subject: str, report: Report) -> None:
        assert self.seen.call is not None
        uniqueid = self.seen.call.linkedid
        there = [name for name, path in (("caller", legs.caller), ("agent", legs.agent), ("mixed", legs.mix)) if path]
        length = "" if legs.seconds is None else f", {legs.seconds:.1f} s"
        self._say(Step(None, f"its recording is complete: {', '.join(there)}{length}"))
        if legs.caller is None or legs.agent is None:
            report.tell(Code.RECORDING_LEGS, subject, f"its recording has only: {', '.join(there)}")
        if not any(path.with_name(name).exists() for path in legs.files for name in marks(path.name, uniqueid, mark)):
            report.tell(Code.RECORDING_MARK, subject, f"no {mark} came beside its recording")
