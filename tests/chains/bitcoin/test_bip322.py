"""BIP-322: the official vectors, valid and invalid, and proofs of every kind of address made by test keys."""

from __future__ import annotations

import builtins
import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from chains.bitcoin import bip322, script_engine
from chains.bitcoin.hashes import hash160, tagged_hash
from chains.bitcoin.key_proofs import judge_proof, script_kind
from chains.bitcoin.networks import MAIN, REGTEST
from chains.bitcoin.proof_types import ProofState, Verdict
from chains.bitcoin.psbt import read_finalized_psbt
from chains.bitcoin.script import p2pkh_script, p2sh_script, script_of_address, witness_script
from chains.bitcoin.script_engine import ScriptEngineMissing
from chains.bitcoin.transaction import Output, id_text, outpoint
from chains.devnet.bitcoin.kernel_chain import Coin
from chains.devnet.bitcoin.keys import CURVE_ORDER, Kind, Lock, TestKey
from chains.devnet.bitcoin.signing import HashType, legacy_digest, segwit_digest, taproot_digest
from chains.devnet.bitcoin.wire import Transaction, TxInput, TxOutput, with_length, written_output
from chains.key_schemes import SignatureScheme
from chains.types import Address
from tests.chains.bitcoin.proof_makers import (
    BLOCK,
    KINDS,
    NATIVE,
    WORDS,
    coin_of,
    draft,
    full,
    ledger,
    lock_of,
    psbt,
    signed,
    simple,
)

pytest.importorskip("pbk", reason="the consensus library is not installed")

DATA = Path(__file__).parents[2] / "data" / "bitcoin"
BASIC: dict[str, Any] = json.loads((DATA / "bip322-basic.json").read_text(encoding="utf-8"))
GENERATED: dict[str, Any] = json.loads((DATA / "bip322-generated.json").read_text(encoding="utf-8"))
SIMPLE, FULL, FUNDS = SignatureScheme.BIP322_SIMPLE, SignatureScheme.BIP322_FULL, SignatureScheme.BIP322_FUNDS
LATE = (3_000, "cd" * 32)


def judged(
    scheme: SignatureScheme,
    text: str,
    lock: Lock | str,
    words: str = WORDS,
    coins: Callable[[bytes], Output | None] = ledger(),
    block: tuple[int, str] = BLOCK,
) -> Verdict:
    network, address = (MAIN, lock) if isinstance(lock, str) else (REGTEST, lock.address)
    return judge_proof(network, Address(address), words, block, scheme, text, coins)


def told(verdict: Verdict) -> str:
    return verdict.code or str(verdict.state)


# The official vectors -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", BASIC["tx_hashes"], ids=range(3))
def test_the_two_transactions_have_the_official_ids(case: dict[str, str]) -> None:
    script, words = script_of_address(MAIN, case["address"]), case["message"].encode()
    assert bip322.message_hash(words).hex() == case["message_hash"]
    assert id_text(bip322.to_spend(words, script).txid) == case["to_spend"]
    assert id_text(bip322.to_sign(words, script).txid) == case["to_sign"]


def test_the_official_simple_vectors_are_valid() -> None:
    seen = 0
    for case in BASIC["simple"]:
        for text in case["signatures"]:
            assert told(judged(SIMPLE, text, case["address"], case["message"])) == "valid", case["type"]
            seen += 1
    assert seen == 6


@pytest.mark.parametrize("case", BASIC["error"], ids=lambda case: str(case["description"]))
def test_the_official_errors_are_invalid(case: dict[str, str]) -> None:
    for scheme in (SIMPLE, FULL, FUNDS):
        verdict = judged(scheme, case["signature"], case["address"], case["message"])
        assert verdict.state is ProofState.INVALID
        assert verdict.code in ("signature-form", "other-key")


@pytest.mark.parametrize("case", GENERATED["signed"], ids=lambda case: f"{case['scheme']}-{case['type']}")
def test_the_official_generated_vectors(case: dict[str, str]) -> None:
    scheme = {"simple": SIMPLE, "full": FULL}[case["scheme"]]
    script, words, text = script_of_address(MAIN, case["address"]), case["message"], case["signature"]
    verdict = bip322.judge_simple(script, words.encode(), text) if scheme is SIMPLE else None
    if verdict is None:
        verdict = bip322.judge_full(script, words.encode(), text)
        # These are made with a lock time and an age; a proof of control must be good now.
        assert (verdict.lock_time, verdict.age) == (2016, 2016)
        assert told(judged(scheme, text, case["address"], words, block=LATE)) == "time-locked"
    assert verdict.state is ProofState.VALID
    for address, other in ((case["address"], case["wrong_message"]), (case["wrong_address"], words)):
        assert told(judged(scheme, text, address, other)) == ("other-key" if scheme is SIMPLE else "other-words")
    other_scheme = FULL if scheme is SIMPLE else SIMPLE
    assert judged(other_scheme, text, case["address"], words).state is ProofState.INVALID
    assert judged(other_scheme, text[3:], case["address"], words).state is ProofState.INVALID


