"""Where a story's records go: a database that has the schema, new for each telling and gone after it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.postgres import MOMENT, PostgresServer
from verifier.store import open_store


class Databases(Protocol):
    """What gives each story a database of its own."""

    def new(self) -> AbstractContextManager[str]:
        """The URL of a database with the schema and a journal of one entry, while the context lasts."""


@dataclass(frozen=True)
class SqliteFiles:
    """Copies of one file."""

    template: Path

    @classmethod
    def made_in(cls, folder: Path) -> SqliteFiles:
        """With a template of their own."""
        path = folder / "template.db"
        store = open_store(f"sqlite:///{path}")
        store.migrate("tests", MOMENT)
        store.close()
        return cls(path)

    @contextmanager
    def new(self) -> Iterator[str]:
        """A copy in a folder of its own."""
        with tempfile.TemporaryDirectory(prefix="custody-simulation-") as name:
            path = Path(name) / "story.db"
            shutil.copy(self.template, path)
            yield f"sqlite:///{path}"


@dataclass(frozen=True)
class PostgresDatabases:
    """Copies of one database on a real server."""

    server: PostgresServer

    @contextmanager
    def new(self) -> Iterator[str]:
        """`CREATE DATABASE .. TEMPLATE`, and dropped whoever is still connected."""
        url = self.server.database()
        try:
            yield url
        finally:
            self.server.drop(url)
