"""Several processes at one database, and processes that are killed: nothing lost, nothing twice, nothing half."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time

import pytest
import sqlalchemy as sa

from tests.verifier.store.story import SweepStory, everything, import_story, later
from verifier.errors import StoreBusy
from verifier.journal import verify_journal
from verifier.store import Store, open_store
from verifier.store.digest import state_digest
from verifier.store.tables import JournalEntryRow, table


def writer(url: str, *arguments: str) -> subprocess.Popen[str]:
    """A process that writes."""
    command = [sys.executable, "-W", "error", "-m", "tests.verifier.store.writer", url, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.fault("C4")
def test_two_writers_lose_no_write_and_make_one_chain(store: Store, database_url: str) -> None:
    writers = [writer(database_url, "count", name, "15") for name in ("first", "second")]
    for process in writers:
        process.communicate(timeout=300)
        assert process.returncode == 0
    report = verify_journal(store)
    assert (report.ok, report.entries) == (True, 31)
    with store.read() as connection:
        entry = table(JournalEntryRow)
        query = (
            sa.select(entry.c.actor, sa.func.count().label("entries"))
            .where(entry.c.sequence > 1)
            .group_by(entry.c.actor)
        )
        assert {row.actor: row.entries for row in connection.execute(query)} == {"first": 15, "second": 15}


@pytest.mark.fault("C4")
def test_a_second_writer_waits_only_so_long(store: Store, database_url: str) -> None:
    holder = writer(database_url, "hold")
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == "holding\n"
        impatient = open_store(database_url, busy_seconds=0.3)
        before = everything(impatient)
        began = time.monotonic()
        with (
            pytest.raises(StoreBusy, match="another writer"),
            impatient.record("test", "tests", {}, later(1)) as unit,
        ):
            unit.text_key("never written")
        assert 0.2 < time.monotonic() - began < 120, "the other one holds it for ten minutes"
        assert everything(impatient) == before, "readers never wait, and see nothing of what is not committed"
    finally:
        holder.kill()
        holder.communicate()
    with impatient.record("test", "tests", {}, later(1)) as unit:
        unit.text_key("written once the other is gone")
    assert verify_journal(impatient).ok
    impatient.close()


@pytest.mark.fault("C1")
def test_a_writer_killed_in_a_transaction_leaves_nothing_of_it(store: Store, database_url: str) -> None:
    before = everything(store)
    holder = writer(database_url, "hold")
    assert holder.stdout is not None
    assert holder.stdout.readline() == "holding\n"
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    assert everything(store) == before
    import_story(store)
    assert verify_journal(store).ok


@pytest.mark.fault("C1")
def test_what_was_reported_as_committed_survives_a_kill(store: Store, database_url: str) -> None:
    process = writer(database_url, "count", "victim", "100000")
    assert process.stdout is not None
    seen = random.Random(7).randrange(5, 40)
    for _ in range(seen):
        process.stdout.readline()
    process.kill()
    reported = seen + len(process.communicate()[0].splitlines())
    report = verify_journal(store)
    assert report.ok
    assert report.entries - 1 in (reported, reported + 1), "at most one commit was not reported yet"


@pytest.mark.fault("C1")
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("entry", [1, 2, 3, 4, 6, 7])
def test_a_sweep_killed_at_any_commit_and_run_again_gives_the_same_records(
    store: Store, database_url: str, calm_digest: str, entry: int, moment: str
) -> None:
    if (entry, moment) == (7, "after"):
        pytest.skip("after the last commit there is nothing left to kill")
    process = writer(database_url, "story", str(entry), moment)
    process.communicate(timeout=300)
    assert process.returncode == -signal.SIGKILL
    assert verify_journal(store).ok
    import_story(store)
    SweepStory(store).run()
    assert state_digest(store) == calm_digest
    report = verify_journal(store)
    assert (report.ok, report.entries) == (True, 8)


@pytest.fixture(scope="module")
def calm_digest(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of an undisturbed run: the same on both databases."""
    opened = open_store(f"sqlite:///{tmp_path_factory.mktemp('calm') / 'custody.db'}")
    opened.migrate("tests", later(0))
    import_story(opened)
    SweepStory(opened).run()
    digest = state_digest(opened)
    opened.close()
    return digest
