"""Leases: one holder at a time, a late one cannot write, and whoever died is replaced."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.postgres import MOMENT, PostgresServer
from verifier.errors import LeaseHeld, LeaseLost, StoreBusy, StoreError, StoreUnavailable
from verifier.process_identity import ProcessIdentity
from verifier.store import Store, open_store
from verifier.store.lease_store import LEASE
from verifier.store.tables import METADATA
from verifier.store.triggers import CHANGING, table_names

NAME = "chain:eip155:1"
OTHER = "other-host/12@34"
ROOT = Path(__file__).parents[3]


def write(store: Store) -> None:
    with store.record("test.note", "tests", {}, MOMENT, payload_is_the_record=True):
        pass


def entries(store: Store) -> list[str]:
    from verifier.store.journal_view import newest_entries

    return [entry.kind for entry in newest_entries(store, 50)]


@pytest.mark.fault("C5")
def test_one_holds_it_and_the_other_is_told_who(store: Store, database_url: str) -> None:
    first = store.take_lease(NAME, MOMENT, seconds=60)
    second = open_store(database_url)
    try:
        with pytest.raises(LeaseHeld, match=first.holder):
            second.take_lease(NAME, MOMENT + timedelta(seconds=59), holder=OTHER)
        store.give_lease_back(first, MOMENT)
        assert second.take_lease(NAME, MOMENT, holder=OTHER).token == first.token + 1
        assert second.take_lease("chain:eip155:2", MOMENT, holder=OTHER).token == 1
    finally:
        second.close()


@pytest.mark.fault("C6")
def test_who_slept_through_its_lease_writes_nothing(store: Store, database_url: str) -> None:
    late = store.take_lease(NAME, MOMENT, seconds=10, holder="slow-host/1@2")
    store.fences[NAME] = late
    write(store)
    awake = open_store(database_url)
    try:
        taken = awake.take_lease(NAME, MOMENT + timedelta(seconds=10), seconds=10, holder=OTHER)
        awake.fences[NAME] = taken
        before = store.head()
        with pytest.raises(LeaseLost):
            write(store)
        with pytest.raises(LeaseLost):
            store.renew_lease(late, MOMENT + timedelta(seconds=11))
        assert store.head() == before
        write(awake)
        store.fences.clear()
        store.give_lease_back(late, MOMENT + timedelta(seconds=12))
        assert [lease for lease, _, _ in awake.leases()] == [taken]
    finally:
        awake.close()


def test_a_renewed_lease_is_held_for_longer(store: Store) -> None:
    lease = store.take_lease(NAME, MOMENT, seconds=10, holder=OTHER)
    store.renew_lease(lease, MOMENT + timedelta(seconds=9), seconds=10)
    with pytest.raises(LeaseHeld):
        store.take_lease(NAME, MOMENT + timedelta(seconds=18), holder="third/1@1")
    assert store.take_lease(NAME, MOMENT + timedelta(seconds=19), holder="third/1@1").token == 2


def test_a_lease_given_back_leaves_no_journal_entry(store: Store) -> None:
    before = store.head()
    with store.leased(NAME) as lease:
        assert store.fences == {NAME: lease}
        with store.leased(NAME) as same:
            assert same is lease
    assert not store.fences
    assert store.leases() == []
    assert store.head() == before


def test_a_lease_is_renewed_while_the_work_goes_on(store: Store, database_url: str) -> None:
    second = open_store(database_url)
    try:
        with store.leased(NAME, seconds=2):
            ((_, _, first_end),) = second.leases()
            for _ in range(1_200):
                ((_, _, end),) = second.leases()
                if end > first_end:
                    break
                time.sleep(0.05)
            with pytest.raises(LeaseHeld):
                second.take_lease(NAME, first_end, holder=OTHER)
            write(store)
    finally:
        second.close()


def test_a_lease_that_could_not_be_given_back_is_taken_again_by_its_own_store_alone(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database went away in the middle of the work: who had it goes on at once when it is there again."""

    def away(*_: object) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as patched:
        patched.setattr(store, "give_lease_back", away)
        with store.leased(NAME) as before:
            pass
    second = open_store(database_url)
    try:
        with pytest.raises(LeaseHeld), second.leased(NAME):
            pytest.fail("it is not the second one's")
        with store.leased(NAME) as again:
            assert again.token == before.token + 1
            with pytest.raises(LeaseHeld), second.leased(NAME):
                pytest.fail("it is held")
        with second.leased(NAME), pytest.raises(LeaseHeld), store.leased(NAME):
            pytest.fail("it was given back, and taken by the second one")
    finally:
        second.close()


