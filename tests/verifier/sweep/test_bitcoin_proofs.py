"""Proof of control of Bitcoin wallets on a regtest chain: asked, answered, swept, in the bundle, and asked again."""

from __future__ import annotations

import builtins
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chains.devnet.bitcoin.keys import Kind, Lock
from chains.devnet.bitcoin.node import RegtestNode
from chains.key_schemes import SignatureScheme
from chains.types import Address
from exports.canonical import canonical_json
from exports.codec import to_object
from exports.key_challenge import KeyChallenge, signing_text, transfer_amount
from exports.keys import load_signer
from exports.report import report_text
from exports.verdict import CheckStatus
from tests.chains.bitcoin.proof_makers import full, signed, simple
from tests.exports.sample import check, forge
from tests.verifier.issuer import Issuer, refused
from tests.verifier.sweep.bitcoin_world import BITCOIN, BitcoinDesk, BitcoinWorld, Pool
from verifier.journal import verify_journal
from verifier.key_proof import ANSWER_FORMAT, VERSION, GivenSignature, KeyAnswer
from verifier.key_proving import AnswerResult, challenge_wallets, first_witness, take_answer

pytestmark = pytest.mark.devnet

KINDS = (Kind.P2WPKH, Kind.P2TR, Kind.P2PKH)
LOCKS = [Lock.of(f"custody/{number}", kind) for number, kind in enumerate(KINDS)]
NATIVE, TAPROOT, OLD = LOCKS


class Prover:
    """Asks the wallets of the pool and answers for them."""

    def __init__(self, pool: Pool) -> None:
        self.desk: BitcoinDesk = pool.desk
        self.world: BitcoinWorld = pool.world
        assert pool.addresses == [lock.address for lock in LOCKS]
        self.nonce = 0

    def ask(self, **changes: Any) -> KeyChallenge:
        self.nonce += 1
        given: dict[str, Any] = {
            "firm": "Test firm",
            "asked_by": "Example Audit",
            "chain_id": self.desk.chain_id,
            "only": (),
            "nonce": bytes([self.nonce]) * 32,
            "valid": timedelta(days=1),
            "open_witness": lambda chain_id: first_witness(self.desk.config, self.desk.now()),
            "actor": "ops.maker",
            "now": self.desk.now(),
        }
        challenge, _ = challenge_wallets(self.desk.store, **(given | changes))
        return challenge

    def answer(self, challenge: KeyChallenge, *given: GivenSignature) -> AnswerResult:
        answer = KeyAnswer(ANSWER_FORMAT, VERSION, challenge.nonce, challenge.digest, given)
        return take_answer(
            self.desk.store,
            canonical_json(to_object(answer)),
            open_witness=lambda chain_id: first_witness(self.desk.config, self.desk.now()),
            actor="ops.maker",
            now=self.desk.now(),
        )

    def funds(self, challenge: KeyChallenge, lock: Lock, *owners: Lock) -> GivenSignature:
        """A proof of funds over all that the owners hold."""
        coins = [
            (bytes.fromhex(each.txid)[::-1] + each.vout.to_bytes(4, "little"), each.coin, each.lock)
            for each in self.world.custody.coins()
            if each.lock.script in {owner.script for owner in owners}
        ]
        return given(lock, SignatureScheme.BIP322_FUNDS, full(signed(lock, words(challenge, lock), coins), ""))


def words(challenge: KeyChallenge, lock: Lock) -> str:
    return signing_text(challenge, Address(lock.address))


def given(lock: Lock, scheme: SignatureScheme, text: str) -> GivenSignature:
    return GivenSignature(Address(lock.address), scheme, text)


def codes(result: AnswerResult) -> list[str]:
    return [each.code or str(each.outcome) for each in result.judged]


@pytest.fixture
def prover(bitcoin_pool: Pool) -> Prover:
    return Prover(bitcoin_pool)


