"""Giving a chain back as it was found, so that one node can serve many tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from chains.devnet.node import AnvilNode
from chains.errors import ReadError


class CannotRestore(ReadError):
    """The chain cannot be put back to how it was."""

    code = "cannot-restore"
    advice = "Give a test that reorganises the chain its own node: @pytest.mark.anvil(private=True)."


@contextmanager
def isolated(node: AnvilNode, restart: Callable[[], object] | None) -> Iterator[AnvilNode]:
    """Undo what happens to the node's chain inside the context.

    State and blocks come back by a snapshot; waiting transactions are dropped; what a snapshot does not hold
    (mining mode, chain id, impersonated accounts) is set as it was. Where a reorganisation took the snapshot's
    block away, or the node died, it is restarted as a fresh chain; `CannotRestore` when `restart` is None.
    """
    before = _Settings.of(node)
    snapshot_id = node.snapshot()
    try:
        yield node
    finally:
        if not _restored(node, snapshot_id, before):
            if restart is None:
                raise CannotRestore("a reorganisation removed the snapshot's block, or the node ended", node_id="anvil")
            restart()


@dataclass(frozen=True, slots=True)
class _Settings:
    """What `evm_revert` leaves as it is."""

    chain_id: int
    automine: bool
    interval_seconds: int

    @staticmethod
    def of(node: AnvilNode) -> _Settings:
        return _Settings(node.chain_id, node.automine(), node.interval_mining())


def _restored(node: AnvilNode, snapshot_id: str, before: _Settings) -> bool:
    impersonated, node.impersonated = node.impersonated, set()
    try:
        if _Settings.of(node) != before:
            node.set_chain_id(before.chain_id)
            node.set_interval_mining(before.interval_seconds)
            node.set_automine(before.automine)
        for address in impersonated:
            node.stop_impersonating(address)
        node.drop_all_transactions()
        return node.revert(snapshot_id)
    except ReadError:
        return False
