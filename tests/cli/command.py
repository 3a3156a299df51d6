"""Running `custody` in the test's own process, and what it answered."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from verifier.cli.app import run

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Answer:
    """What one command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on stdout; anything else there is an error."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found

    @property
    def error(self) -> str:
        """The stable code of the error, from `--json`."""
        return str(self.json["error"]["code"])


def custody(*arguments: object) -> Answer:
    """Run `custody ARGUMENTS` here."""
    out, err = io.StringIO(), io.StringIO()
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = run([str(argument) for argument in arguments])
    finally:
        structlog.reset_defaults()  # the command wrote its log to a stream that is gone now
    return Answer(code, out.getvalue(), err.getvalue())


@dataclass(frozen=True)
class Firm:
    """A folder that was set up with `custody init`."""

    folder: Path

    def __call__(self, *arguments: object) -> Answer:
        """Run a command with the folder's configuration."""
        return custody("--config", self.folder / "custody.toml", *arguments)

    def path(self, name: str) -> Path:
        """A file of the folder."""
        return self.folder / name


def process(
    *arguments: object, folder: Path, environment: Mapping[str, str] | None = None, before: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run `custody ARGUMENTS` in a process of its own, after some Python code."""
    code = f"{before}\nimport sys\nfrom verifier.cli import main\nsys.argv[0] = 'custody'\nmain()"
    return subprocess.run(
        [sys.executable, "-c", code, *(str(argument) for argument in arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        stdin=subprocess.DEVNULL,
    )
