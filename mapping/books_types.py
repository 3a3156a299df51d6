"""What the firm's books say at the close of a day: balances, the stock record, trades, clearing margin, liens.

The rows from which the lines of the reserve computations and the possession or control review are derived. Frozen
dataclasses that check themselves. Amounts are whole US cents, zero or more; quantities are base units of the security;
dates are civil dates of the firm, times aware and in UTC.

A row speaks of the close of its `as_of` day. The books of a day are the rows of exactly that day, and are complete only
when a `BooksClose` of that day counts them: a row that is missing is not a zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from chains.errors import InvalidValue
from chains.types import Address, AssetId, ChainId, LocationId, require_utc
from mapping.reserve_types import ReserveClass


class HolderClass(StrEnum):
    """Whose account it is, for 15c3-3(a)(1) and (a)(16)."""

    CUSTOMER = "customer"
    PAB = "pab"
    NON_CUSTOMER = "non_customer"
    """Directors, principal officers, general partners, subordinated lenders; proprietary DVP/RVP: in no computation."""
    FIRM = "firm"


class AccountType(StrEnum):
    """What kind of account it is."""

    CASH = "cash"
    MARGIN = "margin"
    SHORT = "short"
    """A short account; its credit is the proceeds of short sales, marked to the market."""
    OMNIBUS = "omnibus"
    """Special omnibus account under Regulation T section 7(f), for another broker-dealer's customers."""


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """The money balance of one account at the close of a day; at most one side is more than zero."""

    as_of: date
    account_id: str
    client_id: str
    """The owner: accounts with one owner are combined for the 140 percent of (a)(5). Empty for the firm's own."""
    holder_class: HolderClass
    account_type: AccountType
    credit_balance: int
    debit_balance: int

    def __post_init__(self) -> None:
        _require_cents(self.credit_balance, self.debit_balance)
        if self.credit_balance and self.debit_balance:
            raise InvalidValue("an account has a credit or a debit balance, not both")
        if (self.holder_class is HolderClass.FIRM) != (self.client_id == ""):
            raise InvalidValue("an account has an owner, and the firm's own has none")


class OwnerRelation(StrEnum):
    """How an account's owner stands to the firm, Exhibit A Note E(4)."""

    NONE = "none"
    HOUSEHOLD = "household"
    AFFILIATE = "affiliate"


@dataclass(frozen=True, slots=True)
class AccountRelation:
    """What is known about an account beside its balance, from a day on. An account without one has the defaults."""

    account_id: str
    effective_from: date
    single_customer_id: str = ""
    """Shared by related accounts (common control, cross-guarantee) for Note E(5); empty: the owner alone."""
    relation: OwnerRelation = OwnerRelation.NONE
    non_customer_share: Fraction = Fraction(0)
    """Part of a joint or fund account that belongs to non-customers, 0 to 1, Note E(6)."""
    unsecured_or_doubtful: bool = False
    related_to_credits: int = 0
    """Cents of the debit directly related to credit items, Note E(4) to (6)."""
    omnibus_deficit: int = 0
    recent_calls: int = 0
    """Cents called on an omnibus account, outstanding five business days or less, Note E(2)."""
    relief_excepted: int = 0
    """Cents that the examining authority excepted from Note E(5)."""
    relief_requested_on: date | None = None
    hypothecation_consent_on: date | None = None
    """Written consent that margin securities be pledged together with other customers', 17 CFR 240.8c-1."""
    lending_consent_on: date | None = None
    """Written consent that margin securities be lent."""
    fully_paid_lending_agreement_on: date | None = None
    """Written agreement under 15c3-3(b)(3) by which the firm borrows the customer's fully paid securities."""
    pab_use_notice_on: date | None = None
    """Written notice to a PAB account that its securities may be used, with time to object, 15c3-3(b)(5)."""

    def __post_init__(self) -> None:
        _require_cents(self.related_to_credits, self.omnibus_deficit, self.recent_calls, self.relief_excepted)
        if not 0 <= self.non_customer_share <= 1:
            raise InvalidValue("non_customer_share is from 0 to 1")


