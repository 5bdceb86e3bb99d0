"""The contract's part about notes, tickets and the feed: each once, nothing overwritten, no change overlooked."""

import asyncio

from crm.connector import Can, Draft, Note, Of, Once, Ref, Status
from crm.kit_world import Check, Fresh, NotShownError, World, expect
from crm.trouble import ConflictError, InvalidError, TransientError

STRANGE = "热水器 <b>\"E4\"</b> & 'x'; DROP TABLE 一—😀"
POLLS = 2
MANY = 200


async def one_key_one_ticket(world: World) -> None:
    """Made twice, also at once: one."""
    draft = await _draft(world)
    first = await world.connector.create_ticket(draft)
    again = await world.connector.create_ticket(draft)
    expect(first.id == again.id, f"two tickets for one key: {first.id}, {again.id}")
    expect(await world.tickets(draft.key) == 1, "more than one ticket stands there")
    found = await world.connector.by_key(Of.TICKET, draft.key)
    expect(found is not None and found.id == first.id, f"by_key finds {found}")
    unknown = await world.connector.by_key(Of.TICKET, Fresh().key("ticket"))
    expect(unknown is None, f"a key nobody used finds {unknown}")


async def two_writers_one_ticket(world: World) -> None:
    """At the same moment; where the system itself refuses the second."""
    if world.connector.traits.once not in (Once.UNIQUE_KEY, Once.NATIVE):
        raise NotShownError("one writer at a time is ours to see to: the system does not refuse a second")
    draft = await _draft(world)
    made = await asyncio.gather(*(world.connector.create_ticket(draft) for _ in range(4)))
    expect(len({ref.id for ref in made}) == 1, f"several tickets for one key: {made}")
    expect(await world.tickets(draft.key) == 1, "more than one ticket stands there")


async def a_ticket_whose_answer_was_lost_is_found_again(world: World) -> None:
    """Killed between write and answer: looked up, one ticket in the end."""
    draft = await _draft(world)
    async with world.losing(Can.TICKET) as cut_off:
        try:
            await cut_off.create_ticket(draft)
        except TransientError:
            pass
        else:
            raise AssertionError("the answer was not lost: the world's doing")
    there = await world.connector.by_key(Of.TICKET, draft.key)
    expect(there is not None, "the ticket was made, and by_key does not find it")
    made = there or await world.connector.create_ticket(draft)
    expect(await world.tickets(draft.key) == 1, "the second attempt made a second ticket")
    expect(await world.connector.read_ticket(made.id) is not None, f"ticket {made.id} cannot be read")


async def a_ticket_keeps_its_words(world: World) -> None:
    """Markup, quotes and signs beyond the alphabet come back as they were written."""
    draft = await _draft(world, STRANGE)
    made = await world.connector.create_ticket(draft)
    item = await world.connector.read_ticket(made.id)
    longest = world.connector.traits.longest.get("title", len(STRANGE))
    expect(item is not None and item.title[: longest - 1] == STRANGE[: longest - 1], f"the title became {item}")
    expect(item is not None and item.customer_id == draft.customer_id, "it hangs on another customer")
    gone = await world.connector.read_ticket(f"{made.id}0000000")
    expect(gone is None, f"a ticket that is not there was read: {gone}")


async def a_status_that_was_set_stands(world: World) -> None:
    """Each of ours that the mapping has a word for."""
    made = await world.connector.create_ticket(await _draft(world))
    stood = []
    for status in (Status.WORKING, Status.SOLVED, Status.CLOSED):
        try:
            made = await world.connector.set_status(Ref(Of.TICKET, made.id), status)
        except InvalidError:
            continue
        item = await world.connector.read_ticket(made.id)
        expect(item is not None and item.status is status, f"{status} was set, {item} stands")
        stood.append(status)
    expect(stood, "no status could be set")


async def a_ticket_that_somebody_changed_is_left_alone(world: World) -> None:
    """Our idea of it is stale: refused, nothing overwritten."""
    made = await world.connector.create_ticket(await _draft(world))
    item = await world.connector.read_ticket(made.id)
    if item is None or item.ref.version is None:
        raise NotShownError(f"{world.connector.name} has no versions")
    await world.touch(made.id)
    try:
        await world.connector.set_status(item.ref, Status.SOLVED)
    except ConflictError:
        now = await world.connector.read_ticket(made.id)
        expect(now is not None and now.status is item.status, "refused, and set all the same")
        return
    raise AssertionError("a stale status was set over somebody's change")


async def an_open_ticket_is_listed(world: World) -> None:
    """On the card of its customer; a solved one not."""
    draft = await _draft(world)
    made = await world.connector.create_ticket(draft)
    assert draft.customer_id is not None
    listed = await world.connector.items(draft.customer_id)
    expect(made.id in {item.ref.id for item in listed}, f"{made.id} is not among {listed}")
    await world.connector.set_status(Ref(Of.TICKET, made.id), Status.SOLVED)
    listed = await world.connector.items(draft.customer_id)
    expect(made.id not in {item.ref.id for item in listed}, "a solved ticket is listed as open")


async def a_comment_is_taken(world: World) -> None:
    """Twice with one key as well."""
    made = await world.connector.create_ticket(await _draft(world))
    key = Fresh().key("status-1")
    for _ in range(2):
        await world.connector.add_comment(Ref(Of.TICKET, made.id), STRANGE, key)


