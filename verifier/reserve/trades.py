"""Which observed movement settled which trade. Pure.

A leg is what one transaction moved of one asset into or out of one of our wallets. Where a trade names its transaction,
that leg settles it or none does. Where it does not, the leg is found by wallet, asset, side and quantity: as many legs
as trades, in their order; or fewer where all the trades are one account's, the oldest first. Anything else could be
another's delivery, so nothing settles and the doubt is told: a person then posts the trade with its transaction.

Only movements of final blocks are put in. A settlement whose block left the chain is reversed by a record of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from chains.types import Address, AssetId, BlockRef, Transfer, TransferKind
from mapping.books_types import Rail, Trade, TradeSide

NO_LEGS: Final = frozenset({TransferKind.FEE, TransferKind.COINBASE, TransferKind.WITHDRAWAL})
"""Kinds of movement that deliver nothing that was traded."""


class SettlementAct(StrEnum):
    """What a record says of a trade."""

    SETTLED = "settled"
    REVERSED = "reversed"
    """The block of the settlement left the chain: it takes back the one before."""


@dataclass(frozen=True, slots=True)
class TradeSettlement:
    """That a leg settled a trade at its block's time, or that this is taken back."""

    trade_id: str
    act: SettlementAct
    block: BlockRef
    tx_id: str

    @property
    def settled_at(self) -> datetime:
        """The block's time."""
        return self.block.timestamp


@dataclass(frozen=True, slots=True)
class RecordedSettlement:
    """A settlement or reversal, and when it was recorded."""

    settlement: TradeSettlement
    recorded_at: datetime


class Leg(NamedTuple):
    """What one transaction moved of one asset into a wallet of ours (more than zero) or out of it (less)."""

    block: BlockRef
    first_index: int
    """Order of the legs within a block: of the first movement in what was read."""
    tx_id: str
    wallet: Address
    asset_id: AssetId
    base_units: int


@dataclass(frozen=True, slots=True)
class TradeDoubt:
    """Why a chain leg that may be there did not settle a trade."""

    trade_id: str
    reason: str


def standing_settlements(recorded: Iterable[RecordedSettlement]) -> dict[str, RecordedSettlement]:
    """The settlement that stands of each trade, the records being in their order."""
    standing: dict[str, RecordedSettlement] = {}
    for each in recorded:
        if each.settlement.act is SettlementAct.SETTLED:
            standing[each.settlement.trade_id] = each
        else:
            standing.pop(each.settlement.trade_id, None)
    return standing


def legs_of(transfers: Iterable[Transfer], wallets: Iterable[Address]) -> list[Leg]:
    """The legs of movements in the order of the chain; what nets to nothing is none."""
    ours = set(wallets)
    found: dict[tuple[str, str, Address, AssetId], tuple[BlockRef, int, int]] = {}
    for index, each in enumerate(transfers):
        if each.kind in NO_LEGS:
            continue
        for wallet, units in ((each.receiver, each.base_units), (each.sender, -each.base_units)):
            if wallet is not None and wallet in ours:
                key = (each.block.block_hash, each.tx_id, wallet, each.asset.asset_id)
                block, first, before = found.get(key, (each.block, index, 0))
                found[key] = (block, first, before + units)
    return [
        Leg(block, first, tx_id, wallet, asset_id, units)
        for (_, tx_id, wallet, asset_id), (block, first, units) in found.items()
        if units
    ]


