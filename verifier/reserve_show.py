"""How the reserve is shown: to programs as JSON, to people as lines. Amounts are US dollars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from chains.types import utc_text
from exports.reserve.computation import ReserveComputation
from exports.reserve.funding import WithdrawalCheck
from exports.reserve.items import item
from exports.reserve.lines import CustomerItems, PabItems
from exports.reserve.money import dollars_grouped
from exports.reserve.results import result_rows
from verifier.records import Finding
from verifier.reserve.movements import MovementMatches
from verifier.reserve_cases import NOTICE_DUTY
from verifier.reserve_movements import InstructionState
from verifier.reserve_rail import PurposeView, ReserveView
from verifier.store.instruction_store import ReliedOn, StoredInstruction
from verifier.store.reserve_store import StoredComputation


def remaining_text(deposit_by: datetime, now: datetime) -> str:
    """Time left, in the two largest units: `1 d 4 h left`, or how long ago it passed."""
    left = deposit_by - now
    minutes = int(abs(left) / timedelta(minutes=1))
    days, hours, rest = minutes // 1440, minutes % 1440 // 60, minutes % 60
    text = f"{days} d {hours} h" if days else f"{hours} h {rest} min"
    return f"{text} left" if left >= timedelta(0) else f"passed {text} ago"


def computation_json(stored: StoredComputation, now: datetime) -> dict[str, object]:
    """A stored computation with its deadlines; amounts are strings of cents, as in its document."""
    made = stored.computation()
    inputs = made.inputs
    return {
        "computation_id": stored.computation_id,
        "as_of": stored.as_of.isoformat(),
        "scope": stored.scope.value,
        "occasion": stored.occasion.value,
        "method": inputs.method.value,
        "frequency": inputs.frequency.value,
        "pab_frequency": inputs.pab_frequency.value,
        "rule_set": stored.rule_set,
        "digest": stored.digest,
        "known_at": utc_text(stored.known_at),
        "recorded_at": utc_text(stored.recorded_at),
        "replaces": stored.replaces or None,
        "reason": stored.reason or None,
        "compute_on": stored.times.compute_on.isoformat(),
        "deposit_on": stored.times.deposit_on.isoformat(),
        "deposit_by": utc_text(stored.times.deposit_by),
        "seconds_remaining": int(stored.times.remaining(now).total_seconds()),
        "customer_required": str(made.customer.required),
        "pab_required": str(made.pab.required),
        "policies": {each.name: each.value for each in inputs.policies.policies},
        "lines_from": "stated" if inputs.derived_from is None else "books",
        "findings": [] if inputs.derived_from is None else list(inputs.derived_from.findings),
    }


def view_json(view: ReserveView) -> dict[str, object]:
    """Both purposes; amounts are strings of US cents."""
    return {
        "at": utc_text(view.at),
        "on": view.on.isoformat(),
        "purposes": {each.purpose.value: _purpose_json(each, view.at) for each in view.purposes},
    }


def _purpose_json(view: PurposeView, now: datetime) -> dict[str, object]:
    position, deposit = view.funding, view.deposit
    return {
        "held": str(view.held.cents),
        "held_cash": str(view.held.cash),
        "held_securities": str(view.held.securities),
        "verified": not view.gaps,
        "gaps": list(view.gaps),
        "not_counted": [
            {
                "account_id": each.account_id,
                "subject": each.subject,
                "cause": each.cause.value,
                "citation": each.citation,
                "cents": str(each.cents) if each.cents is not None else None,
            }
            for each in view.held.not_counted
        ],
        "as_required": {
            "computation": computation_json(view.computation, now),
            "required": str(position.requirement.cents),
            "shortfall": str(view.shortfall),
            "excess": str(position.excess),
            "withdrawable": str(view.withdrawable),
            "approved_to_leave": str(view.leaving),
            "swept": str(view.swept),
            "deposit_by": utc_text(deposit.deposit_by),
            "missed": view.missed,
            "duty": NOTICE_DUTY if view.missed else None,
        }
        if position is not None and deposit is not None and view.computation is not None
        else None,
        "projected": {
            "as_of": view.projected.as_of.isoformat(),
            "required": str(view.projected.cents),
            "shortfall": str(view.projected_shortfall),
            "deposit_by": utc_text(view.projected_by) if view.projected_by is not None else None,
            "seconds_remaining": int((view.projected_by - now).total_seconds())
            if view.projected_by is not None
            else None,
            "drivers": list(view.drivers),
        }
        if view.projected is not None
        else None,
    }


def purpose_lines(view: PurposeView, now: datetime) -> Iterator[tuple[str, str]]:
    """Name and value of everything about one purpose."""
    if view.funding is not None and view.deposit is not None and view.computation is not None:
        need, stored = view.funding.requirement, view.computation
        yield "required", f"{shown(need.cents)} by {stored.computation_id} as of {need.as_of} ({stored.rule_set})"
    else:
        yield "required", "unknown"
    if view.swept:
        yield "swept", f"{shown(view.swept)} of credits in time, by which the deposit is lower; a withdrawal is not"
    yield (
        "held",
        f"{shown(view.held.cents)} = cash {shown(view.held.cash)} + securities {shown(view.held.securities)}",
    )
    for each in view.held.not_counted:
        amount = shown(each.cents) if each.cents is not None else "unknown amount"
        cause = each.cause.replace("_", " ")
        yield "not counted", f"{amount} of {each.account_id} {each.subject}: {cause}, {each.citation}"
    if view.funding is not None and view.deposit is not None:
        if view.shortfall:
            left = remaining_text(view.deposit.deposit_by, now)
            yield "shortfall", f"{shown(view.shortfall)}; deposit by {utc_text(view.deposit.deposit_by)}, {left}"
        else:
            yield "excess", shown(view.funding.excess)
        also = f", besides {shown(view.leaving)} that was approved to leave" if view.leaving else ""
        yield "may leave", f"{shown(view.withdrawable)} of what counts, 15c3-3(g){also}"
        if view.missed:
            yield "missed", NOTICE_DUTY
    if view.projected is not None:
        yield "projected", f"{shown(view.projected.cents)} by the lines of {view.projected.as_of}"
        if view.projected_shortfall:
            yield "", f"short by {shown(view.projected_shortfall)} if it were computed now{_projected_by(view, now)}"
        for moved in view.drivers:
            yield "moved", moved
    for gap in view.gaps:
        yield "unverified", gap


def _projected_by(view: PurposeView, now: datetime) -> str:
    if view.projected_by is None:
        return ""
    return f"; deposit then by {utc_text(view.projected_by)}, {remaining_text(view.projected_by, now)}"


def reserve_reasons(view: ReserveView) -> Iterator[str]:
    """Why the firm is under-funded or not verified on this rail: amounts, drivers and clock."""
    for each in view.purposes:
        if each.shortfall and each.deposit is not None and each.computation is not None:
            left = remaining_text(each.deposit.deposit_by, view.at)
            what = f"{each.purpose} reserve short by {shown(each.shortfall)} of {each.computation.computation_id}"
            yield f"{what}; deposit by {utc_text(each.deposit.deposit_by)}, {left}"
        if each.projected_shortfall and each.projected is not None:
            moved = f": {'; '.join(each.drivers)}" if each.drivers else ""
            what = f"{each.purpose} reserve projected short by {shown(each.projected_shortfall)}"
            yield f"{what} by the lines of {each.projected.as_of}{_projected_by(each, view.at)}{moved}"
        yield from (f"{each.purpose} reserve: {gap}" for gap in each.gaps)


def shown(cents: int) -> str:
    """Cents for people: `1,234.05`."""
    return dollars_grouped(cents)


def item_rows(items: CustomerItems | PabItems) -> list[list[str]]:
    """The fifteen lines for a table: number, side, wording, amount, where it comes from."""
    return [
        [
            str(line.number),
            item(line.number).side.value,
            item(line.number).wording,
            shown(line.cents),
            "; ".join(row.source for row in line.rows),
        ]
        for line in items.lines
    ]


def result_lines(made: ReserveComputation) -> Iterator[tuple[str, str, str]]:
    """Name, customer amount, PAB amount of the results."""
    for name, customer, pab in result_rows(made):
        yield name, "" if customer is None else shown(customer), "" if pab is None else shown(pab)


def instruction_json(each: StoredInstruction, state: InstructionState) -> dict[str, object]:
    """An instruction with its decision; amounts are strings of US cents."""
    decided = each.decision
    return {
        "instruction_id": each.instruction_id,
        "direction": each.direction.value,
        "account_id": each.account_id,
        "purpose": each.purpose.value,
        "cents": str(each.cents),
        "state": state.value,
        "maker": each.maker,
        "made_at": utc_text(each.recorded_at),
        "text": each.text,
        "valid_until": each.valid_until.isoformat(),
        "relied_on": _relied_json(each.relied_on),
        "decision": {
            "act": decided.act.value,
            "actor": decided.actor,
            "at": utc_text(decided.recorded_at),
            "text": decided.text,
            "relied_on": _relied_json(decided.relied_on),
        }
        if decided is not None
        else None,
    }


def instructions_json(
    listed: Sequence[tuple[StoredInstruction, InstructionState]], matches: MovementMatches, findings: Sequence[Finding]
) -> dict[str, object]:
    """Every instruction with what became of it at the bank, and what the bank's statements contradict."""
    shown = []
    for each, state in listed:
        moved = matches.executed.get(each.instruction_id)
        entry = {"value_on": moved.value_on.isoformat(), "bank_reference": moved.bank_reference} if moved else None
        shown.append(instruction_json(each, state) | {"executed": entry})
    problems = [{"kind": each.kind.value, "text": each.text} for each in findings]
    return {"instructions": shown, "compared": matches.compared, "findings": problems}


def _relied_json(relied_on: ReliedOn | None) -> dict[str, object] | None:
    if relied_on is None:
        return None
    return {"computation_id": relied_on.computation_id, "remaining": str(relied_on.remaining)}


def instruction_text(each: StoredInstruction, state: InstructionState) -> str:
    """One line for people."""
    what = f"{each.instruction_id} {each.direction} {shown(each.cents)} of {each.account_id}"
    by = f"by {each.maker}" + (f", {each.decision.act} by {each.decision.actor}" if each.decision is not None else "")
    return f"{what}: {state.replace('_', ' ')}, {by}, until {each.valid_until.isoformat()}"


def withdrawal_json(check: WithdrawalCheck, account_id: str, cents: int) -> dict[str, object]:
    """A what-if; amounts are strings of US cents."""
    return {
        "account_id": account_id,
        "withdrawal": str(cents),
        "permitted": check.permitted,
        "reason": check.reason,
        "remaining": str(check.remaining),
        "short_of_requirement": str(check.short_of_requirement),
        "short_of_projection": str(check.short_of_projection),
        "computation_digest": check.computation_digest,
    }
