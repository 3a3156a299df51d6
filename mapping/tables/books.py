"""accounts, stock_record and books_close: what the books say at the close of a day, and that they are complete."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, TypeVar

from chains.errors import InvalidValue
from mapping.books_types import (
    AccountBalance,
    AccountType,
    BooksClose,
    BooksFile,
    HolderClass,
    StockLine,
    StockPlace,
    StockSide,
)
from mapping.columns import Column, ColumnProblem, FieldParser, OnChange, Row, Table
from mapping.fields import one_of, parse_count, parse_id, parse_name, parse_price, parse_yes_no
from mapping.tables.shared import (
    ID_RULE,
    NAME_RULE,
    QUANTITY_RULE,
    client_column,
    day_column,
    dollars_column,
    plain,
    quantity_of,
    reference_column,
    require_asset_fits_location,
    texts,
)
from mapping.types import Record

R = TypeVar("R", bound=Record)

PRICE_RULE: Final = "plain decimal, zero or more; one price for a security and day"
_ROWS_MAX: Final = 10**12


def unique(parse: FieldParserOfText) -> FieldParser:
    """A parser of texts that hardly repeat, such as the ids of a million accounts: none is kept."""
    return lambda text, _: parse(text)


def id_column(name: str, meaning: str, *, required: bool = True, rule: str = ID_RULE) -> Column:
    """An id of the firm's."""
    return Column(name, meaning, "id", rule, unique(parse_id), required=required, default="")


def name_column(name: str, meaning: str, *, required: bool = True) -> Column:
    """A name for people."""
    return Column(name, meaning, "text", NAME_RULE, plain(parse_name), required=required, default="")


def checked(row: Row, column: str, make: type[R], *values: object) -> R:
    """The record of these values; what is wrong with them together is told of the given column."""
    try:
        return make(*values)
    except InvalidValue as error:
        raise ColumnProblem(column, str(error)) from None
