"""What the firm accepts is no finding, within what two people decided; one step beyond it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.evm.encumbrance_types import Fact, Grant, GrantKind
from chains.types import UINT256_MAX, AssetId
from mapping.accepted_control import AcceptedControl, AcceptedKind
from tests.verifier.rules.make import CHAIN, DAI, ETH, NOON, OUTSIDE, USDC, A, B, around, observed, read, wallet
from tests.verifier.rules.test_encumbrance import ASSETS, PERMIT2, SAFE, allowance, permit2, reading
from verifier.records import Finding, FindingKind
from verifier.rules.acceptance import Acceptances
from verifier.rules.accepted_exposure import AcceptedExposure, accepted_exposures
from verifier.rules.encumbrance import encumbrance_findings
from verifier.rules.exposure import Exposure

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
BALANCES = observed(read(A, USDC, 1_000), read(A, DAI, 0), read(A, ETH, 5))


def decision(base_units_max: int | None = 700, **changes: Any) -> AcceptedControl:
    accepted = AcceptedControl(
        acceptance_id="AC-1",
        chain_id=CHAIN,
        wallet=A,
        kind=AcceptedKind.ALLOWANCE,
        asset_id=USDC.asset_id,
        subject=OUTSIDE,
        base_units_max=base_units_max,
        valid_from=NOON - HOUR,
        valid_until=NOON + HOUR,
        reason="Settlement contract",
        requested_by="ops.maker",
        approved_by="ops.checker",
        approved_at=NOON - HOUR,
    )
    return replace(accepted, **changes)


MODULE = decision(None, kind=AcceptedKind.MODULE, asset_id=None)


def judged(
    *decisions: AcceptedControl, grants: tuple[Grant, ...] = (), modules: str = "none", moment: datetime = NOON
) -> tuple[list[Finding], list[AcceptedExposure]]:
    """Findings of one wallet, and what is accepted."""
    controls = (replace(SAFE, facts={**SAFE.facts, Fact.MODULES: modules}),) if modules != "none" else ()
    told = reading(*grants, controls=controls)
    accepted = Acceptances.at(moment, decisions)
    findings = encumbrance_findings(told, BALANCES, ASSETS, around(wallet(A)), accepted)
    return findings, accepted_exposures(Exposure(told, BALANCES, ASSETS), accepted)


@pytest.mark.parametrize(
    ("maximum", "granted"), [(700, 700), (700, 1), (None, UINT256_MAX), (UINT256_MAX, UINT256_MAX)]
)
def test_a_grant_within_the_decision_is_listed_and_no_finding(maximum: int | None, granted: int) -> None:
    findings, (listed,) = judged(decision(maximum), grants=(allowance(granted),))
    assert findings == []
    assert (listed.granted, listed.exposed) == (granted, ((USDC, min(granted, 1_000)),))
    assert "accepted by ops.checker (AC-1, until" in listed.text()
    assert listed.to_dict()["exposed"] == [{"asset_id": USDC.asset_id, "base_units": str(min(granted, 1_000))}]


BEYOND: dict[str, tuple[AcceptedControl, str]] = {
    "a larger grant": (decision(699), "accepts no more than"),
    "ended": (decision(valid_until=NOON - SECOND), "accepted it until"),
    "not begun": (decision(valid_from=NOON + SECOND), "accepts it from"),
    "another spender": (decision(subject=PERMIT2), ""),
    "another wallet": (decision(wallet=B), ""),
    "another asset": (decision(asset_id=AssetId("eip155:1/erc20:0x" + "9" * 40)), ""),
    "another way": (decision(kind=AcceptedKind.PERMIT2), ""),
    "a module of that address": (MODULE, ""),
}


@pytest.mark.parametrize("name", BEYOND)
def test_a_grant_beyond_the_decision_is_a_finding(name: str) -> None:
    beyond, words = BEYOND[name]
    (finding,), listed = judged(beyond, grants=(allowance(700),))
    assert (finding.kind, finding.base_units, listed) == (FindingKind.ENCUMBRANCE, 700, [])
    assert words in finding.text
    assert ("AC-1" in finding.text) == bool(words)


def test_its_first_and_last_second_count() -> None:
    for accepted in (decision(valid_until=NOON), decision(valid_from=NOON)):
        assert judged(accepted, grants=(allowance(700),))[0] == []


def test_decisions_are_not_added_up_and_one_that_fits_is_enough() -> None:
    small = (decision(400), decision(400, acceptance_id="AC-2"))
    (finding,), _ = judged(*small, grants=(allowance(700),))
    assert "AC-1 accepts no more than" in finding.text
    findings, (listed,) = judged(*small, decision(900, acceptance_id="AC-3"), grants=(allowance(700),))
    assert (findings, listed.decision.acceptance_id) == ([], "AC-3")


def test_what_was_not_read_is_never_accepted() -> None:
    (finding,), listed = judged(decision(None), grants=(allowance(None),))
    assert (finding.kind, listed) == (FindingKind.UNVERIFIED, [])


def test_a_permit2_grant_and_permit2_itself_are_two_decisions() -> None:
    own = allowance(300, spender=PERMIT2)
    inside = decision(None, kind=AcceptedKind.PERMIT2)
    (finding,), (listed,) = judged(inside, grants=(own, permit2(500)))
    assert finding.subject == f"{GrantKind.ALLOWANCE}:{PERMIT2}"
    assert listed.exposed == ((USDC, 300),)
    findings, both = judged(inside, decision(None, acceptance_id="AC-2", subject=PERMIT2), grants=(own, permit2(500)))
    assert (findings, len(both)) == ([], 2)


def test_a_module_that_is_wanted_exposes_everything() -> None:
    findings, (listed,) = judged(MODULE, modules=OUTSIDE)
    assert findings == []
    assert (listed.granted, dict(listed.exposed)) == (None, {ETH: 5, USDC: 1_000})
    one_more, listed_again = judged(MODULE, modules=",".join(sorted((OUTSIDE, B))))
    assert {finding.subject for finding in one_more} == {f"module:{B}"}
    assert [each.decision for each in listed_again] == [MODULE]


@pytest.mark.parametrize(
    "other", [replace(MODULE, kind=AcceptedKind.DELEGATE), replace(MODULE, valid_until=NOON - SECOND)]
)
def test_a_module_that_is_not_wanted_is_a_finding(other: AcceptedControl) -> None:
    findings, listed = judged(other, modules=OUTSIDE)
    assert {finding.subject for finding in findings} == {f"module:{OUTSIDE}"}
    assert listed == []


@given(
    granted=st.integers(1, UINT256_MAX),
    maximum=st.none() | st.integers(1, UINT256_MAX),
    seconds=st.integers(-7_200, 7_200),
)
def test_every_grant_is_a_finding_or_listed_and_never_both(granted: int, maximum: int | None, seconds: int) -> None:
    accepted = decision(maximum)
    moment = NOON + seconds * SECOND
    findings, listed = judged(accepted, grants=(allowance(granted),), moment=moment)
    fits = (maximum is None or granted <= maximum) and abs(seconds) <= 3_600
    assert (len(findings), len(listed)) == ((0, 1) if fits else (1, 0))
