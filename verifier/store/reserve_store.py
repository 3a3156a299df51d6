"""What the reserve computations are made from, as it was stated, and the computations that were made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa

from chains.types import ChainId
from exports.reserve.computation import Occasion, ReserveComputation, Scope, read_computation
from mapping.reserve_types import FirmCapital, FocusMonthEnd, ReserveBankAccount, ReserveHolding, ReserveItem
from mapping.reserve_types import ReserveNotice as Notice
from mapping.types import Origin, Sourced
from verifier.errors import InputError
from verifier.records import Rail
from verifier.reserve.calendar import ReserveTimes
from verifier.reserve.stated import ReserveStatements
from verifier.store.case_seeing import acted_since, see_cases
from verifier.store.case_store import CaseStore
from verifier.store.codec import CODECS
from verifier.store.mapping_store import FILE, newest_records
from verifier.store.records import CaseSeen, Sighted
from verifier.store.tables import JournalEntryRow, ReserveComputationRow, ReserveItemRow, table

COMPUTATION, ITEM, ENTRY = table(ReserveComputationRow), table(ReserveItemRow), table(JournalEntryRow)
ACTS: Final = (
    "import",
    "reserve.computed",
    "reserve.instructed",
    "reserve.approved",
    "reserve.refused",
    "trades.settled",
    "chain.halted",
    "chain.resumed",
)
"""Kinds of journal entries that can change how the reserve stands; each is followed by a look of its own."""
NO_FACTS: Final = (
    "archive.added",
    "bundle.issued",
    "exceptions.reviewed",
    "head.looked",
    "heartbeat.missed",
    "node.probed",
    "possession.looked",
    "possession.reviewed",
    "report.daily",
    "reserve.approved",
    "reserve.computed",
    "reserve.instructed",
    "reserve.looked",
    "reserve.refused",
    "schedule.began",
    "schedule.ended",
    "schedule.not_begun",
    "sweep.shard",
)
"""Kinds of journal entries, besides those of cases, that change nothing of what is projected. All others may."""


@dataclass(frozen=True, slots=True)
class StoredComputation:
    """A computation as it was recorded."""

    computation_id: str
    as_of: date
    scope: Scope
    occasion: Occasion
    rule_set: str
    known_at: datetime
    """The books as known at this time were used."""
    document: bytes
    """Canonical text of the computation with its inputs."""
    digest: str
    times: ReserveTimes
    replaces: str
    """Id of the computation it corrects; empty when it corrects none."""
    reason: str
    recorded_at: datetime

    def computation(self) -> ReserveComputation:
        """The computation itself, computed again; raises `ReserveError` when it does not come out the same."""
        return read_computation(self.document)


class ReserveStore(CaseStore):
    """The reserve computations' side of the store."""

    def reserve_items(self, as_of: date, known_at: datetime) -> list[Sourced[ReserveItem]]:
        """The newest statement of every line of a day, each with the file and line it came from."""
        query = (
            sa.select(ITEM, FILE.c.name, FILE.c.digest)
            .join_from(ITEM, FILE, ITEM.c.file_key == FILE.c.record_id)
            .where(ITEM.c.as_of == as_of, ITEM.c.recorded_at <= known_at)
            .order_by(ITEM.c.record_id)
        )
        codec = CODECS[ReserveItem]
        found: dict[tuple[str, int], Sourced[ReserveItem]] = {}
        with self.read() as connection:
            for row in connection.execute(query):
                record = codec.record(row)
                assert isinstance(record, ReserveItem)
                found[record.computation, record.item] = Sourced(record, Origin(row.name, row.digest, row.line))
        return list(found.values())

    def reserve_item_days(self, known_at: datetime) -> list[date]:
        """The days for which lines are stated, oldest first."""
        query = sa.select(ITEM.c.as_of).where(ITEM.c.recorded_at <= known_at).distinct().order_by(ITEM.c.as_of)
        with self.read() as connection:
            return list(connection.execute(query).scalars())

    def reserve_statements(self, known_at: datetime) -> ReserveStatements:
        """What is stated besides the lines, as known at a time."""
        with self.read() as connection:

            def newest(record_type: Any) -> Any:
                of = table(CODECS[record_type].row_class)
                return newest_records(connection, record_type, of.c.recorded_at <= known_at)

            return ReserveStatements(
                newest(ReserveBankAccount),
                newest(ReserveHolding),
                newest(FirmCapital),
                newest(FocusMonthEnd),
                newest(Notice),
            )

    def reserve_computations(self, known_at: datetime | None = None) -> list[StoredComputation]:
        """Every computation, those that were replaced too, in the order they were made."""
        query = sa.select(COMPUTATION).order_by(COMPUTATION.c.record_id)
        if known_at is not None:
            query = query.where(COMPUTATION.c.recorded_at <= known_at)
        with self.read() as connection:
            rows = connection.execute(query).all()
        ids = {row.record_id: row.computation_id for row in rows}
        return [_stored(row, ids) for row in rows]

    def reserve_computation(self, computation_id: str) -> StoredComputation:
        """One computation. Raises `InputError` when there is none of this id."""
        for each in self.reserve_computations():
            if each.computation_id == computation_id:
                return each
        raise InputError(f"there is no reserve computation {computation_id}")

    def add_reserve_computation(
        self,
        computation: ReserveComputation,
        times: ReserveTimes,
        known_at: datetime,
        actor: str,
        now: datetime,
        reason: str = "",
    ) -> StoredComputation:
        """Record a computation; the same one again is the one that stands.

        Raises `InputError` for one that shares its purpose with one of another scope, and for another one of the same
        day and scope without a reason: it replaces the one that stands, and says why. Never one from older books, which
        a slow process may bring. Test runs are apart.
        """
        inputs, document = computation.inputs, computation.canonical()
        payload = {"as_of": inputs.as_of.isoformat(), "sha256": computation.digest, "scope": inputs.scope.value}
        with self.record("reserve.computed", actor, payload, now) as unit:  # what stands is looked up as the one writer
            every = self.standing_computations()
            if beside := next((each for each in every if _overlaps(each, computation)), None):
                raise InputError(
                    f"{beside.computation_id} stands for {inputs.as_of.isoformat()} with the scope {beside.scope}",
                    advice=f"Compute with --kind {beside.scope}, or for the other purpose alone.",
                )
            standing = [each for each in every if _same_duty(each, computation)]
            for each in standing:
                if each.document == document:
                    return each
            if standing and not reason.strip():
                raise InputError(
                    f"{standing[-1].computation_id} stands for {inputs.as_of.isoformat()} with other inputs",
                    advice="Say why it is computed again: --reason TEXT. The earlier computation stays on record.",
                )
            if standing and standing[-1].known_at > known_at:  # made while this one was still being computed
                raise InputError(
                    f"{standing[-1].computation_id} was made from newer books than these",
                    advice="Compute again: what is known now is taken then.",
                )
            keys = dict(unit.connection.execute(sa.select(COMPUTATION.c.computation_id, COMPUTATION.c.record_id)).all())
            computation_id = f"RC-{len(keys) + 1:06d}"
            unit.add(
                ReserveComputationRow,
                computation_id=computation_id,
                as_of=inputs.as_of,
                scope=inputs.scope,
                occasion=inputs.occasion,
                rule_set=computation.rule_set_id,
                known_at=known_at,
                document=document.decode(),
                digest=computation.digest,
                compute_on=times.compute_on,
                deposit_on=times.deposit_on,
                deposit_by=times.deposit_by,
                replaces=keys[standing[-1].computation_id] if standing else None,
                reason=reason.strip() if standing else "",
            )
        return self.reserve_computation(computation_id)

    def see_reserve(
        self, sightings: Iterable[Sighted], actor: str, now: datetime, known_at: datetime | None = None
    ) -> list[CaseSeen] | None:
        """Open or see again the cases of the reserve accounts; those that are not among the sightings are gone.

        Cases of other rails are left alone: the sightings must be everything there is to see on this one. They were
        judged as known at `known_at`; None, and nothing is written, when somebody acted on the reserve since then.
        """
        with self.record("reserve.looked", actor, {}, now) as unit:
            if known_at is not None and acted_since(unit, known_at, ACTS):
                return None
            return see_cases(unit, ChainId(""), None, sightings, actor, all_seen=True, rail=Rail.CASH)

    def newest_fact(self, known_at: datetime) -> int:
        """Sequence of the newest journal entry, as known at a time, on which a projection can depend; 0 without one."""
        query = (
            sa.select(ENTRY.c.sequence)
            .where(ENTRY.c.recorded_at <= known_at, ENTRY.c.kind.not_in(NO_FACTS), ENTRY.c.kind.not_like("case.%"))
            .order_by(ENTRY.c.sequence.desc())
            .limit(1)
        )
        with self.read() as connection:
            return connection.execute(query).scalar() or 0

    def standing_computations(self, known_at: datetime | None = None) -> list[StoredComputation]:
        """The computations that no later one replaced, in the order they were made."""
        every = self.reserve_computations(known_at)
        replaced = {each.replaces for each in every}
        return [each for each in every if each.computation_id not in replaced]


