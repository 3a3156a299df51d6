"""Pages for people, made from Jinja2 templates in one style: escaped, without script or link, nothing loaded.

A page opens from a file, shows the same everywhere and prints. Whatever a template is given becomes text and never
markup, and a name that it does not know is an error. The same content gives the same bytes. Jinja2 is imported only
when a page is made, so that verifying does without.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from exports.errors import ReportLibraryMissing

if TYPE_CHECKING:
    import jinja2

STYLE: Final = "page.css"


def page(template: str, **content: object) -> bytes:
    """A whole page in UTF-8, from a template of this folder; its policy allows the one style by its digest.

    Raises `ReportLibraryMissing` without Jinja2.
    """
    style = _resource(STYLE)
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode("ascii")
    made = _environment().get_template(template).render(style=style, style_digest=f"sha256-{digest}", **content)
    return made.encode("utf-8")


def _environment() -> jinja2.Environment:
    try:
        import jinja2
    except ImportError:
        raise ReportLibraryMissing("the page cannot be made: Jinja2 is not installed") from None
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(_resource),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _resource(name: str) -> str:
    return files("exports.pages").joinpath(name).read_text(encoding="utf-8")
