"""Columns and rules that several files share."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from chains.errors import InvalidValue
from chains.types import Asset, AssetId, LocationId, asset_chain_id
from mapping.columns import Column, ColumnProblem, FieldParser, Row
from mapping.context import OFF_CHAIN_PREFIXES
from mapping.fields import one_of, parse_date, parse_id, parse_name
from mapping.reserve_types import ReserveClass
from mapping.types import AccountClass

DATE_RULE = "year-month-day"
TIME_RULE = "RFC 3339 with the zone; read in UTC"
ID_RULE = "1 to 64 ASCII letters, digits or `. _ : / -`, the first a letter or digit, no `://`"
NAME_RULE = "1 to 200 characters, Unicode NFC, nothing invisible, no URL"
PERSON_RULE = "1 to 64 lower-case ASCII letters, digits or `. _ + @ -`"
QUANTITY_RULE = "plain decimal, no more decimals than the asset has, no exponent, grouping or `+`"
DOLLAR: Final = Asset(AssetId("iso4217:USD"), "USD", 2)
AMOUNT_RULE: Final = "plain decimal, at most two decimals, zero or more; nothing is an explicit `0.00`"


def plain(parse: Callable[[str], object]) -> FieldParser:
    """A parser that needs nothing but its own text.

    Its last results are kept: a million rows name a few thousand clients and moments, which then exist once.
    """
    remembered = lru_cache(maxsize=4096)(parse)
    return lambda text, _: remembered(text)


def address_on(chain_column: str) -> FieldParser:
    """An address of the chain named in another column."""

    def parse(text: str, row: Row) -> object:
        return row.context.address(row[chain_column], text)

    return parse


def quantity_of(asset_column: str, *, signed: bool = False) -> FieldParser:
    """A quantity of the asset named in another column, in base units."""

    def parse(text: str, row: Row) -> object:
        asset = row.context.asset(row[asset_column])
        return parse_quantity(asset.parse_quantity, text, signed=signed)

    return parse


def parse_quantity(parse: Callable[[str], int], text: str, *, signed: bool = False) -> int:
    """Base units of a quantity; a minus sign only where a quantity may have one."""
    if len(text) > 160:
        raise InvalidValue("the quantity is larger than 2**256 - 1 base units")
    if text.startswith("-") and not signed:
        raise InvalidValue("the quantity is negative here; only ledger_entries.csv has signed quantities")
    return parse(text)


def native_quantity_on(chain_column: str) -> FieldParser:
    """A quantity of the native asset of the chain named in another column, in base units."""

    def parse(text: str, row: Row) -> object:
        return parse_quantity(row.context.native_asset(row[chain_column]).parse_quantity, text)

    return parse


def require_asset_on_chain(chain_id: str, asset_id: AssetId) -> None:
    """Refuse an asset of another chain."""
    if asset_chain_id(asset_id) != chain_id:
        raise ColumnProblem("asset_id", f"this asset is not on chain {chain_id}")


def require_asset_fits_location(location_id: LocationId, asset_id: AssetId) -> None:
    """Refuse an asset that cannot be at a location: of another chain, a coin at DTC, a share in a wallet.

    Whether an asset fits a pool depends on the pool's wallets, which the importer knows.
    """
    prefix = location_id.partition(":")[0]
    chain_id = asset_chain_id(asset_id)
    if prefix == "pool":
        if chain_id is None:
            raise ColumnProblem("asset_id", "a pool of wallets holds assets of a chain, not securities or cash")
    elif prefix in OFF_CHAIN_PREFIXES:
        if chain_id is not None:
            raise ColumnProblem("asset_id", f"an asset of a chain cannot be at {location_id}")
        if prefix == "dtc" and not asset_id.startswith("cusip:"):
            raise ColumnProblem("asset_id", "DTC holds securities: the asset must be a cusip:")
    elif not location_id.startswith(f"{chain_id}:"):
        raise ColumnProblem("asset_id", f"this asset is not on the chain of {location_id}")


def require_gas_float_rules(row: Row, account_class: AccountClass, asset_id: AssetId) -> None:
    """A gas float is the firm's own, and the chain's own coin."""
    if account_class is not AccountClass.PROPRIETARY:
        raise ColumnProblem("account_class", "a gas float is the firm's own: write proprietary")
    if not row.context.asset(asset_id).is_native:
        raise ColumnProblem("asset_id", "a gas float is kept in the chain's own coin, never in a token")


def chain_column(meaning: str = "Chain of the address.") -> Column:
    """The column chain_id."""
    return Column(
        "chain_id",
        meaning,
        "CAIP-2",
        "a chain with an installed adapter",
        lambda text, row: row.context.chain(text),
    )


def address_column(meaning: str, name: str = "address") -> Column:
    """A column with an address of the chain in chain_id."""
    rule = "the chain's strict spelling (EIP-55 checksum on EVM); the zero address is refused"
    return Column(name, meaning, "address", rule, address_on("chain_id"))


def client_column(meaning: str, *, required: bool = True) -> Column:
    """The column client_id, naming a client of clients.csv."""
    rule = "a client_id of clients.csv"
    return Column("client_id", meaning, "id", rule, plain(parse_id), required=required, default="")


def account_class_column() -> Column:
    """The column account_class."""
    return Column(
        "account_class",
        "Whose asset it is under 17 CFR 240.15c3-3.",
        "word",
        "`customer`, `pab` (account of another broker-dealer) or `proprietary` (the firm's own)",
        plain(one_of(AccountClass)),
    )


def location_column(meaning: str) -> Column:
    """The column location."""
    return Column(
        "location",
        meaning,
        "CAIP-10 account, `pool:ID`, `dtc:ID`, `bank:ID`, `prime:ID`",
        "a wallet of wallets.csv, a pool of pools.csv, or a location outside any chain",
        lambda text, row: row.context.location(text),
    )


def asset_column(meaning: str) -> Column:
    """The column asset_id, naming an asset of assets.csv."""
    return Column(
        "asset_id",
        meaning,
        "CAIP-19, `cusip:`, `iso4217:`",
        "an asset of assets.csv that can be at the location",
        lambda text, row: row.context.asset_id(text),
    )


def gas_float_word(text: str) -> object:
    """The one word of the column kind in allocations.csv."""
    if text != "gas_float":
        raise InvalidValue("leave it empty, or write gas_float")
    return True


def texts(*values: Any) -> tuple[str, ...]:
    """A natural key from values whose text is unique: ids, words, dates."""
    return tuple(str(value) for value in values)


def parse_cents(text: str) -> object:
    """US cents of an amount in dollars, zero or more."""
    return parse_quantity(DOLLAR.parse_quantity, text)


def dollars_column(
    name: str, meaning: str, *, required: bool = True, rule: str = AMOUNT_RULE, default: object = None
) -> Column:
    """An amount of US dollars, read as cents."""
    return Column(name, meaning, "US dollars", rule, plain(parse_cents), required=required, default=default)


def day_column(name: str, meaning: str, *, required: bool = True, rule: str = DATE_RULE) -> Column:
    """A civil date."""
    return Column(name, meaning, "date", rule, plain(parse_date), required=required)


def reference_column(meaning: str = "Where the figure can be looked up.") -> Column:
    """The column reference, for people."""
    return Column("reference", meaning, "text", NAME_RULE, plain(parse_name))


def computation_column() -> Column:
    """The column computation."""
    return Column(
        "computation",
        "Whose: customers', or the proprietary accounts of other broker-dealers.",
        "word",
        "`customer` or `pab`",
        plain(one_of(ReserveClass)),
    )
