"""What helps people find: search, similar tickets, bursts, and what a line's rules propose. One for the application."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from screenpop.rights import Right, Role, may
from storage.accounts import Session
from storage.bursts import Bursts, Noticed
from storage.customer_search import CustomerSearch
from storage.database import Database
from storage.pages import TicketPage
from storage.search import Asker, Search
from storage.search_snippets import Snippet
from storage.similar import Similar, Suggestion
from tickets.bursts import DAY
from tickets.proposals import Proposal, Rule, propose


@dataclass(frozen=True, slots=True)
class Finding:
    """``rules``: what each line proposes, by its number and the category."""

    search: Search
    similar: Similar
    bursts: Bursts
    customers: CustomerSearch
    rules: Mapping[str, Mapping[str, Rule]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, db: Database, rules: Mapping[str, Mapping[str, Rule]] | None = None, source: str | None = None
    ) -> "Finding":
        """All of it on one database. ``source``: the CRM whose copy is searched for customers."""
        return cls(Search(db), Similar(db), Bursts(db), CustomerSearch(db, source), rules or {})

    async def beside(self, page: TicketPage) -> Sequence[Suggestion]:
        """Open tickets to look at beside this one; a closed one is not compared any more."""
        ticket = page.item.ticket
        return await self.similar.to(ticket.id) if ticket.status.open else ()

    async def today(self, now: float) -> Sequence[Noticed]:
        """The bursts of the last day."""
        return await self.bursts.recent(now - DAY)

    def proposed(self, page: TicketPage) -> tuple[Proposal, ...]:
        """What the ticket's line proposes for it; nothing once it is solved."""
        ticket = page.item.ticket
        rules = self.rules.get(ticket.line, {})
        if not ticket.status.open:
            return ()
        return propose(rules, ticket.category, ticket.urgency, ticket.owner, page.typed)


def asker(session: Session) -> Asker:
    """A user as one who asks: everything for who may open any call, own calls and tickets for others."""
    return Asker(session.user.login, session.user.extension, everything=may(Role(session.user.role), Right.ALL_CALLS))


def pieces(snippet: Snippet) -> list[tuple[str, bool]]:
    """A snippet as texts, each with whether it is marked."""
    found: list[tuple[str, bool]] = []
    at = 0
    for since, until in snippet.marks:
        found += [(snippet.text[at:since], False), (snippet.text[since:until], True)]
        at = until
    return [piece for piece in (*found, (snippet.text[at:], False)) if piece[0]]
