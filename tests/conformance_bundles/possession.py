"""Check 27: reviews of possession or control."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from exports.bundle import Bundle
from exports.records import CaseStatus
from tests.conformance_bundles.recipe import bad, good
from tests.exports.test_possession_checks import bundle, deficit_case, record


@good("a review of possession or control, corrected by a later one, and the open case of its deficit")
def possession_reviewed() -> Bundle:
    return bundle(record(1, in_dtc=70), record(2, replaces=1))


@good("a review whose owners and lines are given as sums with digests")
def possession_of_very_many() -> Bundle:
    return bundle(record(small=True))


@bad(27, "a bank loan is called clearing margin, in one piece with its digest")
def possession_place_changed() -> Bundle:
    made = record()
    document = made.document.replace('"bank_loan"', '"clearing_margin"')
    assert document != made.document
    return bundle(replace(made, document=document, digest=hashlib.sha256(document.encode()).hexdigest()))


@bad(27, "more is said to be in possession or control than the lines give")
def possession_figure_changed() -> Bundle:
    made = record()
    document = made.document.replace('"control":"60"', '"control":"100"')
    assert document != made.document
    return bundle(replace(made, document=document, digest=hashlib.sha256(document.encode()).hexdigest()))


@bad(27, "a review's document does not have its digest")
def possession_digest_wrong() -> Bundle:
    return bundle(replace(record(), digest="ab" * 32))


@bad(27, "a review is left out: its number is missing")
def possession_review_left_out() -> Bundle:
    return bundle(record(2))


@bad(27, "an issue is short of possession or control, and its case is closed")
def possession_deficit_without_a_case() -> Bundle:
    return bundle(record(), case=deficit_case(CaseStatus.CLOSED))
