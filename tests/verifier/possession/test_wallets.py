"""Possession of a token: what a sweep observed, and what mapping and cases say of the wallet; and in the bundle."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from chains.types import LocationId
from exports.possession.locations import NotControl
from exports.possession.review import IssueReview, compute
from exports.report import report_text
from tests.verifier.issuer import Issuer, refused
from tests.verifier.sweep.memory import MemoryDesk
from tests.verifier.sweep.world import address
from verifier import control_cases
from verifier.config import Settings
from verifier.control_cases import look
from verifier.control_rail import PossessionView, in_use, inputs_of, possession_view, rebuilt, review_and_record
from verifier.errors import BundleRefused
from verifier.overview import overview
from verifier.records import FindingKind
from verifier.rules.status import FirmStatus
from verifier.store import Store

WALLET = address(1)
MONDAY = date(2026, 3, 2)
"""The day of the chain's first block."""
BOOKS = ("accounts", "stock_record", "clearing_margin", "liens", "other_amounts")


class Firm(MemoryDesk):
    """A firm with one wallet of a token that is a security, and the books of the day of its sweep."""

    issuer: Issuer

    def open(self, minted: int = 100, **wallet: str) -> None:
        self.history_from = 1
        self.take(
            clients=[{"client_id": "C-1", "name": "One"}],
            assets=[{"legal_class": "security"}],
            wallets=[{"address": WALLET, **wallet}],
        )
        self.chain.mint(WALLET, self.asset, minted)
        self.allocate(WALLET, C_1=minted)

    def keep_books(self, units: int = 100, at: str = "") -> None:
        day, token = (
            MONDAY.isoformat(),
            {"as_of": MONDAY.isoformat(), "security_id": self.usdx.asset_id, "price": "1.00"},
        )
        quantity = self.usdx.format_quantity(units)
        place = at or self.at(WALLET)
        closes = {"accounts": ("1", "0.00"), "stock_record": ("2", self.usdx.format_quantity(2 * units))}
        self.take(
            control_locations=[{"location": place, "paragraph": "b1"}],
            accounts=[{"as_of": day, "credit_balance": "0.00", "debit_balance": "0.00"}],
            stock_record=[
                {**token, "quantity": quantity, "account_id": "A-1"},
                {**token, "line_id": "L-2", "place": "box", "side": "short", "account_id": "", "location": place,
                 "quantity": quantity},
            ],
        )  # fmt: skip
        self.take(
            books_close=[
                {"as_of": day, "file": file, "rows": rows, "total": total}
                for file in BOOKS
                for rows, total in [closes.get(file, ("0", "0.00"))]
            ]
        )

    def issue_of_token(self) -> IssueReview:
        """The token as the books of the day and the sweeps say."""
        now = self.now()
        known_at = self.store.book_time(now)
        made = compute(inputs_of(self.store, self.issuer.settings, self.store.books(MONDAY, known_at), known_at, now))
        found = made.of(self.usdx.asset_id)
        assert found is not None
        return found


@pytest.fixture
def firm(sqlite_store: Store, tmp_path: Path) -> Firm:
    firm = Firm(sqlite_store, tmp_path)
    firm.issuer = Issuer.of(tmp_path, firm)
    return firm


def cause(firm: Firm) -> NotControl | None:
    (line,) = firm.issue_of_token().counted
    return line.cause


def test_only_what_a_sweep_of_the_day_observed_is_in_possession(firm: Firm) -> None:
    firm.open(minted=60)
    firm.keep_books(units=100)
    found = firm.issue_of_token()
    assert (found.control, found.deficit, found.unverified) == (0, 0, "a balance on chain was not observed")
    assert firm.sweep().exit_code == 0
    found = firm.issue_of_token()
    assert (found.control, found.deficit, found.unverified, cause(firm)) == (60, 40, "", NotControl.LESS_OBSERVED)
    firm.chain.mint(WALLET, firm.asset, 40)
    firm.allocate(WALLET, C_1=100)
    assert firm.sweep().exit_code == 0
    assert firm.issue_of_token().deficit == 0


