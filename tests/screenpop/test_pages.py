"""The pages show what is there, in the reader's language, and say honestly what is not there yet."""

from typing import TYPE_CHECKING

import pytest

from screenpop.call_pages import bars
from screenpop.i18n import choose
from storage.records import AlarmKind, Known, RecordingRow, Waiting
from storage.trouble import Trouble, trouble
from telephony.call import Arrived, Confirmed, Ended, Outcome, Queued
from transcription.account import Category, Detail, FactKind, Promise, Sentiment, Summary, Urgency
from transcription.transcript import Speaker, Transcript, Turn

if TYPE_CHECKING:
    from telephony.call import CallKey
    from tests.screenpop.conftest import House, Visit

TURNS = (
    Turn(Speaker.AGENT, 0.0, 0.5, "您好", 0.9, "1001"),
    Turn(Speaker.CALLER, 0.5, 1.5, "空调不制冷", 0.4),
)


async def test_the_desk_lists_todays_calls_of_this_agent(house: "House", visit: "Visit") -> None:
    """One's own answered calls of today, nobody else's and none of yesterday."""
    house.time -= 86_400
    await house.answered(caller="13900000001")
    house.time += 86_400
    await house.answered(caller="13900000002", known=Known("7", "张三", vip=True))
    await house.answered("1002", caller="13900000003")
    li = await visit("li")
    for path in ("/desk", "/desk/recent"):
        page = await li.text(path)
        assert "张三" in page
        assert "139****0002" in page
        assert "139****0001" not in page
        assert "139****0003" not in page


async def test_the_day_ends_at_the_sites_midnight(house: "House", visit: "Visit") -> None:
    """Eleven at night in Shanghai is another day than one in the morning, whatever day it is in London."""
    house.time += 11.5 * 3600
    await house.answered(caller="13900000001")
    li = await visit("li")
    assert "139****0001" in await li.text("/desk")
    house.time += 3600
    assert "今天还没有通话" in await li.text("/desk")


async def test_who_has_no_phone_is_told_so(visit: "Visit") -> None:
    """A desk that can never ring says why."""
    assert "尚未选择话机" in await (await visit("zhao")).text("/desk")


@pytest.mark.parametrize(("login", "place"), [("li", "/desk"), ("zhao", "/tickets"), ("root", "/tickets")])
async def test_the_start_page(login: str, place: str, visit: "Visit") -> None:
    """Agents to their desk, supervisors without a phone to the tickets."""
    assert (await (await visit(login)).get("/")).headers["Location"] == place


async def test_a_page_is_come_back_to_after_the_login(visit: "Visit") -> None:
    """A link from elsewhere survives the login page."""
    answer = await (await visit(None)).get("/tickets?status=all&text=a%26b")
    assert answer.headers["Location"] == "/login?back=/tickets?status%3Dall%26text%3Da%2526b"
    page = await (await visit(None)).text(answer.headers["Location"])
    assert 'name="back" value="/tickets?status=all&amp;text=a%26b"' in page


@pytest.mark.parametrize(
    ("cookie", "accept", "language"),
    [
        (None, "", "zh_CN"),
        (None, "zh-TW,zh;q=0.9,en;q=0.8", "zh_CN"),
        (None, "en-GB,en;q=0.9", "en"),
        (None, "de,en;q=0.5,zh;q=0.4", "en"),
        (None, "fr", "zh_CN"),
        (None, "en;q=x", "zh_CN"),
        ("en", "zh-CN", "en"),
        ("xx", "en", "en"),
    ],
)
def test_whose_language(cookie: str | None, accept: str, language: str) -> None:
    """The reader's choice, then the browser's, then Chinese."""
    assert choose(cookie, accept) == language


