"""The parts of the daily report, each from what is on record, each naming what it could not verify."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from chains.types import ChainId, utc_text
from exports.reserve.computation import Occasion, ReserveComputation
from exports.reserve.errors import ReserveError
from exports.reserve.items import ReserveClass, item
from exports.reserve.lines import CustomerItems, LineRow, PabItems
from verifier.control_rail import in_use as books_in_use
from verifier.control_rail import possession_view
from verifier.records import Status
from verifier.reserve_export import on_deposit
from verifier.reserve_movements import instruction_states, movement_matches
from verifier.reserve_rail import in_use, reserve_view
from verifier.reserve_show import computation_json, instruction_json, view_json
from verifier.reserve_sweeps import swept_in_time

if TYPE_CHECKING:
    from verifier.config import Settings
    from verifier.store import Store
    from verifier.store.reserve_store import StoredComputation

DRIVERS: Final = 10
"""Largest rows shown of each computation; the computation itself has them all."""
LISTED: Final = 1_000
"""Most differences listed of one sweep or review; more are counted."""


def reserve_section(store: Store, settings: Settings, as_of: date, now: datetime, gaps: list[str]) -> dict[str, Any]:
    """Both computations in force at the day, what was held, shortfall and drivers; Note H; instructions; and now."""
    if not in_use(store, now):
        gaps.append("the reserve of 15c3-3(e) is not stated: no computation, no reserve account")
        return {"in_use": False, "purposes": {}, "note_h": {}, "instructions": [], "now": None}
    view = reserve_view(store, settings, now)
    purposes: dict[str, Any] = {}
    note_h: dict[str, Any] = {}
    for purpose in ReserveClass:
        gaps += [f"{purpose} reserve now: {gap}" for gap in view.of(purpose).gaps]
        stored = _in_force(store, purpose, as_of)
        if stored is None:
            gaps.append(f"no {purpose} computation of {as_of.isoformat()} or before is on record")
            purposes[purpose.value] = None
            continue
        try:
            made = stored.computation()
        except ReserveError as error:
            gaps.append(f"{stored.computation_id}: {error}")
            purposes[purpose.value] = None
            continue
        items: CustomerItems | PabItems = made.inputs.customer if purpose is ReserveClass.CUSTOMER else made.inputs.pab
        purposes[purpose.value] = _purpose(store, settings, stored, made, purpose, items, as_of, now, gaps)
        note_h[purpose.value] = _note_h(made, purpose, items, gaps)
    matches = movement_matches(store, settings, now)
    if not matches.compared:
        gaps.append("no movement of a reserve account was held against an instruction")
    states = instruction_states(store, settings, now, matches)
    return {
        "in_use": True,
        "purposes": purposes,
        "note_h": note_h,
        "instructions": [instruction_json(each, state) for each, state in states],
        "movements_compared": matches.compared,
        "now": view_json(view),
    }


def _in_force(store: Store, purpose: ReserveClass, as_of: date) -> StoredComputation | None:
    own = [
        each
        for each in store.standing_computations()
        if each.occasion is not Occasion.TEST and purpose in each.scope.classes and each.as_of <= as_of
    ]
    return max(own, key=lambda each: each.as_of, default=None)


def _purpose(
    store: Store,
    settings: Settings,
    stored: StoredComputation,
    made: ReserveComputation,
    purpose: ReserveClass,
    items: CustomerItems | PabItems,
    as_of: date,
    now: datetime,
    gaps: list[str],
) -> dict[str, Any]:
    result = made.customer if purpose is ReserveClass.CUSTOMER else made.pab
    deposit = on_deposit(store, settings, stored, purpose, now)
    swept = 0
    if purpose is ReserveClass.CUSTOMER:
        swept = swept_in_time(store, settings, stored.as_of, store.book_time(now))
    if deposit.held is None:
        gaps.append(f"what the {purpose} reserve held at {stored.as_of.isoformat()} is not verified")
    review = store.exception_review_of(stored.computation_id)
    return {
        "computation": computation_json(stored, now),
        "of_this_day": stored.as_of == as_of,
        "total_credits": str(result.total_credits),
        "total_debits": str(result.total_debits),
        "required": str(result.required),
        "held": str(deposit.held) if deposit.held is not None else None,
        "swept": str(swept),
        "shortfall": str(max(0, result.required - swept - deposit.held)) if deposit.held is not None else None,
        "moved_until_deadline": str(deposit.moved) if deposit.moved is not None else None,
        "lines": {str(line.number): str(line.cents) for line in items.lines},
        "drivers": [
            {"item": number, "row_id": row.row_id, "cents": str(row.cents), "source": row.source}
            for number, row in _largest(items)
        ],
        "exceptions_unexplained": review.exceptions_unexplained if review is not None else None,
    }


def _largest(items: CustomerItems | PabItems) -> list[tuple[int, LineRow]]:
    rows = [(line.number, row) for line in items.lines for row in line.rows if row.cents]
    return sorted(rows, key=lambda pair: (-pair[1].cents, pair[0], pair[1].row_id))[:DRIVERS]


def _note_h(
    made: ReserveComputation, purpose: ReserveClass, items: CustomerItems | PabItems, gaps: list[str]
) -> dict[str, Any]:
    """Item 15 and how far the conditions of Note H were tested for it."""
    line = items.lines[item(15).number - 1]
    derived = made.inputs.derived_from
    if derived is not None:
        tested = "tested customer by customer from the firm's books"
    elif line.cents:
        tested = "stated as one line: the conditions of Note H were not tested here"
        gaps.append(f"Note H: item 15 of the {purpose} computation is stated, and its conditions were not tested")
    else:
        tested = "no debit is taken"
    prefix = f"{purpose} item 15:"
    return {
        "citation": item(15).citation,
        "debit": str(line.cents),
        "tested": tested,
        "notice_from": made.inputs.policies.text("item_15_from"),
        "rows": [{"row_id": each.row_id, "cents": str(each.cents), "source": each.source} for each in line.rows],
        "not_counted": [
            {"what": what, "cents": str(cents)}
            for what, cents in (derived.excluded if derived is not None else ())
            if what.startswith(prefix)
        ],
    }


def control_section(store: Store, settings: Settings, as_of: date, now: datetime, gaps: list[str]) -> dict[str, Any]:
    """The review of possession or control in force at the day, its deficits and the acts on them; and now."""
    if not books_in_use(store, now):
        gaps.append("possession or control of 15c3-3(b) to (d) was not reviewed: no books are kept here")
        return {"in_use": False, "review": None, "acts": []}
    view = possession_view(store, settings, now)
    gaps += [f"possession or control now: {gap}" for gap in view.gaps]
    standing = [each for each in store.standing_reviews() if each.as_of <= as_of]
    if not standing:
        gaps.append(f"no review of possession or control of {as_of.isoformat()} or before is on record")
        return {"in_use": True, "review": None, "acts": []}
    stored = standing[-1]
    try:
        review = stored.review()
    except ReserveError as error:
        gaps.append(f"{stored.review_id}: {error}")
        return {"in_use": True, "review": None, "acts": []}
    gaps += [
        f"{each.issue.security_id} in {stored.review_id}: {each.unverified}" for each in review.unverified[:LISTED]
    ]
    return {
        "in_use": True,
        "review": {
            "review_id": stored.review_id,
            "as_of": stored.as_of.isoformat(),
            "of_this_day": stored.as_of == as_of,
            "rule_set": stored.rule_set,
            "digest": stored.digest,
            "determined_on": stored.determined_on.isoformat(),
            "act_by": stored.act_by.isoformat(),
            "issues": len(review.issues),
            "deficit_count": len(review.deficits),
            "deficits": [
                {
                    "security_id": each.issue.security_id,
                    "required": str(each.need.required),
                    "in_control": str(each.control),
                    "deficit": str(each.deficit),
                }
                for each in review.deficits[:LISTED]
            ],
            "unverified_count": len(review.unverified),
        },
        "acts": [
            {
                "act_id": each.act.act_id,
                "security_id": each.act.security_id,
                "kind": each.act.kind.value,
                "base_units": str(each.act.base_units),
                "state": each.state.value,
                "maker": each.act.maker,
                "checker": each.act.checker or None,
                "possession_by": each.possession_by.isoformat() if each.possession_by is not None else None,
                "overdue": each.overdue(view.on),
            }
            for each in view.acts
        ],
    }


def digital_section(store: Store, settings: Settings, moment: datetime, gaps: list[str]) -> list[dict[str, Any]]:
    """The last sweep of each chain at or before the day's close, with everything that did not match."""
    found: list[dict[str, Any]] = []
    if not settings.chains:
        gaps.append("no chain is configured: the digital rail was not reconciled")
    for section in settings.chains:
        sweeps = [
            each
            for each in store.summaries(ChainId(section.chain_id))
            if each.block.timestamp <= moment and not store.is_orphaned(each.block)
        ]
        if not sweeps:
            gaps.append(f"{section.chain_id} was not reconciled at or before the close")
            found.append({"chain_id": section.chain_id, "name": section.name, "sweep": None, "differences": []})
            continue
        last = max(sweeps, key=lambda each: (each.block.timestamp, each.finished_at))
        if last.unverified or not last.expected:
            gaps.append(f"{section.chain_id}: {last.unverified} of {last.expected} holdings are unverified")
        open_ones = [each for each in store.reconciliations(last.sweep_id) if each.status is not Status.MATCHED]
        found.append(
            {
                "chain_id": section.chain_id,
                "name": section.name,
                "sweep": {
                    "sweep_id": last.sweep_id,
                    "height": last.block.height,
                    "block_hash": last.block.block_hash,
                    "block_time": utc_text(last.block.timestamp),
                    "expected": last.expected,
                    "matched": last.matched,
                    "diverged": last.diverged,
                    "unverified": last.unverified,
                    "transfers_not_matched": last.transfers_not_matched,
                },
                "differences": [
                    {
                        "location": each.location_id,
                        "asset_id": each.asset.asset_id,
                        "status": each.status.value,
                        "claimed": str(each.claimed),
                        "observed": str(each.observed) if each.observed is not None else None,
                        "difference": str(each.difference) if each.difference is not None else None,
                        "reason": each.reason,
                    }
                    for each in open_ones[:LISTED]
                ],
            }
        )
    return found


def securities_section(store: Store, as_of: date, known_at: datetime, gaps: list[str]) -> dict[str, Any]:
    """The last comparison with the depository and other custodians at or before the day."""
    last = store.newest_securities_run(known_at, on_or_before=as_of)
    if last is None:
        gaps.append("the depository and other custodians were not reconciled at or before the close")
        return {"run": None}
    if last.as_of != as_of:
        gaps.append(f"the newest comparison with custodians is of {last.as_of.isoformat()}")
    if last.unverified or not last.expected:
        gaps.append(f"custodians: {last.unverified} of {last.expected} positions are unverified")
    return {
        "run": {
            "run_id": last.run_id,
            "as_of": last.as_of.isoformat(),
            "of_this_day": last.as_of == as_of,
            "expected": last.expected,
            "matched": last.matched,
            "diverged": last.diverged,
            "unverified": last.unverified,
            "digest": last.digest,
        }
    }
