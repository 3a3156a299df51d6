"""From a sweep with state proofs to the bundle, and from the bundle to a reader who trusts none of the parties."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chains.devnet.deploy import transact
from chains.devnet.lying_proxy import LyingProxy
from chains.state_proofs import StateProofMode
from chains.types import TransferKind
from exports.bundle import payload_members
from exports.codec import from_object
from exports.contents import Contents
from exports.inclusion_checks import check_transactions
from exports.manifest import member_name
from exports.records import RECORD_TYPES
from exports.report import report_text
from exports.verdict import CheckStatus
from tests.exports.sample import sample_bundle
from tests.verifier.issuer import Issuer, refused
from tests.verifier.sweep.desk import Desk, kinds
from tests.verifier.sweep.test_state_proofs import desk, lays_out
from tests.verifier.sweep.world import OMNIBUS, SECOND, STRANGER, THIRD, AnvilWorld, address
from verifier.records import FindingKind

pytestmark = pytest.mark.devnet
__all__ = ["desk"]


def records(path: Path, name: str) -> list[dict[str, Any]]:
    with zipfile.ZipFile(path) as file:
        return [json.loads(line) for line in file.read(f"{name}.jsonl").splitlines()]


def test_a_bundle_carries_what_its_balances_need_and_nothing_else(
    desk: Desk, world: AnvilWorld, tmp_path: Path
) -> None:
    lays_out(desk)
    for number in range(20):
        world.give_native(address(200 + number), 1)  # a state that is more than the firm's own
    world.give_native(THIRD, 5)
    world.mine()
    desk.take(custodian_addresses=[{"address": each} for each in (OMNIBUS, SECOND, THIRD)])
    desk.sweep()
    issuer = Issuer.of(tmp_path, desk)
    written = issuer.issue()
    report = issuer.verify(written.path, nodes=True)
    assert refused(report) == {}
    assert report.bundle is not None
    (check,) = (each for each in report.checks if each.number == 24)
    assert (check.status, check.compared) == (CheckStatus.PASSED, 4)
    assert "4 of 4 balances have a state proof" in report_text(report)

    balances = records(written.path, "records/balances")
    assert {(each["state"], each["anchor"], each["grade"]) for each in balances} == {("proven", "single", "read")}
    nodes = [each["node"] for each in records(written.path, "proofs/proof_nodes")]
    assert len(nodes) == len(set(nodes))
    start = desk.store.sweep(balances[0]["sweep_id"])
    assert start is not None
    stored = desk.store.state_proofs(start)
    assert len(nodes) < len(stored.nodes), "what proves the address that only the custodian lists stays in the store"
    (layout,) = records(written.path, "records/token_layouts")
    assert (layout["order"], layout["approved_by"]) == ("vyper", "ops.checker")
    (header,) = records(written.path, "proofs/proof_headers")
    assert header["block_hash"] == start.block.block_hash


def test_under_an_agreed_block_the_grade_is_proven(desk: Desk, tmp_path: Path) -> None:
    lays_out(desk)
    desk.use_nodes(*[desk.config.nodes[0].url] * 2)
    desk.config = replace(desk.config, quorum=2)
    assert desk.sweep().exit_code == 0
    issuer = Issuer.of(tmp_path, desk)
    written = issuer.issue()
    report = issuer.verify(written.path)
    assert refused(report) == {}
    assert {each["grade"] for each in records(written.path, "records/balances")} == {"proven"}
    assert "4 of 4 balances have a state proof; operators agree on the block." in report_text(report)


@pytest.mark.fault("A26")
def test_what_was_not_proven_is_in_the_bundle_with_the_reason(desk: Desk, tmp_path: Path) -> None:
    desk.sweep()
    issuer = Issuer.of(tmp_path, desk)
    written = issuer.issue()
    assert refused(issuer.verify(written.path)) == {}
    (gap,) = records(written.path, "records/proof_gaps")
    assert (gap["asset_id"], gap["holdings"]) == (desk.usdx.asset_id, 2)
    assert gap["reason"].startswith("no-layout: ")
    states = {each["asset_id"]: each["state"] for each in records(written.path, "records/balances")}
    assert states == {desk.usdx.asset_id: "read", desk.native.asset_id: "proven"}

    desk.world.mine()  # type: ignore[attr-defined]
    desk.config = replace(desk.config, state_proofs=StateProofMode.OFF)
    desk.sweep()
    later = issuer.issue("later.zip")
    report = issuer.verify(later.path)
    assert refused(report) == {}
    assert {each["state"] for each in records(later.path, "records/balances")} == {"read"}
    assert records(later.path, "proofs/proof_nodes") == records(later.path, "proofs/proof_headers") == []
    (check,) = (each for each in report.checks if each.number == 24)
    assert check.status is CheckStatus.NOT_REQUESTED


def test_the_transaction_of_an_exception_is_proven(desk: Desk, world: AnvilWorld, tmp_path: Path) -> None:
    """Nobody approved the payment: its transaction and receipt are in the bundle, and follow from the block's hash."""
    tx_id = paid_by_key(desk, world, 7)
    outcome = desk.sweep()
    assert kinds(outcome)[FindingKind.UNAUTHORIZED_TRANSFER] == 1
    issuer = Issuer.of(tmp_path, desk)
    written = issuer.issue()
    report = issuer.verify(written.path)
    assert refused(report) == {}
    (record,) = records(written.path, "proofs/transaction_proofs")
    assert record["tx_id"] == tx_id
    (check,) = (each for each in report.checks if each.number == 26)
    assert (check.status, check.detail) == (CheckStatus.PASSED, "1 of 1 transactions with an exception are proven")
    world.mine()
    desk.sweep()
    assert len(desk.store.transaction_proofs(desk.chain_id)) == 1

    bundle = bundle_of(issuer, written.path)
    for name, (change, words) in WRONG_TRANSACTIONS.items():
        outcome_of_check = check_transactions(contents(change(bundle)))
        assert outcome_of_check is not None
        assert any(words in problem for problem in outcome_of_check.problems), (name, outcome_of_check.problems)
    assert not check_transactions(contents(bundle)).problems  # type: ignore[union-attr]


