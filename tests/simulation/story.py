"""One story: the seed chooses what happens, step by step; the truth is kept beside it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from chains.types import Address, utc_text
from tests.fakes.chain import FakeBlock
from tests.fakes.reader import FakePlugin
from tests.simulation.invariants import assert_all, results_are_true, transfers_are_judged
from tests.simulation.mortal import Died, Fault, MortalStore, open_mortal
from tests.simulation.truth import Truth
from tests.verifier.sweep.desk import Row
from tests.verifier.sweep.hooks import HookedPlugin
from tests.verifier.sweep.memory import MemoryDesk
from tests.verifier.sweep.world import OMNIBUS, PAYEE, SECOND, STRANGER, THIRD, address
from verifier.config import SweepSettings
from verifier.errors import StoreBusy, VerifierError, VersionConflict
from verifier.records import Finding
from verifier.store import CaseAct, JournalHead
from verifier.store.digest import state_digest

WALLETS: Final = (OMNIBUS, SECOND, THIRD)
LATE: Final = (address(11), address(12))
"""Wallets of which the firm's books learn in mid story, if at all."""
CLIENTS: Final = ("C-1", "C-2")
PEOPLE: Final = ("ops.maker", "ops.checker", "Ops.Maker", "ops. maker", "ops.third")
STEPS: Final = 8
DECIDING: Final = (CaseAct.PROPOSED, CaseAct.APPROVED, CaseAct.RETURNED, CaseAct.REOPENED)
MOMENTS: Final = ("identify", "block_at", "pin", "read_balances", "scan_transfers", "is_canonical")


class StoryDesk(MemoryDesk):
    """Its clock stands still during an act, however often it is asked, and may go back between two."""

    def now(self) -> datetime:
        """The newest block's time, or as far from it as the story says."""
        return self.world.head_time() + self.clock_ahead


