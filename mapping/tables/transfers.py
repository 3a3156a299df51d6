"""authorizations: what may leave a wallet, to where, until when, and who approved it."""

from __future__ import annotations

from chains.errors import InvalidValue
from chains.types import burn_address
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
    client_column,
    native_quantity_on,
    plain,
    quantity_of,
    require_asset_on_chain,
)
from mapping.types import Purpose, TransferAuthorization


def _positive(text: str, row: Row) -> object:
    units = quantity_of("asset_id")(text, row)
    if units == 0:
        raise InvalidValue("an authorization allows a positive quantity")
    return units


def _destination(text: str, row: Row) -> object:
    """An address of the chain, or the one that tokens are burnt to; `_build` says what may be burnt."""
    chain_id = row["chain_id"]
    return text if text == burn_address(chain_id) else row.context.address(chain_id, text)


def _build(row: Row) -> TransferAuthorization:
    require_asset_on_chain(row["chain_id"], row["asset_id"])
    if row["valid_until"] <= row["valid_from"]:
        raise ColumnProblem("valid_until", "valid_until is not after valid_from")
    if row["requested_by"] == row["approved_by"]:
        raise ColumnProblem("approved_by", "the person who asks cannot be the one who approves")
    if row["purpose"] is Purpose.CLIENT_WITHDRAWAL and not row["client_id"]:
        raise ColumnProblem("client_id", "a client withdrawal names the client")
    if row["destination"] == row["wallet"]:
        raise ColumnProblem("destination", "the destination is the wallet itself")
    if row["destination"] == burn_address(row["chain_id"]):
        if row["purpose"] is not Purpose.REDEMPTION:
            raise ColumnProblem("destination", "only a redemption may name the zero address, where tokens are burnt")
        if row.context.asset(row["asset_id"]).is_native:
            raise ColumnProblem("destination", "the chain's own coin is not redeemed: it would be lost")
    return TransferAuthorization(
        authorization_id=row["authorization_id"],
        chain_id=row["chain_id"],
        wallet=row["wallet"],
        asset_id=row["asset_id"],
        base_units_max=row["quantity_max"],
        destination=row["destination"],
        fee_max=row["fee_max"],
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
        purpose=row["purpose"],
        requested_by=row["requested_by"],
        approved_by=row["approved_by"],
        approved_at=row["approved_at"],
        reference=row["reference"],
        client_id=row["client_id"],
    )


AUTHORIZATIONS = Table(
    name="authorizations",
    meaning="Approved outgoing transfers; a transfer that fits none of them is a finding.",
    record_type=TransferAuthorization,
    columns=(
        Column("authorization_id", "Id of the approval.", "id", ID_RULE, plain(parse_id)),
        chain_column("Chain of the transfer."),
        address_column("Wallet of wallets.csv the asset leaves.", "wallet"),
        asset_column("What may leave."),
        Column(
            "quantity_max",
            "Most that may leave, in one transfer or in several together.",
            "whole units of the asset",
            QUANTITY_RULE + "; above zero",
            _positive,
        ),
        Column(
            "destination",
            "The only address it may go to.",
            "address",
            "the chain's strict spelling (EIP-55 checksum on EVM); the zero address only for a `redemption` of a token",
            _destination,
        ),
        Column(
            "fee_max",
            "Most that the transfer's fee may be; empty sets no limit.",
            "whole units of the chain's native asset",
            QUANTITY_RULE,
            native_quantity_on("chain_id"),
            required=False,
        ),
        Column("valid_from", "First moment it may happen.", "time", TIME_RULE, plain(parse_time)),
        Column("valid_until", "Last moment; after valid_from.", "time", TIME_RULE, plain(parse_time)),
        Column(
            "purpose",
            "What it is for.",
            "word",
            "one of " + ", ".join(f"`{purpose}`" for purpose in Purpose),
            plain(one_of(Purpose)),
        ),
        Column("requested_by", "Who asked (maker).", "person", PERSON_RULE, plain(parse_person)),
        Column(
            "approved_by", "Who approved (checker).", "person", PERSON_RULE + "; not the maker", plain(parse_person)
        ),
        Column("approved_at", "Moment of approval.", "time", TIME_RULE, plain(parse_time)),
        Column("reference", "Ticket or order it belongs to.", "text", NAME_RULE, plain(parse_name)),
        client_column("Whose asset leaves; empty for internal purposes.", required=False),
    ),
    build=_build,
    key_columns=("authorization_id",),
    key=lambda record: (record.authorization_id,),
    on_change=OnChange.REFUSE,
    examples=(
        (
            "A-7001",
            "eip155:1",
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "eip155:1/slip44:60",
            "1.25",
            "0x27b1fdb04752bbc536007a920d24acb045561c26",
            "0.01",
            "2026-02-02T14:00:00Z",
            "2026-02-03T14:00:00Z",
            "client_withdrawal",
            "ops.maker",
            "ops.checker",
            "2026-02-02T13:55:00Z",
            "Ticket 4711",
            "C-1001",
        ),
    ),
)
