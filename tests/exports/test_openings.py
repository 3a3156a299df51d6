"""What a bundle only commits to is opened: exactly that, of this bundle, and no other record or key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from exports.bundle import Bundle
from exports.canonical import canonical_json
from exports.codec import from_object, to_object
from exports.disclosure import pseudonymous_bundle
from exports.errors import DisclosureRefused, OpeningInvalid
from exports.openings import Opening, OpeningHead, open_commitment, read_opening
from exports.profiles import Profile
from exports.report import report_text
from exports.verdict import CheckStatus, VerificationReport
from tests.conformance_bundles.profiles import contents_of, with_documents
from tests.exports.sample import FIRM_SECRET, Firm, make_firm, verify, write
from tests.exports.test_reserve_checks import bundle as reserve_bundle

DOCUMENTS = {"possession_reviews": 27, "reserve_computations": 23}
"""Committed kinds of the sample, and the check that rests on each."""
BUNDLE = replace(with_documents(), reserve_positions=reserve_bundle().reserve_positions)
FULL = contents_of(BUNDLE)
MADE = pseudonymous_bundle(FULL, FIRM_SECRET)


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    return make_firm(tmp_path_factory.mktemp("firm"))


@pytest.fixture(scope="module")
def published(firm: Firm, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("published"), firm, MADE)


def opening(kind: str = "reserve_computations", full: Bundle | None = None, secret: bytes = FIRM_SECRET) -> Opening:
    return open_commitment(contents_of(full) if full else FULL, kind, secret)


def statuses(report: VerificationReport, number: int) -> list[CheckStatus]:
    return [check.status for check in report.checks if check.number == number]


@pytest.mark.fault("E15")
def test_what_was_committed_to_opens_and_what_rests_on_it_is_checked(firm: Firm, published: Path) -> None:
    closed = verify(published, firm.trusted, expected=Profile.PSEUDONYMOUS)
    assert statuses(closed, 33) == []
    one = verify(published, firm.trusted, expected=Profile.PSEUDONYMOUS, openings=[opening()])
    both = verify(published, firm.trusted, openings=[opening(kind) for kind in DOCUMENTS])
    for number, opened_by_one in ((27, CheckStatus.WITHHELD), (23, CheckStatus.PASSED)):
        assert statuses(closed, number) == [CheckStatus.WITHHELD]
        assert statuses(one, number) == [opened_by_one]
        assert statuses(both, number) == [CheckStatus.PASSED]
    assert (one.exit_code, both.exit_code) == (0, 0), report_text(both)
    assert both.count(CheckStatus.WITHHELD) == 0
    assert [(check.subject, check.compared) for check in both.checks if check.number == 33] == [
        (kind, 1) for kind in sorted(DOCUMENTS)
    ]
    assert closed.bundle
    assert both.bundle
    assert not closed.bundle.reserve
    assert both.bundle.reserve, "what the opened records say is told"
    assert both.bundle.digest == closed.bundle.digest


def test_the_same_bundle_and_secret_give_the_same_opening(tmp_path: Path) -> None:
    path = tmp_path / "reserve.opening"
    path.write_bytes(opening().to_bytes())
    assert read_opening(path) == opening()
    assert FIRM_SECRET.hex().encode() not in path.read_bytes()


def another_bundle() -> Bundle:
    return replace(BUNDLE, bundle_id="another-bundle")


def other_records() -> Opening:
    """The records of another kind with the key of this one, named as this one."""
    return replace(opening(), lines=opening("possession_reviews").lines)


def head(**changes: str) -> Opening:
    made = opening()
    return replace(made, head=from_object(OpeningHead, {**to_object(made.head), **changes}))


WRONG: dict[str, Callable[[], Opening]] = {
    "another secret": lambda: opening(secret=bytes(range(1, 33))),
    "one digit of the key": lambda: head(commitment_key="0" * 64),
    "the key of another kind": lambda: head(commitment_key=opening("possession_reviews").head.commitment_key),
    "the records of another kind": other_records,
    "a changed record": lambda: replace(opening(), lines=opening().lines.replace(b"0", b"1", 1)),
    "a record more": lambda: replace(opening(), lines=opening().lines + b"{}\n"),
    "no record": lambda: replace(opening(), lines=b""),
    "another bundle of the firm": lambda: opening(full=another_bundle()),
    "another bundle's digest": lambda: head(full_digest="1" * 64),
    "another bundle's id": lambda: head(bundle_id="another-bundle"),
}


@pytest.mark.fault("E15")
@pytest.mark.parametrize("what", WRONG)
def test_anything_else_is_refused_and_nothing_of_it_is_believed(what: str, firm: Firm, published: Path) -> None:
    report = verify(published, firm.trusted, expected=Profile.PSEUDONYMOUS, openings=[WRONG[what]()])
    assert statuses(report, 33) == [CheckStatus.FAILED]
    assert statuses(report, 23) == [CheckStatus.WITHHELD]
    assert report.exit_code == 1


def test_a_kind_opened_twice_is_refused(firm: Firm, published: Path) -> None:
    report = verify(published, firm.trusted, openings=[opening(), opening()])
    assert statuses(report, 33) == [CheckStatus.PASSED, CheckStatus.FAILED]
    assert report.exit_code == 1


def test_where_nothing_is_committed_to_nothing_is_compared(firm: Firm, tmp_path: Path) -> None:
    report = verify(write(tmp_path, firm, BUNDLE), firm.trusted, openings=[opening()])
    assert (statuses(report, 33), report.exit_code) == ([CheckStatus.NOT_POSSIBLE], 2)
    gone = verify(tmp_path / "none.zip", firm.trusted, openings=[opening()])
    assert (statuses(gone, 33), gone.exit_code) == ([CheckStatus.NOT_POSSIBLE], 2)


def test_only_what_a_bundle_commits_to_is_opened() -> None:
    for kind in ("allocations", "wallets", "nothing"):
        with pytest.raises(DisclosureRefused, match="no bundle commits"):
            opening(kind)
    with pytest.raises(DisclosureRefused, match="nothing was committed"):
        opening("imported_evidence")
    with pytest.raises(DisclosureRefused, match="this is none"):
        open_commitment(contents_of(MADE), "reserve_computations", FIRM_SECRET)


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"{}",
        b"PK\x03\x04",
        canonical_json({**to_object(opening().head), "format_version": 2}),
        canonical_json({**to_object(opening().head), "kind": "secrets"}),
        canonical_json({**to_object(opening().head), "commitment_key": "00"}),
        canonical_json({**to_object(opening().head), "more": 1}),
        b" " + canonical_json(to_object(opening().head)),
    ],
)
def test_what_is_no_opening_is_not_read(first: bytes) -> None:
    assert Opening.parse(opening().to_bytes()) == opening()
    with pytest.raises(OpeningInvalid):
        Opening.parse(first + b"\n" + opening().lines)
    with pytest.raises(OpeningInvalid):
        Opening.parse(first)
