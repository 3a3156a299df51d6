"""Changes that no event explains, through whole sweeps: narrowed, traced, judged, and the same after a restart."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from chains.errors import InvalidValue
from chains.types import Address, Asset, TransferKind
from exports.keys import load_signer
from tests.exports.sample import forge
from tests.fakes.chain import Payment
from tests.fakes.reader import FakePlugin
from tests.verifier.issuer import Issuer, refused
from tests.verifier.sweep.desk import Desk, kinds
from tests.verifier.sweep.hooks import HookedPlugin
from tests.verifier.sweep.memory import MemoryDesk
from tests.verifier.sweep.world import OMNIBUS, PAYEE, SECOND, STRANGER, THIRD, AnvilWorld
from verifier import changes
from verifier.config import SweepSettings
from verifier.records import FindingKind, MatchOutcome
from verifier.store import Store
from verifier.store.digest import state_digest
from verifier.sweep import SweepOutcome

K = FindingKind
RICH = 10**6
WALLETS = (OMNIBUS, SECOND, THIRD)
ENTRIES = count(1)
EVERY_BLOCK = SweepSettings(change_points="every_block")


@pytest.fixture
def desk(sqlite_store: Store, tmp_path: Path) -> MemoryDesk:
    """Three wallets with a token and the native coin each, all in order, swept once."""
    return settled(sqlite_store, tmp_path)


def settled(store: Store, folder: Path, nodes: int = 1) -> MemoryDesk:
    """A desk whose first sweep found all in order."""
    desk = MemoryDesk(store, folder, nodes=nodes)
    desk.chain.new_asset("slip44:60", 18)
    for wallet in WALLETS:
        for asset in (desk.asset, desk.native):
            desk.chain.mint(wallet, asset, RICH)
    native = {"asset_id": desk.native.asset_id, "symbol": "ETH", "decimals": "18"}
    desk.open_books(*WALLETS, assets=[{}, native])
    for wallet in WALLETS:
        for asset in (desk.asset, desk.native):
            desk.allocate(wallet, asset=asset, C_1=RICH)
    assert desk.sweep().exit_code == 0
    return desk


def silently(desk: MemoryDesk, wallet: Address, base_units: int, asset: Asset | None = None) -> int:
    """Change a balance without an event, in a block of its own. Returns its height."""
    what = asset or desk.asset
    sender, receiver = (None, wallet) if base_units > 0 else (wallet, STRANGER)
    return desk.chain.add(Payment(sender, receiver, what, abs(base_units), is_silent=True)).height


def inside(desk: MemoryDesk, sender: Address | None, receiver: Address, base_units: int) -> int:
    """Move the native coin inside a transaction, in a block of its own. Returns its height."""
    return desk.chain.add(Payment(sender, receiver, desk.native, base_units, is_internal=True)).height


def book(desk: MemoryDesk, wallet: Address, base_units: int, asset: Asset | None = None) -> None:
    """The books follow, so that only the cause of the change is in question."""
    what = asset or desk.asset
    sign, quantity = ("-" if base_units < 0 else ""), what.format_quantity(abs(base_units))
    row = {"entry_id": f"E-{next(ENTRIES)}", "location": desk.at(wallet), "quantity": sign + quantity}
    desk.take(ledger_entries=[row | {"asset_id": what.asset_id}])


def allow(desk: MemoryDesk, wallet: Address, base_units: int) -> None:
    quantity = desk.native.format_quantity(base_units)
    desk.approve("A-1", wallet, STRANGER, 0, asset_id=desk.native.asset_id, quantity_max=quantity)


def unexplained(desk: Desk) -> list[tuple[Address, int, int]]:
    """Wallet, height and amount of each open case of a change that nothing explains."""
    found = []
    for case in desk.open_cases(K.UNEXPLAINED_CHANGE):
        finding = case.finding
        assert finding.block is not None
        assert finding.base_units is not None
        wallet = Address(finding.location_id.removeprefix(f"{desk.chain_id}:"))
        found.append((wallet, finding.block.height, finding.base_units))
    return sorted(found)


def internal(desk: Desk) -> list[tuple[Address | None, Address | None, int]]:
    """The internal transfers that are recorded."""
    return [
        (each.sender, each.receiver, each.base_units)
        for each in desk.store.transfers(desk.chain_id)
        if each.kind is TransferKind.INTERNAL
    ]


class TestNarrowing:
    @pytest.mark.fault("A22")
    @pytest.mark.parametrize(("before", "after"), [(0, 0), (0, 30), (17, 0), (16, 21)])
    def test_the_block_is_found_and_its_case_is_the_only_one(self, desk: MemoryDesk, before: int, after: int) -> None:
        desk.chain.mine(before)
        height = silently(desk, OMNIBUS, -7)
        desk.chain.mine(after)
        book(desk, OMNIBUS, -7)
        outcome = desk.sweep()
        assert (outcome.exit_code, kinds(outcome)) == (1, {K.UNEXPLAINED_CHANGE: 1})
        assert unexplained(desk) == [(OMNIBUS, height, -7)]
        finding = desk.only_case(K.UNEXPLAINED_CHANGE).finding
        block = desk.chain.blocks[height].ref
        assert finding.subject == f"{block.parent_hash}/{block.block_hash}"
        assert f"less than any event explains, in block {height}." in finding.text
        assert "opening" in finding.text, "the terms of the equation are shown"
        assert "without an event" in finding.text, "and what may be behind it"

    def test_a_sweep_without_a_remainder_searches_nothing(self, desk: MemoryDesk) -> None:
        desk.chain.pay(SECOND, OMNIBUS, desk.asset, 5)
        desk.chain.mine(20)
        outcome = desk.sweep()
        start = desk.store.sweep(outcome.summary.sweep_id) if outcome.summary else None
        assert start is not None
        assert desk.store.found_changes(start) is None

    @pytest.mark.fault("A22", "A38")
    def test_several_wallets_several_steps(self, desk: MemoryDesk) -> None:
        expected = []
        for wallet, base_units in ((OMNIBUS, 5), (SECOND, 3), (OMNIBUS, 2), (OMNIBUS, -4), (THIRD, 9)):
            desk.chain.mine(7)
            desk.chain.pay(OMNIBUS, SECOND, desk.asset, 100)
            expected.append((wallet, silently(desk, wallet, base_units), base_units))
        desk.sweep()
        assert unexplained(desk) == sorted(expected)

    @pytest.mark.fault("A25")
    @pytest.mark.parametrize("pruned", [True, False])
    def test_a_node_that_forgot_leaves_wider_bounds_and_says_so(self, desk: MemoryDesk, pruned: bool) -> None:
        opening = desk.chain.head.height
        desk.chain.mine(5)
        height = silently(desk, OMNIBUS, 7)
        desk.chain.mine(30)
        newer = silently(desk, SECOND, 3)
        desk.chain.mine(5)
        desk.node().pruned_below = limit = desk.chain.head.height - 12 if pruned else 0
        outcome = desk.sweep()
        assert outcome.summary is not None, "it is no error of the sweep"
        assert unexplained(desk) == sorted([(OMNIBUS, limit if pruned else height, 7), (SECOND, newer, 3)])
        (text,) = [c.finding.text for c in desk.open_cases(K.UNEXPLAINED_CHANGE) if c.finding.base_units == 7]
        assert (f"somewhere in blocks {opening + 1} to {limit}." in text) == pruned
        assert ("state-unavailable" in text) == pruned

    @pytest.mark.parametrize("reads", [3, changes.READS_MAX])
    def test_reads_are_limited(self, desk: MemoryDesk, monkeypatch: pytest.MonkeyPatch, reads: int) -> None:
        monkeypatch.setattr(changes, "READS_MAX", reads)
        height = silently(desk, OMNIBUS, 7)
        desk.chain.mine(60)
        desk.sweep()
        text = desk.open_cases(K.UNEXPLAINED_CHANGE)[0].finding.text
        assert ("too-many-reads" in text) == (reads == 3)
        assert (unexplained(desk) == [(OMNIBUS, height, 7)]) == (reads != 3)

    def test_the_same_change_seen_again_is_the_same_case(self, desk: MemoryDesk) -> None:
        """First in a sweep that is given up because its block left the chain, then in one with a longer interval."""
        silently(desk, OMNIBUS, 7)
        desk.chain.mine(10)

        def moves() -> None:
            if not moved:
                moved.append(True)
                desk.chain.reorganise(2)
                desk.chain.mine(9)

        moved: list[bool] = []
        desk.runner(plugin=HookedPlugin(FakePlugin(desk.nodes), before={"is_canonical": moves})).run()
        assert moved
        assert len(desk.open_cases(K.UNEXPLAINED_CHANGE)) == 1
        (case,) = desk.open_cases(K.UNEXPLAINED_CHANGE)
        desk.chain.mine(3)
        desk.sweep()
        assert [each.case_id for each in desk.open_cases(K.UNEXPLAINED_CHANGE)] == [case.case_id]


class TestEveryBlock:
    @pytest.mark.fault("A22")
    @pytest.mark.parametrize("every_block", [True, False])
    def test_changes_that_cancel_out_are_found_by_reading_every_block(
        self, desk: MemoryDesk, every_block: bool
    ) -> None:
        desk.chain.mine(4)
        first = silently(desk, OMNIBUS, 7)
        desk.chain.pay(OMNIBUS, SECOND, desk.asset, 5)
        second = silently(desk, OMNIBUS, -7)
        desk.chain.mine(4)
        book(desk, OMNIBUS, -5)
        book(desk, SECOND, 5)
        desk.approve("A-1", OMNIBUS, SECOND, 5, purpose="internal_rebalancing")
        desk.settings = EVERY_BLOCK if every_block else SweepSettings()
        outcome = desk.sweep()
        assert outcome.exit_code == int(every_block)
        assert unexplained(desk) == ([(OMNIBUS, first, 7), (OMNIBUS, second, -7)] if every_block else [])

    @pytest.mark.parametrize("room", [0, 1])
    def test_too_many_blocks_are_refused_with_a_finding(self, desk: MemoryDesk, room: int) -> None:
        silently(desk, OMNIBUS, 7)
        silently(desk, OMNIBUS, -7)
        height = silently(desk, SECOND, 3)
        desk.chain.mine(8)
        book(desk, SECOND, 3)
        between = desk.chain.head.height - (height - 3) - 1
        desk.settings = SweepSettings(change_points="every_block", change_point_blocks_max=between - 1 + room)
        outcome = desk.sweep()
        refusal = {} if room else {K.COVERAGE_GAP: 1}
        assert kinds(outcome) == {K.UNEXPLAINED_CHANGE: 3 if room else 1} | refusal
        assert (SECOND, height, 3) in unexplained(desk), "remainders are narrowed all the same"
        if not room:
            text = desk.open_cases(K.COVERAGE_GAP)[0].finding.text
            assert f"too-many-blocks: {between} blocks" in text

    def test_a_person_who_asks_for_too_many_is_refused_before_anything_is_read(self, desk: MemoryDesk) -> None:
        desk.chain.mine(20)
        desk.settings = SweepSettings(change_point_blocks_max=18)
        head = desk.store.head()
        with pytest.raises(InvalidValue, match="19 blocks"):
            desk.runner().run(every_block=True)
        assert desk.store.head() == head
        desk.settings = SweepSettings(change_point_blocks_max=19)
        outcome = desk.runner().run(every_block=True)
        assert outcome.exit_code == 0
        assert outcome.changes is not None
        assert outcome.changes.blocks_read == 19

    def test_a_failed_read_widens_a_step_and_is_no_error(
        self, desk: MemoryDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The change in the blocks that are gone is narrowed afterwards; reads of single blocks do not use that up."""
        monkeypatch.setattr(changes, "READS_MAX", 8)
        opening = desk.chain.head.height
        silently(desk, OMNIBUS, 7)
        desk.chain.mine(20)
        late = silently(desk, OMNIBUS, 2)
        desk.node().pruned_below = opening + 10
        desk.settings = EVERY_BLOCK
        outcome = desk.sweep()
        assert unexplained(desk) == [(OMNIBUS, opening + 10, 7), (OMNIBUS, late, 2)]
        assert outcome.changes is not None
        assert outcome.changes.note.startswith("not-read: balances could not be read at 14 blocks, the first is block")
        (gap,) = desk.open_cases(K.COVERAGE_GAP)
        assert "state-unavailable" in gap.finding.text, "changes that cancel out may hide there"


