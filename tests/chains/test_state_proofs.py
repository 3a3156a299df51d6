"""What proofs do to balances that were read, and what several nodes' proofs come to. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chains.errors import NodeUnavailable, ProofFailed
from chains.quorum_proofs import ProofsOfMany
from chains.state_proofs import BalanceProofs, StateProofMode, apply_proofs
from chains.types import (
    Address,
    AnchorEvidence,
    Asset,
    AssetId,
    BalanceObservation,
    BlockRef,
    ChainId,
    Finality,
    Holding,
    ReadStatus,
    StateEvidence,
)

BLOCK = BlockRef(ChainId("eip155:1"), 5, "0x" + "a" * 64, "0x" + "b" * 64, datetime(2026, 1, 1, tzinfo=UTC))
ASSET = Asset(AssetId("eip155:1/slip44:60"), "ETH", 18)
A, B = (Holding(Address(f"0x{number:040x}"), ASSET) for number in (1, 2))


def read(holding: Holding, base_units: int | None) -> BalanceObservation:
    return BalanceObservation(
        holding,
        BLOCK,
        Finality.parse("latest"),
        ReadStatus.FAILED if base_units is None else ReadStatus.OK,
        base_units,
        "batch",
        "node-a",
        anchor=AnchorEvidence.AGREED,
        reason="node-unavailable: gone" if base_units is None else "",
    )


def one(seen: BalanceObservation, proofs: BalanceProofs, mode: StateProofMode) -> BalanceObservation:
    (found,), contradictions = apply_proofs([seen], proofs, mode)
    assert bool(contradictions) == found.reason.startswith("proof-contradicts")
    return found


@pytest.mark.parametrize("mode", [StateProofMode.WHEN_OFFERED, StateProofMode.REQUIRED])
def test_a_proof_confirms_or_contradicts_whatever_the_mode(mode: StateProofMode) -> None:
    same = one(read(A, 7), BalanceProofs(proven={A: 7}), mode)
    assert (same.state, same.anchor, same.base_units) == (StateEvidence.PROVEN, AnchorEvidence.AGREED, 7)
    zero = one(read(A, 0), BalanceProofs(proven={A: 0}), mode)
    assert zero.state is StateEvidence.PROVEN, "zero is a figure too"
    for said, proven in ((7, 8), (7, 0), (0, 7)):
        other = one(read(A, said), BalanceProofs(proven={A: proven}), mode)
        assert (other.status, other.base_units, other.state) == (ReadStatus.FAILED, None, StateEvidence.READ)
        assert f"said {said}, the block's state proves {proven}" in other.reason
    wrong = one(read(A, 7), BalanceProofs(failed={A: "proof-failed: a node is missing"}), mode)
    assert (wrong.status, wrong.reason) == (ReadStatus.FAILED, "proof-failed: proof-failed: a node is missing")
    failed = one(read(A, None), BalanceProofs(proven={A: 7}), mode)
    assert failed == read(A, None), "a failed read is not made good by a proof"


def test_without_a_proof_the_mode_decides() -> None:
    missing, unprovable = BalanceProofs(missing={A: "no-layout: x"}), BalanceProofs(unprovable={A: "unprovable: x"})
    assert one(read(A, 7), missing, StateProofMode.WHEN_OFFERED) == read(A, 7)
    assert one(read(A, 7), missing, StateProofMode.REQUIRED).reason == "proof-missing: no-layout: x"
    assert one(read(A, 7), BalanceProofs(), StateProofMode.REQUIRED).status is ReadStatus.FAILED
    assert one(read(A, 7), unprovable, StateProofMode.REQUIRED) == read(A, 7)


def test_of_several_nodes_the_first_proof_that_checks_counts() -> None:
    many = ProofsOfMany([A, B])
    many.fail(NodeUnavailable("down", node_id="n1"))
    many.add("n2", BalanceProofs(b"h", (b"1",), {A: 7}, failed={B: "proof-failed: bad"}))
    assert many.left == [B]
    many.add("n3", BalanceProofs(b"h", (b"1", b"2"), {B: 9}))
    found = many.result()
    assert (found.proven, found.failed, found.missing) == ({A: 7, B: 9}, {}, {})
    assert (found.header, found.nodes) == (b"h", (b"1", b"2"))


def test_a_bad_proof_is_told_before_a_missing_one() -> None:
    many = ProofsOfMany([A, B])
    many.add("n1", BalanceProofs(missing={A: "unsupported: no", B: "unsupported: no"}))
    many.add("n2", BalanceProofs(failed={A: "proof-failed: bad"}, missing={B: "unsupported: no"}))
    found = many.result()
    assert found.failed == {A: "node n2: proof-failed: bad"}
    assert found.missing == {B: "node n1: unsupported: no; node n2: unsupported: no"}
    alone = ProofsOfMany([A])
    alone.fail(ProofFailed("the header does not hash", node_id="n1"))
    assert alone.result().failed == {A: "proof-failed: node n1: the header does not hash"}
    assert "no node" in ProofsOfMany([A]).result().missing[A]
