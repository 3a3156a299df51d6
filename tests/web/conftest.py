"""A web application over a database of its own, and somebody in front of it."""

from __future__ import annotations

import hmac
import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn
from argon2 import PasswordHasher
from fastapi import FastAPI, Request
from pydantic import SecretStr
from starlette.testclient import TestClient

from tests.exports.browser import find_chromium
from tests.postgres import MOMENT
from tests.web.people import RealSite
from verifier.accounts import passwords
from verifier.accounts.roles import Role
from verifier.accounts.secrets import digest_of, new_secret
from verifier.config import DatabaseSettings, FirmSettings, Settings, load_settings
from verifier.store import Store, open_store
from verifier.web.app import create_app
from verifier.web.visitor import Visitor

if TYPE_CHECKING:
    from tests.web.firm import Template


def visitor(*roles: Role, person: str = "ops.maker") -> Visitor:
    """Somebody with these roles."""
    return Visitor(person, person, frozenset(roles), session_key="test", address="127.0.0.1")


class Site:
    """The application, who asks, and what time it is; both can be changed by a test."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.visitor: Visitor | None = None
        self.time = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
        self.app: FastAPI = create_app(settings, clock=lambda: self.time, resolve=self._who)
        self.client = self.browser()
        self.client.headers["X-CSRF-Token"] = self.token(self.client)

    def browser(self) -> TestClient:
        """Another browser, that has opened no page yet; what it posts without the token of one is refused."""
        client = TestClient(self.app, base_url="http://localhost", follow_redirects=False)
        client.cookies.set("custody-browser", new_secret(), domain="localhost.local")
        return client

    def token(self, client: TestClient) -> str:
        """What the forms of a browser carry; `client` sends it with everything."""
        secret = client.cookies["custody-browser"]
        bound = "form:" + digest_of(client.cookies.get("custody-session") or "")
        return hmac.new(secret.encode(), bound.encode(), sha256).hexdigest()

    def _who(self, request: Request) -> Visitor | None:
        return self.visitor

    def sign_in(self, *roles: Role, person: str = "ops.maker") -> None:
        """From now on this person asks."""
        self.visitor = visitor(*roles, person=person)


@contextmanager
def served(site: Site | RealSite) -> Iterator[str]:
    """The application on a port of this machine; its address."""
    config = uvicorn.Config(site.app, host="127.0.0.1", port=0, log_config=None, lifespan="off", ws="none")
    config.timeout_graceful_shutdown = 1
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server ended before it began"
            time.sleep(0.01)
        yield f"http://localhost:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A headless Chromium."""
    path = find_chromium()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("there is no Chromium")
        pytest.skip("there is no Chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"], timeout=300_000)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def web_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the schema, to be copied."""
    path = tmp_path_factory.mktemp("web") / "template.db"
    store = open_store(f"sqlite:///{path}")
    store.migrate("tests", MOMENT)
    store.close()
    return path


@pytest.fixture
def settings(web_database: Path, tmp_path: Path) -> Settings:
    """The configuration of a firm without any chain."""
    path = tmp_path / "custody.db"
    shutil.copy(web_database, path)
    return Settings(
        firm=FirmSettings(name="Example LLC"), database=DatabaseSettings(url=SecretStr(f"sqlite:///{path}"))
    )


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    """The store behind the application."""
    opened = open_store(settings.database.url.get_secret_value())
    yield opened
    opened.close()


@pytest.fixture
def site(settings: Settings) -> Iterator[Site]:
    """The application over it; nobody is signed in."""
    made = Site(settings)
    with made.client:
        yield made


@pytest.fixture
def real(settings: Settings, store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[RealSite]:
    """The application as people sign in to it. Passwords are hashed with less work than in use."""
    quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(passwords, "_hasher", lambda: quick)
    passwords._nobody.cache_clear()
    made = RealSite(settings, store)
    with made.browser():
        yield made
    passwords._nobody.cache_clear()


@pytest.fixture(scope="session")
def template(anvil_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A firm with something on every page, built once."""
    from tests.web.firm import build

    return build(anvil_binary, tmp_path_factory.mktemp("dashboard") / "firm")


@pytest.fixture
def full(template: Template, tmp_path: Path) -> Iterator[Site]:
    """The application over a copy of it, an operator in front."""
    shutil.copytree(template.folder, tmp_path / "firm")
    site = Site(load_settings(tmp_path / "firm" / "custody.toml"))
    site.time = template.time
    site.sign_in(Role.OPERATOR)
    with site.client:
        yield site
