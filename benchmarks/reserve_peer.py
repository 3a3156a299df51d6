"""What one would write first: the day's files into SQLite as they are, and the figures by SQL and a loop.

It checks no row, keeps no earlier version, no journal and no rows behind a figure, and holds for these books alone: all
that is lent, pledged or not received is taken to be customers', and no note but the ones in use is known.
"""

from __future__ import annotations

import csv
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Final

from benchmarks.reserve_made import AS_OF, Figures, Made

LOADED: Final = ("assets", "account_relations", "control_locations", "accounts", "stock_record", "liens")


def peer(made: Made, database: Path) -> Figures:
    """Load the files, and compute."""
    database.unlink(missing_ok=True)
    with closing(sqlite3.connect(database)) as store:
        with store:
            for path in made.paths(LOADED):
                _load(store, path)
        figures = Figures()
        for holder, lines in (("customer", figures.customer), ("pab", figures.pab)):
            lines[1], lines[10] = _balances(store, holder)
        (figures.customer[2],) = store.execute("SELECT sum(cents(amount)) FROM liens").fetchone()
        figures.customer.update(_stock_items(store))
        figures.deficits = _deficits(store)
    return figures


def _load(store: sqlite3.Connection, path: Path) -> None:
    store.create_function("cents", 1, lambda text: int(text.replace(".", "") or 0), deterministic=True)
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        names = next(rows)
        store.execute(f"CREATE TABLE {path.stem} ({', '.join(names)})")
        marks = ", ".join("?" * len(names))
        store.executemany(f"INSERT INTO {path.stem} VALUES ({marks})", rows)


def _balances(store: sqlite3.Connection, holder: str) -> tuple[int, int]:
    query = (
        "SELECT sum(cents(credit_balance)), sum(CASE WHEN r.account_id IS NULL THEN cents(debit_balance) ELSE 0 END)"
        " FROM accounts a LEFT JOIN (SELECT account_id FROM account_relations WHERE unsecured_or_doubtful = 'yes') r"
        " ON r.account_id = a.account_id WHERE holder_class = ?"
    )
    credits_, debits = store.execute(query, (holder,)).fetchone()
    return credits_, debits


def _stock_items(store: sqlite3.Connection) -> Mapping[int, int]:
    found = dict.fromkeys((3, 4, 12), 0)
    query = (
        "SELECT place, quantity, decimals, price, since, contract_value, collateral FROM stock_record"
        " JOIN assets ON asset_id = security_id WHERE place IN ('stock_loan', 'fail_to_receive', 'fail_to_deliver')"
    )
    for place, quantity, decimals, price, since, contract_value, collateral in store.execute(query):
        market = -(-_units(quantity, decimals) * _cents(price) // 10 ** int(decimals))
        contract, is_old = _cents(contract_value), (AS_OF - date.fromisoformat(since)).days > 30
        if place == "stock_loan":
            found[3] += contract + max(0, market - (_cents(collateral) if collateral else contract))
        elif place == "fail_to_receive":
            found[4] += max(contract, market) if is_old else contract
        elif not is_old:
            found[12] += contract
    return found


def _deficits(store: sqlite3.Connection) -> dict[str, int]:
    needed: defaultdict[str, int] = defaultdict(int)
    places = {name: 10 ** int(decimals) for name, decimals in store.execute("SELECT asset_id, decimals FROM assets")}
    query = (
        "SELECT holder_class, client_id, account_type, debit_balance, security_id, quantity, price"
        " FROM stock_record s JOIN accounts a ON a.account_id = s.account_id"
        " WHERE place = 'account' AND holder_class IN ('customer', 'pab')"
        " ORDER BY holder_class, client_id, security_id"
    )
    for _, rows in groupby(store.execute(query), key=lambda row: row[:2]):
        for security, units in _needed(rows, places):
            needed[security] += units
    query = (
        "SELECT security_id, quantity FROM stock_record JOIN control_locations ON control_locations.location ="
        " stock_record.location WHERE place = 'depository'"
    )
    for security, quantity in store.execute(query):
        needed[security] -= _scaled(quantity, places[security])
    return {security: units for security, units in sorted(needed.items()) if units > 0}


def _needed(rows: Iterator[tuple[str, ...]], places: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """What of one owner's positions must be in possession or control."""
    margin, debits = [], {}
    for _, _, kind, debit, security, quantity, price in rows:
        units = _scaled(quantity, places[security])
        if kind == "cash":
            yield security, units
        else:
            margin.append((security, units, _cents(price) * 10_000 // places[security] * 100))
            debits[kind] = _cents(debit)
    debit_cents = sum(debits.values())
    above = sum(units * value for _, units, value in margin) - debit_cents * 140 * 10_000
    for security, units, value in margin:
        locked = min(units, max(0, -(-above // value))) if debit_cents else units
        above -= locked * value
        yield security, locked


def _cents(text: str) -> int:
    return int(text.replace(".", "") or 0)


def _units(quantity: str, decimals: str) -> int:
    return _scaled(quantity, 10 ** int(decimals))


def _scaled(quantity: str, per_unit: int) -> int:
    return int(quantity.replace(".", "")) if "." in quantity else int(quantity) * per_unit


def floor(made: Made, names: tuple[str, ...]) -> tuple[int, int]:
    """A plain read of the same files: rows and fields counted."""
    rows = fields = 0
    for path in made.paths(names):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                rows += 1
                fields += len(row)
    return rows, fields
