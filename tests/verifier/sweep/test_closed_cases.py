"""What becomes of a case that two people closed when the sweep sees its ground again."""

from __future__ import annotations

import pytest

from tests.verifier.sweep.desk import Desk, kinds
from tests.verifier.sweep.world import FIRM, OMNIBUS, SECOND, AnvilWorld
from verifier.records import FindingKind

pytestmark = pytest.mark.devnet


def _books_with_the_firms_own(desk: Desk, world: AnvilWorld, base_units: int) -> None:
    """Clients' tokens and the firm's in one wallet, and the books say so."""
    world.mint(OMNIBUS, 500 + base_units)
    desk.open_books(OMNIBUS)
    desk.allocate(OMNIBUS, C_1=500)
    desk.take(
        ledger_entries=[
            {
                "entry_id": "OWN-1",
                "client_id": "FIRM",
                "account_class": "proprietary",
                "location": desk.at(OMNIBUS),
                "quantity": desk.usdx.format_quantity(base_units),
            }
        ]
    )


def test_commingling_in_the_books_opens_a_case_again_while_it_lasts(desk: Desk, world: AnvilWorld) -> None:
    _books_with_the_firms_own(desk, world, 300)
    first = desk.sweep()
    assert (kinds(first), first.exit_code) == ({FindingKind.COMMINGLING: 1}, 1)
    desk.close(desk.only_case(FindingKind.COMMINGLING))
    world.mine()
    again = desk.sweep()
    assert (kinds(again), again.exit_code) == ({FindingKind.COMMINGLING: 1}, 1)
    assert desk.only_case(FindingKind.COMMINGLING).occurrence == 2
    assert desk.status().exit_code == 1


def test_commingling_that_left_the_books_is_noted_as_gone(desk: Desk, world: AnvilWorld) -> None:
    _books_with_the_firms_own(desk, world, 300)
    desk.sweep()
    world.mine()
    desk.take(
        ledger_entries=[
            {
                "entry_id": "OWN-2",
                "client_id": "FIRM",
                "account_class": "proprietary",
                "location": desk.at(OMNIBUS),
                "quantity": desk.usdx.format_quantity(-300),
            },
            {
                "entry_id": "OWN-3",
                "client_id": "C-1",
                "location": desk.at(OMNIBUS),
                "quantity": desk.usdx.format_quantity(300),
            },
        ]
    )
    outcome = desk.sweep()
    assert (kinds(outcome), outcome.exit_code) == ({}, 0)
    assert not desk.only_case(FindingKind.COMMINGLING).is_seen


def test_a_transfer_to_the_firm_is_one_event_and_is_not_opened_again(desk: Desk, world: AnvilWorld) -> None:
    world.mint(OMNIBUS, 500)
    desk.open_books(OMNIBUS)
    desk.take(firm_addresses=[{"address": FIRM, "label": "treasury"}])
    desk.allocate(OMNIBUS, C_1=500)
    desk.sweep()
    world.pay(OMNIBUS, FIRM, 100)
    desk.sweep()
    case = next(case for case in desk.open_cases(FindingKind.COMMINGLING))
    desk.close(case)
    world.mine()
    assert FindingKind.COMMINGLING not in kinds(desk.sweep())
    assert not desk.open_cases(FindingKind.COMMINGLING)


def test_status_is_not_compliant_while_the_last_sweep_diverges(desk: Desk, world: AnvilWorld) -> None:
    world.mint(OMNIBUS, 400)
    desk.open_books(OMNIBUS)
    desk.allocate(OMNIBUS, C_1=500)
    desk.sweep()
    desk.close(desk.only_case(FindingKind.SHORTFALL))
    view = desk.status()
    assert (view.exit_code, view.open_cases) == (1, 0)
    assert view.reasons == (f"1 holding of {desk.chain_id} diverged in its last sweep",)


def test_status_is_compliant_when_what_diverged_is_right_again(desk: Desk, world: AnvilWorld) -> None:
    world.mint(OMNIBUS, 400)
    desk.open_books(OMNIBUS)
    desk.allocate(OMNIBUS, C_1=500)
    desk.sweep()
    desk.close(desk.only_case(FindingKind.SHORTFALL))
    world.mint(OMNIBUS, 100)
    desk.sweep()
    assert desk.status().exit_code == 0


@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_wallet_on_a_chain_that_is_not_configured_is_unverified(
    desk: Desk, world: AnvilWorld, elsewhere: bool
) -> None:
    world.mint(OMNIBUS, 500)
    desk.open_books(OMNIBUS)
    desk.allocate(OMNIBUS, C_1=500)
    if elsewhere:
        desk.take(
            assets=[{"asset_id": "eip155:5/slip44:60", "symbol": "ETH", "decimals": "18"}],
            wallets=[{"chain_id": "eip155:5", "address": SECOND}],
        )
    assert desk.sweep().exit_code == 0
    view = desk.status()
    assert view.exit_code == (2 if elsewhere else 0)
    assert view.reasons == (
        ("1 wallet is mapped on eip155:5, which is not configured: no sweep reads there",) if elsewhere else ()
    )
