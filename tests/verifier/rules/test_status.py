"""The one status: all that hold, the worst first, and compliant only where nothing else does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.records import FindingKind
from verifier.rules.status import LEADING, FirmStatus, firm_status

SEGREGATION, UNDER_FUNDED, DEFICIT, UNVERIFIED, COMPLIANT = LEADING


@pytest.mark.parametrize(
    ("kinds", "changes", "expected"),
    [
        ([], {}, (COMPLIANT,)),
        ([], {"expected_holdings": 0}, (UNVERIFIED,)),  # nothing was compared
        ([], {"stale": True}, (UNVERIFIED,)),
        ([], {"unverified_holdings": 1}, (UNVERIFIED,)),
        ([], {"diverged_holdings": 1}, (SEGREGATION,)),
        ([], {"under_funded": True}, (UNDER_FUNDED,)),
        ([], {"control_deficit": True}, (DEFICIT,)),
        ([FindingKind.SHORTFALL], {}, (SEGREGATION,)),  # of Bitcoin as of a security: the kind decides
        ([FindingKind.UNAUTHORIZED_TRANSFER], {}, (SEGREGATION,)),
        ([FindingKind.COMMINGLING], {}, (SEGREGATION,)),
        ([FindingKind.HYPOTHECATION], {}, (SEGREGATION,)),
        ([FindingKind.CONTROL_DEFICIT, FindingKind.UNVERIFIED], {}, (DEFICIT, UNVERIFIED)),
        (
            [FindingKind.UNVERIFIED, FindingKind.CONTROL_DEFICIT, FindingKind.RESERVE_DEFICIT, FindingKind.EXCESS],
            {},
            (SEGREGATION, UNDER_FUNDED, DEFICIT, UNVERIFIED),
        ),
    ],
)
def test_all_that_hold_are_listed_and_the_worst_leads(
    kinds: list[FindingKind], changes: dict[str, int | bool], expected: tuple[FirmStatus, ...]
) -> None:
    given_all: dict[str, int | bool] = {"unverified_holdings": 0, "expected_holdings": 1, "stale": False} | changes
    assert firm_status(kinds, **given_all) == expected  # type: ignore[arg-type]


@given(st.sets(st.sampled_from(FindingKind)), st.booleans(), st.booleans(), st.booleans(), st.integers(0, 2))
def test_compliant_stands_alone_and_only_where_nothing_is_open_or_unknown(
    kinds: set[FindingKind], stale: bool, under_funded: bool, control_deficit: bool, expected: int
) -> None:
    found = firm_status(kinds, 0, expected, stale=stale, under_funded=under_funded, control_deficit=control_deficit)
    nothing = not (kinds or stale or under_funded or control_deficit) and expected > 0
    assert (found == (COMPLIANT,)) is nothing
    assert (COMPLIANT in found) is nothing
    assert list(found) == [each for each in LEADING if each in found]
