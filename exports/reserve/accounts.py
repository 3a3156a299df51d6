"""What counts of the Special Reserve Bank Accounts: 15c3-3(a)(6), (e)(1), (e)(5) and (f).

Customer and PAB accounts are apart. An account without the bank's dated written notification and no-lien contract
counts nothing. Cash at an affiliated bank counts nothing; cash at another bank counts up to 15 percent of the bank's
equity by its most recent Call Report, and nothing while that is unknown. The text speaks of cash alone, so qualified
securities are not capped; they count at market, and not without a fresh price. What is no qualified security by policy
`reserve_account_securities` counts nothing: digital assets and stablecoins among them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from chains.errors import InvalidValue
from exports.reserve.items import ReserveClass
from exports.reserve.money import Rounding, percent, require_cents
from exports.reserve.policies import PolicySet

BANK_EQUITY_PERCENT: Final = 15
PURPOSES: Final = frozenset({ReserveClass.CUSTOMER, ReserveClass.PAB})


class SecurityKind(StrEnum):
    """What a holding in a reserve account is."""

    US_TREASURY = "us_treasury"
    US_GUARANTEED = "us_guaranteed"
    """Principal and interest guaranteed by the United States, for example GNMA."""
    AGENCY_NOT_GUARANTEED = "agency_not_guaranteed"
    """For example FNMA or FHLMC."""
    MUNICIPAL = "municipal"
    CERTIFICATE_OF_DEPOSIT = "certificate_of_deposit"
    MONEY_FUND = "money_fund"
    STABLECOIN = "stablecoin"
    DIGITAL_ASSET = "digital_asset"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Bank:
    """A bank that keeps reserve accounts."""

    bank_id: str
    affiliated: bool
    equity_capital: int | None
    """US cents, by the most recent Call Report; None when not known."""
    call_report_on: date | None
    """Date the report is of."""


@dataclass(frozen=True, slots=True)
class ReserveHolding:
    """Securities in a reserve account, at market."""

    security_id: str
    kind: SecurityKind
    market_value: int | None
    """US cents; None when there is no price. Face value is never taken."""
    priced_on: date | None


@dataclass(frozen=True, slots=True)
class ReserveAccount:
    """One Special Reserve Bank Account as its bank states it."""

    account_id: str
    bank_id: str
    purpose: ReserveClass
    """customer or pab: the two are separate from each other and from any other account, (e)(1)."""
    notified_on: date | None
    """Date of the bank's written notification, (f)."""
    no_lien_contract_on: date | None
    """Date of the written contract, (f)."""
    cash: int | None
    """US cents by the bank's statement; None when there is no statement."""
    holdings: tuple[ReserveHolding, ...] = ()

    def __post_init__(self) -> None:
        if self.purpose not in PURPOSES:
            raise InvalidValue(f"{self.account_id} is for customer or pab, not {self.purpose}")
        if self.cash is not None:
            require_cents(self.cash, f"cash of {self.account_id}")
        for each in self.holdings:
            if each.market_value is not None:
                require_cents(each.market_value, f"market value of {each.security_id}")


class Cause(StrEnum):
    """Why something in a reserve account does not count."""

    NO_NOTIFICATION = "no_notification"
    NO_CONTRACT = "no_contract"
    AFFILIATED_BANK = "affiliated_bank"
    BANK_UNKNOWN = "bank_unknown"
    BANK_EQUITY_UNKNOWN = "bank_equity_unknown"
    ABOVE_BANK_CAP = "above_bank_cap"
    NOT_QUALIFIED = "not_qualified"
    NO_PRICE = "no_price"
    NO_STATEMENT = "no_statement"


UNVERIFIED_CAUSES: Final = frozenset(
    {Cause.BANK_UNKNOWN, Cause.BANK_EQUITY_UNKNOWN, Cause.NO_PRICE, Cause.NO_STATEMENT}
)
"""Causes where a fact is missing: the figure stands at the safe side, and the result is unverified."""

