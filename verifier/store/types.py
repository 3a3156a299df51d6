"""Column types that mean the same on SQLite and on PostgreSQL.

Every column holds one of three canonical values: text, an integer within 64 bits, or NULL. The journal's digests
are made over these, so they do not depend on the database. Amounts are text on SQLite, because its numbers stop
at 64 bits, and NUMERIC(79, 0) on PostgreSQL; both keep every signed uint256 exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from chains.errors import InvalidValue
from chains.types import UINT256_MAX, utc_text

Canonical = str | int | None
"""What a column holds, whatever the database."""

INTEGER_MAX: Final = 2**53 - 1
"""Largest integer column value: what JSON readers keep exact, so digests can be made elsewhere too."""


class CanonicalType(TypeDecorator[Any]):
    """Base of the column types: one canonical form, and how each database stores it."""

    def canonical(self, value: Any) -> Canonical:
        """The canonical form of a Python value that is not None; raises `InvalidValue` for anything unfit."""
        raise NotImplementedError

    def python(self, value: Any) -> Any:
        """The Python value of what the database gave."""
        raise NotImplementedError

    def stored(self, canonical: Canonical, dialect_name: str) -> Any:
        """What is bound for a canonical value."""
        return canonical

    def from_driver(self, value: Any) -> Canonical:
        """The canonical form of what the database driver gave for a value that is not None."""
        return self.canonical(self.python(value))

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """Python to database."""
        return None if value is None else self.stored(self.canonical(value), dialect.name)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Database to Python."""
        return None if value is None else self.python(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any] | None:
        """As `process_result_value`, with one call less for each of the millions of values that a sweep reads."""
        python = self.python
        return lambda value: None if value is None else python(value)


class Words(CanonicalType):
    """Any text."""

    impl = sa.Text
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        """Both databases give text as it is."""

    def canonical(self, value: Any) -> Canonical:
        """Text as it is."""
        if not isinstance(value, str):
            raise InvalidValue(f"text expected, not {type(value).__name__}")
        return str(value)

    def python(self, value: Any) -> str:
        """Text as it is."""
        return str(value)


class Whole(CanonicalType):
    """An integer within ±(2**53 - 1): keys, heights, counts. Never an amount."""

    impl = sa.BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """INTEGER on SQLite, so that a primary key is the row id itself."""
        return sa.Integer() if dialect.name == "sqlite" else sa.BigInteger()

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        """Both databases give the integer itself."""

    def canonical(self, value: Any) -> Canonical:
        """The integer; bool is refused."""
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) > INTEGER_MAX:
            raise InvalidValue(f"a whole number within 53 bits expected, not {value!r}")
        return int(value)

    def python(self, value: Any) -> int:
        """The integer."""
        return int(value)


