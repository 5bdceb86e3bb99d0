"""A customer's page: who that is, and the calls and tickets that the reader may see. Also as JSON.

A customer is not owned by anybody: whoever may read sees who it is. Calls and tickets are shown as everywhere: an agent
gets their own, and is told which colleagues have open tickets of this customer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aiohttp import web

from crm.customer import Customer
from screenpop.accounts import LOGINS, SESSION
from screenpop.answers.calls import Call
from screenpop.answers.customers import WholeCustomer
from screenpop.answers.tickets import Ticket
from screenpop.deps import DEPS
from screenpop.finding import asker
from screenpop.forms import keepable
from screenpop.masking import hidden_text, hidden_ticket
from screenpop.numbers import in_full, lists_in_full, may_see
from screenpop.rendering import render
from screenpop.rights import Right, Role, may
from screenpop.route import Api, Route, Scope
from screenpop.search_pages import finding
from screenpop.shapes import answer
from storage.call_list import CallFilter
from storage.pages import CallItem, TicketFilter, TicketItem

FEW = 10
LONGEST_ID = 128
MOST_OPEN = 200


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """What is shown. ``known``: there is a copy of the customer; else the name is what calls and tickets say."""

    customer: Customer
    known: bool
    tickets: Sequence[TicketItem]
    calls: Sequence[CallItem]
    colleagues: Sequence[str]


async def the_customer(request: web.Request) -> CustomerPage:
    """The customer that a request names. 404 for one of whom nothing is known that the reader may know."""
    wanted = request.match_info["customer"]
    if not keepable(wanted) or not 0 < len(wanted) <= LONGEST_ID:
        raise web.HTTPNotFound(text="no such customer")
    session, reads = request[SESSION], request.app[DEPS].reads
    found = await finding(request).customers.get(wanted)
    everything = may(Role(session.user.role), Right.ALL_TICKETS)
    owner = None if everything else session.user.login
    tickets: Sequence[TicketItem] = (await reads.tickets(TicketFilter(customer=wanted, owner=owner), limit=FEW)).items
    calls = (await reads.calls(CallFilter(customer=wanted, whose=asker(session)), limit=FEW)).items
    colleagues: list[str] = []
    if not everything:
        opened = await reads.open_tickets(wanted, None, limit=MOST_OPEN)
        colleagues = sorted({one.owner for one in opened if one.owner and one.owner != session.user.login})
    if found is None and not tickets and not calls:
        raise web.HTTPNotFound(text="no such customer")
    if not may_see(request):
        tickets = [hidden_ticket(item) for item in tickets]
        found = found and replace(found, note=found.note and hidden_text(found.note))
    names = [item.ticket.customer_name for item in tickets] + [call.customer_name for call in calls]
    name = next((name for name in names if name), wanted)
    return CustomerPage(found or Customer(wanted, name), found is not None, tickets, calls, colleagues)


async def customer(request: web.Request) -> web.Response:
    """``GET /customers/{customer}``."""
    page = await the_customer(request)
    hand = request.app[DEPS].hand
    may_dial = hand is not None and hand.may_dial and request[SESSION].extension is not None
    full = await in_full(request, f"customer {page.customer.id}")
    colleagues = [request.app[LOGINS].people.name(login) for login in page.colleagues]
    return render(
        request,
        "customer.html",
        page=page,
        customer=page.customer,
        colleagues=colleagues,
        may_dial=may_dial,
        full=full,
    )


async def customer_json(request: web.Request) -> web.Response:
    """``GET /api/customers/{customer}``."""
    page = await the_customer(request)
    full = await in_full(request, f"customer {page.customer.id}")
    lists = full and await lists_in_full(request)
    return answer(
        WholeCustomer.whole(
            page.customer,
            full=full,
            known=page.known,
            tickets=tuple(Ticket.of(item, full=lists) for item in page.tickets),
            calls=tuple(Call.of(call, full=lists) for call in page.calls),
            colleagues=tuple(page.colleagues),
        )
    )


ROUTES = (
    Route("GET", "/customers/{customer}", customer, Right.READ),
    Route(
        "GET",
        "/api/customers/{customer}",
        customer_json,
        Right.READ,
        Api("A customer, with the calls and tickets one may see", Scope.TICKETS, answer=WholeCustomer, errors=(404,)),
    ),
)
