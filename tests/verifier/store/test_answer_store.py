"""Kept answers in the store: each once, under their sweep, and sealed by the journal like every row."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from chains.jsonrpc import RpcCall
from chains.kept_answers import NOT_TO_BE_KEPT, KeptExchange, KeptRead
from chains.reader import Pin
from tests.verifier.store.story import ACTOR, CHAIN, ETH, FINALITY, A, B, block, later, seen
from tests.verifier.store.tamper import run_sql, tamper
from verifier.journal import verify_journal
from verifier.store import Store, SweepStart
from verifier.store.digest import state_digest


def exchange(number: int) -> KeptExchange:
    body = f'{{"jsonrpc":"2.0","id":{number},"result":"0x{number:x}"}}'.encode()
    return KeptExchange((RpcCall("eth_getBalance", (A, "latest")),), number, False, body)


def kept(*numbers: int) -> KeptRead:
    made = tuple(exchange(number) for number in numbers)
    return KeptRead("node-a", "batch", (A, B), (ETH.asset_id,), 2, made, "" if made else NOT_TO_BE_KEPT)


def started(store: Store, height: int = 10) -> SweepStart:
    return store.start_sweep(CHAIN, Pin(block(height), FINALITY, True), "node-a", 2, later(height), ACTOR)


def add(store: Store, start: SweepStart, shard: int, *reads: KeptRead) -> None:
    address = (A, B)[shard]
    store.add_observations(start, shard, [seen(address, ETH, 1, start.block)], ACTOR, later(11), None, reads)


def test_what_is_kept_comes_back_and_each_answer_is_stored_once(store: Store) -> None:
    first = started(store)
    add(store, first, 0, kept(1, 2), kept())
    add(store, first, 1, kept(2))
    store.abandon_sweep(first, "chain-moved", ACTOR, later(12))
    second = started(store, 11)
    add(store, second, 0, kept(2, 3))
    digests = {number: exchange(number).digest for number in (1, 2, 3)}
    reads = store.kept_reads(first)
    assert [each.digests for each in reads] == [(digests[1], digests[2]), (), (digests[2],)]
    assert (reads[0].addresses, reads[0].asset_ids, reads[0].decided) == ((A, B), (ETH.asset_id,), 2)
    assert reads[1].reason == NOT_TO_BE_KEPT
    assert [each.digests for each in store.kept_reads(second)] == [(digests[2], digests[3])]
    found = store.node_answers([digests[3], digests[1], "f" * 64])
    assert found == {digests[number]: exchange(number).to_bytes() for number in (1, 3)}
    count, size = store.kept_answer_bytes()
    assert (count, size > 0) == (3, True)


def test_a_shard_that_is_stored_already_adds_no_answers(store: Store) -> None:
    start = started(store)
    add(store, start, 0, kept(1))
    add(store, start, 0, kept(2))
    assert store.kept_answer_bytes()[0] == 1
    assert len(store.kept_reads(start)) == 1


@pytest.mark.fault("C9")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE node_answer SET content = 'eJwDAAAAAAE=' WHERE record_id = 1",
        "UPDATE sweep_answer SET digests = '' WHERE record_id = 1",
        "DELETE FROM sweep_answer WHERE record_id = 1",
    ],
)
def test_an_answer_that_was_changed_afterwards_is_found(store: Store, database_url: str, statement: str) -> None:
    add(store, started(store), 0, kept(1))
    assert verify_journal(store).ok
    with pytest.raises(sa.exc.DBAPIError):
        run_sql(database_url, statement)
    assert verify_journal(store).ok
    tamper(database_url, statement)
    report = verify_journal(store)
    assert not report.ok
    assert "answer" in report.reason


def test_how_requests_were_cut_is_no_other_state(store: Store, database_url: str) -> None:
    add(store, started(store), 0, kept(1, 2))
    digest = state_digest(store)
    tamper(database_url, "DELETE FROM sweep_answer", "DELETE FROM node_answer")
    assert state_digest(store) == digest
    tamper(database_url, "DELETE FROM balance_observation")
    assert state_digest(store) != digest
