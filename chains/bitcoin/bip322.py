"""BIP-322, Generic Signed Message Format 1.0.0: reading the three forms and judging them.

A text is signed by spending, on paper, a coin that cannot exist: `to_spend` pays 0 to the address and holds the
text's hash, `to_sign` spends it. So every script that can spend can sign. A proof of funds spends real coins besides;
it too can never be in a block, because its first input is of nowhere.

    simple   `smp` and the base64 of the witness; native segwit addresses
    full     `ful` and the base64 of `to_sign`; addresses of every kind
    funds    `pof` and the base64 of the finalized PSBT of `to_sign`

Earlier drafts had no prefix, and a transaction in the place of the PSBT: both are read, under the scheme that the
answer names. Whether a coin of a proof of funds exists is not the proof's to say: `coin_of` is our own ledger.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Final

from chains.bitcoin.encoding import encode_transaction
from chains.bitcoin.hashes import tagged_hash
from chains.bitcoin.proof_types import (
    SEQUENCE_HAS_NO_AGE,
    CoinOf,
    ProofState,
    ProvenCoin,
    Verdict,
    inconclusive,
    refuse,
)
from chains.bitcoin.psbt import PSBT_MAGIC, read_finalized_psbt
from chains.bitcoin.script import witness_program
from chains.bitcoin.script_engine import ScriptRun
from chains.bitcoin.spending_rules import check_spend, optional_signatures
from chains.bitcoin.transaction import (
    NO_OUTPOINT,
    Input,
    Output,
    Transaction,
    decode_transaction,
    id_text,
    outpoint,
    outpoint_parts,
    read_size,
)
from chains.errors import MalformedAnswer

TAG: Final = "BIP0322-signed-message"
OP_RETURN: Final = b"\x6a"
PREFIXES: Final = ("smp", "ful", "pof")
INPUTS_MAX: Final = 2_000
"""Most coins of one proof: each costs a run of the script engine."""


def message_hash(message: bytes) -> bytes:
    """The 32 bytes that stand for a text."""
    return tagged_hash(TAG, message)


def to_spend(message: bytes, script: bytes) -> Transaction:
    """The first of the two transactions: pays nothing to the address, and holds the text's hash."""
    held = Input(NO_OUTPOINT, b"\x00\x20" + message_hash(message), 0)
    return decode_transaction(encode_transaction([held], [Output(0, script)], version=0))


def to_sign(message: bytes, script: bytes, witness: Sequence[bytes] = ()) -> Transaction:
    """The second in its simple form, with a witness or still without."""
    spending = Input(outpoint(to_spend(message, script).txid, 0), b"", 0)
    raw = encode_transaction([spending], [Output(0, OP_RETURN)], [witness] if witness else (), version=0)
    return decode_transaction(raw)


def judge_simple(script: bytes, message: bytes, text: str) -> Verdict:
    """A simple signature. Raises `ProofRefused`; `ScriptEngineMissing` without the consensus library."""
    program = witness_program(script)
    if program is None:
        refuse("wrong-script", "the simple form is for native segwit addresses; give the full form")
    stack = _witness_stack(_bytes_of(text, "smp"))
    return _judge(to_sign(message, script, stack), to_spend(message, script), [])


def judge_full(script: bytes, message: bytes, text: str) -> Verdict:
    """A full signature. Raises as `judge_simple`."""
    transaction = _transaction(_bytes_of(text, "ful"))
    if len(transaction.inputs) > 1:
        refuse("signature-form", "it has further inputs: give it as a proof of funds")
    return _judge(transaction, to_spend(message, script), [])


def judge_funds(script: bytes, message: bytes, text: str, coin_of: CoinOf) -> Verdict:
    """A proof of funds: every further input must spend a coin that `coin_of` knows. Raises as `judge_simple`."""
    data = _bytes_of(text, "pof")
    stated: Sequence[Output | None] = ()
    if data.startswith(PSBT_MAGIC):
        psbt = read_finalized_psbt(data)
        transaction, stated = psbt.transaction, psbt.coins
    elif text.startswith("pof"):
        refuse("signature-form", "behind pof stands the base64 of a PSBT")
    else:
        transaction = _transaction(data)
    if len(transaction.inputs) < 2:
        refuse("signature-form", "a proof of funds names at least one coin")
    spent = to_spend(message, script)
    _check_statement(stated, 0, Output(0, script))
    return _judge(transaction, spent, coins_of(transaction, coin_of, stated))


def coins_of(transaction: Transaction, coin_of: CoinOf, stated: Sequence[Output | None] = ()) -> list[ProvenCoin]:
    """The coins of all inputs but the first, as our ledger has them. Raises `ProofRefused` for one it has not."""
    names = [each.outpoint for each in transaction.inputs]
    if len(set(names)) < len(names):
        refuse("signature-form", "a coin stands twice among the inputs")
    if len(names) > INPUTS_MAX:
        refuse("signature-form", f"it has more than {INPUTS_MAX} inputs; divide it")
    found = []
    for place, name in enumerate(names[1:], 1):
        coin = coin_of(name)
        if coin is None:
            txid, number = outpoint_parts(name)
            refuse(
                "coin-not-held",
                f"output {number} of {id_text(txid)} was no unspent coin of the asked wallets at the challenge's block",
            )
        _check_statement(stated, place, coin)
        found.append(ProvenCoin(name, coin.value, coin.script))
    return found


