"""What events told of channels while the PBX listed them: they tell better than the list. Pure."""

from telephony.events import Departed, Entered, Event, HangUp, Joined, LeftQueue, NewChannel


class Overtaken:
    """``gone`` are the Uniqueids of channels that hung up meanwhile, ``fresh`` of those that came or moved."""

    def __init__(self, gone: frozenset[str] = frozenset(), fresh: frozenset[str] = frozenset()) -> None:
        self.gone = set(gone)
        self.fresh = set(fresh)

    def note(self, event: Event) -> None:
        """Something happened."""
        if isinstance(event, HangUp):
            if event.uniqueid:
                self.gone.add(event.uniqueid)
        elif isinstance(event, NewChannel | Entered | Departed | Joined | LeftQueue) and event.uniqueid:
            self.fresh.add(event.uniqueid)
