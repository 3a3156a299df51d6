"""Check 22: the liabilities tree of a bundle, and every way to lie about it; statements and samples from a bundle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from exports.bundle import Bundle, bundle_digest
from exports.bundle_liabilities import read_liabilities
from exports.client_sample import client_sample
from exports.errors import BundleError, KeyRefused, LiabilityInvalid
from exports.firm_secret import create_secret, read_secret
from exports.inclusion import verify_statement
from exports.liabilities import LiabilityContext, line_digest, open_tree, summary, top_digest
from exports.liability_records import LiabilityRecord, LiabilityRootRecord, LiabilityTotalRecord
from exports.merkle_sum import Entry
from exports.records import Status
from exports.report import report_text
from exports.strictzip import write_zip
from tests.exports.sample import (
    CHAIN,
    ETH,
    FIRM_SECRET,
    POOL,
    USD,
    Firm,
    allocation,
    check,
    make_firm,
    not_passed,
    sample_bundle,
    signed_members,
    verify,
    with_liabilities,
    write,
)


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    return make_firm(tmp_path_factory.mktemp("firm"))


def rebuilt(bundle: Bundle, records: Sequence[LiabilityRecord], **changes: Any) -> Bundle:
    """A liar's bundle: trees, sums and root that fit the given records, whatever the allocations say."""
    totals = []
    for total in bundle.liability_totals:
        own = [record for record in records if record.asset_id == total.asset_id]
        with closing(open_tree(own, bytes.fromhex(total.padding_key or ""))) as tree:
            made = summary(total.asset_id, total.decimals, tree)
        difference = None if total.observed is None else total.observed - made.owed
        row = replace(total, positions=made.positions, owed=made.owed, height=made.height, root=made.root.hex())
        totals.append(replace(row, difference=difference, **changes))
    return replace(
        bundle, liabilities=records, liability_totals=totals, liability_roots=[root_over(bundle, totals, len(records))]
    )


def root_over(bundle: Bundle, totals: Sequence[LiabilityTotalRecord], positions: int) -> LiabilityRootRecord:
    context = LiabilityContext(bundle.firm.name, bundle.bundle_id, bundle.as_of)
    lines = [line_digest(t.asset_id, t.decimals, t.height, Entry(bytes.fromhex(t.root), t.owed)) for t in totals]
    return LiabilityRootRecord(top_digest(context, lines).hex(), len(totals), positions)


def of(record: LiabilityRecord, client: str, asset: str) -> bool:
    return (record.client_id, record.asset_id) == (client, asset)


def leave_out(bundle: Bundle) -> Bundle:
    return rebuilt(bundle, [r for r in bundle.liabilities if not of(r, "client-2", ETH)])


def owe_less(bundle: Bundle) -> Bundle:
    changed = [replace(r, base_units=1) if of(r, "client-2", ETH) else r for r in bundle.liabilities]
    return rebuilt(bundle, changed)


def add_a_stranger(bundle: Bundle) -> Bundle:
    extra = LiabilityRecord("client-9", "customer", ETH, 5, "9" * 64)
    return rebuilt(bundle, [*bundle.liabilities, extra])


def count_one_twice(bundle: Bundle) -> Bundle:
    twice = next(r for r in bundle.liabilities if of(r, "client-1", ETH))
    return rebuilt(bundle, [*bundle.liabilities, replace(twice, position_key="8" * 64)])


def share_a_key(bundle: Bundle) -> Bundle:
    one, *others = bundle.liabilities
    return rebuilt(bundle, [one, *(replace(r, position_key=one.position_key) for r in others)])


def total(**changes: Any) -> Callable[[Bundle], Bundle]:
    """A row of totals changed, and a root that fits it."""

    def change(bundle: Bundle) -> Bundle:
        totals = [replace(t, **changes) if t.asset_id == USD else t for t in bundle.liability_totals]
        root = root_over(bundle, totals, len(bundle.liabilities))
        return replace(bundle, liability_totals=totals, liability_roots=[root])

    return change


def drop_a_tree(bundle: Bundle) -> Bundle:
    totals = [t for t in bundle.liability_totals if t.asset_id == ETH]
    root = root_over(bundle, totals, len(bundle.liabilities))
    return replace(bundle, liability_totals=totals, liability_roots=[root])


def another_root(bundle: Bundle) -> Bundle:
    return replace(bundle, liability_roots=[replace(bundle.liability_roots[0], root="7" * 64)])


