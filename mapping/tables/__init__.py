"""Every file of the sub-ledger, declared once, in the order of import: what is named comes before what names it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from mapping.columns import Key, Table
from mapping.errors import UnknownTable
from mapping.tables.book import ALLOCATIONS, LEDGER_ENTRIES
from mapping.tables.books import ACCOUNTS, BOOKS_CLOSE, STOCK_RECORD
from mapping.tables.books_facts import ACCOUNT_RELATIONS, CONTROL_LOCATIONS, SECURITIES
from mapping.tables.books_margin import CLEARING_AGENCIES, CLEARING_MARGIN, LIENS, OTHER_AMOUNTS, PAB_RELIEFS
from mapping.tables.control import ACCEPTED_CONTROL
from mapping.tables.custodians import CUSTODIAN_ACCOUNTS
from mapping.tables.descriptors import WALLET_DESCRIPTORS
from mapping.tables.layouts import TOKEN_LAYOUTS
from mapping.tables.outside import POSITIONS, PRICES
from mapping.tables.places import ASSETS, CLIENTS, CUSTODIAN_ADDRESSES, FIRM_ADDRESSES, POOLS, WALLETS
from mapping.tables.reserve import RESERVE_TABLES
from mapping.tables.trades import TRADES
from mapping.tables.transfers import AUTHORIZATIONS
from mapping.types import Record

BOOKS_TABLES: Final = (
    ACCOUNTS,
    ACCOUNT_RELATIONS,
    SECURITIES,
    CONTROL_LOCATIONS,
    CLEARING_AGENCIES,
    LIENS,
    STOCK_RECORD,
    CLEARING_MARGIN,
    OTHER_AMOUNTS,
    PAB_RELIEFS,
    TRADES,
    BOOKS_CLOSE,
)
"""The firm's books: what the reserve computations and the control review are derived from."""

TABLES: Final[tuple[Table[Any], ...]] = (
    CLIENTS,
    ASSETS,
    WALLETS,
    WALLET_DESCRIPTORS,
    POOLS,
    FIRM_ADDRESSES,
    CUSTODIAN_ADDRESSES,
    ALLOCATIONS,
    LEDGER_ENTRIES,
    AUTHORIZATIONS,
    ACCEPTED_CONTROL,
    TOKEN_LAYOUTS,
    CUSTODIAN_ACCOUNTS,
    POSITIONS,
    PRICES,
    *RESERVE_TABLES,
    *BOOKS_TABLES,
)

_BY_NAME: Final = {table.name: table for table in TABLES}
_BY_TYPE: Final = {table.record_type: table for table in TABLES}


def table_named(name: str) -> Table[Any]:
    """The table of a name such as `clients` or a file name such as `clients.csv`; else `UnknownTable`."""
    table = _BY_NAME.get(name.removesuffix(".csv"))
    if table is None:
        raise UnknownTable(f"there is no file {name[:60]!r}; the files are {', '.join(t.file_name for t in TABLES)}")
    return table


def table_of(record: Record) -> Table[Any]:
    """The table a record belongs to."""
    return _BY_TYPE[type(record)]


def key_of(record_type: type[Any]) -> Callable[[Any], Key]:
    """What gives the natural key of a record of a type."""
    return _BY_TYPE[record_type].key


def template(name: str) -> str:
    """The text of a file to start from: the header and example rows. Raises `UnknownTable`."""
    table = table_named(name)
    rows = (table.column_names, *table.examples)
    return "".join(",".join(_quoted(text) for text in row) + "\n" for row in rows)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text else text


__all__ = ["BOOKS_TABLES", "TABLES", "table_named", "table_of", "template"]
