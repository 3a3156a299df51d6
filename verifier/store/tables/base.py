"""What every table has in common: a key, its place in the journal, and that no row is ever changed or removed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, cast

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from verifier.store.types import BaseUnits, CanonicalType, Flag, UtcTime, Whole, base_units_check

METADATA: Final = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

DATA_TABLES: Final[list[sa.Table]] = []
"""Every table whose rows the journal seals, sorted by name; filled by `finish`."""


class StoredRow(SQLModel):
    """Base of all table classes. They hold rows and check nothing; the dataclasses do."""

    metadata = METADATA


class HotRow(StoredRow):
    """A row of a table that a sweep fills by the hundred thousand: its time is that of its journal entry."""

    record_id: int = Field(
        primary_key=True, sa_type=cast("Any", Whole()), sa_column_kwargs={"autoincrement": False}, description="Key."
    )
    journal_sequence: int = Field(foreign_key="journal_entry.sequence", sa_type=cast("Any", Whole()))


class DataRow(HotRow):
    """A row of any other table: with the time it was recorded."""

    recorded_at: datetime = Field(sa_type=cast("Any", UtcTime()))


def column(kind: CanonicalType, *, to: str | None = None) -> Any:
    """A column of one of our own types; `to` names the column it refers to."""
    if to is None:
        return Field(sa_type=cast("Any", kind))
    return Field(sa_type=cast("Any", kind), foreign_key=to)


def rules(*items: sa.schema.SchemaItem) -> tuple[Any, ...]:
    """Table arguments: the given keys and indexes; strict typing on SQLite."""
    return (*items, {"sqlite_strict": True})


def table(row_class: type[StoredRow]) -> sa.Table:
    """The SQLAlchemy table of a table class."""
    return cast("sa.Table", row_class.__dict__["__table__"])


def finish() -> None:
    """Add what is derived for all tables: checks of amounts and flags, and the triggers."""
    for each in METADATA.sorted_tables:
        for col in each.columns:
            if isinstance(col.type, BaseUnits):
                sqlite, postgresql = base_units_check(col.name)
                each.append_constraint(_check(sqlite, f"{col.name}_digits", "sqlite"))
                each.append_constraint(_check(postgresql, f"{col.name}_range", "postgresql"))
            elif isinstance(col.type, Flag):
                each.append_constraint(_check(f"{col.name} IN (0, 1)", f"{col.name}_flag", "sqlite"))
    DATA_TABLES[:] = sorted((t for t in METADATA.tables.values() if "record_id" in t.columns), key=lambda t: t.name)


def _check(text: str, name: str, dialect_name: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(text, name=name).ddl_if(dialect=dialect_name)
