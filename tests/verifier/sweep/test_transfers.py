"""What a sweep says of what left custody: approved or not, to whom, how often, at what fee."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from chains.types import utc_text
from tests.verifier.sweep.desk import Desk, kinds
from tests.verifier.sweep.world import FIRM, OMNIBUS, PAYEE, SECOND, STRANGER, AnvilWorld
from verifier.records import FindingKind, MatchOutcome
from verifier.sweep import SweepOutcome

pytestmark = pytest.mark.devnet

START = 1_000
ETHER = 10**18


@pytest.fixture
def paying(desk: Desk, world: AnvilWorld) -> Desk:
    """Two wallets of one client each, one firm address; swept once, all in order. Amounts are base units."""
    world.mint(OMNIBUS, START)
    desk.open_books(OMNIBUS, SECOND)
    desk.allocate(OMNIBUS, C_1=START)
    desk.take(firm_addresses=[{"address": FIRM}])
    assert desk.sweep().exit_code == 0
    return desk


def book(desk: Desk, entry_id: str, base_units: int, wallet: str = OMNIBUS) -> None:
    """The sub-ledger knows of the movement, so that the sums are right whatever the approvals say."""
    sign, quantity = ("-" if base_units < 0 else ""), desk.usdx.format_quantity(abs(base_units))
    row = {"entry_id": entry_id, "location": desk.at(wallet), "quantity": sign + quantity}
    desk.take(ledger_entries=[row])


def judged(desk: Desk) -> list[tuple[MatchOutcome, str]]:
    """Every outgoing transfer's outcome and the approval it names, in the order of the chain."""
    return [(match.outcome, match.authorization_id) for match in desk.store.matches(desk.chain_id)]


def in_order(outcome: SweepOutcome) -> bool:
    assert outcome.summary is not None
    return outcome.summary.matched == outcome.expected


@pytest.mark.parametrize(
    ("approval", "outcome"),
    [
        ({}, MatchOutcome.MATCHED),
        ({"quantity_max": "0.000101"}, MatchOutcome.MATCHED),
        (None, MatchOutcome.UNAUTHORIZED),
        ({"quantity_max": "0.000099"}, MatchOutcome.OVER_AMOUNT),
        ({"destination": STRANGER}, MatchOutcome.WRONG_DESTINATION),
        ({"wallet": SECOND}, MatchOutcome.UNAUTHORIZED),
        ({"purpose": "internal_rebalancing"}, MatchOutcome.UNAUTHORIZED),
    ],
)
def test_one_payment_against_one_approval(
    paying: Desk, world: AnvilWorld, approval: Mapping[str, str] | None, outcome: MatchOutcome
) -> None:
    if approval is not None:
        client = {} if approval.get("purpose") is None else {"client_id": ""}
        paying.take(
            authorizations=[
                {"authorization_id": "A-1", "wallet": OMNIBUS, "destination": PAYEE, "quantity_max": "0.000100"}
                | client
                | dict(approval)
            ]
        )
    tx_id = world.pay(OMNIBUS, PAYEE, 100)
    book(paying, "E-1", -100)
    swept = paying.sweep()
    assert [found for found, _ in judged(paying)] == [outcome]
    assert in_order(swept), "the sums are right in any case"
    assert swept.summary is not None
    if outcome is MatchOutcome.MATCHED:
        assert (swept.exit_code, swept.cases, swept.summary.transfers_not_matched) == (0, (), 0)
    else:
        case = paying.only_case(FindingKind.UNAUTHORIZED_TRANSFER)
        assert (case.finding.tx_id, case.finding.base_units) == (tx_id, -100)
        assert (swept.exit_code, swept.summary.transfers_not_matched) == (1, 1)


