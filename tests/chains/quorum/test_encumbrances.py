"""Answers of several operators about control, merged question by question; no node is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from chains.agreement import DisagreementSubject, NodeDisagreement, Witness
from chains.evm.encumbrance_types import (
    PERMIT2_ADDRESS,
    AccountRole,
    Answer,
    ApprovalCoverage,
    Candidates,
    ControlState,
    EncumbranceReading,
    Fact,
    Grant,
    GrantKind,
    Restriction,
)
from chains.quorum_encumbrances import Ballot, merge_approvals, merge_readings
from chains.types import Address, Asset, AssetId, BlockRef, ChainId, Finality

CHAIN = ChainId("eip155:31337")
BLOCK = BlockRef(CHAIN, 9, "0x" + "ab" * 32, "0x" + "cd" * 32, datetime(2026, 3, 2, tzinfo=UTC))
USD = Asset(AssetId(f"{CHAIN}/erc20:0x{'c' * 40}"), "USD", 6)
A, SPENDER, OTHER = (Address(f"0x{digit * 40}") for digit in "ae1")
ONE, TWO, THREE = (Witness(f"node-{n}", f"operator-{n}") for n in (1, 2, 3))
SILENT = "node-unavailable: silent"


def grant(base_units: int | None, expires: int | None = None) -> Grant:
    kind = GrantKind.ALLOWANCE if expires is None else GrantKind.PERMIT2
    return Grant(kind, A, USD, SPENDER, base_units, expires, SILENT if base_units is None else "")


def coverage(*spenders: Address, odd: int = 0) -> ApprovalCoverage:
    pairs = frozenset((A, USD.asset_id, spender) for spender in spenders)
    return ApprovalCoverage(
        0, BLOCK, frozenset((A,)), frozenset((USD.asset_id,)), PERMIT2_ADDRESS, Candidates(pairs), {USD.asset_id: odd}
    )


def reading(
    *grants: Grant,
    facts: Mapping[Fact, str] | None = None,
    unread: Mapping[Fact, str] | None = None,
    nonce: int | None = 3,
    answer: Answer = Answer.CLEAR,
) -> EncumbranceReading:
    said = {Fact.ACCOUNT_KIND: "key"} if facts is None else facts
    reason = SILENT if answer is Answer.UNREAD else ""
    return EncumbranceReading(
        BLOCK, Finality.parse("finalized"), "node", (A,), (USD,), coverage(SPENDER), grants, 1,
        (ControlState(A, AccountRole.WALLET, said, unread or {}, nonce),),
        (Restriction(USD, "paused()", None, answer, reason),),
    )  # fmt: skip


def merged(*readings: EncumbranceReading) -> tuple[EncumbranceReading, list[NodeDisagreement]]:
    ballot = Ballot(BLOCK, 2, [])
    found = merge_readings(dict(zip((ONE, TWO, THREE), readings, strict=False)), ballot)
    return found, ballot.disagreements


def test_what_all_say_is_said_without_a_dispute() -> None:
    found, disputes = merged(reading(grant(5)), reading(grant(5)), reading(grant(5)))
    assert (found.grants, disputes, found.node_id) == ((grant(5),), [], "node-1+node-2+node-3")
    assert found.controls == reading().controls
    assert found.restrictions == reading().restrictions


@pytest.mark.parametrize(
    ("first", "expected"),
    [(reading(grant(7)), (grant(5),)), (reading(), (grant(5),)), (reading(grant(None)), (grant(5),))],
)
def test_one_of_three_does_not_decide(first: EncumbranceReading, expected: tuple[Grant, ...]) -> None:
    found, disputes = merged(first, reading(grant(5)), reading(grant(5)))
    assert found.grants == expected
    abstained = any(each.base_units is None for each in first.grants)
    assert len(disputes) == (0 if abstained else 1), "a node that cannot read abstains"
    assert all(each.subject is DisagreementSubject.ENCUMBRANCE for each in disputes)


def test_a_grant_that_one_alone_makes_up_is_none() -> None:
    found, disputes = merged(reading(grant(5)), reading(), reading())
    assert (found.grants, len(disputes)) == ((), 1)


def test_without_a_quorum_it_is_not_known_and_never_none() -> None:
    found, disputes = merged(reading(grant(5)), reading())
    (unknown,) = found.grants
    assert unknown.base_units is None
    assert "operators disagree" in unknown.reason
    assert len(disputes) == 1
    (alone,) = merged(reading(grant(5)), reading(grant(None)))[0].grants
    assert (alone.base_units, "1 of 2 operators answered" in alone.reason) == (None, True)
    (nobody,) = merged(reading(grant(None)), reading(grant(None)))[0].grants
    assert nobody.reason == SILENT


def test_the_end_of_a_grant_is_a_part_of_it() -> None:
    found, disputes = merged(reading(grant(5, 100)), reading(grant(5, 200)))
    assert [each.base_units for each in found.grants] == [None]
    assert len(disputes) == 1


def test_facts_are_agreed_on_one_by_one() -> None:
    safe = {Fact.ACCOUNT_KIND: "safe", Fact.OWNERS: "0x1", Fact.THRESHOLD: "1"}
    other = {**safe, Fact.OWNERS: "0x2"}
    found, disputes = merged(reading(facts=safe), reading(facts=other), reading(facts=safe))
    assert found.controls[0].facts == safe
    assert [each.name for each in disputes] == [f"control:{A}:owners"]
    split, _ = merged(reading(facts=safe, nonce=3), reading(facts=other, nonce=4))
    state = split.controls[0]
    assert state.facts == {Fact.ACCOUNT_KIND: "safe", Fact.THRESHOLD: "1"}
    assert set(state.unread) == {Fact.OWNERS}
    assert state.nonce is None
    # Who could not read what kind of account it is did not ask for the rest: no dispute.
    blind, quiet = merged(
        reading(facts=safe), reading(facts={}, unread={Fact.ACCOUNT_KIND: SILENT}), reading(facts=safe)
    )
    assert (blind.controls[0].facts, quiet) == (safe, [])


def test_an_issuers_stop_needs_a_quorum_to_be_said_or_denied() -> None:
    stopped, clear = reading(answer=Answer.RESTRICTED), reading()
    assert merged(stopped, clear, stopped)[0].restrictions[0].answer is Answer.RESTRICTED
    assert merged(stopped, clear, clear)[0].restrictions[0].answer is Answer.CLEAR
    assert merged(stopped, clear)[0].restrictions[0].answer is Answer.UNREAD
    assert merged(stopped, reading(answer=Answer.UNREAD))[0].restrictions[0].answer is Answer.UNREAD


def test_where_to_look_is_everything_that_anybody_saw() -> None:
    ballot = Ballot(BLOCK, 2, [])
    found = merge_approvals(
        {ONE: coverage(SPENDER, odd=2), TWO: coverage(SPENDER, OTHER), THREE: coverage(OTHER)}, ballot
    )
    assert {spender for _, _, spender in found.candidates.allowances} == {SPENDER, OTHER}
    assert found.odd_approvals == {USD.asset_id: 2}
    assert len(ballot.disagreements) == 2
    late = replace(coverage(SPENDER), first_height=4)
    assert merge_approvals({ONE: coverage(SPENDER), TWO: late}, Ballot(BLOCK, 2, [])).first_height == 4
