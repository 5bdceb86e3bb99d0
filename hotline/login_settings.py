"""Further AMI logins of a PBX, each for one purpose and with rights of its own. Times are seconds."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from hotline.settings_part import Part, Phrase
from telephony.pauses import LONGEST_REASON


class RecorderLogin(Part):
    """A second AMI login by which the service starts recordings itself. It may do much: see ``hotline dialplan``."""

    user: str
    secret_env: str | None = None
    secret_file: Path | None = None


class DeskLogin(Part):
    """A further AMI login for what agents do on their desks: pauses, and calls by a click (``originate``).

    Calls go on in ``context``, which must let out no more than agents may call, behind ``prefix`` where one gets an
    outside line by a digit. They show ``caller_id``, or the line that was called where none is named. ``phone``: the
    interface of an extension (None: the agent's first interface, or as routing dials). ``ring``: seconds.
    """

    user: str
    secret_env: str | None = None
    secret_file: Path | None = None
    pauses: tuple[Phrase, ...] = ("休息", "用餐", "会议", "培训")
    originate: bool = False
    context: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,79}$")] | None = None
    caller_id: Annotated[str, Field(pattern=r"^[0-9]{3,20}$")] | None = None
    prefix: Annotated[str, Field(pattern=r"^[0-9]{0,4}$")] = ""
    abroad: bool = False
    ring: Annotated[float, Field(ge=5, le=120)] = 25.0
    phone: Annotated[str, Field(pattern=r"^[A-Za-z0-9_/@.-]{0,60}\{extension\}[A-Za-z0-9_/@.-]{0,60}$")] | None = None

    @field_validator("pauses")
    @classmethod
    def _as_the_pbx_keeps_them(cls, pauses: tuple[str, ...]) -> tuple[str, ...]:
        for reason in pauses:
            if len(reason.encode()) > LONGEST_REASON:
                raise ValueError(f"a PBX keeps {LONGEST_REASON} bytes of a reason, 26 Chinese characters: {reason!r}")
        return pauses

    @model_validator(mode="after")
    def _somewhere(self) -> "DeskLogin":
        if self.originate and self.context is None:
            raise ValueError("originate = true needs context: where the PBX is to go on with the number")
        return self
