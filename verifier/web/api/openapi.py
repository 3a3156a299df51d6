"""The OpenAPI 3.1 document of the API, made from its routes: what is in it is what there is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from verifier.accounts.roles import Access
from verifier.web.cookies import SESSION
from verifier.web.routing import GuardedRouter

PREFIX: Final = "/api/v1"
DESCRIPTION: Final = (
    "Everything that the command line can do for reading and for the workflow. Amounts are text: whole numbers of base "
    "units or of US cents. Times are RFC 3339 in UTC. Lists come in pages: go on with the cursor in `next`. Every "
    "request that changes something names itself by the header Idempotency-Key, and is done once. Refusals are problem "
    "details (RFC 9457) with a stable `code`."
)
PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "code": {"type": "string", "description": "Stable name of what happened, for programs."},
        "detail": {"type": "string", "description": "One sentence for people."},
        "advice": {"type": "string", "description": "What to do."},
        "incident": {"type": "string", "description": "Names the entry of the log that has the cause."},
        "fields": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "reason": {"type": "string"}},
                "required": ["field", "reason"],
            },
        },
        "problems": {"type": "array", "items": {"type": "object"}},
    },
}
_REFUSAL: Final = {
    "description": "Refused, with the reason.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_SCHEMES: Final = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A token of a person, with a scope and an end."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": SESSION,
        "description": "The session of a browser; changes also need the header X-CSRF-Token.",
    },
}


def document_of(routers: Sequence[GuardedRouter]) -> dict[str, Any]:
    """The document of the routes that are in the schema."""
    app = FastAPI(openapi_url=None)
    for router in routers:
        app.include_router(router.router)
    made = get_openapi(
        title="custody-verifier",
        version="1",
        openapi_version="3.1.0",
        description=DESCRIPTION,
        routes=app.routes,
    )
    components = made.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = PROBLEM
    components["securitySchemes"] = _SCHEMES
    for operations in made["paths"].values():
        for operation in operations.values():
            _complete(operation)
    return made


def _complete(operation: dict[str, Any]) -> None:
    """Every refusal is a problem, whatever its status; and who may ask is said."""
    operation["responses"].pop("422", None)
    operation["responses"]["default"] = _REFUSAL
    access = Access(operation["x-access"])
    if access is not Access.PUBLIC:
        operation["security"] = [{"bearer": []}, {"session": []}]
    roles = ", ".join(sorted(role.value for role in access.roles)) or "anybody"
    operation["description"] = f"{operation.get('description', '')}\n\nAccess: {access.value} ({roles}).".strip()


@cache
def document() -> dict[str, Any]:
    """The document of the API."""
    from verifier.web.routes import routers

    return document_of(routers())
