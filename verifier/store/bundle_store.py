"""The bundles that were issued, each naming the journal head of its moment."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from verifier.errors import StoreError
from verifier.store.engine import Database
from verifier.store.records import IssuedBundle, JournalHead
from verifier.store.tables import BundleIssuedRow, JournalEntryRow, table

BUNDLE, ENTRY = table(BundleIssuedRow), table(JournalEntryRow)


class BundleStore(Database):
    """What was given to auditors."""

    def bundles(self) -> list[IssuedBundle]:
        """Every bundle that was issued, oldest first."""
        query = sa.select(BUNDLE).order_by(BUNDLE.c.sequence)
        with self.read() as connection:
            return [
                IssuedBundle(
                    row.bundle_id,
                    row.sequence,
                    row.digest,
                    row.as_of,
                    row.path,
                    JournalHead(row.head_sequence, row.head_digest, row.recorded_at),
                )
                for row in connection.execute(query)
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
            unit.add(
                BundleIssuedRow,
                bundle_id=bundle.bundle_id,
                sequence=bundle.sequence,
                digest=bundle.digest,
                as_of=bundle.as_of,
                path=bundle.path,
                head_sequence=bundle.head.sequence,
                head_digest=bundle.head.entry_digest,
            )
