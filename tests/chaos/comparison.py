"""What two tellings of one script must agree on.

Where processes, PostgreSQL and clocks were disturbed, but no node: on everything, row by row. A node that is lost in
mid sweep leaves less behind, and says so: holdings that are unverified, a sweep that failed, another of the same block.
Then all that was verified must be the same, and the end must be. Where a quorum is asked and one node is lost or lies,
nothing of its chain may be unverified for that.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final

import orjson

from chains.types import ChainId
from tests.chaos.invariants import broken_invariants
from tests.chaos.script import Script
from verifier.records import FindingKind, Reconciliation, Status
from verifier.store import CaseAct, Store
from verifier.store.digest import recorded_state
from verifier.store.tables import CaseEventRow, table
from verifier.store.types import Canonical

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
SIGN_IN: Final = frozenset({"credential", "credential_end", "login", "login_end", "person", "person_state"})
"""Tables that hold the digests of random tokens: no two tellings share them."""
_EVENT: Final = [
    column.name
    for column in table(CaseEventRow).columns
    if column.name not in ("record_id", "journal_sequence", "recorded_at")
]
ACT, PROVISIONAL = _EVENT.index("act"), _EVENT.index("provisional")
"""Where they stand in a row of the recorded state, which has neither the row's own key nor when it was recorded."""
OF_NODES: Final = frozenset({FindingKind.UNVERIFIED, FindingKind.NODE_DISAGREEMENT})
"""What is found of nodes, and not of what they tell."""


def differences(calm: Store, disturbed: Store, script: Script, *, lost_nodes: bool) -> list[str]:
    """What differs that must not, as lines; empty when both agree."""
    found = []
    for chain_id in script.chain_ids:
        for store in (calm, disturbed):
            found += doubles(store, script, chain_id) + broken_invariants(store, chain_id)
    if not lost_nodes:
        return found + _compared(_rows(calm), _rows(disturbed))
    for chain_id in script.chain_ids:
        found += _compared(_facts(calm, chain_id), _facts(disturbed, chain_id))
        found += verified_otherwise(calm, disturbed, chain_id)
    found += _compared(_books(calm), _books(disturbed))
    if script.has_quorum:
        found += unverified(disturbed, script.chain_id)
    return found


def doubles(store: Store, script: Script, chain_id: ChainId) -> list[str]:
    """What is there twice or not at all, whatever the other telling says."""
    found, wanted = [], script.blocks(chain_id)
    blocks = {block.height: block.block_hash for block in store.covered_blocks(chain_id, 0, max(wanted) + 100)}
    if blocks != wanted:
        found.append(f"blocks 1 to {max(wanted)} of {chain_id} are not each covered once: {sorted(blocks)}")
    found += _twice("a payment judged", (match.transfer.transfer_id for match in store.matches(chain_id)))
    found += _twice("a sweep ended", (summary.sweep_id for summary in store.summaries(chain_id)))
    found += _twice("a case open", (case.finding.finding_key for case in store.cases()))
    for summary in store.summaries(chain_id):
        results = store.reconciliations(summary.sweep_id)
        found += _twice(f"in {summary.sweep_id} a holding", (_place(each) for each in results))
    newest = store.summaries(chain_id)[-1]
    if newest.unverified:
        found.append(f"{newest.unverified} holdings of {chain_id} are unverified in the end though all is well")
    if chain_id == script.chain_ids[-1]:
        found += remarks(store, script)
    return found


def remarks(store: Store, script: Script) -> list[str]:
    """What a program said by the API, once: unless there was no case to say it of."""
    said = Counter(
        event.text
        for case in store.cases(include_closed=True)
        for event in store.case_events(case.case_id)
        if event.act is CaseAct.COMMENTED
    )
    wanted = {chapter.remark for chapter in script.chapters if chapter.remark}
    return [f"said {times} times: {text}" for text, times in said.items() if times != 1 or text not in wanted]


def unverified(store: Store, chain_id: ChainId) -> list[str]:
    """Results that nobody read though enough nodes could always be asked."""
    return [
        f"{summary.sweep_id}: {_place(each)} is unverified though a quorum was there: {each.reason}"
        for summary in store.summaries(chain_id)
        for each in store.reconciliations(summary.sweep_id)
        if each.status is Status.UNVERIFIED
    ]


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
    newest = store.summaries(chain_id)[-1]
    for each in store.reconciliations(newest.sweep_id):
        found["result"][f"{newest.block} {_place(each)} {_figures(each)}"] += 1
    for match in store.matches(chain_id):
        found["payment"][f"{match.transfer.transfer_id} {match.outcome} {match.authorization_id}"] += 1
    for case in store.cases(include_closed=True):
        if case.finding.kind not in OF_NODES:
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
    """Everything that is recorded but what signs people in, and whether a look saw it before the sweep did."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for name, row in recorded_state(store):
        if name in SIGN_IN or "probed-at" in row:  # a moment by the clock, kept as a value
            continue
        kept = without_looks(row) if name == "case_event" else row
        if kept is not None:
            found[name][orjson.dumps(kept).decode()] += 1
    assert found, "nothing is recorded"
    return found


def without_looks(event: list[Canonical]) -> list[Canonical] | None:
    """What happened to a case, as if nobody had looked at blocks that were not final; None for what only a look saw.

    A look that nodes do not answer in time is left out, and the sweep is the first to see what it would have seen.
    """
    if event[PROVISIONAL]:
        return None
    is_seen = event[ACT] in (CaseAct.OPENED, CaseAct.SEEN_AGAIN)
    return [*event[:ACT], "seen", *event[ACT + 1 :]] if is_seen else event


def _books(store: Store) -> defaultdict[str, Counter[str]]:
    """What people's files and programs' rows said."""
    rows = _rows(store)
    return defaultdict(Counter, {name: rows[name] for name in BOOKS if name in rows})
