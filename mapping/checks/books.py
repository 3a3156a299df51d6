"""The rows of the books: once each, of days that came, naming clients, accounts and places that are known.

Rows that are packed are checked here and nowhere else, in passes over the pack: what is kept meanwhile are ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Final

from chains.types import LocationId
from mapping.books_rows import ACCOUNT, CLIENT, CLOSED, DAY, LOCATION, PRICE, ROW_ID, SECURITY
from mapping.bulk import Plain, RowPack
from mapping.checks.scope import Scope, pool_id_of, split_account

_KEY_COLUMN: Final = {"accounts": "account_id", "stock_record": "line_id"}


def check_books(scope: Scope) -> None:
    """Refuse rows of a day to come, a row twice, two prices of a security, and names of what is not known.

    Rows that are recorded in the same words are dropped. That the sides of the stock record differ is no problem of
    its file: it is told with the computation.
    """
    for name, pack in list(scope.packs.items()):
        _check_days(scope, pack)
        _check_twice(scope, pack)
        scope.packs[name] = _without_unchanged(scope, pack)
    if accounts := scope.packs.get("accounts"):
        _check_owners(scope, accounts)
    if stock := scope.packs.get("stock_record"):
        _check_prices(scope, stock)
        _check_accounts(scope, stock)
        _check_locations(scope, stock)


def _note_rows(
    scope: Scope, pack: RowPack, column: str, position: int, reason: str, is_wrong: Callable[[Plain], bool]
) -> None:
    """Note every row of which something is wrong; only asked when it is known that there is one."""
    for line, row in pack.rows():
        if is_wrong(row):
            scope.problems.add(pack.source, line, reason, column=column, value=str(row[position] or ""))


def _check_days(scope: Scope, pack: RowPack) -> None:
    if scope.now is None:
        return
    today = scope.now.date().isoformat()
    if any(day > today for day in pack.days):
        _note_rows(scope, pack, "as_of", DAY, "this day has not come yet", lambda row: str(row[DAY]) > today)


def _check_twice(scope: Scope, pack: RowPack) -> None:
    seen: dict[str, set[str]] = {day: set() for day in pack.days}
    twice: set[Plain] = set()
    for _, row in pack.rows():
        ids = seen[row[DAY]]  # type: ignore[index]
        before = len(ids)
        ids.add(row[ROW_ID])  # type: ignore[arg-type]
        if len(ids) == before:
            twice.add(row[:2])
    if not twice:
        return
    first: dict[Plain, tuple[int, Plain]] = {}
    for line, row in pack.rows():
        if row[:2] in twice:
            earlier_line, earlier = first.setdefault(row[:2], (line, row))
            if earlier_line != line:
                what = "the same row is" if earlier == row else "another row of the same day and id is"
                reason = f"{what} on line {earlier_line} already; rows are not added up"
                scope.problems.add(pack.source, line, reason, column=_KEY_COLUMN[pack.table], value=str(row[ROW_ID]))


def _without_unchanged(scope: Scope, pack: RowPack) -> RowPack:
    """The pack without the rows that are recorded already in the same words; the same pack where there is none."""
    ids = {str(row[ROW_ID]) for _, row in pack.rows()} if scope.posted else None
    recorded = {
        day: {row[ROW_ID]: hash(row) for row in scope.known.bulk_rows(pack.table, date.fromisoformat(day), ids=ids)}
        for day in pack.days
    }
    if not any(recorded.values()):
        return pack
    kept = RowPack(pack.table, pack.source, pack.digest)
    changed = 0
    for line, row in pack.rows():
        before = recorded[str(row[DAY])].get(row[ROW_ID])
        if before == hash(row):
            scope.unchanged += 1
            continue
        changed += before is not None
        kept.add(line, row)
    if changed:
        what = "1 row is a new version" if changed == 1 else f"{changed} rows are new versions"
        scope.notice(pack.source, 0, f"{what} of what is recorded already; the old rows stay readable")
    return kept


def _check_owners(scope: Scope, pack: RowPack) -> None:
    if "clients" in scope.unreliable:
        return
    owners = {str(row[CLIENT]) for _, row in pack.rows() if row[CLIENT]}
    unknown = owners - {row.record.client_id for row in scope.of("clients")}
    unknown -= scope.known.known_ids("clients", unknown)
    if unknown:
        reason = "this client is not known: add it to clients.csv first"
        _note_rows(scope, pack, "client_id", CLIENT, reason, lambda row: row[CLIENT] in unknown)


def _check_prices(scope: Scope, pack: RowPack) -> None:
    """A security has one price on a day, in this import and with what is recorded."""
    prices: dict[tuple[str, str], set[str]] = {}
    for _, row in pack.rows():
        if not row[CLOSED]:
            prices.setdefault((str(row[DAY]), str(row[SECURITY])), set()).add(str(row[PRICE]))
    for day in pack.days:
        securities = {security for of, security in prices if of == day}
        replaced: set[str] | None = None
        for row in scope.known.bulk_rows("stock_record", date.fromisoformat(day), securities=securities):
            if replaced is None:
                replaced = {str(new[ROW_ID]) for _, new in pack.rows() if new[DAY] == day}
            if not row[CLOSED] and row[ROW_ID] not in replaced:
                prices[day, str(row[SECURITY])].add(str(row[PRICE]))
    several = {key for key, found in prices.items() if len(set(map(_number, found))) > 1}
    if several:
        reason = "another row of this day has another price of this security"
        _note_rows(
            scope, pack, "price", PRICE, reason, lambda row: not row[CLOSED] and (row[DAY], row[SECURITY]) in several
        )


def _number(price: str) -> str:
    """A price without the zeros at its end: `1.50` and `1.5` are one price."""
    return price.rstrip("0").rstrip(".") if "." in price else price


def _check_accounts(scope: Scope, pack: RowPack) -> None:
    """The account of a line has a balance of the same day; of a row posted by itself, of that day or before."""
    if "accounts" in scope.unreliable:
        return
    named: dict[str, set[str]] = {day: set() for day in pack.days}
    for _, row in pack.rows():
        if row[ACCOUNT]:
            named[str(row[DAY])].add(str(row[ACCOUNT]))
    accounts = scope.packs.get("accounts")
    for _, row in accounts.rows() if accounts is not None else ():
        if row[DAY] in named:
            named[str(row[DAY])].discard(str(row[ROW_ID]))
    unknown: set[Plain] = set()
    for day, ids in named.items():
        known = scope.known.account_ids(date.fromisoformat(day), ids, or_before=scope.posted) if ids else set()
        unknown |= {(day, account_id) for account_id in ids - known}
    if unknown:
        reason = "this account has no balance of this day: add it to accounts.csv first"
        _note_rows(scope, pack, "account_id", ACCOUNT, reason, lambda row: (row[DAY], row[ACCOUNT]) in unknown)


def _check_locations(scope: Scope, pack: RowPack) -> None:
    """A wallet or pool that a line names is known."""
    named = {LocationId(str(row[LOCATION])) for _, row in pack.rows() if row[LOCATION]}
    unknown = unknown_locations(scope, named)
    if unknown:
        reason = "this wallet or pool is not known: add it to wallets.csv or pools.csv first"
        _note_rows(scope, pack, "location", LOCATION, reason, lambda row: row[LOCATION] in unknown)


def unknown_locations(scope: Scope, named: Iterable[LocationId]) -> set[LocationId]:
    """Those of the locations that name a wallet or pool of which nothing is known, also after this import."""
    locations = set(named)
    accounts = {account: each for each in locations if (account := split_account(each)) is not None}
    unknown: set[LocationId] = set()
    if accounts and "wallets" not in scope.unreliable:
        unknown |= {accounts[each] for each in accounts.keys() - scope.wallets(accounts).keys()}
    pools = {pool: each for each in locations if (pool := pool_id_of(each)) is not None}
    if pools and "pools" not in scope.unreliable:
        members = {member.pool_id for member in scope.members()}
        unknown |= {pools[each] for each in pools.keys() - members}
    return unknown