class StockPlace(StrEnum):
    """Where a line of the stock record stands: an owner's position, or the place that answers for it."""

    ACCOUNT = "account"
    """A position of an account; which class it is stands in accounts.csv."""
    DEPOSITORY = "depository"
    """DTC or another clearing corporation, free of payment: (c)(1)."""
    BOX = "box"
    """In the firm's own physical possession, (b)(1); for a crypto asset security a wallet the firm alone controls."""
    IN_TRANSIT = "in_transit"
    """Between the firm's own offices, (c)(6)."""
    TRANSFER = "transfer"
    """At a transfer agent, (c)(3)."""
    BANK_CUSTODY = "bank_custody"
    """At a bank, free of any lien, (c)(5)."""
    FOREIGN_DEPOSITORY = "foreign_depository"
    """(c)(4)."""
    OMNIBUS_AT_BROKER = "omnibus_at_broker"
    """Special omnibus account at another broker-dealer, (c)(2)."""
    OTHER_DESIGNATED = "other_designated"
    """Another location that the Commission designated, (c)(7)."""
    BANK_LOAN = "bank_loan"
    STOCK_LOAN = "stock_loan"
    STOCK_BORROW = "stock_borrow"
    FAIL_TO_RECEIVE = "fail_to_receive"
    FAIL_TO_DELIVER = "fail_to_deliver"
    DIVIDEND_RECEIVABLE = "dividend_receivable"
    """Stock dividends, splits and similar distributions not yet received."""
    SUSPENSE = "suspense"
    COUNT_DIFFERENCE = "count_difference"
    CLEARING_MARGIN = "clearing_margin"
    """On deposit as margin at a clearing agency."""


class StockSide(StrEnum):
    """Long: owned or owed to. Short: the place that answers for it. Per security and day the two sides are equal."""

    LONG = "long"
    SHORT = "short"


SHORT_ONLY = frozenset(
    {
        StockPlace.DEPOSITORY,
        StockPlace.BOX,
        StockPlace.IN_TRANSIT,
        StockPlace.TRANSFER,
        StockPlace.BANK_CUSTODY,
        StockPlace.FOREIGN_DEPOSITORY,
        StockPlace.OMNIBUS_AT_BROKER,
        StockPlace.OTHER_DESIGNATED,
        StockPlace.BANK_LOAN,
        StockPlace.STOCK_LOAN,
        StockPlace.FAIL_TO_RECEIVE,
        StockPlace.DIVIDEND_RECEIVABLE,
        StockPlace.CLEARING_MARGIN,
    }
)
"""Places that answer for what accounts own."""

LONG_ONLY = frozenset({StockPlace.STOCK_BORROW, StockPlace.FAIL_TO_DELIVER})
"""Places to which the firm owes delivery."""

AGED = frozenset(
    {
        StockPlace.IN_TRANSIT,
        StockPlace.TRANSFER,
        StockPlace.BANK_LOAN,
        StockPlace.STOCK_LOAN,
        StockPlace.STOCK_BORROW,
        StockPlace.FAIL_TO_RECEIVE,
        StockPlace.FAIL_TO_DELIVER,
        StockPlace.DIVIDEND_RECEIVABLE,
        StockPlace.SUSPENSE,
        StockPlace.COUNT_DIFFERENCE,
    }
)
"""Places whose lines have an age: `since` is required."""

CONTRACTED = frozenset(
    {
        StockPlace.STOCK_LOAN,
        StockPlace.STOCK_BORROW,
        StockPlace.FAIL_TO_RECEIVE,
        StockPlace.FAIL_TO_DELIVER,
    }
)
"""Places whose lines have a contract value: `contract_value` is required."""


