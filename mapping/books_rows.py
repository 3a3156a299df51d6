"""Account balances and lines of the stock record as plain values and back: what is packed, stored and hashed. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from chains.types import AssetId, LocationId
from mapping.books_types import AccountBalance, AccountType, HolderClass, StockLine, StockPlace, StockSide
from mapping.bulk import Plain

_day = lru_cache(maxsize=4096)(date.fromisoformat)
_price = lru_cache(maxsize=65536)(Decimal)
_HOLDERS: Final = {each.value: each for each in HolderClass}
_TYPES: Final = {each.value: each for each in AccountType}
_PLACES: Final = {each.value: each for each in StockPlace}
_SIDES: Final = {each.value: each for each in StockSide}


def _optional_day(text: str | None) -> date | None:
    return None if text is None else _day(text)


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


def _whole(text: str | None) -> int | None:
    return None if text is None else int(text)


def account_plain(row: AccountBalance) -> Plain:
    """An account balance as plain values."""
    return (
        row.as_of.isoformat(),
        row.account_id,
        row.client_id,
        row.holder_class.value,
        row.account_type.value,
        str(row.credit_balance),
        str(row.debit_balance),
    )


def account_of(plain: Any) -> AccountBalance:
    """The inverse of `account_plain`."""
    as_of, account_id, client_id, holder, kind, credit, debit = plain
    return AccountBalance(_day(as_of), account_id, client_id, _HOLDERS[holder], _TYPES[kind], int(credit), int(debit))


def stock_plain(row: StockLine) -> Plain:
    """A line of the stock record as plain values."""
    return (
        row.as_of.isoformat(),
        row.line_id,
        row.security_id,
        row.place.value,
        row.side.value,
        str(row.base_units),
        format(row.price, "f"),
        row.account_id,
        row.location_id,
        row.counterparty,
        row.reference,
        None if row.since is None else row.since.isoformat(),
        _text(row.contract_value),
        _text(row.collateral),
        None if row.confirmed_on is None else row.confirmed_on.isoformat(),
        int(row.closed),
    )


def stock_of(plain: Any) -> StockLine:
    """The inverse of `stock_plain`."""
    (as_of, line_id, security, place, side, units, price, account, location, other, reference, since, contract,
     collateral, confirmed, closed) = plain  # fmt: skip
    return StockLine(
        _day(as_of),
        line_id,
        AssetId(security),
        _PLACES[place],
        _SIDES[side],
        int(units),
        _price(price),
        account,
        None if location is None else LocationId(location),
        other,
        reference,
        _optional_day(since),
        _whole(contract),
        _whole(collateral),
        _optional_day(confirmed),
        closed == 1,
    )


@dataclass(frozen=True, slots=True)
class PlainForm:
    """How the records of one bulk table are written as plain values. The day comes first, the row's id second."""

    plain: Callable[[Any], Plain]
    record: Callable[[Any], Any]


BULK_FORMS: Final[Mapping[str, PlainForm]] = {
    "accounts": PlainForm(account_plain, account_of),
    "stock_record": PlainForm(stock_plain, stock_of),
}
"""The tables of which a day has millions of rows: they are packed, checked in a pass of their own, and never all held
as records."""
DAY: Final = 0
ROW_ID: Final = 1
CLIENT: Final = 2
SECURITY: Final = 2
LINE_PLACE: Final = 3
PRICE: Final = 6
ACCOUNT: Final = 7
LOCATION: Final = 8
LINE_REFERENCE: Final = 10
CLOSED: Final = 15
"""Positions in the plain values of an account (`CLIENT`) or of a line of the stock record."""
