"""XML of a message as a small tree with line numbers, read so that a hostile file can do nothing. Pure.

No document type is accepted, so there are no entities, external or expanding; no processing instructions. Depth,
elements and bytes have limits. Only UTF-8 is read. Names keep their namespace.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from verifier.custodians.message import MessageRefused

DEPTH_MAX: Final = 40
ELEMENTS_MAX: Final = 20_000_000
TEXT_MAX: Final = 4096
"""Characters of one element's text; no element of these messages has more than a few hundred."""


@dataclass(slots=True)
class Element:
    """One element: its namespace and name, text, children and the line it begins at."""

    namespace: str
    name: str
    line: int
    text: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)

    def all(self, *path: str) -> list[Element]:
        """Every element at a path below this one."""
        found = [self]
        for name in path:
            found = [child for each in found for child in each.children if child.name == name]
        return found

    def maybe(self, *path: str) -> Element | None:
        """The one element at a path, if there is one; raises for two."""
        found = self.all(*path)
        if len(found) > 1:
            raise found[1].refused(f"given {len(found)} times, once is expected")
        return found[0] if found else None

    def one(self, *path: str) -> Element:
        """The one element at a path; raises when it is missing."""
        found = self.maybe(*path)
        if found is None:
            raise MessageRefused(self.line, "/".join(path), "", f"{'/'.join(path)} is missing in {self.name}")
        return found

    def words(self, *path: str) -> str:
        """Text of the one element at a path, without the white space around it; raises when it is missing or empty."""
        found = self.one(*path)
        if not found.text.strip():
            raise found.refused("the element is empty")
        return found.text.strip()

    def refused(self, reason: str) -> MessageRefused:
        """The error that says what is wrong with this element."""
        return MessageRefused(self.line, self.name, self.text.strip(), reason)

    def walk(self) -> Iterator[Element]:
        """This element and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


def read_xml(data: bytes) -> Element:
    """The root of a document; raises `MessageRefused` for what is not well-formed or not allowed."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        raise MessageRefused(0, "", "", "the file is no UTF-8") from None
    builder = _Builder()
    parser = builder.parser
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise MessageRefused(
            error.lineno, "", "", f"this is no well-formed XML: {expat.ErrorString(error.code)}"
        ) from None
    assert builder.root is not None
    return builder.root


class _Builder:
    """Builds the tree while the parser reads; refuses at once what is not allowed."""

    def __init__(self) -> None:
        self.root: Element | None = None
        self._open: list[Element] = []
        self._count = 0
        self.parser = expat.ParserCreate("utf-8", " ")
        self.parser.buffer_text = True
        self.parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.EntityDeclHandler = self._entity
        self.parser.ProcessingInstructionHandler = self._instruction

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if len(self._open) >= DEPTH_MAX or self._count > ELEMENTS_MAX:
            raise MessageRefused(self._line, "", "", f"deeper than {DEPTH_MAX} or more than {ELEMENTS_MAX} elements")
        namespace, _, local = name.rpartition(" ")
        element = Element(namespace, local, self._line, attributes=attributes)
        if self._open:
            self._open[-1].children.append(element)
        else:
            self.root = element
        self._open.append(element)

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _characters(self, data: str) -> None:
        element = self._open[-1]
        if len(element.text) + len(data) > TEXT_MAX:
            if element.children and not (element.text + data).strip():
                return  # the white space between very many children
            raise MessageRefused(self._line, element.name, "", f"more than {TEXT_MAX} characters of text")
        element.text += data

    def _doctype(self, *_: object) -> None:
        raise MessageRefused(self._line, "", "", "a document type is not allowed: messages have none")

    def _entity(self, *_: object) -> None:
        raise MessageRefused(self._line, "", "", "an entity declaration is not allowed")

    def _instruction(self, *_: object) -> None:
        raise MessageRefused(self._line, "", "", "a processing instruction is not allowed")

    @property
    def _line(self) -> int:
        return int(self.parser.CurrentLineNumber)
