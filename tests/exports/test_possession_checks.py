"""Check 27: reviews of possession or control computed again with the bare install, and every way to lie about one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chains.errors import InvalidValue
from exports.bundle import Bundle
from exports.canonical import canonical_json, parse_canonical_object
from exports.possession.condense import condensed
from exports.possession.document import document
from exports.possession.review import Review, compute
from exports.possession.types import case_place
from exports.possession_records import PossessionReviewRecord
from exports.records import CaseRecord, CaseStatus, Rail
from exports.report import report_text
from exports.reserve.policies import review_policies_at
from exports.selfcheck import refusals
from exports.verdict import CheckStatus
from exports.verify import NAMES
from tests.exports.bare_install import checked_alone
from tests.exports.sample import CREATED, Firm, check, make_firm, not_passed, sample_bundle, verify, write
from tests.verifier.possession.make import TOKEN, A
from tests.verifier.possession.test_document import story

FRIDAY = date(2026, 1, 23)
RECORDED = datetime(2026, 1, 26, 15, 0, tzinfo=UTC)
NUMBER = next(number for number, name in NAMES.items() if name.startswith("possession or control"))


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    return make_firm(tmp_path_factory.mktemp("firm"))


def review(in_dtc: int = 60) -> Review:
    """The story as of the Friday; of A 100 are required, and as many in control as told."""
    inputs = story().inputs
    lines = tuple(replace(each, base_units=in_dtc) if each.base_units == 60 else each for each in inputs.lines)
    lines = tuple(replace(each, since=date(2025, 12, 1)) if each.since else each for each in lines)
    return compute(replace(inputs, as_of=FRIDAY, policies=review_policies_at(FRIDAY), lines=lines))


def record(number: int = 1, *, in_dtc: int = 60, replaces: int = 0, small: bool = False) -> PossessionReviewRecord:
    found = review(in_dtc)
    text = document(condensed(found, 0) if small else found)
    return PossessionReviewRecord(
        review_id=f"PR-{number:06d}",
        as_of=FRIDAY,
        document=text.decode(),
        digest=hashlib.sha256(text).hexdigest(),
        known_at=RECORDED,
        recorded_at=RECORDED + timedelta(minutes=number),
        determined_on=date(2026, 1, 26),
        act_by=date(2026, 1, 27),
        replaces=f"PR-{replaces:06d}" if replaces else "",
        reason="late entry" if replaces else "",
    )


def deficit_case(status: CaseStatus = CaseStatus.OPEN, kind: str = "control_deficit", issue: str = A) -> CaseRecord:
    return CaseRecord(
        case_id="case-control",
        kind=kind,
        status=status,
        rail=Rail.CONTROL,
        location=case_place(issue),  # type: ignore[arg-type]
        asset_id=None,
        base_units=None,
        opened_at=RECORDED,
        text="short",
        tx_ids=(),
        height=None,
        block_hash=None,
        covers=(),
        maker="",
        proposed_at=None,
        checkers=(),
        decided_at=None,
    )


def bundle(*records: PossessionReviewRecord, case: CaseRecord | None = None) -> Bundle:
    base = sample_bundle()
    cases = [*base.cases, case if case is not None else deficit_case()]
    return replace(base, possession_reviews=records, cases=cases)


def refused(made: Bundle) -> list[str]:
    return [reason for reason in refusals(made) if reason.startswith(f"check {NUMBER}")]


@pytest.mark.parametrize("small", [False, True])
def test_reviews_are_computed_again_from_the_bundle(tmp_path: Path, firm: Firm, small: bool) -> None:
    made = bundle(record(1, in_dtc=70), record(2, replaces=1, small=small))
    assert refusals(made) == []
    report = verify(write(tmp_path, firm, made), firm.trusted)
    assert not_passed(report) == []
    assert check(report, NUMBER).compared == 2
    text = report_text(report)
    assert "possession or control: 1 of 4 issues short, 0 unverified, by PR-000002 as of 2026-01-23\n" in text
    assert f"{A}: 100 required, 62 in possession or control\n" not in text  # the transfer is too old by then
    assert f"{A}: 100 required, 60 in possession or control\n" in text


def test_the_bare_install_computes_them_again(tmp_path: Path, firm: Firm) -> None:
    assert checked_alone(tmp_path, firm, bundle(record()), NUMBER) == ("passed", 1)


def test_a_bundle_without_a_review_says_so(tmp_path: Path, firm: Firm) -> None:
    report = verify(write(tmp_path, firm, sample_bundle()), firm.trusted)
    assert report.exit_code == 0
    assert check(report, NUMBER).status is CheckStatus.NOT_REQUESTED
    assert "nothing of possession or control" in check(report, NUMBER).detail


@pytest.mark.parametrize(
    "case",
    [
        deficit_case(CaseStatus.CLOSED),
        deficit_case(kind="shortfall"),
        deficit_case(issue=TOKEN),
    ],
)
def test_a_deficit_without_its_open_case_is_refused(case: CaseRecord) -> None:
    assert any(f"{A} is short" in reason for reason in refused(bundle(record(), case=case)))
    assert refused(bundle(record(in_dtc=100), case=case)) == []
    # What counts is the last review that stands, not one it corrected.
    assert refused(bundle(record(1), record(2, in_dtc=100, replaces=1), case=case)) == []


def reworded(change: Callable[[Any], None], *, small: bool = False) -> PossessionReviewRecord:
    """A document that somebody changed, under a digest that fits it."""
    good = record(small=small)
    value = parse_canonical_object(good.document.encode())
    change(value)
    data = canonical_json(value)
    return replace(good, document=data.decode(), digest=hashlib.sha256(data).hexdigest())


def _no_deficit(value: Any) -> None:
    value["issues"][0]["deficit"] = "0"


def _more_control(value: Any) -> None:
    value["issues"][0]["control"] = "100"


def _owes_less(value: Any) -> None:
    value["inputs"]["owners"][0]["holdings"][0]["fully_paid"] = "60"


def _no_debit(value: Any) -> None:
    value["inputs"]["owners"][1]["debit"] = "99999999"


def _longer_evidence(value: Any) -> None:
    value["inputs"]["lines"][0]["evidence"]["paragraph"] = "c5"


def _in_the_box(value: Any) -> None:
    (loan,) = [each for each in value["inputs"]["lines"] if each["place"] == "bank_loan"]
    loan["place"] = "depository"
    loan["evidence"] = value["inputs"]["lines"][0]["evidence"]


def _no_security(value: Any) -> None:
    value["inputs"]["issues"][0]["kind"] = "not_security"


def _other_policy(value: Any) -> None:
    value["inputs"]["policies"][1]["value"] = "proportional"


def _beyond_all_digits(value: Any) -> None:
    for owner in value["inputs"]["owners"]:
        for holding in owner["holdings"]:
            holding["fully_paid"] = "9" * 4300


def _no_inputs(value: Any) -> None:
    del value["inputs"]


@pytest.mark.parametrize(
    "change",
    [
        _no_deficit, _more_control, _owes_less, _no_debit, _longer_evidence, _in_the_box, _no_security, _other_policy,
        _beyond_all_digits, _no_inputs,
    ],
)  # fmt: skip
def test_a_changed_document_is_refused_whatever_its_digest(
    tmp_path: Path, firm: Firm, change: Callable[[Any], None]
) -> None:
    made = bundle(reworded(change))
    assert refused(made)
    report = verify(write(tmp_path, firm, made), firm.trusted)
    assert (report.exit_code, check(report, NUMBER).status) == (1, CheckStatus.FAILED)


def _smaller_need(value: Any) -> None:
    value["inputs"]["owners"]["needs"][0]["fully_paid"] = "60"


def _need_below_zero(value: Any) -> None:
    value["inputs"]["owners"]["needs"][0]["fully_paid"] = "-1"


def _other_rest(value: Any) -> None:
    value["inputs"]["rest"]["units"][0]["base_units"] = "1"


def _rest_of_a_line(value: Any) -> None:
    value["inputs"]["rest"]["units"].insert(0, {"security_id": A, "base_units": "40"})


@pytest.mark.parametrize("change", [_smaller_need, _need_below_zero, _other_rest, _rest_of_a_line])
def test_changed_sums_are_refused(change: Callable[[Any], None]) -> None:
    assert refused(bundle(reworded(change, small=True)))


@pytest.mark.parametrize(
    ("reviews", "words"),
    [
        ((replace(record(), digest="0" * 64),), "digest is not that of the document"),
        ((replace(record(), as_of=FRIDAY - timedelta(days=1)),), "day is not that of the document"),
        ((replace(record(), as_of=FRIDAY - timedelta(days=6)),), "no business day"),
        ((record(2),), "PR-000001: left out"),
        ((record(1), record(3, in_dtc=70, replaces=1)), "PR-000002: left out"),
        ((record(1), record(2, in_dtc=70)), "stand beside each other"),
        ((record(1), record(2, in_dtc=70, replaces=1), record(3, in_dtc=80, replaces=1)), "replaced 2 times"),
        ((record(1), record(2, in_dtc=70, replaces=3), record(3)), "PR-000002: replaces PR-000003"),
        ((record(1), record(2, in_dtc=70, replaces=9)), "PR-000002: replaces PR-000009"),
        ((record(1), replace(record(2, in_dtc=70, replaces=1), recorded_at=RECORDED)), "not recorded after"),
        ((replace(record(), known_at=RECORDED + timedelta(hours=1)),), "times are not in order"),
        ((replace(record(), recorded_at=CREATED + timedelta(seconds=1)),), "times are not in order"),
        ((replace(record(), determined_on=date(2026, 1, 28), act_by=date(2026, 1, 29)),), "not determined on the day"),
        ((replace(record(), act_by=date(2026, 1, 31)),), "no business day"),
    ],
)
def test_every_lie_beside_a_document_is_found(reviews: tuple[PossessionReviewRecord, ...], words: str) -> None:
    found = refused(bundle(*reviews))
    assert any(words in reason for reason in found), found


def test_a_record_refuses_what_cannot_be() -> None:
    for change in ({"determined_on": FRIDAY}, {"act_by": date(2026, 1, 26)}, {"reason": "x"}, {"replaces": "PR-1"}):
        with pytest.raises(InvalidValue):
            replace(record(), **change)
