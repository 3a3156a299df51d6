"""Giving a chain back as it was found, so that one node can serve many tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chains.devnet.node import AnvilNode
from chains.errors import NodeRefused, ReadError


class CannotRestore(ReadError):
    """The chain cannot be put back to how it was."""

    code = "cannot-restore"
    advice = "Give a test that reorganises the chain its own node: @pytest.mark.anvil(private=True)."


@contextmanager
def isolated(node: AnvilNode, restart: Callable[[], object] | None) -> Iterator[AnvilNode]:
    """Undo what happens to the node's chain inside the context.

    State, blocks and time come back by a snapshot; waiting transactions are dropped; automining and chain id,
    which a snapshot does not hold, are set as they were. Where a reorganisation took the snapshot's block away,
    or the node died, it is restarted as a fresh chain. Raises `CannotRestore` when `restart` is None there.
    """
    chain_id, automine = node.chain_id, node.automine()
    snapshot_id = node.snapshot()
    try:
        yield node
    finally:
        try:
            restored = _restore(node, snapshot_id, chain_id=chain_id, automine=automine)
        except ReadError:
            restored = False
        if not restored:
            if restart is None:
                raise CannotRestore("a reorganisation removed the snapshot's block", node_id="anvil")
            restart()


def _restore(node: AnvilNode, snapshot_id: str, *, chain_id: int, automine: bool) -> bool:
    node.drop_all_transactions()
    try:
        if not node.revert(snapshot_id):
            return False
    except NodeRefused:
        return False
    if node.chain_id != chain_id:
        node.set_chain_id(chain_id)
    if node.automine() != automine:
        node.set_automine(automine)
    return True
