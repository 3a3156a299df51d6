"""Items 2 to 9, 11 and 12 of both computations, from what of each line of the stock record was allocated to whom.

What is allocated to customers' longs makes credits of the customer computation, to PAB longs of the PAB computation
(PAB Note 1); a long without an owner is read as a customer's. Non-customers and the firm are in neither. Items 7 and 8
speak of all differences and suspense accounts: they are in the customer computation whoever is long. A credit is
rounded up, a debit down, once for each line and class.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from exports.reserve.frequency import Method
from exports.reserve.items import ReserveClass
from mapping.books_types import Lien, LienKind, StockLine
from verifier.reserve.aging import (
    SuspenseEntry,
    item_3_loan,
    item_4_fail,
    item_6_receivable,
    item_7_count_difference,
    item_8_suspense,
    item_9_transfer,
    item_12_fail,
)
from verifier.reserve.allocation_order import SHORT_OF, Owner, Place
from verifier.reserve.allocation_rows import DerivedRow, Excluded
from verifier.reserve.allocation_stock import Entry, Meeting, Position
from verifier.reserve.calendar import BankCalendar

CLASS_OF: Final = {
    Owner.CUSTOMER: ReserveClass.CUSTOMER,
    Owner.UNKNOWN: ReserveClass.CUSTOMER,
    Owner.PAB: ReserveClass.PAB,
}
"""In whose computation a long stands; the others are in none."""
_COVERED: Final = {Place.SHORT_CUSTOMER: Owner.CUSTOMER, Place.SHORT_PAB: Owner.PAB}
"""Short positions for which a borrow or a fail to deliver is a debit."""
_SHORTS: Final = frozenset(SHORT_OF.values())
_DEBITS: Final = {Owner.STOCK_BORROW: 11, Owner.FAIL_TO_DELIVER: 12}


@dataclass(slots=True)
class StockItems:
    """The rows of the stock record's items, added to security by security."""

    as_of: date
    method: Method
    calendar: BankCalendar
    rows: list[DerivedRow] = field(default_factory=list)
    excluded: list[Excluded] = field(default_factory=list)
    pledged: dict[str, dict[Owner, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    """Market value of what is pledged under each lien, by owner, in cents."""
    at_agency: dict[tuple[ReserveClass, str], int] = field(default_factory=lambda: defaultdict(int))
    """Market value of securities on deposit at each clearing agency, in cents."""

    def add(self, position: Position, meetings: Iterable[Meeting]) -> None:
        """Measure one security."""
        credits_: dict[tuple[ReserveClass, Entry], int] = defaultdict(int)
        debits: dict[tuple[ReserveClass, Entry], int] = defaultdict(int)
        pledged: dict[tuple[Entry, Owner], int] = defaultdict(int)
        missing = 0
        for each in meetings:
            owner, place = each.long.owner, each.short.place
            if place is Place.CONTROL and owner not in _DEBITS:
                continue
            assert owner is not None
            assert place is not None
            if place is Place.MISSING:
                missing += each.base_units
            elif owner in _DEBITS:
                whose = _for_whom(each)
                if whose is not None and position.is_security:
                    debits[whose, each.long] += each.base_units
            elif owner in CLASS_OF and SHORT_OF.get(owner) is not place:
                credits_[CLASS_OF[owner], each.short] += each.base_units
            if place is Place.BANK_LOAN:
                pledged[each.short, owner] += each.base_units
        for (entry, owner), units in pledged.items():
            assert entry.line is not None
            self.pledged[entry.line.reference][owner] += position.value_up(units)
        for (whose, entry), units in credits_.items():
            self._credit(position, whose, entry, units)
        for (whose, entry), units in debits.items():
            self._debit(whose, entry, units)
        for entry in position.lines:
            if entry.line is not None and entry.place in (Place.COUNT_DIFFERENCE, Place.SUSPENSE):
                self._difference(position, entry, entry.line)
        if missing:
            text = f"stock_record {position.security_id}: more longs than shorts, with no date; item 7"
            row_id = f"unbalanced:{position.security_id}"
            self._row(ReserveClass.CUSTOMER, 7, "unbalanced", row_id, position.value_up(missing), text)

    def _credit(self, position: Position, whose: ReserveClass, entry: Entry, units: int) -> None:
        line, place = entry.line, entry.place
        if line is None or place in (Place.BANK_LOAN, Place.COUNT_DIFFERENCE, Place.SUSPENSE):
            return
        market = position.value_up(units)
        if place is Place.CLEARING_MARGIN:
            self.at_agency[whose, line.reference] += market
        elif place in _SHORTS:
            self._line(whose, 5, line, units, market, "delivered for the short position; item 5")
        elif place is Place.STOCK_LOAN:
            collateral = line.contract_value if line.collateral is None else line.collateral
            cents = item_3_loan(_up(line.contract_value, units, line), market, _down(collateral, units, line))
            self._line(whose, 3, line, units, cents, "item 3, Note C")
        elif place is Place.FAIL_TO_RECEIVE:
            contract = _up(line.contract_value, units, line)
            cents = item_4_fail(contract, market, _since(line, self.as_of), self.as_of)
            self._line(whose, 4, line, units, cents, "item 4, Note D")
        elif place is Place.DIVIDEND_RECEIVABLE:
            self._line(whose, 6, line, units, item_6_receivable(market, _since(line, self.as_of), self.as_of), "item 6")
        elif place is Place.TRANSFER:
            cents = item_9_transfer(market, _since(line, self.as_of), self.as_of, line.confirmed_on)
            self._line(whose, 9, line, units, cents, "item 9")

    def _debit(self, whose: ReserveClass, entry: Entry, units: int) -> None:
        line = entry.line
        assert line is not None
        contract = _down(line.contract_value, units, line)
        if entry.owner is Owner.STOCK_BORROW:
            self._line(whose, 11, line, units, contract, "item 11")
            return
        cents = item_12_fail(contract, _since(line, self.as_of), self.as_of)
        self._line(whose, 12, line, units, cents, "item 12")
        if contract > cents:
            self.excluded.append(Excluded(whose, 12, line.line_id, "older than 30 calendar days", contract - cents))

    def _difference(self, position: Position, entry: Entry, line: StockLine) -> None:
        market, since = position.value_up(line.base_units), _since(line, self.as_of)
        if entry.place is Place.COUNT_DIFFERENCE:
            cents = item_7_count_difference(market, since, self.as_of, self.method, self.calendar)
            self._line(ReserveClass.CUSTOMER, 7, line, line.base_units, cents, "item 7")
        elif entry.place is Place.SUSPENSE:
            suspense = (SuspenseEntry(line.line_id, market, since),)
            cents = item_8_suspense(suspense, self.as_of, self.method, self.calendar)[line.line_id]
            self._line(ReserveClass.CUSTOMER, 8, line, line.base_units, cents, "item 8")

    def pledges(self, liens: Iterable[Lien], share: str) -> None:
        """Item 2: of each lien what is borrowed on customers' and on PAB securities, by policy `lien_share`."""
        for lien in liens:
            owners = self.pledged.get(lien.lien_id, {})
            for whose, cents in _borrowed_on(lien, owners, share).items():
                text = f"liens {lien.as_of} {lien.lien_id} of {lien.lender}; item 2"
                self._row(whose, 2, "liens", f"lien:{lien.lien_id}/{whose}", cents, text)

    def _line(self, whose: ReserveClass, item: int, line: StockLine, units: int, cents: int, why: str) -> None:
        text = f"stock_record {line.as_of} {line.line_id} {line.place}: {units} of {line.base_units} base units; {why}"
        self._row(whose, item, str(line.place), f"stock:{line.line_id}/{whose}", cents, text)

    def _row(self, whose: ReserveClass, item: int, group: str, row_id: str, cents: int, text: str) -> None:
        if cents:
            self.rows.append(DerivedRow(whose, item, group, row_id, cents, text))


def _for_whom(meeting: Meeting) -> ReserveClass | None:
    """In whose computation a borrow or a fail to deliver is a debit; None when in none.

    One that stands at a customer's short position, unless it is known to be another's; and a customer's own fail whose
    securities are in hand. A customer's fail that is pledged, lent, or itself waits for a fail to receive, is none.
    """
    long, place = meeting.long, meeting.short.place
    assert place is not None
    covered = _COVERED.get(place)
    if covered is not None and long.whose in (None, covered):
        return CLASS_OF[covered]
    if long.owner is Owner.FAIL_TO_DELIVER and place is Place.CONTROL and long.whose is not None:
        return CLASS_OF.get(long.whose)
    return None


def _borrowed_on(lien: Lien, owners: Mapping[Owner, int], share: str) -> dict[ReserveClass, int]:
    """Cents of a loan by whose securities secure it; a customers' lien on nothing is customers' in full.

    `in_proportion` to market values; `up_to_market_value`, the larger, takes what the securities of a class could
    secure, customers before PAB, and never less than in proportion.
    """
    if not owners:
        return {ReserveClass.CUSTOMER: lien.amount} if lien.kind is LienKind.CUSTOMERS else {}
    total = sum(owners.values())
    found: dict[ReserveClass, int] = {}
    left = lien.amount
    for whose in ReserveClass:
        value = sum(cents for owner, cents in owners.items() if CLASS_OF.get(owner) is whose)
        has_any = any(CLASS_OF.get(owner) is whose for owner in owners)
        cents = -(-lien.amount * value // total) if total else lien.amount * has_any
        if share == "up_to_market_value":
            cents = max(cents, min(lien.amount, value))
        found[whose] = min(left, cents)
        left -= found[whose]
    return found


def _up(cents: int | None, units: int, line: StockLine) -> int:
    return -(-(cents or 0) * units // line.base_units)


def _down(cents: int | None, units: int, line: StockLine) -> int:
    return (cents or 0) * units // line.base_units


def _since(line: StockLine, as_of: date) -> date:
    """From when its age counts; a line posted on a later day than that of the books is new, and has no age yet."""
    assert line.since is not None  # lines with an age have it: AGED
    return min(line.since, as_of)
