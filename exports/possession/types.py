"""The inputs of a review: issues, what owners are owed of them, and the stock record's lines that answer for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from chains.types import AssetId, LocationId
from exports.possession.errors import ReviewRefused
from exports.reserve.money import require_cents

DIGITS_MAX: Final = 60
DECIMALS_MAX: Final = 255
"""Limits of prices and of decimals, so that no text can ask for endless numbers."""


class IssueKind(StrEnum):
    """What an asset is under the securities laws, as the firm decided."""

    SECURITY = "security"
    """15c3-3(b) applies."""
    NOT_SECURITY = "not_security"
    """Non-security crypto and payment stablecoins: shown beside what answers for them, never a possession deficit."""
    UNDETERMINED = "undetermined"
    """Treated as a security, and unverified whatever the figures are."""


class Place(StrEnum):
    """Where a line of the stock record stands, in the words of the stock record."""

    ACCOUNT = "account"
    """The short position of an account."""
    DEPOSITORY = "depository"
    BOX = "box"
    IN_TRANSIT = "in_transit"
    TRANSFER = "transfer"
    BANK_CUSTODY = "bank_custody"
    FOREIGN_DEPOSITORY = "foreign_depository"
    OMNIBUS_AT_BROKER = "omnibus_at_broker"
    OTHER_DESIGNATED = "other_designated"
    BANK_LOAN = "bank_loan"
    STOCK_LOAN = "stock_loan"
    FAIL_TO_RECEIVE = "fail_to_receive"
    DIVIDEND_RECEIVABLE = "dividend_receivable"
    SUSPENSE = "suspense"
    COUNT_DIFFERENCE = "count_difference"
    CLEARING_MARGIN = "clearing_margin"


PARAGRAPHS: Final = {
    Place.DEPOSITORY: "c1",
    Place.BOX: "b1",
    Place.BANK_CUSTODY: "c5",
    Place.FOREIGN_DEPOSITORY: "c4",
    Place.OMNIBUS_AT_BROKER: "c2",
    Place.OTHER_DESIGNATED: "c7",
}
"""Places that are possession or control by dated evidence of their location, and the paragraph it must be of."""


def case_place(security_id: AssetId) -> LocationId:
    """Where the case of an issue's deficit lies: it speaks of the issue over all its locations."""
    return LocationId(f"control:{security_id.replace('/', '%2F')}")


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue of securities or one digital asset, with its price at the close."""

    security_id: AssetId
    kind: IssueKind
    decimals: int
    price: Decimal
    """US dollars for one whole unit."""
    exempted: bool
    """An exempted security, such as a Treasury: paragraph (m) is suspended for it."""

    def __post_init__(self) -> None:
        sign, digits, exponent = self.price.as_tuple()
        is_number = isinstance(exponent, int) and not sign and max(len(digits), abs(exponent)) <= DIGITS_MAX
        if not is_number or not 0 <= self.decimals <= DECIMALS_MAX:
            raise ReviewRefused(f"the price or the decimals of {self.security_id} are none")


@dataclass(frozen=True, slots=True)
class Holding:
    """What one owner has of one issue, in base units."""

    security_id: AssetId
    fully_paid: int
    """Carried fully paid, (a)(3)."""
    margin: int
    """Carried in margin accounts, (a)(4): what of it is excess margin follows from the owner's debits."""

    def __post_init__(self) -> None:
        if self.fully_paid < 0 or self.margin < 0 or not self.fully_paid + self.margin:
            raise ReviewRefused(f"a holding of {self.security_id} is more than zero")


@dataclass(frozen=True, slots=True)
class Holder:
    """One owner over all accounts, (a)(5): positions, and the debits of all margin accounts together."""

    holder_id: str
    """`customer:ID` or `pab:ID` of the owner."""
    debit: int
    """US cents: the sum of debit balances; a credit, such as of short sales, lowers it by nothing."""
    holdings: tuple[Holding, ...]
    """One for each issue, by its id."""

    def __post_init__(self) -> None:
        require_cents(self.debit, f"the debit of {self.holder_id}")
        ids = [each.security_id for each in self.holdings]
        if ids != sorted(set(ids)):
            raise ReviewRefused(f"the holdings of {self.holder_id} are not in order, or one is there twice")


@dataclass(frozen=True, slots=True)
class Move:
    """An accepted substitution: another security of the same owners is locked up in place of one."""

    move_id: str
    holder_id: str
    """Whose; empty for any owner, in the order of their ids."""
    from_id: AssetId
    to_id: AssetId
    base_units: int
    """At most so much of `from_id` is released."""

    def __post_init__(self) -> None:
        if self.base_units <= 0 or self.from_id == self.to_id:
            raise ReviewRefused("a substitution moves more than zero from one security to another")


@dataclass(frozen=True, slots=True)
class Evidence:
    """The dated evidence that a location is possession or control."""

    paragraph: str
    """`b1` or `c1` to `c7`."""
    effective_from: date
    evidence_on: date
    valid_until: date | None
    """Last day it holds; None while it has no end."""
    reference: str


@dataclass(frozen=True, slots=True)
class OnChain:
    """What is known of a wallet, or of all wallets of a pool, that a line says a digital asset lies in."""

    observed: int | None
    """Base units of the issue that a sweep observed there; None when none did, or it could not be read."""
    firm_alone_can_sign: bool
    others_can_sign: bool
    """Somebody else without the firm, by the mapping."""
    others_could_move: bool
    """A sweep found an allowance, a delegate, a module or an issuer's stop that the firm did not accept."""
    proven_on: date | None
    """Issue date of the newest challenge that the key signed; of a pool the oldest of its wallets; None without."""

    def __post_init__(self) -> None:
        if self.observed is not None and self.observed < 0:
            raise ReviewRefused("an observed balance is zero or more")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the stock record that answers for what owners are owed."""

    line_id: str
    security_id: AssetId
    place: Place
    base_units: int
    location_id: str = ""
    since: date | None = None
    """From when its age counts."""
    confirmed_on: date | None = None
    """When the transfer agent or issuer confirmed a transfer."""
    business_age: int | None = None
    """Business days since `since`, by the firm's calendar, where the rule counts them."""
    evidence: Evidence | None = None
    on_chain: OnChain | None = None
    """For a line at a wallet or pool."""
    is_customer_sale: bool = False
    """The short position of a customer's cash account: a sale for which nothing was delivered, (m)."""

    def __post_init__(self) -> None:
        if self.base_units <= 0:
            raise ReviewRefused(f"the line {self.line_id} has no quantity")
        if self.business_age is not None and self.business_age < 0:
            raise ReviewRefused(f"the line {self.line_id} is younger than a day")
