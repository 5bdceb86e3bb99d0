"""Who the caller is, by a person's word: chosen among those of the number, or entered because nobody has it.

What is chosen is written on the call and its ticket, remembered of the number, and told to every desk, so that each
process draws its cards anew. Whom a number may be is asked of ``Deps.offered``: these pages ask no CRM themselves.
"""

from typing import Annotated, Self

from aiohttp import web
from pydantic import Field, StringConstraints

from crm.customer import Customer
from screenpop.accounts import SESSION
from screenpop.call_key import call_of, parsed
from screenpop.deps import DEPS
from screenpop.errors import problem
from screenpop.finding import asker
from screenpop.rights import Right
from screenpop.route import Api, Route, Scope, Shape
from screenpop.shapes import answer, body
from screenpop.telling import ticket_changed
from storage.choosing import LONGEST_NAME, LONGEST_NOTE
from storage.recalled import Choice, Standing
from storage.records import Known
from telephony.call import CallKey

CHOICES = "choices"  # the topic on which desks hear of it

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME)]
Company = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_NAME)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_NOTE)]


class CustomerChoice(Shape):
    """Who is calling. Null takes back what was chosen."""

    customer: str | None = Field(max_length=128, description="the id of one of the card's customers")


class Chosen(Shape):
    """The customer of a call by a person's word. ``who``: that person's name."""

    id: str
    name: str
    who: str
    at: float

    @classmethod
    def of(cls, choice: Choice) -> Self:
        """From the row."""
        return cls(id=choice.customer_id, name=choice.name, who=choice.who, at=choice.at)


class CallCustomer(Shape):
    """Who a call's caller is said to be; ``chosen`` null: nobody has said so."""

    call: str
    chosen: Chosen | None

    @classmethod
    def of(cls, call: CallKey, standing: Standing) -> Self:
        """From what stands."""
        return cls(call=str(call), chosen=None if standing.choice is None else Chosen.of(standing.choice))


class NewCustomer(Shape):
    """A caller nobody knows. The number is the call's."""

    name: Name
    company: Company | None = None
    note: Text | None = None
    call: str = Field(max_length=200, description="the call's key")


class Entered(CallCustomer):
    """The customer that was made, in our own customers; the call's from now on."""

    id: str
    name: str
    company: str | None
    note: str | None


async def choose(request: web.Request) -> web.Response:
    """``POST /api/calls/{key}/customer``: 422 for a customer that this number does not offer."""
    call = await _mine(request, call_of(request))
    wanted = (await body(request, CustomerChoice)).customer
    deps = request.app[DEPS]
    known = None
    if wanted is not None:
        offered = {candidate.customer.id: candidate.customer for candidate in await deps.offered(call)}
        if wanted not in offered:
            return problem(422, "Unprocessable Content", "nobody with that id has the caller's number")
        known = Known(wanted, offered[wanted].name, offered[wanted].vip)
    standing = await deps.ledger.choose_customer(call, known, request[SESSION].user.login, deps.now())
    await _tell(request, call, standing, None)
    return answer(CallCustomer.of(call, standing))


async def enter(request: web.Request) -> web.Response:
    """``POST /api/customers``: the caller of a call becomes a customer. Sent twice it is made once."""
    sent = await body(request, NewCustomer)
    call = await _mine(request, parsed(sent.call))
    deps = request.app[DEPS]
    made, standing = await deps.ledger.enter_customer(
        call,
        name=" ".join(sent.name.split()),
        company=sent.company or None,
        note=sent.note or None,
        who=request[SESSION].user.login,
        now=deps.now(),
    )
    await _tell(request, call, standing, made)
    about = CallCustomer.of(call, standing)
    entered = Entered(
        call=about.call, chosen=about.chosen, id=made.id, name=made.name, company=made.company, note=made.note
    )
    return answer(entered, 201)


async def _mine(request: web.Request, call: CallKey) -> CallKey:
    """The call, if it concerns who asks: they may open any, talk or talked in it, own its ticket, or it rings there."""
    session, reads = request[SESSION], request.app[DEPS].reads
    if await reads.concerns(call, asker(session)) or (
        session.extension is not None and await reads.rings_at(call, session.extension)
    ):
        return call
    raise web.HTTPForbidden(text="this call is not yours")


async def _tell(request: web.Request, call: CallKey, standing: Standing, made: Customer | None) -> None:
    deps = request.app[DEPS]
    choice = standing.choice
    said = {
        "type": "chosen",
        "call": str(call),
        "number": standing.number,
        "choice": choice and {"id": choice.customer_id, "name": choice.name, "who": choice.who, "at": choice.at},
        "entered": made
        and {
            "id": made.id,
            "name": made.name,
            "company": made.company,
            "note": made.note,
            "phones": [[phone.raw, phone.e164, phone.ext] for phone in made.phones],
        },
    }
    await deps.fanout.publish(CHOICES, said)
    await ticket_changed(deps.fanout, None, call)


ROUTES = (
    Route(
        "POST",
        "/api/calls/{key}/customer",
        choose,
        Right.TICKETS,
        Api(
            "Say which of the number's customers is calling, or take it back",
            Scope.WRITE,
            answer=CallCustomer,
            body=CustomerChoice,
            errors=(400, 422),
        ),
    ),
    Route(
        "POST",
        "/api/customers",
        enter,
        Right.TICKETS,
        Api(
            "Enter a caller nobody knows as a customer",
            Scope.WRITE,
            answer=Entered,
            body=NewCustomer,
            status=201,
            errors=(400, 404),
        ),
    ),
)
