"""What a run leaves: the exceptions that were open, who explained them, and an archive in which any change is found."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from exports.possession.document import document
from tests.verifier.possession.make import Record, account, books
from tests.verifier.possession.make import review as review_of
from tests.verifier.reserve.firm import FRIDAY, MONDAY_NOON, SETTINGS, cash, open_reserve, say
from tests.verifier.reserve.test_rail import compute
from verifier.after_runs import finish_runs, try_finish_runs
from verifier.archive import add_record, retain_until, verify_archive
from verifier.config import ArchiveSettings, Settings, SupervisionSettings
from verifier.errors import ArchiveError, InputError
from verifier.journal import verify_journal
from verifier.open_exceptions import close_of, open_at
from verifier.records import FindingKind
from verifier.reserve_cases import look
from verifier.store import CaseAct, Store
from verifier.store.records import ArchiveKind

WSP = "WSP 12.3, customer protection"
FRIDAY_EVENING = MONDAY_NOON - timedelta(days=3) + timedelta(hours=6)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """With an archive of the test's own, and a section of procedures."""
    archive = ArchiveSettings(folder=tmp_path / "archive")
    return SETTINGS.model_copy(update={"archive": archive, "supervision": SupervisionSettings(wsp_section=WSP)})


@pytest.fixture
def short(store: Store) -> Store:
    """100.00 too little since Friday, when it was projected and a case was opened."""
    open_reserve(store, now=FRIDAY_EVENING)
    look(store, SETTINGS, "clock", FRIDAY_EVENING + timedelta(minutes=1))
    assert {each.finding.kind for each in store.cases()} >= {FindingKind.PROJECTED_RESERVE_DEFICIT}
    return store


def acts(store: Store, case_id: str) -> list[CaseAct]:
    return [each.act for each in store.case_events(case_id)]


def test_a_run_lists_what_was_open_marks_itself_and_escalates_once(short: Store, settings: Settings) -> None:
    open_ids = [each.case_id for each in short.cases()]
    made = compute(short)
    finish_runs(short, settings, "clock", MONDAY_NOON)
    review = short.exception_review(made.computation_id)
    assert (review.listed, review.unexplained, review.exceptions_unexplained) == (len(open_ids), len(open_ids), True)
    assert json.loads(review.document)["wsp_section"] == WSP
    (event,) = [each for each in short.case_events(open_ids[0]) if each.act is CaseAct.ESCALATED]
    assert WSP in event.text
    assert made.computation_id in event.text
    compute(short, occasion=type(made.occasion).TEST, hours=1)
    finish_runs(short, settings, "clock", MONDAY_NOON + timedelta(hours=2))
    assert len(short.exception_reviews()) == 2
    assert acts(short, open_ids[0]).count(CaseAct.ESCALATED) == 1
    assert verify_journal(short).ok


def test_what_somebody_explained_is_listed_and_does_not_mark(short: Store, settings: Settings) -> None:
    for case in short.cases():
        short.explain(case.case_id, "the wire is on its way", "ops.maker", MONDAY_NOON)
    made = compute(short, hours=1)
    finish_runs(short, settings, "clock", MONDAY_NOON + timedelta(hours=1))
    review = short.exception_review(made.computation_id)
    assert (review.listed > 0, review.unexplained, review.exceptions_unexplained) == (True, 0, False)
    entry = json.loads(review.document)["exceptions"][0]
    assert (entry["explanation"], entry["maker"]) == ("the wire is on its way", "ops.maker")
    assert all(CaseAct.ESCALATED not in acts(short, each.case_id) for each in short.cases())


def test_an_explanation_that_was_returned_explains_nothing(short: Store, settings: Settings) -> None:
    (case, *rest) = short.cases()
    for each in rest:
        short.explain(each.case_id, "known", "ops.maker", MONDAY_NOON)
    short.propose(case.case_id, "nothing to see", "ops.maker", MONDAY_NOON)
    assert short.case(case.case_id).explanation is not None
    short.send_back(case.case_id, "say more", "ops.checker", MONDAY_NOON + timedelta(minutes=1))
    assert short.case(case.case_id).explanation is None
    made = compute(short, hours=1)
    finish_runs(short, settings, "clock", MONDAY_NOON + timedelta(hours=1))
    assert short.exception_review(made.computation_id).unexplained == 1