async def test_the_language_is_chosen_and_kept(visit: "Visit") -> None:
    """The choice outlives the browser's preference, and leads back to where one was."""
    li = await visit("li")
    assert "工作台" in await li.text("/desk")
    answer = await li.post("/language", {"language": "en", "back": "/tickets?status=all"})
    assert answer.headers["Location"] == "/tickets?status=all"
    page = await li.text("/desk")
    assert 'lang="en"' in page
    assert "Ready for the next call" in page
    assert (await li.post("/language", {"language": "tlh"})).status == 400


async def lost(house: "House") -> "CallKey":
    """A call that nobody answered."""
    call = house.key()
    at = house.time
    for fact in (
        Arrived(call=call, at=at, caller="13700000007", caller_name=None, number="4007002505", dialled="4007002505"),
        Confirmed(call=call, at=at + 0.1),
        Queued(call=call, at=at + 1, queue="support"),
        Ended(call=call, at=at + 12, outcome=Outcome.ABANDONED),
    ):
        await house.ledger.record(fact, now=at)
    return call


async def test_a_call_nobody_answered_is_not_hidden(house: "House", visit: "Visit") -> None:
    """It stands in the list, marked, and its page says that there is nothing to hear."""
    call = await lost(house)
    zhao = await visit("zhao")
    assert "未接" in await zhao.text("/tickets?missed=1")
    page = await zhao.text(f"/calls/{call}")
    assert "来电人放弃" in page
    assert "无人与来电人通话" in page
    assert (await zhao.json(f"/api/calls/{call}"))["transcript"] == "none"


async def test_what_a_transcript_waits_for_is_said(house: "House", visit: "Visit") -> None:
    """Recording, model, work, trouble, and ready: never an empty box."""
    call = await house.answered(recorded=False)
    zhao = await visit("zhao")

    async def state() -> str:
        return str((await zhao.json(f"/api/calls/{call}"))["transcript"])

    assert await state() == "recording"
    assert "等待录音" in await zhao.text(f"/calls/{call}")
    await house.ledger.link_recording(call, RecordingRow("rx.wav", "tx.wav", None, 2.0), house.time)
    assert await state() == "working"
    await house.ledger.waiting(call, Waiting.MODEL)
    assert "等待语音模型" in await zhao.text(f"/calls/{call}")
    assert 'data-renew="/calls/' in await zhao.text(f"/calls/{call}")
    await house.ledger.waiting(call, None)
    await house.ledger.alarm(call, AlarmKind.ONE_SIDED, None, house.time)
    assert await state() == "working", "half a recording has a transcript too"
    await house.ledger.alarm(call, AlarmKind.TRANSCRIPTION, "vosk died", house.time)
    page = await zhao.text(f"/calls/{call}")
    assert "录音转写失败" in page
    assert "vosk died" in page
    await house.ledger.said(call, Transcript(TURNS, "vosk", "small-cn"), None, house.time)
    assert await state() == "ready"
    assert "data-ready" in await zhao.text(f"/calls/{call}/state")


async def test_who_said_what_and_where_the_summary_has_it_from(house: "House", visit: "Visit") -> None:
    """Two speakers, doubt marked, every sentence with the place that says it; none with a place that is not there."""
    call = await house.answered()
    summary = Summary(
        "空调不制冷",
        Category.REPAIR,
        Urgency.HIGH,
        Sentiment.BAD,
        (Detail(FactKind.MODEL, "KFR-35GW", "caller", 0.8, 1),),
        (Promise("agent", "周六上门", "2026-11-28", 0),),
        {"空调不制冷": (1,), "无据": (9,)},
    )
    await house.ledger.said(call, Transcript(TURNS, "vosk", "small-cn"), summary, house.time)
    page = await (await visit("li")).text(f"/calls/{call}")
    assert 'class="turn turn-agent" id="turn-0"' in page
    assert 'class="turn turn-caller turn-doubt" id="turn-1"' in page
    assert 'href="#turn-1" data-cites="1"' in page
    assert 'data-cites="9"' not in page
    for words in ('bg-azure-lt">报修', "KFR-35GW", "周六上门", "2026-11-28", "vosk · small-cn"):
        assert words in page, words
    assert 'bg-azure-lt">投诉' not in page


