"""From a sweep with state proofs to the bundle, and from the bundle to a reader who trusts none of the parties."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chains.state_proofs import StateProofMode
from exports.report import report_text
from exports.verdict import CheckStatus
from tests.verifier.issuer import Issuer, refused
from tests.verifier.sweep.desk import Desk
from tests.verifier.sweep.test_state_proofs import desk, lays_out
from tests.verifier.sweep.world import OMNIBUS, SECOND, THIRD, AnvilWorld, address

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
