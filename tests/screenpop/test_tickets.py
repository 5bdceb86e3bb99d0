"""Lists of tickets, a ticket's page, and what people change there."""

import re
from typing import TYPE_CHECKING

import pytest

from storage.edits import TicketField
from storage.records import Known
from transcription.account import Category, Sentiment, Summary, Urgency
from transcription.transcript import Speaker, Transcript, Turn

if TYPE_CHECKING:
    from telephony.call import CallKey
    from tests.screenpop.conftest import House, Visit, Visitor

TURNS = Transcript(
    (
        Turn(Speaker.AGENT, 0.5, 2.0, "您好", 0.9, "1001"),
        Turn(Speaker.CALLER, 2.5, 6.0, "空调不制冷", 0.4),
    ),
    "vosk",
    "small-cn",
)


def summary(issue: str = "空调不制冷") -> Summary:
    """What the machine made of it."""
    return Summary(issue, Category.REPAIR, Urgency.HIGH, Sentiment.NEUTRAL, (), (), {issue: (1,)})


def form_of(page: str) -> dict[str, str]:
    """The work form as a browser would send it back untouched."""
    form = re.search(r'<form class="card" method="post".*?</form>', page, re.DOTALL)
    assert form is not None
    fields = dict(re.findall(r'<input[^>]*name="([^"]+)"[^>]*?value="([^"]*)"', form[0]))
    for name, options in re.findall(r'<select[^>]*name="([^"]+)">(.*?)</select>', form[0], re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        fields[name] = chosen[1] if chosen else ""
    return fields


async def change(visitor: "Visitor", ticket: int, **changes: str) -> int:
    """Open the page, change what is named, save; the answer's status."""
    form = form_of(await visitor.text(f"/tickets/{ticket}")) | changes
    return (await visitor.post(f"/tickets/{ticket}", form)).status


async def said(house: "House", call: "CallKey", issue: str = "空调不制冷") -> None:
    """Transcript and summary arrive."""
    await house.ledger.said(call, TURNS, summary(issue), house.time)


async def test_what_a_person_changed_is_a_persons(house: "House", visit: "Visit") -> None:
    """Status moves, a title is typed; the fields left alone stay the machine's."""
    call = await house.answered()
    await said(house, call)
    ticket = await house.ticket_of(call)
    assert await change(await visit("li"), ticket, status="working", title="外机漏水") == 303
    page = await house.reads.ticket(ticket)
    assert page is not None
    assert (page.item.ticket.status, page.item.ticket.title) == ("working", "外机漏水")
    assert page.typed == {"title"}
    assert page.item.ticket.category == "报修"
    assert [(line.kind, line.who) for line in page.timeline][-2:] == [("moved", "li"), ("edited", "li")]


async def test_a_summary_that_comes_while_one_types_is_no_conflict(house: "House", visit: "Visit") -> None:
    """The machine fills what nobody typed; what somebody typed stays; neither refuses the other."""
    call = await house.answered()
    ticket = await house.ticket_of(call)
    li = await visit("li")
    form = form_of(await li.text(f"/tickets/{ticket}")) | {"title": "外机漏水"}
    await said(house, call)
    assert (await li.post(f"/tickets/{ticket}", form)).status == 303
    page = await house.reads.ticket(ticket)
    assert page is not None
    assert page.item.ticket.title == "外机漏水"
    assert page.item.ticket.urgency == "高"
    assert page.typed == {"title"}


async def test_untouched_machine_fields_follow_the_machine(house: "House", visit: "Visit") -> None:
    """Saving a status under an old summary does not nail that summary's title down."""
    call = await house.answered()
    await said(house, call, "旧的")
    ticket = await house.ticket_of(call)
    li = await visit("li")
    form = form_of(await li.text(f"/tickets/{ticket}")) | {"status": "working"}
    await said(house, call, "新的")
    assert (await li.post(f"/tickets/{ticket}", form)).status == 303
    page = await house.reads.ticket(ticket)
    assert page is not None
    assert page.item.ticket.title == "新的"
    assert not page.typed


async def test_two_people_at_one_ticket(house: "House", visit: "Visit") -> None:
    """Of one field the second to save is told, keeps their text, and sees the other's; saves with the next click."""
    call = await house.answered()
    ticket = await house.ticket_of(call)
    li, zhao = await visit("li"), await visit("zhao")
    form = form_of(await li.text(f"/tickets/{ticket}")) | {"title": "漏水"}
    assert await change(zhao, ticket, urgency="高", title="热水器") == 303
    answer = await li.post(f"/tickets/{ticket}", form)
    page = await answer.text()
    assert answer.status == 409
    assert "其他人修改了这个工单" in page
    assert "赵 主管" in page
    assert "热水器" in page
    again = form_of(page)
    assert (again["title"], again["urgency"]) == ("漏水", "高")
    assert (await li.post(f"/tickets/{ticket}", again)).status == 303
    kept = await house.reads.ticket(ticket)
    assert kept is not None
    assert (kept.item.ticket.title, kept.item.ticket.urgency) == ("漏水", "高")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"owner": "nobody"}, "没有人使用这个登录名"),
        ({"title": "x" * 501}, "内容过长"),
        ({"status": "nonsense"}, "没有这个状态"),
    ],
)
async def test_what_is_refused_is_explained_and_kept(
    changes: dict[str, str], words: str, house: "House", visit: "Visit"
) -> None:
    """The page comes back with what was typed."""
    call = await house.answered()
    ticket = await house.ticket_of(call)
    li = await visit("li")
    answer = await li.post(f"/tickets/{ticket}", form_of(await li.text(f"/tickets/{ticket}")) | changes)
    page = await answer.text()
    assert answer.status == 422
    assert words in page
    if "title" in changes:
        assert changes["title"] in page


