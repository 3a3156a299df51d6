"""Check 28: the comparison with custodians' statements."""

from __future__ import annotations

from dataclasses import replace

from exports.bundle import Bundle
from exports.records import CaseStatus
from exports.securities.document import digest
from tests.conformance_bundles.recipe import bad, good
from tests.exports.test_securities_checks import MISSING, SHORT, bundle, comparison, record, rewritten


@good("positions at custodians, one statement that is missing and a line of the stock record without a place")
def custodians_compared() -> Bundle:
    return bundle(record())


@good("a position short at a depository against both books, with its open cases")
def custodian_states_less() -> Bundle:
    return bundle(record(comparison(1249)), cases=(*MISSING, *SHORT))


@bad(28, "a position that differs is called matched, in one piece with its digest")
def custodian_status_changed() -> Bundle:
    return bundle(rewritten('"status":"diverged"', '"status":"matched"'), cases=(*MISSING, *SHORT))


@bad(28, "the statement of a custodian is changed to what the books claim")
def custodian_figure_changed() -> Bundle:
    return bundle(rewritten('"base_units":"1249"', '"base_units":"1250"'), cases=(*MISSING, *SHORT))


@bad(28, "the comparison's document does not have its digest")
def custodian_digest_wrong() -> Bundle:
    return bundle(replace(record(), digest=digest(b"")))


@bad(28, "a position at a depository is short, and its case is closed")
def custodian_difference_without_a_case() -> Bundle:
    closed = tuple(replace(each, status=CaseStatus.CLOSED) for each in SHORT)
    return bundle(record(comparison(1249)), cases=(*MISSING, *closed))


@bad(28, "a statement is missing, and there is no case")
def custodian_missing_without_a_case() -> Bundle:
    return bundle(record(), cases=MISSING[2:])
