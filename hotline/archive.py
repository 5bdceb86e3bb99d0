"""Everything about recordings, put together from the settings: where each PBX's are, who starts them, what comes round.

The service makes one of these; :mod:`hotline.app` only starts what it gives.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from hotline.originals import Originals
from hotline.pbx_feed import login_of
from hotline.privacy import PrivacyDesk
from hotline.record_job import RecordCall
from hotline.recorder import Recorder, Recorders
from hotline.seal_settings import Sealing as SealingSettings
from hotline.sealing import Sealing
from hotline.settings import Settings
from hotline.tasks import Crew
from hotline.telephony_settings import Line, Pbx, Policy, Recordings, read_secret
from hotline.upkeep import DAY, Upkeep
from storage.database import Database
from storage.drain import Handler
from storage.fanout import Fanout, MemoryFanout
from storage.ledger import Ledger
from storage.outbox import Outbox
from storage.reads import Reads
from storage.retention import Retention
from storage.sealed_file import CipherName, Keys
from storage.sounds import Sounds
from storage.strays import Strays
from telephony.ami import AmiSettings
from telephony.fetch_http import HttpRemote
from telephony.fetch_sftp import SftpRemote
from telephony.mirror import Mirror
from telephony.mixmonitor import Starter
from telephony.recordings import Rules
from telephony.remote import Remote

_MEGA = 1_000_000
STRAYS_SHOWN = 20


class Archive:
    """The recordings of this service. ``recorders``: where they are, ``started_by_us``: PBXs whose calls we record.

    LookupError when a secret is not where the settings say.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        db: Database,
        ledger: Ledger,
        reads: Reads,
        outbox: Outbox,
        clock: Callable[[], float],
        fanout: Fanout | None = None,
    ) -> None:
        self.recorders = Recorders(
            {pbx.name: found for pbx in settings.pbx if (found := _recorder(settings, pbx, clock)) is not None}
        )
        self.originals = Originals(
            recorders=self.recorders,
            sounds=Sounds(db),
            policies={line.number: _policy(settings, line) for line in settings.line},
            folder=settings.data,
            keys=partial(keys, settings.sealing) if settings.sealing.keys else None,
        )
        self.sealing = Sealing(
            originals=self.originals,
            reads=reads,
            outbox=outbox,
            fanout=fanout or MemoryFanout(),
            clock=clock,
            lines=[line.number for line in settings.line],
        )
        self.privacy = PrivacyDesk(db=db, reads=reads, outbox=outbox, originals=self.originals, clock=clock)
        self._strays = Strays(db)
        self._upkeep = Upkeep(
            outbox=outbox,
            retention=Retention(db),
            strays=self._strays,
            recorders=self.recorders,
            keep=_keep(settings),
            clock=clock,
            originals=self.originals,
            rounds=(self.sealing.add,),
        )
        self._starters = {pbx.name: Starter(_login(pbx)) for pbx in settings.pbx if pbx.recorder is not None}
        self._record = RecordCall(
            starters=self._starters,
            ledger=ledger,
            reads=reads,
            clock=clock,
            zone=settings.site.zone,
            unrecorded=frozenset(line.number for line in settings.line if not line.record),
        )

    @property
    def started_by_us(self) -> frozenset[str]:
        """Names of PBXs whose calls this service records itself."""
        return frozenset(self._starters)

    @property
    def handlers(self) -> dict[str, Handler]:
        """Handlers by kind of job, as the outbox takes them."""
        return {
            **self._upkeep.handlers,
            **self.sealing.handlers,
            **self.privacy.handlers,
            **(self._record.handlers if self._starters else {}),
        }

    def start(self, crew: Crew) -> None:
        """Begin what runs beside the calls."""
        self.originals.tidy()
        crew.start(self._upkeep.run(), "upkeep")
        for name, starter in self._starters.items():
            crew.start(starter.run(), f"recorder of {name}")

    async def report(self) -> dict[str, Any]:
        """What the operator wants to know."""
        count, strays = await self._strays.newest(STRAYS_SHOWN)
        return {
            "recorders": {name: starter.trouble for name, starter in self._starters.items()},
            "undeletable": self._upkeep.undeletable,
            "unsearchable": dict(self._upkeep.unsearchable),
            "strays": {
                "count": count,
                "newest": [{"pbx": s.pbx, "name": s.name, "bytes": s.bytes, "changed": s.changed} for s in strays],
            },
        }


def _keep(settings: Settings) -> Mapping[str, float]:
    days = {line.number: line.policy.keep_recordings_days for line in settings.line}
    return {number: kept * DAY for number, kept in days.items() if kept is not None}


def keys(sealing: SealingSettings) -> Keys:
    """The keys as they are now. Raises LookupError when one is not where the settings say."""
    return Keys(sealing.keys[0].id, {key.id: key.key() for key in sealing.keys}, CipherName(sealing.cipher))


def _policy(settings: Settings, line: Line) -> Policy:
    """What the line does with its recordings. Where nothing is ever written down, nothing can be covered."""
    return line.policy.model_copy(update={"beep": False}) if settings.transcription.engine == "none" else line.policy


def _recorder(settings: Settings, pbx: Pbx, clock: Callable[[], float]) -> Recorder | None:
    """Where one PBX's recordings are. Several PBXs with a place of their own each have copies of their own."""
    place = settings.recordings_of(pbx)
    own = pbx.name if pbx.recordings is not None else ""
    rules = Rules(mark=place.mark, quiet=place.wait, repairs=settings.data / "repaired" / own)
    if place.root is not None:
        beside = place.root.parent / "voicemail"
        messages = place.messages or (beside if beside.is_dir() else None)
        return Recorder(place.root, rules, clock, messages=messages)
    if place.url is None:
        return None
    folder = settings.data / "fetched" / own
    mirror = Mirror(_remote(place), folder, mark=place.mark, quiet=place.wait, clock=clock)
    return Recorder(folder, rules, clock, mirror=mirror)


def _remote(place: Recordings) -> Remote:
    assert place.url is not None
    secret = None
    if place.secret_file is not None or place.secret_env is not None:
        secret = read_secret("the server of recordings", place.secret_env or "", place.secret_file)
    limit = int(place.max_mb * _MEGA)
    if place.url.startswith("sftp:"):
        assert place.known_hosts is not None
        return SftpRemote(
            place.url,
            known_hosts=place.known_hosts,
            user=place.user,
            secret=secret,
            key_file=place.key_file,
            limit=limit,
            timeout=place.timeout,
        )
    return HttpRemote(
        place.url, user=place.user, secret=secret, ca_file=place.ca_file, limit=limit, timeout=place.timeout
    )


def _login(pbx: Pbx) -> AmiSettings:
    assert pbx.recorder is not None
    return replace(login_of(pbx, pbx.recorder_secret()), user=pbx.recorder.user, capture=None)
