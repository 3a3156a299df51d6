"""What became of each approval, and which of them are approved and missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chains.types import account_location
from mapping.types import TransferAuthorization
from tests.verifier.rules.make import CHAIN, DAI, ETH, NOON, USDC, A, B, approval, around, block, wallet
from verifier.records import Finding, FindingKind
from verifier.rules.execution import ApprovalState, ReadSpan, approval_state, missing_findings

HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
S = ApprovalState
ASSETS = {each.asset_id: each for each in (USDC, ETH)}
ENDS = NOON + HOUR
"""When the approvals of these tests end; they come into force an hour before noon."""
READ = ReadSpan(NOON - 2 * HOUR, NOON + 2 * HOUR)


@pytest.mark.parametrize(
    ("used", "span", "state"),
    [
        (100, READ, S.USED),
        (100, ReadSpan(None, None), S.USED),
        (101, READ, S.USED),
        (0, READ, S.EXPIRED_UNUSED),
        (99, READ, S.EXPIRED_PARTLY_USED),
        (0, replace(READ, last=ENDS), S.OPEN),
        (0, replace(READ, last=ENDS + TICK), S.EXPIRED_UNUSED),
        (1, replace(READ, last=ENDS), S.PARTLY_USED),
        (0, replace(READ, last=NOON - HOUR), S.OPEN),
        (0, replace(READ, last=NOON - HOUR - TICK), S.COMING),
        (0, ReadSpan(None, None), S.COMING),
        # what left before the first block that was read is not known
        (0, replace(READ, first=NOON - HOUR), S.EXPIRED_UNUSED),
        (0, replace(READ, first=NOON - HOUR + TICK), S.NOT_KNOWN),
        (60, replace(READ, first=NOON), S.NOT_KNOWN),
        (100, replace(READ, first=NOON), S.USED),
        (0, replace(READ, first=None), S.NOT_KNOWN),
        # nor what left a wallet, or of an asset, whose blocks wait to be read again
        (0, replace(READ, unread=frozenset({account_location(CHAIN, A)})), S.NOT_KNOWN),
        (0, replace(READ, unread=frozenset({USDC.asset_id})), S.NOT_KNOWN),
        (0, replace(READ, unread=frozenset({account_location(CHAIN, B), DAI.asset_id})), S.EXPIRED_UNUSED),
    ],
)
def test_the_state_of_an_approval(used: int, span: ReadSpan, state: ApprovalState) -> None:
    assert approval_state(approval(100), used, span) is state


def missing(
    *authorizations: TransferAuthorization,
    used: dict[str, int] | None = None,
    span: ReadSpan = READ,
    recorded: dict[str, datetime] | None = None,
    provisional: bool = False,
) -> list[Finding]:
    around_a = around(wallet(A), pin=block(100, at=NOON + 2 * HOUR), provisional=provisional)
    return missing_findings(authorizations, used or {}, span, ASSETS, recorded or {}, around_a)


def told(findings: Sequence[Finding]) -> list[tuple[str, int | None]]:
    return [(each.subject, each.base_units) for each in findings]


@pytest.mark.fault("A47")
def test_an_approval_that_nothing_executed_is_a_finding_of_its_own() -> None:
    found = missing(approval(100, name="b"), approval(50, name="a"), approval(100, name="done"), used={"done": 100})
    assert told(found) == [("a", 50), ("b", 100)]
    assert {each.kind for each in found} == {FindingKind.APPROVED_NOT_EXECUTED}
    assert {each.location_id for each in found} == {account_location(CHAIN, A)}
    assert len({each.finding_key for each in found}) == 2
    for said in ("ops.maker", "ops.checker", "0.00005 USDC", "nothing left on it", "2026-03-02T13:00:00"):
        assert said in found[0].text
    assert missing(approval(100, valid_until=NOON + 3 * HOUR)) == []


@pytest.mark.fault("A47")
def test_a_part_that_is_missing_is_said_in_figures() -> None:
    (found,) = missing(approval(100), used={"auth-1": 60})
    assert found.base_units == 40
    assert "allowed 0.0001 USDC" in found.text
    assert "only 0.00006 USDC of it left" in found.text


def test_what_is_not_known_is_not_said() -> None:
    assert len(missing(approval())) == 1
    assert missing(approval(), span=replace(READ, first=NOON)) == []
    assert missing(approval(), provisional=True) == [], "a block that may still change says nothing of what is missing"
    assert missing(approval(from_wallet=B)) == [], "nobody watched a wallet that is not mapped"
    assert missing(approval(asset=DAI)) == [], "nor an asset that is not in the table"


def test_one_recorded_after_its_end_says_so() -> None:
    (late,) = missing(approval(), recorded={"auth-1": ENDS + TICK})
    assert "recorded only at" in late.text
    (early,) = missing(approval(), recorded={"auth-1": ENDS})
    assert "recorded only at" not in early.text
