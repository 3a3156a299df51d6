"""The canonical text of a review: the same bytes again, every change refused, and what is kept of very many rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from exports.canonical import canonical_json
from exports.possession.condense import condensed, holders_digest, lines_digest
from exports.possession.document import document, inputs_digest, read_review
from exports.possession.errors import ReviewRefused
from exports.possession.review import Owed, Review, compute
from exports.possession.types import Move
from exports.reserve.errors import ReserveError
from mapping.books_types import AccountType, ControlParagraph, HolderClass, StockPlace
from mapping.types import LegalClass
from tests.verifier.possession.make import TOKEN, WALLET, A, B, C, Record, account, books, evidence, review
from verifier.possession.inputs import ChainFacts, WalletFacts


def story() -> Review:
    """Three issues, one short, one digital; a substitution."""
    record = Record()
    record.prices = {TOKEN: Decimal("1.25"), B: Decimal("1E+1")}
    record.owns("C", 100, A)
    record.owns("M", 100, B)
    record.owns("M", 100, C)
    record.owns("P", 7, TOKEN)
    record.in_dtc(60, A)
    record.in_dtc(100, B)
    record.in_dtc(100, C)
    record.line(StockPlace.BANK_LOAN, 40, A, days=3)
    record.line(StockPlace.TRANSFER, 2, A, days=50)
    record.line(StockPlace.ACCOUNT, 5, A, days=20, account_id="C")
    record.line(StockPlace.BOX, 7, TOKEN, location=WALLET)
    made = books(
        record,
        [account("C"), account("M", AccountType.MARGIN, debit=500_00), account("P", holder=HolderClass.PAB)],
        locations=[evidence(), evidence(WALLET, ControlParagraph.B1)],
        classes={TOKEN: LegalClass.SECURITY},
    )
    facts = ChainFacts({WALLET: WalletFacts(True, False, None)}, {(WALLET, TOKEN): 7})
    return review(made, facts=facts, moves=[Move("CS-000001", "", B, C, 10)])


def test_the_text_gives_the_same_review_and_the_same_bytes() -> None:
    made = story()
    text = document(made)
    assert read_review(text) == made
    assert document(read_review(text)) == text
    assert len(inputs_digest(text)) == 64
    short = made.of(A)
    assert short is not None
    assert (short.deficit, short.control, [each.attributed for each in short.sources]) == (40, 60, [40])
    moved = [each.need.excess_margin for each in made.issues if each.issue.security_id in (B, C)]
    assert moved == [90, 40]  # by id 100 of B and 30 of C are locked; ten were moved


def change(path: list[Any], value: Any) -> Callable[[Any], None]:
    def apply(of: Any) -> None:
        for step in path[:-1]:
            of = of[step]
        of[path[-1]] = value

    return apply


@pytest.mark.parametrize(
    "spoil",
    [
        change(["issues", 0, "deficit"], "39"),
        change(["issues", 0, "control"], "100"),
        change(["issues", 0, "sources"], []),
        change(["rule_set"], "15c3-3 of 2024-03-18"),
        change(["inputs_digest"], "0" * 64),
        change(["inputs", "as_of"], "2026-10-05"),
        change(["inputs", "as_of"], "yesterday"),
        change(["inputs", "lines", 0, "base_units"], "61"),
        change(["inputs", "lines", 0, "base_units"], "0"),
        change(["inputs", "lines", 0, "evidence"], None),
        change(["inputs", "lines", 0, "place"], "moon"),
        change(["inputs", "lines", 0, "security_id"], "cusip:unknown"),
        change(["inputs", "owners", 0, "holdings", 0, "fully_paid"], "60"),
        change(["inputs", "owners", 0, "debit"], "-1"),
        change(["inputs", "owners", 0, "debit"], 0),
        change(["inputs", "owners"], {}),
        change(["inputs", "moves"], []),
        change(["inputs", "issues", 0, "price"], "NaN"),
        change(["inputs", "issues", 0, "price"], "1E+999999999"),
        change(["inputs", "issues", 0, "decimals"], 10**9),
        change(["inputs", "issues", 0, "decimals"], True),
        change(["inputs", "issues", 0, "kind"], "not_security"),
        change(["inputs", "policies", 0, "value"], "margin"),
        change(["inputs"], []),
        change(["more"], 1),
    ],
)
def test_a_changed_text_is_refused(spoil: Callable[[Any], None]) -> None:
    value = json.loads(document(story()))
    spoil(value)
    with pytest.raises(ReserveError):
        read_review(canonical_json(value))


def test_what_is_no_text_at_all_is_refused() -> None:
    for text in (b"", b"[]", b"{}", b"\xff", b'{"inputs":{}}'):
        with pytest.raises(ReviewRefused):
            read_review(text)


def test_of_many_rows_sums_and_digests_are_kept_and_the_result_is_the_same() -> None:
    full = story()
    small = condensed(full, rows_max=5)
    assert condensed(full, rows_max=11) is full
    assert [(each.need, each.control, each.deficit, each.sources) for each in small.issues] == [
        (each.need, each.control, each.deficit, each.sources) for each in full.issues
    ]
    owners, rest = small.inputs.owners, small.inputs.rest
    assert isinstance(owners, Owed)
    assert rest is not None
    assert isinstance(full.inputs.owners, tuple)
    assert (owners.holders, owners.holdings, owners.digest) == (
        3,
        4,
        holders_digest(full.inputs.owners, full.inputs.moves),
    )
    plain = [line for line in full.inputs.lines if line.security_id in (B, C)]
    assert (rest.lines, rest.digest, dict(rest.units)) == (2, lines_digest(plain), {B: 100, C: 100})
    text = document(small)
    assert document(read_review(text)) == text
    assert len(text) < len(document(full))


def test_a_digest_moves_with_every_owner_line_and_substitution() -> None:
    inputs = story().inputs
    assert isinstance(inputs.owners, tuple)
    owners = list(inputs.owners)
    seen = {holders_digest(owners, inputs.moves), holders_digest(owners[1:], inputs.moves), holders_digest(owners, [])}
    seen.add(holders_digest([replace(owners[0], debit=1), *owners[1:]], inputs.moves))
    assert len(seen) == 4
    lines = list(inputs.lines)
    assert lines_digest(lines) != lines_digest(lines[1:])
    assert lines_digest(lines) != lines_digest([replace(lines[0], location_id="dtc:9999"), *lines[1:]])


def test_sums_cannot_hide_a_line_or_stand_for_an_unknown_issue() -> None:
    inputs = condensed(story(), rows_max=5).inputs
    assert inputs.rest is not None
    with pytest.raises(ReviewRefused):
        replace(inputs, rest=replace(inputs.rest, units=((A, 1),)))
    with pytest.raises(ReviewRefused):
        replace(inputs.rest, units=((B, -1),))
    with pytest.raises(ReviewRefused):
        compute(inputs).inputs.locks()
