"""Whose phone a channel or a queue member is: the carrier's, an agent's, or nobody's. Pure.

An agent is an extension ("1001"). It comes from the configuration (interface -> extension) or, where that is silent,
from the name: ``PJSIP/1001-0000002a`` and ``Local/1001@queue-agents-0000;1`` are 1001.
"""

from collections.abc import Mapping, Sequence

_LONGEST_EXTENSION = 6  # digits: a longer Local/13812345678@out is a number dialled, nobody's desk


class Phones:
    """``trunks`` are the carriers' endpoints ("PJSIP/carrier"), ``agents`` maps interfaces to extensions."""

    def __init__(self, trunks: Sequence[str], agents: Mapping[str, str]) -> None:
        self._trunks = frozenset(trunks)
        self._groups = tuple(f"{trunk}/" for trunk in trunks)  # DAHDI/i1/01062802505-1
        self._agents = dict(agents)

    def is_trunk(self, channel: str | None) -> bool:
        """Whether the channel is a carrier's."""
        if channel is None:
            return False
        endpoint = channel.rpartition("-")[0]
        return endpoint in self._trunks or endpoint.startswith(self._groups)

    def agent(self, channel: str | None) -> str | None:
        """The extension behind a channel's name; None for a trunk and for Local channels, which are nobody's phone."""
        if channel is None or is_local(channel) or self.is_trunk(channel):
            return None
        endpoint = channel.rpartition("-")[0]
        return self._agents.get(endpoint) or endpoint.partition("/")[2] or None

    def member(self, interface: str | None) -> str | None:
        """The extension of a queue's member by its interface ("PJSIP/1001", "Local/1001@queue-agents/n")."""
        if interface is None:
            return None
        known = self._agents.get(interface) or self._agents.get(interface.removesuffix("/n"))
        if known or interface in self._trunks or interface.startswith(self._groups):
            return known
        name = interface.partition("/")[2].partition("@")[0]
        if is_local(interface):
            return name if name.isdecimal() and len(name) <= _LONGEST_EXTENSION else None
        return name or None


def is_local(channel: str) -> bool:
    """Whether a channel or interface is one of Asterisk's own pairs, with somebody's phone behind it."""
    return channel.startswith("Local/")
