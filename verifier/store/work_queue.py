"""The queue of shards: Procrastinate on the same PostgreSQL, in a schema of its own.

The queue carries the news that there is work and nothing else. It may lose a job or run one twice: which shard is read
is decided by its lease, what counts by the shard plan (decision 0034). So it may be dropped and made anew at any time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from verifier.errors import InputError, MissingExtra, QueueMissing, StoreUnavailable
from verifier.store.engine import CONNECTION

if TYPE_CHECKING:
    import procrastinate
    import psycopg

SCHEMA: Final = "custody_queue"
"""PostgreSQL schema of the queue's tables."""
QUEUE: Final = "shards"
READ_SHARD: Final = "custody.read_shard"
REQUEUE: Final = "custody.requeue_stalled"
JOBS_PER_CALL: Final = 1_000
CONNECT_SECONDS: Final = 10.0

_LOCK: Final = 0x637573746F6451
"""Key of the advisory lock under which the queue is made."""


def require_postgresql(database_url: str) -> None:
    """Raise `InputError` unless the database can have workers."""
    if not database_url.startswith("postgresql"):
        raise InputError("workers need PostgreSQL: with SQLite one process does all of it, without workers")


def connection_arguments(database_url: str) -> dict[str, Any]:
    """What the queue's connections are opened with: the database of the store, the schema of the queue."""
    import sqlalchemy as sa
    from psycopg.conninfo import conninfo_to_dict

    require_postgresql(database_url)
    url = sa.make_url(database_url).set(drivername="postgresql")
    arguments: dict[str, Any] = dict(conninfo_to_dict(url.render_as_string(hide_password=False)))
    options = f"{arguments.get('options', '')} -c search_path={SCHEMA}".strip()
    return {**CONNECTION, **arguments, "options": options}


def prepare_queue(database_url: str) -> bool:
    """Make the queue's schema where it is missing or another version's; whether anything was done.

    What waited in a queue of another version is forgotten: the sweep that waits for it hands it out again.
    """
    _procrastinate()
    from procrastinate.schema import SchemaManager

    with _connected(database_url) as connection, connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        if _version_in(connection) == _version():
            return False
        connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        connection.execute(f"CREATE SCHEMA {SCHEMA}")
        connection.execute(SchemaManager.get_schema())
        connection.execute(f"COMMENT ON SCHEMA {SCHEMA} IS '{_version()}'")
    return True


def require_queue(database_url: str) -> None:
    """Raise `QueueMissing` unless the queue is there, as this program's version of Procrastinate needs it."""
    _procrastinate()
    with _connected(database_url) as connection:
        found = _version_in(connection)
    if found != _version():
        what = f"is that of {found}" if found else "was not made yet"
        raise QueueMissing(f"the workers' queue {what}; this program works with {_version()}")


class ShardPost:
    """Puts shards into the queue. A connection is opened for it each time: it happens a few times in a sweep."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url

    def hand_out(self, sweep_id: str, numbers: Sequence[int]) -> None:
        """Tell the workers of these shards. Doing it twice costs them a look each, and nothing else.

        Raises `StoreUnavailable` when the queue cannot be reached.
        """
        library = _procrastinate()
        keep_quiet()
        connector = library.SyncPsycopgConnector(
            kwargs=connection_arguments(self._database_url), min_size=1, max_size=1, timeout=CONNECT_SECONDS
        )
        jobs = [{"sweep_id": sweep_id, "number": number} for number in numbers]
        try:
            with library.App(connector=connector).open() as app:
                deferrer = app.configure_task(READ_SHARD, queue=QUEUE)
                for first in range(0, len(jobs), JOBS_PER_CALL):
                    deferrer.batch_defer(*jobs[first : first + JOBS_PER_CALL])
        except library.exceptions.ConnectorException:
            raise StoreUnavailable("the workers' queue cannot be reached in the database") from None


async def requeue_stalled(app: procrastinate.App, silent_seconds: float) -> int:
    """Put back into the queue what workers had taken that are not heard of any more; returns how many.

    Procrastinate does not do it by itself. A worker that was only slow loses nothing: the shard's lease decides.
    """
    stalled = list(await app.job_manager.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=silent_seconds))
    for job in stalled:
        await app.job_manager.retry_job(job)
    return len(stalled)


def keep_quiet() -> None:
    """The libraries' own logs name hosts and show tracebacks; what matters of them is logged here, without those."""
    for name in ("procrastinate", "psycopg", "psycopg.pool"):
        logger = logging.getLogger(name)
        logger.handlers = [logging.NullHandler()]
        logger.propagate = False


def _procrastinate() -> Any:
    try:
        import procrastinate
    except ModuleNotFoundError as error:
        raise MissingExtra("workers", f"handing shards to workers (no module {error.name})") from None
    return procrastinate


def _version() -> str:
    return f"procrastinate {'.'.join(_procrastinate().__version__.split('.')[:2])}"


def _version_in(connection: psycopg.Connection[Any]) -> str:
    query = "SELECT obj_description(to_regnamespace(%s)::oid, 'pg_namespace')"
    row = connection.execute(query, (SCHEMA,)).fetchone()
    return str(row[0] or "") if row else ""


@contextmanager
def _connected(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    import psycopg

    arguments = connection_arguments(database_url)
    try:
        with psycopg.connect(**arguments, autocommit=True) as connection:
            yield connection
    except psycopg.Error as error:
        state = f" ({error.sqlstate})" if error.sqlstate else ""
        raise StoreUnavailable(f"the workers' queue cannot be reached in the database{state}") from None
