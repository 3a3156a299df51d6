"""The value types every package shares: ids, assets, amounts, blocks, and what a chain was seen to say.

All of them are frozen dataclasses that check themselves when they are made, so a value that exists is valid.
Amounts are integers in the asset's base units; `Decimal` appears only where a person reads or writes a
quantity, and never loses a unit on the way. Every time is aware and in UTC.

Ids follow the open standards: chains CAIP-2, accounts CAIP-10, assets CAIP-19, securities `cusip:` with its
check digit, cash `iso4217:`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from enum import StrEnum
from typing import Final, NamedTuple, NewType

from chains.errors import InvalidValue

ChainId = NewType("ChainId", str)
"""CAIP-2 chain id, for example `eip155:1`."""

Address = NewType("Address", str)
"""An address in its chain's one canonical spelling: EIP-55 checksum for EVM, lower-case bech32 for segwit."""

AssetId = NewType("AssetId", str)
"""CAIP-19 asset id (`eip155:1/slip44:60`, `eip155:1/erc20:0x…`, `eip155:1/erc721:0x…/7`), `cusip:…`, `iso4217:…`."""

LocationId = NewType("LocationId", str)
"""Where an asset is: a CAIP-10 account, `pool:ID`, `dtc:PARTICIPANT`, `bank:ID`."""

UINT256_MAX: Final = 2**256 - 1
DECIMALS_MAX: Final = 77
"""Most decimals an asset may have: 10**77 is the largest power of ten below 2**256."""

_CHAIN_ID = re.compile(r"[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}", re.ASCII)
_ASSET_PART = re.compile(r"[-a-z0-9]{3,8}:[-.%a-zA-Z0-9]{1,128}(/[-.%a-zA-Z0-9]{1,78})?", re.ASCII)
"""CAIP-19 behind the chain: namespace, reference, and the id of one token of a collection where there is one."""
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_LOCATION_ID = re.compile(r"[a-z][-a-z0-9]{1,15}:[-._:%a-zA-Z0-9]{1,150}", re.ASCII)
_QUANTITY = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?", re.ASCII)
_BLOCK_HASH = re.compile(r"(0x)?[0-9a-f]{64}", re.ASCII)

EXACT: Final = Context(prec=200, Emin=-10_000, Emax=10_000, traps=[Inexact, InvalidOperation, Overflow], clamp=0)
"""Decimal context for quantities: wide enough for uint256, and any inexact result raises."""


def parse_chain_id(text: str) -> ChainId:
    """Check a CAIP-2 chain id; raise `InvalidValue` when it is not one."""
    if not _CHAIN_ID.fullmatch(text):
        raise InvalidValue(f"{text!r} is not a CAIP-2 chain id such as eip155:1")
    return ChainId(text)


def chain_namespace(chain_id: ChainId) -> str:
    """The CAIP-2 namespace, for example `eip155`: it selects the adapter that reads the chain."""
    return chain_id.partition(":")[0]


def burn_address(chain_id: ChainId) -> Address | None:
    """The address that tokens are burnt to, which belongs to nobody; None on chains that have no such thing."""
    return Address("0x" + "0" * 40) if chain_namespace(chain_id) == "eip155" else None


def account_location(chain_id: ChainId, address: Address) -> LocationId:
    """The CAIP-10 account id of an address on a chain, used as the location of what it holds."""
    return LocationId(f"{chain_id}:{address}")


def pool_location(pool_id: str) -> LocationId:
    """The location of a pool: a dated set of wallets that is reconciled as one."""
    return LocationId(f"pool:{pool_id}")


def parse_location_id(text: str) -> LocationId:
    """Check the form of a location id; whether the location is known is the sub-ledger's question."""
    if not _LOCATION_ID.fullmatch(text):
        raise InvalidValue(f"{text!r} is not a location id (chain account, pool:ID, dtc:…, bank:…)")
    return LocationId(text)


def cusip_check_digit(base: str) -> int:
    """Check digit of the first eight characters of a CUSIP (ANSI X9.6: modulus 10, double add double)."""
    total = 0
    for position, character in enumerate(base):
        if character.isdigit():
            value = int(character)
        elif "A" <= character <= "Z":
            value = ord(character) - ord("A") + 10
        else:
            value = {"*": 36, "@": 37, "#": 38}[character]
        if position % 2 == 1:
            value *= 2
        total += value // 10 + value % 10
    return (10 - total % 10) % 10


