"""How a type of record is stored: what every codec is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from mapping.types import Record
from verifier.store.tables.base import StoredRow


@dataclass(frozen=True, slots=True)
class Codec:
    """How one type of record is stored, and by which column a few of them are looked up."""

    row_class: type[StoredRow]
    values: Callable[[Any], dict[str, object]]
    """The row's own columns."""
    record: Callable[[Any], Record]
    """The record of a row."""
    lookup_column: str
    lookup_part: int
    """Which part of the natural key `lookup_column` holds."""
    lookup_value: Callable[[str], object] = str
    """The column's value of that part's text; None when no row can have it."""


def fields_of(*names: str) -> Callable[[Any], dict[str, object]]:
    """The columns of a record of which each column is a field of its name."""

    def values(record: Any) -> dict[str, object]:
        return {name: getattr(record, name) for name in names}

    return values


def same_fields(record_type: type[Any], *names: str) -> Callable[[Any], Any]:
    """The record of a row of which each field is a column of its name."""

    def record(row: Any) -> Any:
        return record_type(**{name: getattr(row, name) for name in names})

    return record


def date_or_none(text: str) -> date | None:
    """The day that a text says; None when it says none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
