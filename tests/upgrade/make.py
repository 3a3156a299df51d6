"""Write the dumps of the newest schema step: `python -m tests.upgrade.make`.

A dump is one SQL script per database: the schema as its step made it, and the rows of a story. The rows are the same
canonical values on both, so one journal seals them on both. Until a step is released its dump may be older than its
script; the test then makes a new one for itself. When a version is released, run this once, add the revision to
`RELEASED` and check both in; from then on neither the step nor its dump changes.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Final, cast

import sqlalchemy as sa

from tests.verifier.store.story import SweepStory, import_story, later
from verifier.store import Store, open_store
from verifier.store.migrations import SCHEMA_VERSION
from verifier.store.migrations.scripts import DIALECTS, script_name
from verifier.store.paging import TableReader
from verifier.store.tables import DATA_TABLES, METADATA
from verifier.store.types import Canonical, CanonicalType, driver_canonical

FOLDER: Final = Path(__file__).parent
RELEASED: Final[tuple[str, ...]] = ()
"""Revisions that a released version made databases of."""
MARK: Final = "-- Made from the schema script with SHA-256 "


def tell(store: Store) -> None:
    """What the rows of a dump are about: books, two sweeps, a case that two people closed and one that waits."""
    import_story(store)
    SweepStory(store).run()
    SweepStory(store, height=20, minute=30, first_height=11).run()
    first, second, *_ = store.cases()
    store.propose(first.case_id, "a late entry", "ops.maker", later(40))
    store.approve(first.case_id, "agreed", "ops.checker", later(41))
    store.propose(second.case_id, "looked at", "ops.maker", later(42))


def schema_script(revision: str, dialect_name: str) -> str:
    """The checked-in script of a step."""
    name = script_name(revision, dialect_name)
    return files("verifier.store.migrations.versions").joinpath(name).read_text(encoding="utf-8")


def script_digest(revision: str, dialect_name: str) -> str:
    """SHA-256 of it."""
    return hashlib.sha256(schema_script(revision, dialect_name).encode()).hexdigest()


def dump_path(revision: str, dialect_name: str) -> Path:
    """Where a dump is checked in."""
    return FOLDER / f"{revision}_{dialect_name}.sql"


def is_of_script(path: Path, revision: str, dialect_name: str) -> bool:
    """Whether a dump was made from the step's script as it is now."""
    with path.open(encoding="utf-8") as file:
        return file.readline() == f"{MARK}{script_digest(revision, dialect_name)}\n"


def dumps() -> dict[str, str]:
    """The dump of the newest step for each database, from one telling of the story."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{folder}/story.db")
        store.migrate("administrator", later(0))
        tell(store)
        with store.read() as connection:
            made = {dialect: "".join(_lines(connection, dialect)) for dialect in DIALECTS}
        store.close()
    return made


def _lines(connection: sa.Connection, dialect_name: str) -> Iterator[str]:
    yield f"{MARK}{script_digest(SCHEMA_VERSION, dialect_name)}\n\n"
    yield schema_script(SCHEMA_VERSION, dialect_name)
    yield "\nCREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);\n"
    yield f"INSERT INTO alembic_version VALUES ('{SCHEMA_VERSION}');\n"
    for table in METADATA.sorted_tables:
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        for row in _rows(connection, table):
            values = ", ".join(
                _literal(value, cast("CanonicalType", column.type), dialect_name)
                for value, column in zip(row, table.columns, strict=True)
            )
            yield f"INSERT INTO {table.name} ({names}) VALUES ({values});\n"


def _rows(connection: sa.Connection, table: sa.Table) -> Iterator[tuple[Canonical, ...]]:
    """In canonical form, in an order that does not depend on luck. Leases are no records: none is written down."""
    if table in DATA_TABLES:
        yield from TableReader(connection, table).rest()
    elif table.name.startswith("journal_"):
        convert = [
            driver_canonical(cast("CanonicalType", column.type), connection.dialect.name) for column in table.columns
        ]
        for row in connection.exec_driver_sql(f"SELECT * FROM {table.name} ORDER BY sequence"):
            yield tuple(
                to(value) if to and value is not None else value for to, value in zip(convert, row, strict=True)
            )


def _literal(value: Canonical, kind: CanonicalType, dialect_name: str) -> str:
    if value is None:
        return "NULL"
    stored = kind.stored(value, dialect_name)
    if isinstance(stored, int) and not isinstance(stored, bool):
        return str(stored)
    return "'" + str(stored).replace("'", "''") + "'"


def main() -> None:
    """Write both files."""
    if SCHEMA_VERSION in RELEASED:
        raise SystemExit(f"step {SCHEMA_VERSION} is released: its dump is never written again")
    for dialect_name, text in dumps().items():
        dump_path(SCHEMA_VERSION, dialect_name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
