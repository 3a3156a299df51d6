"""Statements of outside parties: an id is one statement; and nothing speaks of a moment that has not come."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import Final

from chains.types import utc_text
from mapping.checks.scope import Scope
from mapping.types import Position, Sourced

CLOCK_TOLERANCE_SECONDS: Final = 300
"""How far ahead another party's clock may be."""


def check_moments(scope: Scope) -> None:
    """Refuse what states a moment after the import: a mistyped year would shut out every later snapshot."""
    if scope.now is None:
        return
    latest = scope.now + timedelta(seconds=CLOCK_TOLERANCE_SECONDS)
    for table in ("custodian_addresses", "allocations", "positions", "prices"):
        for row in scope.of(table):
            if row.record.as_of > latest:
                scope.problem(row, "as_of", utc_text(row.record.as_of), "this moment has not come yet")


def check_statements(scope: Scope) -> None:
    """A statement id stands for one statement: one moment, one source, the same rows whenever it is given."""
    groups: dict[tuple[str, str], list[Sourced[Position]]] = defaultdict(list)
    for row in scope.positions():
        groups[row.record.stated_by, row.record.statement_id].append(row)
    if not groups:
        return
    known = scope.known.statements(groups.keys())
    for statement, rows in groups.items():
        recorded = known.get(statement, ())
        first = recorded[0] if recorded else rows[0].record
        for row in rows:
            if (row.record.as_of, row.record.source) != (first.as_of, first.source):
                reason = f"statement {statement[1]} speaks of {utc_text(first.as_of)} from source {first.source}"
                scope.problem(row, "as_of", utc_text(row.record.as_of), reason + "; one id is one statement")
        if recorded and not scope.posted:
            before = {(row.location_id, row.asset_id) for row in recorded}
            after = {(row.record.location_id, row.record.asset_id) for row in rows}
            if before != after:
                reason = "this statement id is recorded with other rows; a new statement has a new id"
                scope.problem(rows[0], "statement_id", statement[1], reason)
