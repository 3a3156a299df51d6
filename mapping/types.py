"""What the firm says: who its clients are, which wallets hold their assets, and who owns what when.

Frozen dataclasses that check themselves. Rows of a file become these, or `Problem`s; nothing in between.
Quantities are integers in base units; times are aware and in UTC; dates are civil dates of the firm.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Generic, TypeVar

from chains.errors import InvalidValue
from chains.types import Address, Asset, AssetId, ChainId, LocationId, account_location, pool_location, require_utc
from mapping.accepted_control import AcceptedControl
from mapping.books_types import BooksRecord
from mapping.custodian_types import CustodianAccount
from mapping.reserve_types import ReserveRecord
from mapping.token_layouts import ReviewedLayout


class AccountClass(StrEnum):
    """Whose asset it is, in the terms of 17 CFR 240.15c3-3."""

    CUSTOMER = "customer"
    PAB = "pab"
    """Proprietary account of another broker-dealer, 15c3-3(a)(16)."""
    PROPRIETARY = "proprietary"
    """The firm's own."""


class Structure(StrEnum):
    """How a wallet is used."""

    OMNIBUS = "omnibus"
    """Assets of many clients together."""
    FULLY_SEGREGATED = "fully_segregated"
    """Assets of exactly one client."""


class LegalClass(StrEnum):
    """What the firm decided a digital asset is under the securities laws; undetermined is never compliant."""

    SECURITY = "security"
    NON_SECURITY_CRYPTO = "non_security_crypto"
    PAYMENT_STABLECOIN = "payment_stablecoin"
    UNDETERMINED = "undetermined"


class Purpose(StrEnum):
    """What an authorized transfer is for. Only those of `FIRM_PURPOSES` may go to a firm address."""

    CLIENT_WITHDRAWAL = "client_withdrawal"
    INTERNAL_REBALANCING = "internal_rebalancing"
    EARNED_FEE = "earned_fee"
    ERROR_CORRECTION = "error_correction"
    GAS_FLOAT_RETURN = "gas_float_return"
    GAS_TOP_UP = "gas_top_up"
    REDEMPTION = "redemption"
    """Tokens given back for what they stand for, to their issuer or burnt: alone it may name the zero address."""


FIRM_PURPOSES = frozenset({Purpose.EARNED_FEE, Purpose.ERROR_CORRECTION, Purpose.GAS_FLOAT_RETURN})
"""Purposes for which an approved transfer to a firm address is listed for review instead of commingling."""


class EntryKind(StrEnum):
    """Why a ledger entry exists."""

    MOVEMENT = "movement"
    SNAPSHOT = "snapshot"
    """Brings the book to the figure that a snapshot file states."""
    CORRECTION = "correction"
    """Puts an earlier entry right; it names the one it corrects."""
    GAS_FLOAT = "gas_float"
    """The firm's own native coin, kept in a client wallet to pay fees; proprietary only."""


