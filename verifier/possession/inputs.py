"""From the books of a day to the inputs of a review: owners over all their accounts, and lines that answer for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from chains.types import AssetId, LocationId
from exports.possession.errors import ReviewRefused
from exports.possession.review import ReviewInputs
from exports.possession.types import PARAGRAPHS, Evidence, Holder, Holding, Issue, IssueKind, Line, Move, OnChain, Place
from exports.reserve.policies import PolicySet
from mapping.books import Books
from mapping.books_types import (
    AccountBalance,
    AccountRelation,
    AccountType,
    ControlLocation,
    HolderClass,
    StockLine,
    StockPlace,
    StockSide,
)
from mapping.types import LegalClass

BusinessDays = Callable[[date, date], int]
"""Business days after the first day up to and including the last."""

_ELSEWHERE: Final = ("dtc:", "bank:", "prime:")
"""Beginnings of locations whose holdings no chain shows; every other one is a wallet or a pool."""
_OWNED: Final = frozenset({HolderClass.CUSTOMER, HolderClass.PAB})


@dataclass(frozen=True, slots=True)
class WalletFacts:
    """What is known of a wallet, or of all wallets of a pool, beside its balances."""

    firm_alone_can_sign: bool
    others_can_sign: bool
    proven_on: date | None


@dataclass(frozen=True, slots=True)
class ChainFacts:
    """What mapping and sweeps say of the places on chain at a moment."""

    places: Mapping[LocationId, WalletFacts] = field(default_factory=dict)
    observed: Mapping[tuple[LocationId, AssetId], int] = field(default_factory=dict)
    """Base units, only where a sweep read them."""
    movable: Collection[tuple[LocationId, AssetId | None]] = frozenset()
    """What somebody could move who is not accepted: one asset at a place, or with None everything there."""

    def of(self, location_id: LocationId, security_id: AssetId) -> OnChain | None:
        """What is known of an asset at a location; None for a location that is on no chain."""
        if location_id.startswith(_ELSEWHERE):
            return None
        place = self.places.get(location_id, WalletFacts(False, True, None))
        return OnChain(
            self.observed.get((location_id, security_id)),
            place.firm_alone_can_sign,
            place.others_can_sign,
            (location_id, None) in self.movable or (location_id, security_id) in self.movable,
            place.proven_on,
        )


def review_inputs(
    books: Books,
    policies: PolicySet,
    facts: ChainFacts,
    moves: Sequence[Move],
    business_days: BusinessDays,
) -> ReviewInputs:
    """The inputs of a review as of the day of the books.

    Raises `ReviewRefused` for a line of an account that has no balance row, a security without a legal class, or one
    with two prices.
    """
    owners = _Owners(books, policies)
    prices: dict[AssetId, Decimal] = {}
    lines = []
    evidence = _newest_evidence(books.control_locations, books.as_of)
    for line in books.stock:
        if prices.setdefault(line.security_id, line.price) != line.price:
            raise ReviewRefused(f"{line.security_id} has two prices as of {books.as_of.isoformat()}")
        if not owners.take(line) and line.side is StockSide.SHORT:
            lines.append(_line(line, books.as_of, owners, evidence, facts, business_days))
    return ReviewInputs(
        books.as_of,
        policies,
        tuple(_issues(books, prices)),
        tuple(owners.holders()),
        tuple(moves),
        tuple(sorted(lines, key=lambda each: each.line_id)),
    )


def _issues(books: Books, prices: Mapping[AssetId, Decimal]) -> Iterator[Issue]:
    records = {each.asset.asset_id: each for each in books.assets}
    exempted = {each.security_id for each in books.securities if each.exempted}
    for name in sorted(prices):
        if (record := records.get(name)) is None:
            raise ReviewRefused(f"{name} is in the stock record and not in the asset table")
        kind = {
            LegalClass.SECURITY: IssueKind.SECURITY,
            LegalClass.UNDETERMINED: IssueKind.UNDETERMINED,
        }.get(record.legal_class, IssueKind.NOT_SECURITY)
        yield Issue(name, kind, record.asset.decimals, prices[name], name in exempted)


class _Owners:
    """The positions and debits of every owner, gathered over accounts."""

    def __init__(self, books: Books, policies: PolicySet) -> None:
        self._as_of = books.as_of
        self._debit_makes_margin = policies.text("cash_account_debit") == "margin"
        self._accounts: dict[str, AccountBalance] = {each.account_id: each for each in books.accounts}
        self._relations: dict[str, AccountRelation] = {each.account_id: each for each in books.relations}
        self._debits: defaultdict[str, int] = defaultdict(int)
        self._positions: defaultdict[str, dict[AssetId, list[int]]] = defaultdict(dict)
        self._whose: dict[str, tuple[str, int]] = {}
        """Of each account whose securities they are for (b), and 0 where they are fully paid, 1 where margin."""
        for each in books.accounts:
            holder, is_margin = self._holder(each), self._is_margin(each)
            self._whose[each.account_id] = (holder, int(is_margin))
            if holder and is_margin:
                self._debits[holder] += each.debit_balance

    def take(self, line: StockLine) -> bool:
        """Add what a line says an owner is owed; False for a line that says nothing of that kind."""
        if line.side is not StockSide.LONG or not line.account_id:
            return False
        if (whose := self._whose.get(line.account_id)) is None:
            raise _without_balance(line)
        holder, which = whose
        if line.place is StockPlace.ACCOUNT:
            return not holder or self._add(holder, line, which)
        if line.place is not StockPlace.STOCK_BORROW or not holder:
            return False
        return not self._may_borrow(self._accounts[line.account_id]) and self._add(holder, line, 0)

    def account(self, line: StockLine) -> AccountBalance:
        """The balance row of the account of a line."""
        if (found := self._accounts.get(line.account_id)) is None:
            raise _without_balance(line)
        return found

    def holders(self) -> Iterator[Holder]:
        """Every owner of something, by id."""
        for holder_id in sorted(self._positions):
            positions = self._positions[holder_id]
            holdings = tuple(Holding(name, *positions[name]) for name in sorted(positions))
            yield Holder(holder_id, self._debits[holder_id], holdings)

    def is_customer_sale(self, line: StockLine) -> bool:
        """Whether a short position is a sale of a customer's cash account that nothing was delivered for, (m)."""
        if line.place is not StockPlace.ACCOUNT:
            return False
        account = self.account(line)
        return account.holder_class is HolderClass.CUSTOMER and account.account_type is AccountType.CASH

    def _add(self, holder: str, line: StockLine, which: int) -> bool:
        self._positions[holder].setdefault(line.security_id, [0, 0])[which] += line.base_units
        return True

    def _holder(self, account: AccountBalance) -> str:
        """Whose securities they are for (b); empty for the firm, non-customers and PAB accounts after notice."""
        if account.holder_class not in _OWNED:
            return ""
        if account.holder_class is HolderClass.PAB and self._since(account, "pab_use_notice_on"):
            return ""
        return f"{account.holder_class.value}:{account.client_id}"

    def _is_margin(self, account: AccountBalance) -> bool:
        if account.account_type is AccountType.CASH:
            return self._debit_makes_margin and account.debit_balance > 0
        return True

    def _may_borrow(self, account: AccountBalance) -> bool:
        """Whether the firm may borrow the owner's fully paid securities: the written agreement of (b)(3)."""
        return self._since(account, "fully_paid_lending_agreement_on")

    def _since(self, account: AccountBalance, name: str) -> bool:
        relation = self._relations.get(account.account_id)
        day = getattr(relation, name) if relation is not None else None
        return day is not None and day <= self._as_of