def test_only_what_was_open_at_the_as_of_is_listed(store: Store, settings: Settings) -> None:
    open_reserve(store)  # on Monday: nothing was open at Friday's close
    look(store, SETTINGS, "clock", MONDAY_NOON)
    assert store.cases()
    made = compute(store, hours=1)
    finish_runs(store, settings, "clock", MONDAY_NOON + timedelta(hours=1))
    assert store.exception_review(made.computation_id).listed == 0
    assert open_at(store, MONDAY_NOON + timedelta(minutes=1), MONDAY_NOON + timedelta(hours=1))


def test_a_case_closed_before_the_as_of_is_not_listed(short: Store) -> None:
    case = short.cases()[0]
    short.propose(case.case_id, "deposited", "ops.maker", FRIDAY_EVENING + timedelta(minutes=2))
    short.approve(case.case_id, "seen", "ops.checker", FRIDAY_EVENING + timedelta(minutes=3))
    listed = open_at(short, close_of(SETTINGS, FRIDAY), MONDAY_NOON)
    assert case.case_id not in {each.case.case_id for each in listed}


def test_a_day_ends_in_the_banks_civil_time() -> None:
    assert close_of(SETTINGS, FRIDAY).isoformat() == "2026-10-03T04:00:00+00:00"
    assert close_of(SETTINGS, date(2026, 12, 1)).isoformat() == "2026-12-02T05:00:00+00:00"


def test_what_two_people_closed_since_is_listed_and_does_not_mark(short: Store, settings: Settings) -> None:
    for case in short.cases():
        short.propose(case.case_id, "deposited", "ops.maker", MONDAY_NOON)
        short.approve(case.case_id, "seen", "ops.checker", MONDAY_NOON + timedelta(minutes=1))
    made = compute(short, hours=1)
    finish_runs(short, settings, "clock", MONDAY_NOON + timedelta(hours=1))
    review = short.exception_review(made.computation_id)
    assert (review.listed > 0, review.unexplained) == (True, 0)
    assert {each["state"] for each in json.loads(review.document)["exceptions"]} == {"closed"}


def test_a_review_of_possession_or_control_is_a_run_too(short: Store, settings: Settings) -> None:
    owed = Record()
    owed.owns("ACC-1", 100)
    owed.in_dtc(60)
    made = review_of(books(owed, [account("ACC-1")]))
    days = (date(2026, 10, 5), date(2026, 10, 6))
    stored = short.add_possession_review(made, document(made), *days, MONDAY_NOON, "clock", MONDAY_NOON)
    assert finish_runs(short, settings, "clock", MONDAY_NOON + timedelta(minutes=1)) == []
    assert short.exception_review(stored.review_id).exceptions_unexplained


def test_no_section_is_said(short: Store, settings: Settings) -> None:
    bare = settings.model_copy(update={"supervision": SupervisionSettings()})
    compute(short)
    finish_runs(short, bare, "clock", MONDAY_NOON)
    texts = [event.text for case in short.cases() for event in short.case_events(case.case_id)]
    assert any("no section of the written supervisory procedures is configured" in text for text in texts)


@pytest.fixture
def archived(short: Store, settings: Settings) -> Path:
    """The folder of the one computation that is archived."""
    compute(short)
    assert finish_runs(short, settings, "clock", MONDAY_NOON) == ["RC-000001"]
    assert settings.archive.folder is not None
    return settings.archive.folder / "computation" / "RC-000001"


@pytest.mark.fault("D12")
def test_a_computation_is_archived_with_its_inputs_and_found_as_it_was(
    short: Store, settings: Settings, archived: Path
) -> None:
    names = ["computation.csv", "computation.html", "computation.json", "exceptions.json", "focus.csv", "record.json"]
    assert sorted(each.name for each in archived.iterdir()) == names
    assert (archived / "computation.json").read_bytes() == short.reserve_computation("RC-000001").document
    record = json.loads((archived / "record.json").read_bytes())
    assert record["retain_until"] == "2032-10-05"
    assert "17a-4" in record["retention"]
    report = verify_archive(short, settings)
    assert (report.records, report.files, report.problems) == (1, 6, ())
    assert finish_runs(short, settings, "clock", MONDAY_NOON + timedelta(hours=1)) == []


