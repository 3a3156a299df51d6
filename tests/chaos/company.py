"""The product's processes: services that are kept running, and commands that are given until they are done."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from chains.bitcoin.networks import DECIMALS, REGTEST
from tests.chaos.bitcoin_script import CONFIRMATIONS
from tests.chaos.entry import CLOCK, LEASE_SECONDS
from tests.cli.command import ROOT

SERVICES: Final = {
    "watch-1": ("watch", "--json"),
    "watch-2": ("watch", "--json"),
    "worker-1": ("worker", "--json"),
    "worker-2": ("worker", "--json"),
}
WEB: Final = "web"
PROGRAM: Final = "ops.feed"
"""The person whose token the program at the API has."""
QUORUM: Final = 2
LONG: Final = 2_000_000_000
"""Seconds: the chains' blocks are as old as they are, and clocks are wrong."""
LEASE: Final = 3.0
RESTART_SECONDS: Final = 5.0
"""Between two starts of one service at least."""
SETTINGS: Final = {
    "CUSTODY_WATCH__SWEEP_SECONDS_MIN": "0",
    "CUSTODY_WATCH__POLL_SECONDS_MAX": "0.5",
    "CUSTODY_SWEEP__WALLETS_PER_SHARD": "1",
    "CUSTODY_SWEEP__HEARTBEAT_SECONDS_MAX": str(LONG),
    "CUSTODY_WORKERS__ENABLED": "true",
    "CUSTODY_WORKERS__LEASE_SECONDS": str(LEASE),
    "CUSTODY_WORKERS__PATIENCE_SECONDS": "2",
    "CUSTODY_SCHEDULE__ENABLED": "false",
}
"""The clock of the firm's business is left out: what it runs follows the day on which the chaos is played."""
BITCOIN_SECTION: Final = f"""
[[chains]]
chain_id = "{REGTEST.chain_id}"
name = "Bitcoin regtest"
genesis_hash = "{REGTEST.genesis_hash}"
finality = "confirmed({CONFIRMATIONS})"
history_from_height = 1
head_age_seconds_max = {LONG}
head_future_seconds_max = {LONG}
heartbeat_seconds_max = {LONG}
native_asset = {{ asset_id = "{REGTEST.asset_id}", symbol = "BTC", decimals = {DECIMALS} }}

  [[chains.nodes]]
  node_id = "regtest"
  operator = "the firm"
  url = "%s"
"""


class Company:
    """The firm's folder and its processes."""

    def __init__(self, folder: Path, database_url: str, node_urls: Sequence[str], bitcoin_url: str) -> None:
        """Set up, and asks the first node who it is."""
        self.folder, self.config = folder, folder / "custody.toml"
        folder.mkdir()
        self.clock = folder / "wrong-by"
        self._environment = {
            **os.environ,
            "CUSTODY_DATABASE__URL": database_url,
            **SETTINGS,
            "PYTHONPATH": str(ROOT),
            CLOCK: str(self.clock),
            LEASE_SECONDS: str(LEASE),
        }
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self._starts = 0
        self._next_start: defaultdict[str, float] = defaultdict(float)
        self.set_clock(0)
        self.must("init", "--dir", folder, "--devnet", node_urls[0], "--firm", "Example Brokerage LLC")
        text = self.config.read_text(encoding="utf-8")
        before, _, after = text.partition("  # One block per node.")
        assert after, "the configuration has other words"
        before = before.replace("head_age_seconds_max = 86400", f"head_age_seconds_max = {LONG}\nquorum = {QUORUM}")
        assert "quorum" in before
        nodes = "".join(
            f'\n  [[chains.nodes]]\n  node_id = "anvil-{number}"\n  operator = "operator {number}"\n  url = "{url}"\n'
            for number, url in enumerate(node_urls, 1)
        )
        self.config.write_text(before + nodes + BITCOIN_SECTION % bitcoin_url, encoding="utf-8")
        self.must("worker", "--prepare")
        self.must("users", "add", PROGRAM, "--name", "The sub-ledger's program", "--role", "operator")
        scopes = ("--scope", "read", "--scope", "make")
        self.must("users", "token", PROGRAM, "--label", "chaos", *scopes, "--json")
        self.token = str(json.loads("{" + self.said_last().partition("{")[2])["token"])
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.services = {**SERVICES, WEB: (WEB, "--port", str(self.port), "--json")}

    def set_clock(self, seconds: int) -> None:
        """By how much the machine's clock is wrong from now on."""
        beside = self.clock.with_suffix(".new")
        beside.write_text(str(seconds), encoding="ascii")
        beside.replace(self.clock)

    def begin(self, name: str, *arguments: object) -> None:
        """Start a process under a name; what it says goes into files, because nobody reads a pipe."""
        self._starts += 1
        words = ["--config", str(self.config), *map(str, arguments)] if arguments[0] != "init" else map(str, arguments)
        said = self.folder / "said"
        said.mkdir(exist_ok=True)
        with (said / f"{self._starts:04d}-{name}").open("wb") as file:
            command = [sys.executable, "-m", "tests.chaos.entry", *words]
            self.running[name] = subprocess.Popen(
                command, env=self._environment, cwd=ROOT, stdout=file, stderr=file, stdin=subprocess.DEVNULL
            )

    def must(self, *arguments: object) -> None:
        """Run a command that nobody disturbs."""
        self.begin("alone", *arguments)
        code = self.running.pop("alone").wait(timeout=300)
        assert code == 0, f"custody {arguments[0]} ended with {code}: {self.said_last()}"

    def said_last(self) -> str:
        """The end of what the newest process said."""
        newest = max((self.folder / "said").iterdir())
        return newest.read_text(encoding="utf-8", errors="replace")[-2_000:]

    def keep_services(self) -> None:
        """Start each that does not run, as a supervisor would: not at once again one that ends at once."""
        for name, arguments in self.services.items():
            process = self.running.get(name)
            if (process is None or process.poll() is not None) and time.monotonic() >= self._next_start[name]:
                self._next_start[name] = time.monotonic() + RESTART_SECONDS
                self.begin(name, *arguments)

    def kill(self, name: str) -> bool:
        """Kill -9; whether there was anything to kill."""
        process = self.running.get(name)
        if process is None or process.poll() is not None:
            return False
        process.kill()
        process.wait()
        return True

    def sleep(self, name: str) -> bool:
        """The machine does not run it for a while; whether there was anything to stop."""
        process = self.running.get(name)
        if process is None or process.poll() is not None:
            return False
        process.send_signal(signal.SIGSTOP)
        return True

    def wake(self, name: str) -> None:
        """Let it run again."""
        process = self.running.get(name)
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End all of them."""
        for process in self.running.values():
            if process.poll() is None:
                process.kill()
            process.wait()
