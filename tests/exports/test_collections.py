"""Tokens of collections in a bundle: spelt in one way, counted whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from chains.errors import InvalidValue
from chains.types import AssetId
from exports.record_checks import registry_spelling
from exports.records import AssetRecord
from tests.exports.sample import CHAIN, USD, Firm, make_firm, not_passed, sample_bundle, verify, write

CONTRACT = USD.partition("erc20:")[2]
GOOD = AssetId(f"{CHAIN}/erc721:{CONTRACT}/7")


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    return make_firm(tmp_path_factory.mktemp("firm"))


def record(asset_id: str, decimals: int = 0) -> AssetRecord:
    """A line of the asset table."""
    return AssetRecord(AssetId(asset_id), "ART", decimals, "non_security_crypto", date(2025, 1, 2), "memo-3", 0)


def test_a_token_of_a_collection_is_counted_whole() -> None:
    assert record(GOOD).decimals == 0
    with pytest.raises(InvalidValue, match="of a collection are 0"):
        record(GOOD, 1)


@pytest.mark.fault("B8", "G1")
@pytest.mark.parametrize(
    ("asset_id", "failed"),
    [
        (GOOD, []),
        (f"{CHAIN}/erc1155:{CONTRACT}/{2**256 - 1}", []),
        (f"{CHAIN}/erc721:{CONTRACT}/07", [6]),
        (f"{CHAIN}/erc721:{CONTRACT}", [6]),
        (f"{CHAIN}/erc721:{CONTRACT.lower()}/7", [6]),
        (f"{CHAIN}/erc20:{CONTRACT}/7", [6]),
        (f"{CHAIN}/erc1155:{CONTRACT}/{2**256}", [6]),
    ],
)
def test_another_spelling_is_another_asset(tmp_path: Path, firm: Firm, asset_id: str, failed: list[int]) -> None:
    bundle = sample_bundle()
    changed = replace(bundle, assets=(*bundle.assets, record(asset_id)))
    report = verify(write(tmp_path, firm, changed), firm.trusted, spelling=registry_spelling)
    assert [number for number in not_passed(report) if number == 6] == failed
