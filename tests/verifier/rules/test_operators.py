"""Operators of collections: one case for all tokens of one; its twin is a collection with a single mapped token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from chains.evm.encumbrance_types import Grant, GrantKind
from chains.types import UINT256_MAX, Address, Asset, AssetId
from mapping.accepted_control import AcceptedKind
from tests.verifier.rules.make import CHAIN, NOON, OUTSIDE, A, B, around, observed, place, read, wallet
from tests.verifier.rules.test_acceptance import decision
from tests.verifier.rules.test_encumbrance import FAILED, reading
from verifier.records import Finding, FindingKind
from verifier.rules.acceptance import Acceptances
from verifier.rules.encumbrance import encumbrance_findings
from verifier.rules.operators import NAMED_MAX

PRINTS, PAINTINGS = "0x" + "1" * 40, "0x" + "2" * 40


def art(number: int, contract: str = PRINTS) -> Asset:
    return Asset(AssetId(f"{CHAIN}/erc1155:{contract}/{number}"), "ART", 0)


def operator(
    asset: Asset, base_units: int | None = UINT256_MAX, *, owner: Address = A, spender: Address = OUTSIDE
) -> Grant:
    reason = FAILED if base_units is None else ""
    return Grant(GrantKind.OPERATOR, owner, asset, spender, base_units, reason=reason)


def found(grants: list[Grant], held: Mapping[Asset, int | None], accepted: Acceptances | None = None) -> list[Finding]:
    """The findings for tokens that are held at A; every asset that is granted or held is mapped."""
    assets = {asset.asset_id: asset for asset in (*held, *(grant.asset for grant in grants))}
    told = reading(*grants, wallets=(A, B), controls=())
    told = replace(told, assets=tuple(assets.values()), coverage=replace(told.coverage, assets=frozenset(assets)))
    balances = observed(*(read(A, asset, amount) for asset, amount in held.items()))
    decided = accepted or Acceptances.at(NOON, [])
    return encumbrance_findings(told, balances, assets, around(wallet(A), wallet(B)), decided)


@pytest.mark.parametrize("tokens", [2, 300])
def test_an_operator_of_many_tokens_is_one_finding_that_lists_them(tokens: int) -> None:
    held = {art(number): number for number in range(1, tokens + 1)}
    (finding,) = found([operator(asset) for asset in held], held)
    assert (finding.kind, finding.location_id) == (FindingKind.ENCUMBRANCE, place())
    assert (finding.asset, finding.base_units, finding.subject) == (None, None, f"operator:{OUTSIDE}:{PRINTS}")
    assert "1 ART with id 1; 2 ART with id 2" in finding.text
    assert finding.text.count(" with id ") == min(tokens, NAMED_MAX)
    assert (f"; and {tokens - NAMED_MAX} tokens more" in finding.text) == (tokens > NAMED_MAX)
    assert f"of the {tokens} mapped tokens" in finding.text


def test_one_token_of_a_collection_is_a_finding_with_its_amount() -> None:
    (finding,) = found([operator(art(1))], {art(1): 5, art(7, PAINTINGS): 1})
    assert (finding.asset, finding.base_units, finding.subject) == (art(1), 5, f"operator:{OUTSIDE}")


def test_each_collection_operator_and_wallet_is_a_finding_of_its_own() -> None:
    held = {art(number, contract): 1 for number in (1, 2) for contract in (PRINTS, PAINTINGS)}
    grants = [
        operator(asset, owner=owner, spender=spender) for asset in held for owner in (A, B) for spender in (OUTSIDE, B)
    ]
    findings = found(grants, held)
    assert len(findings) == len({finding.finding_key for finding in findings}) == 8


def test_the_key_does_not_follow_what_is_held_or_accepted() -> None:
    grants = [operator(art(1)), operator(art(2))]
    (both,) = found(grants, {art(1): 1, art(2): 1})
    (none,) = found(grants, {art(1): 0, art(2): 0})
    ended = decision(None, kind=AcceptedKind.OPERATOR, asset_id=art(2).asset_id, chain_id=CHAIN)
    (one,) = found(grants, {art(1): 1, art(2): 1}, Acceptances.at(NOON, [ended]))
    (late,) = found(grants, {art(1): 1, art(2): 1}, Acceptances.at(NOON + timedelta(days=900), [ended]))
    assert len({each.finding_key for each in (both, none, one, late)}) == 1
    assert "none is here now" in none.text
    assert "with id 2" not in one.text
    assert "ART with id 2 (AC-1 accepted it until" in late.text


def test_what_is_accepted_in_all_tokens_and_what_is_granted_in_none_is_no_finding() -> None:
    held = {art(1): 1, art(2): 1}
    decisions = [
        decision(None, kind=AcceptedKind.OPERATOR, asset_id=asset.asset_id, chain_id=CHAIN, acceptance_id=f"AC-{n}")
        for n, asset in enumerate(held)
    ]
    assert found([operator(asset) for asset in held], held, Acceptances.at(NOON, decisions)) == []
    assert found([operator(asset, 0) for asset in held], held) == []


@pytest.mark.fault("G12")
def test_what_was_not_read_is_one_unverified_finding_beside_what_was() -> None:
    held: dict[Asset, int | None] = {art(1): 1, art(2): 1, art(3): None}
    unread, taken = found([operator(art(1), None), operator(art(2), None), operator(art(3))], held)
    assert (unread.kind, unread.asset, taken.kind) == (FindingKind.UNVERIFIED, None, FindingKind.ENCUMBRANCE)
    assert "asked for 2 of them" in unread.text
    assert FAILED in unread.text
    assert "an unknown amount of ART with id 3" in taken.text
