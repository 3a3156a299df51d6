"""Accounts at outside parties: one account of a custodian is one location."""

from __future__ import annotations

from mapping.checks.scope import Scope


def check_custodian_accounts(scope: Scope) -> None:
    """Refuse two locations for one account of a custodian: a statement could not be told where it belongs."""
    places = {(row.custodian, row.account): row.location_id for row in scope.known.custodian_accounts()}
    for row in scope.of("custodian_accounts"):
        named = (row.record.custodian, row.record.account)
        place = places.setdefault(named, row.record.location_id)
        if place != row.record.location_id:
            scope.problem(
                row, "account", row.record.account, f"this account of {row.record.custodian} is {place} already"
            )
