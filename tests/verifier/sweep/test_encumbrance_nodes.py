"""One node without a quorum that cannot say who else could move it: the chain's next node is asked in that sweep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chains.devnet import lies
from chains.reader import NodeConfig
from tests.verifier.issuer import Issuer, refused
from tests.verifier.sweep.desk import Desk, kinds
from tests.verifier.sweep.test_encumbered_sweeps import ENCUMBRANCE, UNVERIFIED, Lying, approve, books
from tests.verifier.sweep.test_late_approvals import APPROVAL
from tests.verifier.sweep.world import OMNIBUS, STRANGER, AnvilWorld
from verifier.store.encumbrance_store import SweepEncumbrances
from verifier.sweep import SweepOutcome

pytestmark = pytest.mark.devnet
__all__ = ["books"]

Answer = dict[str, Any]


def no_approvals(method: str, params: list[Any], answer: Answer) -> Any:
    """A node that refuses to look for approvals, and answers all else."""
    wanted = method == "eth_getLogs" and f"'topics': [['{APPROVAL}']" in str(params)
    return lies.fail("eth_getLogs", -32000, "history is pruned")(method, params, answer) if wanted else answer


def told(desk: Desk, outcome: SweepOutcome) -> SweepEncumbrances:
    assert outcome.summary is not None
    assert outcome.summary.matched == outcome.summary.expected, "the balances stand"
    start = desk.store.sweep(outcome.summary.sweep_id)
    assert start is not None
    seen = desk.store.encumbrances(start)
    assert seen is not None
    return seen


def balances_from(desk: Desk, outcome: SweepOutcome) -> set[str]:
    assert outcome.summary is not None
    start = desk.store.sweep(outcome.summary.sweep_id)
    assert start is not None
    return {seen.node_id for seen in desk.store.observations(start)}


def test_the_next_node_answers_and_the_balances_stand(
    books: Desk, world: AnvilWorld, lying_node: Lying, tmp_path: Path
) -> None:
    approve(world, OMNIBUS, STRANGER, 700)
    books.use_nodes(lying_node(no_approvals).url, world.node.url)
    outcome = books.sweep()
    assert kinds(outcome) == {ENCUMBRANCE: 1}
    seen = told(books, outcome)
    assert seen.reading is not None
    assert seen.reading.node_id == "node-2"
    assert balances_from(books, outcome) == {"node-1"}
    issuer = Issuer.of(tmp_path, books)
    assert refused(issuer.verify(issuer.issue().path)) == {}


def test_without_a_second_node_it_is_not_known(books: Desk, world: AnvilWorld, lying_node: Lying) -> None:
    approve(world, OMNIBUS, STRANGER, 700)
    books.use_nodes(lying_node(no_approvals).url)
    outcome = books.sweep()
    assert kinds(outcome) == {UNVERIFIED: 1}
    assert told(books, outcome).reading is None


def test_when_all_fail_each_reason_is_told(books: Desk, world: AnvilWorld, lying_node: Lying) -> None:
    approve(world, OMNIBUS, STRANGER, 700)
    books.use_nodes(lying_node(no_approvals).url, "http://127.0.0.1:1", lying_node(no_approvals).url)
    outcome = books.sweep()
    assert kinds(outcome) == {UNVERIFIED: 1}
    failure = told(books, outcome).failure
    assert failure.startswith("state-unavailable: node node-1: ")
    assert "; node-unavailable: node node-2: " in failure
    assert "; state-unavailable: node node-3: " in failure
    assert "127.0.0.1" not in failure


LIARS: dict[str, Callable[[str, list[Any], Answer], Any]] = {
    "another chain": lies.change_result("eth_chainId", lambda params, result: "0x1"),
    "without the pin": lies.change_result(
        "eth_getBlockByNumber", lambda params, result: {**result, "hash": "0x" + "77" * 32}
    ),
}


@pytest.mark.parametrize("name", LIARS)
def test_a_node_that_is_not_on_the_chain_is_not_believed(
    name: str, books: Desk, world: AnvilWorld, lying_node: Lying
) -> None:
    approve(world, OMNIBUS, STRANGER, 700)
    nodes = [lying_node(no_approvals).url, lying_node(LIARS[name]).url]
    books.use_nodes(*nodes)
    outcome = books.sweep()
    assert kinds(outcome) == {UNVERIFIED: 1}
    assert told(books, outcome).reading is None
    # The twin: a third node that is on it answers.
    world.mine()
    books.use_nodes(*nodes, world.node.url)
    again = told(books, books.sweep()).reading
    assert again is not None
    assert again.node_id == "node-3"


def test_a_quorum_is_not_asked_around(books: Desk, world: AnvilWorld, lying_node: Lying) -> None:
    approve(world, OMNIBUS, STRANGER, 700)
    books.config = replace(
        books.config,
        quorum=2,
        nodes=tuple(
            NodeConfig(f"node-{n}", f"operator-{n}", url)
            for n, url in enumerate((lying_node(no_approvals).url, lying_node(no_approvals).url, world.node.url), 1)
        ),
    )
    outcome = books.sweep()
    assert outcome.summary is not None
    assert told(books, outcome).reading is None, "one operator alone is no quorum"