@pytest.mark.parametrize("case", GENERATED["funds"], ids=range(3))
def test_the_official_proofs_of_funds(case: dict[str, Any]) -> None:
    script, words = script_of_address(MAIN, case["address"]), case["message"].encode()
    found = read_finalized_psbt(b64decode(case["signature"][3:]))
    names = [each.outpoint for each in found.transaction.inputs[1:]]
    held = [Output(each["value"], bytes.fromhex(each["script"])) for each in case["coins"]]
    coins = dict(zip(names, held, strict=True))
    verdict = bip322.judge_funds(script, words, case["signature"], coins.get)
    assert (verdict.state, verdict.lock_time, verdict.age) == (ProofState.VALID, 123, 456)
    assert [(coin.outpoint, coin.value, coin.script) for coin in verdict.coins] == [
        (name, coin.value, coin.script) for name, coin in coins.items()
    ]
    for name, coin in coins.items():
        for changed, code in (
            ({key: each for key, each in coins.items() if key != name}, "coin-not-held"),
            (coins | {name: coin._replace(value=coin.value + 1)}, "coin-mismatch"),
            (coins | {name: coin._replace(script=b"\x51")}, "coin-mismatch"),
        ):
            verdict = judged(FUNDS, case["signature"], case["address"], case["message"], changed.get, LATE)
            assert told(verdict) == code


def test_the_official_vectors_are_all_there() -> None:
    assert {name: len(BASIC[name]) for name in ("tx_hashes", "simple", "error")} == {
        "tx_hashes": 3,
        "simple": 4,
        "error": 8,
    }
    assert len(GENERATED["signed"]) == 14
    assert sum(len(case["coins"]) for case in GENERATED["funds"]) == 9


# Every kind of address ------------------------------------------------------------------------------------------------


@pytest.mark.fault("G6")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("prefix", ["ful", ""])
def test_a_full_signature_of_every_kind(kind: str, prefix: str) -> None:
    lock, other = lock_of(kind), lock_of(kind, "two")
    text = full(signed(lock), prefix)
    assert told(judged(FULL, text, lock)) == "valid"
    assert told(judged(FULL, full(signed(lock, version=2)), lock)) == "valid"
    assert told(judged(FULL, text, lock, WORDS + ".")) == "other-words"
    assert told(judged(FULL, text, other)) == "other-words"
    # The words and the address are right, the key is another's.
    made = signed(other)
    stolen = replace(draft(lock), inputs=(replace(made.inputs[0], txid=draft(lock).inputs[0].txid),))
    assert told(judged(FULL, full(stolen), lock)) == "other-key"


@pytest.mark.parametrize("kind", NATIVE)
@pytest.mark.parametrize("prefix", ["smp", ""])
def test_a_simple_signature_of_native_segwit(kind: str, prefix: str) -> None:
    lock = lock_of(kind)
    text = simple(signed(lock), prefix)
    assert told(judged(SIMPLE, text, lock)) == "valid"
    assert told(judged(SIMPLE, text, lock, WORDS + ".")) == "other-key"
    assert told(judged(SIMPLE, text, lock_of(kind, "two"))) == "other-key"


@pytest.mark.parametrize("kind", sorted(set(KINDS) - set(NATIVE)))
def test_the_simple_form_is_refused_for_other_kinds(kind: str) -> None:
    lock = lock_of(kind)
    assert told(judged(SIMPLE, "smp" + b64encode(b"\x01\x01\x01").decode(), lock)) == "wrong-script"


def altered(transaction: Transaction, lock: Lock, change: Callable[[bytes], bytes]) -> Transaction:
    """The first signature changed, wherever it stands."""
    first = transaction.inputs[0]
    if first.witness:
        place = 1 if lock.kind is Kind.P2WSH_MULTISIG else 0
        items = list(first.witness)
        items[place] = change(items[place])
        return transaction.with_input(0, witness=tuple(items))
    start = 1 if lock.kind is Kind.P2WSH_MULTISIG else 0
    size = first.script[start]
    signature = change(first.script[start + 1 : start + 1 + size])
    script = first.script[:start] + with_length(signature) + first.script[start + 1 + size :]
    return transaction.with_input(0, script=script)


