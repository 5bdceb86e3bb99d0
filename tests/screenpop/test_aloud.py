"""The sentence that is read to somebody who asks how their matter goes."""

from datetime import date

import pytest

from screenpop.aloud import aloud
from storage.recalled import OpenTicket
from tickets.ticket import Status, Ticket
from transcription.account import Step

TODAY = date(2026, 11, 20)


def matter(title: str = "热水器漏水", status: Status = Status.WORKING, owner: str | None = "li") -> Ticket:
    """An open ticket."""
    return Ticket(3, "20261118-0001", status, "4007002505", title, None, "7", "张三", None, None, owner, 5.0, 6.0)


@pytest.mark.parametrize(
    ("told", "zh", "en"),
    [
        (
            OpenTicket(matter(), "李明", None, Step("agent", "师傅上门检修", "2026-11-22", ())),
            "您反映的“热水器漏水”正在处理，由李明负责。我们答应您：师傅上门检修，最晚11月22日。",
            (
                "Your matter “热水器漏水” is being worked on; 李明 looks after it."
                " We promised you: 师傅上门检修, by 22 November."
            ),
        ),
        (
            OpenTicket(
                matter(status=Status.ACCEPTED), "李明", None, Step("agent", "给客户回电", "2026-11-20T18:30", ())
            ),
            "您反映的“热水器漏水”已经受理，由李明负责。我们答应您：给您回电，最晚11月20日18:30。",
            (
                "Your matter “热水器漏水” has been accepted; 李明 looks after it."
                " We promised you: 给客户回电, by 20 November 18:30."
            ),
        ),
        (
            OpenTicket(matter(), "李明", None, Step("agent", "快递上门取件", "2027-01-02T13:00/15:00", ())),
            "您反映的“热水器漏水”正在处理，由李明负责。我们答应您：快递上门取件，2027年1月2日13:00至15:00。",
            (
                "Your matter “热水器漏水” is being worked on; 李明 looks after it."
                " We promised you: 快递上门取件, on 2 January 2027 between 13:00 and 15:00."
            ),
        ),
        (
            OpenTicket(matter(), None, None, Step("agent", "师傅上门", "2026-11-19", ())),
            (
                "您反映的“热水器漏水”正在处理，由li负责。"
                "原来答应您：师傅上门，最晚11月19日。这个时间已经过了，我为您核实一下。"
            ),
            (
                "Your matter “热水器漏水” is being worked on; li looks after it."
                " We had promised you: 师傅上门, by 19 November. That time has passed; let me look into it."
            ),
        ),
        (
            OpenTicket(matter(owner=None), None, None, Step("caller", "寄回手机", "", ())),
            "您反映的“热水器漏水”正在处理。我们在等您：寄回手机。",
            "Your matter “热水器漏水” is being worked on. We are waiting for you: 寄回手机.",
        ),
        (
            OpenTicket(matter("", owner=None), None, "水管爆裂"),
            "您反映的“水管爆裂”正在处理。",
            "Your matter “水管爆裂” is being worked on.",
        ),
        (
            OpenTicket(matter("", owner=None), None, None, Step("agent", "回电", "尽快", ())),
            "您的问题正在处理。我们答应您：回电，尽快。",
            "Your matter is being worked on. We promised you: 回电, 尽快.",
        ),
    ],
)
def test_what_is_read_aloud(told: OpenTicket, zh: str, en: str) -> None:
    """Owner, status and what comes next; a day that has passed is not promised again."""
    assert aloud(told, TODAY) == {"zh_CN": zh, "en": en}


def test_without_a_calendar_nothing_is_over() -> None:
    """Who does not know today tells the whole date, and leaves the judging to people."""
    said = aloud(OpenTicket(matter(), "李明", None, Step("agent", "上门", "2026-11-19", ())), None)
    assert said["zh_CN"].endswith("我们答应您：上门，最晚2026年11月19日。")
