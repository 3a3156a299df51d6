"""Rows from records of the mapping and back. Keys of interned texts are resolved by the callers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import time
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

import orjson

from chains.evm.token_layout import TokenLayout
from chains.types import Asset, asset_chain_id
from mapping.accepted_control import AcceptedControl
from mapping.custodian_types import CustodianAccount
from mapping.reserve_types import (
    BankMovement,
    FirmCapital,
    FocusMonthEnd,
    ReserveBankAccount,
    ReserveHolding,
    ReserveItem,
    ReserveNotice,
    ReserveSweep,
)
from mapping.token_layouts import ReviewedLayout
from mapping.types import (
    AssetRecord,
    Client,
    CustodianAddress,
    FirmAddress,
    PoolMember,
    Price,
    TransferAuthorization,
    Wallet,
    WalletDescriptor,
)
from verifier.store.books_codec import BOOKS_CODECS
from verifier.store.codec_types import Codec, date_or_none, fields_of, same_fields
from verifier.store.tables import (
    AcceptedControlRow,
    AssetRow,
    AuthorizationRow,
    BankMovementRow,
    ClientRow,
    CustodianAccountRow,
    CustodianAddressRow,
    FirmAddressRow,
    FirmCapitalRow,
    FocusMonthEndRow,
    PoolMemberRow,
    PriceRow,
    ReserveBankAccountRow,
    ReserveHoldingRow,
    ReserveItemRow,
    ReserveNoticeRow,
    ReserveSweepRow,
    TokenLayoutRow,
    WalletDescriptorRow,
    WalletRow,
)
from verifier.store.tables.base import StoredRow


def _asset_values(record: AssetRecord) -> dict[str, object]:
    return {
        "asset_id": record.asset.asset_id,
        "symbol": record.asset.symbol,
        "decimals": record.asset.decimals,
        "legal_class": record.legal_class,
        "legal_class_from": record.legal_class_from,
        "legal_class_reference": record.legal_class_reference,
        "dust_limit": record.dust_limit,
    }


def _asset(row: Any) -> AssetRecord:
    return AssetRecord(
        Asset(row.asset_id, row.symbol, row.decimals),
        row.legal_class,
        row.legal_class_from,
        row.legal_class_reference,
        row.dust_limit,
    )


_WALLET = (
    "chain_id", "address", "structure", "titling", "custodian", "mpc_vault", "key_scheme", "threshold", "share_count",
    "share_holders", "firm_alone_can_sign", "others_can_sign_without_firm", "opened_on", "closed_on", "gas_float_limit",
)  # fmt: skip


def _wallet_values(record: Wallet) -> dict[str, object]:
    holders = orjson.dumps(record.share_holders).decode()
    return {**{name: getattr(record, name) for name in _WALLET}, "share_holders": holders}


_wallet_fields = attrgetter(*_WALLET)
_SHARE_HOLDERS: Final = _WALLET.index("share_holders")
assert tuple(field.name for field in fields(Wallet)) == _WALLET, "a wallet is made of its columns in their order"


@lru_cache(maxsize=1_024)
def _share_holders(text: str) -> tuple[tuple[str, int], ...]:
    """Very many wallets have the same."""
    return tuple((str(name), int(count)) for name, count in orjson.loads(text))


def _wallet(row: Any) -> Wallet:
    values = list(_wallet_fields(row))
    values[_SHARE_HOLDERS] = _share_holders(values[_SHARE_HOLDERS])
    return Wallet(*values)


def _price_values(record: Price) -> dict[str, object]:
    return {
        "asset_id": record.asset_id,
        "currency": record.currency,
        "price": format(record.price, "f"),
        "as_of": record.as_of,
        "source": record.source,
    }


def _price(row: Any) -> Price:
    return Price(row.asset_id, row.currency, Decimal(row.price), row.as_of, row.source)


_LAYOUT = (
    "asset_id", "mapping_slot", "first_bit", "bits", "code_hash", "implementation", "implementation_slot",
    "implementation_code_hash", "reason",
)  # fmt: skip
_REVIEW = ("requested_by", "approved_by", "approved_at")


def _layout_values(record: ReviewedLayout) -> dict[str, object]:
    return {
        "chain_id": asset_chain_id(record.layout.asset_id),
        "slot_order": record.layout.order,
        **{name: getattr(record.layout, name) for name in _LAYOUT},
        **{name: getattr(record, name) for name in _REVIEW},
    }


def _layout(row: Any) -> ReviewedLayout:
    layout = TokenLayout(order=row.slot_order, **{name: getattr(row, name) for name in _LAYOUT})
    return ReviewedLayout(layout, **{name: getattr(row, name) for name in _REVIEW})


_CLIENT = ("client_id", "name", "opened_on", "closed_on")
_DESCRIPTOR = ("chain_id", "address", "descriptor", "role", "birth_height", "look_ahead", "derived")
_POOL = ("pool_id", "chain_id", "address", "from_date", "to_date")
_FIRM = ("chain_id", "address", "label", "valid_from", "valid_until", "tops_up_gas")
_CUSTODIAN = ("custodian", "chain_id", "address", "mpc_vault", "as_of")
_AUTHORIZATION = (
    "authorization_id", "chain_id", "wallet", "asset_id", "base_units_max", "destination", "fee_max", "valid_from",
    "valid_until", "purpose", "requested_by", "approved_by", "approved_at", "reference", "client_id",
)  # fmt: skip
_ACCEPTED = (
    "acceptance_id", "chain_id", "wallet", "kind", "asset_id", "subject", "base_units_max", "valid_from", "valid_until",
    "reason", "requested_by", "approved_by", "approved_at",
)  # fmt: skip
_ITEM = ("as_of", "computation", "item", "cents", "reference")
_ACCOUNT = (
    "account_id", "effective_from", "computation", "bank_id", "affiliated", "equity_capital", "call_report_on",
    "notified_on", "no_lien_contract_on",
)  # fmt: skip
_HOLDING = ("account_id", "as_of", "holding", "kind", "market_value", "priced_on", "statement_id")
_CAPITAL = ("as_of", "method", "net_capital", "tentative_net_capital", "aggregate_indebtedness", "reference")
_MONTH = ("month_end", "customer_credits", "pab_credits", "filed_on", "reference")
_NOTICE = ("kind", "given_on", "reference")
_AT_CUSTODIAN = (
    "location_id", "effective_from", "custodian", "account", "held_for", "titling", "currency", "reference",
    "closed_on",
)  # fmt: skip


def _at_custodian_values(record: CustodianAccount) -> dict[str, object]:
    due = "" if record.statement_due is None else record.statement_due.isoformat("minutes")
    return {**{name: getattr(record, name) for name in _AT_CUSTODIAN}, "statement_due": due}


def _at_custodian(row: Any) -> CustodianAccount:
    due = time.fromisoformat(row.statement_due) if row.statement_due else None
    return CustodianAccount(**{name: getattr(row, name) for name in _AT_CUSTODIAN}, statement_due=due)


_SWEEP = ("as_of", "swept_on", "cents", "reference")
_MOVEMENT = ("account_id", "bank_reference", "value_on", "direction", "cents", "instruction_id", "text")


def _dated(row_class: type[StoredRow], record_type: type[Any], names: tuple[str, ...], column: str, part: int) -> Codec:
    """Of records that are looked up by a date of their natural key."""
    return Codec(row_class, fields_of(*names), same_fields(record_type, *names), column, part, date_or_none)


CODECS: Final[Mapping[type[Any], Codec]] = {
    Client: Codec(ClientRow, fields_of(*_CLIENT), same_fields(Client, *_CLIENT), "client_id", 0),
    AssetRecord: Codec(AssetRow, _asset_values, _asset, "asset_id", 0),
    Wallet: Codec(WalletRow, _wallet_values, _wallet, "address", 1),
    WalletDescriptor: Codec(
        WalletDescriptorRow, fields_of(*_DESCRIPTOR), same_fields(WalletDescriptor, *_DESCRIPTOR), "address", 1
    ),
    PoolMember: Codec(PoolMemberRow, fields_of(*_POOL), same_fields(PoolMember, *_POOL), "address", 2),
    FirmAddress: Codec(FirmAddressRow, fields_of(*_FIRM), same_fields(FirmAddress, *_FIRM), "address", 1),
    CustodianAddress: Codec(
        CustodianAddressRow, fields_of(*_CUSTODIAN), same_fields(CustodianAddress, *_CUSTODIAN), "address", 2
    ),
    TransferAuthorization: Codec(
        AuthorizationRow,
        fields_of(*_AUTHORIZATION),
        same_fields(TransferAuthorization, *_AUTHORIZATION),
        "authorization_id",
        0,
    ),
    AcceptedControl: Codec(
        AcceptedControlRow, fields_of(*_ACCEPTED), same_fields(AcceptedControl, *_ACCEPTED), "acceptance_id", 0
    ),
    ReviewedLayout: Codec(TokenLayoutRow, _layout_values, _layout, "asset_id", 0),
    Price: Codec(PriceRow, _price_values, _price, "asset_id", 0),
    ReserveItem: _dated(ReserveItemRow, ReserveItem, _ITEM, "as_of", 0),
    ReserveBankAccount: _dated(ReserveBankAccountRow, ReserveBankAccount, _ACCOUNT, "effective_from", 1),
    ReserveHolding: _dated(ReserveHoldingRow, ReserveHolding, _HOLDING, "as_of", 1),
    FirmCapital: _dated(FirmCapitalRow, FirmCapital, _CAPITAL, "as_of", 0),
    FocusMonthEnd: _dated(FocusMonthEndRow, FocusMonthEnd, _MONTH, "month_end", 0),
    CustodianAccount: Codec(CustodianAccountRow, _at_custodian_values, _at_custodian, "location_id", 0),
    ReserveNotice: _dated(ReserveNoticeRow, ReserveNotice, _NOTICE, "given_on", 1),
    ReserveSweep: _dated(ReserveSweepRow, ReserveSweep, _SWEEP, "as_of", 0),
    BankMovement: Codec(
        BankMovementRow, fields_of(*_MOVEMENT), same_fields(BankMovement, *_MOVEMENT), "bank_reference", 1
    ),
    **BOOKS_CODECS,
}
"""The types of record that are stored as they are; ledger entries, snapshots and positions use interned texts."""