class TestTraces:
    @pytest.mark.fault("A24")
    @pytest.mark.parametrize("tracer", ["call-tracer", "prestate-tracer", ""])
    @pytest.mark.parametrize("approved", [True, False])
    def test_coins_that_leave_inside_a_transaction(self, desk: MemoryDesk, tracer: str, approved: bool) -> None:
        """With traces it is a transfer like any other; with sums its transaction is named; else its block is."""
        desk.node().tracer = tracer
        if approved:
            allow(desk, OMNIBUS, 5)
        desk.chain.mine(9)
        height = inside(desk, OMNIBUS, STRANGER, 5)
        desk.chain.mine(9)
        book(desk, OMNIBUS, -5, desk.native)
        outcome = desk.sweep()
        if tracer == "call-tracer":
            assert kinds(outcome) == ({} if approved else {K.UNAUTHORIZED_TRANSFER: 1})
            assert internal(desk) == [(OMNIBUS, STRANGER, 5)]
            (match,) = desk.store.matches(desk.chain_id)
            assert match.outcome is (MatchOutcome.MATCHED if approved else MatchOutcome.UNAUTHORIZED)
            desk.chain.mine()
            assert desk.sweep().summary is not None, "judged once, it is not judged again"
            assert len(desk.store.matches(desk.chain_id)) == 1
            return
        assert kinds(outcome) == {K.UNEXPLAINED_CHANGE: 1}
        assert unexplained(desk) == [(OMNIBUS, height, -5)]
        finding = desk.only_case(K.UNEXPLAINED_CHANGE).finding
        tx_id = desk.chain.blocks[height].inside[0].tx_id
        assert (finding.tx_id == tx_id) == (tracer == "prestate-tracer")
        assert (tx_id in finding.text) == (tracer == "prestate-tracer")
        assert ("which only traces show" in finding.text) == (tracer == "")
        assert internal(desk) == [], "no counterparty is made up"

    @pytest.mark.fault("A24")
    def test_what_traces_leave_over_is_reported(self, desk: MemoryDesk) -> None:
        desk.node().tracer = "call-tracer"
        payments = (
            Payment(STRANGER, OMNIBUS, desk.native, 3, is_internal=True),
            Payment(None, OMNIBUS, desk.native, 2, is_silent=True),
        )
        desk.chain.mint(STRANGER, desk.native, 3)
        height = desk.chain.add(*payments).height
        desk.chain.mine(3)
        book(desk, OMNIBUS, 5, desk.native)
        assert kinds(desk.sweep()) == {K.UNEXPLAINED_CHANGE: 1}
        assert unexplained(desk) == [(OMNIBUS, height, 2)]
        text = desk.only_case(K.UNEXPLAINED_CHANGE).finding.text
        assert "Internal transfers explain 0.000000000000000003 ETH more of it." in text
        assert internal(desk) == [(STRANGER, OMNIBUS, 3)]

    @pytest.mark.fault("A24")
    def test_a_trace_that_shows_too_much_is_no_plug(self, desk: MemoryDesk) -> None:
        """A node invents an internal transfer beside a change without one: the surplus it makes is reported too."""
        desk.node().tracer = "call-tracer"
        height = inside(desk, None, OMNIBUS, 5)
        block = desk.chain.blocks[height]
        invented = replace(block.inside[0], base_units=9)
        desk.chain.blocks[height] = replace(block, inside=(invented,))
        desk.chain.mine(3)
        book(desk, OMNIBUS, 5, desk.native)
        assert kinds(desk.sweep()) == {K.UNEXPLAINED_CHANGE: 1}
        assert unexplained(desk) == [(OMNIBUS, height, -4)]

    @pytest.mark.fault("A24")
    def test_what_one_wallet_shows_of_another_is_followed(self, desk: MemoryDesk) -> None:
        """The second wallet's coins go out and come back, so that it has no remainder; one of the blocks is traced for
        another wallet, and then the other block is found too."""
        desk.node().tracer = "call-tracer"
        allow(desk, SECOND, 4)
        desk.chain.mine(3)
        desk.chain.add(
            Payment(SECOND, STRANGER, desk.native, 5, is_internal=True),
            Payment(None, OMNIBUS, desk.native, 1, is_internal=True),
        )
        desk.chain.mine(8)
        inside(desk, STRANGER, SECOND, 5)
        desk.chain.mine(3)
        book(desk, OMNIBUS, 1, desk.native)
        assert kinds(desk.sweep()) == {K.UNAUTHORIZED_TRANSFER: 1}
        assert internal(desk) == [(SECOND, STRANGER, 5), (None, OMNIBUS, 1), (STRANGER, SECOND, 5)]

    @pytest.mark.fault("A24")
    def test_a_block_judged_before_is_judged_again_for_what_a_trace_shows(self, desk: MemoryDesk) -> None:
        """The wallet could not be read for one sweep, in whose blocks its coins left."""
        desk.node().tracer = "call-tracer"
        place = (OMNIBUS, desk.native.asset_id)
        inside(desk, OMNIBUS, STRANGER, 5)
        desk.node().balances = {place: None}
        assert kinds(desk.sweep()) == {K.UNVERIFIED: 1}
        desk.node().balances = {}
        desk.chain.mine(3)
        book(desk, OMNIBUS, -5, desk.native)
        assert kinds(desk.sweep()) == {K.UNAUTHORIZED_TRANSFER: 1}
        assert [match.transfer.kind for match in desk.store.matches(desk.chain_id)] == [TransferKind.INTERNAL]

    @pytest.mark.parametrize("traces", [1, changes.TRACES_MAX])
    def test_traces_are_limited(self, desk: MemoryDesk, monkeypatch: pytest.MonkeyPatch, traces: int) -> None:
        monkeypatch.setattr(changes, "TRACES_MAX", traces)
        desk.node().tracer = "call-tracer"
        for _ in range(3):
            inside(desk, None, OMNIBUS, 5)
        book(desk, OMNIBUS, 15, desk.native)
        desk.sweep()
        assert len(internal(desk)) == min(traces, 3)
        assert len(unexplained(desk)) == (2 if traces == 1 else 0)
        for case in desk.open_cases(K.UNEXPLAINED_CHANGE):
            assert "too-many-traces: 1 blocks" in case.finding.text


