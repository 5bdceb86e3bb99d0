"""One agent's cards as several desks tell them, made into what a page is shown. Pure.

Two processes that listen to one PBX each have a desk with the same cards, told a few milliseconds apart; a page that
heard both would see a card come back after it went. So for every PBX one desk is believed:

- the one in the page's own process while that hears the PBX: when that process dies, its pages go with it, come back
  to another one, and believe that one's desk;
- else one that hears the PBX, the same as long as it does;
- else, with every link broken, the last one: the cards are the best that is known.

A desk that has given no sign of life for :data:`SILENCE` seconds is dead, and its cards with it. The own process's
desk cannot be; until it says which PBXs it hears it counts as hearing all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

Json = dict[str, Any]

OF_A_DESK = frozenset({"card", "gone", "snapshot", "desk"})
SILENCE = 6.0  # seconds; a desk says every two that it is there


@dataclass(slots=True)
class _Desk:
    """What one desk said: the agent's cards by call, and the PBXs it hears."""

    seen: float
    cards: dict[str, Json] = field(default_factory=dict)
    hears: Mapping[str, bool] = field(default_factory=dict)


class Views:
    """``near`` names the desk of this process, if it has one. Times are seconds on a clock that never goes back.

    ``signs``: when each desk was last heard to live, beside what it says of this agent.
    """

    def __init__(self, near: str | None, now: float, signs: Mapping[str, float] = MappingProxyType({})) -> None:
        self._near, self._signs = near, signs
        self._desks = {} if near is None else {near: _Desk(now)}
        self._believed: dict[str, str] = {}
        self._state = 0  # the number of the last state
        self._wall = (0.0, now)  # what the clock on the wall said, and when

    def take(self, message: Mapping[str, Any], now: float) -> list[Json]:
        """What pages must be told because of a desk's message: a card, a card gone, a snapshot, or nothing."""
        said = dict(message)
        if said.get("type") not in OF_A_DESK:  # a ticket's change, a colleague at the same phone
            return self._beside(said)
        name = str(said.pop("desk", ""))
        desk = self._desks.setdefault(name, _Desk(now))
        desk.seen = now
        match said:
            case {"type": "card", "card": card}:
                call = str(card["call"])
                known = desk.cards.get(call)
                desk.cards[call] = card
                return [said] if card != known and self._believe(_pbx(call)) == name else []
            case {"type": "gone", "call": call}:
                known = desk.cards.pop(call, None)
                return [said] if known is not None and self._believe(_pbx(call)) == name else []
            case {"type": "snapshot", "cards": cards, "now": wall}:
                self._wall = (wall, now)
                desk.hears = said.get("hears", desk.hears)
                desk.cards = {str(card["call"]): card for card in cards}
                self._choose(now)
                return [self._snapshot(now)]
            case {"type": "desk", "hears": hears, "now": wall}:
                self._wall = (wall, now)
                same, desk.hears = name == self._near and desk.hears == hears, hears
                return [] if same else self.look(now)  # our own desk's usual sign of life changes nothing
        return [said]

    def _beside(self, said: Json) -> list[Json]:
        """What is no desk's. Of an agent's state what was overtaken on its way counts no more."""
        if said.get("type") == "state":
            number = int(said.pop("n"))
            if number < self._state:
                return []
            self._state = number
        return [said]

    def look(self, now: float) -> list[Json]:
        """A snapshot for the pages, if time or a broken link has changed what they are to be shown."""
        if self._desks.keys() == {self._near} and self._believed.keys() >= self._desks[str(self._near)].hears.keys():
            return []  # the only one there is, and it cannot fall silent
        before = self._cards()
        self._choose(now)
        return [] if self._cards() == before else [self._snapshot(now)]

    def _choose(self, now: float) -> None:
        for name, desk in list(self._desks.items()):
            if name != self._near and now - max(desk.seen, self._signs.get(name, desk.seen)) > SILENCE:
                del self._desks[name]
        known = {pbx for desk in self._desks.values() for pbx in (*desk.hears, *map(_pbx, desk.cards))}
        self._believed = {pbx: self._best(pbx) for pbx in known}

    def _hears(self, name: str, pbx: str) -> bool:
        desk = self._desks[name]
        return desk.hears.get(pbx, name == self._near and not desk.hears)

    def _best(self, pbx: str) -> str:
        """Who hears it, else who knows it; the near one first, then the one believed before."""
        before = self._believed.get(pbx)

        def rank(name: str) -> tuple[bool | str, ...]:
            hears, knows = self._hears(name, pbx), pbx in self._desks[name].hears
            return (not hears, not hears and not knows, name != self._near, name != before, name)

        return min(self._desks, key=rank)

    def _believe(self, pbx: str) -> str:
        if pbx not in self._believed:
            self._believed[pbx] = self._best(pbx)
        return self._believed[pbx]

    def _cards(self) -> dict[str, Json]:
        """What pages are shown, by call."""
        return {
            call: card
            for name, desk in self._desks.items()
            for call, card in desk.cards.items()
            if self._believe(_pbx(call)) == name
        }

    def _snapshot(self, now: float) -> Json:
        wall, then = self._wall
        return {"type": "snapshot", "cards": list(self._cards().values()), "now": wall + now - then}


def _pbx(call: str) -> str:
    """The PBX of a call's key, "pbx:linkedid"."""
    return call.partition(":")[0]
