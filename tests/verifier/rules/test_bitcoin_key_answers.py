"""What answers of Bitcoin wallets are worth; the chain is a fake here, the proofs and scripts are real."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chains.bitcoin.networks import MAIN, REGTEST
from chains.bitcoin.transaction import Output
from chains.devnet.bitcoin.keys import Lock
from chains.errors import InvalidValue, NodeUnavailable, ReadError
from chains.key_schemes import BITCOIN_SCHEMES, SignatureScheme
from chains.types import Address, Asset, BlockRef, ChainId, Transfer, TransferKind
from exports.key_challenge import TRANSFER_MIN, TRANSFER_SPAN, transfer_amount
from tests.chains.bitcoin.proof_makers import (
    coin_of,
    full,
    legacy,
    lock_of,
    proof_file,
    psbt,
    reserves,
    signed,
    simple,
)
from verifier.errors import InputError
from verifier.key_proof import (
    ANSWER_FORMAT,
    VERSION,
    GivenSignature,
    KeyAnswer,
    KeyChallenge,
    ProofOutcome,
    make_challenge,
    parse_answer,
    request_document,
    signing_text,
)
from verifier.rules.key_answers import JudgedSignature, judge_answer

pytest.importorskip("pbk", reason="the consensus library is not installed")

CHAIN = REGTEST.chain_id
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SOON = NOON + timedelta(minutes=30)
BLOCK = BlockRef(CHAIN, 100, "ab" * 32, "cd" * 32, NOON)
TIP = BlockRef(CHAIN, 107, "ef" * 32, "01" * 32, SOON)
NATIVE, TAPROOT, OLD, MULTI = (lock_of(kind) for kind in ("p2wpkh", "p2tr", "p2pkh", "p2wsh-multisig"))
LOCKS = (NATIVE, TAPROOT, OLD, MULTI)
ADDRESSES = [Address(lock.address) for lock in LOCKS]
SHOP = Address(lock_of("p2wpkh", "shop").address)
COIN = Asset(REGTEST.asset_id, "BTC", 8)
SIMPLE, FULL, FUNDS, BIP127, LEGACY, LEGACY_SEGWIT, MULTISIG, TRANSFER = BITCOIN_SCHEMES


def challenge_of(nonce: int = 7, **changes: Any) -> KeyChallenge:
    given: dict[str, Any] = {
        "firm": "Example Securities",
        "asked_by": "Example Audit",
        "block": BLOCK,
        "addresses": ADDRESSES,
        "nonce": bytes([nonce]) * 32,
        "issued_at": NOON,
        "expires_at": NOON + timedelta(hours=1),
    }
    return make_challenge(**(given | changes))


PLAIN = challenge_of()
OPEN = challenge_of(accept=[LEGACY_SEGWIT], transfer_to=SHOP)


@dataclass
class Ledger:
    """A witness with these coins and movements."""

    block: BlockRef = TIP
    node_id: str = "core-a"
    canonical: bool | ReadError = True
    held: Mapping[bytes, Output] | ReadError = field(default_factory=dict)
    moved: Sequence[Transfer] | ReadError = ()
    asked: list[object] = field(default_factory=list)

    def has_block(self, height: int, block_hash: str) -> bool | ReadError:
        assert (height, block_hash) == (BLOCK.height, BLOCK.block_hash)
        return self.canonical

    def coins(self, height: int, block_hash: str, addresses: Sequence[Address]) -> Mapping[bytes, Output] | ReadError:
        assert (height, block_hash) == (BLOCK.height, BLOCK.block_hash)
        self.asked.append(tuple(addresses))
        return self.held

    def transfers(self, above: int, addresses: Sequence[Address]) -> Sequence[Transfer] | ReadError:
        assert above == BLOCK.height
        self.asked.append(tuple(addresses))
        return self.moved


def words(lock: Lock, challenge: KeyChallenge = PLAIN) -> str:
    return signing_text(challenge, Address(lock.address))


def by(lock: Lock, scheme: SignatureScheme, signature: str) -> GivenSignature:
    return GivenSignature(Address(lock.address), scheme, signature)


def judge(
    *given: GivenSignature, challenge: KeyChallenge = PLAIN, witness: Ledger | None = None, **changes: Any
) -> list[JudgedSignature]:
    answer = KeyAnswer(ANSWER_FORMAT, VERSION, challenge.nonce, challenge.digest, given)
    answer = replace(answer, **changes.pop("answer", {}))
    return judge_answer(
        challenge, ADDRESSES, changes.get("answered", ()), answer, witness or Ledger(), changes.get("moment", SOON)
    )


def codes(judged: Sequence[JudgedSignature]) -> list[str]:
    return [each.code or str(each.outcome) for each in judged]


# What is asked --------------------------------------------------------------------------------------------------------


def test_each_wallet_is_told_its_words_and_how_it_may_answer() -> None:
    document: Any = json.loads(json.dumps(request_document(OPEN, ADDRESSES)))
    wallets = {each["address"]: each for each in document["wallets"]}
    assert list(wallets) == sorted(ADDRESSES)
    kinds = {lock.address: wallets[lock.address]["kind"] for lock in LOCKS}
    assert list(kinds.values()) == ["p2wpkh", "p2tr", "p2pkh", "p2wsh"]
    assert wallets[NATIVE.address]["schemes"] == [
        "bip322-simple", "bip322-full", "bip322-funds", "bip127", "legacy-segwit", "transfer",
    ]  # fmt: skip
    assert wallets[OLD.address]["schemes"] == ["bip322-full", "bip322-funds", "bip127", "legacy", "transfer"]
    assert "multisig-keys" in wallets[MULTI.address]["schemes"]
    text = wallets[NATIVE.address]["words"]
    for part in (
        "Firm: Example Securities",
        "Asked by: Example Audit",
        f"Wallet: {CHAIN}:{NATIVE.address}",
        f"Block: 100 {BLOCK.block_hash}",
        f"Addresses: 4, SHA-256 {OPEN.addresses_sha256}",
        "Answer before: 2026-03-02T13:00:00.000000Z",
        f"Nonce: {OPEN.nonce}",
        f"Challenge SHA-256: {OPEN.digest}",
    ):
        assert part in text.split("\n")
    assert text != wallets[TAPROOT.address]["words"]
    plain: Any = request_document(PLAIN, ADDRESSES)
    assert not [each for each in plain["wallets"] if "transfer" in each or "transfer" in each["schemes"]]
    assert wallets[OLD.address]["transfer"] == {
        "to": SHOP,
        "base_units": str(transfer_amount(OPEN, Address(OLD.address))),
        "asset_id": REGTEST.asset_id,
        "above_height": 100,
        "before": "2026-03-02T13:00:00.000000Z",
    }


def test_amounts_of_agreed_transfers_follow_from_challenge_and_wallet() -> None:
    amounts = {transfer_amount(OPEN, address) for address in ADDRESSES}
    amounts |= {transfer_amount(challenge_of(nonce, transfer_to=SHOP), ADDRESSES[0]) for nonce in range(50)}
    assert len(amounts) > 45
    assert all(TRANSFER_MIN <= amount < TRANSFER_MIN + TRANSFER_SPAN for amount in amounts)


def test_a_challenge_accepts_what_it_names_and_no_more() -> None:
    assert not {LEGACY_SEGWIT, TRANSFER} & set(PLAIN.schemes)
    assert OPEN.schemes == BITCOIN_SCHEMES
    for changes in (
        {"accept": [SignatureScheme.EIP191]},
        {"accept": [TRANSFER]},
        {"transfer_to": Address("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq")},
        {"transfer_to": Address(SHOP.upper())},
        {"block": replace(BLOCK, chain_id=ChainId("bip122:12a765e31ffd4059bada1e25190f6e98"))},
    ):
        with pytest.raises(InvalidValue):
            challenge_of(**changes)


def test_addresses_of_an_answer_have_one_spelling() -> None:
    def answer(address: str, scheme: str = "bip322-simple") -> bytes:
        one = {"address": address, "scheme": scheme, "signature": "smpAA=="}
        fields = {"format": ANSWER_FORMAT, "version": 1, "nonce": PLAIN.nonce, "challenge_sha256": PLAIN.digest}
        return json.dumps(fields | {"signatures": [one]}).encode()

    assert parse_answer(answer(NATIVE.address)).signatures[0].scheme is SIMPLE
    for address, scheme in (
        (NATIVE.address.upper(), "bip322-simple"),
        (NATIVE.address[:-1], "bip322-simple"),
        (NATIVE.address, "eip191"),
        (NATIVE.address, "bip322"),
        ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "bip322-simple"),
    ):
        with pytest.raises(InputError):
            parse_answer(answer(address, scheme))


# What is accepted -----------------------------------------------------------------------------------------------------


def test_every_scheme_shows_control() -> None:
    coins = [coin_of(NATIVE), coin_of(TAPROOT, value=7_000)]
    held = {name: Output(coin.value, coin.script) for name, coin, _ in coins}
    witness = Ledger(held=held)
    made = signed(NATIVE, words(NATIVE), coins)
    file = proof_file(reserves(coins, words(TAPROOT))[0], words=words(TAPROOT), block_hash=bytes.fromhex("ab" * 32))
    keys = " ".join([MULTI.multisig_script.hex(), *(legacy(key, 31, words(MULTI)) for key in MULTI.keys[:2])])
    judged = judge(
        by(NATIVE, FUNDS, full(made, "")),
        by(TAPROOT, BIP127, file),
        by(OLD, LEGACY, legacy(OLD.keys[0], 31, words(OLD))),
        by(MULTI, MULTISIG, keys),
        witness=witness,
    )
    assert codes(judged) == ["accepted"] * 4, [each.reason for each in judged]
    assert [each.account_kind for each in judged] == ["p2wpkh", "p2tr", "p2pkh", "p2wsh"]
    assert {each.block for each in judged} == {TIP}
    assert [sum(coin.value for coin in each.coins) for each in judged] == [12_000, 12_000, 0, 0]
    assert witness.asked == [tuple(sorted(ADDRESSES))]  # once for all
    again = judge(
        by(NATIVE, SIMPLE, simple(signed(NATIVE, words(NATIVE)))),
        by(OLD, FULL, full(signed(OLD, words(OLD)))),
        by(MULTI, SIMPLE, simple(signed(MULTI, words(MULTI)))),
        by(TAPROOT, FULL, full(signed(TAPROOT, words(TAPROOT)))),
    )
    assert codes(again) == ["accepted"] * 4


# What is refused ------------------------------------------------------------------------------------------------------


def good(lock: Lock = NATIVE, challenge: KeyChallenge = PLAIN) -> GivenSignature:
    return by(lock, FULL, full(signed(lock, words(lock, challenge))))


@pytest.mark.fault("G11")
def test_a_proof_of_another_challenge_is_refused() -> None:
    other = challenge_of(8)
    assert codes(judge(good(challenge=other))) == ["other-words"]
    assert codes(judge(good(), answer={"nonce": other.nonce})) == ["challenge-mismatch"]
    assert codes(judge(good(), moment=PLAIN.expires_at)) == ["expired"]
    assert codes(judge(good(), moment=NOON - timedelta(seconds=1))) == ["too-early"]
    assert codes(judge(good(), witness=Ledger(canonical=False))) == ["block-gone"]
    assert codes(judge(good(), answered=(Address(NATIVE.address),))) == ["already-answered"]
    assert codes(judge(good(), good())) == ["accepted", "duplicate"]
    assert codes(judge(by(lock_of("p2wpkh", "other"), FULL, good().signature))) == ["not-asked"]
    stolen = by(TAPROOT, FULL, good().signature)
    assert codes(judge(stolen, good())) == ["other-words", "accepted"]


def test_a_scheme_that_was_not_asked_for_is_refused() -> None:
    custom = by(NATIVE, LEGACY_SEGWIT, legacy(NATIVE.keys[0], 39, words(NATIVE)))
    assert codes(judge(custom)) == ["scheme-not-accepted"]
    custom = by(NATIVE, LEGACY_SEGWIT, legacy(NATIVE.keys[0], 39, words(NATIVE, OPEN)))
    assert codes(judge(custom, challenge=OPEN)) == ["accepted"]
    assert codes(judge(by(NATIVE, TRANSFER, "00" * 32))) == ["scheme-not-accepted"]


def test_no_other_scheme_than_the_named_is_tried() -> None:
    made = signed(NATIVE, words(NATIVE))
    assert codes(judge(by(NATIVE, SIMPLE, simple(made, "")))) == ["accepted"]
    assert codes(judge(by(NATIVE, FULL, full(made, "")))) == ["accepted"]
    for scheme, text in ((FULL, simple(made, "")), (SIMPLE, full(made, "")), (FUNDS, full(made, "")), (LEGACY, "AA==")):
        (judged,) = judge(by(NATIVE, scheme, text))
        assert judged.outcome is ProofOutcome.REFUSED


def test_what_cannot_be_judged_today_is_not_accepted() -> None:
    future = by(NATIVE, FULL, full(signed(NATIVE, words(NATIVE), version=3)))
    later = by(OLD, FULL, full(signed(OLD, words(OLD), lock_time=BLOCK.height + 1)))
    judged = judge(future, later)
    assert codes(judged) == ["inconclusive", "time-locked"]
    assert {each.outcome for each in judged} == {ProofOutcome.REFUSED}


def test_coins_must_be_unspent_in_our_ledger() -> None:
    coin = coin_of(TAPROOT)
    made = signed(NATIVE, words(NATIVE), [coin])
    held = {coin[0]: Output(coin[1].value, coin[1].script)}
    given = by(NATIVE, FUNDS, psbt(made, [None, None]))
    assert codes(judge(given, witness=Ledger(held=held))) == ["signature-form"]
    given = by(NATIVE, FUNDS, full(made, ""))
    assert codes(judge(given, witness=Ledger(held=held))) == ["accepted"]
    assert codes(judge(given)) == ["coin-not-held"]
    (judged,) = judge(given, witness=Ledger(held=NodeUnavailable("no answer")))
    assert (judged.outcome, judged.code) == (ProofOutcome.UNVERIFIED, "node-unavailable")
    # What needs no coins does not fail with them.
    both = judge(given, good(OLD), witness=Ledger(held=NodeUnavailable("no answer")))
    assert codes(both) == ["node-unavailable", "accepted"]
    (judged,) = judge(given, witness=Ledger(canonical=NodeUnavailable("no answer")))
    assert judged.outcome is ProofOutcome.UNVERIFIED


# Agreed transfers -----------------------------------------------------------------------------------------------------

TX = "12" * 32


def moved(height: int = 101, **changes: Any) -> Transfer:
    at = BlockRef(CHAIN, height, f"{height:064x}", f"{height - 1:064x}", NOON + timedelta(minutes=height - 100))
    amount = transfer_amount(OPEN, Address(NATIVE.address))
    made = Transfer(at, TX, 0, COIN, Address(NATIVE.address), SHOP, amount, TransferKind.NATIVE)
    return replace(made, **changes)


AMOUNT = moved().base_units


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ([moved()], "accepted"),
        ([moved(base_units=AMOUNT - 500), moved(base_units=500, index=1)], "accepted"),
        ([moved(), moved(receiver=ADDRESSES[1], base_units=9)], "accepted"),  # a batch pays others too
        ([moved(107)], "accepted"),
        ([moved(base_units=AMOUNT - 1)], "wrong-amount"),
        ([moved(base_units=AMOUNT + 1)], "wrong-amount"),
        ([moved(), moved(index=1)], "wrong-amount"),
        ([moved(), moved(kind=TransferKind.FEE, receiver=None)], "accepted"),
        ([moved(sender=ADDRESSES[1])], "no-such-transfer"),
        ([moved(receiver=ADDRESSES[1])], "no-such-transfer"),
        ([moved(tx_id="34" * 32)], "no-such-transfer"),
        ([moved(100)], "no-such-transfer"),  # before anybody knew the challenge
        ([moved(160)], "no-such-transfer"),  # after it expired
        ([], "no-such-transfer"),
        (NodeUnavailable("no answer"), "node-unavailable"),
    ],
)
def test_the_agreed_transfer_fits_exactly(found: list[Transfer] | ReadError, code: str) -> None:
    given = by(NATIVE, TRANSFER, TX)
    (judged,) = judge(given, challenge=OPEN, witness=Ledger(moved=found))
    assert (judged.code or str(judged.outcome)) == code
    assert judged.outcome is not ProofOutcome.UNVERIFIED or code == "node-unavailable"


@pytest.mark.parametrize("text", ["", TX[:-2], TX.replace("1", "A"), f"0x{TX}", f"{TX}:0"])
def test_a_transfer_is_named_by_its_id(text: str) -> None:
    assert codes(judge(by(NATIVE, TRANSFER, text), challenge=OPEN, witness=Ledger(moved=[moved()]))) == [
        "signature-form"
    ]


def test_the_network_is_the_challenges() -> None:
    main = Address("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq")
    block = replace(BLOCK, chain_id=MAIN.chain_id)
    asked = challenge_of(block=block, addresses=[main])
    document: Any = request_document(asked, [main])
    assert f"Wallet: {MAIN.chain_id}:{main}" in document["wallets"][0]["words"]
