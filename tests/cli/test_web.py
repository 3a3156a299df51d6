"""`custody web` as a service manager runs it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import ROOT, custody


def command(firm: Any, *words: str) -> list[str]:
    program = "import sys; from verifier.cli import main; sys.argv[0] = 'custody'; main()"
    return [sys.executable, "-c", program, "--config", str(firm.path("custody.toml")), "web", *words]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_ends_cleanly(firm: Any, number: signal.Signals) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = command(firm, "--port", "0", "--json")
    with subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["listening"]
        with urllib.request.urlopen(f"{url}/sign-in", timeout=120) as answer:
            assert (answer.status, "Sign in" in answer.read().decode()) == (200, True)
        process.send_signal(number)
        process.communicate(timeout=120)
    assert process.returncode == 0


def test_a_port_that_is_taken_is_named(firm: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused = firm("web", "--port", port, "--json")
    assert (refused.code, refused.error) == (2, "bad-input")
    assert port in refused.out


def test_the_document_of_the_api_is_written_once(tmp_path: Path) -> None:
    target = tmp_path / "openapi.json"
    assert custody("web", "--openapi", str(target), "--json").json == {"written": str(target)}
    assert json.loads(target.read_text(encoding="utf-8"))["openapi"].startswith("3.1")
    assert custody("web", "--openapi", str(target), "--json").error == "bad-input"
