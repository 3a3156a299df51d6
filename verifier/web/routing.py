"""Routes that say who may use them. There is no other way to add one (row F5 of docs/faults.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from fastapi import APIRouter, Depends, FastAPI, Request

from verifier.accounts.roles import Access
from verifier.web.csrf import ForgedRequest, require_token
from verifier.web.errors import Forbidden, NotSignedIn

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class Guard:
    """The dependency that every route has: it lets through who has the access, before anything of the route runs."""

    def __init__(self, access: Access) -> None:
        self.access = access

    async def __call__(self, request: Request) -> None:
        """Raise `NotSignedIn`, `Forbidden`, or `ForgedRequest` for a change that no page of this site asked for."""
        if self.access is not Access.PUBLIC:
            visitor = getattr(request.state, "visitor", None)
            if visitor is None:
                raise NotSignedIn
            if not visitor.may(self.access):
                raise Forbidden(self.access)
        try:
            await require_token(request)
        except ForgedRequest:
            await request.close()  # the files of a form that was read to look for the token
            raise


class GuardedRouter:
    """Collects routes, each with the access it demands."""

    def __init__(
        self,
        *,
        prefix: str = "",
        tags: list[str] | None = None,
        in_schema: bool = False,
        first: Callable[..., object] | None = None,
    ) -> None:
        """`in_schema`: whether the OpenAPI document lists them; pages do not belong there.

        `first` is a dependency that runs before everything of a route but its guard.
        """
        self.router = APIRouter(prefix=prefix, tags=list(tags or []))
        self._first = [Depends(first)] if first is not None else []
        self._in_schema = in_schema

    def get(self, path: str, access: Access, **options: Any) -> Callable[[Endpoint], Endpoint]:
        """A route that changes nothing."""
        return self._route("GET", path, access, options)

    def post(self, path: str, access: Access, **options: Any) -> Callable[[Endpoint], Endpoint]:
        """A route that changes something. There is no other method that does: a form knows only this one."""
        return self._route("POST", path, access, options)

    def _route(self, method: str, path: str, access: Access, options: dict[str, Any]) -> Callable[[Endpoint], Endpoint]:
        options.setdefault("include_in_schema", self._in_schema)
        extra = {"x-access": access.value, **options.pop("openapi_extra", {})}

        def add(endpoint: Endpoint) -> Endpoint:
            guards = [Depends(Guard(access)), *self._first, *options.pop("dependencies", [])]
            self.router.add_api_route(
                path, endpoint, methods=[method], dependencies=guards, openapi_extra=extra, **options
            )
            return endpoint

        return add


def access_of(route: Any) -> Access | None:
    """What a route of the application demands; None for one that was added past this module."""
    for dependency in getattr(route, "dependencies", ()):
        if isinstance(guard := dependency.dependency, Guard):
            return guard.access
    return None


def routes_of(app: FastAPI) -> Iterator[Any]:
    """Every route of the application: those that were added to it, and those of the routers that it includes."""
    waiting = list(app.routes)
    while waiting:
        route = waiting.pop(0)
        included = getattr(route, "original_router", None)
        if included is None:
            yield route
        else:
            waiting[:0] = included.routes