def parse_asset_id(text: str) -> AssetId:
    """Check an asset id and return it; a CUSIP must carry its right check digit.

    Raises `InvalidValue`. The spelling of an address inside a CAIP-19 id is checked by the chain's adapter.
    """
    if text.startswith("cusip:"):
        cusip = text.removeprefix("cusip:")
        if not re.fullmatch(r"[0-9A-Z*@#]{8}[0-9]", cusip, re.ASCII):
            raise InvalidValue(f"{text!r} is not a CUSIP of nine characters")
        if int(cusip[8]) != cusip_check_digit(cusip[:8]):
            raise InvalidValue(f"{text!r} has a wrong CUSIP check digit")
        return AssetId(text)
    if text.startswith("iso4217:"):
        if not _CURRENCY.fullmatch(text.removeprefix("iso4217:")):
            raise InvalidValue(f"{text!r} is not an ISO 4217 currency such as iso4217:USD")
        return AssetId(text)
    chain, slash, part = text.partition("/")
    if not slash or not _CHAIN_ID.fullmatch(chain) or not _ASSET_PART.fullmatch(part):
        raise InvalidValue(f"{text!r} is not a CAIP-19 asset id, cusip: or iso4217:")
    return AssetId(text)


def asset_chain_id(asset_id: AssetId) -> ChainId | None:
    """The chain a CAIP-19 asset lives on; None for securities and cash."""
    chain, slash, _ = asset_id.partition("/")
    return ChainId(chain) if slash else None


def has_token_id(asset_id: AssetId) -> bool:
    """Whether a CAIP-19 id names one token of a collection: `eip155:1/erc721:0x…/7`."""
    return asset_id.count("/") == 2


def require_utc(moment: datetime, name: str) -> datetime:
    """Return the moment in UTC; a naive one is refused because nobody can say which moment it means."""
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise InvalidValue(f"{name} has no time zone")
    return moment.astimezone(UTC)


def utc_text(moment: datetime) -> str:
    """The one text form of a time in records and bundles: `2026-01-31T23:59:59.000000Z`."""
    return require_utc(moment, "time").strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True, slots=True)
class Asset:
    """What is held. The identity is the id; the symbol is for display and is never compared or trusted."""

    asset_id: AssetId
    symbol: str
    """Display name from the reviewed asset table, never from the chain."""
    decimals: int
    """Base units per whole unit as a power of ten, from the reviewed asset table."""

    def __post_init__(self) -> None:
        parse_asset_id(self.asset_id)
        if not 0 <= self.decimals <= DECIMALS_MAX:
            raise InvalidValue(f"decimals of {self.asset_id} must be 0 to {DECIMALS_MAX}, not {self.decimals}")
        if self.is_token_of_collection and self.decimals:
            raise InvalidValue(f"decimals of {self.asset_id} must be 0: a token of a collection is counted whole")

    @property
    def chain_id(self) -> ChainId | None:
        """The chain the asset lives on; None for securities and cash."""
        return asset_chain_id(self.asset_id)

    @property
    def is_native(self) -> bool:
        """Whether this is a chain's own coin (CAIP-19 namespace slip44), in which fees are paid."""
        return "/slip44:" in self.asset_id

    @property
    def is_token_of_collection(self) -> bool:
        """Whether this is one token of a collection, whose base unit is the token itself (ERC-721, ERC-1155)."""
        return has_token_id(self.asset_id)

    def parse_quantity(self, text: str) -> int:
        """Base units of a plain decimal quantity such as `12.5`; exact or refused.

        No exponent, sign `+`, grouping or bare point is accepted, and no more decimals than the asset has
        (trailing zeros included, so that a file from a spreadsheet that rounds is noticed).
        """
        if not _QUANTITY.fullmatch(text):
            raise InvalidValue(f"{text!r} is not a plain decimal number such as 12.5")
        whole, _, fraction = text.partition(".")
        if len(fraction) > self.decimals:
            raise InvalidValue(f"{text!r} has {len(fraction)} decimals, {self.symbol} has {self.decimals}")
        if len(whole) > 80:
            raise InvalidValue("the quantity is larger than 2**256 - 1 base units")
        base_units = int(whole + fraction.ljust(self.decimals, "0"))
        if abs(base_units) > UINT256_MAX:
            raise InvalidValue("the quantity is larger than 2**256 - 1 base units")
        return base_units

    def quantity(self, base_units: int) -> Decimal:
        """The exact decimal quantity of an amount in base units, for people to read."""
        return EXACT.scaleb(Decimal(base_units), -self.decimals)

    def format_quantity(self, base_units: int) -> str:
        """Plain text of the exact quantity, all decimals shown: `-0.500000` for -500000 with 6 decimals."""
        sign = "-" if base_units < 0 else ""
        digits = str(abs(base_units)).rjust(self.decimals + 1, "0")
        if self.decimals == 0:
            return sign + digits
        return f"{sign}{digits[: -self.decimals]}.{digits[-self.decimals :]}"


