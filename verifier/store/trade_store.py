"""Which legs settled which trades, as it was recorded; and the movements that could."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime

import sqlalchemy as sa

from chains.types import Address, ChainId, Transfer
from mapping.books import Books
from mapping.books_types import Trade
from verifier.reserve.trade_overlay import TradeNote, with_trades
from verifier.reserve.trades import RecordedSettlement, SettlementAct, TradeSettlement
from verifier.store.books_store import BooksStore
from verifier.store.sweep_store import COVERED, TRANSFER, block_of, live_transfers
from verifier.store.tables import TradeSettlementRow, table

SETTLEMENT = table(TradeSettlementRow)
WALLETS_PER_QUERY = 400


class TradeStore(BooksStore):
    """The trades' side of the store."""

    def trades(self, known_at: datetime) -> list[Trade]:
        """The newest version of every trade."""
        return self._newest(Trade, known_at)

    def trade_settlements(self, known_at: datetime) -> list[RecordedSettlement]:
        """Every settlement and reversal in the order they were recorded."""
        query = sa.select(SETTLEMENT).where(SETTLEMENT.c.recorded_at <= known_at).order_by(SETTLEMENT.c.record_id)
        with self.read() as connection:
            return [
                RecordedSettlement(TradeSettlement(row.trade_id, row.act, block_of(row), row.tx_id), row.recorded_at)
                for row in connection.execute(query)
            ]

    def add_trade_settlements(self, new: Iterable[TradeSettlement], actor: str, now: datetime) -> list[TradeSettlement]:
        """Record settlements and reversals; one that stands already, or takes back nothing, is left out."""
        added = []
        with self.record("trades.settled", actor, {}, now) as unit:
            rows = unit.connection.execute(sa.select(SETTLEMENT).order_by(SETTLEMENT.c.record_id)).all()
            standing = {row.trade_id: row.act is SettlementAct.SETTLED for row in rows}
            for each in new:
                if standing.get(each.trade_id, False) is (each.act is SettlementAct.SETTLED):
                    continue
                standing[each.trade_id] = each.act is SettlementAct.SETTLED
                unit.add(
                    TradeSettlementRow,
                    trade_id=each.trade_id,
                    act=each.act,
                    chain_id=each.block.chain_id,
                    height=each.block.height,
                    block_hash=each.block.block_hash,
                    parent_hash=each.block.parent_hash,
                    block_time=each.block.timestamp,
                    tx_id=each.tx_id,
                )
                added.append(each)
        return added

    def movements_of(
        self, chain_id: ChainId, wallets: Collection[Address], *, since: datetime, last_height: int
    ) -> list[Transfer]:
        """The canonical movements into and out of these wallets since a moment, up to a block, in the chain's order."""
        found: dict[int, Transfer] = {}
        ordered = sorted(wallets)
        with self.read() as connection:
            for start in range(0, len(ordered), WALLETS_PER_QUERY):
                chunk = ordered[start : start + WALLETS_PER_QUERY]
                touches = sa.or_(TRANSFER.c.sender.in_(chunk), TRANSFER.c.receiver.in_(chunk))
                when = (COVERED.c.block_time >= since, COVERED.c.height <= last_height)
                found.update(live_transfers(connection, chain_id, touches, *when))
        return [found[key] for key in sorted(found, key=lambda key: (found[key].block.height, key))]

    def projected_books(self, on: date, known_at: datetime, zone: str) -> tuple[Books, list[TradeNote]] | None:
        """The newest closed day's books with later rows and trades laid over them, as they are on a civil date.

        Beside them the trades that could not be. None where no day is closed; raises `InputError` where the closed
        day is not complete. `zone` is the firm's.
        """
        trades = self.trades(known_at)
        books = self.books_now(on, known_at, {trade.asset_id for trade in trades})
        if books is None:
            return None
        return with_trades(books, trades, self.trade_settlements(known_at), on, zone)
