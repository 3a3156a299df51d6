"""accepted_control: who beside a wallet's own key may move something, because the firm wants it."""

from __future__ import annotations

from chains.errors import InvalidValue
from mapping.accepted_control import KINDS_WITH_AMOUNT, AcceptedControl, AcceptedKind
from mapping.columns import Column, ColumnProblem, OnChange, Row, Table
from mapping.fields import one_of, parse_id, parse_name, parse_person, parse_time
from mapping.tables.shared import (
    ID_RULE,
    NAME_RULE,
    PERSON_RULE,
    QUANTITY_RULE,
    TIME_RULE,
    address_column,
    asset_column,
    chain_column,
    plain,
    quantity_of,
    require_asset_on_chain,
)

UNLIMITED = "unlimited"
"""The word for any amount."""
_AMOUNT_KINDS = ", ".join(sorted(KINDS_WITH_AMOUNT))


def _asset(text: str, row: Row) -> object:
    if row["kind"] not in KINDS_WITH_AMOUNT:
        raise InvalidValue(f"a {row['kind']} may move everything in the wallet: leave the asset empty")
    return row.context.asset_id(text)


def _amount(text: str, row: Row) -> object:
    """Base units, or None for any amount; told from an empty field by the rules of the whole row."""
    if row["kind"] not in KINDS_WITH_AMOUNT:
        raise InvalidValue(f"a {row['kind']} may move everything in the wallet: leave the amount empty")
    if text == UNLIMITED or row["asset_id"] is None:  # a missing asset is the problem of its own column
        return UNLIMITED
    units = quantity_of("asset_id")(text, row)
    if units == 0:
        raise InvalidValue(f"write a positive quantity, or {UNLIMITED}")
    return units


def _build(row: Row) -> AcceptedControl:
    asset_id, amount = row["asset_id"], row["quantity_max"]
    if row["kind"] in KINDS_WITH_AMOUNT:
        if asset_id is None:
            raise ColumnProblem("asset_id", f"{_AMOUNT_KINDS} name the asset that may be taken")
        require_asset_on_chain(row["chain_id"], asset_id)
        if amount is None:
            raise ColumnProblem("quantity_max", f"{_AMOUNT_KINDS} name the most that may be granted, or {UNLIMITED}")
    if row["subject"] == row["wallet"]:
        raise ColumnProblem("subject", "the subject is the wallet itself")
    if row["valid_from"] < row["approved_at"]:
        raise ColumnProblem("valid_from", "it cannot hold before it was approved")
    if row["valid_until"] <= row["valid_from"]:
        raise ColumnProblem("valid_until", "valid_until is not after valid_from")
    if row["requested_by"] == row["approved_by"]:
        raise ColumnProblem("approved_by", "the person who asks cannot be the one who approves")
    return AcceptedControl(
        acceptance_id=row["acceptance_id"],
        chain_id=row["chain_id"],
        wallet=row["wallet"],
        kind=row["kind"],
        asset_id=asset_id,
        subject=row["subject"],
        base_units_max=None if amount == UNLIMITED else amount,
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
        reason=row["reason"],
        requested_by=row["requested_by"],
        approved_by=row["approved_by"],
        approved_at=row["approved_at"],
    )


_asset_column = asset_column(f"What may be taken; for {_AMOUNT_KINDS} alone; the others may move everything.")

ACCEPTED_CONTROL = Table(
    name="accepted_control",
    meaning="Who beside a wallet's own key may move something because the firm wants it; anybody else is a finding.",
    record_type=AcceptedControl,
    columns=(
        Column("acceptance_id", "Id of the decision.", "id", ID_RULE, plain(parse_id)),
        chain_column("Chain of the wallet."),
        address_column("Wallet of wallets.csv.", "wallet"),
        Column(
            "kind",
            "By which way it may be moved.",
            "word",
            "one of " + ", ".join(f"`{kind}`" for kind in AcceptedKind),
            plain(one_of(AcceptedKind)),
        ),
        Column(_asset_column.name, _asset_column.meaning, "CAIP-19", _asset_column.rule, _asset, required=False),
        address_column("The spender, module, delegate, admin or beacon.", "subject"),
        Column(
            "quantity_max",
            f"The largest grant that is accepted, whatever the balance; for {_AMOUNT_KINDS} alone.",
            "whole units of the asset",
            f"{QUANTITY_RULE}; above zero, or `{UNLIMITED}`",
            _amount,
            required=False,
        ),
        Column("valid_from", "First moment; not before approved_at.", "time", TIME_RULE, plain(parse_time)),
        Column("valid_until", "Last moment; after valid_from.", "time", TIME_RULE, plain(parse_time)),
        Column("reason", "Why the firm wants it.", "text", NAME_RULE, plain(parse_name)),
        Column("requested_by", "Who asked (maker).", "person", PERSON_RULE, plain(parse_person)),
        Column(
            "approved_by", "Who approved (checker).", "person", PERSON_RULE + "; not the maker", plain(parse_person)
        ),
        Column("approved_at", "Moment of approval.", "time", TIME_RULE, plain(parse_time)),
    ),
    build=_build,
    key_columns=("acceptance_id",),
    key=lambda record: (record.acceptance_id,),
    on_change=OnChange.NEW_VERSION,
    examples=(
        (
            "AC-101",
            "eip155:1",
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "allowance",
            "eip155:1/erc20:0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48",
            "0x27b1fdb04752bbc536007a920d24acb045561c26",
            "250000",
            "2026-02-02T14:00:00Z",
            "2026-12-31T23:59:59Z",
            "Settlement contract of the exchange",
            "ops.maker",
            "ops.checker",
            "2026-02-02T13:55:00Z",
        ),
        (
            "AC-102",
            "eip155:1",
            "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
            "module",
            "",
            "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
            "",
            "2026-02-02T14:00:00Z",
            "2026-12-31T23:59:59Z",
            "Recovery module, reviewed by security",
            "ops.maker",
            "ops.checker",
            "2026-02-02T13:55:00Z",
        ),
    ),
    notes=(
        "A new version of a decision (another amount, an earlier end) is approved anew: its approved_at is later.",
        "To withdraw one, approve a version that holds from now to the moment of its end.",
        "Another wallet, kind, asset or subject is another decision with an id of its own.",
        "An operator may take every token of a collection: unlimited, with a row for each token that is an asset.",
        "That a module or delegate was added is told as a change of control all the same, once.",
    ),
)