class BaseUnits(CanonicalType):
    """A signed amount in base units, at most 2**256 - 1 in magnitude; int in, int out, exact."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text on SQLite, NUMERIC(79, 0) on PostgreSQL."""
        return sa.Text() if dialect.name == "sqlite" else postgresql.NUMERIC(79, 0)

    def canonical(self, value: Any) -> Canonical:
        """Decimal digits without leading zeros; only an int is accepted, not bool, float, Decimal or text."""
        if not isinstance(value, int) or isinstance(value, bool):
            raise InvalidValue(f"base units must be an int, not {type(value).__name__}")
        if abs(value) > UINT256_MAX:
            raise InvalidValue("an amount cannot exceed 2**256 - 1 base units")
        return str(int(value))

    def python(self, value: Any) -> int:
        """The integer; a Decimal comes from PostgreSQL and is always whole there."""
        return int(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """Straight to the integer: a sweep reads an amount for each of its holdings."""
        return lambda value: None if value is None else int(value)

    def stored(self, canonical: Canonical, dialect_name: str) -> Any:
        """The digits, or a Decimal of them."""
        return canonical if dialect_name == "sqlite" else Decimal(str(canonical))


class UtcTime(CanonicalType):
    """An aware time in UTC to the microsecond."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text of fixed width on SQLite, so that it sorts as time; TIMESTAMPTZ on PostgreSQL."""
        return sa.Text() if dialect.name == "sqlite" else sa.DateTime(timezone=True)

    def canonical(self, value: Any) -> Canonical:
        """The one text form of a time."""
        if not isinstance(value, datetime):
            raise InvalidValue(f"a time expected, not {type(value).__name__}")
        return utc_text(value)

    def python(self, value: Any) -> datetime:
        """An aware time in UTC."""
        return value.astimezone(UTC) if isinstance(value, datetime) else parse_utc(value)

    def stored(self, canonical: Canonical, dialect_name: str) -> Any:
        """Text, or the time itself."""
        return canonical if dialect_name == "sqlite" else parse_utc(str(canonical))


class CivilDate(CanonicalType):
    """A date of the firm's civil calendar."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """ISO text on SQLite, DATE on PostgreSQL."""
        return sa.Text() if dialect.name == "sqlite" else sa.Date()

    def canonical(self, value: Any) -> Canonical:
        """The ISO form; a time is not a date."""
        if not isinstance(value, date) or isinstance(value, datetime):
            raise InvalidValue(f"a date expected, not {type(value).__name__}")
        return value.isoformat()

    def python(self, value: Any) -> date:
        """The date."""
        return value if isinstance(value, date) else date.fromisoformat(value)

    def stored(self, canonical: Canonical, dialect_name: str) -> Any:
        """Text, or the date itself."""
        return canonical if dialect_name == "sqlite" else date.fromisoformat(str(canonical))


class Flag(CanonicalType):
    """Yes or no; 1 or 0 in canonical form."""

    impl = sa.Boolean
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """INTEGER on SQLite, whose strict tables know no boolean."""
        return sa.Integer() if dialect.name == "sqlite" else sa.Boolean()

    def canonical(self, value: Any) -> Canonical:
        """1 or 0; only a bool is accepted."""
        if not isinstance(value, bool):
            raise InvalidValue(f"a bool expected, not {type(value).__name__}")
        return int(value)

    def python(self, value: Any) -> bool:
        """The bool."""
        return bool(value)

    def stored(self, canonical: Canonical, dialect_name: str) -> Any:
        """The integer, or the bool."""
        return canonical if dialect_name == "sqlite" else bool(canonical)


class EnumText(CanonicalType):
    """A member of an enumeration, stored as its word."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, enumeration: type[StrEnum]) -> None:
        super().__init__()
        self.enumeration = enumeration

    def canonical(self, value: Any) -> Canonical:
        """The member's word; only a member is accepted."""
        if not isinstance(value, self.enumeration):
            raise InvalidValue(f"a {self.enumeration.__name__} expected, not {value!r}")
        return value.value

    def python(self, value: Any) -> StrEnum:
        """The member; a word that is none means the row is damaged."""
        return self.enumeration(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """As `python`, by a look into a dict where the word is one of the enumeration."""
        members, parse = {member.value: member for member in self.enumeration}, self.python
        return lambda value: None if value is None else members.get(value) or parse(value)


def as_driven(*columns: sa.ColumnElement[Any]) -> list[sa.ColumnElement[Any]]:
    """Columns as the database driver gives them, whose values the caller converts (`CanonicalType.python`).

    For the few queries that give a row for each of a firm's holdings: a conversion per value, called from within the
    database library, takes twice as long as reading the row.
    """
    return [sa.type_coerce(column, sa.types.NullType()).label(None) for column in columns]


def parse_utc(text: str) -> datetime:
    """The time of its one text form; raises `InvalidValue` for any other spelling."""
    try:
        moment = datetime.fromisoformat(text)  # lax and quick: what is written again must be the same text
    except ValueError:
        raise InvalidValue(f"{text!r} is not a stored time") from None
    if moment.tzinfo is not UTC or utc_text(moment) != text:
        raise InvalidValue(f"{text!r} is not a stored time")
    return moment


def driver_canonical(column_type: CanonicalType, dialect_name: str) -> Callable[[Any], Canonical] | None:
    """How to bring the driver's value of a column to canonical form; None when it is that already."""
    if dialect_name == "sqlite" or isinstance(column_type, (Words, Whole, EnumText)):
        return None
    return lambda value: None if value is None else column_type.from_driver(value)


def base_units_check(column: str) -> tuple[str, str]:
    """The CHECK of an amount column, for SQLite and for PostgreSQL."""
    digits = f"ltrim({column}, '-')"
    sqlite = (
        f"{column} = '0' OR (({column} GLOB '[1-9]*' OR {column} GLOB '-[1-9]*') "
        f"AND substr({column}, 2) NOT GLOB '*[^0-9]*' "
        f"AND (length({digits}) < 78 OR (length({digits}) = 78 AND {digits} <= '{UINT256_MAX}')))"
    )
    return sqlite, f"abs({column}) <= {UINT256_MAX}"
