"""Check 23: reserve computations computed again with the bare install, and every way to lie about one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chains.errors import InvalidValue
from chains.types import LocationId
from exports.bundle import Bundle
from exports.canonical import canonical_json, parse_canonical_object
from exports.records import CaseRecord, CaseStatus, Rail
from exports.report import report_text
from exports.reserve.accounts import Bank, ReserveAccount, ReserveHolding, SecurityKind
from exports.reserve.computation import Occasion, Scope, compute
from exports.reserve.errors import ReserveError
from exports.reserve.items import ReserveClass
from exports.reserve.policies import policies_at
from exports.reserve.position import ReservePosition, read_position
from exports.reserve_records import ReserveComputationRecord, ReservePositionRecord
from exports.selfcheck import refusals
from exports.verdict import CheckStatus
from tests.exports.bare_install import checked_alone
from tests.exports.sample import CREATED, Firm, check, make_firm, not_passed, sample_bundle, verify, write
from tests.verifier.reserve.make import inputs

FRIDAY = date(2026, 1, 23)
RECORDED = datetime(2026, 1, 26, 15, 0, tzinfo=UTC)
EARLY = RECORDED - timedelta(days=3)


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    return make_firm(tmp_path_factory.mktemp("firm"))


def record(
    number: int = 1, *, cents: int = 1_000_00, occasion: Occasion = Occasion.REGULAR, replaces: int = 0
) -> ReserveComputationRecord:
    """The firm's computation as of a Friday."""
    made = compute(inputs({1: cents, 10: 400_00}, {1: 50_00}, as_of=FRIDAY, occasion=occasion))
    return ReserveComputationRecord(
        computation_id=f"RC-{number:06d}",
        as_of=FRIDAY,
        scope=Scope.BOTH,
        occasion=occasion,
        document=made.canonical().decode(),
        digest=made.digest,
        known_at=RECORDED,
        recorded_at=RECORDED + timedelta(minutes=number),
        compute_on=date(2026, 1, 26),
        deposit_on=date(2026, 1, 27),
        deposit_by=datetime(2026, 1, 27, 15, 0, tzinfo=UTC),
        replaces=f"RC-{replaces:06d}" if replaces else "",
        reason="late entry" if replaces else "",
    )


def position(cents: int | None = 5_000_00, **changes: Any) -> ReservePosition:
    """What lies in one account of customers and one of PAB when the bundle is made."""
    documented = date(2025, 1, 2)
    accounts = (
        ReserveAccount("C", "bank", ReserveClass.CUSTOMER, documented, documented, cents),
        ReserveAccount("P", "bank", ReserveClass.PAB, documented, documented, 50_00),
    )
    bank = Bank("bank", False, 10_000_000_00, date(2025, 12, 31))
    on = CREATED.date()
    return replace(ReservePosition(on, accounts, (bank,), policies_at(on)), **changes)


def recorded(found: ReservePosition) -> ReservePositionRecord:
    return ReservePositionRecord(found.on, found.canonical().decode(), found.digest)


def bundle(*computations: ReserveComputationRecord, held: ReservePosition | None = None) -> Bundle:
    positions = (recorded(held or position()),)
    return replace(sample_bundle(), reserve_computations=computations, reserve_positions=positions)


def reserve_case(purpose: str, status: CaseStatus = CaseStatus.OPEN, kind: str = "reserve_deficit") -> CaseRecord:
    return CaseRecord(
        case_id="case-reserve",
        kind=kind,
        status=status,
        rail=Rail.CASH,
        location=LocationId(f"bank:reserve-{purpose}"),
        asset_id=None,
        base_units=None,
        opened_at=RECORDED,
        text="short",
        tx_ids=(),
        height=None,
        block_hash=None,
        covers=(),
        maker="ops.maker" if status is CaseStatus.PROPOSED else "",
        proposed_at=RECORDED if status is CaseStatus.PROPOSED else None,
        checkers=(),
        decided_at=None,
    )


@pytest.mark.fault("D12")
def test_computations_are_computed_again_from_the_bundle(tmp_path: Path, firm: Firm) -> None:
    made = bundle(record(1), record(2, cents=2_000_00, replaces=1), record(3, occasion=Occasion.TEST))
    assert refusals(made) == []
    report = verify(write(tmp_path, firm, made), firm.trusted)
    assert not_passed(report) == []
    assert check(report, 23).compared == 4
    text = report_text(report)
    assert "customer reserve: 5000.00 count by the banks' statements the firm holds\n" in text
    # 2,000 credits less 400 of item 10, which Note E(3) lowers by 1 percent
    assert "customer reserve: 1604.00 US dollars must be on deposit by RC-000002 as of 2026-01-23" in text
    assert "pab reserve: 50.00 US dollars must be on deposit by RC-000002 as of 2026-01-23" in text


