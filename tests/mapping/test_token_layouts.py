"""Where tokens keep their balances: a rule or a reason, never both, for one code, reviewed by two people."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chains.errors import InvalidValue
from chains.evm.token_layout import SlotOrder, TokenLayout
from chains.types import AssetId
from mapping.token_layouts import ReviewedLayout
from tests.mapping.desk import ELSEWHERE, ETH, NOW, USDC, Desk, only

TABLE = "token_layouts"
HASH = "0x" + "cd" * 32
UNPROVABLE = {"order": "unprovable", "mapping_slot": "", "bits": "", "code_hash": "", "reason": "It follows an index"}
PROXY = {"implementation": ELSEWHERE, "implementation_slot": "0x7050", "implementation_code_hash": HASH}


def posted(desk: Desk, **changes: str) -> ReviewedLayout:
    result = desk.post(TABLE, **changes)
    assert result.ok, [str(problem) for problem in result.problems]
    (sourced,) = result.records
    assert isinstance(sourced.record, ReviewedLayout)
    return sourced.record


def test_a_rule_with_its_code(desk: Desk) -> None:
    layout = posted(desk).layout
    assert (layout.asset_id, layout.order, layout.mapping_slot) == (USDC, SlotOrder.SOLIDITY, 9)
    assert (layout.first_bit, layout.bits, layout.implementation) == (0, 255, None)
    assert posted(desk, mapping_slot="0x" + "f" * 64).layout.mapping_slot == 2**256 - 1
    proxy = posted(desk, **PROXY).layout
    assert (proxy.implementation, proxy.implementation_slot) == (ELSEWHERE, 0x7050)
    assert posted(desk, **{**PROXY, "implementation_slot": ""}).layout.implementation_slot is None


def test_a_reason_without_a_rule(desk: Desk) -> None:
    layout = posted(desk, **UNPROVABLE).layout
    assert (layout.is_provable, layout.reason) == (False, "It follows an index")


@pytest.mark.parametrize(
    ("changes", "column", "words"),
    [
        ({"asset_id": ETH}, "asset_id", "ERC-20"),
        ({"order": "guessed"}, "order", "solidity"),
        ({"mapping_slot": ""}, "mapping_slot", "names its slot"),
        ({"mapping_slot": "-1"}, "mapping_slot", "whole number"),
        ({"mapping_slot": "0x1" + "0" * 64}, "mapping_slot", "whole number"),
        ({"mapping_slot": str(2**256)}, "mapping_slot", "whole number"),
        ({"code_hash": ""}, "code_hash", "code hash"),
        ({"code_hash": "0x12"}, "code_hash", "64"),
        ({"bits": "0"}, "", "packed field"),
        ({"bits": "255", "first_bit": "2"}, "", "packed field"),
        ({"order": "seeded", "mapping_slot": str(2**96)}, "", "seed"),
        ({"implementation": ELSEWHERE}, "implementation_code_hash", "code hash"),
        ({"implementation_code_hash": HASH}, "implementation_code_hash", "nothing else"),
        ({"implementation_slot": "7"}, "", "needs an implementation"),
        ({"implementation": ELSEWHERE.lower()}, "implementation", "checksum"),
        ({"reason": "because"}, "reason", "exactly when"),
        ({**UNPROVABLE, "reason": ""}, "reason", "exactly when"),
        ({**UNPROVABLE, "mapping_slot": "9"}, "mapping_slot", "leave it empty"),
        ({**UNPROVABLE, "code_hash": HASH}, "code_hash", "leave it empty"),
        ({**UNPROVABLE, **PROXY, "implementation_slot": ""}, "implementation_code_hash", "leave it empty"),
        ({"approved_by": "ops.maker"}, "approved_by", "cannot be the one"),
        ({"approved_at": "2026-03-01T12:00:01Z"}, "approved_at", "has not come yet"),
    ],
)
def test_what_is_no_layout_is_refused(desk: Desk, changes: dict[str, str], column: str, words: str) -> None:
    problem = only(desk.post(TABLE, **changes).problems)
    assert (problem.column, words in problem.reason) == (column, True), problem


def test_a_new_version_is_reviewed_anew(desk: Desk) -> None:
    desk.take(token_layouts=({},))
    assert only(desk.post(TABLE, mapping_slot="10").problems).column == "approved_at"
    assert posted(desk, mapping_slot="10", approved_at="2026-02-02T00:00:00Z").layout.mapping_slot == 10


def test_layouts_check_themselves() -> None:
    good = TokenLayout(AssetId(USDC), SlotOrder.SOLIDITY, 9, 0, 255, HASH)
    for changes in (
        {"code_hash": ""},
        {"reason": "both"},
        {"order": SlotOrder.UNPROVABLE},
        {"mapping_slot": -1},
        {"implementation": "x", "implementation_code_hash": HASH},
        {"asset_id": ETH},
    ):
        with pytest.raises(InvalidValue):
            replace(good, **changes)
    with pytest.raises(InvalidValue, match="same person"):
        ReviewedLayout(good, "ops.maker", "ops.maker", NOW)
    with pytest.raises(InvalidValue, match="no time zone"):
        ReviewedLayout(good, "ops.maker", "ops.checker", NOW.replace(tzinfo=None))
    assert good.balance(2**256 - 1) == 2**255 - 1