_CITATIONS: Final = {
    Cause.NO_NOTIFICATION: "15c3-3(f)",
    Cause.NO_CONTRACT: "15c3-3(f)",
    Cause.AFFILIATED_BANK: "15c3-3(e)(5)",
    Cause.BANK_UNKNOWN: "15c3-3(e)(5)",
    Cause.BANK_EQUITY_UNKNOWN: "15c3-3(e)(5)",
    Cause.ABOVE_BANK_CAP: "15c3-3(e)(5)",
    Cause.NOT_QUALIFIED: "15c3-3(a)(6), (e)(1)",
    Cause.NO_PRICE: "15c3-3(e)(1)",
    Cause.NO_STATEMENT: "15c3-3(e)(1)",
}


@dataclass(frozen=True, slots=True)
class NotCounted:
    """Something in a reserve account that does not count, and why."""

    account_id: str
    subject: str
    """`cash` or the security's id."""
    cause: Cause
    cents: int | None
    """US cents left out; None when the amount itself is not known."""

    @property
    def citation(self) -> str:
        """The paragraph it follows."""
        return _CITATIONS[self.cause]

    @property
    def is_unknown(self) -> bool:
        """Whether a fact is missing, rather than that the rule excludes it."""
        return self.cause in UNVERIFIED_CAUSES


@dataclass(frozen=True, slots=True)
class Held:
    """What counts for one purpose, and what does not."""

    purpose: ReserveClass
    cash: int
    """US cents that count."""
    securities: int
    """US cents at market that count."""
    not_counted: tuple[NotCounted, ...]

    @property
    def cents(self) -> int:
        """What is held on deposit for the rule."""
        return self.cash + self.securities

    @property
    def most(self) -> int | None:
        """What would be held if every missing fact were good; None when an amount itself is not known."""
        unknown = [each.cents for each in self.not_counted if each.is_unknown]
        if any(cents is None for cents in unknown):
            return None
        return self.cents + sum(cents for cents in unknown if cents is not None)

    @property
    def unverified(self) -> bool:
        """Whether a fact was missing: the figure is then a lower bound."""
        return any(each.is_unknown for each in self.not_counted)


@dataclass(frozen=True, slots=True)
class ReserveHoldings:
    """Both purposes, never added to each other."""

    customer: Held
    pab: Held


def reserve_holdings(
    accounts: Iterable[ReserveAccount], banks: Iterable[Bank], as_of: date, policies: PolicySet
) -> ReserveHoldings:
    """What counts on a date of the customer and of the PAB reserve accounts."""
    ordered = sorted(accounts, key=lambda each: each.account_id)
    if len({each.account_id for each in ordered}) != len(ordered):
        raise InvalidValue("a reserve account is given twice")
    by_id: dict[str, Bank] = {}
    for bank in banks:
        if bank.bank_id in by_id:
            raise InvalidValue(f"bank {bank.bank_id} is given twice")
        by_id[bank.bank_id] = bank
    left_out: dict[str, list[NotCounted]] = {each.account_id: [] for each in ordered}
    cash: dict[str, int] = {}
    securities: dict[str, int] = {}
    for account in ordered:
        out = left_out[account.account_id]
        cash[account.account_id] = _cash_before_cap(account, by_id.get(account.bank_id), as_of, policies, out)
        securities[account.account_id] = _securities(account, as_of, policies, out)
    for group in _cap_groups(ordered, policies):
        equity = by_id[group[0].bank_id].equity_capital if group[0].bank_id in by_id else None
        if equity is not None:
            _apply_cap(group, percent(max(0, equity), BANK_EQUITY_PERCENT, Rounding.DOWN), cash, left_out)
    held = {
        purpose: Held(
            purpose,
            sum(cash[each.account_id] for each in ordered if each.purpose is purpose),
            sum(securities[each.account_id] for each in ordered if each.purpose is purpose),
            tuple(out for each in ordered if each.purpose is purpose for out in left_out[each.account_id]),
        )
        for purpose in (ReserveClass.CUSTOMER, ReserveClass.PAB)
    }
    return ReserveHoldings(held[ReserveClass.CUSTOMER], held[ReserveClass.PAB])


