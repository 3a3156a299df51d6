"""Checks 11 to 15: exceptions, grades, pinned blocks, transfers and the chain of bundles. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Final

from chains.types import (
    AnchorEvidence,
    StateEvidence,
    TransferKind,
    asset_chain_id,
    overall_grade,
)
from exports.approval_checks import approval_problems
from exports.contents import Contents
from exports.record_checks import ledger_status, places_below_zero
from exports.records import (
    Outcome,
    ReconciliationRecord,
    Status,
    SweepRecord,
    TransferRecord,
    WitnessRecord,
)
from exports.superseded import superseded_problems
from exports.verdict import Outcome as CheckOutcome

IN_ORDER: Final = (Outcome.MATCHED, Outcome.CHANGE)
"""Outcomes of transfers that need no case."""
PIN_FIELDS: Final = ("chain_id", "height", "block_hash", "parent_hash", "block_time", "finality", "header_checked")
"""What a balance record repeats from its sweep, so that each balance can be read alone."""


SURPLUS_KINDS: Final = ("excess", "unallocated_balance", "unmapped_balance")
"""Kinds of case that say of a surplus where it is; the last is of a closed wallet, which may be part of a pool."""


def check_exceptions(contents: Contents) -> CheckOutcome:
    """11: whatever did not match has its case: an open one for a position, any for a transfer that happened."""
    dust_limits = {asset.asset_id: asset.dust_limit for asset in contents.assets}
    open_cases = {
        (cover.location, cover.asset_id, case.kind, str(case.location) == asset_chain_id(cover.asset_id))
        for case in contents.cases
        if case.is_open
        for cover in case.covers
    }
    tx_ids = {tx_id for case in contents.cases for tx_id in case.tx_ids}
    skew = timedelta(seconds=contents.manifest.as_of_skew_seconds_max)
    negative = places_below_zero(contents)
    problems: list[str] = []
    for record in contents.reconciliations:
        place = (record.location, record.asset_id)
        ledger = ledger_status(record, skew, is_negative=place in negative)
        # A surplus may stand in a case of the whole chain only when it is below the asset's dust limit.
        is_large = record.difference is not None and record.difference >= dust_limits.get(record.asset_id, 0)
        for kinds in _kinds_needed(record, ledger, is_negative=place in negative):
            shared = (False,) if kinds is SURPLUS_KINDS and is_large else (False, True)
            if not any((*place, kind, is_shared) in open_cases for kind in kinds for is_shared in shared):
                problems.append(f"{record.location} {record.asset_id}: no open case of kind {' or '.join(kinds)}")
    judged = [transfer for transfer in contents.transfers if transfer.outcome is not None]
    problems.extend(
        f"transfer {transfer.tx_id}: {transfer.outcome} without a case"
        for transfer in judged
        if (transfer.outcome not in IN_ORDER or transfer.commingling) and transfer.tx_id not in tx_ids
    )
    return CheckOutcome(len(contents.reconciliations) + len(judged), problems)


def _kinds_needed(record: ReconciliationRecord, ledger: Status, *, is_negative: bool) -> Iterator[tuple[str, ...]]:
    """For each thing that is wrong with a position, the kinds of case that say it."""
    if ledger is Status.UNVERIFIED:
        yield ("unverified",)
    elif record.difference is not None and record.difference != 0:
        yield ("shortfall",) if record.difference < 0 else SURPLUS_KINDS
    if is_negative:
        yield ("negative_allocation",)
    if record.statement is not None and record.statement.status is Status.DIVERGED:
        yield ("custodian_mismatch",)
    if record.statement is not None and record.statement.status is Status.UNVERIFIED:
        yield ("unverified",)


def check_grades(contents: Contents) -> CheckOutcome:
    """12: no figure claims more than its evidence in this bundle carries."""
    operators = {sweep.sweep_id: _operators(sweep.witnesses) for sweep in contents.sweeps}
    problems = []
    for balance in contents.balances:
        where = f"{balance.chain_id} {balance.address} {balance.asset_id}"
        if balance.grade is not overall_grade(balance.state, balance.anchor):
            problems.append(f"{where}: grade {balance.grade} from {balance.state} and {balance.anchor}")
        if balance.state is StateEvidence.PROVEN and not balance.header_checked:
            problems.append(f"{where}: proven under a header that was not recomputed")
        if balance.anchor is AnchorEvidence.AUDITOR:
            problems.append(f"{where}: only the reader's own node anchors as auditor")
        if balance.anchor is AnchorEvidence.AGREED and operators.get(balance.sweep_id, 0) < 2:
            problems.append(f"{where}: agreed, with fewer than two operators")
    traced = [(transfer, transfer.trace) for transfer in contents.transfers if transfer.trace is not None]
    for transfer, trace in traced:
        if trace.evidence is not (AnchorEvidence.AGREED if _operators(trace.witnesses) > 1 else AnchorEvidence.SINGLE):
            number = len(trace.witnesses)
            problems.append(f"transfer {transfer.tx_id}/{transfer.index}: {trace.evidence}, traced by {number} nodes")
    return CheckOutcome(len(contents.balances) + len(traced), problems)


def _operators(witnesses: Iterable[WitnessRecord]) -> int:
    """How many operators vouch: each needs a name and a node of its own, so one node under two names is one voice."""
    named = [(" ".join(each.operator.split()).casefold(), each.node_id) for each in witnesses if each.operator.strip()]
    return min(len({operator for operator, _ in named}), len({node_id for _, node_id in named}))


def check_pins(contents: Contents) -> CheckOutcome:
    """13: all balances of a chain are of its sweep's one block; times are in order."""
    sweeps = {sweep.sweep_id: sweep for sweep in contents.sweeps}
    problems = []
    for balance in contents.balances:
        sweep = sweeps.get(balance.sweep_id)
        if sweep is None:
            continue  # check 6 says so
        differing = [name for name in PIN_FIELDS if getattr(balance, name) != getattr(sweep, name)]
        if differing:
            names = ", ".join(differing)
            problems.append(f"{balance.address} {balance.asset_id}: {names} not as in sweep {sweep.sweep_id}")
        if not any(w.node_id == balance.node_id and w.operator == balance.operator for w in sweep.witnesses):
            problems.append(f"{balance.address} {balance.asset_id}: node {balance.node_id} is no witness of the block")
    for record in contents.reconciliations:
        sweep = sweeps.get(record.sweep_id)
        if sweep is None:
            continue
        if asset_chain_id(record.asset_id) != sweep.chain_id:
            problems.append(f"{record.location} {record.asset_id}: reconciled in a sweep of {sweep.chain_id}")
        if record.observed_as_of != sweep.block_time:
            problems.append(f"{record.location} {record.asset_id}: observed_as_of is not the block's time")
    problems.extend(_time_problems(contents))
    return CheckOutcome(len(contents.balances), problems)


