"""A statement of holdings as a message says it, whatever its syntax; and what can be wrong with one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeVar

Part = TypeVar("Part")

BYTES_MAX: Final = 64 * 1024 * 1024
"""Largest file of messages that is read."""
HOLDINGS_MAX: Final = 1_000_000
"""Most holdings of one file."""


class StatementFormat(StrEnum):
    """In which syntax a statement came."""

    CSV = "csv"
    """A file with the columns of `positions`."""
    MT535 = "mt535"
    """ISO 15022 MT535, Statement of Holdings."""
    SEMT002 = "semt002"
    """ISO 20022 semt.002, SecuritiesBalanceCustodyReport."""


class QuantityType(StrEnum):
    """What a quantity counts: the asset table decides how many decimals it has."""

    UNIT = "UNIT"
    FACE_AMOUNT = "FAMT"


@dataclass(frozen=True, slots=True)
class SubBalance:
    """A part of a holding that the custodian tells apart."""

    code: str
    """The message's own code: `PLED` pledged, `BLOK` blocked, `LOAN` on loan, `NOMI` nominee, and others."""
    available: bool | None
    """None where the message does not say."""
    quantity: Decimal
    """Whole units of the security, zero or more."""


@dataclass(frozen=True, slots=True)
class StatedHolding:
    """What one line of a statement says of one security."""

    account: str
    """The safekeeping account as the message writes it."""
    cusip: str
    isin: str
    """Empty when the message has none."""
    quantity: Decimal
    """Aggregate balance in whole units or face amount, zero or more."""
    quantity_type: QuantityType
    available: Decimal | None
    not_available: Decimal | None
    parts: tuple[SubBalance, ...]
    currency: str
    """Denomination, where the message says it; empty otherwise."""
    line: int
    """Line of the file where it begins."""


@dataclass(frozen=True, slots=True)
class StatementPage:
    """One message: one page of a statement of one account servicer."""

    format: StatementFormat
    statement_number: str
    """What the pages of one statement share: `13a STAT`, or `StmtId`."""
    reference: str
    """What names this page alone: `20C SEME`; the statement's id where pages have none."""
    page: int
    is_last: bool
    stated_on: date
    """The day the balances are of."""
    stated_at: datetime | None
    """The moment, where the message says one; with its zone, or in the servicer's civil time without."""
    account: str
    """The account that the statement is of."""
    accounts: tuple[str, ...]
    """That and every other safekeeping account that the page speaks of, also one without holdings."""
    empty_accounts: tuple[str, ...]
    """Those of which the page says that there is nothing."""
    holdings: tuple[StatedHolding, ...]
    line: int
    """Line of the file where the message begins."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a message."""

    line: int
    """Line of the file; 0 when the whole file is meant."""
    field: str
    """The field or element it is about, in the message's own words."""
    value: str
    reason: str
    """One sentence: what is wrong and what would be right."""


class MessageRefused(Exception):
    """Part of a message cannot be read. Caught by its reader, which notes the fault and goes on where it can."""

    def __init__(self, line: int, field: str, value: str, reason: str) -> None:
        super().__init__(reason)
        self.fault = Fault(line, field, value, reason)


@dataclass(frozen=True, slots=True)
class ReadMessages:
    """The pages of one file, or everything that is wrong with it; never both."""

    pages: tuple[StatementPage, ...]
    faults: tuple[Fault, ...]


def read_pages(parts: Iterable[Part], page_of: Callable[[Part], tuple[StatementPage, list[Fault]]]) -> ReadMessages:
    """Every page of a file whose parts were told apart, or every fault found in them."""
    pages: list[StatementPage] = []
    faults: list[Fault] = []
    for part in parts:
        try:
            page, found = page_of(part)
        except MessageRefused as error:
            faults.append(error.fault)
            continue
        pages.append(page)
        faults += found
    if sum(len(page.holdings) for page in pages) > HOLDINGS_MAX:
        faults.append(Fault(0, "", "", f"more than {HOLDINGS_MAX} holdings in one file"))
    return ReadMessages((), tuple(faults)) if faults else ReadMessages(tuple(pages), ())