async def test_a_call_that_goes_on(house: "House", visit: "Visit") -> None:
    """Its page says so and looks again."""
    call = house.key()
    for fact in (
        Arrived(call=call, at=house.time, caller=None, caller_name=None, number="4007002505", dialled="x"),
        Confirmed(call=call, at=house.time),
    ):
        await house.ledger.record(fact, now=house.time)
    page = await (await visit("zhao")).text(f"/calls/{call}")
    assert "通话仍在进行" in page
    assert "号码未显示" in page


def test_bars_fit_the_recording() -> None:
    """Turns in per cent; a recording of unknown length is as long as its last turn."""
    assert [(bar.x, bar.width) for bar in bars(TURNS, 2.0)] == [(0.0, 25.0), (25.0, 50.0)]
    assert [(bar.x, bar.width) for bar in bars(TURNS, 0.0)] == [(0.0, 33.333), (33.333, 66.667)]
    assert bars((), 0.0) == []


async def test_the_status_page_shows_links_and_jobs(house: "House", visit: "Visit") -> None:
    """What the rest of the house tells of itself, or that it tells nothing."""
    root = await visit("root")
    assert "本进程没有连接电话系统" in await root.text("/status")
    house.told = {
        "pbx": [
            {"name": "main", "link": "down", "since": house.time, "why": "no route", "live_calls": 2, "dropped": 3},
            {"name": "second", "link": "up", "since": house.time, "banner": "Asterisk Call Manager/11.0.0"},
        ],
        "jobs": {"ready": 3, "running": 1, "dead": 2},
        "speech": "no speech model",
        "database": None,
        "waiting_writes": 7,
    }
    page = await root.text("/status")
    for words in (
        "main",
        "未连接",
        "no route",
        "2 通电话",
        "丢失 3 个事件",
        "Manager/11",
        "等待语音模型",
        "hotline jobs",
    ):
        assert words in page, words
    assert await root.json("/api/status") == {**house.told, "pages": 0}


