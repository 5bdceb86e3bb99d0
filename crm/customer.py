"""A customer as the card shows one. The CRM owns these; we only read and present them."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Phone:
    """One number of a customer: as typed in the CRM, E.164 (None when not normalisable), switchboard extension."""

    raw: str
    e164: str | None
    ext: str | None = None


@dataclass(frozen=True, slots=True)
class Purchase:
    """Something the customer bought; ``amount`` in yuan."""

    what: str
    on: date | None = None
    amount: Decimal | None = None
    order_no: str | None = None


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract, warranty or service plan."""

    what: str
    number: str | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer record. ``id`` is the CRM's own; ``level`` free text of the company (普通, 金卡, VIP)."""

    id: str
    name: str
    phones: tuple[Phone, ...] = ()
    company: str | None = None
    level: str | None = None
    vip: bool = False
    owner: str | None = None  # the colleague who looks after this customer
    purchases: tuple[Purchase, ...] = ()  # newest first
    contracts: tuple[Contract, ...] = ()
    note: str | None = None


class Reason(StrEnum):
    """Why a customer was offered for a caller, strongest first."""

    MOBILE = "mobile"  # the exact mobile number
    FIXED_EXT = "fixed_ext"  # the fixed number with its extension
    FIXED = "fixed"  # the exact fixed number, no extension on either side
    SWITCHBOARD = "switchboard"  # the same switchboard, extensions differ or are unknown
    OTHER = "other"  # a 400, foreign number and the like, exactly
    ENTERED = "entered"  # somebody said so during the call: no number tells it


@dataclass(frozen=True, slots=True)
class Candidate:
    """A customer who may be the caller, why, and the number that matched as the CRM has it."""

    customer: Customer
    reason: Reason
    matched: str


@dataclass(frozen=True, slots=True)
class Match:
    """All candidates, best first. ``sure`` only when exactly one is left at a strength that may be trusted."""

    candidates: tuple[Candidate, ...] = ()
    sure: Customer | None = None
