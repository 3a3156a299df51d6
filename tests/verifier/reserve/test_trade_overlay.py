"""Trades laid over a closed day: fails on the settlement date, delivery with the leg, and both taken back again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.types import Address, Asset, AssetId, BlockRef, ChainId, account_location
from mapping.books import Books
from mapping.books_types import (
    AccountBalance,
    AccountType,
    HolderClass,
    Rail,
    StockLine,
    StockPlace,
    StockSide,
    Trade,
    TradeSide,
)
from mapping.types import AssetRecord, LegalClass
from tests.verifier.reserve.balance import unbalanced
from verifier.reserve.trade_ledger import TradeState
from verifier.reserve.trade_overlay import TradeNote, trade_state, with_trades
from verifier.reserve.trades import RecordedSettlement, SettlementAct, TradeSettlement

CHAIN = ChainId("eip155:1")
COIN = AssetId("eip155:1/slip44:60")
OURS = Address("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
WALLET = account_location(CHAIN, OURS)
CLOSED, DUE, LATER = date(2026, 9, 30), date(2026, 10, 1), date(2026, 10, 2)
ZONE = "America/New_York"


def line(line_id: str, place: StockPlace, side: StockSide, units: int, **more: object) -> StockLine:
    values: dict[str, object] = {
        "as_of": CLOSED,
        "line_id": line_id,
        "security_id": COIN,
        "place": place,
        "side": side,
        "base_units": units,
        "price": Decimal(2000),
    }
    return StockLine(**(values | more))  # type: ignore[arg-type]


def books(*stock: StockLine, cents: int = 10_000) -> Books:
    lines = stock or (
        line("L-1", StockPlace.ACCOUNT, StockSide.LONG, 100, account_id="A-1"),
        line("L-2", StockPlace.BOX, StockSide.SHORT, 100, location_id=WALLET),
    )
    accounts = [AccountBalance(CLOSED, "A-1", "C-1", HolderClass.CUSTOMER, AccountType.CASH, cents, 0)]
    accounts.append(AccountBalance(CLOSED, "A-2", "C-2", HolderClass.CUSTOMER, AccountType.CASH, 77, 0))
    asset = AssetRecord(Asset(COIN, "ETH", 18), LegalClass.NON_SECURITY_CRYPTO, CLOSED, "memo")
    return Books(CLOSED, tuple(accounts), (), lines, (), (asset,), (), (), (), (), (), ())


def trade(side: TradeSide, units: int = 30, name: str = "T", **more: object) -> Trade:
    values: dict[str, object] = {
        "trade_id": name,
        "account_id": "A-1",
        "side": side,
        "asset_id": COIN,
        "base_units": units,
        "contract_amount": 6_000,
        "price": Decimal(2000),
        "trade_date": CLOSED - timedelta(days=1),
        "settlement_date": DUE,
        "rail": Rail.CHAIN,
        "chain_id": CHAIN,
        "wallet": OURS,
    }
    return Trade(**(values | more))  # type: ignore[arg-type]


def leg(day: date, act: SettlementAct = SettlementAct.SETTLED, name: str = "T") -> RecordedSettlement:
    moment = datetime(day.year, day.month, day.day, 16, 0, tzinfo=UTC)
    block = BlockRef(CHAIN, 7, f"0x{7:064x}", f"0x{6:064x}", moment)
    return RecordedSettlement(TradeSettlement(name, act, block, "tx"), moment + timedelta(minutes=1))


def stock(found: Books) -> dict[str, tuple[str, int]]:
    """Place and quantity of each line; short ones below zero."""
    return {
        each.line_id: (each.place.value, each.base_units if each.side is StockSide.LONG else -each.base_units)
        for each in found.stock
    }


def net(found: Books) -> int:
    (account,) = (each for each in found.accounts if each.account_id == "A-1")
    return account.credit_balance - account.debit_balance


def laid(of: Books, one: Trade, on: date, *history: RecordedSettlement) -> Books:
    found, notes = with_trades(of, [one], history, on, ZONE)
    assert notes == []
    assert unbalanced(found) == unbalanced(of)
    assert [each for each in found.accounts if each.account_id == "A-2"] == [of.accounts[1]]
    return found


BUY, SELL = TradeSide.BUY, TradeSide.SELL


def test_before_its_date_a_trade_that_was_not_delivered_changes_nothing() -> None:
    assert laid(books(), trade(BUY), CLOSED) == books()


def test_a_buy_that_is_due_is_a_fail_to_receive_and_the_delivery_puts_it_into_the_wallet() -> None:
    due = laid(books(), trade(BUY), DUE)
    assert net(due) == 4_000
    assert stock(due) == stock(books()) | {
        "trade:T:fail": ("fail_to_receive", -30),
        "trade:T:position": ("account", 30),
    }
    fail = next(each for each in due.stock if each.line_id == "trade:T:fail")
    assert (fail.contract_value, fail.since, fail.reference, fail.account_id) == (6_000, DUE, "T", "A-1")
    settled = laid(books(), trade(BUY), DUE, leg(DUE))
    assert net(settled) == 4_000
    assert stock(settled) == stock(books()) | {
        "trade:T:location": ("box", -30),
        "trade:T:position": ("account", 30),
    }
    assert next(each for each in settled.stock if each.line_id == "trade:T:location").location_id == WALLET


def test_a_sell_that_is_due_is_a_fail_to_deliver_and_the_delivery_takes_it_out_of_the_wallet() -> None:
    due = laid(books(), trade(SELL), DUE)
    assert net(due) == 16_000
    assert stock(due) == {"L-1": ("account", 70), "L-2": ("box", -100), "trade:T:fail": ("fail_to_deliver", 30)}
    settled = laid(books(), trade(SELL), DUE, leg(DUE))
    assert net(settled) == 16_000
    assert stock(settled) == {"L-1": ("account", 70), "L-2": ("box", -70)}


def test_a_delivery_before_the_date_settles_at_once() -> None:
    early = trade(BUY, settlement_date=LATER)
    assert stock(laid(books(), early, DUE, leg(DUE)))["trade:T:location"] == ("box", -30)
    assert laid(books(), early, DUE) == books()


def test_selling_more_than_one_owns_leaves_a_short_position_and_buying_covers_it() -> None:
    short = laid(books(), trade(SELL, 130), DUE)
    assert stock(short)["trade:T:position"] == ("account", -30)
    assert "L-1" not in stock(short)
    owed = books(
        line("L-1", StockPlace.ACCOUNT, StockSide.SHORT, 20, account_id="A-1"),
        line("L-3", StockPlace.ACCOUNT, StockSide.LONG, 20, account_id="A-2"),
    )
    covered = laid(owed, trade(BUY), DUE)
    assert stock(covered)["trade:T:position"] == ("account", 10)
    assert "L-1" not in stock(covered)


def test_a_buy_on_money_that_is_not_there_leaves_a_debit() -> None:
    account = laid(books(cents=1_000), trade(BUY), DUE).accounts[0]
    assert (account.credit_balance, account.debit_balance) == (0, 5_000)


def in_books(side: TradeSide, units: int = 30) -> tuple[Books, Trade]:
    """A trade that failed before the day closed, with the fail in the books of that day."""
    place = StockPlace.FAIL_TO_RECEIVE if side is BUY else StockPlace.FAIL_TO_DELIVER
    sign = StockSide.SHORT if side is BUY else StockSide.LONG
    before = date(2026, 9, 29)
    fail = line("F-1", place, sign, units, reference="T", since=before, contract_value=6_000, account_id="A-1")
    other = line("L-9", StockPlace.ACCOUNT, StockSide.LONG if side is BUY else StockSide.SHORT, 30, account_id="A-2")
    return books(*books().stock, fail, other), trade(side, settlement_date=before, trade_date=before)


@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_fail_that_the_books_show_gives_way_to_the_location_and_no_money_moves_again(side: TradeSide) -> None:
    closed, failed = in_books(side)
    assert laid(closed, failed, LATER) == closed
    settled = laid(closed, failed, LATER, leg(DUE))
    assert net(settled) == net(closed)
    assert "F-1" not in stock(settled)
    expected = {"trade:T:location": ("box", -30)} if side is BUY else {"L-2": ("box", -70)}
    assert expected.items() <= stock(settled).items()
    # the books of the day did not know yet what the chain had done by then
    assert stock(laid(closed, failed, LATER, leg(CLOSED))) == stock(settled)


@pytest.mark.fault("G19")
@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_settlement_that_is_taken_back_after_the_close_is_undone(side: TradeSide) -> None:
    due_before = trade(side, settlement_date=CLOSED)
    settled = leg(CLOSED)
    assert laid(books(), due_before, LATER, settled) == books()  # the day's books have it
    back = replace(leg(CLOSED, SettlementAct.REVERSED), recorded_at=datetime(2026, 10, 2, 12, 0, tzinfo=UTC))
    undone = laid(books(), due_before, LATER, settled, back)
    assert net(undone) == net(books())
    if side is BUY:
        assert stock(undone) == {"L-1": ("account", 100), "L-2": ("box", -70), "trade:T:fail": ("fail_to_receive", -30)}
    else:
        assert stock(undone)["trade:T:location"] == ("box", -30)
        assert stock(undone)["trade:T:fail"] == ("fail_to_deliver", 30)
    again = laid(books(), due_before, LATER, settled, back, replace(leg(DUE), recorded_at=back.recorded_at))
    assert again == books()


def test_an_early_settlement_that_is_taken_back_before_the_date_is_wholly_undone() -> None:
    early = trade(BUY, settlement_date=LATER)
    back = replace(leg(CLOSED, SettlementAct.REVERSED), recorded_at=datetime(2026, 10, 1, 12, 0, tzinfo=UTC))
    undone = laid(books(), early, DUE, leg(CLOSED), back)
    assert net(undone) == 16_000
    assert stock(undone) == {"L-1": ("account", 70), "L-2": ("box", -70)}


def refused(of: Books, one: Trade, *history: RecordedSettlement) -> str:
    """Why a trade is left out; the books are as they were."""
    found, notes = with_trades(of, [one], history, LATER, ZONE)
    assert found == of
    (note,) = notes
    assert isinstance(note, TradeNote)
    assert note.trade_id == one.trade_id
    return note.text


def test_what_the_books_and_the_chain_cannot_both_say_is_left_out_and_told() -> None:
    due_before = trade(BUY, settlement_date=CLOSED)
    assert "have no fail that names it" in refused(books(), due_before)
    assert "less of it at its location" in refused(books(), trade(SELL, 101), leg(DUE))
    assert "no account A-7" in refused(books(), trade(BUY, account_id="A-7"))
    closed, failed = in_books(BUY, units=29)
    assert "29 base units, the trade 30" in refused(closed, failed, leg(DUE))
    cash = trade(BUY, rail=Rail.CASH, chain_id=None, wallet=None, settled_on=DUE)
    assert "rail cash" in refused(books(), cash)


def test_one_trade_that_is_left_out_leaves_the_others_in() -> None:
    good, bad = trade(BUY, name="T-2"), trade(SELL, 500, name="T-1")
    found, notes = with_trades(books(), [good, bad], [leg(DUE, name="T-1")], DUE, ZONE)
    assert [note.trade_id for note in notes] == ["T-1"]
    assert stock(found)["trade:T-2:position"] == ("account", 30)


def test_a_trade_on_another_rail_settles_on_its_stated_day_at_the_depository() -> None:
    dtc = trade(BUY, rail=Rail.DTC, chain_id=None, wallet=None)
    assert stock(laid(books(), dtc, DUE))["trade:T:fail"] == ("fail_to_receive", -30)
    settled = laid(books(), replace(dtc, settled_on=DUE), DUE)
    assert stock(settled)["trade:T:location"] == ("depository", -30)
    assert stock(laid(books(), replace(dtc, settled_on=LATER), DUE))["trade:T:fail"] == ("fail_to_receive", -30)


def test_the_state_follows_the_firms_day() -> None:
    late = replace(leg(DUE), settlement=replace(leg(DUE).settlement, block=replace(
        leg(DUE).settlement.block, timestamp=datetime(2026, 10, 2, 2, 0, tzinfo=UTC))))  # fmt: skip
    assert trade_state(trade(BUY), late, DUE, ZONE) is TradeState.SETTLED
    assert trade_state(trade(BUY), late, CLOSED, ZONE) is TradeState.PENDING
    assert trade_state(trade(BUY), None, DUE, ZONE) is TradeState.FAILING


@given(
    sides=st.lists(st.tuples(st.sampled_from([BUY, SELL]), st.integers(1, 40), st.booleans()), min_size=1, max_size=6),
    backwards=st.booleans(),
)
def test_no_trade_unbalances_a_security_and_the_order_does_not_matter(
    sides: list[tuple[TradeSide, int, bool]], backwards: bool
) -> None:
    trades = [trade(side, units, name=f"T-{n}") for n, (side, units, _) in enumerate(sides)]
    history = [leg(DUE, name=f"T-{n}") for n, (_, _, done) in enumerate(sides) if done]
    found, notes = with_trades(books(), trades, history, DUE, ZONE)
    assert unbalanced(found) == {}
    done = {each.trade_id for each in trades} - {note.trade_id for note in notes}
    signed = {each.trade_id: each.contract_amount if each.side is SELL else -each.contract_amount for each in trades}
    assert net(found) == 10_000 + sum(signed[name] for name in done)
    again = with_trades(books(), trades[::-1] if backwards else trades, history, DUE, ZONE)
    assert (set(again[0].stock), again[1]) == (set(found.stock), notes)
