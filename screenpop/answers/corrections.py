"""What people may correct of a summary, as the API takes it."""

from pydantic import Field

from screenpop.route import Shape
from transcription.corrections import Change, Part

LONGEST_KEY = 2000
MOST_CHANGES = 100


class SummaryChange(Shape):
    """One correction. ``key``: what the machine says there; ``value`` null: it is not so; ``undo``: the machine is."""

    part: Part
    key: str = Field("", max_length=LONGEST_KEY, examples=["model|XQB80"])
    value: dict[str, str] | None = Field(None, examples=[{"kind": "model", "value": "XQB90"}])
    undo: bool = False

    @property
    def change(self) -> Change:
        """As the ledger takes it."""
        return Change(self.part, self.key, self.value, self.undo)


class SummaryChanges(Shape):
    """Corrections of a summary. ``seen``: the call's ``corrected`` as it was read."""

    seen: int = Field(ge=0)
    changes: tuple[SummaryChange, ...] = Field(min_length=1, max_length=MOST_CHANGES)
