"""Pages as trees of elements. Text is escaped because there is no way to write it unescaped; nothing is loaded.

A page has one style, allowed by its digest, no script and no link: it opens from a file, shows the same everywhere and
prints in black on white.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Final

_VOID: Final = frozenset({"meta"})
_BLOCKS: Final = frozenset(
    {"html", "head", "body", "main", "table", "thead", "tbody", "tr", "h1", "h2", "p", "ul", "li"}
)
STYLE: Final = """
body { font: 14px/1.45 system-ui, sans-serif; color: #111; background: #fff; margin: 0 }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem }
h1 { font-size: 1.4rem; margin: 0 0 .5rem }
h2 { font-size: 1.1rem; margin: 1.6rem 0 .4rem; break-after: avoid }
table { border-collapse: collapse; width: 100%; margin: .4rem 0 }
th, td { text-align: left; vertical-align: top; padding: .2rem .6rem .2rem 0; border-bottom: 1px solid #ccc }
td, th { overflow-wrap: anywhere }
thead th { border-bottom-color: #111 }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; overflow-wrap: normal }
.strong { font-weight: 700 }
.alert { border-left: 4px solid #b00020; padding-left: .6rem; font-weight: 700 }
tr { break-inside: avoid }
@media print { main { max-width: none; padding: 0 } }
""".strip()


@dataclass(frozen=True, slots=True)
class Element:
    """One element with its children, in order."""

    name: str
    children: tuple[Node, ...] = ()
    attributes: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """The element as HTML."""
        attributes = "".join(f' {name}="{escape(value)}"' for name, value in self.attributes.items())
        if self.name in _VOID:
            return f"<{self.name}{attributes}>"
        inner = "".join(each.text() if isinstance(each, Element | _Style) else escape(each) for each in self.children)
        end = "\n" if self.name in _BLOCKS else ""
        return f"<{self.name}{attributes}>{inner}</{self.name}>{end}"


@dataclass(frozen=True, slots=True)
class _Style:
    """The one style of every page: raw, because it is ours."""

    def text(self) -> str:
        return f"<style>{STYLE}</style>\n"


Node = str | Element | _Style
"""Text, which is escaped, or an element."""


def element(name: str, *children: Node, css: str = "") -> Element:
    """An element, with a class of the style where one is given."""
    return Element(name, children, {"class": css} if css else {})


def paragraph(*children: Node, css: str = "") -> Element:
    """A paragraph."""
    return element("p", *children, css=css)


def listed(texts: Iterable[str]) -> Element:
    """A list of texts."""
    return element("ul", *(element("li", each) for each in texts))


def table(columns: Sequence[str], rows: Iterable[Sequence[str]], numbers: Collection[str] = ()) -> Element:
    """A table with its heads; columns named in `numbers` stand to the right."""
    css = ["number" if column in numbers else "" for column in columns]
    head = element("tr", *(element("th", name, css=each) for name, each in zip(columns, css, strict=True)))
    body = [
        element("tr", *(element("td", cell, css=each) for cell, each in zip(row, css, strict=True))) for row in rows
    ]
    return element("table", element("thead", head), element("tbody", *body))


def facts(pairs: Iterable[tuple[str, str]]) -> Element:
    """Names and values."""
    rows = [element("tr", element("th", name), element("td", value)) for name, value in pairs]
    return element("table", element("tbody", *rows))


def page(title: str, *children: Node) -> bytes:
    """A whole page in UTF-8: the same bytes for the same content."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    head = element(
        "head",
        Element("meta", (), {"charset": "utf-8"}),
        Element("meta", (), {"http-equiv": "Content-Security-Policy", "content": policy}),
        Element("meta", (), {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        element("title", title),
        _Style(),
    )
    body = element("body", element("main", element("h1", title), *children))
    return ("<!DOCTYPE html>\n" + Element("html", (head, body), {"lang": "en"}).text()).encode("utf-8")
