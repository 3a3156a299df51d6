"""What one block does to watched output scripts: coins credited, coins debited, and the transactions around them.

Credits are what the block itself pays, which its header commits to. Debits are found twice: by the script that the
undo data says an input spent, and by the coins that our own ledger holds. Where the two disagree, somebody is wrong
about money, and nothing of the block is used.

Scripts are compared as bytes, so that one script has one balance however its address was spelled. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Final, NamedTuple

from chains.bitcoin.block import NO_BLOCK, Block, Spent
from chains.bitcoin.transaction import Output, Transaction, id_text, outpoint_parts
from chains.errors import MalformedAnswer, ProofFailed

COINBASE_MATURITY: Final = 100
"""A coin made by a coinbase can be spent from this many blocks after its own."""

_NUMBER: Final = Struct("<I")
_new = tuple.__new__  # a named tuple made without its Python-level constructor, as in `transaction`


class Credit(NamedTuple):
    """A coin that the block makes under a watched script."""

    outpoint: bytes
    script: bytes
    value: int
    """Satoshis."""
    is_coinbase: bool
    position: int
    """Position of its transaction in the block."""


class Debit(NamedTuple):
    """A coin under a watched script that the block spends."""

    outpoint: bytes
    script: bytes
    value: int
    """Satoshis."""
    position: int
    """Position of the spending transaction in the block."""


@dataclass(frozen=True, slots=True)
class TouchedTransaction:
    """A transaction that pays or spends a watched script, with both of its sides whole."""

    position: int
    transaction: Transaction
    spent: Sequence[Output]
    """The coin that each input spends, as the undo data says; empty for a coinbase."""

    @property
    def tx_id(self) -> str:
        """Its id as people write it."""
        return id_text(self.transaction.txid)

    @property
    def is_coinbase(self) -> bool:
        """Whether it makes new coins."""
        return self.transaction.is_coinbase

    @property
    def fee(self) -> int:
        """What its inputs bring and its outputs leave, in satoshis; 0 for a coinbase."""
        if self.is_coinbase:
            return 0
        return sum(coin.value for coin in self.spent) - sum(each.value for each in self.transaction.outputs)


@dataclass(frozen=True, slots=True)
class BlockEvents:
    """Everything in one block that concerns watched scripts."""

    credits: tuple[Credit, ...]
    debits: tuple[Debit, ...]
    transactions: tuple[TouchedTransaction, ...]
    """In the order of the block."""


CoinOf = Callable[[bytes], Output | None]
"""The unspent coin of our own ledger under an outpoint, before the block; None when it is not one of ours."""


def match_block(block: Block, spent: Spent, watched: Container[bytes], coin_of: CoinOf | None = None) -> BlockEvents:
    """What a checked block does to the watched scripts. `spent` is its undo data (`read_spent`).

    With `coin_of`, every debit must be a coin of our own ledger, and every coin of ours that the block spends must be
    a debit. Raises `MalformedAnswer` when the undo data does not belong to the block, `ProofFailed` when it
    contradicts our ledger.
    """
    check_spent(block, spent)
    if block.header.previous == NO_BLOCK:
        return BlockEvents((), (), ())  # the coin of the genesis block cannot be spent and is in no set of coins
    credited: list[Credit] = []
    debits: list[Debit] = []
    touched: list[TouchedTransaction] = []
    made_here: dict[bytes, list[Output]] = {}
    spent_here: set[bytes] = set()
    for position, (transaction, coins) in enumerate(zip(block.transactions, spent, strict=True)):
        before = len(credited) + len(debits)
        for index, coin in enumerate(coins):
            name = transaction.inputs[index].outpoint
            is_watched = coin.script in watched
            if coin_of is not None:
                ours = coin_of(name) or _coin_made_here(name, made_here, watched)
                if is_watched or ours is not None:
                    _require_same(block, name, coin, None if name in spent_here else ours)
                    spent_here.add(name)
            if is_watched:
                debits.append(Debit(name, coin.script, coin.value, position))
        for number, output in enumerate(transaction.outputs):
            if output.script in watched:
                name = transaction.txid + _NUMBER.pack(number)
                credited.append(_new(Credit, (name, output.script, output.value, position == 0, position)))
        if len(credited) + len(debits) > before:
            touched.append(TouchedTransaction(position, transaction, coins))
            made_here[transaction.txid] = transaction.outputs
    return BlockEvents(tuple(credited), tuple(debits), tuple(touched))


def _coin_made_here(name: bytes, made: Mapping[bytes, list[Output]], watched: Container[bytes]) -> Output | None:
    """A coin under a watched script that an earlier transaction of the block made."""
    outputs = made.get(name[:32])
    if outputs is None:
        return None
    _, number = outpoint_parts(name)
    return outputs[number] if number < len(outputs) and outputs[number].script in watched else None


def check_spent(block: Block, spent: Spent) -> None:
    """Raise `MalformedAnswer` unless undo data fits the block: a coin for each input, worth together what is paid."""
    name = block.header.block_hash
    if len(spent) != len(block.transactions):
        raise MalformedAnswer(
            f"undo data of block {name} is of {len(spent)} transactions, not {len(block.transactions)}"
        )
    if spent and spent[0]:
        raise MalformedAnswer(f"undo data of block {name} says that its coinbase spends coins")
    for transaction, coins in _without_coinbase(block, spent):
        if len(coins) != len(transaction.inputs):
            raise MalformedAnswer(f"undo data of block {name} has not one coin for each input")
        if sum([coin[0] for coin in coins]) < sum([output[0] for output in transaction.outputs]):
            raise MalformedAnswer(f"undo data of block {name}: a transaction pays more than it spends")


def _without_coinbase(block: Block, spent: Spent) -> Iterator[tuple[Transaction, Sequence[Output]]]:
    pairs = zip(block.transactions, spent, strict=True)
    next(pairs, None)
    return pairs


def _require_same(block: Block, name: bytes, coin: Output, ours: Output | None) -> None:
    if ours == coin:
        return
    where = f"output {int.from_bytes(name[32:], 'little')} of {id_text(name[:32])}"
    if ours is None:
        raise ProofFailed(
            f"block {block.header.block_hash} spends {where} under a watched script, which our ledger does not hold: "
            "the node says wrong, or the script is watched from a later block on than it was used"
        )
    raise ProofFailed(f"undo data of block {block.header.block_hash} says of {where} other than the block that made it")
