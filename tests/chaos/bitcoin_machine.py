"""A Bitcoin node in a process of its own that can be killed at any moment and come back with what it had."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from chains.devnet.bitcoin.kernel_node import KIND
from chains.devnet.bitcoin.node import RegtestNode
from chains.errors import ChainError
from tests.chaos.bitcoin_script import BitcoinPart
from tests.chaos.channel import Channel
from tests.cli.command import ROOT

USER: Final = "verifier"


class BitcoinMachine:
    """The chain and the pool as they are after the newest part that was given to it, behind a channel."""

    def __init__(self, folder: Path, channel: Channel) -> None:
        self._said = folder / "bitcoin-said"
        self.channel = channel
        self._password = secrets.token_hex(16)
        self._parts: list[BitcoinPart] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._node: RegtestNode | None = None
        self.bring_back()

    @property
    def url(self) -> str:
        """Where it is asked, with user and password."""
        return f"http://{USER}:{self._password}@127.0.0.1:{self.channel.port}"

    def move_to(self, part: BitcoinPart) -> None:
        """The chain goes on; a node that is away learns of it when it is back."""
        self._parts.append(part)
        if self._node is not None:
            self._learn(self._node, [part])

    def kill(self) -> None:
        """Kill -9."""
        self.channel.lose_target()
        process, self._process, self._node = self._process, None, None
        if process is not None:
            process.kill()
            process.communicate()

    def bring_back(self) -> None:
        """Start it with the chain and the pool it had; nothing happens when it runs."""
        if self._process is not None:
            return
        command = [sys.executable, "-m", "chains.devnet.bitcoin", "--port", "0", "--user", USER, "--history", "0"]
        with self._said.open("ab") as said:
            # The password only keeps other users of this machine from a test node without anything of worth.
            self._process = subprocess.Popen(
                [*command, "--password", self._password],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline().decode()
        assert "regtest node" in line, f"the Bitcoin node did not start: {line!r}"
        port = int(line.rpartition(":")[2])
        node = RegtestNode(f"http://{USER}:{self._password}@127.0.0.1:{port}", kind=KIND)
        self._learn(node, self._parts)
        self._node = node
        self.channel.find_target(port)

    @staticmethod
    def _learn(node: RegtestNode, parts: list[BitcoinPart]) -> None:
        """Take in blocks and what waits, and end where the newest part does."""
        for part in parts:
            node.set_time(part.time)
            for verdict in node.rpc_many("submitblock", [[each] for each in part.blocks]):
                assert verdict in (None, "inconclusive", "duplicate"), verdict
        if parts:
            for each in parts[-1].waiting:
                with suppress(ChainError):  # it waits already
                    node.rpc("sendrawtransaction", each)
            assert len(node.waiting()) == len(parts[-1].waiting), "not all that waits is there"
            assert node.block_hash(parts[-1].final_height) == parts[-1].final_hash

    def ask(self) -> RegtestNode:
        """The node itself, asked directly. Raises when it is away."""
        assert self._node is not None, "the node is away"
        return self._node
