"""The API before a firm with books, a reserve that is short, a control deficit, and custodians' statements."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response

from tests.cli.command import Firm, custody
from tests.cli.custodians import dtc_statement
from tests.web.conftest import Site
from tests.web.firm import AT, DAY, FILES, at_that_time, done
from verifier.config import Settings, load_settings
from verifier.store import Store, open_store

PREFIX = "/api/v1"
_KEYS = itertools.count(1)


def new_key() -> dict[str, str]:
    """A header that names a new request."""
    return {"Idempotency-Key": f"request-{next(_KEYS):08d}"}


class Api(Site):
    """The API, and whoever asks."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.time = AT + timedelta(hours=1)

    def get(self, path: str, **query: Any) -> Response:
        """Read something."""
        return self.client.get(PREFIX + path, params=query)

    def items(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """The first page of a list."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["items"]
        return found

    def post(self, path: str, body: object, *, key: str = "", **query: Any) -> Response:
        """Change something, under a new key unless one is given."""
        headers = {"Idempotency-Key": key} if key else new_key()
        return self.client.post(PREFIX + path, json=body, headers=headers, params=query)


@pytest.fixture(scope="session")
def firm_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A firm's folder, to be copied. Nothing has its database open."""
    folder = tmp_path_factory.mktemp("api") / "firm"
    with at_that_time():
        done(custody("init", "--dir", folder, "--firm", "Example Brokerage LLC"))
        firm = Firm(folder)
        (folder / "books").mkdir()
        for name, text in FILES.items():
            (folder / "books" / name).write_text(text, encoding="utf-8")
        done(firm("import", folder / "books"))
        done(firm("reserve", "compute", "--as-of", DAY, "--json"), 0, 1)
        done(firm("control", "review", "--as-of", DAY, "--json"), 0, 1)
        done(firm("statement", "import", dtc_statement(firm, "790", day="20261002")))
        done(firm("reconcile", "--as-of", DAY, "--json"), 0, 1, 2)
    return folder


@pytest.fixture(scope="module")
def shared_api(firm_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The API over a firm that all tests of a module share: for tests that do not mind what the others wrote."""
    folder = tmp_path_factory.mktemp("shared") / "firm"
    shutil.copytree(firm_template, folder)
    made = Api(load_settings(folder / "custody.toml"))
    with made.client:
        yield made


@pytest.fixture
def firm_folder(firm_template: Path, tmp_path: Path) -> Path:
    """The firm's folder, for one test alone."""
    folder = tmp_path / "firm"
    shutil.copytree(firm_template, folder)
    return folder


@pytest.fixture
def firm_settings(firm_folder: Path) -> Settings:
    """The firm's configuration."""
    return load_settings(firm_folder / "custody.toml")


@pytest.fixture
def firm_store(firm_settings: Settings) -> Iterator[Store]:
    """The store behind the API."""
    opened = open_store(firm_settings.database.url.get_secret_value())
    yield opened
    opened.close()


@pytest.fixture
def api(firm_settings: Settings) -> Iterator[Api]:
    """The API over the firm; nobody is signed in."""
    made = Api(firm_settings)
    with made.client:
        yield made
