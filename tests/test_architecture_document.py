"""docs/ARCHITECTURE.md names modules that exist, each where it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
PACKAGES = ("chains", "mapping", "exports", "verifier")


def section(text: str, package: str) -> str:
    """The part of the document about one package."""
    (found,) = re.findall(rf"^### `{package}`.*?(?=^##)", text, re.DOTALL | re.MULTILINE)
    return str(found)


def missing(text: str, package: str) -> Iterator[str]:
    """Names of a package's table that are no file or folder; one without a folder may take that of a name before it."""
    for cell in re.findall(r"^\| (`[^|]+) \|", section(text, package), re.MULTILINE):
        folders = [""]
        for name in re.findall(r"`([^`]+)`", cell):
            if not any(next((ROOT / package).glob(f"{folder}{name}"), None) for folder in folders):
                yield name
            if "/" in name.rstrip("/"):
                folders.append(name.rpartition("/")[0] + "/")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_that_is_named_exists(package: str) -> None:
    assert section(TEXT, package).count("| `") > 5
    assert list(missing(TEXT, package)) == []


def test_a_module_that_went_away_would_be_noticed() -> None:
    rows = ("| `canonical.py`, `gone.py` | x |", "| `reserve/items.py`, `money.py`, `nothing_*.py` | y |")
    text = "\n".join(("### `exports`", *rows, "## End"))
    assert list(missing(text, "exports")) == ["gone.py", "nothing_*.py"]
