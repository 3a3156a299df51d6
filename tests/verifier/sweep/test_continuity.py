"""What moved without an event, events that cannot be read, and assets that are not what the asset table says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from chains.devnet import lies
from chains.devnet.deploy import deployed
from chains.devnet.lying_proxy import LyingProxy
from chains.reader import ChainConfig, ChainReader, NodeConfig
from chains.types import BalanceObservation, ReadStatus, TransferKind
from tests.verifier.sweep.conftest import NewDesk
from tests.verifier.sweep.desk import Desk, kinds
from tests.verifier.sweep.hooks import HookedPlugin
from tests.verifier.sweep.world import OMNIBUS, SECOND, STRANGER, AnvilWorld, address
from verifier.records import FindingKind, Status
from verifier.store import Store, observation_store

pytestmark = pytest.mark.devnet

LyingNode = Callable[..., LyingProxy]
ETHER = 10**18
TRANSFER = bytes.fromhex("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef")


@pytest.fixture
def settled(desk: Desk, world: AnvilWorld) -> Desk:
    """One wallet with a claim, swept once, all in order."""
    world.mint(OMNIBUS, 1_000)
    desk.open_books(OMNIBUS)
    desk.allocate(OMNIBUS, C_1=1_000)
    assert desk.sweep().exit_code == 0
    return desk


@pytest.mark.fault("A22")
def test_a_node_that_leaves_a_log_out(settled: Desk, world: AnvilWorld, lying_node: LyingNode) -> None:
    settled.use_nodes(lying_node(lies.drop_logs()).url)
    world.mint(OMNIBUS, 7)
    row = {"entry_id": "E-1", "location": settled.at(OMNIBUS), "quantity": "0.000007"}
    settled.take(ledger_entries=[row])
    swept = settled.sweep()
    assert settled.result(swept, OMNIBUS).status is Status.MATCHED, "books and chain agree"
    case = settled.only_case(FindingKind.UNEXPLAINED_CHANGE)
    assert case.finding.base_units == 7
    assert swept.exit_code == 1
    # The next sweep starts from the balance it read: the same gap is not found twice.
    world.mine()
    assert settled.sweep().cases == ()
    assert settled.status().exit_code == 1


@pytest.mark.fault("A22")
def test_a_node_that_gives_every_log(settled: Desk, world: AnvilWorld, lying_node: LyingNode) -> None:
    settled.use_nodes(lying_node(lies.drop_logs(lambda log: log["address"] == world.tbx.address.lower())).url)
    world.mint(OMNIBUS, 7)
    settled.take(ledger_entries=[{"entry_id": "E-1", "location": settled.at(OMNIBUS), "quantity": "0.000007"}])
    assert settled.sweep().exit_code == 0


class FailingReads(HookedPlugin):
    """A plugin whose readers fail each balance by itself, and nothing else."""

    def open(
        self, config: ChainConfig, node: NodeConfig, *, capabilities: Mapping[str, str] | None = None
    ) -> ChainReader:
        """A reader whose balances all fail."""
        return cast("ChainReader", _FailingReader(super().open(config, node, capabilities=capabilities)))


class _FailingReader:
    def __init__(self, reader: ChainReader) -> None:
        self._reader = reader

    def __getattr__(self, name: str) -> object:
        return getattr(self._reader, name)

    def read_balances(self, *arguments: Any) -> list[BalanceObservation]:
        """Every balance failed."""
        return [
            replace(seen, status=ReadStatus.FAILED, base_units=None, reason="pruned: the state is gone")
            for seen in self._reader.read_balances(*arguments)
        ]


@pytest.mark.parametrize("dropped", [True, False])
@pytest.mark.fault("A22")
def test_a_balance_that_could_not_be_read_for_long_is_rolled_forward_all_the_same(
    settled: Desk, world: AnvilWorld, lying_node: LyingNode, dropped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For more sweeps than are looked through at first; a few will do."""
    monkeypatch.setattr(observation_store, "OPENING_SWEEPS_MAX", 3)
    good = settled.plugin
    settled.plugin = FailingReads(good)
    for _ in range(4):
        world.mine()
        assert settled.sweep().exit_code == 2
    settled.plugin = good
    if dropped:
        settled.use_nodes(lying_node(lies.drop_logs()).url)
    world.mint(OMNIBUS, 7)
    settled.take(ledger_entries=[{"entry_id": "E-1", "location": settled.at(OMNIBUS), "quantity": "0.000007"}])
    swept = settled.sweep()
    assert settled.result(swept, OMNIBUS).status is Status.MATCHED
    assert kinds(swept) == ({FindingKind.UNEXPLAINED_CHANGE: 1} if dropped else {})


