"""What must hold of a database in the end, whatever was disturbed: the invariants of docs/faults.md.

I6 is `custody journal verify`, which `Play.stop` runs on the database as it stands; I7 and I8 are asked of the API
while it is killed (`tests.chaos.program`); I10 is judged by `custody verify`, of the bundle exported at the end.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final

from chains.types import ChainId
from tests.verifier.sweep.desk import assert_accounted_for
from verifier.persons import same_person
from verifier.records import CaseState, Status
from verifier.store import Case, CaseAct, Store

SKEW_SECONDS_MAX: Final = 900
LEADS_TO: Final = {
    CaseAct.OPENED: CaseState.OPEN,
    CaseAct.PROPOSED: CaseState.PROPOSED,
    CaseAct.APPROVED: CaseState.CLOSED,
    CaseAct.RETURNED: CaseState.OPEN,
    CaseAct.REOPENED: CaseState.OPEN,
    CaseAct.WITHDRAWN: CaseState.CLOSED,
}


def broken_invariants(store: Store, chain_id: ChainId) -> list[str]:
    """What does not hold of a chain and of the cases, as lines."""
    found = list(_of_sweeps(store, chain_id))
    newest = store.standing_summary(chain_id)
    if newest is None:
        return [*found, f"I1: {chain_id} was never swept"]
    try:
        assert_accounted_for(store, newest.sweep_id, SKEW_SECONDS_MAX)
    except AssertionError as error:
        found.append(f"I1, I2, I4: {newest.sweep_id}: {error}")
    found += _claims(store, chain_id)
    for case in store.cases(include_closed=True):
        found += _of_case(store, case)
    return found


def _of_sweeps(store: Store, chain_id: ChainId) -> Iterator[str]:
    """I1, I2 and I11 of every sweep there was."""
    judged: Counter[tuple[str, object]] = Counter()
    for summary in store.summaries(chain_id):
        results = store.reconciliations(summary.sweep_id)
        counts = Counter(each.status for each in results)
        shown = (summary.matched, summary.diverged, summary.unverified)
        if tuple(counts[status] for status in (Status.MATCHED, Status.DIVERGED, Status.UNVERIFIED)) != shown:
            yield f"I1: {summary.sweep_id} says {shown}, its results {dict(counts)}"
        if not summary.expected == len(results) > 0:
            yield f"I1: {summary.sweep_id} expected {summary.expected} holdings and has {len(results)}"
        for each in results:
            if each.status is Status.MATCHED and (each.observed is None or each.difference != 0):
                yield f"I2: {summary.sweep_id}: {each.location_id} matched with {each.observed}, {each.difference}"
            if each.status is Status.UNVERIFIED and not each.reason:
                yield f"{summary.sweep_id}: {each.location_id} is unverified without a reason"
        start = store.sweep(summary.sweep_id)
        judged[summary.block.block_hash, start.known_at if start else None] += 1
    yield from (
        f"I11: one block judged {times} times with one book: {key}" for key, times in judged.items() if times > 1
    )


def _claims(store: Store, chain_id: ChainId) -> Iterator[str]:
    """I3: what the newest sweep took as claimed is what the allocations add up to, at its block and as known then."""
    newest = store.standing_summary(chain_id)
    start = store.sweep(newest.sweep_id) if newest is not None else None
    if newest is None or start is None:
        return
    owed: defaultdict[tuple[str, str], int] = defaultdict(int)
    for key, units in store.allocations(chain_id, newest.block.timestamp, start.known_at).items():
        owed[str(key.location_id), str(key.asset_id)] += units
    for each in store.reconciliations(newest.sweep_id):
        place = (str(each.location_id), str(each.asset.asset_id))
        claimed = each.claimed + each.gas_float_recorded
        if owed.get(place, 0) != claimed:
            yield f"I3: {place}: allocations {owed.get(place, 0)}, claimed {claimed}"


def _of_case(store: Store, case: Case) -> Iterator[str]:
    """I5, and I9: a case stands where the acts that the journal has of it lead."""
    events = store.case_events(case.case_id)
    led = [LEADS_TO[event.act] for event in events if event.act in LEADS_TO]
    if not led or led[-1] is not case.state:
        yield f"I9: {case.case_id} is {case.state}, its acts lead to {led[-1] if led else 'nothing'}"
    if case.state is CaseState.CLOSED:
        makers = [event.actor for event in events if event.act is CaseAct.PROPOSED]
        checkers = [event.actor for event in events if event.act is CaseAct.APPROVED]
        if checkers and (not makers or same_person(makers[-1], checkers[-1])):
            yield f"I5: {case.case_id} was closed by {checkers[-1]}, proposed by {makers[-1:]}"
