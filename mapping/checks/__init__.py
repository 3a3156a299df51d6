"""The checks that need more than one row: against each other, across files, and against what is recorded."""

from __future__ import annotations

from mapping.checks.acceptances import check_acceptances
from mapping.checks.books import check_books
from mapping.checks.books_facts import check_books_facts
from mapping.checks.custodians import check_custodian_accounts
from mapping.checks.duplicates import check_changes, check_duplicates, drop_unchanged
from mapping.checks.entries import check_entries
from mapping.checks.layouts import check_layouts
from mapping.checks.places import check_firm_addresses, check_pools
from mapping.checks.references import check_references
from mapping.checks.reserve import check_reserve
from mapping.checks.scope import Notice, Scope
from mapping.checks.snapshots import check_snapshots
from mapping.checks.statements import check_moments, check_statements
from mapping.checks.structure import check_pool_allocations, check_segregation


def run_checks(scope: Scope) -> None:
    """Run every check; problems and notices end up in the scope, and rows that say nothing new are dropped."""
    check_duplicates(scope)
    check_statements(scope)
    check_changes(scope)
    drop_unchanged(scope)
    check_moments(scope)
    check_references(scope)
    check_pools(scope)
    check_firm_addresses(scope)
    check_acceptances(scope)
    check_layouts(scope)
    check_entries(scope)
    check_snapshots(scope)
    check_segregation(scope)
    check_pool_allocations(scope)
    check_reserve(scope)
    check_custodian_accounts(scope)
    check_books(scope)
    check_books_facts(scope)


__all__ = ["Notice", "Scope", "run_checks"]
