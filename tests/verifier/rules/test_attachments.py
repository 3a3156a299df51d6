"""What may be attached: known kinds by their bytes, limited sizes, names that are only names."""

from __future__ import annotations

import hashlib

import pytest

from tests.verifier.store.story import USDX
from verifier.errors import InputError, VersionConflict, WorkflowConflict
from verifier.rules.approval import Party, Standing, Verdict, Waiting, decide, require_unchanged
from verifier.rules.attachments import BYTES_MAX, NAME_MAX, checked_document, clean_name
from verifier.rules.second_approval import approvals_needed


@pytest.mark.fault("F18")
@pytest.mark.parametrize(
    ("given", "clean"),
    [
        ("statement.pdf", "statement.pdf"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/absolute/a.csv", "a.csv"),
        ("a\x00b\n.txt", "ab.txt"),
        ('<img src="x">.png', "img src=x.png"),
        ("\u202egpj.exe", "gpj.exe"),
        ("...", "document"),
        ("", "document"),
        ("x" * 300 + ".pdf", "x" * (NAME_MAX - 9) + ".pdf"),
    ],
)
def test_a_name_is_only_a_name(given: str, clean: str) -> None:
    assert clean_name(given) == clean


@pytest.mark.fault("F18")
def test_the_kind_is_what_the_bytes_say() -> None:
    document = checked_document("really.csv", b"%PDF-1.7\n")
    assert (document.media_type, document.sha256) == ("application/pdf", hashlib.sha256(b"%PDF-1.7\n").hexdigest())
    assert checked_document("a.csv", "client,amount\nC-1,ä\n".encode()).media_type == "text/csv"


@pytest.mark.fault("F18")
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", b""),
        ("a.pdf", b"%PDF-" + b"0" * BYTES_MAX),
        ("a.pdf", b"<html>"),
        ("page.html", b"<script>"),
        ("a.svg", b"<svg/>"),
        ("a.csv", b"\xff\xfe\x00"),
        ("a.txt", b"one\x00two"),
        ("program", b"\x7fELF"),
        ("a.zip", b"PK\x03\x04"),
    ],
)
def test_anything_else_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(InputError):
        checked_document(name, content)


MAKER, CHECKER = Party("Ops Maker", "p-1"), Party("CCO", "p-2")


@pytest.mark.fault("F1")
@pytest.mark.parametrize("checker", [Party("ops maker"), Party("other login", "p-1"), Party("OPS\u00a0MAKER", "p-9")])
def test_one_person_is_no_second_person(checker: Party) -> None:
    with pytest.raises(WorkflowConflict, match="cannot approve"):
        decide(Waiting("CASE-1", MAKER, "d"), Verdict.APPROVE, checker, "d")
    assert decide(Waiting("CASE-1", MAKER, "d"), Verdict.APPROVE, CHECKER, "d") is Standing.APPROVED


def test_two_approvals_are_of_two_people() -> None:
    waiting = Waiting("CASE-1", MAKER, "d", approvals_needed=2)
    assert decide(waiting, Verdict.APPROVE, CHECKER, "d") is Standing.WAITS
    half = Waiting("CASE-1", MAKER, "d", (CHECKER,), 2)
    with pytest.raises(WorkflowConflict, match="already"):
        decide(half, Verdict.APPROVE, Party("deputy", "p-2"), "d")
    assert decide(half, Verdict.APPROVE, Party("deputy", "p-3"), "d") is Standing.APPROVED
    assert decide(half, Verdict.RETURN, MAKER, "other") is Standing.RETURNED


@pytest.mark.fault("F1")
def test_other_facts_are_not_approved() -> None:
    with pytest.raises(VersionConflict):
        decide(Waiting("CASE-1", MAKER, "d"), Verdict.APPROVE, CHECKER, "e")
    require_unchanged("CASE-1", None, "a" * 64)
    require_unchanged("CASE-1", "A" * 12, "a" * 64)
    for seen in ("", "a" * 11, "b" * 64):
        with pytest.raises(VersionConflict):
            require_unchanged("CASE-1", seen, "a" * 64)


@pytest.mark.fault("F24")
@pytest.mark.parametrize(
    ("units", "above", "needed"),
    [
        (-300, {}, 1),
        (-300, {"USDX": "0.000299"}, 2),
        (-300, {"USDX": "0.0003"}, 1),
        (300, {USDX.asset_id: "0.0001"}, 2),
        (None, {"USDX": "1000000"}, 2),
        (300, {"ETH": "0"}, 1),
    ],
)
def test_a_second_approval_is_asked_above_an_amount(units: int | None, above: dict[str, str], needed: int) -> None:
    assert approvals_needed(USDX, units, above) == needed
    assert approvals_needed(None, units, above) == 1
