"""Item 10 of both computations from the debit balances of the accounts, after Note E(1), (2), (4), (5) and (6).

It is shown account by account: what E(5) takes of a customer and E(1) of a security is taken from the accounts it is
about, in the order of their ids, so that the rows add up to the line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from chains.types import AssetId
from exports.reserve.items import ReserveClass
from exports.reserve.policies import PolicySet
from mapping.books import Books
from mapping.books_types import AccountBalance, AccountRelation, AccountType, StockPlace, StockSide
from verifier.reserve.allocation_balances import HOLDERS
from verifier.reserve.allocation_rows import DerivedRow, Excluded
from verifier.reserve.allocation_stock import Position
from verifier.reserve.calendar import BankCalendar
from verifier.reserve.note_e import (
    AccountKind,
    Collateral,
    ConcentrationRelief,
    DebitAccount,
    Exclusion,
    Relation,
    item_10,
)

_KINDS: Final = {
    AccountType.CASH: AccountKind.CASH,
    AccountType.MARGIN: AccountKind.MARGIN,
    AccountType.SHORT: AccountKind.MARGIN,
    AccountType.OMNIBUS: AccountKind.OMNIBUS,
}
_NOTES: Final = {"item 10": "unsecured or doubtful"}


def debit_rows(
    books: Books,
    whose: ReserveClass,
    positions: Mapping[AssetId, Position],
    tentative_net_capital: int,
    policies: PolicySet,
    calendar: BankCalendar,
) -> tuple[list[DerivedRow], list[Excluded]]:
    """Item 10 by account and what Note E took out; omnibus deficits above the debit are a row of item 1."""
    relations = {each.account_id: each for each in books.relations}
    own = [
        each
        for each in books.accounts
        if HOLDERS.get(each.holder_class) is whose and (each.debit_balance or _has_deficit(each, relations))
    ]
    customers = _single_customers(books.accounts, relations)
    pledged = _collateral(books, own, positions) if whose is ReserveClass.CUSTOMER else {}
    debits = [
        _debit_account(each, relations.get(each.account_id), customers, pledged.get(each.account_id, ()))
        for each in own
    ]
    found = item_10(
        debits,
        as_of=books.as_of,
        tentative_net_capital=tentative_net_capital,
        relief=_reliefs(books.accounts, relations, customers),
        policies=policies,
        calendar=calendar,
        pab=whose is ReserveClass.PAB,
    )
    excluded = [
        Excluded(whose, 10, each.subject, _NOTES.get(each.note, f"Note {each.note}"), each.cents)
        for each in found.exclusions
    ]
    left = _spread(debits, found.exclusions)
    rows = list(_rows(own, left, whose))
    if sum(left.values()) != found.cents:  # pragma: no cover - the rows must be the line
        raise AssertionError("the rows of item 10 do not add up to it")
    if found.omnibus_credits:
        text = "account_relations: omnibus deficits above the debit balance, Note E(2); item 1"
        row = DerivedRow(whose, 1, "omnibus accounts", f"omnibus_deficits:{whose}", found.omnibus_credits, text)
        rows.append(row)
    return rows, excluded


def _rows(own: Iterable[AccountBalance], left: Mapping[str, int], whose: ReserveClass) -> Iterator[DerivedRow]:
    for each in own:
        cents = left[each.account_id]
        if cents:
            kind = each.account_type.value
            less = f" less {each.debit_balance - cents} cents by Note E" if cents != each.debit_balance else ""
            source = f"accounts {each.as_of} {each.account_id}: debit balance, {kind} account{less}; item 10"
            yield DerivedRow(whose, 10, f"{kind} accounts", f"account:{each.account_id}", cents, source)


def _has_deficit(account: AccountBalance, relations: Mapping[str, AccountRelation]) -> bool:
    relation = relations.get(account.account_id)
    return account.account_type is AccountType.OMNIBUS and relation is not None and relation.omnibus_deficit > 0


def _debit_account(
    account: AccountBalance,
    relation: AccountRelation | None,
    customers: Mapping[str, str],
    collateral: tuple[Collateral, ...],
) -> DebitAccount:
    owner = customers.get(account.client_id, account.client_id)
    kind, debit = _KINDS[account.account_type], account.debit_balance
    if relation is None:
        return DebitAccount(account.account_id, owner, kind, debit, collateral=collateral)
    return DebitAccount(
        account.account_id,
        owner,
        kind,
        debit,
        relation.unsecured_or_doubtful,
        Relation(relation.relation.value),
        relation.non_customer_share,
        min(debit, relation.related_to_credits),
        relation.omnibus_deficit,
        relation.recent_calls,
        collateral,
    )


def _single_customers(accounts: Iterable[AccountBalance], relations: Mapping[str, AccountRelation]) -> dict[str, str]:
    """The single customer of Note E(5) for each client that belongs to a group, through any of its accounts."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            name = parent[name]
        return name

    grouped: set[str] = set()
    for each in accounts:
        relation = relations.get(each.account_id)
        if relation is not None and relation.single_customer_id and each.client_id:
            grouped.add(each.client_id)
            first, second = sorted((root(f"client {each.client_id}"), root(f"group {relation.single_customer_id}")))
            parent[second] = first
    return {client: root(f"client {client}") for client in grouped}


