"""Transactions that were seen waiting for a block, kept in the journal itself, so that their fate can be told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from chains.types import ChainId
from verifier.store.engine import Database
from verifier.store.tables import JournalEntryRow, table

ENTRY = table(JournalEntryRow)
KIND: Final = "waiting.seen"
PER_ENTRY: Final = 200


@dataclass(frozen=True, slots=True)
class SeenWaiting:
    """A transaction that spends coins of mapped wallets and was in no block when it was seen."""

    tx_id: str
    node_id: str
    spends: tuple[str, ...]
    """The mapped wallets' coins: `TRANSACTION:OUTPUT` each."""
    leaves: int
    """Base units that go elsewhere than to mapped wallets, the fee included."""
    seen_at: datetime
    """When it was first seen."""


class WaitingStore(Database):
    """The side of the store that remembers what waited."""

    def add_waiting(self, chain_id: ChainId, seen: Sequence[SeenWaiting], actor: str, now: datetime) -> None:
        """Record transactions that were not recorded before; nothing is counted of them."""
        for first in range(0, len(seen), PER_ENTRY):
            told = [
                {"tx_id": each.tx_id, "node_id": each.node_id, "spends": list(each.spends), "leaves": str(each.leaves)}
                for each in seen[first : first + PER_ENTRY]
            ]
            payload = {"chain_id": chain_id, "transactions": told}
            with self.record(KIND, actor, payload, now, payload_is_the_record=True):
                pass

    def seen_waiting(self, chain_id: ChainId, since: datetime) -> list[SeenWaiting]:
        """The transactions of a chain that were first recorded at a moment or later, oldest first."""
        query = (
            sa.select(ENTRY.c.payload, ENTRY.c.recorded_at)
            .where(ENTRY.c.kind == KIND, ENTRY.c.recorded_at >= since)
            .order_by(ENTRY.c.sequence)
        )
        with self.read() as connection:
            found = [(json.loads(payload), recorded_at) for payload, recorded_at in connection.execute(query)]
        return [
            SeenWaiting(each["tx_id"], each["node_id"], tuple(each["spends"]), int(each["leaves"]), recorded_at)
            for said, recorded_at in found
            if said["chain_id"] == chain_id
            for each in said["transactions"]
        ]
