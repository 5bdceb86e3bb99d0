"""Whose phone a channel or a queue member is: the carrier's, an agent's, or nobody's. Pure.

An agent is an extension ("1001"). It comes from the configuration (interface -> extension) or, where that is silent,
from a name that is one: ``PJSIP/1001-0000002a`` and a queue's ``Local/1001@queue-agents`` are 1001. Other names are
nobody's: trunks that nobody configured, Asterisk's own channels (Local, Announcer, Snoop, CBAnn...).
"""

import re
from collections.abc import Mapping, Sequence

_DESK = re.compile(r"(?:PJSIP|SIP|IAX2|SCCP|DAHDI|MGCP|Agent)/(\d{2,10})")
_LINES = ("PJSIP/", "SIP/", "IAX2/", "SCCP/", "DAHDI/", "MGCP/")
_BEHIND = re.compile(r"Local/(\d{2,6})@.*")  # a longer Local/13812345678@out is a number dialled, nobody's desk


class Phones:
    """``trunks`` are the carriers' endpoints ("PJSIP/carrier"), ``agents`` maps interfaces to extensions."""

    def __init__(self, trunks: Sequence[str], agents: Mapping[str, str]) -> None:
        self._trunks = frozenset(trunks)
        self._groups = tuple(f"{trunk}/" for trunk in trunks)  # DAHDI/i1/01062802505-1
        self._agents = dict(agents)

    def is_trunk(self, channel: str | None) -> bool:
        """Whether the channel is a carrier's."""
        return channel is not None and self._of_carrier(channel.rpartition("-")[0])

    def agent(self, channel: str | None) -> str | None:
        """The extension behind a channel's name; None for a trunk and for Local channels, which are nobody's phone."""
        if channel is None or is_local(channel):
            return None
        endpoint = channel.rpartition("-")[0]
        if endpoint in self._agents:
            return self._agents[endpoint]
        desk = _DESK.fullmatch(endpoint)
        return None if desk is None or self._of_carrier(endpoint) else desk[1]

    def member(self, interface: str | None) -> str | None:
        """The extension of a queue's member by its interface ("PJSIP/1001", "Local/1001@queue-agents/n")."""
        if interface is None:
            return None
        known = self._agents.get(interface) or self._agents.get(interface.removesuffix("/n"))
        if known or self._of_carrier(interface):
            return known
        name = _DESK.fullmatch(interface) or _BEHIND.fullmatch(interface)
        return None if name is None else name[1]

    def is_sure(self, interface: str | None) -> bool:
        """Whether the configuration itself names the agent of an interface."""
        return interface is not None and (interface in self._agents or interface.removesuffix("/n") in self._agents)

    def is_person(self, channel: str | None) -> bool:
        """Whether somebody may speak there: a phone, known or not, or the carrier's line; none of Asterisk's own."""
        return channel is not None and (channel.startswith(_LINES) or self.is_trunk(channel))

    def _of_carrier(self, endpoint: str) -> bool:
        return endpoint in self._trunks or endpoint.startswith(self._groups)


def is_local(channel: str) -> bool:
    """Whether a channel or interface is one of Asterisk's own pairs, with somebody's phone behind it."""
    return channel.startswith("Local/")
