"""One node of an EVM chain as the witness of a proof of control: who is a contract, and what contracts accept.

Everything is asked at one block that is pinned when the answer comes, not at the challenge's block: nodes keep old
state for minutes only, and what counts is who can sign when the signature is given. The challenge's block must be on
the same chain below it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from chains.errors import ReadError
from chains.evm.accounts import ContractQuestion, account_kinds, contract_answers
from chains.evm.balances import Transport
from chains.evm.reader import EvmReader
from chains.evm.scanner import AccountKind
from chains.reader import ChainConfig, NodeConfig
from chains.types import Address, BlockRef
from chains.witness_quorum import has_block


class EvmKeyWitness:
    """Answers about accounts at one pinned block. What the node cannot say is a `ReadError` value."""

    def __init__(self, reader: EvmReader, transport: Transport, block: BlockRef) -> None:
        self._reader = reader
        self._transport = transport
        self.block = block
        """The block at which everything is asked."""

    @property
    def node_id(self) -> str:
        """The configured name of the node."""
        return self._reader.node_id

    def has_block(self, height: int, block_hash: str) -> bool | ReadError:
        """Whether a block is on the chain that the pinned block is the end of."""
        return has_block(self._reader, self.block, height, block_hash)

    def kinds(self, addresses: Sequence[Address]) -> list[AccountKind | ReadError]:
        """What stands at each address."""
        try:
            return account_kinds(self._transport, self.block, addresses)
        except ReadError as error:
            return [error for _ in addresses]

    def accepts(self, questions: Sequence[ContractQuestion]) -> list[bool | ReadError]:
        """Whether each contract accepts its signature."""
        try:
            return contract_answers(self._transport, self.block, questions)
        except ReadError as error:
            return [error for _ in questions]


@contextmanager
def evm_key_witness(config: ChainConfig, node: NodeConfig, now: datetime) -> Iterator[EvmKeyWitness]:
    """A witness at the block that the node gives for the configured finality.

    The node proves chain id and genesis hash first. Raises `ReadError` or `ChainConfigError`.
    """
    from chains.transport import JsonRpcTransport

    transport = JsonRpcTransport(node, config.limits)
    try:
        reader = EvmReader(config, node.node_id, transport)
        reader.identify()
        yield EvmKeyWitness(reader, transport, reader.pin(now=now).block)
    finally:
        transport.close()
