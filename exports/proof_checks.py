"""Check 24: every balance that claims to be proven follows from the sweep's header, by the nodes in the bundle. Pure.

What is proven is that the block hash commits to the figure. Whether the block is the chain's is said by the anchor, and
by check 16 against the reader's own node.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from chains.errors import ChainError, InvalidValue, ReadError
from chains.evm.addresses import evm_chain_number, parse_address
from chains.evm.balance_proof import TokenState, native_balance
from chains.evm.state_proof import state_root
from chains.evm.token_layout import TokenLayout
from chains.evm.trie_proof import NodePool
from chains.types import AssetId, BlockRef, ChainId, StateEvidence
from exports.contents import Contents
from exports.proof_records import ProofHeaderRecord
from exports.records import BalanceRecord, SweepRecord
from exports.verdict import Outcome


def check_state_proofs(contents: Contents) -> Outcome | None:
    """24: headers hash to their blocks, proofs lead to the figures, and nothing is carried that no proof needs.

    None when no balance claims a proof and the bundle carries nothing of one.
    """
    claimed = [balance for balance in contents.balances if balance.state is StateEvidence.PROVEN]
    if not claimed and not contents.proof_headers and not contents.proof_nodes:
        return None
    problems = list(_shape_problems(contents, claimed))
    try:
        pool = NodePool(record.encoded for record in contents.proof_nodes)
    except ReadError as error:
        return Outcome(len(claimed), [*problems, str(error)])
    layouts = {record.asset_id: record.layout() for record in contents.token_layouts}
    proofs = BundleProofs(contents.sweeps, contents.proof_headers, layouts, pool)
    problems.extend(proofs.header_problems)
    problems.extend(
        f"{balance.chain_id} {balance.address} {balance.asset_id}: {problem}"
        for balance in claimed
        if (problem := proofs.problem(balance))
    )
    try:
        pool.require_all_used()
    except ReadError as error:
        problems.append(str(error))
    return Outcome(len(claimed), problems, note=f"{len(pool)} trie nodes under {len(contents.proof_headers)} headers")


def needed_nodes(
    sweeps: Sequence[SweepRecord],
    headers: Sequence[ProofHeaderRecord],
    layouts: Mapping[AssetId, TokenLayout],
    nodes: Iterable[bytes],
    balances: Iterable[BalanceRecord],
) -> list[bytes]:
    """Those of the nodes by which the proven ones of these balances follow: what a bundle carries."""
    pool = NodePool(nodes)
    proofs = BundleProofs(sweeps, headers, layouts, pool)
    for balance in balances:
        if balance.state is StateEvidence.PROVEN:
            proofs.problem(balance)  # what does not follow is said by check 24 of the issuer's own verification
    return pool.used()


@dataclass(frozen=True, slots=True)
class _Rooted:
    """A sweep's block with its state root, and the tokens looked at there so far."""

    root: bytes
    tokens: dict[AssetId, TokenState | str]
    """A token's state, or why it could not be had."""


class BundleProofs:
    """The proofs of a bundle: one state root for each header, one pool of nodes for all."""

    def __init__(
        self,
        sweeps: Sequence[SweepRecord],
        headers: Sequence[ProofHeaderRecord],
        layouts: Mapping[AssetId, TokenLayout],
        pool: NodePool,
    ) -> None:
        self._layouts = layouts
        self._pool = pool
        self._rooted: dict[ChainId, _Rooted] = {}
        self.header_problems: list[str] = []
        """What is wrong with headers; nothing is proven under such a one."""
        by_chain = {sweep.chain_id: sweep for sweep in sweeps}
        for record in headers:
            try:
                self._rooted[record.chain_id] = _Rooted(_root(record, by_chain.get(record.chain_id)), {})
            except ChainError as error:
                self.header_problems.append(f"header of {record.chain_id} {record.block_hash}: {error}")

    def problem(self, balance: BalanceRecord) -> str:
        """Why a balance is not proven to be what it says; empty when it is."""
        rooted = self._rooted.get(balance.chain_id)
        if balance.base_units is None or rooted is None:
            return "proven, without a figure" if balance.base_units is None else "proven, without a header that holds"
        try:
            proven = self._proven(balance, rooted)
        except ChainError as error:
            return str(error)
        if proven == balance.base_units:
            return ""
        return f"the bundle says {balance.base_units}, its state proof {proven}"

    def _proven(self, balance: BalanceRecord, rooted: _Rooted) -> int:
        address = parse_address(balance.address)
        if "/slip44:" in balance.asset_id:
            return native_balance(rooted.root, address, self._pool)
        layout = self._layouts.get(balance.asset_id)
        if layout is None:
            raise InvalidValue("proven, without a layout of its token")
        state = rooted.tokens.get(balance.asset_id)
        if state is None:
            try:
                state = TokenState(rooted.root, layout, self._pool)
                state = state.problem or state
            except ReadError as error:
                state = str(error)
            rooted.tokens[balance.asset_id] = state
        if isinstance(state, str):
            raise InvalidValue(state)
        return state.balance(address)


def _root(record: ProofHeaderRecord, sweep: SweepRecord | None) -> bytes:
    evm_chain_number(record.chain_id)  # no other chain has a state that a header commits to
    if sweep is None or sweep.block_hash != record.block_hash:
        raise InvalidValue("it is not the block of a sweep in the bundle")
    block = BlockRef(sweep.chain_id, sweep.height, sweep.block_hash, sweep.parent_hash, sweep.block_time)
    return state_root(record.encoded, block)


def _shape_problems(contents: Contents, claimed: Sequence[BalanceRecord]) -> Iterable[str]:
    chains = Counter(record.chain_id for record in contents.proof_headers)
    of_claims = {balance.chain_id for balance in claimed}
    for chain_id, count in chains.items():
        if count > 1:
            yield f"{chain_id} has {count} headers"
        if chain_id not in of_claims:
            yield f"the header of {chain_id} belongs to no proven balance"
    for asset_id, count in Counter(record.asset_id for record in contents.token_layouts).items():
        if count > 1:  # which of them a reader goes by must not be left to the reader
            yield f"{asset_id} has {count} layouts"
    for record in contents.token_layouts:
        if record.approved_at > contents.manifest.created_at:
            yield f"the layout of {record.asset_id} was approved after the bundle was made"
