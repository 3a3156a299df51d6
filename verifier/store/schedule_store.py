"""What the clock ran and what it found in its folder, each once."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from verifier.errors import StoreError
from verifier.schedule.records import FolderFile, PulledFile, RunOutcome, ScheduledRun, Slot
from verifier.store.engine import Database
from verifier.store.tables import FolderFileRow, PulledFileRow, ScheduledRunEndRow, ScheduledRunRow, table
from verifier.store.unit import Unit

RUN: Final = table(ScheduledRunRow)
END: Final = table(ScheduledRunEndRow)
FILE: Final = table(FolderFileRow)
PULLED: Final = table(PulledFileRow)
COLUMNS: Final = (*RUN.c, END.c.outcome, END.c.ended_at, END.c.exit_code, END.c.text)


class ScheduleStore(Database):
    """The clock's side of the store."""

    def begin_run(self, slot: Slot, actor: str, now: datetime) -> bool:
        """Claim a run; False when somebody did already. Who is told True is the only one."""
        with self.record("schedule.began", actor, _payload(slot), now) as unit:
            if self._key(unit.connection, slot) is not None:
                return False
            _add(unit, slot, now)
        return True

    def end_run(self, slot: Slot, outcome: RunOutcome, exit_code: int, text: str, actor: str, now: datetime) -> None:
        """Record how a run that was begun ended. Raises `StoreError` when it was not begun or has ended."""
        with self.record("schedule.ended", actor, _payload(slot) | {"outcome": outcome.value}, now) as unit:
            key = self._key(unit.connection, slot)
            ended = unit.connection.execute(sa.select(END.c.record_id).where(END.c.run_key == key)).first()
            if key is None or ended is not None:
                state = "was not begun" if key is None else "has ended already"
                raise StoreError(f"the run {slot.job} of {slot.key} {state}")
            _end(unit, key, outcome, exit_code, text, now)

    def add_unrun(self, slot: Slot, outcome: RunOutcome, text: str, actor: str, now: datetime) -> bool:
        """Record a run that was never begun, skipped or missed; False when there is a row of it already."""
        with self.record("schedule.not_begun", actor, _payload(slot) | {"outcome": outcome.value}, now) as unit:
            if self._key(unit.connection, slot) is not None:
                return False
            _end(unit, _add(unit, slot, None), outcome, 2, text, now)
        return True

    def scheduled_runs(self, job: str = "", *, limit: int | None = None) -> list[ScheduledRun]:
        """Runs of all jobs or of one, the newest due first."""
        query = sa.select(*COLUMNS).join_from(RUN, END, END.c.run_key == RUN.c.record_id, isouter=True)
        query = query.order_by(RUN.c.due_at.desc(), RUN.c.record_id.desc()).limit(limit)
        return self._runs(query.where(RUN.c.job == job) if job else query)

    def unended_runs(self, job: str) -> list[ScheduledRun]:
        """Runs that were begun and have not ended, the oldest first."""
        query = sa.select(*COLUMNS).join_from(RUN, END, END.c.run_key == RUN.c.record_id, isouter=True)
        return self._runs(query.where(RUN.c.job == job, END.c.record_id.is_(None)).order_by(RUN.c.due_at))

    def _runs(self, query: sa.Select[Any]) -> list[ScheduledRun]:
        with self.read() as connection:
            return [_run(row) for row in connection.execute(query)]

    def _key(self, connection: sa.Connection, slot: Slot) -> int | None:
        query = sa.select(RUN.c.record_id).where(RUN.c.job == slot.job, RUN.c.slot_key == slot.key)
        return connection.execute(query).scalar()

    def folder_files(self) -> list[FolderFile]:
        """Every content of every file that was looked at, in order."""
        with self.read() as connection:
            rows = connection.execute(sa.select(FILE).order_by(FILE.c.record_id)).all()
        return [FolderFile(row.name, row.digest, row.accepted, row.text, row.recorded_at) for row in rows]

    def add_folder_file(self, name: str, digest: str, accepted: bool, text: str, actor: str, now: datetime) -> None:
        """Record what the import of a file gave; the same content under the same name again changes nothing."""
        payload = {"name": name, "sha256": digest, "accepted": accepted}
        with self.record("statements.folder_file", actor, payload, now) as unit:
            known = sa.select(FILE.c.record_id).where(FILE.c.name == name, FILE.c.digest == digest)
            if unit.connection.execute(known).first() is None:
                unit.add(FolderFileRow, name=name, digest=digest, accepted=accepted, text=text)

    def pulled_files(self, source: str = "") -> list[PulledFile]:
        """Every content of every file that sources gave, of all or of one, in order."""
        query = sa.select(PULLED).order_by(PULLED.c.record_id)
        with self.read() as connection:
            rows = connection.execute(query.where(PULLED.c.source == source) if source else query).all()
        return [
            PulledFile(row.source, row.name, row.digest, row.validator, row.accepted, row.text, row.recorded_at)
            for row in rows
        ]

    def add_pulled_file(self, file: PulledFile, actor: str) -> None:
        """Record what the import of a file gave; the same content with the same result again changes nothing."""
        payload = {"source": file.source, "name": file.name, "sha256": file.digest, "accepted": file.accepted}
        with self.record("statements.pulled_file", actor, payload, file.seen_at) as unit:
            same = (PULLED.c.source == file.source, PULLED.c.name == file.name, PULLED.c.digest == file.digest)
            known = sa.select(PULLED.c.record_id).where(*same, PULLED.c.accepted == file.accepted)
            if unit.connection.execute(known).first() is None:
                unit.add(
                    PulledFileRow,
                    source=file.source,
                    name=file.name,
                    digest=file.digest,
                    validator=file.validator,
                    accepted=file.accepted,
                    text=file.text,
                )


def _payload(slot: Slot) -> dict[str, object]:
    return {"job": slot.job, "slot": slot.key}


def _add(unit: Unit, slot: Slot, started_at: datetime | None) -> int:
    return unit.add(
        ScheduledRunRow,
        job=slot.job,
        slot_key=slot.key,
        business_date=slot.business_date,
        due_at=slot.due_at,
        started_at=started_at,
    )


def _end(unit: Unit, key: int, outcome: RunOutcome, exit_code: int, text: str, now: datetime) -> None:
    unit.add(ScheduledRunEndRow, run_key=key, outcome=outcome, ended_at=now, exit_code=exit_code, text=text)


def _run(row: Any) -> ScheduledRun:
    slot = Slot(row.job, row.slot_key, row.business_date, row.due_at)
    return ScheduledRun(slot, row.started_at, row.ended_at, row.outcome, row.exit_code, row.text or "")
