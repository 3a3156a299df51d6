"""Whole files and folders: all or nothing, digests, names, limits, and bytes of any kind."""

from __future__ import annotations

import hashlib
import io
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chains.types import UINT256_MAX, Asset, AssetId
from mapping.csvfile import CsvLimits
from mapping.errors import UnknownTable
from mapping.importer import ImportOptions, MemoryBook, post_row, read_files
from mapping.tables import TABLES, template
from mapping.types import Allocation
from tests.mapping.desk import BASE, ETH, NOW, OMNIBUS, Desk, at, csv_text, only, plugins


@pytest.mark.fault("B2")
def test_one_bad_row_anywhere_and_nothing_is_given(desk: Desk) -> None:
    good = ({"client_id": "C-3"}, {"client_id": "C-4"})
    assert desk.refused(clients=good, ledger_entries=({"quantity": "1e3"},))
    assert len(desk.give(clients=good, ledger_entries=({},)).records) == 3


@pytest.mark.fault("B13")
def test_the_same_file_again_is_a_noop(desk: Desk) -> None:
    first = desk.take(ledger_entries=({},))
    assert (first.is_noop, first.files[0].already_imported, first.files[0].rows) == (False, False, 1)
    again = desk.give(ledger_entries=({},))
    assert (again.ok, again.is_noop, again.records) == (True, True, ())
    assert again.files[0].already_imported
    assert again.files[0].digest == first.files[0].digest
    assert "imported before" in again.notices[0].text
    other = desk.give(ledger_entries=({"entry_id": "E-2"},))
    assert not other.is_noop


@pytest.mark.fault("B13", "B14")
def test_the_digest_and_line_of_every_row_are_kept(desk: Desk) -> None:
    result = desk.give(clients=({"client_id": "C-3"}, {"client_id": "C-4"}))
    digest = hashlib.sha256((desk.folder / "clients.csv").read_bytes()).hexdigest()
    assert result.files[0].digest == digest
    assert [(row.origin.source, row.origin.digest, row.origin.line) for row in result.records] == [
        ("clients.csv", digest, 2),
        ("clients.csv", digest, 3),
    ]


def test_a_folder_is_read_by_the_names_of_its_files(tmp_path: Path) -> None:
    for table in TABLES:
        (tmp_path / table.file_name).write_text(template(table.name), encoding="utf-8")
    (tmp_path / "README.txt").write_text("hello", encoding="utf-8")
    (tmp_path / "old").mkdir()
    book, options = MemoryBook(), ImportOptions(now=NOW)
    result = read_files([tmp_path], book, options, plugins)
    assert result.ok
    assert sorted(notice.file for notice in result.notices) == ["README.txt", "old", "wallet_descriptors.csv"]
    assert [file.table for file in result.files] == [table.name for table in TABLES]
    for wrong in ("customers.csv", "Clients.CSV", "allocations (1).csv"):
        stray = tmp_path / wrong
        stray.write_text("a,b\n", encoding="utf-8")
        bad = read_files([tmp_path], book, options, plugins)
        assert [problem.file for problem in bad.problems] == [wrong]
        stray.unlink()


def test_a_file_given_by_itself_must_be_a_known_one(desk: Desk) -> None:
    path = desk.folder / "notes.txt"
    path.write_text("hello", encoding="utf-8")
    problem = only(read_files([path], desk.book, desk.options, plugins).problems)
    assert "clients.csv" in problem.reason
    missing = only(read_files([desk.folder / "prices.csv"], desk.book, desk.options, plugins).problems)
    assert (missing.file, missing.line) == ("prices.csv", 0)


def test_two_files_of_one_name_are_not_guessed_between(desk: Desk) -> None:
    path = desk.write(prices=({},))[0]
    other = desk.folder / "other"
    other.mkdir()
    (other / "prices.csv").write_text(csv_text("prices", ({"price": "1"},)), encoding="utf-8")
    assert "two files" in only(read_files([path, other], desk.book, desk.options, plugins).problems).reason
    assert read_files([path], desk.book, desk.options, plugins).ok