@dataclass(frozen=True, slots=True)
class StockLine:
    """One line of the stock record (securities record, 17a-3(a)(5)) at the close of a day."""

    as_of: date
    line_id: str
    """The firm's id of the line, unique within the day."""
    security_id: AssetId
    place: StockPlace
    side: StockSide
    base_units: int
    """Quantity, more than zero; zero only where `closed` says that the line is no more."""
    price: Decimal
    """US dollars for one whole unit at the close; one price per security and day."""
    account_id: str = ""
    """For `account` the account; for loans, fails and clearing margin the account it is known to be for, or empty."""
    location_id: LocationId | None = None
    """Where it can be checked: `dtc:0123`, `bank:ID`, `prime:ID`, a wallet or pool; None where there is none."""
    counterparty: str = ""
    """Lender, borrower, other broker-dealer, agency, transfer agent."""
    reference: str = ""
    """Id of the lien for a bank loan, of the trade for a fail, of the agency for clearing margin."""
    since: date | None = None
    """From when its age counts."""
    contract_value: int | None = None
    """Cents: of a fail the contract amount; of a loan or borrow the money payable or deposited against it."""
    collateral: int | None = None
    """Cents of collateral received for securities loaned, Note C; None takes `contract_value`."""
    confirmed_on: date | None = None
    """When the transfer agent or issuer confirmed that it is in transfer, item 9."""
    closed: bool = False
    """A row that takes back an earlier one of its line; `Books` never holds it."""

    def __post_init__(self) -> None:
        if self.closed != (self.base_units == 0) or self.base_units < 0:
            raise InvalidValue("a line of the stock record has a quantity above zero; zero closes it, with closed=yes")
        if not self.price.is_finite() or self.price < 0:
            raise InvalidValue("a price is a finite number, zero or more")
        _require_cents(self.contract_value, self.collateral)
        if self.place in SHORT_ONLY and self.side is not StockSide.SHORT:
            raise InvalidValue(f"{self.place} answers for what accounts own: its side is short")
        if self.place in LONG_ONLY and self.side is not StockSide.LONG:
            raise InvalidValue(f"to {self.place} the firm owes delivery: its side is long")
        if self.place is StockPlace.ACCOUNT and not self.account_id:
            raise InvalidValue("a position of an account names the account")
        if self.place in AGED and self.since is None:
            raise InvalidValue(f"{self.place} has an age: since is required")
        if self.since is not None and self.since > self.as_of:
            raise InvalidValue("since is after as_of")
        if self.place in CONTRACTED and self.contract_value is None:
            raise InvalidValue(f"{self.place} has a contract value")


@dataclass(frozen=True, slots=True)
class SecurityFact:
    """What is known about a security beside its price, from a day on. A security without one is not exempted."""

    security_id: AssetId
    effective_from: date
    exempted: bool
    """An exempted security, such as a Treasury: never concentrated, Note E(1)."""
    reference: str


class ControlParagraph(StrEnum):
    """The paragraph of 15c3-3 by which a location is possession or control."""

    B1 = "b1"
    """Physical possession, (b)(1); for a crypto asset security the staff statement of 2025-12-17."""
    C1 = "c1"
    C2 = "c2"
    C3 = "c3"
    C4 = "c4"
    C5 = "c5"
    C6 = "c6"
    C7 = "c7"


@dataclass(frozen=True, slots=True)
class ControlLocation:
    """The dated evidence that a location is a good control location; without it, it is none."""

    location_id: LocationId
    effective_from: date
    paragraph: ControlParagraph
    evidence_on: date
    """Date of the no-lien acknowledgement, the designation, the instructions or the policies."""
    reference: str
    valid_until: date | None = None
    """Last day the evidence holds; None while it has no end."""


class Rail(StrEnum):
    """Where a trade settles."""

    DTC = "dtc"
    CHAIN = "chain"
    CASH = "cash"


