"""A firm with many wallets on a real chain: on SQLite as the undisturbed run, on PostgreSQL with workers."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from chains.devnet.anvil import AnvilProcess
from chains.types import ChainId
from tests.cli.command import ROOT, Answer, Firm, custody
from tests.postgres import PostgresServer
from tests.verifier.workers.gate import Gate, gate_before
from verifier.demo import books
from verifier.demo.world import World, build_world
from verifier.errors import StoreBusy
from verifier.journal import verify_journal
from verifier.store import Store, SweepStart, open_store
from verifier.store.digest import state_digest
from verifier.store.work_queue import SCHEMA

WALLETS: Final = 24
"""Wallets beside the story's own four: empty, as the books say; the custodian does not list them, a case for each."""
WALLETS_PER_SHARD: Final = 2
PATIENT: Final = """
[chains.limits]
read_timeout_seconds = 3600
call_deadline_seconds = 3600
sweep_budget_seconds = 7200
"""
"""A node that a test holds up has not failed, however long that takes."""
SECONDS_MAX: Final = 400
"""How long a process of the tests may take on a very slow machine."""


@dataclass(frozen=True)
class Company:
    """The books and the chain that every run of a test compares; nothing happens on the chain any more."""

    world: World
    template: Path

    @property
    def chain_id(self) -> str:
        """CAIP-2 id."""
        return self.world.chain_id

    def firm(self, folder: Path, database_url: str, **workers: object) -> Firm:
        """The firm in a folder of its own on another database; the books are imported, nothing is swept."""
        shutil.copytree(self.template, folder)
        settings = "".join(f"{key} = {json.dumps(value)}\n" for key, value in workers.items())
        text = (folder / "custody.toml").read_text().replace('"sqlite:///custody.db"', json.dumps(database_url))
        (folder / "custody.toml").write_text(f"{text}\n[workers]\nenabled = true\n{settings}")
        firm = Firm(folder)
        answer = firm("import", folder / "books")
        assert answer.code == 0, answer
        return firm


def write_company(world: World, folder: Path) -> None:
    """Set the firm up, with a lot of wallets in shards of two."""
    assert custody("init", "--dir", folder, "--devnet", world.node.url, "--firm", "Example Brokerage LLC").code == 0
    books.write_books(world, folder / "books")
    day = world.now().date().isoformat()
    structures = folder / "books" / "wallets.csv"
    own = structures.read_text()
    more = [f"0x{number:040d}" for number in range(1001, 1001 + WALLETS)]  # without letters: no checksum is needed
    books.write_csv(structures, [books.wallet_row(world, each, "omnibus", f"vault-{each}", day, "0") for each in more])
    structures.write_text(own + structures.read_text().partition("\n")[2])
    config = folder / "custody.toml"
    text = config.read_text().replace("[sweep]\n", f"[sweep]\nwallets_per_shard = {WALLETS_PER_SHARD}\n")
    config.write_text(text + PATIENT)