async def test_only_legal_moves_are_offered(house: "House", visit: "Visit") -> None:
    """A closed ticket stays closed."""
    call = await house.answered()
    ticket = await house.ticket_of(call)
    li = await visit("li")
    assert await change(li, ticket, status="closed") == 303
    page = await li.text(f"/tickets/{ticket}")
    offered = re.search(r'<select class="form-select" id="status".*?</select>', page, re.DOTALL)
    assert offered is not None
    assert re.findall(r'value="(\w+)"', offered[0]) == ["closed"]
    assert await change(li, ticket, status="working") == 422


async def test_a_note_is_for_colleagues(house: "House", visit: "Visit") -> None:
    """It stands in the timeline with its author; an empty one is refused."""
    ticket = await house.ticket_of(await house.answered())
    li = await visit("li")
    assert (await li.post(f"/tickets/{ticket}/notes", {"text": "周六上门\n先打电话"})).status == 303
    assert "周六上门\n先打电话" in await (await visit("zhao")).text(f"/tickets/{ticket}")
    assert (await li.post(f"/tickets/{ticket}/notes", {"text": "  "})).status == 422


async def test_a_call_is_split_off(house: "House", visit: "Visit") -> None:
    """Another matter of the same caller gets a ticket of its own; a ticket's only call stays."""
    first = await house.answered()
    house.time += 600
    second = await house.answered()
    ticket = await house.ticket_of(first)
    assert await house.ticket_of(second) == ticket
    li = await visit("li")
    answer = await li.post(f"/calls/{second}/split")
    assert answer.status == 303
    assert answer.headers["Location"] == f"/tickets/{await house.ticket_of(second)}"
    assert await house.ticket_of(second) != ticket
    assert (await li.post(f"/calls/{second}/split")).status == 400


async def test_no_call_of_a_colleague_is_split_off(house: "House", visit: "Visit") -> None:
    """By page or API, whether it exists or not, nor is it offered; who may open the call may."""
    first = await house.answered("1002")
    house.time += 600
    second = await house.answered("1002")
    ticket = await house.ticket_of(first)
    li, zhao = await visit("li"), await visit("zhao")
    for call in (str(second), "main:1.1"):
        assert (await li.post(f"/calls/{call}/split")).status == 403
        assert (await li.post(f"/api/calls/{call}/split")).status == 403
    assert "/split" not in await li.text(f"/tickets/{ticket}")
    assert await house.ticket_of(second) == ticket
    assert "/split" in await zhao.text(f"/tickets/{ticket}")
    assert (await zhao.post(f"/calls/{second}/split")).status == 303


async def test_no_ticket_of_a_colleague_is_taken_to_hear_its_calls(house: "House", visit: "Visit") -> None:
    """Owning a ticket opens its calls: who talked in none does not make it theirs; its owner, or a supervisor, may."""
    call = await house.answered("1002")
    ticket = await house.ticket_of(call)
    li, wang = await visit("li"), await visit("wang")
    before = await house.reads.ticket(ticket)
    assert before is not None
    for owner in ("li", "", "zhao"):
        assert await change(li, ticket, owner=owner) == 403
        body = {"version": before.item.version, "owner": owner or None}
        assert (await li.ask("PATCH", f"/api/tickets/{ticket}", json=body)).status == 403
    assert (await li.get(f"/calls/{call}/audio/0/caller")).status == 403
    form = form_of(await li.text(f"/tickets/{ticket}")) | {"owner": "li", "title": "没有热水"}
    refused = await (await li.post(f"/tickets/{ticket}", form)).text()
    assert "这个工单由同事负责" in refused
    assert "没有热水" in refused, "what was typed is still there"
    assert await change(li, ticket, title="漏水") == 303, "a colleague's case goes on"
    house.time += 600
    again = await house.answered("1001")  # the caller rings again, and li talks with them
    assert await house.ticket_of(again) == ticket
    assert await change(li, ticket, owner="li") == 303
    assert (await li.get(f"/calls/{call}/audio/0/caller")).status == 200
    assert await change(wang, ticket, owner="wang") == 303, "wang talked in it, too"


