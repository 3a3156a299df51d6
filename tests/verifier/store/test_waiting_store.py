"""Transactions seen waiting, in the journal: written once each, read back by chain and by age, and sealed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from chains.types import ChainId
from tests.verifier.rules.make import NOON
from verifier.journal import verify_journal
from verifier.store import Store
from verifier.store.waiting_store import PER_ENTRY, SeenWaiting

MAIN, REGTEST = (
    ChainId("bip122:000000000019d6689c085ae165831e93"),
    ChainId("bip122:0f9188f13cb7b2c71f2a335e3a4fc328"),
)


def seen(number: int) -> SeenWaiting:
    coin = f"{number:064x}:{number}"
    return SeenWaiting(f"{number + 1:064x}", "core-a", (coin,), 2**70 + number, NOON)


def read(store: Store, chain_id: ChainId, minutes: int = 0) -> list[str]:
    """The ids of what was seen since so many minutes after noon."""
    return [each.tx_id for each in store.seen_waiting(chain_id, NOON + timedelta(minutes=minutes))]


def test_what_was_seen_is_read_back_by_chain_and_age(store: Store) -> None:
    store.add_waiting(MAIN, [seen(1), seen(2)], "operator", NOON)
    store.add_waiting(REGTEST, [seen(3)], "operator", NOON)
    store.add_waiting(MAIN, [seen(4)], "operator", NOON + timedelta(minutes=10))
    assert read(store, MAIN) == [seen(1).tx_id, seen(2).tx_id, seen(4).tx_id]
    assert read(store, MAIN, 1) == [seen(4).tx_id]
    assert read(store, REGTEST) == [seen(3).tx_id]
    assert read(store, REGTEST, 1) == []
    (whole,) = store.seen_waiting(REGTEST, NOON)
    assert replace(whole, seen_at=NOON) == seen(3), "amounts beyond 64 bits, too"
    assert NOON <= whole.seen_at < NOON + timedelta(seconds=1)
    assert verify_journal(store).ok


def test_nothing_seen_leaves_no_entry_and_many_make_several(store: Store) -> None:
    store.add_waiting(MAIN, [], "operator", NOON)
    before = store.head()
    many = [seen(number) for number in range(PER_ENTRY + 1)]
    store.add_waiting(MAIN, many, "operator", NOON)
    after = store.head()
    assert before is not None
    assert after is not None
    assert after.sequence - before.sequence == 2
    assert read(store, MAIN) == [each.tx_id for each in many]
