"""From a firm's books on a real chain to a client who checks alone, and an auditor who draws whom to ask."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from exports.bundle import Bundle
from tests.cli.command import custody
from tests.cli.scene import Scene
from verifier.errors import StoreBusy

SECRET = "keys/liabilities-secret.hex"


@pytest.mark.devnet
@pytest.mark.fault("E15")
def test_every_client_gets_a_statement_and_checks_it_alone(scene: Scene) -> None:
    path = scene.firm.path("audit.zip")
    told = scene.firm("export", "--out", path)
    assert told.code == 0
    again = scene.firm("verify", path, "--trusted-keys", scene.firm.path("trusted-keys.json"), "--json")
    root = again.json["bundle"]["liabilities_root"]
    assert f"Liabilities root: {root}" in told.out
    secret = scene.firm.path(SECRET).read_text().strip()
    assert secret.encode() not in path.read_bytes()
    assert bytes.fromhex(secret) not in path.read_bytes()

    made = custody("inclusion", path, "--all", "--out", scene.firm.path("statements"), "--json")
    assert (made.code, made.json["root"]) == (0, root)
    files = sorted(scene.firm.path("statements").iterdir())
    assert sorted(made.json["statements"]) == [str(file) for file in files]
    clients = {file.stem for file in files}
    assert len(clients) > 3
    keys = ["--bundle", path, "--trusted-keys", scene.firm.path("trusted-keys.json")]
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        checked = custody("verify-inclusion", file, "--root", root, "--json")
        assert (checked.code, checked.json["included"], checked.json["problems"]) == (0, True, [])
        assert checked.json["statement"]["client_id"] == file.stem
        assert checked.json["leaves_compared"] == 4 * checked.json["positions_compared"] > 0
        data = file.read_text()
        assert [other for other in clients - {file.stem} if f'"{other}"' in data] == []
        assert secret not in data
    assert custody("verify-inclusion", files[0], *keys, "--json").json["included"] is True
    shown = custody("verify-inclusion", files[0], "--root", root)
    assert "INCLUDED" in shown.out
    assert "does not prove that nobody was left out" in shown.out
    taken = custody("inclusion", path, "--client", files[0].stem, "--out", scene.firm.path("statements"), "--json")
    assert (taken.code, taken.error) == (2, "bad-input")

    bare = custody("verify-inclusion", files[0])
    assert bare.code == 2
    assert "no published root" in bare.out
    assert custody("verify-inclusion", files[0], "--root", "0" * 64).code == 1
    changed = json.loads(files[0].read_text())
    changed["client_id"] = files[1].stem
    files[0].write_text(json.dumps(changed, separators=(",", ":"), sort_keys=True, ensure_ascii=False) + "\n")
    refused = custody("verify-inclusion", files[0], "--root", root, "--json")
    assert (refused.code, refused.json["included"]) == (1, False)
    changed["positions"][0]["base_units"] = "-5"
    files[0].write_text(json.dumps(changed, separators=(",", ":"), sort_keys=True, ensure_ascii=False) + "\n")
    refused = custody("verify-inclusion", files[0], "--root", root, "--json")
    assert (refused.code, refused.json["statement"]) == (1, None)
    assert "negative" in refused.json["problems"][0]


@pytest.mark.devnet
def test_the_auditor_draws_the_same_clients_on_any_machine(scene: Scene) -> None:
    path = scene.export()
    drawn = custody("client-sample", path, "--count", 3, "--seed", "8461", "--json")
    assert drawn.code == 0
    assert (drawn.json["drawn"], len(drawn.json["clients"])) == (3, 3)
    assert drawn.json["sha256_of_manifest"] == scene.verify(path).json["bundle"]["digest"]
    assert drawn.json["population"] > 3
    assert all(each["positions"] for each in drawn.json["clients"])
    assert custody("client-sample", path, "--count", 3, "--seed", "8461", "--json").json == drawn.json
    more = custody("client-sample", path, "--count", 1000, "--seed", "8461", "--json").json
    assert more["drawn"] == more["population"]
    assert more["clients"][:3] == drawn.json["clients"]
    shown = custody("client-sample", path, "--count", 3, "--seed", "8461")
    assert f"3 of {more['population']} clients, drawn with the seed 8461" in shown.out
    assert custody("client-sample", path, "--count", 3, "--seed", " ", "--json").error == "bad-input"


@pytest.mark.devnet
def test_an_export_needs_the_firms_own_private_secret(scene: Scene) -> None:
    out, secret = scene.firm.path("audit.zip"), scene.firm.path(SECRET)
    text = secret.read_text()
    secret.chmod(0o644)
    refused = scene.firm("export", "--out", out, "--json")
    assert (refused.code, refused.error) == (2, "key-refused")
    secret.unlink()
    missing = scene.firm("export", "--out", out, "--json")
    assert (missing.code, missing.error) == (2, "config")
    assert "custody init" in missing.json["error"]["message"]
    assert not out.exists()
    assert scene.firm("init", "--dir", scene.firm.folder, "--json").json["created"] == [SECRET]
    assert secret.read_text() != text
    assert scene.firm("export", "--out", out).code == 0


@pytest.mark.devnet
@pytest.mark.fault("E13")
def test_an_export_made_again_has_the_same_root(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """An export that was killed before it wrote anything is repeated with the same salts."""
    roots: list[str] = []

    def killed(bundle: Bundle, *_: object) -> None:
        roots.extend(record.root for record in bundle.liability_roots)
        raise StoreBusy("the process ends here")

    with monkeypatch.context() as patch:
        patch.setattr("verifier.bundling.write_bundle", killed)
        assert scene.firm("export", "--out", scene.firm.path("a.zip"), "--json").code == 2
    assert len(roots) == 1
    repeated = scene.firm("export", "--out", scene.firm.path("a.zip"), "--json").json["liabilities_root"]
    later = scene.firm("export", "--out", scene.firm.path("b.zip"), "--json").json["liabilities_root"]
    assert repeated == roots[0] != later


def test_a_page_for_clients_is_written_once(tmp_path: Path) -> None:
    page = tmp_path / "check.html"
    assert custody("inclusion-page", "--out", page, "--json").json == {"file": str(page)}
    assert "Content-Security-Policy" in page.read_text(encoding="utf-8")
    assert custody("inclusion-page", "--out", page, "--json").error == "bad-input"
    assert custody("inclusion-page", "--out", tmp_path / "no" / "page.html", "--json").error == "bad-input"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (["--root", "abc"], "bad-input"),
        (["--bundle", "x.zip"], "bad-input"),
        (["--trusted-keys", "x.json"], "bad-input"),
        (["--root", "0" * 64, "--bundle", "x.zip", "--trusted-keys", "x.json"], "bad-input"),
        (["--root", "0" * 64], "statement-invalid"),
    ],
)
def test_wrong_use_and_files_that_are_no_statement_say_so(options: list[str], error: str, tmp_path: Path) -> None:
    file = tmp_path / "statement.json"
    file.write_text("{}")
    answer = custody("verify-inclusion", file, *options, "--json")
    assert (answer.code, answer.error) == (2, error)
    missing = custody("verify-inclusion", tmp_path / "gone.json", "--root", "0" * 64, "--json")
    assert (missing.code, missing.error) == (2, "bad-input")
    assert str(tmp_path) not in missing.out


def test_statements_are_asked_for_by_name_or_for_all(tmp_path: Path) -> None:
    for options in ([], ["--all", "--client", "C-1"]):
        answer = custody("inclusion", tmp_path / "b.zip", "--out", tmp_path / "s", *options, "--json")
        assert (answer.code, answer.error) == (2, "bad-input")
    absent = custody("inclusion", tmp_path / "b.zip", "--out", tmp_path / "s", "--all", "--json")
    assert (absent.code, absent.error) == (2, "container-invalid")
    assert list(tmp_path.iterdir()) == []
