"""Tables of a bundle's records for spreadsheets and data tools: CSV files and a Frictionless Data Package around them.

Whoever verified a bundle makes them from it. Nothing of them is signed; `view_problems` makes them again to say whether
a folder of them still tells what the bundle does. Amounts are whole base units. Text that a spreadsheet would run as a
formula begins with an apostrophe here; the bundle's JSON keeps the truth. An absent value is an empty cell.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
import types
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

from exports.codec import Decimals, Text, to_object
from exports.contents import Contents
from exports.difference import FOLLOWED
from exports.manifest import digest_hex
from exports.records import PROOF_KINDS, RECORD_TYPES

PACKAGE: Final = "datapackage.json"
KINDS: Final = tuple(sorted(set(RECORD_TYPES) - PROOF_KINDS))
"""Kinds with a table; proofs are bytes for programs."""
REFERENCES: Final[Mapping[str, tuple[tuple[str, str, str], ...]]] = {
    "allocations": (("asset_id", "assets", "asset_id"),),
    "authorizations": (("asset_id", "assets", "asset_id"),),
    "balances": (("asset_id", "assets", "asset_id"), ("sweep_id", "sweeps", "sweep_id")),
    "reconciliations": (("asset_id", "assets", "asset_id"), ("sweep_id", "sweeps", "sweep_id")),
    "transfers": (("asset_id", "assets", "asset_id"),),
}
"""Columns whose values stand in a column of another table."""
KEYS: Final[Mapping[str, tuple[str, ...]]] = {"sweeps": ("sweep_id",), "pools": ("pool_id", "chain_id", "address")}
"""Keys of tables beside those by which bundles are compared."""
_RUN: Final = ("=", "+", "-", "@", "\t", "\r")
_NUMBER: Final = re.compile(r"-?[0-9]+", re.ASCII)
TIME_FORMAT: Final = "%Y-%m-%dT%H:%M:%S.%fZ"


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


def view_files(contents: Contents) -> dict[str, bytes]:
    """Every table and the package's descriptor, by file name: the same bytes for the same bundle."""
    tables = {f"{kind}.csv": _table(kind, contents) for kind in KINDS}
    package = {
        "profile": "data-package",
        "name": "custody-bundle",
        "title": f"{contents.manifest.firm.name}: bundle {contents.manifest.sequence}",
        "bundle_sha256": digest_hex(contents.manifest.to_bytes()),
        "bundle_profile": str(contents.manifest.profile),
        "resources": [_resource(kind, tables[f"{kind}.csv"]) for kind in KINDS],
    }
    text = json.dumps(package, ensure_ascii=False, indent=1, sort_keys=True)
    return {**tables, PACKAGE: text.encode("utf-8") + b"\n"}


def view_problems(folder: Path, contents: Contents) -> Iterator[str]:
    """Files of a folder that do not say what the bundle says, that are missing, or that do not belong to it."""
    made = view_files(contents)
    there = {path.name for path in folder.iterdir()}
    yield from (f"{name} is missing" for name in sorted(made.keys() - there))
    yield from (f"{name} is no table of the bundle" for name in sorted(there - made.keys()))
    for name in sorted(made.keys() & there):
        if (folder / name).read_bytes() != made[name]:
            yield f"{name} does not say what the bundle says"


def _table(kind: str, contents: Contents) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    columns = columns_of(kind)
    writer.writerow([column.name for column in columns])
    for record in getattr(contents, kind):
        value = to_object(record)
        writer.writerow([_cell(value[column.name]) for column in columns])
    return text.getvalue().encode("utf-8")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return defused(str(value))


def _resource(kind: str, data: bytes) -> dict[str, object]:
    columns = columns_of(kind)
    schema: dict[str, object] = {"fields": [column.descriptor() for column in columns], "missingValues": [""]}
    key = KEYS.get(kind) or (FOLLOWED[kind].key if kind in FOLLOWED else ())
    required = {column.name for column in columns if column.required}
    if key and required.issuperset(key):
        schema["primaryKey"] = list(key)
    if references := REFERENCES.get(kind):
        schema["foreignKeys"] = [
            {"fields": field, "reference": {"resource": table, "fields": other}} for field, table, other in references
        ]
    return {
        "name": kind.replace("_", "-"),
        "path": f"{kind}.csv",
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": {"lineTerminator": "\r\n"},
        "bytes": len(data),
        "hash": f"sha256:{digest_hex(data)}",
        "schema": schema,
    }
