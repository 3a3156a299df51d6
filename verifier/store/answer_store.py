"""Kept answers of nodes: stored with the shard whose balances they decided, each distinct one once for all sweeps."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from chains.kept_answers import KeptRead
from chains.types import Address, AssetId
from verifier.store.engine import Database
from verifier.store.records import SweepStart
from verifier.store.tables import NodeAnswerRow, SweepAnswerRow, table
from verifier.store.unit import LOOKUP_KEYS, Unit

ANSWER, READ = table(NodeAnswerRow), table(SweepAnswerRow)
LEVEL = 6
"""Of zlib: answers are hexadecimal digits, of which half is always saved; more effort saves little more."""


@dataclass(frozen=True, slots=True)
class StoredRead:
    """Balances that were asked for together, and the digests of the answers."""

    node_id: str
    method: str
    addresses: tuple[Address, ...]
    asset_ids: tuple[AssetId, ...]
    decided: int
    digests: tuple[str, ...]
    reason: str


class AnswerStore(Database):
    """The side of the store that keeps answers; `SweepStore.add_observations` adds them."""

    def kept_reads(self, start: SweepStart) -> list[StoredRead]:
        """What a sweep kept, in the order in which it was stored; empty where it kept nothing."""
        query = sa.select(READ).where(READ.c.sweep_key == start.sweep_key).order_by(READ.c.record_id)
        with self.read() as connection:
            return [
                StoredRead(
                    node_id=row.node_id,
                    method=row.method,
                    addresses=tuple(Address(each) for each in _unpacked(row.addresses).decode().split()),
                    asset_ids=tuple(AssetId(each) for each in row.asset_ids.split()),
                    decided=row.decided,
                    digests=tuple(row.digests.split()),
                    reason=row.reason,
                )
                for row in connection.execute(query)
            ]

    def node_answers(self, digests: Iterable[str]) -> dict[str, bytes]:
        """Kept exchanges by their digests; what is not kept is not in it."""
        wanted = list(dict.fromkeys(digests))
        found: dict[str, bytes] = {}
        with self.read() as connection:
            for first in range(0, len(wanted), LOOKUP_KEYS):
                part = wanted[first : first + LOOKUP_KEYS]
                query = sa.select(ANSWER.c.digest, ANSWER.c.content).where(ANSWER.c.digest.in_(part))
                found.update((row.digest, _unpacked(row.content)) for row in connection.execute(query))
        return found

    def kept_answer_bytes(self) -> tuple[int, int]:
        """How many answers are kept, and how many bytes they take in the database."""
        query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(sa.func.length(ANSWER.c.content)), 0))
        with self.read() as connection:
            count, size = connection.execute(query).one()
            return int(count), int(size)


def add_answers(unit: Unit, start: SweepStart, reads: Sequence[KeptRead]) -> None:
    """Store what decided one shard, in the transaction of its observations."""
    exchanges = {exchange.digest: exchange for kept in reads for exchange in kept.exchanges}
    digests, known = list(exchanges), set[str]()
    for first in range(0, len(digests), LOOKUP_KEYS):
        part = digests[first : first + LOOKUP_KEYS]
        known.update(unit.connection.execute(sa.select(ANSWER.c.digest).where(ANSWER.c.digest.in_(part))).scalars())
    unit.add_rows(NodeAnswerRow, ((each, _packed(exchanges[each].to_bytes())) for each in digests if each not in known))
    unit.add_rows(
        SweepAnswerRow,
        (
            (
                start.sweep_key,
                kept.node_id,
                kept.method,
                _packed(" ".join(kept.addresses).encode()),
                " ".join(kept.asset_ids),
                kept.decided,
                " ".join(exchange.digest for exchange in kept.exchanges),
                kept.reason,
            )
            for kept in reads
        ),
    )


def _packed(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, LEVEL)).decode("ascii")


def _unpacked(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))
