"""What a route works with: the store, the configuration, the time, who acts. Given to it as FastAPI dependencies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from verifier.accounts.records import By
from verifier.acting import prepare, web_origin
from verifier.config import Settings
from verifier.store import Store
from verifier.store.engine import BUSY_SECONDS
from verifier.web.visitor import Visitor, visitor_of


def store_of(request: Request) -> Store:
    """A store for this request alone, over the connections of the application."""
    store = Store(request.app.state.engine, busy_seconds=BUSY_SECONDS)
    visitor = getattr(request.state, "visitor", None)
    if isinstance(visitor, Visitor):
        origin = web_origin(visitor.address, visitor.session_key)
    else:
        origin = web_origin(request.client.host if request.client else "")
    prepare(store, request.app.state.settings, origin)
    return store


def settings_of(request: Request) -> Settings:
    """The configuration."""
    settings: Settings = request.app.state.settings
    return settings


def now_of(request: Request) -> datetime:
    """The time of this request, in UTC."""
    now: datetime = request.app.state.clock()
    return now


StoreOf = Annotated[Store, Depends(store_of)]
SettingsOf = Annotated[Settings, Depends(settings_of)]
NowOf = Annotated[datetime, Depends(now_of)]
VisitorOf = Annotated[Visitor, Depends(visitor_of)]


@dataclass(frozen=True, slots=True)
class Acting:
    """Somebody who changes something: on which store, by which configuration, when. For routes that are not public."""

    store: Store
    settings: Settings
    visitor: Visitor
    now: datetime

    @property
    def actor(self) -> str:
        """Whom the records name."""
        return self.visitor.person_id

    @property
    def by(self) -> By:
        """Who acts and from where, as acts on people and their logins are journalled."""
        return By(self.visitor.person_id, self.visitor.address)


def acting_of(store: StoreOf, settings: SettingsOf, visitor: VisitorOf, now: NowOf) -> Acting:
    """Who acts in this request, on what."""
    return Acting(store, settings, visitor, now)


ActingOf = Annotated[Acting, Depends(acting_of)]