def _reliefs(
    accounts: Iterable[AccountBalance], relations: Mapping[str, AccountRelation], customers: Mapping[str, str]
) -> dict[str, ConcentrationRelief]:
    """What the authority allows each single customer; of several statements about one the least counts."""
    found: dict[str, ConcentrationRelief] = {}
    for each in accounts:
        relation = relations.get(each.account_id)
        if relation is None or not (relation.relief_excepted or relation.relief_requested_on):
            continue
        owner = customers.get(each.client_id, each.client_id)
        asked = relation.relief_requested_on
        before = found.get(owner)
        if before is None:
            found[owner] = ConcentrationRelief(relation.relief_excepted, asked)
        else:
            days = [day for day in (before.requested_on, asked) if day is not None]
            excepted = min(before.excepted, relation.relief_excepted)
            found[owner] = ConcentrationRelief(excepted, min(days, default=None))
    return found


def _collateral(
    books: Books, own: Iterable[AccountBalance], positions: Mapping[AssetId, Position]
) -> dict[str, tuple[Collateral, ...]]:
    """The securities of each margin account with a debit, at market; what is no security collateralizes nothing."""
    exempted = {each.security_id for each in books.securities if each.exempted}
    units: dict[str, dict[AssetId, int]] = {
        each.account_id: {} for each in own if each.account_type is AccountType.MARGIN and each.debit_balance
    }
    place, side = StockPlace.ACCOUNT, StockSide.LONG
    for line in books.stock:
        if line.place is place and line.side is side and line.account_id in units:
            held = units[line.account_id]
            held[line.security_id] = held.get(line.security_id, 0) + line.base_units
    return {
        account: tuple(
            Collateral(security, positions[security].value_up(held[security]), security in exempted)
            for security in sorted(held)
            if positions[security].is_security
        )
        for account, held in units.items()
    }


def _spread(debits: Sequence[DebitAccount], exclusions: Sequence[Exclusion]) -> dict[str, int]:
    """What is left of each account, so that the accounts add up to the line.

    E(5) is taken from the margin accounts of the customer, E(1) from those that hold the security, then from any other.
    """
    left = {each.account_id: each.debit for each in debits}
    margin = sorted((each for each in debits if each.kind is AccountKind.MARGIN), key=lambda each: each.account_id)
    concentrated = {each.subject for each in exclusions if each.note == "E(1)"}
    about: dict[tuple[str, str], list[str]] = defaultdict(list)
    for account in margin if any(each.note in ("E(1)", "E(5)") for each in exclusions) else ():
        about["E(5)", account.single_customer_id].append(account.account_id)
        for security in account.collateral:
            if security.security_id in concentrated:
                about["E(1)", security.security_id].append(account.account_id)
    every = [each.account_id for each in margin]
    for each in exclusions:
        if each.note not in ("E(1)", "E(5)"):
            left[each.subject] -= each.cents
            continue
        rest = each.cents
        for account_id in (*about[each.note, each.subject], *(every if each.note == "E(1)" else ())):
            taken = min(rest, left[account_id])
            left[account_id] -= taken
            rest -= taken
            if not rest:
                break
    return left
