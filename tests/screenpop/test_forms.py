"""What cannot be text is refused before it comes near the database."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.screenpop.conftest import House, Visit


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"text=a%00b", "application/x-www-form-urlencoded"),
        (b"text=x", "application/x-www-form-urlencoded; charset=klingon"),
        (b"text=\xff\xfe", "application/x-www-form-urlencoded; charset=utf-8"),
        (
            b'--b\r\nContent-Disposition: form-data; name="text"; filename="x"\r\n\r\nx\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
        ),
    ],
)
async def test_forms(body: bytes, kind: str, house: "House", visit: "Visit") -> None:
    """NUL, unknown encodings, broken ones, files where text belongs: 400, and no note."""
    ticket = await house.ticket_of(await house.answered())
    li = await visit("li")
    answer = await li.ask("POST", f"/tickets/{ticket}/notes", data=body, headers={"Content-Type": kind})
    assert answer.status == 400
    page = await house.reads.ticket(ticket)
    assert page is not None
    assert "noted" not in {line.kind for line in page.timeline}


@pytest.mark.parametrize("body", [b'{"text": "\\u0000"}', b'{"text": "\\ud800"}', b"\xff", b"[" * 100_000])
async def test_json(body: bytes, house: "House", visit: "Visit") -> None:
    """The same for programs."""
    ticket = await house.ticket_of(await house.answered())
    li = await visit("li")
    answer = await li.ask(
        "POST", f"/api/tickets/{ticket}/notes", data=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status == 400


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/tickets?text=%00", 400),
        ("/tickets?owner=%00", 400),
        ("/tickets?cursor=1e999_1", 400),
        ("/tickets?cursor=1_99999999999999999999", 400),
        ("/tickets?cursor=%D9%A1_1", 400),
        ("/calls/a:%00", 404),
        ("/calls/nocolon", 404),
        ("/login?back=%00", 400),
    ],
)
async def test_addresses(path: str, status: int, visit: "Visit") -> None:
    """And in addresses."""
    zhao = await visit("zhao" if "login" not in path else None)
    assert (await zhao.get(path)).status == status
