"""The queue on a real PostgreSQL: made once, told apart by version, and what died in it is found again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import procrastinate
import psycopg
import pytest
from procrastinate import PsycopgConnector

from tests.cli.command import Firm, custody
from tests.postgres import PostgresServer
from verifier.errors import InputError, QueueMissing, StoreError
from verifier.journal import verify_journal
from verifier.store import open_store
from verifier.store.work_queue import (
    QUEUE,
    READ_SHARD,
    SCHEMA,
    ShardPost,
    connection_arguments,
    prepare_queue,
    requeue_stalled,
    require_queue,
)

postgres = pytest.mark.postgres


@pytest.fixture
def url(postgres_server: PostgresServer) -> Iterator[str]:
    """A database with the store's schema and no queue."""
    made = postgres_server.database()
    yield made
    postgres_server.drop(made)


def in_queue(url: str, statement: str) -> list[tuple[object, ...]]:
    """Ask the queue's own tables; what changes them is committed."""
    with psycopg.connect(**connection_arguments(url)) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


@postgres
def test_the_queue_is_made_once_and_beside_the_records(url: str) -> None:
    with pytest.raises(QueueMissing, match="was not made yet"):
        require_queue(url)
    with pytest.raises(StoreError, match="cannot be reached"):
        ShardPost(url).hand_out("sweep", [1])
    assert prepare_queue(url)
    require_queue(url)
    ShardPost(url).hand_out("sweep", list(range(2_500)))
    assert not prepare_queue(url), "a queue of this version is left alone"
    assert in_queue(url, "SELECT count(*), min(queue_name), min(task_name) FROM procrastinate_jobs") == [
        (2_500, QUEUE, READ_SHARD)
    ]
    store = open_store(url)
    assert verify_journal(store).ok
    store.close()
    with psycopg.connect(**{**connection_arguments(url), "options": ""}) as connection:
        tables = connection.execute("SELECT DISTINCT schemaname FROM pg_tables WHERE tablename ~ 'procrastinate'")
        assert tables.fetchall() == [(SCHEMA,)]


@postgres
def test_the_queue_of_another_version_is_refused_and_made_anew_when_asked(url: str) -> None:
    assert prepare_queue(url)
    ShardPost(url).hand_out("sweep", [1])
    in_queue(url, f"COMMENT ON SCHEMA {SCHEMA} IS 'procrastinate 2.0'")
    with pytest.raises(QueueMissing, match=r"is that of procrastinate 2\.0"):
        require_queue(url)
    assert prepare_queue(url)
    require_queue(url)
    assert in_queue(url, "SELECT count(*) FROM procrastinate_jobs") == [(0,)]


@postgres
@pytest.mark.fault("C1")
def test_what_a_dead_worker_had_taken_is_put_back_and_what_a_live_one_has_is_not(url: str) -> None:
    assert prepare_queue(url)
    ShardPost(url).hand_out("sweep", [1, 2, 3])

    async def story() -> tuple[int, int]:
        async with procrastinate.App(
            connector=PsycopgConnector(kwargs=connection_arguments(url), min_size=1, max_size=2)
        ).open_async() as app:
            dead, alive = [await app.job_manager.register_worker() for _ in range(2)]
            for worker in (dead, alive):
                assert await app.job_manager.fetch_job(queues=[QUEUE], worker_id=worker) is not None
            query = "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour' WHERE id = %(id)s"
            await app.connector.execute_query_async(query, id=dead)
            return await requeue_stalled(app, 30), await requeue_stalled(app, 30)

    assert asyncio.run(story()) == (1, 0)
    counts = in_queue(url, "SELECT status::text, count(*) FROM procrastinate_jobs GROUP BY 1 ORDER BY 1")
    assert counts == [("doing", 1), ("todo", 2)]


def test_a_server_that_is_not_there_is_told_without_its_url() -> None:
    with pytest.raises(StoreError) as caught:
        require_queue("postgresql+psycopg://someone:geheim@127.0.0.1:1/nowhere")
    assert "geheim" not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)


def test_sqlite_has_no_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="PostgreSQL"):
        connection_arguments("sqlite:///custody.db")
    folder = tmp_path / "firm"
    assert custody("init", "--dir", folder, "--firm", "Example Brokerage LLC").code == 0
    monkeypatch.setenv("MAINNET_RPC_URL", "http://127.0.0.1:1")
    firm = Firm(folder)
    for arguments in (["worker"], ["worker", "--prepare"], ["sweep", "--workers"]):
        answer = firm(*arguments, "--json")
        assert (answer.code, answer.error) == (2, "bad-input"), answer
        assert "PostgreSQL" in answer.json["error"]["message"]
