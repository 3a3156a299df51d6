"""The parts of the chaos do what they are trusted with: machines come back with what they had, differences are seen."""

from __future__ import annotations

import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from chains.devnet.anvil import AnvilProcess
from chains.devnet.bitcoin.kernel_node import KernelNode
from chains.devnet.bitcoin.node import RegtestNode
from chains.devnet.node import AnvilNode
from chains.devnet.post import post
from chains.errors import NodeUnavailable
from tests.chaos.bitcoin_machine import BitcoinMachine
from tests.chaos.bitcoin_script import BitcoinAuthor, BitcoinPart, same_each_time
from tests.chaos.channel import Channel
from tests.chaos.comparison import ACT, PROVISIONAL, differences, without_looks
from tests.chaos.entry import CLOCK, LEASE_SECONDS
from tests.chaos.gate import Gate
from tests.chaos.invariants import broken_invariants
from tests.chaos.machines import Node, Server
from tests.chaos.program import LOST, Answer, Program, wrong_with
from tests.chaos.script import Chapter, Script, write_script
from tests.cli.command import ROOT
from tests.simulation.databases import SqliteFiles
from tests.verifier.conftest import sqlite_template
from tests.verifier.sweep.memory import MemoryDesk
from tests.verifier.sweep.world import OMNIBUS, STRANGER
from verifier.records import CaseState, Reconciliation
from verifier.store import CaseAct, open_store
from verifier.store.digest import recorded_state, state_digest
from verifier.store.types import Canonical

__all__ = ["sqlite_template"]

ASK_VERSION = b'{"jsonrpc":"2.0","id":1,"method":"web3_clientVersion","params":[]}'
SAY_TIME = """
from datetime import UTC, datetime
from tests.chaos import entry
entry.change_clocks()
entry.change_leases()
from verifier.cli import watching
from verifier.store.lease_store import LeaseStore
print(round((watching.now() - datetime.now(UTC)).total_seconds()), LeaseStore.take_lease.__kwdefaults__["seconds"])
"""


