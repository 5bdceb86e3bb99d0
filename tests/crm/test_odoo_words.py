"""What Odoo's errors mean, and what we write into it."""

import pytest

from crm.odoo_answers import error_loading, error_named
from crm.odoo_text import external_name, html_of, text_of
from crm.trouble import (
    AuthError,
    CrmError,
    InvalidError,
    NotFoundError,
    RateLimitedError,
    TransientError,
    UnknownOutcomeError,
)


@pytest.mark.parametrize(
    ("name", "message", "error", "field"),
    [
        (
            "builtins.ValueError",
            "Invalid field res.partner.nope in condition ('nope', '=', 1)",
            InvalidError,
            "res.partner.nope",
        ),
        ("builtins.ValueError", "Invalid field name 'nope'", InvalidError, "nope"),
        ("builtins.KeyError", "x_level", InvalidError, None),
        ("odoo.exceptions.UserError", "Object res.nope doesn't exist", InvalidError, None),
        ("odoo.exceptions.ValidationError", "no", InvalidError, None),
        ("odoo.exceptions.AccessError", "You are not allowed to access", AuthError, None),
        ("odoo.exceptions.AccessDenied", "Access Denied", AuthError, None),
        ("werkzeug.exceptions.Unauthorized", "Invalid apikey", AuthError, None),
        ("odoo.exceptions.MissingError", "Record does not exist or has been deleted.", NotFoundError, None),
        ("werkzeug.exceptions.NotFound", "the model 'res.nope' does not exist", NotFoundError, None),
        ("werkzeug.exceptions.TooManyRequests", "slower", RateLimitedError, None),
        ("psycopg2.errors.SerializationFailure", "could not serialize access", TransientError, None),
        ("psycopg2.OperationalError", "server closed the connection unexpectedly", TransientError, None),
        ("psycopg2.OperationalError", 'FATAL:  database "nodb" does not exist', InvalidError, "database"),
        ("psycopg2.errors.UndefinedColumn", "column x does not exist", InvalidError, None),
        ("psycopg2.errors.UniqueViolation", "duplicate key", InvalidError, None),
        ("", "Odoo Server Error", InvalidError, None),
    ],
)
def test_an_exception_means(name: str, message: str, error: type[CrmError], field: str | None) -> None:
    """One kind of trouble; none leaves the outcome of a write open, as Odoo has rolled it back."""
    found = error_named("Odoo", name, message)
    assert type(found) is error
    assert not isinstance(found, UnknownOutcomeError)
    assert "Odoo" in str(found)
    assert getattr(found, "field", None) == field


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (
            {"type": "error", "message": "Value '99' not found in selection field 'Priority'", "field": "priority"},
            InvalidError,
        ),
        (
            {"type": "error", "message": "No matching record found for database id '9'", "field": "partner_id"},
            InvalidError,
        ),
        ({"type": "error", "message": "Record does not exist or has been deleted."}, NotFoundError),
        ({"type": "error", "message": "cannot be completed due to security restrictions."}, AuthError),
        ({"type": "error", "message": "You are not allowed to create 'Task' records."}, AuthError),
        ({"type": "error", "message": "could not serialize access due to concurrent update"}, TransientError),
        ({"type": "warning", "message": "..."}, None),
    ],
)
def test_a_message_inside_a_success_means(message: dict[str, str], error: type[CrmError] | None) -> None:
    """An import answers 200 whatever became of it."""
    found = error_loading("Odoo", [message])
    assert type(found) is (error or type(None))
    if isinstance(found, InvalidError):
        assert found.field == message.get("field")


def test_what_was_said_is_text_and_a_recording_a_link() -> None:
    """Nothing of a caller's becomes markup; only the web's addresses become links."""
    html = html_of(
        ["第一行\n<b>二</b>", " "],
        [("录音 & 摘要", "https://x.example/r?a=1&b=2"), ("x", "javascript:alert(1)")],
        "来电 <1>",
    )
    assert html == (
        "<p><b>来电 &lt;1&gt;</b></p><p>第一行<br>&lt;b&gt;二&lt;/b&gt;</p>"
        '<p><a href="https://x.example/r?a=1&amp;b=2">录音 &amp; 摘要</a> · x: javascript:alert(1)</p>'
    )
    assert text_of(html) == "来电 <1>\n第一行\n<b>二</b>\n录音 & 摘要 · x: javascript:alert(1)"
    assert not text_of('<p><span class="edited"></span><br/></p>')


def test_an_external_id_is_of_one_key_only() -> None:
    """Keys that differ in a sign that an id cannot hold get different ids; none has a dot."""
    names = [external_name(f"hotline:a:b:17{sign}5:note") for sign in (".", "_", "-", "~", "。")]
    assert len(set(names)) == len(names)
    assert not any("." in name for name in names)
    assert all(len(external_name("k" * size)) <= 100 for size in (1, 79, 80, 81, 200))
    assert external_name("hotline:a:b:1.2:note") == external_name("hotline:a:b:1.2:note")
