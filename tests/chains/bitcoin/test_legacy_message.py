"""Messages signed by single keys: one address, and multisig by separate keys."""

from __future__ import annotations

from base64 import b64decode, b64encode

import pytest

from chains.bitcoin.key_proofs import judge_proof
from chains.bitcoin.legacy_message import message_digest
from chains.bitcoin.networks import MAIN, REGTEST, Network
from chains.bitcoin.proof_types import ProofState, Verdict
from chains.bitcoin.script import address_of_script, p2sh_script, witness_script
from chains.devnet.bitcoin.keys import Kind, Lock, TestKey
from chains.key_schemes import SignatureScheme
from chains.types import Address
from tests.chains.bitcoin.proof_makers import BLOCK, KINDS, WORDS, WrappedMultisig, legacy, lock_of

pytest.importorskip("coincurve", reason="coincurve is not installed")

LEGACY, SEGWIT, MULTISIG = (
    SignatureScheme.LEGACY,
    SignatureScheme.LEGACY_SEGWIT,
    SignatureScheme.MULTISIG_KEYS,
)
P2PKH, WRAPPED, NATIVE = map(str, (Kind.P2PKH, Kind.P2SH_P2WPKH, Kind.P2WPKH))


def judged(scheme: SignatureScheme, text: str, address: str, words: str = WORDS, network: Network = REGTEST) -> Verdict:
    return judge_proof(network, Address(address), words, BLOCK, scheme, text, lambda _name: None)


def told(scheme: SignatureScheme, text: str, lock: Lock, words: str = WORDS) -> str:
    verdict = judged(scheme, text, lock.address, words)
    assert verdict.state is not ProofState.INCONCLUSIVE
    return verdict.code or str(verdict.state)


def test_a_signature_made_by_bitcoin_core() -> None:
    """From Bitcoin Core's `src/test/util_tests.cpp`, message_verify (MIT)."""
    words = "Trust no one"
    text = "IPojfrX2dfPnH26UegfbGQQLrdK844DlHq5157/P6h57WyuS/Qsl+h/WSVGDF4MUi4rWSswW38oimDYfNNUBUOk="
    address = "15CRxFdyRpGZLW9w8HnHvVduizdL5jKNbs"
    assert judged(LEGACY, text, address, words, MAIN).state is ProofState.VALID
    assert judged(LEGACY, text, address, "I never signed this", MAIN).code == "other-key"
    assert judged(LEGACY, text, "11canuhp9X2NocwCq7xNrQYTmUgZAnLK3", words, MAIN).code == "other-key"


@pytest.mark.parametrize(
    ("scheme", "kind", "headers"),
    [(LEGACY, P2PKH, {31}), (SEGWIT, WRAPPED, {31, 35}), (SEGWIT, NATIVE, {31, 39})],
)
def test_each_scheme_has_its_kinds_of_address_and_its_headers(
    scheme: SignatureScheme, kind: str, headers: set[int]
) -> None:
    lock, other = lock_of(kind), lock_of(kind, "two")
    for header in (31, 35, 39):
        text = legacy(lock.keys[0], header)
        assert told(scheme, text, lock) == ("valid" if header in headers else "signature-form"), header
        if header in headers:
            assert told(scheme, text, lock, WORDS + ".") == "other-key"
            assert told(scheme, text, other) == "other-key"
            assert told(scheme, legacy(lock.keys[0], header, high_s=True), lock) == "signature-rule"
    for each in set(KINDS) - {kind}:
        if (scheme, each) not in ((SEGWIT, WRAPPED), (SEGWIT, NATIVE), (SEGWIT, "p2sh-multisig")):
            assert told(scheme, legacy(lock_of(each).keys[0], 31), lock_of(each)) in ("wrong-script", "other-key")


def test_an_uncompressed_key_has_an_address_of_its_own() -> None:
    from coincurve import PublicKey

    from chains.bitcoin.hashes import hash160
    from chains.bitcoin.script import p2pkh_script

    key = TestKey.of("one")
    long_form = PublicKey(key.public).format(compressed=False)
    address = address_of_script(REGTEST, p2pkh_script(hash160(long_form)))
    assert address is not None
    assert judged(LEGACY, legacy(key, 27), address).state is ProofState.VALID
    assert judged(LEGACY, legacy(key, 31), address).code == "other-key"
    assert told(LEGACY, legacy(key, 27), lock_of(P2PKH)) == "other-key"


