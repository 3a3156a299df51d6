"""What the firm says, as it was imported. A newer row with the same natural key supersedes an older one."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ExcludeConstraint

from chains.evm.token_layout import SlotOrder
from mapping.accepted_control import AcceptedKind
from mapping.types import AccountClass, DescriptorRole, EntryKind, LegalClass, PositionSource, Purpose, Structure
from verifier.store.tables.base import DataRow, HotRow, column, rules
from verifier.store.types import BaseUnits, CivilDate, EnumText, Flag, UtcTime, Whole, Words


class InternedTextRow(HotRow, table=True):
    """A text that many rows repeat (a location, an asset id, a client id, all wallets of a chain), kept once.

    PostgreSQL's usual index takes no text longer than 2,704 bytes, which sixty wallets fill; one of hashes takes any.
    """

    __tablename__ = "interned_text"
    __table_args__ = rules(
        sa.UniqueConstraint("text").ddl_if(dialect="sqlite"),
        ExcludeConstraint(("text", "="), using="hash", name="ex_interned_text_text").ddl_if(dialect="postgresql"),
    )

    text: str = column(Words())


class AssetValueRow(HotRow, table=True):
    """An asset exactly as a record named it: id, symbol and decimals."""

    __tablename__ = "asset_value"
    __table_args__ = rules(sa.UniqueConstraint("asset_id", "symbol", "decimals"))

    asset_id: str = column(Words())
    symbol: str = column(Words())
    decimals: int = column(Whole())


class ImportedFileRow(DataRow, table=True):
    """One file, or one posted row, that was imported whole."""

    __tablename__ = "imported_file"
    __table_args__ = rules(sa.UniqueConstraint("digest"))

    digest: str = column(Words())
    name: str = column(Words())
    row_count: int = column(Whole())


class ImportedRow(DataRow):
    """A row that came from a file."""

    file_key: int = column(Whole(), to="imported_file.record_id")
    line: int = column(Whole())


class ClientRow(ImportedRow, table=True):
    """A beneficial owner."""

    __tablename__ = "client"
    __table_args__ = rules(sa.Index(None, "client_id"))

    client_id: str = column(Words())
    name: str = column(Words())
    opened_on: date = column(CivilDate())
    closed_on: date | None = column(CivilDate())


class AssetRow(ImportedRow, table=True):
    """An asset of the reviewed table."""

    __tablename__ = "asset"
    __table_args__ = rules(sa.Index(None, "asset_id"))

    asset_id: str = column(Words())
    symbol: str = column(Words())
    decimals: int = column(Whole())
    legal_class: LegalClass = column(EnumText(LegalClass))
    legal_class_from: date = column(CivilDate())
    legal_class_reference: str = column(Words())
    dust_limit: int = column(BaseUnits())


class WalletRow(ImportedRow, table=True):
    """One address on one chain that holds client assets."""

    __tablename__ = "wallet"
    __table_args__ = rules(sa.Index(None, "chain_id", "address"))

    chain_id: str = column(Words())
    address: str = column(Words())
    structure: Structure = column(EnumText(Structure))
    titling: str = column(Words())
    custodian: str = column(Words())
    mpc_vault: str = column(Words())
    key_scheme: str = column(Words())
    threshold: int = column(Whole())
    share_count: int = column(Whole())
    share_holders: str = column(Words())
    """JSON array of [holder, number of shares]."""
    firm_alone_can_sign: bool = column(Flag())
    others_can_sign_without_firm: bool = column(Flag())
    opened_on: date = column(CivilDate())
    closed_on: date | None = column(CivilDate())
    gas_float_limit: int = column(BaseUnits())


class WalletDescriptorRow(ImportedRow, table=True):
    """A wallet of many addresses; each address that follows from it is a row of `wallet` too."""

    __tablename__ = "wallet_descriptor"
    __table_args__ = rules(sa.Index(None, "chain_id", "address"))

    chain_id: str = column(Words())
    address: str = column(Words())
    descriptor: str = column(Words())
    role: DescriptorRole = column(EnumText(DescriptorRole))
    birth_height: int | None = column(Whole())
    look_ahead: int = column(Whole())
    derived: int = column(Whole())


class PoolMemberRow(ImportedRow, table=True):
    """That a wallet belongs to a pool in a period."""

    __tablename__ = "pool_member"
    __table_args__ = rules(sa.Index(None, "chain_id", "address"))

    pool_id: str = column(Words())
    chain_id: str = column(Words())
    address: str = column(Words())
    from_date: date = column(CivilDate())
    to_date: date | None = column(CivilDate())


class FirmAddressRow(ImportedRow, table=True):
    """An address of the firm itself."""

    __tablename__ = "firm_address"
    __table_args__ = rules(sa.Index(None, "chain_id", "address"))

    chain_id: str = column(Words())
    address: str = column(Words())
    label: str = column(Words())
    valid_from: date = column(CivilDate())
    valid_until: date | None = column(CivilDate())
    tops_up_gas: bool = column(Flag())


class CustodianAddressRow(ImportedRow, table=True):
    """One line of a custodian's own inventory."""

    __tablename__ = "custodian_address"
    __table_args__ = rules(sa.Index(None, "chain_id", "address"))

    custodian: str = column(Words())
    chain_id: str = column(Words())
    address: str = column(Words())
    mpc_vault: str = column(Words())
    as_of: datetime = column(UtcTime())


