"""Check 28: positions at custodians judged again with the bare install, and every way to lie about one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from chains.errors import InvalidValue
from chains.types import AssetId, LocationId
from exports.bundle import Bundle
from exports.records import CaseRecord, CaseStatus, CoverRecord, Rail
from exports.report import report_text
from exports.securities.comparison import SecuritiesComparison
from exports.securities.document import digest, document
from exports.securities_records import SecuritiesRunRecord
from exports.selfcheck import refusals
from exports.verdict import CheckStatus
from exports.verify import NAMES
from mapping.books_types import StockPlace
from tests.exports.bare_install import checked_alone
from tests.exports.sample import CREATED, Firm, check, make_firm, not_passed, sample_bundle, verify, write
from tests.verifier.securities.make import AAPL, BANK, DTC, MSFT, given, line, statement
from verifier.custodians.comparing import LedgerClaim, compare

NUMBER = next(number for number, name in NAMES.items() if name.startswith("positions at custodians"))
AT = CREATED - timedelta(hours=20)
DAY = AT.date()


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    return make_firm(tmp_path_factory.mktemp("firm"))


def comparison(dtc: int = 1250) -> SecuritiesComparison:
    """Two positions at DTC, one of them an account without its statement at a bank, one line without a place."""
    found = compare(
        given(
            statement({AAPL: dtc, MSFT: 3}, at=AT),
            ledger={(DTC, AAPL): 1250, (DTC, MSFT): LedgerClaim(3, 0), (BANK, AAPL): 7},
            stock=[
                line("A", StockPlace.DEPOSITORY, 1250, location_id=DTC),
                line("B", StockPlace.DEPOSITORY, 3, MSFT, location_id=DTC),
                line("C", StockPlace.BANK_CUSTODY, 7, location_id=BANK),
                line("D", StockPlace.BANK_CUSTODY, 5, MSFT),
            ],
            due={BANK: ("Bank", AT)},
        )
    )
    return replace(found, as_of=DAY, known_at=CREATED - timedelta(hours=2))


def record(found: SecuritiesComparison | None = None) -> SecuritiesRunRecord:
    found = found if found is not None else comparison()
    text = document(found)
    return SecuritiesRunRecord(
        run_id="SR-000007",
        as_of=found.as_of,
        document=text.decode(),
        digest=digest(text),
        known_at=found.known_at,
        recorded_at=CREATED - timedelta(hours=1),
    )


def case(
    number: int, kind: str, place: LocationId, *covers: AssetId, status: CaseStatus = CaseStatus.OPEN
) -> CaseRecord:
    return CaseRecord(
        case_id=f"case-securities-{number}",
        kind=kind,
        status=status,
        rail=Rail.SECURITIES,
        location=place,
        asset_id=None,
        base_units=None,
        opened_at=AT,
        text="differs",
        tx_ids=(),
        height=None,
        block_hash=None,
        covers=tuple(CoverRecord(place, each) for each in covers),
        maker="",
        proposed_at=None,
        checkers=(),
        decided_at=None,
    )


MISSING = (
    case(1, "unverified", BANK),
    case(2, "unverified", BANK, AAPL.asset_id),
    case(3, "unverified", LocationId("books:unplaced")),
)
SHORT = (case(4, "shortfall", DTC, AAPL.asset_id), case(5, "custodian_mismatch", DTC, AAPL.asset_id))


def bundle(*records: SecuritiesRunRecord, cases: tuple[CaseRecord, ...] = MISSING) -> Bundle:
    base = sample_bundle()
    return replace(base, securities_runs=records, cases=[*base.cases, *cases])


def refused(made: Bundle) -> list[str]:
    return [reason for reason in refusals(made) if reason.startswith(f"check {NUMBER} ")]


def test_positions_are_judged_again_from_the_bundle(tmp_path: Path, firm: Firm) -> None:
    made = bundle(record())
    assert refusals(made) == []
    report = verify(write(tmp_path, firm, made), firm.trusted)
    assert not_passed(report) == []
    assert check(report, NUMBER).compared == 5
    line_text = f"Securities at custodians as of {DAY}: 5 positions, 2 matched, 0 diverged, 3 unverified\n"
    assert line_text in report_text(report)


def test_a_difference_with_its_cases_is_in_order_for_the_check() -> None:
    assert refusals(bundle(record(comparison(1249)), cases=(*MISSING, *SHORT))) == []


def test_the_bare_install_judges_them_again(tmp_path: Path, firm: Firm) -> None:
    assert checked_alone(tmp_path, firm, bundle(record()), NUMBER) == ("passed", 5)


def test_a_bundle_without_a_comparison_says_so(tmp_path: Path, firm: Firm) -> None:
    report = verify(write(tmp_path, firm, sample_bundle()), firm.trusted)
    assert report.exit_code == 0
    assert check(report, NUMBER).status is CheckStatus.NOT_REQUESTED
    assert "nothing of securities at custodians" in check(report, NUMBER).detail


@pytest.mark.parametrize("left_out", range(3))
def test_what_is_not_verified_needs_its_open_case(left_out: int) -> None:
    cases = tuple(each for number, each in enumerate(MISSING) if number != left_out)
    assert len(refused(bundle(record(), cases=cases))) == (0 if left_out == 0 else 1)  # 2 stands at the bank too
    without = tuple(each for each in MISSING if each.location != BANK)
    assert len(refused(bundle(record(), cases=without))) == 2


@pytest.mark.parametrize(
    "cases",
    [
        MISSING,
        (*MISSING, SHORT[0]),
        (*MISSING, SHORT[1]),
        (*MISSING, replace(SHORT[0], status=CaseStatus.CLOSED), SHORT[1]),
        (*MISSING, replace(SHORT[0], kind="excess"), SHORT[1]),
        (*MISSING, replace(SHORT[0], rail=Rail.CONTROL), SHORT[1]),
        (*MISSING, replace(SHORT[0], covers=()), SHORT[1]),
    ],
)
def test_a_difference_needs_its_open_case(cases: tuple[CaseRecord, ...]) -> None:
    reasons = refused(bundle(record(comparison(1249)), cases=cases))
    assert reasons
    assert all("no open case of kind" in each for each in reasons)


def rewritten(before: str, after: str) -> SecuritiesRunRecord:
    """A document changed in one piece, with its digest."""
    made = record(comparison(1249))
    assert before in made.document
    text = made.document.replace(before, after)
    return replace(made, document=text, digest=digest(text.encode()))


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (replace(record(), digest="ab" * 32), "the digest is not that of the document"),
        (replace(record(), as_of=DAY - timedelta(days=1)), "day or time are not those"),
        (replace(record(), known_at=CREATED), "day or time are not those"),
        (replace(record(), recorded_at=CREATED + timedelta(seconds=1)), "not in order, or after"),
        (rewritten('"status":"diverged"', '"status":"matched"'), "another result"),
        (rewritten('"base_units":"1249"', '"base_units":"1250"'), "another result"),
        (rewritten('"matched":1', '"matched":2'), "another result"),
        (rewritten("comparison/1", "comparison/2"), "another result"),
        (rewritten('"unplaced":[', '"unplaced":[ '), "no stored comparison"),
        (record(SecuritiesComparison(DAY, CREATED - timedelta(hours=2), (), (), ())), "nothing was compared"),
    ],
)
def test_a_lie_is_refused(made: SecuritiesRunRecord, words: str) -> None:
    assert any(words in reason for reason in refused(bundle(made, cases=(*MISSING, *SHORT)))), refused(bundle(made))


def test_a_statement_of_the_future_and_a_second_run_are_refused() -> None:
    late = comparison()
    lines = tuple(
        replace(each, stated=tuple(replace(one, as_of=CREATED + timedelta(days=1)) for one in each.stated))
        for each in late.lines
    )
    assert any("after the bundle was made" in each for each in refused(bundle(record(replace(late, lines=lines)))))
    assert any("the newest alone" in each for each in refused(bundle(record(), replace(record(), run_id="SR-000008"))))
    with pytest.raises(InvalidValue):
        replace(record(), recorded_at=AT - timedelta(days=2))
