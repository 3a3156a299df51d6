"""Long random stories from one seed each, held against the chain itself: what is true must be what is recorded."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from chains.types import Address, TransferKind
from tests.fakes.reader import FakePlugin
from tests.verifier.sweep.hooks import HookedPlugin
from tests.verifier.sweep.memory import MemoryDesk
from tests.verifier.sweep.world import OMNIBUS, PAYEE, SECOND, STRANGER, THIRD
from verifier.records import FindingKind, MatchOutcome, Status
from verifier.store import open_store
from verifier.sweep import SweepOutcome

WALLETS = (OMNIBUS, SECOND, THIRD)
STEPS = 20


class Died(Exception):
    """Stands for the end of the process."""


class Simulation:
    """One story. Every act is chosen by the seed; the truth is the chain's own."""

    def __init__(self, seed: int, desk: MemoryDesk) -> None:
        self.random = random.Random(seed)
        self.desk, self.chain = desk, desk.chain
        self.numbers = iter(range(1, 10_000))
        desk.history_from = 0
        for wallet in WALLETS:
            self.chain.mint(wallet, desk.asset, 1_000)
        self.chain.mine(10)
        desk.open_books(*WALLETS)
        for wallet in WALLETS:
            desk.allocate(wallet, C_1=1_000)
        self.acts: list[Callable[[], None]] = [
            self.deposit,
            self.deposit,
            self.withdraw,
            self.withdraw,
            self.steal,
            self.reorganise,
            self.spoil,
            self.die,
            self.close,
        ]

    def deposit(self) -> None:
        """With an entry in the books, or without."""
        wallet, base_units = self.random.choice(WALLETS), self.random.randint(1, 50)
        self.chain.mint(wallet, self.desk.asset, base_units)
        if self.random.random() < 0.7:
            self.book(wallet, base_units)

    def withdraw(self) -> None:
        """With an approval; sometimes of less than what leaves."""
        wallet, base_units = self.random.choice(WALLETS), self.random.randint(2, 20)
        self.desk.approve(f"A-{next(self.numbers)}", wallet, PAYEE, base_units - self.random.choice((0, 0, 1)))
        self.pay(wallet, PAYEE, base_units)
        self.book(wallet, -base_units)

    def steal(self) -> None:
        """Nobody approved it."""
        self.pay(self.random.choice(WALLETS), STRANGER, self.random.randint(1, 9))

    def reorganise(self) -> None:
        """The newest blocks go, with all they held."""
        self.chain.reorganise(self.random.randint(1, 4))
        self.chain.mine()

    def spoil(self) -> None:
        """One node is down for a while, or does not answer for one wallet."""
        node = self.desk.node(self.random.randint(1, 2))
        node.is_down = self.random.random() < 0.4
        node.balances = {(self.random.choice(WALLETS), self.desk.asset.asset_id): None} if not node.is_down else {}

    def die(self) -> None:
        """The process ends in mid sweep."""

        def death() -> None:
            raise Died

        method = self.random.choice(["pin", "read_balances", "scan_transfers", "identify", "is_canonical"])
        plugin = HookedPlugin(FakePlugin(self.desk.nodes), before={method: death})
        with suppress(Died):  # nobody dies when no node answers
            self.desk.runner(plugin=plugin).run()

    def close(self) -> None:
        """Two people close a case."""
        if cases := self.desk.open_cases():
            self.desk.close(self.random.choice(cases))

    def book(self, wallet: Address, base_units: int) -> None:
        sign, quantity = ("-" if base_units < 0 else ""), self.desk.usdx.format_quantity(abs(base_units))
        entry = {"entry_id": f"E-{next(self.numbers)}", "location": self.desk.at(wallet), "quantity": sign + quantity}
        self.desk.take(ledger_entries=[entry])

    def pay(self, wallet: Address, receiver: Address, base_units: int) -> None:
        self.chain.pay(wallet, receiver, self.desk.asset, base_units)

    def step(self) -> None:
        """One act, and most times a sweep."""
        self.random.choice(self.acts)()
        if self.random.random() < 0.6:
            outcome = self.desk.sweep()
            if outcome.summary is not None:
                self.check(outcome)

    def check(self, outcome: SweepOutcome) -> None:
        """What is recorded of the swept block is what the chain holds there."""
        assert outcome.summary is not None
        block = self.chain.at(outcome.summary.block.height)
        assert block is not None
        assert block.ref == outcome.summary.block
        for wallet, result in self.desk.results(outcome).items():
            truth = block.balances[Address(wallet), self.desk.asset.asset_id]
            assert result.observed in (None, truth)
            expected = Status.MATCHED if truth == result.claimed else Status.DIVERGED
            assert result.status is (Status.UNVERIFIED if result.observed is None else expected)
        self.check_transfers()

    def check_transfers(self) -> None:
        """Every canonical payment that was covered is judged once; what was not approved has its case."""
        tip = self.desk.store.covered_tip(self.desk.chain_id)
        assert tip is not None
        left = [
            transfer.transfer_id
            for block in self.chain.blocks[: tip.height + 1]
            for transfer in block.transfers
            if transfer.sender in WALLETS and transfer.kind is TransferKind.TOKEN
        ]
        matches = self.desk.store.matches(self.desk.chain_id)
        assert [match.transfer.transfer_id for match in matches] == left
        cases = [
            case
            for case in self.desk.store.cases(include_closed=True)
            if case.finding.kind is FindingKind.UNAUTHORIZED_TRANSFER and not case.superseded
        ]
        wrong = {match.transfer.transfer_id for match in matches if match.outcome is not MatchOutcome.MATCHED}
        assert sorted(case.finding.subject for case in cases) == sorted(wrong)
        for case in self.desk.open_cases(FindingKind.UNEXPLAINED_CHANGE):
            raise AssertionError(f"every movement has its event here, but: {case.finding.text}")


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.fault("A1", "A9", "A31", "C1", "G19")
def test_what_is_recorded_is_what_is_true(seed: int, sqlite_template: Path, tmp_path: Path) -> None:
    path = tmp_path / "simulation.db"
    shutil.copy(sqlite_template, path)
    store = open_store(f"sqlite:///{path}")
    simulation = Simulation(seed, MemoryDesk(store, tmp_path, nodes=2))
    for _ in range(STEPS):
        simulation.step()
    for node in simulation.desk.nodes.values():
        node.is_down, node.balances = False, {}
    simulation.chain.mine()
    for _ in range(2):  # the first may finish what a dead one left, at an earlier block
        outcome = simulation.desk.sweep()
        simulation.check(outcome)
    assert outcome.summary is not None
    assert outcome.summary.unverified == 0
    assert outcome.summary.block == simulation.chain.head
    store.close()