@pytest.mark.parametrize("by_contract", [False, True])
@pytest.mark.fault("A24")
def test_ether_that_moves_inside_a_contract(desk: Desk, world: AnvilWorld, by_contract: bool) -> None:
    desk.open_books(OMNIBUS, assets=[{"asset_id": desk.native.asset_id, "symbol": "ETH", "decimals": "18"}])
    world.give_native(OMNIBUS, ETHER)
    desk.allocate(OMNIBUS, asset=desk.native, C_1=ETHER)
    assert desk.sweep().exit_code == 0
    if by_contract:
        deployed(world.node, "Splitter").transact("split", [OMNIBUS], value_wei=5)
    else:
        world.give_native(OMNIBUS, 5)
    desk.take(
        ledger_entries=[
            {
                "entry_id": "E-1",
                "location": desk.at(OMNIBUS),
                "asset_id": desk.native.asset_id,
                "quantity": "0.000000000000000005",
            }
        ]
    )
    swept = desk.sweep()
    assert kinds(swept) == {}
    moved = [each for each in desk.store.transfers(desk.chain_id) if each.base_units == 5]
    assert [each.kind for each in moved] == [TransferKind.INTERNAL if by_contract else TransferKind.NATIVE]


@pytest.mark.fault("A38")
def test_a_token_that_rebases(desk: Desk, world: AnvilWorld) -> None:
    token = deployed(world.node, "Rebasing")
    asset_id = f"{desk.chain_id}/erc20:{token.address}"
    desk.open_books(OMNIBUS, assets=[{"asset_id": asset_id, "symbol": "REB", "decimals": "18"}])
    token.transact("mint", OMNIBUS, 1_000)
    row = {"client_id": "C-1", "location": desk.at(OMNIBUS), "asset_id": asset_id, "quantity": "0.000000000000001"}
    desk.take(allocations=[row])
    assert desk.sweep().exit_code == 0
    token.transact("rebase", 11 * 10**17)
    swept = desk.sweep()
    assert kinds(swept) == {FindingKind.EXCESS: 1, FindingKind.UNEXPLAINED_CHANGE: 1}
    assert {seen.finding.base_units for seen in swept.cases} == {100}


@pytest.mark.parametrize("words", [1, 0])
def test_events_that_cannot_be_read(desk: Desk, world: AnvilWorld, words: int) -> None:
    """A Transfer of the watched wallet with its amount, and one without."""
    token = deployed(world.node, "OddLogs")
    desk.open_books(OMNIBUS, assets=[{"asset_id": f"{desk.chain_id}/erc20:{token.address}", "decimals": "18"}])
    assert desk.sweep().exit_code == 0
    topics = [TRANSFER, bytes(32), bytes(12) + bytes.fromhex(OMNIBUS[2:])]
    token.transact("emit", topics, bytes(32 * words))
    swept = desk.sweep()
    if words:
        assert (swept.exit_code, swept.cases) == (0, ())
        return
    case = desk.only_case(FindingKind.UNPARSED_EVENTS)
    assert swept.exit_code == 2, "what moved is not known, which contradicts nothing"
    world.mine()
    assert [seen.case_id for seen in desk.sweep().cases] == [case.case_id]
    desk.close(case)
    assert desk.sweep().exit_code == 0, "explained once, it does not come back"


class TestAssetsThatAreNotWhatTheTableSays:
    """Their balances are not compared: they would be figures of something else."""

    @pytest.fixture
    def wallets(self) -> list[str]:
        """More wallets than get a case each."""
        return [address(number) for number in range(1, 26)]

    def open(self, desk: Desk, token: str, wallets: list[str], decimals: int) -> None:
        asset = {"asset_id": f"{desk.chain_id}/erc20:{token}", "symbol": "ODD", "decimals": str(decimals)}
        desk.open_books(*wallets, assets=[asset | {"dust_limit": "0"}])

    def assert_one_case_for_all(self, desk: Desk, wallets: list[str]) -> None:
        swept = desk.sweep()
        assert swept.summary is not None
        assert (swept.expected, swept.summary.unverified) == (len(wallets), len(wallets))
        assert kinds(swept) == {FindingKind.ASSET_CHANGED: 1, FindingKind.UNVERIFIED: 1}
        (case,) = desk.open_cases(FindingKind.UNVERIFIED)
        assert {place for place, _ in desk.store.case_covers(case.case_id)} == {desk.at(each) for each in wallets}
        assert swept.exit_code == 1, "the asset contradicts its table"

    @pytest.mark.fault("A40")
    def test_no_contract_there(self, desk: Desk, wallets: list[str]) -> None:
        self.open(desk, STRANGER, wallets, 18)
        self.assert_one_case_for_all(desk, wallets)

    @pytest.mark.parametrize("mode", [1, 3, 4, 5, 6, 8])
    @pytest.mark.fault("A37")
    def test_a_balance_that_is_not_one_word(self, desk: Desk, world: AnvilWorld, wallets: list[str], mode: int) -> None:
        self.open(desk, deployed(world.node, "OddBalance", [mode, 5]).address, wallets, 18)
        self.assert_one_case_for_all(desk, wallets)

    @pytest.mark.fault("A37")
    def test_a_balance_that_is_one_word(self, desk: Desk, world: AnvilWorld, wallets: list[str]) -> None:
        self.open(desk, deployed(world.node, "OddBalance", [0, 0]).address, wallets, 18)
        assert desk.sweep().exit_code == 0

    @pytest.mark.fault("A38")
    def test_decimals_that_change_and_change_back(self, desk: Desk, world: AnvilWorld, wallets: list[str]) -> None:
        token = deployed(world.node, "UpgradableDecimals", [6])
        self.open(desk, token.address, wallets, 6)
        assert desk.sweep().exit_code == 0
        token.transact("set_decimals", 18)
        self.assert_one_case_for_all(desk, wallets)
        token.transact("set_decimals", 6)
        swept = desk.sweep()
        assert (swept.exit_code, swept.cases) == (0, ())
        assert not any(case.is_seen for case in desk.open_cases())

    @pytest.mark.fault("A40")
    def test_the_other_assets_are_compared_as_ever(self, desk: Desk, world: AnvilWorld) -> None:
        odd = {"asset_id": f"{desk.chain_id}/erc20:{STRANGER}", "symbol": "ODD", "decimals": "18", "dust_limit": "0"}
        desk.open_books(OMNIBUS, SECOND, assets=[{}, odd])
        world.mint(OMNIBUS, 700)
        desk.allocate(OMNIBUS, C_1=700)
        swept = desk.sweep()
        assert swept.summary is not None
        assert (swept.summary.matched, swept.summary.unverified, swept.summary.diverged) == (2, 2, 0)
        assert kinds(swept) == {FindingKind.ASSET_CHANGED: 1, FindingKind.UNVERIFIED: 2}


