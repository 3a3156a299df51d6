"""How the demonstration speaks: chapters, the commands it runs, and what each proved."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from verifier.config import CONFIG_FILE
from verifier.errors import VerifierError

WIDTH_MAX = 100
_USER = re.compile(r"://[^/@]*@")
EXIT_MEANINGS = {
    0: "done, and nothing contradicts",
    1: "the evidence contradicts what is claimed",
    2: "something could not be checked",
}


class StoryError(VerifierError):
    """Something in the demonstration did not come out as told; the demonstration fails loudly."""

    code = "story"
    advice = "This is a fault of the program: please report it with the output above."


@dataclass(frozen=True, slots=True)
class Told:
    """What a command answered."""

    exit_code: int
    answer: dict[str, object]


class Story:
    """Tells the demonstration and runs the same `custody` commands a person would type."""

    def __init__(self, console: Console, home: Path) -> None:
        self.console = console
        self._home = home
        self._config = str(home / CONFIG_FILE)

    def chapter(self, title: str, text: str) -> None:
        """Begin a chapter."""
        self.console.print()
        self.console.print(
            Panel(
                text,
                title=f"[bold]{title}[/bold]",
                title_align="left",
                border_style="cyan",
                width=min(WIDTH_MAX, self.console.width),
            )
        )

    def say(self, text: str) -> None:
        """One line of narration."""
        self.console.print(text)

    def command(self, *arguments: str, expect: int, show: bool = True) -> Told:
        """Run `custody ARGUMENTS`, show what it prints, and hold its exit code against what the story says."""
        from verifier.cli.app import run

        shown = self._typed(arguments)
        self.console.print(f"\n[bold cyan]$ custody {escape(shown)}[/bold cyan]", soft_wrap=True)
        if show:
            exit_code = run(["--config", self._config, *arguments])
            self.console.print(f"[dim]exit code {exit_code}: {EXIT_MEANINGS.get(exit_code, '')}[/dim]")
            answer: dict[str, object] = {}
        else:
            captured = io.StringIO()
            with redirect_stdout(captured):
                exit_code = run(["--config", self._config, *arguments, "--json"])
            answer = json.loads(captured.getvalue()) if captured.getvalue() else {}
        self.require(exit_code == expect, f"custody {shown} ended with exit code {exit_code}, not {expect}")
        return Told(exit_code, answer)

    def ask(self, *arguments: str, expect: Sequence[int]) -> dict[str, object]:
        """Run a command quietly for its JSON, to check what was just shown."""
        from verifier.cli.app import run

        captured = io.StringIO()
        with redirect_stdout(captured):
            exit_code = run(["--config", self._config, *arguments, "--json"])
        self.require(exit_code in expect, f"custody {' '.join(arguments)} ended with exit code {exit_code}")
        answer = json.loads(captured.getvalue())
        assert isinstance(answer, dict)
        return answer

    def _typed(self, arguments: Sequence[str]) -> str:
        """The arguments as a person in the demonstration's folder would type them."""
        folder = str(self._home)
        return shlex.join(
            "." if argument == folder else _USER.sub("://…@", argument.removeprefix(f"{folder}{os.sep}"))
            for argument in arguments
        )

    def require(self, condition: bool, otherwise: str) -> None:
        """The demonstration checks what it tells; a claim that does not hold ends it."""
        if not condition:
            raise StoryError(otherwise)
