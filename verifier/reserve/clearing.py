"""Items 13 to 15: margin required and on deposit at clearing organizations, Exhibit A Notes F, G and H, and PAB Note 9.

"Required and on deposit" is the smaller of the two. Items 13 and 14 count only cash, the firm's own qualified
securities, and letters of credit collateralized by customers' securities; a customer's own securities are no debit.
Item 15 is measured customer by customer, gross; the firm's cash never counts there, its Treasuries only for the one day
of Note H(b)(1)(iii).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from chains.errors import InvalidValue
from exports.reserve.money import require_cents
from exports.reserve.policies import PolicySet
from verifier.reserve.calendar import BankCalendar


class MarginForm(StrEnum):
    """What lies on deposit, for items 13 and 14."""

    CASH = "cash"
    PROPRIETARY_QUALIFIED_SECURITIES = "proprietary_qualified_securities"
    LETTER_OF_CREDIT_ON_CUSTOMER_SECURITIES = "letter_of_credit_on_customer_securities"
    CUSTOMER_SECURITIES = "customer_securities"
    OTHER = "other"


_FORMS_F_AND_G: Final = frozenset(
    {
        MarginForm.CASH,
        MarginForm.PROPRIETARY_QUALIFIED_SECURITIES,
        MarginForm.LETTER_OF_CREDIT_ON_CUSTOMER_SECURITIES,
    }
)


def item_13(required: int, on_deposit: Iterable[tuple[MarginForm, int]]) -> int:
    """Margin at the Options Clearing Corporation that is a debit (Note F), in cents."""
    deposits = list(on_deposit)
    require_cents(required, "margin required")
    for form, cents in deposits:
        require_cents(cents, f"margin on deposit as {form}")
    return min(required, sum(cents for form, cents in deposits if form in _FORMS_F_AND_G))


class NoteGStanding(StrEnum):
    """Which of the alternatives of Note G a clearing organization meets, Note G(b)(1)."""

    DEPOSITS_AND_ASSESSMENTS = "deposits_and_assessments"
    """Security deposits and assessment power of $2 billion, $500 million of it deposits."""
    MARGIN_DEPOSITS = "margin_deposits"
    """Margin deposits of $3 billion."""
    EXEMPTED = "exempted"
    """By order of the Commission."""


NOTE_G_DEPOSITS_AND_ASSESSMENTS: Final = 2_000_000_000_00
NOTE_G_DEPOSITS: Final = 500_000_000_00
NOTE_G_MARGIN: Final = 3_000_000_000_00


@dataclass(frozen=True, slots=True)
class NoteGDetermination:
    """The firm's own finding about one clearing organization, due at least once a year. Amounts in US cents."""

    determined_on: date
    security_deposits: int
    assessment_power: int
    margin_deposits: int
    exempted_by_commission: bool
    no_lien_letter: bool
    """Of the bank that holds the deposits."""
    safeguards: bool
    """Custody safeguards, fidelity bond and examinations."""
    undertaking: bool
    """Of a derivatives clearing organization to the Commission; true for a registered clearing agency."""

    def standing(self) -> NoteGStanding | None:
        """The first alternative that is met, each limit included; None when none is."""
        deposits, power = self.security_deposits, self.assessment_power
        if deposits + power >= NOTE_G_DEPOSITS_AND_ASSESSMENTS and deposits >= NOTE_G_DEPOSITS:
            return NoteGStanding.DEPOSITS_AND_ASSESSMENTS
        if self.margin_deposits >= NOTE_G_MARGIN:
            return NoteGStanding.MARGIN_DEPOSITS
        return NoteGStanding.EXEMPTED if self.exempted_by_commission else None


def note_g_problems(determination: NoteGDetermination, as_of: date, policies: PolicySet) -> list[str]:
    """Why margin at the organization is no debit on a date; empty when every condition holds."""
    age = (as_of - determination.determined_on).days
    checks = (
        (0 <= age <= policies.integer("note_g_determination_days_max"), "the yearly determination is missing or old"),
        (determination.standing() is not None, "none of the three alternatives of Note G is met"),
        (determination.no_lien_letter, "the bank's no-lien letter is missing"),
        (determination.safeguards, "safeguards, fidelity bond or examinations are missing"),
        (determination.undertaking, "the undertaking to the Commission is missing"),
    )
    return [reason for good, reason in checks if not good]


def item_14(
    required: int,
    on_deposit: Iterable[tuple[MarginForm, int]],
    determination: NoteGDetermination,
    as_of: date,
    policies: PolicySet,
) -> int:
    """Margin for security and portfolio-margined futures that is a debit (Note G); 0 where a condition fails."""
    counted = item_13(required, on_deposit)
    return 0 if note_g_problems(determination, as_of, policies) else counted


class AgencyCondition(StrEnum):
    """What the rules of a qualified clearing agency must provide, Note H(b)(2)."""

    SEPARATE_AND_GROSS = "separate_and_gross"
    """Margin is calculated for each customer by itself and delivered gross."""
    CASH_IN_SHORT_TREASURIES = "cash_in_short_treasuries"
    """Cash is invested only in Treasuries of one year or less."""
    SPECIAL_CLEARING_ACCOUNT = "special_clearing_account"
    """A Special Clearing Account for the Exclusive Benefit of the Customers of the firm."""
    WRITTEN_NOTICE = "written_notice"
    NO_LIEN_CONTRACT = "no_lien_contract"
    HELD_SEGREGATED = "held_segregated"
    """By the agency itself, at a Federal Reserve Bank or at an FDIC-insured bank, with notice and contract."""
    RETURNS_EXCESS = "returns_excess"