LIES: dict[str, Callable[[Bundle], Bundle]] = {
    "an owner left out": leave_out,
    "an owner owed less": owe_less,
    "an owner without allocation": add_a_stranger,
    "an owner counted twice": count_one_twice,
    "one key for all": share_a_key,
    "sum changed": total(owed=1, difference=None, observed=None),
    "root of the tree changed": total(root="6" * 64),
    "decimals changed": total(decimals=2),
    "height changed": total(height=5),
    "padding of another key": total(padding_key="5" * 64),
    "positions miscounted": total(positions=9),
    "debts hidden": total(below_zero=-5),
    "unread called observed": total(observed=1_090 * 10**6, difference=-60 * 10**6),
    "shortfall called matched": total(status="matched"),
    "skew hidden": total(skew_seconds=1),
    "no tree for an asset": drop_a_tree,
    "another root": another_root,
    "no root": lambda bundle: replace(bundle, liability_roots=[]),
    "two roots": lambda bundle: replace(
        bundle, liability_roots=[*bundle.liability_roots, replace(bundle.liability_roots[0], root="4" * 64)]
    ),
    "nothing at all": lambda bundle: replace(bundle, liabilities=[], liability_totals=[], liability_roots=[]),
}


@pytest.mark.fault("G17")
@pytest.mark.parametrize("name", LIES)
def test_a_lie_about_liabilities_is_refused_by_its_check_alone(name: str, tmp_path: Path, firm: Firm) -> None:
    bundle = LIES[name](sample_bundle())
    report = verify(write(tmp_path, firm, bundle), firm.trusted)
    assert not_passed(report) == [22], report_text(report)
    assert report.exit_code == 1


def test_the_honest_twin_passes_and_says_what_it_compared(tmp_path: Path, firm: Firm) -> None:
    bundle = sample_bundle()
    assert rebuilt(bundle, list(bundle.liabilities)) == bundle, "the liar's workshop makes the honest bundle too"
    report = verify(write(tmp_path, firm, bundle), firm.trusted)
    assert (check(report, 22).compared, report.exit_code) == (len(bundle.liabilities) + 2, 0)
    text = report_text(report)
    assert f"Liabilities root: {bundle.liability_roots[0].root} over 6 positions of 2 assets." in text
    assert f"ETH ({ETH}): owed 5.000000000000000012, on chain 5.000000000000000012: matched." in text
    assert f"USDX ({USD}): owed 1150.000000, on chain not all known: diverged." in text
    assert f"{CHAIN} is as of block 100, 0 s from the as-of moment" in text
    assert "That no owner was left out is not proven" in text
    assert report.bundle is not None
    assert report.to_dict()["bundle"]["liabilities_root"] == bundle.liability_roots[0].root  # type: ignore[index]


def test_a_debt_to_the_firm_lowers_nobody_elses_claim(tmp_path: Path, firm: Firm) -> None:
    """One owner below zero, the sum as before: what is owed is more than what is there, whatever the sum says."""
    bundle = sample_bundle()
    moved = [a for a in bundle.allocations if a.base_units != 12]
    debt = with_liabilities(
        replace(
            bundle,
            allocations=[*moved, allocation("client-1", POOL, ETH, 112), allocation("client-9", POOL, ETH, -100)],
            reconciliations=[
                replace(r, status=Status.DIVERGED) if (r.location, r.asset_id) == (POOL, ETH) else r
                for r in bundle.reconciliations
            ],
        )
    )
    row = next(t for t in debt.liability_totals if t.asset_id == ETH)
    assert (row.below_zero, row.difference, row.status) == (-100, -100, "diverged")
    assert row.below_zero is not None
    assert row.owed + row.below_zero == 5 * 10**18 + 12
    report = verify(write(tmp_path, firm, debt), firm.trusted)
    assert 22 not in not_passed(report)


def test_one_places_excess_does_not_hide_anothers_shortfall_in_the_row_of_an_asset() -> None:
    bundle = sample_bundle()
    records = [
        replace(r, observed=(r.observed or 0) + gap, difference=gap, status=Status.DIVERGED)
        for r, gap in zip(bundle.reconciliations[2:5:2], (5, -5), strict=True)
    ]
    changed = with_liabilities(replace(bundle, reconciliations=[bundle.reconciliations[0], *records]))
    row = next(t for t in changed.liability_totals if t.asset_id == ETH)
    assert (row.difference, row.status) == (0, "diverged")


def test_figures_of_another_moment_are_not_called_matched() -> None:
    bundle = sample_bundle()
    eth = [r for r in bundle.reconciliations if r.asset_id == ETH]

    def row(seconds: int) -> LiabilityTotalRecord:
        late = replace(bundle, as_of=bundle.as_of + timedelta(seconds=seconds), reconciliations=eth)
        return next(t for t in with_liabilities(late).liability_totals if t.asset_id == ETH)

    assert (row(900).status, row(900).skew_seconds) == ("matched", 900)
    assert (row(901).status, row(901).skew_seconds) == ("unverified", 901)


