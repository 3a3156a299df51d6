"""Rows from records of the books and back, but for those that are stored in bulk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from mapping.books_types import (
    AccountRelation,
    BooksClose,
    ClearingAgency,
    ClearingMargin,
    ControlLocation,
    Lien,
    OtherAmount,
    PabRelief,
    SecurityFact,
    Trade,
)
from verifier.store.codec_types import Codec, date_or_none, fields_of, same_fields
from verifier.store.tables import (
    AccountRelationRow,
    BooksCloseRow,
    ClearingAgencyRow,
    ClearingMarginRow,
    ControlLocationRow,
    LienRow,
    OtherAmountRow,
    PabReliefRow,
    SecurityFactRow,
    TradeRow,
)
from verifier.store.tables.base import StoredRow


def _plainly(
    row_class: type[StoredRow], record_type: type[Any], column: str, part: int, *, dated: bool = False
) -> Codec:
    """Of records of which every field is a column of its name."""
    names = tuple(record_type.__dataclass_fields__)
    lookup = date_or_none if dated else str
    return Codec(row_class, fields_of(*names), same_fields(record_type, *names), column, part, lookup)


def _written(
    row_class: type[StoredRow], record_type: type[Any], column: str, written: str, read: Callable[[str], object]
) -> Codec:
    """The same, but one field is text in the store."""
    names = tuple(record_type.__dataclass_fields__)

    def values(record: Any) -> dict[str, object]:
        value = getattr(record, written)
        text = format(value, "f") if isinstance(value, Decimal) else str(value)
        return {**{name: getattr(record, name) for name in names}, written: text}

    def record(row: Any) -> Any:
        return record_type(**{**{name: getattr(row, name) for name in names}, written: read(getattr(row, written))})

    return Codec(row_class, values, record, column, 0)


def _close_values(record: BooksClose) -> dict[str, object]:
    return {
        "as_of": record.as_of,
        "file": record.file,
        "row_count": record.rows,
        "total": format(record.total, "f"),
        "reference": record.reference,
    }


def _close(row: Any) -> BooksClose:
    return BooksClose(row.as_of, row.file, row.row_count, Decimal(row.total), row.reference)


BOOKS_CODECS: Final[Mapping[type[Any], Codec]] = {
    AccountRelation: _written(AccountRelationRow, AccountRelation, "account_id", "non_customer_share", Fraction),
    SecurityFact: _plainly(SecurityFactRow, SecurityFact, "security_id", 0),
    ControlLocation: _plainly(ControlLocationRow, ControlLocation, "location_id", 0),
    ClearingAgency: _plainly(ClearingAgencyRow, ClearingAgency, "agency", 0),
    ClearingMargin: _plainly(ClearingMarginRow, ClearingMargin, "as_of", 0, dated=True),
    Lien: _plainly(LienRow, Lien, "as_of", 0, dated=True),
    OtherAmount: _plainly(OtherAmountRow, OtherAmount, "as_of", 0, dated=True),
    PabRelief: _plainly(PabReliefRow, PabRelief, "relief_id", 0),
    Trade: _written(TradeRow, Trade, "trade_id", "price", Decimal),
    BooksClose: Codec(BooksCloseRow, _close_values, _close, "as_of", 0, date_or_none),
}
"""Part of `verifier.store.codec.CODECS`."""
