"""Changing what is recorded, as somebody with a SQL tool and the rights of the owner would."""

from __future__ import annotations

import sqlalchemy as sa

from verifier.store.engine import create_engine
from verifier.store.triggers import table_names


def run_sql(url: str, *statements: str) -> None:
    """Run statements as they are: triggers and keys guard the tables."""
    engine = create_engine(url)
    try:
        with engine.execution_options(custody_writes=True).begin() as connection:
            _run(connection, statements)
    finally:
        engine.dispose()


def tamper(url: str, *statements: str) -> None:
    """Take the triggers and keys away, run statements, and put the guards back as they were."""
    engine = create_engine(url)
    try:
        with engine.connect().execution_options(custody_writes=True) as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("COMMIT")
                connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                guards = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").all()
                _run(connection, [f"DROP TRIGGER {name}" for name, _ in guards])
                _run(connection, statements)
                _run(connection, [sql for _, sql in guards])
            else:
                _run(connection, [f"ALTER TABLE {name} DISABLE TRIGGER ALL" for name in table_names()])
                _run(connection, statements)
                _run(connection, [f"ALTER TABLE {name} ENABLE TRIGGER ALL" for name in table_names()])
            connection.commit()
    finally:
        engine.dispose()


def _run(connection: sa.Connection, statements: tuple[str, ...] | list[str]) -> None:
    for statement in statements:
        connection.execution_options(no_parameters=True).exec_driver_sql(statement)