async def one_call_one_note(world: World) -> None:
    """Written again as more is known, also by one who does not know that it stands."""
    note = await _note(world)
    first = await world.connector.keep_note(note, None)
    again = await world.connector.keep_note(await _note(world, note), first)
    if world.connector.traits.once is Once.NONE:
        raise NotShownError(f"{world.connector.name} cannot keep a note once")
    blind = await world.connector.keep_note(note, None)
    expect(first.id == again.id == blind.id, f"several notes for one call: {first.id}, {again.id}, {blind.id}")
    expect(await world.notes(note.customer_id, note.key) == 1, "more than one note stands there")


async def a_note_whose_answer_was_lost_is_found_again(world: World) -> None:
    """Killed between write and answer: one note in the end."""
    note = await _note(world)
    async with world.losing(Can.NOTE) as cut_off:
        try:
            await cut_off.keep_note(note, None)
        except TransientError:
            pass
        else:
            raise AssertionError("the answer was not lost: the world's doing")
    known = await world.connector.by_key(Of.NOTE, note.key)
    expect(known is not None, "the note was written, and by_key does not find it")
    await world.connector.keep_note(note, known)
    expect(await world.notes(note.customer_id, note.key) == 1, "the second attempt made a second note")


async def the_feed_sees_a_change(world: World) -> None:
    """Within two looks; and says how to go on."""
    fresh = Fresh()
    customer = await world.seed(fresh.name(), [fresh.mobile()])
    cursor = (await world.connector.changes(Of.CUSTOMER, None)).cursor
    name = fresh.name()
    await world.rename(customer, name)
    for _ in range(POLLS):
        page = await world.connector.changes(Of.CUSTOMER, cursor)
        if any(change.customer is not None and change.customer.name == name for change in page.changes):
            return
        cursor = page.cursor
    raise AssertionError(f"{customer} was changed and the feed did not tell")


async def the_feed_has_no_gap(world: World) -> None:
    """Two hundred changes by four writers while it is read: each is told."""
    fresh = Fresh()
    customers = [await world.seed(fresh.name(), [fresh.mobile()]) for _ in range(20)]
    cursor = (await world.connector.changes(Of.CUSTOMER, None)).cursor
    seen: set[str] = set()
    final = {customer: f"{fresh.name()}z" for customer in customers}
    per_writer = MANY // 4 // (len(customers) // 4)

    async def writer(mine: list[str]) -> None:
        for turn in range(per_writer):
            for customer in mine:
                await world.rename(customer, final[customer] if turn == per_writer - 1 else fresh.name())

    async def look(cursor: str) -> str:
        page = await world.connector.changes(Of.CUSTOMER, cursor)
        seen.update(change.customer.name for change in page.changes if change.customer is not None)
        return await look(page.cursor) if page.more else page.cursor

    async with asyncio.TaskGroup() as group:
        writing = [group.create_task(writer(customers[part::4])) for part in range(4)]
        while not all(task.done() for task in writing):
            cursor = await look(cursor)
    for _ in range(POLLS):
        cursor = await look(cursor)
    missed = [customer for customer, name in final.items() if name not in seen]
    expect(not missed, f"{len(missed)} of {len(customers)} last changes were not told: {missed}")


async def _draft(world: World, title: str = "热水器漏水") -> Draft:
    fresh = Fresh()
    customer = await world.seed(fresh.name(), [fresh.mobile()])
    return Draft(fresh.key("ticket"), customer, title, "来电：客户说漏水。", links=(("录音", "https://x.example/r/1"),))


async def _note(world: World, known: Note | None = None) -> Note:
    fresh = Fresh()
    if known is not None:
        return Note(known.key, known.customer_id, known.title, (*known.paragraphs, STRANGE), known.links)
    customer = await world.seed(fresh.name(), [fresh.mobile()])
    link = (("录音", "https://x.example/r/1"),)
    return Note(fresh.key("note"), customer, "来电 售后 2分10秒", ("客户说漏水。", STRANGE), link)


CHECKS = (
    Check("one key, one ticket", Can.TICKET, one_key_one_ticket),
    Check("two writers, one ticket", Can.TICKET, two_writers_one_ticket),
    Check("a ticket whose answer was lost is found again", Can.TICKET, a_ticket_whose_answer_was_lost_is_found_again),
    Check("a ticket keeps its words", Can.TICKET, a_ticket_keeps_its_words),
    Check("a status that was set stands", Can.TICKET, a_status_that_was_set_stands),
    Check("a stale status is refused", Can.TICKET, a_ticket_that_somebody_changed_is_left_alone),
    Check("an open ticket is listed", Can.TICKET | Can.ITEMS, an_open_ticket_is_listed),
    Check("a comment is taken", Can.TICKET, a_comment_is_taken),
    Check("one call, one note", Can.NOTE, one_call_one_note),
    Check("a note whose answer was lost is found again", Can.NOTE, a_note_whose_answer_was_lost_is_found_again),
    Check("the feed sees a change", Can.FEED, the_feed_sees_a_change),
    Check("the feed has no gap", Can.FEED, the_feed_has_no_gap),
)