def _same_duty(stored: StoredComputation, computation: ReserveComputation) -> bool:
    """Whether the two are of one day, one purpose, and both test runs or both not: only one of them can stand."""
    inputs = computation.inputs
    is_test = inputs.occasion is Occasion.TEST
    return (stored.as_of, stored.scope, stored.occasion is Occasion.TEST) == (inputs.as_of, inputs.scope, is_test)


def _overlaps(stored: StoredComputation, computation: ReserveComputation) -> bool:
    """Whether another scope of the same day fixes the same purpose already: both would be in force."""
    inputs = computation.inputs
    same_day = stored.as_of == inputs.as_of and (stored.occasion is Occasion.TEST) == (inputs.occasion is Occasion.TEST)
    return same_day and stored.scope is not inputs.scope and bool(set(stored.scope.classes) & set(inputs.scope.classes))


def _stored(row: Any, ids: dict[int, str]) -> StoredComputation:
    return StoredComputation(
        row.computation_id,
        row.as_of,
        row.scope,
        row.occasion,
        row.rule_set,
        row.known_at,
        row.document.encode(),
        row.digest,
        ReserveTimes(row.as_of, row.compute_on, row.deposit_on, row.deposit_by),
        ids.get(row.replaces, ""),
        row.reason,
        row.recorded_at,
    )
