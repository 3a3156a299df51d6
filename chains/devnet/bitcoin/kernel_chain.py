"""A regtest chain validated by Bitcoin Core's consensus library, with the index that a node keeps beside it.

What is valid, which branch is active and what a block spent is the library's word alone. The coins are followed here,
since the library does not list them; each block's spent coins are checked against what it says they are.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from chains.devnet.bitcoin.mining import MEDIAN_BLOCKS
from chains.devnet.bitcoin.wire import Block, Transaction, block_of, compact_size, with_length

OP_RETURN: Final = 0x6A
SCRIPT_BYTES_MAX: Final = 10_000

Outpoint = tuple[bytes, int]


class KernelMissing(Exception):
    """The consensus library is not installed."""

    advice = "Install custody-verifier[bitcoin], or set BITCOIND to a Bitcoin Core binary."


@dataclass(frozen=True, slots=True)
class Coin:
    """An unspent output."""

    value: int
    """Satoshis."""
    script: bytes
    height: int
    """Of the block that created it."""
    coinbase: bool


@dataclass(eq=False)
class Entry:
    """A block that was stored, on whichever branch."""

    block: Block
    height: int
    parent: Entry | None
    chain_work: int
    """Expected hashes of the whole chain up to here."""
    was_active: bool = False
    """Whether it ever was part of the active chain; then its spent coins are known for good."""
    invalid: bool = False
    children: list[Entry] = field(default_factory=list)

    @property
    def hash(self) -> bytes:
        """The block's hash in the order of the wire."""
        return self.block.header.hash

    @property
    def median_time(self) -> int:
        """Median of the times of this block and its ten ancestors."""
        times: list[int] = []
        entry: Entry | None = self
        while entry is not None and len(times) < MEDIAN_BLOCKS:
            times.append(entry.block.header.time)
            entry = entry.parent
        return sorted(times)[len(times) // 2]


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of a block."""

    verdict: str | None
    """As `submitblock` answers: None for the new tip, else `duplicate`, `inconclusive`, or why not."""
    disconnected: tuple[Entry, ...] = ()
    """Blocks that left the active chain, the newest first."""
    connected: tuple[Entry, ...] = ()
    """Blocks that joined it, the oldest first."""


class KernelChain:
    """One regtest chain in a directory of its own. Not safe for several threads at once."""

    def __init__(self, directory: Path) -> None:
        self._kernel = kernel()
        self._checked: dict[str, bool] = {}
        callbacks = self._kernel.ValidationInterfaceCallbacks(block_checked=self._on_checked)
        self._manager: Any = self._kernel.load_chainman(
            directory, self._kernel.ChainType.REGTEST, validation_callbacks=callbacks
        )
        self._active_view: Any = self._manager.get_active_chain()
        genesis = block_of(bytes(self._manager.blocks[self._active_view.block_tree_entries[0]]))
        first = Entry(genesis, 0, None, genesis.header.work, was_active=True)
        self._entries: dict[bytes, Entry] = {first.hash: first}
        self.active: list[Entry] = [first]
        """The active chain by height."""
        self.coins: dict[Outpoint, Coin] = {}
        """Unspent outputs at the tip; the genesis block's is none, as in Bitcoin Core."""
        self.transaction_blocks: dict[bytes, Entry] = {}
        """The block that last brought each transaction, also one that has left the active chain."""
        self._spent: dict[bytes, list[list[Coin]]] = {first.hash: []}

    @property
    def tip(self) -> Entry:
        """The newest block of the active chain."""
        return self.active[-1]

    @property
    def size_bytes(self) -> int:
        """Size of all stored blocks, each with the eight bytes before it that Bitcoin Core writes."""
        return sum(len(entry.block.raw) + 8 for entry in self._entries.values())

    def entry(self, block_hash: bytes) -> Entry | None:
        """A stored block by hash."""
        return self._entries.get(block_hash)

    def is_active(self, entry: Entry) -> bool:
        """Whether the block is on the active chain."""
        return entry.height < len(self.active) and self.active[entry.height] is entry

    def next_of(self, entry: Entry) -> Entry | None:
        """The active block on top of an active one."""
        on_top = entry.height + 1
        return self.active[on_top] if self.is_active(entry) and on_top < len(self.active) else None

    def confirmations(self, entry: Entry) -> int:
        """How deep the block is buried, 1 for the tip; -1 off the active chain."""
        return self.tip.height - entry.height + 1 if self.is_active(entry) else -1

    def tips(self) -> list[Entry]:
        """Blocks on which no other lies, and the active tip; the highest first.

        Bitcoin Core promises no order among equals. The active one is last here, so that nobody relies on more.
        """
        leaves = [entry for entry in self._entries.values() if not entry.children or entry is self.tip]
        return sorted(leaves, key=lambda entry: (-entry.height, entry is self.tip))

    def fork_height(self, entry: Entry) -> int:
        """Height of the newest active ancestor."""
        each: Entry | None = entry
        while each is not None and not self.is_active(each):
            each = each.parent
        assert each is not None, "every chain starts at the genesis block"
        return each.height

    def spent_coins(self, entry: Entry) -> list[list[Coin]] | None:
        """Per transaction after the coinbase, the coins its inputs spent; None where the block was never connected."""
        return self._spent.get(entry.hash)

    def spent_raw(self, entry: Entry) -> bytes | None:
        """The spent outputs as `/rest/spenttxouts` sends them, from the library's own undo data."""
        if not entry.was_active:
            return None
        per_transaction = self._library_spent(entry) if entry.height else []
        parts = [compact_size(len(per_transaction) + 1), compact_size(0)]
        for outputs in per_transaction:
            parts.append(compact_size(len(outputs)))
            parts += [struct.pack("<q", value) + with_length(script) for value, script in outputs]
        return b"".join(parts)

    def submit(self, raw: bytes) -> Submitted:
        """Hand a block to the library and follow what it made of it. Raises `ValueError` for no block at all."""
        block = block_of(raw)
        if (known := self._entries.get(block.hash)) is not None:
            return Submitted("duplicate-invalid" if known.invalid else "duplicate")
        parent = self._entries.get(block.header.previous)
        if parent is None:
            return Submitted("prev-blk-not-found")
        self._checked.clear()
        try:
            self._manager.process_block(self._kernel.Block(raw))
        except (self._kernel.ProcessBlockException, RuntimeError):
            return Submitted("rejected")
        entry = Entry(block, parent.height + 1, parent, parent.chain_work + block.header.work)
        self._entries[entry.hash] = entry
        parent.children.append(entry)
        disconnected, connected = self._follow()
        for hash_text, valid in self._checked.items():
            checked = self._entries.get(bytes.fromhex(hash_text)[::-1])
            if checked is not None and not valid:
                checked.invalid = True
        if entry.invalid or parent.invalid:
            entry.invalid = True
            return Submitted("rejected", disconnected, connected)
        return Submitted(None if self.tip is entry else "inconclusive", disconnected, connected)

    def verify_input(self, transaction: Transaction, index: int, spent: list[Coin]) -> bool:
        """Whether the library finds that an input may spend its coin; `spent` are the coins of all inputs."""
        from pbk.script import PrecomputedTransactionData

        library = self._kernel
        outputs = [library.TransactionOutput(library.ScriptPubkey(coin.script), coin.value) for coin in spent]
        spending = library.Transaction(transaction.raw)
        precomputed = PrecomputedTransactionData(spending, outputs)
        flags = library.ScriptVerificationFlags.ALL
        coin = spent[index]
        try:
            return bool(library.ScriptPubkey(coin.script).verify(coin.value, spending, precomputed, index, flags))
        except library.ScriptVerifyException:
            return False

    def close(self) -> None:
        """Let go of the library's files."""
        self._active_view = None
        self._manager = None

    def _on_checked(self, _data: Any, block: Any, state: Any) -> None:
        self._checked[str(block.block_hash)] = state.validation_mode == self._kernel.ValidationMode.VALID

    def _follow(self) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
        """Bring the coins to the library's tip."""
        view = self._active_view
        tip = self._entries[bytes(view.block_tree_entries[view.height].block_hash)]
        branch: list[Entry] = []
        each: Entry | None = tip
        while each is not None and not self.is_active(each):
            branch.append(each)
            each = each.parent
        assert each is not None, "every chain starts at the genesis block"
        disconnected = []
        while self.tip is not each:
            disconnected.append(self.tip)
            self._disconnect(self.active.pop())
        for entry in reversed(branch):
            self._connect(entry)
        return tuple(disconnected), tuple(reversed(branch))

    def _connect(self, entry: Entry) -> None:
        spent: list[list[Coin]] = []
        for transaction in entry.block.transactions:
            if not transaction.is_coinbase:
                spent.append([self.coins.pop(each.outpoint) for each in transaction.inputs])
            for vout, output in enumerate(transaction.outputs):
                if is_spendable(output.script):
                    coin = Coin(output.value, output.script, entry.height, transaction.is_coinbase)
                    self.coins[transaction.txid, vout] = coin
            self.transaction_blocks[transaction.txid] = entry
        entry.was_active = True
        self.active.append(entry)
        said = self._library_spent(entry)
        assert said == [[(coin.value, coin.script) for coin in coins] for coins in spent], "undo data differ"
        self._spent[entry.hash] = spent

    def _disconnect(self, entry: Entry) -> None:
        spent = self._spent[entry.hash]
        for position, transaction in reversed(list(enumerate(entry.block.transactions))):
            for vout in range(len(transaction.outputs)):
                self.coins.pop((transaction.txid, vout), None)
            if position:
                for each, coin in zip(transaction.inputs, spent[position - 1], strict=True):
                    self.coins[each.outpoint] = coin

    def _library_spent(self, entry: Entry) -> list[list[tuple[int, bytes]]]:
        tree_entry = self._manager.block_tree_entries[self._kernel.BlockHash(entry.hash)]
        return [
            [(coin.output.amount, bytes(coin.output.script_pubkey)) for coin in transaction.coins]
            for transaction in self._manager.block_spent_outputs[tree_entry].transactions
        ]


def is_spendable(script: bytes) -> bool:
    """Whether an output enters the set of coins; others are known to be lost."""
    return not (script and script[0] == OP_RETURN) and len(script) <= SCRIPT_BYTES_MAX


def kernel() -> Any:
    """The module `pbk`; raise `KernelMissing` where it is not installed."""
    try:
        import pbk
    except ImportError as error:
        raise KernelMissing("Bitcoin Core's consensus library (py-bitcoinkernel) is not installed") from error
    return pbk
