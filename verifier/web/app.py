"""The application: the routes of pages and API, and what every request goes through before it reaches one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from verifier.accounts.attempts import Attempts
from verifier.accounts.identity_provider import IdentityProvider
from verifier.store.engine import BUSY_SECONDS, create_engine
from verifier.web import problems, sessions, templating
from verifier.web.routes import routers
from verifier.web.security import Secured, Sized
from verifier.web.visitor import Resolve
from verifier.web.who_asks import WhoAsks

if TYPE_CHECKING:
    from verifier.config import Settings

STATIC = Path(__file__).parent / "static"


def create_app(settings: Settings, *, clock: Callable[[], datetime], resolve: Resolve | None = None) -> FastAPI:
    """The web application over the database of the configuration.

    `clock` gives the time of every act. `resolve` finds out who asks; sessions and tokens of the database unless a
    test gives another. Raises `StoreError` when the database cannot be used, or is an older copy put back.
    """
    from verifier.known_head import require_ready
    from verifier.store import Store

    engine = create_engine(settings.database.url.get_secret_value(), busy_seconds=BUSY_SECONDS)
    try:
        require_ready(Store(engine, busy_seconds=BUSY_SECONDS), settings)
    except BaseException:
        engine.dispose()
        raise

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        engine.dispose()

    app = FastAPI(title="custody-verifier", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    # An address with a slash too many is none: a redirect would name the scheme and port behind the proxy.
    app.router.redirect_slashes = False
    app.state.settings, app.state.clock, app.state.engine = settings, clock, engine
    app.state.templates = templating.environment(settings)
    app.state.attempts = Attempts()
    app.state.providers = {each.issuer: IdentityProvider(each) for each in settings.web.oidc}
    app.state.resolve = resolve or sessions.resolve
    problems.install(app)
    for inner in (Sized, WhoAsks, Secured):  # the last one added is the outermost
        app.add_middleware(inner)
    for router in routers():
        app.include_router(router.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app
