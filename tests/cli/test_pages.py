"""`custody verifier-page`: the page is written whole, once, and is the one that the tests of both verifiers try."""

from __future__ import annotations

from pathlib import Path

from exports.verifier_page import page_bytes
from tests.cli.command import custody


def test_the_page_is_written_and_nothing_is_written_over(tmp_path: Path) -> None:
    page = tmp_path / "verify.html"
    assert custody("verifier-page", "--out", page, "--json").json == {"file": str(page)}
    assert page.read_bytes() == page_bytes()
    page.write_text("mine")
    assert custody("verifier-page", "-o", page, "--json").error == "bad-input"
    assert page.read_text() == "mine"
    assert custody("verifier-page", "--out", tmp_path / "no" / "page.html", "--json").error == "bad-input"


def test_people_are_told_where_it_is(tmp_path: Path) -> None:
    run = custody("verifier-page", "--out", tmp_path / "verify.html")
    assert run.code == 0
    assert "written" in run.out
