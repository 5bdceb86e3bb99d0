"""What a statement of the operator's may be, and how it reaches each driver."""
# ruff: noqa: S608 - statements are what a test of statements is made of

import pytest

from crm.sql_statement import Statement, StatementError, Style, read_setting, read_statement

ASKS = "SELECT id FROM kehu WHERE dianhua = :e164"


@pytest.mark.parametrize(
    "text",
    [
        ASKS,
        f"  {ASKS} ;\n",
        f"WITH x AS ({ASKS}) SELECT * FROM x",
        f"({ASKS}) UNION (SELECT 1)",
        "SELECT replace(dianhua, '-', '') FROM kehu WHERE update_date > '2026-01-01' AND deleted = 0",
        "SELECT 'drop table x; delete from y' AS say, \"update\" FROM kehu -- into; nowhere",
        "SELECT 1 /* insert into x; */ FROM `delete`",
        "SELECT $$a; update b$$",
    ],
)
def test_what_only_reads_is_taken(text: str) -> None:
    """Words that write are none inside strings, quoted names and comments, and as parts of other words."""
    assert read_statement("find", text).text == text.strip(" ;\n") or text.startswith(" ")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("-- SELECT 1", "is empty"),
        ("UPDATE kehu SET x = 1", "neither SELECT nor WITH"),
        ("EXPLAIN ANALYZE DELETE FROM kehu", "neither SELECT nor WITH"),
        (f"{ASKS}; DROP TABLE kehu", "several statements"),
        ("WITH x AS (DELETE FROM kehu RETURNING *) SELECT * FROM x", "DELETE in a statement that may only read"),
        ("SELECT * INTO neu FROM kehu", "INTO"),
        ("SELECT * FROM kehu INTO OUTFILE '/tmp/x'", "INTO"),
        (f"{ASKS} FOR UPDATE", "UPDATE"),
        (f"{ASKS} for no key  share", "FOR NO KEY SHARE"),
        ("SELECT nextval('kehu_id_seq')", "NEXTVAL"),
        ("SELECT pg_terminate_backend(1)", "PG_TERMINATE_BACKEND"),
        ("SELECT 1 /*! , x */", "a comment that MySQL would carry out"),
        ("SELECT 'it''s, 1", "a quote or a comment that does not end"),
        ("SELECT 1 /* and so on", "a quote or a comment that does not end"),
        ("SELECT id FROM kehu WHERE id = $1", "by :name"),
        ("SELECT id FROM kehu WHERE id = %(id)s", "by :name"),
    ],
)
def test_what_writes_or_hides_something_is_refused(text: str, says: str) -> None:
    """Before any database sees it."""
    with pytest.raises(StatementError, match=says) as found:
        read_statement("find", text)
    assert str(found.value).startswith("find: ")


def test_each_driver_gets_its_own_marks() -> None:
    """Casts, slices, times in strings and percent signs are left alone."""
    columns = "a::text, b[1:2], to_char(t, 'HH24:MI:SS'), '%x'"
    text = f"SELECT {columns} FROM k WHERE a LIKE :like_last8 AND :e164 > a % 2 AND b = :e164"
    statement = Statement("find", text)
    assert statement.placeholders == ("like_last8", "e164")
    assert statement.rendered(Style.NAMED) == text
    numbered = text.replace(":like_last8", "$1").replace(":e164", "$2")
    assert statement.rendered(Style.NUMBERED) == numbered
    percent = text.replace("%", "%%").replace(":like_last8", "%(like_last8)s").replace(":e164", "%(e164)s")
    assert statement.rendered(Style.PERCENT) == percent


@pytest.mark.parametrize("text", ["SET search_path TO crm;", "SELECT set_config('app.org', '7', false)", "USE crm"])
def test_a_session_may_begin_with_a_setting(text: str) -> None:
    """Row level security, a search path."""
    assert read_setting(text) == text.rstrip(";")


@pytest.mark.parametrize(
    "text", ["DELETE FROM kehu", "SET x = 1; DROP TABLE kehu", "SET GLOBAL read_only = 0", "SELECT 1 INTO x", ""]
)
def test_nothing_else(text: str) -> None:
    """Least of all what writes."""
    with pytest.raises(StatementError, match="session_init"):
        read_setting(text)
