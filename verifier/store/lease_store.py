"""Leases with fencing numbers: two processes on one database never do the same work, and a late one cannot write.

A lease is taken for some time and renewed while the work goes on. Whoever was stopped or cut off for longer loses it:
the next one takes it under a higher number, and every transaction of the first is refused from then on, because the
number is looked at inside the transaction, behind the lock that all writers take (Kleppmann, "How to do distributed
locking", 2016). Where clocks of machines differ, work may be done twice for a while; it is never written twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Any, Final

import sqlalchemy as sa
import structlog

from chains.types import utc_text
from verifier.errors import LeaseHeld, LeaseLost, StoreError
from verifier.process_identity import ProcessIdentity
from verifier.store.engine import Database
from verifier.store.records import Lease
from verifier.store.tables import WorkLeaseRow, table

LEASE: Final = table(WorkLeaseRow)
LEASE_SECONDS: Final = 60.0
"""How long a lease lasts without being renewed."""

log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]


def _clock() -> datetime:
    return datetime.now(UTC)


class LeaseStore(Database):
    """The leases' side of the store."""

    def take_lease(self, name: str, now: datetime, *, seconds: float = LEASE_SECONDS, holder: str = "") -> Lease:
        """Take a lease that is free, was given back, has run out, or whose process of this machine has ended.

        Raises `LeaseHeld`. It leaves no journal entry: who works on what is no record.
        """
        holder = holder or str(ProcessIdentity.own())
        with self._writing() as connection:
            before = connection.execute(sa.select(LEASE).where(LEASE.c.name == name)).one_or_none()
            if before is not None and not self._kept_back(before) and _is_held(before.holder, before.expires_at, now):
                raise LeaseHeld(f"{name} is worked on by {before.holder} until {utc_text(before.expires_at)}")
            lease = Lease(name, 1 if before is None else before.token + 1, holder)
            until = now + timedelta(seconds=seconds)
            values = {"token": lease.token, "holder": holder, "taken_at": now, "expires_at": until}
            if before is None:
                connection.execute(LEASE.insert(), {"name": name, **values})
            else:
                connection.execute(LEASE.update().where(LEASE.c.name == name), values)
        if before is not None and before.holder:
            log.info("lease taken over", lease=name, token=lease.token, from_process=before.holder)
        return lease

    def renew_lease(self, lease: Lease, now: datetime, *, seconds: float = LEASE_SECONDS) -> None:
        """Hold it for longer. Raises `LeaseLost` when another process took it since."""
        with self._writing() as connection:
            renewed = connection.execute(
                LEASE.update().where(LEASE.c.name == lease.name, LEASE.c.token == lease.token, LEASE.c.holder != ""),
                {"expires_at": now + timedelta(seconds=seconds)},
            )
            if not renewed.rowcount:
                raise LeaseLost(f"{lease.name} was taken by another process")

    def give_lease_back(self, lease: Lease, now: datetime) -> None:
        """Let anybody take it at once; nothing happens when somebody did already."""
        with self._writing() as connection:
            connection.execute(
                LEASE.update().where(LEASE.c.name == lease.name, LEASE.c.token == lease.token),
                {"holder": "", "expires_at": now},
            )

    @contextmanager
    def leased(self, name: str, *, seconds: float = LEASE_SECONDS, clock: Clock = _clock) -> Iterator[Lease]:
        """Hold a lease during the block, renewing it; every transaction of this store is fenced by it meanwhile.

        Raises `LeaseHeld` at the start, and `LeaseLost` from the first write after the lease was lost. A lease of the
        same name that this store holds already is used again. The clock is that of the machine: a lease is about
        processes, not about the moment that records speak of.
        """
        if (mine := self.fences.get(name)) is not None:
            yield mine
            return
        lease = self.take_lease(name, clock(), seconds=seconds)
        self.kept_back.pop(name, None)
        self.fences[name] = lease
        ended = Event()
        keeper = Thread(target=self._keep, args=(lease, clock, seconds, ended), name=f"lease {name}", daemon=True)
        keeper.start()
        try:
            yield lease
        finally:
            ended.set()
            keeper.join()
            del self.fences[name]
            try:
                self.give_lease_back(lease, clock())
            except StoreError as error:  # it runs out by itself, or this store takes it again
                self.kept_back[name] = lease
                log.warning("lease not given back", lease=name, code=error.code)

    def _kept_back(self, row: sa.Row[Any]) -> bool:
        lease = self.kept_back.get(row.name)
        return lease is not None and (lease.token, lease.holder) == (row.token, row.holder)

    def _keep(self, lease: Lease, clock: Clock, seconds: float, ended: Event) -> None:
        while not ended.wait(seconds / 4):
            try:
                self.renew_lease(lease, clock(), seconds=seconds)
            except LeaseLost:
                log.warning("lease lost", lease=lease.name, token=lease.token)
                return
            except StoreError as error:
                log.warning("lease not renewed", lease=lease.name, code=error.code)

    def leases(self) -> list[tuple[Lease, datetime, datetime]]:
        """Every lease that was not given back, with when it was taken and when it runs out."""
        query = sa.select(LEASE).where(LEASE.c.holder != "").order_by(LEASE.c.name)
        with self.read() as connection:
            rows = connection.execute(query).all()
        return [(Lease(row.name, row.token, row.holder), row.taken_at, row.expires_at) for row in rows]

    def held_leases(self, names: Collection[str], *, clock: Clock = _clock) -> dict[str, tuple[Lease, bool]]:
        """Those of the leases that were not given back, by name, and whether their process still has each of them."""
        query = sa.select(LEASE).where(LEASE.c.holder != "")
        now = clock()
        with self.read() as connection:
            rows = [row for row in connection.execute(query) if row.name in names]
        return {
            row.name: (Lease(row.name, row.token, row.holder), _is_held(row.holder, row.expires_at, now))
            for row in rows
        }


def _is_held(holder: str, expires_at: datetime, now: datetime) -> bool:
    if not holder or expires_at <= now:
        return False
    process = ProcessIdentity.parse(holder)
    return process is None or not process.is_gone
