"""What the doctor says: one fault or warning with its reason and its remedy, or what could not be looked at. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hotline.doctor.catalogue import CATALOGUE, Code, Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong (``subject``: where), in words for whoever mends it."""

    code: Code
    subject: str
    what: str
    remedy: str

    @property
    def severity(self) -> Severity:
        """Whether something will go wrong, or only may."""
        return CATALOGUE[self.code].severity

    @property
    def why(self) -> str:
        """What people would notice of it."""
        return CATALOGUE[self.code].why

    def as_json(self) -> dict[str, str]:
        """As ``--json`` prints it."""
        return {
            "code": self.code.value,
            "severity": self.severity.value,
            "subject": self.subject,
            "what": self.what,
            "why": self.why,
            "remedy": self.remedy,
        }


@dataclass(frozen=True, slots=True)
class Unchecked:
    """Something that could not be looked at, and how it could."""

    subject: str
    what: str
    how: str

    def as_json(self) -> dict[str, str]:
        """As ``--json`` prints it."""
        return {"subject": self.subject, "what": self.what, "how": self.how}


@dataclass(frozen=True, slots=True)
class Sound:
    """Something that was looked at and is as it should be."""

    subject: str
    what: str


class Report:
    """Collects what the checks say. A code is told once for a subject, however many checks come upon it."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.unchecked: list[Unchecked] = []
        self.sound: list[Sound] = []

    def tell(self, code: Code, subject: str, what: str, remedy: str | None = None) -> None:
        """Note a finding; the catalogue's remedy unless a better one is known here."""
        if any((seen.code, seen.subject) == (code, subject) for seen in self.findings):
            return
        self.findings.append(Finding(code, subject, what, remedy or CATALOGUE[code].remedy))

    def unknown(self, subject: str, what: str, how: str) -> None:
        """Note that something could not be looked at."""
        note = Unchecked(subject, what, how)
        if note not in self.unchecked:
            self.unchecked.append(note)

    def well(self, subject: str, what: str) -> None:
        """Note that something is as it should be."""
        self.sound.append(Sound(subject, what))

    def has(self, *codes: Code) -> bool:
        """Whether one of these was found."""
        return any(finding.code in codes for finding in self.findings)

    @property
    def faults(self) -> list[Finding]:
        """What will go wrong."""
        return [finding for finding in self.findings if finding.severity is Severity.FAULT]

    @property
    def warnings(self) -> list[Finding]:
        """What may go wrong, or is riskier than it need be."""
        return [finding for finding in self.findings if finding.severity is Severity.WARNING]

    def as_json(self) -> dict[str, Any]:
        """As ``--json`` prints it."""

        def rows(items: Iterable[Finding | Unchecked]) -> list[dict[str, str]]:
            return [item.as_json() for item in items]

        return {
            "sound": not self.faults,
            "faults": rows(self.faults),
            "warnings": rows(self.warnings),
            "unchecked": rows(self.unchecked),
            "checked": [{"subject": item.subject, "what": item.what} for item in self.sound],
        }
