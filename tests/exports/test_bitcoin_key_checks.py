"""Checks 19 and 20 for proofs of Bitcoin wallets, where the records lie in ways that no signature shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chains.bitcoin.ledger_views import Coin
from chains.bitcoin.networks import REGTEST
from chains.bitcoin.transaction import id_text, outpoint_parts
from chains.errors import NodeUnavailable
from chains.key_schemes import SignatureScheme
from chains.reader import Pin
from chains.types import Address, Asset, BlockRef, Transfer, TransferKind, TransferScan
from exports.bitcoin_key_checks import check_on_node, judge_record, rests_on_chain
from exports.control_records import KeyProofRecord, ProvenCoinRecord
from exports.key_challenge import KeyChallenge, signing_text, transfer_amount
from exports.verdict import Outcome
from tests.chains.bitcoin.proof_makers import coin_of, full, lock_of, signed
from verifier.key_proof import make_challenge

pytest.importorskip("pbk", reason="the consensus library is not installed")

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ASKED = BlockRef(REGTEST.chain_id, 100, "ab" * 32, "cd" * 32, NOON)
TIP = BlockRef(REGTEST.chain_id, 107, "ef" * 32, "01" * 32, NOON + timedelta(minutes=70))
NATIVE, TAPROOT = lock_of("p2wpkh"), lock_of("p2tr")
SHOP = Address(lock_of("p2wpkh", "shop").address)
CHALLENGE = make_challenge(
    firm="Example Securities",
    asked_by="Example Audit",
    block=ASKED,
    addresses=[Address(NATIVE.address), Address(TAPROOT.address)],
    nonce=bytes(32),
    issued_at=NOON,
    expires_at=NOON + timedelta(days=1),
    transfer_to=SHOP,
)
COINS = [coin_of(NATIVE), coin_of(TAPROOT, value=7_000)]
TX = "12" * 32


def record(scheme: SignatureScheme, signature: str, coins: Sequence[ProvenCoinRecord] = ()) -> KeyProofRecord:
    return KeyProofRecord(
        CHALLENGE.nonce, CHALLENGE.chain_id, Address(NATIVE.address), scheme, signature, NOON, "p2wpkh", "core-a",
        TIP.height, TIP.block_hash, TIP.parent_hash, TIP.timestamp, tuple(coins),
    )  # fmt: skip


def coin_records() -> list[ProvenCoinRecord]:
    parts = [(outpoint_parts(name), coin) for name, coin, _ in COINS]
    return [ProvenCoinRecord(id_text(txid), n, coin.value, coin.script.hex()) for (txid, n), coin in parts]


def funds(challenge: KeyChallenge = CHALLENGE) -> KeyProofRecord:
    words = signing_text(challenge, Address(NATIVE.address))
    return record(SignatureScheme.BIP322_FUNDS, full(signed(NATIVE, words, COINS), ""), coin_records())


MOVED = Transfer(
    BlockRef(REGTEST.chain_id, 101, "05" * 32, "ab" * 32, NOON + timedelta(minutes=10)), TX, 0,
    Asset(REGTEST.asset_id, "BTC", 8), Address(NATIVE.address), SHOP,
    transfer_amount(CHALLENGE, Address(NATIVE.address)), TransferKind.NATIVE,
)  # fmt: skip
PAID = record(SignatureScheme.TRANSFER, TX)


@dataclass
class Node:
    """The auditor's own node, and a ledger of its own."""

    held: Sequence[Coin] = ()
    moved: Sequence[Transfer] = ()
    blocks: Sequence[BlockRef] = (ASKED, TIP)
    is_down: bool = False

    def block_at(self, height: int) -> BlockRef:
        if self.is_down:
            raise NodeUnavailable("no answer", node_id="own")
        return next(block for block in self.blocks if block.height == height)

    def coins(self, pin: Pin, addresses: Sequence[Address]) -> list[Coin]:
        assert pin.block == ASKED  # as of the challenge, not of the answer
        assert set(addresses) == {NATIVE.address, TAPROOT.address}
        return list(self.held)

    def scan_transfers(self, first: int, last: BlockRef, watched: Sequence[Address], assets: object) -> TransferScan:
        assert (first, last, list(watched)) == (101, TIP, [NATIVE.address])
        return TransferScan((), tuple(self.moved))


HELD = [Coin(name, coin.script, coin.value, 90, False, 11) for name, coin, _ in COINS]


def asked(proof: KeyProofRecord, node: Any) -> Outcome:
    return check_on_node([proof], {CHALLENGE.nonce: CHALLENGE}, node)


def test_proofs_are_judged_with_the_coins_of_the_record() -> None:
    assert not judge_record(funds(), CHALLENGE).problems
    assert rests_on_chain(funds())
    assert rests_on_chain(PAID)
    good = coin_records()
    for coins in (
        [],
        good[:1],
        good[::-1],
        [good[0], replace(good[1], base_units=7_001)],
        [good[0], replace(good[1], output=1)],
        [good[0], replace(good[1], script=good[0].script)],
        [*good, replace(good[0], output=5)],
        [*good, good[0]],
    ):
        assert judge_record(replace(funds(), coins=tuple(coins)), CHALLENGE).problems, coins
    other = replace(CHALLENGE, nonce="11" * 32)
    assert judge_record(funds(), other).problems
    assert judge_record(replace(funds(), address=Address(TAPROOT.address)), CHALLENGE).problems


def test_a_node_knows_whether_the_coins_were_there() -> None:
    assert asked(funds(), Node(HELD)) == Outcome(1, [], [])
    for held in (
        HELD[:1],
        [],
        [HELD[0], replace(HELD[1], value=7_001)],
        [HELD[0], replace(HELD[1], script=HELD[0].script)],
    ):
        (problem,) = asked(funds(), Node(held)).problems
        assert "not unspent there as stated" in problem


def test_a_node_knows_whether_the_transfer_took_place() -> None:
    assert asked(PAID, Node(moved=[MOVED])) == Outcome(1, [], [])
    for moved in (
        [],
        [replace(MOVED, base_units=MOVED.base_units + 1)],
        [replace(MOVED, receiver=Address(TAPROOT.address))],
        [replace(MOVED, tx_id="34" * 32)],
    ):
        assert len(asked(PAID, Node(moved=moved)).problems) == 1
    assert not judge_record(PAID, CHALLENGE).problems
    assert judge_record(replace(PAID, signature="no id"), CHALLENGE).problems
    assert judge_record(replace(PAID, coins=tuple(coin_records())), CHALLENGE).problems


def test_a_node_on_another_branch_contradicts_and_one_that_is_down_is_an_obstacle() -> None:
    for blocks in ((replace(ASKED, block_hash="99" * 32), TIP), (ASKED, replace(TIP, block_hash="99" * 32))):
        (problem,) = asked(funds(), Node(HELD, blocks=blocks)).problems
        assert "another block" in problem
    down = asked(funds(), Node(HELD, is_down=True))
    assert (down.compared, list(down.problems), len(down.obstacles)) == (0, [], 1)

    class Plain:
        """An adapter that does not tell single coins."""

        block_at = Node().block_at

    assert len(asked(funds(), Plain()).obstacles) == 1
