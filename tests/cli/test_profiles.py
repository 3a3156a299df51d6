"""Bundles that show less, by command, on a real chain."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import Answer, custody
from tests.cli.scene import Scene

pytestmark = pytest.mark.devnet


def disclosed(scene: Scene, profile: str, name: str, *options: object) -> Answer:
    return scene.firm("export", "--profile", profile, "--out", scene.firm.path(name), *options, "--json")


@pytest.mark.fault("E15")
def test_a_firm_gives_a_bank_and_a_client_less_than_the_auditor(scene: Scene) -> None:
    assert disclosed(scene, "pseudonymous", "early.zip").error == "bad-input"
    full = scene.export()
    digest = scene.verify(full).json["bundle"]["digest"]
    drawn = custody("client-sample", full, "--count", 1000, "--seed", "x", "--json").json["clients"]
    clients = sorted(each["client_id"] for each in drawn)
    assert len(clients) > 1

    made = disclosed(scene, "pseudonymous", "bank.zip")
    assert (made.code, made.json["profile"], made.json["full_digest"]) == (0, "pseudonymous", digest)
    data = scene.firm.path("bank.zip").read_bytes()
    assert all(client.encode() in full.read_bytes() for client in clients)
    assert not [client for client in clients if client.encode() in data]
    read = scene.verify(scene.firm.path("bank.zip"))
    assert read.code == 0, read.out
    assert read.json["bundle"]["liabilities_root"] == scene.verify(full).json["bundle"]["liabilities_root"]
    assert scene.verify(scene.firm.path("bank.zip"), "--profile", "full").code == 2

    own = disclosed(scene, f"client:{clients[0]}", "own.zip", "--of", full)
    assert own.code == 0, own
    data = scene.firm.path("own.zip").read_bytes()
    assert clients[0].encode() in data
    assert not [client for client in clients[1:] if client.encode() in data]
    path = scene.firm.path("own.zip")
    assert scene.verify(path).code == 2
    assert scene.verify(path, "--profile", "client").code == 0
    shown = custody("verify", path, "--trusted-keys", scene.firm.path("trusted-keys.json"))
    assert "checks rest on what is withheld" in " ".join(shown.out.split())
    changed = scene.verify(path, "--profile", "client", "--diff", full)
    assert any("the profile was full" in note for note in changed.json["difference"]["notes"])

    kinds = [entry["kind"] for entry in scene.firm("journal", "show", "--json").json["entries"]]
    assert kinds.count("bundle.disclosed") == 2
    assert scene.firm("journal", "verify", "--json").json["intact"] is True
    assert disclosed(scene, "pseudonymous", "again.zip").json["sha256_of_manifest"] == made.json["sha256_of_manifest"]


@pytest.mark.fault("E15")
def test_a_firm_opens_only_what_its_bundle_commits_to(scene: Scene) -> None:
    opening = scene.firm.path("answers.opening")

    def disclose(kind: str) -> Answer:
        return scene.firm("disclose", "--kind", kind, "--out", opening, "--json")

    config = scene.firm.path("custody.toml")
    plain = config.read_text(encoding="utf-8")
    config.write_text(plain.replace("[[chains]]\n", "[[chains]]\nkeep_answers = true\n"), encoding="utf-8")
    assert disclose("node_answers").error == "bad-input", "no bundle was issued yet"
    assert scene.sweep().code == 0
    full, bank = scene.export(), scene.firm.path("bank.zip")
    assert disclosed(scene, "pseudonymous", "bank.zip").code == 0
    for kind in ("imported_evidence", "allocations"):
        assert disclose(kind).error == "disclosure-refused"
    assert not opening.exists()
    made = disclose("node_answers")
    assert made.code == 0, made.out
    assert made.json["full_digest"] == scene.verify(full).json["bundle"]["digest"]
    assert opening.stat().st_mode & 0o777 == 0o600
    assert disclose("node_answers").error == "bad-input", "it is not overwritten"

    def check(path: Path) -> tuple[int, str, int]:
        answer = scene.verify(bank, "--profile", "pseudonymous", "--openings", path)
        (found,) = [each for each in answer.json["checks"] if each["number"] == 33]
        return answer.code, found["status"], found["compared"]

    assert check(opening) == (0, "passed", made.json["records"])
    changed = scene.firm.path("changed.opening")
    data = opening.read_bytes()
    changed.write_bytes(data[:-3] + bytes([data[-3] ^ 1]) + data[-2:])
    assert check(changed)[:2] == (1, "failed")
    assert scene.verify(bank, "--openings", bank).error == "opening-invalid"
    kinds = [entry["kind"] for entry in scene.firm("journal", "show", "--json").json["entries"]]
    assert kinds.count("commitment.opened") == 1


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--profile", "secret"], "bad-input"),
        (["--profile", "client:"], "bad-input"),
        (["--profile", "client:nobody"], "disclosure-refused"),
        (["--profile", "full", "--of", "audit.zip"], "bad-input"),
        (["--profile", "pseudonymous", "--since", "eip155:31337=1"], "bad-input"),
    ],
)
def test_what_no_such_bundle_can_be_is_said(scene: Scene, options: list[str], error: str) -> None:
    scene.export()
    answer = scene.firm("export", "--out", scene.firm.path("less.zip"), *options, "--json")
    assert (answer.code, answer.error) == (2, error)
    assert not scene.firm.path("less.zip").exists()


def test_a_bundle_of_somebody_else_and_one_that_is_gone_are_refused(scene: Scene, tmp_path: Path) -> None:
    full = scene.export()
    other = tmp_path / "other.zip"
    other.write_bytes(full.read_bytes()[:-1])
    assert disclosed(scene, "pseudonymous", "less.zip", "--of", other).error == "bad-input"
    moved = full.rename(tmp_path / "moved.zip")
    assert disclosed(scene, "pseudonymous", "less.zip").error == "bad-input"
    assert disclosed(scene, "pseudonymous", "less.zip", "--of", moved).code == 0


@pytest.mark.fault("E14")
def test_tables_are_written_once_and_compared_ever_after(scene: Scene) -> None:
    full, folder = scene.export(), scene.firm.path("tables")
    assert scene.verify(full, "--views", folder).json["views"] == {"folder": str(folder), "problems": []}
    assert (folder / "datapackage.json").is_file()
    assert scene.verify(full, "--views", folder).code == 0
    table = folder / "balances.csv"
    table.write_bytes(table.read_bytes().replace(b"ok", b"OK", 1))
    changed = scene.verify(full, "--views", folder)
    assert (changed.code, changed.json["exit_code"]) == (1, 1)
    assert changed.json["views"]["problems"] == ["balances.csv does not say what the bundle says"]
    shown = custody("verify", full, "--trusted-keys", scene.firm.path("trusted-keys.json"), "--views", folder)
    assert "balances.csv does not say what the bundle says" in " ".join(shown.out.split())
    assert scene.verify(full, "--views", table).error == "bad-input"
