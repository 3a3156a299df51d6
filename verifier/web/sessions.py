"""Who asks: by the session in a cookie, or by the API token in the header."""

from __future__ import annotations

from datetime import datetime, timedelta

from starlette.requests import Request

from verifier.accounts.records import CredentialKind
from verifier.accounts.roles import Access, Role
from verifier.accounts.secrets import TOKEN_PREFIX, digest_of
from verifier.accounts.signing_in import Where
from verifier.store import Store
from verifier.store.engine import BUSY_SECONDS
from verifier.store.session_store import USED_EVERY
from verifier.web.cookies import SESSION, read
from verifier.web.visitor import Visitor

HEADER_MAX = 200


def address_of(request: Request) -> str:
    """Where a request came from: the peer, or what a trusted proxy says (which the server has put in its place)."""
    return request.client.host if request.client else ""


def where_of(request: Request) -> Where:
    """What is written down of where a sign-in came from, and how long the session may last."""
    hours = request.app.state.settings.web.session_hours
    return Where(address_of(request), request.headers.get("user-agent", ""), timedelta(hours=hours))


def idle_of(request: Request) -> timedelta:
    """How long a session may lie unused."""
    return timedelta(minutes=request.app.state.settings.web.session_idle_minutes)


def resolve(request: Request) -> Visitor | None:
    """The person behind a request with the roles of this moment; None for nobody (row F3)."""
    store = Store(request.app.state.engine, busy_seconds=BUSY_SECONDS)
    now: datetime = request.app.state.clock()
    header = request.headers.get("authorization")
    if header is not None:
        return _by_token(store, header, address_of(request), now)
    secret = read(request, SESSION)
    return _by_session(store, secret, request, now) if secret else None


def is_by_itself(request: Request) -> bool:
    """Whether an open page asks for news without anybody in front of it: that is no use of a session."""
    return "hx-request" in request.headers or request.url.path.endswith("/events")


def _by_session(store: Store, secret: str, request: Request, now: datetime) -> Visitor | None:
    digest = digest_of(secret)
    found = store.session(digest, now, idle_of(request))
    if found is None:
        return None
    if found.used_at + USED_EVERY <= now and not is_by_itself(request):
        store.touch_session(digest, now)
    person = found.person
    return Visitor(
        person.person_id, person.name, person.roles, session_key=found.session_key, address=address_of(request)
    )


def _by_token(store: Store, header: str, address: str, now: datetime) -> Visitor | None:
    scheme, _, token = header.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token.startswith(TOKEN_PREFIX) or len(token) > HEADER_MAX:
        return None
    found = store.credential_with(digest_of(token), CredentialKind.TOKEN)
    if found is None or found.is_expired(now):
        return None
    person = store.person(found.person_id)
    if person is None or person.is_disabled:
        return None
    scope = frozenset(Access(each) for each in found.content["scope"])
    return Visitor(person.person_id, person.name, person.roles, scope, f"token {found.key}", address)


def home(roles: frozenset[Role], onward: str) -> str:
    """Where somebody goes who wants to go nowhere else: the overview, if their roles show it to them."""
    return onward if onward != "/" or roles & Access.READ.roles else "/users"


def home_of(request: Request, secret: str, onward: str) -> str:
    """The same for a session that has just begun."""
    store = Store(request.app.state.engine, busy_seconds=BUSY_SECONDS)
    found = store.session(digest_of(secret), request.app.state.clock(), idle_of(request))
    return home(found.person.roles, onward) if found is not None else onward
