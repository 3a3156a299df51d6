"""What the runs by the clock do. What stands already, made by hand or by a run that was cut off, is left as it is."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from chains.types import utc_text
from verifier.schedule.jobs import Result, Work

if TYPE_CHECKING:
    from verifier.config import SourceSettings
    from verifier.store import CaseSeen

log = structlog.get_logger(__name__)

NOT_IN_USE = Result(0, "not in use: nothing is recorded that it could judge")


def check_reserve(work: Work) -> Result:
    """`custody reserve check`: deadlines that passed, and deficits that are projected."""
    from verifier.reserve_cases import look
    from verifier.reserve_rail import in_use

    if not in_use(work.store, work.now):
        return NOT_IN_USE
    view, seen = look(work.store, work.settings, work.actor, work.now)
    short = [each.purpose.value for each in view.purposes if each.shortfall or each.projected_shortfall]
    gaps = sum(len(each.gaps) for each in view.purposes)
    missed = [each.purpose.value for each in view.purposes if each.missed]
    said = [f"short: {', '.join(short)}"] if short else []
    said += [f"deposit deadline passed: {', '.join(missed)}"] if missed else []
    said += [f"not verified: {gaps} gaps"] if gaps else []
    return Result(1 if short else 2 if gaps else 0, "; ".join([*said, _cases(seen)]))


def check_control(work: Work) -> Result:
    """`custody control check`: deficits and their clocks."""
    from verifier.control_cases import look
    from verifier.control_rail import in_use

    if not in_use(work.store, work.now):
        return NOT_IN_USE
    view, seen = look(work.store, work.settings, work.actor, work.now)
    short = len(view.review.deficits) if view.review is not None else 0
    said = [f"{short} issues short"] if short else []
    said += [f"not verified: {len(view.gaps)} gaps"] if view.gaps else []
    return Result(1 if short else 2 if view.gaps else 0, "; ".join([*said, _cases(seen)]))


def check_cases(work: Work) -> Result:
    """`custody cases escalate`: what is unresolved past its settlement session goes to the trade-break queue."""
    from verifier.case_clock import escalate_cases, trade_breaks

    moved = escalate_cases(work.store, work.settings, work.actor, work.now)
    queue = trade_breaks(work.store.cases())
    return Result(1 if queue else 0, f"{len(queue)} trade breaks, {len(moved)} of them new")


def check_statements(work: Work) -> Result:
    """Whether custodians' statements came in time: the books are compared again when one came, or is late."""
    from verifier.reserve_inputs import firm_calendar
    from verifier.securities_rail import due_times, in_use, newest_day, securities_view
    from verifier.securities_rail import reconcile as compare
    from verifier.statement_import import statement_clock

    store, settings, now = work.store, work.settings, work.now
    if not in_use(store, now):
        return NOT_IN_USE
    day, known_at, clock = newest_day(settings, now), store.book_time(now), statement_clock(settings)
    due = due_times(store.custodian_accounts(known_at), day, firm_calendar(settings)[0], clock)
    warn = timedelta(minutes=settings.custodians.warn_minutes)
    turns = [moment for _, at in due.values() for moment in (at - warn, at) if moment <= now]
    of_day = [each for each in store.securities_runs() if each.as_of == day]
    since = max((each.recorded_at for each in of_day), default=None)
    came = [each.recorded_at for each in store.custodian_statements(known_at) if clock.day(each.statement.as_of) == day]
    if (turns or came) and (since is None or any(moment > since for moment in (*turns, *came))):
        found = compare(store, settings, day, work.actor, now)
        run = found.run
        counts = f"{run.matched} matched, {run.diverged} diverged, {run.unverified} unverified"
        return Result(found.exit_code, f"{run.run_id} of {day.isoformat()}: {counts}")
    waiting = securities_view(store, settings, now).waiting
    return Result(2 if waiting else 0, "; ".join(waiting) or "every statement that is due was compared")


def pull_statements(source: SourceSettings, work: Work) -> Result:
    """`custody statement pull --source` of one source."""
    from verifier.statement_sources.pulling import pull

    found = pull(work.store, work.settings, source, work.actor, work.now)
    for file in found.files:
        if file.state in ("refused", "failed"):
            log.error(
                "a statement was not pulled", source=source.name, file=file.name, state=file.state, code=file.code
            )
    return Result(found.exit_code, found.text)