@pytest.mark.fault("E19")
def test_the_bare_install_computes_them_again(tmp_path: Path, firm: Firm) -> None:
    """Neither the verifier nor the mapping, no calendar, no database: what an auditor installs."""
    assert checked_alone(tmp_path, firm, bundle(record()), 23) == ("passed", 2)


def test_a_bundle_without_a_computation_says_so(tmp_path: Path, firm: Firm) -> None:
    report = verify(write(tmp_path, firm, sample_bundle()), firm.trusted)
    assert report.exit_code == 0
    assert check(report, 23).status is CheckStatus.NOT_REQUESTED
    assert "nothing of the reserve" in check(report, 23).detail
    only_accounts = verify(write(tmp_path, firm, bundle(), "b.zip"), firm.trusted)
    assert (only_accounts.exit_code, check(only_accounts, 23).compared) == (0, 1)


def reworded(change: Callable[[dict[str, object]], None]) -> ReserveComputationRecord:
    """A document that somebody changed, under a digest that fits it."""
    good = record()
    value = parse_canonical_object(good.document.encode())
    change(value)
    data = canonical_json(value)
    return replace(good, document=data.decode(), digest=hashlib.sha256(data).hexdigest())


def _lower_required(value: dict[str, object]) -> None:
    customer = value["customer"]
    assert isinstance(customer, dict)
    customer["required"] = "1"


def _other_input(value: dict[str, object]) -> None:
    stated = value["inputs"]
    assert isinstance(stated, dict)
    stated["method"] = "alternative"


def _no_inputs(value: dict[str, object]) -> None:
    del value["inputs"]


def _other_rules(value: dict[str, object]) -> None:
    value["rule_set"] = "15c3-3 of 2024-03-18"


def _other_policy(value: dict[str, object]) -> None:
    stated = value["inputs"]
    assert isinstance(stated, dict)
    policies = stated["policies"]
    assert isinstance(policies, list)
    del policies[0]


def _swept_below_zero(value: dict[str, object]) -> None:
    stated = value["inputs"]
    assert isinstance(stated, dict)
    stated["pab_swept"] = "-1"


def _no_such_day(value: dict[str, object]) -> None:
    stated = value["inputs"]
    assert isinstance(stated, dict)
    (policy,) = [each for each in stated["policies"] if each["name"] == "item_15_from"]
    policy["value"] = "2024-02-30"


def _beyond_all_digits(value: dict[str, object]) -> None:
    """Each amount can be read, and their sum cannot be written."""
    stated = value["inputs"]
    assert isinstance(stated, dict)
    for line in stated["customer"][:2]:
        line["cents"] = line["rows"][0]["cents"] = "9" * 4300


@pytest.mark.fault("D9", "D12")
@pytest.mark.parametrize(
    "change",
    [
        _lower_required, _other_input, _no_inputs, _other_rules, _other_policy,
        _swept_below_zero, _no_such_day, _beyond_all_digits,
    ],
)  # fmt: skip
def test_a_changed_document_is_refused_whatever_its_digest(
    tmp_path: Path, firm: Firm, change: Callable[[dict[str, object]], None]
) -> None:
    made = bundle(reworded(change))
    assert any("check 23" in reason for reason in refusals(made))
    report = verify(write(tmp_path, firm, made), firm.trusted)
    assert (report.exit_code, check(report, 23).status) == (1, CheckStatus.FAILED)


@pytest.mark.parametrize(
    ("computations", "words"),
    [
        ((replace(record(), digest="0" * 64),), "digest is not that of the document"),
        ((replace(record(), as_of=FRIDAY - timedelta(days=1)),), "day, scope or occasion"),
        ((replace(record(), scope=Scope.CUSTOMER),), "day, scope or occasion"),
        ((replace(record(), occasion=Occasion.EXTRA),), "day, scope or occasion"),
        ((record(2),), "RC-000001: left out"),
        ((record(1), record(3, cents=7, replaces=1)), "RC-000002: left out"),
        ((record(1), record(2, cents=7)), "stand beside each other"),
        ((record(1), record(2, cents=7, replaces=1), record(3, cents=8, replaces=1)), "RC-000001: replaced 2 times"),
        ((record(1), record(2, cents=7, replaces=3), record(3)), "RC-000002: replaces RC-000003"),
        ((record(1), record(2, cents=7, replaces=9)), "RC-000002: replaces RC-000009"),
        ((record(1), record(2, occasion=Occasion.TEST, replaces=1)), "no earlier one of its day and purpose"),
        ((record(1), replace(record(2, cents=7, replaces=1), recorded_at=RECORDED)), "not recorded after"),
        ((replace(record(), known_at=RECORDED + timedelta(hours=1)),), "times are not in order"),
        ((replace(record(), recorded_at=CREATED + timedelta(seconds=1)),), "times are not in order"),
        (
            (replace(record(), known_at=RECORDED - timedelta(days=3), recorded_at=RECORDED - timedelta(days=3)),),
            "closed",
        ),
        ((replace(record(), deposit_on=date(2026, 1, 31)),), "no banking day"),
        ((replace(record(), deposit_by=datetime(2026, 1, 29, tzinfo=UTC)),), "deadline is not on the day"),
    ],
)
def test_every_lie_beside_a_document_is_found(computations: tuple[ReserveComputationRecord, ...], words: str) -> None:
    found = [reason for reason in refusals(bundle(*computations)) if reason.startswith("check 23")]
    assert any(words in reason for reason in found), found