Spoil = Callable[[MemoryDesk], None]


class TestInterrupted:
    """However it is interrupted, what is recorded in the end is the same."""

    def happen(self, desk: MemoryDesk) -> None:
        for node in desk.nodes.values():
            node.tracer = "call-tracer"
        desk.chain.mine(5)
        inside(desk, OMNIBUS, STRANGER, 5)
        silently(desk, SECOND, 3)
        desk.chain.mine(12)

    @pytest.fixture
    def calm(self, desk: MemoryDesk) -> tuple[str, SweepOutcome]:
        """What an undisturbed sweep records."""
        self.happen(desk)
        outcome = desk.sweep()
        return state_digest(desk.store), outcome

    @pytest.mark.fault("A1")
    @pytest.mark.parametrize("method", ["read_balances", "trace_blocks", "identify"])
    def test_a_node_that_goes_away_is_followed_by_the_next_sweep(self, desk: MemoryDesk, method: str) -> None:
        self.happen(desk)
        calls = 0

        def goes() -> None:
            nonlocal calls
            calls += 1
            desk.node().is_down = method == "trace_blocks" or calls == 3

        plugin = HookedPlugin(FakePlugin(desk.nodes), before={method: goes})
        outcome = desk.runner(plugin=plugin).run()
        assert outcome.failure_code == "node-unavailable"
        unfinished = desk.store.unfinished_sweep(desk.chain_id)
        assert unfinished is not None
        is_stored = desk.store.found_changes(unfinished) is not None
        assert is_stored == (method == "identify"), "a node that goes before the end leaves the search to the next one"
        desk.node().is_down = False
        outcome = desk.sweep()
        assert outcome.summary is not None
        assert outcome.summary.sweep_id == unfinished.sweep_id
        assert kinds(outcome)[K.UNEXPLAINED_CHANGE] == kinds(outcome)[K.UNAUTHORIZED_TRANSFER] == 1
        assert len(internal(desk)) == 1

    def test_a_process_that_dies_after_the_search_takes_it_up(self, desk: MemoryDesk) -> None:
        self.happen(desk)
        reads: list[int] = []

        def dies() -> None:
            if desk.store.unfinished_sweep(desk.chain_id) and internal(desk):
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            desk.runner(plugin=HookedPlugin(FakePlugin(desk.nodes), before={"is_canonical": dies})).run()
        counted = HookedPlugin(FakePlugin(desk.nodes), before={"trace_blocks": lambda: reads.append(1)})
        outcome = desk.runner(plugin=counted).run()
        desk.assert_invariants(outcome)
        assert reads == [], "it is not searched again"
        assert kinds(outcome)[K.UNEXPLAINED_CHANGE] == kinds(outcome)[K.UNAUTHORIZED_TRANSFER] == 1