def test_a_sweep_of_a_day_before_the_close_shows_nothing_of_it(firm: Firm) -> None:
    firm.open()
    assert firm.sweep().exit_code == 0
    firm.keep_books()
    assert cause(firm) is None
    now = firm.now()
    books = firm.store.books(MONDAY, firm.store.book_time(now))
    two_days_on = now + timedelta(days=2)
    later = replace(books, as_of=two_days_on.date())
    made = compute(inputs_of(firm.store, firm.issuer.settings, later, firm.store.book_time(now), two_days_on))
    assert made.issues[0].counted[0].cause is NotControl.NOT_OBSERVED


@pytest.mark.parametrize(
    ("holders", "alone", "others", "why"),
    [
        ("firm:2;vendor:1", "yes", "no", None),
        ("firm:1;vendor:1;client:1", "no", "yes", NotControl.FIRM_CANNOT_SIGN_ALONE),
        ("firm:2;vendor:2", "yes", "yes", NotControl.OTHERS_CAN_SIGN),
    ],
)
def test_who_can_sign_is_asked_of_the_mapping(
    firm: Firm, holders: str, alone: str, others: str, why: NotControl | None
) -> None:
    count = str(sum(int(each.partition(":")[2]) for each in holders.split(";")))
    firm.open(
        threshold="2",
        share_count=count,
        share_holders=holders,
        firm_alone_can_sign=alone,
        others_can_sign_without_firm=others,
    )
    firm.keep_books()
    firm.sweep()
    assert cause(firm) is why


def test_a_pool_is_in_possession_as_a_whole(firm: Firm) -> None:
    firm.open()
    firm.take(pools=[{"pool_id": "P-1", "address": WALLET, "from_date": "2026-01-02", "to_date": ""}])
    firm.keep_books(at="pool:P-1")
    firm.sweep()
    found = firm.issue_of_token()
    assert (found.control, found.counted[0].line.location_id) == (100, LocationId("pool:P-1"))


@pytest.mark.parametrize(
    ("first", "last", "is_member"),
    [("2026-01-02", "", True), ("2026-03-02", "2026-03-02", True), ("2026-03-03", "", False)],
)
def test_who_is_in_a_pool_is_asked_of_the_day_of_the_books(firm: Firm, first: str, last: str, is_member: bool) -> None:
    firm.open()
    firm.take(pools=[{"pool_id": "P-1", "address": WALLET, "from_date": first, "to_date": last}])
    firm.keep_books(at="pool:P-1")
    firm.sweep()
    now = firm.now()
    known_at = firm.store.book_time(now)
    books = firm.store.books(MONDAY, known_at)
    for at in (now, now + timedelta(days=1)):  # on the day, and once it has closed
        made = compute(inputs_of(firm.store, firm.issuer.settings, books, known_at, at))
        assert made.issues[0].control == (100 if is_member else 0)


def test_a_wallet_that_a_line_names_is_not_counted_again_in_its_pool(firm: Firm) -> None:
    firm.open(minted=100)
    firm.take(pools=[{"pool_id": "P-1", "address": WALLET, "from_date": "2026-01-02", "to_date": ""}])
    firm.keep_books(units=100, at="pool:P-1")
    firm.sweep()
    now = firm.now()
    known_at = firm.store.book_time(now)
    books = firm.store.books(MONDAY, known_at)
    (pooled,) = [each for each in books.stock if each.line_id == "L-2"]
    (evidence,) = books.control_locations
    wallet = LocationId(firm.at(WALLET))
    both = replace(
        books,
        stock=(*books.stock, replace(pooled, line_id="L-3", base_units=70, location_id=wallet)),
        control_locations=(evidence, replace(evidence, location_id=wallet)),
    )
    made = compute(inputs_of(firm.store, firm.issuer.settings, both, known_at, now))
    counted = {each.line.line_id: each.base_units for each in made.issues[0].counted}
    assert counted == {"L-2": 30, "L-3": 70}  # 100 in all, as a sweep observed


