"""The table ``[dialplan]`` of the configuration: what ``hotline dialplan`` must know of the PBX and callers hear."""

import ipaddress
from typing import Annotated

from pydantic import Field, field_validator

from hotline.telephony_settings import Part

SOUND = r"^[A-Za-z0-9_][A-Za-z0-9_/.-]{0,99}$"
FOLDER = r"^/[A-Za-z0-9_./-]{1,199}$"
CONTEXT = r"^[A-Za-z0-9_-]{1,79}$"

Sound = Annotated[str, Field(pattern=SOUND)]


class Dialplan(Part):
    """``service``: this machine's address as the PBX sees it. ``recordings``: the recordings root as the PBX sees it.

    Sounds are names as Playback() takes them: ``notice`` says that the call is recorded, ``menu_prompt`` which keys
    there are, ``message_prompt`` that one may speak after the tone. ``queue_wait``, ``agent_ring``,
    ``message_seconds``: how long a caller waits in the queue, how long the preferred agent's phone rings before it,
    how long a message may be. ``next``: the context into which other numbers of the trunk go on.
    """

    service: str | None = None
    recordings: Annotated[str, Field(pattern=FOLDER)] | None = None
    notice: Sound | None = "hotline/recording-notice"
    menu_prompt: Sound = "hotline/menu"
    message_prompt: Sound = "vm-intro"
    goodbye: Sound = "vm-goodbye"
    queue_wait: Annotated[int, Field(ge=1, le=7200)] = 60
    queue_options: Annotated[str, Field(pattern=r"^[A-Za-z]{0,20}$")] = "t"
    agent_ring: Annotated[int, Field(ge=1, le=120)] = 15
    message_seconds: Annotated[int, Field(ge=0, le=3600)] = 120
    next: Annotated[str, Field(pattern=CONTEXT)] | None = None

    @field_validator("service")
    @classmethod
    def _address(cls, text: str | None) -> str | None:
        """An address: names are looked up by nobody who could be late."""
        try:
            return text if text is None else str(ipaddress.ip_address(text))
        except ValueError as error:
            raise ValueError("give an IP address, as 10.0.0.5") from error