class TestQuorum:
    @pytest.fixture
    def operators(self, sqlite_store: Store, tmp_path: Path) -> MemoryDesk:
        """Three operators, of whom two must agree."""
        desk = MemoryDesk(sqlite_store, tmp_path, nodes=3)
        desk.config = replace(desk.config, quorum=2)
        return self.ready(desk)

    def ready(self, desk: MemoryDesk) -> MemoryDesk:
        desk.chain.new_asset("slip44:60", 18)
        desk.chain.mint(OMNIBUS, desk.native, RICH)
        desk.open_books(OMNIBUS, assets=[{"asset_id": desk.native.asset_id, "symbol": "ETH", "decimals": "18"}])
        desk.allocate(OMNIBUS, asset=desk.native, C_1=RICH)
        assert desk.sweep().exit_code == 0
        return desk

    @pytest.mark.parametrize(
        ("tracing", "lying", "explained", "named"),
        [
            ((1, 2, 3), (), True, "node-1+node-2+node-3"),
            ((2,), (), True, "node-2"),
            ((1, 2, 3), (3,), True, "node-1+node-2"),
            ((1, 2), (2,), False, "node-1, node-2"),
            ((), (), False, "node-1+node-2+node-3"),
        ],
    )
    @pytest.mark.fault("A24", "A27")
    def test_traces_of_several_operators(
        self,
        operators: MemoryDesk,
        tracing: tuple[int, ...],
        lying: tuple[int, ...],
        explained: bool,
        named: str,
    ) -> None:
        for number in tracing:
            operators.node(number).tracer = "call-tracer"
        for number in lying:
            operators.node(number).hides = lambda transfer: transfer.kind is TransferKind.INTERNAL
        operators.chain.mine(3)
        height = inside(operators, None, OMNIBUS, 5)
        operators.chain.mine(3)
        book(operators, OMNIBUS, 5, operators.native)
        outcome = operators.sweep()
        assert unexplained(operators) == ([] if explained else [(OMNIBUS, height, 5)])
        assert internal(operators) == ([(None, OMNIBUS, 5)] if explained else [])
        assert outcome.changes is not None
        assert [node for _, node in outcome.changes.traced] == [named]
        assert not outcome.left_out, "a node that cannot trace is not left out for it"

    @pytest.mark.fault("A27")
    @pytest.mark.parametrize("failing", [1, 2])
    def test_balances_between_are_agreed_on_like_any(self, operators: MemoryDesk, failing: int) -> None:
        operators.chain.mine(3)
        height = inside(operators, None, OMNIBUS, 5)
        operators.chain.mine(9)
        for number in range(1, failing + 1):
            operators.node(number).pruned_below = height + 4
        operators.sweep()
        assert unexplained(operators) == [(OMNIBUS, height if failing == 1 else height + 4, 5)]


