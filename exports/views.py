"""Tables of a bundle's records for spreadsheets and data tools: CSV files and a Frictionless Data Package around them.

They are members of the bundle, so that somebody who opens the file with an unzip program has them at hand, and they
follow from the records alone: check 31 makes them again and compares every byte, so a table cannot say anything else.
`view_problems` does the same with a folder of tables that somebody passed on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from exports.canonical import canonical_json
from exports.codec import time_text, to_object
from exports.contents import Contents
from exports.difference import FOLLOWED
from exports.manifest import VIEW_FOLDER, FileMember, Manifest, digest_hex
from exports.profiles import Disclosure
from exports.table_lines import KINDS, MadeTable, columns_of, header_line, table_line
from exports.verdict import Outcome

PACKAGE: Final = "datapackage.json"
PACKAGE_NAME: Final = VIEW_FOLDER + PACKAGE
"""The member that describes the tables."""
REFERENCES: Final[Mapping[str, tuple[tuple[str, str, str], ...]]] = {
    "allocations": (("asset_id", "assets", "asset_id"),),
    "authorizations": (("asset_id", "assets", "asset_id"),),
    "balances": (("asset_id", "assets", "asset_id"), ("sweep_id", "sweeps", "sweep_id")),
    "reconciliations": (("asset_id", "assets", "asset_id"), ("sweep_id", "sweeps", "sweep_id")),
    "transfers": (("asset_id", "assets", "asset_id"),),
}
"""Columns whose values stand in a column of another table, where the bundle has all of both."""
KEYS: Final[Mapping[str, tuple[str, ...]]] = {"sweeps": ("sweep_id",), "pools": ("pool_id", "chain_id", "address")}
"""Keys of tables beside those by which bundles are compared."""


def table_kinds(manifest: Manifest) -> list[str]:
    """The kinds with a table, ascending. A kind of which the profile shows nothing has none.

    So an empty table always means that there is nothing of its kind.
    """
    told = {each.kind: each for each in manifest.disclosure}
    return [kind for kind in KINDS if told[kind].published or told[kind].is_whole]


def view_files(contents: Contents) -> dict[str, bytes]:
    """Every table and the package's descriptor, by file name: the same bytes for the same bundle."""
    return packaged(contents.manifest, {kind: _table(kind, contents) for kind in table_kinds(contents.manifest)})


def packaged(manifest: Manifest, tables: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of a bundle's tables: of those given, the ones it has, and the descriptor."""
    kept = {kind: tables[kind] for kind in table_kinds(manifest)}
    made = {kind: MadeTable(len(data), digest_hex(data)) for kind, data in kept.items()}
    return {**{f"{kind}.csv": data for kind, data in kept.items()}, PACKAGE: _package_bytes(manifest, made)}


def table_name(kind: str) -> str:
    """The member that is the table of a kind."""
    return f"{VIEW_FOLDER}{kind}.csv"


def view_members(manifest: Manifest, tables: Mapping[str, MadeTable]) -> tuple[bytes, list[FileMember]]:
    """The descriptor, and the members that the tables of a bundle must be, by name, from what each table must be."""
    made = {kind: tables[kind] for kind in table_kinds(manifest)}
    package = _package_bytes(manifest, made)
    members = [FileMember(table_name(kind), each.size_bytes, each.sha256) for kind, each in made.items()]
    members.append(FileMember(PACKAGE_NAME, len(package), digest_hex(package)))
    return package, sorted(members, key=lambda member: member.name)


def check_views(manifest: Manifest, tables: Mapping[str, MadeTable]) -> Outcome:
    """Check 31: the tables in the bundle are those that its records make. That they are as named, check 4 saw."""
    wanted = {member.name: member for member in view_members(manifest, tables)[1]}
    there = {member.name: member for member in manifest.files if member.name.startswith(VIEW_FOLDER)}
    problems = [f"{name} is missing" for name in sorted(wanted.keys() - there.keys())]
    problems += [f"{name} is no table of this bundle" for name in sorted(there.keys() - wanted.keys())]
    differing = sorted(name for name in wanted.keys() & there.keys() if wanted[name] != there[name])
    problems += [f"{name} does not say what the records say" for name in differing]
    return Outcome(len(wanted), problems)


def view_problems(folder: Path, contents: Contents) -> Iterator[str]:
    """Files of a folder that do not say what the bundle says, that are missing, or that do not belong to it."""
    made = view_files(contents)
    there = {path.name for path in folder.iterdir()}
    yield from (f"{name} is missing" for name in sorted(made.keys() - there))
    yield from (f"{name} is no table of the bundle" for name in sorted(there - made.keys()))
    for name in sorted(made.keys() & there):
        if (folder / name).read_bytes() != made[name]:
            yield f"{name} does not say what the bundle says"


def _package_bytes(manifest: Manifest, tables: Mapping[str, MadeTable]) -> bytes:
    """The descriptor of the Data Package.

    It cannot name the bundle's digest, which is made over it: it names the bundle by its id, number and moment.
    """
    told = {each.kind: each for each in manifest.disclosure}
    whole = frozenset(kind for kind in tables if told[kind].is_whole)
    package = {
        "profile": "data-package",
        "name": "custody-bundle",
        "title": f"{manifest.firm.name}: bundle {manifest.sequence}",
        "bundle_id": manifest.bundle_id,
        "bundle_as_of": time_text(manifest.as_of),
        "bundle_profile": str(manifest.profile),
        "bundle_subject": manifest.subject,
        "resources": [_resource(told[kind], table, whole) for kind, table in tables.items()],
    }
    return canonical_json(package) + b"\n"


def _table(kind: str, contents: Contents) -> bytes:
    lines = [table_line(kind, to_object(record)) for record in getattr(contents, kind)]
    return header_line(kind) + b"".join(lines)


def _resource(told: Disclosure, table: MadeTable, whole: frozenset[str]) -> dict[str, object]:
    kind, columns = told.kind, columns_of(told.kind)
    schema: dict[str, object] = {"fields": [column.descriptor() for column in columns], "missingValues": [""]}
    key = KEYS.get(kind) or (FOLLOWED[kind].key if kind in FOLLOWED else ())
    required = {column.name for column in columns if column.required}
    if key and required.issuperset(key):
        schema["primaryKey"] = list(key)
    if references := [each for each in REFERENCES.get(kind, ()) if each[1] in whole]:
        schema["foreignKeys"] = [
            {"fields": field, "reference": {"resource": table_name, "fields": other}}
            for field, table_name, other in references
        ]
    resource: dict[str, object] = {
        "name": kind.replace("_", "-"),
        "path": f"{kind}.csv",
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": {"lineTerminator": "\r\n"},
        "bytes": table.size_bytes,
        "hash": f"sha256:{table.sha256}",
        "schema": schema,
    }
    if kind not in whole or told.replaced:
        # A bundle that shows less: how many records the table does not have, and what is not as in the full one.
        resource["withheld"] = told.withheld
        resource["committed"] = told.committed
        resource["replaced"] = list(told.replaced)
    return resource