def review_control(work: Work) -> Result:
    """`custody control review` of the business date, unless a review of it stands."""
    from verifier.after_runs import try_finish_runs
    from verifier.control_cases import look_after
    from verifier.control_rail import review_and_record

    store, settings, day = work.store, work.settings, work.business_date
    stands = [each for each in store.possession_reviews() if each.as_of == day]
    stored = stands[-1] if stands else review_and_record(store, settings, day, work.actor, work.now)
    undone = try_finish_runs(store, settings, work.actor, work.now)
    view, seen = look_after(stored.review_id, store, settings, work.actor, work.now)
    short = len(view.review.deficits) if view.review is not None else 0
    said = f"{stored.review_id} {'stands' if stands else 'made'}: {short} issues short; {_cases(seen)}"
    return Result(1 if short else 2 if view.gaps or undone else 0, "; ".join(each for each in (said, undone) if each))


def compute_reserve(work: Work) -> Result:
    """`custody reserve compute` of the business date, for the purposes of which one is due and none stands."""
    from exports.reserve.computation import Occasion, Scope
    from exports.reserve.items import ReserveClass
    from verifier.after_runs import try_finish_runs
    from verifier.reserve_cases import look_after
    from verifier.reserve_inputs import firm_calendar
    from verifier.reserve_rail import compute_and_record, due_as_of

    store, settings, day = work.store, work.settings, work.business_date
    calendar, _ = firm_calendar(settings)
    on = calendar.add_business_days(day, 1) + timedelta(days=1)
    regular = [each for each in store.standing_computations() if each.occasion is not Occasion.TEST]
    wanted: dict[bool, list[ReserveClass]] = {}
    standing: list[str] = []
    for purpose in ReserveClass:
        own = [each for each in regular if purpose in each.scope.classes]
        if found := [each.computation_id for each in own if each.as_of == day]:
            standing += found
            continue
        as_of, monthly = due_as_of(purpose, own, settings, store, calendar, on, work.now)
        if as_of == day:
            wanted.setdefault(monthly, []).append(purpose)
    said = [f"{each} stands" for each in dict.fromkeys(standing)]
    made = [
        compute_and_record(
            store,
            settings,
            day,
            next(scope for scope in Scope if set(scope.classes) == set(purposes)),
            Occasion.REGULAR,
            work.actor,
            work.now,
            monthly=monthly,
        ).computation_id
        for monthly, purposes in wanted.items()
    ]
    said += [f"{each} made" for each in made]
    if not said:
        return Result(0, f"no computation is due as of {day.isoformat()}")
    undone = try_finish_runs(store, settings, work.actor, work.now)
    view, seen = look_after((made or standing)[-1], store, settings, work.actor, work.now)
    short = any(each.shortfall or each.projected_shortfall for each in view.purposes)
    gaps = any(each.gaps for each in view.purposes)
    said += [_cases(seen), *([undone] if undone else [])]
    return Result(1 if short else 2 if gaps or undone else 0, "; ".join(said))


def reconcile(work: Work) -> Result:
    """`custody reconcile` of the business date."""
    from verifier.securities_rail import in_use
    from verifier.securities_rail import reconcile as compare

    if not in_use(work.store, work.now):
        return NOT_IN_USE
    found = compare(work.store, work.settings, work.business_date, work.actor, work.now)
    run = found.run
    counts = f"{run.matched} matched, {run.diverged} diverged, {run.unverified} unverified"
    return Result(found.exit_code, f"{run.run_id}: {counts}")


def report(work: Work) -> Result:
    """`custody report daily` of the business date, unless there is one; what is not archived is archived."""
    from verifier.daily_report import archive_reports, make_report
    from verifier.signing import signers_of

    signers = signers_of(work.settings)
    if before := work.store.daily_reports(work.business_date):
        archive_reports(work.store, work.settings, signers, work.actor, work.now)
        return Result(0, f"{before[-1].report_id} stands, made at {utc_text(before[-1].recorded_at)}")
    made = make_report(work.store, work.settings, work.business_date, signers, work.actor, work.now)
    return Result(made.exit_code, f"{made.stored.report_id} made: {', '.join(made.value['status']['statuses'])}")


def _cases(seen: Collection[CaseSeen]) -> str:
    new = sum(each.is_new for each in seen)
    return f"{len(seen)} cases, {new} of them new"
