"""The contract's part about customers: found by every spelling, nobody mistaken, everybody listed."""

from crm.connector import Can, Connector, Draft, Note, Of
from crm.customer import Reason
from crm.kit_world import Check, Fresh, World, asked, expect, ids
from crm.trouble import UnsupportedError
from numbering.identify import identify

NINE = (
    "{0}{1}{2}",
    "{0} {1} {2}",
    "{0}-{1}-{2}",
    "+86{0}{1}{2}",
    "+86 {0} {1} {2}",
    "0086-{0}{1}{2}",
    "86 {0}{1}{2}",
    "0{0}{1}{2}",
    "(+86){0}-{1}{2}",
)


async def every_spelling_is_found(world: World) -> None:
    """However somebody typed the number, and however the trunk shows it."""
    fresh = Fresh()
    missed = []
    for spelling in NINE:
        mobile = fresh.mobile()
        typed = spelling.format(mobile[:3], mobile[3:7], mobile[7:])
        customer = await world.seed(fresh.name(), [typed])
        for shown in (mobile, f"+86{mobile}"):
            match = await asked(world, shown)
            if match.sure is None or match.sure.id != customer:
                missed.append(f"{typed} called from as {shown}")
    expect(not missed, f"not found: {'; '.join(missed)}")


async def a_fixed_line_is_found_with_its_extension(world: World) -> None:
    """The caller with the extension by name, the bare switchboard as a candidate."""
    fresh = Fresh()
    line = fresh.fixed()
    customer = await world.seed(fresh.name(), [f"0755-{line}-8012"])
    whole, bare = await asked(world, f"0755{line}转8012"), await asked(world, f"0755{line}")
    expect(customer in ids(whole) and customer in ids(bare), f"0755-{line}-8012 is not found")
    expect(whole.candidates[0].reason is Reason.FIXED_EXT, f"the extension is lost: {whole.candidates[0].reason}")
    expect(bare.sure is None, "a bare switchboard must not be taken for one of those behind it")


async def an_unknown_number_finds_nobody(world: World) -> None:
    """And does not bring the whole list either."""
    fresh = Fresh()
    await world.seed(fresh.name(), [fresh.mobile()])
    found = await world.connector.find(identify(fresh.mobile()))
    expect(len(found) < 20, f"{len(found)} customers come back for a number nobody has: the query is overlooked")  # noqa: PLR2004
    match = await asked(world, fresh.mobile())
    expect(not match.candidates, f"a stranger: {ids(match)}")


async def a_number_without_e164_asks_nobody(world: World) -> None:
    """A withheld number, a bank's 95588, an extension."""
    for raw in ("anonymous", "95588", "8012", ""):
        found = await world.connector.find(identify(raw))
        expect(not found, f"{raw!r} finds {len(found)} customers")


async def a_shared_number_brings_both(world: World) -> None:
    """Two customers, none guessed."""
    fresh = Fresh()
    mobile = fresh.mobile()
    both = {await world.seed(fresh.name(), [mobile]), await world.seed(fresh.name(), [f"+86 {mobile}"])}
    match = await asked(world, mobile)
    expect(ids(match) == both, f"found {ids(match)}, not {both}")
    expect(match.sure is None, "one of two was guessed")


async def the_same_ending_is_not_the_same_number(world: World) -> None:
    """The last eight digits are another's too."""
    fresh = Fresh()
    mobile = fresh.mobile()
    other = f"1{'39' if mobile[1:3] != '39' else '38'}{mobile[3:]}"
    one = await world.seed(fresh.name(), [mobile])
    await world.seed(fresh.name(), [other])
    await world.seed(fresh.name(), [f"0755-{mobile[3:]}"])
    match = await asked(world, mobile)
    expect(ids(match) == {one}, f"found {ids(match)}, not {one} alone")


async def every_number_of_a_customer_counts(world: World) -> None:
    """The second one too; and all come back, so that the match can be checked again here."""
    fresh = Fresh()
    first, second = fresh.mobile(), fresh.mobile()
    customer = await world.seed(fresh.name(), [first, second])
    for mobile in (first, second):
        match = await asked(world, mobile)
        expect(match.sure is not None and match.sure.id == customer, f"{mobile} is not found")


