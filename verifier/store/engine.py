"""One database, SQLite or PostgreSQL: opened safely, read at one moment, written by one writer at a time.

SQLite runs with a write-ahead log, so that readers never wait for the writer; `synchronous=FULL`, because a commit
that the program reported must survive a power failure and a sweep has few commits; foreign keys on; and every
write begins with BEGIN IMMEDIATE, so that a second writer waits at the start instead of failing in the middle.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from verifier.errors import JournalBroken, LeaseLost, SchemaOutdated, StoreBusy, StoreError, StoreFull, StoreUnavailable
from verifier.store.interning import Interned, Texts
from verifier.store.migrations import FIRST_VERSION, SCHEMA_VERSION
from verifier.store.records import JournalHead, Lease
from verifier.store.tables import JournalEntryRow, JournalSealRow, WorkLeaseRow, table
from verifier.store.unit import Unit

if TYPE_CHECKING:
    from alembic.config import Config

BUSY_SECONDS: Final = 10.0
"""How long a writer waits for another one before it gives up with `StoreBusy`."""
SILENT_SECONDS: Final = 600.0
"""A process that is stopped in the middle of a write, or cut off from the server, keeps all others out for so long."""

CONNECTION: Final = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""libpq's limits, where the URL gives no other: without them a server that hangs, or a network that swallows all, is
waited for without an end. Seconds, and milliseconds for the last."""

_WRITER_LOCK: Final = 0x637573746F6479
"""Key of the PostgreSQL advisory lock that the one writer holds until its transaction ends."""

_SERVER_STATES: Final = ("25006", "25P03", "53200", "53300", "57P01", "57P02", "57P03", "57P05")
"""It can only be read, gave up a connection that was silent, has too many or no memory, or stops and starts."""
_DISK_FULL: Final = "53100"
_EXTENDING: Final = ("mdextend", "mdzeroextend")
"""Where PostgreSQL makes a file longer: quotas and limits on files have no state of their own."""

QUEUE_TABLES: Final = "procrastinate_"
"""How the names of the workers' queue begin."""

ENTRY: Final = table(JournalEntryRow)
SEAL: Final = table(JournalSealRow)
LEASE: Final = table(WorkLeaseRow)


