"""What the books claim at outside parties, put beside what is stated there. Pure.

Which statement counts: of one custodian and location the one nearest to the end of the day; of the same moment the one
recorded last, because a custodian corrects a statement by sending another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from chains.types import Asset, AssetId, LocationId, utc_text
from exports.securities.comparison import MissingStatement, PositionLine, SecuritiesComparison, Stated, Unplaced
from mapping.books_types import StockLine, StockPlace, StockSide
from mapping.context import OFF_CHAIN_PREFIXES

OUTSIDE: Final = frozenset(
    {
        StockPlace.DEPOSITORY,
        StockPlace.BANK_CUSTODY,
        StockPlace.FOREIGN_DEPOSITORY,
        StockPlace.OMNIBUS_AT_BROKER,
        StockPlace.OTHER_DESIGNATED,
    }
)
"""Places of the stock record for which an outside party answers: a line without a location can be stated by nobody."""

HELD: Final = OUTSIDE | {StockPlace.BOX, StockPlace.BANK_LOAN, StockPlace.CLEARING_MARGIN}
"""Places whose securities lie at the location that the line names; a lent or failed one lies elsewhere."""

UNDER_LIEN: Final = frozenset({StockPlace.BANK_LOAN, StockPlace.CLEARING_MARGIN})
"""Places of the stock record that somebody else has a claim on, at the location that the line names."""

NOT_FREE: Final = frozenset({"PLED", "COLO", "LOAN", "MARG"})
"""Codes of sub-balances in MT535 and semt.002: pledged, collateral given, on loan, margin."""

Place = tuple[LocationId, AssetId]


@dataclass(frozen=True, slots=True)
class PlaceStatement:
    """What one statement says of one location."""

    location_id: LocationId
    stated_by: str
    statement_id: str
    as_of: datetime
    holdings: Mapping[AssetId, int]
    is_whole: bool
    """Whether what it does not list is nothing there: rows that were imported by themselves do not say."""
    order: int
    """When it was recorded, among the others."""
    not_free: Mapping[AssetId, int] = field(default_factory=dict)
    """Base units that it calls pledged, lent or given as collateral."""


@dataclass(frozen=True, slots=True)
class LedgerClaim:
    """What the sub-ledger says of one security at one location."""

    clients: int = 0
    firm: int = 0
    below_zero: int = 0


@dataclass(frozen=True, slots=True)
class ClaimsInput:
    """Everything that a comparison follows from."""

    as_of: date
    known_at: datetime
    ledger: Mapping[Place, LedgerClaim]
    """By the sub-ledger, at the moment of the location's statement; positions of nothing left out."""
    stock: Sequence[StockLine] | None
    """The stock record of the day; None where it is not kept or not closed."""
    stock_gap: str
    """Why the stock record is not known though it is kept; empty otherwise."""
    statements: Sequence[PlaceStatement]
    due: Mapping[LocationId, tuple[str, datetime]]
    """Custodian and time of the locations whose statement comes daily."""
    assets: Mapping[AssetId, Asset]


def is_outside(location_id: LocationId) -> bool:
    """Whether a location is at a depository, a bank or a prime broker."""
    return location_id.partition(":")[0] in OFF_CHAIN_PREFIXES


def counting(statements: Iterable[PlaceStatement]) -> dict[LocationId, list[PlaceStatement]]:
    """The statement that counts of each location and custodian, by location."""
    newest: dict[tuple[LocationId, str], PlaceStatement] = {}
    for each in statements:
        key = (each.location_id, each.stated_by)
        before = newest.get(key)
        if before is None or (each.as_of, each.order) > (before.as_of, before.order):
            newest[key] = each
    found: dict[LocationId, list[PlaceStatement]] = defaultdict(list)
    for (place, _), each in sorted(newest.items()):
        found[place].append(each)
    return dict(found)


def compare(given: ClaimsInput) -> SecuritiesComparison:
    """Every position that a book or a statement knows, and every account whose statement is missing."""
    stated = counting(given.statements)
    recorded = recorded_at(given.stock or ())
    places = {*given.ledger, *recorded}
    places |= {(each.location_id, asset) for found in stated.values() for each in found for asset in each.holdings}
    kept = {location for location, _ in given.ledger}
    lines = []
    for location, asset_id in sorted(places):
        ledger = given.ledger.get((location, asset_id))
        if ledger is None and (location in kept or given.stock is None):
            ledger = LedgerClaim()
        found, gaps = _stated(stated.get(location, []), location, asset_id, given)
        line = PositionLine(
            location,
            given.assets[asset_id],
            ledger.clients if ledger is not None else None,
            ledger.firm if ledger is not None else None,
            ledger.below_zero if ledger is not None else 0,
            recorded.get((location, asset_id), 0) if given.stock is not None else None,
            found,
            (*gaps, *((given.stock_gap,) if given.stock_gap else ())),
        )
        if any(line.claimed.values()) or any(each.base_units for each in found) or line.owners_below_zero or gaps:
            lines.append(line)
    missing = [
        MissingStatement(location, custodian, due_at)
        for location, (custodian, due_at) in sorted(given.due.items())
        if custodian not in {each.stated_by for each in stated.get(location, [])}
    ]
    return SecuritiesComparison(given.as_of, given.known_at, tuple(lines), tuple(missing), _unplaced(given.stock or ()))


def not_free_at(statements: Iterable[PlaceStatement]) -> dict[Place, int]:
    """What the statements that count call not free, the most of several custodians."""
    found: dict[Place, int] = {}
    for location, chosen in counting(statements).items():
        for each in chosen:
            for asset_id, units in each.not_free.items():
                found[location, asset_id] = max(units, found.get((location, asset_id), 0))
    return found


def recorded_at(stock: Iterable[StockLine], places: Collection[StockPlace] = HELD) -> dict[Place, int]:
    """What the stock record places at each outside location, in base units."""
    sums: dict[Place, int] = defaultdict(int)
    for line in stock:
        if line.place in places and line.location_id is not None and is_outside(line.location_id):
            sign = 1 if line.side is StockSide.SHORT else -1
            sums[line.location_id, line.security_id] += sign * line.base_units
    return dict(sums)


def _stated(
    statements: Sequence[PlaceStatement], location: LocationId, asset_id: AssetId, given: ClaimsInput
) -> tuple[tuple[Stated, ...], tuple[str, ...]]:
    found, gaps = [], []
    for each in statements:
        listed = each.holdings.get(asset_id)
        if listed is None and not each.is_whole:
            gaps.append(
                f"statement {each.statement_id} of {each.stated_by} does not list it, and is not known to be whole"
            )
            continue
        found.append(Stated(each.stated_by, each.statement_id, each.as_of, listed or 0, listed is not None))
    if not statements:
        custodian, due_at = given.due.get(location, ("", None))
        who = f" of {custodian}" if custodian else ""
        when = f", due at {utc_text(due_at)}" if due_at is not None else ""
        gaps.append(f"no statement{who} of {given.as_of.isoformat()} is there{when}")
    return tuple(found), tuple(gaps)


def _unplaced(stock: Iterable[StockLine]) -> tuple[Unplaced, ...]:
    sums: dict[tuple[str, AssetId], int] = defaultdict(int)
    for line in stock:
        if line.place in OUTSIDE and line.location_id is None and line.base_units:
            sums[line.place.value, line.security_id] += line.base_units
    return tuple(Unplaced(place, asset_id, units) for (place, asset_id), units in sorted(sums.items()))
