"""The audit trail."""

from storage.audit import Audit, AuditRow, What
from storage.database import Database

NOW = 1_795_147_200.0


async def test_entries_come_back_newest_first_and_filtered(db: Database) -> None:
    """By who, what, subject and time; paged by the last id."""
    audit = Audit(db)
    assert not hasattr(audit, "remove")
    deeds = [
        ("boss", What.LISTENED, "main:1", None),
        ("boss", What.DOWNLOADED, "main:1", {"leg": "rx"}),
        ("li", What.LISTENED, "main:2", None),
    ]
    for second, (who, what, subject, detail) in enumerate(deeds):
        await audit.add(who, what, subject, NOW + second, detail, ip="192.0.2.7")
    rows = await audit.rows()
    assert [(row.who, row.what, row.subject) for row in rows] == [deed[:3] for deed in reversed(deeds)]
    assert rows[1] == AuditRow(rows[1].id, NOW + 1, "boss", What.DOWNLOADED, "main:1", {"leg": "rx"}, "192.0.2.7")
    assert [row.subject for row in await audit.rows(what=What.LISTENED)] == ["main:2", "main:1"]
    assert [row.what for row in await audit.rows(who="boss", subject="main:1")] == [What.DOWNLOADED, What.LISTENED]
    assert [row.at for row in await audit.rows(since=NOW + 1)] == [NOW + 2, NOW + 1]
    assert await audit.rows(below=rows[-1].id) == []
    assert len(await audit.rows(limit=2)) == 2


async def test_what_a_stranger_sends_is_kept_within_bounds(db: Database) -> None:
    """A login of a megabyte makes no megabyte of audit."""
    await Audit(db).add("x" * 10_000, What.LOGIN_REFUSED, "y" * 10_000, NOW)
    (row,) = await Audit(db).rows()
    assert (len(row.who), len(row.subject)) == (64, 200)