class StatedAllocationRow(ImportedRow, table=True):
    """A row of a snapshot file as it was stated; the entries it led to are in `ledger_entry`."""

    __tablename__ = "stated_allocation"
    __table_args__ = rules(sa.Index(None, "location_key", "asset_key", "as_of"))

    client_key: int = column(Whole(), to="interned_text.record_id")
    account_class: AccountClass = column(EnumText(AccountClass))
    location_key: int = column(Whole(), to="interned_text.record_id")
    asset_key: int = column(Whole(), to="interned_text.record_id")
    base_units: int = column(BaseUnits())
    as_of: datetime = column(UtcTime())
    is_gas_float: bool = column(Flag())


class LedgerEntryRow(ImportedRow, table=True):
    """One signed change of what a client owns at a location."""

    __tablename__ = "ledger_entry"
    __table_args__ = rules(sa.UniqueConstraint("entry_id"), sa.Index(None, "location_key", "asset_key"))

    entry_id: str = column(Words())
    client_key: int = column(Whole(), to="interned_text.record_id")
    account_class: AccountClass = column(EnumText(AccountClass))
    location_key: int = column(Whole(), to="interned_text.record_id")
    asset_key: int = column(Whole(), to="interned_text.record_id")
    base_units: int = column(BaseUnits())
    effective_at: datetime = column(UtcTime())
    kind: EntryKind = column(EnumText(EntryKind))
    corrects: str = column(Words())


class AuthorizationRow(ImportedRow, table=True):
    """Approval of an outgoing transfer."""

    __tablename__ = "transfer_authorization"
    __table_args__ = rules(
        sa.UniqueConstraint("authorization_id"),
        sa.Index(None, "chain_id", "wallet"),
        sa.CheckConstraint("requested_by <> approved_by", name="maker_is_not_checker"),
    )

    authorization_id: str = column(Words())
    chain_id: str = column(Words())
    wallet: str = column(Words())
    asset_id: str = column(Words())
    base_units_max: int = column(BaseUnits())
    destination: str = column(Words())
    fee_max: int | None = column(BaseUnits())
    valid_from: datetime = column(UtcTime())
    valid_until: datetime = column(UtcTime())
    purpose: Purpose = column(EnumText(Purpose))
    requested_by: str = column(Words())
    approved_by: str = column(Words())
    approved_at: datetime = column(UtcTime())
    reference: str = column(Words())
    client_id: str = column(Words())


class AcceptedControlRow(ImportedRow, table=True):
    """That somebody beside a wallet's own key may move something; a newer row of the id is a new version."""

    __tablename__ = "accepted_control"
    __table_args__ = rules(
        sa.Index(None, "acceptance_id"),
        sa.Index(None, "chain_id", "wallet"),
        sa.CheckConstraint("requested_by <> approved_by", name="maker_is_not_checker"),
    )

    acceptance_id: str = column(Words())
    chain_id: str = column(Words())
    wallet: str = column(Words())
    kind: AcceptedKind = column(EnumText(AcceptedKind))
    asset_id: str | None = column(Words())
    subject: str = column(Words())
    base_units_max: int | None = column(BaseUnits())
    """NULL for any amount, and for kinds that are about everything in the wallet."""
    valid_from: datetime = column(UtcTime())
    valid_until: datetime = column(UtcTime())
    reason: str = column(Words())
    requested_by: str = column(Words())
    approved_by: str = column(Words())
    approved_at: datetime = column(UtcTime())


class TokenLayoutRow(ImportedRow, table=True):
    """Where a token keeps its balances, as reviewed; a newer row of the asset is a new version."""

    __tablename__ = "token_layout"
    __table_args__ = rules(
        sa.Index(None, "asset_id"),
        sa.CheckConstraint("requested_by <> approved_by", name="maker_is_not_checker"),
    )

    chain_id: str = column(Words())
    asset_id: str = column(Words())
    slot_order: SlotOrder = column(EnumText(SlotOrder))
    mapping_slot: int = column(BaseUnits())
    first_bit: int = column(Whole())
    bits: int = column(Whole())
    code_hash: str = column(Words())
    implementation: str | None = column(Words())
    implementation_slot: int | None = column(BaseUnits())
    implementation_code_hash: str = column(Words())
    reason: str = column(Words())
    """Why it is unprovable; empty when it is not."""
    requested_by: str = column(Words())
    approved_by: str = column(Words())
    approved_at: datetime = column(UtcTime())


class PositionRow(ImportedRow, table=True):
    """What an outside party states about a location."""

    __tablename__ = "position"
    __table_args__ = rules(sa.Index(None, "stated_by", "statement_id"), sa.Index(None, "location_key", "asset_key"))

    location_key: int = column(Whole(), to="interned_text.record_id")
    asset_key: int = column(Whole(), to="interned_text.record_id")
    base_units: int = column(BaseUnits())
    as_of: datetime = column(UtcTime())
    source: PositionSource = column(EnumText(PositionSource))
    stated_by: str = column(Words())
    statement_id: str = column(Words())


class PriceRow(ImportedRow, table=True):
    """The price of one whole unit of an asset."""

    __tablename__ = "price"
    __table_args__ = rules(sa.Index(None, "asset_id", "as_of"))

    asset_id: str = column(Words())
    currency: str = column(Words())
    price: str = column(Words())
    """Plain decimal digits."""
    as_of: datetime = column(UtcTime())
    source: str = column(Words())