class TradeSide(StrEnum):
    """What the account did."""

    BUY = "buy"
    SELL = "sell"


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade of an account, settled by contract on a day, and the chain leg that is expected to settle it."""

    trade_id: str
    account_id: str
    side: TradeSide
    asset_id: AssetId
    base_units: int
    contract_amount: int
    """Cents that the account pays or is paid."""
    price: Decimal
    """US dollars for one whole unit at the trade."""
    trade_date: date
    settlement_date: date
    rail: Rail
    chain_id: ChainId | None = None
    wallet: Address | None = None
    """Of ours: where the leg arrives for a buy, from where it leaves for a sell."""
    tx_id: str = ""
    """The transaction, where it is known beforehand; else the leg is found by wallet, asset and quantity."""
    settled_on: date | None = None
    """Settled on another rail than a chain; a chain leg is settled by its block alone."""

    def __post_init__(self) -> None:
        if self.base_units <= 0:
            raise InvalidValue("a trade has a quantity above zero")
        _require_cents(self.contract_amount)
        if self.settlement_date < self.trade_date:
            raise InvalidValue("settlement_date is before trade_date")
        if (self.rail is Rail.CHAIN) != (self.chain_id is not None and self.wallet is not None):
            raise InvalidValue("a chain leg names its chain and our wallet; another rail names neither")
        if self.rail is Rail.CHAIN and self.settled_on is not None:
            raise InvalidValue("a chain leg is settled by its block, never by a stated day")


class MarginAgency(StrEnum):
    """Which item of Exhibit A a deposit at a clearing organization belongs to."""

    OPTIONS = "options"
    """Item 13: the Options Clearing Corporation."""
    FUTURES = "futures"
    """Item 14: security futures and portfolio-margined futures."""
    TREASURIES = "treasuries"
    """Item 15: transactions in U.S. Treasury securities."""


class MarginHeldAs(StrEnum):
    """In what form margin lies on deposit."""

    CASH = "cash"
    PROPRIETARY_QUALIFIED_SECURITIES = "proprietary_qualified_securities"
    LETTER_OF_CREDIT_ON_CUSTOMER_SECURITIES = "letter_of_credit_on_customer_securities"
    CUSTOMER_SECURITIES = "customer_securities"
    CUSTOMER_CASH = "customer_cash"
    FIRM_TREASURIES = "firm_treasuries"
    FIRM_CASH = "firm_cash"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ClearingMargin:
    """Margin that one agency requires, and one deposit of one form against it, for customers or PAB accounts."""

    as_of: date
    margin_id: str
    computation: ReserveClass
    agency_kind: MarginAgency
    agency: str
    """Names a row of clearing_agencies.csv."""
    client_id: str
    """Whose positions, for item 15; empty for items 13 and 14."""
    required: int
    on_deposit: int
    held_as: MarginHeldAs
    customer_only: bool = False
    """Held for this customer's positions and no other's, Note H(b)(1)."""
    arose_on: date | None = None
    customer_was_short: bool = False
    called_on: date | None = None
    delivered_on: date | None = None
    """The history of firm Treasuries put up for a customer, Note H(b)(1)(iii)."""

    def __post_init__(self) -> None:
        _require_cents(self.required, self.on_deposit)
        if (self.agency_kind is MarginAgency.TREASURIES) != bool(self.client_id):
            raise InvalidValue("item 15 is measured customer by customer, items 13 and 14 are not")


@dataclass(frozen=True, slots=True)
class ClearingAgency:
    """What the firm found about a clearing organization: Note G for items 13 and 14, Note H for item 15."""

    agency: str
    effective_from: date
    agency_kind: MarginAgency
    determined_on: date | None = None
    """The firm's yearly determination under Note G."""
    security_deposits: int = 0
    assessment_power: int = 0
    margin_deposits: int = 0
    exempted_by_commission: bool = False
    no_lien_letter: bool = False
    safeguards: bool = False
    undertaking: bool = False
    rules_approved_on: date | None = None
    notice_published_on: date | None = None
    notice_withdrawn_on: date | None = None
    conditions_on: date | None = None
    """From when all conditions of Note H(b)(2) are evidenced; None while one is not."""

    def __post_init__(self) -> None:
        _require_cents(self.security_deposits, self.assessment_power, self.margin_deposits)


class LienKind(StrEnum):
    """For whose borrowing the lender has the lien."""

    CUSTOMERS = "customers"
    FIRM = "firm"


