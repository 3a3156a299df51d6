"""Findings of transfers, and the equation opening + in - out - fees = closing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.errors import InvalidValue
from chains.types import Address, BlockRef, LocationId, Transfer, TransferKind
from mapping.types import Purpose, TransferAuthorization
from tests.verifier.rules.make import (
    CHAIN,
    ETH,
    FIRM,
    OUTSIDE,
    USDC,
    A,
    B,
    approval,
    around,
    block,
    fee,
    firm_address,
    moved,
    observed,
    place,
    read,
)
from verifier.records import FindingKind, MatchOutcome, Status, TransferMatch
from verifier.rules.authorize import match_transfers
from verifier.rules.changes import change_findings
from verifier.rules.movements import transfer_findings
from verifier.rules.rollforward import RollForward, gap_findings, roll_forward_all

K = FindingKind


@pytest.mark.parametrize(
    ("transfer", "authorizations", "expected"),
    [
        (moved(), [approval()], []),
        (moved(), [], [(K.UNAUTHORIZED_TRANSFER, "unauthorized: ")]),
        (moved(101), [approval()], [(K.UNAUTHORIZED_TRANSFER, "over amount: ")]),
        (moved(receiver=B), [approval()], [(K.UNAUTHORIZED_TRANSFER, "wrong destination: ")]),
        (moved(receiver=FIRM), [approval(to=FIRM, purpose=Purpose.EARNED_FEE)], []),
        (moved(receiver=FIRM), [approval(to=FIRM)], [(K.COMMINGLING, "the firm's own addresses")]),
        (
            moved(receiver=FIRM),
            [],
            [(K.UNAUTHORIZED_TRANSFER, "unauthorized: "), (K.COMMINGLING, "the firm's own addresses")],
        ),
        (moved(0), [], []),
    ],
)
def test_findings_of_a_transfer(
    transfer: Transfer, authorizations: list[TransferAuthorization], expected: list[tuple[FindingKind, str]]
) -> None:
    matches = match_transfers([transfer], authorizations, {A}, [firm_address()], {})
    findings = transfer_findings(matches, around())
    assert [finding.kind for finding in findings] == [kind for kind, _ in expected]
    for finding, (_, words) in zip(findings, expected, strict=True):
        assert words in finding.text
        assert finding.base_units == -transfer.base_units
        assert (finding.location_id, finding.subject) == (place(), transfer.transfer_id)
        assert (finding.block, finding.tx_id) == (transfer.block, transfer.tx_id)


def test_a_transfer_that_a_reorganisation_moved_is_another_finding() -> None:
    here, there = moved(tx="t", pin=block(100)), moved(tx="t", pin=block(100, fork=1))
    keys = {
        transfer_findings(match_transfers([each], [], {A}, [], {}), around())[0].finding_key for each in (here, there)
    }
    assert len(keys) == 2


OPEN, CLOSE = block(100), block(110)


def roll(opening: int, closing: int | None, transfers: Sequence[Transfer], *, covered: int | None = 101) -> RollForward:
    """The equation of wallet A in ETH from block 100 to block 110."""
    opened, closed = observed(read(A, ETH, opening, pin=OPEN)), observed(read(A, ETH, closing, pin=CLOSE))
    (only,) = roll_forward_all(opened, closed, transfers, covered)
    return only


OUT = moved(30, asset=ETH, height=105)
IN = moved(20, sender=OUTSIDE, receiver=A, asset=ETH, height=106)


@pytest.mark.fault("A22", "A24")
@pytest.mark.parametrize(
    ("closing", "transfers", "terms", "remainder"),
    [
        (100, [], (0, 0, 0), 0),
        (88, [OUT, IN, fee(2, OUT)], (20, 30, 2), 0),
        (120, [IN], (20, 0, 0), 0),
        (88, [OUT, fee(2, OUT)], (0, 30, 2), 20),  # the node left an incoming log out
        (88, [IN, fee(2, OUT)], (20, 0, 2), -30),  # or an outgoing one
        (90, [OUT, IN, fee(2, OUT)], (20, 30, 2), 2),
        (107, [], (0, 0, 0), 7),  # value that came without an event
        (100, [moved(50, receiver=A, asset=ETH, height=105)], (50, 50, 0), 0),  # to itself
        (100, [fee(2, moved(5, sender=B, receiver=OUTSIDE, asset=ETH, height=105), sender=B)], (0, 0, 0), 0),
        (105, [moved(5, sender=None, receiver=A, asset=ETH, height=105, kind=TransferKind.WITHDRAWAL)], (5, 0, 0), 0),
        (95, [moved(5, asset=ETH, height=105, kind=TransferKind.INTERNAL)], (0, 5, 0), 0),
        (100, [moved(5, asset=USDC, height=105)], (0, 0, 0), 0),  # another asset
        (100, [moved(5, asset=ETH, height=100), moved(5, asset=ETH, height=111)], (0, 0, 0), 0),  # not in between
        (95, [moved(5, asset=ETH, height=110)], (0, 5, 0), 0),
        (95, [moved(5, asset=ETH, height=101)], (0, 5, 0), 0),
    ],
)
def test_opening_and_movements_give_the_closing(
    closing: int, transfers: list[Transfer], terms: tuple[int, int, int], remainder: int
) -> None:
    result = roll(100, closing, transfers)
    assert (result.received, result.sent, result.fees) == terms
    assert result.remainder == remainder
    assert result.status is (Status.DIVERGED if remainder else Status.MATCHED)
    findings = change_findings([result], None, around())
    assert [finding.base_units for finding in findings] == ([remainder] if remainder else [])


def test_the_finding_has_every_term_and_both_blocks() -> None:
    (finding,) = change_findings([roll(100, 90, [OUT, IN, fee(2, OUT)])], None, around())
    assert (finding.kind, finding.location_id, finding.block) == (K.UNEXPLAINED_CHANGE, place(), CLOSE)
    assert finding.subject == f"{OPEN.block_hash}/{CLOSE.block_hash}"
    for words in (
        "From block 100 to block 110",
        "opening 0.0000000000000001 ETH",
        "received 0.00000000000000002 ETH",
        "sent 0.00000000000000003 ETH",
        "fees 0.000000000000000002 ETH",
        "= 0.000000000000000088 ETH",
        "shows 0.00000000000000009 ETH",
        "0.000000000000000002 ETH more than any event explains",
    ):
        assert words in finding.text


@pytest.mark.parametrize(
    ("closing", "covered", "code"),
    [
        (None, 101, "read-failed"),
        (100, 102, "coverage-gap"),
        (100, None, "coverage-gap"),
        (100, 101, ""),
        (100, 50, ""),
    ],
)
def test_what_cannot_be_said_is_unverified(closing: int | None, covered: int | None, code: str) -> None:
    result = roll(100, closing, [], covered=covered)
    assert result.reason.partition(":")[0] == code
    assert (result.status is Status.UNVERIFIED) == bool(code)
    assert (result.remainder is None) == bool(code)
    assert change_findings([result], None, around()) == []
    gaps = gap_findings([result], around())
    assert [(gap.kind, gap.location_id, gap.subject) for gap in gaps] == (
        [(K.COVERAGE_GAP, LocationId(CHAIN), "from:101")] if code == "coverage-gap" else []
    )


def test_openings_of_different_blocks_each_count_from_their_own() -> None:
    """A wallet whose read failed last time is held against its older opening."""
    opened = observed(read(A, ETH, 100, pin=block(90)), read(B, ETH, 100, pin=OPEN))
    closed = observed(read(A, ETH, 95, pin=CLOSE), read(B, ETH, 100, pin=CLOSE))
    early = [moved(5, asset=ETH, height=95), moved(5, sender=B, asset=ETH, height=95)]
    assert [each.remainder for each in roll_forward_all(opened, closed, early, 91)] == [0, 0]
    assert [each.status for each in roll_forward_all(opened, closed, early, 96)] == [Status.UNVERIFIED, Status.MATCHED]


def test_only_good_earlier_reads_open() -> None:
    closed = observed(read(A, ETH, 95, pin=CLOSE))
    assert not roll_forward_all({}, closed, [], 1)
    with pytest.raises(InvalidValue, match="failed read"):
        roll_forward_all(observed(read(A, ETH, None, pin=OPEN)), closed, [], 101)


@pytest.mark.parametrize(
    ("opened", "reason"),
    [(block(110), ""), (block(110, fork=1), "other-block"), (block(111), "opening-later")],
)
def test_an_opening_that_is_not_before_the_closing(opened: BlockRef, reason: str) -> None:
    opening = observed(read(A, ETH, 100, pin=opened))
    (only,) = roll_forward_all(opening, observed(read(A, ETH, 100, pin=CLOSE)), [], None)
    assert only.reason.partition(":")[0] == reason


MOVES = st.lists(
    st.tuples(
        st.sampled_from([A, B, OUTSIDE]), st.sampled_from([A, B, OUTSIDE]), st.integers(0, 50), st.integers(0, 3)
    ),
    max_size=20,
)


@pytest.mark.fault("A22", "A24")
@given(moves=MOVES, left_out=st.integers(0, 19), written=st.integers(-5, 5))
def test_what_no_event_explains_is_found_to_the_unit(
    moves: list[tuple[Address, Address, int, int]], left_out: int, written: int
) -> None:
    """A simulated ledger: with all events nothing is left over; one event left out or a balance written is."""
    balances = {A: 10_000, B: 10_000, OUTSIDE: 10_000}
    opened = observed(*(read(at, ETH, balances[at], pin=OPEN) for at in (A, B)))
    events: list[list[Transfer]] = []
    for number, (sender, receiver, units, paid) in enumerate(moves):
        balances[sender] -= units + paid
        balances[receiver] += units
        transfer = moved(
            units, sender=sender, receiver=receiver, asset=ETH, height=101 + number % 10, tx=f"tx-{number}"
        )
        events.append([transfer, fee(paid, transfer, sender=sender)])
    closed = observed(*(read(at, ETH, balances[at], pin=CLOSE) for at in (A, B)))
    complete = [event for pair in events for event in pair]
    assert [each.remainder for each in roll_forward_all(opened, closed, complete, 101)] == [0, 0]

    wrong = observed(read(A, ETH, balances[A] + written, pin=CLOSE), read(B, ETH, balances[B], pin=CLOSE))
    assert [each.remainder for each in roll_forward_all(opened, wrong, complete, 101)] == [written, 0]

    if left_out < len(moves):
        sender, receiver, units, _ = moves[left_out]
        partial = [event for pair in events for event in pair if event is not events[left_out][0]]
        missing = {at: units * ((receiver == at) - (sender == at)) for at in (A, B)}
        assert [each.remainder for each in roll_forward_all(opened, closed, partial, 101)] == [missing[A], missing[B]]


@pytest.mark.parametrize("outcome", list(MatchOutcome))
def test_every_outcome_but_matched_is_a_finding_that_names_it(outcome: MatchOutcome) -> None:
    match = TransferMatch(moved(), outcome, "", commingling=False, for_review=False, reason="why")
    findings = transfer_findings([match], around())
    if outcome is MatchOutcome.MATCHED:
        assert findings == []
    else:
        (only,) = findings
        assert only.kind is K.UNAUTHORIZED_TRANSFER
        assert f"{outcome.replace('_', ' ')}: why." in only.text
