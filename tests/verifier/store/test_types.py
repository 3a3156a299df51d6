"""The column types: exact on both databases, and strict about what goes in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, cast

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chains.errors import InvalidValue
from chains.types import UINT256_MAX
from mapping.types import Structure
from tests.verifier.conftest import NewUrl
from tests.verifier.store.tamper import tamper
from verifier.errors import StoreError
from verifier.records import Status
from verifier.store import Store
from verifier.store.engine import create_engine
from verifier.store.tables import BalanceObservationRow, table
from verifier.store.types import (
    BaseUnits,
    CanonicalType,
    CivilDate,
    EnumText,
    Flag,
    UtcTime,
    Whole,
    Words,
    base_units_check,
    driver_canonical,
)

VALUES = sa.MetaData()
_SQLITE, _POSTGRESQL = base_units_check("units")
SAMPLE = sa.Table(
    "sample",
    VALUES,
    sa.Column("record_id", Whole(), primary_key=True, autoincrement=False),
    sa.Column("units", BaseUnits()),
    sa.Column("moment", UtcTime()),
    sa.Column("day", CivilDate()),
    sa.Column("flag", Flag()),
    sa.Column("status", EnumText(Status)),
    sa.Column("words", Words()),
    sa.CheckConstraint(_SQLITE, name="sqlite").ddl_if(dialect="sqlite"),
    sa.CheckConstraint(_POSTGRESQL, name="postgresql").ddl_if(dialect="postgresql"),
    sqlite_strict=True,
)


@pytest.fixture
def engine(new_empty_url: NewUrl) -> Iterator[sa.Engine]:
    """A database with the sample table."""
    made = create_engine(new_empty_url())
    with made.execution_options(custody_writes=True).begin() as connection:
        VALUES.create_all(connection)
    yield made
    made.dispose()


units = st.one_of(
    st.integers(-UINT256_MAX, UINT256_MAX),
    st.sampled_from([0, 1, -1, UINT256_MAX, -UINT256_MAX, 2**63, -(2**63), 2**64, 10**77, -(10**77), 2**255]),
)
moments = st.integers(-(10**9), 10**10).map(
    lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
microseconds = st.integers(0, 999_999)
moments = st.builds(lambda moment, part: moment.replace(microsecond=part), moments, microseconds)
words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


@pytest.mark.fault("C12")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(st.none() | units, moments, st.dates(), st.booleans(), st.sampled_from(Status), words),
        min_size=1,
        max_size=5,
    )
)
def test_values_come_back_exactly(
    engine: sa.Engine, rows: list[tuple[int | None, datetime, date, bool, Status, str]]
) -> None:
    """And the driver's raw value has the same canonical form on both databases, which the digests are made of."""
    names = ("units", "moment", "day", "flag", "status", "words")
    with engine.connect().execution_options(custody_writes=True) as connection, connection.begin() as transaction:
        given_rows = [dict(zip(names, row, strict=True)) | {"record_id": key} for key, row in enumerate(rows)]
        connection.execute(SAMPLE.insert(), given_rows)
        found = connection.execute(sa.select(SAMPLE).order_by(SAMPLE.c.record_id)).all()
        raw = connection.exec_driver_sql("SELECT * FROM sample ORDER BY record_id").all()
        transaction.rollback()
    assert [tuple(row)[1:] for row in found] == rows
    for row, raw_row in zip(rows, raw, strict=True):
        for value, raw_value, column in zip(row, raw_row[1:], list(SAMPLE.columns)[1:], strict=True):
            kind = column.type
            assert isinstance(kind, CanonicalType)
            convert = driver_canonical(kind, engine.dialect.name)
            canonical = raw_value if convert is None else convert(raw_value)
            assert canonical == (None if value is None else kind.canonical(value))


@pytest.mark.fault("C12")
@pytest.mark.parametrize(
    "bad", [True, 1.0, Decimal(1), "1", UINT256_MAX + 1, -UINT256_MAX - 1, float("nan"), b"1"], ids=repr
)
def test_base_units_take_only_an_int_of_256_bits(bad: object) -> None:
    with pytest.raises(InvalidValue):
        BaseUnits().canonical(bad)


