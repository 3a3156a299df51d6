"""Check 18 and decisions: what the firm accepts needs no case, one step beyond it does, and no decision is made up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chains.errors import InvalidValue
from chains.types import AssetId
from exports.acceptances import AcceptanceKind, AcceptanceRecord
from exports.bundle import Bundle
from exports.report import report_text
from tests.exports.sample import (
    BLOCK_TIME,
    CHAIN,
    ETH,
    OMNIBUS,
    OUTSIDE,
    SEGREGATED,
    USD,
    Firm,
    control,
    sample_bundle,
    verify,
    write,
)
from tests.exports.test_control_checks import (
    CHAIN_PLACE,
    failed,
    firm,
    problem,
    with_cases,
    with_control,
    with_grant,
    with_review,
)

__all__ = ["firm"]
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
MODULE = {"kind": AcceptanceKind.MODULE, "asset_id": None, "base_units_max": None}


def decision(**changes: Any) -> AcceptanceRecord:
    """OUTSIDE may take up to the 70 units that it was granted in the sample."""
    record = AcceptanceRecord(
        acceptance_id="AC-1",
        chain_id=CHAIN,
        wallet=OMNIBUS,
        kind=AcceptanceKind.ALLOWANCE,
        asset_id=USD,
        subject=OUTSIDE,
        base_units_max=70,
        valid_from=BLOCK_TIME - DAY,
        valid_until=BLOCK_TIME + DAY,
        reason="Settlement contract",
        requested_by="ops.maker",
        approved_by="ops.checker",
        approved_at=BLOCK_TIME - DAY,
    )
    return replace(record, **changes)


def decided(*records: AcceptanceRecord, accepted: int, cases: bool = False) -> Bundle:
    """The sample with decisions; the grant's case, which stands last, is left out unless it is wanted."""
    bundle = sample_bundle()
    cut = bundle if cases else replace(bundle, cases=bundle.cases[:-1])
    return with_review(replace(cut, acceptances=records), accepted=accepted)


def with_module(*records: AcceptanceRecord, accepted: int) -> Bundle:
    """A Safe with a module instead of the grant, and no case of either."""
    state = control(OMNIBUS, account_kind="safe", modules=OUTSIDE, owners="0x1,0x2,0x3", threshold="2")
    bundle = replace(decided(*records, accepted=accepted), grants=())
    return with_review(with_control(bundle, state), grants=0)


GOOD: dict[str, Callable[[], Bundle]] = {
    "within the decision": lambda: decided(decision(), accepted=1),
    "any amount": lambda: decided(decision(base_units_max=None), accepted=1),
    "its first moment": lambda: decided(decision(valid_from=BLOCK_TIME), accepted=1),
    "its last moment": lambda: decided(decision(valid_until=BLOCK_TIME), accepted=1),
    "with a case that was closed": lambda: decided(decision(), accepted=1, cases=True),
    "beyond it, with the case": lambda: decided(decision(base_units_max=69), accepted=0, cases=True),
    "late approvals with their case": lambda: with_cases(
        with_review(decided(accepted=0, cases=True), approvals_late=5), "coverage_gap", place=CHAIN_PLACE
    ),
    "a module": lambda: with_module(decision(**MODULE), accepted=1),
    "one that nobody uses": lambda: decided(decision(), decision(acceptance_id="AC-2", subject=SEGREGATED), accepted=1),
}

BAD: dict[str, tuple[Callable[[], Bundle], str]] = {
    "nothing decided": (lambda: decided(accepted=0), "without a case"),
    "too small a decision": (lambda: decided(decision(base_units_max=69), accepted=0), "without a case"),
    "two small decisions": (
        lambda: decided(
            decision(base_units_max=35), decision(acceptance_id="AC-2", base_units_max=35), accepted=0
        ),
        "without a case",
    ),
    "another spender": (lambda: decided(decision(subject=SEGREGATED), accepted=0), "without a case"),
    "another wallet": (lambda: decided(decision(wallet=SEGREGATED), accepted=0), "without a case"),
    "another way": (lambda: decided(decision(kind=AcceptanceKind.PERMIT2), accepted=0), "without a case"),
    "another asset": (lambda: decided(decision(asset_id=ETH), accepted=0), "without a case"),
    "a module only": (lambda: decided(decision(**MODULE), accepted=0), "without a case"),
    "not read": (
        lambda: with_grant(
            decided(decision(base_units_max=None), accepted=0), base_units=None, reason="x: y", exposed=None
        ),
        "without a case of kind unverified",
    ),
    "ended": (lambda: decided(decision(valid_until=BLOCK_TIME - SECOND), accepted=0, cases=True), "not in force"),
    "not begun": (lambda: decided(decision(valid_from=BLOCK_TIME + SECOND), accepted=0, cases=True), "not in force"),
    "of no mapped wallet": (
        lambda: decided(decision(wallet=OUTSIDE, subject=OMNIBUS), accepted=0, cases=True), "no mapped"
    ),
    "of no known asset": (
        lambda: decided(decision(asset_id=AssetId(f"{CHAIN}/erc20:{OUTSIDE}")), accepted=0, cases=True),
        "no asset of its chain",
    ),
    "of a chain without a sweep": (
        lambda: decided(decision(chain_id="eip155:5"), accepted=0, cases=True), "not in force"
    ),
    "twice": (lambda: decided(decision(), decision(base_units_max=90), accepted=1), "stands 2 times"),
    "more accepted than are": (lambda: decided(decision(), accepted=2), "2 accepted stated"),
    "accepted without a decision": (lambda: decided(accepted=1, cases=True), "1 accepted stated"),
    "accepted and not counted": (lambda: decided(decision(), accepted=0), "0 accepted stated"),
    "a module that nobody wants": (lambda: with_module(decision(), accepted=0), "can move everything"),
    "another's module": (
        lambda: with_module(decision(**MODULE, subject=SEGREGATED), accepted=0), "can move everything"
    ),
    "late approvals without a case": (
        lambda: with_review(decided(accepted=0, cases=True), approvals_late=5), "5 are left"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_what_the_firm_accepts_needs_no_case(name: str, tmp_path: Path, firm: Firm) -> None:
    assert failed(GOOD[name](), tmp_path, firm) == []


@pytest.mark.parametrize("name", BAD)
def test_what_is_beyond_or_made_up_is_refused(name: str, tmp_path: Path, firm: Firm) -> None:
    make, words = BAD[name]
    bundle = make()
    assert failed(bundle, tmp_path, firm)[-1:] == [18]
    assert words in problem(bundle, tmp_path, firm, 18)


def test_a_record_refuses_what_cannot_be() -> None:
    impossible: tuple[dict[str, Any], ...] = (
        {"asset_id": None},
        {"kind": AcceptanceKind.BEACON},
        {"base_units_max": 0},
        {**MODULE, "base_units_max": 5},
        {"approved_by": "Ops.Maker "},
        {"approved_at": BLOCK_TIME},
        {"valid_until": BLOCK_TIME - DAY},
    )
    for changes in impossible:
        with pytest.raises(InvalidValue):
            decision(**changes)


def test_the_report_names_who_accepted(tmp_path: Path, firm: Firm) -> None:
    text = report_text(verify(write(tmp_path, firm, decided(decision(), accepted=1)), firm.trusted))
    assert "(allowance), accepted by ops.checker (AC-1, until " in text
    assert "grants 1, accepted 1, stopped" in text
    module = with_module(decision(**MODULE), accepted=1)
    text = report_text(verify(write(tmp_path, firm, module), firm.trusted))
    assert f"{OUTSIDE} could move everything of {OMNIBUS} (module), accepted by ops.checker" in text
