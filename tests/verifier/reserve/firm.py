"""A firm that states its reserve: what it says as files would, one import at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from chains.types import utc_text
from mapping import reserve_types as stated
from mapping.types import Record
from tests.verifier.store.story import imported
from verifier.config import FirmSettings, Settings
from verifier.store import Store

FRIDAY = date(2026, 10, 2)
MONDAY_NOON = datetime(2026, 10, 5, 16, 0, tzinfo=UTC)
"""The day on which Friday's computation is made, noon in New York."""
DEADLINE = datetime(2026, 10, 6, 14, 0, tzinfo=UTC)
"""Tuesday, ten in the morning in New York: one hour after the bank opens."""
SETTINGS = Settings(firm=FirmSettings(name="Example Brokerage LLC"))
CUSTOMER, PAB = stated.ReserveClass
DOCUMENTED = date(2025, 1, 2)


def items(
    customer: Mapping[int, int], pab: Mapping[int, int] | None = None, as_of: date = FRIDAY, reference: str = "ledger"
) -> list[Record]:
    """All thirty lines of a day, zero where no cents are given."""
    return [
        stated.ReserveItem(as_of, kind, number, amounts.get(number, 0), reference)
        for kind, amounts in ((CUSTOMER, customer), (PAB, pab or {}))
        for number in range(1, 16)
    ]


def account(account_id: str, kind: stated.ReserveClass = CUSTOMER, **changes: object) -> stated.ReserveBankAccount:
    """A documented account at a bank of some size."""
    values: dict[str, object] = {
        "account_id": account_id,
        "effective_from": DOCUMENTED,
        "computation": kind,
        "bank_id": "BANK-1",
        "affiliated": False,
        "equity_capital": 1_000_000_00,
        "call_report_on": date(2026, 6, 30),
        "notified_on": DOCUMENTED,
        "no_lien_contract_on": DOCUMENTED,
    }
    return stated.ReserveBankAccount(**(values | changes))  # type: ignore[arg-type]


def cash(account_id: str, cents: int, as_of: date = FRIDAY) -> stated.ReserveHolding:
    """A statement of cash alone."""
    return stated.ReserveHolding(account_id, as_of, "cash", stated.HoldingKind.CASH, cents, None, "ST")


def bill(account_id: str, cents: int | None, as_of: date = FRIDAY) -> stated.ReserveHolding:
    """A Treasury bill, with or without a price."""
    priced_on = as_of if cents is not None else None
    return stated.ReserveHolding(account_id, as_of, "T-1", stated.HoldingKind.US_TREASURY, cents, priced_on, "ST")


def months(cents: int = 0, last: date = date(2026, 8, 31)) -> list[Record]:
    """Twelve filed month-ends."""
    ends = [last]
    while len(ends) < 12:
        ends.append(ends[-1].replace(day=1) - timedelta(days=1))
    return [stated.FocusMonthEnd(end, cents, 0, end + timedelta(days=20), "FOCUS") for end in ends]


def capital(method: stated.CapitalMethod = stated.CapitalMethod.BASIC) -> stated.FirmCapital:
    """Method and capital since the beginning of the year."""
    return stated.FirmCapital(date(2026, 1, 2), method, 1, 1, 1, "net capital")


def say(store: Store, now: datetime, records: Sequence[Record]) -> None:
    """Import records at a moment."""
    store.apply_import(imported((f"at {utc_text(now)}", list(records))), "ops.maker", now)


def open_reserve(store: Store, required: int = 1_000_00, held: int = 900_00, now: datetime = MONDAY_NOON) -> None:
    """Everything a computation needs: one credit for customers, one account of each purpose, nothing for PAB."""
    records: list[Record] = [*items({1: required}), account("C"), account("P", PAB), cash("C", held), cash("P", 0)]
    say(store, now - timedelta(hours=1), [*records, capital(), *months()])
