"""The smaller files of the books: days that came, and names of accounts, clients, agencies, liens and wallets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, Final

from chains.types import LocationId, account_location
from mapping.books_rows import DAY, LINE_PLACE, LINE_REFERENCE, ROW_ID
from mapping.books_types import StockPlace
from mapping.checks.books import unknown_locations
from mapping.checks.scope import Scope
from mapping.types import Sourced

_DAYS: Final = {
    "clearing_margin": ("as_of",),
    "liens": ("as_of",),
    "other_amounts": ("as_of",),
    "books_close": ("as_of",),
    "control_locations": ("evidence_on",),
    "clearing_agencies": ("determined_on", "rules_approved_on", "notice_published_on", "notice_withdrawn_on"),
    "account_relations": (
        "relief_requested_on",
        "hypothecation_consent_on",
        "lending_consent_on",
        "fully_paid_lending_agreement_on",
        "pab_use_notice_on",
    ),
    "pab_reliefs": ("on",),
    "trades": ("trade_date", "settled_on"),
}
"""Days of things that happened: none of them is to come."""


def check_books_facts(scope: Scope) -> None:
    """Refuse what is said to have happened on a day to come, and names of what is not known."""
    _check_days(scope)
    _check_accounts(scope)
    _check_named(scope, "clients", "clearing_margin", "client_id", lambda row: str(row.client_id))
    _check_named(scope, "clearing_agencies", "clearing_margin", "agency", lambda row: str(row.agency))
    _check_locations(scope)
    _check_lines(scope)


def _check_days(scope: Scope) -> None:
    if scope.now is None:
        return
    today = scope.now.date()
    for table, columns in _DAYS.items():
        for row in scope.of(table):
            for column in columns:
                day: date | None = getattr(row.record, column)
                if day is not None and day > today:
                    scope.problem(row, column, day.isoformat(), "this day has not come yet")
    for row in scope.of("pab_reliefs"):
        if row.record.done_at is not None and row.record.done_at > scope.now:
            scope.problem(row, "done_at", "", "this moment has not come yet")


def _check_accounts(scope: Scope) -> None:
    """An account that is named had a balance on some day."""
    if "accounts" in scope.unreliable:
        return
    rows = [row for table in ("account_relations", "pab_reliefs", "trades") for row in scope.of(table)]
    if not rows:
        return
    unknown = {str(row.record.account_id) for row in rows}
    if (accounts := scope.packs.get("accounts")) is not None:
        unknown -= {str(row[ROW_ID]) for _, row in accounts.rows()}
    unknown -= scope.known.account_ids(date.max, unknown, or_before=True)
    for row in rows:
        if row.record.account_id in unknown:
            reason = "this account is not known: add it to accounts.csv first"
            scope.problem(row, "account_id", row.record.account_id, reason)


def _check_named(scope: Scope, target: str, table: str, column: str, name: Callable[[Any], str]) -> None:
    if target in scope.unreliable:
        return
    named = {text for row in scope.of(table) if (text := name(row.record))}
    unknown = named - _ids_in(scope, target)
    unknown -= scope.known.known_ids(target, unknown) if unknown else set()
    for row in scope.of(table):
        if name(row.record) in unknown:
            scope.problem(row, column, name(row.record), f"this is not known: add it to {target}.csv first")


def _ids_in(scope: Scope, target: str) -> set[str]:
    ids: dict[str, Callable[[Any], str]] = {
        "clients": lambda record: str(record.client_id),
        "clearing_agencies": lambda record: str(record.agency),
        "liens": lambda record: str(record.lien_id),
    }
    return {ids[target](row.record) for row in scope.of(target)}


def _check_locations(scope: Scope) -> None:
    named: list[tuple[Sourced[Any], str, LocationId]] = [
        (row, "location", row.record.location_id) for row in scope.of("control_locations")
    ]
    named.extend(
        (row, "wallet", account_location(row.record.chain_id, row.record.wallet))
        for row in scope.of("trades")
        if row.record.chain_id is not None
    )
    unknown = unknown_locations(scope, {location_id for _, _, location_id in named}) if named else set()
    for row, column, location_id in named:
        if location_id in unknown:
            reason = "this wallet or pool is not known: add it to wallets.csv or pools.csv first"
            scope.problem(row, column, location_id, reason)


def _check_lines(scope: Scope) -> None:
    """A pledged line names its lien of the same day, a line of clearing margin its agency."""
    pack = scope.packs.get("stock_record")
    if not pack:
        return
    pledged: set[tuple[str, str]] = set()
    agencies: set[str] = set()
    for _, row in pack.rows():
        if row[LINE_PLACE] == StockPlace.BANK_LOAN:
            pledged.add((str(row[DAY]), str(row[LINE_REFERENCE])))
        elif row[LINE_PLACE] == StockPlace.CLEARING_MARGIN:
            agencies.add(str(row[LINE_REFERENCE]))
    liens = set() if "liens" in scope.unreliable else _unknown_liens(scope, pledged)
    agencies -= _ids_in(scope, "clearing_agencies")
    agencies -= scope.known.known_ids("clearing_agencies", agencies) if agencies else set()
    if "clearing_agencies" in scope.unreliable:
        agencies = set()
    if not liens and not agencies:
        return
    for line, row in pack.rows():
        reference = str(row[LINE_REFERENCE])
        if row[LINE_PLACE] == StockPlace.BANK_LOAN and (str(row[DAY]), reference) in liens:
            reason = "a bank loan names its lien of the same day: add it to liens.csv first"
        elif row[LINE_PLACE] == StockPlace.CLEARING_MARGIN and reference in agencies:
            reason = "clearing margin names its agency: add it to clearing_agencies.csv first"
        else:
            continue
        scope.problems.add(pack.source, line, reason, column="reference", value=reference)


def _unknown_liens(scope: Scope, pledged: set[tuple[str, str]]) -> set[tuple[str, str]]:
    unknown = pledged - {(row.record.as_of.isoformat(), str(row.record.lien_id)) for row in scope.of("liens")}
    if scope.posted:  # what is pledged since may name a lien that the closed day has
        known = scope.known.known_ids("liens", {lien_id for _, lien_id in unknown}) if unknown else set()
        return {each for each in unknown if each[1] not in known}
    return unknown - {(key[0], key[1]) for key in scope.known.records("liens", unknown)}
