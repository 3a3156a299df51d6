"""Books of a firm in few words: balances, lines and what belongs to them, each with defaults that count nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from chains.types import Asset, AssetId
from exports.reserve.frequency import Method
from exports.reserve.policies import Policy, PolicySet, policies_at
from mapping.books import Books
from mapping.books_types import (
    AccountBalance,
    AccountType,
    HolderClass,
    Lien,
    LienKind,
    StockLine,
    StockPlace,
    StockSide,
)
from mapping.types import AssetRecord, LegalClass
from tests.verifier.reserve.make import AS_OF, CALENDAR, POLICIES
from verifier.reserve.allocation import DerivedItems, derive

KNOWN_AT = datetime(2026, 10, 5, 15, 0, tzinfo=UTC)
RICH = 10**15
"""A tentative net capital that limits nobody."""
ACME, ZETA, COIN = (
    AssetId("cusip:037833100"),
    AssetId("cusip:594918104"),
    AssetId("bip122:000000000019d6689c085ae165831e93/slip44:0"),
)
CUSTOMER, PAB, NON_CUSTOMER, FIRM = HolderClass


def asset(asset_id: AssetId, decimals: int = 0, legal_class: LegalClass = LegalClass.SECURITY) -> AssetRecord:
    return AssetRecord(Asset(asset_id, str(asset_id)[-9:], decimals), legal_class, AS_OF, "memo")


ASSETS = (asset(ACME), asset(ZETA), asset(COIN, 8, LegalClass.NON_SECURITY_CRYPTO))


def account(
    account_id: str,
    cents: int = 0,
    holder: HolderClass = CUSTOMER,
    kind: AccountType = AccountType.CASH,
    client_id: str | None = None,
) -> AccountBalance:
    """A balance: a credit above zero, a debit below."""
    owner = "" if holder is FIRM else client_id or f"client-{account_id}"
    return AccountBalance(AS_OF, account_id, owner, holder, kind, max(0, cents), max(0, -cents))


def long(line_id: str, account_id: str, units: int, security: AssetId = ACME, price: str = "10") -> StockLine:
    return _line(line_id, StockPlace.ACCOUNT, StockSide.LONG, units, security, price, account_id=account_id)


def short(line_id: str, account_id: str, units: int, security: AssetId = ACME, price: str = "10") -> StockLine:
    return _line(line_id, StockPlace.ACCOUNT, StockSide.SHORT, units, security, price, account_id=account_id)


def at(
    line_id: str,
    place: StockPlace,
    units: int,
    cents: int | None = None,
    age: int = 1,
    security: AssetId = ACME,
    price: str = "10",
    side: StockSide | None = None,
    **more: Any,
) -> StockLine:
    """A line at a place; fails to deliver and borrows are long, the rest short unless it is said."""
    owed = place in (StockPlace.STOCK_BORROW, StockPlace.FAIL_TO_DELIVER)
    found = side or (StockSide.LONG if owed else StockSide.SHORT)
    since = AS_OF - timedelta(days=age)
    return _line(line_id, place, found, units, security, price, since=since, contract_value=cents, **more)


def _line(
    line_id: str, place: StockPlace, side: StockSide, units: int, security: AssetId, price: str, **more: Any
) -> StockLine:
    return StockLine(AS_OF, line_id, security, place, side, units, Decimal(price), **more)


def lien(lien_id: str, cents: int, kind: LienKind = LienKind.FIRM) -> Lien:
    return Lien(AS_OF, lien_id, "BANK", kind, cents)


def books(accounts: Iterable[AccountBalance] = (), stock: Iterable[StockLine] = (), **more: Any) -> Books:
    """Books of these accounts and lines."""
    empty: dict[str, Any] = {
        "relations": (),
        "securities": (),
        "assets": ASSETS,
        "control_locations": (),
        "clearing_margin": (),
        "clearing_agencies": (),
        "liens": (),
        "other_amounts": (),
        "pab_reliefs": (),
    }
    return Books(as_of=AS_OF, accounts=tuple(accounts), stock=tuple(stock), **(empty | more))


def ordered(order: str, **more: str) -> PolicySet:
    """The default policies with another order."""
    own = [Policy(name, value, AS_OF, "test", "test") for name, value in {"allocation_order": order, **more}.items()]
    return policies_at(AS_OF, own)


def derived(
    of: Books,
    policies: PolicySet = POLICIES,
    method: Method = Method.BASIC,
    capital: int = RICH,
    known_at: datetime = KNOWN_AT,
    in_full: int = 1_000,
) -> DerivedItems:
    return derive(of, method, policies, CALENDAR, known_at, capital, in_full)


def lines(found: DerivedItems) -> tuple[dict[int, int], dict[int, int]]:
    """The lines of both computations that are not zero."""
    customer = {line.number: line.cents for line in found.customer.lines if line.cents}
    return customer, {line.number: line.cents for line in found.pab.lines if line.cents}


def day(days_after: int = 0) -> date:
    return AS_OF + timedelta(days=days_after)
