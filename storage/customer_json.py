"""A customer as text, for a copy that is read whole or not at all. Pure.

What only a single look at a customer brings (purchases, contracts, what its firm has for it) is kept apart from what
every listing has, so that a listing without them does not take them away.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from crm.customer import Contract, Customer, Phone, Purchase


def card_text(customer: Customer) -> str:
    """What a listing has of a customer."""
    return _text(
        {
            "name": customer.name,
            "phones": [[phone.raw, phone.e164, phone.ext] for phone in customer.phones],
            "company": customer.company,
            "level": customer.level,
            "vip": customer.vip,
            "owner": customer.owner,
            "note": customer.note,
        }
    )


def details_text(customer: Customer) -> str:
    """What a look at it brings besides."""
    return _text(
        {
            "level": customer.level,
            "vip": customer.vip,
            "owner": customer.owner,
            "purchases": [[each.what, _day(each.on), _yuan(each.amount), each.order_no] for each in customer.purchases],
            "contracts": [[each.what, each.number, _day(each.until)] for each in customer.contracts],
        }
    )


def only_parts(details: str | None) -> str | None:
    """Purchases and contracts alone: the rest may have been another record's, or an older one."""
    if details is None:
        return None
    has = json.loads(details)
    return _text({name: has.get(name) for name in ("purchases", "contracts")})


def customer_of(customer_id: str, card: str, details: str | None) -> Customer:
    """The customer again; what the listing leaves out comes from the last look at it."""
    has = json.loads(card)
    listed = Customer(
        id=customer_id,
        name=has["name"],
        phones=tuple(Phone(raw, e164, ext) for raw, e164, ext in has.get("phones", ())),
        company=has.get("company"),
        level=has.get("level"),
        vip=has.get("vip", False),
        owner=has.get("owner"),
        note=has.get("note"),
    )
    return listed if details is None else _with(listed, json.loads(details))


def _with(listed: Customer, more: Mapping[str, Any]) -> Customer:
    return replace(
        listed,
        level=listed.level or more.get("level"),
        vip=listed.vip or more.get("vip", False),
        owner=listed.owner or more.get("owner"),
        purchases=tuple(
            Purchase(what, _read_day(on), None if amount is None else Decimal(amount), order_no)
            for what, on, amount, order_no in more.get("purchases", ())
        ),
        contracts=tuple(Contract(what, number, _read_day(until)) for what, number, until in more.get("contracts", ())),
    )


def _text(what: Mapping[str, Any]) -> str:
    """JSON without what is not there."""
    there = {name: value for name, value in what.items() if value not in (None, False, [])}
    return json.dumps(there, ensure_ascii=False, separators=(",", ":"))


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _yuan(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


def _read_day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