@pytest.mark.parametrize(
    ("begin", "end", "outcome"),
    [(-60, 60, MatchOutcome.MATCHED), (-60, 0, MatchOutcome.EXPIRED), (30, 60, MatchOutcome.EXPIRED)],
)
def test_the_validity_of_an_approval(
    paying: Desk, world: AnvilWorld, begin: int, end: int, outcome: MatchOutcome
) -> None:
    """Times in minutes from the newest block; the payment comes a minute later."""
    head = world.head_time()
    times = {
        "valid_from": utc_text(head + timedelta(minutes=begin)),
        "valid_until": utc_text(head + timedelta(minutes=end)),
    }
    paying.approve("A-1", OMNIBUS, PAYEE, 100, **times)
    world.node.set_next_block_timestamp(int(head.timestamp()) + 60)
    world.pay(OMNIBUS, PAYEE, 100)
    swept = paying.sweep()
    assert judged(paying) == [(outcome, "A-1")]
    wanted = {FindingKind.SHORTFALL: 1} | (
        {} if outcome is MatchOutcome.MATCHED else {FindingKind.UNAUTHORIZED_TRANSFER: 1}
    )
    assert kinds(swept) == wanted


def test_an_approval_of_another_asset(paying: Desk, world: AnvilWorld) -> None:
    tbx = f"{paying.chain_id}/erc20:{world.tbx.address}"
    paying.take(assets=[{"asset_id": tbx, "symbol": "TBX", "decimals": "18", "dust_limit": "0"}])
    paying.approve("A-1", OMNIBUS, PAYEE, 100, asset_id=tbx)
    world.pay(OMNIBUS, PAYEE, 100)
    book(paying, "E-1", -100)
    swept = paying.sweep()
    assert judged(paying) == [(MatchOutcome.WRONG_ASSET, "A-1")]
    assert kinds(swept) == {FindingKind.UNAUTHORIZED_TRANSFER: 1}


def test_the_second_payment_on_one_approval_is_a_duplicate_in_a_later_sweep(paying: Desk, world: AnvilWorld) -> None:
    paying.approve("A-1", OMNIBUS, PAYEE, 100)
    world.pay(OMNIBUS, PAYEE, 100)
    book(paying, "E-1", -100)
    assert paying.sweep().exit_code == 0
    second = world.pay(OMNIBUS, PAYEE, 100)
    book(paying, "E-2", -100)
    swept = paying.sweep()
    assert judged(paying) == [(MatchOutcome.MATCHED, "A-1"), (MatchOutcome.DUPLICATE, "A-1")]
    assert paying.only_case(FindingKind.UNAUTHORIZED_TRANSFER).finding.tx_id == second
    assert swept.exit_code == 1


def test_two_approvals_allow_two_payments(paying: Desk, world: AnvilWorld) -> None:
    paying.approve("A-1", OMNIBUS, PAYEE, 100)
    paying.approve("A-2", OMNIBUS, PAYEE, 50)
    world.pay(OMNIBUS, PAYEE, 50)
    world.pay(OMNIBUS, PAYEE, 100)
    book(paying, "E-1", -150)
    assert paying.sweep().exit_code == 0
    assert judged(paying) == [(MatchOutcome.MATCHED, "A-2"), (MatchOutcome.MATCHED, "A-1")]


def test_one_approval_is_used_in_parts_over_two_sweeps_up_to_its_amount(paying: Desk, world: AnvilWorld) -> None:
    paying.approve("A-1", OMNIBUS, PAYEE, 100)
    for number, base_units in enumerate((60, 40, 1), 1):
        world.pay(OMNIBUS, PAYEE, base_units)
        book(paying, f"E-{number}", -base_units)
        assert paying.sweep().exit_code == (0 if number < 3 else 1)
    assert [outcome for outcome, _ in judged(paying)] == [
        MatchOutcome.MATCHED,
        MatchOutcome.MATCHED,
        MatchOutcome.DUPLICATE,
    ]


