"""Loans of securities that need a customer's paper, by 15c3-3(b)(3), (b)(5) and the consents of margin accounts. Pure.

A loan that names its account is judged by that account's papers. Most loans name none: then everything of the security
that is not a customer's without the paper can be lent, and what is lent beyond that is customers', whoever they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from chains.types import Asset, AssetId, LocationId
from mapping.books import Books
from mapping.books_types import (
    AccountBalance,
    AccountRelation,
    AccountType,
    HolderClass,
    StockLine,
    StockPlace,
    StockSide,
)
from verifier.records import Finding, FindingKind, Rail
from verifier.rules.statements import figure

CUSTOMERS: Final = frozenset({HolderClass.CUSTOMER, HolderClass.PAB})
"""Whose securities the firm carries for somebody else."""


def lending_findings(books: Books) -> Iterator[Finding]:
    """What loans and borrowings of the stock record breach, by line, and by security where they name no account."""
    assets = {each.asset.asset_id: each.asset for each in books.assets}
    holders = {each.account_id: each for each in books.accounts}
    relations = {each.account_id: each for each in books.relations}
    for line in books.stock:
        if line.place in (StockPlace.STOCK_LOAN, StockPlace.STOCK_BORROW) and line.account_id:
            yield from _lending(line, holders.get(line.account_id), relations.get(line.account_id), assets)
    yield from _of_no_account(books, holders, relations, assets)


def _of_no_account(
    books: Books,
    holders: Mapping[str, AccountBalance],
    relations: Mapping[str, AccountRelation],
    assets: Mapping[AssetId, Asset],
) -> Iterator[Finding]:
    """More lent under no account's name than there is of the security beside customers' without their paper."""
    lent: defaultdict[AssetId, int] = defaultdict(int)
    free: defaultdict[AssetId, int] = defaultdict(int)
    not_free: defaultdict[AssetId, int] = defaultdict(int)
    for line in books.stock:
        if line.place is StockPlace.STOCK_LOAN:
            if line.account_id:
                free[line.security_id] -= line.base_units
            else:
                lent[line.security_id] += line.base_units
        elif line.side is StockSide.LONG:
            holder = holders.get(line.account_id) if line.place is StockPlace.ACCOUNT else None
            may_be_lent = holder is None or _may_be_lent(holder, relations.get(line.account_id), line.as_of)
            (free if may_be_lent else not_free)[line.security_id] += line.base_units
    for name, units in sorted(lent.items()):
        if (beyond := min(units - max(0, free[name]), not_free[name])) > 0:
            asset = assets[name]
            text = (
                f"{figure(units, asset)} is lent under no account's name, {figure(beyond, asset)} more than there is "
                "beside customers' without their written agreement or consent: 15c3-3(b)(3)."
            )
            place = LocationId(f"loan:{word(name)}")
            yield _finding(FindingKind.HYPOTHECATION, place, asset, beyond, "no_account", text)


def _may_be_lent(account: AccountBalance, relation: AccountRelation | None, day: date) -> bool:
    """Whether the securities of an account may be lent: those of no customer, or with the paper that its kind needs."""
    if account.holder_class not in CUSTOMERS:
        return True
    if account.account_type is AccountType.CASH:
        return given(relation, "fully_paid_lending_agreement_on", day)
    is_pab = account.holder_class is HolderClass.PAB
    return given(relation, "pab_use_notice_on" if is_pab else "lending_consent_on", day)


def _lending(
    line: StockLine,
    holder: AccountBalance | None,
    relation: AccountRelation | None,
    assets: Mapping[AssetId, Asset],
) -> Iterator[Finding]:
    """A line lent out for, or borrowed from, one account."""
    asset, account = assets[line.security_id], line.account_id
    place, amount = LocationId(f"loan:{word(line.line_id)}"), figure(line.base_units, asset)
    if holder is None:
        text = f"{amount} is lent or borrowed for account {account}, which the books do not have."
        yield _finding(FindingKind.UNVERIFIED, place, asset, None, account, text)
        return
    if holder.holder_class not in CUSTOMERS:
        return
    if line.place is StockPlace.STOCK_BORROW or holder.account_type is AccountType.CASH:
        if not given(relation, "fully_paid_lending_agreement_on", line.as_of):
            text = (
                f"{amount} of account {account} is {'borrowed' if line.place is StockPlace.STOCK_BORROW else 'lent'} "
                "without the written agreement of 15c3-3(b)(3)."
            )
            yield _finding(FindingKind.HYPOTHECATION, place, asset, line.base_units, f"{account}:agreement", text)
    elif holder.holder_class is HolderClass.PAB:
        if not given(relation, "pab_use_notice_on", line.as_of):
            text = f"{amount} of PAB account {account} is lent without written notice: 15c3-3(b)(5)."
            yield _finding(FindingKind.HYPOTHECATION, place, asset, line.base_units, f"{account}:pab", text)
    elif not given(relation, "lending_consent_on", line.as_of):
        text = f"{amount} of margin account {account} is lent without the customer's written consent."
        yield _finding(FindingKind.HYPOTHECATION, place, asset, line.base_units, f"{account}:consent", text)


def given(relation: AccountRelation | None, name: str, day: date) -> bool:
    """Whether a dated consent, agreement or notice is there and of the day at the latest."""
    on: date | None = getattr(relation, name) if relation is not None else None
    return on is not None and on <= day


def word(text: str) -> str:
    """An id as part of a location: the characters that a location cannot have become `_`."""
    return "".join(each if each.isascii() and (each.isalnum() or each in "-._:") else "_" for each in text) or "_"


def _finding(
    kind: FindingKind, place: LocationId, asset: Asset | None, base_units: int | None, subject: str, text: str
) -> Finding:
    return Finding(kind, Rail.SECURITIES, place, asset, base_units, subject, text)
