"""A trade, from its settlement date over its leg on a real chain to a reorganisation, and what the reserve says."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from chains.types import AssetId
from mapping import reserve_types as stated
from mapping.books_types import StockPlace, StockSide
from tests.verifier.reserve.firm import SETTINGS, months, say
from tests.verifier.sweep.desk import Desk
from tests.verifier.sweep.world import OMNIBUS, PAYEE, STRANGER, AnvilWorld
from verifier.reserve.trades import SettlementAct
from verifier.reserve_inputs import projection_and_rows
from verifier.sweep import ChainSweep
from verifier.trade_view import trade_line, trade_lines

pytestmark = [pytest.mark.devnet, pytest.mark.anvil(private=True)]
UTC_SETTINGS = SETTINGS.model_copy(update={"reserve": SETTINGS.reserve.model_copy(update={"bank_zone": "UTC"})})
"""The desk sweeps in UTC; the firm's day is then the chain's."""


class Firm:
    """A firm with one account, books that were closed yesterday, and a wallet with 1000 base units."""

    def __init__(self, desk: Desk, world: AnvilWorld) -> None:
        self.desk, self.world = desk, world
        world.mint(OMNIBUS, 1_000)
        desk.use_finality("confirmed(2)")
        desk.open_books(OMNIBUS, assets=[{"legal_class": "security"}])
        desk.allocate(OMNIBUS, C_1=1_000)
        world.mine(3)
        assert desk.sweep().exit_code == 0
        self.today = desk.now().date()
        self.yesterday = self.today - timedelta(days=1)
        capital = stated.FirmCapital(self.yesterday, stated.CapitalMethod.BASIC, 1, 10**9, 1, "capital")
        last = self.today.replace(day=1) - timedelta(days=1)
        last = last.replace(day=1) - timedelta(days=1)
        say(desk.store, desk.now(), [capital, *months(last=last)])
        self.close()

    def close(self) -> None:
        """The books of yesterday: 1000 dollars and 1000 units of one client."""
        day, asset = self.yesterday.isoformat(), self.desk.usdx.asset_id
        line = {"as_of": day, "security_id": asset, "price": "1", "quantity": "0.001"}
        self.desk.take(
            accounts=[{"as_of": day, "account_id": "A-1", "client_id": "C-1", "credit_balance": "1000.00"}],
            stock_record=[
                {**line, "account_id": "A-1"},
                {
                    **line,
                    "line_id": "L-2",
                    "place": "box",
                    "side": "short",
                    "account_id": "",
                    "location": self.desk.at(OMNIBUS),
                },
            ],
            books_close=[
                {"as_of": day, "file": "accounts", "rows": "1", "total": "1000"},
                {"as_of": day, "file": "stock_record", "rows": "2", "total": "0.002"},
                *({"as_of": day, "file": file, "rows": "0", "total": "0"} for file in ("clearing_margin", "liens")),
                {"as_of": day, "file": "other_amounts", "rows": "0", "total": "0"},
            ],
        )

    def trade(self, side: str, base_units: int, *, due: date | None = None, name: str = "T-1", tx_id: str = "") -> None:
        """Post a trade for 400 dollars."""
        self.desk.take(
            trades=[
                {
                    "trade_id": name,
                    "account_id": "A-1",
                    "side": side,
                    "asset_id": self.desk.usdx.asset_id,
                    "quantity": self.desk.usdx.format_quantity(base_units),
                    "contract_amount": "400.00",
                    "price": "1",
                    "trade_date": self.yesterday.isoformat(),
                    "settlement_date": (due or self.today).isoformat(),
                    "rail": "chain",
                    "chain_id": self.desk.chain_id,
                    "wallet": OMNIBUS,
                    "tx_id": tx_id,
                }
            ]
        )

    def items(self) -> dict[int, int]:
        """The customer lines that are projected now and are not zero; nothing is left out."""
        found, left_out, _ = projection_and_rows(
            self.desk.store, UTC_SETTINGS, self.today, self.desk.store.book_time(self.desk.now())
        )
        assert found is not None, left_out
        assert left_out == ""
        return {line.number: line.cents for line in found.inputs.customer.lines if line.cents}

    def places(self) -> dict[StockPlace, int]:
        """Base units at each place in the projected books, short ones below zero."""
        store = self.desk.store
        found = store.projected_books(self.today, store.book_time(self.desk.now()), "UTC")
        assert found is not None
        sums: dict[StockPlace, int] = {}
        for line in found[0].stock:
            units = line.base_units if line.side is StockSide.LONG else -line.base_units
            sums[line.place] = sums.get(line.place, 0) + units
        return sums

    def state(self, name: str = "T-1") -> str:
        """How far a trade is, as `custody trades` says."""
        return trade_line(self.desk.store, UTC_SETTINGS, name, self.desk.now()).state.value


@pytest.fixture
def firm(desk: Desk, world: AnvilWorld) -> Firm:
    return Firm(desk, world)


def test_a_buy_fails_until_its_leg_is_final_and_the_projection_follows_at_each_step(firm: Firm) -> None:
    assert firm.items() == {1: 1_000_00}
    firm.trade("buy", 300)
    assert (firm.state(), firm.items()) == ("failing", {1: 600_00, 4: 400_00})
    assert firm.places() == {StockPlace.ACCOUNT: 1_300, StockPlace.BOX: -1_000, StockPlace.FAIL_TO_RECEIVE: -300}

    firm.world.mint(PAYEE, 300)
    tx_id = firm.world.pay(PAYEE, OMNIBUS, 300)
    assert firm.desk.sweep().trades.records == (), "not final yet"
    assert firm.items() == {1: 600_00, 4: 400_00}

    firm.world.mine(2)
    outcome = firm.desk.sweep()
    (settled,) = outcome.trades.records
    assert (settled.trade_id, settled.tx_id, settled.act) == ("T-1", tx_id, SettlementAct.SETTLED)
    assert outcome.trades.text() == "trades: 1 settled"
    assert (firm.state(), firm.items()) == ("settled", {1: 600_00})
    assert firm.places() == {StockPlace.ACCOUNT: 1_300, StockPlace.BOX: -1_300}
    assert firm.desk.sweep().trades.records == (), "once"

    line = trade_line(firm.desk.store, UTC_SETTINGS, "T-1", firm.desk.now())
    (recorded,) = line.history
    assert recorded.settlement.settled_at == settled.block.timestamp
    assert line.to_dict()["settled_on"] == settled.block.timestamp.date().isoformat()


def test_a_sell_leaves_the_wallet_and_only_what_leaves_settles_it(firm: Firm) -> None:
    firm.trade("sell", 200)
    assert firm.places() == {StockPlace.ACCOUNT: 800, StockPlace.BOX: -1_000, StockPlace.FAIL_TO_DELIVER: 200}
    firm.world.mint(PAYEE, 200)
    firm.world.pay(PAYEE, OMNIBUS, 200)
    firm.world.mine(2)
    assert firm.desk.sweep().trades.records == ()
    assert firm.state() == "failing"
    firm.world.pay(OMNIBUS, PAYEE, 200)
    firm.world.mine(2)
    assert [each.trade_id for each in firm.desk.sweep().trades.records] == ["T-1"]
    assert firm.places() == {StockPlace.ACCOUNT: 800, StockPlace.BOX: -800}
    assert firm.items() == {1: 1_400_00}


@pytest.mark.fault("G19", "A32")
def test_a_reversed_block_takes_the_settlement_back_by_a_record_and_the_new_branch_settles_it_again(firm: Firm) -> None:
    firm.trade("buy", 300)
    firm.world.mint(PAYEE, 300)
    firm.world.pay(PAYEE, OMNIBUS, 300)
    firm.world.mine(2)
    assert len(firm.desk.sweep().trades.records) == 1
    settled = firm.items()

    firm.world.node.reorg(3)
    assert firm.desk.sweep().failure_code == "finality-reversed"
    line = trade_line(firm.desk.store, UTC_SETTINGS, "T-1", firm.desk.now())
    assert "halted" in line.doubt, "nobody knows until a person resumes it"

    firm.desk.store.resume_chain(firm.desk.chain_id, "a devnet reorganised", "ops.checker", firm.desk.now())
    outcome = firm.desk.sweep()
    assert [each.act for each in outcome.trades.records] == [SettlementAct.REVERSED]
    assert (firm.state(), firm.items()) == ("failing", {1: 600_00, 4: 400_00})

    firm.world.pay(PAYEE, OMNIBUS, 300)
    firm.world.mine(2)
    again = firm.desk.sweep()
    assert [each.act for each in again.trades.records] == [SettlementAct.SETTLED]
    assert (firm.state(), firm.items()) == ("settled", settled)
    history = [each.settlement.act.value for each in firm.desk.store.trade_settlements(firm.desk.now())]
    assert history == ["settled", "reversed", "settled"]


def test_a_leg_that_could_be_anothers_is_told_and_the_named_transaction_settles(firm: Firm) -> None:
    firm.trade("buy", 300)
    firm.world.mint(PAYEE, 300)
    firm.world.mint(STRANGER, 300)
    first = firm.world.pay(STRANGER, OMNIBUS, 300)
    firm.world.pay(PAYEE, OMNIBUS, 300)
    firm.world.mine(2)
    outcome = firm.desk.sweep()
    assert (outcome.trades.records, outcome.trades.text()) == ((), "trades: 1 in doubt")
    assert "post the trade with its transaction" in outcome.trades.doubts[0].reason
    assert trade_lines(firm.desk.store, UTC_SETTINGS, firm.desk.now())[0].doubt
    firm.trade("buy", 300, tx_id=first)
    assert [each.tx_id for each in firm.desk.sweep().trades.records] == [first]


def test_a_sweep_that_died_before_its_trades_leaves_them_to_the_next(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    firm.trade("buy", 300)
    firm.world.mint(PAYEE, 300)
    firm.world.pay(PAYEE, OMNIBUS, 300)
    firm.world.mine(2)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("verifier.sweep.settle_trades", killed)
        with pytest.raises(KeyboardInterrupt):
            firm.desk.runner().run()
    assert firm.state() == "failing"
    assert [each.trade_id for each in firm.desk.sweep().trades.records] == ["T-1"]


def test_a_sweep_at_a_finality_that_is_none_settles_nothing(firm: Firm) -> None:
    firm.trade("buy", 300)
    firm.world.mint(PAYEE, 300)
    firm.world.pay(PAYEE, OMNIBUS, 300)
    firm.desk.use_finality("latest")
    assert firm.desk.sweep().trades.records == ()
    assert firm.state() == "failing"
    firm.world.mine(2)
    firm.desk.use_finality("confirmed(2)")
    assert len(firm.desk.sweep().trades.records) == 1


def test_what_rests_on_the_books_is_judged_when_a_trade_settles(firm: Firm) -> None:
    called: list[str] = []
    desk = firm.desk

    def runner() -> ChainSweep:
        return ChainSweep(
            desk.store,
            desk.config,
            desk.plugin,
            desk.settings,
            history_from_height=None,
            clock=desk.now,
            on_trades=lambda: called.append("trades"),
        )

    firm.trade("buy", 300)
    runner().run()
    assert called == []
    firm.world.mint(PAYEE, 300)
    firm.world.pay(PAYEE, OMNIBUS, 300)
    firm.world.mine(2)
    runner().run()
    assert called == ["trades"]
    assert AssetId(desk.usdx.asset_id) in {each.asset_id for each in desk.store.trades(desk.now())}
