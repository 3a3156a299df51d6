"""What changed between two bundles of a firm: each change found, each contradiction named, nothing hidden."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from chains.types import ReadStatus, StateEvidence
from exports.bundle import Bundle
from exports.contents import Contents
from exports.difference import FOLLOWED, Change, Difference, difference, difference_lines
from exports.manifest import Withheld
from exports.records import RECORD_TYPES, FirmRecord, JournalHeadRecord
from exports.verify import verified_contents
from tests.exports.sample import NOW, OMNIBUS, USD, Firm, make_firm, sample_bundle, write


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    return make_firm(tmp_path_factory.mktemp("firm"))


def contents_of(folder: Path, firm: Firm, bundle: Bundle, name: str = "bundle.zip") -> Contents:
    report, contents = verified_contents(write(folder, firm, bundle, name), firm.trusted, now=NOW)
    assert contents is not None, report
    return contents


def pair(folder: Path, firm: Firm, change: Callable[[Bundle], Bundle]) -> Difference:
    """From the sample to the bundle after it, changed."""
    older = contents_of(folder, firm, sample_bundle(), "older.zip")
    digest = difference(older, older).older[1]
    follows = replace(sample_bundle(), sequence=2, previous_digest=digest, bundle_id="bundle-0002")
    return difference(older, contents_of(folder, firm, change(follows), "newer.zip"))


def test_every_followed_field_is_a_field_of_its_record() -> None:
    for kind, followed in FOLLOWED.items():
        names = {field.name for field in dataclasses.fields(RECORD_TYPES[kind])}
        assert {*followed.key, *followed.fields} <= names, kind
        assert followed.key


def test_a_bundle_with_the_same_figures_changes_nothing(tmp_path: Path, firm: Firm) -> None:
    found = pair(tmp_path, firm, lambda bundle: bundle)
    assert (found.problems, found.changes, found.weaker) == ((), (), ())
    assert list(difference_lines(found))[-1] == "  no figure changed"


def test_what_came_went_and_changed_is_told_with_both_figures(tmp_path: Path, firm: Firm) -> None:
    def edit(bundle: Bundle) -> Bundle:
        balances = tuple(
            replace(each, base_units=7) if (each.address, each.asset_id) == (OMNIBUS, USD) else each
            for each in bundle.balances
        )
        return replace(bundle, balances=balances, wallets=bundle.wallets[1:], cases=())

    found = pair(tmp_path, firm, edit)
    balance = next(change for change in found.changes if change.kind == "balances")
    assert balance == Change(
        "balances", (OMNIBUS_CHAIN, OMNIBUS, USD), "changed", {"base_units": str(1_000 * 10**6)}, {"base_units": "7"}
    )
    assert [(c.kind, c.what) for c in found.changes if c.kind == "wallets"] == [("wallets", "removed")]
    assert {c.what for c in found.changes if c.kind == "cases"} == {"removed"}
    text = "\n".join(difference_lines(found))
    assert f"~ {OMNIBUS_CHAIN} {OMNIBUS} {USD}: base_units 1000000000 -> 7" in text
    assert ("wallets", 4, 3) in found.counts


def test_weaker_evidence_is_told_apart_from_stronger(tmp_path: Path, firm: Firm) -> None:
    def stated(bundle: Bundle) -> Bundle:
        worse = tuple(
            replace(each, state=StateEvidence.STATED, grade=StateEvidence.STATED)
            if (each.address, each.asset_id) == (OMNIBUS, USD)
            else each
            for each in bundle.balances
        )
        return replace(bundle, balances=worse)

    def unread(bundle: Bundle) -> Bundle:
        gone = tuple(
            replace(each, base_units=None, status=ReadStatus.FAILED, reason="state-unavailable: pruned")
            if (each.address, each.asset_id) == (OMNIBUS, USD)
            else each
            for each in bundle.balances
        )
        return replace(bundle, balances=gone)

    assert pair(tmp_path, firm, stated).weaker == (f"{OMNIBUS_CHAIN} {OMNIBUS} {USD}: read before, stated now",)
    assert pair(tmp_path, firm, unread).weaker == (f"{OMNIBUS_CHAIN} {OMNIBUS} {USD}: read before, not read now",)
    weak = contents_of(tmp_path, firm, stated(sample_bundle()), "weak.zip")
    assert not difference(weak, contents_of(tmp_path, firm, sample_bundle(), "strong.zip")).weaker


def test_what_is_newly_withheld_is_said(tmp_path: Path, firm: Firm) -> None:
    found = pair(tmp_path, firm, lambda b: replace(b, withheld=(Withheld("prices", "not asked for"),)))
    assert found.newly_withheld == ("prices: not asked for",)
    assert found.no_longer_withheld == ("client names: clients appear by id",)


CONTRADICTIONS: dict[str, tuple[Callable[[Bundle], Bundle], str]] = {
    "another firm": (lambda b: replace(b, firm=FirmRecord("Other LLC", "")), "the firm was"),
    "follows another": (lambda b: replace(b, previous_digest="ab" * 32), "does not follow this bundle 1"),
    "the same number": (lambda b: replace(b, sequence=1, previous_digest=None), "two different bundles 1"),
    "a shorter journal": (lambda b: replace(b, journal=JournalHeadRecord(41, "0" * 64)), "the journal had 42"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_what_no_later_bundle_can_say_is_a_contradiction(name: str, tmp_path: Path, firm: Firm) -> None:
    edit, reason = CONTRADICTIONS[name]
    found = pair(tmp_path, firm, edit)
    assert len(found.problems) == 1
    assert reason in found.problems[0]
    assert "CONTRADICTION" in "\n".join(difference_lines(found))


def test_an_older_bundle_is_not_later_and_a_gap_is_noted(tmp_path: Path, firm: Firm) -> None:
    older = contents_of(tmp_path, firm, sample_bundle(), "older.zip")
    later = replace(sample_bundle(), sequence=5, previous_digest="ab" * 32)
    newer = contents_of(tmp_path, firm, later, "newer.zip")
    assert difference(newer, older).problems == ("bundle 1 is not later than bundle 5",)
    assert difference(older, newer).notes == ("3 bundles lie between the two; ask for them",)
    assert difference(older, older).notes == ("both are the same bundle",)


OMNIBUS_CHAIN = sample_bundle().sweeps[0].chain_id
