"""The workflow of a case as a state machine: two makers, two checkers and the machine, against a plain oracle."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.postgres import PostgresServer
from tests.verifier.store.story import CHAIN, USDX, finding, later, sighting
from verifier.errors import CaseConflict, VersionConflict
from verifier.journal import verify_journal
from verifier.records import CaseState
from verifier.store import Store, open_store
from verifier.store.case_seeing import see_cases
from verifier.store.records import CaseAct, RootCause

MAKERS = ("ops.one", "ops.two")
CHECKERS = ("cco", "deputy")
EVERYBODY = (*MAKERS, *CHECKERS, "OPS.One ")
"""The last is the first maker, spelled by somebody in a hurry."""


def same(one: str, other: str) -> bool:
    """The oracle's own idea of one person."""
    return one.lower().replace(" ", "") == other.lower().replace(" ", "")


class Workflow(RuleBasedStateMachine):
    """One case; the oracle says what each act must do."""

    url: ClassVar[str] = ""
    template: ClassVar[Path | None] = None

    @initialize(two=st.booleans())
    def opened(self, two: bool) -> None:
        """A database of its own with one open case."""
        self.folder = tempfile.mkdtemp()
        url = self.url
        if self.template is not None:
            shutil.copy(self.template, f"{self.folder}/custody.db")
            url = f"sqlite:///{self.folder}/custody.db"
        self.store: Store = open_store(url)
        self.store.second_above = {USDX.symbol: "0"} if two else {}
        self.needed = 2 if two else 1
        self.minute = 0
        self.units = -300
        self.subject = f"{len(self.store.cases(include_closed=True))}"
        self.case_id = ""
        self.see()
        self.case_id = self.store.cases(include_closed=True)[-1].case_id
        self.state, self.maker, self.text = CaseState.OPEN, "", ""
        self.endorsed: list[str] = []
        self.facts_moved = False
        self.stale = self.store.case_standing(self.case_id)

    def see(self) -> None:
        """A sweep sees the finding with its amount of now."""
        found = finding(units=self.units, subject=self.subject)
        with self.store.record("test.sweep", "scheduler", {"minute": self.tick()}, later(self.minute)) as unit:
            see_cases(unit, CHAIN, None, [sighting(found)], "scheduler", all_seen=False)

    def tick(self) -> int:
        """Time goes on, and makes every text another one."""
        self.minute += 1
        return self.minute

    def words(self) -> str:
        """What somebody says, never twice the same."""
        return f"said at {self.tick()}"

    @rule(actor=st.sampled_from(EVERYBODY), stale=st.booleans())
    def proposes(self, actor: str, stale: bool) -> None:
        """Anybody proposes, on what they saw."""
        seen = self.stale.seen_digest if stale else None
        text = self.words()
        moved = seen is not None and seen != self.store.case_standing(self.case_id).seen_digest
        if self.state is not CaseState.OPEN:
            with pytest.raises(CaseConflict):
                self.store.propose(self.case_id, text, actor, later(self.minute), seen=seen)
        elif moved:
            with pytest.raises(VersionConflict):
                self.store.propose(self.case_id, text, actor, later(self.minute), seen=seen)
        else:
            self.store.propose(self.case_id, text, actor, later(self.minute), seen=seen)
            self.state, self.maker, self.endorsed, self.facts_moved = CaseState.PROPOSED, actor, [], False

    @rule(actor=st.sampled_from(EVERYBODY), stale=st.booleans(), twice=st.booleans())
    def approves(self, actor: str, stale: bool, twice: bool) -> None:
        """Anybody approves, on what they saw, perhaps with a double click."""
        stands = self.store.case_standing(self.case_id)
        seen = self.stale.seen_digest if stale else stands.seen_digest
        text = self.words()

        def click() -> None:
            self.store.approve(self.case_id, text, actor, later(self.minute), seen=seen)

        if self.state is not CaseState.PROPOSED or any(same(actor, each) for each in (self.maker, *self.endorsed)):
            with pytest.raises((CaseConflict, VersionConflict)):
                click()
            return
        if seen != stands.seen_digest or self.facts_moved:
            with pytest.raises(VersionConflict):
                click()
            return
        click()
        self.endorsed.append(actor)
        if len(self.endorsed) == self.needed:
            self.state = CaseState.CLOSED
        if twice:
            version = self.store.case(self.case_id).version
            click()
            assert self.store.case(self.case_id).version == version

    @rule(actor=st.sampled_from(EVERYBODY))
    def returns(self, actor: str) -> None:
        """Anybody returns a proposal; its maker takes it back that way."""
        text = self.words()
        if self.state is not CaseState.PROPOSED:
            with pytest.raises(CaseConflict):
                self.store.send_back(self.case_id, text, actor, later(self.minute))
            return
        self.store.send_back(self.case_id, text, actor, later(self.minute))
        self.state = CaseState.OPEN

    @rule(actor=st.sampled_from(MAKERS), what=st.sampled_from(["attach", "cause", "explain", "comment", "assign"]))
    def works(self, actor: str, what: str) -> None:
        """Somebody adds to the case; some of it is what a resolution is about."""
        text, moment = self.words(), later(self.minute)
        acts: dict[str, Callable[[], object]] = {
            "attach": lambda: self.store.attach(self.case_id, "a.txt", text.encode(), "", actor, moment),
            "cause": lambda: self.store.name_cause(self.case_id, RootCause.OTHER, text, actor, moment),
            "explain": lambda: self.store.explain(self.case_id, text, actor, moment),
            "comment": lambda: self.store.comment(self.case_id, text, actor, moment),
            "assign": lambda: self.store.assign(self.case_id, actor, text, actor, moment),
        }
        if self.state is CaseState.CLOSED:
            with pytest.raises(CaseConflict):
                acts[what]()
            return
        acts[what]()
        if what in ("attach", "cause", "explain") and self.state is CaseState.PROPOSED:
            self.facts_moved = True

    @rule(change=st.sampled_from([0, 0, -1]))
    def is_seen_again(self, change: int) -> None:
        """The machine sees it again, perhaps with another amount: a proposal on the old one does not stand."""
        if self.state is CaseState.CLOSED:
            return
        self.units += change
        self.see()
        if change and self.state is CaseState.PROPOSED:
            self.state = CaseState.OPEN

    @rule()
    def is_escalated(self) -> None:
        """The clock puts it into the trade-break queue: once, and never when it is closed."""
        before = self.store.case(self.case_id).trade_break_at
        moved = self.store.to_trade_breaks([(self.case_id, "late", {"why": "late"})], "clock", later(self.tick()))
        assert moved == ([self.case_id] if before is None and self.state is not CaseState.CLOSED else [])

    @rule()
    def somebody_looks(self) -> None:
        """A page is opened, and will be acted on later."""
        self.stale = self.store.case_standing(self.case_id)

    @rule(actor=st.sampled_from(MAKERS))
    def acts_on_an_old_version(self, actor: str) -> None:
        """What was made on an older version is refused."""
        if self.state is CaseState.CLOSED:
            return
        version = self.store.case(self.case_id).version
        with pytest.raises(VersionConflict):
            self.store.comment(self.case_id, self.words(), actor, later(self.minute), expected_version=version - 1)

    @invariant()
    def the_store_agrees(self) -> None:
        """State, maker and checkers are the oracle's; nobody approved their own."""
        case = self.store.case(self.case_id)
        assert case.state is self.state
        assert case.maker == (self.maker if self.state is CaseState.PROPOSED else "")
        if self.state is CaseState.CLOSED:
            assert list(case.checkers) == self.endorsed
            assert not any(same(self.maker, each) for each in case.checkers)
            assert len({each.lower().replace(" ", "") for each in case.checkers}) == self.needed
            bound = [
                each.facts_digest
                for each in self.store.case_events(self.case_id)
                if each.act in (CaseAct.PROPOSED, CaseAct.APPROVED)
            ]
            assert bound[-1] == bound[-2]

    def teardown(self) -> None:
        """The journal holds after everything that was tried."""
        if hasattr(self, "store"):
            assert verify_journal(self.store).ok
            self.store.close()
            shutil.rmtree(self.folder)


def run(url: str, template: Path | None, examples: int, steps: int) -> None:
    """The machine over one kind of database."""

    class Bound(Workflow):
        """The workflow over it."""

    Bound.url, Bound.template = url, template
    run_state_machine_as_test(
        Bound,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )


@pytest.mark.fault("F1")
@pytest.mark.fault("F2")
@pytest.mark.fault("F19")
def test_the_workflow_does_what_the_oracle_says(sqlite_template: Path) -> None:
    run("", sqlite_template, 12, 20)


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A database on the server."""
    url = postgres_server.database()
    yield url
    postgres_server.drop(url)


@pytest.mark.postgres
@pytest.mark.fault("F19")
def test_the_workflow_on_postgresql(postgres_url: str) -> None:
    run(postgres_url, None, 3, 15)
