"""Asking a node for state proofs of balances, and keeping what checks against the recomputed header.

Accounts are asked for many to a batch, the slots of a token many to one proof. Nothing a node says here is believed: a
figure counts when its proof leads from the hash of the pinned block to it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from chains.errors import ChainMoved, MalformedAnswer, NodeRefused, NodeUnavailable, ProofFailed, ReadError
from chains.evm.abi import hex_text
from chains.evm.addresses import address_bytes
from chains.evm.balance_proof import TokenState, native_balance
from chains.evm.balances import Transport
from chains.evm.header import decode_header
from chains.evm.state_proof import check_answer, checked_state_root
from chains.evm.strategy import pinned
from chains.evm.token_layout import TokenLayout
from chains.evm.trie_proof import NodePool
from chains.jsonrpc import RpcCall
from chains.state_proofs import BalanceProofs
from chains.types import Address, Asset, AssetId, BlockRef, Holding

ACCOUNTS_PER_BATCH: Final = 100
SLOTS_PER_PROOF: Final = 200
SPLITS_MAX: Final = 40
"""How often requests for many slots are halved, in one reading, after a node refused or broke one."""
METHOD: Final = "eth_getProof"


def prove_balances(
    transport: Transport,
    header_format: str,
    block: BlockRef,
    holdings: Sequence[Holding],
    layouts: Mapping[AssetId, TokenLayout],
    *,
    seconds_max: float,
) -> BalanceProofs:
    """What the node can prove of these holdings at the block, in at most so many seconds.

    Raises `ReadError` when the header does not hold: then no proof of this node can count.
    """
    answer = transport.call("eth_getBlockByHash", block.block_hash, False)
    if answer is None:
        raise ChainMoved(f"the node does not have block {block.height} by its hash")
    header = decode_header(answer, block.chain_id, header_format)
    if header.block != block:
        raise MalformedAnswer(f"asked for block {block.height} by its hash, the node gave another")
    if header.encoded is None:
        return BalanceProofs(missing=dict.fromkeys(holdings, f"header-unchecked: {header.note}"))
    reading = _Reading(transport, block, checked_state_root(header), time.monotonic() + seconds_max)
    of_asset: dict[Asset, list[Holding]] = {}
    for holding in holdings:
        of_asset.setdefault(holding.asset, []).append(holding)
    for asset, wanted in of_asset.items():
        if asset.is_native:
            reading.accounts(wanted)
        elif "/erc20:" not in asset.asset_id:
            reading.unprovable.update(dict.fromkeys(wanted, "unprovable: tokens of a collection have no layout rule"))
        elif (layout := layouts.get(asset.asset_id)) is None:
            reading.missing.update(dict.fromkeys(wanted, f"no-layout: {asset.asset_id} has no reviewed layout"))
        elif not layout.is_provable:
            reading.unprovable.update(dict.fromkeys(wanted, f"unprovable: {layout.reason}"))
        else:
            reading.token(layout, wanted)
    return reading.result(header.encoded)


class _Reading:
    """One reading of proofs under one state root."""

    def __init__(self, transport: Transport, block: BlockRef, root: bytes, until: float) -> None:
        self._transport = transport
        self._block = pinned(block)
        self._root = root
        self._until = until
        self._splits_left = SPLITS_MAX
        self._pool = NodePool()
        self._proven: dict[Holding, int] = {}
        self._failed: dict[Holding, str] = {}
        self.missing: dict[Holding, str] = {}
        self.unprovable: dict[Holding, str] = {}

    def result(self, header: bytes) -> BalanceProofs:
        """All that came of it. The pool holds whole proofs only, those of slots that no longer count among them."""
        nodes = tuple(self._pool) if self._proven else ()
        return BalanceProofs(header if nodes else b"", nodes, self._proven, self._failed, self.missing, self.unprovable)

    def accounts(self, holdings: Sequence[Holding]) -> None:
        """Prove balances of the native coin."""
        for batch in _parts(holdings, ACCOUNTS_PER_BATCH):
            if self._is_late(batch):
                continue
            calls = [self._call(holding.address, ()) for holding in batch]
            try:
                answers = self._transport.batch(calls)
            except ReadError as error:
                self._note(batch, error)
                continue
            for holding, answer in zip(batch, answers, strict=True):
                try:
                    self._check(answer, holding.address, ())
                    self._proven[holding] = native_balance(self._root, holding.address, self._pool)
                except ReadError as error:
                    self._note([holding], error)

    def token(self, layout: TokenLayout, holdings: Sequence[Holding]) -> None:
        """Prove balances of one token, after its code."""
        if self._is_late(holdings):
            return
        try:
            code_slots = () if layout.implementation_slot is None else (layout.implementation_slot,)
            self._ask(layout.token, code_slots)
            if layout.implementation is not None:
                self._ask(layout.implementation, ())
            state = TokenState(self._root, layout, self._pool)
        except ReadError as error:
            self._note(holdings, error)
            return
        if state.problem:
            self.missing.update(dict.fromkeys(holdings, state.problem))
            return
        for part in _parts(holdings, SLOTS_PER_PROOF):
            self._slots(layout, state, part)

    def _slots(self, layout: TokenLayout, state: TokenState, holdings: Sequence[Holding]) -> None:
        if self._is_late(holdings):
            return
        try:
            self._ask(layout.token, [layout.slot(holding.address) for holding in holdings])
            for holding in holdings:
                self._proven[holding] = state.balance(holding.address)
        except (NodeRefused, MalformedAnswer, ProofFailed) as error:
            if len(holdings) == 1 or not self._splits_left:
                self._note(holdings, error)
                return
            # One slot that does not check must not cost the others their proof; a node may also want less at once.
            self._splits_left -= 1
            middle = len(holdings) // 2
            self._slots(layout, state, holdings[:middle])
            self._slots(layout, state, holdings[middle:])
        except ReadError as error:
            self._note(holdings, error)

    def _is_late(self, holdings: Sequence[Holding]) -> bool:
        if time.monotonic() < self._until:
            return False
        self.missing.update(dict.fromkeys(holdings, "proof-time: the time for state proofs was used up"))
        return True

    def _ask(self, address: Address, slots: Sequence[int]) -> None:
        call = self._call(address, slots)
        self._check(self._transport.call(call.method, *call.params), address, slots)

    def _call(self, address: Address, slots: Sequence[int]) -> RpcCall:
        return RpcCall(METHOD, (hex_text(address_bytes(address)), [f"0x{slot:064x}" for slot in slots], self._block))

    def _check(self, answer: object, address: Address, slots: Sequence[int]) -> None:
        if isinstance(answer, ReadError):
            raise answer
        check_answer(answer, self._root, address, slots, self._pool)

    def _note(self, holdings: Sequence[Holding], error: ReadError) -> None:
        """A node that has no proof to give leaves the balance as it is; a proof that does not check does not."""
        if isinstance(error, ChainMoved):
            raise error
        is_wrong = isinstance(error, ProofFailed | MalformedAnswer) and not isinstance(error, NodeUnavailable)
        kind = self._failed if is_wrong else self.missing
        kind.update(dict.fromkeys(holdings, f"{error.code}: {error}"))


def _parts(holdings: Sequence[Holding], size: int) -> Iterator[Sequence[Holding]]:
    return (holdings[first : first + size] for first in range(0, len(holdings), size))
