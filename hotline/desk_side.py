"""What serves the agents' desks beside their cards: states and seats, the PBX's hand, missed callers.

One place where these are made, given to the pages and started; :mod:`hotline.app` knows no more of them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from hotline.calls_out import CallsOut
from hotline.hand import PbxHand
from hotline.listening import Listening
from hotline.pbx_feed import PbxFeed, Sink
from hotline.presence import Presence
from hotline.settings import Settings
from hotline.tasks import Crew
from hotline.telephony_settings import Pbx
from numbering.identify import identify
from screenpop.deps import Deps
from screenpop.standings import Standings
from storage.agent_states import AgentStates
from storage.callbacks import Callbacks
from storage.database import Database
from storage.fanout import Fanout
from telephony.call import Fact


class DeskSide:
    """Made once for a process. In shadow mode nobody has a state: it is not to be started, and gives nothing."""

    def __init__(self, settings: Settings, *, db: Database, fanout: Fanout, clock: Callable[[], float]) -> None:
        self._settings, self._clock = settings, clock
        seconds = {line.number: line.policy.wrap_up for line in settings.line}
        longest = max(seconds.values(), default=0.0)

        def wrap_up(line: str | None) -> float:
            return longest if line is None else seconds.get(line, longest)

        self.standings = Standings(AgentStates(db), fanout, clock, wrap_up)
        self.presence = Presence(self.standings, wrap_up, {agent.extension for agent in settings.agent})
        self.callbacks = Callbacks(db)
        self.out = CallsOut(self.callbacks, fanout, identify, clock)
        acting = not settings.shadow and any(pbx.desk is not None for pbx in settings.pbx)
        self.hand = PbxHand(settings, self.out, clock) if acting else None

    def beside(self, pipeline: Sink) -> Sink:
        """Where facts go, so that agents' states hear of them too."""
        return _Beside(pipeline, self.presence)

    def give(self, deps: Deps) -> Deps:
        """What the pages are given."""
        if self._settings.shadow:
            return deps
        return replace(
            deps,
            standings=self.standings,
            phones=lambda: self.presence.phones,
            callbacks=self.callbacks,
            hand=self.hand,
        )

    def feed(self, pbx: Pbx, secret: str, sink: Sink, listening: Listening | None) -> PbxFeed:
        """What listens to a PBX, so that pauses and calls that go out are heard of too."""
        settings, clock = self._settings, self._clock
        if settings.shadow:
            return PbxFeed(pbx, secret, settings, sink, clock, listening=listening)
        paused, went = self.presence.paused, self.out.take
        return PbxFeed(pbx, secret, settings, sink, clock, listening=listening, paused=paused, went=went)

    def report(self) -> list[dict[str, str | None]]:
        """The logins that act for the desks, for the operator."""
        return [] if self.hand is None else self.hand.report()

    def start(self, crew: Crew) -> None:
        """Begin."""
        crew.start(self.presence.run(), "agents' states")
        crew.start(self.out.run(), "calls out")
        if self.hand is not None:
            self.hand.start(crew)


@dataclass(frozen=True, slots=True)
class _Beside:
    """The pipeline first: a card never waits for a state."""

    pipeline: Sink
    presence: Presence

    def deliver(self, facts: Sequence[Fact]) -> None:
        """Take facts in their order."""
        self.pipeline.deliver(facts)
        self.presence.deliver(facts)

    def hears(self, pbx: str, *, on: bool) -> None:
        """Take word of a PBX's link."""
        self.pipeline.hears(pbx, on=on)