@pytest.mark.devnet
class TestOnAnvil:
    """The same with a real node's balances and traces."""

    PAYS_FIVE = f"6000600060006000600573{STRANGER[2:].lower()}5af100"
    """EVM code that sends five wei to the stranger whenever it is called."""

    @pytest.fixture
    def anvil_desk(self, new_desk: Callable[[Store], Desk], sqlite_store: Store, world: AnvilWorld) -> Desk:
        desk = new_desk(sqlite_store)
        native = {"asset_id": desk.native.asset_id, "symbol": "ETH", "decimals": "18"}
        desk.open_books(OMNIBUS, SECOND, assets=[{}, native])
        world.node.rpc("anvil_setCode", OMNIBUS, f"0x{self.PAYS_FIVE}")
        world.give_native(SECOND, 100)
        world.node.set_balance(OMNIBUS, 100)
        world.mine()
        for wallet in (OMNIBUS, SECOND):
            desk.allocate(wallet, asset=desk.native, C_1=100)
        swept = desk.sweep()
        assert not unexplained(desk), swept.cases
        return desk

    @pytest.mark.fault("A24")
    @pytest.mark.parametrize("approved", [True, False])
    def test_a_contract_wallet_that_anybody_can_make_pay(
        self, anvil_desk: Desk, world: AnvilWorld, approved: bool
    ) -> None:
        desk = anvil_desk
        if approved:
            five = {"asset_id": desk.native.asset_id, "quantity_max": "0.000000000000000005"}
            desk.approve("A-1", OMNIBUS, STRANGER, 0, **five)
        world.mine(9)
        world.give_native(OMNIBUS, 0)
        world.mine(20)
        row = {"entry_id": "E-1", "location": desk.at(OMNIBUS), "quantity": "-0.000000000000000005"}
        desk.take(ledger_entries=[row | {"asset_id": desk.native.asset_id}])
        found = kinds(desk.sweep())
        assert K.UNEXPLAINED_CHANGE not in found
        assert (K.UNAUTHORIZED_TRANSFER in found) == (not approved)
        assert internal(desk) == [(OMNIBUS, STRANGER, 5)]

    @pytest.mark.fault("A22", "A24")
    def test_balances_written_directly_are_found_in_their_blocks(self, anvil_desk: Desk, world: AnvilWorld) -> None:
        desk = anvil_desk
        world.mine(11)
        coins = world.node.block_number()
        world.node.set_balance(SECOND, 107)  # Anvil counts it to the newest block
        world.mine(13)
        desk.sweep()
        (found,) = unexplained(desk)
        assert found == (SECOND, coins, 7)
        (case,) = desk.open_cases(K.UNEXPLAINED_CHANGE)
        assert "a state written directly" in case.finding.text
        assert internal(desk) == []