def mirrored(signature: bytes) -> bytes:
    """The same signature with the other S."""
    r_size = signature[3]
    s = CURVE_ORDER - int.from_bytes(signature[6 + r_size : -1], "big")
    s_bytes = s.to_bytes(33, "big")
    body = signature[2 : 4 + r_size] + b"\x02" + with_length(s_bytes)
    return b"\x30" + with_length(body) + signature[-1:]


@pytest.mark.parametrize("kind", KINDS)
def test_an_altered_signature_is_refused(kind: str) -> None:
    lock = lock_of(kind)
    made = altered(signed(lock), lock, lambda sig: sig[:20] + bytes([sig[20] ^ 1]) + sig[21:])
    assert told(judged(FULL, full(made), lock)) == "other-key"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != Kind.P2TR])
def test_a_mirrored_signature_is_refused_although_consensus_takes_it(kind: str) -> None:
    lock = lock_of(kind)
    assert told(judged(FULL, full(altered(signed(lock), lock, mirrored)), lock)) == "signature-rule"
    assert told(judged(FULL, full(altered(signed(lock), lock, lambda sig: mirrored(mirrored(sig)))), lock)) in (
        "valid",
        "other-key",  # 33 bytes for an S that needs 32 are no strict DER
    )


def with_hash_type(kind: str, hash_type: int) -> tuple[Lock, Transaction]:
    """Signed over a part of the proof only, for kinds of one key."""
    lock, transaction = lock_of(kind), draft(lock_of(kind))
    coins, key = [Coin(0, lock.script, 0, coinbase=False)], lock.keys[0]
    if lock.kind is Kind.P2TR:
        digest = taproot_digest(transaction, 0, coins, hash_type)
        return lock, transaction.with_input(0, witness=(key.tweaked().sign_schnorr(digest) + bytes([hash_type]),))
    if lock.kind is Kind.P2PKH:
        made = key.sign(legacy_digest(transaction, 0, lock.script, hash_type)) + bytes([hash_type])
        return lock, transaction.with_input(0, script=with_length(made) + with_length(key.public))
    made = key.sign(segwit_digest(transaction, 0, p2pkh_script(hash160(key.public)), 0, hash_type))
    transaction = transaction.with_input(0, witness=(made + bytes([hash_type]), key.public))
    if lock.kind is Kind.P2SH_P2WPKH:
        transaction = transaction.with_input(0, script=with_length(lock.redeem_script))
    return lock, transaction


ONE_KEY = [str(Kind.P2PKH), str(Kind.P2SH_P2WPKH), str(Kind.P2WPKH), str(Kind.P2TR)]


@pytest.mark.parametrize("kind", ONE_KEY)
def test_a_signature_over_a_part_is_refused(kind: str) -> None:
    for hash_type in (2, 3, 0x81, 0x82, 0x83):
        lock, transaction = with_hash_type(kind, hash_type)
        assert told(judged(FULL, full(transaction), lock)) == "signature-rule", hash_type
    lock, transaction = with_hash_type(kind, HashType.ALL)
    assert told(judged(FULL, full(transaction), lock)) == "valid"


# The form of the transaction ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"outputs": (TxOutput(0, b"\x6a"), TxOutput(0, b"\x6a"))}, "signature-form"),
        ({"outputs": (TxOutput(1, b"\x6a"),)}, "signature-form"),
        ({"outputs": (TxOutput(0, b"\x6a\x00"),)}, "signature-form"),
        ({"outputs": (TxOutput(0, b"\x51"),)}, "signature-form"),
        ({"version": 1}, "inconclusive"),
        ({"version": 3}, "inconclusive"),
        ({"version": -1}, "inconclusive"),
        ({"lock_time": BLOCK[0]}, "valid"),
        ({"lock_time": BLOCK[0] + 1}, "time-locked"),
        ({"lock_time": 500_000_000}, "time-locked"),
    ],
)
def test_the_transaction_has_one_form(changes: dict[str, Any], code: str) -> None:
    lock = lock_of("p2wpkh")
    assert told(judged(FULL, full(signed(lock, **changes)), lock)) == code


