"""What nodes disagreed about comes back as it went in, until a sweep that could tell it is complete."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chains.agreement import DisagreementSubject, NodeAnswer, NodeDisagreement
from chains.types import ChainId, Holding
from tests.verifier.rules.make import CHAIN, ETH, NOON, OTHER_CHAIN, PIN, USDC, A, moved
from verifier.journal import verify_journal
from verifier.store import Store
from verifier.store.dissent_store import PER_ENTRY

S = DisagreementSubject
ANSWERS = (NodeAnswer("a", "A", "5"), NodeAnswer("b", "B & Söhne", "6"))


def about(height: int = 100, chain_id: ChainId = CHAIN) -> NodeDisagreement:
    return NodeDisagreement(S.BLOCK, chain_id, height, ANSWERS, None)


def keep(store: Store, *disagreements: NodeDisagreement, chain_id: ChainId = CHAIN, minutes: int = 0) -> None:
    store.add_disagreements(chain_id, disagreements, "scheduler", NOON + timedelta(minutes=minutes))


EVERY_KIND = [
    NodeDisagreement(S.BALANCE, CHAIN, 100, ANSWERS, "5", PIN, Holding(A, USDC)),
    NodeDisagreement(S.TRANSFER, CHAIN, 100, ANSWERS, "6", PIN, transfer=moved(2**256 - 1, asset=ETH)),
    NodeDisagreement(S.TRANSFER, CHAIN, 100, ANSWERS, None, PIN, transfer=moved(sender=None)),
    NodeDisagreement(S.CANONICAL, CHAIN, 100, ANSWERS, "5", PIN),
    NodeDisagreement(S.ASSET, CHAIN, 100, ANSWERS, "5", PIN, name=USDC.asset_id),
    NodeDisagreement(S.UNPARSED_EVENTS, CHAIN, 100, ANSWERS, None, PIN, name=USDC.asset_id),
    NodeDisagreement(S.NETWORK, CHAIN, 0, ANSWERS, "5"),
    about(),
]


@pytest.mark.parametrize("disagreement", EVERY_KIND, ids=lambda each: each.subject)
def test_a_disagreement_comes_back_as_it_went_in(store: Store, disagreement: NodeDisagreement) -> None:
    assert store.disagreements(CHAIN) == []
    keep(store, disagreement)
    assert store.disagreements(CHAIN) == [disagreement]
    assert verify_journal(store).ok


def test_each_is_told_once_and_of_its_own_chain(store: Store) -> None:
    keep(store, about(1), about(2))
    keep(store, about(2), about(3), minutes=1)
    keep(store, about(9, OTHER_CHAIN), chain_id=OTHER_CHAIN, minutes=2)
    assert store.disagreements(CHAIN) == [about(1), about(2), about(3)]
    assert store.disagreements(OTHER_CHAIN) == [about(9, OTHER_CHAIN)]


def test_nothing_is_written_of_nothing(store: Store) -> None:
    head = store.head()
    keep(store)
    assert store.head() == head


def test_very_many_are_kept_whole_in_entries_of_bounded_size(store: Store) -> None:
    before = store.head()
    many = [about(height) for height in range(2 * PER_ENTRY + 1)]
    keep(store, *many)
    assert store.disagreements(CHAIN) == many
    after = store.head()
    assert after is not None
    assert after.sequence - (before.sequence if before else 0) == 3
