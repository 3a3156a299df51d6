"""Findings of what operators disagree about."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chains.agreement import DisagreementSubject, NodeAnswer, NodeDisagreement
from chains.types import Address, Holding, LocationId
from tests.verifier.rules.make import CHAIN, DAI, OUTSIDE, PIN, USDC, A, address, around, moved, place
from verifier.case_book import GROUPED_FROM
from verifier.records import FindingKind
from verifier.rules.disagreement import disagreement_findings

S = DisagreementSubject
AT_CHAIN = LocationId(CHAIN)


def told(**said: str) -> tuple[NodeAnswer, ...]:
    """What each node says; node `a` is of operator `A`."""
    return tuple(NodeAnswer(name, name.upper(), words) for name, words in said.items())


def balance(at: Address = A, agreed: str | None = "5", **said: str) -> NodeDisagreement:
    """Three nodes about a balance, the last one alone with what it says."""
    answers = told(**(said or {"a": "5", "b": "5", "c": "6"}))
    return NodeDisagreement(S.BALANCE, CHAIN, PIN.height, answers, agreed, PIN, Holding(at, USDC))


def test_a_balance_is_told_with_every_answer() -> None:
    (found,) = disagreement_findings([balance()], around())
    assert (found.kind, found.location_id, found.asset) == (FindingKind.NODE_DISAGREEMENT, place(A), USDC)
    assert (found.base_units, found.block, found.provisional) == (None, PIN, False)
    assert found.text == (
        f"Nodes disagree about the balance at {A} in block 100: a of A says 0.000005 USDC; b of B says 0.000005 USDC; "
        "c of C says 0.000006 USDC. A quorum of operators agrees against c."
    )


def test_without_a_quorum_the_finding_says_so() -> None:
    (found,) = disagreement_findings([balance(agreed=None)], around())
    assert found.text.endswith("No quorum of operators agrees, so that it is not verified.")


def test_nobody_disagrees() -> None:
    assert disagreement_findings([], around()) == []


def test_the_same_matter_is_one_finding_and_others_are_their_own() -> None:
    later = replace(balance(a="7", b="7", c="8", agreed="7"), height=PIN.height + 1)
    same = disagreement_findings([balance(), balance(), later], around())
    assert [found.text.count("0.000008") for found in same] == [1], "the newest of one matter is told"
    others = [
        balance(),
        balance(address(7)),
        replace(balance(), holding=Holding(A, DAI)),
        balance(a="4", b="5", c="5"),
        balance(agreed=None),
    ]
    assert len({found.finding_key for found in disagreement_findings(others, around())}) == len(others)


@pytest.mark.parametrize(("count", "findings"), [(GROUPED_FROM - 1, GROUPED_FROM - 1), (GROUPED_FROM, 1)])
def test_very_many_share_a_finding(count: int, findings: int) -> None:
    many = [balance(address(100 + number)) for number in range(count)]
    found = disagreement_findings(many, around())
    assert len(found) == findings
    assert (found[0].location_id == AT_CHAIN) is (findings == 1)
    assert found[0].text.startswith(f"Nodes disagree about {count} balances of the asset.") is (findings == 1)
    one_more = disagreement_findings([*many, balance(agreed=None)], around())
    assert len(one_more) == findings + 1, "another disagreement is not lost among them"


def test_a_transfer_is_at_the_wallet_it_touches() -> None:
    for transfer in (moved(), moved(sender=OUTSIDE, receiver=A)):
        dispute = NodeDisagreement(
            S.TRANSFER, CHAIN, 100, told(a="x", b="x", c="none"), "x", transfer.block, transfer=transfer
        )
        (found,) = disagreement_findings([dispute], around())
        assert (found.location_id, found.asset, found.tx_id) == (place(A), USDC, transfer.tx_id)
    foreign = moved(sender=OUTSIDE, receiver=OUTSIDE)
    dispute = NodeDisagreement(S.TRANSFER, CHAIN, 100, told(a="x", c="none"), None, foreign.block, transfer=foreign)
    assert disagreement_findings([dispute], around())[0].location_id == AT_CHAIN


@pytest.mark.parametrize(
    ("subject", "name", "words"),
    [
        (S.NETWORK, "", "which network this is"),
        (S.BLOCK, "", "which block 100 is"),
        (S.CANONICAL, "", "whether the block known as 100 is canonical"),
        (S.ASSET, str(USDC.asset_id), f"what {USDC.asset_id} is at block 100"),
        (S.UNPARSED_EVENTS, str(USDC.asset_id), f"events of {USDC.asset_id} up to block 100"),
    ],
)
def test_all_else_is_at_the_chain(subject: DisagreementSubject, name: str, words: str) -> None:
    dispute = NodeDisagreement(subject, CHAIN, 100, told(a="x", b="x", c="y"), "x", name=name)
    (found,) = disagreement_findings([dispute], around())
    assert (found.location_id, found.asset) == (AT_CHAIN, None)
    assert found.text.startswith(f"Nodes disagree about {words}: a of A says x; b of B says x; c of C says y.")


def test_a_node_on_a_branch_of_its_own_stays_one_matter() -> None:
    blocks = [
        NodeDisagreement(S.BLOCK, CHAIN, height, told(a="x", b="x", c=f"y{height}"), "x") for height in (100, 101, 102)
    ]
    (found,) = disagreement_findings(blocks, around())
    assert "y102" in found.text
