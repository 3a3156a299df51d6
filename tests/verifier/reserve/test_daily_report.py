"""The daily report: each section from what is on record, each gap named, and who signed it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from exports.canonical import canonical_json
from exports.daily_report import REPORT_TYPE, read_report, report_page, report_text
from exports.errors import RecordInvalid, SignatureInvalid, SignerUnavailable
from exports.keys import create_key_pair, load_signer
from exports.possession.document import document
from exports.reserve.errors import ScheduleRefused
from exports.signed_document import read_signed, sign_document
from exports.trust import TrustedKeys, trusted_key, trusted_keys
from tests.verifier.possession.make import Record, account, books, review
from tests.verifier.reserve.firm import FRIDAY, MONDAY_NOON, SETTINGS, open_reserve
from tests.verifier.reserve.test_rail import compute
from tests.verifier.store.story import CHAIN, NOON, SweepStory, import_story
from verifier.archive import verify_archive
from verifier.config import ArchiveSettings, ChainSettings, NativeAssetSettings, NodeSettings, Settings
from verifier.daily_report import MadeReport, archive_reports, make_report, report_value
from verifier.errors import ArchiveError
from verifier.journal import verify_journal
from verifier.store import Store


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, TrustedKeys]:
    """A signing key, and a reader's list that trusts it."""
    path = tmp_path_factory.mktemp("key") / "key.pem"
    pem = create_key_pair(path)
    return path, trusted_keys(
        (trusted_key("operations", pem, "operations"),), expires=MONDAY_NOON + timedelta(days=999)
    )


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return SETTINGS.model_copy(update={"archive": ArchiveSettings(folder=tmp_path / "archive")})


def with_chain(settings: Settings) -> Settings:
    chain = ChainSettings(
        chain_id=CHAIN,
        name="local",
        genesis_hash="0x" + "0" * 64,
        native_asset=NativeAssetSettings(asset_id=f"{CHAIN}/slip44:60", symbol="ETH"),
        nodes=[NodeSettings(node_id="node-a", operator="firm", url_env="NODE_A")],
    )
    return settings.model_copy(update={"chains": [chain]})


def make(store: Store, settings: Settings, key: Path, now: datetime, as_of: date = FRIDAY) -> MadeReport:
    return make_report(store, settings, as_of, [load_signer(f"file2:{key}")], "ops.maker", now)


def value(store: Store, settings: Settings, as_of: date = FRIDAY, now: datetime = MONDAY_NOON) -> dict[str, Any]:
    return report_value(store, settings, as_of, "ops.maker", now)


def test_a_firm_of_which_nothing_is_known_is_told_everything_that_is_missing(store: Store, settings: Settings) -> None:
    found = value(store, settings)
    assert found["not_verified"] == [
        "the reserve of 15c3-3(e) is not stated: no computation, no reserve account",
        "possession or control of 15c3-3(b) to (d) was not reviewed: no books are kept here",
        "no chain is configured: the digital rail was not reconciled",
        "the depository and other custodians were not reconciled at or before the close",
    ]
    assert found["exceptions"]["exceptions_unexplained"] is False


def test_the_reserve_of_the_day(store: Store, settings: Settings) -> None:
    open_reserve(store)
    compute(store)
    found = value(store, settings, now=MONDAY_NOON + timedelta(hours=1))["reserve"]
    customer, pab = found["purposes"]["customer"], found["purposes"]["pab"]
    assert (customer["required"], customer["held"], customer["shortfall"]) == ("100000", "90000", "10000")
    assert (customer["of_this_day"], pab["required"], pab["shortfall"]) == (True, "0", "0")
    assert [each["row_id"] for each in customer["drivers"]] == ["stated:customer:1"]
    assert found["note_h"]["customer"]["tested"] == "no debit is taken"
    assert found["now"]["purposes"]["customer"]["as_required"]["shortfall"] == "10000"


def test_without_a_computation_note_h_says_why_it_is_empty(store: Store, settings: Settings) -> None:
    open_reserve(store)
    named: dict[str, Any] = {"report_id": "DR-1", "version": 1, "replaces": None}
    text = report_text(canonical_json(value(store, settings) | named))
    assert "- No computation is on record, so there is no debit of item 15 to test." in text
    compute(store)
    later = value(store, settings, now=MONDAY_NOON + timedelta(hours=1))
    assert "No computation is on record" not in report_text(canonical_json(later | named))