def match_trades(
    trades: Sequence[Trade], standing: Mapping[str, RecordedSettlement], legs: Iterable[Leg], zone: str
) -> tuple[list[TradeSettlement], list[TradeDoubt]]:
    """The settlements that are new, and every doubt, of the trades of one chain. A leg settles once.

    Trades that name one transaction share its leg when their quantities add up to it. `zone` is the firm's: a leg
    before the trade's civil date is another's.
    """
    chain_trades = sorted(
        (each for each in trades if each.rail is Rail.CHAIN), key=lambda trade: (trade.trade_date, trade.trade_id)
    )
    waiting = [each for each in chain_trades if each.trade_id not in standing]
    used = {
        (standing[each.trade_id].settlement.tx_id, each.wallet, each.asset_id)
        for each in chain_trades
        if each.trade_id in standing
    }
    by_place: dict[tuple[str, Address | None, AssetId], Leg] = {
        (leg.tx_id, leg.wallet, leg.asset_id): leg for leg in legs
    }
    settlements: list[TradeSettlement] = []
    doubts: list[TradeDoubt] = []
    named: dict[tuple[str, Address | None, AssetId], list[Trade]] = {}
    unnamed: dict[tuple[Address | None, AssetId, int], list[Trade]] = {}
    for trade in waiting:
        if trade.tx_id:
            named.setdefault((trade.tx_id, trade.wallet, trade.asset_id), []).append(trade)
        else:
            unnamed.setdefault((trade.wallet, trade.asset_id, _signed(trade)), []).append(trade)
    for place, group in named.items():
        found = by_place.get(place)
        if found is None:
            continue
        if place in used:
            doubts += (TradeDoubt(each.trade_id, f"transaction {place[0]} settled another trade") for each in group)
        elif found.base_units != sum(map(_signed, group)):
            reason = f"transaction {found.tx_id} moved {found.base_units} base units, not {sum(map(_signed, group))}"
            doubts += (TradeDoubt(each.trade_id, reason) for each in group)
        else:
            settlements += (_settled(each, found) for each in group)
    free = sorted(
        (leg for place, leg in by_place.items() if place not in used and place not in named),
        key=lambda leg: (leg.block.height, leg.first_index),
    )
    for (wallet, asset_id, units), group in unnamed.items():
        fitting = [leg for leg in free if (leg.wallet, leg.asset_id, leg.base_units) == (wallet, asset_id, units)]
        made, doubted = _in_order(group, fitting, ZoneInfo(zone))
        settlements += made
        doubts += doubted
    return settlements, doubts


def _in_order(
    group: Sequence[Trade], fitting: Sequence[Leg], zone: ZoneInfo
) -> tuple[list[TradeSettlement], list[TradeDoubt]]:
    """Settle trades of one wallet, asset, side and quantity by legs that fit; nothing where it could be another's."""
    oldest = min(trade.trade_date for trade in group)
    legs = [leg for leg in fitting if _civil(leg.block, zone) >= oldest]
    if not legs:
        return [], []
    if len(legs) > len(group):
        reason = f"{len(legs)} movements fit {len(group)} trades: post the trade with its transaction"
        return [], [TradeDoubt(trade.trade_id, reason) for trade in group]
    if len(legs) < len(group) and len({trade.account_id for trade in group}) > 1:
        reason = (
            f"{len(legs)} movements fit {len(group)} trades of several accounts: post the trade with its transaction"
        )
        return [], [TradeDoubt(trade.trade_id, reason) for trade in group]
    pairs = list(zip(group, legs, strict=False))
    if any(_civil(leg.block, zone) < trade.trade_date for trade, leg in pairs):
        reason = "a movement that fits by order is older than the trade: post the trade with its transaction"
        return [], [TradeDoubt(trade.trade_id, reason) for trade in group]
    return [_settled(trade, leg) for trade, leg in pairs], []


def _signed(trade: Trade) -> int:
    """What the trade's leg does to our wallet."""
    return trade.base_units if trade.side is TradeSide.BUY else -trade.base_units


def _settled(trade: Trade, leg: Leg) -> TradeSettlement:
    return TradeSettlement(trade.trade_id, SettlementAct.SETTLED, leg.block, leg.tx_id)


def _civil(block: BlockRef, zone: ZoneInfo) -> date:
    return block.timestamp.astimezone(zone).date()


def reversals(
    standing: Mapping[str, RecordedSettlement], is_orphaned: Callable[[BlockRef], bool]
) -> list[TradeSettlement]:
    """What takes back the settlements whose block left the chain."""
    return [
        replace(each.settlement, act=SettlementAct.REVERSED)
        for each in standing.values()
        if is_orphaned(each.settlement.block)
    ]