def test_a_record_refuses_what_cannot_be() -> None:
    for change in ({"compute_on": FRIDAY}, {"deposit_on": date(2026, 1, 26)}, {"reason": "x"}, {"replaces": "RC-1"}):
        with pytest.raises(InvalidValue):
            replace(record(), **change)


def refused(made: Bundle) -> list[str]:
    return [reason for reason in refusals(made) if reason.startswith("check 23")]


def test_a_known_deficit_has_its_open_case() -> None:
    short = bundle(record(), held=position(603_99))  # 1,000 credits less 400 of item 10 less 1 percent: 604.00
    assert any("customer reserve is short" in reason for reason in refused(short))
    assert refused(bundle(record(), held=position(604_00))) == []
    for case, passes in (
        (reserve_case("customer"), True),
        (reserve_case("customer", CaseStatus.PROPOSED), True),
        (reserve_case("customer", CaseStatus.CLOSED), False),
        (reserve_case("customer", kind="projected_reserve_deficit"), False),
        (reserve_case("pab"), False),
    ):
        assert (refused(replace(short, cases=[*short.cases, case])) == []) is passes, case


def test_what_is_not_known_is_no_deficit_and_is_said(tmp_path: Path, firm: Firm) -> None:
    report = verify(write(tmp_path, firm, bundle(record(), held=position(None))), firm.trusted)
    assert report.exit_code == 0
    assert "customer reserve: 0.00 count by the banks' statements the firm holds, not all of it known" in report_text(
        report
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"reserve_positions": ()}, "0 positions"),
        ({"reserve_positions": (recorded(position()), recorded(position(7)))}, "2 positions"),
        ({"reserve_positions": (replace(recorded(position()), digest="0" * 64),)}, "digest is not that"),
        ({"reserve_positions": (replace(recorded(position()), on=date(2026, 1, 31)),)}, "day is not that"),
        ({"reserve_positions": (recorded(position(on=date(2026, 1, 30))),)}, "not of the day"),
        ({"reserve_positions": (replace(recorded(position()), document="{}"),)}, "no stored position"),
    ],
)
def test_every_lie_about_a_position_is_found(change: dict[str, Any], words: str) -> None:
    found = refused(replace(bundle(record()), **change))
    assert any(words in reason for reason in found), found


@pytest.mark.fault("D12")
@pytest.mark.parametrize(
    "rewording",
    [
        (b'"cash":"500000","most"', b'"cash":"500001","most"'),
        (b'"affiliated":false', b'"affiliated":true'),
        (b'"affiliated":false', b'"affiliated":"no"'),
        (b'"cash":"500000","holdings"', b'"cash":"0500000","holdings"'),
        (b'"notified_on":"2025-01-02"', b'"notified_on":null'),
        (b'"purpose":"pab"', b'"purpose":"customer"'),
    ],
)
def test_a_position_is_what_its_statements_give(rewording: tuple[bytes, bytes]) -> None:
    document = position().canonical()
    assert read_position(document).canonical() == document
    assert rewording[0] in document
    with pytest.raises(ReserveError):
        read_position(document.replace(*rewording))


def test_every_kind_of_fact_comes_back() -> None:
    bill = ReserveHolding("T-1", SecurityKind.US_TREASURY, 7, CREATED.date())
    unpriced = ReserveHolding("T-2", SecurityKind.US_TREASURY, None, None)
    account = ReserveAccount("X", "other", ReserveClass.CUSTOMER, None, None, None, (bill, unpriced))
    found = position(accounts=(account,), banks=(Bank("other", True, None, None),))
    assert read_position(found.canonical()) == found