def test_a_bundle_holds_internal_transfers_as_it_holds_others(desk: MemoryDesk, tmp_path: Path) -> None:
    desk.node().tracer = "call-tracer"
    issuer = Issuer.of(tmp_path, desk)
    allow(desk, OMNIBUS, 5)
    inside(desk, OMNIBUS, STRANGER, 5)
    inside(desk, OMNIBUS, PAYEE, 2)
    book(desk, OMNIBUS, -7, desk.native)
    assert kinds(desk.sweep()) == {K.UNAUTHORIZED_TRANSFER: 1}
    report = issuer.verify(issuer.issue().path)
    assert refused(report) == {}


@pytest.mark.parametrize(
    ("edit", "number"),
    [({"trace": None}, 5), ({"evidence": "agreed"}, 12), ({"witnesses": []}, 5), ({}, 0)],
)
def test_a_bundle_says_whose_word_an_internal_transfer_is(
    desk: MemoryDesk, tmp_path: Path, edit: dict[str, object], number: int
) -> None:
    desk.node().tracer = "call-tracer"
    issuer = Issuer.of(tmp_path, desk)
    inside(desk, OMNIBUS, STRANGER, 5)
    desk.sweep()
    with zipfile.ZipFile(issuer.issue().path) as file:
        members = {each: file.read(each) for each in file.namelist()}
    (found,) = [each for line in members["records/transfers.jsonl"].splitlines() if (each := json.loads(line))["trace"]]
    assert (found["kind"], found["trace"]) == (
        "internal",
        {
            "method": "call-tracer",
            "evidence": "single",
            "witnesses": [{"node_id": "node-1", "operator": "operator-1"}],
        },
    )

    def forge_trace(record: dict[str, Any]) -> None:
        record.update(edit) if "trace" in edit else record["trace"].update(edit)

    forged = tmp_path / "forged.zip"
    signers = [load_signer(f"file2:{issuer.key}")]
    forged.write_bytes(forge(members, "transfers", lambda r: r["kind"] == "internal", forge_trace, signers))
    assert (number in refused(issuer.verify(forged))) is bool(number)


