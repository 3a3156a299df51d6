"""Items 13 to 15: forms, conditions and the one day of Note H, each with its twin that fails."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from chains.errors import InvalidValue
from tests.verifier.reserve.make import AS_OF, CALENDAR, POLICIES
from verifier.reserve.clearing import (
    NOTE_G_MARGIN,
    AgencyCondition,
    MarginCall,
    MarginForm,
    NoteGDetermination,
    TreasuryAgency,
    TreasuryDeposit,
    TreasuryForm,
    item_13,
    item_14,
    item_15,
    note_g_problems,
)


@pytest.mark.parametrize(("required", "deposit", "debit"), [(100, 150, 100), (150, 100, 100), (0, 100, 0), (100, 0, 0)])
def test_required_and_on_deposit_is_the_smaller(required: int, deposit: int, debit: int) -> None:
    assert item_13(required, [(MarginForm.CASH, deposit)]) == debit


@pytest.mark.parametrize(
    ("form", "debit"),
    [
        (MarginForm.CASH, 100),
        (MarginForm.PROPRIETARY_QUALIFIED_SECURITIES, 100),
        (MarginForm.LETTER_OF_CREDIT_ON_CUSTOMER_SECURITIES, 100),
        (MarginForm.CUSTOMER_SECURITIES, 0),
        (MarginForm.OTHER, 0),
    ],
)
def test_customers_own_securities_are_no_debit(form: MarginForm, debit: int) -> None:
    assert item_13(100, [(form, 100)]) == debit


GOOD = NoteGDetermination(date(2025, 10, 2), 0, 0, NOTE_G_MARGIN, False, True, True, True)


@pytest.mark.parametrize(
    ("determination", "good"),
    [
        (GOOD, True),
        (replace(GOOD, determined_on=date(2025, 10, 1)), False),  # a year and a day ago
        (replace(GOOD, determined_on=AS_OF), True),
        (replace(GOOD, determined_on=AS_OF + timedelta(days=1)), False),
        (replace(GOOD, margin_deposits=NOTE_G_MARGIN - 1), False),
        (replace(GOOD, margin_deposits=0, exempted_by_commission=True), True),
        (replace(GOOD, margin_deposits=0, security_deposits=500_000_000_00, assessment_power=1_500_000_000_00), True),
        (replace(GOOD, margin_deposits=0, security_deposits=500_000_000_00, assessment_power=1_499_999_999_99), False),
        (replace(GOOD, margin_deposits=0, security_deposits=499_999_999_99, assessment_power=9_000_000_000_00), False),
        (replace(GOOD, no_lien_letter=False), False),
        (replace(GOOD, safeguards=False), False),
        (replace(GOOD, undertaking=False), False),
    ],
)
def test_note_g_conditions(determination: NoteGDetermination, good: bool) -> None:
    assert (not note_g_problems(determination, AS_OF, POLICIES)) is good
    assert item_14(100, [(MarginForm.CASH, 80)], determination, AS_OF, POLICIES) == (80 if good else 0)


AGENCY = TreasuryAgency(
    "FICC", date(2024, 11, 21), date(2024, 11, 29), None, tuple((each, date(2025, 1, 1)) for each in AgencyCondition)
)
CASH = TreasuryDeposit("c", TreasuryForm.CUSTOMER_CASH, 100, customer_only=True)
SECURITIES = TreasuryDeposit("c", TreasuryForm.CUSTOMER_SECURITIES, 100, customer_only=True)


def debit(
    *deposits: TreasuryDeposit, required: int = 1000, agency: TreasuryAgency = AGENCY, as_of: date = AS_OF
) -> int:
    return item_15([("c", required)], deposits, agency, as_of, CALENDAR).cents


def test_item_15_counts_what_is_the_customers() -> None:
    assert debit(CASH, SECURITIES) == 200
    assert debit(CASH, SECURITIES, required=150) == 150
    assert debit(replace(CASH, customer_only=False)) == 0
    assert debit(replace(CASH, form=TreasuryForm.FIRM_CASH)) == 0


def test_item_15_is_measured_customer_by_customer() -> None:
    """One customer's surplus of margin is not another's."""
    other = replace(CASH, customer_id="d", cents=500)
    result = item_15([("c", 300), ("d", 200)], [CASH, other], AGENCY, AS_OF, CALENDAR)
    assert result.debits == (("c", 100), ("d", 200))
    assert item_15([], [CASH], AGENCY, AS_OF, CALENDAR).cents == 0
    with pytest.raises(InvalidValue, match="twice"):
        item_15([("c", 1), ("c", 1)], [], AGENCY, AS_OF, CALENDAR)


def test_item_15_has_credits_beside_it_also_where_it_gives_none() -> None:
    shut = replace(AGENCY, notice_published_on=None)
    result = item_15([("c", 1000)], [CASH, SECURITIES], shut, AS_OF, CALENDAR)
    assert (result.cents, result.customer_cash, result.customer_securities) == (0, 100, 100)


@pytest.mark.parametrize(
    "agency",
    [
        replace(AGENCY, rules_approved_on=None),
        replace(AGENCY, rules_approved_on=AS_OF + timedelta(days=1)),
        replace(AGENCY, notice_published_on=None),
        replace(AGENCY, notice_published_on=AS_OF + timedelta(days=1)),
        replace(AGENCY, notice_withdrawn_on=AS_OF),
        *(
            replace(AGENCY, evidence=tuple(each for each in AGENCY.evidence if each[0] is not missing))
            for missing in AgencyCondition
        ),
        replace(AGENCY, evidence=tuple((each, AS_OF + timedelta(days=1)) for each in AgencyCondition)),
    ],
)
def test_an_agency_that_misses_a_condition_gives_no_debit(agency: TreasuryAgency) -> None:
    assert agency.problems(AS_OF)
    assert debit(CASH, agency=agency) == 0
    assert debit(CASH, agency=replace(AGENCY, notice_withdrawn_on=AS_OF + timedelta(days=1))) == 100


def test_evidence_holds_from_its_own_day() -> None:
    today = tuple((each, AS_OF) for each in AgencyCondition)
    assert replace(AGENCY, rules_approved_on=AS_OF, notice_published_on=AS_OF, evidence=today).problems(AS_OF) == []


FRIDAY, MONDAY, TUESDAY = AS_OF, date(2026, 10, 5), date(2026, 10, 6)


@pytest.mark.parametrize(
    ("call", "as_of", "counts"),
    [
        (MarginCall(FRIDAY, True, FRIDAY, None), FRIDAY, True),  # the day it arose
        (MarginCall(FRIDAY, True, FRIDAY, None), MONDAY, False),  # not delivered by that close
        (MarginCall(FRIDAY, True, FRIDAY, MONDAY), MONDAY, True),
        (MarginCall(FRIDAY, True, FRIDAY, TUESDAY), FRIDAY, True),  # nobody knows yet
        (MarginCall(FRIDAY, True, FRIDAY, TUESDAY), TUESDAY, False),  # delivered late
        (MarginCall(FRIDAY, True, MONDAY, MONDAY), MONDAY, False),  # called a day late
        (MarginCall(FRIDAY, True, None, None), FRIDAY, False),
        (MarginCall(FRIDAY, False, FRIDAY, None), FRIDAY, False),  # the customer had enough
        (MarginCall(MONDAY, True, MONDAY, None), FRIDAY, False),
    ],
)
def test_firm_treasuries_count_for_the_one_day_of_note_h(call: MarginCall, as_of: date, counts: bool) -> None:
    firm = TreasuryDeposit("c", TreasuryForm.FIRM_TREASURIES, 100, customer_only=True, call=call)
    assert debit(firm, as_of=as_of) == (100 if counts else 0)
    assert debit(replace(firm, call=None), as_of=as_of) == 0
