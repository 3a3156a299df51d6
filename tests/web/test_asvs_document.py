"""docs/threats.md names a test for everything that is said to be met of OWASP ASVS, and each of them is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TITLE = "## The pages against OWASP ASVS"


def rows() -> list[tuple[str, str, str]]:
    """Requirement, how it is met, and the tests that show it."""
    text = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8").split(f"\n{TITLE}")[1].split("\n## ")[0]
    cells = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")]
    return [(each[0].strip(), each[1].strip(), each[2].strip()) for each in cells[1:] if not each[0].startswith("-")]


@cache
def names_in(path: Path) -> frozenset[str]:
    """The names of the test functions of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def missing(named: str) -> list[str]:
    """Those of the named tests that are not there."""
    found = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", named)
    return [f"{path}::{name}" for path, name in found if not _is_there(ROOT / path, name)]


def _is_there(path: Path, name: str) -> bool:
    return path.is_file() and name in names_in(path)


def test_the_table_is_there() -> None:
    assert len(rows()) > 35
    assert len({requirement for requirement, _, _ in rows()}) == len(rows())


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0].split(" ")[0])
def test_every_named_test_exists(row: tuple[str, str, str]) -> None:
    requirement, how, named = row
    if how.startswith("**not done**"):
        assert named == "", requirement
        return
    assert "::test_" in named, requirement
    assert re.sub(r"`tests/[\w/]+\.py::test_\w+`(, )?", "", named) == "", requirement
    assert missing(named) == [], requirement


def test_a_test_that_is_not_there_would_be_noticed() -> None:
    assert missing("`tests/web/test_forged.py::test_that_is_not_there`") != []
    assert missing("`tests/web/test_nowhere.py::test_a_change_needs_the_token_of_the_page`") != []
    assert missing("`tests/web/test_forged.py::test_a_change_needs_the_token_of_the_page`") == []