@pytest.mark.parametrize("good", [0, 1, -1, UINT256_MAX, -UINT256_MAX])
def test_base_units_take_any_int_of_256_bits(good: int) -> None:
    assert BaseUnits().canonical(good) == str(good)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (UtcTime(), datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1)),  # noqa: DTZ001 - the naive one is the point
        (UtcTime(), datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00.000000Z"),
        (UtcTime(), datetime(2026, 1, 1, tzinfo=UTC), date(2026, 1, 1)),
        (CivilDate(), date(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)),
        (CivilDate(), date(2026, 1, 1), "2026-01-01"),
        (Flag(), True, 1),
        (Whole(), 2**53 - 1, 2**53),
        (Whole(), 1, True),
        (Whole(), 1, 1.0),
        (EnumText(Status), Status.MATCHED, "matched"),
        (EnumText(Status), Status.MATCHED, Structure.OMNIBUS),
        (Words(), "1", 1),
        (Words(), "", None),
    ],
    ids=str,
)
def test_each_type_takes_only_its_own_values(kind: CanonicalType, good: object, bad: object) -> None:
    assert kind.canonical(good) is not None
    with pytest.raises(InvalidValue):
        kind.canonical(bad)


def test_a_time_of_another_zone_is_stored_in_utc() -> None:
    eastern = timezone(timedelta(hours=-5))
    assert UtcTime().canonical(datetime(2026, 1, 1, 20, tzinfo=eastern)) == "2026-01-02T01:00:00.000000Z"


@pytest.mark.fault("C12")
@pytest.mark.parametrize(
    "bad", ["1.5", "1e3", "007", "-0", "-", "+1", " 1", "0x1", "1 ", str(UINT256_MAX + 1), "x", ""]
)
def test_sqlite_itself_refuses_text_that_is_no_amount(store: Store, dialect: str, bad: str, database_url: str) -> None:
    if dialect != "sqlite":
        pytest.skip("NUMERIC needs no such check")
    insert = "INSERT INTO balance_observation VALUES (1, 1, 1, 1, 1, 1, '{}', NULL)"
    with pytest.raises(sa.exc.IntegrityError, match="base_units_digits"):
        tamper(database_url, insert.format(bad))
    tamper(database_url, insert.format(-UINT256_MAX))


@pytest.mark.fault("C12")
@pytest.mark.parametrize("bad", [str(UINT256_MAX + 1), "NaN", "Infinity"])
def test_postgresql_itself_refuses_an_amount_out_of_range(
    store: Store, dialect: str, bad: str, database_url: str
) -> None:
    if dialect != "postgresql":
        pytest.skip("text on SQLite has its own check")
    insert = "INSERT INTO balance_observation VALUES (1, 1, 1, 1, 1, 1, '{}', NULL)"
    with pytest.raises(sa.exc.DBAPIError):
        tamper(database_url, insert.format(bad))
    tamper(database_url, insert.format(-UINT256_MAX))


@pytest.mark.fault("C13")
def test_a_row_is_made_of_checked_values_only(store: Store) -> None:
    """A table class checks nothing, so rows are never made through one."""
    row: dict[str, Any] = {"sweep_key": 1, "location_key": 1, "asset_key": 1, "reading_key": 1, "reason": None}
    BalanceObservationRow(**row, base_units=cast("int", "not a number"))
    before = store.head()
    for bad in ("not a number", 1.5, None):
        with (
            pytest.raises((InvalidValue, StoreError)),
            store.record("test", "tests", {}, datetime(2026, 3, 1, tzinfo=UTC)) as unit,
        ):
            unit.add(BalanceObservationRow, **row, base_units=bad)
    with (
        pytest.raises(TypeError, match="no colour"),
        store.record("test", "tests", {}, datetime(2026, 3, 1, tzinfo=UTC)) as unit,
    ):
        unit.add(BalanceObservationRow, **row, base_units=1, colour="red")
    assert store.head() == before
    with store.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(table(BalanceObservationRow))).scalar() == 0