@pytest.fixture(scope="session")
def company(anvil_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """The company before a chain that stands still."""
    folder = tmp_path_factory.mktemp("company") / "template"
    begin = int(time.time()) - 600
    with AnvilProcess(binary=anvil_binary, arguments=["--timestamp", str(begin)]) as process:
        world = build_world(process.node)
        write_company(world, folder)
        world.confirm()
        yield Company(world, folder)


@dataclass(frozen=True)
class Calm:
    """What an undisturbed sweep in one process came to."""

    digest: str
    answer: Answer
    shards: int


@pytest.fixture(scope="session")
def calm(company: Company, tmp_path_factory: pytest.TempPathFactory) -> Calm:
    """The undisturbed run, on SQLite and without workers."""
    folder = tmp_path_factory.mktemp("calm") / "firm"
    shutil.copytree(company.template, folder)
    firm = Firm(folder)
    assert firm("import", folder / "books").code == 0
    answer = firm("sweep", "--json")
    assert (answer.code, answer.json["cases_opened"]) == (1, WALLETS), answer
    assert answer.json["matched"] == answer.json["expected"] == 3 * (WALLETS + 4)
    store = open_store(f"sqlite:///{folder / 'custody.db'}")
    start = store.sweep(answer.json["sweeps"][0]["sweep_id"])
    assert start is not None
    shards = len(store.shard_plan(start))
    assert shards == len(store.stored_shards(start)) >= WALLETS // WALLETS_PER_SHARD
    digest = state_digest(store)
    store.close()
    return Calm(digest, answer, shards)


@dataclass
class Site:
    """The company on a PostgreSQL of the test's own, and the processes that the test started."""

    company: Company
    folder: Path
    database_url: str
    firm: Firm
    store: Store
    running: list[subprocess.Popen[str]] = field(default_factory=list)
    seen: list[SweepStart] = field(default_factory=list)

    def start(self, *arguments: object, config: Path | None = None) -> subprocess.Popen[str]:
        """A `custody` process with the firm's configuration."""
        code = "import sys; from verifier.cli import main; sys.argv[0] = 'custody'; main()"
        config = config or self.firm.path("custody.toml")
        process = subprocess.Popen(
            [sys.executable, "-c", code, "--config", str(config), *(str(each) for each in arguments)],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.running.append(process)
        return process

    def config_before(self, gate: Gate) -> Path:
        """The firm's configuration with the node behind a gate, as a worker elsewhere may have it."""
        path = self.firm.path(f"gate-{gate.url.rpartition(':')[2]}.toml")
        path.write_text(self.firm.path("custody.toml").read_text().replace(self.company.world.node.url, gate.url))
        return path

    def stored(self) -> set[int]:
        """Numbers of the shards that are stored of the sweep first seen unfinished, also once it has ended."""
        if not self.seen and (start := self.store.unfinished_sweep(ChainId(self.company.chain_id))) is not None:
            self.seen.append(start)
        return set(self.store.stored_shards(self.seen[0])) if self.seen else set()

    def workers_listening(self) -> int:
        """How many workers the queue knows; such a worker ends by itself when it is told to."""
        with self.store.read() as connection:
            query = f"SELECT count(*) FROM {SCHEMA}.procrastinate_workers"
            return int(connection.exec_driver_sql(query).scalar_one())

    def put_to_sleep(self, process: subprocess.Popen[str]) -> None:
        """Stop a process between two of its transactions: one stopped within would keep every writer out."""
        for _ in range(200):
            process.send_signal(signal.SIGSTOP)
            try:
                self.store.take_lease("tests:nobody-writes", datetime.now(UTC), seconds=0.0)
            except StoreBusy:
                process.send_signal(signal.SIGCONT)
            else:
                return
        raise AssertionError("it is always within a transaction")

    def end(self) -> None:
        """End what the test started."""
        for process in self.running:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.communicate()
        self.store.close()

    def assert_same_as(self, calm: Calm) -> None:
        """Every shard is stored once, the journal holds, and the records are those of the undisturbed run."""
        report = verify_journal(self.store)
        assert report.ok, report
        assert state_digest(self.store) == calm.digest


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code and what a process wrote, when it has ended by itself."""
    out, err = process.communicate(timeout=SECONDS_MAX)
    return process.returncode, out, err


def first_line(process: subprocess.Popen[str]) -> str:
    """The first line that a process writes, when it has."""
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], SECONDS_MAX)[0], "it said nothing"
    return process.stdout.readline()


def outcomes(out: str) -> list[dict[str, Any]]:
    """What a worker said of each shard."""
    return [json.loads(line) for line in out.splitlines()]


def wait_until(happens: Callable[[], object], what: str) -> None:
    """Wait for something that will happen, however slow the machine is."""
    until = time.monotonic() + SECONDS_MAX
    while not happens():
        assert time.monotonic() < until, f"it did not come to this: {what}"
        time.sleep(0.05)


NewSite = Callable[..., Site]


@pytest.fixture
def new_site(company: Company, postgres_server: PostgresServer, tmp_path: Path) -> Iterator[NewSite]:
    """Makes sites; keyword arguments are settings of `[workers]`."""
    made: list[Site] = []

    def make(**workers: object) -> Site:
        url = postgres_server.database()
        folder = tmp_path / f"site-{len(made)}"
        firm = company.firm(folder, url, **workers)
        site = Site(company, folder, url, firm, open_store(url))
        made.append(site)
        return site

    yield make
    for site in made:
        site.end()
        postgres_server.drop(site.database_url)


@pytest.fixture
def gate(company: Company) -> Iterator[Gate]:
    """A door before the company's node."""
    with gate_before(company.world.node.url) as opened:
        yield opened
