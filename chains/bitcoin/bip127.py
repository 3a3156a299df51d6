"""BIP-127, Simple Proof-of-Reserves Transactions: reading the file and judging it.

A file holds transactions that spend coins on paper. The first input of each is the SHA-256 of the message in the
place of a transaction id, so that it can never be in a block; the one output is worth exactly what the coins are.
The file is a Protocol Buffers message (proto3) and is read strictly: known fields, each in its type, single ones once.

Hashes and ids in the file are in the order of the wire, as the transactions beside them have it.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Final, NamedTuple

from chains.bitcoin.bip322 import base64_bytes, check_inputs, coins_of, relative_age
from chains.bitcoin.networks import MAIN, REGTEST, SIGNET, TEST, TESTNET4, Network
from chains.bitcoin.proof_types import CoinOf, ProofState, ProvenCoin, Verdict, inconclusive, refuse
from chains.bitcoin.transaction import Output, Transaction, decode_transaction, id_text, outpoint
from chains.errors import MalformedAnswer

COMMITMENT: Final = "Proof-of-Reserves: "
FILE_VERSION: Final = 1
ANYONE: Final = b"\x51"
"""What the first input is taken to spend: OP_TRUE, as BIP-127 has signers assume."""
MAGICS: Final = {
    MAIN.name: 0xD9B4BEF9,
    TEST.name: 0x0709110B,
    TESTNET4.name: 0x283F161C,
    SIGNET.name: 0x40CF030A,
    REGTEST.name: 0xDAB5BFFA,
}
"""`network_magic` of each network: the first four bytes of its messages, read as a little-endian number."""
TRANSACTIONS_MAX: Final = 1_000

Fields = dict[int, list[int | bytes]]


class ProofFile(NamedTuple):
    """A proof file."""

    version: int
    network_magic: int
    message: str
    block_hash: bytes
    """Of the block as of which the coins are unspent; 32 bytes in the order of the wire."""
    transactions: list[Transaction]


def commitment_outpoint(message: str) -> bytes:
    """The outpoint of the first input: the hash of the message, and 0."""
    return outpoint(sha256((COMMITMENT + message).encode()).digest(), 0)


def read_proof_file(data: bytes) -> ProofFile:
    """A proof file from its bytes. Raises `ProofRefused`."""
    try:
        fields = _fields(data)
        proofs = [_fields(_bytes(each)) for each in fields.pop(5, [])]
        fields.pop(6, None)  # unfinished proofs, which BIP-127 says to ignore
        made = ProofFile(
            version=_number(_one(fields, 1)),
            network_magic=_number(_one(fields, 2)),
            message=_bytes(_one(fields, 3)).decode(),
            block_hash=_bytes(_one(fields, 4)),
            transactions=[decode_transaction(_bytes(_one(proof, 1))) for proof in proofs],
        )
    except (IndexError, UnicodeDecodeError):
        refuse("signature-form", "it is no proof file of BIP-127: it ends too early, or a text is not UTF-8")
    except MalformedAnswer as error:
        refuse("signature-form", f"it is no proof file of BIP-127: {error}")
    if fields:
        refuse("signature-form", f"it is no proof file of BIP-127: unknown fields {sorted(fields)[:5]}")
    return made


def proof_file_for(network: Network, message: str, data: bytes) -> ProofFile:
    """A proof file whose every transaction commits to the message, of this network. Raises `ProofRefused`."""
    proof = read_proof_file(data)
    if proof.version != FILE_VERSION:
        inconclusive(f"proof files of version {proof.version} are not known here")
    if proof.network_magic != MAGICS[network.name]:
        refuse("signature-form", f"the proof file is of another network than {network.name}")
    if proof.message != message:
        refuse("other-words", "the proof file is for another message")
    if not 0 < len(proof.transactions) <= TRANSACTIONS_MAX:
        refuse("signature-form", f"a proof file has 1 to {TRANSACTIONS_MAX} transactions")
    for transaction in proof.transactions:
        _check_commitment(transaction, message)
    return proof


def judge_file(network: Network, script: bytes, message: str, block_hash: str, text: str, coin_of: CoinOf) -> Verdict:
    """A proof file in base64, for one address: at least one coin must be the address's own.

    The other coins must be of the asked wallets too. Raises `ProofRefused`; `ScriptEngineMissing` without the
    consensus library.
    """
    proof = proof_file_for(network, message, base64_bytes(text))
    if id_text(proof.block_hash) != block_hash:
        refuse("other-words", "the proof file is for another block than the challenge's")
    coins: list[ProvenCoin] = []
    for transaction in proof.transactions:
        coins += check_transaction(transaction, message, coin_of)
    if len({coin.outpoint for coin in coins}) < len(coins):
        refuse("signature-form", "a coin stands in two transactions")
    if not any(coin.script == script for coin in coins):
        refuse("no-own-coin", "no coin in the proof file is the address's own")
    return Verdict(
        ProofState.VALID,
        lock_time=max(transaction.lock_time for transaction in proof.transactions),
        age=max(relative_age(transaction) for transaction in proof.transactions),
        coins=tuple(coins),
    )


def _check_commitment(transaction: Transaction, message: str) -> None:
    first = transaction.inputs[0]
    if first.outpoint != commitment_outpoint(message):
        refuse("other-words", "the first input does not commit to the message")
    if first.script_sig or (transaction.witnesses and transaction.witnesses[0]):
        refuse("signature-form", "the first input carries a signature; it spends nothing")
    if len(transaction.inputs) < 2:
        refuse("signature-form", "a transaction of the proof file spends no coin")


def check_transaction(transaction: Transaction, message: str, coin_of: CoinOf) -> list[ProvenCoin]:
    """The coins that a transaction of a proof file spends on paper, each with a signature that holds.

    Raises `ProofRefused`; `ScriptEngineMissing` without the consensus library.
    """
    _check_commitment(transaction, message)
    coins = coins_of(transaction, coin_of)
    if [output.value for output in transaction.outputs] != [sum(coin.value for coin in coins)]:
        refuse("signature-form", "the one output is not worth exactly what the coins are")
    check_inputs(
        transaction,
        [Output(0, ANYONE), *(Output(coin.value, coin.script) for coin in coins)],
        range(1, len(coins) + 1),
    )
    if transaction.version not in (0, 1, 2):
        inconclusive(f"transactions of version {transaction.version} have no rules yet")
    return coins


def _fields(data: bytes) -> Fields:
    """The fields of one message by number; only the two types that the file uses."""
    found: Fields = {}
    for number, value in _each_field(data):
        found.setdefault(number, []).append(value)
    return found


def _each_field(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        value, at = _varint(data, at)
        if tag & 7 == 0:
            yield tag >> 3, value
        elif tag & 7 == 2:
            if at + value > len(data):
                raise IndexError
            yield tag >> 3, data[at : at + value]
            at += value
        else:
            raise MalformedAnswer("a field has a type that the file does not use")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(10):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            if not byte and place:
                break
            return value, at
    raise MalformedAnswer("a number is written longer than needed")


def _one(fields: Fields, number: int) -> int | bytes:
    values = fields.pop(number, [])
    if len(values) != 1:
        raise MalformedAnswer(f"field {number} stands {len(values)} times")
    return values[0]


def _number(value: int | bytes) -> int:
    if not isinstance(value, int):
        raise MalformedAnswer("a field is no number")
    return value


def _bytes(value: int | bytes) -> bytes:
    if not isinstance(value, bytes):
        raise MalformedAnswer("a field is no run of bytes")
    return value