@pytest.mark.parametrize(
    ("sequence", "version", "code"),
    [(0, 2, "valid"), (5, 2, "time-locked"), (5, 0, "valid"), (0xFFFFFFFD, 2, "valid"), (0x400001, 2, "time-locked")],
)
def test_a_proof_for_old_coins_is_none_for_now(sequence: int, version: int, code: str) -> None:
    lock = lock_of("p2tr")
    inputs = (replace(draft(lock).inputs[0], sequence=sequence),)
    assert told(judged(FULL, full(signed(lock, inputs=inputs, version=version)), lock)) == code


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "base64"),
        ("smp", "too short"),
        ("ful", "prefix is ful"),
        ("pofAA==", "prefix is pof"),
        ("smpAA==AA==", "base64"),
        ("smpAB==", "one spelling"),
        ("smp AQA=", "base64"),
        ("smpAQA", "base64"),
        ("smpBQA=", "no witness"),
        ("smp/f8A", "no witness"),
        ("smpé", "base64"),
    ],
)
def test_a_text_has_one_form(text: str, words: str) -> None:
    verdict = judged(SIMPLE, text, lock_of("p2wpkh"))
    assert verdict.state is ProofState.INVALID
    assert words in verdict.reason or verdict.code == "signature-form"


def test_bytes_behind_are_refused() -> None:
    lock = lock_of("p2wpkh")
    for scheme, text in ((SIMPLE, simple(signed(lock))), (FULL, full(signed(lock)))):
        longer = text[:3] + b64encode(b64decode(text[3:]) + b"\x00").decode()
        assert told(judged(scheme, text, lock)) == "valid"
        assert told(judged(scheme, longer, lock)) == "signature-form"


# Scripts --------------------------------------------------------------------------------------------------------------


def script_lock(script: bytes) -> Lock:
    """An address with a witness script of the test's own."""

    class OwnLock(Lock):
        @property
        def script(self) -> bytes:
            return witness_script(0, sha256(script).digest())

    return OwnLock(Kind.P2WSH_MULTISIG, (TestKey.of("own"),))


def spent_by(script: bytes, *items: bytes | TestKey | None) -> Verdict:
    """A proof by a witness script; a key stands for its signature."""
    lock = script_lock(script)
    transaction = draft(lock)
    digest = segwit_digest(transaction, 0, script, 0, HashType.ALL)
    stack = tuple(each.sign(digest) + b"\x01" if isinstance(each, TestKey) else each or b"" for each in items)
    return judged(FULL, full(transaction.with_input(0, witness=(*stack, script))), lock)


OWN = TestKey.of("own")
OTHER = TestKey.of("other")
CHECK_OWN = with_length(OWN.public) + b"\xac"
PREIMAGE = b"\xa8" + with_length(sha256(b"secret " * 5).digest()) + b"\x87"  # SHA256 <hash> EQUAL
EITHER = CHECK_OWN + b"\x7c" + with_length(OTHER.public) + b"\xac\x9b"  # <own> CHECKSIG SWAP <other> CHECKSIG BOOLOR


@pytest.mark.parametrize(
    ("script", "items", "code"),
    [
        (CHECK_OWN, (OWN,), "valid"),
        (CHECK_OWN, (OTHER,), "other-key"),
        (EITHER, (None, OWN), "valid"),
        (EITHER, (OTHER, None), "valid"),
        (EITHER, (OTHER, OWN), "inconclusive"),  # one would do; which of them holds is not looked into
        (b"\x63" + CHECK_OWN + b"\x67\x51\x68", (OWN, b"\x01"), "valid"),
        (b"\x63" + CHECK_OWN + b"\x67\x51\x68", (OWN, b"\x02"), "signature-rule"),
        (b"\x51", (), "not-bound"),  # anybody can spend
        (PREIMAGE, (b"secret " * 5,), "not-bound"),
        (PREIMAGE, (b"another" * 5,), "other-key"),
        (b"\x63" + CHECK_OWN + b"\x67" + PREIMAGE + b"\x68", (b"secret " * 5, None), "not-bound"),
        (b"\x63" + CHECK_OWN + b"\x67" + PREIMAGE + b"\x68", (OWN, b"\x01"), "valid"),
        (PREIMAGE + b"\x69" + CHECK_OWN, (OWN, b"secret " * 5), "valid"),  # both are needed
        (b"\x61" + CHECK_OWN, (OWN,), "inconclusive"),  # NOP
        (b"\xb0" + CHECK_OWN, (OWN,), "inconclusive"),  # a NOP reserved for upgrades
        (b"\xb9" + CHECK_OWN, (OWN,), "inconclusive"),
        (b"\x4c\x21" + OWN.public + b"\xac", (OWN,), "signature-rule"),  # a longer push than need be
    ],
)
def test_witness_scripts_are_judged_by_what_they_consist_of(
    script: bytes, items: tuple[bytes | TestKey | None, ...], code: str
) -> None:
    assert told(spent_by(script, *items)) == code


