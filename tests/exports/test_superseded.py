"""A bundle that a later reorganisation touched is named by the next one, and nothing of that block is used again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from chains.types import ChainId
from exports.bundle import Bundle
from exports.report import report_text
from exports.superseded import SupersededBundleRecord
from exports.verdict import VerificationReport
from tests.exports.sample import (
    BLOCK_HASH,
    CHAIN,
    CREATED,
    Firm,
    check,
    make_firm,
    not_passed,
    sample_bundle,
    verify,
    with_liabilities,
    write,
)

FIRST, SECOND, GONE = "11" * 32, "22" * 32, "0x" + "dd" * 32
RECORD = SupersededBundleRecord("bundle-0002", 2, SECOND, CHAIN, 99, GONE, CREATED)
OLDER = SupersededBundleRecord("bundle-0001", 1, FIRST, CHAIN, 98, "0x" + "ee" * 32, CREATED)


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    return make_firm(tmp_path_factory.mktemp("firm"))


def third(*records: SupersededBundleRecord) -> Bundle:
    """The firm's third bundle, which names these."""
    changed = replace(sample_bundle(), bundle_id="bundle-0003", sequence=3, previous_digest=SECOND)
    return with_liabilities(replace(changed, superseded_bundles=records))


def read(folder: Path, firm: Firm, bundle: Bundle, after: tuple[int, str] | None = None) -> VerificationReport:
    return verify(write(folder, firm, bundle), firm.trusted, after=after)


@pytest.mark.fault("G19")
def test_the_next_bundle_names_the_one_that_no_longer_holds(tmp_path: Path, firm: Firm) -> None:
    report = read(tmp_path, firm, third(RECORD, OLDER))
    assert report.verified
    assert check(report, 15).compared == 3
    assert report.bundle is not None
    assert [line[:8] for line in report.bundle.superseded] == ["Bundle 1", "Bundle 2"]
    assert f"Bundle 2 ({SECOND[:12]}…) is superseded on {CHAIN}" in report_text(report)
    # the reader who has it is told so where the two are compared
    assert (
        "bundle 2, which you have, is superseded" in check(read(tmp_path, firm, third(RECORD), (2, SECOND)), 15).detail
    )
    nothing = read(tmp_path, firm, third())
    assert nothing.verified
    assert check(nothing, 15).compared == 1
    assert "superseded" not in report_text(nothing)


def on_another_chain(record: SupersededBundleRecord) -> SupersededBundleRecord:
    return replace(record, chain_id=ChainId("eip155:1"))


@pytest.mark.fault("G19", "E11")
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda r: [replace(r, sequence=3)], "no earlier bundle"),
        (lambda r: [replace(r, sequence=4)], "no earlier bundle"),
        (lambda r: [replace(r, digest=FIRST)], "another digest"),
        (lambda r: [replace(r, block_hash=BLOCK_HASH)], "uses the block"),
        (lambda r: [replace(r, block_hash="0x" + "cc" * 32)], "uses the block"),  # of a transfer
        (lambda r: [replace(r, found_at=CREATED + timedelta(microseconds=1))], "found after"),
        (lambda r: [r, replace(r, height=98)], "named twice"),
        (lambda r: [r, replace(on_another_chain(r), bundle_id="bundle-0009")], "two bundles of one number"),
    ],
)
def test_what_contradicts_is_refused_by_check_15(
    change: Callable[[SupersededBundleRecord], list[SupersededBundleRecord]], says: str, tmp_path: Path, firm: Firm
) -> None:
    report = read(tmp_path, firm, third(*change(RECORD)))
    assert not_passed(report) == [15]
    assert says in check(report, 15).problems[0]


def test_two_chains_of_one_bundle_may_be_named(tmp_path: Path, firm: Firm) -> None:
    assert read(tmp_path, firm, third(RECORD, on_another_chain(RECORD))).verified


def test_the_bundle_that_the_reader_has_is_the_one_that_is_named(tmp_path: Path, firm: Firm) -> None:
    assert read(tmp_path, firm, third(OLDER), (1, FIRST)).verified
    assert not_passed(read(tmp_path, firm, third(OLDER), (1, "33" * 32))) == [15]


def test_the_first_bundle_names_none(tmp_path: Path, firm: Firm) -> None:
    first = replace(sample_bundle(), superseded_bundles=(replace(RECORD, sequence=1),))
    assert not_passed(read(tmp_path, firm, first)) == [15]
