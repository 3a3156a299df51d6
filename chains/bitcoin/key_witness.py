"""Nodes of a Bitcoin chain as the witness of a proof of control: which coins were there, and what moved since.

Both come from our own ledger of the node's blocks, so that a coin is as of the challenge's block by its hash. With a
quorum every node is asked, each with a ledger of its own, and what enough operators agree on counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime

from chains.agreement import Witness
from chains.bitcoin.reader import BitcoinReader
from chains.bitcoin.transaction import Output
from chains.errors import ChainMoved, ReadError
from chains.quorum import QuorumReader
from chains.reader import ChainConfig, NodeConfig, Pin
from chains.types import Address, Asset, BlockRef, Transfer
from chains.witness_quorum import Said, WitnessQuorum, has_block


class BitcoinKeyWitness:
    """Answers of one node about one chain below a pinned block. What it cannot say is a `ReadError` value."""

    def __init__(self, reader: BitcoinReader, asset: Asset, pin: Pin) -> None:
        self._reader = reader
        self._asset = asset
        self._pin = pin

    @property
    def block(self) -> BlockRef:
        """The block up to which it is asked."""
        return self._pin.block

    @property
    def node_id(self) -> str:
        """The configured name of the node."""
        return self._reader.node_id

    def has_block(self, height: int, block_hash: str) -> bool | ReadError:
        """Whether a block is on the chain that the pinned block is the end of."""
        return has_block(self._reader, self.block, height, block_hash)

    def coins(self, height: int, block_hash: str, addresses: Sequence[Address]) -> Mapping[bytes, Output] | ReadError:
        """The unspent coins of addresses as of a block, by outpoint."""
        try:
            block = self._reader.block_at(height)
            if block.block_hash != block_hash:
                return ChainMoved(f"block {height} is another one now", node_id=self.node_id)
            found = self._reader.coins(Pin(block, self._pin.finality, header_checked=True), addresses)
        except ReadError as error:
            return error
        return {coin.outpoint: Output(coin.value, coin.script) for coin in found}

    def transfers(self, above: int, addresses: Sequence[Address]) -> Sequence[Transfer] | ReadError:
        """The movements of addresses in the blocks above a height, up to the pinned block."""
        if above >= self.block.height:
            return ()
        try:
            return self._reader.scan_transfers(above + 1, self.block, addresses, [self._asset]).transfers
        except ReadError as error:
            return error


class BitcoinKeyQuorum(WitnessQuorum[BitcoinKeyWitness]):
    """Answers on which enough operators agree."""

    def has_block(self, height: int, block_hash: str) -> bool | ReadError:
        """Whether a block is on the chain that the pinned block is the end of."""
        return self._agreed(lambda witness: witness.has_block(height, block_hash))

    def coins(self, height: int, block_hash: str, addresses: Sequence[Address]) -> Mapping[bytes, Output] | ReadError:
        """The unspent coins of addresses as of a block, by outpoint."""

        def ask(witness: BitcoinKeyWitness) -> frozenset[tuple[bytes, Output]] | ReadError:
            found = witness.coins(height, block_hash, addresses)
            return found if isinstance(found, ReadError) else frozenset(found.items())

        said = self._agreed(ask)
        return said if isinstance(said, ReadError) else dict(said)

    def transfers(self, above: int, addresses: Sequence[Address]) -> Sequence[Transfer] | ReadError:
        """The movements of addresses in the blocks above a height, up to the pinned block."""

        def ask(witness: BitcoinKeyWitness) -> tuple[Transfer, ...] | ReadError:
            found = witness.transfers(above, addresses)
            return found if isinstance(found, ReadError) else tuple(found)

        return self._agreed(ask)

    def _agreed(self, question: Callable[[BitcoinKeyWitness], Said | ReadError]) -> Said | ReadError:
        return self.agreed({node: question(witness) for node, witness in self._witnesses.items()})


@contextmanager
def bitcoin_key_witness(config: ChainConfig, node: NodeConfig, now: datetime) -> Iterator[BitcoinKeyWitness]:
    """A witness up to the block that the node gives for the configured finality.

    The node proves chain name and genesis block first. Raises `ReadError` or `ChainConfigError`.
    """
    from chains.bitcoin import chain_plugin

    reader = chain_plugin.open(config, node)
    try:
        reader.identify()
        yield BitcoinKeyWitness(reader, config.native_asset, reader.pin(now=now))
    finally:
        reader.close()


@contextmanager
def bitcoin_key_quorum(config: ChainConfig, now: datetime) -> Iterator[BitcoinKeyQuorum]:
    """A witness up to the block that the quorum of the chain's operators gives for the configured finality.

    Nodes that are left out by then are not asked. Raises `ReadError` or `ChainConfigError`.
    """
    from chains.bitcoin import chain_plugin

    with ExitStack() as stack:
        readers: dict[Witness, BitcoinReader] = {}
        for node in config.nodes:
            reader = chain_plugin.open(config, node)
            stack.callback(reader.close)
            readers[Witness(node.node_id, node.operator)] = reader
        quorum = QuorumReader(readers, config.quorum)
        quorum.identify()
        pin = quorum.pin(now=now)
        left_out = {failure.node_id for failure in quorum.left_out}
        witnesses = {
            node: BitcoinKeyWitness(reader, config.native_asset, pin)
            for node, reader in readers.items()
            if node.node_id not in left_out
        }
        yield BitcoinKeyQuorum(witnesses, config.quorum, pin.block)
