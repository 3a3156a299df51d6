"""The reserve in the auditor's bundle: computations, accounts and the cases of their deficits."""

from __future__ import annotations

import json
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from exports.report import report_text
from exports.reserve.computation import Occasion, Scope
from mapping import reserve_types as stated
from tests.verifier.issuer import Issuer, refused
from tests.verifier.reserve.firm import PAB, account, capital, cash, items, say
from tests.verifier.sweep.memory import MemoryDesk, swept_desk
from verifier.errors import BundleRefused
from verifier.reserve_cases import look
from verifier.reserve_inputs import firm_calendar
from verifier.reserve_rail import compute_and_record
from verifier.store import Store


@pytest.fixture
def desk(sqlite_store: Store, tmp_path: Path) -> MemoryDesk:
    """A firm whose one wallet is as the books say, after a sweep."""
    return swept_desk(sqlite_store, tmp_path)


def state(desk: MemoryDesk, issuer: Issuer, *, required: int, held: int) -> None:
    """Lines, accounts and filings of the last business day, and its computation."""
    calendar, _ = firm_calendar(issuer.settings)
    day = calendar.on_or_before(desk.now().date() - timedelta(days=2))
    known = date(2025, 1, 2)
    accounts = [
        account("C", effective_from=known, call_report_on=day),
        account("P", PAB, effective_from=known, call_report_on=day),
    ]
    month = stated.FocusMonthEnd(day.replace(day=1) - timedelta(days=1), 0, 0, day, "FOCUS")
    method = stated.FirmCapital(day, capital().method, 1, 1, 1, "net capital")
    say(
        desk.store,
        desk.now(),
        [*items({1: required}, as_of=day), *accounts, cash("C", held, day), cash("P", 0, day), method, month],
    )
    compute_and_record(desk.store, issuer.settings, day, Scope.BOTH, Occasion.EXTRA, "ops.maker", desk.now())


def records(path: Path, kind: str) -> list[dict[str, Any]]:
    with zipfile.ZipFile(path) as file:
        return [json.loads(line) for line in file.read(f"records/{kind}.jsonl").splitlines()]


def test_a_funded_reserve_is_in_the_bundle(desk: MemoryDesk, tmp_path: Path) -> None:
    issuer = Issuer.of(tmp_path, desk)
    state(desk, issuer, required=1_000_00, held=1_000_00)
    written = issuer.issue()
    report = issuer.verify(written.path)
    assert refused(report) == {}
    assert next(check.compared for check in report.checks if check.number == 23) == 2
    assert "customer reserve: 1000.00 US dollars must be on deposit by RC-000001" in report_text(report)
    assert "customer reserve: 1000.00 count" in report_text(report)
    assert [row["computation_id"] for row in records(written.path, "reserve_computations")] == ["RC-000001"]


def test_a_deficit_is_issued_with_its_case_and_not_without(desk: MemoryDesk, tmp_path: Path) -> None:
    issuer = Issuer.of(tmp_path, desk)
    state(desk, issuer, required=1_000_00, held=999_99)
    with pytest.raises(BundleRefused, match="no open case of kind reserve_deficit"):
        issuer.issue()
    look(desk.store, issuer.settings, "ops.maker", desk.now())
    written = issuer.issue()
    assert refused(issuer.verify(written.path)) == {}
    (case,) = (case for case in records(written.path, "cases") if case["rail"] == "cash")
    assert (case["kind"], case["location"], case["status"]) == ("reserve_deficit", "bank:reserve-customer", "open")
    assert "short by 0.01" in case["text"]


def test_a_firm_that_states_nothing_has_nothing_in_it(desk: MemoryDesk, tmp_path: Path) -> None:
    issuer = Issuer.of(tmp_path, desk)
    written = issuer.issue()
    assert refused(issuer.verify(written.path)) == {}
    assert records(written.path, "reserve_computations") == records(written.path, "reserve_positions") == []