async def test_people_have_names(house: "House", visit: "Visit") -> None:
    """Owner, notes, changes, listens, the audit: by name, whoever is gone by login; programs get the login."""
    call = await house.answered("1001")
    ticket = await house.ticket_of(call)
    li, zhao, root = await visit("li"), await visit("zhao"), await visit("root")
    await zhao.post(f"/tickets/{ticket}/notes", {"text": "周六上门"})
    assert await change(zhao, ticket, owner="wang") == 303
    await zhao.get(f"/calls/{call}/audio/0/caller")
    page = re.sub(r"<(input|button)[^>]*>", "", await li.text(f"/tickets/{ticket}"))
    for told in ("· 赵 主管", "李 明 → 王 芳", 'id="owner-name">王 芳'):
        assert told in page
    assert not re.search(r"[^/\w](zhao|wang)\b", page)
    assert "<td>王 芳</td>" in await zhao.text("/tickets")
    assert "赵 主管" in await zhao.text(f"/calls/{call}")
    assert "赵 主管" in await root.text("/audit")
    whole = await li.json(f"/api/tickets/{ticket}")
    assert whole["owner"] == "wang"
    assert "zhao" in {line["who"] for line in whole["timeline"]}
    await house.accounts.remove("zhao")
    house.time += 60
    assert "· zhao" in await li.text(f"/tickets/{ticket}")


async def test_pages_of_the_list(house: "House", visit: "Visit") -> None:
    """The cursor leads from page to page, each ticket once, and to an end."""
    for number in range(7):
        house.time += 60
        await house.answered(caller=f"1380000000{number}")
    zhao = await visit("zhao")
    import screenpop.ticket_pages  # noqa: PLC0415

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(screenpop.ticket_pages, "PAGE", 3)
        seen: list[str] = []
        cursor = None
        for length in (3, 3, 1):
            found = await zhao.json("/api/tickets?limit=3" + (f"&cursor={cursor}" if cursor else ""))
            seen += [ticket["caller"] for ticket in found["tickets"]]
            assert len(found["tickets"]) == length
            cursor = found["cursor"]
        page = await zhao.text("/tickets")
    assert cursor is None
    assert seen == [f"138****000{number}" for number in reversed(range(7))]
    assert "更早" in page
    assert (await zhao.get("/tickets?cursor=nonsense")).status == 400


@pytest.mark.parametrize(
    ("query", "callers"),
    [
        ("", ["138****0002", "138****0001"]),
        ("?status=all", ["138****0003", "138****0002", "138****0001"]),
        ("?status=closed", ["138****0003"]),
        ("?missed=1", []),
        ("?line=4008001234", []),
        ("?text=138%200000%200001", ["138****0001"]),
        ("?text=%E5%BC%A0", ["138****0002"]),
        ("?text=%25", []),
    ],
)
async def test_filters(query: str, callers: list[str], house: "House", visit: "Visit") -> None:
    """By status, line, missed, and words; open ones unless asked for others."""
    await house.answered(caller="13800000001")
    house.time += 1
    await house.answered(caller="13800000002", known=Known("7", "张三"))
    house.time += 1
    ticket = await house.ticket_of(await house.answered(caller="13800000003"))
    await house.ledger.edit_ticket(ticket, {TicketField.STATUS: "closed"}, who="li", now=house.time, version=1)
    found = await (await visit("zhao")).json(f"/api/tickets{query}")
    assert [each["caller"] for each in found["tickets"]] == callers


async def test_a_filter_that_means_nothing_is_refused(visit: "Visit") -> None:
    """Rather than a list of something else."""
    assert (await (await visit("zhao")).get("/tickets?status=nonsense")).status == 400


@pytest.mark.parametrize("ticket", ["999", "0", "9" * 30])
async def test_a_ticket_that_is_not_there(ticket: str, visit: "Visit") -> None:
    """404, in words."""
    answer = await (await visit("zhao")).get(f"/tickets/{ticket}")
    assert answer.status == 404
    assert "这里没有内容" in await answer.text()


async def test_open_lists_hear_of_changes(house: "House", visit: "Visit") -> None:
    """Every change by a person is word for the lists."""
    ticket = await house.ticket_of(await house.answered())
    li = await visit("li")
    async with house.fanout.subscribe("tickets") as words:
        assert await change(li, ticket, title="x") == 303
        assert (await anext(words))[1] == {"type": "ticket", "id": ticket}
        await li.post(f"/tickets/{ticket}/notes", {"text": "x"})
        assert (await anext(words))[1] == {"type": "ticket", "id": ticket}