def test_several_operators_that_trace_alike_are_named_together(sqlite_store: Store, tmp_path: Path) -> None:
    desk = settled(sqlite_store, tmp_path, nodes=2)
    desk.config = replace(desk.config, quorum=2)
    for number in (1, 2):
        desk.node(number).tracer = "call-tracer"
    inside(desk, OMNIBUS, STRANGER, 5)
    assert desk.sweep().summary is not None
    ((method, nodes),) = desk.store.traces(desk.chain_id, first_height=0, last_height=10_000).values()
    assert (method, nodes) == ("call-tracer", "node-1+node-2")


def test_a_transfer_traced_in_blocks_that_a_bundle_had_without_it_is_in_the_next(
    desk: MemoryDesk, tmp_path: Path
) -> None:
    desk.node().tracer = "call-tracer"
    issuer = Issuer.of(tmp_path, desk)
    desk.node().balances[OMNIBUS, desk.native.asset_id] = None
    inside(desk, OMNIBUS, STRANGER, 5)
    desk.sweep()
    without = issuer.issue("without.zip")
    del desk.node().balances[OMNIBUS, desk.native.asset_id]
    desk.chain.mine(3)
    assert K.UNAUTHORIZED_TRANSFER in kinds(desk.sweep())
    with_it = issuer.issue("with-it.zip")
    for written, number in ((without, 0), (with_it, 1)):
        with zipfile.ZipFile(written.path) as file:
            assert file.read("records/transfers.jsonl").count(b'"internal"') == number
    assert refused(issuer.verify(with_it.path)) == {}


