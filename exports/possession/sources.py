"""Where a deficit can be cured from, in the order of 15c3-3(d), and what must be bought in whatever the deficit is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from exports.possession.types import Line, Place


class SourceKind(StrEnum):
    """A location that is no possession or control and could give securities back, quickest first."""

    BANK_LOAN = "bank_loan"
    STOCK_LOAN = "stock_loan"
    FAIL_TO_RECEIVE = "fail_to_receive"
    DIVIDEND_RECEIVABLE = "dividend_receivable"
    SHORT_POSITION = "short_position"
    """A short position of the firm or of another person, but none of paragraph (m)."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the rule says of one kind of source."""

    citation: str
    older_than_days: int | None
    """Calendar days that it must be older than; None when it counts at once."""
    possession_business_days: int | None
    """Business days from the instruction within which possession must be obtained; None for prompt steps."""


TERMS: Final = {
    SourceKind.BANK_LOAN: Terms("15c3-3(d)(1)", None, 2),
    SourceKind.STOCK_LOAN: Terms("15c3-3(d)(1)", None, 5),
    SourceKind.FAIL_TO_RECEIVE: Terms("15c3-3(d)(2)", 30, None),
    SourceKind.DIVIDEND_RECEIVABLE: Terms("15c3-3(d)(3)", 45, None),
    SourceKind.SHORT_POSITION: Terms("15c3-3(d)(4)", 30, None),
}
"""The kinds in their order. Instructions or steps are due by the business day after the determination for all."""

COUNT_DIFFERENCE_DAYS: Final = 45
"""Calendar days within which a short count difference is bought in, (h)."""
CUSTOMER_SALE_BUSINESS_DAYS: Final = 10
"""Business days after settlement after which a sale without delivery is closed out, (m)."""

_KINDS: Final = {
    Place.BANK_LOAN: SourceKind.BANK_LOAN,
    Place.STOCK_LOAN: SourceKind.STOCK_LOAN,
    Place.FAIL_TO_RECEIVE: SourceKind.FAIL_TO_RECEIVE,
    Place.DIVIDEND_RECEIVABLE: SourceKind.DIVIDEND_RECEIVABLE,
    Place.ACCOUNT: SourceKind.SHORT_POSITION,
}


@dataclass(frozen=True, slots=True)
class Source:
    """One line from which a deficit could be cured."""

    line_id: str
    kind: SourceKind
    base_units: int
    counts_from: date | None
    """First day on which the rule asks for steps; None when at once, or when its age is not known."""
    attributed: int
    """Base units of the deficit that it is to give back."""

    def is_due(self, as_of: date) -> bool:
        """Whether the rule asks for steps on that day."""
        return self.counts_from is None or as_of >= self.counts_from


def source_kind(line: Line) -> SourceKind | None:
    """Which kind of source a line is; None for what is none."""
    return None if line.is_customer_sale else _KINDS.get(line.place)


def sources(lines: Iterable[Line], deficit: int, as_of: date) -> tuple[Source, ...]:
    """Every line an issue could be got back from: those that are due in the rule's order, then those that are not yet.

    The deficit is attributed to them in that order, but only to those that are due. A line whose age is not known
    counts as old: a duty too many rather than one too few.
    """
    order = list(SourceKind)
    found = [(line, kind, _counts_from(line, kind)) for line in lines if (kind := source_kind(line)) is not None]
    found.sort(
        key=lambda each: (
            each[2] is not None and as_of < each[2],
            order.index(each[1]),
            each[0].since or date.min,
            each[0].line_id,
        )
    )
    left, listed = deficit, []
    for line, kind, counts_from in found:
        is_due = counts_from is None or as_of >= counts_from
        units = min(left, line.base_units) if is_due else 0
        left -= units
        listed.append(Source(line.line_id, kind, line.base_units, counts_from, units))
    return tuple(listed)


def _counts_from(line: Line, kind: SourceKind) -> date | None:
    days = TERMS[kind].older_than_days
    return line.since + timedelta(days=days + 1) if days is not None and line.since is not None else None


@dataclass(frozen=True, slots=True)
class CloseOut:
    """A line that must be bought in or closed out by its age, whether or not there is a deficit."""

    line_id: str
    base_units: int
    citation: str
    text: str


def close_outs(lines: Iterable[Line], as_of: date, exempted: bool) -> tuple[CloseOut, ...]:
    """Short count differences of (h) from the 45th calendar day, and customers' sales of (m) over ten business days."""
    found = []
    for line in sorted(lines, key=lambda each: each.line_id):
        if line.place is Place.COUNT_DIFFERENCE and _reached(line, as_of, COUNT_DIFFERENCE_DAYS):
            text = f"short count difference of {COUNT_DIFFERENCE_DAYS} calendar days: bought in by now"
            found.append(CloseOut(line.line_id, line.base_units, "15c3-3(h)", text))
        age = line.business_age
        if line.is_customer_sale and not exempted and (age is None or age > CUSTOMER_SALE_BUSINESS_DAYS):
            text = f"sold and not received {CUSTOMER_SALE_BUSINESS_DAYS} business days after settlement: close out"
            found.append(CloseOut(line.line_id, line.base_units, "15c3-3(m)", text))
    return tuple(found)


def _reached(line: Line, as_of: date, days: int) -> bool:
    return line.since is None or as_of - line.since >= timedelta(days=days)
