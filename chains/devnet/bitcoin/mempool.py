"""Transactions that wait for a block: the checks of Bitcoin Core that tests run into, and replacement by fee."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from chains.bitcoin.networks import COIN
from chains.devnet.bitcoin.kernel_chain import Coin, KernelChain, Outpoint, Submitted
from chains.devnet.bitcoin.mining import COINBASE_MATURITY
from chains.devnet.bitcoin.wire import SEQUENCE_FINAL, Transaction

MONEY_MAX: Final = 21_000_000 * COIN
MIN_RELAY_FEE: Final = 100
"""Satoshis for 1,000 virtual bytes."""
UNCONFIRMED_HEIGHT: Final = 0x7FFFFFFF
LOCK_TIME_THRESHOLD: Final = 500_000_000
"""Lock times below are heights, others are times."""


class TransactionRefused(Exception):
    """The transaction may not wait; `code` and text are those of `sendrawtransaction`."""

    def __init__(self, text: str, code: int = -26) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Waiting:
    """A transaction in the pool."""

    transaction: Transaction
    fee: int
    """Satoshis."""
    time: int
    """When it came, Unix seconds."""
    height: int
    """Of the tip when it came."""


class Mempool:
    """The pool of one node."""

    def __init__(self, chain: KernelChain) -> None:
        self._chain = chain
        self.waiting: dict[bytes, Waiting] = {}
        """By txid, in the order of arrival: parents before children."""
        self._spent_by: dict[Outpoint, bytes] = {}

    def spender(self, outpoint: Outpoint) -> bytes | None:
        """The waiting transaction that spends an output."""
        return self._spent_by.get(outpoint)

    def coin(self, outpoint: Outpoint) -> Coin | None:
        """An output that a new transaction may spend: one of the chain, or of a waiting transaction."""
        parent = self.waiting.get(outpoint[0])
        if parent is None:
            return self._chain.coins.get(outpoint)
        outputs = parent.transaction.outputs
        if outpoint[1] >= len(outputs):
            return None
        output = outputs[outpoint[1]]
        return Coin(output.value, output.script, UNCONFIRMED_HEIGHT, coinbase=False)

    def accept(self, transaction: Transaction, time: int, *, fee_rate_max: int | None = None) -> Waiting:
        """Let a transaction wait; raise `TransactionRefused`. `fee_rate_max` is in satoshis per 1,000 virtual bytes."""
        if transaction.txid in self.waiting:
            return self.waiting[transaction.txid]
        self._require_possible(transaction)
        coins = self._coins_of(transaction)
        paid = sum(coin.value for coin in coins) - sum(output.value for output in transaction.outputs)
        if paid < 0:
            raise TransactionRefused("bad-txns-in-belowout")
        if fee_rate_max and paid * 1000 > fee_rate_max * transaction.virtual_size:
            raise TransactionRefused("Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)", -25)
        required = MIN_RELAY_FEE * transaction.virtual_size // 1000
        if paid < required:
            raise TransactionRefused(f"min relay fee not met, {paid} < {required}")
        replaced = self._replaced_by(transaction, paid)
        if not all(self._chain.verify_input(transaction, index, coins) for index in range(len(coins))):
            raise TransactionRefused("mempool-script-verify-flag-failed")
        self._remove(replaced)
        entry = Waiting(transaction, paid, time, self._chain.tip.height)
        self.waiting[transaction.txid] = entry
        self._spent_by.update((each.outpoint, transaction.txid) for each in transaction.inputs)
        return entry

    def follow(self, submitted: Submitted) -> None:
        """What a new tip changes: transactions in blocks and their rivals go, those of lost blocks come back."""
        back = [
            transaction
            for entry in reversed(submitted.disconnected)
            for transaction in entry.block.transactions
            if not transaction.is_coinbase
        ]
        for entry in submitted.connected:
            for transaction in entry.block.transactions:
                self._forget(transaction.txid)
                rivals = {
                    self._spent_by[each.outpoint] for each in transaction.inputs if each.outpoint in self._spent_by
                }
                self._remove(self.with_descendants(rivals))
        if not back:
            return
        # A lost block may have held what waiting transactions spend, so all are put through the checks again.
        again, times = (
            back + [each.transaction for each in self.waiting.values()],
            {txid: each.time for txid, each in self.waiting.items()},
        )
        self.waiting.clear()
        self._spent_by.clear()
        for transaction in again:
            try:
                self.accept(transaction, times.get(transaction.txid, self._chain.tip.block.header.time))
            except TransactionRefused:
                continue

    def with_descendants(self, txids: Iterable[bytes]) -> list[bytes]:
        """The transactions and all that spend them, in the order of arrival."""
        found = set(txids)
        for txid, each in self.waiting.items():
            if any(one.txid in found for one in each.transaction.inputs):
                found.add(txid)
        return [txid for txid in self.waiting if txid in found]

    def virtual_size(self, txids: Iterable[bytes]) -> int:
        """Of waiting transactions together."""
        return sum(self.waiting[txid].transaction.virtual_size for txid in txids)

    def fees(self, txids: Iterable[bytes]) -> int:
        """Of waiting transactions together, in satoshis."""
        return sum(self.waiting[txid].fee for txid in txids)

    def _require_possible(self, transaction: Transaction) -> None:
        if transaction.is_coinbase:
            raise TransactionRefused("coinbase")
        if not transaction.inputs or not transaction.outputs:
            raise TransactionRefused("bad-txns-vin-empty" if not transaction.inputs else "bad-txns-vout-empty")
        if any(output.value < 0 for output in transaction.outputs):
            raise TransactionRefused("bad-txns-vout-negative")
        if sum(output.value for output in transaction.outputs) > MONEY_MAX:
            raise TransactionRefused("bad-txns-txouttotal-toolarge")
        if len({each.outpoint for each in transaction.inputs}) != len(transaction.inputs):
            raise TransactionRefused("bad-txns-inputs-duplicate")
        if any((transaction.txid, vout) in self._chain.coins for vout in range(len(transaction.outputs))):
            raise TransactionRefused("Transaction outputs already in utxo set", -27)
        tip = self._chain.tip
        now = tip.height + 1 if transaction.lock_time < LOCK_TIME_THRESHOLD else tip.median_time
        locked = any(each.sequence != SEQUENCE_FINAL for each in transaction.inputs)
        if locked and transaction.lock_time >= now:
            raise TransactionRefused("non-final")

    def _coins_of(self, transaction: Transaction) -> list[Coin]:
        coins = []
        for each in transaction.inputs:
            coin = self.coin(each.outpoint)
            if coin is None:
                raise TransactionRefused("bad-txns-inputs-missingorspent", -25)
            depth = self._chain.tip.height + 1 - coin.height
            if coin.coinbase and depth < COINBASE_MATURITY:
                text = f"bad-txns-premature-spend-of-coinbase, tried to spend coinbase at depth {depth}"
                raise TransactionRefused(text)
            coins.append(coin)
        return coins

    def _replaced_by(self, transaction: Transaction, paid: int) -> list[bytes]:
        """The waiting transactions that this one replaces; raise `TransactionRefused` where it pays too little."""
        direct = {self._spent_by[each.outpoint] for each in transaction.inputs if each.outpoint in self._spent_by}
        if not direct:
            return []
        for txid in direct:
            rival = self.waiting[txid]
            if paid * rival.transaction.virtual_size <= rival.fee * transaction.virtual_size:
                raise TransactionRefused("insufficient fee, rejecting replacement: the fee rate is not higher")
        replaced = self.with_descendants(direct)
        fees = self.fees(replaced)
        if paid < fees + MIN_RELAY_FEE * transaction.virtual_size // 1000:
            raise TransactionRefused("insufficient fee, rejecting replacement: it does not pay for its relay")
        if any(each.txid in replaced for each in transaction.inputs):
            raise TransactionRefused("bad-txns-spends-conflicting-tx")
        return replaced

    def _remove(self, txids: Iterable[bytes]) -> None:
        for txid in list(txids):
            self._forget(txid)

    def _forget(self, txid: bytes) -> None:
        gone = self.waiting.pop(txid, None)
        if gone is not None:
            for each in gone.transaction.inputs:
                self._spent_by.pop(each.outpoint, None)
