"""The schema: a fresh migration gives exactly the tables of the classes, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from tests.postgres import MOMENT
from tests.verifier.conftest import NewUrl
from verifier.errors import SchemaOutdated, StoreError
from verifier.store import Store, open_store
from verifier.store.engine import alembic_config, create_engine
from verifier.store.migrations import FIRST_VERSION, SCHEMA_VERSION
from verifier.store.migrations.scripts import schema_statements
from verifier.store.tables import METADATA


def test_the_newest_script_is_the_version_this_program_needs() -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_current_head() == SCHEMA_VERSION


def compared(connection: sa.Connection) -> MigrationContext:
    """What the comparison looks at: all but the one key that is kept by other means on PostgreSQL.

    That one is in the comparison of the scripts below, and tried in test_long_texts.py.
    """

    def included(item: object, name: str | None, *_: object) -> bool:
        return connection.dialect.name == "sqlite" or name != "uq_interned_text_text"

    return MigrationContext.configure(connection, opts={"include_object": included})


def test_migrated_schema_equals_the_classes(store: Store) -> None:
    with store.read() as connection:
        differences = compare_metadata(compared(connection), METADATA)
    assert differences == []


def test_a_missing_column_would_be_noticed(store: Store) -> None:
    wanted = sa.MetaData(naming_convention=METADATA.naming_convention)
    for table in METADATA.tables.values():
        table.to_metadata(wanted)
    wanted.tables["client"].append_column(sa.Column("nickname", sa.Text))
    with store.read() as connection:
        differences = compare_metadata(compared(connection), wanted)
    assert [difference[0] for difference in differences] == ["add_column"]


def test_checked_in_script_is_what_the_classes_say(store: Store, dialect: str, new_empty_url: NewUrl) -> None:
    """Down to checks and triggers, which the comparison of metadata does not see."""
    engine = create_engine(new_empty_url())
    with engine.begin() as connection:
        for statement in schema_statements(dialect):
            connection.execution_options(no_parameters=True).exec_driver_sql(statement)
    with engine.connect() as fresh, store.read() as migrated:
        assert _everything(fresh) == _everything(migrated)
    engine.dispose()


def _everything(connection: sa.Connection) -> list[tuple[str, ...]]:
    if connection.dialect.name == "sqlite":
        sql = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE '%alembic%' ORDER BY type, name"
    else:
        sql = (
            "SELECT 'check', conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conname NOT LIKE 'alembic%'"
            " AND connamespace = 'public'::regnamespace"
            " UNION ALL SELECT 'trigger', tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
            " UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
            " AND indexname NOT LIKE 'alembic%'"
            " UNION ALL SELECT 'function', proname, prosrc FROM pg_proc WHERE proname LIKE 'custody%' ORDER BY 1, 2"
        )
    rows = connection.execution_options(no_parameters=True).exec_driver_sql(sql).all()
    assert len(rows) > 80
    return [tuple(row) for row in rows]


def test_migrating_again_changes_nothing(store: Store) -> None:
    before = store.head()
    assert store.migrate("tests", MOMENT + timedelta(days=1)) == SCHEMA_VERSION
    assert store.head() == before


def test_a_database_without_schema_is_refused_with_advice(new_empty_url: NewUrl) -> None:
    store = open_store(new_empty_url())
    with pytest.raises(SchemaOutdated, match="no schema") as raised:
        store.require_current()
    assert "custody init" in raised.value.advice
    store.close()


def test_another_schema_version_is_refused(store: Store, database_url: str) -> None:
    store.require_current()
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    for act in (store.require_current, lambda: store.migrate("tests", MOMENT)):
        with pytest.raises(SchemaOutdated, match="9999, newer") as raised:
            act()
        assert "db upgrade" not in raised.value.advice, "this version cannot bring it down"


def test_the_steps_are_counted_without_a_hole() -> None:
    steps = [step.revision for step in ScriptDirectory.from_config(alembic_config()).walk_revisions()]
    assert sorted(steps) == [f"{number:04d}" for number in range(int(FIRST_VERSION), int(SCHEMA_VERSION) + 1)]


@pytest.mark.parametrize("invented", ["0000", "abc123", "00010", "\u0661\u0662\u0663\u0664"])
def test_a_schema_that_nobody_made_is_refused_by_both_names(store: Store, database_url: str, invented: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :found"), {"found": invented})
    engine.dispose()
    for act in (store.require_current, lambda: store.migrate("tests", MOMENT)):
        with pytest.raises(SchemaOutdated) as raised:
            act()
        assert repr(invented) in str(raised.value)
        assert SCHEMA_VERSION in str(raised.value)
        assert "restore a backup" in raised.value.advice
        assert "db upgrade" not in raised.value.advice, "there is no way from there"
    assert store.schema_version() == invented


def test_two_schemas_at_once_are_refused(store: Store, database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('0000')")
    engine.dispose()
    with pytest.raises(SchemaOutdated, match=f"0000, {SCHEMA_VERSION}"):
        store.require_current()


def test_a_database_of_something_else_gets_no_tables_of_ours(new_empty_url: NewUrl) -> None:
    url = new_empty_url()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE guests (name text)")
        connection.exec_driver_sql("CREATE TABLE rooms (number integer)")
    store = open_store(url)
    with pytest.raises(StoreError, match="something else \\(guests and 1 more\\)") as raised:
        store.migrate("tests", MOMENT)
    assert "a database of its own" in raised.value.advice
    with engine.connect() as connection:
        assert sa.inspect(connection).get_table_names() == ["guests", "rooms"]
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE guests")
        connection.exec_driver_sql("ALTER TABLE rooms RENAME TO procrastinate_rooms")
    engine.dispose()
    assert store.migrate("tests", MOMENT) == SCHEMA_VERSION, "the workers' queue may be there before"
    store.close()


@pytest.mark.fault("C11")
def test_an_interrupted_migration_leaves_no_schema(new_empty_url: NewUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    import verifier.store.migrations.scripts as scripts

    store = open_store(new_empty_url())
    whole = scripts.run_script

    def interrupted(connection: sa.Connection, revision: str) -> None:
        whole(connection, revision)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("verifier.store.migrations.scripts.run_script", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store.migrate("tests", MOMENT)
    assert store.schema_version() == ""
    with store.read() as connection:
        assert sa.inspect(connection).get_table_names() == []
    assert store.migrate("tests", MOMENT) == SCHEMA_VERSION
    store.require_current()
    store.close()
