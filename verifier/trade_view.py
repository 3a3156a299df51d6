"""What `custody trades` shows: every trade with how far it is, by what it settled, and why it is in doubt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from chains.types import Asset, ChainId, utc_text
from mapping.books_types import Trade
from verifier.errors import InputError
from verifier.reserve.trade_ledger import TradeState
from verifier.reserve.trade_overlay import settled_on, trade_state
from verifier.reserve.trades import RecordedSettlement, standing_settlements
from verifier.reserve_show import shown
from verifier.trade_settling import trades_at

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Store


@dataclass(frozen=True, slots=True)
class TradeLine:
    """One trade at a moment."""

    trade: Trade
    asset: Asset
    state: TradeState
    history: tuple[RecordedSettlement, ...]
    """Its settlements and reversals, oldest first."""
    settled: str
    """The civil date it settled on; empty while it has not."""
    doubt: str
    """Why a leg that may be there did not settle it; empty where there is no doubt."""

    def cells(self) -> list[str]:
        """For a table."""
        trade = self.trade
        return [
            trade.trade_id,
            trade.account_id,
            trade.side.value,
            f"{self.asset.format_quantity(trade.base_units)} {self.asset.symbol}",
            shown(trade.contract_amount),
            trade.settlement_date.isoformat(),
            trade.rail.value if trade.chain_id is None else trade.chain_id,
            self.state.value + (" (in doubt)" if self.doubt else ""),
        ]

    def to_dict(self) -> dict[str, object]:
        """For `--json`."""
        trade = self.trade
        return {
            "trade_id": trade.trade_id,
            "account_id": trade.account_id,
            "side": trade.side.value,
            "asset_id": trade.asset_id,
            "base_units": str(trade.base_units),
            "contract_amount": str(trade.contract_amount),
            "trade_date": trade.trade_date.isoformat(),
            "settlement_date": trade.settlement_date.isoformat(),
            "rail": trade.rail.value,
            "chain_id": trade.chain_id,
            "wallet": trade.wallet,
            "tx_id": trade.tx_id or None,
            "state": self.state.value,
            "settled_on": self.settled or None,
            "doubt": self.doubt or None,
            "history": [
                {
                    "act": each.settlement.act.value,
                    "recorded_at": utc_text(each.recorded_at),
                    "settled_at": utc_text(each.settlement.settled_at),
                    "height": each.settlement.block.height,
                    "block_hash": each.settlement.block.block_hash,
                    "tx_id": each.settlement.tx_id,
                }
                for each in self.history
            ],
        }


def trade_lines(store: Store, settings: Settings, now: datetime) -> list[TradeLine]:
    """Every trade as it is at a moment, those due first. Nothing is written."""
    known_at, zone = store.book_time(now), settings.reserve.bank_zone
    on = now.astimezone(ZoneInfo(zone)).date()
    trades = store.trades(known_at)
    history: dict[str, list[RecordedSettlement]] = {}
    for each in store.trade_settlements(known_at):
        history.setdefault(each.settlement.trade_id, []).append(each)
    assets = {record.asset.asset_id: record.asset for record in store.assets(None, known_at)}
    doubts: dict[str, str] = {}
    for chain_id in sorted({ChainId(each.chain_id) for each in trades if each.chain_id is not None}):
        _, found = trades_at(store, chain_id, zone, known_at)
        doubts |= {each.trade_id: each.reason for each in found}
        if halt := store.halt(chain_id):
            halted = (each for each in trades if each.chain_id == chain_id)
            doubts |= {each.trade_id: f"the chain is halted: {halt}" for each in halted}
    lines = []
    for trade in sorted(trades, key=lambda each: (each.settlement_date, each.trade_id)):
        mine = tuple(history.get(trade.trade_id, ()))
        standing = standing_settlements(mine).get(trade.trade_id)
        settled = settled_on(trade, standing, zone)
        lines.append(
            TradeLine(
                trade,
                assets[trade.asset_id],
                trade_state(trade, standing, on, zone),
                mine,
                "" if settled is None else settled.isoformat(),
                doubts.get(trade.trade_id, ""),
            )
        )
    return lines


def trade_line(store: Store, settings: Settings, trade_id: str, now: datetime) -> TradeLine:
    """One trade; raises `InputError` when there is none of this id."""
    for line in trade_lines(store, settings, now):
        if line.trade.trade_id == trade_id:
            return line
    raise InputError(f"there is no trade {trade_id}", advice="`custody trades list` shows all.")
