"""The service has both sides compared: its own lane, the coming night, a word for the operator; nothing in shadow."""

from pathlib import Path

import pytest

from crm.guarded import Guarded
from hotline.crm_settings import Crm
from hotline.crm_side import CrmSide
from hotline.instep import CRM_INSTEP, CRM_MEND
from hotline.settings import Settings
from storage.database import Database
from storage.fanout import MemoryFanout
from storage.ledger import Ledger
from storage.outbox import Outbox
from storage.reads import Reads
from tests.crm.papercrm import PaperCrm

NOW = 1_795_290_138.0


@pytest.mark.parametrize("shadow", [False, True])
async def test_the_service_compares(sqlite_url: str, tmp_path: Path, shadow: bool) -> None:  # noqa: FBT001
    """Beside what is written, and not behind it."""
    db = Database.open(sqlite_url)
    side = CrmSide(
        Settings(data=tmp_path, crm=Crm(connector="rest"), shadow=shadow),
        Guarded(PaperCrm(), lambda: NOW),
        db=db,
        ledger=Ledger(db),
        reads=Reads(db),
        outbox=Outbox(db),
        fanout=MemoryFanout(),
        clock=lambda: NOW,
    )
    try:
        lanes = {name: set(handlers) for name, handlers, _ in side.lanes}
        assert lanes.get("in step") == (None if shadow else {CRM_INSTEP, CRM_MEND})
        report = await side.report()
        assert report is not None
        told = report["in_step"]
        assert told is None if shadow else (told["last"], told["differing"]) == (None, 0)
    finally:
        await side.close()
        await db.close()
