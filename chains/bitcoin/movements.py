"""Transfers out of transactions that have no senders: which input paid which output, and who bore the fee.

A Bitcoin transaction puts coins in and takes coins out; nothing in it says which paid for which. So that opening + in -
out - fees = closing holds per address to the satoshi, one way is fixed:

1. What a script gets back in the transaction that it helps to pay is change: its outputs, in order, are set against its
   own inputs, and are no transfer. One that gets back more than it put in is a receiver of the rest.
2. The scripts that put in more than they got back are payers, in the order of their first inputs. They fund what is
   left of the outputs, in order, and whoever still has something left then bears it as the fee.
3. A transfer is told when its payer or its receiver is watched; a fee, when its payer is.

So a transfer is the same whoever else is watched, and one that is told again for a wallet mapped late is known by its
id. The price is that a deposit paid by many strange scripts together is as many transfers.

The sums per address are facts; which payer met which output is this convention, where there is more than one payer.

Scripts without an address (bare keys and multisig, OP_RETURN) are spelled `script-` and the SHA-256 of the script, so
that nothing sent to them is lost. What a coinbase pays has no sender. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from hashlib import sha256
from typing import Final, NamedTuple

from chains.bitcoin.ledger import BlockEvents, TouchedTransaction
from chains.bitcoin.networks import Network
from chains.bitcoin.script import address_of_script
from chains.types import Address, Asset, BlockRef, Transfer, TransferKind

INPUTS_MAX: Final = 100_000
"""No transaction has as many inputs: the number of an output times this, plus that of an input, is a position."""


class Piece(NamedTuple):
    """So much from one payer to one output, or (no output) to the fee."""

    script: bytes
    """Of the payer."""
    first_input: int
    """Number of the payer's first input."""
    output: int | None
    value: int
    """Satoshis, never 0."""


def movements(
    events: BlockEvents, block: BlockRef, network: Network, asset: Asset, watched: Container[bytes]
) -> list[Transfer]:
    """All transfers of a block that touch the watched scripts, in the order of the block."""
    speller = _Speller(network)
    return [
        transfer
        for touched in events.transactions
        for transfer in _transfers(touched, block, asset, watched, speller.of)
    ]


def pieces(touched: TouchedTransaction) -> Iterator[Piece]:
    """How the inputs of a transaction fund its outputs and its fee; every satoshi once, change left out."""
    outputs = touched.transaction.outputs
    left_over: dict[bytes, int] = {}
    first_inputs: dict[bytes, int] = {}
    for number, coin in enumerate(touched.spent):
        left_over[coin.script] = left_over.get(coin.script, 0) + coin.value
        first_inputs.setdefault(coin.script, number)
    unfunded: list[tuple[int, int]] = []
    for number, (value, script) in enumerate(outputs):
        change = min(value, left_over.get(script, 0))
        if change:
            left_over[script] -= change
        if value > change:
            unfunded.append((number, value - change))
    wanted = iter(unfunded)
    output, missing = next(wanted, (None, 0))
    for script, brought in left_over.items():
        rest = brought
        while rest:
            value = rest if output is None else min(rest, missing)
            yield Piece(script, first_inputs[script], output, value)
            rest -= value
            missing -= value
            if output is not None and not missing:
                output, missing = next(wanted, (None, 0))


def piece_index(piece: Piece) -> int:
    """Position of a piece within its transaction, the same whatever is watched; negative for fees.

    Outputs and inputs can be read back: `index // 100_000` is the output, `index % 100_000` the payer's first input.
    """
    return -1 - piece.first_input if piece.output is None else piece.output * INPUTS_MAX + piece.first_input


def _transfers(
    touched: TouchedTransaction,
    block: BlockRef,
    asset: Asset,
    watched: Container[bytes],
    spell: Callable[[bytes], Address],
) -> Iterator[Transfer]:
    def transfer(
        index: int, sender: Address | None, receiver: Address | None, value: int, kind: TransferKind
    ) -> Transfer:
        return Transfer(block, touched.tx_id, index, asset, sender, receiver, value, kind)

    outputs = touched.transaction.outputs
    if touched.is_coinbase:
        for number, (value, script) in enumerate(outputs):
            if value and script in watched:
                yield transfer(number * INPUTS_MAX, None, spell(script), value, TransferKind.COINBASE)
        return
    for piece in pieces(touched):
        if piece.output is None:
            if piece.script in watched:
                yield transfer(piece_index(piece), spell(piece.script), None, piece.value, TransferKind.FEE)
        elif piece.script in watched or outputs[piece.output].script in watched:
            receiver = spell(outputs[piece.output].script)
            yield transfer(piece_index(piece), spell(piece.script), receiver, piece.value, TransferKind.NATIVE)


def spelled(network: Network, script: bytes) -> Address:
    """The one address of a script, or `script-` and its SHA-256 where it has none."""
    return Address(address_of_script(network, script) or f"script-{sha256(script).hexdigest()}")


class _Speller:
    """How scripts are spelled; each is looked into once."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._spelled: dict[bytes, Address] = {}

    def of(self, script: bytes) -> Address:
        if script not in self._spelled:
            self._spelled[script] = spelled(self._network, script)
        return self._spelled[script]