class Story:
    """The same seed gives the same story, whether the store fails in between or not."""

    def __init__(self, seed: int, url: str, folder: Path, *, disturbed: bool) -> None:
        self.random = random.Random(seed)
        # What was told first keeps its numbers, so that a seed that once found something goes on telling it.
        self.later = random.Random(f"later {seed}")
        self.mischief = random.Random(f"mischief {seed}") if disturbed else None
        self.url, self.disturbances = url, 0
        self.truth = Truth()
        self.wallets: tuple[Address, ...] = WALLETS
        self.seen_blocks: dict[str, FakeBlock] = {}
        self.rows: dict[str, int] = {}
        self.checked: set[str] = set()
        self.checked_head: JournalHead | None = None
        self.log: list[str] = []
        self.proposed_on: dict[str, Finding] = {}
        self.last_entry: Row = {}
        self.numbers = iter(range(1, 10_000))
        self.has_quorum = self.random.random() < 0.4
        self.desk: MemoryDesk = StoryDesk(open_mortal(url), folder, nodes=3 if self.has_quorum else 2)
        self.desk.settings = SweepSettings(wallets_per_shard=self.random.choice((1, 2, 5_000)))
        self.desk.history_from = 0
        if self.has_quorum:
            self.desk.config = replace(self.desk.config, quorum=2)
        self.chain = self.desk.chain
        for wallet in (*WALLETS, *LATE):
            self.chain.mint(wallet, self.desk.asset, 1_000)
        self.chain.mine(10)
        self.opened_at = self.chain.head_time()
        self.survive(lambda: self.desk.open_books(*WALLETS))
        for wallet in WALLETS:
            self.survive(lambda at=wallet: self.desk.allocate(at, C_1=1_000))  # type: ignore[misc]
            self.truth.post(wallet, "C-1", 1_000, self.chain.head_time())
        self.acts: list[Callable[[], None]] = [
            self.deposit,
            self.deposit,
            self.withdraw,
            self.withdraw,
            self.steal,
            self.overdraw,
            self.correct,
            self.reorganise,
            self.spoil,
            self.spoil,
            self.heal,
            self.die,
            self.decide,
            self.decide,
            self.race,
            self.cheat,
            self.repeat,
            self.give_rubbish,
            self.jump,
        ]
        self.later_acts: list[Callable[[], None]] = [self.learn_of_a_wallet, self.steal_unseen, self.change_token]

    # Telling

    def tell(self, steps: int = STEPS) -> str:
        """All of it; returns the digest of what is recorded in the end. The invariants hold after every step."""
        for _ in range(steps):
            act = self.random.choice(self.acts)
            self.log.append(act.__name__)
            act()
            if self.later.random() < 0.4:
                further = self.later.choice(self.later_acts)
                self.log.append(further.__name__)
                further()
            if self.random.random() < 0.5:
                self.sweep()
            self.remember()
            if self.mischief is not None:  # the calm story is told for its end alone
                assert_all(self)
        self.end()
        digest = state_digest(self.desk.store)
        self.desk.store.close()
        return digest

    def end(self) -> None:
        """Everything is well again: what is recorded now is the truth."""
        self.heal()
        self.desk.clock_ahead = timedelta(seconds=1)
        self.chain.mine()
        for _ in range(2):  # the first may finish what a dead one left, at an earlier block
            self.sweep()
        self.remember()
        assert_all(self)
        transfers_are_judged(self)
        summary = self.desk.store.standing_summary(self.desk.chain_id)
        assert summary is not None
        assert summary.block == self.chain.head, "the newest block was not swept though all is well"
        assert summary.unverified == 0, "something is unverified though all is well"
        results_are_true(self, summary.sweep_id)

    def remember(self) -> None:
        """The oracle knows every block there ever was."""
        for block in self.chain.blocks:
            self.seen_blocks.setdefault(block.ref.block_hash, block)
        for case_id, known in self.truth.cases.items():
            acts = [event for event in self.desk.store.case_events(case_id) if event.act in DECIDING]
            if acts[-1].act is CaseAct.REOPENED:  # a sweep saw other facts than people decided on
                assert acts[-1].actor == "scheduler", f"{acts[-1].actor} reopened {case_id}"
                known.state, known.maker = "open", ""

    # The process and its store

    def survive(self, act: Callable[[], None], *, left_alone: bool = False) -> None:
        """Do something until it is done, however often the store refuses or the process dies in between."""
        for life in range(3):
            self.arm(last=left_alone or life == 2)
            try:
                act()
                return
            except StoreBusy:
                pass  # whoever it was is told to try again, and does
            except Died:
                self.reopen()
        raise AssertionError("the last life is left alone")

    def arm(self, *, last: bool) -> None:
        """Choose what befalls the next act; nothing in an undisturbed story."""
        store = self.store
        store.fault, store.writes = None, 0
        if self.mischief is not None and not last and self.mischief.random() < 0.5:
            store.fault = Fault(self.mischief.choice(("busy", "death", "death")), self.mischief.randint(1, 6))
            self.disturbances += 1

    @property
    def store(self) -> MortalStore:
        """The store of the process that lives now."""
        assert isinstance(self.desk.store, MortalStore)
        return self.desk.store

    def reopen(self) -> None:
        """The process is dead; another one takes its place."""
        self.store.is_dead = True
        self.store.close()
        self.desk.store = open_mortal(self.url)

    def sweep(self) -> None:
        """Run one sweep to its end."""
        self.remember()
        began = set(self.note_sweeps())

        def run() -> None:
            self.desk.runner().run()

        self.survive(run, left_alone=self.lags_in_a_reorganisation())
        ended = set(self.note_sweeps()) - began
        if self.chain.assets[self.desk.asset.asset_id] != self.desk.asset.decimals:
            self.truth.asset_was_another |= ended

    def note_sweeps(self) -> list[str]:
        """Which sweeps there are, the one that is not over included; new ones began with what is known now."""
        unfinished = self.desk.store.unfinished_sweep(self.desk.chain_id)
        found = [summary.sweep_id for summary in self.desk.store.summaries(self.desk.chain_id)]
        found += [unfinished.sweep_id] if unfinished is not None else []
        self.truth.note(found, self.wallets)
        return found

    def lags_in_a_reorganisation(self) -> bool:
        """Whether a node is behind while blocks that were swept are gone.

        It is refused as stale as long as those blocks count, and fit as soon as it is recorded that they are gone: who
        dies in between goes on with that node at its lower block, which is right, and another story than the calm one.
        """
        tip = self.desk.store.covered_tip(self.desk.chain_id)
        gone = tip is not None and ((block := self.chain.at(tip.height)) is None or block.ref != tip)
        return gone and any(node.lag for node in self.desk.nodes.values())

    # What happens on the chain and in the books

    def deposit(self) -> None:
        """With an entry in the books, or without."""
        wallet, units = self.random.choice(WALLETS), self.random.randint(1, 50)
        self.chain.mint(wallet, self.desk.asset, units)
        if self.random.random() < 0.7:
            self.book(wallet, self.random.choice(CLIENTS), units)

    def withdraw(self) -> None:
        """With an approval; sometimes of less than what leaves, sometimes of another place."""
        wallet, units = self.random.choice(WALLETS), self.random.randint(2, 20)
        name, less = f"A-{next(self.numbers)}", self.random.choice((0, 0, 1))
        self.survive(lambda: self.desk.approve(name, wallet, PAYEE, units - less))
        self.chain.pay(wallet, PAYEE, self.desk.asset, units)
        self.book(wallet, "C-1", -units)

    def steal(self) -> None:
        """Nobody approved it."""
        self.chain.pay(self.random.choice(WALLETS), STRANGER, self.desk.asset, self.random.randint(1, 9))

    def overdraw(self) -> None:
        """An entry that drives a client below zero while the wallet's sum stays right."""
        wallet = self.random.choice(WALLETS)
        units = max(self.truth.books[wallet]["C-2"], 0) + self.random.randint(1, 9)
        self.book(wallet, "C-2", -units)
        self.book(wallet, "C-1", units)

    def correct(self) -> None:
        """Somebody posts what was missing: the books of one wallet become what the chain holds."""
        wallet = self.random.choice(WALLETS)
        held = self.chain.blocks[-1].balances.get((wallet, self.desk.asset.asset_id), 0)
        owed = self.truth.books[wallet]
        if owed["C-2"] < 0:
            self.book(wallet, "C-2", -owed["C-2"])
        if missing := held - self.truth.claimed(wallet):
            self.book(wallet, "C-1", missing)

    def steal_unseen(self) -> None:
        """Out of a wallet that the books may not know yet: it is judged when they do."""
        self.chain.pay(self.later.choice(LATE), STRANGER, self.desk.asset, self.later.randint(1, 9))

    def learn_of_a_wallet(self) -> None:
        """The firm maps one more wallet, and says who owned what was in it when the story began."""
        if unknown := [wallet for wallet in LATE if wallet not in self.wallets]:
            wallet = unknown[0]
            self.survive(lambda: self.desk.take(wallets=[{"address": wallet}]))
            self.wallets += (wallet,)
            self.book(wallet, "C-1", 1_000, self.opened_at)

    def change_token(self) -> None:
        """Its contract has other decimals from now on: no figure of it means what the books mean."""
        self.chain.assets[self.desk.asset.asset_id] = self.later.choice((0, 8, 18))
        self.sweep()

    def effective_at(self) -> datetime:
        """When what is posted now takes effect: mostly now, sometimes at a time that is past, or still to come."""
        now, chance = self.chain.head_time(), self.later.random()
        if chance < 0.2:
            return now - self.later.random() * (now - self.opened_at)
        return now + timedelta(seconds=self.later.randint(1, 120)) if chance < 0.4 else now

    def book(self, wallet: Address, client: str, units: int, effective_at: datetime | None = None) -> None:
        """Post an entry."""
        moment = effective_at or self.effective_at()
        sign, quantity = ("-" if units < 0 else ""), self.desk.usdx.format_quantity(abs(units))
        row = {
            "entry_id": f"E-{next(self.numbers)}",
            "client_id": client,
            "location": self.desk.at(wallet),
            "quantity": sign + quantity,
            "effective_at": utc_text(moment),
        }
        self.survive(lambda: self.desk.take(ledger_entries=[row]))
        self.truth.post(wallet, client, units, moment)
        self.last_entry = row

    def repeat(self) -> None:
        """I8: the same entry once more changes nothing."""
        if self.last_entry:
            with self.unchanged("I8: a repeated entry"):
                self.desk.take(ledger_entries=[dict(self.last_entry)])

    def give_rubbish(self) -> None:
        """I7: a file with one wrong row is refused whole."""
        good = {"entry_id": f"E-{next(self.numbers)}", "location": self.desk.at(OMNIBUS), "quantity": "1"}
        wrong = {**good, "entry_id": f"E-{next(self.numbers)}", "quantity": self.random.choice(("1e3", "", "NaN"))}
        with self.unchanged("I7: a refused file"):
            assert not self.desk.give(ledger_entries=[good, wrong]).ok

    # What happens to the chain and its nodes

    def reorganise(self) -> None:
        """The newest blocks go, with all they held."""
        self.remember()
        self.chain.reorganise(self.random.randint(1, 4))
        self.chain.mine()

    def spoil(self) -> None:
        """A node is down, behind, does not answer for one wallet, or lies where others can contradict it."""
        node = self.desk.node(3 if self.has_quorum else self.random.choice((1, 1, 1, 2)))  # the first is asked first
        key = (self.random.choice(WALLETS), self.desk.asset.asset_id)
        match self.random.choice(("down", "behind", "silent", "lie" if self.has_quorum else "silent")):
            case "down":
                node.is_down = True
            case "silent":
                node.balances = {key: None}
            case "behind":
                node.lag = self.random.randint(1, 3)
            case "lie":
                node.balances = {key: self.random.randint(0, 2_000)}
        self.sweep()

    def heal(self) -> None:
        """All nodes are well."""
        for node in self.desk.nodes.values():
            node.is_down, node.lag, node.balances = False, 0, {}
        self.chain.assets[self.desk.asset.asset_id] = self.desk.asset.decimals

    def die(self) -> None:
        """The process ends in mid sweep, and nobody takes it up before other things happen."""
        moment, left = self.random.choice(MOMENTS), self.random.randint(1, 3)

        def death() -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                self.store.is_dead = True
                raise Ended

        def run() -> None:
            plugin = HookedPlugin(FakePlugin(self.desk.nodes), before={moment: death})
            try:
                self.desk.runner(plugin=plugin).run()
            except Died:
                raise (Ended if left <= 0 else Died) from None  # what a dead process tidies up dies too

        self.remember()
        self.store.fault = None  # a disturbed store would let it die at another place than a calm one
        with suppress(Ended):  # nobody dies when no node answers
            run()
        if self.store.is_dead:
            self.reopen()
        self.note_sweeps()
        if self.later.random() < 0.5:  # known before the sweep is taken up, and of a time before its block
            self.book(self.later.choice(WALLETS), "C-1", self.later.randint(1, 50), self.opened_at)

    def jump(self) -> None:
        """The clock goes forward, far enough that the chain seems to stand still, or back."""
        self.desk.clock_ahead = timedelta(seconds=self.random.choice((1, 30, 2_000, 20_000)))

    # People

    def decide(self) -> None:
        """Somebody tries something with a case; whether it is allowed is known beforehand."""
        if cases := self.desk.store.cases():
            case = self.random.choice(sorted(cases, key=lambda each: each.case_id))
            self.attempt(
                self.random.choice(("propose", "approve", "send_back")), case.case_id, self.random.choice(PEOPLE)
            )

    def race(self) -> None:
        """Two people approve at once what a third proposed: one of them does."""
        if cases := self.desk.store.cases():
            case_id = self.random.choice(sorted(each.case_id for each in cases))
            self.attempt("propose", case_id, "ops.third")
            for person in self.random.sample(PEOPLE, 2):
                self.attempt("approve", case_id, person)

    def cheat(self) -> None:
        """One person proposes and approves, under a name that looks like another's."""
        if cases := self.desk.store.cases():
            case_id = self.random.choice(sorted(each.case_id for each in cases))
            self.attempt("propose", case_id, "ops.maker")
            self.attempt("approve", case_id, self.random.choice(("ops.maker", "Ops.Maker", "ops. maker")))

    def attempt(self, act: str, case_id: str, person: str) -> None:
        """Do it, or be refused without a trace."""
        known = self.truth.cases.get(case_id)
        if self.truth.may(act, case_id, known.state if known else "open", person):
            seen = self.desk.store.case(case_id).finding
            try:
                self.survive(lambda: getattr(self.desk.store, act)(case_id, "as told", person, self.desk.now()))
            except VersionConflict:
                assert seen != self.proposed_on[case_id], "refused as changed, and it is what was proposed on"
                return
            self.truth.did(act, case_id, person)
            if act == "propose":
                self.proposed_on[case_id] = seen
            return
        with self.unchanged(f"I7: {person} may not {act}"):
            try:
                getattr(self.desk.store, act)(case_id, "as told", person, self.desk.now())
            except VerifierError:
                return
            # The same proposal by the same person again is the same act: it may be taken, and must change nothing.
            assert act == "propose", f"I5: {person} could {act} {case_id}"

    @contextmanager
    def unchanged(self, what: str) -> Iterator[None]:
        """Nothing is recorded meanwhile."""
        self.store.fault = None
        before = self.desk.store.head()
        yield
        assert self.desk.store.head() == before, f"{what} left a trace"


class Ended(BaseException):
    """The story's own death of a process, the same whether the store is disturbed or not."""