def _without_balance(line: StockLine) -> ReviewRefused:
    return ReviewRefused(f"the line {line.line_id} names the account {line.account_id}, which has no balance")


def _newest_evidence(rows: Iterable[ControlLocation], as_of: date) -> dict[LocationId, Evidence]:
    """The evidence of each location: the newest in effect and dated by then, else the first to come."""
    found: dict[LocationId, Evidence] = {}
    for row in rows:
        new = Evidence(row.paragraph.value, row.effective_from, row.evidence_on, row.valid_until, row.reference)
        old = found.get(row.location_id)
        if old is None or _rank(new, as_of) > _rank(old, as_of):
            found[row.location_id] = new
    return found


def _rank(evidence: Evidence, as_of: date) -> tuple[bool, int]:
    first = evidence.effective_from.toordinal()
    last = max(first, evidence.evidence_on.toordinal())
    return (True, first) if last <= as_of.toordinal() else (False, -last)


def _line(
    line: StockLine,
    as_of: date,
    owners: _Owners,
    evidence: Mapping[LocationId, Evidence],
    facts: ChainFacts,
    business_days: BusinessDays,
) -> Line:
    place = Place(line.place.value)
    is_sale = owners.is_customer_sale(line)
    counts_days = (place is Place.IN_TRANSIT or is_sale) and line.since is not None
    location = line.location_id
    return Line(
        line.line_id,
        line.security_id,
        place,
        line.base_units,
        location or "",
        line.since,
        line.confirmed_on,
        business_days(line.since, as_of) if counts_days and line.since is not None else None,
        evidence.get(location) if location is not None and place in PARAGRAPHS else None,
        facts.of(location, line.security_id) if location is not None and "/" in line.security_id else None,
        is_sale,
    )