def outcome_json(outcome: SweepOutcome) -> Mapping[str, object]:
    found = outcome.to_dict()["changes"]
    assert isinstance(found, dict)
    return found


def test_the_outcome_says_what_was_searched(desk: MemoryDesk) -> None:
    desk.node().tracer = "call-tracer"
    inside(desk, None, OMNIBUS, 5)
    silently(desk, SECOND, 3)
    desk.chain.mine(6)
    found = outcome_json(desk.sweep())
    assert found == {
        "mode": "remainders",
        "changes": 2,
        "explained": 1,
        "unexplained": 1,
        "blocks_read": found["blocks_read"],
        "blocks_traced": 1,
        "internal_transfers": 1,
        "note": "",
    }
    assert isinstance(found["blocks_read"], int)
    assert 2 <= found["blocks_read"] <= 7
    desk.chain.mine()
    assert desk.sweep().to_dict()["changes"] is None


def test_a_person_who_asks_for_every_block_does_not_get_an_unfinished_search_of_less(desk: MemoryDesk) -> None:
    """The theft and its return cancel out; the sweep that died had searched a remainder of another wallet."""
    silently(desk, OMNIBUS, -9)
    silently(desk, OMNIBUS, 9)
    silently(desk, SECOND, 3)

    def die(*args: object) -> None:
        raise KeyboardInterrupt

    runner = desk.runner()
    runner._end = die  # type: ignore[method-assign,assignment]
    with pytest.raises(KeyboardInterrupt):
        runner.run()
    unfinished = desk.store.unfinished_sweep(desk.chain_id)
    assert unfinished is not None
    assert desk.store.found_changes(unfinished) is not None
    outcome = desk.runner().run(every_block=True)
    assert outcome.changes is not None
    assert outcome.changes.mode == "every_block"
    assert sorted(base_units for wallet, _, base_units in unexplained(desk) if wallet == OMNIBUS) == [-9, 9]
