"""Custodians' statements and what became of their import, shown to programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from chains.types import utc_text
from exports.securities.document import digest, read_comparison
from exports.securities.errors import ComparisonRefused
from mapping.types import Problem
from verifier.custodians.document import Statement
from verifier.securities_show import run_json

if TYPE_CHECKING:
    from exports.securities.comparison import SecuritiesComparison
    from verifier.statement_import import StatementImport
    from verifier.store.custodian_store import StoredRun


def statement_json(statement: Statement) -> dict[str, object]:
    """One whole statement, without its holdings."""
    return {
        "statement_id": statement.statement_id,
        "stated_by": statement.stated_by,
        "format": statement.format.value,
        "as_of": utc_text(statement.as_of),
        "locations": list(statement.locations),
        "holdings": len(statement.holdings),
        "sha256": statement.digest,
        "messages": [
            {"name": name, "sha256": digest_, "reference": reference} for name, digest_, reference in statement.messages
        ],
    }


def import_json(found: StatementImport, *, dry_run: bool) -> dict[str, object]:
    """What an import of statements gave."""
    return {
        "stored": bool(found.statements) and not dry_run,
        "dry_run": dry_run,
        "statements": [statement_json(each) for each in found.statements],
        "known": list(found.known),
        "problems": [_problem_json(each) for each in found.problems],
    }


def read_run(run: StoredRun) -> tuple[SecuritiesComparison | None, str]:
    """A comparison on record judged again from its figures, and what is wrong with the record; empty when nothing is.

    The comparison is None when the record cannot be read at all.
    """
    try:
        found = read_comparison(run.document)
    except ComparisonRefused as error:
        return None, str(error)
    return found, "" if digest(run.document) == run.digest else "the digest on record is not that of the document"


def full_run_json(run: StoredRun, problem: str) -> dict[str, object]:
    """One comparison with every position."""
    return run_json(run) | {"problem": problem or None, "comparison": json.loads(run.document)}


def _problem_json(problem: Problem) -> dict[str, object]:
    return {
        "file": problem.file,
        "line": problem.line,
        "field": problem.column,
        "value": problem.value,
        "reason": problem.reason,
    }
