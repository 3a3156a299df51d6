"""Texts longer than an index row, such as all wallets of a chain: stored once on both databases, and found again."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest
import sqlalchemy as sa

from chains.evm.encumbrance_types import PERMIT2_ADDRESS, ApprovalCoverage, Candidates
from chains.types import Address
from tests.verifier.store.story import ACTOR, CHAIN, USDX, SweepStory, block, import_story, later
from tests.verifier.store.tamper import run_sql
from verifier.journal import verify_journal
from verifier.store import Store
from verifier.store.tables import InternedTextRow, table

TEXT = table(InternedTextRow)
WALLETS = frozenset(Address(f"0x{sha256(number.to_bytes(4, 'big')).hexdigest()[:40]}") for number in range(3_000))
"""Their addresses fill 135,000 bytes and do not shrink; PostgreSQL's usual index takes 2,704."""


def watched(last: int) -> ApprovalCoverage:
    """That approvals of all of them were looked for."""
    assets = frozenset((USDX.asset_id,))
    return ApprovalCoverage(0, block(last), WALLETS, assets, PERMIT2_ADDRESS, Candidates(), {})


def long_texts(store: Store) -> list[str]:
    with store.read() as connection:
        query = sa.select(TEXT.c.text).where(sa.func.length(TEXT.c.text) > 100_000)
        return list(connection.execute(query).scalars())


def test_approvals_of_very_many_wallets_are_stored_once_and_come_back(store: Store) -> None:
    import_story(store)
    story = SweepStory(store)
    story.begin()
    store.add_approvals(story.start, watched(9), "node-a", ACTOR, later(11))
    store.add_approvals(story.start, watched(10), "node-a", ACTOR, later(12))
    assert store.approval_coverages(CHAIN) == [watched(10), watched(9)]
    assert len(long_texts(store)) == 1
    fewer = replace(watched(10), wallets=frozenset(sorted(WALLETS)[1:]))
    store.add_approvals(story.start, fewer, "node-a", ACTOR, later(13))
    assert store.approval_coverages(CHAIN) == [fewer, watched(9)]
    assert len(long_texts(store)) == 2
    assert verify_journal(store).ok


@pytest.mark.parametrize("order", ["length(text) DESC", "length(text)"])
def test_no_text_is_stored_twice(store: Store, database_url: str, order: str) -> None:
    import_story(store)
    story = SweepStory(store)
    story.begin()
    store.add_approvals(story.start, watched(9), "node-a", ACTOR, later(11))
    row = "INSERT INTO interned_text (record_id, journal_sequence, text) SELECT {}, journal_sequence, {} FROM ({}) AS t"
    found = f"SELECT * FROM interned_text ORDER BY {order} LIMIT 1"
    with pytest.raises(sa.exc.IntegrityError):
        run_sql(database_url, row.format(1_000_000, "text", found))
    run_sql(database_url, row.format(1_000_000, "text || '.'", found))
