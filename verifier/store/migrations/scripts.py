"""Reading, writing and running the SQL scripts of a schema step."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from verifier.store.tables import METADATA
from verifier.store.triggers import trigger_statements

DIALECTS = ("sqlite", "postgresql")


def schema_statements(dialect_name: str) -> list[str]:
    """The statements that create the whole schema of the table classes, in order."""
    dialect = sqlite.dialect() if dialect_name == "sqlite" else postgresql.dialect()  # type: ignore[no-untyped-call]
    statements = []
    for each in METADATA.sorted_tables:
        statements.append(str(CreateTable(each).compile(dialect=dialect)))
        indexes = sorted(each.indexes, key=lambda index: str(index.name))
        statements.extend(str(CreateIndex(index).compile(dialect=dialect)) for index in indexes)
    statements += trigger_statements(dialect_name)
    return ["\n".join(line.rstrip() for line in text.strip().splitlines() if line.strip()) for text in statements]


def script_name(revision: str, dialect_name: str) -> str:
    """File name of a step's script."""
    return f"{revision}_{dialect_name}.sql"


def run_script(connection: sa.Connection, revision: str) -> None:
    """Run the script of a step for the connection's database, inside the caller's transaction."""
    name = script_name(revision, connection.dialect.name)
    text = files("verifier.store.migrations.versions").joinpath(name).read_text(encoding="utf-8")
    for statement in text.strip().split(";\n\n"):
        connection.execution_options(no_parameters=True).exec_driver_sql(statement.removesuffix(";"))


def write_scripts(revision: str) -> None:
    """Write the scripts of a step that creates the whole schema."""
    folder = Path(str(files("verifier.store.migrations.versions")))
    for dialect_name in DIALECTS:
        text = ";\n\n".join(schema_statements(dialect_name)) + ";\n"
        (folder / script_name(revision, dialect_name)).write_text(text, encoding="utf-8")