def test_a_code_separator_is_refused() -> None:
    script = b"\xab" + CHECK_OWN
    lock, code = script_lock(script), CHECK_OWN
    transaction = draft(lock)
    made = OWN.sign(segwit_digest(transaction, 0, code, 0, HashType.ALL)) + b"\x01"
    transaction = transaction.with_input(0, witness=(made, script))
    assert told(judged(FULL, full(transaction), lock)) == "signature-rule"


def test_a_signature_that_failed_its_check_must_be_empty() -> None:
    """BIP-322 forbids others (NULLFAIL) and consensus does not mind."""
    assert told(spent_by(EITHER, None, OWN)) == "valid"
    verdict = spent_by(EITHER, OWN, OWN)  # the second stands where the other key's would
    assert (told(verdict), "may have failed" in verdict.reason) == ("inconclusive", True)


def own_lock(script: bytes) -> Lock:
    """An address with an output script of the test's own."""

    class OwnLock(Lock):
        @property
        def script(self) -> bytes:
            return script

    return OwnLock(Kind.P2PKH, (OWN,))


def test_a_script_sig_is_as_short_as_can_be() -> None:
    """Consensus takes what stands below, and longer pushes; BIP-322 does not (CLEANSTACK, MINIMALDATA)."""
    for kind in ("p2pkh", "p2sh-multisig"):
        lock = lock_of(kind)
        made = signed(lock)
        script = made.inputs[0].script
        start = 0 if kind == "p2pkh" else 1
        longer = script[:start] + b"\x4c" + script[start:]
        for changed in (b"\x51" + script, b"\x00" + script, b"\x01\x07" + script, longer):
            assert told(judged(FULL, full(made.with_input(0, script=changed)), lock)) == "signature-rule", kind
        assert told(judged(FULL, full(made.with_input(0, script=b"\x61" + script)), lock)) in (
            "signature-rule",  # NOP is no push
            "other-key",  # which P2SH does not take at all
        )


def test_a_key_has_two_spellings_and_no_third() -> None:
    from coincurve import PublicKey

    x_and_y = PublicKey(OWN.public).format(compressed=False)
    hybrid = bytes([6 + x_and_y[-1] % 2]) + x_and_y[1:]
    for key, code in ((OWN.public, "valid"), (x_and_y, "valid"), (hybrid, "signature-rule")):
        lock = own_lock(p2pkh_script(hash160(key)))
        transaction = draft(lock)
        made = OWN.sign(legacy_digest(transaction, 0, lock.script, HashType.ALL)) + b"\x01"
        transaction = transaction.with_input(0, script=with_length(made) + with_length(key))
        assert told(judged(FULL, full(transaction), lock)) == code


@pytest.mark.parametrize(
    "redeem", [CHECK_OWN, b"\x51", witness_script(1, b"\x07" * 32), witness_script(3, b"\x07" * 5)]
)
def test_other_scripts_behind_a_script_hash_are_inconclusive(redeem: bytes) -> None:
    lock = own_lock(p2sh_script(hash160(redeem)))
    transaction = draft(lock)
    made = OWN.sign(legacy_digest(transaction, 0, redeem, HashType.ALL)) + b"\x01"
    script = with_length(made) if redeem == CHECK_OWN else b""
    transaction = transaction.with_input(0, script=script + with_length(redeem))
    assert told(judged(FULL, full(transaction), lock)) == "inconclusive"


def test_a_multisig_script_with_longer_pushes_is_refused() -> None:
    assert told(spent_by(b"\x51" + with_length(OWN.public) + b"\x51\xae", None, OWN)) == "valid"
    assert told(spent_by(b"\x51\x4c" + with_length(OWN.public) + b"\x51\xae", None, OWN)) == "signature-rule"


def test_the_first_input_spends_the_one_output() -> None:
    lock = lock_of("p2wpkh")
    for changes in ({"vout": 1}, {"txid": bytes(32)}):
        inputs = (replace(draft(lock).inputs[0], **changes),)
        assert told(judged(FULL, full(signed(lock, inputs=inputs)), lock)) == "other-words"