class PositionSource(StrEnum):
    """Who states a position."""

    CUSTODIAN = "custodian"
    DTC = "dtc"
    BANK = "bank"
    PRIME_BROKER = "prime_broker"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record came from."""

    source: str
    """File name, or `posted` for a row given by itself."""
    digest: str
    """SHA-256 (hex) of the whole file or of the posted row."""
    line: int
    """First line of the row in the file; 1 for a posted row."""


@dataclass(frozen=True, slots=True)
class Client:
    """A beneficial owner."""

    client_id: str
    name: str
    opened_on: date
    closed_on: date | None = None


@dataclass(frozen=True, slots=True)
class AssetRecord:
    """An asset the firm holds for clients, with its reviewed decimals and its dated legal class."""

    asset: Asset
    legal_class: LegalClass
    legal_class_from: date
    legal_class_reference: str
    """Reference of the decision, for example a memo number."""
    dust_limit: int = 0
    """Base units: an unsolicited deposit below this shares one case per asset and day."""

    def __post_init__(self) -> None:
        if self.dust_limit < 0:
            raise InvalidValue("dust_limit is negative")


@dataclass(frozen=True, slots=True)
class Wallet:
    """One address on one chain that holds client assets, and how its key is governed."""

    chain_id: ChainId
    address: Address
    structure: Structure
    titling: str
    """The name the wallet stands in at the custodian."""
    custodian: str
    mpc_vault: str
    key_scheme: str
    """For example `mpc-cmp-ecdsa`, `multisig`, `single-key`."""
    threshold: int
    """Shares needed to sign (m of n)."""
    share_count: int
    """Shares there are (n)."""
    share_holders: tuple[tuple[str, int], ...]
    """Who holds how many shares; the numbers add up to `share_count`."""
    firm_alone_can_sign: bool
    others_can_sign_without_firm: bool
    opened_on: date
    closed_on: date | None = None
    gas_float_limit: int = 0
    """Base units of the native asset that the firm may keep here for fees."""

    def __post_init__(self) -> None:
        if not 1 <= self.threshold <= self.share_count:
            raise InvalidValue(f"threshold {self.threshold} of {self.share_count} shares is impossible")
        if sum(count for _, count in self.share_holders) != self.share_count:
            raise InvalidValue(f"the share holders' shares do not add up to {self.share_count}")
        if self.gas_float_limit < 0:
            raise InvalidValue("gas_float_limit is negative")
        if self.closed_on is not None and self.closed_on < self.opened_on:
            raise InvalidValue("closed_on is before opened_on")

    @property
    def location_id(self) -> LocationId:
        """The wallet as a location."""
        return account_location(self.chain_id, self.address)


class DescriptorRole(StrEnum):
    """What the addresses of a descriptor are for."""

    EXTERNAL = "external"
    """Given out, to be paid to."""
    CHANGE = "change"
    """Never given out: what a payment leaves over comes back here."""


@dataclass(frozen=True, slots=True)
class WalletDescriptor:
    """A wallet of many addresses, told by an output descriptor. Each derived address is a `Wallet` of its own too."""

    chain_id: ChainId
    address: Address
    """The address of number 0: the wallet that all others are like."""
    descriptor: str
    """In its one spelling, with its checksum."""
    role: DescriptorRole
    birth_height: int | None
    """First block that could have paid one of its addresses, where it is known."""
    look_ahead: int
    """How many addresses behind the last one in use are watched."""
    derived: int
    """How many addresses are wallets: numbers 0 to this less one."""


@dataclass(frozen=True, slots=True)
class PoolMember:
    """That a wallet belongs to an omnibus pool in a period; the pool is one location over all its wallets."""

    pool_id: str
    chain_id: ChainId
    address: Address
    from_date: date
    to_date: date | None = None

    @property
    def location_id(self) -> LocationId:
        """The pool as a location."""
        return pool_location(self.pool_id)


@dataclass(frozen=True, slots=True)
class FirmAddress:
    """An address of the firm itself: a client asset that arrives there is commingled unless approved."""

    chain_id: ChainId
    address: Address
    label: str
    valid_from: date
    valid_until: date | None = None
    tops_up_gas: bool = False
    """Whether native coin that comes from it into a client wallet is gas float; anything else of the firm's is not."""


@dataclass(frozen=True, slots=True)
class CustodianAddress:
    """One line of the custodian's own inventory of addresses it keeps for the firm."""

    custodian: str
    chain_id: ChainId
    address: Address
    mpc_vault: str
    as_of: datetime

    def __post_init__(self) -> None:
        require_utc(self.as_of, "as_of")


