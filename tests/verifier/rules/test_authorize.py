"""Every outgoing transfer is held against the approvals and gets exactly one outcome."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.errors import InvalidValue
from chains.evm.addresses import ZERO_ADDRESS
from chains.types import Address, Transfer, TransferKind
from mapping.types import FIRM_PURPOSES, FirmAddress, Purpose, TransferAuthorization
from tests.verifier.rules.make import (
    DAI,
    ETH,
    FIRM,
    NOON,
    OTHER_CHAIN,
    OUTSIDE,
    USDC,
    A,
    B,
    C,
    address,
    approval,
    block,
    fee,
    firm_address,
    moved,
)
from verifier.records import MatchOutcome, TransferMatch
from verifier.rules.authorize import (
    amounts_used,
    is_outgoing,
    match_transfers,
    review_late_approvals,
)

CUSTODY = frozenset({A, B})
M = MatchOutcome
NOBODY = ZERO_ADDRESS
HOUR = timedelta(hours=1)
MICROSECOND = timedelta(microseconds=1)


def match(
    transfers: Sequence[Transfer],
    authorizations: Sequence[TransferAuthorization] = (),
    *,
    firm: Sequence[FirmAddress] = (),
    used: dict[str, int] | None = None,
    custody: frozenset[Address] = CUSTODY,
) -> list[TransferMatch]:
    return match_transfers(transfers, authorizations, custody, firm, used or {})


def outcomes(matches: Sequence[TransferMatch]) -> list[tuple[MatchOutcome, str]]:
    return [(each.outcome, each.authorization_id) for each in matches]


@pytest.mark.parametrize(
    ("transfer", "authorization", "expected"),
    [
        (moved(100), approval(100), (M.MATCHED, "auth-1")),
        (moved(99), approval(100), (M.MATCHED, "auth-1")),
        (moved(101), approval(100), (M.OVER_AMOUNT, "auth-1")),
        (moved(100, receiver=C), approval(100), (M.WRONG_DESTINATION, "auth-1")),
        (moved(100, asset=DAI), approval(100), (M.WRONG_ASSET, "auth-1")),
        (moved(100, asset=DAI, receiver=C), approval(100), (M.UNAUTHORIZED, "")),
        (moved(100, sender=B), approval(100), (M.UNAUTHORIZED, "")),
        (moved(100), approval(100, chain_id=OTHER_CHAIN), (M.UNAUTHORIZED, "")),
        (moved(100, receiver=None), approval(100), (M.WRONG_DESTINATION, "auth-1")),  # burnt
        (moved(100, receiver=NOBODY), approval(100, to=NOBODY, purpose=Purpose.REDEMPTION), (M.MATCHED, "auth-1")),
        (moved(101, receiver=NOBODY), approval(100, to=NOBODY, purpose=Purpose.REDEMPTION), (M.OVER_AMOUNT, "auth-1")),
        (moved(100, receiver=NOBODY), approval(100, purpose=Purpose.REDEMPTION), (M.WRONG_DESTINATION, "auth-1")),
        (moved(100), approval(100, purpose=Purpose.REDEMPTION), (M.MATCHED, "auth-1")),  # to its issuer
        (moved(101, receiver=C), approval(100), (M.UNAUTHORIZED, "")),
        # validity is judged by the block's time, both ends included
        (moved(), approval(valid_until=NOON), (M.MATCHED, "auth-1")),
        (moved(), approval(valid_until=NOON - MICROSECOND), (M.EXPIRED, "auth-1")),
        (moved(), approval(valid_from=NOON), (M.MATCHED, "auth-1")),
        (moved(), approval(valid_from=NOON + MICROSECOND), (M.EXPIRED, "auth-1")),
        # an approval does not reach back to what had already happened, but for the chain's own clock
        (moved(), approval(approved_at=NOON + timedelta(seconds=15)), (M.MATCHED, "auth-1")),
        (moved(), approval(approved_at=NOON + timedelta(seconds=16)), (M.EXPIRED, "auth-1")),
        # an internal transfer in an execution is a movement like any other
        (moved(5, asset=ETH, kind=TransferKind.INTERNAL), approval(5, asset=ETH), (M.MATCHED, "auth-1")),
        (moved(5, asset=ETH, kind=TransferKind.INTERNAL), approval(4, asset=ETH), (M.OVER_AMOUNT, "auth-1")),
    ],
)
def test_one_transfer_against_one_approval(
    transfer: Transfer, authorization: TransferAuthorization, expected: tuple[MatchOutcome, str]
) -> None:
    assert outcomes(match([transfer], [authorization])) == [expected]


def test_without_any_approval_it_is_unauthorized() -> None:
    (only,) = match([moved()])
    assert (only.outcome, only.authorization_id, only.commingling) == (M.UNAUTHORIZED, "", False)


@pytest.mark.parametrize(
    ("amounts", "used", "expected"),
    [
        ([60, 40], 0, [M.MATCHED, M.MATCHED]),
        ([60, 41], 0, [M.MATCHED, M.OVER_AMOUNT]),
        ([100, 1], 0, [M.MATCHED, M.DUPLICATE]),
        ([60, 40, 1], 0, [M.MATCHED, M.MATCHED, M.DUPLICATE]),
        ([60, 41, 40], 0, [M.MATCHED, M.OVER_AMOUNT, M.MATCHED]),  # what was refused uses nothing up
        ([40], 60, [M.MATCHED]),
        ([41], 60, [M.OVER_AMOUNT]),
        ([1], 100, [M.DUPLICATE]),
        ([1], 1_000, [M.DUPLICATE]),
    ],
)
def test_an_approval_is_used_in_parts_until_it_is_used_up(
    amounts: list[int], used: int, expected: list[MatchOutcome]
) -> None:
    transfers = [moved(amount, height=100 + n) for n, amount in enumerate(amounts)]
    matches = match(transfers, [approval(100)], used={"auth-1": used})
    assert [each.outcome for each in matches] == expected
    assert {each.authorization_id for each in matches} == {"auth-1"}


@pytest.mark.parametrize(
    ("amount", "authorizations", "chosen"),
    [
        (100, [approval(500, name="a"), approval(100, name="b")], "b"),  # exact
        (60, [approval(500, name="a"), approval(70, name="b"), approval(50, name="c")], "b"),  # least that suffices
        (100, [approval(name="a", valid_until=NOON + 2 * HOUR), approval(name="b")], "b"),  # ends first
        (100, [approval(name="b"), approval(name="a")], "a"),  # then by id
        (100, [approval(name="a", valid_until=NOON - HOUR / 2), approval(name="b")], "b"),
        (100, [approval(name="a", valid_from=NOON + HOUR / 2), approval(200, name="b")], "b"),
    ],
)
def test_the_best_fitting_approval_is_used(
    amount: int, authorizations: list[TransferAuthorization], chosen: str
) -> None:
    for given_order in (authorizations, authorizations[::-1]):
        assert outcomes(match([moved(amount)], given_order)) == [(M.MATCHED, chosen)]


def test_a_large_approval_is_not_nibbled_at() -> None:
    transfers = [moved(50), moved(100, height=101)]
    authorizations = [approval(100, name="a"), approval(60, name="b", valid_until=NOON + 9 * HOUR)]
    assert outcomes(match(transfers, authorizations)) == [(M.MATCHED, "b"), (M.MATCHED, "a")]


def test_an_executed_approval_explains_nothing_else() -> None:
    """Only an approval that nothing executed can have been meant by a transfer to another place."""
    stray, right = moved(100, receiver=C), moved(100, height=101)
    assert outcomes(match([stray, right], [approval(100)])) == [(M.UNAUTHORIZED, ""), (M.MATCHED, "auth-1")]


def test_late_repetition_names_the_lapsed_one() -> None:
    late = moved(100, height=100 + 2 * 300)
    unused = approval(name="unused", valid_until=NOON + HOUR / 2)
    assert outcomes(match([late], [unused])) == [(M.EXPIRED, "unused")]
    assert outcomes(match([moved(100), late], [unused])) == [(M.MATCHED, "unused"), (M.DUPLICATE, "unused")]


def test_a_lapsed_used_up_approval_gives_way_to_one_in_force() -> None:
    """While the used-up one is valid a repetition is a duplicate of it; afterwards the one in force is nearer."""
    spent, other = (
        approval(name="spent", valid_until=NOON + HOUR / 2),
        approval(60, name="other", valid_until=NOON + HOUR),
    )
    soon, late = moved(100, height=101), moved(100, height=100 + 200)
    matches = match([moved(100), soon, late], [spent, other])
    assert outcomes(matches) == [(M.MATCHED, "spent"), (M.DUPLICATE, "spent"), (M.OVER_AMOUNT, "other")]


INTERNAL = {Purpose.INTERNAL_REBALANCING, Purpose.GAS_TOP_UP}


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize(("receiver", "suits"), [(B, INTERNAL), (OUTSIDE, set(Purpose) - INTERNAL)])
def test_the_purpose_must_suit_the_destination(receiver: Address, suits: set[Purpose], purpose: Purpose) -> None:
    (only,) = match([moved(receiver=receiver)], [approval(to=receiver, purpose=purpose)])
    assert only.outcome is (M.MATCHED if purpose in suits else M.UNAUTHORIZED)
    assert only.authorization_id == "auth-1"
    assert (only.commingling, only.for_review) == (False, False)


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_transfer_to_the_firm_is_commingling_unless_its_purpose_is_the_firms(purpose: Purpose) -> None:
    (only,) = match([moved(receiver=FIRM)], [approval(to=FIRM, purpose=purpose)], firm=[firm_address()])
    assert only.commingling == (purpose not in FIRM_PURPOSES)
    assert only.for_review == (purpose in FIRM_PURPOSES)
    assert (only.outcome is M.MATCHED) == (purpose not in INTERNAL)


def test_an_expired_firm_purpose_excuses_nothing() -> None:
    lapsed = approval(to=FIRM, purpose=Purpose.EARNED_FEE, valid_until=NOON - HOUR / 2)
    (only,) = match([moved(receiver=FIRM)], [lapsed], firm=[firm_address()])
    assert (only.outcome, only.commingling, only.for_review) == (M.EXPIRED, True, False)


def test_a_firm_purpose_is_preferred_for_a_firm_address() -> None:
    fits = [approval(name="a", to=FIRM), approval(150, name="b", to=FIRM, purpose=Purpose.EARNED_FEE)]
    (only,) = match([moved(receiver=FIRM)], fits, firm=[firm_address()])
    assert (only.authorization_id, only.commingling, only.for_review) == ("b", False, True)


@pytest.mark.parametrize(
    ("line", "commingling"),
    [
        (firm_address(), True),
        (firm_address(valid_from=NOON.date()), True),
        (firm_address(valid_until=NOON.date()), True),
        (firm_address(valid_from=date(2026, 3, 3)), False),
        (firm_address(valid_until=date(2026, 3, 1)), False),
        (firm_address(C), False),
        (FirmAddress(OTHER_CHAIN, FIRM, "treasury", date(2026, 1, 1)), False),
    ],
)
def test_a_firm_address_counts_on_its_chain_and_days(line: FirmAddress, commingling: bool) -> None:
    (only,) = match([moved(receiver=FIRM)], firm=[line])
    assert (only.outcome, only.commingling) == (M.UNAUTHORIZED, commingling)


@pytest.mark.fault("A39")
@pytest.mark.parametrize(
    ("transfer", "reason"),
    [
        (moved(0, receiver=FIRM), "nothing-moved: a transfer of zero"),
        (moved(100, receiver=A), "nothing-moved: a transfer to its own sender"),
    ],
)
def test_what_moves_nothing_needs_no_approval_and_is_still_counted(transfer: Transfer, reason: str) -> None:
    (only,) = match([transfer], [approval(100, to=A)], firm=[firm_address()])
    assert (only.outcome, only.authorization_id, only.commingling) == (M.MATCHED, "", False)
    assert only.reason.startswith(reason)
    assert amounts_used([only]) == {}
    (moving,) = match([moved(1, receiver=FIRM)], firm=[firm_address()])
    assert (moving.outcome, moving.commingling) == (M.UNAUTHORIZED, True)


@pytest.mark.parametrize(
    ("paid", "limits", "over"),
    [
        (10, [10], False),
        (11, [10], True),
        (11, [None], False),
        (0, [0], False),
        (1, [0], True),
        (15, [10, 5], False),  # one transaction that executes two approvals may cost what both allow
        (16, [10, 5], True),
        (1_000, [10, None], False),
    ],
)
def test_the_fee_is_held_against_the_limits_of_what_the_transaction_executes(
    paid: int, limits: list[int | None], over: bool
) -> None:
    receivers = [address(0x100 + n) for n in range(len(limits))]
    transfers = [moved(receiver=to, tx="tx", index=n) for n, to in enumerate(receivers)]
    authorizations = [
        approval(name=f"auth-{n}", to=to, fee_max=limit)
        for n, (to, limit) in enumerate(zip(receivers, limits, strict=True))
    ]
    matches = match([*transfers, fee(paid, transfers[0])], authorizations)
    assert [each.outcome for each in matches] == [M.FEE_OVER_LIMIT if over else M.MATCHED] * len(limits)
    assert amounts_used(matches) == {f"auth-{n}": 100 for n in range(len(limits))}  # the value left all the same


def test_a_fee_that_somebody_else_paid_or_of_another_transaction_does_not_count() -> None:
    transfer, other = moved(), moved(receiver=C, tx="other")
    authorizations = [approval(fee_max=1)]
    assert match([transfer, fee(9, transfer, sender=OUTSIDE)], authorizations)[0].outcome is M.MATCHED
    assert match([transfer, fee(9, other)], authorizations)[0].outcome is M.MATCHED
    assert match([transfer, fee(9, transfer)], authorizations)[0].outcome is M.FEE_OVER_LIMIT


def test_only_what_leaves_custody_is_matched() -> None:
    incoming, foreign = moved(sender=OUTSIDE, receiver=A), moved(sender=OUTSIDE, receiver=C)
    reward = moved(5, sender=None, receiver=A, asset=ETH, kind=TransferKind.COINBASE)
    assert match([incoming, foreign, reward, fee(1, moved())]) == []
    assert [is_outgoing(each, CUSTODY) for each in (moved(), moved(receiver=None), incoming)] == [True, True, False]


def test_the_same_transfer_twice_is_one_and_two_under_one_id_are_refused() -> None:
    assert outcomes(match([moved(), moved()], [approval(100)])) == [(M.MATCHED, "auth-1")]
    with pytest.raises(InvalidValue, match="two different transfers"):
        match([moved(1, tx="t"), moved(2, tx="t")])
    with pytest.raises(InvalidValue, match="two different authorizations"):
        match([moved()], [approval(1), approval(2)])
    with pytest.raises(InvalidValue, match="two chains"):
        match([moved(), moved(pin=block(chain_id=OTHER_CHAIN))])


WALLETS = st.sampled_from([A, B])
PLACES = st.sampled_from([A, B, C, OUTSIDE, FIRM])
ASSETS = st.sampled_from([USDC, ETH])
HOURS = st.integers(min_value=-3, max_value=3)
TRANSFERS = st.lists(
    st.builds(
        lambda units, sender, receiver, asset, height: (units, sender, receiver, asset, height),
        st.integers(0, 12),
        st.sampled_from([A, B, OUTSIDE]),
        PLACES,
        ASSETS,
        st.integers(90, 110),
    ),
    max_size=25,
).map(
    lambda rows: [
        moved(units, sender=sender, receiver=to, asset=asset, height=height, tx=f"tx-{n}")
        for n, (units, sender, to, asset, height) in enumerate(rows)
    ]
)
APPROVALS = st.lists(
    st.tuples(st.integers(1, 12), WALLETS, PLACES, ASSETS, HOURS, st.sampled_from(list(Purpose)), st.integers(0, 3)),
    max_size=12,
).map(
    lambda rows: [
        approval(
            units,
            name=f"auth-{n}",
            from_wallet=sender,
            to=to,
            asset=asset,
            purpose=purpose,
            fee_max=fee_max,
            valid_from=NOON + start * HOUR / 60,
            valid_until=NOON + (start + 2) * HOUR / 60,
        )
        for n, (units, sender, to, asset, start, purpose, fee_max) in enumerate(rows)
    ]
)


@given(transfers=TRANSFERS, authorizations=APPROVALS, paid=st.integers(0, 4), data=st.data())
def test_the_order_of_the_input_changes_nothing_and_nothing_is_lost(
    transfers: list[Transfer], authorizations: list[TransferAuthorization], paid: int, data: st.DataObject
) -> None:
    everything = [*transfers, *(fee(paid, each) for each in transfers if each.sender == A)]
    matches = match(everything, authorizations, firm=[firm_address()])
    shuffled = match(
        data.draw(st.permutations(everything)), data.draw(st.permutations(authorizations)), firm=[firm_address()]
    )
    assert shuffled == matches
    leaving = sorted(each.transfer_id for each in transfers if each.sender in CUSTODY)
    assert sorted(each.transfer.transfer_id for each in matches) == leaving

    by_name = {each.authorization_id: each for each in authorizations}
    for name, used in amounts_used(matches).items():
        assert used <= by_name[name].base_units_max
    for each in matches:
        transfer, to_firm = each.transfer, each.transfer.receiver == FIRM
        if each.outcome is M.MATCHED and each.authorization_id:
            chosen = by_name[each.authorization_id]
            assert (chosen.wallet, chosen.destination) == (transfer.sender, transfer.receiver)
            assert chosen.asset_id == transfer.asset.asset_id
            assert chosen.valid_from <= transfer.block.timestamp <= chosen.valid_until
            assert (chosen.purpose in INTERNAL) == (transfer.receiver in CUSTODY)
            assert each.commingling == (to_firm and chosen.purpose not in FIRM_PURPOSES)
        elif each.outcome is M.MATCHED:
            assert transfer.base_units == 0 or transfer.sender == transfer.receiver
        elif each.outcome is not M.FEE_OVER_LIMIT:
            assert each.commingling == to_firm


@given(transfers=TRANSFERS, authorizations=APPROVALS, cut=st.integers(90, 111))
def test_two_sweeps_use_up_the_same_as_one(
    transfers: list[Transfer], authorizations: list[TransferAuthorization], cut: int
) -> None:
    """What is matched does not depend on when the sweeps ran; only the explanation of what is not can."""
    whole = match(transfers, authorizations)
    first = match([each for each in transfers if each.block.height < cut], authorizations)
    used = amounts_used(first)
    second = match([each for each in transfers if each.block.height >= cut], authorizations, used=used)

    def settled(matches: list[TransferMatch]) -> list[tuple[str, str, bool]]:
        return [
            (each.transfer.transfer_id, each.authorization_id if each.outcome is M.MATCHED else "", each.commingling)
            for each in matches
        ]

    assert settled(first) + settled(second) == settled(whole)


@pytest.mark.parametrize(("crowded", "count"), [(False, 100_000), (True, 30_000)])
def test_a_hundred_thousand_against_a_hundred_thousand_takes_seconds(crowded: bool, count: int) -> None:
    """Also when all are about one wallet, one asset and one destination, and half of them fit nothing.

    For the crowd as many as show that the time is not that of their square; `benchmarks/matching.py` has all of them.
    """

    def to(number: int) -> Address:
        return OUTSIDE if crowded else address(number + 0x1000)

    authorizations = [
        approval(2 * n + 1, name=f"{n:06}", to=to(n), valid_from=NOON - HOUR / 2 + n * MICROSECOND)
        for n in range(count)
    ]
    transfers = [
        moved(2 * n + 1 if n % 2 else 10 * count, receiver=to(n), height=100 + n // 1_000, tx=f"{n:06}")
        for n in range(count)
    ]
    begun = time.process_time()
    matches = match(transfers, authorizations)
    assert time.process_time() - begun < 30 * count / 100_000
    assert sum(each.outcome is M.MATCHED for each in matches) == count // 2
    assert sum(each.outcome is M.OVER_AMOUNT for each in matches) == count // 2


@pytest.mark.parametrize(("seconds_late", "for_review"), [(-3600, False), (15, False), (16, True), (3600, True)])
def test_an_approval_recorded_after_the_transfer_is_listed_for_review(seconds_late: int, for_review: bool) -> None:
    """What an approval says of its own time is the firm's word; when it was recorded is not."""
    matched = match([moved()], [approval()])
    assert [match.outcome for match in matched] == [MatchOutcome.MATCHED]
    recorded = matched[0].transfer.block.timestamp + timedelta(seconds=seconds_late)
    (late,) = review_late_approvals(matched, {matched[0].authorization_id: recorded})
    assert (late.outcome, late.for_review) == (MatchOutcome.MATCHED, for_review)
    assert ("recorded at" in late.reason) is for_review
    unmatched = match([moved()])
    assert review_late_approvals(unmatched, {"": recorded}) == unmatched
