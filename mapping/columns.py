"""How a file of the sub-ledger is declared: columns with their rules, and how a row becomes a record. Pure.

One declaration gives the importer, the data dictionary, the templates and the check of a posted row, so that
they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Generic, TypeVar

from chains.errors import ChainError, InvalidValue
from mapping.context import RowContext
from mapping.types import Record

WITHHELD: Final = "(not shown)"
"""Stands in a problem for a value that holds a secret."""

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


class Row:
    """The values of one row read so far, by column name; a missing one raises `UnreadableDependency`."""

    __slots__ = ("_values", "context")

    def __init__(self, context: RowContext, values: dict[str, Any]) -> None:
        self.context = context
        self._values = values

    def __getitem__(self, column: str) -> Any:
        try:
            return self._values[column]
        except KeyError:
            raise UnreadableDependency(column) from None


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

    def read(self, header: Sequence[str], fields: Sequence[str], context: RowContext) -> R_co | list[FieldProblem]:
        """The record of one row, or everything that is wrong with it.

        `header` names the columns of `fields`; both have passed the structure checks.
        """
        texts = dict(zip(header, fields, strict=True))
        values: dict[str, Any] = {}
        row = Row(context, values)
        problems: list[FieldProblem] = []
        for column in self.columns:
            text = texts.get(column.name, "")
            if not text:
                if column.required:
                    problems.append(FieldProblem(column.name, "", "a value is required"))
                else:
                    values[column.name] = column.default
                continue
            try:
                values[column.name] = column.parse(text, row)
            except UnreadableDependency:
                continue
            except ChainError as error:
                shown = WITHHELD if getattr(error, "is_secret", False) else text
                problems.append(FieldProblem(column.name, shown, str(error)))
        if problems:
            return problems
        try:
            return self.build(row)
        except InvalidValue as error:
            column_name = getattr(error, "column", "")
            return [FieldProblem(column_name, texts.get(column_name, ""), str(error))]
