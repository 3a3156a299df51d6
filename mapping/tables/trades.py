"""trades: what accounts bought and sold, when it settles by contract, and the chain leg that settles it."""

from __future__ import annotations

import re
from typing import Final

from chains.errors import InvalidValue
from mapping.books_types import Rail, Trade, TradeSide
from mapping.columns import Column, ColumnProblem, OnChange, Row, Table
from mapping.fields import parse_price
from mapping.tables.books import PRICE_RULE, id_column, security_column, unique, word_column
from mapping.tables.books_facts import ACCOUNT_RULE
from mapping.tables.shared import (
    QUANTITY_RULE,
    address_on,
    day_column,
    dollars_column,
    plain,
    quantity_of,
    require_asset_on_chain,
    texts,
)

_TX_ID: Final = re.compile(r"[0-9A-Za-z]{1,128}", re.ASCII)
_HEX_ID: Final = re.compile(r"(0x)?[0-9a-fA-F]{64}", re.ASCII)


def parse_tx_id(text: str) -> str:
    """The id of a transaction; hexadecimal ones in lower case, so that one transaction has one spelling."""
    if not _TX_ID.fullmatch(text):
        raise InvalidValue("a transaction id is 1 to 128 ASCII letters and digits")
    if _HEX_ID.fullmatch(text) and text != text.lower():
        raise InvalidValue("a hexadecimal transaction id is written in lower case")
    return text


def _build_trade(row: Row) -> Trade:
    if (row["rail"] is Rail.CHAIN) != (row["chain_id"] is not None and row["wallet"] is not None):
        raise ColumnProblem("wallet", "a chain leg names its chain and our wallet; another rail names neither")
    if row["rail"] is Rail.CHAIN:
        require_asset_on_chain(row["chain_id"], row["asset_id"])
        if row["settled_on"] is not None:
            raise ColumnProblem("settled_on", "a chain leg is settled by its block, never by a stated day")
    elif row["tx_id"]:
        raise ColumnProblem("tx_id", "only a chain leg has a transaction")
    if row["settlement_date"] < row["trade_date"]:
        raise ColumnProblem("settlement_date", "this is before trade_date")
    return Trade(
        row["trade_id"],
        row["account_id"],
        row["side"],
        row["asset_id"],
        row["quantity"],
        row["contract_amount"],
        row["price"],
        row["trade_date"],
        row["settlement_date"],
        row["rail"],
        row["chain_id"],
        row["wallet"],
        row["tx_id"],
        row["settled_on"],
    )


def _asset_column() -> Column:
    column = security_column("What was traded.")
    return Column("asset_id", column.meaning, column.unit, column.rule, column.parse)


TRADES: Final = Table(
    name="trades",
    meaning="Trades of accounts that have not settled, or settled lately; a chain leg that is final settles its trade.",
    record_type=Trade,
    columns=(
        id_column("trade_id", "The firm's id of the trade."),
        id_column("account_id", "Whose trade.", rule=ACCOUNT_RULE),
        word_column("side", "What the account did.", TradeSide),
        _asset_column(),
        Column("quantity", "How much.", "whole units", QUANTITY_RULE + "; above zero", quantity_of("asset_id")),
        dollars_column("contract_amount", "What the account pays or is paid."),
        Column("price", "Of one whole unit at the trade.", "US dollars", PRICE_RULE, plain(parse_price)),
        day_column("trade_date", "Day of the trade."),
        day_column("settlement_date", "Day on which it settles by contract."),
        word_column("rail", "Where it settles.", Rail),
        Column(
            "chain_id",
            "Chain of the leg; for rail `chain` alone.",
            "CAIP-2",
            "a chain with an installed adapter",
            lambda text, row: row.context.chain(text),
            required=False,
        ),
        Column(
            "wallet",
            "Our wallet: where the leg arrives for a buy, from where it leaves for a sell.",
            "address",
            "a wallet of wallets.csv on that chain",
            address_on("chain_id"),
            required=False,
        ),
        Column(
            "tx_id",
            "The transaction, where it is known beforehand; else the leg is found by wallet, asset and quantity.",
            "transaction id",
            "as the chain writes it, lower case",
            unique(parse_tx_id),
            required=False,
            default="",
        ),
        day_column(
            "settled_on", "Day it settled on another rail than a chain; empty while it has not.", required=False
        ),
    ),
    build=_build_trade,
    key_columns=("trade_id",),
    key=lambda row: texts(row.trade_id),
    on_change=OnChange.NEW_VERSION,
    examples=(
        (
            "T-1",
            "A-1001",
            "buy",
            "cusip:037833100",
            "5",
            "1150.50",
            "230.10",
            "2026-01-29",
            "2026-01-30",
            "dtc",
            "",
            "",
            "",
            "2026-01-30",
        ),
    ),
    notes=(
        "On its settlement date a trade that has not settled is a fail: to receive for a buy, to deliver for a sell.",
    ),
)
