"""A whole bundle: accepted as written, refused by the check that should refuse it when anything is changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chains.types import AnchorEvidence, ChainId, LocationId, account_location
from exports.bundle import Bundle, bundle_digest, payload_members, write_bundle
from exports.manifest import MANIFEST_NAME
from exports.records import CaseStatus, CoverRecord, Status
from exports.report import report_text
from exports.verdict import CheckStatus
from exports.verify import NAMES
from tests.exports.sample import (
    CHAIN,
    ETH,
    NOW,
    OMNIBUS,
    USD,
    Edit,
    Firm,
    check,
    forge,
    make_firm,
    not_passed,
    pack,
    resign,
    review,
    sample_bundle,
    signed_members,
    verify,
    with_liabilities,
    write,
)


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    return make_firm(tmp_path_factory.mktemp("firm"))


@pytest.fixture(scope="module")
def members(firm: Firm) -> dict[str, bytes]:
    return signed_members(sample_bundle(), [firm.signer])


def test_a_good_bundle_passes_every_check_by_name(tmp_path: Path, firm: Firm) -> None:
    report = verify(write(tmp_path, firm, sample_bundle()), firm.trusted)
    assert report_text(report).count("passed") >= 15, report_text(report)
    assert [(c.number, c.name) for c in report.checks] == list(NAMES.items())
    assert all(c.status is CheckStatus.PASSED and c.compared > 0 for c in report.checks if c.number <= 15)
    assert {check(report, n).status for n in (16, 17)} == {CheckStatus.NOT_REQUESTED}
    assert report.exit_code == 0
    assert report.bundle is not None
    assert (report.bundle.matched, report.bundle.diverged, report.bundle.unverified) == (4, 1, 1)


def test_same_state_gives_the_same_payload_whatever_the_order(tmp_path: Path, firm: Firm) -> None:
    bundle = sample_bundle()
    shuffled = replace(bundle, balances=bundle.balances[::-1], allocations=bundle.allocations[::-1])
    assert payload_members(bundle)[1] == payload_members(shuffled)[1]
    first, second = (write_bundle(bundle, [firm.signer], tmp_path / f"{n}.zip") for n in (1, 2))
    assert first.digest == second.digest == bundle_digest(shuffled)
    changed = replace(bundle, bundle_id="bundle-0002")
    assert bundle_digest(changed) != first.digest


def _set(**values: Any) -> Edit:
    return lambda record: record.update(values)


def _uses(base_units: str) -> Edit:
    uses = [{"authorization_id": "auth-1", "base_units": base_units}]
    return lambda record: record.update(base_units=base_units, uses=uses)


def _nested(field: str, **values: Any) -> Edit:
    return lambda record: record[field].update(values)


def _pick(**where: Any) -> Callable[[dict[str, Any]], bool]:
    return lambda record: all(record[name] == value for name, value in where.items())


OMNIBUS_LOCATION = account_location(CHAIN, OMNIBUS)

LIES: dict[str, tuple[str, Callable[[dict[str, Any]], bool], Edit, int]] = {
    "unknown field": ("assets", _pick(asset_id=ETH), _set(note="x"), 5),
    "missing field": ("assets", _pick(asset_id=ETH), lambda r: r.pop("symbol"), 5),
    "amount as a number": ("balances", _pick(asset_id=ETH, address=OMNIBUS), _set(base_units=5), 5),
    "amount with leading zero": ("balances", _pick(asset_id=ETH, address=OMNIBUS), _set(base_units="05"), 5),
    "failed read with an amount": ("balances", _pick(status="failed"), _set(base_units="0"), 5),
    "URL in a reason": ("balances", _pick(status="failed"), _set(reason="GET https://node/key failed"), 5),
    "height as a string": ("sweeps", _pick(), _set(height="100"), 5),
    "time without zone": ("sweeps", _pick(), _set(block_time="2026-01-31T23:59:48.000000"), 5),
    "maker is checker": ("authorizations", _pick(), _set(approved_by="ops.maker"), 5),
    "maker is checker in other letters": ("authorizations", _pick(), _set(approved_by="Ops.Maker"), 5),
    "wallet of a balance unknown": ("balances", _pick(base_units="7"), _set(address="0x" + "12" * 20), 6),
    "asset of an allocation unknown": ("allocations", _pick(base_units="12"), _set(asset_id="iso4217:USD"), 6),
    "address in another spelling": ("wallets", _pick(address=OMNIBUS), _set(address="0x" + "Ab" * 20), 6),
    "authorization unknown": (
        "transfers",
        _pick(authorization_id="auth-1"),
        _set(authorization_id="auth-9", uses=[{"authorization_id": "auth-9", "base_units": "25"}]),
        6,
    ),
    "nearest authorization unknown": ("transfers", _pick(outcome="unauthorized"), _set(authorization_id="auth-9"), 6),
    "uses less than it moved": ("transfers", _pick(outcome="matched"), _set(base_units="24"), 5),
    "uses another than it names": ("transfers", _pick(outcome="matched"), _set(authorization_id=""), 5),
    "uses an authorization twice": (
        "transfers",
        _pick(outcome="matched"),
        _set(uses=[{"authorization_id": "auth-1", "base_units": units} for units in ("20", "5")]),
        5,
    ),
    "uses nothing of an authorization": (
        "transfers",
        _pick(outcome="matched"),
        _set(uses=[{"authorization_id": "auth-1", "base_units": units} for units in ("25", "0")]),
        5,
    ),
    "unauthorized, and uses an authorization": (
        "transfers",
        _pick(outcome="matched"),
        _set(outcome="unauthorized"),
        5,
    ),
    "matched without an authorization": ("transfers", _pick(outcome="matched"), _set(uses=[]), 14),
    "gas float in a token": ("allocations", _pick(is_gas_float=True), _set(asset_id=USD), 6),
    "claimed less than allocated": ("reconciliations", _pick(claimed="12"), _set(claimed="11"), 7),
    "allocation raised": ("allocations", _pick(base_units="12"), _set(base_units="13"), 7),
    "gas float raised": ("allocations", _pick(is_gas_float=True), _set(base_units=str(10**17)), 7),
    "observed raised": ("reconciliations", _pick(claimed="12"), _set(observed="13", difference="1"), 8),
    "failed read counted as zero": (
        "reconciliations",
        _pick(status="unverified"),
        _set(observed="0", difference=str(-50 * 10**6), status="diverged"),
        8,
    ),
    "balance raised": ("balances", _pick(base_units="7"), _set(base_units="8"), 8),
    "other rail": ("reconciliations", _pick(claimed="12"), _set(rail="cash"), 8),
    "shortfall called matched": ("reconciliations", _pick(status="diverged"), _set(status="matched"), 9),
    "shortfall called surplus": ("reconciliations", _pick(status="diverged"), _set(difference=str(10 * 10**6)), 9),
    "float fills the gap": ("reconciliations", _pick(status="diverged"), _set(gas_float_observed="-10000000"), 9),
    "stale claim": (
        "reconciliations",
        _pick(claimed="12"),
        _set(claimed_as_of="2026-01-31T20:00:00.000000Z"),
        9,
    ),
    "statement differs": (
        "reconciliations",
        lambda r: r["statement"] is not None,
        _nested("statement", base_units="999"),
        9,
    ),
    "stale statement": (
        "reconciliations",
        lambda r: r["statement"] is not None,
        _nested("statement", as_of="2026-01-30T00:00:00.000000Z"),
        9,
    ),
    "unverified without a reason": ("reconciliations", _pick(status="unverified"), _set(reason=""), 9),
    "client below zero": ("allocations", _pick(base_units="2000000000000000000"), _set(base_units="-1"), 9),
    "sweep counts one more": ("sweeps", _pick(), _set(matched=5, expected=7), 10),
    "sweep counts do not add up": ("sweeps", _pick(), _set(expected=7), 10),
    "case of the shortfall closed": ("cases", _pick(kind="shortfall"), _set(status="closed"), 11),
    "case of another asset": (
        "cases",
        _pick(kind="shortfall"),
        _set(covers=[{"asset_id": ETH, "location": "pool:main"}]),
        11,
    ),
    "case that covers nothing": ("cases", _pick(kind="shortfall"), _set(covers=[]), 11),
    "case of another kind": ("cases", _pick(kind="shortfall"), _set(kind="excess"), 11),
    "case without the transfer": ("cases", _pick(kind="unauthorized_transfer"), _set(tx_ids=[]), 11),
    "called proven": ("balances", _pick(base_units="7"), _set(grade="proven"), 12),
    "state proven without proof": ("balances", _pick(base_units="7"), _set(state="proven"), 24),
    "agreed by one operator": ("balances", _pick(base_units="7"), _set(anchor="agreed"), 12),
    "anchored by the auditor": ("balances", _pick(base_units="7"), _set(anchor="auditor"), 12),
    "balance of another block": ("balances", _pick(base_units="7"), _set(block_hash="0x" + "ee" * 32), 13),
    "balance of another height": ("balances", _pick(base_units="7"), _set(height=99), 13),
    "header said to be checked": ("sweeps", _pick(), _set(header_checked=False), 13),
    "node is no witness": ("balances", _pick(base_units="7"), _set(node_id="node-b"), 13),
    "sweep after the bundle": ("sweeps", _pick(), _set(finished_at="2026-02-03T00:00:00.000000Z"), 13),
    "transfer outside coverage": ("transfers", _pick(kind="native"), _set(height=79, block_hash="0x" + "cd" * 32), 14),
    "two blocks at one height": ("transfers", _pick(kind="native"), _set(block_hash="0x" + "cd" * 32), 14),
    "outgoing and never judged": ("transfers", _pick(outcome="unauthorized"), _set(outcome=None), 14),
    "matched beyond its amount": ("transfers", _pick(outcome="matched"), _uses("26"), 14),
    "matched to another destination": ("transfers", _pick(outcome="matched"), _set(receiver="0x" + "9" * 40), 14),
    "approved afterwards": ("authorizations", _pick(), _set(approved_at="2026-01-31T23:59:00.000000Z"), 14),
    "matched after expiry": ("authorizations", _pick(), _set(valid_until="2026-01-31T23:00:00.000000Z"), 14),
    "matched over the fee": ("transfers", _pick(kind="fee"), _set(base_units="30001"), 14),
    "coverage ends early": ("sweeps", _pick(), _set(coverage_last=95), 14),
}


@pytest.mark.fault("E20", "G1", "G12", "E16", "D1")
@pytest.mark.parametrize("name", LIES)
def test_a_lie_that_is_properly_signed_is_refused_by_its_check(
    name: str, tmp_path: Path, firm: Firm, members: dict[str, bytes]
) -> None:
    kind, wanted, edit, number = LIES[name]
    assert name
    path = tmp_path / "bundle.zip"
    path.write_bytes(forge(members, kind, wanted, edit, [firm.signer]))
    report = verify(path, firm.trusted)
    assert check(report, 3).status is CheckStatus.PASSED
    assert check(report, number).status is CheckStatus.FAILED, report_text(report)
    assert not [n for n in not_passed(report) if n < min(number, 6)], report_text(report)
    assert report.exit_code == 1


@pytest.mark.fault("E2")
def test_members_added_removed_renamed_or_emptied_are_refused(
    tmp_path: Path, firm: Firm, members: dict[str, bytes]
) -> None:
    cases = "records/cases.jsonl"
    without = {name: data for name, data in members.items() if name != cases}
    for changed in (
        {**members, "records/notes.jsonl": b""},
        {**members, "readme.txt": b"hello"},
        without,
        {**without, "records/case.jsonl": members[cases]},
        {**members, cases: b""},
        {**members, cases: members[cases] * 2},
    ):
        path = tmp_path / "bundle.zip"
        path.write_bytes(pack(changed))
        report = verify(path, firm.trusted)
        assert check(report, 4).status is CheckStatus.FAILED
        assert check(report, 5).status is CheckStatus.NOT_POSSIBLE  # its content was not used
        assert check(report, 5).detail == "rests on check 4"
        assert report.exit_code == 1


@pytest.mark.fault("E20")
@pytest.mark.parametrize(
    ("edit", "status"),
    [
        (_set(format_version=2), CheckStatus.NOT_POSSIBLE),
        (_set(format_version=0), CheckStatus.FAILED),
        (_set(format_version=True), CheckStatus.FAILED),
        (_set(format="another"), CheckStatus.FAILED),
        (_set(extra=1), CheckStatus.FAILED),
        (lambda m: m.pop("withheld"), CheckStatus.FAILED),
        (lambda m: m["members"].pop(), CheckStatus.FAILED),
        (_set(sequence=2), CheckStatus.FAILED),
        (_set(as_of_skew_seconds_max=10**9), CheckStatus.FAILED),
    ],
)
def test_a_manifest_of_another_version_or_schema_is_refused(
    edit: Edit, status: CheckStatus, tmp_path: Path, firm: Firm, members: dict[str, bytes]
) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(resign(members, [firm.signer], edit))
    report = verify(path, firm.trusted)
    assert check(report, 2).status is status
    assert report.exit_code == (2 if status is CheckStatus.NOT_POSSIBLE else 1)
    assert report.bundle is None


@pytest.mark.fault("E12")
def test_a_manifest_that_is_signed_but_not_canonical_is_refused(
    tmp_path: Path, firm: Firm, members: dict[str, bytes]
) -> None:
    from exports.envelope import sign_manifest

    spaced = members[MANIFEST_NAME].replace(b'","', b'", "', 1)
    path = tmp_path / "bundle.zip"
    kept = {name: data for name, data in members.items() if not name.startswith("signatures/")}
    path.write_bytes(pack({**kept, MANIFEST_NAME: spaced, **sign_manifest(spaced, [firm.signer]).members}))
    assert check(verify(path, firm.trusted), 2).status is CheckStatus.FAILED


@pytest.mark.fault("G2", "G8")
def test_comparing_nothing_is_never_a_pass(tmp_path: Path, firm: Firm) -> None:
    empty = replace(
        sample_bundle(), balances=(), allocations=(), reconciliations=(), transfers=(), cases=(), sweeps=(), pools=(),
        control_reviews=(), controls=(), grants=(),
    )  # fmt: skip
    report = verify(write(tmp_path, firm, with_liabilities(empty)), firm.trusted)
    assert check(report, 22).status is CheckStatus.NOT_POSSIBLE
    assert {n for n in range(7, 15) if check(report, n).status is CheckStatus.NOT_POSSIBLE} == set(range(7, 15))
    assert (report.exit_code, report.verified) == (2, False)


def test_a_chain_swept_for_nothing_beside_a_good_one_is_not_a_pass(tmp_path: Path, firm: Firm) -> None:
    bundle = sample_bundle()
    idle = replace(bundle.sweeps[0], sweep_id="s2", chain_id=ChainId("eip155:1"))
    idle = replace(idle, expected=0, matched=0, diverged=0, unverified=0)
    reviewed = replace(review(0), sweep_id="s2", chain_id=ChainId("eip155:1"))
    both = replace(bundle, sweeps=(*bundle.sweeps, idle), control_reviews=(*bundle.control_reviews, reviewed))
    report = verify(write(tmp_path, firm, both), firm.trusted)
    assert check(report, 10).status is CheckStatus.NOT_POSSIBLE
    assert report.exit_code == 2


def test_balances_nobody_reconciled_and_allocations_nobody_compared_are_found(tmp_path: Path, firm: Firm) -> None:
    bundle = sample_bundle()
    without = tuple(r for r in bundle.reconciliations if r.claimed != 12)
    sweep = replace(bundle.sweeps[0], expected=5, matched=3)
    changed = with_liabilities(replace(bundle, reconciliations=without, sweeps=(sweep,)))
    assert not_passed(verify(write(tmp_path, firm, changed), firm.trusted)) == [7, 8]


@pytest.mark.fault("G9")
def test_a_wallet_in_two_pools_is_counted_twice_and_found(tmp_path: Path, firm: Firm) -> None:
    bundle = sample_bundle()
    second = replace(bundle.pools[0], pool_id="other")
    twin = replace(bundle.reconciliations[4], location=LocationId("pool:other"), claimed=5, observed=5)
    owned = replace(bundle.allocations[7], location=LocationId("pool:other"), base_units=5)
    report = verify(
        write(
            tmp_path,
            firm,
            with_liabilities(
                replace(
                    bundle,
                    pools=(*bundle.pools, second),
                    reconciliations=(*bundle.reconciliations, twin),
                    allocations=(*bundle.allocations, owned),
                    sweeps=(replace(bundle.sweeps[0], expected=7, matched=5),),
                )
            ),
        ),
        firm.trusted,
    )
    assert not_passed(report) == [8]


@pytest.mark.parametrize(("excess", "passes"), [(9_999, True), (10_000, False)])
def test_dust_may_share_the_chains_case_and_nothing_larger_may(
    excess: int, passes: bool, tmp_path: Path, firm: Firm
) -> None:
    bundle = sample_bundle()
    index = 1
    record = bundle.reconciliations[index]
    assert record.observed is not None
    assert record.statement is not None
    more = replace(
        record,
        observed=record.observed + excess,
        difference=excess,
        status=Status.DIVERGED,
        statement=replace(record.statement, base_units=record.observed + excess),
    )
    covers = (CoverRecord(record.location, USD), CoverRecord(LocationId("pool:main"), USD))
    shared = replace(bundle.cases[0], case_id="dust", kind="unallocated_balance", location=LocationId(CHAIN))
    shared = replace(shared, covers=covers)
    changed = replace(
        bundle,
        balances=tuple(
            replace(b, base_units=record.observed + excess) if (b.address, b.asset_id) == (OMNIBUS, USD) else b
            for b in bundle.balances
        ),
        reconciliations=(bundle.reconciliations[0], more, *bundle.reconciliations[2:]),
        cases=(*bundle.cases, shared),
        sweeps=(replace(bundle.sweeps[0], matched=3, diverged=2),),
    )
    report = verify(write(tmp_path, firm, changed), firm.trusted)
    assert not_passed(report) == ([] if passes else [11]), report_text(report)


def test_a_transfers_case_may_be_closed_and_two_operators_may_agree(tmp_path: Path, firm: Firm) -> None:
    bundle = sample_bundle()
    sweep = bundle.sweeps[0]
    agreed = replace(sweep, witnesses=(*sweep.witnesses, replace(sweep.witnesses[0], node_id="b", operator="B Ltd")))
    changed = replace(
        bundle,
        cases=(*bundle.cases[:2], replace(bundle.cases[2], status=CaseStatus.CLOSED), *bundle.cases[3:]),
        balances=tuple(replace(balance, anchor=AnchorEvidence.AGREED) for balance in bundle.balances),
        sweeps=(agreed,),
    )
    assert not_passed(verify(write(tmp_path, firm, changed), firm.trusted)) == []


@pytest.mark.fault("E11")
def test_an_old_bundle_is_not_todays(tmp_path: Path, firm: Firm) -> None:
    first = write_bundle(sample_bundle(), [firm.signer], tmp_path / "1.zip")
    following = replace(sample_bundle(), sequence=2, previous_digest=first.digest, bundle_id="bundle-0002")
    second = write(tmp_path, firm, following, "2.zip")
    other = write(tmp_path, firm, replace(following, previous_digest="1" * 64), "3.zip")
    assert check(verify(second, firm.trusted, after=(1, first.digest)), 15).status is CheckStatus.PASSED
    assert check(verify(first.path, firm.trusted, after=(1, first.digest)), 15).status is CheckStatus.FAILED
    assert check(verify(other, firm.trusted, after=(1, first.digest)), 15).status is CheckStatus.FAILED
    assert check(verify(second, firm.trusted, after=(1, first.digest)), 15).compared == 2


@pytest.mark.fault("E11")
def test_a_bundle_between_that_was_not_given_is_named(tmp_path: Path, firm: Firm) -> None:
    later = replace(sample_bundle(), sequence=4, previous_digest="1" * 64, bundle_id="bundle-0004")
    found = check(verify(write(tmp_path, firm, later), firm.trusted, after=(1, "2" * 64)), 15)
    assert (found.status, found.compared) == (CheckStatus.PASSED, 1)
    assert "bundles 2 to 3 lie between and were not given" in found.detail


def test_what_is_no_bundle_at_all_could_not_be_checked(tmp_path: Path, firm: Firm) -> None:
    for name, data in (("missing", None), ("empty", b""), ("text", b"hello")):
        path = tmp_path / name
        if data is not None:
            path.write_bytes(data)
        report = verify(path, firm.trusted)
        assert report.exit_code == 2
        assert [c.number for c in report.checks] == list(NAMES)
        assert str(tmp_path) not in report_text(report)


def test_contradiction_leads_over_what_could_not_be_checked(
    tmp_path: Path, firm: Firm, members: dict[str, bytes]
) -> None:
    path = tmp_path / "bundle.zip"
    path.write_bytes(forge(members, "sweeps", _pick(), _set(expected=7), [firm.signer]))
    report = verify(path, firm.trusted, now=NOW + timedelta(days=365))
    assert (check(report, 3).status, check(report, 10).status) == (CheckStatus.NOT_POSSIBLE, CheckStatus.FAILED)
    assert report.exit_code == 1
    counts = report.to_dict()["counts"]
    assert isinstance(counts, dict)
    assert (counts["failed"], counts["not_possible"]) == (1, 1)


def test_the_report_is_the_same_for_programs_and_people(tmp_path: Path, firm: Firm) -> None:
    path = write(tmp_path, firm, sample_bundle())
    report = verify(path, firm.trusted)
    assert report_text(report) == report_text(verify(path, firm.trusted))
    assert report.to_dict()["verified"] is True
    text = report_text(report)
    assert f"VERIFIED: 18 checks passed, {len(NAMES) - 18} not requested." in text
    assert "origin, not truth" in text


def test_a_bundle_refuses_records_of_another_kind_or_given_twice(tmp_path: Path, firm: Firm) -> None:
    from exports.errors import RecordInvalid

    bundle: Bundle = sample_bundle()
    with pytest.raises(RecordInvalid):
        payload_members(replace(bundle, assets=(*bundle.assets, bundle.assets[0])))
    with pytest.raises(RecordInvalid):
        payload_members(replace(bundle, assets=bundle.wallets))  # type: ignore[arg-type]
    with pytest.raises(RecordInvalid, match="URL"):
        payload_members(replace(bundle, balances=(replace(bundle.balances[0], node_id="http://node/key"),)))


def test_several_statements_and_long_texts_are_carried_and_longer_ones_refused(tmp_path: Path, firm: Firm) -> None:
    from exports.errors import RecordInvalid

    bundle = sample_bundle()
    record = bundle.reconciliations[1]
    assert record.statement is not None
    several = replace(record, statement=replace(record.statement, statement_id="st-1, st-2", stated_by="A, B"))
    rest = (bundle.reconciliations[0], *bundle.reconciliations[2:])
    cases = (*bundle.cases, replace(bundle.cases[0], case_id="case-9", text="\U0001f600" * 10_000))
    path = write(tmp_path, firm, replace(bundle, reconciliations=(several, *rest), cases=cases))
    assert verify(path, firm.trusted).exit_code == 0
    for wrong in (
        replace(cases[-1], text="x" * 10_001),
        replace(cases[-1], tx_ids=tuple(f"{number:0200}" for number in range(90_000))),
    ):
        with pytest.raises(RecordInvalid, match="longer than"):
            payload_members(replace(bundle, cases=(wrong,)))
