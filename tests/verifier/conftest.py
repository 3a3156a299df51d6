"""The store on both databases."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.postgres import MOMENT, PostgresServer, postgres_server
from verifier.store import Store, open_store

__all__ = ["postgres_server"]

DIALECTS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]

NewUrl = Callable[[], str]


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    """Each database in turn."""
    return str(request.param)


@pytest.fixture
def new_empty_url(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[NewUrl]:
    """Makes databases without a schema and gives their URLs."""
    made: list[str] = []

    def new() -> str:
        if dialect == "sqlite":
            made.append(f"sqlite:///{tmp_path / f'empty-{len(made)}.db'}")
        else:
            made.append(request.getfixturevalue("postgres_server").empty_database())
        return made[-1]

    yield new
    if dialect == "postgresql":
        for url in made:
            request.getfixturevalue("postgres_server").drop(url)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the schema, to be copied."""
    path = tmp_path_factory.mktemp("store") / "template.db"
    store = open_store(f"sqlite:///{path}")
    store.migrate("tests", MOMENT)
    store.close()
    return path


@pytest.fixture
def sqlite_store(sqlite_template: Path, tmp_path: Path) -> Iterator[Store]:
    """An open store on SQLite, with the schema."""
    path = tmp_path / "custody.db"
    shutil.copy(sqlite_template, path)
    opened = open_store(f"sqlite:///{path}")
    yield opened
    opened.close()


@pytest.fixture
def database_url(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of the test's own, with the schema."""
    if dialect == "sqlite":
        path = tmp_path / "custody.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    url = server.database()
    yield url
    server.drop(url)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """An open store on it."""
    opened = open_store(database_url, busy_seconds=60.0)
    yield opened
    opened.close()


@pytest.fixture
def new_store(new_empty_url: NewUrl) -> Iterator[Store]:
    """A second store, of the same kind."""
    opened = open_store(new_empty_url())
    opened.migrate("tests", MOMENT)
    yield opened
    opened.close()