@pytest.mark.parametrize(("version", "size"), [(1, 2), (1, 20), (2, 32), (16, 2)])
def test_unknown_witness_programs_are_inconclusive(version: int, size: int) -> None:
    class Open(Lock):
        @property
        def script(self) -> bytes:
            return witness_script(version, b"\x07" * size)

    lock = Open(Kind.P2WPKH, (OWN,))
    transaction = draft(lock).with_input(0, witness=(b"\x01",) if version > 1 else ())
    verdict = judged(FULL, full(transaction), lock)
    assert verdict.state is ProofState.INCONCLUSIVE, verdict
    assert script_kind(REGTEST, Address(lock.address)) == "witness"


def test_kinds_of_addresses() -> None:
    kinds = {kind: script_kind(REGTEST, Address(lock_of(kind).address)) for kind in KINDS}
    assert kinds == {
        "p2pkh": "p2pkh",
        "p2sh-p2wpkh": "p2sh",
        "p2wpkh": "p2wpkh",
        "p2tr": "p2tr",
        "p2wsh-multisig": "p2wsh",
        "p2sh-p2wsh-multisig": "p2sh",
        "p2sh-multisig": "p2sh",
    }


def leaf_spent(script: bytes, *items: TestKey | bytes, version: int = 0xC0, hash_type: int = 0) -> Verdict:
    """A proof by a taproot leaf; a key stands for its signature."""
    leaf = tagged_hash("TapLeaf", bytes([version]) + with_length(script))
    output = OWN.tweaked(leaf)

    class Leaf(Lock):
        @property
        def script(self) -> bytes:
            return witness_script(1, output.public[1:])

    lock = Leaf(Kind.P2TR, (OWN,))
    transaction = draft(lock)
    digest = leaf_digest(transaction, lock.script, leaf, hash_type)
    ending = bytes([hash_type]) if hash_type else b""
    stack = [each.sign_schnorr(digest) + ending if isinstance(each, TestKey) else each for each in items]
    control = bytes([version | output.public[0] & 1]) + OWN.public[1:]
    return judged(FULL, full(transaction.with_input(0, witness=(*stack, script, control))), lock)


def leaf_digest(transaction: Transaction, script: bytes, leaf: bytes, hash_type: int) -> bytes:
    """The digest of BIP-342 for a leaf, of a transaction with one input over a coin worth nothing."""
    one = transaction.inputs[0]
    outputs = b"".join(written_output(each) for each in transaction.outputs)
    parts = [
        bytes([0, hash_type]),
        transaction.version.to_bytes(4, "little") + transaction.lock_time.to_bytes(4, "little"),
        sha256(one.txid + one.vout.to_bytes(4, "little")).digest(),
        sha256(bytes(8)).digest(),
        sha256(with_length(script)).digest(),
        sha256(one.sequence.to_bytes(4, "little")).digest(),
        *([sha256(outputs).digest()] if hash_type in (0, 1) else []),
        b"\x02" + bytes(4) + leaf + b"\x00" + b"\xff" * 4,
    ]
    return tagged_hash("TapSighash", b"".join(parts))


LEAF_OWN = with_length(OWN.public[1:]) + b"\xac"


@pytest.mark.parametrize(
    ("script", "items", "options", "code"),
    [
        (LEAF_OWN, (OWN,), {}, "valid"),
        (LEAF_OWN, (OWN,), {"hash_type": 1}, "valid"),
        (LEAF_OWN, (OWN,), {"hash_type": 2}, "signature-rule"),
        (LEAF_OWN, (OTHER,), {}, "other-key"),
        (LEAF_OWN, (OWN,), {"version": 0xC2}, "inconclusive"),  # a leaf version of the future: anybody can spend
        (b"\x51", (), {}, "not-bound"),
        (PREIMAGE, (b"secret " * 5,), {}, "not-bound"),
        (b"\x50", (), {}, "inconclusive"),  # OP_SUCCESS: anybody can spend
        (with_length(b"\x05" * 31) + b"\xac", (bytes(64),), {}, "inconclusive"),  # a key of a kind of the future
        (b"\x51\xac", (bytes(64),), {}, "inconclusive"),
        (b"\xab" + LEAF_OWN, (OWN,), {}, "other-key"),  # the digest would have to say where it stands
    ],
)
def test_taproot_leaves(script: bytes, items: tuple[TestKey | bytes, ...], options: Any, code: str) -> None:
    assert told(leaf_spent(script, *items, **options)) == code


