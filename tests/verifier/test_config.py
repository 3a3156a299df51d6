"""The configuration: what the file and the environment say, and how it is said that they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from chains.types import ChainId
from verifier.config import load_settings
from verifier.errors import ConfigError

CHAIN = """
[[chains]]
chain_id = "eip155:1"
name = "Ethereum"
genesis_hash = "0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"
native_asset = { asset_id = "eip155:1/slip44:60", symbol = "ETH" }
"""
NODE = """
  [[chains.nodes]]
  node_id = "node-a"
  operator = "Operator A"
  url = "https://node.example/key"
"""
FILE = f'[firm]\nname = "Firm"\n[bundle]\nkey_file = "keys/key.pem"\n{CHAIN}{NODE}'


def written(folder: Path, text: str) -> Path:
    """A configuration file."""
    path = folder / "custody.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_and_relative_paths_are_of_the_files_own_folder(tmp_path: Path) -> None:
    settings = load_settings(
        written(tmp_path, FILE.replace('url = "https://node.example/key"', 'url_file = "url.txt"'))
    )
    assert settings.database.url.get_secret_value() == f"sqlite:///{tmp_path / 'custody.db'}"
    assert settings.bundle.key_file == tmp_path / "keys" / "key.pem"
    assert settings.sweep.as_of_skew_seconds_max == 900
    (tmp_path / "url.txt").write_text("https://node.example/from-file\n")
    config = settings.chain("eip155:1").resolve()
    assert (config.chain_id, config.nodes[0].url) == (ChainId("eip155:1"), "https://node.example/from-file")
    assert (config.native_asset.decimals, str(config.finality)) == (18, "finalized")


def test_absolute_paths_and_other_databases_stay_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, FILE)
    for url in ("sqlite:////data/custody.db", "sqlite:///:memory:", "postgresql+psycopg://u:p@h/d"):
        monkeypatch.setenv("CUSTODY_DATABASE__URL", url)
        assert load_settings(path).database.url.get_secret_value() == url


def test_the_environment_is_stronger_than_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, FILE + "[sweep]\nas_of_skew_seconds_max = 60\n")
    assert load_settings(path).sweep.as_of_skew_seconds_max == 60
    monkeypatch.setenv("CUSTODY_SWEEP__AS_OF_SKEW_SECONDS_MAX", "120")
    monkeypatch.setenv("CUSTODY_FIRM__NAME", "Other firm")
    settings = load_settings(path)
    assert (settings.sweep.as_of_skew_seconds_max, settings.firm.name) == (120, "Other firm")
    monkeypatch.setenv("CUSTODY_CONFIG", str(path))
    monkeypatch.chdir("/")
    assert load_settings().firm.name == "Other firm"


def test_a_nodes_url_comes_from_the_environment_or_a_file_when_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, FILE.replace('url = "https://node.example/key"', 'url_env = "NODE_URL"'))
    monkeypatch.delenv("NODE_URL", raising=False)
    settings = load_settings(path)
    with pytest.raises(ConfigError, match="NODE_URL is not set"):
        settings.chain("eip155:1").resolve()
    monkeypatch.setenv("NODE_URL", "https://node.example/secret")
    assert settings.chain("eip155:1").resolve().nodes[0].url == "https://node.example/secret"
    missing = load_settings(written(tmp_path, FILE.replace('url = "https://node.example/key"', 'url_file = "none"')))
    with pytest.raises(ConfigError, match="url_file cannot be read"):
        missing.chain("eip155:1").resolve()


@pytest.mark.fault("F14", "A36")
@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("[firm]", "[firm]\nnmae = 1"), "firm.nmae"),
        (('name = "Firm"', ""), "firm.name"),
        (('name = "Firm"', 'name = ""'), "firm.name"),
        (('name = "Firm"', 'name = "see https://firm.example"'), "firm.name"),
        (('name = "Firm"', 'name = "a\\u202eb"'), "firm.name"),
        (("[bundle]", "[sweeps]\n[bundle]"), "sweeps"),
        (("[bundle]", "[sweep]\nas_of_skew_seconds_max = -1\n[bundle]"), "sweep.as_of_skew_seconds_max"),
        (("[bundle]", "[sweep]\nas_of_skew_seconds_max = 9999999\n[bundle]"), "sweep.as_of_skew_seconds_max"),
        (("[bundle]", "[imports]\naccept_unchecksummed = 7\n[bundle]"), "imports.accept_unchecksummed"),
        (('"eip155:1"\nname', '"Ethereum"\nname'), "chains.0"),
        (("0xd4e5", "0xzzzz"), "chains.0.genesis_hash"),
        (('name = "Ethereum"', 'name = "Ethereum"\nfinality = "soon"'), "chains.0"),
        (('name = "Ethereum"', 'name = "Ethereum"\nfinality = "confirmed(0)"'), "chains.0"),
        (('name = "Ethereum"', 'name = "Ethereum"\nhistory_from_height = -1'), "chains.0.history_from_height"),
        (('name = "Ethereum"', 'name = "Ethereum"\nlimits = { attempts = 1 }'), "chains.0.limits.attempts"),
        (('"node-a"', '"Node A"'), "chains.0.nodes.0.node_id"),
        (('url = "https://node.example/key"', ""), "chains.0.nodes.0"),
        (('url = "https', 'url_env = "X"\n  url = "https'), "chains.0.nodes.0"),
        ((NODE, ""), "chains.0.nodes"),
        ((NODE, NODE + NODE), "chains.0"),
        ((CHAIN + NODE, CHAIN + NODE + CHAIN + NODE), "same chain_id"),
        (("[firm]", "[firm"), "not TOML"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not(tmp_path: Path, change: tuple[str, str], named: str) -> None:
    assert load_settings(written(tmp_path, FILE)).firm.name == "Firm"
    before, after = change
    assert before in FILE
    with pytest.raises(ConfigError) as caught:
        load_settings(written(tmp_path, FILE.replace(before, after)))
    assert named in str(caught.value)
    assert "node.example" not in str(caught.value)


@pytest.mark.fault("F14")
def test_what_is_shown_of_the_configuration_holds_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUSTODY_DATABASE__URL", "postgresql+psycopg://user:canary@host/books")
    settings = load_settings(written(tmp_path, FILE.replace("node.example/key", "node.example/canary")))
    for text in (repr(settings), str(settings), str(settings.shown()), settings.model_dump_json()):
        assert "canary" not in text
    assert settings.shown()["database"]["url"] == "postgresql+psycopg://…@host/books"


def test_a_chain_that_is_not_configured_is_told_with_those_that_are(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, FILE))
    with pytest.raises(ConfigError, match=r"eip155:5 is not configured \(configured: eip155:1\)"):
        settings.chain("eip155:5")


BITCOIN_CHAIN = """
[[chains]]
chain_id = "bip122:000000000019d6689c085ae165831e93"
name = "Bitcoin"
genesis_hash = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
native_asset = { asset_id = "bip122:000000000019d6689c085ae165831e93/slip44:0", symbol = "BTC", decimals = 8 }
"""


def test_a_bitcoin_chain_has_defaults_of_its_own(tmp_path: Path) -> None:
    path = written(tmp_path, f'[firm]\nname = "Firm"\n{BITCOIN_CHAIN}{NODE}{CHAIN}{NODE}')
    bitcoin, ethereum = (section.resolve() for section in load_settings(path).chains)
    assert (str(bitcoin.finality), str(ethereum.finality)) == ("confirmed(6)", "finalized")
    assert (bitcoin.head_age_seconds_max, ethereum.head_age_seconds_max) == (7_200, 900)
    assert (bitcoin.header_format, ethereum.header_format) == ("bitcoin", "ethereum")
    assert (bitcoin.history_from_height, bitcoin.catch_up_blocks_max) == (None, 20_000)


def test_what_is_written_is_stronger_than_a_bitcoin_default(tmp_path: Path) -> None:
    changed = BITCOIN_CHAIN.replace(
        'name = "Bitcoin"', 'name = "B"\nfinality = "confirmed(2)"\nhistory_from_height = 9'
    )
    config = load_settings(written(tmp_path, f'[firm]\nname = "Firm"\n{changed}{NODE}')).chains[0].resolve()
    assert (str(config.finality), config.history_from_height, config.head_age_seconds_max) == ("confirmed(2)", 9, 7_200)


@pytest.mark.parametrize(
    ("database", "setting", "wanted"),
    [
        ("sqlite:///data/custody.db", "", "data/ledgers"),
        ("postgresql+psycopg://u:p@h/d", "", "ledgers"),
        ("sqlite:///custody.db", 'state_directory = "elsewhere"', "elsewhere"),
    ],
)
def test_ledgers_lie_beside_the_database(tmp_path: Path, database: str, setting: str, wanted: str) -> None:
    chain = BITCOIN_CHAIN.replace('name = "Bitcoin"', f'name = "Bitcoin"\n{setting}')
    text = f'[firm]\nname = "Firm"\n[database]\nurl = "{database}"\n{chain}{NODE}'
    assert load_settings(written(tmp_path, text)).chains[0].resolve().state_directory == tmp_path / wanted


def test_what_is_asked_about_encumbrances_is_checked(tmp_path: Path) -> None:
    spender = "0x000000000022D473030F116dDEE9F6B43aC78BA3"
    section = f'[chains.encumbrances]\napprovals_from_height = 5\nspenders_always_asked = ["{spender}"]\n'
    chosen = load_settings(written(tmp_path, FILE + section)).chain("eip155:1").encumbrances
    assert (chosen.enabled, chosen.approvals_from_height) == (True, 5)
    assert chosen.settings().spenders_always_asked == (spender,)
    for wrong in (
        f'spenders_always_asked = ["{spender.lower()}"]',
        'paused_questions = ["paused(address)"]',
        'frozen_questions = ["frozen()"]',
        "approvals_from_height = -1",
        "approval_blocks_per_sweep_max = 0",
        "unknown = 1",
    ):
        with pytest.raises(ConfigError):
            load_settings(written(tmp_path, f"{FILE}[chains.encumbrances]\n{wrong}\n"))


SOURCES = """
[statements]
hosts = ["statements.example"]
[[statements.sources]]
name = "dtc"
[statements.sources.https]
url_file = "url.txt"
ca_file = "ca.pem"
certificate_file = "ours.pem"
token_file = "/elsewhere/token.txt"
[[statements.sources]]
name = "other"
plugin = "depository"
options = { token = "canary6e81" }
[log]
file = "logs/custody.log"
"""


def test_sources_and_the_log_have_paths_of_the_files_own_folder(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, FILE + SOURCES))
    dtc, other = settings.statements.sources
    assert dtc.https is not None
    assert (dtc.https.url_file, dtc.https.ca_file) == (tmp_path / "url.txt", tmp_path / "ca.pem")
    assert (dtc.https.certificate_file, dtc.https.certificate_key_file) == (tmp_path / "ours.pem", None)
    assert dtc.https.token_file == Path("/elsewhere/token.txt")
    assert settings.log.file == tmp_path / "logs" / "custody.log"
    assert other.options["token"].get_secret_value() == "canary6e81"
    assert "canary6e81" not in f"{settings!r} {settings.shown()}"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('name = "other"', 'name = "dtc"', "two sources have the same name"),
        ('name = "dtc"', 'name = "Dtc"', "statements.sources.0.name"),
        ('url_file = "url.txt"', "", "exactly one of url"),
        ('url_file = "url.txt"', 'url_file = "url.txt"\nurl_env = "X"', "exactly one of url"),
        ('token_file = "/elsewhere/token.txt"', 'token_file = "x"\ntoken_env = "X"', "at most one of token"),
        ('certificate_file = "ours.pem"', 'certificate_key_file = "key.pem"', "without certificate_file"),
        ('plugin = "depository"', "", "needs a section"),
        ('name = "dtc"', 'name = "dtc"\nplugin = "depository"', "no other one takes it"),
        ('file = "logs/custody.log"', 'form = "yaml"', "log.form"),
        ('file = "logs/custody.log"', '[metrics]\nlisten = "http://x"', "metrics.listen"),
    ],
)
def test_a_source_or_log_that_cannot_work_is_refused(tmp_path: Path, before: str, after: str, said: str) -> None:
    assert SOURCES.count(before) == 1
    with pytest.raises(ConfigError, match=said):
        load_settings(written(tmp_path, FILE + SOURCES.replace(before, after)))


def test_a_file_that_cannot_be_read_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "custody.toml"
    file.write_bytes(b'[firm]\nname = "\xff"\n')
    with pytest.raises(ConfigError, match=r"custody\.toml cannot be read: it is not UTF-8"):
        load_settings(file)
    file.write_text('[firm]\nname = "Example"\n')
    assert load_settings(file).firm.name == "Example"

    def forbidden(_: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "is_file", forbidden)
        with pytest.raises(ConfigError, match=r"custody\.toml cannot be read: Permission denied") as raised:
            load_settings(file)
    assert "readable" in raised.value.advice
    assert str(tmp_path) not in str(raised.value)
