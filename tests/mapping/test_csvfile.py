"""The form of a file: encoding, line ends, quotes, shape, limits; every problem with its position."""

from __future__ import annotations

import hashlib
import io
import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.csvfile import CsvLimits, CsvReader, CsvRow, Problems, copy_file
from mapping.types import Problem

LIMITS = CsvLimits()
COLUMNS = ("client_id", "name", "note")
REQUIRED = ("client_id", "name")
HEADER = b"client_id,name,note\n"


def read(data: bytes, limits: CsvLimits = LIMITS) -> tuple[list[CsvRow], list[Problem]]:
    """The rows and problems of a file of these bytes."""
    problems = Problems(limits.problems_max)
    reader = CsvReader(io.BytesIO(data), "clients.csv", COLUMNS, REQUIRED, limits, problems)
    return list(reader.rows()), problems.listed


def fields(data: bytes) -> list[list[str]]:
    """The fields of the rows of a good file."""
    rows, problems = read(data)
    assert problems == []
    return [row.fields for row in rows]


def refused(data: bytes, *texts: str, line: int, limits: CsvLimits = LIMITS) -> None:
    """The file has exactly one problem, on this line, and its reason has these words."""
    _, problems = read(data, limits)
    assert len(problems) == 1, [str(problem) for problem in problems]
    assert problems[0].line == line
    for text in texts:
        assert text in str(problems[0])


@pytest.mark.fault("B1", "B2")
@pytest.mark.parametrize(
    "data",
    [
        HEADER + b"C-1,One,x\n",
        b"\xef\xbb\xbf" + HEADER + b"C-1,One,x\n",
        b"client_id,name,note\r\nC-1,One,x\r\n",
        HEADER + b'"C-1","One","x"\n',
        HEADER + b"C-1,One,x\n# rows: 1\n",
    ],
)
def test_good_forms_of_one_row(data: bytes) -> None:
    assert fields(data) == [["C-1", "One", "x"]]


def test_lines_are_numbered_as_an_editor_does() -> None:
    rows, problems = read(HEADER + b"C-1,One,\nC-2,Two,\n")
    assert problems == []
    assert [row.line for row in rows] == [2, 3]


def test_columns_may_be_in_any_order_and_optional_ones_left_out() -> None:
    problems = Problems(10)
    reader = CsvReader(io.BytesIO(b"name,client_id\nOne,C-1\n"), "f", COLUMNS, REQUIRED, LIMITS, problems)
    assert [row.fields for row in reader.rows()] == [["One", "C-1"]]
    assert reader.header == ["name", "client_id"]
    assert problems.count == 0


def test_quoted_fields() -> None:
    assert fields(HEADER + b'C-1,"One, ""the"" first",\n') == [["C-1", 'One, "the" first', ""]]
    assert fields(HEADER + b'C-1,"",""\n') == [["C-1", "", ""]]


@pytest.mark.fault("B1")
def test_bytes_that_are_not_utf8_are_named_by_position() -> None:
    refused(HEADER + b"C-1,Zo\xeb,\n", "byte 26", "0xeb", "UTF-8", line=2)
    refused(b"\xef\xbb\xbf" + HEADER + b"C-1,Zo\xeb,\n", "byte 29", "0xeb", line=2)
    refused(HEADER + b"C-1,\xed\xa0\x80,\n", "byte 24", "UTF-8", line=2)  # a lone surrogate
    refused(HEADER + b"C-1,\xc0\xaf,\n", "byte 24", line=2)  # an overlong slash


@pytest.mark.fault("B1")
def test_utf16_is_named() -> None:
    for encoding in ("utf-16-le", "utf-16-be"):
        mark = "\ufeff".encode(encoding)
        refused(mark + "client_id,name\nC-1,One\n".encode(encoding), "UTF-16", line=1)


@pytest.mark.fault("B1")
def test_nul_is_named_by_position() -> None:
    refused(HEADER + b"C-1,O\x00ne,\n", "byte 25", "NUL", line=2)
    _, problems = read("client_id,name\nC-1,One\n".encode("utf-16-le"))
    assert "NUL" in problems[0].reason


@pytest.mark.fault("B1")
@pytest.mark.parametrize(
    ("data", "line"),
    [
        (HEADER + b"C-1,One,\r\nC-2,Two,\n", 2),
        (b"client_id,name,note\r\nC-1,One,\r\nC-2,Two,\nC-3,Three,\r\n", 3),
        (HEADER + b"C-1,One,\rC-2,Two,\n", 2),
    ],
)
def test_mixed_line_ends_are_noted_once(data: bytes, line: int) -> None:
    refused(data, "line ends are mixed", line=line)


