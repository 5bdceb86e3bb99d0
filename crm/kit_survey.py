"""The contract's part about seeing many records at once, as the nightly comparison of both sides does."""

from crm.connector import Can, Draft, Note, Of, Status
from crm.kit_world import Check, Fresh, World, expect
from crm.kit_writing import STRANGE


async def notes_are_seen_as_they_stand(world: World) -> None:
    """With their words and their customer; a note that nobody wrote is left out."""
    fresh = Fresh()
    customer = await world.seed(fresh.name(), [fresh.mobile()])
    made = [
        await world.connector.keep_note(Note(fresh.key("note"), customer, title, ("接通。", STRANGE)), None)
        for title in ("来电", "又来电")
    ]
    seen = await world.connector.survey(Of.NOTE, [*(ref.id for ref in made), f"{made[0].id}0000000"])
    expect({each.ref.id for each in seen} == {ref.id for ref in made}, f"seen were {seen}, made {made}")
    for each in seen:
        whole = "".join(each.text.split())
        expect("".join(STRANGE.split()) in whole, f"the note reads {each.text!r}")
        expect(each.customer_id in (None, customer), f"it hangs on {each.customer_id}, not on {customer}")


async def tickets_are_seen_as_they_stand(world: World) -> None:
    """Exactly as when each is read by itself."""
    fresh = Fresh()
    customer = await world.seed(fresh.name(), [fresh.mobile()])
    made = [
        await world.connector.create_ticket(Draft(fresh.key("ticket"), customer, "热水器不出水", "E4", status))
        for status in (Status.ACCEPTED, Status.WORKING)
    ]
    seen = await world.connector.survey(Of.TICKET, [*(ref.id for ref in made), f"{made[0].id}0000000"])
    alone = {ref.id: await world.connector.read_ticket(ref.id) for ref in made}
    expect({each.ref.id: each.item for each in seen} == alone, f"seen were {seen}, read {alone}")


CHECKS = (
    Check("notes are seen as they stand", Can.NOTE | Can.SURVEY, notes_are_seen_as_they_stand),
    Check("tickets are seen as they stand", Can.TICKET | Can.SURVEY, tickets_are_seen_as_they_stand),
)
