"""The database: SQLite by default, PostgreSQL by URL. Importing this loads SQLAlchemy; commands do it when needed."""

from __future__ import annotations

from verifier.store.mapping_store import Applied
from verifier.store.records import (
    Case,
    CaseAct,
    CaseEvent,
    CaseSeen,
    IssuedBundle,
    JournalHead,
    Judged,
    Sighted,
    SweepStart,
)
from verifier.store.store import Store, open_store

__all__ = [
    "Applied",
    "Case",
    "CaseAct",
    "CaseEvent",
    "CaseSeen",
    "IssuedBundle",
    "JournalHead",
    "Judged",
    "Sighted",
    "Store",
    "SweepStart",
    "open_store",
]
