"""Whose securities stand at which place of the stock record: the order in which longs meet shorts.

A stock record says what is owned (long) and where it is (short), not which owner's it is: securities of one issue are
fungible. Exhibit A asks it all the same: a bank loan, a stock loan or a fail to receive is a credit as far as it is
allocated to customers, 17 CFR 240.15c3-3a items 2 to 6 and 9; a borrow or a fail to deliver is a debit as far as it is
for customers, items 11 and 12. Security by security, the order is the policy `allocation_order`. The rule states none,
and FINRA's interpretations were not read: what they are said to require (customers' longs against customers' shorts
first) is the first step of the default; after it the default takes the reading that requires the larger deposit.

What the books say of a line (its account, the kind of its lien) comes before any order.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from mapping.books_types import HolderClass


class Owner(StrEnum):
    """Who is long: an account of a class, or somebody to whom the firm owes delivery."""

    CUSTOMER = "customer"
    PAB = "pab"
    NON_CUSTOMER = "non_customer"
    FIRM = "firm"
    STOCK_BORROW = "stock_borrow"
    FAIL_TO_DELIVER = "fail_to_deliver"
    SUSPENSE = "suspense_long"
    COUNT_DIFFERENCE = "count_difference_long"
    UNKNOWN = "unknown_owner"
    """Nobody: the record has more shorts than longs. It is read as customers', which requires the larger deposit."""


class Place(StrEnum):
    """What answers for it: a class's short position, or a place."""

    SHORT_CUSTOMER = "short_of_customer"
    SHORT_PAB = "short_of_pab"
    SHORT_NON_CUSTOMER = "short_of_non_customer"
    SHORT_FIRM = "short_of_firm"
    BANK_LOAN = "bank_loan"
    STOCK_LOAN = "stock_loan"
    FAIL_TO_RECEIVE = "fail_to_receive"
    CLEARING_MARGIN = "clearing_margin"
    DIVIDEND_RECEIVABLE = "dividend_receivable"
    TRANSFER = "transfer"
    SUSPENSE = "suspense_short"
    COUNT_DIFFERENCE = "count_difference_short"
    CONTROL = "control"
    """Depository, box, bank and the like. Whether it is good control is not asked here: no item counts it."""
    MISSING = "missing_place"
    """Nowhere: the record has more longs than shorts."""


OWNER_OF: Final = {
    HolderClass.CUSTOMER: Owner.CUSTOMER,
    HolderClass.PAB: Owner.PAB,
    HolderClass.NON_CUSTOMER: Owner.NON_CUSTOMER,
    HolderClass.FIRM: Owner.FIRM,
}
SHORT_OF: Final = {
    Owner.CUSTOMER: Place.SHORT_CUSTOMER,
    Owner.PAB: Place.SHORT_PAB,
    Owner.NON_CUSTOMER: Place.SHORT_NON_CUSTOMER,
    Owner.FIRM: Place.SHORT_FIRM,
}
"""The short positions of each class of accounts."""

_ACCOUNTS: Final = tuple(SHORT_OF)
_STREET: Final = (
    (Owner.FAIL_TO_DELIVER, Place.FAIL_TO_RECEIVE),
    (Owner.STOCK_BORROW, Place.STOCK_LOAN),
    (Owner.STOCK_BORROW, Place.FAIL_TO_RECEIVE),
    (Owner.FAIL_TO_DELIVER, Place.STOCK_LOAN),
)
"""Between other broker-dealers through the firm: what is owed in answers for what is owed out."""
_OFFSETS: Final = tuple((owner, SHORT_OF[owner]) for owner in _ACCOUNTS)
_COVERS: Final = tuple(
    (owner, SHORT_OF[whose]) for whose in _ACCOUNTS for owner in (Owner.FAIL_TO_DELIVER, Owner.STOCK_BORROW)
)
"""What was borrowed for a short position, and a delivery that waits for it."""
_NOT_IN_HAND: Final = (
    Place.BANK_LOAN,
    Place.STOCK_LOAN,
    Place.FAIL_TO_RECEIVE,
    Place.CLEARING_MARGIN,
    Place.SHORT_FIRM,
    Place.SHORT_NON_CUSTOMER,
    Place.SHORT_PAB,
    Place.SHORT_CUSTOMER,
    Place.DIVIDEND_RECEIVABLE,
    Place.TRANSFER,
)
"""Places that can make a credit."""


def _used(*owners: Owner) -> tuple[tuple[Owner, Place], ...]:
    return tuple((owner, place) for owner in owners for place in _NOT_IN_HAND)


_RESERVED: Final = _used(Owner.CUSTOMER, Owner.PAB)
_OWN: Final = _used(Owner.FIRM, Owner.NON_CUSTOMER)
_ORDERS: Final = {
    "offsets_then_customers_first": (*_OFFSETS, *_RESERVED, *_COVERS, *_STREET, *_OWN),
    "customers_first_then_offsets": (*_RESERVED, *_OFFSETS, *_COVERS, *_STREET, *_OWN),
    "offsets_then_firm_first": (*_OFFSETS, *_COVERS, *_STREET, *_OWN, *_RESERVED),
}
_REST: Final = tuple((owner, place) for place in Place for owner in Owner)
"""What no order names, such as suspense: in the order of the two lists above, so that every unit meets one."""


def allocation_ranks(order: str) -> dict[tuple[Owner, Place], int]:
    """The rank of every pair of owner and place under a value of policy `allocation_order`; lower meets first."""
    ranks: dict[tuple[Owner, Place], int] = {}
    for pair in (*_ORDERS[order], *_REST):
        ranks.setdefault(pair, len(ranks))
    return ranks


ALLOCATION_ORDERS: Final = tuple(_ORDERS)
