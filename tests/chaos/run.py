"""Playing one script: calm, or with a hand that strikes."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Final, TypeVar

import sqlalchemy as sa

from tests.chaos.bitcoin_machine import BitcoinMachine
from tests.chaos.channel import Channel
from tests.chaos.company import Company
from tests.chaos.comparison import OF_NODES
from tests.chaos.gate import Gate
from tests.chaos.hand import VISITOR, Hand
from tests.chaos.machines import PATIENCE_SECONDS, Lost, Node, Server
from tests.chaos.program import Program
from tests.chaos.script import Chapter, Script
from verifier.errors import StoreError
from verifier.records import CaseState
from verifier.store import Store, open_store

T = TypeVar("T")

NODES: Final = 3
"""Of the Ethereum chain, of which two must agree."""
TURN_SECONDS: Final = 0.02
GATE_SECONDS: Final = 0.01
"""How long the network takes for each request: a sweep on a local chain would be over before anything strikes."""


class Play:
    """One telling of a script, with machines of its own."""

    def __init__(self, script: Script, folder: Path) -> None:
        folder.mkdir()
        self.script = script
        self.hand: Hand | None = None
        self.seconds: list[float] = []
        """How long each chapter took."""
        self.server = Server()
        self.gates = [Gate(GATE_SECONDS) for _ in range(NODES)]
        for gate in self.gates:
            gate.start()
        self.channel = Channel(GATE_SECONDS).start()
        self.nodes: list[Node] = []
        try:
            self.nodes += [Node(folder, gate, f"node-{number}") for number, gate in enumerate(self.gates, 1)]
            self.bitcoin = BitcoinMachine(folder, self.channel)
            urls = [gate.url for gate in self.gates]
            self.company = Company(folder / "firm", self.server.url, urls, self.bitcoin.url)
            self.program = Program(self.company.port, self.company.token)
            self.store: Store = open_store(self.server.url)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End everything."""
        if hasattr(self, "program"):
            self.program.stop()
        if hasattr(self, "company"):
            self.company.close()
        if hasattr(self, "store"):
            self.store.close()
        for gate in self.gates:
            gate.stop()
        self.channel.stop()
        for node in self.nodes:
            node.kill()
        if hasattr(self, "bitcoin"):
            self.bitcoin.kill()
        self.server.close()

    def __enter__(self) -> Play:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def play(self, hand: Hand | None = None, typical: Sequence[float] = ()) -> None:
        """All chapters. Afterwards nothing runs but the server and the nodes.

        `hand` strikes meanwhile; `typical` says how long it takes each chapter to be told undisturbed.
        """
        self.company.keep_services()
        self.program.start()
        self.hand = hand
        for number, chapter in enumerate(self.script.chapters):
            began = time.monotonic()
            if hand is not None:
                hand.plan(typical[number])
            self.chapter(chapter)
            self.seconds.append(time.monotonic() - began)
        self.stop()

    def chapter(self, chapter: Chapter) -> None:
        """The product sees all of a chapter at once: the networks are held while it happens."""
        assert chapter.bitcoin is not None
        ways: list[Gate | Channel] = [*self.gates, self.channel]
        for way in ways:
            way.hold()
        if chapter.closes_case:
            self.close_a_case()
        if chapter.remark:
            self.remark(chapter.remark)
        if chapter.books is not None:
            self.visit("import", chapter.books)
        if chapter.posted is not None:
            self.post(chapter.posted)
        for node in self.nodes:
            node.move_to(chapter)
        self.bitcoin.move_to(chapter.bitcoin)
        for way in ways:
            way.release()
        self.until(lambda: self.is_swept(chapter), f"the sweeps after {chapter.acts} and {chapter.bitcoin.acts}")
        self.visit("chain", "pending", self.script.chain_ids[1], "--json")

    def is_swept(self, chapter: Chapter) -> bool:
        """Whether the chapter's blocks are the newest that were swept, and no sweep is left open."""
        assert chapter.bitcoin is not None
        for chain_id, block_hash in zip(
            self.script.chain_ids, (chapter.final_hash, chapter.bitcoin.final_hash), strict=True
        ):
            standing = self.store.standing_summary(chain_id)
            if standing is None or standing.block.block_hash != block_hash:
                return False
            if self.store.unfinished_sweep(chain_id) is not None:
                return False
        return True

    def remark(self, text: str) -> None:
        """A program says something of a case, once."""
        if found := self.known(self.closable_cases):
            path = f"/cases/{min(found)[1]}"

            def was_said() -> bool:
                return text in str(self.program.look(path))

            self.write(f"{path}/comment", {"text": text}, f"remark-{text}".replace(" ", "-"), was_said)

    def post(self, row: Mapping[str, object]) -> None:
        """A program posts an entry of the books, once."""
        entry_id = str(row["entry_id"])

        def was_posted() -> bool:
            return any(
                each["entry_id"] == entry_id for each in self.program.look("/mapping/entries?limit=500")["items"]
            )

        self.write("/rows/ledger_entries", {"row": dict(row)}, f"entry-{entry_id}", was_posted)

    def write(self, path: str, body: Mapping[str, object], key: str, was_done: Callable[[], bool]) -> None:
        """Have the program do something, while the hand may strike."""
        with ThreadPoolExecutor(1) as pool:
            writing = pool.submit(self.program.write, path, body, key, was_done)
            self.until(writing.done, f"POST {path}", waits_for_hand=False)
            writing.result()

    def close_a_case(self) -> None:
        """Two people close a case: one that speaks of the chain, not of a node that was away."""
        if found := self.known(self.closable_cases):
            case_id = min(found)[1]
            self.act_on(case_id, CaseState.PROPOSED, "propose", case_id, "--text", "as told", "--actor", "ops.maker")
            self.act_on(case_id, CaseState.CLOSED, "approve", case_id, "--text", "as told", "--actor", "ops.checker")

    def closable_cases(self) -> list[tuple[str, str]]:
        """Open cases by what was found, because their numbers follow what else was."""
        found = [case for case in self.store.cases() if case.finding.kind not in OF_NODES]
        return [(case.finding.finding_key, case.case_id) for case in found]

    def act_on(self, case_id: str, wanted: CaseState, *arguments: str) -> None:
        """Give a command until the case is where it leads."""
        self.visit("cases", *arguments, is_done=lambda: self.store.case(case_id).state in (wanted, CaseState.CLOSED))

    def visit(self, *arguments: object, is_done: Callable[[], bool] | None = None) -> None:
        """Give a command until it says that it is done, or it is seen to be: it may have died after that."""
        for _ in range(30):
            self.company.begin(VISITOR, *arguments)
            process = self.company.running[VISITOR]
            self.until(lambda process=process: process.poll() is not None, f"custody {arguments[0]}")  # type: ignore[misc]
            if process.returncode == 0 or (is_done is not None and self.known(is_done)):
                return
            self.known(self.store.head)
        raise Lost(f"custody {arguments[0]} was refused again and again: {self.company.said_last()}")

    def known(self, question: Callable[[], T]) -> T:
        """The answer to a question to the database, when it can be had."""
        answers: list[T] = []

        def ask() -> bool:
            answers.append(question())
            return True

        self.until(ask, "the database", waits_for_hand=False)
        return answers[-1]

    def until(self, condition: Callable[[], bool], what: str, *, waits_for_hand: bool = True) -> None:
        """Go on until it is so. While the database is away nothing is."""
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            self.turn()
            try:
                if condition() and (self.hand is None or self.hand.is_done or not waits_for_hand):
                    return
            except (StoreError, sa.exc.DBAPIError):
                pass
            if time.monotonic() > end:
                raise Lost(f"{what} did not come: {self.company.said_last()}")

    def turn(self) -> None:
        """A moment passes: the hand strikes, and what died is started again."""
        time.sleep(TURN_SECONDS)
        if self.hand is not None:
            self.hand.turn()
        self.company.keep_services()

    def stop(self) -> None:
        """All services are told to end, and do so cleanly; one that only just began does not listen yet.

        Then the journal is computed again, and a bundle of it all is exported and verified.
        """
        self.until(lambda: self.program.ask("GET", "/status").status == 200, "the API", waits_for_hand=False)
        self.program.stop()
        assert not self.program.wrong, "the API said:\n" + "\n".join(self.program.wrong[:20])
        assert self.program.answered[200], "the API answered nothing"
        for name in self.company.services:
            self.company.running[name].send_signal(signal.SIGTERM)
        for name in self.company.services:
            code = self.company.running[name].wait(timeout=PATIENCE_SECONDS)
            assert code in (0, -signal.SIGTERM), f"{name} ended with {code}"
        self.company.must("journal", "verify")
        bundle = self.company.folder / "in-the-end.zip"
        self.company.must("export", "--out", bundle)
        self.company.must("verify", bundle, "--trusted-keys", self.company.folder / "trusted-keys.json")
