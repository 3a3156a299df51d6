"""The syntax of ISO 15022 messages: blocks of a FIN message, fields with their lines, sequences. Pure.

A file holds one message or several, each either a whole FIN message (`{1:…}{2:…}{4:` … `-}`) or its text block alone,
ended by a line with a hyphen. Fields keep the line they begin at, so that every fault can be found in the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from verifier.custodians.message import MessageRefused

_FIELD = re.compile(r":([0-9]{2}[A-Z]?):(.*)", re.ASCII)
_GENERIC = re.compile(r":([A-Z0-9]{4})/([A-Z0-9]{0,8})/(.*)", re.ASCII)
_HEADER = re.compile(r"((?:\{[123]:(?:[^{}]|\{[^{}]*\})*\})*)\{4:", re.ASCII)
_TYPE = re.compile(r"\{2:[IO]([0-9]{3})", re.ASCII)
_STRANGE: Final = re.compile(r"[^a-zA-Z0-9/\-?:().,'+ {}\n=!\"%&*<>;@#_]")
"""A character in neither of the two sets that fields allow."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a text block."""

    tag: str
    """Number and option letter, for example `97A`."""
    value: str
    """Everything behind the tag, lines joined by line feeds."""
    line: int

    @property
    def qualifier(self) -> str:
        """The qualifier of a generic field such as `:SAFE//123`; empty for others."""
        match = _GENERIC.fullmatch(self.value.partition("\n")[0])
        return match[1] if match else ""

    def data(self, issuer: str = "") -> str:
        """What stands behind qualifier and data source scheme; raises for a scheme other than `issuer`."""
        first, newline, rest = self.value.partition("\n")
        match = _GENERIC.fullmatch(first)
        if match is None:
            raise self.refused("a qualifier between `:` and `/` is expected")
        if match[2] != issuer:
            raise self.refused(f"the data source scheme {match[2] or '(none)'} is not known here")
        return match[3] + newline + rest

    def refused(self, reason: str) -> MessageRefused:
        """The error that says what is wrong with this field."""
        return MessageRefused(self.line, self.tag, self.value, reason)


@dataclass(frozen=True, slots=True)
class Sequence15022:
    """A sequence of fields between `16R` and `16S`, with the sequences inside it."""

    name: str
    line: int
    fields: tuple[Field, ...]
    """Those of the sequence itself."""
    inner: tuple[Sequence15022, ...]

    def all(self, tag: str, qualifier: str = "") -> list[Field]:
        """The fields of a tag (`97A`, or `97` for every option) and qualifier."""
        return [
            each
            for each in self.fields
            if (each.tag == tag or each.tag[:2] == tag) and (not qualifier or each.qualifier == qualifier)
        ]

    def maybe(self, tag: str, qualifier: str = "") -> Field | None:
        """The one field of a tag and qualifier, if there is one; raises for two."""
        found = self.all(tag, qualifier)
        if len(found) > 1:
            raise found[1].refused(f"given {len(found)} times in {self.name}, once is expected")
        return found[0] if found else None

    def one(self, tag: str, qualifier: str = "") -> Field:
        """The one field of a tag and qualifier; raises when it is missing."""
        found = self.maybe(tag, qualifier)
        if found is None:
            named = f"{tag} {qualifier}".strip()
            raise MessageRefused(self.line, named, "", f"{named} is missing in {self.name}")
        return found

    def sequences(self, name: str) -> list[Sequence15022]:
        """The inner sequences of a name."""
        return [each for each in self.inner if each.name == name]


@dataclass(frozen=True, slots=True)
class FinMessage:
    """One message: its type where a header says it, and its text block as one sequence without a name."""

    message_type: str
    """Three digits of block 2; empty for a bare text block."""
    line: int
    body: Sequence15022


def read_fin(text: str) -> list[FinMessage]:
    """Every message of a file with LF or CRLF line ends; raises `MessageRefused` for the first fault of syntax."""
    text = text.replace("\r\n", "\n")
    if "\r" in text:
        line = text[: text.index("\r")].count("\n") + 1
        raise MessageRefused(line, "", "", "a carriage return stands without a line feed")
    if strange := _STRANGE.search(text):
        line = text.count("\n", 0, strange.start()) + 1
        raise MessageRefused(line, "", strange[0], f"the character U+{ord(strange[0]):04X} is in no FIN message")
    return [
        FinMessage(kind, line, _sequence("", line, list(_fields(body, line)), kind))
        for kind, line, body in _split(text)
    ]


def _split(text: str) -> Iterator[tuple[str, int, str]]:
    """Type, first line and text block of each message."""
    position = 0
    while position < len(text):
        if text[position] in "\n ":
            position += 1
            continue
        line = text.count("\n", 0, position) + 1
        kind, ending = "", "\n-\n"
        if text[position] == "{":
            header = _HEADER.match(text, position)
            if header is None:
                raise MessageRefused(
                    line, "", text[position : position + 20], "blocks 1 to 3 and then {4: are expected"
                )
            named = _TYPE.search(header[1])
            if named is None:
                raise MessageRefused(line, "", header[1][:40], "block 2 with the message type is missing")
            kind, position, ending = named[1], header.end(), "\n-}"
        elif text[position] != ":":
            raise MessageRefused(line, "", text[position : position + 20], "a field such as :16R:GENL is expected")
        end = text.find(ending, position)
        if end < 0 and not kind and text.endswith("\n-"):
            end = len(text) - 2
        if end < 0:
            raise MessageRefused(line, "", "", "the message has no end: a line that begins with - is expected")
        yield kind, text.count("\n", 0, position) + 1, text[position:end]
        position = end + len(ending)
        if kind:
            position = _skip_trailer(text, position)


def _skip_trailer(text: str, position: int) -> int:
    """Behind block 5 and others that follow the text block."""
    while match := re.compile(r"\s*\{[5S]:(?:[^{}]|\{[^{}]*\})*\}", re.ASCII).match(text, position):
        position = match.end()
    return position


def _fields(body: str, first_line: int) -> Iterator[Field]:
    tag, value, at = "", "", 0
    for number, content in enumerate(body.split("\n"), start=first_line):
        if match := _FIELD.fullmatch(content):
            if tag:
                yield Field(tag, value, at)
            tag, value, at = match[1], match[2], number
        elif not tag:
            if content:
                raise MessageRefused(number, "", content, "text before the first field")
        elif content.startswith(":") or not content:
            raise MessageRefused(number, tag, content, "a field is written :TAG:value, and no line is empty")
        else:
            value += f"\n{content}"
    if tag:
        yield Field(tag, value, at)


def _sequence(name: str, line: int, fields: Sequence[Field], kind: str) -> Sequence15022:
    """The fields as a tree. Every `16R` is closed by the `16S` of the same name."""
    open_: list[tuple[str, int, list[Field], list[Sequence15022]]] = [(name, line, [], [])]
    for each in fields:
        if each.tag == "16R":
            open_.append((each.value, each.line, [], []))
        elif each.tag == "16S":
            opened, at, own, inner = open_.pop()
            if not open_ or opened != each.value:
                raise each.refused(f"this closes {each.value}, but {opened or 'nothing'} is open")
            open_[-1][3].append(Sequence15022(opened, at, tuple(own), tuple(inner)))
        else:
            open_[-1][2].append(each)
    if len(open_) > 1:
        raise MessageRefused(open_[-1][1], "16R", open_[-1][0], f"{open_[-1][0]} is not closed by 16S")
    _, _, own, inner = open_[0]
    return Sequence15022(name, line, tuple(own), tuple(inner))
