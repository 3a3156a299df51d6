"""A regtest node in this process: the consensus library in a temporary folder, served on a loopback port."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final

from chains.devnet.bitcoin.front import Front, User
from chains.devnet.bitcoin.node import RegtestNode
from chains.devnet.bitcoin.state import NodeState

KIND: Final = "kernel"


class KernelNode:
    """Runs while the context lasts; needs the extra `bitcoin`. Raises `KernelMissing` without it."""

    def __init__(self, *, users: Mapping[str, User] | None = None, rest: bool = True, port: int = 0) -> None:
        self._users = dict(users) if users is not None else None
        self._rest = rest
        self._port = port
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._front: Front | None = None
        self._node: RegtestNode | None = None

    @property
    def node(self) -> RegtestNode:
        """What a test uses; its user is the first of `users`."""
        if self._node is None:
            raise RuntimeError("the node is not running: use it as a context, or call start()")
        return self._node

    @property
    def front(self) -> Front:
        """The server, for changing answers and looking at requests."""
        if self._front is None:
            raise RuntimeError("the node is not running: use it as a context, or call start()")
        return self._front

    @property
    def state(self) -> NodeState:
        """The chain behind it, and the faults that can be switched on."""
        return self.front.state

    def __enter__(self) -> KernelNode:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> KernelNode:
        """Begin with the genesis block."""
        self._folder = tempfile.TemporaryDirectory(prefix="custody-bitcoin-", ignore_cleanup_errors=True)
        try:
            state = NodeState(Path(self._folder.name))
            self._front = (
                Front(state, rest=self._rest) if self._users is None else Front(state, self._users, self._rest)
            )
            self._front.start(self._port)
            self._node = RegtestNode(self._front.url_with_user, kind=KIND)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End the server and remove the folder. Safe to call twice."""
        front, folder = self._front, self._folder
        self._front = self._folder = self._node = None
        if front is not None:
            front.stop()
            front.state.chain.close()
        if folder is not None:
            folder.cleanup()
