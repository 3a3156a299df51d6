"""Who is signed in, and what is remembered between two steps of a sign-in. Sessions and tickets are no records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import sqlalchemy as sa

from exports.canonical import canonical_json
from verifier.accounts.records import By, Person, Session
from verifier.errors import StoreBusy
from verifier.store.engine import Database, translated
from verifier.store.people_store import PEOPLE, PERSON, SESSION, person_of
from verifier.store.tables import WebTicketRow, table

TICKET: Final = table(WebTicketRow)
USED_EVERY: Final = timedelta(minutes=1)
"""How often a session's last use is written down: a write with every request would stand in the way of sweeps."""
TOUCH_MILLISECONDS: Final = 200
"""How long that may wait for another writer; it is written with a later request then."""
SESSIONS_MAX: Final = 10
"""Sessions of one person at a time; the one that was used longest ago goes."""

_SESSIONS: Final = PEOPLE.add_columns(
    SESSION.c.session_key,
    SESSION.c.method,
    SESSION.c.address,
    SESSION.c.agent,
    SESSION.c.created_at,
    SESSION.c.used_at,
    SESSION.c.expires_at,
).join(SESSION, SESSION.c.person_key == PERSON.c.record_id)


@dataclass(frozen=True, slots=True)
class NewSession:
    """What is known of a session when it begins."""

    digest: str
    session_key: str
    method: str
    address: str
    agent: str
    expires_at: datetime


class SessionStore(Database):
    """Sessions and tickets."""

    def session(self, digest: str, now: datetime, idle: timedelta) -> Session | None:
        """The session of a secret by its digest; None when it is over, idle for too long, or its person shut out."""
        with self.read() as connection:
            row = connection.execute(_SESSIONS.where(SESSION.c.digest == digest)).first()
        if row is None:
            return None
        found = _session(row)
        over = found.expires_at <= now or found.used_at + idle <= now or found.person.is_disabled
        return None if over else found

    def touch_session(self, digest: str, now: datetime) -> None:
        """Write down that a session was used; nothing happens while another writer holds the database."""
        with suppress(StoreBusy), self._briefly() as connection:
            connection.execute(
                SESSION.update().where(SESSION.c.digest == digest, SESSION.c.used_at < now), {"used_at": now}
            )

    @contextmanager
    def _briefly(self) -> Iterator[sa.Connection]:
        """A write of what is no record, that waits for hardly anything."""
        with translated(), self._engine.connect() as connection, connection.begin():
            if self.dialect_name == "sqlite":
                waits = connection.exec_driver_sql("PRAGMA busy_timeout").scalar()
                connection.exec_driver_sql(f"PRAGMA busy_timeout={TOUCH_MILLISECONDS}")
                try:
                    yield connection
                finally:
                    connection.exec_driver_sql(f"PRAGMA busy_timeout={waits}")
            else:
                connection.exec_driver_sql(f"SET LOCAL lock_timeout = {TOUCH_MILLISECONDS}")
                yield connection

    def sessions(self, person_id: str, now: datetime, idle: timedelta) -> list[Session]:
        """The sessions of a person that are not over, the newest first."""
        query = _SESSIONS.where(PERSON.c.person_id == person_id).order_by(SESSION.c.created_at.desc())
        with self.read() as connection:
            found = [_session(row) for row in connection.execute(query)]
        return [each for each in found if each.expires_at > now and each.used_at + idle > now]

    def end_session(self, session_key: str, person_id: str, reason: str, by: By, now: datetime) -> bool:
        """Sign one session of a person out; False when there is none."""
        told = {"person": person_id, "session": session_key, "reason": reason}
        entry = self.record("session.ended", by.actor, by.payload() | told, now, payload_is_the_record=True)
        with suppress(_Nothing), entry as unit:
            whose = sa.select(PERSON.c.record_id).where(PERSON.c.person_id == person_id).scalar_subquery()
            ended = unit.connection.execute(
                SESSION.delete().where(SESSION.c.session_key == session_key, SESSION.c.person_key == whose)
            )
            if not ended.rowcount:
                raise _Nothing
            return True
        return False

    def end_sessions(self, person_id: str, reason: str, by: By, now: datetime, *, but: str = "") -> int:
        """Sign a person out everywhere, but for one session; returns how many there were."""
        told = {"person": person_id, "reason": reason}
        entry = self.record("session.ended", by.actor, by.payload() | told, now, payload_is_the_record=True)
        with suppress(_Nothing), entry as unit:
            whose = sa.select(PERSON.c.record_id).where(PERSON.c.person_id == person_id).scalar_subquery()
            ended = unit.connection.execute(
                SESSION.delete().where(SESSION.c.person_key == whose, SESSION.c.session_key != but)
            )
            if not ended.rowcount:
                raise _Nothing
            return int(ended.rowcount)
        return 0

    def add_ticket(
        self, digest: str, purpose: str, browser: str, content: Mapping[str, object], now: datetime, until: datetime
    ) -> None:
        """Remember something until the next step of a sign-in; what has expired is forgotten meanwhile."""
        with self._writing() as connection:
            connection.execute(TICKET.delete().where(TICKET.c.expires_at <= now))
            values = {"digest": digest, "purpose": purpose, "browser": browser, "expires_at": until}
            connection.execute(TICKET.insert(), values | {"content": canonical_json(content).decode()})

    def ticket(self, digest: str, purpose: str, browser: str, now: datetime) -> dict[str, Any] | None:
        """What was remembered, which stays; None when it is another's, another browser's, used, or too old."""
        with self.read() as connection:
            return _ticket(connection, digest, purpose, browser, now)

    def take_ticket(self, digest: str, purpose: str, browser: str, now: datetime) -> dict[str, Any] | None:
        """What was remembered, and forget it: of two that ask, one is told. None as with `ticket`."""
        with self._writing() as connection:
            content = _ticket(connection, digest, purpose, browser, now)
            if content is not None:
                connection.execute(TICKET.delete().where(TICKET.c.digest == digest))
            return content


class _Nothing(Exception):
    """Nothing was done, so nothing is to be journalled."""


def begin_session(connection: sa.Connection, person: Person, new: NewSession, now: datetime) -> None:
    """Add a session; those that are over, and the oldest of too many, go."""
    connection.execute(SESSION.delete().where(SESSION.c.expires_at <= now))
    mine = sa.select(SESSION.c.digest).where(SESSION.c.person_key == person.key).order_by(SESSION.c.used_at.desc())
    if old := connection.execute(mine.offset(SESSIONS_MAX - 1)).scalars().all():
        connection.execute(SESSION.delete().where(SESSION.c.digest.in_(old)))
    connection.execute(
        SESSION.insert(),
        {
            "digest": new.digest,
            "session_key": new.session_key,
            "person_key": person.key,
            "method": new.method,
            "address": new.address,
            "agent": new.agent,
            "created_at": now,
            "used_at": now,
            "expires_at": new.expires_at,
        },
    )


def _ticket(connection: sa.Connection, digest: str, purpose: str, browser: str, now: datetime) -> dict[str, Any] | None:
    row = connection.execute(
        sa.select(TICKET.c.content).where(
            TICKET.c.digest == digest,
            TICKET.c.purpose == purpose,
            TICKET.c.browser == browser,
            TICKET.c.expires_at > now,
        )
    ).first()
    return None if row is None else dict(orjson.loads(row.content))


def _session(row: Any) -> Session:
    return Session(
        row.session_key,
        person_of(row),
        row.method,
        row.address,
        row.agent,
        row.created_at,
        row.used_at,
        row.expires_at,
    )