@dataclass(frozen=True, slots=True)
class Amount:
    """A signed whole number of base units of one asset. Amounts of different assets never add."""

    base_units: int
    asset: Asset

    def __post_init__(self) -> None:
        if type(self.base_units) is not int:  # a bool is an int too, and no amount
            raise InvalidValue(f"base units must be an int, not {type(self.base_units).__name__}")
        if abs(self.base_units) > UINT256_MAX:
            raise InvalidValue("an amount cannot exceed 2**256 - 1 base units")

    def __add__(self, other: Amount) -> Amount:
        self._require_same_asset(other)
        return Amount(self.base_units + other.base_units, self.asset)

    def __sub__(self, other: Amount) -> Amount:
        self._require_same_asset(other)
        return Amount(self.base_units - other.base_units, self.asset)

    def _require_same_asset(self, other: Amount) -> None:
        if other.asset.asset_id != self.asset.asset_id:
            raise InvalidValue(f"{self.asset.asset_id} and {other.asset.asset_id} cannot be added")

    def __str__(self) -> str:
        return f"{self.asset.format_quantity(self.base_units)} {self.asset.symbol}"


class FinalityKind(StrEnum):
    """How a chain says that a block will stay."""

    LATEST = "latest"
    SAFE = "safe"
    FINALIZED = "finalized"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class Finality:
    """The finality a block was chosen at; `confirmations` is set for CONFIRMED only."""

    kind: FinalityKind
    confirmations: int = 0

    def __post_init__(self) -> None:
        if (self.kind is FinalityKind.CONFIRMED) != (self.confirmations > 0):
            raise InvalidValue("confirmations belong to `confirmed` finality, and are at least 1 there")

    @property
    def is_final(self) -> bool:
        """Whether findings at this finality are confirmed rather than provisional."""
        return self.kind in (FinalityKind.FINALIZED, FinalityKind.CONFIRMED)

    def __str__(self) -> str:
        return f"confirmed({self.confirmations})" if self.kind is FinalityKind.CONFIRMED else str(self.kind)

    @staticmethod
    def parse(text: str) -> Finality:
        """Read `latest`, `safe`, `finalized` or `confirmed(12)`."""
        if match := re.fullmatch(r"confirmed\(([1-9][0-9]{0,5})\)", text, re.ASCII):
            return Finality(FinalityKind.CONFIRMED, int(match[1]))
        if text in (FinalityKind.LATEST, FinalityKind.SAFE, FinalityKind.FINALIZED):
            return Finality(FinalityKind(text))
        raise InvalidValue(f"{text!r} is not a finality: latest, safe, finalized or confirmed(12)")


@dataclass(frozen=True, slots=True)
class BlockRef:
    """One block, named by its hash. The height alone never identifies a block."""

    chain_id: ChainId
    height: int
    block_hash: str
    """64 lower-case hex digits, with `0x` on EVM chains."""
    parent_hash: str
    timestamp: datetime
    """The block's own time; miners and validators choose it within limits."""

    def __post_init__(self) -> None:
        if self.height < 0:
            raise InvalidValue(f"block height {self.height} is negative")
        for value in (self.block_hash, self.parent_hash):
            if not _BLOCK_HASH.fullmatch(value):
                raise InvalidValue(f"{value!r} is not a block hash")
        require_utc(self.timestamp, "block timestamp")

    def __str__(self) -> str:
        return f"{self.chain_id} block {self.height} ({self.block_hash[:10]}…)"


class StateEvidence(StrEnum):
    """How strongly the figure itself is evidenced, weakest last."""

    PROVEN = "proven"
    """A state proof was checked against the header."""
    READ = "read"
    """A node answered it at the pinned block hash."""
    STATED = "stated"
    """A custodian or bank says so."""


class AnchorEvidence(StrEnum):
    """How strongly the block hash is evidenced, weakest last."""

    AUDITOR = "auditor"
    """The reader's own node or checkpoint knows the block."""
    AGREED = "agreed"
    """Several independent operators gave the same block."""
    SINGLE = "single"
    """One operator's word."""


def overall_grade(state: StateEvidence, anchor: AnchorEvidence) -> StateEvidence:
    """The grade a figure may be shown with: `proven` needs a proof and an anchor of `agreed` or better.

    One lying node can invent a header, its state root and proofs that fit; so a proof under a single
    operator's header is worth no more than a read.
    """
    if state is StateEvidence.PROVEN and anchor is AnchorEvidence.SINGLE:
        return StateEvidence.READ
    return state


