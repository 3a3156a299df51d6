"""Who else may move something because the firm wants it: decided by two people, in time, about one thing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chains.errors import InvalidValue
from mapping.accepted_control import AcceptedControl, AcceptedKind
from tests.mapping.desk import ELSEWHERE, ETH_OPTIMISM, NOW, OMNIBUS, USDC, Desk, only

TABLE = "accepted_control"
WHOLE = {"kind": "module", "asset_id": "", "quantity_max": ""}
"""Changes that make the good row one about everything in the wallet."""


def posted(desk: Desk, **changes: str) -> AcceptedControl:
    result = desk.post(TABLE, **changes)
    assert result.ok, [str(problem) for problem in result.problems]
    (sourced,) = result.records
    record = sourced.record
    assert isinstance(record, AcceptedControl)
    return record


def test_an_allowance_up_to_an_amount(desk: Desk) -> None:
    accepted = posted(desk)
    assert (accepted.kind, accepted.asset_id, accepted.base_units_max) == (AcceptedKind.ALLOWANCE, USDC, 250 * 10**6)
    assert posted(desk, quantity_max="unlimited").base_units_max is None


def test_an_operator_and_an_approval_of_one_token_name_the_token(desk: Desk) -> None:
    for kind in ("operator", "approved"):
        assert posted(desk, kind=kind, quantity_max="unlimited").asset_id == USDC
        assert only(desk.post(TABLE, **{**WHOLE, "kind": kind}).problems).column == "asset_id"


@pytest.mark.parametrize("kind", ["module", "delegate", "proxy_admin", "beacon"])
def test_what_may_move_everything_has_no_asset_and_no_amount(desk: Desk, kind: str) -> None:
    accepted = posted(desk, **{**WHOLE, "kind": kind})
    assert (accepted.asset_id, accepted.base_units_max) == (None, None)


@pytest.mark.parametrize(
    ("changes", "column", "words"),
    [
        ({"kind": "signature"}, "kind", "allowance, permit2"),
        ({"asset_id": ""}, "asset_id", "name the asset"),
        ({"asset_id": "", "quantity_max": ""}, "asset_id", "name the asset"),
        ({"quantity_max": ""}, "quantity_max", "or unlimited"),
        ({"quantity_max": "0"}, "quantity_max", "positive"),
        ({"quantity_max": "-1"}, "quantity_max", "negative"),
        ({"quantity_max": "0.0000001"}, "quantity_max", "decimals"),
        ({"quantity_max": "Unlimited"}, "quantity_max", "plain decimal"),
        ({**WHOLE, "asset_id": USDC}, "asset_id", "leave the asset empty"),
        ({**WHOLE, "quantity_max": "5"}, "quantity_max", "leave the amount empty"),
        ({**WHOLE, "quantity_max": "unlimited"}, "quantity_max", "leave the amount empty"),
        ({"asset_id": ETH_OPTIMISM}, "asset_id", "not on chain eip155:1"),
        ({"subject": OMNIBUS}, "subject", "the wallet itself"),
        ({"subject": "0x" + "0" * 40}, "subject", "zero"),
        ({"wallet": ELSEWHERE, "subject": OMNIBUS}, "wallet", "not known"),
        ({"approved_by": "ops.maker"}, "approved_by", "cannot be the one"),
        ({"approved_at": "2026-02-01T00:00:01Z"}, "valid_from", "before it was approved"),
        ({"valid_until": "2026-02-01T00:00:00Z"}, "valid_until", "not after"),
        ({"valid_until": ""}, "valid_until", "required"),
        (
            {"approved_at": "2026-03-01T12:00:01Z", "valid_from": "2026-03-01T12:00:01Z"},
            "approved_at",
            "has not come yet",
        ),
    ],
)
def test_what_cannot_be_accepted_is_refused(desk: Desk, changes: dict[str, str], column: str, words: str) -> None:
    problem = only(desk.post(TABLE, **changes).problems)
    assert (problem.column, words in problem.reason) == (column, True), problem


def test_a_new_version_is_approved_anew(desk: Desk) -> None:
    desk.take(accepted_control=({},))
    later = {"valid_until": "2026-06-30T00:00:00Z"}
    problem = only(desk.post(TABLE, **later).problems)
    assert (problem.column, "approved anew" in problem.reason) == ("approved_at", True)
    again = {"approved_at": "2026-02-20T00:00:00Z", "valid_from": "2026-02-20T00:00:00Z"}
    result = desk.post(TABLE, **later, **again)
    assert result.ok
    (notice,) = result.notices
    assert "new version" in notice.text


@pytest.mark.parametrize("changes", [{"subject": "0x27b1fdb04752bbc536007a920d24acb045561c26"}, WHOLE])
def test_a_decision_does_not_become_one_about_something_else(desk: Desk, changes: dict[str, str]) -> None:
    desk.take(accepted_control=({},))
    again = {"approved_at": "2026-02-20T00:00:00Z", "valid_from": "2026-02-20T00:00:00Z"}
    problem = only(desk.post(TABLE, **changes, **again).problems)
    assert (problem.column, "its own id" in problem.reason) == ("acceptance_id", True)


def test_the_same_file_again_says_nothing_new(desk: Desk) -> None:
    desk.take(accepted_control=({},))
    result = desk.give(accepted_control=({}, {**WHOLE, "acceptance_id": "AC-2"}))
    assert (result.ok, result.unchanged, len(result.records)) == (True, 1, 1)


def test_its_first_and_last_moment_count(desk: Desk) -> None:
    accepted, second = posted(desk), timedelta(seconds=1)
    assert accepted.holds_at(accepted.valid_from)
    assert accepted.holds_at(accepted.valid_until)
    assert not accepted.holds_at(accepted.valid_from - second)
    assert not accepted.holds_at(accepted.valid_until + second)


def test_a_record_refuses_what_cannot_be(desk: Desk) -> None:
    accepted = posted(desk)
    for changes in (
        {"asset_id": None},
        {"kind": AcceptedKind.MODULE},
        {"base_units_max": 0},
        {"valid_until": accepted.valid_from},
        {"approved_at": accepted.valid_from + timedelta(seconds=1)},
        {"approved_by": accepted.requested_by},
        {"subject": accepted.wallet},
        {"approved_at": datetime(2026, 1, 1)},  # noqa: DTZ001 - a time without a zone is what is refused
    ):
        with pytest.raises(InvalidValue):
            replace(accepted, **changes)
    assert accepted.about == replace(accepted, base_units_max=None, approved_at=datetime(2026, 1, 1, tzinfo=UTC)).about
    assert accepted.valid_until > NOW
