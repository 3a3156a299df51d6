"""Tables of a bundle say what its records say, in the words of a Data Package, and run nothing in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import frictionless
import pytest

from exports.bundle import Bundle
from exports.codec import time_text, to_object
from exports.disclosure import client_bundle
from exports.table_lines import KINDS, defused
from exports.views import PACKAGE, view_files, view_problems
from tests.conformance_bundles.profiles import contents_of
from tests.exports.sample import sample_bundle
from tests.exports.test_hostile_records import full_bundle

FULL = contents_of(full_bundle())


def written(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def errors(folder: Path) -> list[str]:
    """What the frictionless package finds wrong, by its own reading."""
    report = frictionless.validate(str(folder / PACKAGE))
    listed: list[str] = [row[0] for row in report.flatten(["type"])]
    return listed


def rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8"), newline="")))


def test_every_table_is_valid_by_its_own_schema(tmp_path: Path) -> None:
    files = view_files(FULL)
    assert set(files) == {f"{kind}.csv" for kind in KINDS} | {PACKAGE}
    assert errors(written(tmp_path / "good", files)) == []
    wrong = {**files, "balances.csv": files["balances.csv"].replace(b",100,", b",one hundred,")}
    assert set(errors(written(tmp_path / "type", wrong))) >= {"type-error"}
    twice = {**files, "assets.csv": files["assets.csv"] + files["assets.csv"].splitlines(keepends=True)[1]}
    assert set(errors(written(tmp_path / "key", twice))) >= {"primary-key"}
    head, *lines = files["assets.csv"].splitlines(keepends=True)
    fewer = {**files, "assets.csv": head + b"".join(lines[1:])}
    assert set(errors(written(tmp_path / "reference", fewer))) >= {"foreign-key"}


def test_tables_say_what_the_records_say() -> None:
    files = view_files(FULL)
    for kind in KINDS:
        records = [to_object(record) for record in getattr(FULL, kind)]
        told = rows(files[f"{kind}.csv"])
        assert len(told) == len(records)
        for row, record in zip(told, records, strict=True):
            assert {name: cell_of(value) for name, value in record.items()} == row


def cell_of(value: Any) -> str:
    """What a cell holds of a value, by the words of the format and not by the program's."""
    if value is None:
        return ""
    if value is True or value is False:
        return str(value).lower()
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return str(value)


def worded(text: str) -> Bundle:
    base = sample_bundle()
    first, *rest = base.cases
    return replace(base, cases=(replace(first, text=text), *rest))


@pytest.mark.fault("E14")
@pytest.mark.parametrize("text", ["=HYPERLINK(A1)", "+1+1", "-1+1", "@SUM(A1)", "=cmd|' /C calc'!A0"])
def test_a_cell_that_a_spreadsheet_would_run_is_text_and_the_record_keeps_the_truth(text: str) -> None:
    contents = contents_of(worded(text))
    cells = [row["text"] for row in rows(view_files(contents)["cases.csv"])]
    assert f"'{text}" in cells
    assert text not in cells
    assert text in {record.text for record in contents.cases}


@pytest.mark.parametrize(
    ("text", "cell"), [("\t=1", "'\t=1"), ("\r=1", "'\r=1"), ("a=b", "a=b"), ("-5", "-5"), ("", ""), ("-", "'-")]
)
def test_whole_numbers_stay_numbers(text: str, cell: str) -> None:
    assert defused(text) == cell


def test_a_folder_that_says_something_else_is_told_by_its_files(tmp_path: Path) -> None:
    files = view_files(FULL)
    assert list(view_problems(written(tmp_path / "good", files), FULL)) == []
    changed = {**files, "balances.csv": files["balances.csv"].replace(b",100,", b",101,"), "extra.csv": b""}
    del changed["cases.csv"]
    assert list(view_problems(written(tmp_path / "bad", changed), FULL)) == [
        "cases.csv is missing",
        "extra.csv is no table of the bundle",
        "balances.csv does not say what the bundle says",
    ]


def test_the_package_names_the_bundle_and_its_profile() -> None:
    own = contents_of(client_bundle(contents_of(sample_bundle()), "client-3"))
    told = [json.loads(view_files(each)[PACKAGE]) for each in (FULL, own)]
    assert [each["bundle_profile"] for each in told] == ["full", "client"]
    assert {(each["bundle_id"], each["bundle_as_of"]) for each in told} == {
        ("bundle-0001", time_text(FULL.manifest.as_of))
    }
    assert [each["bundle_subject"] for each in told] == ["", "client-3"]
    assert view_files(FULL) == view_files(FULL)
