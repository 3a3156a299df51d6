"""A wallet for tests: pays, batches, replaces, with every choice open to the test that wants to make it itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from chains.bitcoin.networks import REGTEST
from chains.bitcoin.script import script_of_address
from chains.devnet.bitcoin.kernel_chain import Coin
from chains.devnet.bitcoin.keys import Kind, Lock
from chains.devnet.bitcoin.mining import COINBASE_MATURITY
from chains.devnet.bitcoin.node import RegtestNode, satoshis
from chains.devnet.bitcoin.wire import (
    SEQUENCE_FINAL,
    SEQUENCE_REPLACEABLE,
    Transaction,
    TxInput,
    TxOutput,
    display,
    from_display,
)

FEE_RATE: Final = 2
"""Satoshis for one virtual byte."""
DUST: Final = 546
"""Change below is left to the miner, since nodes do not pass it on."""


class NotEnoughCoins(Exception):
    """The wallet's spendable coins are worth less than is to be paid."""


@dataclass(frozen=True, slots=True)
class OwnCoin:
    """An output that the wallet can spend."""

    txid: str
    vout: int
    coin: Coin
    lock: Lock

    @property
    def value(self) -> int:
        """Satoshis."""
        return self.coin.value


@dataclass(frozen=True, slots=True)
class Payment:
    """A transaction that the wallet made."""

    transaction: Transaction
    coins: tuple[OwnCoin, ...]
    """What it spends, in the order of its inputs."""
    change_vout: int | None
    """Which output came back."""

    @property
    def txid(self) -> str:
        """Its id."""
        return display(self.transaction.txid)

    @property
    def fee(self) -> int:
        """Satoshis that no output takes."""
        return sum(each.value for each in self.coins) - sum(each.value for each in self.transaction.outputs)


