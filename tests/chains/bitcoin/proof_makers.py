"""Makes proofs of control with the keys of test wallets: what an honest signer gives, and what others might."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from chains.bitcoin import bip322
from chains.bitcoin.bip127 import COMMITMENT, MAGICS
from chains.bitcoin.hashes import hash160
from chains.bitcoin.legacy_message import message_digest
from chains.bitcoin.networks import REGTEST
from chains.bitcoin.script import p2sh_script, witness_script
from chains.bitcoin.transaction import Output, id_bytes, outpoint
from chains.devnet.bitcoin.kernel_chain import Coin
from chains.devnet.bitcoin.keys import CURVE_ORDER, Kind, Lock, TestKey
from chains.devnet.bitcoin.signing import HashType, legacy_digest, segwit_digest
from chains.devnet.bitcoin.wire import Transaction, TxInput, TxOutput, compact_size, with_length

WORDS = "custody-verifier key proof\nBlock: 7\nNonce: 00ff"
BLOCK = (7, "ab" * 32)


@dataclass(frozen=True)
class WrappedMultisig(Lock):
    """The sixth kind: multisig in a witness script behind a script hash, or bare behind one."""

    is_segwit: bool = True

    @property
    def redeem_script(self) -> bytes:
        if self.is_segwit:
            return witness_script(0, sha256(self.multisig_script).digest())
        return self.multisig_script

    @property
    def script(self) -> bytes:
        return p2sh_script(hash160(self.redeem_script))

    def signed(self, transaction: Transaction, index: int, coins: Sequence[Coin]) -> Transaction:
        if self.is_segwit:
            digest = segwit_digest(transaction, index, self.multisig_script, coins[index].value, HashType.ALL)
        else:
            digest = legacy_digest(transaction, index, self.multisig_script, HashType.ALL)
        made = [key.sign(digest) + b"\x01" for key in self.keys[: self.required]]
        if self.is_segwit:
            witness = (b"", *made, self.multisig_script)
            return transaction.with_input(index, script=with_length(self.redeem_script), witness=witness)
        script = b"\x00" + b"".join(map(with_length, made)) + pushed(self.multisig_script)
        return transaction.with_input(index, script=script)


def pushed(data: bytes) -> bytes:
    """A push in its shortest form."""
    return with_length(data) if len(data) < 0x4C else b"\x4c" + bytes([len(data)]) + data


def lock_of(kind: str, label: str = "one") -> Lock:
    """The lock of one of the kinds."""
    if kind.startswith("p2sh-"):
        keys = tuple(TestKey.of(f"{label} {place}") for place in range(3))
        if kind != Kind.P2SH_P2WPKH:
            return WrappedMultisig(Kind.P2WSH_MULTISIG, keys, 2, is_segwit=kind == "p2sh-p2wsh-multisig")
    return Lock.of(label, Kind(kind))


KINDS = [*map(str, Kind), "p2sh-p2wsh-multisig", "p2sh-multisig"]
NATIVE = [str(Kind.P2WPKH), str(Kind.P2TR), str(Kind.P2WSH_MULTISIG)]


def draft(lock: Lock, words: str = WORDS, coins: Sequence[tuple[bytes, Coin]] = (), **changes: object) -> Transaction:
    """`to_sign` before it is signed."""
    spent = bip322.to_spend(words.encode(), lock.script)
    inputs = [TxInput(spent.txid, 0, 0)]
    inputs += [TxInput(name[:32], int.from_bytes(name[32:], "little"), 0) for name, _ in coins]
    return replace(Transaction(tuple(inputs), (TxOutput(0, b"\x6a"),), version=0), **changes)  # type: ignore[arg-type]


def signed(
    lock: Lock, words: str = WORDS, coins: Sequence[tuple[bytes, Coin, Lock]] = (), **changes: object
) -> Transaction:
    """`to_sign` signed by the lock, and its further inputs by theirs."""
    transaction = draft(lock, words, [(name, coin) for name, coin, _ in coins], **changes)
    spent = [Coin(0, lock.script, 0, coinbase=False), *(coin for _, coin, _ in coins)]
    for place, owner in enumerate([lock, *(owner for _, _, owner in coins)]):
        transaction = owner.signed(transaction, place, spent)
    return transaction


def full(transaction: Transaction, prefix: str = "ful") -> str:
    """The text of a full signature."""
    return prefix + b64encode(transaction.raw).decode()


def simple(transaction: Transaction, prefix: str = "smp") -> str:
    """The text of a simple one."""
    stack = transaction.inputs[0].witness
    return prefix + b64encode(compact_size(len(stack)) + b"".join(map(with_length, stack))).decode()


def psbt(
    transaction: Transaction,
    coins: Sequence[Coin | None],
    prefix: str = "pof",
    wholes: Sequence[bytes | None] = (),
) -> str:
    """The text of a proof of funds: a finalized PSBT with what it says of the coins, and whole transactions."""
    bare = replace(transaction, inputs=tuple(replace(each, script=b"", witness=()) for each in transaction.inputs))
    parts = [b"psbt\xff", _pair(b"\x00", bare.raw), b"\x00"]
    for place, (each, coin) in enumerate(zip(transaction.inputs, coins, strict=True)):
        if wholes and (whole := wholes[place]) is not None:
            parts.append(_pair(b"\x00", whole))
        if coin is not None:
            parts.append(_pair(b"\x01", coin.value.to_bytes(8, "little") + with_length(coin.script)))
        if each.script:
            parts.append(_pair(b"\x07", each.script))
        if each.witness:
            stack = compact_size(len(each.witness)) + b"".join(map(with_length, each.witness))
            parts.append(_pair(b"\x08", stack))
        parts.append(b"\x00")
    parts.append(b"\x00" * len(transaction.outputs))
    return prefix + b64encode(b"".join(parts)).decode()


def _pair(key: bytes, value: bytes) -> bytes:
    return with_length(key) + with_length(value)


def coin_of(lock: Lock, number: int = 0, value: int = 5_000) -> tuple[bytes, Coin, Lock]:
    """A coin of a lock that a ledger may hold."""
    return outpoint(sha256(lock.script).digest(), number), Coin(value, lock.script, 3, coinbase=False), lock


def ledger(*coins: tuple[bytes, Coin, Lock]) -> Callable[[bytes], Output | None]:
    """A ledger with these coins."""
    return {name: Output(coin.value, coin.script) for name, coin, _ in coins}.get


def legacy(key: TestKey, header: int, words: str = WORDS, *, high_s: bool = False) -> str:
    """A message signed by one key; `header` is that of recovery id 0."""
    from coincurve import PrivateKey

    raw = PrivateKey(key.secret).sign_recoverable(message_digest(words.encode()), hasher=None)
    recovery, s = raw[64], int.from_bytes(raw[32:64], "big")
    if high_s:
        recovery, s = recovery ^ 1, CURVE_ORDER - s
    return b64encode(bytes([header + recovery]) + raw[:32] + s.to_bytes(32, "big")).decode()


def reserves(
    coins: Sequence[tuple[bytes, Coin, Lock]], words: str = WORDS, **changes: object
) -> tuple[Transaction, list[Coin]]:
    """A transaction of BIP-127 over coins."""
    first = TxInput(sha256((COMMITMENT + words).encode()).digest(), 0)
    inputs = (first, *(TxInput(name[:32], int.from_bytes(name[32:], "little")) for name, _, _ in coins))
    output = TxOutput(sum(coin.value for _, coin, _ in coins), coins[0][1].script)
    transaction = replace(Transaction(inputs, (output,)), **changes)  # type: ignore[arg-type]
    spent = [Coin(0, b"\x51", 0, coinbase=False), *(coin for _, coin, _ in coins)]
    for place, (_, _, owner) in enumerate(coins, 1):
        transaction = owner.signed(transaction, place, spent)
    return transaction, spent


def proof_file(*transactions: Transaction, words: str = WORDS, extra: bytes = b"", **changes: object) -> str:
    """A proof file of BIP-127."""
    fields: dict[str, object] = {
        "version": 1,
        "network_magic": MAGICS[REGTEST.name],
        "message": words.encode(),
        "block_hash": id_bytes(BLOCK[1]),
    }
    fields |= changes
    parts = [field(number, value) for number, value in enumerate(fields.values(), 1) if value is not None]
    parts += [field(5, field(1, transaction.raw)) for transaction in transactions]
    return b64encode(b"".join(parts) + extra).decode()


def field(number: int, value: object) -> bytes:
    """A field of a Protocol Buffers message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    assert isinstance(value, bytes)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    """A number as Protocol Buffers writes it."""
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])