def test_wallets_read_later_than_others_are_explained_from_their_own_first_read(
    settled: Desk, world: AnvilWorld
) -> None:
    """A wallet that was mapped after blocks were covered was not watched in them; looking back must not mislead."""
    world.mint(SECOND, 5)
    at = world.node.block_number()
    world.mint(SECOND, 6)
    settled.sweep()
    settled.take(wallets=[{"address": SECOND}])
    settled.sweep(at=at)
    world.mint(SECOND, 7)
    swept = settled.sweep()
    assert kinds(swept) == {FindingKind.UNALLOCATED_BALANCE: 1}
    world.mint(SECOND, 8)
    assert FindingKind.UNEXPLAINED_CHANGE not in kinds(settled.sweep())


@pytest.mark.fault("G14")
@pytest.mark.parametrize("opened_before", [True, False])
def test_what_left_a_wallet_before_it_was_mapped_is_read_afterwards(
    settled: Desk, world: AnvilWorld, opened_before: bool
) -> None:
    """A wallet that was not open yet has nothing to miss."""
    world.mint(SECOND, 10)
    theft = world.pay(SECOND, STRANGER, 10)
    settled.sweep()
    in_two_days = (settled.now() + timedelta(days=2)).date().isoformat()
    settled.take(wallets=[{"address": SECOND} | ({} if opened_before else {"opened_on": in_two_days})])
    world.mine(1)
    swept = settled.sweep()
    assert kinds(swept) == ({FindingKind.UNAUTHORIZED_TRANSFER: 1} if opened_before else {})
    if opened_before:
        assert settled.only_case(FindingKind.UNAUTHORIZED_TRANSFER).finding.tx_id == theft
        world.mine(1)
        assert settled.sweep().cases == ()


@pytest.mark.fault("G14")
def test_blocks_missed_for_a_while_are_all_read(settled: Desk, world: AnvilWorld) -> None:
    settled.approve("A-1", OMNIBUS, STRANGER, 10)
    world.pay(OMNIBUS, STRANGER, 10)
    world.mine(700)
    world.pay(OMNIBUS, STRANGER, 1)
    settled.clock_ahead = timedelta(seconds=2)
    first = settled.store.latest_summary(settled.chain_id)
    swept = settled.sweep()
    assert first is not None
    assert swept.summary is not None
    assert settled.store.covered_from(settled.chain_id) == first.block.height
    assert swept.summary.block.height == world.node.block_number()
    assert swept.summary.transfers_outgoing == 2
    assert kinds(swept) == {FindingKind.SHORTFALL: 1, FindingKind.UNAUTHORIZED_TRANSFER: 1}


@pytest.mark.fault("A22")
def test_a_history_from_before_the_first_sweep_is_read(
    new_desk: NewDesk, sqlite_store: Store, world: AnvilWorld
) -> None:
    desk = new_desk(sqlite_store)
    desk.open_books(OMNIBUS)
    world.mint(OMNIBUS, 50)
    theft = world.pay(OMNIBUS, STRANGER, 10)
    world.mine(3)
    desk.history_from = 1
    desk.allocate(OMNIBUS, C_1=40)
    swept = desk.sweep()
    assert desk.store.covered_from(desk.chain_id) == 1
    assert desk.only_case(FindingKind.UNAUTHORIZED_TRANSFER).finding.tx_id == theft
    assert swept.exit_code == 1
