"""Check 23: reserve computations and accounts computed again, deficits with their cases; and lines for people."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta

from exports.contents import Contents
from exports.reserve.accounts import Held
from exports.reserve.computation import Occasion, ReserveComputation, read_computation
from exports.reserve.errors import ReserveError
from exports.reserve.funding import requirement_in_force
from exports.reserve.items import ReserveClass
from exports.reserve.money import dollars
from exports.reserve.position import ReservePosition, read_position
from exports.reserve_records import ReserveComputationRecord
from exports.verdict import Outcome

SATURDAY = 5


def check_reserve(contents: Contents) -> Outcome | None:
    """23: each document is what the rule makes of its inputs; none is left out; every deficit has its open case.

    None when the bundle says nothing of the reserve. Whether a day was a banking day is the firm's calendar, which is
    not here.
    """
    computations = contents.reserve_computations
    if not computations and not contents.reserve_positions:
        return None
    problems = list(_sequence_problems(computations))
    for record in computations:
        where = record.computation_id
        problems += [f"{where}: {problem}" for problem in _problems(record)]
        if not record.known_at <= record.recorded_at <= contents.manifest.created_at:
            problems.append(f"{where}: its times are not in order, or after the bundle was made")
    position = _position(contents, problems)
    made = _made(contents)
    if position is not None and made is not None:
        problems += _deficit_problems(contents, position, made)
    compared = len(computations) + len(contents.reserve_positions)
    return Outcome(compared, problems, note=f"{compared} computed again from their inputs")


def _position(contents: Contents, problems: list[str]) -> ReservePosition | None:
    """The one position, when it is what its statements give; what is wrong is added to the problems."""
    if len(contents.reserve_positions) != 1:
        problems.append(f"{len(contents.reserve_positions)} positions of the reserve accounts; one is needed")
        return None
    (record,) = contents.reserve_positions
    document = record.document.encode()
    if hashlib.sha256(document).hexdigest() != record.digest:
        problems.append("position: the digest is not that of the document")
    try:
        found = read_position(document)
    except ReserveError as error:
        problems.append(f"position: {error.code}: {error}")
        return None
    if found.on != record.on:
        problems.append("position: the day is not that of the document")
    if abs(record.on - contents.manifest.created_at.date()) > timedelta(days=1):
        problems.append("position: not of the day the bundle was made")
    return found


def _deficit_problems(
    contents: Contents, position: ReservePosition, made: Sequence[ReserveComputation]
) -> Iterator[str]:
    """Deficits that are known, by the computations in force, without an open case."""
    is_open = {(str(case.location), case.kind) for case in contents.cases if case.is_open}
    for purpose in ReserveClass:
        try:
            found = requirement_in_force(made, purpose, position.on)
        except ReserveError as error:
            yield str(error)
            continue
        most = held_for(position, purpose).most
        is_short = found is not None and most is not None and most < found.cents
        if is_short and (f"bank:reserve-{purpose}", "reserve_deficit") not in is_open:
            yield f"the {purpose} reserve is short, and there is no open case of kind reserve_deficit"


def held_for(position: ReservePosition, purpose: ReserveClass) -> Held:
    """What counts for one purpose."""
    both = position.holdings()
    return both.customer if purpose is ReserveClass.CUSTOMER else both.pab


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
    made, position = _made(contents), _position(contents, [])
    if made is None:
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
        if position is not None:
            held = held_for(position, purpose)
            note = ", not all of it known" if held.unverified else ""
            yield f"{purpose} reserve: {dollars(held.cents)} count by the banks' statements the firm holds{note}"


def _made(contents: Contents) -> list[ReserveComputation] | None:
    """The computations that stand; None when one of them cannot be read."""
    try:
        return [read_computation(each.document.encode()) for each in _standing(contents.reserve_computations)]
    except ReserveError:
        return None
