"""Pages from templates: everything is escaped, nothing undefined is shown as empty."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from verifier.accounts.roles import Access
from verifier.web.cookies import csrf_token

if TYPE_CHECKING:
    from verifier.config import Settings

TEMPLATES = Path(__file__).parent / "templates"


def environment(settings: Settings) -> Environment:
    """The templates, with the name of the firm."""
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals["firm"] = settings.firm.name
    env.globals["Access"] = Access
    return env


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page for the browser that asked."""
    env: Environment = request.app.state.templates
    visitor = getattr(request.state, "visitor", None)
    always = {
        "request": request,
        "visitor": visitor,
        "now": request.app.state.clock(),
        "csrf_token": csrf_token(request),
    }
    text = env.get_template(template).render(always | values)
    return HTMLResponse(text, status_code=status)
