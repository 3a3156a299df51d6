"""Who else could move it, through several operators: what one hides or makes up is shown and decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chains.devnet import lies
from chains.devnet.lying_proxy import LyingProxy
from tests.verifier.sweep.desk import Desk, kinds
from tests.verifier.sweep.test_encumbered_sweeps import approve
from tests.verifier.sweep.world import OMNIBUS, SECOND, STRANGER, AnvilWorld
from verifier.records import FindingKind

pytestmark = pytest.mark.devnet

Lying = Callable[..., LyingProxy]
ENCUMBRANCE, DISAGREEMENT, UNVERIFIED = (
    FindingKind.ENCUMBRANCE,
    FindingKind.NODE_DISAGREEMENT,
    FindingKind.UNVERIFIED,
)
ALLOWANCE = "0xdd62ed3e"


def hides_allowances(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Every allowance is zero."""
    if method == "eth_call" and str(params[0].get("data", "")).startswith(ALLOWANCE):
        return {**answer, "result": "0x" + "00" * 32}
    return answer


def hides_approvals(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
    """No approval event is shown; transfers are."""
    if method == "eth_getLogs" and "result" in answer:
        approval = "0x8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925"
        return {**answer, "result": [log for log in answer["result"] if log["topics"][0] != approval]}
    return answer


@pytest.fixture
def books(desk: Desk, world: AnvilWorld) -> Desk:
    """Two wallets; a stranger may take 700 of the 1,000 in one of them."""
    desk.open_books(OMNIBUS, SECOND)
    world.mint(OMNIBUS, 1_000)
    desk.allocate(OMNIBUS, C_1=1_000)
    approve(world, OMNIBUS, STRANGER, 700)
    return desk


def through(desk: Desk, *urls: str, quorum: int = 2) -> Desk:
    desk.use_nodes(*urls)
    desk.config = replace(desk.config, quorum=quorum)
    return desk


def test_operators_that_agree(books: Desk, world: AnvilWorld) -> None:
    outcome = through(books, world.node.url, world.node.url).sweep()
    assert kinds(outcome) == {ENCUMBRANCE: 1}
    assert outcome.control is not None
    assert (outcome.control.wallets, outcome.control.grants) == (2, 1)


@pytest.mark.fault("A27")
@pytest.mark.parametrize("lie", [hides_allowances, hides_approvals])
def test_one_of_three_hides_who_may_take_it(
    books: Desk, world: AnvilWorld, lying_node: Lying, lie: Callable[..., Any]
) -> None:
    liar = lying_node(lie).url
    outcome = through(books, liar, world.node.url, world.node.url).sweep()
    assert kinds(outcome) == {ENCUMBRANCE: 1, DISAGREEMENT: 1}
    (dissent,) = books.open_cases(DISAGREEMENT)
    assert "node-1 of operator-1 says" in dissent.finding.text
    assert dissent.finding.text.endswith("A quorum of operators agrees against node-1.")
    (grant,) = books.open_cases(ENCUMBRANCE)
    assert grant.finding.base_units == 700


@pytest.mark.fault("A27", "G12")
def test_without_a_quorum_it_is_unverified_and_never_none(books: Desk, world: AnvilWorld, lying_node: Lying) -> None:
    liar = lying_node(hides_allowances).url
    outcome = through(books, liar, world.node.url).sweep()
    assert kinds(outcome) == {UNVERIFIED: 1, DISAGREEMENT: 1}
    (case,) = books.open_cases(UNVERIFIED)
    assert "operators disagree" in case.finding.text


def test_a_node_that_makes_up_a_frozen_wallet_and_another_kind_of_account(
    books: Desk, world: AnvilWorld, lying_node: Lying
) -> None:
    def lie(method: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
        if method == "eth_getTransactionCount":
            return {**answer, "result": "0x77"}
        if method == "eth_getCode" and params[0] == SECOND.lower():
            return {**answer, "result": "0xef0100" + "11" * 20}
        return answer

    outcome = through(books, lying_node(lie).url, world.node.url, world.node.url).sweep()
    found = kinds(outcome)
    assert set(found) == {ENCUMBRANCE, DISAGREEMENT}
    reading = books.store.encumbrances(books.store.sweep(outcome.summary.sweep_id))  # type: ignore[union-attr,arg-type]
    assert reading is not None
    assert reading.reading is not None
    second = next(state for state in reading.reading.controls if state.address == SECOND)
    assert (second.nonce, [str(text) for text in second.facts.values()]) == (0, ["key", "none"])


@pytest.mark.fault("G12")
def test_a_node_that_cannot_answer_abstains(books: Desk, world: AnvilWorld, lying_node: Lying) -> None:
    silent = lying_node(lies.fail("eth_getStorageAt", -32000, "missing trie node")).url
    world.node.set_code(SECOND, "0x60006000fd")
    both = through(books, silent, world.node.url, world.node.url).sweep()
    assert kinds(both) == {ENCUMBRANCE: 1, UNVERIFIED: 1}, "an account of an unknown kind; all of it was read"
    world.mine()
    alone = through(books, silent, world.node.url).sweep()
    (case,) = [seen for seen in alone.cases if seen.finding.subject == "control"]
    assert "could not be read" in case.finding.text
