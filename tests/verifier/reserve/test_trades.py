"""Which observed movement settled which trade: by its transaction, else by what fits, and never by a guess."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.types import Address, Asset, AssetId, BlockRef, ChainId, Transfer, TransferKind
from mapping.books_types import Rail, Trade, TradeSide
from verifier.reserve.trades import (
    RecordedSettlement,
    SettlementAct,
    TradeSettlement,
    legs_of,
    match_trades,
    reversals,
    standing_settlements,
)

CHAIN = ChainId("eip155:1")
ETH = Asset(AssetId("eip155:1/slip44:60"), "ETH", 18)
USDX = Asset(AssetId("eip155:1/erc20:0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"), "USDX", 6)
OURS, OTHER, OUTSIDE = (Address(f"0x{letter * 40}") for letter in "abc")
NEW_YORK = "America/New_York"
TUESDAY, THURSDAY = date(2026, 9, 29), date(2026, 10, 1)
NOON = datetime(2026, 9, 30, 16, 0, tzinfo=UTC)


def block(height: int, at: datetime = NOON) -> BlockRef:
    return BlockRef(CHAIN, height, f"0x{height:064x}", f"0x{height - 1:064x}", at + timedelta(seconds=12 * height))


def trade(name: str, units: int = 5, *, side: TradeSide = TradeSide.BUY, tx_id: str = "", **more: object) -> Trade:
    values: dict[str, object] = {
        "trade_id": name,
        "account_id": "A-1",
        "side": side,
        "asset_id": USDX.asset_id,
        "base_units": units,
        "contract_amount": 100,
        "price": Decimal(1),
        "trade_date": TUESDAY,
        "settlement_date": THURSDAY,
        "rail": Rail.CHAIN,
        "chain_id": CHAIN,
        "wallet": OURS,
        "tx_id": tx_id,
    }
    return Trade(**(values | more))  # type: ignore[arg-type]


def moved(
    tx_id: str,
    units: int = 5,
    *,
    sender: Address | None = OUTSIDE,
    receiver: Address | None = OURS,
    height: int = 1,
    index: int = 0,
    kind: TransferKind = TransferKind.TOKEN,
    asset: Asset = USDX,
    at: datetime = NOON,
) -> Transfer:
    return Transfer(block(height, at), tx_id, index, asset, sender, receiver, units, kind)


def matched(
    trades: list[Trade], transfers: list[Transfer], standing: dict[str, RecordedSettlement] | None = None
) -> tuple[dict[str, str], dict[str, str]]:
    """Trade to transaction, and trade to doubt."""
    settled, doubts = match_trades(trades, standing or {}, legs_of(transfers, [OURS, OTHER]), NEW_YORK)
    assert all(each.act is SettlementAct.SETTLED for each in settled)
    assert len({each.trade_id for each in settled}) == len(settled)
    return {each.trade_id: each.tx_id for each in settled}, {each.trade_id: each.reason for each in doubts}


def recorded(name: str, tx_id: str, act: SettlementAct = SettlementAct.SETTLED, height: int = 1) -> RecordedSettlement:
    return RecordedSettlement(TradeSettlement(name, act, block(height), tx_id), NOON)


def test_a_leg_that_fits_settles_the_trade_at_its_blocks_time() -> None:
    settled, doubts = match_trades([trade("T")], {}, legs_of([moved("tx", height=7)], [OURS]), NEW_YORK)
    assert doubts == []
    assert [(each.trade_id, each.tx_id, each.settled_at) for each in settled] == [
        ("T", "tx", NOON + timedelta(seconds=84))
    ]


@pytest.mark.parametrize(
    "transfer",
    [
        moved("tx", 4),
        moved("tx", 6),
        moved("tx", receiver=OTHER),
        moved("tx", sender=OURS, receiver=OUTSIDE),
        moved("tx", asset=ETH),
        moved("tx", kind=TransferKind.COINBASE, sender=None),
        moved("tx", kind=TransferKind.WITHDRAWAL, sender=None),
        moved("tx", at=datetime(2026, 9, 29, 3, 0, tzinfo=UTC)),  # Monday evening in New York
    ],
    ids=["less", "more", "another wallet", "outwards", "another asset", "mined", "withdrawn", "before the trade"],
)
def test_a_leg_that_does_not_fit_settles_nothing(transfer: Transfer) -> None:
    assert matched([trade("T")], [transfer]) == ({}, {})
    assert matched([trade("T")], [transfer, moved("good", height=2)])[0] == {"T": "good"}


def test_a_sell_is_settled_by_what_leaves_and_no_fee_is_counted() -> None:
    sell = trade("T", 5, side=TradeSide.SELL, asset_id=ETH.asset_id)
    out = moved("tx", 5, sender=OURS, receiver=OUTSIDE, asset=ETH, kind=TransferKind.NATIVE)
    fee = moved("tx", 2, sender=OURS, receiver=None, asset=ETH, kind=TransferKind.FEE, index=-1)
    assert matched([sell], [fee, out]) == ({"T": "tx"}, {})
    assert matched([trade("T", 5, asset_id=ETH.asset_id)], [fee, out]) == ({}, {})


def test_what_one_transaction_moves_is_summed_change_included() -> None:
    parts = [moved("tx", 4), moved("tx", 3, index=1), moved("tx", 2, sender=OURS, receiver=OUTSIDE, index=2)]
    assert matched([trade("T", 5)], parts) == ({"T": "tx"}, {})
    assert legs_of([moved("tx", 4), moved("tx", 4, sender=OURS, receiver=OUTSIDE, index=1)], [OURS]) == []


def test_a_named_transaction_settles_its_trade_or_nothing_does() -> None:
    named = trade("T", tx_id="tx")
    assert matched([named], [moved("tx"), moved("other")]) == ({"T": "tx"}, {})
    assert matched([named], [moved("other")]) == ({}, {})
    settled, doubts = matched([named], [moved("tx", 4)])
    assert settled == {}
    assert "moved 4 base units, not 5" in doubts["T"]
    settled, doubts = matched([named], [moved("tx", sender=OURS, receiver=OUTSIDE)])
    assert (settled, "moved -5 base units" in doubts["T"]) == ({}, True)


def test_trades_that_name_one_transaction_share_it_when_they_add_up() -> None:
    both = [trade("T-1", 2, tx_id="tx"), trade("T-2", 3, tx_id="tx", account_id="A-2")]
    assert matched(both, [moved("tx")])[0] == {"T-1": "tx", "T-2": "tx"}
    settled, doubts = matched(both, [moved("tx", 4)])
    assert (settled, set(doubts)) == ({}, {"T-1", "T-2"})


def test_a_leg_that_a_trade_names_is_no_other_trades() -> None:
    trades = [trade("T-1", tx_id="tx"), trade("T-2", account_id="A-2")]
    assert matched(trades, [moved("tx")]) == ({"T-1": "tx"}, {})


def test_a_leg_settles_once() -> None:
    standing = {"T-1": recorded("T-1", "tx")}
    assert matched([trade("T-1"), trade("T-2")], [moved("tx")], standing) == ({}, {})
    assert matched([trade("T-1"), trade("T-2")], [moved("tx"), moved("tx-2", height=2)], standing)[0] == {"T-2": "tx-2"}
    settled, doubts = matched([trade("T-1", tx_id="tx"), trade("T-2", tx_id="tx")], [moved("tx")], standing)
    assert (settled, "another trade" in doubts["T-2"]) == ({}, True)


def test_as_many_legs_as_trades_settle_in_their_order() -> None:
    trades = [trade("T-2", account_id="A-2"), trade("T-1"), trade("T-0", trade_date=TUESDAY + timedelta(days=1))]
    legs = [moved("third", height=3), moved("first", height=1), moved("second", height=2)]
    assert matched(trades, legs) == ({"T-1": "first", "T-2": "second", "T-0": "third"}, {})


def test_fewer_legs_than_trades_of_one_account_settle_the_oldest() -> None:
    trades = [trade("T-1"), trade("T-2")]
    assert matched(trades, [moved("tx")]) == ({"T-1": "tx"}, {})


@pytest.mark.parametrize(
    ("trades", "legs"),
    [
        ([trade("T-1"), trade("T-2", account_id="A-2")], [moved("tx")]),
        ([trade("T-1")], [moved("tx-1"), moved("tx-2", height=2)]),
        (
            [trade("T-1"), trade("T-2", account_id="A-2", trade_date=THURSDAY)],
            [moved("tx-1"), moved("tx-2", height=2)],
        ),
    ],
    ids=["two accounts", "more movements", "older than its trade"],
)
def test_what_could_be_anothers_settles_nothing_and_is_told(trades: list[Trade], legs: list[Transfer]) -> None:
    settled, doubts = matched(trades, legs)
    assert settled == {}
    assert set(doubts) == {each.trade_id for each in trades}
    assert all("post the trade with its transaction" in reason for reason in doubts.values())


def test_the_firms_day_counts_not_that_of_utc() -> None:
    late = datetime(2026, 9, 30, 2, 0, tzinfo=UTC)  # still Tuesday in New York
    assert matched([trade("T")], [moved("tx", at=late)])[0] == {"T": "tx"}
    assert matched([trade("T", trade_date=date(2026, 9, 30))], [moved("tx", at=late)])[0] == {}


@pytest.mark.fault("G19")
def test_a_block_that_left_the_chain_takes_its_settlements_back_and_another_may_settle() -> None:
    history = [recorded("T-1", "tx"), recorded("T-2", "tx-2", height=2)]
    back = reversals(standing_settlements(history), lambda gone: gone.height == 2)
    assert [(each.trade_id, each.act, each.block.height) for each in back] == [("T-2", SettlementAct.REVERSED, 2)]
    history.append(RecordedSettlement(back[0], NOON))
    standing = standing_settlements(history)
    assert set(standing) == {"T-1"}
    assert matched([trade("T-1"), trade("T-2", tx_id="tx-2")], [moved("tx-2", height=3)], standing)[0] == {
        "T-2": "tx-2"
    }
    assert reversals(standing, lambda gone: False) == []


def test_other_rails_are_never_settled_by_a_leg() -> None:
    dtc = trade("T", rail=Rail.DTC, chain_id=None, wallet=None)
    assert matched([dtc], [moved("tx")]) == ({}, {})


@given(
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=6),
    legs=st.lists(st.integers(1, 4), min_size=0, max_size=6),
    seed=st.integers(0, 10**6),
)
def test_the_order_of_what_is_given_changes_nothing_and_no_leg_is_used_twice(
    sizes: list[int], legs: list[int], seed: int
) -> None:
    trades = [trade(f"T-{n}", units, account_id=f"A-{n % 2}") for n, units in enumerate(sizes)]
    transfers = [moved(f"tx-{n}", units, height=n + 1) for n, units in enumerate(legs)]
    expected = matched(trades, transfers)
    shuffled = random.Random(seed)
    shuffled.shuffle(trades)
    assert matched(trades, transfers) == expected
    settled, doubts = expected
    assert len(set(settled.values())) == len(settled)
    assert not settled.keys() & doubts.keys()
    units = {each.trade_id: each.base_units for each in trades}
    assert all(legs[int(tx_id.removeprefix("tx-"))] == units[name] for name, tx_id in settled.items())
