"""Lines of the tables that a bundle has beside its records: what columns a kind has, and one record as one line.

A cell with a comma, a quotation mark or a line end stands in quotation marks, those inside doubled; lines end with CR
and LF. Amounts are whole base units. Text that a spreadsheet would run as a formula begins with an apostrophe here;
the bundle's JSON keeps the truth. An absent value is an empty cell; lists and objects are canonical JSON.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
import types
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

from exports.canonical import canonical_json
from exports.codec import Decimals, Text
from exports.records import PROOF_KINDS, RECORD_TYPES

KINDS: Final = tuple(sorted(set(RECORD_TYPES) - PROOF_KINDS))
"""Kinds that have a table; proofs are bytes for programs."""
TIME_FORMAT: Final = "%Y-%m-%dT%H:%M:%S.%fZ"
_RUN: Final = ("=", "+", "-", "@", "\t", "\r")
_NUMBER: Final = re.compile(r"-?[0-9]+", re.ASCII)
_QUOTED: Final = re.compile(r'[,"\r\n]')
_SPECIAL: Final = re.compile(r'\A[=+\-@\t\r]|[,"\r\n]')
"""What most cells have nothing of: they stand as they are."""


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    type: str
    """A type of the Table Schema."""
    required: bool
    """Whether no cell of it is empty."""

    def descriptor(self) -> dict[str, object]:
        """The field of the Table Schema."""
        told: dict[str, object] = {"name": self.name, "type": self.type}
        if self.type == "datetime":
            told["format"] = TIME_FORMAT
        if self.required:
            told["constraints"] = {"required": True}
        return told


@cache
def columns_of(kind: str) -> tuple[Column, ...]:
    """The columns of a kind, in the order of its record's fields."""
    hints = get_type_hints(RECORD_TYPES[kind], include_extras=True)
    return tuple(Column(field.name, *_form(hints[field.name])) for field in dataclasses.fields(RECORD_TYPES[kind]))


@cache
def _names_of(kind: str) -> tuple[str, ...]:
    return tuple(column.name for column in columns_of(kind))


def _form(hint: Any) -> tuple[str, bool]:
    """Type and whether it is always there, of a field's annotation."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        mark = arguments[1]
        if isinstance(mark, Decimals):
            return "integer", True
        assert isinstance(mark, Text)
        return "string", mark.pattern is not None and not mark.pattern.fullmatch("")
    if origin in (Union, types.UnionType):
        (inner,) = [argument for argument in arguments if argument is not type(None)]
        return _form(inner)[0], False
    if origin is tuple:
        return "array", True
    if dataclasses.is_dataclass(hint):
        return "object", True
    simple = {int: "integer", bool: "boolean", date: "date", datetime: "datetime"}
    return simple.get(hint, "string"), hint in simple or hint is not str


def defused(text: str) -> str:
    """Text that no spreadsheet runs. A whole number stays one."""
    return f"'{text}" if text.startswith(_RUN) and not _NUMBER.fullmatch(text) else text


def header_line(kind: str) -> bytes:
    """The first line of a kind's table: the names of its columns."""
    return (",".join(column.name for column in columns_of(kind)) + "\r\n").encode("ascii")


def table_line(kind: str, value: Mapping[str, object]) -> bytes:
    """One record, given as its JSON object, as a line of its kind's table."""
    return (",".join([_cell(value[name]) for name in _names_of(kind)]) + "\r\n").encode("utf-8")


def _cell(value: object) -> str:
    if isinstance(value, str) and not _SPECIAL.search(value):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    text = defused(value) if isinstance(value, str) else canonical_json(value).decode("utf-8")
    if _QUOTED.search(text):
        return '"' + text.replace('"', '""') + '"'
    return text


@dataclasses.dataclass(frozen=True, slots=True)
class MadeTable:
    """What a kind's table must be: its size and digest."""

    size_bytes: int
    sha256: str


class TableDigest:
    """The table of one kind, hashed line by line while its records are read; no table is ever held."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        first = header_line(kind)
        self._digest, self._size = hashlib.sha256(first), len(first)

    def add(self, value: Mapping[str, object]) -> None:
        """The next record, as its JSON object."""
        line = table_line(self._kind, value)
        self._digest.update(line)
        self._size += len(line)

    def made(self) -> MadeTable:
        """The table of all records so far."""
        return MadeTable(self._size, self._digest.hexdigest())
