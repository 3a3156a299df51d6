"""Commingling and hypothecation: 17 CFR 240.8c-1 and 240.15c2-1, and what 15c3-3 says of lending and of client cash.

8c-1(a) and 15c2-1(a) forbid the same three things in the same words: (1) customers' securities under one lien with
other customers', without the written consent of each; (2) with securities of anybody who is no bona fide customer,
under a lien for a loan made to the firm; (3) liens on customers' securities for more than all customers owe. Pure.

Readings. A pledge of a margin account's securities rests on consents of the account (`hypothecation_consent_on`); of a
cash account's there is no authority at all. Lines of a lien that name no account are counted neither as customers' nor
as the firm's: which they are is not known, and said. For (3), what customers owe is the sum of the debit balances of
customer accounts; credits of other customers do not reduce it. The grace of (a)(3) for a fall of that sum on the day is
not applied: the finding says the excess, a person sees when it arose.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from chains.types import Asset, AssetId, LocationId
from exports.reserve.money import DOLLAR, dollars
from mapping.book import AllocationKey
from mapping.books import Books
from mapping.books_types import (
    AccountBalance,
    AccountRelation,
    AccountType,
    HolderClass,
    Lien,
    LienKind,
    StockLine,
    StockPlace,
)
from mapping.custodian_types import CustodianAccount, HeldFor
from mapping.types import AccountClass
from verifier.records import Finding, FindingKind, Rail
from verifier.rules.custodians import Covered
from verifier.rules.lending import CUSTOMERS, given, lending_findings, word
from verifier.rules.statements import figure


def books_findings(
    books: Books | None,
    allocations: Mapping[AllocationKey, int],
    accounts: Mapping[LocationId, CustodianAccount],
    assets: Mapping[AssetId, Asset],
) -> list[Covered]:
    """Every finding of commingling and hypothecation that the books show; `books` is None where none are closed.

    `allocations` are those at outside parties; `accounts` the rows of custodian_accounts.csv in effect.
    """
    found = list(_commingled_accounts(allocations, accounts, assets))
    if books is not None:
        found += [(each, ()) for each in hypothecation_findings(books)]
    return found


def hypothecation_findings(books: Books) -> list[Finding]:
    """What liens and loans of the stock record breach, by lien and account."""
    assets = {each.asset.asset_id: each.asset for each in books.assets}
    holders = {each.account_id: each for each in books.accounts}
    relations = {each.account_id: each for each in books.relations}
    findings: list[Finding] = []
    pledged: dict[str, list[StockLine]] = defaultdict(list)
    for line in books.stock:
        if line.place is StockPlace.BANK_LOAN:
            pledged[line.reference].append(line)
    liens = {each.lien_id: each for each in books.liens}
    for lien_id, lines in sorted(pledged.items()):
        findings += _lien(lien_id, liens.get(lien_id), lines, holders, relations, assets)
    return [*_merged([*findings, *lending_findings(books)]), *_excess_of_liens(books)]


def _lien(
    lien_id: str,
    lien: Lien | None,
    lines: Iterable[StockLine],
    holders: Mapping[str, AccountBalance],
    relations: Mapping[str, AccountRelation],
    assets: Mapping[AssetId, Asset],
) -> Iterator[Finding]:
    """The lines under one lien: whose they are, and who consented to that."""
    place = _lien_place(lien_id)
    by_class: dict[HolderClass | None, list[StockLine]] = defaultdict(list)
    for line in lines:
        holder = holders.get(line.account_id)
        by_class[holder.holder_class if holder is not None else None].append(line)
    theirs = [line for each in CUSTOMERS for line in by_class[each]]
    others = by_class[HolderClass.FIRM] + by_class[HolderClass.NON_CUSTOMER]
    if lien is None:
        text = f"Lines of the stock record are pledged under {lien_id or 'no lien'}, which is not among the liens."
        yield _finding(FindingKind.UNVERIFIED, place, None, None, "lien", text)
    if by_class[None]:
        unknown = len(by_class[None])
        lines_are = "line is" if unknown == 1 else "lines are"
        text = f"{unknown} pledged {lines_are} of no account under {lien_id}: whose securities they are is not known."
        yield _finding(FindingKind.UNVERIFIED, place, None, None, "accounts", text)
    owners = {holders[line.account_id].client_id for line in theirs}
    for line in theirs:
        asset, account, relation = assets[line.security_id], line.account_id, relations.get(line.account_id)
        amount = figure(line.base_units, asset)
        if holders[account].account_type is AccountType.CASH:
            text = (
                f"{amount} of cash account {account} is pledged under {lien_id}: fully paid securities are nobody's "
                "collateral, 15c3-3(b)(1)."
            )
            yield _finding(FindingKind.HYPOTHECATION, place, asset, line.base_units, f"{account}:fully_paid", text)
        if others or (lien is not None and lien.kind is LienKind.FIRM):
            beside = "with the firm's or a non-customer's" if others else "under a lien for the firm's own borrowing"
            text = f"{amount} of account {account} is pledged under {lien_id} {beside}: 8c-1(a)(2), 15c2-1(a)(2)."
            yield _finding(FindingKind.COMMINGLING, place, asset, line.base_units, f"{account}:lien", text)
        if len(owners) > 1 and not given(relation, "hypothecation_consent_on", line.as_of):
            text = (
                f"{amount} of account {account} is pledged under {lien_id} with securities of {len(owners) - 1} other "
                "customers, without written consent: 8c-1(a)(1), 15c2-1(a)(1)."
            )
            yield _finding(FindingKind.COMMINGLING, place, asset, line.base_units, f"{account}:consent", text)
        if holders[account].holder_class is HolderClass.PAB and not given(relation, "pab_use_notice_on", line.as_of):
            text = f"{amount} of PAB account {account} is pledged under {lien_id} without written notice: 15c3-3(b)(5)."
            yield _finding(FindingKind.HYPOTHECATION, place, asset, line.base_units, f"{account}:pab", text)


def _excess_of_liens(books: Books) -> Iterator[Finding]:
    borrowed = sum(each.amount for each in books.liens if each.kind is LienKind.CUSTOMERS)
    owed = sum(each.debit_balance for each in books.accounts if each.holder_class is HolderClass.CUSTOMER)
    if borrowed > owed:
        text = (
            f"Customers' securities are pledged for {dollars(borrowed)} US dollars, all customers owe {dollars(owed)}: "
            f"{dollars(borrowed - owed)} too much, 8c-1(a)(3), 15c2-1(a)(3)."
        )
        place = LocationId("lien:all-customers")
        yield _finding(FindingKind.HYPOTHECATION, place, DOLLAR, borrowed - owed, "aggregate", text)


def _commingled_accounts(
    allocations: Mapping[AllocationKey, int],
    accounts: Mapping[LocationId, CustodianAccount],
    assets: Mapping[AssetId, Asset],
) -> Iterator[Covered]:
    """Clients' assets where only the firm's may be, the firm's where only clients' may be, and untitled accounts."""
    sums: dict[tuple[LocationId, AssetId, bool], int] = defaultdict(int)
    untitled: dict[LocationId, int] = defaultdict(int)
    for key, units in allocations.items():
        sums[key.location_id, key.asset_id, key.account_class is AccountClass.PROPRIETARY] += max(units, 0)
    for (location, asset_id, is_firm), units in sorted(sums.items()):
        if not units:
            continue
        account = accounts.get(location)
        if account is None:
            untitled[location] += 1
            continue
        asset = assets[asset_id]
        covers = ((location, asset_id),)
        where = f"{location}, {account.titling!r} at {account.custodian}"
        if account.held_for is HeldFor.FIRM and not is_firm:
            cash = asset_id.startswith("iso4217:")
            rule = "15c3-3(e)" if cash else "15c3-3(b)(1)"
            text = f"{figure(units, asset)} of clients' is at {where}, an account for the firm's own alone: {rule}."
            yield _finding(FindingKind.COMMINGLING, location, asset, units, "clients", text), covers
        elif account.held_for is HeldFor.CLIENTS and is_firm:
            text = f"{figure(units, asset)} of the firm's own is at {where}, an account for clients alone."
            yield _finding(FindingKind.COMMINGLING, location, asset, units, "firm", text), covers
    for location, count in sorted(untitled.items()):
        figures = "figure" if count == 1 else "figures"
        text = (
            f"The books have {count} {figures} at {location}, which is not in custodian_accounts.csv: for whom it is "
            "held is not known."
        )
        yield _finding(FindingKind.UNVERIFIED, location, None, None, "titling", text), ()


def _merged(findings: Iterable[Finding]) -> list[Finding]:
    """One finding per key: several lines of one account and security under one lien are one breach, amounts added."""
    groups: dict[str, list[Finding]] = {}
    for each in findings:
        groups.setdefault(each.finding_key, []).append(each)
    return [_joined(group) for group in groups.values()]


def _joined(group: list[Finding]) -> Finding:
    first = group[0]
    if len(group) == 1:
        return first
    amounts = [each.base_units for each in group if each.base_units is not None]
    text = f"{first.text} {len(group)} lines in all."
    total = sum(amounts) if amounts else None
    return Finding(first.kind, first.rail, first.location_id, first.asset, total, first.subject, text)


def _lien_place(lien_id: str) -> LocationId:
    return LocationId(f"lien:{word(lien_id)}")


def _finding(
    kind: FindingKind, place: LocationId, asset: Asset | None, base_units: int | None, subject: str, text: str
) -> Finding:
    return Finding(kind, Rail.SECURITIES, place, asset, base_units, subject, text)
