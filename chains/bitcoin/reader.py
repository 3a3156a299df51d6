"""Reading one Bitcoin chain through one node: who it is, which block, which balances, which movements.

No balance is asked of the node. Its blocks are, and each is held against its own header; what they paid to a script
and took from it is summed in our own ledger. So a balance is as of a block hash by construction, of any block in the
ledger's chain, and no node has to be rewound for it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from mmap import mmap
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chains.bitcoin.answers import CoinScan, CoinSetDigest
from chains.bitcoin.block import Header, check_block
from chains.bitcoin.block_source import BY_REST, BlockSource
from chains.bitcoin.coin_dump import dump_block, read_dump
from chains.bitcoin.core import CoreNode, Transport
from chains.bitcoin.follower import CoinsLost, Follower, NotOnboarded
from chains.bitcoin.header_chain import header_at, header_of, header_run
from chains.bitcoin.health import check_health, check_network
from chains.bitcoin.ledger_file import LedgerFile
from chains.bitcoin.ledger_views import Balance, Coin
from chains.bitcoin.networks import DECIMALS, Network, network_of
from chains.bitcoin.scan import scan_blocks
from chains.bitcoin.scan_back import TooFarBack, balances_by_scan
from chains.bitcoin.script import script_of_address
from chains.bitcoin.second_source import SecondOpinion, compare_dump, compare_scan
from chains.bitcoin.transaction import id_bytes, id_text, outpoint
from chains.bitcoin.waiting import WaitingPool, read_pool
from chains.errors import ChainConfigError, ChainMoved, InvalidValue, ReadError, StaleHead, StateUnavailable
from chains.naming import names_its_node
from chains.reader import ChainConfig, NodeIdentity, Pin, Progress
from chains.types import (
    Address,
    Asset,
    AssetId,
    BalanceObservation,
    BlockRef,
    ChainId,
    FinalityKind,
    Holding,
    ReadStatus,
    TransferScan,
    utc_text,
)

if TYPE_CHECKING:
    from chains.bitcoin.block_workers import BlockWorkers

LEDGER: Final = "ledger"
"""Method of a balance that is the sum of all blocks."""
LEDGER_FROM_COINS: Final = "ledger-from-coins"
"""Method of a balance whose beginning is the word of a set of coins; from there on the sum of all blocks."""
SCAN_BACK: Final = "scantxoutset"
"""Method of a balance that is the node's own set of unspent outputs, gone back from its tip to the block."""
_FILE_NAME: Final = re.compile(r"[a-z0-9][-a-z0-9_.]{0,39}", re.ASCII)


def ledger_path(folder: Path, network: Network, node_id: str) -> Path | None:
    """The file of a network's ledger as one node tells it; None for a node whose name can name no file."""
    return folder / f"bitcoin-{network.name}-{node_id}.sqlite" if _FILE_NAME.fullmatch(node_id) else None