def test_every_change_of_the_archive_is_found(short: Store, settings: Settings, archived: Path) -> None:
    def problems() -> str:
        return "; ".join(verify_archive(short, settings).problems)

    page = archived / "computation.html"
    before = page.read_bytes()
    page.chmod(0o640)
    page.write_bytes(before + b" ")
    assert problems() == "RC-000001/computation.html was changed"
    page.unlink()
    assert problems() == "RC-000001/computation.html is missing or cannot be read"
    page.write_bytes(before)
    assert problems() == ""
    (archived / "note.txt").write_text("x", encoding="utf-8")
    assert problems() == "RC-000001/note.txt is not in its list"
    (archived / "note.txt").unlink()
    listing = archived / "record.json"
    listing.chmod(0o640)
    kept = listing.read_bytes()
    listing.write_bytes(kept.replace(b"2032-10-05", b"2027-10-05"))
    assert problems() == "RC-000001: its list of files is not the one that was journalled"
    listing.write_bytes(kept)
    archived.rename(archived.with_name("RC-000002"))
    assert problems() == "RC-000001 is missing from the archive; RC-000002 is in the archive folder and not on record"


def test_a_computation_that_was_never_archived_is_a_problem(short: Store, settings: Settings) -> None:
    compute(short)
    report = verify_archive(short, settings)
    assert (report.records, report.problems) == (0, ("RC-000001 is on record and was never archived",))


def test_a_folder_that_a_killed_run_left_is_taken_and_another_is_refused(
    short: Store, settings: Settings, archived: Path
) -> None:
    files = {"report.json": b"{}"}
    kind = ArchiveKind.DAILY_REPORT
    add_record(short, settings, kind, "DR-1", FRIDAY, files, "clock", MONDAY_NOON)
    add_record(short, settings, kind, "DR-1", FRIDAY, files, "clock", MONDAY_NOON + timedelta(days=1))
    assert len(short.archived()) == 2
    with pytest.raises(ArchiveError, match="another DR-1"):
        add_record(short, settings, kind, "DR-1", FRIDAY, {"report.json": b"[]"}, "clock", MONDAY_NOON)


def test_an_archive_that_cannot_be_written_delays_nothing(short: Store, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    blocked = settings.model_copy(update={"archive": ArchiveSettings(folder=tmp_path / "file")})
    made = compute(short)
    warning = try_finish_runs(short, blocked, "clock", MONDAY_NOON)
    assert "custody archive write" in warning
    assert short.exception_review(made.computation_id).listed > 0
    assert try_finish_runs(short, settings, "clock", MONDAY_NOON + timedelta(minutes=1)) == ""
    assert verify_archive(short, settings).problems == ()


@pytest.mark.parametrize(
    ("day", "until"),
    [
        (date(2026, 10, 5), date(2032, 10, 5)),
        (date(2028, 2, 29), date(2034, 3, 1)),
        (date(2024, 12, 31), date(2030, 12, 31)),
    ],
)
def test_six_years_end_on_the_same_day_or_the_next(day: date, until: date) -> None:
    assert retain_until(day, 6) == until


def test_a_statement_that_covers_the_deadline_makes_the_deposit_known(short: Store, settings: Settings) -> None:
    from exports.reserve.items import ReserveClass
    from mapping.reserve_types import BankMovement, MovementSide
    from verifier.reserve_export import on_deposit

    made = compute(short)
    before = on_deposit(short, settings, made, ReserveClass.CUSTOMER, MONDAY_NOON + timedelta(hours=1))
    assert (before.held, before.moved) == (900_00, None)
    tuesday, later = date(2026, 10, 6), MONDAY_NOON + timedelta(days=2)
    moved = BankMovement("C", "B-1", tuesday, MovementSide.DEPOSIT, 100_00, "", "")
    other = replace(moved, account_id="P", cents=1)
    say(short, later, [moved, other, cash("C", 1_000_00, tuesday)])
    after = on_deposit(short, settings, made, ReserveClass.CUSTOMER, later + timedelta(minutes=1))
    assert (after.held, after.moved, after.moved_on) == (900_00, 100_00, tuesday)
    with pytest.raises(InputError):
        short.exception_review("RC-9")