def test_an_annex_is_inconclusive() -> None:
    lock = lock_of("p2tr")
    transaction = draft(lock)
    coins = [Coin(0, lock.script, 0, coinbase=False)]
    annex = b"\x50\x01"
    spent_with_annex = taproot_digest_with_annex(transaction, coins, annex)
    signature = lock.keys[0].tweaked().sign_schnorr(spent_with_annex)
    transaction = transaction.with_input(0, witness=(signature, annex))
    assert told(judged(FULL, full(transaction), lock)) == "inconclusive"


def taproot_digest_with_annex(transaction: Transaction, coins: list[Coin], annex: bytes) -> bytes:
    one = transaction.inputs[0]
    outputs = b"".join(written_output(each) for each in transaction.outputs)
    parts = [
        bytes(2) + transaction.version.to_bytes(4, "little") + transaction.lock_time.to_bytes(4, "little"),
        sha256(one.txid + one.vout.to_bytes(4, "little")).digest(),
        sha256(bytes(8)).digest(),
        sha256(with_length(coins[0].script)).digest(),
        sha256(one.sequence.to_bytes(4, "little")).digest(),
        sha256(outputs).digest(),
        b"\x01" + bytes(4) + sha256(with_length(annex)).digest(),
    ]
    return tagged_hash("TapSighash", b"".join(parts))


# Proof of funds -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("prefix", ["pof", ""])
def test_a_proof_of_funds(kind: str, prefix: str) -> None:
    lock = lock_of(kind)
    coins = [coin_of(lock_of(each, "two"), value=1_000 + place) for place, each in enumerate(KINDS)]
    made = signed(lock, coins=coins)
    text = psbt(made, [Coin(0, lock.script, 0, coinbase=False), *(coin for _, coin, _ in coins)], prefix)
    verdict = judged(FUNDS, text, lock, coins=ledger(*coins))
    assert told(verdict) == "valid"
    assert sum(coin.value for coin in verdict.coins) == sum(1_000 + place for place in range(len(KINDS)))
    assert told(judged(FUNDS, text, lock, coins=ledger(*coins[1:]))) == "coin-not-held"
    assert told(judged(FUNDS, text, lock, WORDS + ".", ledger(*coins))) == "other-words"
    assert told(judged(FULL, full(made), lock, coins=ledger(*coins))) == "signature-form"


@pytest.mark.fault("G9")
def test_each_coin_of_a_proof_of_funds_is_signed_for() -> None:
    lock = lock_of("p2wpkh")
    coins = [coin_of(lock, number) for number in range(3)]
    made = signed(lock, coins=coins)
    for place in range(4):
        bad = made.with_input(place, witness=made.inputs[(place + 1) % 4].witness)
        verdict = judged(FUNDS, full(bad, ""), lock, coins=ledger(*coins))
        assert (told(verdict), f"input {place} " in verdict.reason) == ("other-key", True)
    assert told(judged(FUNDS, full(made, ""), lock, coins=ledger(*coins))) == "valid"
    twice = signed(lock, coins=[coins[0], coins[0]])
    assert told(judged(FUNDS, full(twice, ""), lock, coins=ledger(*coins))) == "signature-form"
    assert told(judged(FUNDS, full(signed(lock), ""), lock, coins=ledger(*coins))) == "signature-form"
    assert told(judged(FUNDS, full(made, "pof"), lock, coins=ledger(*coins))) == "signature-form"


def test_a_proof_over_hundreds_of_coins_takes_no_time() -> None:
    """What is hashed over all inputs is hashed once: 400 coins in well under a second."""
    lock = lock_of("p2tr")
    coins = [coin_of(lock, number) for number in range(400)]
    made = draft(lock, coins=[(name, coin) for name, coin, _ in coins])
    everything = [Coin(0, lock.script, 0, coinbase=False), *(coin for _, coin, _ in coins)]
    key = lock.keys[0].tweaked()
    inputs = tuple(
        replace(each, witness=(key.sign_schnorr(taproot_digest(made, place, everything, HashType.DEFAULT)),))
        for place, each in enumerate(made.inputs)
    )
    verdict = judged(FUNDS, full(replace(made, inputs=inputs), ""), lock, coins=ledger(*coins))
    assert (told(verdict), len(verdict.coins)) == ("valid", 400)


def test_what_a_psbt_says_of_coins_must_be_so() -> None:
    lock = lock_of("p2wpkh")
    coin = coin_of(lock)
    own = Coin(0, lock.script, 0, coinbase=False)
    made = signed(lock, coins=[coin])
    for stated, code in (
        ([own, coin[1]], "valid"),
        ([own, replace(coin[1], value=1)], "coin-mismatch"),
        ([own, replace(coin[1], script=b"\x51")], "coin-mismatch"),
        ([replace(own, value=1), coin[1]], "coin-mismatch"),
        ([own, None], "signature-form"),
    ):
        assert told(judged(FUNDS, psbt(made, stated), lock, coins=ledger(coin))) == code


