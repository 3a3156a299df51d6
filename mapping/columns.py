"""How a file of the sub-ledger is declared: columns with their rules, and how a row becomes a record. Pure.

One declaration gives the importer, the data dictionary, the templates and the check of a posted row, so that
they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Generic, NoReturn, TypeVar

from chains.errors import ChainError, InvalidValue
from mapping.context import RowContext
from mapping.types import Record

WITHHELD: Final = "(not shown)"
"""Stands in a problem for a value that holds a secret."""
_REQUIRED: Final = "a value is required"

Key = tuple[str, ...]
"""The natural key of a record as texts."""

R_co = TypeVar("R_co", bound=Record, covariant=True)


class ColumnProblem(InvalidValue):
    """A row breaks a rule that joins several columns; names the column a person should look at."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column


class UnreadableDependency(Exception):
    """A field cannot be read because another of its row is wrong, which is listed already."""


class Row(dict[str, Any]):
    """The values of one row read so far, by column name; a missing one raises `UnreadableDependency`.

    A dictionary, because the fields of millions of rows are looked up in it.
    """

    __slots__ = ("context",)

    def __init__(self, context: RowContext, values: Mapping[str, Any]) -> None:
        super().__init__(values)
        self.context = context

    def __missing__(self, column: str) -> NoReturn:
        raise UnreadableDependency(column)


FieldParser = Callable[[str, Row], object]
"""Reads a field; may look at the columns declared before it. Raises `InvalidValue`."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file."""

    name: str
    meaning: str
    unit: str
    """What the value counts or how it is written; `text` for plain words."""
    rule: str
    """What makes a value good, for the data dictionary."""
    parse: FieldParser
    required: bool = True
    """An optional column may be empty, or left out of the file."""
    default: object = None
    """The value of an empty optional field."""


class OnChange(Enum):
    """What a row means whose natural key is recorded already with other content."""

    NEW_VERSION = "a new version of the record; the old one stays readable"
    REFUSE = "refused: what was recorded is never changed, a correction is a record of its own"
    SNAPSHOT = "a newer snapshot states the new figure; an older one, or another of the same moment, is refused"


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing wrong in one row."""

    column: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Table(Generic[R_co]):
    """One file: its columns, how a row becomes a record, and what makes two rows the same."""

    name: str
    meaning: str
    record_type: type[R_co]
    columns: tuple[Column, ...]
    build: Callable[[Row], R_co]
    key_columns: tuple[str, ...]
    key: Callable[[Any], Key]
    """The natural key of a record of this table: one text for each of `key_columns`."""
    on_change: OnChange
    examples: tuple[tuple[str, ...], ...]
    """Example rows, one text for each column. The examples of all files fit together."""
    notes: tuple[str, ...] = field(default=())
    """Rules that join several columns, rows or files."""

    @property
    def file_name(self) -> str:
        """The name of the file, for example `clients.csv`."""
        return f"{self.name}.csv"

    @property
    def column_names(self) -> tuple[str, ...]:
        """All columns in their order."""
        return tuple(column.name for column in self.columns)

    @property
    def required_columns(self) -> frozenset[str]:
        """The columns a file must have."""
        return frozenset(column.name for column in self.columns if column.required)

    def reader(self, header: Sequence[str]) -> RowReader[R_co]:
        """What reads the rows of a file whose columns stand in this order, which has passed the structure checks."""
        return RowReader(self, header)


class RowReader(Generic[R_co]):
    """Reads rows of one file: where each column stands is found once, and not for each of millions of rows."""

    def __init__(self, table: Table[R_co], header: Sequence[str]) -> None:
        places = {name: place for place, name in enumerate(header)}
        self._header = tuple(header)
        self._build = table.build
        self._defaults = {column.name: column.default for column in table.columns if not column.required}
        self._absent = [each.name for each in table.columns if each.required and each.name not in places]
        self._columns = [
            (places[each.name], each.name, each.required, each.parse) for each in table.columns if each.name in places
        ]

    def read(self, fields: Sequence[str], context: RowContext) -> R_co | list[FieldProblem]:
        """The record of one row, or everything that is wrong with it: one field for each column of the header."""
        row = Row(context, self._defaults)
        problems = [FieldProblem(name, "", _REQUIRED) for name in self._absent]
        for place, name, required, parse in self._columns:
            text = fields[place]
            if not text:
                if required:
                    problems.append(FieldProblem(name, "", _REQUIRED))
                continue
            try:
                row[name] = parse(text, row)
            except UnreadableDependency:
                row.pop(name, None)  # neither known nor the default: what depends on it cannot be read
            except ChainError as error:
                row.pop(name, None)
                shown = WITHHELD if getattr(error, "is_secret", False) else text
                problems.append(FieldProblem(name, shown, str(error)))
        if problems:
            return problems
        try:
            return self._build(row)
        except InvalidValue as error:
            column_name = getattr(error, "column", "")
            value = fields[self._header.index(column_name)] if column_name in self._header else ""
            return [FieldProblem(column_name, value, str(error))]
