"""Items 1, 10 and 13 to 15 from the books: Note E by account, clearing margin, PAB notes, and amounts of no account."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from exports.reserve.errors import ItemsRefused
from exports.reserve.frequency import Method
from exports.reserve.items import ReserveClass
from mapping import reserve_types as stated
from mapping.books_types import (
    AccountBalance,
    AccountRelation,
    AccountType,
    ClearingAgency,
    ClearingMargin,
    MarginAgency,
    MarginHeldAs,
    OtherAmount,
    OtherNature,
    OwnerRelation,
    PabRelief,
    PabReliefKind,
    SecurityFact,
    StockPlace,
)
from tests.verifier.reserve.books import ACME, KNOWN_AT, PAB, ZETA, account, at, books, day, derived, lines, long
from tests.verifier.reserve.make import AS_OF
from verifier.reserve.allocation import DerivedItems

LONG_AGO = day(-400)


def relation(account_id: str, **facts: object) -> AccountRelation:
    return AccountRelation(account_id, LONG_AGO, **facts)  # type: ignore[arg-type]


def margin_account(account_id: str, debit: int, client_id: str | None = None) -> AccountBalance:
    return account(account_id, -debit, kind=AccountType.MARGIN, client_id=client_id)


def notes(found: DerivedItems) -> list[tuple[str, str, int]]:
    return [(each.subject, each.note, each.cents) for each in found.excluded]


def test_unsecured_related_and_joint_debits_are_out_and_their_credits_in() -> None:
    rows = [account("1", -100), account("2", -200), account("3", -300), account("4", -400), account("5", 70)]
    facts = (
        relation("1", unsecured_or_doubtful=True),
        relation("2", relation=OwnerRelation.AFFILIATE, related_to_credits=50),
        relation("3", non_customer_share=Fraction(1, 3)),
        relation("5", relation=OwnerRelation.HOUSEHOLD),
    )
    found = derived(books(rows, relations=facts))
    assert lines(found) == ({1: 70, 10: 50 + 200 + 400}, {})
    assert notes(found) == [("2", "Note E(4)", 150), ("3", "Note E(6)", 100), ("1", "unsecured or doubtful", 100)]
    rows_10 = [(row.row_id, row.cents) for row in found.rows if row.item == 10]
    assert rows_10 == [("account:2", 50), ("account:3", 200), ("account:4", 400)]


def test_accounts_of_one_customer_are_one_for_a_quarter_of_the_capital() -> None:
    rows = [margin_account("1", 60_00, "X"), margin_account("2", 60_00, "X"), margin_account("3", 60_00, "Y")]
    exempt = (SecurityFact(ACME, LONG_AGO, True, "memo"),)
    apart = derived(books(rows, securities=exempt), capital=400_00)
    assert notes(apart) == [("X", "Note E(5)", 20_00)]
    assert lines(apart) == ({10: 160_00}, {})
    assert [(row.row_id, row.cents) for row in apart.rows] == [
        ("account:1", 40_00),
        ("account:2", 60_00),
        ("account:3", 60_00),
    ]
    # A group that one account names takes the owner's other accounts with it.
    group = (relation("2", single_customer_id="G"), relation("3", single_customer_id="G"))
    together = derived(books(rows, relations=group), capital=400_00)
    assert lines(together) == ({10: 100_00}, {})


def test_a_request_to_the_authority_keeps_the_debit_for_five_business_days() -> None:
    rows = [margin_account("1", 100_00)]
    for asked, expected in ((day(-7), 100_00), (day(-8), 50_00)):
        facts = (relation("1", relief_requested_on=asked),)
        found = derived(books(rows, relations=facts), capital=200_00)
        assert lines(found)[0][10] == expected
    facts = (relation("1", relief_excepted=20_00),)
    assert lines(derived(books(rows, relations=facts), capital=200_00))[0][10] == 70_00


def test_one_security_above_15_percent_of_all_collateral_is_out_and_the_rows_say_where() -> None:
    rows = [margin_account("1", 100_00), margin_account("2", 100_00)]
    held = [long("a", "1", 14), long("b", "2", 14, ZETA)]
    stock = [*held, at("A", StockPlace.BOX, 14), at("B", StockPlace.BOX, 14, security=ZETA)]
    found = derived(books(rows, stock))
    # 140.00 each, 15 percent of 280.00 is 42.00: both are above it by 98.00
    assert lines(found) == ({10: 4_00}, {})
    facts = tuple(SecurityFact(each, LONG_AGO, True, "memo") for each in (ACME, ZETA))
    assert lines(derived(books(rows, stock, securities=facts)))[0] == {10: 200_00}
    one = derived(books(rows, stock, securities=facts[1:]))
    assert [(row.row_id, row.cents) for row in one.rows] == [("account:1", 2_00), ("account:2", 100_00)]


def test_pab_debits_are_not_concentrated() -> None:
    rows = [account("1", -100_00, PAB, AccountType.MARGIN)]
    stock = [long("a", "1", 14), at("A", StockPlace.BOX, 14)]
    assert lines(derived(books(rows, stock))) == ({}, {10: 100_00})


def test_omnibus_deficits_beyond_the_debit_become_a_credit() -> None:
    rows = [account("O", -100, kind=AccountType.OMNIBUS)]
    facts = (relation("O", omnibus_deficit=170, recent_calls=20),)
    assert lines(derived(books(rows, relations=facts))) == ({1: 50}, {})


def margin(
    agency: str, kind: MarginAgency, required: int, deposited: int, form: MarginHeldAs, **more: object
) -> ClearingMargin:
    more = {"computation": stated.ReserveClass.CUSTOMER, "client_id": ""} | more
    key = f"{agency}-{form}-{more['client_id']}"
    return ClearingMargin(
        as_of=AS_OF,
        margin_id=key,
        agency_kind=kind,
        agency=agency,
        required=required,
        on_deposit=deposited,
        held_as=form,
        **more,  # type: ignore[arg-type]
    )


def test_options_margin_is_the_smaller_of_required_and_deposited_in_the_forms_that_count() -> None:
    own = (
        margin("OCC", MarginAgency.OPTIONS, 100, 60, MarginHeldAs.CASH),
        margin("OCC", MarginAgency.OPTIONS, 100, 30, MarginHeldAs.PROPRIETARY_QUALIFIED_SECURITIES),
        margin("OCC", MarginAgency.OPTIONS, 100, 500, MarginHeldAs.CUSTOMER_SECURITIES),
    )
    assert lines(derived(books(clearing_margin=own))) == ({13: 90}, {})
    assert lines(derived(books(clearing_margin=(replace(own[0], required=50),)))) == ({13: 50}, {})
    with pytest.raises(ItemsRefused, match="requires another amount"):
        derived(books(clearing_margin=(own[0], replace(own[1], required=99))))


def test_futures_margin_needs_the_determination_of_note_g() -> None:
    own = (margin("CME", MarginAgency.FUTURES, 100, 60, MarginHeldAs.CASH),)
    bare = derived(books(clearing_margin=own))
    assert (lines(bare), notes(bare)[0][1][:6]) == (({}, {}), "Note G")
    met = ClearingAgency(
        "CME",
        LONG_AGO,
        MarginAgency.FUTURES,
        day(-365),
        exempted_by_commission=True,
        no_lien_letter=True,
        safeguards=True,
        undertaking=True,
    )
    assert lines(derived(books(clearing_margin=own, clearing_agencies=(met,)))) == ({14: 60}, {})
    late = replace(met, determined_on=day(-366))
    assert lines(derived(books(clearing_margin=own, clearing_agencies=(late,)))) == ({}, {})


FICC = ClearingAgency(
    "FICC",
    LONG_AGO,
    MarginAgency.TREASURIES,
    rules_approved_on=day(-300),
    notice_published_on=day(-300),
    conditions_on=day(-300),
)


def treasuries(form: MarginHeldAs, cents: int, **more: object) -> ClearingMargin:
    more = {"client_id": "T", "customer_only": True} | more
    return margin("FICC", MarginAgency.TREASURIES, 100, cents, form, **more)


def test_treasury_margin_is_a_debit_with_its_credits_beside_it() -> None:
    client = account("T", 40, client_id="T")
    own = (treasuries(MarginHeldAs.CUSTOMER_CASH, 40), treasuries(MarginHeldAs.CUSTOMER_SECURITIES, 50))
    of = books([client], clearing_margin=own, clearing_agencies=(FICC,))
    # The customer's cash is in the account's credit balance already, and is not counted twice.
    assert lines(derived(of)) == ({1: 40, 2: 50, 15: 90}, {})
    hidden = replace(of, accounts=(account("T", 10, client_id="T"),))
    assert lines(derived(hidden)) == ({1: 40, 2: 50, 15: 90}, {})
    withdrawn = replace(of, clearing_agencies=(replace(FICC, notice_withdrawn_on=AS_OF),))
    assert lines(derived(withdrawn)) == ({1: 40, 2: 50}, {})
    assert lines(derived(replace(of, clearing_agencies=()))) == ({1: 40, 2: 50}, {})


def test_firm_cash_is_no_treasury_debit_and_its_bills_for_one_day() -> None:
    def of(**more: object) -> DerivedItems:
        own = (treasuries(MarginHeldAs.FIRM_TREASURIES, 70, **more),)
        return derived(books(clearing_margin=own, clearing_agencies=(FICC,)))

    called = {"arose_on": AS_OF, "customer_was_short": True, "called_on": AS_OF}
    assert lines(of(**called)) == ({15: 70}, {})
    assert lines(of(**called | {"called_on": None})) == ({}, {})
    assert lines(of(**called | {"arose_on": day(-1), "called_on": day(-1)})) == ({}, {})
    cash = (treasuries(MarginHeldAs.FIRM_CASH, 70), treasuries(MarginHeldAs.CASH, 70))
    assert lines(derived(books(clearing_margin=cash, clearing_agencies=(FICC,)))) == ({}, {})


def test_a_deposit_in_a_form_that_never_counts_is_named() -> None:
    own = [margin("OCC", MarginAgency.OPTIONS, 100, 60, form) for form in (MarginHeldAs.OTHER, MarginHeldAs.CASH)]
    own[0] = replace(own[0], margin_id="M-other")
    found = derived(books(clearing_margin=(*own, treasuries(MarginHeldAs.FIRM_CASH, 70)), clearing_agencies=(FICC,)))
    assert lines(found) == ({13: 60}, {})
    assert [(each.item, each.subject, each.note, each.cents) for each in found.excluded if each.item != 15] == [
        (13, "M-other", "Note F: held as other", 60)
    ]
    assert [(each.note, each.cents) for each in found.excluded if each.item == 15] == [
        ("Note H: held as firm cash", 70)
    ]


def test_customers_securities_at_a_treasury_agency_are_a_credit_by_the_larger_of_two_sources() -> None:
    client = account("T", 0, client_id="T")
    stock = [long("a", "T", 10), at("M", StockPlace.CLEARING_MARGIN, 10, reference="FICC")]
    assert lines(derived(books([client], stock, clearing_agencies=(FICC,)))) == ({2: 100_00}, {})
    own = (treasuries(MarginHeldAs.CUSTOMER_SECURITIES, 130_00),)
    found = derived(books([client], stock, clearing_margin=own, clearing_agencies=(FICC,)))
    assert lines(found)[0][2] == 130_00
    with pytest.raises(ItemsRefused, match="no clearing agency FICC"):
        derived(books([client], stock))


def test_amounts_of_no_account() -> None:
    def of(nature: OtherNature, kind: stated.ReserveClass, age: int = 31) -> OtherAmount:
        return OtherAmount(AS_OF, f"{nature}-{kind}", kind, nature, 100, "ledger", day(-age))

    customers, pabs = stated.ReserveClass
    every = (*(of(nature, customers) for nature in OtherNature), of(OtherNature.DRAFT, pabs))
    assert lines(derived(books(other_amounts=every))) == ({1: 300, 2: 100, 5: 100, 8: 100}, {1: 100})
    young = of(OtherNature.SUSPENSE_CREDIT, customers, 30)
    assert lines(derived(books(other_amounts=(young,)))) == ({}, {})
    # Seven business days under the alternative method: they are seven since 23 September, eight since the 22nd.
    for age, expected in ((9, {}), (10, {8: 100})):
        aged = of(OtherNature.SUSPENSE_CREDIT, customers, age)
        assert lines(derived(books(other_amounts=(aged,)), method=Method.ALTERNATIVE)) == (expected, {})


NOON = datetime(2026, 10, 5, 16, 0, tzinfo=UTC)
"""Noon in New York on the next business day."""


def relief(kind: PabReliefKind, cents: int, done_at: datetime | None, free_of_lien: bool = True) -> PabRelief:
    return PabRelief("R", kind, "P", cents, AS_OF, done_at, free_of_lien)


def test_large_deposits_before_settlement_are_no_pab_credit_when_moved_by_noon() -> None:
    rows = [account("P", 6_000_000_00, PAB)]
    moved = relief(PabReliefKind.PRE_SETTLEMENT_DEPOSIT, 5_000_000_00, NOON)
    known = NOON + timedelta(hours=1)
    found = derived(books(rows, pab_reliefs=(moved,)), known_at=known)
    assert lines(found) == ({}, {1: 1_000_000_00})
    assert notes(found) == [("P", "PAB Note 7", 5_000_000_00)]
    for other in (replace(moved, cents=5_000_000_00 - 1), replace(moved, done_at=NOON + timedelta(seconds=1))):
        assert lines(derived(books(rows, pab_reliefs=(other,)), known_at=known)) == ({}, {1: 6_000_000_00})
    assert lines(derived(books(rows, pab_reliefs=(moved,)), known_at=KNOWN_AT)) == ({}, {1: 6_000_000_00})


def test_sweeps_lower_what_must_be_deposited_and_no_line() -> None:
    rows = [account("P", 100, PAB)]
    at_ten = datetime(2026, 10, 6, 14, 0, tzinfo=UTC)
    swept = relief(PabReliefKind.SWEEP, 70, at_ten)
    found = derived(books(rows, pab_reliefs=(swept,)), known_at=at_ten)
    assert (lines(found), found.pab_swept) == (({}, {1: 100}), 70)
    for other in (
        replace(swept, done_at=at_ten + timedelta(seconds=1)),
        replace(swept, free_of_lien=False),
        replace(swept, done_at=None),
    ):
        late = derived(books(rows, pab_reliefs=(other,)), known_at=at_ten + timedelta(hours=1))
        assert late.pab_swept == 0
    assert derived(books(rows, pab_reliefs=(swept,)), known_at=KNOWN_AT).pab_swept == 0
    assert derived(books(rows, pab_reliefs=(replace(swept, cents=101),)), known_at=at_ten).pab_swept == 100


def test_very_many_rows_are_carried_by_count_sum_and_digest() -> None:
    rows = [account(f"{number}", 10 + number) for number in range(5)]
    full, short = derived(books(rows)), derived(books(rows), in_full=4)
    (line,) = [each for each in short.customer.lines if each.number == 1]
    (row,) = line.rows
    assert (row.row_id, row.cents, row.source[:25]) == (
        "rows:customer:1:cash accounts",
        60,
        "5 rows of the books, SHA-",
    )
    assert (lines(full), full.rows) == (lines(short), short.rows)
    assert full.origin() == short.origin()
    other = derived(books([account("0", 11), account("1", 10), *rows[2:]]), in_full=4)
    assert lines(other) == lines(short)
    assert other.customer != short.customer
    assert other.origin().books != short.origin().books
    assert {row.computation for row in short.rows} == {ReserveClass.CUSTOMER}