@pytest.mark.fault("B2")
def test_every_problem_of_a_header_is_listed() -> None:
    rows, problems = read(b"client_id,client_id,Name,extra\nC-1,C-1,One,x\n")
    assert rows == []
    assert [(problem.column, problem.line) for problem in problems] == [
        ("client_id", 1),
        ("Name", 1),
        ("extra", 1),
        ("name", 1),
    ]
    assert "twice" in problems[0].reason
    assert "write name" in problems[1].reason
    assert "missing" in problems[3].reason


@pytest.mark.fault("B2")
def test_rows_under_a_wrong_header_are_still_checked_for_their_shape() -> None:
    _, problems = read(b"client_id,nome\nC-1,One\nC-2\n")
    assert [problem.line for problem in problems] == [1, 1, 3]


@pytest.mark.fault("B2")
def test_ragged_rows_are_listed_with_both_counts() -> None:
    rows, problems = read(HEADER + b"C-1,One\nC-2,Two,\nC-3,Three,,\n")
    assert [row.fields[0] for row in rows] == ["C-2"]
    assert [problem.line for problem in problems] == [2, 4]
    assert "2 fields" in problems[0].reason
    assert "4 fields" in problems[1].reason


@pytest.mark.fault("B2")
@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b'C-1,"One,\n', "not closed"),
        (b'C-1,"One""\n', "not closed"),
        (b'C-1,"\n', "not closed"),
        (b'C-1,"One" x,\n', "follows a closing quote"),
        (b'C-1,O"ne,\n', "inside a field"),
    ],
)
def test_wrong_quotes_are_named_and_the_next_row_is_read(row: bytes, reason: str) -> None:
    rows, problems = read(HEADER + row + b"C-2,Two,\n")
    assert [(problem.line, reason in problem.reason) for problem in problems] == [(2, True)]
    assert [each.fields for each in rows] == [["C-2", "Two", ""]]


@pytest.mark.fault("B2")
def test_long_fields_and_lines_are_refused_at_the_limit() -> None:
    limits = CsvLimits(field_characters_max=10, line_bytes_max=40)
    assert read(HEADER + b"C-1," + b"x" * 10 + b",\n", limits)[1] == []
    refused(HEADER + b"C-1," + b"x" * 11 + b",\n", "longer than 10 characters", "[name]", line=2, limits=limits)
    rows, problems = read(HEADER + b"C-1," + b"x" * 200 + b",\nC-2,Two,\n", limits)
    assert [problem.line for problem in problems] == [2]
    assert "longer than 40 bytes" in problems[0].reason
    assert [row.line for row in rows] == [3]


@pytest.mark.fault("B2")
def test_empty_lines_and_empty_files_are_problems() -> None:
    refused(HEADER + b"C-1,One,\n\nC-2,Two,\n", "empty", line=3)
    refused(b"", "the file is empty", line=0)
    refused(b"\n", "the line is empty", line=1)


@pytest.mark.fault("B14")
def test_a_file_cut_in_a_line_is_noticed() -> None:
    whole = HEADER + b"C-1,One,1000.00\n"
    assert read(whole)[1] == []
    for length in range(len(HEADER) + 1, len(whole)):
        _, problems = read(whole[:length])
        assert any("may be cut" in problem.reason for problem in problems), length


@pytest.mark.fault("B14")
def test_a_file_cut_between_lines_is_noticed_by_its_row_count() -> None:
    assert read(HEADER + b"C-1,One,\nC-2,Two,\n# rows: 2\n")[1] == []
    refused(HEADER + b"C-1,One,\n# rows: 2\n", "says it has 2 rows, but has 1", line=3)
    refused(HEADER + b"C-1,One,\n# rows: 1\nC-2,Two,\n", "not the last", line=3)
    refused(HEADER + b"C-1,One,\n# rows: one\n", "# rows: 123", line=3)


@pytest.mark.fault("B15")
def test_reading_stops_at_the_row_limit() -> None:
    limits = CsvLimits(rows_max=3)
    assert len(read(HEADER + b"C-1,One,\n" * 3, limits)[0]) == 3
    rows, problems = read(HEADER + b"C-1,One,\n" * 100, limits)
    assert len(rows) == 3
    assert [problem.line for problem in problems] == [5]


