"""What lies in the reserve accounts on a day, with everything it follows from: one canonical text, computed again.

The accounts are the banks' statements as the firm holds them. What counts of them, and what does not and why, follows
from the rule and the policies alone.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

from chains.errors import InvalidValue
from exports.canonical import canonical_json, parse_canonical_object
from exports.errors import BundleError
from exports.reserve.accounts import (
    Bank,
    Held,
    ReserveAccount,
    ReserveHolding,
    ReserveHoldings,
    SecurityKind,
    reserve_holdings,
)
from exports.reserve.errors import ItemsRefused
from exports.reserve.items import ReserveClass
from exports.reserve.policies import PolicySet, policies_value, read_policies

POSITION_FORMAT = "custody-reserve-position/1"


@dataclass(frozen=True, slots=True)
class ReservePosition:
    """The reserve accounts and their banks on a day."""

    on: date
    accounts: tuple[ReserveAccount, ...]
    banks: tuple[Bank, ...]
    policies: PolicySet

    def holdings(self) -> ReserveHoldings:
        """What counts, for customers and for PAB."""
        return reserve_holdings(self.accounts, self.banks, self.on, self.policies)

    def canonical(self) -> bytes:
        """The one text of the position: statements, banks, policies, and what counts."""
        held = self.holdings()
        return canonical_json(
            {
                "format": POSITION_FORMAT,
                "on": self.on.isoformat(),
                "accounts": [_account_value(each) for each in self.accounts],
                "banks": [
                    {
                        "bank_id": each.bank_id,
                        "affiliated": each.affiliated,
                        "equity_capital": _text(each.equity_capital),
                        "call_report_on": _day(each.call_report_on),
                    }
                    for each in self.banks
                ],
                "policies": policies_value(self.policies),
                "customer": _held_value(held.customer),
                "pab": _held_value(held.pab),
            }
        )

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the canonical text."""
        return hashlib.sha256(self.canonical()).hexdigest()


def read_position(document: bytes) -> ReservePosition:
    """The position of its canonical text; raises `ReserveError` unless its statements give that very text."""
    try:
        found = _read(parse_canonical_object(document))
        same = found.canonical() == document
    except (BundleError, InvalidValue, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ItemsRefused("this is no stored position of reserve accounts") from error
    if not same:
        raise ItemsRefused("the statements of this position give another result")
    return found


def _account_value(account: ReserveAccount) -> dict[str, object]:
    return {
        "account_id": account.account_id,
        "bank_id": account.bank_id,
        "purpose": account.purpose.value,
        "notified_on": _day(account.notified_on),
        "no_lien_contract_on": _day(account.no_lien_contract_on),
        "cash": _text(account.cash),
        "holdings": [
            {
                "security_id": each.security_id,
                "kind": each.kind.value,
                "market_value": _text(each.market_value),
                "priced_on": _day(each.priced_on),
            }
            for each in account.holdings
        ],
    }


def _held_value(held: Held) -> dict[str, object]:
    return {
        "cash": str(held.cash),
        "securities": str(held.securities),
        "most": _text(held.most),
        "not_counted": [
            {
                "account_id": each.account_id,
                "subject": each.subject,
                "cause": each.cause.value,
                "citation": each.citation,
                "cents": _text(each.cents),
            }
            for each in held.not_counted
        ],
    }


def _read(value: dict[str, object]) -> ReservePosition:
    return ReservePosition(
        date.fromisoformat(_words(value["on"])),
        tuple(_read_account(each) for each in _objects(value["accounts"])),
        tuple(
            Bank(
                _words(each["bank_id"]),
                bool(each["affiliated"]),
                _cents(each["equity_capital"]),
                _date(each["call_report_on"]),
            )
            for each in _objects(value["banks"])
        ),
        read_policies(value["policies"]),
    )


def _read_account(value: dict[str, object]) -> ReserveAccount:
    return ReserveAccount(
        _words(value["account_id"]),
        _words(value["bank_id"]),
        ReserveClass(_words(value["purpose"])),
        _date(value["notified_on"]),
        _date(value["no_lien_contract_on"]),
        _cents(value["cash"]),
        tuple(
            ReserveHolding(
                _words(each["security_id"]),
                SecurityKind(_words(each["kind"])),
                _cents(each["market_value"]),
                _date(each["priced_on"]),
            )
            for each in _objects(value["holdings"])
        ),
    )


def _text(cents: int | None) -> str | None:
    return None if cents is None else str(cents)


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _words(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text is expected")
    return value


def _cents(value: object) -> int | None:
    return None if value is None else int(_words(value))


def _date(value: object) -> date | None:
    return None if value is None else date.fromisoformat(_words(value))


def _objects(value: object) -> list[dict[str, object]]:
    if not isinstance(value, list):
        raise TypeError("a list is expected")
    return value
