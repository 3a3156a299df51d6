"""The benchmark of state proofs at a small size: all sides find what was written, and a wrong figure stops it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks import evm_proofs
from benchmarks.__main__ import NAMES
from benchmarks.measure import ResultsDiffer
from chains.errors import ProofFailed


def test_every_case_is_measured_and_says_whether_the_target_is_met() -> None:
    assert "evm_proofs" in NAMES
    results = list(evm_proofs.run(quick=True))
    assert len(results) == 4
    for result in results:
        assert result.value > 0
        assert result.ratio_to_floor < 1
        met = "met" if result.ratio_to_peer >= 15 else "NOT met"
        assert result.notes["targets"] == {"15 x py-trie and rlp": met}


def test_the_tries_are_as_deep_as_they_say() -> None:
    accounts = evm_proofs.make_accounts(20, evm_proofs.FULL_LEVELS_OF_ACCOUNTS)
    assert {len(proof) for proof in accounts.proofs} == {8}
    slots = evm_proofs.make_slots(20, evm_proofs.FULL_LEVELS_OF_SLOTS)
    assert {len(proof) for proof in slots.proofs} == {7}


def test_all_sides_find_what_was_written() -> None:
    for full_levels in (0, 6):
        trie = evm_proofs.make_accounts(50, full_levels)
        assert evm_proofs.our_accounts(trie) == evm_proofs.peer_accounts(trie, 50) == evm_proofs._expected(trie)
    slots = evm_proofs.make_slots(50, 5)
    assert evm_proofs.our_slots(slots) == evm_proofs.peer_slots(slots, 50) == evm_proofs._expected(slots)


def test_a_side_that_does_not_is_not_timed() -> None:
    trie = evm_proofs.make_accounts(50, 6)
    with pytest.raises(ResultsDiffer):
        evm_proofs._measure("case", trie, 1, lambda each: evm_proofs.our_accounts(each)[:-1], evm_proofs.peer_accounts)
    wrong = replace(trie, proofs=[trie.proofs[1], *trie.proofs[1:]])
    with pytest.raises(ProofFailed):
        evm_proofs.our_accounts(wrong)