def test_psbts_are_read_strictly() -> None:
    lock = lock_of("p2wpkh")
    coin = coin_of(lock)
    made = signed(lock, coins=[coin])
    good = b64decode(psbt(made, [Coin(0, lock.script, 0, coinbase=False), coin[1]], ""))

    def verdict(data: bytes) -> str:
        return told(judged(FUNDS, "pof" + b64encode(data).decode(), lock, coins=ledger(coin)))

    assert verdict(good) == "valid"
    assert verdict(good + b"\x00") == "signature-form"
    assert {verdict(good[:size]) for size in range(6, len(good))} == {"signature-form"}
    unsigned = b"\x01\x00"
    start = good.index(unsigned)
    assert verdict(good[:start] + good[start + 1 :]) == "signature-form"
    version_2 = good[:5] + b"\x01\xfb\x04\x02\x00\x00\x00" + good[5:]
    assert verdict(version_2) == "signature-form"


def test_a_psbt_may_carry_whole_transactions() -> None:
    """Of several inputs that spend one, the first only need carry it; what is said twice must agree."""
    owner = lock_of("p2pkh", "two")
    paid = Transaction((TxInput(bytes([9]) * 32, 0),), tuple(TxOutput(1_000 + n, owner.script) for n in range(2)))
    coins = [
        (outpoint(paid.txid, n), Coin(each.value, each.script, 3, coinbase=False), owner)
        for n, each in enumerate(paid.outputs)
    ]
    lock = lock_of("p2wpkh")
    own = Coin(0, lock.script, 0, coinbase=False)
    made = signed(lock, coins=coins)

    def verdict(*wholes: bytes | None, stated: list[Coin | None] | None = None, transaction: Transaction = made) -> str:
        text = psbt(transaction, stated or [own, None, None], wholes=(None, *wholes))
        return told(judged(FUNDS, text, lock, coins=ledger(*coins)))

    assert verdict(paid.raw, None) == "valid"
    assert verdict(paid.raw, paid.raw) == "valid"
    assert verdict(None, paid.raw) == "signature-form"  # the first of the two must carry it
    assert verdict(paid.raw, None, stated=[own, coins[0][1], coins[1][1]]) == "valid"
    assert verdict(paid.raw, None, stated=[own, replace(coins[0][1], value=1), None]) == "signature-form"
    other = replace(paid, lock_time=5)
    assert verdict(other.raw, None) == "signature-form"
    beyond = replace(made, inputs=(*made.inputs[:2], replace(made.inputs[2], vout=2)))
    assert verdict(paid.raw, None, transaction=beyond) == "signature-form"


def test_a_psbt_has_each_key_once_and_no_signature_outside() -> None:
    lock = lock_of("p2pkh")
    coin = coin_of(lock)
    made = signed(lock, coins=[coin])
    stated = [Coin(0, lock.script, 0, coinbase=False), coin[1]]
    good = b64decode(psbt(made, stated, ""))
    bare = replace(made, inputs=tuple(replace(each, script=b"") for each in made.inputs))
    first = with_length(b"\x00") + with_length(bare.raw)
    assert first in good
    for changed, code in (
        (good, "valid"),
        (good.replace(first, first + first), "signature-form"),
        (good.replace(first, with_length(b"\x00") + with_length(made.raw)), "signature-form"),
        (good.replace(first, first + with_length(b"\xfb") + with_length(bytes(4))), "valid"),
    ):
        assert told(judged(FUNDS, "pof" + b64encode(changed).decode(), lock, coins=ledger(coin))) == code


# The library ----------------------------------------------------------------------------------------------------------


def test_without_the_library_nothing_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    really = builtins.__import__

    def missing(name: str, *arguments: Any, **named: Any) -> Any:
        if name.partition(".")[0] == "pbk":
            raise ImportError(name)
        return really(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", missing)
    lock = lock_of("p2wpkh")
    with pytest.raises(ScriptEngineMissing, match="py-bitcoinkernel") as caught:
        judged(SIMPLE, simple(signed(lock)), lock)
    assert "custody-verifier[bitcoin]" in caught.value.advice
    assert script_engine.ScriptEngineMissing.code == "script-engine-missing"
