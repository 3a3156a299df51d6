"""State proofs of several nodes under one block: the first that checks counts. No node is asked here."""

from __future__ import annotations

from collections.abc import Sequence

from chains.errors import MalformedAnswer, ProofFailed, ReadError
from chains.state_proofs import BalanceProofs
from chains.types import Holding


class ProofsOfMany:
    """What nodes, asked one after the other, could prove of some holdings."""

    def __init__(self, holdings: Sequence[Holding]) -> None:
        self.left: list[Holding] = list(holdings)
        """What no node has proven yet."""
        self._header = b""
        self._nodes: dict[bytes, None] = {}
        self._proven: dict[Holding, int] = {}
        self._failed: dict[Holding, list[str]] = {}
        self._missing: dict[Holding, list[str]] = {}
        self._unprovable: dict[Holding, str] = {}

    def add(self, node_id: str, found: BalanceProofs) -> None:
        """Take what one node gave for `left`."""
        self._header = self._header or found.header
        self._nodes.update(dict.fromkeys(found.nodes))
        self._proven.update(found.proven)
        self._unprovable.update(found.unprovable)
        for kind, reasons in ((self._failed, found.failed), (self._missing, found.missing)):
            for holding, reason in reasons.items():
                kind.setdefault(holding, []).append(f"node {node_id}: {reason}")
        self.left = [each for each in self.left if each not in self._proven and each not in self._unprovable]

    def fail(self, error: ReadError) -> None:
        """One node gave nothing at all; an answer that is wrong in itself counts as a proof that does not check."""
        kind = self._failed if isinstance(error, ProofFailed | MalformedAnswer) else self._missing
        for holding in self.left:
            kind.setdefault(holding, []).append(f"{error.code}: {error}")

    def result(self) -> BalanceProofs:
        """All of it. A holding that one node proved is proven, whatever others gave."""
        failed = {each: "; ".join(self._failed[each]) for each in self.left if each in self._failed}
        missing = {
            each: "; ".join(self._missing.get(each, ["no node of this chain can be asked"]))
            for each in self.left
            if each not in failed
        }
        return BalanceProofs(self._header, tuple(self._nodes), self._proven, failed, missing, self._unprovable)
