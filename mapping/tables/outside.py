"""positions and prices: what outside parties state."""

from __future__ import annotations

from typing import Final

from chains.types import utc_text
from mapping.columns import Column, ColumnProblem, OnChange, Row, Table
from mapping.fields import one_of, parse_currency, parse_id, parse_name, parse_price, parse_time
from mapping.tables.shared import (
    ID_RULE,
    NAME_RULE,
    QUANTITY_RULE,
    TIME_RULE,
    asset_column,
    location_column,
    plain,
    quantity_of,
    require_asset_fits_location,
)
from mapping.types import Position, PositionSource, Price

_LOCATION_PREFIX: Final = {
    PositionSource.DTC: "dtc",
    PositionSource.BANK: "bank",
    PositionSource.PRIME_BROKER: "prime",
}
"""Where each source can state a position; a custodian states wallets and pools."""


def _build_position(row: Row) -> Position:
    require_asset_fits_location(row["location"], row["asset_id"])
    prefix = row["location"].partition(":")[0]
    wanted = _LOCATION_PREFIX.get(row["source"])
    if wanted is None and prefix in _LOCATION_PREFIX.values():
        raise ColumnProblem("source", "a custodian states wallets and pools; this location is another party's")
    if wanted is not None and prefix != wanted:
        raise ColumnProblem("source", f"a statement of source {row['source']} speaks of a location {wanted}:…")
    return Position(
        row["location"],
        row["asset_id"],
        row["quantity"],
        row["as_of"],
        row["source"],
        row["stated_by"],
        row["statement_id"],
    )


POSITIONS = Table(
    name="positions",
    meaning="Statements of custodians, DTC, banks and prime brokers.",
    record_type=Position,
    columns=(
        location_column("What the statement speaks of."),
        asset_column("What is held there."),
        Column(
            "quantity",
            "How much is held, as stated.",
            "whole units of the asset",
            QUANTITY_RULE + "; zero or more",
            quantity_of("asset_id"),
        ),
        Column("as_of", "Moment the statement speaks of.", "time", TIME_RULE, plain(parse_time)),
        Column(
            "source",
            "Kind of party.",
            "word",
            "`custodian` (wallets and pools), `dtc`, `bank` or `prime_broker`",
            plain(one_of(PositionSource)),
        ),
        Column("stated_by", "Name of the party.", "text", NAME_RULE, plain(parse_name)),
        Column("statement_id", "The party's own id of the statement.", "id", ID_RULE, plain(parse_id)),
    ),
    build=_build_position,
    key_columns=("stated_by", "statement_id", "location", "asset_id"),
    key=lambda row: (row.stated_by, row.statement_id, row.location_id, row.asset_id),
    on_change=OnChange.REFUSE,
    examples=(
        (
            "eip155:1:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "eip155:1/slip44:60",
            "13.45",
            "2026-01-31T23:00:00Z",
            "custodian",
            "Example Custody",
            "ST-2026-01-31",
        ),
        (
            "dtc:0123",
            "cusip:037833100",
            "400",
            "2026-01-31T23:00:00Z",
            "dtc",
            "DTC",
            "DTC-2026-01-31",
        ),
    ),
    notes=("A statement id is used for one statement only: one moment, one source, the same rows ever after.",),
)


PRICES = Table(
    name="prices",
    meaning="Prices, for dollar figures; never used for matching.",
    record_type=Price,
    columns=(
        asset_column("What is priced."),
        Column("currency", "Currency of the price.", "ISO 4217", "three capital letters", plain(parse_currency)),
        Column(
            "price",
            "Price of one whole unit.",
            "units of the currency",
            "plain decimal, zero or more, no exponent or grouping",
            plain(parse_price),
        ),
        Column("as_of", "Moment of the price.", "time", TIME_RULE, plain(parse_time)),
        Column("source", "Who gives the price.", "text", NAME_RULE, plain(parse_name)),
    ),
    build=lambda row: Price(row["asset_id"], row["currency"], row["price"], row["as_of"], row["source"]),
    key_columns=("asset_id", "currency", "as_of", "source"),
    key=lambda row: (row.asset_id, row.currency, utc_text(row.as_of), row.source),
    on_change=OnChange.REFUSE,
    examples=(("eip155:1/slip44:60", "USD", "3120.55", "2026-01-31T23:00:00Z", "Example Prices"),),
)