class BitcoinReader:
    """A `chains.reader.ChainReader` of a Bitcoin chain."""

    def __init__(self, config: ChainConfig, node_id: str, transport: Transport) -> None:
        """Raises `ChainConfigError` for a configuration that cannot work."""
        try:
            self._network: Final = network_of(config.chain_id)
        except InvalidValue as error:
            raise ChainConfigError(str(error)) from None
        if (config.native_asset.asset_id, config.native_asset.decimals) != (self._network.asset_id, DECIMALS):
            raise ChainConfigError(f"the native asset of {config.chain_id} is {self._network.asset_id}, of 8 decimals")
        if config.finality.kind in (FinalityKind.SAFE, FinalityKind.FINALIZED):
            raise ChainConfigError(
                f"{config.chain_id} has no {config.finality} block; configure confirmed(k), 6 by custom, or latest"
            )
        self._config = config
        self._node_id = node_id
        self._transport = transport
        self._node = CoreNode(transport)
        self._source = BlockSource(self._node)
        self._opened: LedgerFile | None = None

    @property
    def chain_id(self) -> ChainId:
        """The chain it reads."""
        return self._config.chain_id

    @property
    def node_id(self) -> str:
        """The configured name of the node it asks."""
        return self._node_id

    @names_its_node
    def identify(self) -> NodeIdentity:
        """Prove chain name and genesis block, and that the node is fit to be asked (`chains.bitcoin.health`)."""
        genesis = check_network(self._node, self._network, self._config.genesis_hash)
        health = check_health(self._node, self._network)
        return NodeIdentity(self.chain_id, genesis.block_hash, health.version)

    @names_its_node
    def pin(self, *, height: int | None = None, now: datetime) -> Pin:
        """Choose the block to read at. Every header above it, up to the head, is recomputed and carries its work."""
        head_hash = self._node.best_hash()
        head_height, is_active = self._node.height_of(head_hash)
        if not is_active:
            raise ChainMoved("the node's head changed while it was asked for")
        depth = self._config.finality.confirmations or 1  # the head itself has one confirmation
        final_height = head_height - depth + 1
        if final_height < 0:
            raise StaleHead(f"the chain has only {head_height + 1} blocks, too few for {self._config.finality}")
        headers = header_run(self._node, self._network, final_height, head_height)
        if headers[-1].block_hash != head_hash:
            raise ChainMoved("the node's head changed while it was asked for")
        self._check_age(headers[-1], head_height, now)
        if height is None or height == final_height:
            return self._pin(headers[0], final_height)
        if height > final_height:
            raise InvalidValue(
                f"block {height} is above block {final_height}, the newest that is {self._config.finality}"
            )
        return self._pin(header_at(self._node, self._network, height), height)

    @names_its_node
    def prepare(self, pin: Pin, addresses: Sequence[Address]) -> None:
        """Read the past of all these addresses together, before their balances are read in parts."""
        self._require_canonical(pin.block)
        try:
            self._follow(pin.block, self._scripts(addresses))
        except (NotOnboarded, CoinsLost):
            return  # said of each address when it is read

    @names_its_node
    def blocks_to_load(self, pin: Pin, addresses: Sequence[Address]) -> int:
        """How many blocks `load` would read."""
        return self._follower().blocks_to_read(pin.block, self._scripts(addresses), self._first_height)

    @names_its_node
    def load(
        self,
        pin: Pin,
        addresses: Sequence[Address],
        progress: Progress | None = None,
        workers: BlockWorkers | None = None,
    ) -> None:
        """Read all of the past that the ledger misses, however long it is. Goes on where an earlier load stopped."""
        self._require_canonical(pin.block)
        self._follower(progress, workers).follow(pin.block, self._scripts(addresses), self._first_height, sys.maxsize)

    @names_its_node
    def not_covered(self, pin: Pin, addresses: Sequence[Address]) -> list[Address]:
        """Those that have no balance at a pin that was loaded: they began with the coins of a block above it."""
        known = self._ledger.balances(self._scripts(addresses), pin.block.block_hash)
        pairs = zip(addresses, self._scripts(addresses), strict=True)
        return [address for address, script in pairs if known[script] is None]

    @names_its_node
    def coin_set(self, addresses: Sequence[Address], dump: bytes | mmap | None = None) -> CoinScan:
        """The coins of addresses by the node's own set at its tip, or by a dump of any block of its chain.

        Raises `MalformedAnswer` for a dump that is damaged or of another network, `ChainMoved` for one of a block that
        is not on the node's chain.
        """
        scripts = self._scripts(addresses)
        if dump is None:
            return self._node.scan_coins(scripts)
        pin = self.pin_of_dump(dump)
        return CoinScan(
            pin.block.block_hash, pin.block.height, read_dump(dump, self._network, frozenset(scripts)).coins
        )

    @names_its_node
    def load_with_coins(
        self,
        pin: Pin,
        addresses: Sequence[Address],
        coins: CoinScan,
        on_blocks: Callable[[int], Progress],
        workers: BlockWorkers | None = None,
    ) -> tuple[BlockRef, int, int]:
        """Begin addresses with the coins of a set instead of with their past, and follow to the pin.

        `on_blocks` is told how many blocks there are to read. Returns the block of the coins, how many addresses began
        there, and how many of them anew because the ledger missed a coin of theirs (`Follower.open_with_coins`).
        """
        self._require_canonical(pin.block)
        height, is_active = self._node.height_of(coins.block_hash)
        if not is_active:
            raise ChainMoved("the block of the coins is no longer on the node's chain")
        at = header_of(self._node, self._network, coins.block_hash).ref(self._network, height)
        own = [
            Coin(
                outpoint(id_bytes(each.tx_id), each.output),
                each.script,
                each.value,
                each.height,
                each.is_coinbase,
                at.height - each.height + 1,
            )
            for each in coins.coins
        ]
        progress = on_blocks(self._follower().blocks_with_coins(pin.block, at))
        follower = self._follower(progress, workers)
        begun, anew = follower.open_with_coins(pin.block, at, self._scripts(addresses), own)
        return at, begun, anew

    @names_its_node
    def read_balances(
        self, pin: Pin, holdings: Sequence[Holding], progress: Progress | None = None
    ) -> list[BalanceObservation]:
        """One observation for each holding, in the same order. Past blocks that are missing are read first."""
        for asset in {holding.asset.asset_id: holding.asset for holding in holdings}.values():
            self._require_own_asset(asset)
        scripts = self._scripts([holding.address for holding in holdings])
        self._require_canonical(pin.block)
        failure = ""
        try:
            self._follow(pin.block, scripts)
        except NotOnboarded as error:
            if self._config.state_directory is None:  # nobody keeps a ledger here, such as an auditor's node
                return self._read_back(pin, holdings, scripts, progress)
            failure = f"{error.code}: {error}. {error.advice}"
        except CoinsLost as error:
            failure = f"{error.code}: {error}"
        known = self._ledger.balances(scripts, pin.block.block_hash) if self._holds(pin.block) else {}
        from_coins = self._ledger.began_with_coins(known)
        if not self._has_block(pin.block):
            raise ChainMoved(f"{pin.block} is no longer canonical after reading")
        if progress is not None:
            progress(len(holdings))
        observations = []
        for holding, script in zip(holdings, scripts, strict=True):
            balance = known.get(script)
            reason = "" if balance else failure or "not-onboarded: the ledger does not cover this address yet"
            method = LEDGER_FROM_COINS if script in from_coins else self._method
            observations.append(
                self._observation(pin, holding, balance.base_units if balance else None, reason, method)
            )
        return observations

    def used(self, addresses: Sequence[Address]) -> frozenset[Address]:
        """Those of the addresses that a block which the ledger has read paid, or that began with coins."""
        paid = self._ledger.used()
        pairs = zip(addresses, self._scripts(addresses), strict=True)
        return frozenset(address for address, script in pairs if script in paid)

    def _read_back(
        self, pin: Pin, holdings: Sequence[Holding], scripts: Sequence[bytes], progress: Progress | None
    ) -> list[BalanceObservation]:
        """From the node's own set of unspent outputs, gone back to the pin."""
        found, reason = {}, ""
        try:
            found = balances_by_scan(self._node, self._source, self._network, pin.block, scripts)
        except TooFarBack as error:
            reason = f"not-onboarded: {error}, and no ledger is kept that could tell"
        if not self._has_block(pin.block):
            raise ChainMoved(f"{pin.block} is no longer canonical after reading")
        if progress is not None:
            progress(len(holdings))
        return [
            self._observation(pin, holding, found.get(script), reason, SCAN_BACK)
            for holding, script in zip(holdings, scripts, strict=True)
        ]

    @names_its_node
    def coins(self, pin: Pin, addresses: Sequence[Address]) -> list[Coin]:
        """The unspent coins of addresses as of the pin, each with its confirmations and whether it is mature.

        Raises `NotOnboarded` when their past has not been read, `ChainMoved` when the pin is gone.
        """
        scripts = self._scripts(addresses)
        self._require_canonical(pin.block)
        self._follow(pin.block, scripts)
        return self._ledger.coins(scripts, pin.block.block_hash)

    @names_its_node
    def balances_apart(self, pin: Pin, addresses: Sequence[Address]) -> dict[Address, Balance]:
        """Each balance at the pin with what is told apart: immature coins, and what newer blocks, not final yet, moved.

        Raises `NotOnboarded` when the past of one has not been read, `ChainMoved` when the pin is gone.
        """
        scripts = self._scripts(addresses)
        self._require_canonical(pin.block)
        head = self._node.best_hash()
        height, _ = self._node.height_of(head)
        self._follow(header_of(self._node, self._network, head).ref(self._network, height), scripts)
        found = self._ledger.balances(scripts, pin.block.block_hash)
        apart = {address: found[script] for address, script in zip(addresses, scripts, strict=True)}
        known = {address: balance for address, balance in apart.items() if balance is not None}
        if len(known) < len(apart):
            raise StateUnavailable(f"{len(apart) - len(known)} addresses are not covered at block {pin.block.height}")
        return known

    @names_its_node
    def waiting(self, pin: Pin, addresses: Sequence[Address]) -> WaitingPool:
        """What waits in the node's pool for addresses. The pin is the head: coins that it spent wait no more."""
        scripts = self._scripts(addresses)
        return read_pool(self._node, self.coins(pin, addresses), frozenset(scripts))

    @names_its_node
    def spent_by(self, outpoints: Iterable[bytes]) -> dict[bytes, tuple[str, BlockRef]]:
        """Of coins that the followed chain spent: the id of the transaction that did, and its block."""
        found = {}
        for name, (block_name, position) in self._ledger.spendings(outpoints).items():
            block, _ = self._source.read(header_of(self._node, self._network, block_name))
            known = self._ledger.block(block_name)
            assert known is not None, "the ledger named the block"
            check_block(block, self._network, known.height)
            found[name] = (id_text(block.transactions[position].txid), known)
        return found

    @names_its_node
    def second_opinion(self, pin: Pin, addresses: Sequence[Address]) -> SecondOpinion:
        """Our ledger against the node's own set of unspent outputs; the pin must be the node's tip (`ChainMoved`)."""
        scripts = self._scripts(addresses)
        return compare_scan(pin.block, scripts, self.coins(pin, addresses), self._node.scan_coins(scripts))

    @names_its_node
    def pin_of_dump(self, dump: bytes | mmap) -> Pin:
        """The block that a dump of unspent outputs is of; it must be on the node's chain (`ChainMoved`)."""
        name = dump_block(dump, self._network)
        height, is_active = self._node.height_of(name)
        if not is_active:
            raise ChainMoved("the dump is of a block that is not on the node's chain")
        return self._pin(header_of(self._node, self._network, name), height)

    @names_its_node
    def dump_opinion(self, pin: Pin, addresses: Sequence[Address], dump: bytes | mmap) -> SecondOpinion:
        """Our ledger against a file that `dumptxoutset` wrote for the pinned block."""
        scripts = self._scripts(addresses)
        found = read_dump(dump, self._network, frozenset(scripts))
        return compare_dump(pin.block, scripts, self.coins(pin, addresses), found.block_hash, found.coins)

    @names_its_node
    def coin_set_digest(self, block: BlockRef) -> CoinSetDigest:
        """The digest of the node's whole set of unspent outputs after a block; needs `-coinstatsindex`."""
        return self._node.coin_set_digest(block.block_hash)

    @names_its_node
    def block_at(self, height: int) -> BlockRef:
        """The node's block at a height, its hash recomputed and its work checked."""
        return header_at(self._node, self._network, height).ref(self._network, height)

    @names_its_node
    def is_canonical(self, block: BlockRef) -> bool:
        """Whether the node still has this very block on its active chain."""
        return self._has_block(block)

    @names_its_node
    def scan_transfers(
        self,
        first_height: int,
        last: BlockRef,
        watched: Iterable[Address],
        assets: Sequence[Asset],
        progress: Progress | None = None,
    ) -> TransferScan:
        """All movements of the coin touching the watched addresses in blocks first_height to last."""
        for asset in assets:
            self._require_own_asset(asset)
        return scan_blocks(
            self._node,
            self._source,
            self._network,
            assets[0] if assets else None,
            node_id=self.node_id,
            first_height=first_height,
            last=last,
            watched=watched,
            ledger=self._ledger,
            progress=progress,
        )

    @names_its_node
    def asset_problems(self, pin: Pin, assets: Sequence[Asset]) -> dict[AssetId, str]:
        """The chain has one asset, of eight decimals."""
        for asset in assets:
            self._require_own_asset(asset)
        self._require_canonical(pin.block)
        return {
            asset.asset_id: f"it has {DECIMALS} decimals, not {asset.decimals}"
            for asset in assets
            if asset.decimals != DECIMALS
        }

    @names_its_node
    def probe(self, now: datetime) -> Mapping[str, str]:
        """What the node offers, tried at the block of the configured finality: name and finding."""
        health = check_health(self._node, self._network)
        pin = self.pin(now=now)
        self._source.read(header_of(self._node, self._network, pin.block.block_hash))
        found = {
            "probed-at": utc_text(now),
            "blocks-by": "rest" if self._source.mode == BY_REST else "json-rpc",
            "snapshot": health.snapshot,
            "pruned-below": "no" if health.info.prune_height is None else str(health.info.prune_height),
        }
        try:
            indexes = self._node.indexes()
        except ReadError as error:
            return found | {"indexes": f"not told ({error.code})"}
        for index in indexes:
            found[f"index.{index.name}"] = f"{'synced' if index.is_synced else 'behind'} at block {index.height}"
        return found

    def close(self) -> None:
        """Release the connections and the ledger."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None
        close = getattr(self._transport, "close", None)
        if close is not None:
            close()

    @property
    def _ledger(self) -> LedgerFile:
        """One file for each chain and node: what each node says is a witness of its own."""
        if self._opened is None:
            self._opened = LedgerFile(self._ledger_path(), self._network, self._node_id)
        return self._opened

    def _ledger_path(self) -> Path | None:
        folder = self._config.state_directory
        if folder is None:
            return None
        path = ledger_path(folder, self._network, self.node_id)
        if path is None:
            raise ChainConfigError(f"{self.node_id!r} cannot name a ledger file: use a-z, 0-9, - _ and .")
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ChainConfigError(f"the state directory {folder.name} cannot be made ({error.strerror})") from None
        return path

    def _scripts(self, addresses: Sequence[Address]) -> list[bytes]:
        return [script_of_address(self._network, address) for address in addresses]

    def _follow(self, block: BlockRef, scripts: Sequence[bytes]) -> None:
        self._follower().follow(block, scripts, self._first_height, self._config.catch_up_blocks_max)

    def _follower(self, progress: Progress | None = None, workers: BlockWorkers | None = None) -> Follower:
        return Follower(self._node, self._source, self._ledger, self._network, progress, workers)

    @property
    def _first_height(self) -> int:
        return self._config.history_from_height or 0

    def _holds(self, block: BlockRef) -> bool:
        return self._ledger.is_active(block.block_hash)

    def _pin(self, header: Header, height: int) -> Pin:
        return Pin(header.ref(self._network, height), self._config.finality, header_checked=True)

    def _check_age(self, head: Header, height: int, now: datetime) -> None:
        age = now - head.ref(self._network, height).timestamp
        if age > timedelta(seconds=self._config.head_age_seconds_max):
            raise StaleHead(f"the head is {int(age.total_seconds())} seconds old")
        if -age > timedelta(seconds=self._config.head_future_seconds_max):
            raise StaleHead(f"the head is {int(-age.total_seconds())} seconds in the future")

    def _has_block(self, block: BlockRef) -> bool:
        try:
            return self._node.hash_at(block.height) == block.block_hash
        except StaleHead:
            return False

    def _require_canonical(self, block: BlockRef) -> None:
        if not self._has_block(block):
            raise ChainMoved(f"{block} is not on the node's chain")

    def _require_own_asset(self, asset: Asset) -> None:
        """A programmer's error otherwise: assets are routed to readers by their chain."""
        if asset.asset_id != self._network.asset_id:
            raise InvalidValue(f"{asset.asset_id} is not the coin of {self.chain_id}")

    @property
    def _method(self) -> str:
        return LEDGER if self._source.mode == BY_REST else f"{LEDGER}-{self._source.mode}"

    def _observation(
        self, pin: Pin, holding: Holding, base_units: int | None, reason: str, method: str
    ) -> BalanceObservation:
        return BalanceObservation(
            holding=holding,
            block=pin.block,
            finality=pin.finality,
            status=ReadStatus.FAILED if base_units is None else ReadStatus.OK,
            base_units=base_units,
            method=method,
            node_id=self.node_id,
            reason=reason,
        )
