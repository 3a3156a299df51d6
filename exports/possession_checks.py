"""The check of possession or control: reviews computed again, deficits with their cases; and lines for people."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta

from chains.types import Asset
from exports.contents import Contents
from exports.possession.document import read_review
from exports.possession.review import IssueReview, Review
from exports.possession.types import case_place
from exports.possession_records import PossessionReviewRecord
from exports.reserve.errors import ReserveError
from exports.verdict import Outcome

SATURDAY = 5


def check_possession(contents: Contents) -> Outcome | None:
    """Each review is what the rule makes of its inputs; none is left out; every deficit has its open case.

    None when the bundle says nothing of possession or control. Which days are business days is the firm's calendar,
    and where a review is of very many rows the owners are the firm's sums: neither is here.
    """
    records = contents.possession_reviews
    if not records:
        return None
    problems = list(_sequence_problems(records))
    for record in records:
        problems += [f"{record.review_id}: {problem}" for problem in _problems(record)]
        if not record.known_at <= record.recorded_at <= contents.manifest.created_at:
            problems.append(f"{record.review_id}: its times are not in order, or after the bundle was made")
    if newest := _newest(records):
        problems += _deficit_problems(contents, newest)
    return Outcome(len(records), problems, note=f"{len(records)} computed again from their inputs")


def _problems(record: PossessionReviewRecord) -> Iterator[str]:
    document = record.document.encode()
    if hashlib.sha256(document).hexdigest() != record.digest:
        yield "the digest is not that of the document"
    try:
        review = read_review(document)
    except ReserveError as error:
        yield f"{error.code}: {error}"
        return
    if review.inputs.as_of != record.as_of:
        yield "the day is not that of the document"
    if abs(record.recorded_at.date() - record.determined_on) > timedelta(days=1):
        yield "not determined on the day it was recorded"
    if record.as_of.weekday() >= SATURDAY or record.act_by.weekday() >= SATURDAY:
        yield "a Saturday or Sunday is no business day"


def _sequence_problems(records: Sequence[PossessionReviewRecord]) -> Iterator[str]:
    """Numbers without a gap, and corrections of what stood before them: one of a day stands."""
    by_id = {record.review_id: record for record in records}
    for missing in sorted({f"PR-{number:06d}" for number in range(1, len(records) + 1)} - set(by_id)):
        yield f"{missing}: left out, or given twice under another number"
    ordered = sorted(records, key=lambda record: record.review_id)
    for earlier, later in itertools.pairwise(ordered):
        if later.recorded_at <= earlier.recorded_at:
            yield f"{later.review_id}: not recorded after {earlier.review_id}"
    for record in ordered:
        before = by_id.get(record.replaces)
        if record.replaces and (before is None or before.review_id >= record.review_id or before.as_of != record.as_of):
            yield f"{record.review_id}: replaces {record.replaces}, which is no earlier one of its day"
    for replaced, count in Counter(record.replaces for record in ordered if record.replaces).items():
        if count > 1:
            yield f"{replaced}: replaced {count} times"
    for day, count in Counter(record.as_of for record in _standing(records)).items():
        if count > 1:
            yield f"{count} reviews as of {day.isoformat()} stand beside each other"


def _standing(records: Sequence[PossessionReviewRecord]) -> list[PossessionReviewRecord]:
    replaced = {record.replaces for record in records}
    return [record for record in records if record.review_id not in replaced]


def _newest(records: Sequence[PossessionReviewRecord]) -> PossessionReviewRecord | None:
    return max(_standing(records), key=lambda record: (record.as_of, record.review_id), default=None)


def _deficit_problems(contents: Contents, newest: PossessionReviewRecord) -> Iterator[str]:
    """Deficits of the last review without an open case."""
    is_open = {str(case.location) for case in contents.cases if case.is_open and case.kind == "control_deficit"}
    for issue in _deficits(newest):
        if str(case_place(issue.issue.security_id)) not in is_open:
            yield f"{issue.issue.security_id} is short, and there is no open case of kind control_deficit"


def _deficits(record: PossessionReviewRecord) -> tuple[IssueReview, ...]:
    found = _read(record)
    return found.deficits if found is not None else ()


def _read(record: PossessionReviewRecord) -> Review | None:
    try:
        return read_review(record.document.encode())
    except ReserveError:
        return None


def possession_lines(contents: Contents) -> Iterator[str]:
    """What the last review says, a line for each issue that is short; nothing for what cannot be read."""
    newest = _newest(contents.possession_reviews)
    review = _read(newest) if newest is not None else None
    if newest is None or review is None:
        return
    of = f"{newest.review_id} as of {newest.as_of.isoformat()}"
    yield (
        f"possession or control: {len(review.deficits)} of {len(review.issues)} issues short, "
        f"{len(review.unverified)} unverified, by {of}"
    )
    for each in review.deficits:
        asset = Asset(each.issue.security_id, "", each.issue.decimals)
        yield (
            f"{each.issue.security_id}: {asset.format_quantity(each.need.required)} required, "
            f"{asset.format_quantity(each.control)} in possession or control"
        )
