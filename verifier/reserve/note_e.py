"""Item 10: customers' debit balances after Exhibit A Note E(1), (2), (4), (5) and (6).

The note states no order; the policy `note_e_order` is: accounts excluded as a whole (unsecured or doubtful, E(4),
E(6)), then deficits of omnibus accounts (E(2)), then each customer's debit above 25 percent of tentative net capital
(E(5)), then concentration in one security (E(1)). E(5) and E(1) are both measured on the debits left by the steps
before them, and together never take more than the margin debits. The 1 percent of E(3) is the formula's, taken of what
is left here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Final

from chains.errors import InvalidValue
from exports.reserve.money import Rounding, percent, require_cents, share
from exports.reserve.policies import PolicySet
from verifier.reserve.calendar import BankCalendar

CONCENTRATION_PERCENT: Final = 15
COLLATERAL_PERCENT: Final = 140
TENTATIVE_NET_CAPITAL_PERCENT: Final = 25
SINGLE_CUSTOMER_FLOOR_CENTS: Final = 50_000_00
REQUEST_BUSINESS_DAYS: Final = 5
NON_CUSTOMER_LOW: Final = Fraction(5, 100)
NON_CUSTOMER_HIGH: Final = Fraction(50, 100)


class AccountKind(StrEnum):
    """What kind of account a debit is in."""

    CASH = "cash"
    MARGIN = "margin"
    OMNIBUS = "omnibus"
    """Special omnibus account under Regulation T section 7(f), for another broker-dealer's customers."""


class Relation(StrEnum):
    """How the account's owner stands to the firm, Note E(4)."""

    NONE = "none"
    HOUSEHOLD = "household"
    """Household member of, or otherwise related to, a principal."""
    AFFILIATE = "affiliate"
    """10 percent of the common stock is on its face control."""


@dataclass(frozen=True, slots=True)
class Collateral:
    """One security in a margin account, at market."""

    security_id: str
    market_value: int
    """US cents."""
    exempted: bool
    """An exempted security, such as a Treasury: in the sum, but never concentrated."""


@dataclass(frozen=True, slots=True)
class DebitAccount:
    """One customer account with a debit balance. Amounts in US cents."""

    account_id: str
    single_customer_id: str
    """Shared by related accounts: of one person, under common control, or cross-guaranteed."""
    kind: AccountKind
    debit: int
    unsecured_or_doubtful: bool = False
    relation: Relation = Relation.NONE
    non_customer_share: Fraction = Fraction(0)
    """Part of a joint or fund account owned by persons who are no customers, 0 to 1."""
    related_to_credits: int = 0
    """Part of the debit shown to be directly related to credit items: E(4), E(5) and E(6) do not take it."""
    deficit: int = 0
    """Of an omnibus account."""
    recent_calls: int = 0
    """Calls on an omnibus account outstanding five business days or less."""
    collateral: tuple[Collateral, ...] = ()
    """Of a margin account."""

    def __post_init__(self) -> None:
        for name in ("debit", "related_to_credits", "deficit", "recent_calls"):
            require_cents(getattr(self, name), f"{name} of {self.account_id}")
        for each in self.collateral:
            require_cents(each.market_value, f"collateral {each.security_id} of {self.account_id}")
        if not 0 <= self.non_customer_share <= 1:
            raise InvalidValue(f"non_customer_share of {self.account_id} is not within 0 and 1")
        if self.related_to_credits > self.debit:
            raise InvalidValue(f"related_to_credits of {self.account_id} is more than its debit")
        if len({each.security_id for each in self.collateral}) != len(self.collateral):
            raise InvalidValue(f"a security is twice in the collateral of {self.account_id}")


