"""Who can hear whom: the channels in Asterisk's bridges, and the Local pairs that join bridges. Pure.

Being in a bridge is not yet talking with the caller: an agent who consults a colleague by DTMF sits with a Local
channel in a bridge of their own while the caller hears music in another. Two channels hear each other when bridges and
Local pairs lead from one to the other. Asterisk tells of a transfer in many ways, but it always ends in a BridgeEnter.
"""

from typing import NamedTuple

from telephony.phones import is_local


class Member(NamedTuple):
    """A channel in a bridge."""

    uniqueid: str
    channel: str
    linkedid: str | None


class Bridges:
    """The bridges of one PBX as the events tell them; an empty bridge is forgotten."""

    def __init__(self) -> None:
        self._members: dict[str, dict[str, Member]] = {}
        self._where: dict[str, str] = {}
        self._halves: dict[str, dict[str, Member]] = {}

    def __len__(self) -> int:
        return len(self._where)

    def enter(self, bridge: str, member: Member) -> None:
        """A channel is in this bridge now, and in no other."""
        self.leave(member.uniqueid)
        self._members.setdefault(bridge, {})[member.uniqueid] = member
        self._where[member.uniqueid] = bridge
        if is_local(member.channel):
            self._halves.setdefault(member.channel.partition(";")[0], {})[member.uniqueid] = member

    def leave(self, uniqueid: str, bridge: str | None = None) -> None:
        """A channel is in no bridge any more; with ``bridge``, only if it still was in that one."""
        where = self._where.get(uniqueid)
        if where is None or (bridge is not None and bridge != where):
            return
        del self._where[uniqueid]
        members = self._members[where]
        member = members.pop(uniqueid)
        if not members:
            del self._members[where]
        if is_local(member.channel):
            base = member.channel.partition(";")[0]
            halves = self._halves[base]
            del halves[uniqueid]
            if not halves:
                del self._halves[base]

    def channels(self) -> list[str]:
        """The Uniqueids of everybody in a bridge."""
        return list(self._where)

    def hearing(self, uniqueid: str) -> list[Member]:
        """Everybody whom this channel hears, itself included; empty when it is in no bridge."""
        bridge = self._where.get(uniqueid)
        if bridge is None:
            return []
        found: list[Member] = []
        todo, seen = [bridge], {bridge}
        while todo:
            for member in self._members[todo.pop()].values():
                found.append(member)
                other = self._other_half(member) if is_local(member.channel) else None
                beyond = None if other is None else self._where.get(other.uniqueid)
                if beyond is not None and beyond not in seen:
                    seen.add(beyond)
                    todo.append(beyond)
        return found

    def _other_half(self, member: Member) -> Member | None:
        """The other end of a Local pair. Names return after a restart: the same call's half is the better one."""
        halves = [m for m in self._halves[member.channel.partition(";")[0]].values() if m.channel != member.channel]
        kin = [m for m in halves if m.linkedid == member.linkedid]
        candidates = kin or halves
        return candidates[-1] if candidates else None
