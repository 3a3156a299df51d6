"""The same natural key twice: within an import, and against what is recorded."""

from __future__ import annotations

import dataclasses
from typing import Any

from chains.types import Asset, AssetId
from mapping.checks.scope import Scope
from mapping.columns import Key, OnChange, Table
from mapping.tables import TABLES
from mapping.types import Sourced


def check_duplicates(scope: Scope) -> None:
    """Every natural key comes once in an import; both lines are named, and whether the rows agree."""
    for table in TABLES:
        first: dict[Key, Sourced[Any]] = {}
        for sourced in scope.of(table.name):
            key = table.key(sourced.record)
            earlier = first.setdefault(key, sourced)
            if earlier is sourced:
                continue
            if earlier.record == sourced.record:
                reason = f"the same row is on line {earlier.origin.line} already; rows are not added up"
            else:
                reason = f"this contradicts line {earlier.origin.line}, which is about the same {_key_text(table)}"
            scope.problem(sourced, table.key_columns[0], key[0], reason)
    _check_client_names(scope)
    _check_decimals(scope)


def _key_text(table: Table[Any]) -> str:
    return ", ".join(table.key_columns)


def _check_client_names(scope: Scope) -> None:
    """Two clients of one name may be right, so they are noted; names are compared in Unicode form NFC."""
    named: dict[str, str] = {}
    for sourced in scope.of("clients"):
        client = sourced.record
        other = named.setdefault(client.name, client.client_id)
        if other != client.client_id:
            text = f"clients {other} and {client.client_id} have the same name"
            scope.notice(sourced.origin.source, sourced.origin.line, text)


def _check_decimals(scope: Scope) -> None:
    """The decimals of an asset never change: all quantities recorded so far were read with them."""
    if not scope.of("assets"):
        return
    reviewed: dict[AssetId, Asset] = dict(scope.known.assets())
    for sourced in scope.of("assets"):
        asset = sourced.record.asset
        before = reviewed.setdefault(asset.asset_id, asset)
        if before.decimals != asset.decimals:
            reason = f"this asset is recorded with {before.decimals} decimals, which cannot change"
            scope.problem(sourced, "decimals", str(asset.decimals), reason)


def check_changes(scope: Scope) -> None:
    """A row about something recorded already is a new version where the table allows it, else refused."""
    for table in TABLES:
        if table.on_change is OnChange.SNAPSHOT:
            continue
        keyed = {table.key(sourced.record): sourced for sourced in scope.of(table.name)}
        for key, before in scope.known.records(table.name, keyed.keys()).items():
            sourced = keyed[key]
            if before == sourced.record:
                continue
            if table.on_change is OnChange.NEW_VERSION:
                changed = ", ".join(_changed_fields(before, sourced.record))
                text = f"{' '.join(key)} is recorded already; this is a new version of it (changed: {changed})"
                scope.notice(sourced.origin.source, sourced.origin.line, text)
            else:
                reason = f"the same {_key_text(table)} is recorded already with other content; that is never changed"
                scope.problem(sourced, table.key_columns[0], key[0], reason)


def _changed_fields(before: Any, after: Any) -> list[str]:
    names = [field.name for field in dataclasses.fields(before)]
    return [name for name in names if getattr(before, name) != getattr(after, name)]


def drop_unchanged(scope: Scope) -> None:
    """Drop the rows that are recorded already in the same words."""
    for table in TABLES:
        if table.on_change is OnChange.SNAPSHOT or not scope.of(table.name):
            continue
        keys = [table.key(sourced.record) for sourced in scope.of(table.name)]
        before = scope.known.records(table.name, set(keys))
        pairs = zip(keys, scope.of(table.name), strict=True)
        kept = [sourced for key, sourced in pairs if before.get(key) != sourced.record]
        scope.unchanged += len(keys) - len(kept)
        scope.rows[table.name] = kept