@dataclass(frozen=True, slots=True)
class ConcentrationRelief:
    """What the designated examining authority allows for one customer under E(5)."""

    excepted: int = 0
    """Cents of the excess that a granted exception lets in."""
    requested_on: date | None = None
    """An open request keeps the whole debit in for five business days."""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Cents taken out of item 10, and why."""

    subject: str
    """Account, customer or security."""
    note: str
    cents: int


@dataclass(frozen=True, slots=True)
class Item10:
    """What is left of the debits, by account before E(5) and E(1), and everything that was taken out."""

    cents: int
    gross: int
    exclusions: tuple[Exclusion, ...]
    omnibus_credits: int
    """Deficits above the debit of an omnibus account, which increase a credit (item 1)."""


def item_10(
    accounts: Iterable[DebitAccount],
    *,
    as_of: date,
    tentative_net_capital: int,
    relief: Mapping[str, ConcentrationRelief],
    policies: PolicySet,
    calendar: BankCalendar,
    pab: bool = False,
) -> Item10:
    """Item 10 before Note E(3). PAB debits are not subject to E(1), PAB Note 3."""
    ordered = sorted(accounts, key=lambda each: each.account_id)
    if len({each.account_id for each in ordered}) != len(ordered):
        raise InvalidValue("an account is given twice")
    out: list[Exclusion] = []
    left: dict[str, int] = {}
    omnibus_credits = 0
    for account in ordered:
        note, excluded = _whole_account(account)
        rest = account.debit - excluded
        _note(out, account.account_id, note, excluded)
        if account.kind is AccountKind.OMNIBUS:
            reduction = max(0, account.deficit - account.recent_calls)
            _note(out, account.account_id, "E(2)", min(rest, reduction))
            omnibus_credits += max(0, reduction - rest)
            rest -= min(rest, reduction)
        left[account.account_id] = rest
    margin = [each for each in ordered if each.kind is AccountKind.MARGIN and left[each.account_id]]
    single = _single_customers(margin, left, as_of, tentative_net_capital, relief, policies, calendar)
    out += single
    concentrated = [] if pab else _concentration(margin, left)
    total = sum(left.values()) - sum(each.cents for each in single)
    # Both reductions are of margin debits: together they cannot take more than there is.
    margin_left = sum(left[each.account_id] for each in margin) - sum(each.cents for each in single)
    for each in concentrated:
        taken = min(each.cents, margin_left)
        _note(out, each.subject, each.note, taken)
        margin_left -= taken
        total -= taken
    return Item10(total, sum(each.debit for each in ordered), tuple(out), omnibus_credits)


def _note(out: list[Exclusion], subject: str, note: str, cents: int) -> None:
    if cents:
        out.append(Exclusion(subject, note, cents))


def _whole_account(account: DebitAccount) -> tuple[str, int]:
    """The exclusion that follows from what the account is: unsecured or doubtful, E(4), E(6)."""
    if account.unsecured_or_doubtful:
        return "item 10", account.debit
    unrelated = account.debit - account.related_to_credits
    if account.relation is not Relation.NONE:
        return "E(4)", unrelated
    if account.non_customer_share < NON_CUSTOMER_LOW:
        return "", 0
    if account.non_customer_share > NON_CUSTOMER_HIGH:
        return "E(6)", unrelated
    return "E(6)", min(unrelated, share(account.debit, account.non_customer_share, Rounding.UP))


def _single_customers(
    margin: list[DebitAccount],
    left: Mapping[str, int],
    as_of: date,
    tentative_net_capital: int,
    relief: Mapping[str, ConcentrationRelief],
    policies: PolicySet,
    calendar: BankCalendar,
) -> list[Exclusion]:
    """E(5): each customer's margin debit, related accounts together, above 25 percent of tentative net capital."""
    limit = percent(max(0, tentative_net_capital), TENTATIVE_NET_CAPITAL_PERCENT, Rounding.DOWN)
    if policies.text("note_e5_fifty_thousand") == "limit_at_least":
        limit = max(limit, SINGLE_CUSTOMER_FLOOR_CENTS)
    debits: dict[str, int] = defaultdict(int)
    related: dict[str, int] = defaultdict(int)
    for account in margin:
        debits[account.single_customer_id] += left[account.account_id]
        related[account.single_customer_id] += min(account.related_to_credits, left[account.account_id])
    found: list[Exclusion] = []
    for customer, debit in sorted(debits.items()):
        allowed = relief.get(customer, ConcentrationRelief())
        asked = allowed.requested_on
        if asked and asked <= as_of and calendar.business_days_between(asked, as_of) <= REQUEST_BUSINESS_DAYS:
            continue
        excess = max(0, debit - limit - max(0, allowed.excepted))
        _note(found, customer, "E(5)", min(excess, debit - related[customer]))
    return found


def _concentration(margin: list[DebitAccount], left: Mapping[str, int]) -> list[Exclusion]:
    """E(1): by how much each security that is not exempted exceeds 15 percent of all margin collateral.

    A security is collateral of an account up to 140 percent of its debit. The reduction is not more than the debits of
    the accounts it collateralizes, which are the debits the rule would exclude.
    """
    by_security: dict[str, int] = defaultdict(int)
    debits: dict[str, int] = defaultdict(int)
    exempted: dict[str, bool] = {}
    for account in margin:
        debit = left[account.account_id]
        most = percent(debit, COLLATERAL_PERCENT, Rounding.DOWN)
        for each in account.collateral:
            if exempted.setdefault(each.security_id, each.exempted) != each.exempted:
                raise InvalidValue(f"{each.security_id} is exempted in one account and not in another")
            by_security[each.security_id] += min(each.market_value, most)
            debits[each.security_id] += debit if each.market_value else 0
    limit = percent(sum(by_security.values()), CONCENTRATION_PERCENT, Rounding.DOWN)
    found: list[Exclusion] = []
    for security, value in sorted(by_security.items()):
        if not exempted[security]:
            _note(found, security, "E(1)", min(max(0, value - limit), debits[security]))
    return found
