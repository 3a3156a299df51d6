"""Item 10 by Note E: each paragraph at its limits, and what no combination of them may do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.errors import InvalidValue
from exports.reserve.policies import Policy, PolicySet, policies_at
from tests.verifier.reserve.make import AS_OF, CALENDAR, POLICIES
from verifier.reserve.note_e import (
    AccountKind,
    Collateral,
    ConcentrationRelief,
    DebitAccount,
    Item10,
    Relation,
    item_10,
)

RICH = 10**15
"""A tentative net capital that limits nobody."""


def run(
    *accounts: DebitAccount,
    capital: int = RICH,
    relief: Mapping[str, ConcentrationRelief] | None = None,
    policies: PolicySet = POLICIES,
    pab: bool = False,
) -> Item10:
    return item_10(
        accounts,
        as_of=AS_OF,
        tentative_net_capital=capital,
        relief=relief or {},
        policies=policies,
        calendar=CALENDAR,
        pab=pab,
    )


def cash(account_id: str, debit: int, **more: object) -> DebitAccount:
    return DebitAccount(account_id, account_id, AccountKind.CASH, debit, **more)  # type: ignore[arg-type]


def margin(
    account_id: str, debit: int, *held: tuple[str, int], owner: str = "", exempted: bool = False
) -> DebitAccount:
    pledged = tuple(Collateral(security, value, exempted) for security, value in held)
    return DebitAccount(account_id, owner or account_id, AccountKind.MARGIN, debit, collateral=pledged)


def test_plain_debits_add() -> None:
    assert run(cash("a", 100), cash("b", 50)).cents == 150


def test_unsecured_and_doubtful_are_out() -> None:
    result = run(cash("a", 100, unsecured_or_doubtful=True), cash("b", 50))
    assert (result.cents, result.gross, result.exclusions[0].note) == (50, 150, "item 10")


@pytest.mark.parametrize("relation", [Relation.HOUSEHOLD, Relation.AFFILIATE])
def test_e4_debits_are_out_but_for_what_relates_to_credits(relation: Relation) -> None:
    assert run(cash("a", 100, relation=relation)).cents == 0
    assert run(cash("a", 100, relation=relation, related_to_credits=30)).cents == 30


@pytest.mark.parametrize(
    ("part", "left"),
    [
        (Fraction(0), 1000),
        (Fraction(4999, 100000), 1000),
        (Fraction(5, 100), 950),
        (Fraction(1, 3), 666),  # 333.33 is out, rounded up
        (Fraction(50, 100), 500),
        (Fraction(50001, 100000), 0),
        (Fraction(1), 0),
    ],
)
def test_e6_by_the_share_of_non_customers(part: Fraction, left: int) -> None:
    assert run(cash("a", 1000, non_customer_share=part)).cents == left


def test_e6_leaves_what_relates_to_credits() -> None:
    assert run(cash("a", 1000, non_customer_share=Fraction(60, 100), related_to_credits=400)).cents == 400


@pytest.mark.parametrize(
    ("deficit", "calls", "left", "to_credits"), [(30, 0, 70, 0), (30, 10, 80, 0), (30, 40, 100, 0), (130, 0, 0, 30)]
)
def test_e2_omnibus_deficits_less_recent_calls(deficit: int, calls: int, left: int, to_credits: int) -> None:
    account = DebitAccount("o", "o", AccountKind.OMNIBUS, 100, deficit=deficit, recent_calls=calls)
    result = run(account, capital=0)  # E(5) is not for omnibus accounts
    assert (result.cents, result.omnibus_credits) == (left, to_credits)


@pytest.mark.parametrize(("debit", "left"), [(250_000, 250_000), (250_001, 250_000), (400_000, 250_000)])
def test_e5_above_a_quarter_of_tentative_net_capital(debit: int, left: int) -> None:
    assert run(margin("a", debit), capital=1_000_000).cents == left
    assert run(cash("a", debit), capital=1_000_000).cents == debit  # margin debits only


def test_limits_in_parts_of_a_cent_go_against_the_firm() -> None:
    """A quarter of 7 cents is a limit of 1; 140 percent of 101 cents is collateral of 141."""
    assert run(margin("a", 5), capital=7).cents == 1
    ones = [margin(f"a{i}", 100, (f"S{i}", 50)) for i in range(8)]
    exclusions = run(*ones, margin("x", 101, ("X", 10**6))).exclusions
    assert [each.cents for each in exclusions] == [141 - 81]  # 15 percent of 541


def test_e5_adds_related_accounts() -> None:
    two = (margin("a", 200_000, owner="p"), margin("b", 200_000, owner="p"))
    assert run(*two, capital=1_000_000).cents == 250_000
    apart = (margin("a", 200_000), margin("b", 200_000))
    assert run(*apart, capital=1_000_000).cents == 400_000


@pytest.mark.parametrize(("related", "left"), [(0, 250_000), (100_000, 250_000), (300_000, 300_000)])
def test_e5_leaves_what_relates_to_credits(related: int, left: int) -> None:
    """Only what is above the limit and not shown to be related goes."""
    account = DebitAccount("a", "a", AccountKind.MARGIN, 400_000, related_to_credits=related)
    assert run(account, capital=1_000_000).cents == left


def test_e5_without_capital_takes_everything() -> None:
    assert run(margin("a", 100), capital=-5).cents == 0


def test_e5_fifty_thousand_dollars_is_a_policy() -> None:
    """Only that the two readings are both there, and that the default is the larger reduction."""
    relief = policies_at(AS_OF, [Policy("note_e5_fifty_thousand", "limit_at_least", AS_OF, "written opinion", "x")])
    account = margin("a", 60_000_00)
    assert run(account, capital=100_00).cents < run(account, capital=100_00, policies=relief).cents <= 60_000_00


@pytest.mark.parametrize(
    ("relief", "left"),
    [
        (ConcentrationRelief(), 250_000),
        (ConcentrationRelief(excepted=50_000), 300_000),
        (ConcentrationRelief(requested_on=date(2026, 9, 25)), 400_000),  # five business days
        (ConcentrationRelief(requested_on=AS_OF), 400_000),
        (ConcentrationRelief(requested_on=date(2026, 9, 24)), 250_000),  # six
        (ConcentrationRelief(requested_on=date(2026, 10, 5)), 250_000),  # asked later
    ],
)
def test_e5_relief_by_the_examining_authority(relief: ConcentrationRelief, left: int) -> None:
    assert run(margin("a", 400_000), capital=1_000_000, relief={"a": relief}).cents == left


def test_e1_takes_what_one_security_is_above_15_percent() -> None:
    """Eight securities of 1000 and one of 2000 make 10000: the one is 500 above 15 percent."""
    even = [margin(f"a{i}", 1000, (f"S{i}", 1000)) for i in range(8)]
    result = run(*even, margin("x", 2000, ("X", 2000)))
    assert [(each.subject, each.note, each.cents) for each in result.exclusions] == [("X", "E(1)", 500)]
    assert result.cents == 10_000 - 500


def test_e1_spares_exempted_securities_and_pab() -> None:
    even = [margin(f"a{i}", 1000, (f"S{i}", 1000)) for i in range(8)]
    assert run(*even, margin("x", 2000, ("X", 2000), exempted=True)).cents == 10_000
    assert run(*even, margin("x", 2000, ("X", 2000)), pab=True).cents == 10_000


def test_e1_counts_collateral_to_140_percent_of_the_debit() -> None:
    even = [margin(f"a{i}", 1000, (f"S{i}", 1000)) for i in range(8)]
    at, above = (run(*even, margin("x", 1000, ("X", value))).exclusions for value in (1400, 9_000_000))
    assert at == above
    assert [each.cents for each in at] == []  # 1400 of 9400 is below 15 percent
    more = run(*even, margin("x", 1100, ("X", 9_000_000))).exclusions
    assert [each.cents for each in more] == [1540 - 1431]  # 15 percent of 9540


def test_e1_takes_no_more_than_the_debits_it_is_about() -> None:
    """One security is all the collateral: 85 percent of it is concentrated, but only its accounts' debits can go."""
    result = run(margin("x", 100, ("X", 140)))
    assert result.cents == 0
    assert [each.cents for each in result.exclusions] == [100]


