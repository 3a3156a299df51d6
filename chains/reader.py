"""The protocol every chain adapter fulfils, and what a chain and its nodes are configured with.

An adapter lives in one folder under `chains/`, is registered in the entry point group
`custody_verifier.chains` under its CAIP-2 namespace, and passes `tests/conformance`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from chains.errors import InvalidValue
from chains.state_proofs import BalanceProofs, StateProofMode
from chains.types import Address, Asset, AssetId, BalanceObservation, BlockRef, ChainId, Finality, Holding, TransferScan

if TYPE_CHECKING:
    from chains.evm.encumbrance_types import ApprovalCoverage, EncumbranceReading, EncumbranceSettings
    from chains.evm.inclusion import TransactionProof
    from chains.evm.token_layout import TokenLayout


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """One node of a chain. The URL may carry a secret and is never shown."""

    node_id: str
    """The name by which logs, findings and bundles speak of this node."""
    operator: str
    """Who runs it. Two nodes of one operator are one witness."""
    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    ws_url: str = field(default="", repr=False)
    """A WebSocket of the node that announces new blocks; empty when it has none."""


@dataclass(frozen=True, slots=True)
class ReadLimits:
    """Every limit of reading, each with its unit in its name."""

    connect_timeout_seconds: float = 5.0
    read_timeout_seconds: float = 20.0
    call_deadline_seconds: float = 60.0
    """Wall-clock limit of one HTTP exchange with all its tries and waits, however slowly bytes drip in."""
    sweep_budget_seconds: float = 900.0
    """Wall-clock limit of all reads of one sweep of one chain, retries and waits included."""
    body_bytes_max: int = 64 * 1024 * 1024
    """Largest answer accepted, after decompression."""
    batch_size_max: int = 500
    """Most calls in one JSON-RPC batch."""
    attempts_max: int = 4
    """Most tries of one exchange."""
    retry_wait_seconds_max: float = 10.0
    """Longest wait between two tries, also when `Retry-After` asks for more."""
    state_proof_seconds_max: float = 300.0
    """Wall-clock limit of asking one node for the state proofs of one sweep; what is left then has none."""


@dataclass(frozen=True, slots=True)
class ChainConfig:
    """What the firm configured about one chain."""

    chain_id: ChainId
    name: str
    genesis_hash: str
    nodes: tuple[NodeConfig, ...]
    finality: Finality
    native_asset: Asset
    header_format: str = "ethereum"
    """Registered header format whose hash is recomputed; `unknown` lowers the evidence, never silently."""
    head_age_seconds_max: int = 900
    head_future_seconds_max: int = 60
    limits: ReadLimits = field(default_factory=ReadLimits)
    history_mode: str = "logs"
    """How movements are read: `logs` as the node filters them, or `verified`, every block held against its header."""
    quorum: int = 1
    """How many operators must give the same answer; from 2 on the nodes are asked together (`chains.quorum`)."""
    history_from_height: int | None = None
    """First block whose movements are covered; where balances are the sum of blocks, the first one summed."""
    state_directory: Path | None = None
    """Where an adapter may keep what it can read again from its node; in memory only without one."""
    state_proofs: StateProofMode = StateProofMode.OFF
    """Whether balances are proven against the header, where the chain's adapter can."""
    keep_answers: bool = False
    """Whether the answers that balances were decoded from are kept, where the adapter can (`chains.kept_answers`)."""
    catch_up_blocks_max: int = 20_000
    """Most past blocks that reading a balance may read first; more of them are loaded by a command of their own."""


@dataclass(frozen=True, slots=True)
class NodeIdentity:
    """Who a node proved to be, asked anew at the start and the end of every sweep."""

    chain_id: ChainId
    genesis_hash: str
    client_version: str


@dataclass(frozen=True, slots=True)
class Pin:
    """The one block a sweep of a chain reads at."""

    block: BlockRef
    finality: Finality
    header_checked: bool
    """Whether the block hash was recomputed from the header's own fields."""
    header_note: str = ""
    """Why it was not, when it was not."""


Progress = Callable[[int], None]
"""Called with the number of further items done."""


class ChainReader(Protocol):
    """Reads one chain through one node. Every method raises `chains.errors.ReadError` when it gets no usable answer.

    A reader is used by one thread at a time and closed after use.
    """

    @property
    def chain_id(self) -> ChainId:
        """The chain it reads."""

    @property
    def node_id(self) -> str:
        """The configured name of the node it asks."""

    def identify(self) -> NodeIdentity:
        """Prove chain id and genesis hash against the configuration, else `WrongChain`."""

    def pin(self, *, height: int | None = None, now: datetime) -> Pin:
        """Choose the block to read at: by the configured finality, or the given height.

        Checks the header's hash and that the head is neither older than `head_age_seconds_max` nor in the
        future (`StaleHead`). A given height is refused when it is above the configured finality.
        """

    def read_balances(
        self, pin: Pin, holdings: Sequence[Holding], progress: Progress | None = None
    ) -> list[BalanceObservation]:
        """One observation for each holding, in the same order, each with its own status.

        Raises only when nothing could be read at all (`ChainMoved` when the pin is gone); what fails for one
        holding is a failed observation.
        """

    def block_at(self, height: int) -> BlockRef:
        """The node's canonical block at a height, its header hash recomputed where the format is known."""

    def is_canonical(self, block: BlockRef) -> bool:
        """Whether the node still has this very block on its canonical chain."""

    def scan_transfers(
        self,
        first_height: int,
        last: BlockRef,
        watched: Iterable[Address],
        assets: Sequence[Asset],
        progress: Progress | None = None,
    ) -> TransferScan:
        """All movements of the assets touching the watched addresses in blocks first_height to last, both included.

        The node must know `last` by hash first, so that a lagging node's empty answer is never accepted.
        """

    def asset_problems(self, pin: Pin, assets: Sequence[Asset]) -> dict[AssetId, str]:
        """What is wrong with configured assets on chain at the pin: no code, other decimals. Empty when all fit."""

    def probe(self, now: datetime) -> Mapping[str, str]:
        """What the node offers, tried at the block of the configured finality: name and finding, to show and keep.

        `probed-at` says when, as an RFC 3339 time. The reader itself uses what it found from then on.
        """

    def close(self) -> None:
        """Release connections."""


