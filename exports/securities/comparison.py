"""One position in the books and in what custodians state: what it is called when they differ. Pure.

Three figures of one security at one location: what clients and the firm own there by the sub-ledger, what the stock
record places there, and what the custodian states. Each book is compared with each statement; nothing is netted, and
what is not known is unverified, never zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from chains.errors import InvalidValue
from chains.types import Asset, LocationId, require_utc
from exports.records import Status


class BookName(StrEnum):
    """Which of the firm's books a figure is of."""

    SUB_LEDGER = "sub_ledger"
    """Allocations: what each client owns where."""
    STOCK_RECORD = "stock_record"
    """Lines of the stock record that name the location."""


@dataclass(frozen=True, slots=True)
class Stated:
    """What one custodian states of one security at one location."""

    stated_by: str
    statement_id: str
    as_of: datetime
    base_units: int
    is_listed: bool
    """Whether the statement lists it; what a whole statement does not list is nothing there."""

    def __post_init__(self) -> None:
        require_utc(self.as_of, "as_of")
        if self.base_units < 0:
            raise InvalidValue("a stated position cannot be negative")
        if not self.is_listed and self.base_units:
            raise InvalidValue("what is not listed is nothing")


@dataclass(frozen=True, slots=True)
class PositionLine:
    """One security at one location: what the books claim and what is stated."""

    location_id: LocationId
    asset: Asset
    clients: int | None
    """Base units that clients own there by the sub-ledger; None where it keeps nothing at the location."""
    firm: int | None
    """The firm's own there by the sub-ledger."""
    owners_below_zero: int
    """How many owners the sub-ledger has below zero there: never set off against the others."""
    recorded: int | None
    """Base units the stock record places there; None where it is not kept."""
    stated: tuple[Stated, ...]
    gaps: tuple[str, ...] = ()
    """Why a figure is not known: a statement that is missing, books that are not closed."""

    def __post_init__(self) -> None:
        if (self.clients is None) != (self.firm is None):
            raise InvalidValue("the sub-ledger has both figures or none")
        if not self.stated and not self.gaps:
            raise InvalidValue("without a statement a line says why")

    @property
    def claimed(self) -> dict[BookName, int]:
        """What each book says is there; a position that no book knows is claimed to be nothing."""
        found: dict[BookName, int] = {}
        if self.clients is not None and self.firm is not None:
            found[BookName.SUB_LEDGER] = self.clients + self.firm
        if self.recorded is not None:
            found[BookName.STOCK_RECORD] = self.recorded
        return found or {BookName.SUB_LEDGER: 0}

    def differences(self) -> Iterator[tuple[BookName, Stated, int]]:
        """Every book and statement that differ, with stated - claimed."""
        for book, claimed in self.claimed.items():
            for each in self.stated:
                if each.base_units != claimed:
                    yield book, each, each.base_units - claimed

    @property
    def status(self) -> Status:
        """Diverged before unverified before matched: a known contradiction holds whatever the rest would say."""
        if self.owners_below_zero or next(self.differences(), None) is not None:
            return Status.DIVERGED
        return Status.UNVERIFIED if self.gaps or not self.stated else Status.MATCHED

    def case_kinds(self) -> Iterator[tuple[str, ...]]:
        """For each thing that is wrong, the kinds of case that say it."""
        for book, _, difference in self.differences():
            if book is BookName.STOCK_RECORD:
                yield ("custodian_mismatch",)
            elif difference < 0:
                yield ("shortfall",)
            else:
                yield ("excess", "unallocated_balance")
        if self.owners_below_zero:
            yield ("negative_allocation",)
        if self.gaps:
            yield ("unverified",)


@dataclass(frozen=True, slots=True)
class MissingStatement:
    """An account of which no statement of the day is there, though one comes daily."""

    location_id: LocationId
    custodian: str
    due_at: datetime
    """When it is due, in UTC."""

    def __post_init__(self) -> None:
        require_utc(self.due_at, "due_at")


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Lines of the stock record at outside parties that name no location: nothing states them."""

    place: str
    asset_id: str
    base_units: int


@dataclass(frozen=True, slots=True)
class SecuritiesComparison:
    """The comparison of a day: every position, every account without its statement, every line without a place."""

    as_of: date
    known_at: datetime
    """The books as known at this time were used."""
    lines: tuple[PositionLine, ...]
    missing: tuple[MissingStatement, ...]
    unplaced: tuple[Unplaced, ...]

    def __post_init__(self) -> None:
        require_utc(self.known_at, "known_at")
        places = [(line.location_id, line.asset.asset_id) for line in self.lines]
        if len(set(places)) != len(places):
            raise InvalidValue("a position is compared once")

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """Expected, matched, diverged, unverified: the last three add up to the first."""
        statuses = [line.status for line in self.lines]
        absent = len(self.missing) + len(self.unplaced)
        return (
            len(statuses) + absent,
            statuses.count(Status.MATCHED),
            statuses.count(Status.DIVERGED),
            statuses.count(Status.UNVERIFIED) + absent,
        )