def test_a_security_is_exempted_everywhere_or_nowhere() -> None:
    with pytest.raises(InvalidValue, match="exempted"):
        run(margin("a", 10, ("X", 5)), margin("b", 10, ("X", 5), exempted=True))


def test_the_same_account_or_security_twice_is_refused() -> None:
    with pytest.raises(InvalidValue, match="twice"):
        run(cash("a", 1), cash("a", 2))
    with pytest.raises(InvalidValue, match="twice"):
        margin("a", 1, ("X", 1), ("X", 1))
    with pytest.raises(InvalidValue, match="more than its debit"):
        cash("a", 1, related_to_credits=2)


ACCOUNTS = st.lists(
    st.builds(
        lambda owner, kind, debit, doubtful, relation, part, held: DebitAccount(
            "", owner, kind, debit, doubtful, relation, part, collateral=held
        ),
        st.sampled_from(["p", "q", "r"]),
        st.sampled_from(AccountKind),
        st.integers(0, 10**9),
        st.booleans(),
        st.sampled_from(Relation),
        st.fractions(0, 1, max_denominator=1000),
        st.lists(
            st.tuples(st.sampled_from("XYZ"), st.integers(0, 10**9)), max_size=3, unique_by=lambda each: each[0]
        ).map(lambda held: tuple(Collateral(security, value, security == "Z") for security, value in held)),
    ),
    max_size=8,
)


@given(ACCOUNTS, st.integers(-100, 10**9), st.booleans())
def test_item_10_is_gross_less_exclusions_and_never_negative(
    accounts: list[DebitAccount], capital: int, pab: bool
) -> None:
    from dataclasses import replace

    named = [replace(each, account_id=f"a{i}") for i, each in enumerate(accounts)]
    result = run(*named, capital=capital, pab=pab)
    assert result.cents == result.gross - sum(each.cents for each in result.exclusions)
    assert 0 <= result.cents <= result.gross
    assert result == run(*reversed(named), capital=capital, pab=pab)
