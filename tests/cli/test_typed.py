"""What people type, as values: what is no day, no moment, no person and no file is bad input, said in one sentence."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from verifier.cli import output
from verifier.cli.typed import day_of, moment_of, numbered_digest, person_of, read_file, write_new
from verifier.errors import InputError

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_a_day_is_a_day_of_the_calendar() -> None:
    assert day_of("2026-02-28") == date(2026, 2, 28)
    for text in ("2026-02-29", "20260228", "28.02.2026", ""):
        with pytest.raises(InputError):
            day_of(text)


def test_a_moment_has_its_zone_and_is_now_when_none_is_named() -> None:
    assert moment_of("2026-01-31T23:59:59-05:00", NOW) == datetime(2026, 2, 1, 4, 59, 59, tzinfo=UTC)
    assert moment_of("", NOW) == NOW
    for text in ("2026-01-31T23:59:59", "2026-01-31", "now"):
        with pytest.raises(InputError):
            moment_of(text, NOW)


def test_whoever_acts_is_named() -> None:
    assert person_of(" ops.maker ") == "ops.maker"
    with pytest.raises(InputError, match="--actor PERSON"):
        person_of("  ")


def test_a_file_is_read_to_one_byte_more_than_it_may_have(tmp_path: Path) -> None:
    (tmp_path / "some").write_bytes(b"12345")
    assert read_file(tmp_path / "some") == b"12345"
    assert read_file(tmp_path / "some", 3) == b"1234"
    for none in (tmp_path / "other", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            read_file(none)


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    write_new(tmp_path / "new", b"first")
    with pytest.raises(InputError, match="not overwritten"):
        write_new(tmp_path / "new", b"second")
    assert (tmp_path / "new").read_bytes() == b"first"
    with pytest.raises(InputError, match="cannot be written"):
        write_new(tmp_path / "nowhere" / "new", b"first")


def test_of_many_problems_some_are_shown_and_all_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    output.show_problems([f"line {number}" for number in range(output.PROBLEMS_SHOWN + 1)], omitted=2)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == output.PROBLEMS_SHOWN + 1
    assert lines[-1] == "203 problems, 3 of them not shown; nothing was stored."
    output.show_problems(["line 1"])
    assert capsys.readouterr().out.splitlines()[-1] == "1 problem; nothing was stored."


def test_a_number_with_its_digest_is_one_spelling() -> None:
    digest = "0a" * 32
    assert numbered_digest(f"18:{digest.upper()}") == (18, digest)
    assert numbered_digest("") is None
    for text in ("18", f"0:{digest}", f"-1:{digest}", f"18:{digest[:-1]}", f"18:{digest[:-1]}g", f":{digest}"):
        with pytest.raises(InputError, match="N:SHA256"):
            numbered_digest(text)
