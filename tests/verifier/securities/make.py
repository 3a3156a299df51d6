"""Books and statements to compare, made by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from chains.types import Asset, AssetId, LocationId
from mapping.books import Books
from mapping.books_types import (
    AGED,
    CONTRACTED,
    AccountBalance,
    AccountRelation,
    AccountType,
    HolderClass,
    Lien,
    LienKind,
    StockLine,
    StockPlace,
    StockSide,
)
from mapping.types import AssetRecord, LegalClass
from verifier.custodians.comparing import ClaimsInput, LedgerClaim, PlaceStatement

DAY: Final = date(2026, 11, 20)
AT: Final = datetime(2026, 11, 20, 23, tzinfo=UTC)
DUE: Final = datetime(2026, 11, 23, 13, tzinfo=UTC)
DTC, BANK = LocationId("dtc:0123"), LocationId("bank:SAFE")
AAPL = Asset(AssetId("cusip:037833100"), "AAPL", 0)
MSFT = Asset(AssetId("cusip:594918104"), "MSFT", 0)
USD = Asset(AssetId("iso4217:USD"), "USD", 2)
ASSETS: Final = {each.asset_id: each for each in (AAPL, MSFT, USD)}


def statement(
    holdings: dict[Asset, int],
    place: LocationId = DTC,
    by: str = "DTC",
    number: str = "1",
    at: datetime = AT,
    order: int = 0,
    *,
    whole: bool = True,
) -> PlaceStatement:
    """What a custodian states of one location."""
    units = {asset.asset_id: count for asset, count in holdings.items()}
    return PlaceStatement(place, by, f"{place}:{DAY}:{number}", at, units, whole, order)


def given(
    *statements: PlaceStatement,
    ledger: Mapping[tuple[LocationId, Asset], LedgerClaim | int] | None = None,
    stock: list[StockLine] | None = None,
    stock_gap: str = "",
    due: dict[LocationId, tuple[str, datetime]] | None = None,
) -> ClaimsInput:
    """The inputs of a comparison; a number in the ledger is what clients own."""
    claims = {
        (place, asset.asset_id): LedgerClaim(clients=claim) if isinstance(claim, int) else claim
        for (place, asset), claim in (ledger or {}).items()
    }
    return ClaimsInput(DAY, AT, claims, stock, stock_gap, statements, due or {}, ASSETS)


def line(line_id: str, place: StockPlace, units: int, asset: Asset = AAPL, **changes: Any) -> StockLine:
    """A line of the stock record."""
    long = place in (StockPlace.ACCOUNT, StockPlace.STOCK_BORROW, StockPlace.FAIL_TO_DELIVER)
    made = StockLine(
        DAY,
        line_id,
        asset.asset_id,
        place,
        StockSide.LONG if long else StockSide.SHORT,
        units,
        Decimal("230.10"),
        since=DAY if place in AGED else None,
        contract_value=100 if place in CONTRACTED else None,
        account_id="A-1" if place is StockPlace.ACCOUNT else "",
    )
    return replace(made, **changes)


def account(
    account_id: str,
    holder: HolderClass = HolderClass.CUSTOMER,
    kind: AccountType = AccountType.MARGIN,
    debit: int = 0,
    client: str = "",
) -> AccountBalance:
    """An account; its owner has the same number."""
    owner = "" if holder is HolderClass.FIRM else client or account_id.replace("A-", "C-")
    return AccountBalance(DAY, account_id, owner, holder, kind, 0, debit)


def relation(account_id: str, **changes: Any) -> AccountRelation:
    """What is known about an account."""
    return AccountRelation(account_id, date(2026, 1, 2), **changes)


def lien(lien_id: str, amount: int = 0, kind: LienKind = LienKind.CUSTOMERS) -> Lien:
    """Money borrowed on securities."""
    return Lien(DAY, lien_id, "Example Bank", kind, amount)


def books(
    accounts: list[AccountBalance],
    stock: list[StockLine],
    liens: list[Lien] | None = None,
    relations: list[AccountRelation] | None = None,
) -> Books:
    """The books of the day."""
    records = tuple(AssetRecord(each, LegalClass.SECURITY, DAY, "Memo") for each in (AAPL, MSFT))
    return Books(
        DAY,
        tuple(accounts),
        tuple(relations or ()),
        tuple(stock),
        (),
        records,
        (),
        (),
        (),
        tuple(liens or ()),
        (),
        (),
    )