@pytest.mark.fault("G2")
def test_importing_nothing_is_a_failure(desk: Desk, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for paths in ([], [empty], desk.write(prices=())):
        result = read_files(paths, desk.book, desk.options, plugins)
        assert "not a single row" in only(result.problems).reason
    assert desk.give(prices=(), clients=({"client_id": "C-3"},)).ok


@pytest.mark.fault("G2", "B2")
def test_another_layout_of_columns_is_never_zero_rows(desk: Desk) -> None:
    problems = desk.refused(prices="asset;currency;price\nETH;USD;1\n")
    assert {problem.line for problem in problems} == {1}


@pytest.mark.fault("B1")
@pytest.mark.parametrize(
    ("data", "good"),
    [
        (lambda text: text.encode(), True),
        (lambda text: b"\xef\xbb\xbf" + text.encode(), True),
        (lambda text: text.replace("\n", "\r\n").encode(), True),
        (lambda text: text.encode("utf-16"), False),
        (lambda text: text.encode("latin-1"), False),
        (lambda text: text.replace("Zoë", "Zo\x00").encode(), False),
        (lambda text: text.replace("\n", "\r\n", 1).encode(), False),
        (lambda text: text.replace("Zoë", "\ufeffZoë").encode(), False),
        (lambda text: text.encode()[:-1], False),
        (lambda text: text.replace("Zoë", '"Zoë').encode(), False),
    ],
)
def test_one_encoding(desk: Desk, data: object, good: bool) -> None:
    assert callable(data)
    text = csv_text("clients", ({"client_id": "C-3", "name": "Zoë"},))
    assert desk.give(clients=data(text)).ok is good


@pytest.mark.fault("B15")
def test_limits_stop_an_import_before_it_is_parsed(desk: Desk) -> None:
    rows = tuple({"client_id": f"C-{number}"} for number in range(100, 200))
    size = len(csv_text("clients", rows))
    for limits, good in (
        (CsvLimits(bytes_max=size), True),
        (CsvLimits(bytes_max=size - 1), False),
        (CsvLimits(rows_max=100), True),
        (CsvLimits(rows_max=99), False),
    ):
        desk.options = ImportOptions(limits=limits, now=NOW)
        assert desk.give(clients=rows).ok is good


@pytest.mark.fault("B2", "B15")
def test_the_list_of_problems_is_bounded_and_the_rest_counted(desk: Desk) -> None:
    desk.options = ImportOptions(limits=CsvLimits(problems_max=20), now=NOW)
    rows = tuple({"client_id": f"C-{number}", "opened_on": "never"} for number in range(100))
    result = desk.give(clients=rows)
    assert (len(result.problems), result.problems_omitted, result.records) == (20, 80, ())


@pytest.mark.fault("B15")
def test_a_large_bad_file_needs_little_memory(desk: Desk) -> None:
    header = csv_text("clients", ())
    text = io.StringIO()
    text.write(header)
    for number in range(30_000):
        text.write(f"C-{number},Name,never,\n")
    path = desk.write(clients=text.getvalue())[0]
    del text
    tracemalloc.start()
    result = read_files([path], desk.book, desk.options, plugins)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (len(result.problems), result.problems_omitted) == (1000, 29_000)
    assert peak < 6_000_000


def test_a_posted_row_is_checked_like_a_row_of_a_file(desk: Desk) -> None:
    good = desk.post("ledger_entries")
    assert (good.ok, good.records[0].origin.source, good.records[0].origin.line) == (True, "posted", 1)
    desk.keep(good)
    again = desk.post("ledger_entries")
    assert (again.is_noop, again.files[0].already_imported) == (True, True)
    assert "never changed" in only(desk.post("ledger_entries", quantity="3").problems).reason
    wrong = post_row("clients", {"client_id": "C 9", "nome": "x"}, desk.book, desk.options, plugins)
    assert [problem.column for problem in wrong.problems] == ["nome"]
    empty = post_row("clients", {}, desk.book, desk.options, plugins)
    assert [problem.column for problem in empty.problems] == ["client_id", "name", "opened_on"]
    long = desk.post("clients", client_id="C-9", name="x" * 5000)
    assert "longer than" in only(long.problems).reason
    with pytest.raises(UnknownTable):
        post_row("users", {}, desk.book, desk.options, plugins)


def test_the_order_of_posted_columns_does_not_matter(desk: Desk) -> None:
    values = {"client_id": "C-9", "name": "Nine", "opened_on": "2026-01-02"}
    turned = dict(reversed(values.items()))
    one = post_row("clients", values, desk.book, desk.options, plugins)
    other = post_row("clients", turned, desk.book, desk.options, plugins)
    assert one.records == other.records
    assert one.files == other.files


def test_an_import_in_the_order_of_names_not_of_paths(empty_desk: Desk) -> None:
    paths = empty_desk.write(**BASE)
    result = read_files(list(reversed(paths)), empty_desk.book, empty_desk.options, plugins)
    assert result.ok
    assert [file.table for file in result.files] == [
        "clients",
        "assets",
        "wallets",
        "pools",
        "reserve_accounts",
        "accounts",
        "clearing_agencies",
    ]


QUICK = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.mark.fault("B1", "B2")
@QUICK
@given(table=st.sampled_from(TABLES), data=st.binary(max_size=300), keep=st.integers(0, 400))
def test_no_bytes_make_the_importer_crash(desk: Desk, table: object, data: bytes, keep: int) -> None:
    declared = next(each for each in TABLES if each is table)
    whole = template(declared.name).encode()
    result = desk.give(**{declared.name: whole[:keep] + data + whole[keep:]})
    assert result.ok or result.records == ()


@pytest.mark.fault("B3", "B6")
@QUICK
@given(
    table=st.sampled_from(TABLES),
    position=st.integers(0, 20),
    text=st.text(st.characters(exclude_characters='",\n\r\x00', exclude_categories=["Cs"]), max_size=40),
)
def test_no_value_makes_the_importer_crash(desk: Desk, table: object, position: int, text: str) -> None:
    declared = next(each for each in TABLES if each is table)
    column = declared.column_names[position % len(declared.columns)]
    result = desk.give(**{declared.name: ({column: text},)})
    if not result.ok:
        assert result.records == ()
        assert all(len(problem.value) <= 80 and problem.value.isprintable() for problem in result.problems)


@pytest.mark.fault("B6", "C12")
@QUICK
@given(units=st.integers(0, UINT256_MAX))
def test_every_quantity_arrives_exactly(desk: Desk, units: int) -> None:
    ether = Asset(AssetId(ETH), "ETH", 18)
    result = desk.give(allocations=({"quantity": ether.format_quantity(units), "location": at(OMNIBUS)},))
    row = result.records[0].record
    assert isinstance(row, Allocation)
    assert row.base_units == units
