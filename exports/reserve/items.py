"""The lines of Exhibit A (17 CFR 240.15c3-3a): number, side, wording. The side of a line is fixed here, never given.

Wording from the eCFR text of 2026-10-01, shortened with … in items 14 and 15. "Securities borrowed from customers" is
no line of Exhibit A: item 3 is for customers' securities the firm lends on, item 11 for securities borrowed for
customers' short sales and fails, and customers' fully paid borrows follow 15c3-3(b)(3).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class ReserveClass(StrEnum):
    """Whose computation and whose accounts: the two are apart in everything, 15c3-3(e)(1)."""

    CUSTOMER = "customer"
    PAB = "pab"
    """Proprietary accounts of other brokers and dealers, 15c3-3(a)(16)."""


class Side(StrEnum):
    """Which total of the formula a line belongs to."""

    CREDIT = "credit"
    DEBIT = "debit"


@dataclass(frozen=True, slots=True)
class Item:
    """One line of Exhibit A."""

    number: int
    side: Side
    wording: str
    note: str = ""
    """Letter of the note that says how the line is measured; empty where there is none."""

    @property
    def citation(self) -> str:
        """Where the line stands, with its note."""
        return f"17 CFR 240.15c3-3a item {self.number}" + (f", Note {self.note}" if self.note else "")


_LINES: Final = (
    (
        Side.CREDIT,
        "A",
        "Free credit balances and other credit balances in customers' security accounts.",
    ),
    (
        Side.CREDIT,
        "B",
        "Monies borrowed collateralized by securities carried for the accounts of customers",
    ),
    (
        Side.CREDIT,
        "C",
        "Monies payable against customers' securities loaned",
    ),
    (
        Side.CREDIT,
        "D",
        "Customers' securities failed to receive",
    ),
    (
        Side.CREDIT,
        "",
        "Credit balances in firm accounts which are attributable to principal sales to customers",
    ),
    (
        Side.CREDIT,
        "",
        (
            "Market value of stock dividends, stock splits and similar distributions receivable outstanding over "
            "30 calendar days"
        ),
    ),
    (
        Side.CREDIT,
        "",
        "Market value of short security count differences over 30 calendar days old",
    ),
    (
        Side.CREDIT,
        "",
        (
            "Market value of short securities and credits (not to be offset by longs or by debits) in all "
            "suspense accounts over 30 calendar days"
        ),
    ),
    (
        Side.CREDIT,
        "",
        (
            "Market value of securities which are in transfer in excess of 40 calendar days and have not been "
            "confirmed to be in transfer by the transfer agent or the issuer during the 40 days"
        ),
    ),
    (
        Side.DEBIT,
        "E",
        (
            "Debit balances in customers' cash and margin accounts excluding unsecured accounts and accounts "
            "doubtful of collection."
        ),
    ),
    (
        Side.DEBIT,
        "",
        (
            "Securities borrowed to effectuate short sales by customers and securities borrowed to make delivery "
            "on customers' securities failed to deliver"
        ),
    ),
    (
        Side.DEBIT,
        "",
        "Failed to deliver of customers' securities not older than 30 calendar days",
    ),
    (
        Side.DEBIT,
        "F",
        (
            "Margin required and on deposit with the Options Clearing Corporation for all option contracts "
            "written or purchased in customer accounts."
        ),
    ),
    (
        Side.DEBIT,
        "G",
        (
            "Margin required and on deposit with a clearing agency … or a derivatives clearing organization … "
            "related to … positions written, purchased or sold in customer accounts: (1) security futures "
            "products and (2) futures contracts (and options thereon) carried in a securities account pursuant to"
            " an SRO portfolio margining rule"
        ),
    ),
    (
        Side.DEBIT,
        "H",
        (
            "Margin required and on deposit with a clearing agency … resulting from … transactions in U.S. "
            "Treasury securities in customer accounts that have been cleared, settled, and novated by the "
            "clearing agency: (1) purchases and sales of U.S. Treasury securities; and (2) U.S. Treasury "
            "securities repurchase and reverse repurchase agreements"
        ),
    ),
)

ITEMS: Final = tuple(Item(number, side, text, note) for number, (side, note, text) in enumerate(_LINES, start=1))
"""Items 1 to 15 in their order."""


def item(number: int) -> Item:
    """The line with that number; raises KeyError for any other number than 1 to 15."""
    if not 1 <= number <= len(ITEMS):
        raise KeyError(number)
    return ITEMS[number - 1]
