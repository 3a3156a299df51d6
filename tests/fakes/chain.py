"""A chain in memory: blocks with balances and movements, branches that come and go. Deterministic by construction."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from chains.types import Address, Asset, AssetId, BlockRef, ChainId, Transfer, TransferKind

GENESIS_TIME = datetime(2026, 3, 2, 12, tzinfo=UTC)
BLOCK_SECONDS = 12
DEVNET = ChainId("eip155:31337")

Balances = Mapping[tuple[Address, AssetId], int]


@dataclass(frozen=True, slots=True)
class FakeBlock:
    """One block: who it is, what moved in it, and every balance after it."""

    ref: BlockRef
    transfers: tuple[Transfer, ...]
    balances: Balances
    inside: tuple[Transfer, ...] = ()
    """What only a trace shows."""


@dataclass(frozen=True, slots=True)
class Payment:
    """A movement to be put into a block; without a sender it is minted, and a fee has no receiver."""

    sender: Address | None
    receiver: Address | None
    asset: Asset
    base_units: int
    is_silent: bool = False
    """The balances change and no event says so."""
    tx: str = ""
    """Name of its transaction, for several movements of one; each is its own without."""
    kind: TransferKind | None = None
    """By the asset unless it is given."""
    is_internal: bool = False
    """It happens inside a transaction: no event says so, but a trace does."""


@dataclass
class FakeChain:
    """The canonical branch, lowest block first. Every act that adds blocks adds them on top."""

    chain_id: ChainId = DEVNET
    assets: dict[AssetId, int] = field(default_factory=dict)
    """Decimals of every asset there is on the chain."""
    blocks: list[FakeBlock] = field(default_factory=list)
    forks: int = 0
    """How often the chain was reorganised; it goes into the hashes, so that no two branches share a block."""

    def __post_init__(self) -> None:
        if not self.blocks:
            self.blocks.append(self._block(None, ()))

    @property
    def head(self) -> BlockRef:
        """The newest block."""
        return self.blocks[-1].ref

    def head_time(self) -> datetime:
        """The newest block's time."""
        return self.head.timestamp

    def new_asset(self, name: str, decimals: int) -> Asset:
        """An asset that is on the chain from now on: `slip44:60`, or `erc20:` with an address."""
        asset = Asset(AssetId(f"{self.chain_id}/{name}"), name[:8], decimals)
        self.assets[asset.asset_id] = decimals
        return asset

    def mine(self, blocks: int = 1) -> None:
        """Add empty blocks."""
        for _ in range(blocks):
            self.add()

    def add(self, *payments: Payment) -> BlockRef:
        """Add one block that holds these movements."""
        self.blocks.append(self._block(self.blocks[-1], payments))
        return self.head

    def mint(self, receiver: Address, asset: Asset, base_units: int) -> BlockRef:
        """Let base units come into being in a block of their own."""
        return self.add(Payment(None, receiver, asset, base_units))

    def pay(self, sender: Address, receiver: Address, asset: Asset, base_units: int) -> BlockRef:
        """Move base units in a block of their own."""
        return self.add(Payment(sender, receiver, asset, base_units))

    def reorganise(self, depth: int, *blocks: Sequence[Payment]) -> None:
        """Replace the newest blocks by as many others; the first of them hold the given movements."""
        self.forks += 1
        del self.blocks[-depth:]
        for number in range(depth):
            self.add(*(blocks[number] if number < len(blocks) else ()))

    def branch(self) -> tuple[FakeBlock, ...]:
        """The chain as it is, to come back to."""
        return tuple(self.blocks)

    def use(self, branch: Sequence[FakeBlock]) -> None:
        """Make another branch the canonical one."""
        self.blocks = list(branch)

    def at(self, height: int) -> FakeBlock | None:
        """The canonical block at a height."""
        return self.blocks[height] if 0 <= height < len(self.blocks) else None

    def _block(self, parent: FakeBlock | None, payments: Sequence[Payment]) -> FakeBlock:
        height = parent.ref.height + 1 if parent else 0
        balances = dict(parent.balances) if parent else {}
        identity = f"{self.chain_id}/{parent.ref.block_hash if parent else ''}/{self.forks}/{payments!r}"
        ref = BlockRef(
            chain_id=self.chain_id,
            height=height,
            block_hash="0x" + hashlib.sha256(identity.encode()).hexdigest(),
            parent_hash=parent.ref.block_hash if parent else "0x" + "0" * 64,
            timestamp=GENESIS_TIME + timedelta(seconds=BLOCK_SECONDS * height),
        )
        transfers, inside = [], []
        for index, payment in enumerate(payments):
            if payment.sender is not None:
                key = (payment.sender, payment.asset.asset_id)
                balances[key] = balances.get(key, 0) - payment.base_units
                assert balances[key] >= 0, f"{payment.sender} has not enough"
            if payment.receiver is not None:
                key = (payment.receiver, payment.asset.asset_id)
                balances[key] = balances.get(key, 0) + payment.base_units
            if payment.is_internal:
                inside.append(replace(_transfer(ref, index, payment), kind=TransferKind.INTERNAL, index=index + 1))
            elif not payment.is_silent:
                transfers.append(_transfer(ref, index, payment))
        return FakeBlock(ref, tuple(transfers), balances, tuple(inside))


def _transfer(block: BlockRef, index: int, payment: Payment) -> Transfer:
    # The same payment keeps its transaction id in another block, as real ones do.
    tx_id = "0x" + hashlib.sha256(f"{block.height}/{payment.tx or payment!r}".encode()).hexdigest()
    kind = payment.kind or (TransferKind.NATIVE if payment.asset.is_native else TransferKind.TOKEN)
    return Transfer(block, tx_id, index, payment.asset, payment.sender, payment.receiver, payment.base_units, kind)
