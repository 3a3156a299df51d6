"""`custody db`: backups, an older copy put back, and what refuses to work with one."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.cli.command import Firm, custody
from tests.cli.scene import Scene


def act(firm: Firm, name: str) -> None:
    """One more journal entry: a client is added."""
    folder = firm.folder / f"books-{name}"
    folder.mkdir()
    text = f"client_id,name,opened_on,closed_on\n{name},Client {name},2026-01-01,\n"
    (folder / "clients.csv").write_text(text)
    answer = firm("import", folder, "--json")
    assert answer.code == 0, answer


def head_of(firm: Firm) -> int:
    """The newest entry, by the check of the whole journal."""
    answer = firm("journal", "verify", "--json")
    assert answer.code == 0, answer
    return int(answer.json["head"]["sequence"])


def kinds(firm: Firm) -> list[str]:
    """What the newest entries are."""
    return [entry["kind"] for entry in firm("journal", "show", "--json").json["entries"]]


def put_back(firm: Firm, copy: Path) -> None:
    """What somebody does with a file manager: the database replaced, its companions gone."""
    for suffix in ("-wal", "-shm"):
        firm.path(f"custody.db{suffix}").unlink(missing_ok=True)
    shutil.copyfile(copy, firm.path("custody.db"))


def test_a_backup_is_one_private_checked_file_and_is_noted(firm: Firm, tmp_path: Path) -> None:
    act(firm, "C-1")
    copy = tmp_path / "copy.db"
    made = firm("db", "backup", copy, "--json")
    assert made.code == 0, made
    assert (copy.stat().st_mode & 0o777, made.json["size_bytes"]) == (0o600, copy.stat().st_size)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.db", "firm"], "nothing is left beside it"
    noted = json.loads(firm.path("known-head.json").read_text())
    assert noted["sequence"] == made.json["head"]["sequence"] == head_of(firm)
    assert (noted["entry_digest"], noted["after"]) == (made.json["head"]["entry_digest"], "backup")
    checked = firm("db", "check", copy, "--json")
    assert (checked.code, checked.json["whole"], checked.json["older_than_known"]) == (0, True, False)
    assert checked.json["rows"] > 0
    before = copy.read_bytes()
    again = firm("db", "backup", copy, "--json")
    assert (again.code, again.error, copy.read_bytes()) == (2, "bad-input", before)


def test_a_backup_holds_what_is_only_in_the_log_of_an_open_database(firm: Firm, tmp_path: Path) -> None:
    with sqlite3.connect(firm.path("custody.db")) as held:  # an open reader: nothing can be moved into the file
        held.execute("SELECT count(*) FROM journal_entry").fetchone()
        act(firm, "C-1")
        assert firm.path("custody.db-wal").stat().st_size > 0
        made = firm("db", "backup", tmp_path / "copy.db", "--json")
    held.close()
    assert made.json["head"]["sequence"] == head_of(firm) == 2


@pytest.mark.fault("C14")
def test_a_damaged_copy_is_refused_and_never_put_back(firm: Firm, tmp_path: Path) -> None:
    act(firm, "C-1")
    copy = tmp_path / "copy.db"
    assert firm("db", "backup", copy).code == 0
    whole = copy.read_bytes()
    copy.write_bytes(whole[:8192] + b"\x55" * 40_000 + whole[48_192:])
    assert firm("db", "check", copy, "--json").error == "store"
    copy.write_bytes(whole)
    with sqlite3.connect(copy) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'client'")
        for (name,) in triggers.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE client SET name = 'Another'")
    connection.close()
    checked = firm("db", "check", copy, "--json")
    assert (checked.code, checked.error) == (1, "journal-broken")
    before = firm.path("custody.db").read_bytes()
    refused = firm("db", "restore", copy, "--reason", "why not", "--json")
    assert (refused.code, refused.error) == (2, "journal-broken")
    assert firm.path("custody.db").read_bytes() == before
    (tmp_path / "no.db").write_text("not a database")
    assert firm("db", "check", tmp_path / "no.db", "--json").error == "store"
    sqlite3.connect(tmp_path / "empty.db").close()
    assert firm("db", "check", tmp_path / "empty.db", "--json").error == "store"
    assert firm("db", "check", tmp_path / "none.db", "--json").error == "bad-input"


@pytest.mark.parametrize(("schema", "told"), [("0000", "knows 0001 to"), ("9999", "newer than")])
def test_a_schema_that_this_program_does_not_know_is_named_and_refused(
    firm: Firm, tmp_path: Path, schema: str, told: str
) -> None:
    copy = tmp_path / "copy.db"
    assert firm("db", "backup", copy).code == 0
    assert firm("db", "check", copy).code == 0
    for path in (copy, firm.path("custody.db")):
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", (schema,))
        connection.close()
    before = firm.path("custody.db").read_bytes()
    for act in (
        ("upgrade",),
        ("check", copy),
        ("restore", copy, "--reason", "why not"),
        ("backup", tmp_path / "other.db"),
        ("record-head",),
        ("accept-restore", "--reason", "why not"),
    ):
        answer = firm("db", *act, "--json")
        assert (answer.code, answer.error) == (2, "schema-outdated"), act
        assert schema in answer.json["error"]["message"]
        assert told in answer.json["error"]["message"]
        assert "db upgrade" not in answer.json["error"]["advice"]
    assert firm.path("custody.db").read_bytes() == before


@pytest.mark.fault("C10")
def test_an_older_copy_put_back_is_refused_until_an_operator_says_why(
    firm: Firm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAINNET_RPC_URL", "https://127.0.0.1:1")
    act(firm, "C-1")
    old = tmp_path / "old.db"
    assert firm("db", "backup", old).code == 0
    act(firm, "C-2")
    assert firm("db", "record-head", "--json").code == 0
    known = head_of(firm)
    put_back(firm, old)
    assert firm("db", "check", old, "--json").json["older_than_known"] is True
    for refused in (("status",), ("sweep",), ("watch", "--once"), ("import", firm.path("books-C-1"))):
        answer = firm(*refused, "--json")
        assert (answer.code, answer.error) == (2, "journal-rolled-back"), refused
        assert f"lacks entry {known}" in answer.json["error"]["message"]
        assert "accept-restore" in answer.json["error"]["advice"]
    assert firm("db", "record-head", "--json").error == "journal-rolled-back"
    assert firm("db", "backup", tmp_path / "other.db", "--json").error == "journal-rolled-back"
    doctor = firm("doctor", "--json")
    assert any("journal-rolled-back" in answer["found"] for answer in doctor.json["answers"])
    assert firm("db", "accept-restore", "--reason", " ", "--json").error == "bad-input"
    assert firm("status", "--json").error == "journal-rolled-back", "without a reason nothing was accepted"
    accepted = firm("db", "accept-restore", "--reason", "the disk failed", "--actor", "ops.one", "--json")
    assert accepted.code == 0, accepted
    assert accepted.json == {"head_sequence": known - 1, "known_sequence": known, "lost_bundle": None}
    entry = firm("journal", "show", "--limit", "1", "--json").json["entries"][0]
    assert (entry["kind"], entry["actor"]) == ("restore.accepted", "ops.one")
    assert entry["payload"]["reason"] == "the disk failed"
    assert entry["payload"]["known_sequence"] == known
    act(firm, "C-3")
    assert head_of(firm) == known + 1, "what is added later is a journal without a break"
    assert firm("db", "accept-restore", "--reason", "again", "--json").error == "bad-input"


@pytest.mark.fault("C10")
def test_a_copy_that_was_continued_is_another_journal(firm: Firm, tmp_path: Path) -> None:
    """As long as the lost one, or longer: only the digest tells."""
    act(firm, "C-1")
    old = tmp_path / "old.db"
    assert firm("db", "backup", old).code == 0
    act(firm, "C-2")
    assert firm("db", "record-head").code == 0
    noted = firm.path("known-head.json").read_bytes()
    put_back(firm, old)
    firm.path("known-head.json").unlink()  # somebody who goes on without the file
    act(firm, "C-3")
    act(firm, "C-4")
    firm.path("known-head.json").write_bytes(noted)
    answer = firm("status", "--json")
    assert (answer.error, "another entry" in answer.json["error"]["message"]) == ("journal-rolled-back", True)


@pytest.mark.fault("C10")
def test_restoring_is_journalled_and_keeps_what_was_there(firm: Firm, tmp_path: Path) -> None:
    act(firm, "C-1")
    copy = tmp_path / "copy.db"
    assert firm("db", "backup", copy).code == 0
    act(firm, "C-2")
    act(firm, "C-3")
    lost = head_of(firm)
    done = firm("db", "restore", copy, "--reason", "a wrong import", "--actor", "ops.one", "--json")
    assert done.code == 0, done
    kept = Path(done.json["kept"])
    with sqlite3.connect(kept) as connection:
        assert connection.execute("SELECT max(sequence) FROM journal_entry").fetchone() == (lost,)
    connection.close()
    assert kinds(firm)[-1] == "restore.accepted"
    assert firm("status", "--json").code == 2, "nothing was swept, but the database is worked with"
    act(firm, "C-4")
    assert head_of(firm) == 4
    assert firm("db", "check", copy, "--json").json["older_than_known"] is True
    assert firm("db", "restore", copy, "--reason", "", "--json").error == "bad-input"


def test_a_database_that_is_open_is_not_replaced(firm: Firm, tmp_path: Path) -> None:
    act(firm, "C-1")
    copy = tmp_path / "copy.db"
    assert firm("db", "backup", copy).code == 0
    held = sqlite3.connect(firm.path("custody.db"))
    held.execute("BEGIN")
    held.execute("SELECT count(*) FROM journal_entry").fetchone()
    refused = firm("db", "restore", copy, "--reason", "too early", "--json")
    assert (refused.code, refused.error) == (2, "store-busy")
    held.close()
    assert sorted(path.name for path in firm.folder.glob("*custody.db*")) == ["custody.db"]
    assert head_of(firm) == 2
    assert firm("db", "restore", copy, "--reason", "now", "--json").code == 0


@pytest.mark.fault("C14")
def test_a_database_that_is_destroyed_is_kept_and_replaced(firm: Firm, tmp_path: Path) -> None:
    act(firm, "C-1")
    copy = tmp_path / "copy.db"
    assert firm("db", "backup", copy).code == 0
    firm.path("custody.db").write_bytes(b"rubbish" * 1000)
    done = firm("db", "restore", copy, "--reason", "the file was destroyed", "--json")
    assert done.code == 0, done
    assert Path(done.json["kept"]).read_bytes().startswith(b"rubbish")
    assert head_of(firm) == 3


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format":"custody-known-head/1"}', "\xff"])
def test_a_head_file_that_cannot_be_read_is_no_missing_one(firm: Firm, text: str) -> None:
    firm.path("known-head.json").write_text(text, encoding="latin-1")
    answer = firm("status", "--json")
    assert (answer.code, answer.error) == (2, "head-file")
    assert firm("db", "record-head", "--json").error == "head-file", "what was known is not written over"
    firm.path("known-head.json").rename(firm.path("damaged.json"))
    assert firm("db", "record-head").code == 0
    assert "error" not in firm("status", "--json").json


@pytest.fixture
def strangers(firm: Firm, tmp_path: Path) -> bytes:
    """The head file of another firm, whose journal is longer."""
    other = Firm(tmp_path / "other")
    assert custody("init", "--dir", other.folder, "--firm", "Another Brokerage LLC").code == 0
    for client in ("C-1", "C-2", "C-3"):
        act(other, client)
    assert other("db", "record-head").code == 0
    return other.path("known-head.json").read_bytes()


@pytest.mark.fault("C10")
@pytest.mark.parametrize(
    "command",
    [
        ("status",),
        ("db", "record-head"),
        ("db", "backup", "another.db"),
        ("db", "check", "copy.db"),
        ("db", "restore", "copy.db", "--reason", "x"),
        ("db", "accept-restore", "--reason", "x"),
        ("journal", "verify"),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_the_head_file_of_another_firm_is_refused_and_not_written_over(
    firm: Firm, strangers: bytes, command: tuple[str, ...]
) -> None:
    """It says nothing of this database; accepting what it says would cost the other firm its own file."""
    assert firm("db", "backup", firm.path("copy.db")).code == 0
    firm.path("known-head.json").write_bytes(strangers)
    before = firm.path("custody.db").stat().st_ino
    paths = [firm.path(each) if each.endswith(".db") else each for each in command]
    answer = firm(*paths, "--json")
    assert (answer.code, answer.error) == (2, "head-file")
    assert "'Another Brokerage LLC'" in answer.json["error"]["message"]
    assert firm.path("known-head.json").read_bytes() == strangers
    assert (firm.path("custody.db").stat().st_ino, firm.path("another.db").exists()) == (before, False)


@pytest.mark.fault("C10")
def test_a_firm_that_changes_its_name_keeps_its_head_file(firm: Firm) -> None:
    act(firm, "C-1")
    assert firm("db", "record-head").code == 0
    config = firm.path("custody.toml")
    before = json.loads(firm.path("known-head.json").read_text())
    config.write_text(config.read_text().replace(before["firm"], "Renamed Brokerage LLC"))
    assert firm("journal", "verify").code == 0
    assert firm("db", "record-head").code == 0
    after = json.loads(firm.path("known-head.json").read_text())
    assert (after["firm"], after["first_digest"]) == ("Renamed Brokerage LLC", before["first_digest"])


def test_upgrade_tells_what_it_did(firm: Firm) -> None:
    answer = firm("db", "upgrade", "--json")
    assert (answer.code, answer.json["from"] == answer.json["to"]) == (0, True)
    firm.path("custody.db").unlink()
    answer = firm("db", "upgrade", "--json")
    assert (answer.code, answer.json["from"]) == (0, "")


@pytest.mark.devnet
@pytest.mark.fault("C10")
def test_a_bundle_that_the_restored_database_lost_keeps_its_number(scene: Scene, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    first = scene.firm("export", "--out", scene.firm.path("one.zip"), "--json").json
    assert scene.firm("db", "backup", copy).code == 0
    second = scene.firm("export", "--out", scene.firm.path("two.zip"), "--json").json
    assert (first["sequence"], second["sequence"]) == (1, 2)
    put_back(scene.firm, copy)
    refused = scene.firm("export", "--out", scene.firm.path("three.zip"), "--json")
    assert (refused.error, scene.firm.path("three.zip").exists()) == ("journal-rolled-back", False)
    accepted = scene.firm("db", "accept-restore", "--reason", "disk failed", "--json")
    assert accepted.json["lost_bundle"] == 2
    third = scene.firm("export", "--out", scene.firm.path("three.zip"), "--json").json
    assert third["sequence"] == 3
    after = f"2:{second['sha256_of_manifest']}"
    assert scene.verify(scene.firm.path("three.zip"), "--after", after).code == 0
    wrong = f"2:{first['sha256_of_manifest']}"
    assert scene.verify(scene.firm.path("three.zip"), "--after", wrong).code == 1


@pytest.mark.devnet
@pytest.mark.fault("C10")
def test_a_database_without_its_head_file_says_which_bundle_was_last(scene: Scene) -> None:
    scene.export()
    scene.firm.path("known-head.json").unlink()
    refused = scene.firm("status", "--json")
    assert refused.error == "journal-rolled-back"
    assert "bundle 1 was issued" in refused.json["error"]["message"]
    assert scene.firm("db", "record-head", "--json").error == "journal-rolled-back"
    assert scene.firm("db", "accept-restore", "--reason", "x", "--last-bundle", "4", "--json").error == "bad-input"
    told = ("--reason", "a new machine", "--last-bundle", f"4:{'ab' * 32}")
    accepted = scene.firm("db", "accept-restore", *told, "--json")
    assert accepted.json["lost_bundle"] == 4
    assert scene.firm("export", "--out", scene.firm.path("b.zip"), "--json").json["sequence"] == 5


@pytest.mark.fault("C10")
def test_verifying_the_journal_looks_for_the_entry_that_is_known(firm: Firm, tmp_path: Path) -> None:
    act(firm, "C-1")
    old = tmp_path / "old.db"
    assert firm("db", "backup", old).code == 0
    act(firm, "C-2")
    assert firm("journal", "verify").code == 0
    assert firm("db", "record-head").code == 0
    put_back(firm, old)
    answer = firm("journal", "verify", "--json")
    assert (answer.code, answer.json["first_broken"]) == (1, 3)
