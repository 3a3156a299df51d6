"""What came into the books since a chain was swept last: between new blocks it is the other reason to sweep again."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from chains.types import BlockRef
from verifier.store.engine import Database
from verifier.store.seal import SealedRows, parse_rows_json
from verifier.store.tables import (
    AcceptedControlRow,
    AssetRow,
    AuthorizationRow,
    CustodianAddressRow,
    FirmAddressRow,
    InternedTextRow,
    JournalSealRow,
    LedgerEntryRow,
    PoolMemberRow,
    PositionRow,
    SweepEndRow,
    SweepRow,
    TokenLayoutRow,
    WalletDescriptorRow,
    WalletRow,
    table,
)
from verifier.store.tables.base import StoredRow

SEAL, SWEEP, END = table(JournalSealRow), table(SweepRow), table(SweepEndRow)
ENTRY, TEXT = table(LedgerEntryRow), table(InternedTextRow)

_ROWS: Final[tuple[type[StoredRow], ...]] = (
    AcceptedControlRow, AssetRow, AuthorizationRow, CustodianAddressRow, FirmAddressRow, LedgerEntryRow, PoolMemberRow,
    PositionRow, TokenLayoutRow, WalletDescriptorRow, WalletRow,
)  # fmt: skip
BOOKS: Final = {of.name: of for of in map(table, _ROWS)}
"""The tables of what the firm and its custodians say, which a sweep of a chain is judged by."""


class BooksNewsStore(Database):
    """Whether the books have something new for a chain."""

    def books_news(self, tip: BlockRef, after: int) -> tuple[bool, int]:
        """Whether anything was recorded that the newest completed sweep of the chain did not know.

        A ledger entry counts once it is in force at the `tip`, the highest covered block: before that no sweep up to
        there would see it. Without a completed sweep at the tip nothing is news: the next block's sweep sees it all.
        `after` is the journal entry up to which this was asked before, 0 at first; the second
        value is what to ask after next time.
        """
        with self.read() as connection:
            newest = connection.execute(sa.select(sa.func.max(SEAL.c.sequence))).scalar() or 0
            if newest == after:
                return False, after
            swept = _swept_at(connection, tip)
            if not swept:
                return False, newest
            known = max(after, swept) if after <= newest else swept  # the journal may have been put back
            seals = connection.execute(
                sa.select(SEAL.c.sequence, SEAL.c.rows).where(SEAL.c.sequence > known).order_by(SEAL.c.sequence)
            ).all()
            for sequence, rows in seals:
                parts = parse_rows_json(rows).items()
                if any(_concerns(connection, name, sealed, tip) for name, sealed in parts):
                    return True, sequence - 1
        return False, newest


def _swept_at(connection: sa.Connection, tip: BlockRef) -> int:
    """The journal entry that began the newest completed sweep at the tip; what came later it does not know.

    Sweeps that look back at lower blocks are left out: they say nothing of what is in force now.
    """
    is_completed = sa.exists().where(END.c.sweep_key == SWEEP.c.record_id, END.c.abandoned == "")
    query = sa.select(SWEEP.c.journal_sequence).where(
        SWEEP.c.chain_id == tip.chain_id, SWEEP.c.height >= tip.height, is_completed
    )
    return connection.execute(query.order_by(SWEEP.c.record_id.desc()).limit(1)).scalar() or 0


def _concerns(connection: sa.Connection, name: str, sealed: SealedRows, tip: BlockRef) -> bool:
    """Whether some of these rows speak of the chain."""
    of = BOOKS.get(name)
    if of is None:
        return False
    last = sealed.first + sealed.count - 1
    query = sa.select(of.c.record_id).where(of.c.record_id.between(sealed.first, last))
    own = f"{tip.chain_id}/"
    if "asset_key" in of.columns:
        query = query.join(TEXT, TEXT.c.record_id == of.c.asset_key).where(TEXT.c.text.startswith(own, autoescape=True))
    elif "chain_id" in of.columns:
        query = query.where(of.c.chain_id == tip.chain_id)
    else:
        query = query.where(of.c.asset_id.startswith(own, autoescape=True))
    if of is ENTRY:
        query = query.where(ENTRY.c.effective_at <= tip.timestamp)
    return connection.execute(query.limit(1)).first() is not None
