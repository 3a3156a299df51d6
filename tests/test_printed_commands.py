"""Every `custody` command that a document prints exists, with the options printed beside it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main

from verifier.cli.app import app

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
PRINTED = re.compile(r"(?:`|^|\$ |exec app )custody((?: [a-z][a-z-]*)+)([^`\n#|]*)", re.MULTILINE)
"""In a code span or at the beginning of a line; what follows up to the end of either may hold options."""


def wrong(text: str) -> tuple[list[str], int]:
    """The commands that do not exist as they are printed, and how many were looked up."""
    found, looked_up = [], 0
    for match in PRINTED.finditer(text):
        command, rest = _command(match[1].split())
        looked_up += 1
        if command is None:
            found.append(match[0])
            continue
        options = {"--help", *(name for each in command.params for name in (*each.opts, *each.secondary_opts))}
        given = re.findall(r"(?<!\S)--[a-z][a-z-]*", f"{rest}{match[2]}")
        found += [f"{match[0]}: {option}" for option in given if option not in options]
    return found, looked_up


@cache
def _program() -> Any:
    return typer.main.get_command(app)


def _command(words: list[str]) -> tuple[Any, str]:
    """The command that words lead to, as far as there are commands below; and the words left over."""
    command = _program()
    for place, word in enumerate(words):
        below = getattr(command, "commands", None)
        if below is None:
            return command, " ".join(words[place:])
        if word not in below:
            return None, word
        command = below[word]
    return command, ""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_prints_can_be_typed(document: Path) -> None:
    assert wrong(document.read_text(encoding="utf-8"))[0] == []


def test_that_they_are_found() -> None:
    texts = [document.read_text(encoding="utf-8") for document in DOCUMENTS]
    assert sum(wrong(text)[1] for text in texts) > 200


@pytest.mark.parametrize(
    "text", ["run `custody swep`", "$ custody cases open", "`custody sweep --chains x`", "`custody verify f --reports`"]
)
def test_what_cannot_be_typed_is_found(text: str) -> None:
    assert len(wrong(text)[0]) == 1
