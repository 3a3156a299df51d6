"""BIP-127: proof files made by test keys, and every way in which one could say more than it shows."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from chains.bitcoin.bip127 import commitment_outpoint, read_proof_file
from chains.bitcoin.key_proofs import judge_proof
from chains.bitcoin.networks import REGTEST
from chains.bitcoin.proof_types import ProofState, Verdict
from chains.devnet.bitcoin.wire import Transaction, TxInput, TxOutput
from chains.key_schemes import SignatureScheme
from chains.types import Address
from tests.chains.bitcoin.proof_makers import (
    BLOCK,
    KINDS,
    WORDS,
    coin_of,
    field,
    ledger,
    lock_of,
    proof_file,
    reserves,
    varint,
)

pytest.importorskip("pbk", reason="the consensus library is not installed")

COINS = [coin_of(lock_of(kind), value=1_000 + place) for place, kind in enumerate(KINDS)]
OWN = COINS[0][2]
HELD = ledger(*COINS)


def judged(text: str, held: object = HELD, words: str = WORDS) -> Verdict:
    address = Address(OWN.address)
    return judge_proof(REGTEST, address, words, BLOCK, SignatureScheme.BIP127, text, held)  # type: ignore[arg-type]


def told(text: str, held: object = HELD, words: str = WORDS) -> str:
    verdict = judged(text, held, words)
    return verdict.code or str(verdict.state)


def made(**changes: object) -> Transaction:
    return reserves(COINS, **changes)[0]  # type: ignore[arg-type]


def test_the_commitment_is_the_hash_of_the_prefixed_message() -> None:
    assert commitment_outpoint("Some Message") == sha256(b"Proof-of-Reserves: Some Message").digest() + bytes(4)


def test_coins_of_every_kind_in_one_transaction_and_in_several() -> None:
    verdict = judged(proof_file(made()))
    assert (verdict.state, len(verdict.coins)) == (ProofState.VALID, len(KINDS))
    assert sum(coin.value for coin in verdict.coins) == sum(coin.value for _, coin, _ in COINS)
    several = [reserves([coin])[0] for coin in COINS]
    assert len(judged(proof_file(*several)).coins) == len(KINDS)


def test_every_coin_must_be_held_and_one_the_addresss_own() -> None:
    text = proof_file(made())
    for missing in COINS:
        held = ledger(*(coin for coin in COINS if coin is not missing))
        assert told(text, held) == "coin-not-held"
    assert told(proof_file(reserves(COINS[1:])[0])) == "no-own-coin"
    assert told(proof_file(reserves(COINS[:1])[0])) == "valid"


@pytest.mark.fault("G9")
def test_a_coin_counts_once() -> None:
    twice = reserves([COINS[0]])[0]
    assert told(proof_file(twice, twice)) == "signature-form"
    assert told(proof_file(reserves([COINS[0], COINS[0]])[0])) == "signature-form"


@pytest.mark.parametrize("place", range(1, len(COINS) + 1))
def test_every_coin_is_signed_for(place: int) -> None:
    other = reserves(COINS, WORDS + ".")[0].inputs[place]
    bad = made().with_input(place, witness=other.witness, script=other.script)
    assert told(proof_file(bad)) == "other-key"


def test_the_message_the_block_and_the_network_are_the_challenges() -> None:
    assert told(proof_file(made()), words=WORDS + ".") == "other-words"
    assert told(proof_file(made(), words=WORDS + "."), words=WORDS + ".") == "other-words"  # the first input says else
    assert told(proof_file(reserves(COINS, WORDS + ".")[0])) == "other-words"
    changes: list[tuple[str, Any, str]] = [
        ("version", 2, "inconclusive"),
        ("version", 0, "inconclusive"),
        ("network_magic", 0xD9B4BEF9, "signature-form"),
        ("message", WORDS.encode() + b".", "other-words"),
        ("message", b"\xff", "signature-form"),
        ("message", 7, "signature-form"),
        ("block_hash", bytes(32), "other-words"),
        ("block_hash", b"", "other-words"),
        ("block_hash", None, "signature-form"),
        ("version", b"\x01", "signature-form"),
    ]
    for name, value, code in changes:
        assert told(proof_file(made(), **{name: value})) == code, name


def test_the_transaction_has_one_form() -> None:
    total = sum(coin.value for _, coin, _ in COINS)
    script = OWN.script
    for changes, code in (
        ({"outputs": (TxOutput(total - 1, script),)}, "signature-form"),
        ({"outputs": (TxOutput(total - 1, script), TxOutput(1, script))}, "signature-form"),
        ({"outputs": (TxOutput(total, b"\x6a"),)}, "valid"),
        ({"version": 3}, "inconclusive"),
        ({"version": 1}, "valid"),
        ({"lock_time": BLOCK[0] + 1}, "time-locked"),
        ({"inputs": tuple(replace(each, sequence=5) for each in made().inputs)}, "time-locked"),
        ({"inputs": tuple(replace(each, sequence=5) for each in made().inputs), "version": 1}, "valid"),
    ):
        assert told(proof_file(made(**changes))) == code, changes
    first = made()
    assert told(proof_file(first.with_input(0, script=b"\x51"))) in ("signature-form", "other-key")
    assert told(proof_file(first.with_input(0, witness=(b"\x01",)))) in ("signature-form", "other-key")
    other_index = replace(first.inputs[0], vout=1)
    assert told(proof_file(replace(first, inputs=(other_index, *first.inputs[1:])))) == "other-words"
    alone = Transaction((TxInput(first.inputs[0].txid, 0),), (TxOutput(0, b"\x6a"),))
    assert told(proof_file(alone)) == "signature-form"
    assert told(proof_file()) == "signature-form"


def test_the_file_is_read_strictly() -> None:
    good = b64decode(proof_file(made()))
    assert read_proof_file(good).message == WORDS
    assert told(b64encode(good).decode()) == "valid"
    unfinished = field(6, b"anything")
    for changed, code in (
        (good + unfinished, "valid"),  # proofs that are not finished are to be ignored
        (good + field(7, 1), "signature-form"),
        (good + field(1, 1), "signature-form"),  # a single field twice
        (good + varint(2 << 3 | 5) + bytes(4), "signature-form"),
        (good + b"\x80", "signature-form"),
        (b"\x88\x00" + good[1:], "signature-form"),  # a number written longer than needed
        (b"\xff" * 11, "signature-form"),
        (good + field(5, field(1, b"\x00")), "signature-form"),
        (good + field(5, b""), "signature-form"),
    ):
        assert told(b64encode(changed).decode()) == code
    ends = {told(b64encode(good[:size]).decode()) for size in range(1, len(good))}
    assert ends == {"signature-form"}
    assert told("") == "signature-form"