def test_a_stated_item_15_is_a_debit_whose_conditions_were_not_tested(store: Store, settings: Settings) -> None:
    from tests.verifier.reserve.firm import PAB, capital, cash, items, months, say
    from tests.verifier.reserve.firm import account as bank_account

    records = [*items({1: 100_00, 15: 5_00}), bank_account("C"), bank_account("P", PAB), cash("C", 0), cash("P", 0)]
    say(store, MONDAY_NOON - timedelta(hours=1), [*records, capital(), *months()])
    compute(store)
    found = value(store, settings, now=MONDAY_NOON + timedelta(hours=1))
    assert found["reserve"]["note_h"]["customer"]["debit"] == "500"
    assert any(gap.startswith("Note H: item 15 of the customer computation") for gap in found["not_verified"])


def test_possession_or_control_and_the_custodians(store: Store, settings: Settings) -> None:
    short = Record()
    short.owns("ACC-1", 100)
    short.in_dtc(60)
    made = review(books(short, [account("ACC-1")]))
    friday_evening = MONDAY_NOON - timedelta(hours=2)
    store.add_possession_review(
        made, document(made), date(2026, 10, 5), date(2026, 10, 6), friday_evening, "clock", friday_evening
    )
    counts, text = (3, 1, 1, 1), canonical_json({"of": "a run"})
    later = friday_evening + timedelta(minutes=5)
    store.add_securities_run(FRIDAY, later, counts, text, "a" * 64, [], "clock", later)
    found = value(store, settings)
    (deficit,) = found["control"]["review"]["deficits"]
    assert (deficit["required"], deficit["in_control"], deficit["deficit"]) == ("100", "60", "40")
    run = found["securities"]["run"]
    assert (run["run_id"], run["of_this_day"], run["diverged"]) == ("SR-000001", True, 1)
    assert "custodians: 1 of 3 positions are unverified" in found["not_verified"]
    shown = report_text(canonical_json(found | {"report_id": "DR-1", "version": 1, "replaces": None}))
    assert "1 issues are in deficit; act by 2026-10-06" in shown
    assert "1 positions differ" in shown
    earlier = value(store, settings, FRIDAY - timedelta(days=1))
    assert (earlier["control"]["review"], earlier["securities"]["run"]) == (None, None)
    after = value(store, settings, FRIDAY + timedelta(days=1))
    assert "the newest comparison with custodians is of 2026-10-02" in after["not_verified"]


def test_the_digital_rail_by_its_last_sweep_at_or_before_the_close(store: Store, settings: Settings) -> None:
    import_story(store)
    SweepStory(store).run()
    day, now = NOON.date(), NOON + timedelta(days=1, hours=6)
    (chain,) = value(store, with_chain(settings), day, now)["digital"]
    assert {name: chain["sweep"][name] for name in ("expected", "matched", "diverged", "unverified")} == {
        "expected": 3,
        "matched": 1,
        "diverged": 1,
        "unverified": 1,
    }
    differences = {each["status"]: each for each in chain["differences"]}
    assert (differences["diverged"]["claimed"], differences["diverged"]["observed"]) == ("1500", "1200")
    assert differences["unverified"]["observed"] is None
    before = value(store, with_chain(settings), day - timedelta(days=1), now)
    assert before["digital"][0]["sweep"] is None
    assert f"{CHAIN} was not reconciled at or before the close" in before["not_verified"]


def test_a_second_run_is_a_version_that_names_the_first(
    store: Store, settings: Settings, key: tuple[Path, TrustedKeys]
) -> None:
    open_reserve(store)
    compute(store)
    first = make(store, settings, key[0], MONDAY_NOON + timedelta(hours=1))
    second = make(store, settings, key[0], MONDAY_NOON + timedelta(hours=2))
    assert (first.stored.report_id, second.stored.report_id) == ("DR-2026-10-02-1", "DR-2026-10-02-2")
    assert second.value["replaces"] == {"report_id": first.stored.report_id, "sha256": first.stored.digest}
    assert store.daily_report("DR-2026-10-02-1").document == first.stored.document
    assert [each.replaces for each in store.daily_reports(FRIDAY)] == ["", "DR-2026-10-02-1"]
    assert verify_journal(store).ok
    assert first.exit_code == 1


