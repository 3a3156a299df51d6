"""What two tellings of one script must agree on.

Where processes, PostgreSQL and clocks were disturbed, but no node: on everything, to the digest. A node that is lost
in mid sweep leaves less behind, and says so: holdings that are unverified, a sweep that failed, one more of the same
block. Then all that was verified must be the same, and the end must be.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final

import orjson

from chains.types import ChainId
from tests.chaos.script import Script
from verifier.records import FindingKind, Reconciliation, Status
from verifier.store import Store
from verifier.store.digest import recorded_state, state_digest

SHOWN_CHARACTERS: Final = 600
BOOKS: Final = frozenset(
    {
        "asset",
        "client",
        "custodian_address",
        "firm_address",
        "imported_file",
        "ledger_entry",
        "stated_allocation",
        "transfer_authorization",
        "wallet",
    }
)
"""Tables that people's files fill."""


def differences(calm: Store, disturbed: Store, script: Script, *, lost_nodes: bool) -> list[str]:
    """What differs that must not, as lines; empty when both agree."""
    found = doubles(calm, script) + doubles(disturbed, script)
    if not lost_nodes:
        if state_digest(calm) == state_digest(disturbed):
            return found
        return [*found, "the digests differ", *_compared(_rows(calm), _rows(disturbed))]
    left, right = _facts(calm, script.chain_id), _facts(disturbed, script.chain_id)
    return found + _compared(left, right) + verified_otherwise(calm, disturbed, script.chain_id)


def doubles(store: Store, script: Script) -> list[str]:
    """What is there twice or not at all, whatever the other telling says."""
    chain_id, found = script.chain_id, []
    last = script.chapters[-1].final_height
    blocks = {block.height: block.block_hash for block in store.covered_blocks(chain_id, 0, last + 100)}
    if blocks != dict(enumerate(script.hashes[1 : last + 1], 1)):
        found.append(f"blocks 1 to {last} are not each covered once: {sorted(blocks)}")
    found += _twice("a payment judged", (match.transfer.transfer_id for match in store.matches(chain_id)))
    found += _twice("a sweep ended", (summary.sweep_id for summary in store.summaries(chain_id)))
    found += _twice("a case open", (case.finding.finding_key for case in store.cases()))
    for summary in store.summaries(chain_id):
        results = store.reconciliations(summary.sweep_id)
        found += _twice(f"in {summary.sweep_id} a holding", (_place(each) for each in results))
        if summary.expected != len(results):
            found.append(f"{summary.sweep_id} expected {summary.expected} holdings and has {len(results)}")
    newest = store.summaries(chain_id)[-1]
    if newest.unverified:
        found.append(f"{newest.unverified} holdings are unverified in the end though all is well")
    return found


def verified_otherwise(calm: Store, disturbed: Store, chain_id: ChainId) -> list[str]:
    """Results of one block that both verified, and that are not the same."""
    truth = {
        (summary.block.block_hash, _place(each)): each
        for summary in calm.summaries(chain_id)
        for each in calm.reconciliations(summary.sweep_id)
    }
    found = []
    for summary in disturbed.summaries(chain_id):
        for each in disturbed.reconciliations(summary.sweep_id):
            wanted = truth.get((summary.block.block_hash, _place(each)))
            if wanted is None:
                found.append(f"{summary.sweep_id}: the calm telling has no {_place(each)} at this block")
            elif each.status is not Status.UNVERIFIED and _figures(each) != _figures(wanted):
                found.append(f"{summary.sweep_id}: {_place(each)} is {_figures(each)}, calm {_figures(wanted)}")
    return found


def _facts(store: Store, chain_id: ChainId) -> defaultdict[str, Counter[str]]:
    """What does not depend on which sweep found it out."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, row in recorded_state(store):
        if name in BOOKS:
            found[name][orjson.dumps(row).decode()] += 1
    newest = store.summaries(chain_id)[-1]
    for each in store.reconciliations(newest.sweep_id):
        found["result"][f"{newest.block} {_place(each)} {_figures(each)}"] += 1
    for match in store.matches(chain_id):
        found["payment"][f"{match.transfer.transfer_id} {match.outcome} {match.authorization_id}"] += 1
    for case in store.cases(include_closed=True):
        if case.finding.kind is not FindingKind.UNVERIFIED:
            key, units = case.finding.finding_key, case.finding.base_units
            words = f"{case.finding.kind} {case.finding.location_id} {case.state} seen {case.is_seen} {units}"
            found["case"][f"{key} {words} superseded {case.superseded} {case.finding.text}"] += 1
    return found


def _place(each: Reconciliation) -> str:
    return f"{each.location_id} {each.asset.asset_id}"


def _figures(each: Reconciliation) -> tuple[object, ...]:
    return each.status, each.claimed, each.observed, each.difference


def _twice(what: str, keys: Iterable[str]) -> list[str]:
    return [f"{what} {times} times: {key}" for key, times in Counter(keys).items() if times > 1]


def _compared(left: defaultdict[str, Counter[str]], right: defaultdict[str, Counter[str]]) -> list[str]:
    lines = []
    for name in sorted(left.keys() | right.keys()):
        for sign, rows in (("-", left[name] - right[name]), ("+", right[name] - left[name])):
            lines += [f"{sign} {name} {times}x {row[:SHOWN_CHARACTERS]}" for row, times in sorted(rows.items())]
    return lines


def _rows(store: Store) -> defaultdict[str, Counter[str]]:
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, row in recorded_state(store):
        found[name][orjson.dumps(row).decode()] += 1
    return found
