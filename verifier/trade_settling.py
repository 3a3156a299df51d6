"""Trades settled by the legs that were observed: at the end of each sweep, and after blocks left the chain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from chains.types import ChainId, utc_text
from verifier.reserve.trades import (
    SettlementAct,
    TradeDoubt,
    TradeSettlement,
    legs_of,
    match_trades,
    reversals,
    standing_settlements,
)

if TYPE_CHECKING:
    from mapping.books_types import Trade
    from verifier.store import Store

_ZONES: timedelta = timedelta(hours=26)
"""No zone's day begins earlier than this before the day in UTC ends."""


@dataclass(frozen=True, slots=True)
class TradesSettled:
    """What was learnt about the trades of one chain."""

    records: tuple[TradeSettlement, ...] = ()
    """Settlements and reversals that were recorded."""
    doubts: tuple[TradeDoubt, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "records": [
                {
                    "trade_id": each.trade_id,
                    "act": each.act.value,
                    "settled_at": utc_text(each.settled_at),
                    "height": each.block.height,
                    "block_hash": each.block.block_hash,
                    "tx_id": each.tx_id,
                }
                for each in self.records
            ],
            "doubts": [{"trade_id": each.trade_id, "reason": each.reason} for each in self.doubts],
        }

    def text(self) -> str:
        """One line for people; empty where nothing was learnt."""
        settled = sum(each.act is SettlementAct.SETTLED for each in self.records)
        parts = [
            (settled, "settled"),
            (len(self.records) - settled, "reversed"),
            (len(self.doubts), "in doubt"),
        ]
        said = [f"{count} {what}" for count, what in parts if count]
        return f"trades: {', '.join(said)}" if said else ""


def settle_trades(
    store: Store, chain_id: ChainId, zone: str, actor: str, clock: Callable[[], datetime]
) -> TradesSettled:
    """Record which observed legs settled which trades of a chain, and reverse settlements whose block left it.

    Only blocks that were read as final count, whatever the sweep's finality. Doing it again records nothing new.
    """
    found, doubts = trades_at(store, chain_id, zone, store.book_time(clock()))
    if not found:
        return TradesSettled((), tuple(doubts))
    return TradesSettled(tuple(store.add_trade_settlements(found, actor, clock())), tuple(doubts))


def trades_at(
    store: Store, chain_id: ChainId, zone: str, known_at: datetime
) -> tuple[list[TradeSettlement], list[TradeDoubt]]:
    """What is to be recorded about the trades of a chain, and every doubt; nothing is written."""
    trades = [each for each in store.trades(known_at) if each.chain_id == chain_id]
    if not trades:
        return [], []
    standing = standing_settlements(store.trade_settlements(known_at))
    mine = {each.trade_id: standing[each.trade_id] for each in trades if each.trade_id in standing}
    taken_back = reversals(mine, store.is_orphaned)
    for each in taken_back:
        del mine[each.trade_id]
    waiting = [each for each in trades if each.trade_id not in mine]
    final = store.final_height(chain_id)
    if final is None or not waiting:
        return taken_back, []
    wallets = {each.wallet for each in waiting if each.wallet is not None}
    movements = store.movements_of(chain_id, wallets, since=_earliest(waiting), last_height=final)
    settled, doubts = match_trades(trades, mine, legs_of(movements, wallets), zone)
    return [*taken_back, *settled], doubts


def _earliest(trades: list[Trade]) -> datetime:
    oldest = min(each.trade_date for each in trades)
    return datetime.combine(oldest, time.min, UTC) - _ZONES