class Holding(NamedTuple):
    """One thing to read: the balance of one asset at one address."""

    address: Address
    asset: Asset


class ReadStatus(StrEnum):
    """What became of one read."""

    OK = "ok"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class BalanceObservation:
    """What a chain said about one balance at one block, or why it could not be learnt.

    A failed read carries no amount at all: it can never be mistaken for zero.
    """

    holding: Holding
    block: BlockRef
    finality: Finality
    status: ReadStatus
    base_units: int | None
    """The balance in base units; None exactly when the read failed."""
    method: str
    """How it was read: `state-override`, `initcode`, `multicall3`, `batch`, …"""
    node_id: str
    """The configured name of the node that answered; never a URL."""
    state: StateEvidence = StateEvidence.READ
    anchor: AnchorEvidence = AnchorEvidence.SINGLE
    reason: str = ""
    """Why the read failed: a stable code, then one sentence. Empty on success."""

    def __post_init__(self) -> None:
        if (self.status is ReadStatus.OK) != (self.base_units is not None):
            raise InvalidValue("an observation has an amount exactly when the read succeeded")
        if self.base_units is not None and not 0 <= self.base_units <= UINT256_MAX:
            raise InvalidValue("an observed balance must be 0 to 2**256 - 1 base units")
        if (self.status is ReadStatus.FAILED) != bool(self.reason):
            raise InvalidValue("a failed read has a reason, a good one has none")


class TransferKind(StrEnum):
    """What kind of movement a transfer is."""

    NATIVE = "native"
    TOKEN = "token"  # noqa: S105 - a kind of transfer, not a credential
    INTERNAL = "internal"
    FEE = "fee"
    COINBASE = "coinbase"
    WITHDRAWAL = "withdrawal"


@dataclass(frozen=True, slots=True)
class Transfer:
    """One movement of one asset. Fees are transfers of kind `fee` without a receiver."""

    block: BlockRef
    tx_id: str
    index: int
    """Position within the transaction: the log index for tokens, 0 for a top-level value, -1 for the fee, -2 for what a
    rollup's deposit mints. Further parts of one log are 2^32 apart. Internal transfers count from 1 on."""
    asset: Asset
    sender: Address | None
    receiver: Address | None
    base_units: int
    kind: TransferKind

    def __post_init__(self) -> None:
        if not 0 <= self.base_units <= UINT256_MAX:
            raise InvalidValue("a transfer moves 0 to 2**256 - 1 base units")
        if self.sender is None and self.receiver is None:
            raise InvalidValue("a transfer has a sender or a receiver")

    @property
    def transfer_id(self) -> str:
        """Stable name: chain, block hash, transaction, kind and index. A reorg makes a new transfer."""
        return f"{self.block.chain_id}/{self.block.block_hash}/{self.tx_id}/{self.kind}/{self.index}"


@dataclass(frozen=True, slots=True)
class TransferScan:
    """All movements touching the watched addresses in a contiguous run of blocks, and what was not understood."""

    blocks: tuple[BlockRef, ...]
    """Every block covered, ascending and chained by parent hash."""
    transfers: tuple[Transfer, ...]
    unparsed: Mapping[str, int] = field(default_factory=dict)
    """Per asset id: matching logs of an odd shape that could not be read as a transfer. Any is a finding."""
    node_id: str = ""
    mode: str = "logs"
    mode_note: str = ""
    """Why the mode is weaker than the one asked for; empty when it is not."""

    def __post_init__(self) -> None:
        for previous, block in zip(self.blocks, self.blocks[1:], strict=False):
            if block.height != previous.height + 1 or block.parent_hash != previous.block_hash:
                raise InvalidValue(f"blocks {previous.height} and {block.height} do not chain")


__all__ = [
    "EXACT",
    "UINT256_MAX",
    "Address",
    "Amount",
    "AnchorEvidence",
    "Asset",
    "AssetId",
    "BalanceObservation",
    "BlockRef",
    "ChainId",
    "Finality",
    "FinalityKind",
    "Holding",
    "LocationId",
    "ReadStatus",
    "StateEvidence",
    "Transfer",
    "TransferKind",
    "TransferScan",
    "account_location",
    "asset_chain_id",
    "chain_namespace",
    "cusip_check_digit",
    "has_token_id",
    "overall_grade",
    "parse_asset_id",
    "parse_chain_id",
    "parse_location_id",
    "pool_location",
    "require_utc",
    "utc_text",
]
