"""Every bundle of the conformance folder is accepted, or refused by the check that should refuse it and no other."""

from __future__ import annotations

import io
import json
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from chains.reader import ChainReader
from exports.manifest import MANIFEST_BYTES_MAX, MANIFEST_NAME, digest_hex
from exports.report import report_text
from exports.strictzip import StrictZip
from exports.verdict import CheckStatus, VerificationReport
from exports.verify import NAMES, verify_bundle
from tests.conformance_bundles.firm import READERS
from tests.conformance_bundles.make import INDEX, ORDER, main
from tests.conformance_bundles.recipe import RECIPES, Made, Recipe
from tests.exports.sample import CHAIN, NOW

NOT_REACHED = "rests on check"


@cache
def made_of(name: str) -> Made:
    """Each bundle is made once."""
    return RECIPES[name].make()


def verified(recipe: Recipe, folder: Path) -> VerificationReport:
    """As `custody verify` reads it, addresses judged by the installed adapters."""
    made = made_of(recipe.name)
    path = folder / "bundle.zip"
    path.write_bytes(made.data)
    node = made.node

    def opened() -> ChainReader:
        assert node is not None
        return node

    readers = {CHAIN: opened} if node is not None else None
    return verify_bundle(path, READERS[made.trusted], now=NOW, after=made.after, readers=readers, expected=made.profile)


@pytest.mark.fault("E1", "E2", "E3", "E4", "E5", "E6", "E7", "E9", "E11", "E12", "E16", "E20")
@pytest.mark.parametrize("name", [recipe.name for recipe in ORDER if recipe.check is not None])
def test_a_bad_one_is_refused_by_its_check_alone(name: str, tmp_path: Path) -> None:
    recipe = RECIPES[name]
    assert recipe.check is not None
    report = verified(recipe, tmp_path)
    status = CheckStatus.FAILED if recipe.possible else CheckStatus.NOT_POSSIBLE
    refused = {
        check.number
        for check in report.checks
        if check.status in (CheckStatus.FAILED, CheckStatus.NOT_POSSIBLE) and not check.detail.startswith(NOT_REACHED)
    }
    assert refused == {recipe.check, *recipe.also}, report_text(report)
    assert {check.status for check in report.checks if check.number == recipe.check} == {status}, report_text(report)
    assert report.exit_code == (1 if recipe.possible else 2)


@pytest.mark.parametrize("name", [recipe.name for recipe in ORDER if recipe.check is None])
def test_a_good_one_is_accepted(name: str, tmp_path: Path) -> None:
    report = verified(RECIPES[name], tmp_path)
    assert report.exit_code == 0, report_text(report)
    withheld = report.count(CheckStatus.WITHHELD)
    assert report.count(CheckStatus.PASSED) + withheld >= 15
    assert not withheld or made_of(name).profile is not None


def test_every_check_has_bundles_that_it_refuses_and_good_ones_that_it_compared(tmp_path: Path) -> None:
    refused = Counter(recipe.check for recipe in ORDER if recipe.check is not None)
    assert sum(refused.values()) >= 40
    assert set(NAMES) - set(refused) == set(), "a check without a bad bundle"
    passed = {
        check.number
        for recipe in ORDER
        if recipe.check is None
        for check in verified(recipe, tmp_path).checks
        if check.status is CheckStatus.PASSED
    }
    # 25 passes with an authority's certificate and what reads its stamps: tests/exports/test_timestamps.py.
    assert set(NAMES) - passed == {25}, "a check that no good bundle passes"


def test_the_folder_is_the_same_every_time_and_its_list_is_checked_in(tmp_path: Path) -> None:
    assert main([str(tmp_path / "one")]) == 0
    assert main([str(tmp_path / "two")]) == 0
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*"))
    assert len(files) == len(ORDER) + len(READERS) + 1
    for each in files:
        assert (tmp_path / "one" / each).read_bytes() == (tmp_path / "two" / each).read_bytes(), each
    listed = json.loads((tmp_path / "one" / "index.json").read_bytes())
    assert json.loads(INDEX.read_bytes()) == listed, "run `python -m tests.conformance_bundles.make --index`"


def test_earlier_bundles_are_the_one_that_the_list_names() -> None:
    data = made_of("one-of-everything").data
    digest = digest_hex(StrictZip(io.BytesIO(data)).read(MANIFEST_NAME, MANIFEST_BYTES_MAX))
    assert {made.after for recipe in ORDER if (made := made_of(recipe.name)).after} == {(1, digest)}


def test_a_folder_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError):
        main([str(tmp_path)])