@dataclass(frozen=True, slots=True)
class Lien:
    """Money borrowed from one lender on securities, at the close of a day; pledged lines name it by `lien_id`."""

    as_of: date
    lien_id: str
    lender: str
    kind: LienKind
    amount: int

    def __post_init__(self) -> None:
        _require_cents(self.amount)


class OtherNature(StrEnum):
    """What an amount of the formula that stands in no account and no stock line is."""

    DRAFT = "draft"
    """Outstanding draft payable to a customer, Note A: item 1."""
    BANK_OVERDRAFT = "bank_overdraft"
    """Checks drawn in excess of the bank balance, Note A: item 1."""
    OTHER_CREDIT = "other_credit"
    """Another credit of customers' accounts: item 1."""
    LETTER_OF_CREDIT = "letter_of_credit"
    """Collateralized by customers' securities, to the margin requirement, Note B: item 2."""
    PRINCIPAL_SALE = "principal_sale"
    """Credit in a firm account attributable to principal sales: item 5."""
    SUSPENSE_CREDIT = "suspense_credit"
    """Money credit of a suspense account: item 8, by age."""


@dataclass(frozen=True, slots=True)
class OtherAmount:
    """An amount of the formula that stands in no account and no line of the stock record."""

    as_of: date
    amount_id: str
    computation: ReserveClass
    nature: OtherNature
    cents: int
    reference: str
    since: date | None = None
    """For a suspense credit."""

    def __post_init__(self) -> None:
        _require_cents(self.cents)
        if (self.nature is OtherNature.SUSPENSE_CREDIT) and self.since is None:
            raise InvalidValue("a suspense credit has an age: since is required")


class PabReliefKind(StrEnum):
    """Which note takes an amount out of the PAB computation."""

    PRE_SETTLEMENT_DEPOSIT = "pre_settlement_deposit"
    """Note 7."""
    SWEEP = "sweep"
    """Note 8."""


@dataclass(frozen=True, slots=True)
class PabRelief:
    """A deposit before settlement (PAB Note 7) or a sweep into a fund (PAB Note 8) of one PAB account."""

    relief_id: str
    kind: PabReliefKind
    account_id: str
    cents: int
    on: date
    """Note 7: the day it was received. Note 8: the as-of date whose credit it sweeps."""
    done_at: datetime | None
    """When it reached the separate account, or was swept; None while it has not."""
    free_of_lien: bool
    """Note 8: free of any lien of the firm's."""

    def __post_init__(self) -> None:
        _require_cents(self.cents)
        if self.done_at is not None:
            require_utc(self.done_at, "done_at")


class BooksFile(StrEnum):
    """The files that make up the books of a day, in one word each."""

    ACCOUNTS = "accounts"
    STOCK_RECORD = "stock_record"
    CLEARING_MARGIN = "clearing_margin"
    LIENS = "liens"
    OTHER_AMOUNTS = "other_amounts"


@dataclass(frozen=True, slots=True)
class BooksClose:
    """The firm's word that a day's rows of one file are complete: how many there are, and their total.

    Without one for each file, or with another count or total than the rows have, no line is derived from the books.
    """

    as_of: date
    file: BooksFile
    rows: int
    total: Decimal
    """Control total, exact: of stock_record.csv the sum of its quantities in whole units; of the others US dollars
    (accounts: credits plus debits; clearing margin: on deposit)."""
    reference: str

    def __post_init__(self) -> None:
        if self.rows < 0 or self.total < 0:
            raise InvalidValue("a count and a control total are zero or more")


BooksRecord = (
    AccountBalance
    | AccountRelation
    | StockLine
    | SecurityFact
    | ControlLocation
    | Trade
    | ClearingMargin
    | ClearingAgency
    | Lien
    | OtherAmount
    | PabRelief
    | BooksClose
)
"""Any row of the files of the firm's books."""


def _require_cents(*amounts: int | None) -> None:
    for cents in amounts:  # a loop: millions of rows ask this, and a generator costs five times as much
        if cents is not None and cents < 0:
            raise InvalidValue("an amount is zero or more")