class Database:
    """The connection pool and the two ways through it: `read` and `record`."""

    def __init__(self, engine: sa.Engine, *, busy_seconds: float) -> None:
        self._engine = engine
        self._busy_seconds = busy_seconds
        self._seen: tuple[int, str] | None = None
        self._forget()
        self.fences: dict[str, Lease] = {}
        """Leases that this store holds: a write is refused from the moment another process has one of them."""
        self.kept_back: dict[str, Lease] = {}
        """Leases that this store held and could not give back, because the database was gone: its own again."""
        self.silent_seconds_max = SILENT_SECONDS
        """How long a process may say nothing to PostgreSQL in the middle of a write before its writing is undone."""
        self.origin = ""
        """From where the acts of this store come; `verifier.acting` sets it. Empty: the process itself."""

    def _forget(self) -> None:
        """Forget what was remembered of the database; who remembers more forgets that too."""
        self._interned = Interned()
        self._texts = Texts()

    def _notice(self, connection: sa.Connection) -> JournalHead | None:
        """The head as it is; what is remembered is forgotten first when the journal has not the entry seen last.

        Asked before anything remembered is used. Rows are only ever added, so what was read stays right; unless the
        database was put back to an earlier state under a running process, as by a server that takes over without the
        last transactions.
        """
        if self._seen is not None:
            sequence, digest = self._seen
            query = sa.select(SEAL.c.entry_digest).where(SEAL.c.sequence == sequence)
            if connection.execute(query).scalar() != digest:
                self._forget()
        head = self._head(connection)
        self._seen = None if head is None else (head.sequence, head.entry_digest)
        return head

    @property
    def dialect_name(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection that sees the database as it was at one moment, and can write nothing."""
        with translated(), self._engine.connect() as connection:
            if self.dialect_name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                if self.dialect_name == "sqlite":
                    connection.exec_driver_sql("PRAGMA query_only=ON")
                try:
                    yield connection
                finally:
                    if self.dialect_name == "sqlite":
                        connection.exec_driver_sql("PRAGMA query_only=OFF")

    @contextmanager
    def record(
        self,
        kind: str,
        actor: str,
        payload: Mapping[str, object],
        recorded_at: datetime,
        *,
        payload_is_the_record: bool = False,
    ) -> Iterator[Unit]:
        """One write transaction with its journal entry: all of it is stored, or nothing.

        An act that adds no row leaves no entry either, so that repeating an act changes nothing; unless
        `payload_is_the_record`. Raises `StoreBusy` when another writer does not finish within the time allowed.
        """
        with translated(), self._writing() as connection:
            head = self._notice(connection)
            unit = Unit(connection, self._interned, head, kind, actor, payload, recorded_at, self.origin)
            yield unit
            if unit.is_empty and not payload_is_the_record:
                connection.rollback()
                return
            unit.seal()
            connection.commit()
            self._interned.merge(unit.interned)

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with translated(), self._engine.connect() as connection:
            options = connection.execution_options(custody_writes=True)
            with options.begin() as transaction:
                if self.dialect_name == "postgresql":
                    options.exec_driver_sql(f"SET LOCAL lock_timeout = {int(self._busy_seconds * 1000)}")
                    silent = int(self.silent_seconds_max * 1000)
                    options.exec_driver_sql(f"SET LOCAL idle_in_transaction_session_timeout = {silent}")
                    options.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})")
                for lease in tuple(self.fences.values()):
                    token = options.execute(sa.select(LEASE.c.token).where(LEASE.c.name == lease.name)).scalar()
                    if token != lease.token:
                        raise LeaseLost(f"{lease.name} was taken by another process; nothing was written")
                yield options
                if transaction.is_active:
                    transaction.commit()

    def wait_for_writers(self) -> None:
        """Return once every write that began before is decided, also one whose process lost its connection at the end.

        A server that is committing keeps the writers' lock until all can see what was written. Raises `StoreBusy`
        when that takes longer than the time allowed.
        """
        with self._writing():
            pass

    def head(self) -> JournalHead | None:
        """The newest journal entry; None in a new database."""
        with self.read() as connection:
            return self._head(connection)

    def book_time(self, now: datetime) -> datetime:
        """The time as of which the book is known: now, or that of the newest entry when the clock went back."""
        head = self.head()
        return now if head is None else max(now, head.recorded_at)

    def _head(self, connection: sa.Connection) -> JournalHead | None:
        row = connection.execute(
            sa.select(ENTRY.c.sequence, SEAL.c.entry_digest, ENTRY.c.recorded_at)
            .join_from(ENTRY, SEAL, ENTRY.c.sequence == SEAL.c.sequence, isouter=True)
            .order_by(ENTRY.c.sequence.desc())
            .limit(1)
        ).first()
        if row is None:
            return None
        if row.entry_digest is None:
            raise JournalBroken(f"journal entry {row.sequence} has no seal")
        return JournalHead(row.sequence, row.entry_digest, row.recorded_at)

    def schema_version(self) -> str:
        """The schema step the database is at; empty for a new one."""
        with translated(), self._engine.connect() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return ""
            found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars()
            return ", ".join(sorted(str(each) for each in found))

    def require_schema(self) -> None:
        """Raise `SchemaOutdated` unless the database is at the step this program works with."""
        found = self.schema_version()
        if found == SCHEMA_VERSION:
            return
        self.require_known_schema()
        what = f"schema {found}" if found else "no schema"
        raise SchemaOutdated(f"the database has {what}, this program works with schema {SCHEMA_VERSION}")

    def require_known_schema(self) -> None:
        """Raise `SchemaOutdated` for a schema of a newer version, or of another program's."""
        found = self.schema_version()
        if _is_step(found) and found > SCHEMA_VERSION:
            raise SchemaOutdated(
                f"the database has schema {found}, newer than {SCHEMA_VERSION} of this program",
                advice="Run the version of this program that brought it there; nothing was changed.",
            )
        if found and (not _is_step(found) or found < FIRST_VERSION):
            raise SchemaOutdated(
                f"the database has a schema {found!r}; this program knows {FIRST_VERSION} to {SCHEMA_VERSION}",
                advice="Check that the database URL names the right database; if it does, restore a backup. "
                "Nothing was changed.",
            )

    def migrate_schema(self) -> str:
        """Bring the schema up to date in one transaction; returns the version.

        Raises `SchemaOutdated` for a newer schema or another program's, `StoreError` for a database that holds
        something else; nothing is changed then.
        """
        from alembic import command

        self.require_known_schema()
        if not self.schema_version() and (others := self._foreign_tables()):
            more = f" and {len(others) - 1} more" if len(others) > 1 else ""
            raise StoreError(
                f"the database holds tables of something else ({others[0]}{more}) and no schema of this program",
                advice="Give this program a database of its own: another name in [database] url. Nothing was changed.",
            )
        config = alembic_config()
        with translated(), self._writing() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        return self.schema_version()

    def _foreign_tables(self) -> list[str]:
        """Tables of a database without a schema; those of the workers' queue may be there before."""
        with translated(), self._engine.connect() as connection:
            names = sa.inspect(connection).get_table_names()
        return sorted(name for name in names if name != "alembic_version" and not name.startswith(QUEUE_TABLES))


def _is_step(found: str) -> bool:
    """Whether this is the name of a step: four digits."""
    return len(found) == len(FIRST_VERSION) and found.isascii() and found.isdecimal()


def alembic_config() -> Config:
    """Where Alembic finds the schema steps."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "verifier.store:migrations")
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into ours, without URL, statement or parameters."""
    try:
        yield
    except DBAPIError as error:
        raise _store_error(error.orig) from None
    except _driver_errors() as error:
        raise _store_error(error) from None


def _driver_errors() -> tuple[type[Exception], ...]:
    """What the PostgreSQL driver raises where it is used directly (COPY); nothing when it is not loaded."""
    driver = sys.modules.get("psycopg")
    return (driver.Error,) if driver else ()


def _connection_errors() -> tuple[type[Exception], ...]:
    """What the PostgreSQL driver raises without a state of the server's when there is no connection any more."""
    driver = sys.modules.get("psycopg")
    return (driver.OperationalError, driver.InterfaceError) if driver else ()


def _store_error(cause: BaseException | None) -> StoreError:
    text = str(cause).strip().splitlines()[0] if str(cause).strip() else ""
    state = getattr(cause, "sqlstate", None)
    if "database is locked" in text or "database table is locked" in text or state in ("55P03", "40P01"):
        return StoreBusy("another writer holds the database")
    if "database or disk is full" in text or state == _DISK_FULL or _cannot_extend(cause):
        return StoreFull("no space is left for the database; nothing was written")
    if "readonly database" in text or "unable to open database file" in text:
        return StoreError(
            "the database file cannot be written",
            advice="Make the file and its folder writable for the user who runs this; SQLite keeps files beside it.",
        )
    if "no such table" in text or state == "42P01":
        return SchemaOutdated("the database lacks a table of this program's schema")
    if (
        (state is None and isinstance(cause, _connection_errors()))
        or (state or "").startswith("08")
        or state in _SERVER_STATES
    ):
        return StoreUnavailable("the database server cannot be reached or closed the connection")
    return StoreError(f"the database refused: {text}")


def _cannot_extend(cause: BaseException | None) -> bool:
    """Whether a server of PostgreSQL could not make one of its files longer, whatever the reason and its language."""
    return getattr(getattr(cause, "diag", None), "source_function", None) in _EXTENDING


def create_engine(url_text: str, *, busy_seconds: float = BUSY_SECONDS) -> sa.Engine:
    """An engine for a database URL; no error shows the URL."""
    try:
        url = sa.make_url(url_text)
    except (sa.exc.ArgumentError, ValueError):  # a port that is no number is a ValueError
        raise StoreError("the database URL cannot be read") from None
    name = url.get_backend_name()
    if name == "sqlite":
        return _sqlite_engine(url, busy_seconds)
    if name == "postgresql":
        limits = {name: value for name, value in CONNECTION.items() if name not in url.query}
        url = url.set(drivername="postgresql+psycopg")
        return sa.create_engine(url, pool_pre_ping=True, hide_parameters=True, connect_args=limits)
    raise StoreError(f"{name} is not supported: use sqlite:///FILE or postgresql+psycopg://…")


def _sqlite_engine(url: sa.URL, busy_seconds: float) -> sa.Engine:
    if not url.database or url.database == ":memory:":
        raise StoreError("the SQLite URL names no file, for example sqlite:///custody.db")
    _create_private(Path(url.database))
    engine = sa.create_engine(url, hide_parameters=True, connect_args={"timeout": busy_seconds})

    @sa.event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "recursive_triggers=ON",  # else INSERT OR REPLACE deletes a row without its DELETE trigger
            "trusted_schema=OFF",
            "cache_size=-65536",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @sa.event.listens_for(engine, "begin")
    def begun(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("custody_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def sqlite_file(url_text: str) -> Path | None:
    """The file of a SQLite database; None for another database. Raises `StoreError` for no URL at all."""
    try:
        url = sa.make_url(url_text)
    except (sa.exc.ArgumentError, ValueError):
        raise StoreError("the database URL cannot be read") from None
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def _create_private(path: Path) -> None:
    """Create the file readable by its owner only; SQLite gives its companions the same mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, stat.S_IRUSR | stat.S_IWUSR))
    except OSError as error:
        raise StoreError(f"the database file cannot be opened ({error.strerror})") from None
