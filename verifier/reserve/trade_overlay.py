"""Trades laid over the books of a closed day: fails, balances, positions and locations as they are now. Pure.

On its contractual settlement date a trade is in its account, whether it was delivered or not: the position and the
contract amount are posted, and what has not come or gone is a fail to receive or to deliver. With the delivery the fail
gives way to the location. What the closed day already shows is read from its own lines: a fail that names the trade.

A trade of which the books and the settlement cannot both be right changes nothing, and is told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from mapping.books import Books
from mapping.books_types import Rail, Trade
from verifier.reserve.trade_ledger import TradeLedger, TradeRefused, TradeState
from verifier.reserve.trades import RecordedSettlement, SettlementAct, standing_settlements


@dataclass(frozen=True, slots=True)
class TradeNote:
    """Why a trade is not in what is projected."""

    trade_id: str
    text: str


def settled_on(trade: Trade, standing: RecordedSettlement | None, zone: str) -> date | None:
    """The firm's civil date on which a trade settled; None while it has not."""
    if trade.rail is not Rail.CHAIN:
        return trade.settled_on
    return None if standing is None else _civil(standing, ZoneInfo(zone))


def trade_state(trade: Trade, standing: RecordedSettlement | None, on: date, zone: str) -> TradeState:
    """How far a trade is on a civil date, by the settlement that stands."""
    settled = settled_on(trade, standing, zone)
    if settled is not None and settled <= on:
        return TradeState.SETTLED
    return TradeState.FAILING if trade.settlement_date <= on else TradeState.PENDING


def with_trades(
    books: Books, trades: Iterable[Trade], recorded: Iterable[RecordedSettlement], on: date, zone: str
) -> tuple[Books, list[TradeNote]]:
    """The books with every trade as it is on a civil date, and the trades that could not be laid over them.

    `recorded` are all settlements and reversals in their order; `books` those of a closed day, later rows over them.
    """
    trades = sorted(trades, key=lambda each: each.trade_id)
    if not trades:
        return books, []
    history: dict[str, list[RecordedSettlement]] = {}
    for each in recorded:
        history.setdefault(each.settlement.trade_id, []).append(each)
    ledger = TradeLedger(books, trades, on)
    notes = []
    for trade in trades:
        mine = history.get(trade.trade_id, [])
        now = trade_state(trade, standing_settlements(mine).get(trade.trade_id), on, zone)
        try:
            before = _state_in_books(trade, mine, ledger, books.as_of, zone)
            ledger.move(trade, before, now)
        except TradeRefused as refused:
            notes.append(TradeNote(trade.trade_id, str(refused)))
    return ledger.books(), notes


def _civil(recorded: RecordedSettlement, zone: ZoneInfo) -> date:
    return recorded.settlement.settled_at.astimezone(zone).date()


def _state_in_books(
    trade: Trade, history: list[RecordedSettlement], ledger: TradeLedger, closed: date, zone: str
) -> TradeState:
    """What the closed day's books show of a trade."""
    if ledger.fail_of(trade) is not None:
        return TradeState.FAILING
    at = ZoneInfo(zone)
    known = [each for each in history if _civil(each, at) <= closed]
    settlements = [each for each in known if each.settlement.act is SettlementAct.SETTLED]
    taken_back = [
        each
        for each in known
        if each.settlement.act is SettlementAct.REVERSED and each.recorded_at.astimezone(at).date() <= closed
    ]
    if trade.rail is not Rail.CHAIN:
        is_settled = trade.settled_on is not None and trade.settled_on <= closed
    else:
        is_settled = len(settlements) > len(taken_back)
    if is_settled:
        return TradeState.SETTLED
    if trade.settlement_date > closed:
        return TradeState.PENDING
    raise TradeRefused(
        f"it was due on {trade.settlement_date.isoformat()} and had not settled at the close of {closed.isoformat()},"
        " and the books of that day have no fail that names it"
    )
