"""`custody alerts` as a firm uses it, and a process that is killed between the commit and the sending."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.verifier.alerts.receiver import Receiver, receiver
from verifier.cli.app import run
from verifier.config import load_settings
from verifier.store import open_store

DIE = """
import os, signal, sys
from datetime import UTC, datetime
from tests.verifier.store.story import CHAIN, finding, sighting
from verifier.alerts import delivering, webhook
from verifier.records import FindingKind
from verifier.store import open_store
from verifier.store.case_seeing import see_cases
store = open_store(sys.argv[1])
at = datetime.now(UTC)
with store.record("test.sweep", "scheduler", {}, at) as unit:
    see_cases(unit, CHAIN, None, [sighting(finding(FindingKind.SHORTFALL))], "scheduler", all_seen=False)
if sys.argv[2] == "before":
    os.kill(os.getpid(), signal.SIGKILL)
from pathlib import Path
from verifier.alerts.running import send_once
from verifier.config import load_settings
send = webhook.send
def sent_and_killed(*arguments):
    send(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
webhook.send = sent_and_killed
send_once(store, load_settings(Path(sys.argv[3])), lambda: datetime.now(UTC), "alerts")
"""


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as kept:
        yield kept


@pytest.fixture
def config(there: Receiver, tmp_path: Path) -> Path:
    """A firm with one webhook and a database."""
    (tmp_path / "secret").write_text("whsec_" + base64.b64encode(bytes(32)).decode())
    path = tmp_path / "custody.toml"
    path.write_text(
        '[firm]\nname = "Example LLC"\n[database]\nurl = "sqlite:///custody.db"\n'
        '[[alerts]]\nname = "ops"\nkind = "webhook"\nevery_seconds = 0\nseverity = "breach"\ninside = true\n'
        f'url = "{there.url}/canary7d20"\nhosts = ["127.0.0.1"]\nsecret_file = "secret"\n'
    )
    store = open_store(f"sqlite:///{tmp_path / 'custody.db'}")
    store.migrate("tests", datetime.now(UTC))
    store.close()
    return path


def custody(config: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = run(["--config", str(config), "alerts", *arguments])
    said = capsys.readouterr()
    assert "canary7d20" not in said.out + said.err
    return code, said.out


@pytest.mark.fault("C2")
@pytest.mark.parametrize(("moment", "posts"), [("before", 1), ("after", 2)])
def test_a_killed_process_loses_no_alert(
    config: Path, there: Receiver, capsys: pytest.CaptureFixture[str], moment: str, posts: int
) -> None:
    """Killed between commit and sending, or between sending and noting it: then it is sent again under its id."""
    url = load_settings(config).database.url.get_secret_value()
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", DIE, url, moment, str(config)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
        capture_output=True,
        timeout=300,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert len(there.posts) == posts - 1
    code, said = custody(config, capsys, "send", "--once", "--json")
    assert code == 0
    assert json.loads(said)["channels"][0]["messages"] == 1
    assert len(there.posts) == posts
    assert len(set(there.ids)) == 1
    assert json.loads(there.posts[-1][1])["data"]["alerts"][0]["case_id"] == "CASE-000001"
    assert custody(config, capsys, "send", "--once")[0] == 0
    assert len(there.posts) == posts


def test_what_was_not_sent_is_seen(config: Path, there: Receiver, capsys: pytest.CaptureFixture[str]) -> None:
    assert custody(config, capsys, "list")[0] == 0
    there.answers = [503]
    assert custody(config, capsys, "test", "ops")[0] == 2
    code, said = custody(config, capsys, "test", "ops", "--json")
    assert (code, json.loads(said)) == (0, {"channel": "ops", "accepted": True, "failed": ""})
    assert custody(config, capsys, "test", "other")[0] == 2
    assert len(there.posts) == 2


@pytest.mark.fault("C9")
def test_a_broken_journal_is_told_past_the_outbox_once_an_hour(
    config: Path, there: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    import sqlite3

    with sqlite3.connect(config.with_name("custody.db")) as connection:
        connection.execute("DROP TRIGGER journal_entry_refuse_update")
        connection.execute("UPDATE journal_entry SET actor = 'somebody else'")
    for _ in range(2):
        assert run(["--config", str(config), "watch", "--for", "1"]) == 2
    assert "journal-broken" in capsys.readouterr().err
    [(_, body)] = there.posts
    assert json.loads(body)["data"]["alerts"][0]["event"] == "journal_broken"