def check_inputs(transaction: Transaction, coins: Sequence[Output], places: Sequence[int]) -> None:
    """Raise `ProofRefused` unless consensus and BIP-322 let these inputs spend their coins, and only with these words.

    The first input stands for the words. With another one there, no input may be accepted: a script that asks for no
    signature (a hash's preimage, say) would, and whoever saw one proof of it could make the next.
    """
    own = ScriptRun(transaction.raw, coins)
    unbound = ScriptRun(_with_another_first(transaction), coins)
    for place in places:
        spending, witness = transaction.inputs[place], _witness(transaction, place)
        if not own.accepts(place):
            refuse("other-key", f"input {place} is not accepted: another key signed, or other words, or it was altered")
        script = coins[place].script
        check_spend(script, spending.script_sig, witness)
        for item in optional_signatures(script, spending.script_sig, witness):
            if ScriptRun(_without_item(transaction, place, item), coins).accepts(place):
                inconclusive(f"input {place} carries a signature that the script does without: it may have failed")
        if unbound.accepts(place):
            refuse("not-bound", f"input {place} is accepted whatever the words are: no signature covers them")


def relative_age(transaction: Transaction) -> int:
    """The largest relative time lock among the inputs (BIP-68); 0 without any."""
    if transaction.version != 2:
        return 0
    return max(0 if each.sequence & SEQUENCE_HAS_NO_AGE else each.sequence for each in transaction.inputs)


def _judge(transaction: Transaction, spent: Transaction, coins: Sequence[ProvenCoin]) -> Verdict:
    first = transaction.inputs[0]
    if first.outpoint != outpoint(spent.txid, 0):
        refuse("other-words", "it signs other words, or for another address")
    if transaction.outputs != [Output(0, OP_RETURN)]:
        refuse("signature-form", "the one output must be OP_RETURN with nothing in it and a value of 0")
    all_coins = [spent.outputs[0], *(Output(coin.value, coin.script) for coin in coins)]
    check_inputs(transaction, all_coins, range(len(all_coins)))
    if transaction.version not in (0, 2):
        inconclusive(f"transactions of version {transaction.version} have no rules yet")
    return Verdict(
        ProofState.VALID,
        lock_time=transaction.lock_time,
        age=relative_age(transaction),
        coins=tuple(coins),
    )


def _check_statement(stated: Sequence[Output | None], place: int, coin: Output) -> None:
    """A PSBT says of each input which coin it spends; what it says must be so."""
    if stated and stated[place] is None:
        refuse("signature-form", f"the PSBT does not say which coin input {place} spends")
    if stated and stated[place] != coin:
        refuse("coin-mismatch", f"the PSBT says of input {place} another value or script than the coin has")


def _bytes_of(text: str, prefix: str) -> bytes:
    if text.startswith(prefix):
        text = text[len(prefix) :]
    elif text.startswith(PREFIXES):
        refuse("signature-form", f"its prefix is {text[:3]}, that of the named scheme {prefix}")
    return base64_bytes(text)


def base64_bytes(text: str) -> bytes:
    """Bytes from base64 in its one spelling. Raises `ProofRefused`."""
    try:
        data = b64decode(text.encode("ascii"), validate=True)
    except ValueError:
        refuse("signature-form", "the signature is not base64")
    if not data or b64encode(data).decode() != text:
        refuse("signature-form", "the signature is too short, or not base64 in its one spelling")
    return data


def _transaction(data: bytes) -> Transaction:
    try:
        return decode_transaction(data)
    except MalformedAnswer as error:
        refuse("signature-form", f"it is no transaction: {error}")


def _witness_stack(data: bytes) -> list[bytes]:
    try:
        count, at = read_size(data, 0)
        stack = []
        for _ in range(count):
            size, at = read_size(data, at)
            stack.append(data[at : at + size])
            at += size
    except (IndexError, MalformedAnswer):
        refuse("signature-form", "it is no witness: it ends too early, or a size is wrong")
    if at != len(data):
        refuse("signature-form", "it is no witness: a size is wrong")
    return stack


def _witness(transaction: Transaction, place: int) -> list[bytes]:
    return transaction.witnesses[place] if transaction.witnesses else []


def _without_item(transaction: Transaction, place: int, item: int) -> bytes:
    """The transaction with one item of a witness emptied."""
    witnesses = [list(stack) for stack in transaction.witnesses]
    witnesses[place][item] = b""
    return _written(transaction, transaction.inputs, witnesses)


def _with_another_first(transaction: Transaction) -> bytes:
    """The transaction with other words in the place of its own."""
    first = transaction.inputs[0]
    other = first._replace(outpoint=bytes([first.outpoint[0] ^ 1]) + first.outpoint[1:])
    return _written(transaction, [other, *transaction.inputs[1:]], transaction.witnesses)


def _written(transaction: Transaction, inputs: Sequence[Input], witnesses: Sequence[Sequence[bytes]]) -> bytes:
    return encode_transaction(
        inputs, transaction.outputs, witnesses, version=transaction.version, lock_time=transaction.lock_time
    )