class EncumbranceReader(Protocol):
    """A reader that can also be asked who else could move what stands in wallets. Its errors are a reader's."""

    @property
    def reads_encumbrances(self) -> bool:
        """Whether it can be asked; a quorum can when each of its nodes can."""

    def look_for_approvals(
        self,
        last: BlockRef,
        wallets: Sequence[Address],
        assets: Sequence[Asset],
        settings: EncumbranceSettings,
        *,
        first_height: int,
        progress: Progress | None = None,
    ) -> ApprovalCoverage:
        """Whom the wallets approved in blocks `first_height` to `last`."""

    def read_encumbrances(
        self,
        pin: Pin,
        wallets: Sequence[Address],
        assets: Sequence[Asset],
        coverage: ApprovalCoverage,
        settings: EncumbranceSettings,
    ) -> EncumbranceReading:
        """Everything at the pin: what approved spenders may take, who controls each account, what issuers stopped."""


def as_encumbrance_reader(reader: ChainReader) -> EncumbranceReader | None:
    """The reader as one of encumbrances; None when its adapter reads none."""
    return cast("EncumbranceReader", reader) if getattr(reader, "reads_encumbrances", False) else None


class BalanceProver(Protocol):
    """A reader that can also prove balances against the header of the pinned block. Its errors are a reader's."""

    @property
    def proves_balances(self) -> bool:
        """Whether it can be asked; what its node offers is another question."""

    def prove_balances(
        self, pin: Pin, holdings: Sequence[Holding], layouts: Mapping[AssetId, TokenLayout]
    ) -> BalanceProofs:
        """What the state of the pinned block proves of each holding, or why nothing is proven of it."""


def as_balance_prover(reader: ChainReader) -> BalanceProver | None:
    """The reader as one that proves balances; None when its adapter cannot."""
    return cast("BalanceProver", reader) if getattr(reader, "proves_balances", False) else None


class TransactionProver(Protocol):
    """A reader that can also prove that transactions stand in a block. Its errors are a reader's."""

    @property
    def proves_transactions(self) -> bool:
        """Whether it can be asked."""

    def prove_transactions(self, block: BlockRef, tx_ids: Sequence[str]) -> list[TransactionProof]:
        """The proofs of these transactions of the block, in their order; each was checked."""


def as_transaction_prover(reader: ChainReader) -> TransactionProver | None:
    """The reader as one that proves transactions; None when its adapter cannot."""
    return cast("TransactionProver", reader) if getattr(reader, "proves_transactions", False) else None


def prepare_balances(reader: ChainReader, pin: Pin, addresses: Iterable[Address]) -> None:
    """Let a reader that sums blocks read what all these addresses need, once, before they are read in parts.

    Readers that ask a node for balances have nothing to prepare. Raises as `ChainReader.read_balances` does.
    """
    prepare = getattr(reader, "prepare", None)
    if prepare is not None:
        prepare(pin, sorted(set(addresses)))


def used_addresses(reader: ChainReader, addresses: Sequence[Address]) -> frozenset[Address]:
    """Those of the addresses that the blocks which a reader summed ever paid, told by its own record.

    None from readers that keep no record. Asked after `read_balances`.
    """
    used = getattr(reader, "used", None)
    return used(addresses) if used is not None else frozenset()


class AddressBranch(Protocol):
    """The addresses that follow from one output descriptor, by number."""

    @property
    def text(self) -> str:
        """The descriptor in its one spelling."""

    @property
    def is_ranged(self) -> bool:
        """Whether there is an address for every number; otherwise there is number 0 only."""

    @property
    def multisig(self) -> tuple[int, int] | None:
        """How many signatures of how many keys its scripts want; None when they are no multisig."""

    def address(self, number: int) -> Address:
        """The address of a number; raises `InvalidValue` where there is none."""


class ChainPlugin(Protocol):
    """What an adapter registers: how to spell its addresses and assets, and how to open a reader."""

    namespace: str
    """CAIP-2 namespace, for example `eip155`."""

    def parse_address(self, chain_id: ChainId, text: str) -> Address:
        """Check an address strictly and return its canonical spelling, or raise `InvalidValue`."""

    def parse_asset_id(self, text: str) -> AssetId:
        """Check the asset part of a CAIP-19 id (address checksum included) and return its canonical spelling."""

    def open(
        self, config: ChainConfig, node: NodeConfig, *, capabilities: Mapping[str, str] | None = None
    ) -> ChainReader:
        """A reader of the chain through one node; `capabilities` kept from an earlier probe save asking again."""


def read_descriptor(plugin: ChainPlugin, chain_id: ChainId, text: str) -> AddressBranch:
    """Read an output descriptor; raises `InvalidValue` for a wrong one, or where the chain's adapter reads none."""
    parse = getattr(plugin, "parse_descriptor", None)
    if parse is None:
        raise InvalidValue(f"wallets of {chain_id} have no descriptors: write each address into wallets.csv")
    return cast("AddressBranch", parse(chain_id, text))