def _document_missing(account: ReserveAccount, as_of: date) -> Cause | None:
    """(f): notification and no-lien contract, both written and dated by the as-of date."""
    if account.notified_on is None or account.notified_on > as_of:
        return Cause.NO_NOTIFICATION
    if account.no_lien_contract_on is None or account.no_lien_contract_on > as_of:
        return Cause.NO_CONTRACT
    return None


def _cash_before_cap(
    account: ReserveAccount, bank: Bank | None, as_of: date, policies: PolicySet, out: list[NotCounted]
) -> int:
    if account.cash is None:
        out.append(NotCounted(account.account_id, "cash", Cause.NO_STATEMENT, None))
        return 0
    cause = _document_missing(account, as_of)
    if cause is None and bank is None:
        cause = Cause.BANK_UNKNOWN
    elif cause is None and bank is not None and bank.affiliated:
        cause = Cause.AFFILIATED_BANK
    elif cause is None and bank is not None and not _equity_known(bank, as_of, policies):
        cause = Cause.BANK_EQUITY_UNKNOWN
    if cause is None:
        return account.cash
    if account.cash:
        out.append(NotCounted(account.account_id, "cash", cause, account.cash))
    return 0


def _equity_known(bank: Bank, as_of: date, policies: PolicySet) -> bool:
    if bank.equity_capital is None or bank.call_report_on is None:
        return False
    return 0 <= (as_of - bank.call_report_on).days <= policies.integer("call_report_age_days_max")


def _securities(account: ReserveAccount, as_of: date, policies: PolicySet, out: list[NotCounted]) -> int:
    total = 0
    for each in sorted(account.holdings, key=lambda holding: holding.security_id):
        cause = _document_missing(account, as_of)
        if cause is None and each.kind not in policies.words("reserve_account_securities"):
            cause = Cause.NOT_QUALIFIED
        if cause is None and not _priced(each, as_of, policies):
            cause = Cause.NO_PRICE
        if cause is None and each.market_value is not None:
            total += each.market_value
        elif cause is not None:
            out.append(NotCounted(account.account_id, each.security_id, cause, each.market_value))
    return total


def _priced(holding: ReserveHolding, as_of: date, policies: PolicySet) -> bool:
    if holding.market_value is None or holding.priced_on is None:
        return False
    return 0 <= (as_of - holding.priced_on).days <= policies.integer("price_age_days_max")


def _cap_groups(accounts: list[ReserveAccount], policies: PolicySet) -> list[list[ReserveAccount]]:
    """The accounts whose cash is measured together against one bank's cap."""
    together = policies.text("bank_cap_pab_and_customer") == "together"
    groups: dict[tuple[str, str], list[ReserveAccount]] = defaultdict(list)
    for account in accounts:
        groups[account.bank_id, "" if together else account.purpose].append(account)
    return list(groups.values())


def _apply_cap(
    group: list[ReserveAccount], cap: int, cash: dict[str, int], left_out: dict[str, list[NotCounted]]
) -> None:
    """Take what is above the cap out of the accounts in proportion to their cash, exact by largest remainder."""
    total = sum(cash[each.account_id] for each in group)
    if total <= cap:
        return
    kept = {each.account_id: cash[each.account_id] * cap // total for each in group}
    by_remainder = sorted(group, key=lambda each: (-(cash[each.account_id] * cap % total), each.account_id))
    for each in by_remainder[: cap - sum(kept.values())]:
        kept[each.account_id] += 1
    for each in group:
        above = cash[each.account_id] - kept[each.account_id]
        cash[each.account_id] = kept[each.account_id]
        if above:
            left_out[each.account_id].append(NotCounted(each.account_id, "cash", Cause.ABOVE_BANK_CAP, above))