@pytest.mark.fault("B2", "B15")
def test_problems_beyond_the_limit_are_counted() -> None:
    problems = Problems(5)
    reader = CsvReader(io.BytesIO(HEADER + b"C-1\n" * 12), "f", COLUMNS, REQUIRED, LIMITS, problems)
    assert list(reader.rows()) == []
    assert (len(problems.listed), problems.count, problems.omitted) == (5, 12, 7)


@pytest.mark.fault("B14")
def test_a_copy_has_the_digest_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "clients.csv"
    data = HEADER + b"C-1,One,\n" * 5000
    path.write_bytes(data)
    problems = Problems(10)
    copy = copy_file(path, path.name, LIMITS, problems)
    assert copy is not None
    with copy:
        path.write_bytes(HEADER)
        assert copy.stream.read() == data
    assert copy.digest == hashlib.sha256(data).hexdigest()
    assert copy.byte_count == len(data)
    assert problems.count == 0


@pytest.mark.fault("B14")
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "clients.csv"
    path.write_bytes(HEADER + b"C-1,One,\n")
    sha256 = hashlib.sha256

    class Appending:
        """A digest during whose making another program appends to the file, once."""

        def __init__(self) -> None:
            self._digest = sha256()
            self._appended = False

        def update(self, data: bytes) -> None:
            self._digest.update(data)
            if not self._appended:
                self._appended = True
                with path.open("ab") as file:
                    file.write(b"C-2,Two,\n")

        def hexdigest(self) -> str:
            return self._digest.hexdigest()

    monkeypatch.setattr("mapping.csvfile.hashlib.sha256", Appending)
    problems = Problems(10)
    assert copy_file(path, path.name, LIMITS, problems) is None
    assert ["changed while it was read" in problem.reason for problem in problems.listed] == [True]


@pytest.mark.fault("B15")
def test_a_file_over_the_size_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "clients.csv"
    path.write_bytes(b"")
    os.truncate(path, 5 * 1024**3)  # sparse: nothing is written
    problems = Problems(10)
    assert copy_file(path, path.name, LIMITS, problems) is None
    assert "larger than 2147483648 bytes" in problems.listed[0].reason
    exact = tmp_path / "exact.csv"
    exact.write_bytes(HEADER)
    copy = copy_file(exact, "exact.csv", CsvLimits(bytes_max=len(HEADER)), Problems(10))
    assert copy is not None
    with copy:
        assert copy.stream.read() == HEADER
    assert copy_file(exact, "exact.csv", CsvLimits(bytes_max=len(HEADER) - 1), Problems(10)) is None


@pytest.mark.fault("B15")
def test_what_is_no_file_is_a_problem(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    for path in (tmp_path / "missing.csv", tmp_path / "pipe.csv", tmp_path):
        problems = Problems(10)
        assert copy_file(path, path.name, LIMITS, problems) is None
        assert problems.count == 1


@pytest.mark.fault("B15")
def test_memory_does_not_grow_with_the_file() -> None:
    class Endless(io.RawIOBase):
        """A file of 200,000 rows that is nowhere whole."""

        def __init__(self) -> None:
            self.left = 200_001

        def readline(self, size: int | None = -1, /) -> bytes:
            self.left -= 1
            return HEADER if self.left == 200_000 else b"C-1,One,note\n" if self.left >= 0 else b""

    problems = Problems(10)
    reader = CsvReader(Endless(), "clients.csv", COLUMNS, REQUIRED, LIMITS, problems)  # type: ignore[arg-type]
    tracemalloc.start()
    count = sum(1 for _ in reader.rows())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 200_000
    assert peak < 1_000_000


@pytest.mark.fault("B1", "B2")
@given(st.binary(max_size=400))
def test_no_bytes_make_the_reader_crash(data: bytes) -> None:
    for prefix in (b"", HEADER):
        rows, _ = read(prefix + data, CsvLimits(line_bytes_max=64, field_characters_max=30))
        assert all(len(row.fields) == len(rows[0].fields) for row in rows)


@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=20), min_size=3, max_size=3
        ),
        max_size=8,
    )
)
def test_what_is_quoted_comes_back(rows: list[list[str]]) -> None:
    lines = [",".join('"' + field.replace('"', '""') + '"' for field in row) for row in rows]
    assert fields(HEADER + "".join(line + "\n" for line in lines).encode()) == rows
