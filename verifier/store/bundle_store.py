"""The bundles that were issued, each naming the journal head of its moment."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

import orjson
import sqlalchemy as sa

from chains.types import ChainId
from verifier.errors import StoreError
from verifier.store.engine import ENTRY, SEAL, Database
from verifier.store.records import IssuedBundle, JournalHead, SupersededBundle
from verifier.store.sweep_store import COVERED, ORPHANED, ORPHANED_HASHES
from verifier.store.tables import BundleBlockRow, BundleIssuedRow, table

BUNDLE, BLOCK = table(BundleIssuedRow), table(BundleBlockRow)


class BundleStore(Database):
    """What was given to auditors."""

    def bundles(self) -> list[IssuedBundle]:
        """Every bundle that was issued, oldest first."""
        query = sa.select(BUNDLE).order_by(BUNDLE.c.sequence)
        with self.read() as connection:
            blocks = defaultdict(list)
            for row in connection.execute(sa.select(BLOCK).order_by(BLOCK.c.bundle_key, BLOCK.c.chain_id)):
                blocks[row.bundle_key].append((ChainId(row.chain_id), row.height, row.block_hash))
            return [
                IssuedBundle(
                    row.bundle_id,
                    row.sequence,
                    row.digest,
                    row.as_of,
                    row.path,
                    JournalHead(row.head_sequence, row.head_digest, row.recorded_at),
                    tuple(blocks[row.record_id]),
                )
                for row in connection.execute(query)
            ]

    def newest_bundle(self) -> tuple[int, str] | None:
        """Number and digest of the newest bundle that was issued, also of one that a restored database lost."""
        with self.read() as connection:
            issued = [
                (row.sequence, row.digest)
                for row in connection.execute(
                    sa.select(BUNDLE.c.sequence, BUNDLE.c.digest).order_by(BUNDLE.c.sequence.desc()).limit(1)
                )
            ]
            accepted = [
                orjson.loads(payload)
                for payload in connection.execute(
                    sa.select(ENTRY.c.payload).where(ENTRY.c.kind == "restore.accepted")
                ).scalars()
            ]
        lost = [(each["bundle_sequence"], each["bundle_digest"]) for each in accepted if each["bundle_sequence"]]
        return max(issued + lost, key=lambda each: each[0], default=None)

    def entry_digest(self, sequence: int) -> str | None:
        """The digest that seals a journal entry; None when there is no such entry."""
        with self.read() as connection:
            found = connection.execute(sa.select(SEAL.c.entry_digest).where(SEAL.c.sequence == sequence)).scalar()
        return str(found) if found is not None else None

    def superseded_bundles(self) -> list[SupersededBundle]:
        """Issued bundles with a block that left its chain and did not come back, oldest first."""
        found_at = sa.func.max(ORPHANED.c.recorded_at).label("found_at")
        query = (
            sa.select(BUNDLE.c.sequence, BLOCK.c.chain_id, BLOCK.c.height, BLOCK.c.block_hash, found_at)
            .join_from(BLOCK, BUNDLE, BLOCK.c.bundle_key == BUNDLE.c.record_id)
            .join(COVERED, (COVERED.c.chain_id == BLOCK.c.chain_id) & (COVERED.c.block_hash == BLOCK.c.block_hash))
            .join(ORPHANED, ORPHANED.c.covered_key == COVERED.c.record_id)
            .where(BLOCK.c.block_hash.in_(ORPHANED_HASHES))
            .group_by(BUNDLE.c.sequence, BLOCK.c.chain_id, BLOCK.c.height, BLOCK.c.block_hash)
            .order_by(BUNDLE.c.sequence, BLOCK.c.chain_id)
        )
        issued = {bundle.sequence: bundle for bundle in self.bundles()}
        with self.read() as connection:
            rows = connection.execute(query).all()
        return [
            SupersededBundle(issued[row.sequence], ChainId(row.chain_id), row.height, row.block_hash, row.found_at)
            for row in rows
        ]

    def add_bundle(self, bundle: IssuedBundle, actor: str, now: datetime) -> None:
        """Record a bundle that was written. The same bundle again changes nothing; another of its number is refused."""
        payload = {"bundle_id": bundle.bundle_id, "sha256": bundle.digest}
        with self.record("bundle.issued", actor, payload, now) as unit:
            same = sa.or_(BUNDLE.c.bundle_id == bundle.bundle_id, BUNDLE.c.sequence == bundle.sequence)
            known = unit.connection.execute(sa.select(BUNDLE).where(same)).first()
            if known is not None:
                if (known.bundle_id, known.sequence, known.digest) != (
                    bundle.bundle_id,
                    bundle.sequence,
                    bundle.digest,
                ):
                    raise StoreError(f"bundle number {bundle.sequence} was issued already with other content")
                return
            bundle_key = unit.add(
                BundleIssuedRow,
                bundle_id=bundle.bundle_id,
                sequence=bundle.sequence,
                digest=bundle.digest,
                as_of=bundle.as_of,
                path=bundle.path,
                head_sequence=bundle.head.sequence,
                head_digest=bundle.head.entry_digest,
            )
            for chain_id, height, block_hash in bundle.blocks:
                unit.add(BundleBlockRow, bundle_key=bundle_key, chain_id=chain_id, height=height, block_hash=block_hash)
