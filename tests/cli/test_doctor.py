"""`custody doctor`: what is missing is found before it is needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import Firm, custody, process
from tests.cli.scene import Scene
from tests.cli.test_processes import BLOCK


def health(answer_json: dict[str, object]) -> dict[str, str]:
    """The outcome by question."""
    answers = answer_json["answers"]
    assert isinstance(answers, list)
    return {answer["what"]: answer["health"] for answer in answers}


@pytest.mark.devnet
def test_a_firm_that_can_sweep_is_in_good_health(scene: Scene) -> None:
    answer = scene.firm("doctor", "--json")
    assert answer.code == 0, answer.out
    found = health(answer.json)
    assert {what for what, how in found.items() if how == "good"} >= {
        "Python",
        "import names",
        "configuration",
        "database",
        "signing key",
        "liabilities secret",
        "eip155:31337 node anvil",
    }
    shown = scene.firm("doctor")
    assert shown.code == 0
    assert "would sweep block" in shown.out
    head = scene.firm("journal", "show", "--json").json["entries"][-1]["sequence"]
    scene.firm("doctor")
    assert scene.firm("journal", "show", "--json").json["entries"][-1]["sequence"] == head, "nothing was changed"


def test_what_is_missing_is_named_with_advice(firm: Firm, tmp_path: Path) -> None:
    answer = firm("doctor", "--json")
    assert answer.code == 2
    found = health(answer.json)
    assert (found["database"], found["signing key"], found["eip155:1 node node-a"]) == ("good", "good", "bad")
    firm.path("keys/signing-key.pem").chmod(0o644)
    firm.path("custody.db").unlink()
    firm.path("keys/liabilities-secret.hex").unlink()
    found = health(firm("doctor", "--json").json)
    assert (found["database"], found["signing key"], found["liabilities secret"]) == ("bad", "bad", "bad")
    assert "Run `custody db upgrade` (or `custody init`)" in firm("doctor").out
    firm.path("custody.toml").write_text("[firm\n")
    answer = firm("doctor", "--json")
    assert (answer.code, health(answer.json)["configuration"]) == (2, "bad")
    nothing = custody("--config", tmp_path / "none.toml", "doctor", "--json")
    assert (nothing.code, health(nothing.json)["configuration"]) == (2, "bad")


def test_missing_parts_and_foreign_packages_are_named(firm: Firm, tmp_path: Path) -> None:
    config = firm.path("custody.toml")
    done = process("--config", config, "doctor", folder=tmp_path, before=BLOCK)
    assert done.returncode == 2
    assert "custody-verifier[server]" in done.stdout
    (tmp_path / "mapping").mkdir()
    (tmp_path / "mapping" / "__init__.py").write_text("")
    shadow = f"import sys; sys.path.insert(0, {str(tmp_path)!r})"
    done = process("doctor", folder=tmp_path, before=shadow)
    assert done.returncode == 2
    assert "[broken-installation] mapping" in done.stderr
    assert "environment of its own" in done.stderr


def test_a_package_of_the_same_name_is_noticed(firm: Firm, tmp_path: Path) -> None:
    foreign = f"""
import importlib.util
import verifier.doctor
real = importlib.util.find_spec
def find(name):
    return real(name) if name != "exports" else importlib.util.spec_from_file_location(name, {str(tmp_path / "x.py")!r})
importlib.util.find_spec = find
"""
    done = process("--config", firm.path("custody.toml"), "doctor", folder=tmp_path, before=foreign)
    assert done.returncode == 2
    assert "not ours: exports" in done.stdout
