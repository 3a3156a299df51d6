"""A program one step further than this one: what an upgrade is tried with. Run by `python -m` to be killed in it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from alembic.config import Config

import verifier.store.migrations.versions as versions
from tests.verifier.store.story import later
from verifier.store import engine, open_store

NEXT = "0002"


@contextmanager
def next_version() -> Iterator[None]:
    """This program as one that knows the step in `steps`."""
    known = engine.alembic_config

    def config() -> Config:
        found = known()
        folders = [*map(str, versions.__path__), str(Path(__file__).parent / "steps")]
        found.set_main_option("version_locations", os.pathsep.join(folders))
        return found

    with mock.patch.multiple(engine, SCHEMA_VERSION=NEXT, alembic_config=config):
        yield


if __name__ == "__main__":
    with next_version():
        open_store(sys.argv[1]).migrate("administrator", later(100))
