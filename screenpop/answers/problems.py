"""How the API tells what went wrong: problem details, RFC 9457."""

from pydantic import Field

from screenpop.route import Shape


class FieldFault(Shape):
    """One thing that is wrong with what was sent. ``field`` as ``changes.0.part``, empty for the whole."""

    field: str
    why: str


class ProblemDetails(Shape):
    """What went wrong. ``detail`` is for people who write programs, in English; decide by ``status`` and codes.

    ``errors``: the fields that are wrong (400). ``version``: what somebody else made of it meanwhile (409): read it
    again; ``fields``: which of yours they changed. ``refusal``: why it is not allowed, as a code (422).
    """

    type: str = Field(examples=["about:blank"])
    status: int
    title: str
    detail: str | None = None
    errors: tuple[FieldFault, ...] | None = None
    version: int | None = None
    fields: str | None = None
    refusal: str | None = Field(None, examples=["move"])