@pytest.mark.postgres
@pytest.mark.fault("C6")
def test_who_falls_silent_in_the_middle_of_a_write_does_not_keep_others_out(postgres_server: PostgresServer) -> None:
    """A stopped process, or a machine that went away, holds the writers' lock: the server takes it from it."""
    url = postgres_server.database()
    silent, other = open_store(url), open_store(url, busy_seconds=300.0)
    for seconds in (0.2, 2.0, 20.0):  # a busy machine may fall silent by itself, before it is this test's turn
        silent.silent_seconds_max = seconds
        with pytest.raises(StoreError), silent.record("test.late", "tests", {}, MOMENT, payload_is_the_record=True):
            write(other)
        if "test.note" in entries(other):
            break
    assert [kind for kind in entries(other) if kind.startswith("test.")] == ["test.note"]
    silent.silent_seconds_max = 300.0
    write(silent)
    for each in (silent, other):
        each.close()
    postgres_server.drop(url)


@pytest.mark.postgres
def test_who_does_not_fall_silent_keeps_others_waiting(postgres_server: PostgresServer) -> None:
    url = postgres_server.database()
    busy, other = open_store(url), open_store(url, busy_seconds=0.2)
    busy.silent_seconds_max = 300.0
    with (
        busy.record("test.late", "tests", {}, MOMENT, payload_is_the_record=True),
        pytest.raises(StoreBusy),
    ):
        write(other)
    assert [kind for kind in entries(other) if kind.startswith("test.")] == ["test.late"]
    for each in (busy, other):
        each.close()
    postgres_server.drop(url)


def test_only_leases_change(store: Store) -> None:
    alerts = {"alert", "alert_channel", "alert_delivery"}
    changing = {"account_secret", "api_request", "web_session", "web_ticket", "work_lease"} | alerts
    assert changing == CHANGING == set(METADATA.tables) - set(table_names())
    assert "record_id" not in LEASE.columns


HOLD = """
import sys, time
from datetime import UTC, datetime
from verifier.errors import LeaseLost
from verifier.store import open_store
store = open_store(sys.argv[1])
with store.leased("chain:eip155:1", seconds=float(sys.argv[2])):
    print("held", flush=True)
    sys.stdin.readline()
    try:
        with store.record("test.late", "tests", {}, datetime.now(UTC), payload_is_the_record=True):
            pass
    except LeaseLost:
        print("refused", flush=True)
    else:
        print("written", flush=True)
"""


def holder(database_url: str, seconds: float) -> subprocess.Popen[str]:
    started = subprocess.Popen(
        [sys.executable, "-c", HOLD, database_url, str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert started.stdout is not None
    assert started.stdout.readline() == "held\n"
    return started


@pytest.mark.fault("C6")
def test_a_stopped_process_that_wakes_is_refused(store: Store, database_url: str) -> None:
    slept = holder(database_url, 60)
    try:
        os.kill(slept.pid, signal.SIGSTOP)
        with pytest.raises(LeaseHeld), store.leased(NAME):
            raise AssertionError("its process lives and its lease runs")
        with store.leased(NAME, clock=lambda: datetime.now(UTC) + timedelta(hours=1)) as lease:
            assert lease.token == 2
            os.kill(slept.pid, signal.SIGCONT)
            said, _ = slept.communicate("go on\n", timeout=120)
            assert "refused" in said, "beside what the keeper of the lease logs"
            assert "written" not in said
            assert "test.late" not in entries(store)
    finally:
        slept.kill()
        slept.communicate()


def test_a_process_that_was_not_disturbed_writes(store: Store, database_url: str) -> None:
    quiet = holder(database_url, 30)
    said, _ = quiet.communicate("go on\n", timeout=120)
    assert "written" in said.splitlines()
    assert "test.late" in entries(store)


def test_a_killed_process_is_replaced_at_once(store: Store, database_url: str) -> None:
    killed = holder(database_url, 3600)
    with pytest.raises(LeaseHeld):
        store.take_lease(NAME, datetime.now(UTC))
    killed.kill()
    killed.communicate()
    with store.leased(NAME) as lease:
        assert lease.token == 2


def test_the_name_of_a_process_can_be_read_back() -> None:
    own = ProcessIdentity.own()
    assert ProcessIdentity.parse(str(own)) == own
    assert not own.is_gone
    assert ProcessIdentity(own.host, own.process_id, "1").is_gone, "a later process of the same number"
    assert ProcessIdentity(own.host, 2**22 + 5, "1").is_gone
    assert not ProcessIdentity("elsewhere", 2**22 + 5, "1").is_gone
    assert ProcessIdentity.parse("nobody") is None
    assert ProcessIdentity.parse("host/x@1") is None


def test_a_database_that_is_held_ends_nobody_who_keeps_a_lease(sqlite_template: Path, tmp_path: Path) -> None:
    """Renewing a lease, or giving it back, while the database cannot be written: our own error, a warning, no more."""
    path = tmp_path / "gone.db"
    shutil.copy(sqlite_template, path)
    opened = open_store(f"sqlite:///{path}", busy_seconds=0.1)
    holder = sqlite3.connect(path, isolation_level=None)
    with opened.leased("work") as lease:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy):
            opened.renew_lease(lease, datetime.now(UTC))
    holder.execute("ROLLBACK")
    holder.close()
    assert [found.name for found, _, _ in opened.leases()] == ["work"], "it was not given back, and runs out"
    opened.close()
