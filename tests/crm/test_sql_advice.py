"""Which index is missing, by what a database says and what the statement compares."""
# ruff: noqa: S608 - statements are what a test of statements is made of

import pytest

from crm.sql_advice import Scan, advice
from crm.sql_settings import Kind
from crm.sql_statement import Statement

DIGITS = "right(regexp_replace(k.shouji, '[^0-9]', '', 'g'), 11)"


@pytest.mark.parametrize(
    ("kind", "where", "wanted"),
    [
        (Kind.POSTGRESQL, "k.shouji = :e164", "CREATE INDEX CONCURRENTLY hotline_kehu_shouji ON kehu (shouji)"),
        (
            Kind.POSTGRESQL,
            f"{DIGITS} = :national",
            (
                "CREATE INDEX CONCURRENTLY hotline_kehu_shouji ON kehu"
                " ((right(regexp_replace(shouji, '[^0-9]', '', 'g'), 11)))"
            ),
        ),
        (
            Kind.POSTGRESQL,
            "lower((k.shouji)::text) LIKE :like_last8",
            (
                "CREATE EXTENSION IF NOT EXISTS pg_trgm; CREATE INDEX CONCURRENTLY hotline_kehu_shouji ON kehu"
                " USING gin ((lower((shouji)::text)) gin_trgm_ops)"
            ),
        ),
        (Kind.SQLITE, "k.digits IN (:digits, :national)", "CREATE INDEX hotline_kehu_digits ON kehu (digits)"),
        (Kind.SQLITE, "k.shouji LIKE :like_loose", "no index helps LIKE with % before"),
        (
            Kind.MYSQL,
            "right(regexp_replace(k.shouji, '[^0-9]', ''), 11) = :national",
            (
                "ALTER TABLE kehu ADD COLUMN hotline_kehu_shouji varchar(40) GENERATED ALWAYS AS"
                " (right(regexp_replace(shouji, '[^0-9]', ''), 11)) STORED, ADD INDEX (hotline_kehu_shouji),"
                " and compare hotline_kehu_shouji"
            ),
        ),
        (Kind.MYSQL, "k.shouji = :e164", "CREATE INDEX hotline_kehu_shouji ON kehu (shouji)"),
    ],
)
def test_the_very_index_is_named(kind: Kind, where: str, wanted: str) -> None:
    """Ready to be copied."""
    statement = Statement("find", f"SELECT k.id FROM kehu AS k JOIN dengji d ON d.id = k.dengji WHERE {where}")
    [line] = advice(kind, statement, [Scan("kehu", "k", 120000), Scan("dengji", "d", 5000)])
    assert line.startswith("find reads all of kehu (120000 rows) each time: ")
    assert wanted in line


def test_an_index_that_is_there_is_not_asked_for() -> None:
    """Of two halves of an OR one keeps the other's from being used."""
    there = (
        "CREATE INDEX t ON public.kehu USING gin (regexp_replace((dianhua)::text, '[^0-9]'::text, ''::text, 'g'::text)"
        " gin_trgm_ops) WHERE (dianhua IS NOT NULL)"
    )
    statement = Statement(
        "find",
        "SELECT * FROM kehu WHERE e164 = :e164 OR regexp_replace(dianhua, '[^0-9]', '', 'g') LIKE :like_national",
    )
    [line] = advice(Kind.POSTGRESQL, statement, [Scan("kehu", "kehu", None, (there,))])
    assert line.endswith(": CREATE INDEX CONCURRENTLY hotline_kehu_e164 ON kehu (e164)")


def test_few_rows_and_tables_that_are_joined_are_no_fault() -> None:
    """Reading a list of five levels is what a database does best."""
    statement = Statement("find", "SELECT 1 FROM kehu k JOIN dengji d ON d.id = k.dengji WHERE k.e164 = :e164")
    assert not list(advice(Kind.POSTGRESQL, statement, [Scan("dengji", "d", 5000)]))
    assert not list(advice(Kind.POSTGRESQL, statement, [Scan("kehu", "k", 999)]))


def test_what_cannot_be_read_is_told_without_a_recipe() -> None:
    """A comparison that we do not understand."""
    statement = Statement("find", "SELECT 1 FROM kehu WHERE strpos(dianhua, :national) > 0")
    [line] = advice(Kind.POSTGRESQL, statement, [Scan("kehu", "kehu", 5000)])
    assert line == "find reads all of kehu (5000 rows) each time: no index serves what it asks for"
