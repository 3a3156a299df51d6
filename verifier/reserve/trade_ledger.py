"""The balances and lines of the books that trades change, and how a trade changes them. Pure.

Whatever a trade does keeps the two sides of the stock record as they were to each other: a position comes with its fail
or its location, and goes with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from enum import StrEnum

from chains.types import AssetId, LocationId, account_location
from mapping.books import Books
from mapping.books_types import (
    SHORT_ONLY,
    AccountBalance,
    Rail,
    StockLine,
    StockPlace,
    StockSide,
    Trade,
    TradeSide,
)

_FAILS = {TradeSide.BUY: StockPlace.FAIL_TO_RECEIVE, TradeSide.SELL: StockPlace.FAIL_TO_DELIVER}


class TradeState(StrEnum):
    """How far a trade is."""

    PENDING = "pending"
    """Its settlement date has not come and it was not delivered."""
    FAILING = "failing"
    """Its settlement date came and it was not delivered."""
    SETTLED = "settled"


class TradeRefused(Exception):
    """The books and the trade cannot both be right."""


class TradeLedger:
    """Books that trades are laid over, one after the other; each wholly or not at all."""

    def __init__(self, books: Books, trades: Iterable[Trade], on: date) -> None:
        self._books = books
        self._on = on
        named = {(trade.account_id, trade.asset_id) for trade in trades}
        accounts, securities = {account for account, _ in named}, {security for _, security in named}
        self._accounts = {row.account_id: row for row in books.accounts if row.account_id in accounts}
        self._lines = {row.line_id: row for row in books.stock if row.security_id in securities}
        self._of_security: dict[AssetId, list[str]] = {}
        self._fails: dict[tuple[str, StockPlace], str] = {}
        for row in sorted(self._lines.values(), key=lambda line: line.line_id):
            self._of_security.setdefault(row.security_id, []).append(row.line_id)
            if row.place in _FAILS.values() and row.reference:
                self._fails[row.reference, row.place] = row.line_id
        self._staged: dict[str, StockLine | None] = {}

    def books(self) -> Books:
        """The books as they are now."""
        untouched = (row for row in self._books.stock if row.security_id not in self._of_security)
        accounts = (self._accounts.get(row.account_id, row) for row in self._books.accounts)
        return replace(self._books, accounts=tuple(accounts), stock=(*untouched, *self._lines.values()))

    def fail_of(self, trade: Trade) -> StockLine | None:
        """The fail that names the trade."""
        line_id = self._fails.get((trade.trade_id, _FAILS[trade.side]))
        return None if line_id is None else self._lines.get(line_id)

    def move(self, trade: Trade, before: TradeState, now: TradeState) -> None:
        """Take a trade from one state to another; raises `TradeRefused` with nothing changed."""
        if before is now:
            return
        self._staged = {}
        if before is TradeState.FAILING:
            self._remove_fail(trade)
        if now is TradeState.FAILING:
            self._add(trade, "fail", _FAILS[trade.side], trade.base_units)
        if TradeState.SETTLED in (before, now):
            self._deliver(trade, undone=before is TradeState.SETTLED)
        account = None
        if TradeState.PENDING in (before, now):
            account = self._post(trade, undone=now is TradeState.PENDING)
        for line_id, row in self._staged.items():
            if row is None:
                self._lines.pop(line_id, None)
            else:
                self._lines[line_id] = row
        if account is not None:
            self._accounts[account.account_id] = account

    def _remove_fail(self, trade: Trade) -> None:
        fail = self.fail_of(trade)
        if fail is None or fail.base_units != trade.base_units:
            quantity = 0 if fail is None else fail.base_units
            raise TradeRefused(f"the fail that names it has {quantity} base units, the trade {trade.base_units}")
        self._staged[fail.line_id] = None

    def _deliver(self, trade: Trade, *, undone: bool) -> None:
        """The location gets what was bought, or gives what was sold; the other way round when it is taken back."""
        if trade.rail is Rail.CASH:
            raise TradeRefused(
                "where a trade on the rail cash is delivered is not known; post the lines of its security"
            )
        if (trade.side is TradeSide.BUY) != undone:
            self._add(trade, "location", self._place(trade), trade.base_units)
        else:
            self._take(
                trade, self._at_location(trade), "the books have less of it at its location than the trade delivers"
            )

    def _post(self, trade: Trade, *, undone: bool) -> AccountBalance:
        """The account gets the position and pays, or the other way round."""
        gets = (trade.side is TradeSide.BUY) != undone
        away = StockSide.SHORT if gets else StockSide.LONG
        positions = [
            row for row in self._rows(trade) if row.place is StockPlace.ACCOUNT and row.account_id == trade.account_id
        ]
        there = sum(row.base_units for row in positions if row.side is away)
        closing = min(there, trade.base_units)
        if closing:
            self._take(trade, [row for row in positions if row.side is away], "", closing)
        if trade.base_units > closing:
            side = StockSide.LONG if gets else StockSide.SHORT
            self._add(trade, "position", StockPlace.ACCOUNT, trade.base_units - closing, side)
        account = self._accounts.get(trade.account_id)
        if account is None:
            raise TradeRefused(f"the books have no account {trade.account_id}")
        net = account.credit_balance - account.debit_balance
        net += -trade.contract_amount if gets else trade.contract_amount
        return replace(account, as_of=self._on, credit_balance=max(0, net), debit_balance=max(0, -net))

    def _rows(self, trade: Trade) -> list[StockLine]:
        """The lines of the trade's security as they are by now, in the order of their ids."""
        ids = dict.fromkeys((*self._of_security.get(trade.asset_id, ()), *self._staged))
        rows = (self._staged[line_id] if line_id in self._staged else self._lines.get(line_id) for line_id in ids)
        return [row for row in rows if row is not None]

    def _location(self, trade: Trade) -> LocationId | None:
        return account_location(trade.chain_id, trade.wallet) if trade.chain_id and trade.wallet else None

    def _at_location(self, trade: Trade) -> list[StockLine]:
        location_id = self._location(trade)
        if location_id is None:
            return [row for row in self._rows(trade) if row.place is StockPlace.DEPOSITORY]
        return [row for row in self._rows(trade) if row.location_id == location_id and row.place in SHORT_ONLY]

    def _place(self, trade: Trade) -> StockPlace:
        """As the books have it at that location; a wallet of which they have nothing yet is the firm's own."""
        if self._location(trade) is None:
            return StockPlace.DEPOSITORY
        return next((row.place for row in self._at_location(trade)), StockPlace.BOX)

    def _take(self, trade: Trade, rows: Iterable[StockLine], shortage: str, units: int | None = None) -> None:
        left = trade.base_units if units is None else units
        for row in rows:
            taken = min(left, row.base_units)
            left -= taken
            if taken:
                rest = row.base_units - taken
                self._staged[row.line_id] = replace(row, base_units=rest) if rest else None
        if left:
            raise TradeRefused(shortage)

    def _add(self, trade: Trade, what: str, place: StockPlace, units: int, side: StockSide | None = None) -> None:
        price = next((row.price for row in self._rows(trade)), trade.price)
        is_fail = place in _FAILS.values()
        line = StockLine(
            as_of=self._on,
            line_id=f"trade:{trade.trade_id}:{what}",
            security_id=trade.asset_id,
            place=place,
            side=side or (StockSide.LONG if place is StockPlace.FAIL_TO_DELIVER else StockSide.SHORT),
            base_units=units,
            price=price,
            account_id=trade.account_id if is_fail or what == "position" else "",
            location_id=self._location(trade) if what == "location" else None,
            reference=trade.trade_id,
            since=trade.settlement_date if is_fail else None,
            contract_value=trade.contract_amount if is_fail else None,
        )
        self._staged[line.line_id] = line
        self._of_security.setdefault(trade.asset_id, []).append(line.line_id)
