"""Check 23: every reserve computation computed again from its own inputs; and what stands, in lines for people."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta

from exports.contents import Contents
from exports.reserve.computation import Occasion, ReserveComputation, read_computation
from exports.reserve.errors import ReserveError
from exports.reserve.funding import requirement_in_force
from exports.reserve.items import ReserveClass
from exports.reserve.money import dollars
from exports.reserve_records import ReserveComputationRecord
from exports.verdict import Outcome

SATURDAY = 5


def check_reserve(contents: Contents) -> Outcome | None:
    """23: each document is what the formula makes of its inputs; none is left out; corrections are said to be.

    None when the bundle has no computation. Whether a day was a banking day is the firm's calendar, which is not here.
    """
    computations = contents.reserve_computations
    if not computations:
        return None
    problems = list(_sequence_problems(computations))
    for record in computations:
        where = record.computation_id
        problems += [f"{where}: {problem}" for problem in _problems(record)]
        if not record.known_at <= record.recorded_at <= contents.manifest.created_at:
            problems.append(f"{where}: its times are not in order, or after the bundle was made")
    return Outcome(len(computations), problems, note=f"{len(computations)} computed again from their inputs")


def _problems(record: ReserveComputationRecord) -> Iterator[str]:
    document = record.document.encode()
    if hashlib.sha256(document).hexdigest() != record.digest:
        yield "the digest is not that of the document"
    try:
        inputs = read_computation(document).inputs
    except ReserveError as error:
        yield f"{error.code}: {error}"
        return
    if (inputs.as_of, inputs.scope, inputs.occasion) != (record.as_of, record.scope, record.occasion):
        yield "day, scope or occasion are not those of the document"
    if record.recorded_at.date() <= record.as_of:
        yield "recorded before its day had closed"
    if any(day.weekday() >= SATURDAY for day in (record.as_of, record.compute_on, record.deposit_on)):
        yield "a Saturday or Sunday is no banking day"
    if abs(record.deposit_by.date() - record.deposit_on) > timedelta(days=1):
        yield "the deadline is not on the day of the deposit"


def _sequence_problems(computations: Sequence[ReserveComputationRecord]) -> Iterator[str]:
    """Numbers without a gap, and corrections of what stood before them: one of a day and purpose stands."""
    by_id = {record.computation_id: record for record in computations}
    wanted = {f"RC-{number:06d}" for number in range(1, len(computations) + 1)}
    for missing in sorted(wanted - set(by_id)):
        yield f"{missing}: left out, or given twice under another number"
    ordered = sorted(computations, key=lambda record: record.computation_id)
    for earlier, later in itertools.pairwise(ordered):
        if later.recorded_at <= earlier.recorded_at:
            yield f"{later.computation_id}: not recorded after {earlier.computation_id}"
    for record in ordered:
        if not record.replaces:
            continue
        before = by_id.get(record.replaces)
        if before is None or before.computation_id >= record.computation_id or _duty(before) != _duty(record):
            yield f"{record.computation_id}: replaces {record.replaces}, which is no earlier one of its day and purpose"
    for replaced, count in Counter(record.replaces for record in ordered if record.replaces).items():
        if count > 1:
            yield f"{replaced}: replaced {count} times"
    for duty, count in Counter(_duty(record) for record in _standing(computations)).items():
        if count > 1:
            yield f"{count} computations as of {duty[0]} for {duty[1]} stand beside each other"


def _duty(record: ReserveComputationRecord) -> tuple[str, str, bool]:
    return record.as_of.isoformat(), record.scope.value, record.occasion is Occasion.TEST


def _standing(computations: Sequence[ReserveComputationRecord]) -> list[ReserveComputationRecord]:
    replaced = {record.replaces for record in computations}
    return [record for record in computations if record.computation_id not in replaced]


def reserve_lines(contents: Contents) -> Iterator[str]:
    """What the computations in force require when the bundle was made, a line each; nothing for what cannot be read."""
    made: list[ReserveComputation] = []
    for record in _standing(contents.reserve_computations):
        try:
            made.append(read_computation(record.document.encode()))
        except ReserveError:
            return
    ids = {record.digest: record.computation_id for record in contents.reserve_computations}
    for purpose in ReserveClass:
        try:
            found = requirement_in_force(made, purpose, contents.manifest.created_at.date())
        except ReserveError as error:
            yield f"{purpose} reserve: {error}"
            continue
        if found is not None:
            by = f"{ids.get(found.computation_digest, '')} as of {found.as_of.isoformat()}"
            yield f"{purpose} reserve: {dollars(found.cents)} US dollars must be on deposit by {by}"
