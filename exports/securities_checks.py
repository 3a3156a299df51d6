"""Check 28: the comparison with custodians' statements judged again, differences with their cases; lines for people."""

from __future__ import annotations

from collections.abc import Iterator

from exports.contents import Contents
from exports.records import Rail
from exports.securities.comparison import PositionLine, SecuritiesComparison
from exports.securities.document import digest, read_comparison
from exports.securities.errors import ComparisonRefused
from exports.securities_records import SecuritiesRunRecord
from exports.verdict import Outcome

UNPLACED_AT = "books:unplaced"
"""Where the case of lines stands that name no location."""


def check_securities(contents: Contents) -> Outcome | None:
    """28: the document is what its figures give; every difference and every missing statement has its open case.

    None when the bundle says nothing of securities at custodians. What the books claim and what was stated are the
    firm's word: clients' allocations at custodians and the statements themselves are not in the bundle.
    """
    if not contents.securities_runs:
        return None
    problems: list[str] = []
    compared = 0
    if len(contents.securities_runs) > 1:
        problems.append(f"{len(contents.securities_runs)} comparisons; the newest alone belongs here")
    for record in contents.securities_runs:
        problems += [f"{record.run_id}: {problem}" for problem in _problems(record, contents)]
        found = _read(record)
        if isinstance(found, SecuritiesComparison):
            compared += len(found.lines) + len(found.missing) + len(found.unplaced)
            problems += [f"{record.run_id}: {problem}" for problem in _without_case(found, contents)]
    if not compared:
        problems.append("nothing was compared")
    return Outcome(max(compared, 1), problems, note=f"{compared} positions judged again from their figures")


def _read(record: SecuritiesRunRecord) -> SecuritiesComparison | str:
    try:
        return read_comparison(record.document.encode())
    except ComparisonRefused as error:
        return str(error)


def _problems(record: SecuritiesRunRecord, contents: Contents) -> Iterator[str]:
    if digest(record.document.encode()) != record.digest:
        yield "the digest is not that of the document"
    found = _read(record)
    if isinstance(found, str):
        yield found
        return
    if (found.as_of, found.known_at) != (record.as_of, record.known_at):
        yield "day or time are not those of the document"
    if not record.known_at <= record.recorded_at <= contents.manifest.created_at:
        yield "its times are not in order, or after the bundle was made"
    for line in found.lines:
        if any(each.as_of > contents.manifest.created_at for each in line.stated):
            yield f"{line.location_id} {line.asset.asset_id}: a statement of a moment after the bundle was made"


def _without_case(found: SecuritiesComparison, contents: Contents) -> Iterator[str]:
    """What is wrong and has no open case of its kind."""
    cases = [case for case in contents.cases if case.is_open and case.rail is Rail.SECURITIES]
    covered = {(str(cover.location), str(cover.asset_id), case.kind) for case in cases for cover in case.covers}
    at = {(str(case.location), case.kind) for case in cases}
    for line in found.lines:
        yield from _line_without_case(line, covered)
    for missing in found.missing:
        if (str(missing.location_id), "unverified") not in at:
            yield f"{missing.location_id}: no statement, and no open case of kind unverified"
    if found.unplaced and (UNPLACED_AT, "unverified") not in at:
        yield "lines of the stock record name no location, and there is no open case of kind unverified"


def _line_without_case(line: PositionLine, covered: set[tuple[str, str, str]]) -> Iterator[str]:
    place = (str(line.location_id), str(line.asset.asset_id))
    for kinds in line.case_kinds():
        if not any((*place, kind) in covered for kind in kinds):
            yield f"{place[0]} {place[1]}: no open case of kind {' or '.join(kinds)}"


def securities_lines(contents: Contents) -> Iterator[str]:
    """What was compared, a line; nothing for what cannot be read."""
    for record in contents.securities_runs:
        found = _read(record)
        if isinstance(found, SecuritiesComparison):
            expected, matched, diverged, unverified = found.counts
            yield (
                f"Securities at custodians as of {record.as_of.isoformat()}: {expected} positions, {matched} matched, "
                f"{diverged} diverged, {unverified} unverified"
            )
