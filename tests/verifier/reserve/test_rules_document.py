"""docs/rules.md names functions and tests that exist, and every policy with the default in use."""

from __future__ import annotations

import importlib
import importlib.util
import re
from pathlib import Path

import pytest

from exports.reserve.policies import DEFAULT_POLICIES
from exports.reserve.rulesets import RULE_SETS

RULES = (
    "exports.reserve", "verifier.reserve", "exports.possession", "verifier.possession",
    "verifier.rules", "verifier.custodians",
)  # fmt: skip
TESTS = ("tests.verifier.reserve", "tests.verifier.possession", "tests.verifier.securities")
TEXT = (Path(__file__).parents[3] / "docs" / "rules.md").read_text(encoding="utf-8")


def cells(title: str) -> list[list[str]]:
    """The rows of the table below a heading, without its head."""
    section = TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def names(cell: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = re.findall(r"`(\w+)\.(\w+)", cell)
    return found


def missing(packages: tuple[str, ...], found: list[tuple[str, str]]) -> list[str]:
    return [f"{module}.{name}" for module, name in found if not any(has(each, module, name) for each in packages)]


def has(package: str, module: str, name: str) -> bool:
    if importlib.util.find_spec(f"{package}.{module}") is None:
        return False
    return hasattr(importlib.import_module(f"{package}.{module}"), name)


@pytest.mark.parametrize(
    "title",
    [
        "Exhibit A",
        "15c3-3",
        "From the books to the lines",
        "Possession or control",
        "Commingling and hypothecation",
    ],
)
def test_every_paragraph_has_a_function_and_a_test(title: str) -> None:
    table = cells(title)
    assert len(table) >= 8
    for paragraph, _, function, test in table:
        assert names(function), paragraph
        assert names(test), paragraph
        assert missing(RULES, names(function)) == []
        assert missing(TESTS, names(test)) == []


def test_a_name_that_does_not_exist_would_be_noticed() -> None:
    assert missing(RULES, names("`formula.no_such_function`")) == ["formula.no_such_function"]


def test_every_policy_stands_there_with_its_default() -> None:
    table = {row[0].strip("`"): row[2] for row in cells("Policies")}
    assert sorted(table) == sorted(each.name for each in DEFAULT_POLICIES)
    spelled = {each.name: each.value for each in DEFAULT_POLICIES if f"`{each.value}`" in table[each.name]}
    free = {"rounding", "note_e_order", "note_e1_collateral", "item_15_from"}
    assert set(table) - set(spelled) <= free


def test_every_rule_set_stands_there() -> None:
    table = [(row[0].strip("`"), row[1]) for row in cells("Versions of the rule")]
    assert table == [(each.rule_set_id, each.effective_from.isoformat()) for each in RULE_SETS]