@pytest.fixture
def proven(prover: Prover) -> Prover:
    """Three wallets that answered, each in its own way, and a sweep after that."""
    shop = prover.world.stranger(7)
    challenge = prover.ask(transfer_to=shop)
    paying = [coin for coin in prover.world.custody.coins() if coin.lock.script == TAPROOT.script]
    amount = transfer_amount(challenge, Address(TAPROOT.address))
    funds = prover.funds(challenge, NATIVE, NATIVE, TAPROOT)
    prover.desk.approve("T-1", TAPROOT.address, shop, amount, fee_max="0.00001")
    payment = prover.world.custody.pay(shop, amount, coins=paying, change_to=TAPROOT.address, fee=300)
    waiting = given(TAPROOT, SignatureScheme.TRANSFER, payment.txid)
    assert codes(prover.answer(challenge, waiting)) == ["no-such-transfer"]  # it waits for a block
    prover.world.mine()
    old = given(OLD, SignatureScheme.BIP322_FULL, full(signed(OLD, words(challenge, OLD))))
    result = prover.answer(challenge, funds, waiting, old)
    assert codes(result) == ["accepted"] * 3, [each.reason for each in result.judged]
    assert [len(each.coins) for each in result.judged] == [2, 0, 0]
    assert (result.exit_code, result.addresses_left) == (0, 0)
    prover.desk.allocate("pool:P-1", C_1=3 * BITCOIN - amount - 300)
    outcome = prover.desk.sweep()
    assert outcome.exit_code == 0, [seen.finding.text for seen in outcome.cases]
    return prover


@pytest.fixture
def issuer(proven: Prover, tmp_path: Path) -> Issuer:
    return Issuer.of(tmp_path, proven.desk)


def test_an_auditor_judges_the_proofs_again_and_asks_a_node(issuer: Issuer, proven: Prover) -> None:
    written = issuer.issue()
    report = issuer.verify(written.path, nodes=True)
    assert refused(report) == {}, report_text(report)
    assert check(report, 20).compared == 2
    assert "1 rest on what the firm read on a chain" in check(report, 19).detail
    text = report_text(report)
    assert "Proof of control: 2.99" in text
    assert "an agreed transfer shows that somebody could send" in text
    offline = issuer.verify(written.path)
    assert (check(offline, 19).status, check(offline, 20).status) == (CheckStatus.PASSED, CheckStatus.NOT_REQUESTED)
    assert verify_journal(proven.desk.store).ok


