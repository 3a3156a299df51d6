"""What one block does to watched output scripts: coins credited, coins debited, and the transactions around them.

Credits are what the block itself pays, which its header commits to. Debits are found twice: by the script that the
undo data says an input spent, and by the coins that our own ledger holds. Where the two disagree, somebody is wrong
about money, and nothing of the block is used.

Scripts are compared as bytes, so that one script has one balance however its address was spelled. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from struct import Struct
from typing import Final, NamedTuple

from chains.bitcoin.block import NO_BLOCK, Block, Header, Spent, check_block
from chains.bitcoin.inclusion import PlacedTransaction, place_transactions
from chains.bitcoin.networks import Network
from chains.bitcoin.transaction import Output, Transaction, id_text, outpoint_parts
from chains.errors import MalformedAnswer, ProofFailed

COINBASE_MATURITY: Final = 100
"""A coin made by a coinbase can be spent from this many blocks after its own."""

OUTPOINT_BYTES: Final = 36
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


@dataclass(frozen=True, slots=True)
class BlockLook:
    """What a block that was held against its header does to watched scripts, and what is needed to hold that against a
    ledger. Made without the ledger, so that it can be made in another process."""

    header: Header
    height: int
    """The height for which it was checked."""
    watched: int
    """How many scripts were watched for."""
    events: BlockEvents
    inputs: bytes
    """Outpoints of all inputs but the coinbase's, 36 bytes each, in the order of the block."""
    made_here: frozenset[bytes]
    """Outpoints of the debits whose coin an earlier transaction of the block made."""
    coinbase: bytes
    """Id of the coinbase."""
    coinbase_outputs: int
    places: tuple[PlacedTransaction, ...] = ()
    """The transactions that pay watched scripts, and the coinbase then, each with its way to the merkle root."""

    def spent_names(self) -> list[bytes]:
        """The coins that the block spends."""
        raw = self.inputs
        return [raw[at : at + OUTPOINT_BYTES] for at in range(0, len(raw), OUTPOINT_BYTES)]

    def names(self) -> set[bytes]:
        """The coins that the block spends, or writes over with its coinbase."""
        own = (self.coinbase + _NUMBER.pack(number) for number in range(self.coinbase_outputs))
        return {*self.spent_names(), *own}


class CoinNotHeld(ProofFailed):
    """A block spends a coin of a watched script that the ledger does not hold."""

    advice = (
        "Compare with another node. If the wallet was used below history_from_height, lower that and move the ledger "
        "file away, or begin the wallet with its coins: `custody chain load CHAIN --coins scan`."
    )
    script = b""
    """Whose coin it is."""


def examine(block: Block, spent: Spent, network: Network, height: int, watched: Collection[bytes]) -> BlockLook:
    """Hold a block against its header (`check_block`) and look for the watched scripts. Raises as `match_block`."""
    check_block(block, network, height)
    look = look_at(block, spent, watched, height)
    paying = {credit.position for credit in look.events.credits}
    return replace(look, places=place_transactions(block, paying)) if paying else look


def match_block(block: Block, spent: Spent, watched: Collection[bytes], coin_of: CoinOf | None = None) -> BlockEvents:
    """What a checked block does to the watched scripts. `spent` is its undo data (`read_spent`).

    With `coin_of`, every debit must be a coin of our own ledger, and every coin of ours that the block spends must be
    a debit. Raises `MalformedAnswer` when the undo data does not belong to the block, `ProofFailed` when it
    contradicts our ledger.
    """
    look = look_at(block, spent, watched)
    if coin_of is not None:
        ours = {name: coin for name in look.spent_names() if (coin := coin_of(name)) is not None}
        require_coins(look, ours)
    return look.events


def look_at(block: Block, spent: Spent, watched: Collection[bytes], height: int = 0) -> BlockLook:
    """What a checked block does to the watched scripts; coins that it makes and spends itself are compared here."""
    check_spent(block, spent)
    coinbase = block.transactions[0]
    if block.header.previous == NO_BLOCK:  # the coin of the genesis block cannot be spent and is in no set of coins
        nothing = BlockEvents((), (), ())
        return BlockLook(block.header, height, len(watched), nothing, b"", frozenset(), coinbase.txid, 0)
    credited: list[Credit] = []
    debits: list[Debit] = []
    touched: list[TouchedTransaction] = []
    made_here: dict[bytes, list[Output]] = {}
    own: set[bytes] = set()
    spent_here: set[bytes] = set()
    pack_number = _NUMBER.pack
    for position, (transaction, coins) in enumerate(zip(block.transactions, spent, strict=True)):
        before = len(credited) + len(debits)
        for index, coin in enumerate(coins):
            is_watched = coin.script in watched
            if not is_watched and not made_here:
                continue
            name = transaction.inputs[index].outpoint
            ours = _coin_made_here(name, made_here, watched)
            if ours is not None:
                _require_same(block.header, name, coin, ours)
                own.add(name)
            if is_watched:
                if name in spent_here:
                    _require_same(block.header, name, coin, None)
                spent_here.add(name)
                debits.append(Debit(name, coin.script, coin.value, position))
        txid, is_coinbase = transaction.txid, position == 0
        for number, (value, script) in enumerate(transaction.outputs):
            if script in watched:
                name = txid + pack_number(number)
                credited.append(_new(Credit, (name, script, value, is_coinbase, position)))
        if len(credited) + len(debits) > before:
            touched.append(TouchedTransaction(position, transaction, coins))
            made_here[transaction.txid] = transaction.outputs
    return BlockLook(
        header=block.header,
        height=height,
        watched=len(watched),
        events=BlockEvents(tuple(credited), tuple(debits), tuple(touched)),
        inputs=b"".join([each.outpoint for other in block.transactions[1:] for each in other.inputs]),
        made_here=frozenset(own),
        coinbase=coinbase.txid,
        coinbase_outputs=len(coinbase.outputs),
    )


def require_coins(look: BlockLook, coins: Mapping[bytes, Output]) -> None:
    """Hold the debits of a block against the unspent coins of our ledger among those it names, before the block.

    Raises `CoinNotHeld` for a debit of a coin that the ledger does not hold, `ProofFailed` for one that is otherwise.
    """
    debits = {debit.outpoint: Output(debit.value, debit.script) for debit in look.events.debits}
    for name, ours in coins.items():
        if name[:32] != look.coinbase and debits.get(name) != ours:
            raise _told_otherwise(look.header, name)
    for name, coin in debits.items():
        if name not in coins and name not in look.made_here:
            _require_same(look.header, name, coin, None)


def _coin_made_here(name: bytes, made: Mapping[bytes, list[Output]], watched: Collection[bytes]) -> Output | None:
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


def _require_same(header: Header, name: bytes, coin: Output, ours: Output | None) -> None:
    if ours == coin:
        return
    if ours is not None:
        raise _told_otherwise(header, name)
    error = CoinNotHeld(
        f"block {header.block_hash} spends {_where(name)} under a watched script, which our ledger does not hold: the "
        "node says wrong, or the script was paid below history_from_height, from where on blocks are read. "
        f"{CoinNotHeld.advice}"
    )
    error.script = coin.script
    raise error


def _told_otherwise(header: Header, name: bytes) -> ProofFailed:
    return ProofFailed(
        f"undo data of block {header.block_hash} says of {_where(name)} other than the block that made it"
    )


def _where(name: bytes) -> str:
    return f"output {int.from_bytes(name[32:], 'little')} of {id_text(name[:32])}"
