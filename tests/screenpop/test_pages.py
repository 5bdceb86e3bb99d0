"""The pages show what is there, to whom it concerns, in the reader's language."""

from typing import TYPE_CHECKING

from storage.records import Known

if TYPE_CHECKING:
    from tests.screenpop.conftest import House, Visit


async def test_the_desk_lists_todays_calls_of_this_agent(house: "House", visit: "Visit") -> None:
    """One's own answered calls of today, nobody else's and none of yesterday."""
    house.time -= 86_400
    await house.answered(caller="13900000001")
    house.time += 86_400
    await house.answered(caller="13900000002", known=Known("7", "张三", vip=True))
    await house.answered("1002", caller="13900000003")
    page = await (await visit("li")).text("/desk")
    assert "张三" in page
    assert "139 0000 0002" in page
    assert "139 0000 0001" not in page
    assert "139 0000 0003" not in page