def test_a_report_that_could_not_be_archived_is_archived_later(
    store: Store, settings: Settings, key: tuple[Path, TrustedKeys], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    blocked = settings.model_copy(update={"archive": ArchiveSettings(folder=tmp_path / "file")})
    with pytest.raises(ArchiveError):
        make(store, blocked, key[0], MONDAY_NOON)
    assert store.daily_reports()
    signers = [load_signer(f"file2:{key[0]}")]
    assert archive_reports(store, settings, signers, "clock", MONDAY_NOON + timedelta(hours=1)) == ["DR-2026-10-02-1"]
    assert verify_archive(store, settings).problems == ()


def test_without_a_signer_and_before_the_close_nothing_is_recorded(
    store: Store, settings: Settings, key: tuple[Path, TrustedKeys]
) -> None:
    with pytest.raises(SignerUnavailable):
        make_report(store, settings, FRIDAY, [], "ops.maker", MONDAY_NOON)
    with pytest.raises(ScheduleRefused):
        make(store, settings, key[0], MONDAY_NOON, MONDAY_NOON.date())
    assert store.daily_reports() == []


def test_text_and_page_say_the_same_and_escape(store: Store, settings: Settings) -> None:
    hostile = settings.model_copy(update={"firm": settings.firm.model_copy(update={"name": "<b>Firm</b>"})})
    data = canonical_json(value(store, hostile) | {"report_id": "DR-1", "version": 1, "replaces": None})
    text, page = report_text(data), report_page(data).decode()
    for words in (
        "What was not verified",
        "There is no review of this day or before: unverified.",
        "2026-10-05 16:00:00 UTC by ops.maker",
    ):
        assert words in text
        assert words in page
    assert "&lt;b&gt;Firm" in page
    assert "<b>" not in page
    with pytest.raises(RecordInvalid):
        read_report(canonical_json({"format": "custody-daily-report/2"}))


DOCUMENT = canonical_json({"made_at": "2026-10-05T16:00:00.000000Z", "says": "something"})


def signed(key: tuple[Path, TrustedKeys], **changes: object) -> bytes:
    envelope = json.loads(sign_document(DOCUMENT, REPORT_TYPE, [load_signer(f"file2:{key[0]}")]))
    return canonical_json(envelope | changes)


def test_a_signature_by_a_trusted_key_counts(key: tuple[Path, TrustedKeys]) -> None:
    found = read_signed(signed(key), REPORT_TYPE, key[1], "made_at")
    assert (found.document, found.accepted, found.missing) == (DOCUMENT, ("operations",), ())


def test_a_signature_over_anything_else_is_refused(key: tuple[Path, TrustedKeys]) -> None:
    other = json.loads(sign_document(DOCUMENT.replace(b"some", b"no"), REPORT_TYPE, [load_signer(f"file2:{key[0]}")]))
    with pytest.raises(SignatureInvalid, match="is wrong"):
        read_signed(signed(key, payload=other["payload"]), REPORT_TYPE, key[1], "made_at")
    with pytest.raises(SignatureInvalid, match="not a application/other"):
        read_signed(signed(key), "application/other", key[1], "made_at")
    with pytest.raises(SignatureInvalid, match="is wrong"):
        read_signed(signed(key, payloadType="application/other"), "application/other", key[1], "made_at")
    envelope = json.loads(signed(key))
    with pytest.raises(SignatureInvalid, match="a key signed twice"):
        read_signed(signed(key, signatures=envelope["signatures"] * 2), REPORT_TYPE, key[1], "made_at")
    with pytest.raises(SignatureInvalid, match="1 to 16"):
        read_signed(signed(key, signatures=[]), REPORT_TYPE, key[1], "made_at")
    with pytest.raises(SignatureInvalid, match="not canonical"):
        read_signed(signed(key) + b" ", REPORT_TYPE, key[1], "made_at")
    with pytest.raises(SignatureInvalid, match="does not say when"):
        read_signed(signed(key), REPORT_TYPE, key[1], "written_at")


def test_a_key_that_is_unknown_or_revoked_does_not_count(key: tuple[Path, TrustedKeys], tmp_path: Path) -> None:
    pem = create_key_pair(tmp_path / "other.pem")
    strangers = trusted_keys((trusted_key("other", pem, "operations"),), expires=key[1].expires)
    found = read_signed(signed(key), REPORT_TYPE, strangers, "made_at")
    assert (found.accepted, len(found.not_counted), bool(found.missing)) == ((), 1, True)
    revoked = replace(key[1], keys=tuple(replace(each, revoked_from=MONDAY_NOON) for each in key[1].keys))
    late = read_signed(signed(key), REPORT_TYPE, revoked, "made_at")
    assert (late.accepted, bool(late.missing)) == ((), True)
    in_time = replace(
        key[1], keys=tuple(replace(each, revoked_from=MONDAY_NOON + timedelta(seconds=1)) for each in key[1].keys)
    )
    assert read_signed(signed(key), REPORT_TYPE, in_time, "made_at").missing == ()
