"""A Bitcoin chain made in memory, with the set of unspent coins after every block by the plainest possible model.

Blocks are real in all that a header commits to: transactions, merkle root, witness commitment, proof of work at the
least difficulty. Scripts are arbitrary bytes and nothing is signed: what is tested here does not run scripts.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from chains.bitcoin.block import Block, merkle_root, read_block, read_header, read_spent, script_number
from chains.bitcoin.encoding import encode_block, encode_header, encode_spent, encode_transaction
from chains.bitcoin.hashes import sha256d
from chains.bitcoin.ledger import COINBASE_MATURITY
from chains.bitcoin.proof_of_work import target_of
from chains.bitcoin.transaction import (
    NO_OUTPOINT,
    Input,
    Output,
    Transaction,
    decode_transaction,
    id_text,
    outpoint,
)

BITS = 0x207FFFFF
GENESIS = bytes.fromhex(
    "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51"
    "323a9fb8aa4b1e5e4adae5494dffff7f2002000000"
)
START_TIME = 1_600_000_000
SUBSIDY = 5_000_000_000
SEQUENCE = 0xFFFFFFFD
MINER = bytes.fromhex("0014") + b"m" * 20


@dataclass(frozen=True)
class ModelCoin:
    """An unspent coin of the model."""

    output: Output
    height: int
    is_coinbase: bool


@dataclass(frozen=True)
class ModelBlock:
    """A block, what it spends, and all coins after it."""

    block_hash: str
    hash: bytes
    height: int
    raw: bytes
    raw_spent: bytes
    coins: dict[bytes, ModelCoin] = field(repr=False)

    @property
    def pair(self) -> tuple[Block, list[list[Output]]]:
        """As the ledger gets it."""
        return read_block(self.raw), read_spent(self.raw_spent)

    def balance(self, script: bytes) -> int:
        """What a script holds after the block."""
        return sum(coin.output.value for coin in self.coins.values() if coin.output.script == script)

    def immature(self, script: bytes) -> int:
        """The part that the next block cannot spend."""
        return sum(
            coin.output.value
            for coin in self.coins.values()
            if coin.output.script == script and coin.is_coinbase and self.height + 1 - coin.height < COINBASE_MATURITY
        )


def genesis() -> ModelBlock:
    """Block 0 of regtest; its coin cannot be spent and is not among the coins."""
    header = read_header(GENESIS)
    return ModelBlock(header.block_hash, header.hash, 0, GENESIS, encode_spent([[]]), {})


def mine(
    before: ModelBlock,
    payments: Sequence[bytes] = (),
    *,
    coinbase_outputs: Sequence[Output] = (Output(SUBSIDY, MINER),),
    salt: int = 0,
    bits: int = BITS,
    coinbase: bytes = b"",
) -> ModelBlock:
    """The block with these transactions on top of another. `salt` makes blocks different that would be the same.

    A written `coinbase` may be one that was there before.
    """
    height = before.height + 1
    transactions = [decode_transaction(raw) for raw in payments]
    coinbase = coinbase or _coinbase(height, transactions, coinbase_outputs, salt)
    root = merkle_root([decode_transaction(coinbase).txid, *(each.txid for each in transactions)])
    assert root is not None
    header = _mined(before.hash, root, START_TIME + 600 * height + salt, bits)
    spent: list[list[Output]] = [[]]
    coins = dict(before.coins)
    for position, transaction in enumerate([decode_transaction(coinbase), *transactions]):
        if position:
            spent.append([coins.pop(each.outpoint).output for each in transaction.inputs])
        for number, output in enumerate(transaction.outputs):
            if not output.script.startswith(b"\x6a"):
                coins[outpoint(transaction.txid, number)] = ModelCoin(output, height, position == 0)
    raw = encode_block(header, [coinbase, *payments])
    block_hash = read_header(header).hash
    return ModelBlock(id_text(block_hash), block_hash, height, raw, encode_spent(spent), coins)


def pay(coins: Sequence[bytes], outputs: Sequence[Output], *, has_witness: bool = True, lock_time: int = 0) -> bytes:
    """A transaction that spends coins; its witnesses are bytes that nobody checks here."""
    inputs = [Input(name, b"" if has_witness else b"\x51", SEQUENCE) for name in coins]
    witnesses = [[b"signature", b"key"] for _ in coins] if has_witness else []
    return encode_transaction(inputs, outputs, witnesses, lock_time=lock_time)


def random_block(before: ModelBlock, scripts: Sequence[bytes], chance: random.Random) -> ModelBlock:
    """A block of random payments among some scripts: chains within the block, change, fees, repeated receivers."""
    spendable = {
        name: coin.output
        for name, coin in before.coins.items()
        if not coin.is_coinbase or before.height + 1 - coin.height >= COINBASE_MATURITY
    }
    payments = []
    for number in range(chance.randrange(4)):
        if not spendable:
            break
        names = chance.sample(sorted(spendable), min(len(spendable), chance.randint(1, 3)))
        total = sum(spendable.pop(name).value for name in names)
        outputs = []
        left = total - chance.choice((0, min(total, 1000)))
        for _ in range(chance.randint(1, 4)):
            value = chance.randint(0, left)
            outputs.append(Output(value, chance.choice(scripts)))
            left -= value
        if chance.random() < 0.2:
            outputs.append(Output(0, b"\x6a\x04note"))
        raw = pay(names, outputs, has_witness=chance.random() < 0.7, lock_time=number)
        txid = decode_transaction(raw).txid
        payments.append(raw)
        spendable.update(
            {outpoint(txid, at): each for at, each in enumerate(outputs) if not each.script.startswith(b"\x6a")}
        )
    reward = [Output(SUBSIDY, chance.choice(scripts))]
    return mine(before, payments, coinbase_outputs=reward, salt=chance.randrange(500))


def balances(block: ModelBlock) -> Counter[bytes]:
    """What every script holds after a block."""
    found: Counter[bytes] = Counter()
    for coin in block.coins.values():
        found[coin.output.script] += coin.output.value
    return found


def _coinbase(height: int, others: list[Transaction], outputs: Sequence[Output], salt: int) -> bytes:
    script_sig = script_number(height) + salt.to_bytes(4, "little")
    inputs = [Input(NO_OUTPOINT, script_sig, 0xFFFFFFFF)]
    if not any(each.witnesses for each in others):
        return encode_transaction(inputs, outputs)
    reserved = bytes(32)
    root = merkle_root([bytes(32), *(each.wtxid for each in others)])
    assert root is not None
    commitment = Output(0, bytes.fromhex("6a24aa21a9ed") + sha256d(root + reserved))
    return encode_transaction(inputs, [*outputs, commitment], [[reserved]])


def _mined(previous: bytes, root: bytes, time: int, bits: int) -> bytes:
    target = target_of(bits)
    assert target is not None
    for nonce in range(1 << 32):
        header = encode_header(4, previous, root, time, bits, nonce)
        if int.from_bytes(sha256d(header), "little") <= target:
            return header
    raise AssertionError("no nonce is left")
