"""What is in possession or control: places, evidence to its last day, ages, wallets; deficits and their sources."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chains.types import AssetId, LocationId
from exports.possession.locations import NotControl
from exports.possession.review import IssueReview
from exports.possession.sources import SourceKind
from mapping.books_types import AccountType, ControlLocation, ControlParagraph, HolderClass, StockPlace
from mapping.types import LegalClass
from tests.verifier.possession.make import (
    AS_OF,
    BANK,
    DTC,
    TOKEN,
    WALLET,
    A,
    B,
    Record,
    account,
    books,
    evidence,
    policy,
    review,
)
from verifier.possession.inputs import ChainFacts, WalletFacts

OURS = WalletFacts(True, False, None)
VAULT = LocationId("bank:VAULT")


def of_a(record: Record, locations: list[ControlLocation] | None = None) -> IssueReview:
    record.owns("C", 1_000)
    accounts = [account("C"), account("F", holder=HolderClass.FIRM), account("S", AccountType.SHORT)]
    found = review(books(record, accounts, locations=locations)).of(A)
    assert found is not None
    return found


def cause(found: IssueReview) -> NotControl | None:
    (only,) = found.counted
    assert (only.base_units == 100) is (only.cause is None)
    return only.cause


@pytest.mark.parametrize(
    ("place", "paragraph"),
    [
        (StockPlace.DEPOSITORY, "c1"),
        (StockPlace.BOX, "b1"),
        (StockPlace.BANK_CUSTODY, "c5"),
        (StockPlace.FOREIGN_DEPOSITORY, "c4"),
        (StockPlace.OMNIBUS_AT_BROKER, "c2"),
        (StockPlace.OTHER_DESIGNATED, "c7"),
    ],
)
def test_a_place_is_control_by_dated_evidence_of_its_own_paragraph(place: StockPlace, paragraph: str) -> None:
    for given_paragraph in ControlParagraph:
        record = Record()
        record.line(place, 100, location=VAULT)
        found = of_a(record, [evidence(VAULT, given_paragraph)])
        assert cause(found) is (None if given_paragraph == paragraph else NotControl.NO_EVIDENCE)
    record = Record()
    record.line(place, 100)
    assert cause(of_a(record, [evidence(VAULT, ControlParagraph(paragraph))])) is NotControl.NO_EVIDENCE


@pytest.mark.parametrize(
    ("since", "until", "why"),
    [
        (0, None, None),
        (1, None, NotControl.EVIDENCE_NOT_YET),
        (-100, 0, None),  # the last day it holds
        (-100, -1, NotControl.EVIDENCE_EXPIRED),
    ],
)
def test_evidence_holds_from_its_first_to_its_last_day(since: int, until: int | None, why: NotControl | None) -> None:
    record = Record()
    record.in_dtc(100)
    ends = AS_OF + timedelta(days=until) if until is not None else None
    assert cause(of_a(record, [evidence(since=AS_OF + timedelta(days=since), until=ends)])) is why


def test_evidence_that_is_dated_in_the_future_replaces_none() -> None:
    yesterday, tomorrow = AS_OF - timedelta(days=1), AS_OF + timedelta(days=1)
    backdated = ControlLocation(DTC, yesterday, ControlParagraph.C1, tomorrow, "letter to come", None)
    for rows, why in (
        ([evidence(), backdated], None),
        ([backdated, evidence()], None),
        ([backdated], NotControl.EVIDENCE_NOT_YET),
    ):
        record = Record()
        record.in_dtc(100)
        assert cause(of_a(record, rows)) is why


def test_newer_evidence_replaces_older_and_evidence_to_come_replaces_none() -> None:
    record = Record()
    record.in_dtc(100)
    old, new, next_year = evidence(until=AS_OF), evidence(since=AS_OF, until=None), evidence(since=date(2027, 1, 1))
    assert cause(of_a(record, [next_year, old])) is None
    record = Record()
    record.in_dtc(100)
    assert cause(of_a(record, [replace(new, valid_until=AS_OF - timedelta(days=1)), old])) is (
        NotControl.EVIDENCE_EXPIRED
    )


@pytest.mark.parametrize(
    ("days", "confirmed", "why"),
    [
        (40, None, None),
        (41, None, NotControl.TRANSFER_TOO_OLD),
        (41, 0, None),
        (41, 1, NotControl.TRANSFER_TOO_OLD),
    ],
)
def test_a_transfer_is_control_for_40_days_or_once_confirmed(
    days: int, confirmed: int | None, why: NotControl | None
) -> None:
    record = Record()
    on = AS_OF + timedelta(days=confirmed) if confirmed is not None else None
    record.line(StockPlace.TRANSFER, 100, days=days, confirmed=on)
    assert cause(of_a(record)) is why


@pytest.mark.parametrize(("days", "why"), [(7, None), (8, NotControl.TOO_LONG_IN_TRANSIT)])
def test_in_transit_is_control_for_five_business_days(days: int, why: NotControl | None) -> None:
    record = Record()
    record.line(StockPlace.IN_TRANSIT, 100, days=days)  # a Friday less seven days is five business days ago
    assert cause(of_a(record)) is why


@pytest.mark.parametrize(
    "place",
    [
        StockPlace.BANK_LOAN,
        StockPlace.STOCK_LOAN,
        StockPlace.FAIL_TO_RECEIVE,
        StockPlace.DIVIDEND_RECEIVABLE,
        StockPlace.SUSPENSE,
        StockPlace.COUNT_DIFFERENCE,
        StockPlace.CLEARING_MARGIN,
    ],
)
def test_no_evidence_makes_these_places_control(place: StockPlace) -> None:
    record = Record()
    record.line(place, 100, location=VAULT, days=1)
    everything = [evidence(VAULT, each) for each in ControlParagraph]
    assert cause(of_a(record, everything)) is NotControl.NON_CONTROL_PLACE


# Deficits and sources -------------------------------------------------------------------------------------------------


def test_a_deficit_is_of_one_issue_and_never_netted() -> None:
    record = Record()
    record.owns("C", 100, A)
    record.in_dtc(90, A)
    record.owns("C", 100, B)
    record.in_dtc(500, B)
    found = review(books(record, [account("C")]))
    assert [each.deficit for each in found.issues] == [10, 0]
    assert [each.issue.security_id for each in found.deficits] == [A]


@pytest.mark.parametrize(
    ("place", "kind", "last_young"),
    [
        (StockPlace.BANK_LOAN, SourceKind.BANK_LOAN, None),
        (StockPlace.STOCK_LOAN, SourceKind.STOCK_LOAN, None),
        (StockPlace.FAIL_TO_RECEIVE, SourceKind.FAIL_TO_RECEIVE, 30),
        (StockPlace.DIVIDEND_RECEIVABLE, SourceKind.DIVIDEND_RECEIVABLE, 45),
        (StockPlace.ACCOUNT, SourceKind.SHORT_POSITION, 30),
    ],
)
def test_sources_count_strictly_over_their_age(place: StockPlace, kind: SourceKind, last_young: int | None) -> None:
    for days, is_due in ((last_young or 0, last_young is None), ((last_young or 0) + 1, True)):
        record = Record()
        record.line(place, 100, days=days, account_id="F" if place is StockPlace.ACCOUNT else "")
        found = of_a(record)
        (source,) = found.sources
        assert (source.kind, source.is_due(AS_OF), source.attributed) == (kind, is_due, 100 if is_due else 0)
        assert found.unattributed == (900 if is_due else 1_000)
        assert source.counts_from == (None if last_young is None else AS_OF + timedelta(days=1 if not is_due else 0))


def test_the_quickest_source_gives_first_and_the_oldest_of_a_kind() -> None:
    record = Record()
    record.line(StockPlace.ACCOUNT, 300, days=31, account_id="S", name="short")
    record.line(StockPlace.DIVIDEND_RECEIVABLE, 100, days=46, name="dividend")
    record.line(StockPlace.FAIL_TO_RECEIVE, 100, days=31, name="fail")
    record.line(StockPlace.FAIL_TO_RECEIVE, 100, days=30, name="young fail")
    record.line(StockPlace.STOCK_LOAN, 100, days=1, name="loan")
    record.line(StockPlace.BANK_LOAN, 100, days=1, name="pledge new")
    record.line(StockPlace.BANK_LOAN, 100, days=9, name="pledge old")
    record.in_dtc(450)
    found = of_a(record)
    assert found.deficit == 550
    assert [(each.line_id, each.attributed) for each in found.sources] == [
        ("pledge old", 100),
        ("pledge new", 100),
        ("loan", 100),
        ("fail", 100),
        ("dividend", 100),
        ("short", 50),
        ("young fail", 0),
    ]


def test_a_short_position_of_unknown_age_counts_as_old() -> None:
    record = Record()
    record.line(StockPlace.ACCOUNT, 100, account_id="F")
    assert of_a(record).sources[0].attributed == 100


@pytest.mark.parametrize(("days", "listed"), [(14, False), (15, True)])
def test_a_sale_without_delivery_is_closed_out_after_ten_business_days(days: int, listed: bool) -> None:
    record = Record()
    record.line(StockPlace.ACCOUNT, 100, days=days, account_id="C")
    found = of_a(record)
    assert [each.citation for each in found.close_outs] == (["15c3-3(m)"] if listed else [])
    assert found.sources == ()  # a sale of (m) is no source of (d)(4)
    exempt = review(books(record, [account("C"), account("S"), account("F")], exempted=[A])).of(A)
    assert exempt is not None
    assert exempt.close_outs == ()


@pytest.mark.parametrize(("days", "listed"), [(44, False), (45, True)])
def test_a_short_count_difference_is_bought_in_by_the_45th_day(days: int, listed: bool) -> None:
    record = Record()
    record.line(StockPlace.COUNT_DIFFERENCE, 100, days=days)
    assert [each.citation for each in of_a(record).close_outs] == (["15c3-3(h)"] if listed else [])


# Wallets --------------------------------------------------------------------------------------------------------------


def token(
    facts: ChainFacts | None,
    place: StockPlace = StockPlace.BOX,
    *,
    units: int = 100,
    lines: int = 1,
    paragraph: ControlParagraph = ControlParagraph.B1,
    location: LocationId = WALLET,
    kind: LegalClass = LegalClass.SECURITY,
    proof_days: str = "0",
) -> IssueReview:
    record = Record()
    record.prices[TOKEN] = Decimal(1)
    record.owns("C", 100, TOKEN)
    for _ in range(lines):
        record.line(place, units // lines, TOKEN, location=location)
    made = books(record, [account("C")], locations=[evidence(location, paragraph)], classes={TOKEN: kind})
    found = review(made, policy("wallet_key_proof_days_max", proof_days), facts=facts).of(TOKEN)
    assert found is not None
    return found


def at_wallet(observed: int | None, facts: WalletFacts = OURS, location: LocationId = WALLET) -> ChainFacts:
    return ChainFacts({location: facts}, {} if observed is None else {(location, TOKEN): observed})


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        (OURS, None),
        (replace(OURS, firm_alone_can_sign=False), NotControl.FIRM_CANNOT_SIGN_ALONE),
        (replace(OURS, others_can_sign=True), NotControl.OTHERS_CAN_SIGN),
    ],
)
def test_a_wallet_is_possession_only_where_the_firm_alone_can_move(facts: WalletFacts, why: NotControl | None) -> None:
    found = token(at_wallet(100, facts))
    assert (cause(found), found.deficit) == (why, 0 if why is None else 100)


@pytest.mark.parametrize("asset", [None, TOKEN, A])
def test_what_somebody_else_could_move_is_not_in_possession(asset: AssetId | None) -> None:
    found = token(replace(at_wallet(100), movable={(WALLET, asset)}))
    assert cause(found) is (None if asset == A else NotControl.OTHERS_COULD_MOVE)


@pytest.mark.parametrize(("days", "limit", "is_control"), [(30, "30", True), (31, "30", False), (31, "0", True)])
def test_a_proof_of_the_key_counts_for_as_long_as_the_policy_says(days: int, limit: str, is_control: bool) -> None:
    proven = replace(OURS, proven_on=AS_OF - timedelta(days=days))
    assert cause(token(at_wallet(100, proven), proof_days=limit)) is (None if is_control else NotControl.NO_KEY_PROOF)
    if limit != "0":
        assert cause(token(at_wallet(100, OURS), proof_days=limit)) is NotControl.NO_KEY_PROOF


def test_only_what_was_observed_counts() -> None:
    found = token(at_wallet(60))
    assert (found.control, found.deficit, found.unverified) == (60, 40, "")
    assert found.counted[0].cause is NotControl.LESS_OBSERVED
    shared = token(at_wallet(60), lines=2)
    assert [each.base_units for each in shared.counted] == [50, 10]
    assert token(at_wallet(0)).deficit == 100
    assert token(at_wallet(500)).control == 100


def test_what_was_not_observed_is_unverified_and_neither_zero_nor_there() -> None:
    found = token(at_wallet(None))
    assert (found.control, found.not_known, found.deficit) == (0, 100, 0)
    assert found.unverified == "a balance on chain was not observed"
    short = token(at_wallet(None), units=99)  # even if all of it were there, one unit would be missing
    assert (short.deficit, short.unverified) == (100, "a balance on chain was not observed")


def test_a_token_at_no_known_wallet_is_not_in_possession() -> None:
    assert cause(token(ChainFacts())) is NotControl.FIRM_CANNOT_SIGN_ALONE
    assert cause(token(None, location=BANK)) is NotControl.NO_WALLET


def test_a_token_at_a_bank_is_control_by_the_banks_letter() -> None:
    c5 = ControlParagraph.C5
    assert cause(token(None, StockPlace.BANK_CUSTODY, paragraph=c5, location=BANK)) is None
    # at a wallet of the bank's: who signs is the bank's business, what is there is the chain's
    banks = replace(OURS, firm_alone_can_sign=False, others_can_sign=True)
    assert cause(token(at_wallet(100, banks), StockPlace.BANK_CUSTODY, paragraph=c5)) is None
    assert token(at_wallet(None, banks), StockPlace.BANK_CUSTODY, paragraph=c5).not_known == 100


def test_bitcoin_is_reconciled_and_never_short_of_possession() -> None:
    found = token(at_wallet(None), kind=LegalClass.NON_SECURITY_CRYPTO)
    assert (found.gap, found.deficit, found.unverified) == (100, 0, "")


def test_paper_in_the_box_needs_no_wallet() -> None:
    record = Record()
    record.line(StockPlace.BOX, 100, location=VAULT)
    assert cause(of_a(record, [evidence(VAULT, ControlParagraph.B1)])) is None


@given(
    st.lists(st.tuples(st.sampled_from(list(StockPlace)), st.integers(1, 50), st.integers(0, 60)), max_size=8),
    st.integers(0, 200),
)
@settings(max_examples=150, deadline=None)
def test_a_unit_more_in_control_never_raises_a_deficit(lines: list[tuple[StockPlace, int, int]], owned: int) -> None:
    def made(more: int) -> IssueReview:
        record = Record()
        record.owns("C", owned + 1)
        for place, units, days in lines:
            if place not in (StockPlace.STOCK_BORROW, StockPlace.FAIL_TO_DELIVER):
                record.line(place, units, days=days, location=DTC, account_id="F" * (place is StockPlace.ACCOUNT))
        if more:
            record.in_dtc(more)
        found = review(books(record, [account("C"), account("F", holder=HolderClass.FIRM)])).of(A)
        assert found is not None
        return found

    before, after = made(0), made(1)
    assert after.deficit == max(0, before.deficit - 1)
    for found in (before, after):
        assert found.deficit == max(0, owned + 1 - found.control)
        assert sum(each.attributed for each in found.sources) + found.unattributed == found.deficit
