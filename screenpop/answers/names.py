"""Who and which: the small Shapes that stand in others."""

from screenpop.route import Shape


class CustomerName(Shape):
    """Whose it is, as far as the ticket or the call knows."""

    id: str
    name: str | None
    vip: bool


class TicketOfCall(Shape):
    """The ticket a call belongs to; ``joined``: it was open before the call."""

    id: int
    number: str
    joined: bool


class TalkerOfCall(Shape):
    """Who talked with the caller; ``login`` null: nobody wrote down who sat at that phone."""

    extension: str
    login: str | None
    name: str | None