def _time_problems(contents: Contents) -> list[str]:
    manifest = contents.manifest
    return [
        f"sweep {sweep.sweep_id}: started, finished and bundle created are out of order"
        for sweep in contents.sweeps
        if not sweep.started_at <= sweep.finished_at <= manifest.created_at
    ] + [
        f"{record.location} {record.asset_id}: uses a book later than the bundle"
        for record in contents.reconciliations
        if record.known_at > manifest.created_at
    ]


def check_transfers(contents: Contents) -> CheckOutcome:
    """14: transfers lie in covered blocks; outgoing ones were judged; matched ones fit their authorization."""
    sweeps = {sweep.chain_id: sweep for sweep in contents.sweeps}
    wallets = {(wallet.chain_id, wallet.address) for wallet in contents.wallets}
    authorizations = {a.authorization_id: a for a in contents.authorizations}
    block_hashes = {(s.chain_id, s.height): s.block_hash for s in contents.sweeps}
    problems = [
        f"sweep {sweep.sweep_id}: transfers are covered up to {sweep.coverage_last} only"
        for sweep in contents.sweeps
        if sweep.coverage_last is not None and sweep.coverage_last != sweep.height
    ]
    for transfer in contents.transfers:
        where = f"transfer {transfer.tx_id}/{transfer.kind}/{transfer.index}"
        if not _is_covered(transfer, sweeps.get(transfer.chain_id)):
            problems.append(f"{where}: block {transfer.height} is not covered by the chain's sweep")
        if block_hashes.setdefault((transfer.chain_id, transfer.height), transfer.block_hash) != transfer.block_hash:
            problems.append(f"{where}: two blocks at height {transfer.height}")
        leaves = (transfer.chain_id, transfer.sender) in wallets and transfer.sender != transfer.receiver
        if leaves and transfer.kind is not TransferKind.FEE and transfer.base_units and transfer.outcome is None:
            problems.append(f"{where}: leaves a wallet and was not held against the authorizations")
    problems.extend(approval_problems(contents, authorizations))
    return CheckOutcome(len(contents.transfers) + len(contents.sweeps), problems)


def _is_covered(transfer: TransferRecord, sweep: SweepRecord | None) -> bool:
    if sweep is None or sweep.coverage_first is None or sweep.coverage_last is None:
        return False
    return sweep.coverage_first <= transfer.height <= sweep.coverage_last


def check_chain_of_bundles(contents: Contents, after: tuple[int, str] | None) -> CheckOutcome:
    """15: the journal head is stated; with `after` (sequence, digest), this bundle follows the one named.

    Earlier bundles that a reorganisation touched are named, and nothing here rests on the blocks that are gone.

    Without `after` an old bundle cannot be told from today's: the reader compares `as_of` with the calendar.
    """
    manifest = contents.manifest
    head = manifest.journal
    note = f"journal entry {head.sequence}, bundle {manifest.sequence}"
    problems = list(superseded_problems(contents, after))
    named = len(contents.superseded_bundles)
    if after is None:
        return CheckOutcome(1 + named, problems, note=note + "; not compared with an earlier bundle")
    sequence, digest = after
    if any(record.sequence == sequence for record in contents.superseded_bundles):
        note += f"; bundle {sequence}, which you have, is superseded"
    if manifest.sequence <= sequence:
        problems.append(f"bundle {manifest.sequence} does not come after bundle {sequence}")
    if manifest.sequence == sequence + 1 and manifest.previous_digest != digest:
        problems.append("it does not name the earlier bundle's digest as its previous one")
    if manifest.sequence > sequence + 1:
        between = f"bundles {sequence + 1} to {manifest.sequence - 1} lie between and were not given"
        return CheckOutcome(
            1 + named, problems, note=f"{note}; {between}: only the numbers were compared, not the digests"
        )
    return CheckOutcome(2 + named, problems, note=note)