async def a_customer_is_read_by_id(world: World) -> None:
    """Whole; and of an id that is none, nothing."""
    fresh = Fresh()
    name, mobile = fresh.name(), fresh.mobile()
    customer = await world.seed(name, [mobile])
    found = await world.connector.get(customer)
    expect(found is not None and found.id == customer and found.name == name, f"get({customer}) gave {found}")
    expect(found is not None and any(phone.e164 == f"+86{mobile}" for phone in found.phones), "its number is missing")


async def a_deleted_customer_is_gone(world: World) -> None:
    """By id and by number."""
    fresh = Fresh()
    mobile = fresh.mobile()
    customer = await world.seed(fresh.name(), [mobile])
    await world.remove(customer)
    expect(await world.connector.get(customer) is None, "a deleted customer is still read")
    expect(not ids(await asked(world, mobile)), "a deleted customer is still found")


async def a_full_load_brings_everybody_and_goes_on_where_it_was(world: World) -> None:
    """Broken off after the first part and gone on with, nobody is missing."""
    fresh = Fresh()
    wanted = {await world.seed(fresh.name(), [fresh.mobile()]) for _ in range(30)}
    seen: set[str] = set()
    first = await anext(aiter(world.connector.load()), None)
    expect(first is not None, "nothing was loaded")
    if first is not None:
        seen |= {customer.id for customer in first[0]}
        async for customers, _ in world.connector.load(first[1]):
            seen |= {customer.id for customer in customers}
    expect(wanted <= seen, f"missing: {sorted(wanted - seen)}")


async def what_it_cannot_do_it_says(world: World) -> None:
    """``can`` and the refusals tell the same."""
    connector = world.connector
    for ability in Can:
        if ability in connector.can or ability is Can.FIND:
            continue
        try:
            await _try(connector, ability)
        except UnsupportedError:
            continue
        raise AssertionError(f"{ability.name} works though can says that it does not")


async def _try(connector: Connector, ability: Can) -> None:
    """Ask for something that needs ``ability``."""
    match ability:
        case Can.GET:
            await connector.get("1")
        case Can.ITEMS:
            await connector.items("1")
        case Can.NOTE:
            await connector.keep_note(Note("k", "1", "t", ("p",)), None)
        case Can.TICKET:
            await connector.create_ticket(Draft("k", "1", "t", "b"))
        case Can.FEED:
            await connector.changes(Of.CUSTOMER, None)
        case Can.LOAD:
            await anext(aiter(connector.load()))
        case Can.DESCRIBE:
            await connector.describe()
        case _:
            await connector.take_push({}, b"{}")


async def it_is_well(world: World) -> None:
    """It says which version it talks to, and its clock is not days off."""
    health = await world.connector.health()
    expect(health.version, "no version")
    expect(health.skew is None or abs(health.skew) < 3600, f"its clock is {health.skew} s off")  # noqa: PLR2004


CHECKS = (
    Check("it is well", Can.FIND, it_is_well),
    Check("every spelling is found", Can.FIND, every_spelling_is_found),
    Check("a fixed line is found with its extension", Can.FIND, a_fixed_line_is_found_with_its_extension),
    Check("an unknown number finds nobody", Can.FIND, an_unknown_number_finds_nobody),
    Check("a number without E.164 asks nobody", Can.FIND, a_number_without_e164_asks_nobody),
    Check("a shared number brings both", Can.FIND, a_shared_number_brings_both),
    Check("the same ending is not the same number", Can.FIND, the_same_ending_is_not_the_same_number),
    Check("every number of a customer counts", Can.FIND, every_number_of_a_customer_counts),
    Check("a customer is read by id", Can.FIND | Can.GET, a_customer_is_read_by_id),
    Check("a deleted customer is gone", Can.FIND | Can.GET, a_deleted_customer_is_gone),
    Check("a full load brings everybody", Can.LOAD, a_full_load_brings_everybody_and_goes_on_where_it_was),
    Check("what it cannot do it says", Can.FIND, what_it_cannot_do_it_says),
)