def test_without_the_block_an_exception_stands_without_a_proof(
    desk: Desk, world: AnvilWorld, tmp_path: Path, lying_node: Callable[..., LyingProxy]
) -> None:
    """A node that gives no whole block by its hash: the sweep is whole, and the bundle proves no transaction."""
    paid_by_key(desk, world, 7)
    desk.use_nodes(lying_node(hides_whole_blocks).url)
    outcome = desk.sweep()
    assert kinds(outcome)[FindingKind.UNAUTHORIZED_TRANSFER] == 1
    issuer = Issuer.of(tmp_path, desk)
    report = issuer.verify(issuer.issue().path)
    assert refused(report) == {}
    (check,) = (each for each in report.checks if each.number == 26)
    assert check.status is CheckStatus.NOT_REQUESTED


def test_what_the_node_made_without_a_key_has_no_proof(desk: Desk, world: AnvilWorld) -> None:
    """Anvil's impersonated transactions have ids that are not the hash of what the block holds."""
    desk.sweep()
    world.pay(OMNIBUS, STRANGER, 7)
    assert kinds(desk.sweep())[FindingKind.UNAUTHORIZED_TRANSFER] == 1
    assert desk.store.transaction_proofs(desk.chain_id) == {}


def paid_by_key(desk: Desk, world: AnvilWorld, units: int) -> str:
    """A mapped wallet with a key of its own pays a stranger; the transaction's id."""
    wallet = world.node.accounts()[3]
    desk.take(wallets=[{"address": wallet}])
    world.mint(wallet, 100)
    desk.allocate(wallet, C_1=100)
    desk.sweep()
    receipt = transact(world.node, wallet, world.usdx.address, "transfer(address,uint256)", [STRANGER, units])
    return str(receipt["transactionHash"])


def hides_whole_blocks(asked: str, params: list[Any], answer: dict[str, Any]) -> dict[str, Any]:
    return {**answer, "result": None} if asked == "eth_getBlockByHash" and params[1] else answer


def bundle_of(issuer: Issuer, path: Path) -> dict[str, list[Any]]:
    """The records of a bundle, by kind."""
    return {
        kind: [from_object(record_type, each) for each in records(path, member_name(kind).removesuffix(".jsonl"))]
        for kind, record_type in RECORD_TYPES.items()
    }


def contents(found: dict[str, list[Any]]) -> Contents:
    return Contents(manifest=MANIFEST, **{kind: tuple(each) for kind, each in found.items()})


MANIFEST = payload_members(sample_bundle())[0]
Found = dict[str, list[Any]]


def of_proof(**changes: Any) -> Callable[[Found], Found]:
    return lambda found: {**found, "transaction_proofs": [replace(p, **changes) for p in found["transaction_proofs"]]}


def of_transfers(**changes: Any) -> Callable[[Found], Found]:
    def change(found: Found) -> Found:
        proven = {proof.tx_id for proof in found["transaction_proofs"]}
        return {
            **found,
            "transfers": [
                replace(each, **changes) if each.tx_id in proven and each.kind is TransferKind.TOKEN else each
                for each in found["transfers"]
            ],
        }

    return change


WRONG_TRANSACTIONS: dict[str, tuple[Callable[[Found], Found], str]] = {
    "another amount": (of_transfers(base_units=8, uses=()), "does not show 8"),
    "another receiver": (of_transfers(receiver=SECOND), "does not show 7"),
    "another sender": (of_transfers(sender=SECOND), "does not show 7"),
    "another height": (of_transfers(height=1), "another height or time"),
    "a payment of the native coin": (of_transfers(kind=TransferKind.NATIVE), "does not pay"),
    "another place": (of_proof(place=1), ""),
    "another transaction": (of_proof(tx_id="0x" + "ab" * 32), "no transfer in the bundle"),
    "another block": (of_proof(block_hash="0x" + "ab" * 32), "no transfer in the bundle"),
    "another header": (of_proof(header="0xc0"), "does not hash to"),
    "no nodes": (of_proof(transaction_nodes=()), "short of its end"),
    "no nodes of the receipt": (of_proof(receipt_nodes=()), "short of its end"),
    "proven twice": (
        lambda found: {
            **found,
            "transaction_proofs": [*found["transaction_proofs"], replace(found["transaction_proofs"][0], place=9)],
        },
        "is proven 2 times",
    ),
}
