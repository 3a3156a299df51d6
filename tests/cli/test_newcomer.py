"""Everything a newcomer does wrong, and the first things that go right; no node is needed."""

from __future__ import annotations

import re
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer.main

from tests.cli.command import Firm, custody
from verifier.cli.app import app


def commands(group: Any = None, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Every command of the tree, as its words."""
    group = typer.main.get_command(app) if group is None else group
    found: list[tuple[str, ...]] = []
    for name, command in sorted(group.commands.items()):
        words = (*path, name)
        found += commands(command, words) if hasattr(command, "commands") else [words]
    return found


COMMANDS = commands()


def test_the_tree_has_every_command_that_is_promised() -> None:
    promised = {
        "init",
        "template",
        "import",
        "sweep",
        "status",
        "cases",
        "export",
        "verify",
        "journal",
        "devnet",
        "demo",
    }
    assert set(promised) <= {words[0] for words in COMMANDS}
    assert {("map", "show"), ("map", "search"), ("map", "history"), ("journal", "verify")} <= set(COMMANDS)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_the_help_of_every_command_teaches_with_an_example(words: tuple[str, ...]) -> None:
    answer = custody(*words, "--help")
    assert answer.code == 0
    assert answer.err == ""
    assert f"Usage: custody {' '.join(words)}" in answer.out
    assert f"custody {' '.join(words)}" in answer.out.partition("Example:")[2].replace("\n", " "), answer.out


def test_help_names_the_exit_codes_and_the_usual_order() -> None:
    answer = custody("--help")
    assert answer.code == 0
    assert "0 all matched or done" in re.sub(r"\s+", " ", answer.out)
    assert "init, template, import, sweep, cases, export" in re.sub(r"\s+", " ", answer.out)


def test_the_version() -> None:
    answer = custody("--version")
    assert answer.code == 0
    assert re.fullmatch(r"custody-verifier \d+\.\d+\.\d+\n", answer.out)


def test_nothing_given_shows_the_help_and_is_not_a_success() -> None:
    answer = custody()
    assert answer.code == 2
    assert "Usage: custody" in answer.out + answer.err


@pytest.mark.parametrize("arguments", [["nonsense"], ["sweep", "--nonsense"], ["import"], ["sweep", "--at", "x"]])
def test_wrong_usage_is_explained_and_answers_json_when_asked(arguments: list[str]) -> None:
    answer = custody(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert "custody" in answer.err
    answer = custody(*arguments, "--json")
    assert (answer.code, answer.error) == (2, "usage")


WITHOUT_A_FIRM = [
    ["status"],
    ["sweep"],
    ["import", "."],
    ["post", "clients", "client_id=C-1"],
    ["map", "show"],
    ["map", "search", "x"],
    ["map", "history", "x"],
    ["cases", "list"],
    ["cases", "show", "CASE-000001"],
    ["export", "--out", "a.zip"],
    ["journal", "verify"],
    ["journal", "show"],
    ["chain", "probe", "eip155:1"],
]


@pytest.mark.parametrize("arguments", WITHOUT_A_FIRM, ids=" ".join)
def test_without_a_configuration_every_command_says_what_to_do(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = custody(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert "[config] there is no custody.toml here" in answer.err
    assert "custody init --firm NAME" in answer.err
    answer = custody(*arguments, "--json")
    assert (answer.code, answer.error) == (2, "config")
    assert list(tmp_path.iterdir()) == []


def test_init_makes_private_files_and_keeps_everything_the_second_time(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "firm"
    name = 'Ünïted "Quotes" \\ Söhne — 証券'
    answer = custody("init", "--dir", folder, "--firm", name, "--json")
    assert answer.code == 0
    assert answer.json["created"] == [
        "custody.toml",
        "keys/signing-key.pem",
        "keys/root-key.pem",
        "trusted-keys.json",
        "keys/liabilities-secret.hex",
    ]
    assert tomllib.loads((folder / "custody.toml").read_text("utf-8"))["firm"]["name"] == name
    for private in (
        "custody.toml",
        "keys/signing-key.pem",
        "keys/root-key.pem",
        "keys/liabilities-secret.hex",
        "custody.db",
    ):
        assert stat.S_IMODE((folder / private).stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "keys").stat().st_mode) == 0o700
    config = folder / "custody.toml"
    config.write_text(config.read_text("utf-8") + "# mine\n", encoding="utf-8")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".db"}
    again = custody("init", "--dir", folder, "--json")
    assert again.code == 0
    assert (again.json["created"], again.json["kept"]) == ([], answer.json["created"])
    assert {path: path.read_bytes() for path in before} == before
    assert custody("--config", config, "journal", "verify", "--json").json["entries"] == 1


@pytest.mark.parametrize("name", ["", "   ", "a\tb", "a\nb", "x" * 5000])
def test_a_firm_without_a_usable_name_is_refused(tmp_path: Path, name: str) -> None:
    answer = custody("init", "--dir", tmp_path / "firm", "--firm", name, "--json")
    assert (answer.code, answer.error) == (2, "bad-input")
    assert not (tmp_path / "firm").exists()


def test_init_in_a_folder_with_trusted_keys_but_no_key_says_so(tmp_path: Path) -> None:
    (tmp_path / "trusted-keys.json").write_text("{}")
    answer = custody("init", "--dir", tmp_path, "--firm", "X", "--json")
    assert (answer.code, answer.error) == (2, "bad-input")
    assert (tmp_path / "trusted-keys.json").read_text() == "{}"


@pytest.mark.parametrize("url", ["ftp://x", "garbage", "http://127.0.0.1:1"])
def test_init_for_a_devnet_that_is_not_there(tmp_path: Path, url: str) -> None:
    answer = custody("init", "--dir", tmp_path / "firm", "--firm", "X", "--devnet", url, "--json")
    assert (answer.code, bool(answer.json["error"]["advice"])) == (2, True)
    assert not (tmp_path / "firm").exists()


def test_templates_are_printed_and_written_and_import_as_they_are(firm: Firm, tmp_path: Path) -> None:
    one = custody("template", "wallets.csv")
    assert one.code == 0
    assert one.out.startswith("chain_id,address,")
    every = custody("template", "--json").json["templates"]
    assert every["wallets.csv"] == one.out
    books = tmp_path / "books"
    assert custody("template", "--out", books).code == 0
    assert {path.name for path in books.iterdir()} == set(every)
    again = custody("template", "--out", books, "--json")
    assert (again.code, again.error) == (2, "bad-input")
    unknown = custody("template", "walets.csv", "--json")
    assert "wallets.csv" in unknown.json["error"]["message"]
    dry = firm("import", books, "--dry-run", "--json")
    assert (dry.code, dry.json["stored"]) == (0, False)
    stored = firm("import", books, "--json")
    assert (stored.code, stored.json["stored"], stored.json["records"]) == (0, True, dry.json["records"])
    twice = firm("import", books, "--json")
    assert (twice.code, twice.json["stored"], twice.json["records"]) == (0, False, 0)
    assert all(file["already_imported"] for file in twice.json["files"])
    assert "nothing was stored" in firm("import", books).out


def test_a_bad_file_is_refused_with_every_problem_and_nothing_is_stored(firm: Firm, tmp_path: Path) -> None:
    good = tmp_path / "clients.csv"
    good.write_text("client_id,name,opened_on,closed_on\nC-1,One,2026-01-02,\n")
    bad = tmp_path / "assets.csv"
    bad.write_text("asset_id,symbol,decimals\neip155:1/slip44:60,ETH,x\n")
    answer = firm("import", good, bad, "--json")
    assert answer.code == 2
    assert answer.json["stored"] is False
    assert {problem["file"] for problem in answer.json["problems"]} == {"assets.csv"}
    shown = firm("import", good, bad)
    assert shown.code == 2
    assert "nothing was stored" in shown.out
    assert "assets.csv" in shown.out
    assert firm("import", good, "--json").json["records"] == 1
    missing = firm("import", tmp_path / "nowhere", "--json")
    assert (missing.code, missing.error) == (2, "bad-input")
    (tmp_path / "empty").mkdir()
    assert firm("import", tmp_path / "empty", "--json").code == 2


def test_a_sweep_says_which_node_setting_is_missing(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = firm("sweep", "--json")
    assert (answer.code, answer.error) == (2, "config")
    assert "MAINNET_RPC_URL" in answer.json["error"]["message"]
    monkeypatch.setenv("MAINNET_RPC_URL", "gopher://canary-host/canary-key")
    answer = firm("sweep", "--json")
    assert (answer.code, answer.error) == (2, "chain-config")
    assert "canary" not in answer.out + answer.err
    assert firm("sweep", "--chain", "eip155:5", "--json").error == "config"
    assert firm("sweep", "--at", "5", "--chain", "banana", "--json").error == "config"


def test_a_node_that_is_down_makes_everything_unverified_and_is_recorded(
    firm: Firm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAINNET_RPC_URL", "http://127.0.0.1:1/canary-key")
    config = firm.path("custody.toml")
    config.write_text(config.read_text().replace("head_age", "limits = { attempts_max = 1 }\nhead_age"))
    assert custody("template", "--out", tmp_path / "books").code == 0
    assert firm("import", tmp_path / "books").code == 0
    answer = firm("sweep", "--json")
    assert answer.code == 2
    assert answer.json["unverified"] == answer.json["expected"] > 0
    assert answer.json["sweeps"][0]["failure"]["code"] == "node-unavailable"
    shown = firm("sweep")
    assert shown.code == 2
    assert "not swept" in shown.out
    assert "canary" not in answer.out + answer.err + shown.out + shown.err
    assert firm("cases", "list", "--json").code == 2
    assert firm("status", "--json").json["statuses"] == ["unverified"]
    assert firm("status").code == 2
    export = firm("export", "--out", tmp_path / "a.zip", "--json")
    assert (export.code, export.error) == (2, "bad-input")
    assert "custody sweep" in export.json["error"]["message"]
    assert not (tmp_path / "a.zip").exists()


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("clients", ["client_id=C-9", "name=Nine", "opened_on=2026-01-02"]),
        (
            "assets",
            [
                "asset_id=eip155:1/slip44:60",
                "symbol=ETH",
                "decimals=18",
                "legal_class=undetermined",
                "legal_class_from=2026-01-02",
                "legal_class_reference=MEMO-1",
            ],
        ),
    ],
)
def test_a_row_is_posted_once(firm: Firm, table: str, values: list[str]) -> None:
    assert firm("post", table, *values, "--dry-run", "--json").json["stored"] is False
    first = firm("post", table, *values, "--json")
    assert (first.code, first.json["records"], first.json["stored"]) == (0, 1, True)
    again = firm("post", table, *values, "--json")
    assert (again.code, again.json["stored"]) == (0, False)
    wrong = firm("post", table, *values[:-1], values[-1] + "\x00", "--json")
    assert (wrong.code, wrong.json["stored"]) == (2, False)


def test_every_table_can_be_posted_row_by_row(firm: Firm) -> None:
    import csv
    import io

    templates = custody("template", "--json").json["templates"]
    posted = 0
    for name, text in templates.items():
        rows = [line for line in text.splitlines() if not line.startswith("#")]
        for row in csv.DictReader(io.StringIO("\n".join(rows))):
            values = [f"{column}={value}" for column, value in row.items() if value]
            answer = firm("post", name.removesuffix(".csv"), *values, "--json")
            assert answer.code == 0, answer
            posted += 1
    assert posted >= len(templates)
    assert firm("journal", "verify", "--json").json["intact"] is True


@pytest.mark.parametrize(
    "arguments",
    [
        ["post", "nonsense", "a=b"],
        ["post", "clients", "client_id"],
        ["post", "clients", "client_id=C-1", "client_id=C-2"],
        ["post", "clients", "nonsense=1"],
        ["map", "search", " "],
        ["map", "show", "--as-of", "yesterday"],
        ["map", "show", "--as-of", "2026-01-02T00:00:00"],
        ["cases", "show", "CASE-9"],
        ["cases", "list", "--kind", "nonsense"],
        ["cases", "propose", "CASE-9", "--text", " ", "--actor", "ops.maker"],
        ["cases", "propose", "CASE-9", "--text", "why", "--actor", "ops.maker"],
        ["chain", "resume", "eip155:1", "--reason", "why"],
        ["chain", "resume", "eip155:5", "--reason", "why"],
        ["export", "--out", "nowhere/a.zip"],
        ["export", "--out", "a.zip", "--since", "nonsense"],
    ],
    ids=" ".join,
)
def test_bad_input_has_a_code_and_advice(firm: Firm, arguments: list[str]) -> None:
    answer = firm(*arguments, "--json")
    assert answer.code == 2
    found = answer.json
    if "problems" in found:
        assert found["problems"]
    else:
        assert found["error"]["code"]
        assert found["error"]["advice"]
    assert firm(*arguments).code == 2


def test_the_books_answer_as_of_and_as_known(firm: Firm, tmp_path: Path) -> None:
    assert custody("template", "--out", tmp_path / "books").code == 0
    assert firm("import", tmp_path / "books").code == 0
    every = firm("map", "show", "--json")
    assert every.code == 0
    pooled = [row for row in every.json["rows"] if row["location"].startswith("pool:")]
    assert pooled
    wallet = pooled[0]["wallets"][0]
    address = wallet.rpartition(":")[2]
    found = firm("map", "search", address.lower(), "--json").json["rows"]
    assert [row["location"] for row in found if row["location"].startswith("pool:")]
    shown = firm("map", "search", address)
    assert wallet in shown.out, "a pool is expanded to its wallets, in full"
    assert firm("map", "show", "--known-at", "2020-01-01T00:00:00Z", "--json").code == 2
    assert firm("map", "show", "--as-of", "2020-01-01T00:00:00Z", "--json").json["rows"] == []
    history = firm("map", "history", pooled[0]["client_id"], "--json")
    assert history.code == 0
    assert {"effective_at", "recorded_at", "quantity"} <= set(history.json["entries"][0])
    assert firm("map", "history", "C-", "--as-of", "2020-01-01T00:00:00Z", "--json").json["entries"] == []
    assert firm("map", "history", pooled[0]["client_id"], "--limit", "1", "--json").json["omitted"] >= 0
    assert firm("map", "history", "nobody-at-all", "--json").code == 2
    assert "effective" in firm("map", "history", pooled[0]["client_id"]).out


def test_a_journal_can_be_shown_and_a_broken_one_is_told(firm: Firm) -> None:
    import sqlite3
    from contextlib import closing

    assert firm("post", "clients", "client_id=C-9", "name=Nine", "opened_on=2026-01-02").code == 0
    entries = firm("journal", "show", "--json").json["entries"]
    assert entries[-1]["rows"]["client"] == 1
    assert "client: 1" in firm("journal", "show").out
    assert firm("journal", "verify", "--json").json["intact"] is True
    with closing(sqlite3.connect(firm.path("custody.db"))) as database:
        for (name,) in database.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            database.execute(f"drop trigger {name}")
        database.execute("update client set name = 'Ten'")
        database.commit()
    broken = firm("journal", "verify", "--json")
    assert (broken.code, broken.json["intact"], broken.json["first_broken"]) == (1, False, entries[-1]["sequence"])
    assert "broken" in firm("journal", "verify").out
    assert (firm("status", "--json").code, firm("status", "--json").error) == (2, "journal-broken")


@pytest.mark.parametrize("content", [None, b"", b"garbage", b"PK", b"PK\x03\x04" + b"\x00" * 100])
def test_a_file_that_is_no_bundle_is_never_verified(firm: Firm, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "audit.zip"
    if content is not None:
        path.write_bytes(content)
    answer = custody("verify", path, "--trusted-keys", firm.path("trusted-keys.json"), "--json")
    assert answer.code in (1, 2)
    assert answer.json["verified"] is False
    shown = custody("verify", path, "--trusted-keys", firm.path("trusted-keys.json"))
    assert shown.code == answer.code
    assert "VERIFIED: " not in shown.out.replace("NOT VERIFIED", "")


@pytest.mark.parametrize("content", [None, "", "garbage", "{}", '{"keys": []}'])
def test_trusted_keys_that_cannot_be_read(tmp_path: Path, content: str | None) -> None:
    keys = tmp_path / "keys.json"
    if content is not None:
        keys.write_text(content)
    (tmp_path / "a.zip").write_bytes(b"PK")
    answer = custody("verify", tmp_path / "a.zip", "--trusted-keys", keys, "--json")
    assert (answer.code, bool(answer.json["error"]["advice"])) == (2, True)


@pytest.mark.parametrize(
    "option",
    [
        ["--rpc", "eip155:1"],
        ["--rpc", "banana=http://x"],
        ["--after", "1"],
        ["--after", "x:y"],
        ["--after", f"1:{'z' * 64}"],
    ],
)
def test_wrong_options_of_verify(firm: Firm, tmp_path: Path, option: list[str]) -> None:
    answer = custody("verify", tmp_path / "a.zip", "--trusted-keys", firm.path("trusted-keys.json"), *option, "--json")
    assert answer.code == 2
    assert answer.json["error"]["code"]


@pytest.mark.fault("C9")
def test_a_journal_that_was_cut_is_noticed_by_a_head_from_elsewhere(firm: Firm) -> None:
    head = firm("journal", "verify", "--json").json["head"]
    right = f"{head['sequence']}:{head['entry_digest']}"
    assert firm("journal", "verify", "--head", right).code == 0
    for named in (f"{head['sequence']}:{'0' * 64}", f"{head['sequence'] + 1}:{head['entry_digest']}"):
        answer = firm("journal", "verify", "--head", right, "--head", named, "--json")
        assert (answer.code, answer.json["intact"], bool(answer.json["reason"])) == (1, False, True)
    assert firm("journal", "verify", "--head", "1").code == 2