@dataclass(frozen=True, slots=True)
class Allocation:
    """One row of a snapshot: what a client owned at a location at a moment, zero to close."""

    client_id: str
    account_class: AccountClass
    location_id: LocationId
    asset_id: AssetId
    base_units: int
    as_of: datetime
    is_gas_float: bool = False

    def __post_init__(self) -> None:
        require_utc(self.as_of, "as_of")
        if self.base_units < 0:
            raise InvalidValue("a snapshot cannot state a negative quantity")


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One signed change of what a client owns at a location. An allocation is the sum of entries as of a time."""

    entry_id: str
    client_id: str
    account_class: AccountClass
    location_id: LocationId
    asset_id: AssetId
    base_units: int
    effective_at: datetime
    """The moment from which it holds."""
    kind: EntryKind
    corrects: str = ""
    """The entry_id this corrects; empty for others. A gas float is corrected by an entry of kind gas_float."""

    def __post_init__(self) -> None:
        require_utc(self.effective_at, "effective_at")
        if (self.kind is EntryKind.GAS_FLOAT) and self.account_class is not AccountClass.PROPRIETARY:
            raise InvalidValue("a gas float is the firm's own: account_class must be proprietary")
        if self.kind is EntryKind.CORRECTION and not self.corrects:
            raise InvalidValue("a correction names the entry it corrects")
        if self.corrects and self.kind not in (EntryKind.CORRECTION, EntryKind.GAS_FLOAT):
            raise InvalidValue(f"an entry of kind {self.kind} corrects nothing; write it as kind correction")


@dataclass(frozen=True, slots=True)
class TransferAuthorization:
    """Approval of an outgoing transfer: what may leave, to where, until when, and who asked and approved."""

    authorization_id: str
    chain_id: ChainId
    wallet: Address
    asset_id: AssetId
    base_units_max: int
    destination: Address
    fee_max: int | None
    """Base units of the native asset; None when the approval sets no limit."""
    valid_from: datetime
    valid_until: datetime
    purpose: Purpose
    requested_by: str
    approved_by: str
    approved_at: datetime
    reference: str
    client_id: str = ""
    """Whose assets leave; empty for internal purposes."""

    def __post_init__(self) -> None:
        for name in ("valid_from", "valid_until", "approved_at"):
            require_utc(getattr(self, name), name)
        if self.base_units_max <= 0:
            raise InvalidValue("an authorization allows a positive quantity")
        if self.fee_max is not None and self.fee_max < 0:
            raise InvalidValue("fee_max is negative")
        if self.valid_until <= self.valid_from:
            raise InvalidValue("valid_until is not after valid_from")
        if self.requested_by.strip().casefold() == self.approved_by.strip().casefold():
            raise InvalidValue("requested_by and approved_by are the same person")


@dataclass(frozen=True, slots=True)
class Position:
    """What an outside party states about a location: a custodian, DTC, a bank."""

    location_id: LocationId
    asset_id: AssetId
    base_units: int
    as_of: datetime
    source: PositionSource
    stated_by: str
    """Name of the custodian, depository or bank."""
    statement_id: str

    def __post_init__(self) -> None:
        require_utc(self.as_of, "as_of")
        if self.base_units < 0:
            raise InvalidValue("a stated position cannot be negative")


@dataclass(frozen=True, slots=True)
class Price:
    """The price of one whole unit of an asset, for dollar figures; never for matching."""

    asset_id: AssetId
    currency: str
    price: Decimal
    as_of: datetime
    source: str

    def __post_init__(self) -> None:
        require_utc(self.as_of, "as_of")
        if not self.price.is_finite() or self.price < 0:
            raise InvalidValue("a price is a finite number, zero or more")


Record = (
    Client
    | AssetRecord
    | Wallet
    | WalletDescriptor
    | PoolMember
    | FirmAddress
    | CustodianAddress
    | Allocation
    | LedgerEntry
    | TransferAuthorization
    | AcceptedControl
    | ReviewedLayout
    | CustodianAccount
    | Position
    | Price
    | ReserveRecord
    | BooksRecord
)
"""Any row of any of the sub-ledger's files."""


T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Sourced(Generic[T_co]):
    """A record with where it came from."""

    record: T_co
    origin: Origin


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with one field of a file. Problems are collected, all of them, never raised."""

    file: str
    line: int
    """Line in the file, from 1; 0 when the whole file is meant."""
    column: str
    """Column name; empty when the whole row or file is meant."""
    value: str
    """The offending value, at most 80 characters, control characters escaped."""
    reason: str
    """One sentence: what is wrong and what would be right."""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" + (f" [{self.column}]" if self.column else "")
        shown = f" {self.value!r}:" if self.value else ""
        return f"{where}:{shown} {self.reason}"
