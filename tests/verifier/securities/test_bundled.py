"""Positions at custodians in the auditor's bundle: the newest comparison, and the cases of what differs."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from exports.report import report_text
from mapping.custodian_types import CustodianAccount, HeldFor
from mapping.types import AccountClass, Allocation, AssetRecord, LegalClass, Position, PositionSource
from tests.verifier.issuer import Issuer, refused
from tests.verifier.reserve.firm import say
from tests.verifier.securities.make import AAPL, DTC
from tests.verifier.sweep.memory import MemoryDesk, swept_desk
from verifier.errors import BundleRefused
from verifier.securities_rail import Reconciled, newest_day, reconcile
from verifier.store import Store


@pytest.fixture
def desk(sqlite_store: Store, tmp_path: Path) -> MemoryDesk:
    """A firm whose one wallet is as the books say, after a sweep."""
    return swept_desk(sqlite_store, tmp_path)


def compare(desk: MemoryDesk, issuer: Issuer, stated: int, number: int = 1) -> Reconciled:
    """What the books say at DTC, what DTC states, and the comparison of the last business day."""
    day = newest_day(issuer.settings, desk.now())
    at = datetime(day.year, day.month, day.day, 20, tzinfo=UTC)
    known = date(2025, 1, 2)
    say(
        desk.store,
        desk.now(),
        [
            AssetRecord(AAPL, LegalClass.SECURITY, known, "Memo"),
            CustodianAccount(DTC, known, "DTC", "0123", HeldFor.BOTH, "The firm", "USD", None, "Agreement"),
            Allocation("C-1", AccountClass.CUSTOMER, DTC, AAPL.asset_id, 10, at),
            Position(
                DTC, AAPL.asset_id, stated, at + timedelta(minutes=number), PositionSource.DTC, "DTC", f"S-{number}"
            ),
        ],
    )
    return reconcile(desk.store, issuer.settings, day, "ops.maker", desk.now())


def records(path: Path, kind: str) -> list[dict[str, Any]]:
    with zipfile.ZipFile(path) as file:
        return [json.loads(line) for line in file.read(f"records/{kind}.jsonl").splitlines()]


def test_the_newest_comparison_is_in_the_bundle(desk: MemoryDesk, tmp_path: Path) -> None:
    issuer = Issuer.of(tmp_path, desk)
    found = compare(desk, issuer, 10)
    assert (found.exit_code, found.run.expected, found.run.matched) == (0, 1, 1)
    written = issuer.issue()
    report = issuer.verify(written.path)
    assert refused(report) == {}
    assert next(check.compared for check in report.checks if check.number == 28) == 1
    assert "1 positions, 1 matched, 0 diverged, 0 unverified" in report_text(report)
    assert [row["run_id"] for row in records(written.path, "securities_runs")] == ["SR-000001"]


def test_a_difference_is_issued_with_its_case_and_refused_once_it_is_closed(desk: MemoryDesk, tmp_path: Path) -> None:
    issuer = Issuer.of(tmp_path, desk)
    (case,) = compare(desk, issuer, 9).cases
    written = issuer.issue()
    assert refused(issuer.verify(written.path)) == {}
    (row,) = (row for row in records(written.path, "cases") if row["rail"] == "securities")
    assert (row["kind"], row["location"]) == ("shortfall", "dtc:0123")
    assert row["covers"] == [{"location": "dtc:0123", "asset_id": AAPL.asset_id}]
    written.path.rename(tmp_path / "first.zip")
    desk.store.propose(case.case_id, "DTC corrects it", "ops.maker", desk.now())
    desk.store.approve(case.case_id, "seen", "ops.checker", desk.now())
    with pytest.raises(BundleRefused, match="no open case of kind shortfall"):
        issuer.issue()
    compare(desk, issuer, 10, number=2)
    assert refused(issuer.verify(issuer.issue().path)) == {}
