"""Wallets and tokens that are mapped later: their approvals alone are looked for, in the blocks before, bounded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from chains.devnet.deploy import deployed
from chains.devnet.lying_proxy import LyingProxy
from chains.evm.abi import hex_text
from chains.evm.keccak import keccak256
from chains.types import AssetId
from tests.verifier.issuer import Issuer, refused
from tests.verifier.sweep.desk import Desk, kinds
from tests.verifier.sweep.test_encumbered_sweeps import ENCUMBRANCE, Lying, approve, books, next_block, only
from tests.verifier.sweep.test_encumbrances import act
from tests.verifier.sweep.world import OMNIBUS, SECOND, STRANGER, THIRD, AnvilWorld
from verifier.records import FindingKind
from verifier.sweep_encumbrances import EncumbranceOptions

pytestmark = pytest.mark.devnet
__all__ = ["books"]

GAP = FindingKind.COVERAGE_GAP
APPROVAL = hex_text(keccak256(b"Approval(address,address,uint256)"))
Asked = tuple[int, int, frozenset[str]]
"""First block, last block, and the last four digits of the owners asked about."""


@dataclass
class Questions:
    """The approvals that a node was asked for."""

    asked: list[Asked] = field(default_factory=list)

    def note(self, method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if method == "eth_getLogs" and params[0]["topics"][0] == [APPROVAL]:
            owners = frozenset(word[-4:] for word in params[0]["topics"][1])
            self.asked.append((int(params[0]["fromBlock"], 16), int(params[0]["toBlock"], 16), owners))
        return answer

    def take(self) -> list[Asked]:
        taken, self.asked = self.asked, []
        return taken


def short(*addresses: str) -> frozenset[str]:
    return frozenset(address[-4:].lower() for address in addresses)


@pytest.fixture
def questions(books: Desk, lying_node: Callable[..., LyingProxy]) -> Questions:
    questions = Questions()
    books.use_nodes(lying_node(questions.note).url)
    return questions


def reached(desk: Desk) -> int:
    return desk.store.approval_coverages(desk.chain_id)[0].last.height


def test_only_the_new_wallet_is_looked_for_in_the_blocks_before(
    books: Desk, world: AnvilWorld, questions: Questions
) -> None:
    approve(world, THIRD, STRANGER, 9)
    next_block(books, world)
    before = reached(books)
    questions.take()
    books.take(wallets=[{"address": THIRD}])
    outcome = next_block(books, world)
    assert kinds(outcome) == {ENCUMBRANCE: 1}
    assert questions.take() == [
        (before + 1, reached(books), short(OMNIBUS, SECOND, THIRD)),
        (0, before, short(THIRD)),
    ]
    next_block(books, world)
    assert [(first, last) for first, last, _ in questions.take()] == [(reached(books), reached(books))]


def test_only_the_new_token_is_looked_for_in_the_blocks_before(
    books: Desk, world: AnvilWorld, questions: Questions
) -> None:
    late = deployed(world.node, "Erc20", ["Late", "LATE", 6])
    act(world, SECOND, late.address, "approve(address,uint256)", STRANGER, 9)
    approve(world, OMNIBUS, STRANGER, 0)
    next_block(books, world)
    before = reached(books)
    questions.take()
    asset_id = AssetId(f"{books.chain_id}/erc20:{late.address}")
    books.take(assets=[{"asset_id": asset_id, "symbol": "LATE"}])
    outcome = next_block(books, world)
    assert kinds(outcome) == {ENCUMBRANCE: 1}
    (case,) = outcome.cases
    assert case.finding.asset is not None
    assert case.finding.asset.symbol == "LATE"
    assert questions.take()[1:] == [(0, before, short(OMNIBUS, SECOND))]


def test_late_blocks_are_bounded_and_the_gap_is_named(
    books: Desk, world: AnvilWorld, questions: Questions, tmp_path: Path
) -> None:
    world.mine(10)
    approve(world, THIRD, STRANGER, 9)
    next_block(books, world)
    before = reached(books)
    books.take(wallets=[{"address": THIRD}])
    books.encumbrances = EncumbranceOptions(approval_blocks_per_sweep_max=5)
    outcome = next_block(books, world)
    # One block for everybody, four of the past for the one that joined; its spender is not known yet.
    assert kinds(outcome) == {GAP: 1}
    gap = only(books, GAP).finding
    assert gap.subject == "approvals_late"
    assert f"of 1 wallets in 1 tokens in blocks 4 to {before}" in gap.text
    assert outcome.control is not None
    assert outcome.control.approvals_late == before - 3
    assert f"({before - 3} left for what was mapped later)" in outcome.control.text()
    issuer = Issuer.of(tmp_path, books)
    assert refused(issuer.verify(issuer.issue().path)) == {}, "the gap stands in the bundle with its case"
    sweeps = 0
    while GAP in kinds(outcome):
        outcome, sweeps = next_block(books, world), sweeps + 1
        assert sweeps < 20
    assert kinds(outcome) == {ENCUMBRANCE: 1}
    assert outcome.control is not None
    assert outcome.control.approvals_late == 0
    assert not only(books, GAP).is_seen
    alone = [(first, last) for first, last, owners in questions.take() if owners == short(THIRD)]
    assert alone[0][0] == 0
    assert alone[-1][1] == before
    assert all(later[0] == earlier[1] + 1 for earlier, later in pairwise(alone)), alone


def test_a_token_that_could_not_be_trusted_for_a_while_is_not_looked_for_again(
    books: Desk, world: AnvilWorld, questions: Questions
) -> None:
    good = world.node.rpc("eth_getCode", world.usdx.address, "latest")
    next_block(books, world)
    world.node.set_code(world.usdx.address, "0x")
    assert FindingKind.UNVERIFIED in kinds(next_block(books, world))
    world.node.set_code(world.usdx.address, good)
    questions.take()
    next_block(books, world)
    assert [(first, last) for first, last, _ in questions.take()] == [(reached(books), reached(books))]


def test_late_approvals_after_a_reorganisation_are_looked_for_again(
    books: Desk, world: AnvilWorld, questions: Questions
) -> None:
    approve(world, OMNIBUS, STRANGER, 0)
    next_block(books, world)
    before = reached(books)
    books.take(wallets=[{"address": THIRD}])
    next_block(books, world)
    world.reorg_with_payment(1, OMNIBUS, STRANGER, 1)  # an empty block could come again as it was
    world.mine()
    questions.take()
    books.sweep()
    assert (0, before, short(THIRD)) in questions.take(), "the state that had it rests on a block that is gone"


def test_earlier_blocks_are_looked_through_when_the_configuration_asks_for_them(
    desk: Desk, world: AnvilWorld, lying_node: Lying
) -> None:
    desk.open_books(OMNIBUS)
    approve(world, OMNIBUS, STRANGER, 700)
    start = world.node.block_number() + 1
    desk.encumbrances = EncumbranceOptions(approvals_from_height=start)
    assert kinds(next_block(desk, world)) == {GAP: 1}
    questions = Questions()
    desk.use_nodes(lying_node(questions.note).url)
    desk.encumbrances = replace(desk.encumbrances, approvals_from_height=0)
    assert kinds(next_block(desk, world)) == {ENCUMBRANCE: 1}
    assert (0, start - 1, short(OMNIBUS)) in questions.take()
