"""Several operators together as the witness of a proof of control: what enough of them agree on counts.

The block is the one the quorum pins; every node is asked at it. An answer without a quorum is a `ReadError` in the
place of that one account: it is unverified.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime

from chains.agreement import Witness
from chains.errors import ReadError
from chains.evm.accounts import ContractQuestion
from chains.evm.key_witness import EvmKeyWitness
from chains.evm.reader import EvmReader
from chains.evm.scanner import AccountKind
from chains.quorum import QuorumReader
from chains.reader import ChainConfig
from chains.types import Address
from chains.witness_quorum import Said, WitnessQuorum


class QuorumKeyWitness(WitnessQuorum[EvmKeyWitness]):
    """Answers that a quorum of operators gave about accounts at one pinned block."""

    def has_block(self, height: int, block_hash: str) -> bool | ReadError:
        """Whether a block is on the chain that the pinned block is the end of."""
        (answer,) = self._agreed(lambda witness: [witness.has_block(height, block_hash)], 1)
        return answer

    def kinds(self, addresses: Sequence[Address]) -> list[AccountKind | ReadError]:
        """What stands at each address."""
        return self._agreed(lambda witness: witness.kinds(addresses), len(addresses))

    def accepts(self, questions: Sequence[ContractQuestion]) -> list[bool | ReadError]:
        """Whether each contract accepts its signature."""
        return self._agreed(lambda witness: witness.accepts(questions), len(questions))

    def _agreed(
        self, question: Callable[[EvmKeyWitness], Sequence[Said | ReadError]], count: int
    ) -> list[Said | ReadError]:
        answers = {node: question(witness) for node, witness in self._witnesses.items()}
        said = ({node: given[place] for node, given in answers.items()} for place in range(count))
        return [self.agreed(each, tells=True) for each in said]


@contextmanager
def quorum_key_witness(config: ChainConfig, now: datetime) -> Iterator[QuorumKeyWitness]:
    """A witness at the block that the quorum of the chain's operators gives for the configured finality.

    Nodes that are left out by then are not asked. Raises `ReadError` or `ChainConfigError`.
    """
    from chains.transport import JsonRpcTransport

    with ExitStack() as stack:
        parts: dict[Witness, tuple[EvmReader, JsonRpcTransport]] = {}
        for node in config.nodes:
            transport = JsonRpcTransport(node, config.limits)
            stack.callback(transport.close)
            parts[Witness(node.node_id, node.operator)] = (EvmReader(config, node.node_id, transport), transport)
        quorum = QuorumReader({node: reader for node, (reader, _) in parts.items()}, config.quorum)
        quorum.identify()
        block = quorum.pin(now=now).block
        left_out = {failure.node_id for failure in quorum.left_out}
        present = {node: part for node, part in parts.items() if node.node_id not in left_out}
        witnesses = {node: EvmKeyWitness(reader, transport, block) for node, (reader, transport) in present.items()}
        yield QuorumKeyWitness(witnesses, config.quorum, block)