class TestWallet:
    """Keys made from a label, on one node. Two wallets of one label hold the same coins."""

    __test__ = False  # not a test class, whatever pytest makes of its name

    def __init__(self, node: RegtestNode, label: str = "wallet") -> None:
        self.node = node
        self.label = label
        self._locks: dict[bytes, Lock] = {}
        self._addresses = 0
        self.sent: dict[str, Payment] = {}
        """Everything it sent, by id."""

    def new_lock(self, kind: Kind = Kind.P2WPKH) -> Lock:
        """A fresh address with its keys."""
        lock = Lock.of(f"{self.label}/{self._addresses}", kind)
        self._addresses += 1
        return self.add(lock)

    def new_address(self, kind: Kind = Kind.P2WPKH) -> str:
        """A fresh address."""
        return self.new_lock(kind).address

    def add(self, lock: Lock) -> Lock:
        """Take a lock whose keys were made elsewhere into the wallet."""
        self._locks[lock.script] = lock
        return lock

    def balance(self) -> int:
        """Satoshis at the tip, immature ones included."""
        return sum(coin.value for coin in self._confirmed(min_confirmations=1, mature=False))

    def coins(self, *, min_confirmations: int = 1) -> list[OwnCoin]:
        """Coins that may be spent now; 0 confirmations adds outputs of its own transactions that still wait."""
        spendable = self._confirmed(min_confirmations=min_confirmations, mature=True)
        if min_confirmations == 0:
            spendable += self._waiting()
        if not spendable:
            return []
        asked = [{"txid": each.txid, "vout": each.vout} for each in spendable]
        answered = self.node.rpc("gettxspendingprevout", asked)
        return [each for each, said in zip(spendable, answered, strict=True) if "spendingtxid" not in said]

    def pay(self, to: str, amount: int, **choices: object) -> Payment:
        """Send satoshis to an address; the choices are those of `build`."""
        return self.send(self.build({to: amount}, **choices))  # type: ignore[arg-type]

    def pay_many(self, amounts: Mapping[str, int], **choices: object) -> Payment:
        """Send satoshis to several addresses in one transaction."""
        return self.send(self.build(amounts, **choices))  # type: ignore[arg-type]

    def send(self, payment: Payment) -> Payment:
        """Hand in a payment that was built; raises what `RegtestNode.send` raises."""
        self.node.send(payment.transaction)
        self.sent[payment.txid] = payment
        return payment

    def build(
        self,
        amounts: Mapping[str, int],
        *,
        fee_rate: int = FEE_RATE,
        fee: int | None = None,
        change_to: str | None = None,
        coins: Sequence[OwnCoin] | None = None,
        extra_outputs: Sequence[TxOutput] = (),
        replaceable: bool = True,
        min_confirmations: int = 1,
    ) -> Payment:
        """A signed payment, not sent. `fee` in satoshis goes before `fee_rate` in satoshis for a virtual byte.

        Change goes to `change_to`, by default back to where the first coin lay. Without `coins` the largest are taken.
        Raises `NotEnoughCoins`.
        """
        outputs = [TxOutput(amount, script_of_address(REGTEST, to)) for to, amount in amounts.items()]
        outputs += extra_outputs
        chosen = list(coins) if coins is not None else []
        spare = [] if coins is not None else self._largest(self.coins(min_confirmations=min_confirmations))
        while True:
            if chosen:
                made = self._made(chosen, outputs, fee_rate, fee, change_to, replaceable=replaceable)
                if made is not None:
                    return made
            if not spare:
                raise NotEnoughCoins(f"{sum(each.value for each in chosen)} satoshis do not pay what is asked for")
            chosen.append(spare.pop(0))

    def replace(self, payment: Payment, *, fee: int, amounts: Mapping[str, int] | None = None) -> Payment:
        """Send another transaction with the same coins and a higher fee; other `amounts` make it another payment."""
        kept = [output for vout, output in enumerate(payment.transaction.outputs) if vout != payment.change_vout]
        change = payment.transaction.outputs[payment.change_vout].script if payment.change_vout is not None else None
        outputs = kept
        if amounts is not None:
            outputs = [TxOutput(amount, script_of_address(REGTEST, to)) for to, amount in amounts.items()]
        made = self._made(list(payment.coins), outputs, 0, fee, change, replaceable=True)
        if made is None:
            raise NotEnoughCoins("the coins of the payment do not pay the higher fee")
        return self.send(made)

    def _made(
        self,
        coins: list[OwnCoin],
        outputs: Sequence[TxOutput],
        fee_rate: int,
        fee: int | None,
        change_to: str | bytes | None,
        *,
        replaceable: bool,
    ) -> Payment | None:
        """A payment from exactly these coins; None where they are too little."""
        if isinstance(change_to, str):
            change_to = script_of_address(REGTEST, change_to)
        change_script = coins[0].lock.script if change_to is None else change_to
        sequence = SEQUENCE_REPLACEABLE if replaceable else SEQUENCE_FINAL
        inputs = tuple(TxInput(from_display(each.txid), each.vout, sequence) for each in coins)
        left = sum(each.value for each in coins) - sum(output.value for output in outputs)
        draft = Transaction(inputs, (*outputs, TxOutput(0, change_script)))
        wanted = fee if fee is not None else fee_rate * signed(draft, coins).virtual_size
        if left < wanted:
            return None
        if left - wanted < DUST:
            return Payment(signed(replace(draft, outputs=tuple(outputs)), coins), tuple(coins), None)
        whole = replace(draft, outputs=(*outputs, TxOutput(left - wanted, change_script)))
        return Payment(signed(whole, coins), tuple(coins), len(outputs))

    def _confirmed(self, *, min_confirmations: int, mature: bool) -> list[OwnCoin]:
        if not self._locks:
            return []
        found = self.node.rpc("scantxoutset", "start", [f"raw({script.hex()})" for script in self._locks])
        coins = []
        for each in found["unspents"]:
            depth = found["height"] - each["height"] + 1
            if depth < min_confirmations or (mature and each["coinbase"] and depth < COINBASE_MATURITY):
                continue
            script = bytes.fromhex(each["scriptPubKey"])
            coin = Coin(satoshis(each["amount"]), script, each["height"], each["coinbase"])
            coins.append(OwnCoin(each["txid"], each["vout"], coin, self._locks[script]))
        return coins

    def _waiting(self) -> list[OwnCoin]:
        return [
            OwnCoin(txid, vout, Coin(output.value, output.script, 0, coinbase=False), self._locks[output.script])
            for txid in self.node.waiting()
            for vout, output in enumerate(self.node.transaction(txid).outputs)
            if output.script in self._locks
        ]

    @staticmethod
    def _largest(coins: Iterable[OwnCoin]) -> list[OwnCoin]:
        return sorted(coins, key=lambda each: (-each.value, each.txid, each.vout))


def signed(transaction: Transaction, coins: Sequence[OwnCoin]) -> Transaction:
    """The transaction with all its inputs signed."""
    for index, each in enumerate(coins):
        transaction = each.lock.signed(transaction, index, [other.coin for other in coins])
    return transaction
