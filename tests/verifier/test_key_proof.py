"""What is asked, what is signed, and what an answer is worth; the chain is a fake here."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chains.errors import InvalidValue, NodeUnavailable
from chains.evm.scanner import AccountKind
from chains.evm.signatures import CURVE_ORDER, text_digest, typed_data_digest
from chains.key_schemes import SignatureScheme
from chains.types import Address, ChainId
from exports.codec import to_object
from exports.errors import BundleError
from tests.verifier.key_signers import (
    ADDRESSES,
    BLOCK,
    EIP191,
    EIP712,
    EIP1271,
    KEYS,
    LATER_BLOCK,
    NOON,
    FakeWitness,
    answer_to,
    challenge_to,
    signed,
)
from verifier.errors import InputError
from verifier.key_proof import (
    GivenSignature,
    KeyAnswer,
    KeyChallenge,
    ProofOutcome,
    addresses_digest,
    parse_answer,
    request_document,
    signed_digest,
    signing_text,
    typed_data,
)
from verifier.rules.key_answers import ChainWitness, JudgedSignature, judge_answer

SOON = NOON + timedelta(minutes=10)
ASKED = ADDRESSES[:3]
CHALLENGE = challenge_to(ASKED)


def judge(
    answer: KeyAnswer,
    *,
    challenge: KeyChallenge = CHALLENGE,
    witness: ChainWitness | None = None,
    answered: tuple[Address, ...] = (),
    moment: Any = SOON,
) -> list[JudgedSignature]:
    return judge_answer(challenge, ASKED, answered, answer, witness or FakeWitness(), moment)


def codes(judged: list[JudgedSignature]) -> list[str]:
    return [each.code or each.outcome.value for each in judged]


# What is asked


def test_a_challenge_is_read_back_from_its_canonical_bytes() -> None:
    data = CHALLENGE.to_bytes()
    assert KeyChallenge.from_bytes(data) == CHALLENGE
    assert CHALLENGE.digest == hashlib.sha256(data).hexdigest()
    assert b'"asked_by":"Example Audit"' in data
    with pytest.raises(BundleError):
        KeyChallenge.from_bytes(data.replace(b":1", b": 1"))


def test_the_address_list_is_a_set() -> None:
    """Order and repetition do not matter; another chain or address does."""
    digest = addresses_digest(BLOCK.chain_id, ASKED)
    text = json.dumps(sorted(f"{BLOCK.chain_id}:{address}" for address in ASKED), separators=(",", ":"))
    assert digest == hashlib.sha256(text.encode()).hexdigest()
    assert addresses_digest(BLOCK.chain_id, [*reversed(ASKED), ASKED[0]]) == digest
    assert addresses_digest(BLOCK.chain_id, ADDRESSES[:2]) != digest
    assert challenge_to([*ASKED, *ASKED]).address_count == 3


@pytest.mark.parametrize(
    "change",
    [
        {"expires_at": NOON},
        {"address_count": 0},
        {"version": 2},
        {"chain_id": "bip122:000000000019d6689c085ae165831e93"},
    ],
)
def test_an_impossible_challenge_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        replace(CHALLENGE, **change)


@pytest.mark.parametrize("name", ["two\nlines", "at https://example.org/", "x" * 201])
def test_a_name_cannot_forge_lines_of_the_text(name: str) -> None:
    with pytest.raises(BundleError):
        replace(CHALLENGE, asked_by=name).to_bytes()


def test_the_text_says_what_it_is_and_binds_everything() -> None:
    lines = signing_text(CHALLENGE, ASKED[0]).split("\n")
    assert lines[:2] == [
        "custody-verifier key proof",
        "Shows that this key could sign now. Moves nothing and approves nothing.",
    ]
    assert lines[3:] == [
        "Firm: Example Securities",
        "Asked by: Example Audit",
        f"Wallet: eip155:31337:{ASKED[0]}",
        f"Block: 100 {BLOCK.block_hash}",
        f"Addresses: 3, SHA-256 {CHALLENGE.addresses_sha256}",
        "Issued: 2026-03-02T12:00:00.000000Z",
        "Answer before: 2026-03-03T12:00:00.000000Z",
        f"Nonce: {'07' * 32}",
        f"Challenge SHA-256: {CHALLENGE.digest}",
    ]


def test_the_typed_data_is_of_a_domain_no_contract_has() -> None:
    data = typed_data(CHALLENGE, ASKED[0])
    assert data["domain"] == {"name": "custody-verifier key proof", "version": "1", "chainId": 31337}
    assert [each["name"] for each in data["types"]["EIP712Domain"]] == ["name", "version", "chainId"]
    assert data["primaryType"] == "KeyProof"
    assert {each["name"] for each in data["types"]["KeyProof"]} == set(data["message"])
    with_contract = json.loads(json.dumps(data))
    with_contract["types"]["EIP712Domain"].append({"name": "verifyingContract", "type": "address"})
    with_contract["domain"]["verifyingContract"] = ASKED[1]
    assert typed_data_digest(with_contract) != typed_data_digest(data)


@pytest.mark.parametrize("scheme", list(SignatureScheme))
def test_what_is_signed_differs_with_every_part_of_the_challenge(scheme: SignatureScheme) -> None:
    others = [
        replace(CHALLENGE, firm="Other Securities"),
        replace(CHALLENGE, asked_by="Other Audit"),
        replace(CHALLENGE, nonce="08" * 32),
        replace(CHALLENGE, height=101),
        replace(CHALLENGE, block_hash="0x" + "ac" * 32),
        replace(CHALLENGE, addresses_sha256="00" * 32),
        replace(CHALLENGE, address_count=4),
        replace(CHALLENGE, issued_at=NOON + timedelta(microseconds=1)),
        replace(CHALLENGE, expires_at=SOON),
        replace(CHALLENGE, chain_id=ChainId("eip155:1")),
    ]
    digests = {signed_digest(each, ASKED[0], scheme) for each in [CHALLENGE, *others]}
    digests.add(signed_digest(CHALLENGE, ASKED[1], scheme))
    assert len(digests) == len(others) + 2


def test_signers_are_given_what_they_sign() -> None:
    document = json.loads(json.dumps(request_document(CHALLENGE, ASKED)))
    assert document["challenge"] == to_object(CHALLENGE)
    assert document["challenge_sha256"] == CHALLENGE.digest
    assert "does not show who owns" in document["meaning"]
    assert [each["address"] for each in document["wallets"]] == sorted(ASKED)
    for wallet in document["wallets"]:
        assert text_digest(wallet["eip191"]) == signed_digest(CHALLENGE, wallet["address"], EIP191)
        assert typed_data_digest(wallet["eip712"]) == signed_digest(CHALLENGE, wallet["address"], EIP712)
        assert wallet["eip1271"] == "0x" + signed_digest(CHALLENGE, wallet["address"], EIP1271).hex()


# Reading an answer


def answer_json(*signatures: GivenSignature, **changes: object) -> bytes:
    value = to_object(answer_to(CHALLENGE, *(signatures or (signed(CHALLENGE, KEYS[0]),)))) | changes
    return json.dumps(value, indent=1).encode()


def test_an_answer_file_is_read() -> None:
    given = [signed(CHALLENGE, KEYS[0]), signed(CHALLENGE, KEYS[1], EIP712)]
    assert parse_answer(answer_json(*given)) == answer_to(CHALLENGE, *given)


@pytest.mark.fault("G1")
@pytest.mark.parametrize(
    "address", ["", "0x", ADDRESSES[0].lower(), ADDRESSES[0][:-1], ADDRESSES[0].swapcase(), "0x" + "0" * 40]
)
def test_a_malformed_address_spoils_the_file(address: str) -> None:
    with pytest.raises(InputError):
        parse_answer(answer_json(signatures=[to_object(signed(CHALLENGE, KEYS[0])) | {"address": address}]))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"\xff",
        answer_json(signatures=[]),
        answer_json(version=2),
        answer_json(format="custody-verifier-key-challenge"),
        answer_json(extra=1),
        answer_json(nonce="7"),
        answer_json(signatures=[{"address": ADDRESSES[0], "signature": "0x00"}]),
        answer_json(signatures=[{"address": ADDRESSES[0], "scheme": "any", "signature": "0x00"}]),
        answer_json().replace(b'"version": 1', b'"version": 1, "version": 1'),
    ],
)
def test_an_odd_answer_file_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        parse_answer(data)


# Judging an answer


@pytest.mark.parametrize("scheme", [EIP191, EIP712])
def test_a_good_signature_is_accepted(scheme: SignatureScheme) -> None:
    (judged,) = judge(answer_to(CHALLENGE, signed(CHALLENGE, KEYS[0], scheme)))
    assert (judged.outcome, judged.code, judged.account_kind) == (ProofOutcome.ACCEPTED, "", "key")
    assert (judged.block, judged.node_id) == (LATER_BLOCK, "node-a")


@pytest.mark.fault("G11")
def test_a_signature_over_another_challenge_is_refused() -> None:
    """Another nonce, block or address list: the file says so, or the signature does."""
    for other in (
        challenge_to(ASKED, nonce=8),
        challenge_to(ASKED, block=replace(BLOCK, height=99)),
        challenge_to(ASKED, block=replace(BLOCK, block_hash="0x" + "11" * 32)),
        challenge_to(ADDRESSES[:4]),
    ):
        old = signed(other, KEYS[0])
        assert codes(judge(answer_to(other, old))) == ["challenge-mismatch"]
        assert codes(judge(answer_to(CHALLENGE, old))) == ["other-key"]


@pytest.mark.fault("G11")
def test_a_constant_message_proves_nothing() -> None:
    from eth_account import Account
    from eth_account.messages import encode_defunct

    constant = Account.sign_message(encode_defunct(text="I am the owner of this address"), KEYS[0])
    given = GivenSignature(ADDRESSES[0], EIP191, "0x" + constant.signature.hex())
    assert codes(judge(answer_to(CHALLENGE, given))) == ["other-key"]


@pytest.mark.fault("G11")
def test_an_answer_counts_in_its_time_only() -> None:
    answer = answer_to(CHALLENGE, signed(CHALLENGE, KEYS[0]))
    end = CHALLENGE.expires_at
    assert codes(judge(answer, moment=end - timedelta(microseconds=1))) == ["accepted"]
    assert codes(judge(answer, moment=end)) == ["expired"]
    assert codes(judge(answer, moment=NOON)) == ["accepted"]
    assert codes(judge(answer, moment=NOON - timedelta(seconds=1))) == ["too-early"]


@pytest.mark.fault("G11")
def test_an_answer_counts_once() -> None:
    answer = answer_to(CHALLENGE, signed(CHALLENGE, KEYS[0]), signed(CHALLENGE, KEYS[1]))
    assert codes(judge(answer, answered=(ADDRESSES[0],))) == ["already-answered", "accepted"]


@pytest.mark.fault("G11")
def test_a_challenge_whose_block_is_gone_is_void() -> None:
    answer = answer_to(CHALLENGE, signed(CHALLENGE, KEYS[0]))
    (judged,) = judge(answer, witness=FakeWitness(canonical=False))
    assert (judged.outcome, judged.code) == (ProofOutcome.REFUSED, "block-gone")


@pytest.mark.fault("G4")
@pytest.mark.fault("G3")
def test_an_address_twice_counts_once() -> None:
    """The second is named with the first, and not tried in its stead."""
    good = signed(CHALLENGE, KEYS[0])
    assert codes(judge(answer_to(CHALLENGE, good, good))) == ["accepted", "duplicate"]
    other_scheme = signed(CHALLENGE, KEYS[0], EIP712)
    judged = judge(answer_to(CHALLENGE, good, signed(CHALLENGE, KEYS[1]), other_scheme))
    assert codes(judged) == ["accepted", "accepted", "duplicate"]
    assert "signature 3 is for the address of signature 1" in judged[2].reason
    bad = replace(good, signature="0x00")
    assert codes(judge(answer_to(CHALLENGE, bad, good))) == ["signature-form", "duplicate"]


@pytest.mark.fault("G4")
def test_one_signature_does_not_stand_for_two_wallets() -> None:
    mine = signed(CHALLENGE, KEYS[0])
    judged = judge(answer_to(CHALLENGE, mine, replace(mine, address=ADDRESSES[1])))
    assert codes(judged) == ["accepted", "other-key"]


@pytest.mark.fault("G6")
def test_a_swapped_key_is_refused() -> None:
    swapped = [signed(CHALLENGE, KEYS[1], EIP712, ADDRESSES[0]), signed(CHALLENGE, KEYS[0], EIP712, ADDRESSES[1])]
    judged = judge(answer_to(CHALLENGE, *swapped))
    assert codes(judged) == ["other-key", "other-key"]
    assert ADDRESSES[1] in judged[0].reason
    straight = [signed(CHALLENGE, KEYS[0], EIP712), signed(CHALLENGE, KEYS[1], EIP712)]
    assert codes(judge(answer_to(CHALLENGE, *straight))) == ["accepted", "accepted"]


def test_the_scheme_is_not_found_out_by_trying() -> None:
    text, data = signed(CHALLENGE, KEYS[0], EIP191), signed(CHALLENGE, KEYS[0], EIP712)
    assert codes(judge(answer_to(CHALLENGE, replace(text, scheme=EIP712)))) == ["other-key"]
    assert codes(judge(answer_to(CHALLENGE, replace(data, scheme=EIP191)))) == ["other-key"]
    assert codes(judge(answer_to(CHALLENGE, replace(data, scheme=EIP1271)))) == ["no-contract"]


def test_a_mirrored_or_compact_signature_is_refused() -> None:
    good = signed(CHALLENGE, KEYS[0])
    raw = bytes.fromhex(good.signature[2:])
    high_s = (CURVE_ORDER - int.from_bytes(raw[32:64], "big")).to_bytes(32, "big")
    for other in (raw[:32] + high_s + bytes([55 - raw[64]]), raw[:64], raw[:64] + bytes([raw[64] - 27])):
        judged = judge(answer_to(CHALLENGE, replace(good, signature="0x" + other.hex())))
        assert codes(judged) == ["signature-form"]


def test_an_address_that_was_not_asked_is_refused() -> None:
    judged = judge(answer_to(CHALLENGE, signed(CHALLENGE, KEYS[4]), signed(CHALLENGE, KEYS[0])))
    assert codes(judged) == ["not-asked", "accepted"]


@pytest.mark.fault("G5")
@pytest.mark.parametrize("scheme", [EIP191, EIP712])
def test_no_key_signs_for_a_contract(scheme: SignatureScheme) -> None:
    """Not even one whose address fits, as a code deployed over a used key address would."""
    witness = FakeWitness(special={ADDRESSES[0]: AccountKind.CONTRACT})
    judged = judge(
        answer_to(CHALLENGE, signed(CHALLENGE, KEYS[0], scheme), signed(CHALLENGE, KEYS[1])), witness=witness
    )
    assert codes(judged) == ["contract-wallet", "accepted"]
    assert judged[0].account_kind == "contract"
    assert witness.asked == []


@pytest.mark.fault("G5")
@pytest.mark.parametrize(("verdict", "code"), [(True, "accepted"), (False, "contract-refused")])
def test_a_contract_wallet_is_asked(verdict: bool, code: str) -> None:
    witness = FakeWitness(special={ASKED[2]: AccountKind.CONTRACT}, verdict=verdict)
    given = GivenSignature(ASKED[2], EIP1271, "0x" + "ab" * 130)
    assert codes(judge(answer_to(CHALLENGE, given), witness=witness)) == [code]
    (question,) = witness.asked
    assert question.address == ASKED[2]
    assert question.digest == typed_data_digest(typed_data(CHALLENGE, ASKED[2]))
    assert question.signature == b"\xab" * 130


def test_the_key_of_a_delegated_account_signs_and_its_delegate_does_not() -> None:
    witness = FakeWitness(special={ADDRESSES[0]: AccountKind.DELEGATED})
    given = signed(CHALLENGE, KEYS[0])
    (judged,) = judge(answer_to(CHALLENGE, given), witness=witness)
    assert (judged.outcome, judged.account_kind) == (ProofOutcome.ACCEPTED, "delegated")
    assert codes(judge(answer_to(CHALLENGE, replace(given, scheme=EIP1271)), witness=witness)) == ["no-contract"]


@pytest.mark.fault("G12")
def test_what_the_chain_did_not_say_is_unverified() -> None:
    down = NodeUnavailable("no answer in time", node_id="node-a")
    keys = answer_to(CHALLENGE, signed(CHALLENGE, KEYS[0]), signed(CHALLENGE, KEYS[1]))
    for witness, outcomes in [
        (FakeWitness(canonical=down), ["unverified", "unverified"]),
        (FakeWitness(special={ADDRESSES[0]: down}), ["unverified", "accepted"]),
    ]:
        judged = judge(keys, witness=witness)
        assert [each.outcome.value for each in judged] == outcomes
        assert judged[0].code == "node-unavailable"
    contract = GivenSignature(ASKED[2], EIP1271, "0x")
    silent = FakeWitness(special={ASKED[2]: AccountKind.CONTRACT}, verdict=down)
    (judged_contract,) = judge(answer_to(CHALLENGE, contract), witness=silent)
    assert (judged_contract.outcome, judged_contract.account_kind) == (ProofOutcome.UNVERIFIED, "contract")
