"""Every command line that a help text or a document shows is one that the program takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from verifier.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
TREE: Any = typer.main.get_command(app)


def commands(node: Any = TREE, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with its words."""
    for name, below in getattr(node, "commands", {}).items():
        if getattr(below, "commands", None):
            yield from commands(below, (*path, name))
        else:
            yield (*path, name), below


def shown_in_help() -> Iterator[str]:
    for _, command in commands():
        for text in re.findall(r"Example: (custody .*?)(?:\n\n|\Z)", command.help or "", re.DOTALL):
            yield text.replace("\n", " ")


def shown_in(document: str) -> Iterator[str]:
    """The lines of code blocks, without comments, and what stands between marks of code."""
    for block in re.findall(r"```[a-z]*\n(.*?)```", document, re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            yield from re.findall(r"^(?:\$ )?(?:docker compose exec app )?(custody .*?)(?: +#.*)?$", line.strip())
    without_blocks = re.sub(r"```.*?```", "", document, flags=re.DOTALL)
    yield from (" ".join(each.split()) for each in re.findall(r"`(custody\s[^`]+)`", without_blocks))


def problem(line: str) -> str | None:
    """What the program would not take of a line; None when it would. A value that is left out is no problem."""
    words = shlex.split(line)[1:]
    if words[:1] == ["--config"]:
        words = words[2:]
    node = TREE
    while words and words[0] in getattr(node, "commands", {}):
        node = node.commands[words.pop(0)]
    if getattr(node, "commands", None) and words and not words[0].startswith("-"):
        return f"no command {words[0]}"
    options = {name for each in node.params for name in (*each.opts, *each.secondary_opts)} | {"--help"}
    given = {each.strip("[]").partition("=")[0] for each in words if each.startswith(("--", "[--"))}
    return ", ".join(sorted(given - options)) or None


def test_every_example_of_a_help_text_is_taken_whole() -> None:
    lines = list(shown_in_help())
    assert len(lines) >= len(list(commands()))
    for line in lines:
        words = shlex.split(line.partition(" > ")[0])[1:]
        node = TREE
        while words and words[0] in getattr(node, "commands", {}):
            node = node.commands[words.pop(0)]
        node.make_context(line, words)  # raises what a wrong line raises


def test_every_command_answers_programs_too() -> None:
    options = {words: [name for each in command.params for name in each.opts] for words, command in commands()}
    assert [" ".join(words) for words, names in options.items() if "--json" not in names] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_command_of_a_document_exists_with_its_options(document: Path) -> None:
    found = {line: said for line in shown_in(document.read_text(encoding="utf-8")) if (said := problem(line))}
    assert found == {}


def test_a_command_that_is_not_there_would_be_noticed() -> None:
    lines = (
        "`custody chain discover`",
        "```",
        "$ custody sweep --every-blok  # comment",
        "custody status --json",
        "```",
    )
    found = [problem(line) for line in shown_in("\n".join((*lines, "`custody nothing`")))]
    assert found == ["--every-blok", None, "no command discover", "no command nothing"]