@pytest.fixture(scope="module")
def script(anvil_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Script:
    """Three chapters."""
    pytest.importorskip("pbk")
    return write_script(5, 2, tmp_path_factory.mktemp("script"))


@pytest.mark.devnet
def test_a_script_is_the_same_again(script: Script, tmp_path: Path) -> None:
    assert write_script(5, 2, tmp_path).hashes == script.hashes
    assert write_script(6, 2, tmp_path).hashes != script.hashes


@pytest.mark.devnet
def test_a_killed_node_comes_back_with_its_chain(script: Script, tmp_path: Path) -> None:
    with Gate() as gate:
        assert isinstance(gate, Gate)
        node = Node(tmp_path, gate)
        try:
            for chapter in script.chapters[:2]:
                node.move_to(chapter)
            node.kill()
            assert post(gate.url, ASK_VERSION, 10)[0] == 503
            node.move_to(script.chapters[2])  # the chain goes on meanwhile
            node.bring_back()
            there = AnvilNode(gate.url)
            newest = there.block_number()
            assert [there.block_hash(height) for height in range(newest + 1)] == list(script.hashes)
            parent = "0x60014303" + "40" + "600052" + "60206000f3"  # what BLOCKHASH says of the block before
            assert there.rpc("eth_call", {"data": parent}, hex(newest)) == there.block()["parentHash"]
        finally:
            node.kill()


@pytest.mark.devnet
def test_a_gate_holds_requests_and_loses_them(anvil_binary: Path) -> None:
    with AnvilProcess() as process, Gate() as gate:
        assert isinstance(gate, Gate)
        gate.find_target(process.node.url)
        gate.hold()
        answers: list[int] = []
        asking = threading.Thread(target=lambda: answers.append(post(gate.url, ASK_VERSION, 60)[0]))
        asking.start()
        asking.join(0.2)
        assert answers == [], "held"
        gate.release()
        asking.join(60)
        assert answers == [200], "and answered in the end"
        gate.is_cut = True
        gate.lose_target()
        assert lost(gate)
        gate.is_cut = False
        gate.find_target(process.node.url)
        assert not lost(gate)


@pytest.mark.devnet
def test_a_node_falls_behind_and_lies_and_is_well_again(script: Script, tmp_path: Path) -> None:
    with Gate() as gate:
        assert isinstance(gate, Gate)
        node = Node(tmp_path, gate)
        try:
            for chapter in script.chapters[:2]:
                node.move_to(chapter)
            there = AnvilNode(gate.url)
            wallet, token = script.lied_about
            newest, held = there.block_number(), there.balance(wallet)
            node.fall_behind()
            assert there.block_number() == script.chapters[0].final_height < newest
            node.lie(wallet, token)
            assert there.block_number() == newest
            assert there.balance(wallet) != held
            node.be_well()
            assert (there.block_number(), there.balance(wallet)) == (newest, held)
        finally:
            node.kill()


def test_a_killed_bitcoin_node_comes_back_with_its_chain_and_what_waits(tmp_path: Path) -> None:
    parts = bitcoin_parts(2, 3)
    assert parts == bitcoin_parts(2, 3), "the same again"
    assert parts != bitcoin_parts(3, 3)
    assert any("replace_blocks" in part.acts for part in parts)
    waiting = next(number for number, part in enumerate(parts) if part.waiting)
    with Channel() as channel:
        machine = BitcoinMachine(tmp_path, channel)
        try:
            there = RegtestNode(machine.url)
            for part in parts[:waiting]:
                machine.move_to(part)
            assert there.block_hash(parts[waiting - 1].final_height) == parts[waiting - 1].final_hash
            machine.kill()
            with pytest.raises(NodeUnavailable):
                there.rpc("getblockcount")
            machine.move_to(parts[waiting])  # the chain goes on meanwhile
            machine.bring_back()
            assert there.height == parts[waiting].final_height + 2
            assert there.block_hash(parts[waiting].final_height) == parts[waiting].final_hash
            assert [there.transaction(each).raw.hex() for each in there.waiting()] == list(parts[waiting].waiting)
        finally:
            machine.kill()


def bitcoin_parts(seed: int, chapters: int) -> list[BitcoinPart]:
    """The Bitcoin side of a script."""
    pytest.importorskip("pbk")
    with KernelNode() as kernel:
        author = BitcoinAuthor(seed, same_each_time(seed, kernel))
        return [author.opening(), *(author.write_chapter() for _ in range(chapters))]


class Echo(socketserver.StreamRequestHandler):
    """Says again what it hears."""

    def handle(self) -> None:
        while line := self.rfile.readline():
            self.wfile.write(line)


def test_a_channel_holds_bytes_and_loses_them() -> None:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server, Channel() as channel:
        server.daemon_threads = True
        serving = threading.Thread(target=server.serve_forever, args=(0.02,))
        serving.start()
        try:
            channel.find_target(server.server_address[1])
            with socket.create_connection(("127.0.0.1", channel.port), 60) as there:
                there.sendall(b"one\n")
                assert there.recv(100) == b"one\n"
                channel.hold()
                there.sendall(b"two\n")
                there.settimeout(0.2)
                with pytest.raises(TimeoutError):
                    there.recv(100)
                channel.release()
                there.settimeout(60)
                assert there.recv(100) == b"two\n"
                channel.is_cut = True
                assert there.recv(100) == b"", "cut"
            channel.is_cut = False
            channel.lose_target()
            with socket.create_connection(("127.0.0.1", channel.port), 60) as there:
                assert there.recv(100) == b"", "nobody is behind it"
        finally:
            server.shutdown()
            serving.join()


def test_a_program_has_done_once_what_it_sends_until_it_is_answered() -> None:
    """The first answer is lost, then the key is taken: what was done is not done again, what was not is."""
    for is_done, keys in ((True, ["remark-1"] * 2), (False, ["remark-1"] * 2 + ["remark-2"] * 2)):
        sent: list[str] = []

        def answered(key: str, sent: list[str] = sent) -> Answer:
            sent.append(key)
            if key.endswith("-1"):
                return Answer(LOST, {}) if len(sent) == 1 else Answer(409, {"code": "request-cut-off"})
            return Answer(200, {"state": "open"}, is_replayed=len(sent) == 4)

        program = Program(0, "")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tests.chaos.program.AGAIN_SECONDS", 0)
            patch.setattr(program, "ask", lambda method, path, body, key, answered=answered: answered(key))
            program.write("/comment", {"text": "seen"}, "remark", lambda is_done=is_done: is_done)  # type: ignore[misc]
        assert sent == keys


def test_a_program_notices_what_is_done_twice() -> None:
    program = Program(0, "")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(program, "ask", lambda *arguments: Answer(200, {}))
        with pytest.raises(AssertionError, match="was done again"):
            program.write("/comment", {}, "remark", lambda: False)


HOLDING = {"status": "matched", "observed": "5", "difference": "0", "reason": None}
UNREAD = {"status": "unverified", "observed": None, "difference": None, "reason": "timeout"}


@pytest.mark.parametrize(
    ("path", "status", "item", "is_wrong"),
    [
        ("/sweeps", 200, {"expected": 3, "matched": 1, "diverged": 1, "unverified": 1}, False),
        ("/sweeps", 200, {"expected": 3, "matched": 1, "diverged": 1, "unverified": 0}, True),
        ("/sweeps", 200, {"expected": 0, "matched": 0, "diverged": 0, "unverified": 0}, True),
        ("/holdings", 200, HOLDING, False),
        ("/holdings", 200, HOLDING | {"difference": "-1"}, True),
        ("/holdings", 200, HOLDING | {"status": "diverged"}, True),
        ("/holdings", 200, HOLDING | {"observed": None, "difference": None}, True),
        ("/holdings", 200, UNREAD, False),
        ("/holdings", 200, UNREAD | {"reason": None}, True),
        ("/status", 503, {}, False),
        ("/status", LOST, {}, False),
        ("/status", 500, {}, True),
        ("/status", 401, {}, True),
    ],
)
def test_what_the_api_may_never_say(path: str, status: int, item: dict[str, object], is_wrong: bool) -> None:
    assert bool(wrong_with(path, Answer(status, {"items": [item]}))) is is_wrong


def lost(gate: Gate) -> bool:
    """Whether no usable answer comes back."""
    try:
        status, _, body = post(gate.url, ASK_VERSION, 10)
    except Exception:  # noqa: BLE001 - a connection that ends in the middle is one kind of loss
        return True
    return status != 200 or not body.endswith(b"}")


@pytest.mark.postgres
@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_a_killed_server_has_what_was_committed_and_nothing_else() -> None:
    server = Server()
    engine = sa.create_engine(server.url, pool_pre_ping=True)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE kept (number integer)")
            connection.exec_driver_sql("INSERT INTO kept VALUES (1)")
        open_one = engine.connect()
        open_one.exec_driver_sql("INSERT INTO kept VALUES (2)")
        server.kill()
        with pytest.raises(sa.exc.DBAPIError):
            open_one.commit()
        open_one.invalidate()
        server.bring_back()
        with engine.connect() as connection:
            assert list(connection.exec_driver_sql("SELECT number FROM kept").scalars()) == [1]
    finally:
        engine.dispose()
        server.close()


def test_the_clock_and_the_leases_are_the_companys(tmp_path: Path) -> None:
    (tmp_path / "clock").write_text("-3600", encoding="ascii")
    environment = {"PYTHONPATH": str(ROOT), CLOCK: str(tmp_path / "clock"), LEASE_SECONDS: "2.5"}
    done = subprocess.run(
        [sys.executable, "-c", SAY_TIME], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.stdout.split() == ["-3600", "2.5"], done.stderr


# What differs


def new_desk(url: str, folder: Path) -> MemoryDesk:
    """A payment that nobody approved, not swept yet."""
    folder.mkdir()
    desk = MemoryDesk(open_store(url), folder)
    desk.history_from = 1
    desk.chain.mint(OMNIBUS, desk.asset, 1_000)
    desk.open_books(OMNIBUS)
    desk.allocate(OMNIBUS, C_1=1_000)
    desk.chain.pay(OMNIBUS, STRANGER, desk.asset, 7)
    return desk


def nothing(desk: MemoryDesk) -> None:
    """As it was told."""


def another_entry(desk: MemoryDesk) -> None:
    """Somebody posts what the other telling has not."""
    desk.take(ledger_entries=[{"entry_id": "E-9", "location": desk.at(OMNIBUS), "quantity": "0.000001"}])


def a_case_closed(desk: MemoryDesk) -> None:
    """Two people decide."""
    desk.close(desk.open_cases()[0])


def another_sweep(desk: MemoryDesk) -> None:
    """The same block once more: nothing new is found, and it is recorded again."""
    desk.sweep()


def an_unread_wallet(desk: MemoryDesk) -> None:
    """In the end something is not known."""
    desk.node().balances = {(OMNIBUS, desk.asset.asset_id): None}
    desk.sweep()


@pytest.mark.parametrize(
    ("also", "strictly", "facts"),
    [
        (nothing, False, False),
        (another_entry, True, True),
        (a_case_closed, True, True),
        (another_sweep, True, False),
        (an_unread_wallet, True, True),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_differences_are_seen(
    also: Callable[[MemoryDesk], None], strictly: bool, facts: bool, sqlite_template: Path, tmp_path: Path
) -> None:
    """`strictly` where no node was lost, `facts` where one was: then one more sweep of a block is none."""
    with SqliteFiles(sqlite_template).new() as one, SqliteFiles(sqlite_template).new() as other:
        desks = []
        for number, url in enumerate((one, other)):
            desk = new_desk(url, tmp_path / str(number))
            desk.sweep()
            desks.append(desk)
        calm, disturbed = desks
        also(disturbed)
        hashes = tuple(block.ref.block_hash for block in calm.chain.blocks)
        chapter = Chapter((), tmp_path, calm.chain.head.height, calm.chain.head.block_hash, None)
        script = Script(0, calm.chain_id, (chapter,), hashes)
        assert bool(differences(calm.store, disturbed.store, script, lost_nodes=False)) is strictly
        assert bool(differences(calm.store, disturbed.store, script, lost_nodes=True)) is facts
        higher = replace(chapter, final_height=chapter.final_height + 1)
        longer = replace(script, chapters=(higher,), hashes=(*hashes, "0x00"))
        assert differences(calm.store, calm.store, longer, lost_nodes=False), "a block that nobody covered"
        for desk in desks:
            desk.store.close()


def event(act: CaseAct, *, provisional: bool, text: str = "7 left") -> list[Canonical]:
    """A row of what happened to a case, as the recorded state has it."""
    return [
        "case",
        act.value,
        "watch",
        "sweep",
        "-7",
        text,
        23,
        "0x17",
        "0x16",
        "12:00",
        "0x01",
        int(provisional),
        None,
    ]


def test_a_look_that_was_not_answered_is_no_difference(tmp_path: Path, sqlite_template: Path) -> None:
    """A look sees a case, and the sweep again; or the sweep alone. What it sees must be the same."""
    assert without_looks(event(CaseAct.OPENED, provisional=True)) is None
    again, first = (event(act, provisional=False) for act in (CaseAct.SEEN_AGAIN, CaseAct.OPENED))
    assert again != first
    assert without_looks(again) == without_looks(first) is not None
    assert without_looks(event(CaseAct.OPENED, provisional=False, text="8 left")) != without_looks(first)
    approved = event(CaseAct.APPROVED, provisional=False)
    assert without_looks(approved) == approved
    with SqliteFiles(sqlite_template).new() as url:  # the places are those of the recorded state
        desk = new_desk(url, tmp_path / "desk")
        desk.use_finality("confirmed(1)")
        desk.sweep()
        rows = [row for name, row in recorded_state(desk.store) if name == "case_event"]
        assert (ACT, PROVISIONAL) == (1, 11)
        assert [row[ACT] for row in rows] == ["opened"] * len(rows) != []
        assert all(str(row[5]) and row[PROVISIONAL] in (0, False) for row in rows)
        desk.store.close()


def fewer_results(desk: MemoryDesk, patch: pytest.MonkeyPatch) -> None:
    """A sweep has lost a holding."""
    patch.setattr(desk.store, "reconciliations", lambda sweep_id: [])


def another_claim(desk: MemoryDesk, patch: pytest.MonkeyPatch) -> None:
    """What was taken as claimed is not what the allocations add up to."""
    whole = desk.store.reconciliations

    def changed(sweep_id: str) -> list[Reconciliation]:
        return [replace(each, claimed=1, difference=(each.observed or 0) - 1) for each in whole(sweep_id)]

    patch.setattr(desk.store, "reconciliations", changed)


def a_case_that_nobody_closed(desk: MemoryDesk, patch: pytest.MonkeyPatch) -> None:
    """It is shown as closed, and no act of it says so."""
    closed = [replace(each, state=CaseState.CLOSED) for each in desk.store.cases()]
    patch.setattr(desk.store, "cases", lambda include_closed=False: closed)


def a_case_that_one_person_closed(desk: MemoryDesk, patch: pytest.MonkeyPatch) -> None:
    """The names differ in a space."""
    case = desk.open_cases()[0]
    desk.close(case)
    events = [
        replace(each, actor="Ops. Maker") if each.act is CaseAct.APPROVED else each
        for each in desk.store.case_events(case.case_id)
    ]
    patch.setattr(desk.store, "case_events", lambda case_id: events)


@pytest.mark.parametrize(
    ("breaks", "named"),
    [
        (lambda desk, patch: None, ""),
        (lambda desk, patch: desk.close(desk.open_cases()[0]), ""),
        (fewer_results, "I1"),
        (another_claim, "I3"),
        (a_case_that_nobody_closed, "I9"),
        (a_case_that_one_person_closed, "I5"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_invariant_is_named(
    breaks: Callable[[MemoryDesk, pytest.MonkeyPatch], None],
    named: str,
    sqlite_template: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with SqliteFiles(sqlite_template).new() as url:
        desk = new_desk(url, tmp_path / "desk")
        desk.sweep()
        breaks(desk, monkeypatch)
        found = broken_invariants(desk.store, desk.chain_id)
        assert [line for line in found if line.startswith(named)] if named else found == []
        desk.store.close()


def test_a_time_of_recording_inside_a_text_is_no_difference(sqlite_template: Path, tmp_path: Path) -> None:
    """An approval that came after its payment says when it was recorded, which a killed import does later."""
    with SqliteFiles(sqlite_template).new() as one, SqliteFiles(sqlite_template).new() as other:
        digests, reasons = [], []
        for url, minutes in ((one, 6), (other, 9)):
            desk = new_desk(url, tmp_path / str(minutes))
            desk.clock_ahead = timedelta(minutes=minutes)
            desk.approve("A-1", OMNIBUS, STRANGER, 7)
            desk.sweep()
            reasons += [match.reason for match in desk.store.matches(desk.chain_id)]
            digests.append(state_digest(desk.store))
            desk.store.close()
    assert len(set(reasons)) == 2
    assert all("recorded at" in reason for reason in reasons)
    assert digests[0] == digests[1]