def test_a_review_its_case_and_the_bundle(firm: Firm, tmp_path: Path) -> None:
    firm.open(minted=60)
    assert not in_use(firm.store, firm.now())
    firm.keep_books(units=100)
    assert in_use(firm.store, firm.now())
    firm.sweep()
    firm.clock_ahead = timedelta(days=1)
    settings = firm.issuer.settings
    stored = review_and_record(firm.store, settings, MONDAY, "ops.maker", firm.now())
    assert (stored.determined_on, stored.act_by) == (date(2026, 3, 3), date(2026, 3, 4))
    assert rebuilt(firm.store, stored) == stored.document
    with pytest.raises(BundleRefused, match="no open case of kind control_deficit"):
        firm.issuer.issue()
    view, seen = look(firm.store, settings, "ops.maker", firm.now())
    assert view.in_deficit
    (case,) = [each for each in seen if each.finding.kind is FindingKind.CONTROL_DEFICIT]
    assert case.finding.base_units == -40
    assert FirmStatus.CONTROL_DEFICIT in overview(firm.store, settings, firm.now()).statuses
    written = firm.issuer.issue()
    report = firm.issuer.verify(written.path)
    assert refused(report) == {}
    assert "possession or control: 1 of 1 issues short" in report_text(report)
    with zipfile.ZipFile(written.path) as file:
        cases = [json.loads(line) for line in file.read("records/cases.jsonl").splitlines()]
        (record,) = file.read("records/possession_reviews.jsonl").splitlines()
    assert json.loads(record)["digest"] == stored.digest
    (mine,) = [each for each in cases if each["rail"] == "control" and each["kind"] == "control_deficit"]
    assert mine["location"] == "control:" + firm.usdx.asset_id.replace("/", "%2F")


def test_a_look_at_the_reserve_leaves_the_cases_of_this_rail_alone(firm: Firm) -> None:
    firm.open(minted=60)
    firm.keep_books(units=100)
    firm.sweep()
    firm.clock_ahead = timedelta(days=1)
    settings = firm.issuer.settings
    review_and_record(firm.store, settings, MONDAY, "ops.maker", firm.now())
    look(firm.store, settings, "ops.maker", firm.now())
    firm.store.see_reserve([], "ops.maker", firm.now())
    (case,) = [each for each in firm.store.cases() if each.finding.kind is FindingKind.CONTROL_DEFICIT]
    assert case.is_seen
    firm.keep_books(units=60)
    review_and_record(firm.store, settings, MONDAY, "ops.maker", firm.now(), "the books were wrong")
    view, _ = look(firm.store, settings, "ops.maker", firm.now())
    assert view.review is not None
    assert (view.review.deficits, view.gaps != ()) == ((), True)  # no sweep shows what lies there today
    (case,) = [each for each in firm.store.cases() if each.finding.kind is FindingKind.CONTROL_DEFICIT]
    assert not case.is_seen
    assert possession_view(firm.store, settings, firm.now()).last is not None


@pytest.mark.parametrize("always", [False, True])
def test_a_slow_look_never_undoes_what_a_newer_one_saw(
    firm: Firm, monkeypatch: pytest.MonkeyPatch, always: bool
) -> None:
    """While the books are judged that were short, others post what mends them, and look themselves."""
    firm.open(minted=60)
    firm.keep_books(units=100)
    firm.sweep()
    firm.clock_ahead = timedelta(days=1)
    settings, began = firm.issuer.settings, firm.now()
    review_and_record(firm.store, settings, MONDAY, "ops.maker", began)
    real, posted = possession_view, list[int]()

    def slow(store: Store, settings: Settings, now: datetime) -> PossessionView:
        view = real(store, settings, now)
        if not posted or (always and len(posted) < 9):
            posted.append(1)
            monkeypatch.setattr(control_cases, "possession_view", real)
            firm.clock_ahead += timedelta(minutes=10)
            firm.keep_books(units=60 + len(posted))
            review_and_record(store, settings, MONDAY, "ops.maker", firm.now(), f"posted late {len(posted)}")
            look(store, settings, "ops.maker", firm.now())
            monkeypatch.setattr(control_cases, "possession_view", slow)
        return view

    monkeypatch.setattr(control_cases, "possession_view", slow)
    view, _ = look(firm.store, settings, "clock", began)
    assert len(posted) == (control_cases.LOOKS if always else 1)
    assert view.review is not None
    (deficit,) = view.review.deficits
    assert deficit.deficit == (len(posted) - 1 if always else 1)
    (case,) = [each for each in firm.store.cases() if each.finding.kind is FindingKind.CONTROL_DEFICIT]
    assert case.is_seen
    assert case.finding.base_units == -deficit.deficit
