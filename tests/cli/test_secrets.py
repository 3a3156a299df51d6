"""A secret goes in by the configuration and comes out nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import Firm, custody, process
from tests.cli.scene import Scene

CANARY = "canary7f3a9c"

EVERYTHING = (
    ["status"],
    ["sweep"],
    ["chain", "probe", "eip155:1"],
    ["chain", "probe", "eip155:31337"],
    ["cases", "list"],
    ["map", "show"],
    ["journal", "verify"],
    ["journal", "show"],
    ["export", "--out", "audit.zip"],
)


@pytest.mark.devnet
@pytest.mark.fault("F14", "E16")
@pytest.mark.parametrize("where", ["url", "url_env", "url_file"])
def test_a_nodes_url_is_shown_nowhere(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    url = scene.world.node.url
    secret = f"{url}/?key={CANARY}"
    config = scene.firm.path("custody.toml")
    setting = {"url": f'url = "{secret}"', "url_env": 'url_env = "SECRET_URL"', "url_file": 'url_file = "secret.txt"'}
    config.write_text(config.read_text().replace(f'url = "{url}"', setting[where]))
    monkeypatch.setenv("SECRET_URL", secret)
    scene.firm.path("secret.txt").write_text(f"{secret}\n")
    said = ""
    scene.steal()
    scene.world.confirm()
    for flags in ([], ["--verbose"]):
        for arguments in EVERYTHING:
            for tail in ([], ["--json"]):
                answer = custody("--config", config, *flags, *arguments, *tail)
                assert answer.code in (0, 1, 2)
                said += answer.out + answer.err
    assert "CASE-000001" in said, "the commands did speak"
    assert scene.firm("sweep", "--json").code == 1, "the node was reached by its secret URL"
    audit = tmp_path / "audit.zip"
    verified = scene.verify(audit, "--rpc", f"{scene.world.chain_id}={secret}")
    assert verified.code == 0
    said += verified.out + verified.err
    said += custody("verify", audit, "--trusted-keys", scene.firm.path("trusted-keys.json"), "--rpc", secret).err
    assert CANARY not in said
    assert CANARY.encode() not in audit.read_bytes()
    assert CANARY.encode() not in scene.firm.path("custody.db").read_bytes()


@pytest.mark.fault("F14")
@pytest.mark.parametrize(
    "url",
    [
        f"http://127.0.0.1:1/{CANARY}",
        f"https://user:{CANARY}@127.0.0.1:1/",
        f"ftp://{CANARY}",
        f"http://{CANARY}.example/x",
        f"{CANARY}",
        f"https://[{CANARY}",
        f"http://127.0.0.1:{CANARY}",
    ],
)
def test_a_url_that_does_not_work_is_not_repeated(firm: Firm, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    config = firm.path("custody.toml")
    config.write_text(config.read_text().replace("head_age", "limits = { attempts_max = 1 }\nhead_age"))
    monkeypatch.setenv("MAINNET_RPC_URL", url)
    for arguments in (["sweep"], ["sweep", "--json"], ["chain", "probe", "eip155:1"]):
        answer = custody("--config", config, "--verbose", *arguments)
        assert answer.code == 2
        assert CANARY not in answer.out + answer.err


@pytest.mark.fault("F14")
@pytest.mark.parametrize(
    "url",
    [
        f"postgresql+psycopg://user:{CANARY}@127.0.0.1:1/books",
        f"postgresql+psycopg://user:{CANARY}@[bad/books",
        f"postgresql+psycopg://user:{CANARY}@127.0.0.1:port/books",
        f"nonsense://{CANARY}",
        f"sqlite:////nowhere/{CANARY}.db",
    ],
)
def test_a_database_url_that_does_not_work_is_not_repeated(
    firm: Firm, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("CUSTODY_DATABASE__URL", url)
    for arguments in (["status"], ["journal", "verify", "--json"]):
        answer = custody("--config", firm.path("custody.toml"), "--verbose", *arguments)
        assert answer.code == 2
        assert "internal" not in answer.out + answer.err
        assert CANARY not in answer.out + answer.err


@pytest.mark.fault("F14")
@pytest.mark.parametrize(
    "option",
    [
        f"https://node.example/v3/{CANARY}",
        f"https://node.example/{CANARY}?x=1",
        f"{CANARY}",
        f"eip155:1:https://node.example/{CANARY}",
    ],
)
def test_a_node_given_without_its_chain_is_not_repeated(firm: Firm, option: str) -> None:
    keys = firm.path("trusted-keys.json")
    for more in ([], ["--json"]):
        answer = custody("verify", firm.path("custody.toml"), "--trusted-keys", keys, "--rpc", option, *more)
        assert answer.code == 2
        assert "CHAIN=URL" in answer.out + answer.err
        assert CANARY not in answer.out + answer.err


@pytest.mark.fault("F14")
def test_a_fault_of_the_program_shows_no_value_and_is_no_contradiction(firm: Firm, tmp_path: Path) -> None:
    broken = f"""
import verifier.overview
def fail(*_):
    secret = "{CANARY}"
    raise RuntimeError("could not reach " + secret)
verifier.overview.overview = fail
"""
    for arguments in (["status"], ["--verbose", "status"], ["status", "--json"]):
        done = process("--config", firm.path("custody.toml"), *arguments, folder=tmp_path, before=broken)
        assert done.returncode == 2
        assert "internal" in done.stdout + done.stderr
        assert CANARY not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.fault("E17", "F14")
def test_a_key_open_to_others_and_a_missing_passphrase_are_refused(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = scene.firm.path("keys/signing-key.pem")
    key.chmod(0o644)
    answer = scene.firm("export", "--out", scene.firm.path("a.zip"), "--json")
    assert (answer.code, answer.error) == (2, "key-refused")
    assert not scene.firm.path("a.zip").exists()
    key.unlink()
    from exports.keys import create_key_pair

    create_key_pair(key, CANARY)
    assert scene.firm("export", "--out", scene.firm.path("a.zip"), "--json").error == "config"
    config = scene.firm.path("custody.toml")
    config.write_text(config.read_text().replace("# passphrase_env", "passphrase_env", 1))
    monkeypatch.setenv("CUSTODY_KEY_PASSPHRASE", f"wrong-{CANARY}")
    wrong = scene.firm("export", "--out", scene.firm.path("a.zip"))
    assert wrong.code == 2
    assert CANARY not in wrong.out + wrong.err
    monkeypatch.setenv("CUSTODY_KEY_PASSPHRASE", CANARY)
    assert scene.firm("export", "--out", scene.firm.path("a.zip"), "--json").code == 0