@pytest.mark.fault("E15")
def test_the_secret_is_in_no_bundle_and_each_export_is_the_same(tmp_path: Path, firm: Firm) -> None:
    data = write(tmp_path, firm, sample_bundle()).read_bytes()
    for form in (FIRM_SECRET, FIRM_SECRET.hex().encode(), FIRM_SECRET.hex().upper().encode()):
        assert form not in data
    key = sample_bundle().liabilities[0].position_key
    assert key is not None
    assert key.encode() in data, "the search would find what is there"
    assert bundle_digest(sample_bundle()) == bundle_digest(sample_bundle())


def test_statements_of_a_bundles_file_lead_to_its_root(tmp_path: Path, firm: Firm) -> None:
    bundle = sample_bundle()
    found = read_liabilities(write(tmp_path, firm, bundle))
    assert (found.root, found.digest) == (bundle.liability_roots[0].root, bundle_digest(bundle))
    assert found.client_ids == ["client-1", "client-2", "client-3"]
    statements = list(found.statements(found.client_ids))
    assert [verify_statement(each, found.root).exit_code for each in statements] == [0, 0, 0]
    owed = {(p.asset_id, p.base_units) for p in statements[0].positions}
    assert owed == {(ETH, 10**18 + 12), (USD, 400 * 10**6)}
    with pytest.raises(LiabilityInvalid, match="client-9"):
        list(found.statements(["client-9"]))


@pytest.mark.parametrize("name", ["root of the tree changed", "another root", "no root", "two roots"])
def test_a_bundle_that_lies_about_its_trees_gives_no_statement(name: str, tmp_path: Path, firm: Firm) -> None:
    path = write(tmp_path, firm, LIES[name](sample_bundle()))
    with pytest.raises(BundleError, match="root"):
        list(read_liabilities(path).statements(["client-1"]))


def test_a_changed_member_gives_nothing(tmp_path: Path, firm: Firm) -> None:
    members = signed_members(sample_bundle(), [firm.signer])
    members["records/liabilities.jsonl"] = members["records/liabilities.jsonl"].replace(b'"12"', b'"13"')
    members["records/liabilities.jsonl"] = members["records/liabilities.jsonl"].replace(b"client-1", b"client-7")
    with (tmp_path / "b.zip").open("wb") as file:
        write_zip(file, members)
    with pytest.raises(BundleError):
        read_liabilities(tmp_path / "b.zip")
    with pytest.raises(BundleError, match=r"gone\.zip"):
        read_liabilities(tmp_path / "gone.zip")


def test_the_draw_is_the_same_for_everybody_and_depends_on_bundle_and_seed() -> None:
    population = [f"client-{number}" for number in range(1000)]
    drawn = client_sample(population, "a" * 64, "8461", 25)
    assert len(set(drawn)) == 25
    assert set(drawn) <= set(population)
    assert client_sample(reversed(population), "a" * 64, "8461", 25) == drawn
    assert client_sample(population, "a" * 64, "8461", 60)[:25] == drawn, "a larger draw extends a smaller one"
    assert len(set(drawn) & set(client_sample(population, "b" * 64, "8461", 25))) < 10
    assert len(set(drawn) & set(client_sample(population, "a" * 64, "8462", 25))) < 10
    assert sorted(client_sample(population, "a" * 64, "x", 5000)) == sorted(population)
    hits = [client_sample(population[:10], "a" * 64, str(seed), 1)[0] for seed in range(1000)]
    assert all(60 < hits.count(client_id) < 150 for client_id in population[:10]), "each is as likely as another"


@pytest.mark.fault("E17")
def test_the_firms_secret_is_a_private_file_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "secret.hex"
    create_secret(path)
    assert path.stat().st_mode & 0o777 == 0o600
    secret = read_secret(path)
    assert len(secret) == 32
    with pytest.raises(KeyRefused, match="exists"):
        create_secret(path)
    assert read_secret(path) == secret
    path.chmod(0o640)
    with pytest.raises(KeyRefused, match="open to others"):
        read_secret(path)
    path.chmod(0o600)
    for content in ("", "ab" * 31, "zz" * 32, "ab" * 33):
        path.write_text(content)
        with pytest.raises(KeyRefused, match="64 hex digits") as caught:
            read_secret(path)
        assert content not in str(caught.value) or not content
    other = tmp_path / "other"
    create_secret(other)
    assert read_secret(other) != secret


def test_an_asset_that_is_owed_and_nowhere_to_be_found_has_a_row() -> None:
    bundle = sample_bundle()
    eth_only = [r for r in bundle.reconciliations if r.asset_id == ETH]
    changed = with_liabilities(replace(bundle, reconciliations=eth_only))
    row = next(t for t in changed.liability_totals if t.asset_id == USD)
    assert (row.observed, row.status, row.owed) == (None, "unverified", 1_150 * 10**6)
    elsewhere = with_liabilities(replace(bundle, allocations=[], reconciliations=eth_only))
    (row,) = elsewhere.liability_totals
    assert (row.owed, row.positions, row.height, row.status) == (0, 0, 0, "diverged")
