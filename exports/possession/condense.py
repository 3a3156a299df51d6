"""How a review of very many rows is kept: sums by issue and digests, from rows that the firm's books give again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from exports.canonical import canonical_json
from exports.possession.document import line_value
from exports.possession.review import InControl, IssueReview, Owed, Review, ReviewInputs, compute
from exports.possession.types import Holder, Line, Move

ROWS_IN_FULL_MAX: Final = 20_000
"""Most holdings and lines that a review's text holds one by one; of more it holds digests and sums by issue."""


def condensed(review: Review, rows_max: int = ROWS_IN_FULL_MAX) -> Review:
    """The review as it is kept: itself, or with sums and digests where it has more rows than are written out.

    Lines of issues with a deficit, with something not known, with a close-out or a digital asset stay in full.
    """
    inputs = review.inputs
    if isinstance(inputs.owners, Owed):
        return review
    holdings = sum(len(each.holdings) for each in inputs.owners)
    if holdings + len(inputs.lines) <= rows_max:
        return review
    needs = tuple(each.need for each in review.issues if each.need.required)
    digest = holders_digest(inputs.owners, inputs.moves)
    plain = {each.issue.security_id: each.control for each in review.issues if _is_plain(each)}
    summed = [line for line in inputs.lines if line.security_id in plain]
    small = ReviewInputs(
        inputs.as_of,
        inputs.policies,
        inputs.issues,
        Owed(len(inputs.owners), holdings, digest, needs),
        inputs.moves,
        tuple(line for line in inputs.lines if line.security_id not in plain),
        InControl(len(summed), lines_digest(summed), tuple(sorted(plain.items()))),
    )
    return compute(small)


def _is_plain(review: IssueReview) -> bool:
    is_digital = any(each.line.on_chain is not None for each in review.counted)
    return not (review.deficit or review.not_known or review.close_outs or is_digital)


def holders_digest(holders: Sequence[Holder], moves: Sequence[Move]) -> str:
    """SHA-256 (hex) over one line for each owner, holding and substitution, in their order."""
    digest = hashlib.sha256()
    for each in holders:
        digest.update(f"owner\t{each.holder_id}\t{each.debit}\n".encode())
        for of in each.holdings:
            digest.update(f"\t{of.security_id}\t{of.fully_paid}\t{of.margin}\n".encode())
    for move in moves:
        text = f"move\t{move.move_id}\t{move.holder_id}\t{move.from_id}\t{move.to_id}\t{move.base_units}\n"
        digest.update(text.encode())
    return digest.hexdigest()


def lines_digest(lines: Sequence[Line]) -> str:
    """SHA-256 (hex) over the canonical text of each line, a line feed behind each."""
    digest = hashlib.sha256()
    for each in lines:
        digest.update(canonical_json(line_value(each)) + b"\n")
    return digest.hexdigest()
