"""What the firm states for the reserve computations of 15c3-3(e): lines, accounts, statements, capital, filings.

Beside those, notices to the authority. Frozen dataclasses that check themselves. Amounts are whole US cents, zero or
more; dates are civil dates of the firm.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from chains.errors import InvalidValue

ITEM_COUNT: Final = 15
CREDIT_ITEMS: Final = 9
"""Items 1 to 9 of Exhibit A (17 CFR 240.15c3-3a) are credits, 10 to 15 debits; line 16 is computed."""


class ReserveClass(StrEnum):
    """Whose computation and whose account: the two are apart in everything."""

    CUSTOMER = "customer"
    PAB = "pab"


class ItemSide(StrEnum):
    """The side of a line: fixed by its number, stated as a second look at it."""

    CREDIT = "credit"
    DEBIT = "debit"


class HoldingKind(StrEnum):
    """What lies in a reserve account."""

    CASH = "cash"
    US_TREASURY = "us_treasury"
    US_GUARANTEED = "us_guaranteed"
    AGENCY_NOT_GUARANTEED = "agency_not_guaranteed"
    MUNICIPAL = "municipal"
    CERTIFICATE_OF_DEPOSIT = "certificate_of_deposit"
    MONEY_FUND = "money_fund"
    STABLECOIN = "stablecoin"
    DIGITAL_ASSET = "digital_asset"
    OTHER = "other"


class CapitalMethod(StrEnum):
    """How net capital is computed, 15c3-1(a)(1)."""

    BASIC = "basic"
    ALTERNATIVE = "alternative"


class NoticeKind(StrEnum):
    """A written notice to the designated examining authority, or its approval."""

    WEEKLY_AGAIN = "weekly_again"
    """Below the threshold, and weekly computation in 60 calendar days, (e)(3)(i)(B)."""
    VOLUNTARY_DAILY = "voluntary_daily"
    """Daily computation of the firm's own will in 30 calendar days, (e)(3)(v)."""
    VOLUNTARY_ENDED = "voluntary_ended"
    """The authority approved that voluntary daily computation ends."""


class MovementSide(StrEnum):
    """Which way money goes, seen from a reserve account."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"


def side_of(item: int) -> ItemSide:
    """The side of a line of Exhibit A."""
    return ItemSide.CREDIT if item <= CREDIT_ITEMS else ItemSide.DEBIT


def _require_cents(*amounts: int | None) -> None:
    if any(cents is not None and cents < 0 for cents in amounts):
        raise InvalidValue("an amount is zero or more")


@dataclass(frozen=True, slots=True)
class ReserveItem:
    """One line of one computation as the firm states it. Nothing is an explicit zero."""

    as_of: date
    computation: ReserveClass
    item: int
    cents: int
    reference: str
    """Where the figure can be looked up."""

    def __post_init__(self) -> None:
        _require_cents(self.cents)
        if not 1 <= self.item <= ITEM_COUNT:
            raise InvalidValue(f"items are 1 to {ITEM_COUNT}; line 16 is computed")


@dataclass(frozen=True, slots=True)
class ReserveBankAccount:
    """A Special Reserve Bank Account and its bank, from a day on."""

    account_id: str
    effective_from: date
    computation: ReserveClass
    bank_id: str
    affiliated: bool
    """Whether the bank is an affiliate of the firm: its cash counts nothing, (e)(5)."""
    equity_capital: int | None
    """US cents by the bank's most recent Call Report; None when it is not known."""
    call_report_on: date | None
    notified_on: date | None
    """Date of the bank's written notification, (f)."""
    no_lien_contract_on: date | None
    """Date of the written contract, (f)."""

    def __post_init__(self) -> None:
        _require_cents(self.equity_capital)
        if (self.equity_capital is None) != (self.call_report_on is None):
            raise InvalidValue("a bank's equity and the date of its Call Report are given together")


@dataclass(frozen=True, slots=True)
class ReserveHolding:
    """One line of a bank's statement of a reserve account, at the close of a day."""

    account_id: str
    as_of: date
    holding: str
    """`cash`, or the id of a security."""
    kind: HoldingKind
    market_value: int | None
    """US cents; None for a security without a price. Face value is never taken."""
    priced_on: date | None
    statement_id: str

    def __post_init__(self) -> None:
        _require_cents(self.market_value)
        if (self.kind is HoldingKind.CASH) != (self.holding == "cash"):
            raise InvalidValue("cash, and nothing else, is called cash")
        if self.kind is HoldingKind.CASH and (self.market_value is None or self.priced_on is not None):
            raise InvalidValue("cash has an amount and no price")
        if self.kind is not HoldingKind.CASH and (self.market_value is None) != (self.priced_on is None):
            raise InvalidValue("a market value and the date of its price are given together")


@dataclass(frozen=True, slots=True)
class FirmCapital:
    """The firm's method and capital, as of a day."""

    as_of: date
    method: CapitalMethod
    net_capital: int
    tentative_net_capital: int
    """Before haircuts: what Note E(5) measures."""
    aggregate_indebtedness: int
    reference: str

    def __post_init__(self) -> None:
        _require_cents(self.net_capital, self.tentative_net_capital, self.aggregate_indebtedness)


@dataclass(frozen=True, slots=True)
class FocusMonthEnd:
    """Total credits of one filed month-end Form X-17A-5."""

    month_end: date
    customer_credits: int
    pab_credits: int
    filed_on: date
    reference: str

    def __post_init__(self) -> None:
        _require_cents(self.customer_credits, self.pab_credits)
        if self.filed_on <= self.month_end:
            raise InvalidValue("a form is filed after its month-end")


@dataclass(frozen=True, slots=True)
class ReserveNotice:
    """A dated notice that decides how often computations are due."""

    kind: NoticeKind
    given_on: date
    reference: str


@dataclass(frozen=True, slots=True)
class BankMovement:
    """One entry of a bank's statement of a reserve account: money that came or went."""

    account_id: str
    bank_reference: str
    """The bank's own id of the entry, unique within the account."""
    value_on: date
    direction: MovementSide
    cents: int
    instruction_id: str
    """The instruction that the bank names; empty when it names none."""
    text: str
    """The bank's words; may be empty."""

    def __post_init__(self) -> None:
        if self.cents <= 0:
            raise InvalidValue("a movement has an amount above zero")


@dataclass(frozen=True, slots=True)
class ReserveSweep:
    """Customers' credits that were swept out of the accounts after a computation's as-of date."""

    as_of: date
    """Of the computation in which they are still credits."""
    swept_on: date
    cents: int
    reference: str

    def __post_init__(self) -> None:
        _require_cents(self.cents)
        if self.swept_on <= self.as_of:
            raise InvalidValue("a sweep comes after the as-of date")


ReserveRecord = (
    ReserveItem
    | ReserveBankAccount
    | ReserveHolding
    | FirmCapital
    | FocusMonthEnd
    | ReserveNotice
    | BankMovement
    | ReserveSweep
)
"""Any row of the files of the reserve computations."""
