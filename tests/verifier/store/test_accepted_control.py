"""Decisions about who else may move something, in the store: versions, maker and checker, the journal."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest
import sqlalchemy as sa

from chains.types import ChainId
from mapping.accepted_control import AcceptedControl, AcceptedKind
from tests.verifier.store.story import CHAIN, NOON, OUTSIDE, USDX, A, B, import_story, imported, later
from tests.verifier.store.tamper import run_sql, tamper
from verifier.errors import StoreError
from verifier.journal import verify_journal
from verifier.store import Store

EVER: Final = NOON + timedelta(days=365)
FIRST: Final = AcceptedControl(
    acceptance_id="AC-1",
    chain_id=CHAIN,
    wallet=A,
    kind=AcceptedKind.ALLOWANCE,
    asset_id=USDX.asset_id,
    subject=OUTSIDE,
    base_units_max=2**256 - 1,
    valid_from=NOON,
    valid_until=NOON + timedelta(days=30),
    reason="Settlement contract",
    requested_by="ops.maker",
    approved_by="ops.checker",
    approved_at=NOON,
)
MODULE: Final = replace(
    FIRST, acceptance_id="AC-2", wallet=B, kind=AcceptedKind.MODULE, asset_id=None, base_units_max=None
)


def keep(store: Store, minute: int, *decisions: AcceptedControl) -> None:
    store.apply_import(imported((f"decided-{minute}", list(decisions))), "ops.maker", later(minute))


def test_each_version_is_answered_as_of_its_time(store: Store) -> None:
    import_story(store)
    keep(store, 10, FIRST, MODULE)
    ended = replace(FIRST, valid_until=NOON + timedelta(days=2), approved_at=NOON, base_units_max=None)
    keep(store, 20, ended)
    assert store.accepted_control(CHAIN, later(9)) == []
    assert store.accepted_control(CHAIN, later(19)) == [FIRST, MODULE]
    assert sorted(map(repr, store.accepted_control(CHAIN, EVER))) == sorted(map(repr, [ended, MODULE]))
    assert store.accepted_control(ChainId("eip155:5"), EVER) == []
    assert verify_journal(store).ok


@pytest.mark.fault("F1")
def test_the_database_refuses_a_decision_by_its_maker(store: Store) -> None:
    alone = replace(FIRST)
    object.__setattr__(alone, "approved_by", alone.requested_by)
    with pytest.raises(StoreError, match="maker_is_not_checker"):
        keep(store, 10, alone)
    assert store.accepted_control(CHAIN, EVER) == []
    keep(store, 11, FIRST)
    assert store.accepted_control(CHAIN, EVER) == [FIRST]


def test_a_decision_cannot_be_made_larger(store: Store, database_url: str) -> None:
    keep(store, 10, replace(FIRST, base_units_max=5))
    with pytest.raises(sa.exc.DBAPIError):
        run_sql(database_url, "UPDATE accepted_control SET base_units_max = '500'")
    assert verify_journal(store).ok
    tamper(database_url, "UPDATE accepted_control SET base_units_max = '500'")
    assert not verify_journal(store).ok