def test_without_the_library_an_auditor_is_told_what_was_not_checked(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = issuer.issue()
    whole = check(issuer.verify(written.path), 19).compared
    really = builtins.__import__

    def missing(name: str, *arguments: Any, **named: Any) -> Any:
        if name.partition(".")[0] == "pbk":
            raise ImportError(name)
        return really(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", missing)
    found = check(issuer.verify(written.path), 19)
    assert found.status is CheckStatus.NOT_POSSIBLE
    assert found.compared == whole - 2  # the transfer needs no scripts
    assert all("custody-verifier[bitcoin]" in problem for problem in found.problems)


Edit = Callable[[dict[str, Any]], None]


def of(scheme: str) -> Callable[[dict[str, Any]], bool]:
    return lambda record: record["scheme"] == scheme


def change(**values: Any) -> Edit:
    return lambda record: record.update(values)


def a_coin(**values: Any) -> Edit:
    return lambda record: record["coins"][0].update(values)


LIES: dict[str, tuple[str, Edit, int]] = {
    "a signature altered": ("bip322-full", lambda r: change(signature=r["signature"][:-8] + "AAAAAAA=")(r), 19),
    "a transaction for another": ("bip322-full", change(scheme="bip322-simple"), 19),
    "a proof called a transfer": ("bip322-full", change(scheme="transfer"), 19),
    "another kind of address": ("bip322-full", change(account_kind="p2wpkh"), 19),
    "an account of another chain": ("bip322-full", change(account_kind="key"), 19),
    "a scheme the challenge does not accept": ("bip322-full", change(scheme="legacy-segwit"), 19),
    "a scheme of another chain": ("bip322-full", change(scheme="eip191"), 19),
    "coins where there are none": (
        "bip322-full",
        change(coins=[{"tx_id": "00" * 32, "output": 0, "base_units": "5", "script": "51"}]),
        19,
    ),
    "coins left out": ("bip322-funds", change(coins=[]), 19),
    "a coin left out": ("bip322-funds", lambda r: r["coins"].pop(), 19),
    "a coin worth more": ("bip322-funds", a_coin(base_units="900000000"), 19),
    "a coin twice": ("bip322-funds", lambda r: r["coins"].append(r["coins"][0]), 19),
    "a coin worth less than nothing": ("bip322-funds", a_coin(base_units="-5"), 19),
    "an output beyond any": ("bip322-funds", a_coin(output=2**33), 19),
    "a coin that was not signed for": (
        "bip322-funds",
        lambda r: r["coins"].append({"tx_id": "07" * 32, "output": 0, "base_units": "5", "script": "51"}),
        19,
    ),
    "a transfer with coins": (
        "transfer",
        change(coins=[{"tx_id": "07" * 32, "output": 0, "base_units": "5", "script": "51"}]),
        19,
    ),
    "another transaction": ("transfer", change(signature="00" * 32), 20),
    "no transaction": ("transfer", change(signature="nothing"), 19),
}


@pytest.mark.fault("G6", "G11")
def test_a_firm_that_lies_is_refused(issuer: Issuer, tmp_path: Path) -> None:
    written = issuer.issue()
    with zipfile.ZipFile(written.path) as file:
        members = {each: file.read(each) for each in file.namelist()}
    signers = [load_signer(f"file2:{issuer.key}")]
    for number, (name, (scheme, edit, wanted)) in enumerate(LIES.items()):
        forged = tmp_path / f"forged-{number}.zip"
        forged.write_bytes(forge(members, "key_proofs", of(scheme), edit, signers))
        assert set(refused(issuer.verify(forged, nodes=wanted == 20))) == {wanted}, name


def test_coins_are_as_of_the_challenges_block(prover: Prover) -> None:
    """Spent before: not held. Spent after: held then, and shown to be under control."""
    before = prover.ask()
    made = prover.funds(before, NATIVE, NATIVE)
    spent = [coin for coin in prover.world.custody.coins() if coin.lock.script == NATIVE.script]
    prover.world.custody.pay(prover.world.stranger(), 5_000, coins=spent, change_to=NATIVE.address, fee=300)
    prover.world.mine()
    after = prover.ask()
    stale = given(
        NATIVE,
        SignatureScheme.BIP322_FUNDS,
        full(
            signed(
                NATIVE,
                words(after, NATIVE),
                [
                    (bytes.fromhex(each.txid)[::-1] + each.vout.to_bytes(4, "little"), each.coin, each.lock)
                    for each in spent
                ],
            ),
            "",
        ),
    )
    assert codes(prover.answer(after, stale)) == ["coin-not-held"]
    assert codes(prover.answer(after, prover.funds(after, NATIVE, NATIVE))) == ["accepted"]
    assert codes(prover.answer(before, made)) == ["accepted"]


def test_a_challenge_whose_block_left_the_chain_is_gone(prover: Prover) -> None:
    challenge = prover.ask()
    made = given(TAPROOT, SignatureScheme.BIP322_SIMPLE, simple(signed(TAPROOT, words(challenge, TAPROOT))))
    prover.world.node.reorg(1, 2)
    assert codes(prover.answer(challenge, made)) == ["block-gone"]
    again = prover.ask()
    made = given(TAPROOT, SignatureScheme.BIP322_SIMPLE, simple(signed(TAPROOT, words(again, TAPROOT))))
    assert codes(prover.answer(again, made)) == ["accepted"]


def test_a_quorum_of_nodes_is_asked(prover: Prover, bitcoin_nodes: Callable[..., RegtestNode]) -> None:
    second = bitcoin_nodes(history=0)
    prover.world.node.copy_blocks_to(second)
    prover.desk.use_nodes(prover.world.node.url, second.url)
    prover.desk.config = replace(prover.desk.config, quorum=2)
    challenge = prover.ask(transfer_to=prover.world.stranger(7))
    result = prover.answer(challenge, prover.funds(challenge, NATIVE, NATIVE))
    assert codes(result) == ["accepted"]
    assert result.judged[0].node_id == "node-1+node-2"
    amount = transfer_amount(challenge, Address(TAPROOT.address))
    coins = [coin for coin in prover.world.custody.coins() if coin.lock.script == TAPROOT.script]
    payment = prover.world.custody.pay(
        prover.world.stranger(7), amount, coins=coins, change_to=TAPROOT.address, fee=300
    )
    moved = given(TAPROOT, SignatureScheme.TRANSFER, payment.txid)
    prover.world.mine()
    assert codes(prover.answer(challenge, moved)) == ["no-such-transfer"]  # one of the two does not have it yet
    prover.world.node.copy_blocks_to(second)
    assert codes(prover.answer(challenge, moved)) == ["accepted"]


def test_stored_coins_are_read_back(proven: Prover) -> None:
    answers: Sequence[Any] = proven.desk.store.key_answers(chain_id=proven.desk.chain_id)
    (funds,) = [each.judged for each in answers if each.judged.given.scheme is SignatureScheme.BIP322_FUNDS]
    assert sum(coin.value for coin in funds.coins) == 3 * BITCOIN
    assert {coin.script for coin in funds.coins} == {NATIVE.script, TAPROOT.script}
