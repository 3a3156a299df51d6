"""Reading one EVM chain through one node: who it is, which block, which balances, which transfers.

The finality tag chooses a header and nothing else; from then on every read names the block by hash (EIP-1898 with
`requireCanonical`), so that a reorganisation or another server behind the same URL can refuse but not mislead.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, cast

from chains.block_trace import BlockTrace
from chains.errors import (
    ChainConfigError,
    ChainMoved,
    InvalidValue,
    MalformedAnswer,
    NodeRefused,
    ReadError,
    StaleHead,
    UnsupportedByNode,
    WrongChain,
)
from chains.evm.addresses import address_bytes, evm_chain_number, parse_evm_asset_id
from chains.evm.asset_checks import asset_problems
from chains.evm.balances import BalanceRead, Transport
from chains.evm.blocks import BlockSource
from chains.evm.header import Header, decode_header, require_header_format
from chains.evm.observations import observe
from chains.evm.probe import EIP1898, GET_PROOF, Capabilities, client_version, probe
from chains.evm.quantity import encode_quantity, quantity
from chains.evm.scanner import AccountKind
from chains.evm.strategies import STRATEGIES
from chains.evm.tracing import BlockTracer
from chains.evm.transfers import scan
from chains.evm.verified_history import VERIFIED, require_history_mode, scan_verified
from chains.kept_answers import AnswerKeeper, KeptRead
from chains.naming import names_its_node
from chains.reader import ChainConfig, NodeIdentity, Pin, Progress
from chains.state_proofs import BalanceProofs
from chains.types import (
    Address,
    Asset,
    AssetId,
    BalanceObservation,
    BlockRef,
    ChainId,
    FinalityKind,
    Holding,
    TransferScan,
)

if TYPE_CHECKING:
    from chains.evm.accounts import ContractQuestion
    from chains.evm.encumbrance_types import ApprovalCoverage, EncumbranceReading, EncumbranceSettings
    from chains.evm.inclusion import TransactionProof
    from chains.evm.token_layout import TokenLayout


@dataclass(slots=True)
class HeadMemory:
    """The highest head a node was seen at. Kept by whoever opens readers of one node again and again."""

    height: int = -1


class EvmReader:
    """A `chains.reader.ChainReader` of an EVM chain."""

    def __init__(
        self,
        config: ChainConfig,
        node_id: str,
        transport: Transport,
        *,
        capabilities: Capabilities | None = None,
        head_memory: HeadMemory | None = None,
        strategy: str | None = None,
    ) -> None:
        """`capabilities` kept from an earlier probe save probing; `strategy` allows only that one way of reading.

        Raises `ChainConfigError` for a configuration that cannot work.
        """
        require_header_format(config.header_format)
        require_history_mode(config.history_mode)
        try:
            self._chain_number: Final = evm_chain_number(config.chain_id)
            parse_evm_asset_id(config.native_asset.asset_id)
        except InvalidValue as error:
            raise ChainConfigError(str(error)) from None
        if strategy is not None and strategy not in STRATEGIES:
            raise ChainConfigError(f"there is no strategy {strategy!r} (known: {', '.join(STRATEGIES)})")
        self._config = config
        self._node_id = node_id
        self._transport = transport
        self._capabilities = capabilities
        self._head = head_memory if head_memory is not None else HeadMemory()
        self._strategy = strategy
        self._account_kinds: dict[Address, AccountKind] = {}
        self._kept: list[KeptRead] = []
        self._proof_seconds_left = config.limits.state_proof_seconds_max

    @property
    def chain_id(self) -> ChainId:
        """The chain it reads."""
        return self._config.chain_id

    @property
    def node_id(self) -> str:
        """The configured name of the node it asks."""
        return self._node_id

    @property
    def capabilities(self) -> Capabilities | None:
        """What the node was found to offer, to be kept; None before the first read of balances."""
        return self._capabilities

    @property
    def account_kinds(self) -> Mapping[Address, AccountKind]:
        """What stands at each address of the last read of balances, where its strategy could tell."""
        return self._account_kinds

    @names_its_node
    def probe(self, now: datetime) -> Mapping[str, str]:
        """What the node offers, tried at the block of the configured finality: name and finding."""
        self._capabilities = probe(self._transport, self.pin(now=now).block)
        return self._capabilities.to_words()

    @names_its_node
    def identify(self) -> NodeIdentity:
        """Prove chain id and genesis hash against the configuration, else `WrongChain`."""
        number = quantity(self._transport.call("eth_chainId"))
        if number != self._chain_number:
            raise WrongChain(f"the node is on chain {number}, configured is {self._chain_number}")
        genesis = self._header("eth_getBlockByNumber", "0x0")
        if genesis is None or genesis.block.height != 0:
            raise MalformedAnswer("the node does not give the first block")
        expected = "0x" + self._config.genesis_hash.removeprefix("0x")
        if self._config.genesis_hash and genesis.block.block_hash != expected:
            raise WrongChain(f"the node's first block is {genesis.block.block_hash}, configured is {expected}")
        return NodeIdentity(self.chain_id, genesis.block.block_hash, client_version(self._transport))

    @names_its_node
    def pin(self, *, height: int | None = None, now: datetime) -> Pin:
        """Choose the block to read at: by the configured finality, or the given height."""
        head = self._current_head(now)
        final = self._final_header(head)
        if final.block.height > head.block.height:
            raise StaleHead(f"the node's head {head.block.height} is below its own final block {final.block.height}")
        if height is not None:
            if height > final.block.height:
                raise InvalidValue(
                    f"block {height} is above block {final.block.height}, the newest that is {self._config.finality}"
                )
            final = self._header_at(height)
        self._check_parent(final)
        return Pin(final.block, self._config.finality, final.checked, final.note)

    @names_its_node
    def read_balances(
        self, pin: Pin, holdings: Sequence[Holding], progress: Progress | None = None
    ) -> list[BalanceObservation]:
        """One observation for each holding, in the same order, each with its own status."""
        for asset in {holding.asset.asset_id: holding.asset for holding in holdings}.values():
            self._require_own_asset(asset)
        found: list[BalanceObservation | None] = [None] * len(holdings)
        self._account_kinds = {}
        self._kept.clear()
        strategies = self._strategies(pin.block)
        keeper = cast("AnswerKeeper", self._transport) if self._config.keep_answers else None
        reading = BalanceRead(self._transport, pin.block, strategies, keeper=keeper, node_id=self.node_id)
        for part in reading.read(holdings):
            self._kept += part.kept
            for places, column in part.columns:
                if isinstance(places, range):
                    where = slice(places.start, places.stop, places.step)
                    found[where] = observe(holdings[where], column, part.method, pin=pin, node_id=self.node_id)
                    continue
                of_column = [holdings[place] for place in places]
                observed = observe(of_column, column, part.method, pin=pin, node_id=self.node_id)
                for place, observation in zip(places, observed, strict=True):
                    found[place] = observation
            self._account_kinds.update(part.kinds)
            if progress is not None:
                progress(part.count)
        if not self._has_block(pin.block):
            raise ChainMoved(f"{pin.block} is no longer canonical after reading")
        observations = [observation for observation in found if observation is not None]
        assert len(observations) == len(holdings), "every holding is read or failed"
        return observations

    def take_answers(self) -> tuple[KeptRead, ...]:
        """The answers of the last read of balances, where they are kept; each is given once."""
        taken = tuple(self._kept)
        self._kept.clear()
        return taken

    @names_its_node
    def block_at(self, height: int) -> BlockRef:
        """The node's canonical block at a height, its header hash recomputed where the format is known."""
        return self._header_at(height).block

    @names_its_node
    def is_canonical(self, block: BlockRef) -> bool:
        """Whether the node still has this very block on its canonical chain."""
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
        """All movements of the assets touching the watched addresses in blocks first_height to last."""
        for asset in assets:
            self._require_own_asset(asset)
        read_history = scan_verified if self._config.history_mode == VERIFIED else scan
        return read_history(
            self._transport,
            self._config,
            self.node_id,
            first_height=first_height,
            last=last,
            watched=watched,
            assets=assets,
            progress=progress,
        )

    @names_its_node
    def asset_problems(self, pin: Pin, assets: Sequence[Asset]) -> dict[AssetId, str]:
        """What is wrong with configured assets on chain at the pin. Empty when all fit.

        A problem is a fact about the asset; a node that cannot answer raises instead.
        """
        for asset in assets:
            self._require_own_asset(asset)
        return asset_problems(self._transport, pin.block, self._config.native_asset, assets)

    @property
    def reads_encumbrances(self) -> bool:
        """EVM chains have allowances, delegations and contract wallets."""
        return True

    @names_its_node
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
        """Whom the wallets approved in some blocks; see `chains.evm.encumbrance`."""
        from chains.evm.encumbrance import look_for_approvals

        return look_for_approvals(
            self._transport, self._config, last, wallets, assets, settings,
            first_height=first_height, progress=progress,
        )  # fmt: skip

    @names_its_node
    def read_encumbrances(
        self,
        pin: Pin,
        wallets: Sequence[Address],
        assets: Sequence[Asset],
        coverage: ApprovalCoverage,
        settings: EncumbranceSettings,
    ) -> EncumbranceReading:
        """Who else could move what stands in the wallets at the pin; see `chains.evm.encumbrance`."""
        from chains.evm.encumbrance import read_at_pin

        return read_at_pin(self._transport, self._config, self.node_id, pin, wallets, assets, coverage, settings)

    @property
    def proves_balances(self) -> bool:
        """EVM headers commit to the whole state; what the node offers is probed."""
        return True

    @names_its_node
    def prove_balances(
        self, pin: Pin, holdings: Sequence[Holding], layouts: Mapping[AssetId, TokenLayout]
    ) -> BalanceProofs:
        """What the node can prove of these balances against the pinned header; see `chains.evm.proving`."""
        from chains.evm.proving import prove_balances

        if self._capabilities is None:
            self._capabilities = probe(self._transport, pin.block)
        if not self._capabilities.has(GET_PROOF):
            reason = self._capabilities.missing.get(GET_PROOF, "it was not probed")
            return BalanceProofs(
                missing=dict.fromkeys(holdings, f"{UnsupportedByNode.code}: no state proofs: {reason}")
            )
        began = time.monotonic()
        try:
            return prove_balances(
                self._transport, self._config.header_format, pin.block, holdings, layouts,
                seconds_max=self._proof_seconds_left,
            )  # fmt: skip
        finally:
            self._proof_seconds_left -= time.monotonic() - began

    @property
    def proves_transactions(self) -> bool:
        """EVM headers commit to transactions and receipts."""
        return True

    @names_its_node
    def prove_transactions(self, block: BlockRef, tx_ids: Sequence[str]) -> list[TransactionProof]:
        """That these transactions stand in the block, with their receipts; see `chains.evm.inclusion_source`."""
        from chains.evm.inclusion_source import prove_transactions

        return prove_transactions(self._transport, self._config.header_format, block, tx_ids)

    @property
    def traces_blocks(self) -> bool:
        """It can be asked to look into blocks; what the node offers is probed."""
        return True

    @names_its_node
    def trace_blocks(
        self,
        blocks: Sequence[BlockRef],
        watched: Iterable[Address],
        native: Asset,
        progress: Progress | None = None,
    ) -> list[BlockTrace]:
        """What moved inside the transactions of each block, or why that is not known (`ChangeExplainer`)."""
        self._require_own_asset(native)
        addresses = frozenset(map(address_bytes, watched))
        found: list[BlockTrace] = []
        for block in blocks:
            if self._capabilities is None:
                self._capabilities = probe(self._transport, block)
            source = BlockSource(self._transport, self.chain_id, self._config.header_format)
            tracer = BlockTracer(self._transport, source, self.node_id, self._capabilities, native)
            found.append(tracer.trace(block, addresses))
            if progress is not None:
                progress(1)
        return found

    @names_its_node
    def contracts_accept(self, block: BlockRef, questions: Sequence[ContractQuestion]) -> list[bool | ReadError]:
        """Whether contract wallets accept signatures at a block (EIP-1271); see `chains.evm.accounts`."""
        from chains.evm.accounts import contract_answers

        return contract_answers(self._transport, block, questions)

    def close(self) -> None:
        """Release connections."""
        close = getattr(self._transport, "close", None)
        if close is not None:
            close()

    def _require_own_asset(self, asset: Asset) -> None:
        """A programmer's error otherwise: assets are routed to readers by their chain."""
        if asset.chain_id != self.chain_id:
            raise InvalidValue(f"{asset.asset_id} is not on {self.chain_id}")
        if asset.is_native and asset.asset_id != self._config.native_asset.asset_id:
            raise InvalidValue(f"{asset.asset_id} is not the native coin of {self.chain_id}")

    def _strategies(self, block: BlockRef) -> tuple[str, ...]:
        if self._capabilities is None:
            self._capabilities = probe(self._transport, block)
        if not self._capabilities.has(EIP1898):
            raise UnsupportedByNode("the node does not read state by block hash (EIP-1898)")
        if self._strategy is not None:
            return (self._strategy,)
        if not self._capabilities.strategies:
            raise UnsupportedByNode("the node offers no way of reading balances")
        return self._capabilities.strategies

    def _header(self, method: str, name: str) -> Header | None:
        answer = self._transport.call(method, name, False)
        if answer is None:
            return None
        return decode_header(answer, self.chain_id, self._config.header_format)

    def _header_at(self, height: int) -> Header:
        header = self._header("eth_getBlockByNumber", encode_quantity(height))
        if header is None:
            raise StaleHead(f"the node has no block {height}")
        if header.block.height != height:
            raise MalformedAnswer(f"asked for block {height}, the node gave block {header.block.height}")
        return header

    def _has_block(self, block: BlockRef) -> bool:
        header = self._header("eth_getBlockByNumber", encode_quantity(block.height))
        return header is not None and header.block.block_hash == block.block_hash

    def _current_head(self, now: datetime) -> Header:
        head = self._header("eth_getBlockByNumber", "latest")
        if head is None:
            raise MalformedAnswer("the node has no head")
        block = head.block
        if block.height < self._head.height:
            raise StaleHead(f"the head went back from block {self._head.height} to {block.height}")
        age = now - block.timestamp
        if age > timedelta(seconds=self._config.head_age_seconds_max):
            raise StaleHead(f"the head is {int(age.total_seconds())} seconds old")
        if -age > timedelta(seconds=self._config.head_future_seconds_max):
            raise StaleHead(f"the head is {int(-age.total_seconds())} seconds in the future")
        self._head.height = block.height
        return head

    def _final_header(self, head: Header) -> Header:
        finality = self._config.finality
        if finality.kind is FinalityKind.LATEST:
            return head
        if finality.kind is FinalityKind.CONFIRMED:
            # The head itself has one confirmation.
            height = head.block.height - finality.confirmations + 1
            if height < 0:
                raise StaleHead(f"the chain has only {head.block.height + 1} blocks, too few for {finality}")
            return self._header_at(height)
        try:
            header = self._header("eth_getBlockByNumber", str(finality.kind))
        except (NodeRefused, ChainMoved):
            header = None
        if header is None:
            raise ChainConfigError(
                f"node {self.node_id} of {self.chain_id} has no {finality.kind} block;"
                " configure finality = confirmed(k) with the number of confirmations the firm has approved"
            )
        return header

    def _check_parent(self, header: Header) -> None:
        """A block is not older than its parent, beyond the drift that is accepted anyway."""
        if header.block.height == 0:
            return
        parent = self._header("eth_getBlockByHash", header.block.parent_hash)
        if parent is None or parent.block.height != header.block.height - 1:
            raise MalformedAnswer("the node does not know the parent of the block it gave")
        if parent.block.block_hash != header.block.parent_hash:
            raise MalformedAnswer("asked for a block by hash, the node gave another")
        backwards = parent.block.timestamp - header.block.timestamp
        if backwards > timedelta(seconds=self._config.head_future_seconds_max):
            raise StaleHead(f"the block is {int(backwards.total_seconds())} seconds older than its parent")