async def test_a_database_that_is_away_is_told_in_words(
    house: "House", visit: "Visit", monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 with a page, or problem details; the cause is for the log."""
    li = await visit("li")

    async def away(*_: object, **__: object) -> None:
        raise trouble(Trouble.AWAY, "postgres://secret")

    monkeypatch.setattr(house.reads.__class__, "tickets", away)
    answer = await li.get("/tickets")
    page = await answer.text()
    assert answer.status == 503
    assert "数据库没有响应" in page
    problem = await li.get("/api/tickets")
    assert problem.status == 503
    assert problem.content_type == "application/problem+json"
    assert "secret" not in page + await problem.text()


async def test_errors_are_pages_for_people_and_problems_for_programs(visit: "Visit") -> None:
    """The same 404 both ways."""
    li = await visit("li")
    page = await li.get("/nowhere")
    assert page.status == 404
    assert "这里没有内容" in await page.text()
    problem = await li.get("/api/nowhere")
    assert problem.content_type == "application/problem+json"
    assert (await problem.json())["status"] == 404


async def test_the_status_page_tells_when_nobody_listened(house: "House", visit: "Visit") -> None:
    """Each gap with what came of it; that there was none; nothing where the process keeps none (shadow mode)."""
    root = await visit("root")
    assert "未监听的时段" not in await root.text("/status")
    house.told = {"gaps": []}
    assert "所有电话系统一直在监听之中" in await root.text("/status")
    gap = {
        "id": 1,
        "pbx": "main",
        "service": "a:1",
        "since": 1_795_147_200.0,
        "until": 1_795_147_262.0,
        "why": "not_running",
        "covered": False,
        "unseen": 3,
        "completed": 2,
        "checked": 1_795_147_300.0,
        "note": None,
        "records": True,
    }
    house.told = {
        "gaps": [
            gap,
            gap | {"why": "half-open <link>", "note": "table cdr cannot be read: it is gone"},
            gap | {"records": False},
            gap | {"checked": None},
        ]
    }
    page = await root.text("/status")
    for words in (
        "2026-11-20 12:00:00",
        "2026-11-20 12:01:02",
        "服务没有运行",
        "half-open &lt;link&gt;",
        "table cdr cannot be read: it is gone",
        "没有为该电话系统配置话单",
        "尚未核查",
    ):
        assert words in page, words
    assert await root.json("/api/status") == {**house.told, "pages": 0}


async def test_the_status_page_tells_of_the_copy_of_the_crm(house: "House", visit: "Visit") -> None:
    """How many, how new, how fast, what is wrong; nothing where the customers are our own."""
    root = await visit("root")
    house.told = {"crm": None}
    assert "本地客户副本" not in await root.text("/status")
    index = {
        "state": "reloading",
        "customers": 12034,
        "loading": True,
        "listed": 700,
        "rate": 978.4,
        "loaded": 1_795_147_200.0,
        "as_of": 1_795_147_262.0,
        "found_by_load": {"added": 3, "changed": 2, "dropped": 1},
        "changes_since": 5,
        "held": 40,
        "error": "Odoo: <no right>",
        "error_at": 1_795_147_262.0,
    }
    house.told = {"crm": {"connector": "odoo", "index": index}}
    page = await root.text("/status")
    for words in (
        "12034 个客户",
        "正在重新读取全部客户",
        ">700</span> · 每秒 978 个",
        "12:01",
        "新增 3，变更 2，删除 1",
        "40 个客户未出现在清单中",
        "Odoo: &lt;no right&gt;",
    ):
        assert words in page, words


async def test_the_status_page_tells_how_far_both_sides_agree(house: "House", visit: "Visit") -> None:
    """The figure, what differs with a way to it, what is wrong with the customers; nothing without a CRM."""
    root = await visit("root")
    assert "与客户系统的一致程度" not in await root.text("/status")
    nothing: dict[str, object] = {"last": None, "running": None, "differing": 0, "kinds": {}, "differences": []}
    house.told = {"crm": {"in_step": nothing}}
    assert "双方数据尚未完整比对过" in await root.text("/status")
    quality = {"customers": 1000, "unreadable": 7, "shared": 5, "phoneless": 3, "longer": 0}
    last = {"accuracy": 98.5, "ended": 1_795_147_200.0, "compared": 200, "differing": 3, "waiting": 2}
    each = {
        "id": 12,
        "what": "gone",
        "mend": "ticket",
        "ours": "20261120-0007",
        "theirs": "",
        "call": None,
        "ticket": 7,
    }
    shown = each | {"number": "20261120-0007", "subject": "ticket:7", "mending": False, "trouble": "<refused>"}
    house.told = {
        "crm": {
            "in_step": nothing
            | {
                "last": last | {"quality": quality},
                "running": {"compared": 5, "waiting": 1, "total": 90, "trouble": "Odoo is away"},
                "differing": 3,
                "differences": [
                    shown,
                    shown | {"call": "hq:1.2", "what": "altered", "mend": "call", "mending": True},
                    shown | {"ticket": None, "subject": "customer:9", "what": "copy", "mend": "refresh"},
                ],
            }
        }
    }
    page = await root.text("/status")
    for words in (
        "98.50 %",
        "6 / 90",
        "Odoo is away",
        "7 个号码无法识别",
        "5 个号码属于多位客户",
        "对方已删除",
        "重新写入工单",
        'href="/tickets/7"',
        "&lt;refused&gt;",
        'href="/calls/hq%3A1.2"',
        "正在修复",
        "customer:9",
    ):
        assert words in page, words