@dataclass(frozen=True, slots=True)
class TreasuryAgency:
    """A clearing agency for Treasury securities and the dated evidence that it is a qualified one."""

    name: str
    rules_approved_on: date | None
    notice_published_on: date | None
    """The Commission's notice that the debit may be taken, Note H(b)(3)."""
    notice_withdrawn_on: date | None
    evidence: tuple[tuple[AgencyCondition, date], ...]
    """From when each condition is evidenced."""

    def problems(self, as_of: date) -> list[str]:
        """Why it is no qualified clearing agency on a date; empty when it is one."""
        found = []
        for day, reason in (
            (self.rules_approved_on, "its rules are not approved"),
            (self.notice_published_on, "the Commission's notice is not published"),
        ):
            if day is None or day > as_of:
                found.append(reason)
        if self.notice_withdrawn_on is not None and self.notice_withdrawn_on <= as_of:
            found.append("the Commission's notice was withdrawn")
        held = {condition for condition, day in self.evidence if day <= as_of}
        found += [f"no evidence of {condition}" for condition in AgencyCondition if condition not in held]
        return found


class TreasuryForm(StrEnum):
    """Whose margin lies at the Treasury clearing agency."""

    CUSTOMER_CASH = "customer_cash"
    """Cash owed to the customer; it stays a credit of item 1."""
    CUSTOMER_SECURITIES = "customer_securities"
    """Treasuries or qualified customer securities held for the customer; a credit of item 2 at market, Note B."""
    FIRM_TREASURIES = "firm_treasuries"
    FIRM_CASH = "firm_cash"
    """Prefunding by the firm in cash: never a debit."""


@dataclass(frozen=True, slots=True)
class MarginCall:
    """The history of firm Treasuries put up for a customer, Note H(b)(1)(iii)."""

    arose_on: date
    """When the requirement arose, and the customer had not enough collateral."""
    customer_was_short: bool
    called_on: date | None
    delivered_on: date | None
    """When the customer delivered; None while it has not."""

    def holds(self, as_of: date, calendar: BankCalendar) -> bool:
        """Called the day it arose, and delivered by the close of the next business day or still within it."""
        if not self.customer_was_short or self.called_on != self.arose_on or self.arose_on > as_of:
            return False
        last = calendar.add_business_days(self.arose_on, 1)
        if self.delivered_on is not None and self.delivered_on <= as_of:
            return self.delivered_on <= last
        return as_of < last


@dataclass(frozen=True, slots=True)
class TreasuryDeposit:
    """Margin of one form that lies at the agency for one customer."""

    customer_id: str
    form: TreasuryForm
    cents: int
    """US cents, securities at market."""
    customer_only: bool
    """Held for this customer's positions and no other's."""
    call: MarginCall | None = None
    """For firm Treasuries."""

    def counts(self, as_of: date, calendar: BankCalendar) -> bool:
        """Whether the deposit meets Note H(b)(1)."""
        if self.form is TreasuryForm.FIRM_CASH or not self.customer_only:
            return False
        if self.form is TreasuryForm.FIRM_TREASURIES:
            return self.call is not None and self.call.holds(as_of, calendar)
        return True


@dataclass(frozen=True, slots=True)
class Item15:
    """The debit by customer and the credits that go with it. Amounts in US cents."""

    debits: tuple[tuple[str, int], ...]
    """Customer and debit, sorted by customer; zero where nothing counts."""
    customer_cash: int
    """Part of item 1: customers' cash at the agency stays owed to them."""
    customer_securities: int
    """Part of item 2 at market: customers' securities on deposit, whether or not they give a debit."""
    problems: tuple[str, ...]
    """Why the agency is no qualified one; then every debit is zero."""

    @property
    def cents(self) -> int:
        """Item 15."""
        return sum(cents for _, cents in self.debits)


def item_15(
    required: Iterable[tuple[str, int]],
    deposits: Iterable[TreasuryDeposit],
    agency: TreasuryAgency,
    as_of: date,
    calendar: BankCalendar,
) -> Item15:
    """Treasury clearing margin (Note H): for each customer the smaller of required and what counts on deposit."""
    needed: dict[str, int] = {}
    for customer, cents in required:
        if customer in needed:
            raise InvalidValue(f"the margin required of {customer} is given twice")
        needed[customer] = require_cents(cents, f"margin required of {customer}")
    counted: dict[str, int] = defaultdict(int)
    totals: dict[TreasuryForm, int] = defaultdict(int)
    for deposit in deposits:
        totals[deposit.form] += require_cents(deposit.cents, f"margin of {deposit.customer_id}")
        if deposit.counts(as_of, calendar):
            counted[deposit.customer_id] += deposit.cents
    problems = agency.problems(as_of)
    debits = [
        (customer, 0 if problems else min(needed.get(customer, 0), counted[customer]))
        for customer in sorted(set(needed) | set(counted))
    ]
    return Item15(
        tuple(debits),
        totals[TreasuryForm.CUSTOMER_CASH],
        totals[TreasuryForm.CUSTOMER_SECURITIES],
        tuple(problems),
    )
