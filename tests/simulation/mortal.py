"""A store whose process can die: from then on it does nothing, gives no lease back, and what was open is lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

import sqlalchemy as sa

from verifier.errors import StoreBusy
from verifier.process_identity import ProcessIdentity
from verifier.store import Store
from verifier.store.engine import create_engine
from verifier.store.lease_store import LEASE_SECONDS
from verifier.store.records import Lease
from verifier.store.unit import Unit

_LIVES = count(1)


class Died(BaseException):
    """The end of a process: nothing in the product catches it."""


@dataclass
class Fault:
    """What befalls the so-manieth write of an act: `busy`, or `death` just before its commit."""

    kind: str
    write: int


class MortalStore(Store):
    """A store in a process of its own, as far as others can tell."""

    def __init__(self, engine: sa.Engine) -> None:
        super().__init__(engine, busy_seconds=5.0)
        own = ProcessIdentity.own()
        # Another start than this process has: whoever asks is told that it is gone, which matters once it is.
        self.identity = str(ProcessIdentity(own.host, own.process_id, f"life-{next(_LIVES)}"))
        self.is_dead = False
        self.fault: Fault | None = None
        self.writes = 0

    def die(self) -> None:
        """From now on this process does nothing more."""
        self.is_dead = True
        raise Died

    def take_lease(self, name: str, now: datetime, *, seconds: float = LEASE_SECONDS, holder: str = "") -> Lease:
        """In the name of this life."""
        return super().take_lease(name, now, seconds=seconds, holder=holder or self.identity)

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        if self.is_dead:
            raise Died
        with super()._writing() as connection:
            yield connection

    @contextmanager
    def record(
        self, kind: str, actor: str, payload: Mapping[str, object], recorded_at: datetime, **options: Any
    ) -> Iterator[Unit]:
        """As the store does, unless a fault is due."""
        fault = None
        if self.fault is not None:
            self.writes += 1
            fault = self.fault if self.writes == self.fault.write else None
        if fault is not None and fault.kind == "busy":
            raise StoreBusy("another writer holds the database")
        with super().record(kind, actor, payload, recorded_at, **options) as unit:
            yield unit
            if fault is not None:
                self.die()


def open_mortal(url: str) -> MortalStore:
    """A new process at the database."""
    return MortalStore(create_engine(url, busy_seconds=5.0))
