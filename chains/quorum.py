"""Reading one chain through several operators at once: what they agree on counts, what they do not is shown.

Every question is put to all nodes. An answer that as many operators gave as the quorum asks for is the answer; a node
that said something else is named in a `NodeDisagreement`, with what every node said. A node that fails is left out
while the quorum stands without it, and named in `left_out`; when the quorum does not, those left out are asked once
more, after they proved again who they are.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeVar

from chains.agreement import (
    DisagreementSubject,
    NodeDisagreement,
    NodeFailure,
    Witness,
    joined_node_ids,
    operator_count,
    tally,
)
from chains.block_trace import BlockTrace, as_change_explainer, merge_traces
from chains.disputes import disputed, transfer_disputes
from chains.errors import ChainConfigError, QuorumNotReached, ReadError, UnsupportedByNode
from chains.kept_answers import KeptRead, take_answers
from chains.panel import Failures, Panel
from chains.quorum_balances import merge_balances
from chains.reader import (
    ChainConfig,
    ChainPlugin,
    ChainReader,
    EncumbranceReader,
    NodeIdentity,
    Pin,
    Progress,
    as_balance_prover,
    as_encumbrance_reader,
    as_transaction_prover,
    prepare_balances,
    used_addresses,
)
from chains.state_proofs import BalanceProofs
from chains.types import Address, Asset, AssetId, BalanceObservation, BlockRef, ChainId, Holding, TransferScan

if TYPE_CHECKING:
    from chains.evm.encumbrance_types import ApprovalCoverage, EncumbranceReading, EncumbranceSettings
    from chains.evm.inclusion import TransactionProof
    from chains.evm.token_layout import TokenLayout

Said = TypeVar("Said", bound=Hashable)

QUORUM_MIN: Final = 2


class QuorumReader:
    """A `chains.reader.ChainReader` over one reader for each node of a chain.

    Its errors are those of its readers when all that failed failed alike, else `QuorumNotReached`; each says which
    node said what.
    """

    def __init__(self, readers: Mapping[Witness, ChainReader], quorum: int) -> None:
        """Raises `ChainConfigError` when there are fewer operators than the quorum, or when it is below two."""
        if quorum < QUORUM_MIN:
            raise ChainConfigError(f"a quorum is at least {QUORUM_MIN} operators, not {quorum}")
        if (operators := operator_count(tuple(readers))) < quorum:
            raise ChainConfigError(f"the quorum is {quorum} operators, but the nodes are run by {operators}")
        if len({reader.chain_id for reader in readers.values()}) != 1:
            raise ChainConfigError("the readers of a quorum read one chain")
        self._panel: Final = Panel(readers, quorum)
        self._quorum: Final = quorum
        self._chain_id: Final = next(iter(readers.values())).chain_id
        self._failed_on: dict[Witness, tuple[str, int]] = {}
        self._disagreements: list[NodeDisagreement] = []

    @property
    def chain_id(self) -> ChainId:
        """The chain it reads."""
        return self._chain_id

    @property
    def node_id(self) -> str:
        """The names of the nodes it asks, joined by `+`; those left out are not among them."""
        return joined_node_ids(self._panel.present)

    @property
    def left_out(self) -> tuple[NodeFailure, ...]:
        """The nodes that the quorum stood without: first those that failed as a whole, then those that did in part."""
        return (
            *(NodeFailure(node.node_id, node.operator, reason) for node, reason in self._panel.left_out.items()),
            *(NodeFailure(node.node_id, node.operator, *failed) for node, failed in self._failed_on.items()),
        )

    def take_disagreements(self) -> tuple[NodeDisagreement, ...]:
        """What nodes disagreed about since this was last asked, each with every answer."""
        taken, self._disagreements = tuple(self._disagreements), []
        return taken

    def identify(self) -> NodeIdentity:
        """Prove chain id and genesis hash of every node against the configuration."""
        identities = self._panel.ask(lambda reader: reader.identify())
        genesis = self._agree(
            {node: identity.genesis_hash for node, identity in identities.items()}, DisagreementSubject.NETWORK, 0
        )
        versions = dict.fromkeys(identity.client_version for identity in identities.values())
        return NodeIdentity(self.chain_id, genesis, "; ".join(versions))

    def pin(self, *, height: int | None = None, now: datetime) -> Pin:
        """The highest block that a quorum of operators has final and names by one hash, or the one at a given height.

        A node that has another block there is left out, and so is one that has none: it could not read at the pin.
        """
        pins = self._panel.ask(lambda reader: reader.pin(height=height, now=now))
        first_dispute = ""
        for candidate in sorted({pin.block.height for pin in pins.values()}, reverse=True):
            final = [node for node, pin in pins.items() if pin.block.height >= candidate]
            if operator_count(final) < self._quorum:
                continue
            found, failures = self._at(candidate, pins, now)
            verdict = tally({node: found[node].block for node in final if node in found}, self._quorum)
            blocks = {node: pin.block for node, pin in found.items()}
            dispute = disputed(
                self.chain_id,
                DisagreementSubject.BLOCK,
                candidate,
                blocks,
                verdict.answer,
                lambda block: block.block_hash,
            )
            if dispute is not None:
                self._disagreements.append(dispute)
                first_dispute = first_dispute or f"block {candidate}: {dispute}"
            if verdict.answer is None:
                continue
            for node, block in blocks.items():
                if block != verdict.answer:
                    failures[node] = QuorumNotReached(f"has another block {candidate} than the quorum")
            self._panel.leave_out(failures)
            # The weakest of the quorum's pins: checked only when every one of them checked the header.
            return min((found[node] for node in verdict.supporters), key=lambda pin: pin.header_checked)
        raise QuorumNotReached(
            f"no block is final and the same at {self._quorum} operators; {first_dispute or 'too few have one'}",
            node_id=self.node_id,
        )

    def prepare(self, pin: Pin, addresses: Sequence[Address]) -> None:
        """Let every node's reader prepare (`chains.reader.prepare_balances`)."""
        self._panel.ask(lambda reader: prepare_balances(reader, pin, addresses))

    def used(self, addresses: Sequence[Address]) -> frozenset[Address]:
        """Addresses that any node's record says were paid: one that is watched too many does no harm."""
        return frozenset[Address]().union(*self._panel.ask(lambda reader: used_addresses(reader, addresses)).values())

    def read_balances(
        self, pin: Pin, holdings: Sequence[Holding], progress: Progress | None = None
    ) -> list[BalanceObservation]:
        """One observation for each holding, in the same order: `agreed` where a quorum of operators said the same.

        Where they did not, the observation failed and its reason says which node said what.
        """
        answers = self._panel.ask(lambda reader: reader.read_balances(pin, holdings))
        merged = merge_balances(pin, holdings, answers, self._quorum)
        self._disagreements += merged.disagreements
        for node, (reason, count) in merged.failures.items():
            first, before = self._failed_on.get(node, (reason, 0))
            self._failed_on[node] = (first, before + count)
        if progress is not None:
            progress(len(holdings))
        return merged.observations

    def take_answers(self) -> tuple[KeptRead, ...]:
        """The answers of each node's last read of balances, where they are kept: also of those that disagree."""
        return tuple(kept for node in self._panel.present for kept in take_answers(self._panel.readers[node]))

    def block_at(self, height: int) -> BlockRef:
        """The block that a quorum of operators has at a height."""
        blocks = self._panel.ask(lambda reader: reader.block_at(height))
        return self._agree(blocks, DisagreementSubject.BLOCK, height, said=lambda block: block.block_hash)

    def is_canonical(self, block: BlockRef) -> bool:
        """Whether a quorum of operators still has this very block on its canonical chain."""
        answers = self._panel.ask(lambda reader: reader.is_canonical(block))
        return self._agree(
            answers,
            DisagreementSubject.CANONICAL,
            block.height,
            block=block,
            said=lambda has: "it is canonical" if has else "it is not canonical",
        )

    def scan_transfers(
        self,
        first_height: int,
        last: BlockRef,
        watched: Iterable[Address],
        assets: Sequence[Asset],
        progress: Progress | None = None,
    ) -> TransferScan:
        """All movements, when a quorum of operators shows the same ones; never the union of what differs.

        Each transfer that not every node shows is a disagreement of its own. Raises `QuorumNotReached` when no quorum
        shows the same.
        """
        addresses = tuple(watched)
        scans = self._panel.ask(lambda reader: reader.scan_transfers(first_height, last, addresses, assets))
        contents = {
            node: (scan.blocks, frozenset(scan.transfers), frozenset(scan.unparsed.items()))
            for node, scan in scans.items()
        }
        verdict = tally(contents, self._quorum)
        # Of the same movements, the account of the node that could check them least: no more is claimed.
        support = sorted((scans[node] for node in verdict.supporters), key=lambda scan: not scan.mode_note)
        agreed = support[0] if support else None
        disputes = transfer_disputes(self.chain_id, scans, agreed) if verdict.is_disputed else []
        self._disagreements += disputes
        if agreed is None:
            raise QuorumNotReached(
                f"fewer than {self._quorum} operators show the same movements in blocks {first_height} to "
                f"{last.height}" + (f"; of {len(disputes)} differences the first: {disputes[0]}" if disputes else ""),
                node_id=self.node_id,
            )
        if progress is not None:
            progress(len(agreed.blocks))
        return replace(agreed, node_id=joined_node_ids(verdict.supporters))

    @property
    def traces_blocks(self) -> bool:
        """Whether one of its nodes can be asked to look into blocks."""
        return any(as_change_explainer(reader) is not None for reader in self._panel.readers.values())

    def trace_blocks(
        self,
        blocks: Sequence[BlockRef],
        watched: Iterable[Address],
        native: Asset,
        progress: Progress | None = None,
    ) -> list[BlockTrace]:
        """What the operators that can trace saw inside the transactions of each block (`ChangeExplainer`).

        A node that cannot is not left out for it. What fewer operators than the quorum saw carries their names alone.
        """
        addresses = tuple(watched)

        def ask(reader: ChainReader) -> list[BlockTrace]:
            explainer = as_change_explainer(reader)
            if explainer is not None:
                return explainer.trace_blocks(blocks, addresses, native)
            reason = "no-traces: the chain's adapter reads none"
            return [BlockTrace(block, "", reader.node_id, reason=reason) for block in blocks]

        answers = self._panel.ask(ask)
        if progress is not None:
            progress(len(blocks))
        return [
            merge_traces(block, {node: traces[place] for node, traces in answers.items()}, self._quorum)
            for place, block in enumerate(blocks)
        ]

    def asset_problems(self, pin: Pin, assets: Sequence[Asset]) -> dict[AssetId, str]:
        """What a quorum of operators finds wrong with the assets. An asset without a quorum has a problem too."""
        answers = self._panel.ask(lambda reader: reader.asset_problems(pin, assets))
        problems: dict[AssetId, str] = {}
        for asset in assets:
            found = {node: answer.get(asset.asset_id, "") for node, answer in answers.items()}
            verdict = tally(found, self._quorum)
            dispute = disputed(
                self.chain_id,
                DisagreementSubject.ASSET,
                pin.block.height,
                found,
                verdict.answer,
                lambda problem: problem or "it is as configured",
                block=pin.block,
                name=asset.asset_id,
            )
            if dispute is not None:
                self._disagreements.append(dispute)
            if problem := verdict.answer if verdict.is_agreed else f"operators disagree: {dispute}":
                problems[asset.asset_id] = problem
        return problems

    @property
    def proves_balances(self) -> bool:
        """Whether one of its nodes can be asked for state proofs."""
        return any(as_balance_prover(reader) is not None for reader in self._panel.readers.values())

    def prove_balances(
        self, pin: Pin, holdings: Sequence[Holding], layouts: Mapping[AssetId, TokenLayout]
    ) -> BalanceProofs:
        """What any one node can prove under the block that the quorum agreed on: a proof needs no second witness.

        The nodes are asked in turn for what is not proven yet. A node that cannot, or whose proofs do not check, is not
        left out for it: its answers to other questions stand against those of others.
        """
        from chains.quorum_proofs import ProofsOfMany

        found = ProofsOfMany(holdings)
        for node in self._panel.present:
            if not found.left:
                break
            prover = as_balance_prover(self._panel.readers[node])
            if prover is None:
                continue
            try:
                found.add(node.node_id, prover.prove_balances(pin, found.left, layouts))
            except ReadError as error:
                found.fail(error)
        return found.result()

    @property
    def proves_transactions(self) -> bool:
        """Whether one of its nodes can be asked for transactions with their proofs."""
        return any(as_transaction_prover(reader) is not None for reader in self._panel.readers.values())

    def prove_transactions(self, block: BlockRef, tx_ids: Sequence[str]) -> list[TransactionProof]:
        """The proofs of the first node that has them; under the block's hash they need no second witness."""
        failure: ReadError = UnsupportedByNode("no node of this chain proves transactions", node_id=self.node_id)
        for node in self._panel.present:
            if (prover := as_transaction_prover(self._panel.readers[node])) is not None:
                try:
                    return prover.prove_transactions(block, tx_ids)
                except ReadError as error:
                    failure = error
        raise failure

    @property
    def reads_encumbrances(self) -> bool:
        """Whether every node can be asked who else could move what is in the wallets."""
        return all(as_encumbrance_reader(reader) is not None for reader in self._panel.readers.values())

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
        """Every pair that any node saw approved: where to look. What only some of them saw is a disagreement."""
        from chains.quorum_encumbrances import Ballot, merge_approvals

        answers = self._panel.ask(
            lambda reader: _encumbrances_of(reader).look_for_approvals(
                last, wallets, assets, settings, first_height=first_height
            )
        )
        if progress is not None:
            progress(last.height - first_height + 1)
        return merge_approvals(answers, Ballot(last, self._quorum, self._disagreements))

    def read_encumbrances(
        self,
        pin: Pin,
        wallets: Sequence[Address],
        assets: Sequence[Asset],
        coverage: ApprovalCoverage,
        settings: EncumbranceSettings,
    ) -> EncumbranceReading:
        """What a quorum of operators says of each question at the pin; the rest is not known."""
        from chains.quorum_encumbrances import Ballot, merge_readings

        answers = self._panel.ask(
            lambda reader: _encumbrances_of(reader).read_encumbrances(pin, wallets, assets, coverage, settings)
        )
        return merge_readings(answers, Ballot(pin.block, self._quorum, self._disagreements))

    def probe(self, now: datetime) -> Mapping[str, str]:
        """What each node offers; the names begin with the node's own: `node-a.eip1898`."""
        return {
            f"{node_id}.{name}": words
            for node_id, found in self.probe_each(now).items()
            for name, words in found.items()
        }

    def probe_each(self, now: datetime) -> dict[str, Mapping[str, str]]:
        """What each node offers, by node, to show and keep."""
        return {node.node_id: found for node, found in self._panel.ask(lambda reader: reader.probe(now)).items()}

    def close(self) -> None:
        """Release the connections of every node, also when one of them fails to."""
        with ExitStack() as stack:
            for reader in self._panel.readers.values():
                stack.callback(reader.close)

    def _at(self, height: int, pins: Mapping[Witness, Pin], now: datetime) -> tuple[dict[Witness, Pin], Failures]:
        """What every node has at a height: a pin where that is final for it, else its block as an unchecked pin."""

        def ask(node: Witness, reader: ChainReader) -> Pin:
            own = pins[node]
            if own.block.height == height:
                return own
            if own.block.height > height:
                return reader.pin(height=height, now=now)
            return Pin(reader.block_at(height), own.finality, own.header_checked, own.header_note)

        return self._panel.put(pins, ask)

    def _agree(
        self,
        answers: Mapping[Witness, Said],
        subject: DisagreementSubject,
        height: int,
        *,
        block: BlockRef | None = None,
        said: Callable[[Said], str] = str,
    ) -> Said:
        """The answer of the quorum; a disagreement is noted whether or not there is one."""
        verdict = tally(answers, self._quorum)
        dispute = disputed(self.chain_id, subject, height, answers, verdict.answer, said, block=block)
        if dispute is not None:
            self._disagreements.append(dispute)
        if verdict.answer is None:
            raise QuorumNotReached(f"operators disagree at height {height}: {dispute}", node_id=self.node_id)
        return verdict.answer


def _encumbrances_of(reader: ChainReader) -> EncumbranceReader:
    asked = as_encumbrance_reader(reader)
    if asked is None:
        raise UnsupportedByNode("its adapter reads no encumbrances", node_id=reader.node_id)
    return asked


def open_quorum(
    config: ChainConfig, plugin: ChainPlugin, capabilities: Mapping[str, Mapping[str, str]] | None = None
) -> QuorumReader:
    """A reader of the chain through all its nodes, agreed on by `config.quorum` operators. The caller closes it.

    `capabilities` are kept from earlier probes, by node. Raises `ChainConfigError` when there are too few operators.
    """
    kept = capabilities or {}
    with ExitStack() as stack:
        readers: dict[Witness, ChainReader] = {}
        for node in config.nodes:
            reader = plugin.open(config, node, capabilities=kept.get(node.node_id))
            stack.callback(reader.close)
            readers[Witness(node.node_id, node.operator)] = reader
        quorum = QuorumReader(readers, config.quorum)
        stack.pop_all()
    return quorum
