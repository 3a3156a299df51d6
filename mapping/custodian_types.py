"""Accounts at outside parties: what each is called there, whose assets may be in it, when its statements are due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum

from chains.errors import InvalidValue
from chains.types import LocationId


class HeldFor(StrEnum):
    """Whose assets an account at an outside party is for, by its title and the party's agreement."""

    CLIENTS = "clients"
    """Clients' alone: nothing of the firm's own may be in it."""
    FIRM = "firm"
    """The firm's own, an operating account: nothing of a client's may be in it."""
    BOTH = "both"
    """Clients' and the firm's together, where the rules allow it: a participant account at a clearing corporation."""


@dataclass(frozen=True, slots=True)
class CustodianAccount:
    """An account at a depository, bank or prime broker, from a day on."""

    location_id: LocationId
    """`dtc:…`, `bank:…` or `prime:…`."""
    effective_from: date
    custodian: str
    """Who states what is in it, as `stated_by` of its statements."""
    account: str
    """The account as the custodian's messages write it."""
    held_for: HeldFor
    titling: str
    currency: str
    """Denomination of its cash and of face amounts, ISO 4217."""
    statement_due: time | None
    """Civil time of the next business day by which a day's statement is there; None where none comes daily."""
    reference: str
    closed_on: date | None = None
    """Last day of the account; None while it is open."""

    def __post_init__(self) -> None:
        if self.location_id.partition(":")[0] not in ("dtc", "bank", "prime"):
            raise InvalidValue("an account at an outside party is at dtc:…, bank:… or prime:…")
        if self.statement_due is not None and self.statement_due.tzinfo is not None:
            raise InvalidValue("statement_due is a civil time without a zone")
        if self.closed_on is not None and self.closed_on < self.effective_from:
            raise InvalidValue("closed_on is before effective_from")

    def holds_on(self, day: date) -> bool:
        """Whether the account is open on a day; which of its rows is in effect is another question."""
        return self.effective_from <= day and (self.closed_on is None or day <= self.closed_on)