@pytest.mark.parametrize(
    "text",
    ["", "x", b64encode(bytes(65)).decode(), b64encode(b"\x1f" + bytes(63)).decode(), b64encode(b"\x1f" * 66).decode()],
)
def test_a_signature_has_one_form(text: str) -> None:
    assert told(LEGACY, text, lock_of(P2PKH)) == "signature-form"


def test_no_key_can_have_made_it() -> None:
    raw = b64decode(legacy(TestKey.of("one"), 31))
    beyond = bytes([raw[0]]) + b"\xff" * 32 + raw[33:]
    assert told(LEGACY, b64encode(beyond).decode(), lock_of(P2PKH)) == "signature-form"


def test_the_digest_counts_the_bytes_of_the_words() -> None:
    assert message_digest("é".encode()) != message_digest(b"e")
    lock = lock_of(P2PKH)
    long_words = "word " * 100
    assert told(LEGACY, legacy(lock.keys[0], 31, long_words), lock, long_words) == "valid"


# Multisig by separate keys --------------------------------------------------------------------------------------------


def by_keys(lock: Lock, *keys: TestKey, header: int = 31) -> str:
    return " ".join([lock.multisig_script.hex(), *(legacy(key, header) for key in keys)])


@pytest.mark.fault("G4")
@pytest.mark.parametrize("kind", ["p2wsh-multisig", "p2sh-p2wsh-multisig", "p2sh-multisig"])
def test_enough_different_keys_must_sign(kind: str) -> None:
    lock, stranger = lock_of(kind), TestKey.of("stranger")
    first, second, third = lock.keys
    for keys, code in (
        ((first, second), "valid"),
        ((third, first), "valid"),
        ((first, second, third), "valid"),
        ((first,), "too-few-keys"),
        ((first, first), "too-few-keys"),
        ((first, first, first), "too-few-keys"),
        ((), "too-few-keys"),
        ((first, stranger), "other-key"),
        ((first, second, stranger), "other-key"),
        ((first, second, third, first), "signature-form"),
    ):
        assert told(MULTISIG, by_keys(lock, *keys), lock) == code, keys
    assert told(MULTISIG, by_keys(lock, first, second), lock, WORDS + ".") == "other-key"
    assert told(MULTISIG, by_keys(lock, first, second), lock_of(kind, "two")) == "wrong-script"
    assert told(MULTISIG, by_keys(lock, first, second, header=39), lock) == "signature-form"


@pytest.mark.fault("G4")
def test_one_key_twice_in_the_script_is_one() -> None:
    key = TestKey.of("one")
    twice = Lock(Kind.P2WSH_MULTISIG, (key, key), 2)
    assert told(MULTISIG, by_keys(twice, key, key), twice) == "too-few-keys"
    wrapped = WrappedMultisig(Kind.P2WSH_MULTISIG, (key, TestKey.of("two")), 2)
    assert told(MULTISIG, by_keys(wrapped, key, TestKey.of("two")), wrapped) == "valid"


def test_one_key_in_two_spellings_is_one() -> None:
    from coincurve import PublicKey

    from chains.bitcoin.hashes import hash160

    key = TestKey.of("one")
    both = (key.public, PublicKey(key.public).format(compressed=False))
    script = b"\x52" + b"".join(bytes([len(each)]) + each for each in both) + b"\x52\xae"
    address = address_of_script(REGTEST, p2sh_script(hash160(script)))
    assert address is not None
    text = f"{script.hex()} {legacy(key, 31)} {legacy(key, 27)}"
    assert judged(MULTISIG, text, address).code == "too-few-keys"


def test_the_script_is_a_plain_multisig_in_hex() -> None:
    lock = lock_of("p2wsh-multisig")
    good = by_keys(lock, *lock.keys[:2])
    single = witness_script(0, bytes(20))
    for text, code in (
        (good.replace(" ", "  ", 1), "signature-form"),
        (good[2:], "wrong-script"),
        (lock.multisig_script.hex().upper() + good[good.index(" ") :], "wrong-script"),
        ("zz" + good, "signature-form"),
        (single.hex(), "wrong-script"),
        ("", "wrong-script"),
    ):
        assert told(MULTISIG, text, lock) == code
