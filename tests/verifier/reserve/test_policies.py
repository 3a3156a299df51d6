"""Policies by name, date and source; and the one rounding rule."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.errors import InvalidValue
from exports.reserve.errors import PolicyRefused
from exports.reserve.money import Rounding, dollars, percent, require_cents, share
from exports.reserve.policies import DEFAULT_POLICIES, Policy, policies_at, review_policies_at
from tests.verifier.reserve.make import AS_OF


def own(value: str, since: date, name: str = "price_age_days_max") -> Policy:
    return Policy(name, value, since, "compliance memorandum", "test")


@pytest.mark.fault("D9")
def test_a_policy_changes_on_its_date() -> None:
    later = [own("2", AS_OF), own("1", AS_OF + timedelta(days=5))]
    values = [policies_at(AS_OF + timedelta(days=days), later).integer("price_age_days_max") for days in (-1, 0, 4, 5)]
    assert values == [4, 2, 2, 1]
    assert policies_at(AS_OF + timedelta(days=5), later[::-1]).integer("price_age_days_max") == 1


def test_every_default_has_a_source_and_every_name_one_value() -> None:
    chosen = policies_at(AS_OF).policies + review_policies_at(AS_OF).policies
    assert sorted(each.name for each in chosen) == sorted({each.name for each in DEFAULT_POLICIES})
    assert all(each.source and each.reason for each in chosen)


@pytest.mark.parametrize(
    ("name", "value", "source"),
    [
        ("no_such_policy", "1", "memo"),
        ("price_age_days_max", "-1", "memo"),
        ("price_age_days_max", "four", "memo"),
        ("pab_monthly_105", "maybe", "memo"),
        ("price_age_days_max", "4", " "),
    ],
)
def test_what_is_no_policy_is_refused(name: str, value: str, source: str) -> None:
    with pytest.raises(PolicyRefused):
        Policy(name, value, AS_OF, source, "test")


def test_two_values_from_one_day_or_none_at_all_are_refused() -> None:
    with pytest.raises(PolicyRefused, match="twice"):
        policies_at(AS_OF, [own("1", AS_OF), own("2", AS_OF)])
    with pytest.raises(PolicyRefused, match="no policy is in effect"):
        policies_at(date(2024, 3, 17))
    with pytest.raises(PolicyRefused, match="no value"):
        policies_at(AS_OF).text("no_such_policy")


@pytest.mark.fault("D4")
@pytest.mark.parametrize(
    ("cents", "rate", "up", "down"), [(100, 1, 1, 1), (101, 1, 2, 1), (150, 1, 2, 1), (50, 1, 1, 0), (0, 3, 0, 0)]
)
def test_a_part_of_a_cent_goes_the_told_way(cents: int, rate: int, up: int, down: int) -> None:
    assert (percent(cents, rate, Rounding.UP), percent(cents, rate, Rounding.DOWN)) == (up, down)


@pytest.mark.fault("D4")
@given(st.integers(0, 10**30), st.fractions(0, 2, max_denominator=10**6))
def test_a_share_is_exact_but_for_less_than_one_cent(cents: int, part: Fraction) -> None:
    exact = cents * part
    assert 0 <= share(cents, part, Rounding.UP) - exact < 1
    assert 0 <= exact - share(cents, part, Rounding.DOWN) < 1


def test_cents_are_whole_and_not_negative() -> None:
    assert require_cents(0, "x") == 0
    assert dollars(-123405) == "-1234.05"
    for bad in (-1, True):
        with pytest.raises(InvalidValue):
            require_cents(bad, "x")