@pytest.mark.parametrize(("over", "outcome"), [(0, MatchOutcome.MATCHED), (1, MatchOutcome.FEE_OVER_LIMIT)])
def test_the_fee_of_a_payment(paying: Desk, world: AnvilWorld, over: int, outcome: MatchOutcome) -> None:
    native = {"asset_id": paying.native.asset_id, "symbol": "ETH", "decimals": "18", "dust_limit": "0"}
    paying.take(assets=[native], wallets=[{"address": OMNIBUS, "gas_float_limit": "1"}])
    world.give_native(OMNIBUS, ETHER)
    row = {"location": paying.at(OMNIBUS), "asset_id": paying.native.asset_id, "quantity": "1", "kind": "gas_float"}
    paying.take(allocations=[{**row, "client_id": "FIRM", "account_class": "proprietary"}])
    assert paying.sweep().exit_code == 0
    _, fee = world.pay_for(OMNIBUS, PAYEE, 100, gas_price=2 * 10**9)
    limit = paying.native.format_quantity(fee - over)
    paying.approve("A-1", OMNIBUS, PAYEE, 100, fee_max=limit)
    book(paying, "E-1", -100)
    swept = paying.sweep()
    assert judged(paying) == [(outcome, "A-1")]
    assert kinds(swept) == ({} if not over else {FindingKind.UNAUTHORIZED_TRANSFER: 1})
    assert swept.exit_code == over


@pytest.mark.parametrize(
    ("purpose", "found"),
    [
        ("earned_fee", {}),
        ("client_withdrawal", {FindingKind.COMMINGLING: 1}),
        (None, {FindingKind.COMMINGLING: 1, FindingKind.UNAUTHORIZED_TRANSFER: 1}),
    ],
)
@pytest.mark.fault("B11")
def test_a_payment_to_the_firm_itself(
    paying: Desk, world: AnvilWorld, purpose: str | None, found: dict[FindingKind, int]
) -> None:
    if purpose is not None:
        client = "C-1" if purpose == "client_withdrawal" else ""
        paying.approve("A-1", OMNIBUS, FIRM, 100, purpose=purpose, client_id=client)
    world.pay(OMNIBUS, FIRM, 100)
    book(paying, "E-1", -100)
    swept = paying.sweep()
    assert kinds(swept) == found
    assert (swept.exit_code, in_order(swept)) == (1 if found else 0, True)
    (match,) = paying.store.matches(paying.chain_id)
    assert (match.for_review, match.commingling) == (not found, bool(found))


@pytest.mark.parametrize("approved", [True, False])
def test_between_two_custody_wallets(paying: Desk, world: AnvilWorld, approved: bool) -> None:
    if approved:
        paying.approve("A-1", OMNIBUS, SECOND, 100, purpose="internal_rebalancing", client_id="")
    world.pay(OMNIBUS, SECOND, 100)
    book(paying, "E-1", -100)
    book(paying, "E-2", 100, wallet=SECOND)
    swept = paying.sweep()
    assert in_order(swept)
    assert kinds(swept) == ({} if approved else {FindingKind.UNAUTHORIZED_TRANSFER: 1})


def test_a_transfer_of_nothing_in_the_wallets_name_is_no_case(paying: Desk, world: AnvilWorld) -> None:
    world.usdx.transact("transferFrom", OMNIBUS, STRANGER, 0)
    swept = paying.sweep()
    assert (swept.exit_code, swept.cases) == (0, ())
    assert judged(paying) == [(MatchOutcome.MATCHED, "")]


def test_a_theft_of_an_earlier_sweep_stays_in_the_status(paying: Desk, world: AnvilWorld) -> None:
    world.pay(OMNIBUS, STRANGER, 100)
    book(paying, "E-1", -100)
    assert paying.sweep().exit_code == 1
    world.mine()
    again = paying.sweep()
    assert (again.exit_code, again.cases) == (0, ()), "this sweep saw nothing that contradicts"
    case = paying.only_case(FindingKind.UNAUTHORIZED_TRANSFER)
    assert case.is_seen, "a past event does not heal by not being seen again"
    assert paying.status().exit_code == 1
    paying.close(case)
    assert paying.status().exit_code == 0
    assert paying.sweep().exit_code == 0, "closed, it does not come back"
    assert paying.status().exit_code == 0
