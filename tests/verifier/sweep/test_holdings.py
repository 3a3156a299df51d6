"""What a sweep says of holdings: omnibus, segregated, pools; too little, too much, nobody's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chains.types import utc_text
from mapping.types import Structure
from tests.verifier.sweep.desk import Desk, kinds
from tests.verifier.sweep.world import OMNIBUS, OUTSIDE, SECOND, SEGREGATED, STRANGER, THIRD, AnvilWorld
from verifier.records import CaseState, FindingKind, Status

pytestmark = pytest.mark.devnet

UNITS = 1_000_000
DAY = 86_400


@pytest.mark.parametrize(
    ("on_chain", "status", "found"),
    [
        (700 * UNITS, Status.MATCHED, {}),
        (700 * UNITS - 1, Status.DIVERGED, {FindingKind.SHORTFALL: -1}),
        (700 * UNITS + 1, Status.DIVERGED, {FindingKind.EXCESS: 1}),
        (0, Status.DIVERGED, {FindingKind.SHORTFALL: -700 * UNITS}),
    ],
)
@pytest.mark.fault("B12", "D1")
def test_an_omnibus_wallet(
    desk: Desk, world: AnvilWorld, on_chain: int, status: Status, found: dict[FindingKind, int]
) -> None:
    world.mint(OMNIBUS, on_chain)
    desk.open_books(OMNIBUS)
    desk.allocate(OMNIBUS, C_1=500 * UNITS, C_2=200 * UNITS)
    outcome = desk.sweep()
    result = desk.result(outcome, OMNIBUS)
    assert (result.status, result.observed, result.claimed) == (status, on_chain, 700 * UNITS)
    assert {seen.finding.kind: seen.finding.base_units for seen in outcome.cases} == found
    assert outcome.exit_code == (1 if found else 0)


@pytest.mark.parametrize("moved", [0, 1])
@pytest.mark.fault("D2", "G9")
def test_two_errors_that_cancel_out_are_two_findings(desk: Desk, world: AnvilWorld, moved: int) -> None:
    world.mint(OMNIBUS, 500 + moved)
    world.mint(SECOND, 500 - moved)
    desk.open_books(OMNIBUS, SECOND)
    desk.allocate(OMNIBUS, C_1=500)
    desk.allocate(SECOND, C_2=500)
    outcome = desk.sweep()
    found = {(seen.finding.kind, seen.finding.base_units) for seen in outcome.cases}
    assert found == ({(FindingKind.EXCESS, 1), (FindingKind.SHORTFALL, -1)} if moved else set())
    assert outcome.exit_code == (1 if moved else 0)


@pytest.mark.parametrize("last", [300, 299])
def test_a_pool_is_the_sum_of_its_wallets(desk: Desk, world: AnvilWorld, last: int) -> None:
    for wallet, base_units in ((OMNIBUS, 100), (SECOND, 200), (THIRD, last)):
        world.mint(wallet, base_units)
    desk.open_books(OMNIBUS, SECOND, THIRD)
    desk.take(pools=[{"pool_id": "P-1", "address": wallet} for wallet in (OMNIBUS, SECOND, THIRD)])
    desk.allocate("pool:P-1", C_1=400, C_2=200)
    outcome = desk.sweep()
    results = desk.results(outcome)
    assert set(results) == {"pool:P-1"}
    assert results["pool:P-1"].observed == 300 + last
    assert kinds(outcome) == ({} if last == 300 else {FindingKind.SHORTFALL: 1})


@pytest.mark.fault("B11")
def test_a_second_client_on_a_segregated_wallet(desk: Desk, world: AnvilWorld) -> None:
    world.mint(SEGREGATED, 500)
    desk.open_books(SEGREGATED)
    desk.allocate(SEGREGATED, C_1=300, C_2=200)
    assert desk.sweep().exit_code == 0, "an omnibus wallet may have two clients"
    world.mine()
    segregated = {"address": SEGREGATED, "structure": "fully_segregated"}
    assert not desk.give(wallets=[segregated]).ok, "the importer does not even let it in"
    (wallet,) = desk.store.wallets(desk.chain_id, desk.now())
    desk.force(replace(wallet, structure=Structure.FULLY_SEGREGATED))
    outcome = desk.sweep()
    assert outcome.summary is not None
    assert outcome.summary.matched == 1, "every sum is right"
    assert desk.only_case(FindingKind.STRUCTURE_BREACH).finding.location_id == desk.at(SEGREGATED)
    assert outcome.exit_code == 1, "commingling is a contradiction though every sum is right"
    assert desk.status().exit_code == 1


@pytest.mark.fault("B11")
def test_one_client_on_a_segregated_wallet(desk: Desk, world: AnvilWorld) -> None:
    world.mint(SEGREGATED, 500)
    desk.open_books(SEGREGATED)
    desk.take(wallets=[{"address": SEGREGATED, "structure": "fully_segregated"}])
    desk.allocate(SEGREGATED, C_1=500)
    assert desk.sweep().exit_code == 0
    assert desk.status().exit_code == 0


@pytest.mark.parametrize(
    ("stated", "hours_old", "status", "kind"),
    [
        (700, 0, Status.MATCHED, None),
        (699, 0, Status.DIVERGED, FindingKind.CUSTODIAN_MISMATCH),
        (701, 0, Status.DIVERGED, FindingKind.CUSTODIAN_MISMATCH),
        (700, 1, Status.UNVERIFIED, FindingKind.UNVERIFIED),
        (699, 1, Status.UNVERIFIED, FindingKind.UNVERIFIED),
    ],
)
@pytest.mark.fault("B19", "G18")
def test_books_chain_and_custodian(
    desk: Desk, world: AnvilWorld, stated: int, hours_old: int, status: Status, kind: FindingKind | None
) -> None:
    world.mint(OMNIBUS, 700)
    desk.open_books(OMNIBUS)
    desk.allocate(OMNIBUS, C_1=700)
    as_of = utc_text(world.head_time() - timedelta(hours=hours_old))
    quantity = desk.usdx.format_quantity(stated)
    desk.take(positions=[{"location": desk.at(OMNIBUS), "quantity": quantity, "as_of": as_of}])
    outcome = desk.sweep()
    result = desk.result(outcome, OMNIBUS)
    assert result.statement is not None
    assert (result.status, result.difference, result.statement.base_units) == (status, 0, stated)
    assert kinds(outcome) == ({kind: 1} if kind else {})
    assert outcome.exit_code == {Status.MATCHED: 0, Status.DIVERGED: 1, Status.UNVERIFIED: 2}[status]


@pytest.mark.fault("B12")
def test_a_balance_that_is_allocated_to_nobody(desk: Desk, world: AnvilWorld) -> None:
    world.mint(OMNIBUS, 700)
    desk.open_books(OMNIBUS, SECOND)
    desk.allocate(OMNIBUS, C_1=700)
    assert desk.sweep().exit_code == 0, "an empty wallet without a claim is in order"
    world.mint(SECOND, 5)
    outcome = desk.sweep()
    assert desk.only_case(FindingKind.UNALLOCATED_BALANCE).finding.base_units == 5
    assert outcome.exit_code == 1


@pytest.mark.parametrize("left", [0, 7])
@pytest.mark.fault("B12")
def test_a_closed_wallet(desk: Desk, world: AnvilWorld, left: int) -> None:
    world.mint(OMNIBUS, left)
    desk.open_books(OMNIBUS)
    yesterday = (world.head_time() - timedelta(days=1)).date().isoformat()
    desk.take(wallets=[{"address": OMNIBUS, "closed_on": yesterday}])
    outcome = desk.sweep()
    assert kinds(outcome) == ({FindingKind.UNMAPPED_BALANCE: 1} if left else {})
    assert outcome.expected == 1, "a closed wallet is still accounted for"
    assert outcome.exit_code == (1 if left else 0)


@pytest.mark.fault("B12")
def test_the_custodian_lists_an_address_that_the_mapping_lacks(desk: Desk, world: AnvilWorld) -> None:
    world.mint(OMNIBUS, 700)
    desk.open_books(OMNIBUS)
    desk.allocate(OMNIBUS, C_1=700)
    desk.take(custodian_addresses=[{"address": OMNIBUS}])
    assert desk.sweep().exit_code == 0, "both lists are the same"
    world.mint(STRANGER, 9)
    desk.take(custodian_addresses=[{"address": OMNIBUS}, {"address": STRANGER}])
    outcome = desk.sweep()
    assert kinds(outcome) == {FindingKind.UNMAPPED_ADDRESS: 1, FindingKind.UNMAPPED_BALANCE: 1}
    assert {seen.finding.location_id for seen in outcome.cases} == {desk.at(STRANGER)}
    assert [seen.finding.base_units for seen in outcome.cases] == [None, 9]
    # What moves there afterwards is watched too: nothing of it is unexplained.
    world.mint(STRANGER, 3)
    again = desk.sweep()
    assert kinds(again) == {FindingKind.UNMAPPED_ADDRESS: 1, FindingKind.UNMAPPED_BALANCE: 1}
    assert not any(seen.is_new for seen in again.cases)


def test_the_mapping_has_a_wallet_that_the_custodian_lacks(desk: Desk, world: AnvilWorld) -> None:
    desk.open_books(OMNIBUS, SECOND)
    desk.take(custodian_addresses=[{"address": OMNIBUS}])
    desk.sweep()
    case = desk.only_case(FindingKind.UNMAPPED_ADDRESS)
    assert case.finding.location_id == desk.at(SECOND)


@pytest.mark.fault("B12")
def test_a_claim_at_a_place_without_a_wallet_is_counted_and_unverified(desk: Desk, world: AnvilWorld) -> None:
    tomorrow = (world.head_time() + timedelta(days=1)).date().isoformat()
    world.mint(OMNIBUS, 700)
    desk.open_books(OMNIBUS, SECOND)
    # The pool begins tomorrow, so today the claim on it has no wallet behind it.
    desk.take(pools=[{"pool_id": "P-1", "address": SECOND, "from_date": tomorrow}])
    desk.allocate(OMNIBUS, C_1=700)
    desk.allocate("pool:P-1", C_2=1)
    outcome = desk.sweep()
    assert outcome.summary is not None
    assert (outcome.expected, outcome.summary.matched, outcome.summary.unverified) == (3, 2, 1)
    assert "no-wallet" in desk.result(outcome, "pool:P-1").reason
    assert outcome.exit_code == 2


@pytest.mark.fault("D3")
def test_a_client_below_zero_is_not_netted(desk: Desk, world: AnvilWorld) -> None:
    world.mint(OMNIBUS, 700)
    desk.open_books(OMNIBUS)
    desk.allocate(OMNIBUS, C_1=500, C_2=200)
    assert desk.sweep().exit_code == 0
    world.mine()
    for entry_id, client, quantity in (("E-1", "C-2", "-0.000201"), ("E-2", "C-1", "0.000201")):
        row = {"entry_id": entry_id, "client_id": client, "quantity": quantity, "location": desk.at(OMNIBUS)}
        desk.take(ledger_entries=[row])
    outcome = desk.sweep()
    result = desk.result(outcome, OMNIBUS)
    assert (result.difference, result.status) == (0, Status.DIVERGED), "the sum is right and C-2 owns less than nothing"
    case = desk.only_case(FindingKind.NEGATIVE_ALLOCATION)
    assert case.finding.base_units == -1
    assert "C-2" in case.finding.text
    assert outcome.exit_code == 1


@pytest.mark.fault("A39")
def test_a_fake_token_of_the_same_name_counts_for_nothing(desk: Desk, world: AnvilWorld) -> None:
    fake = type(world)(world.node).usdx
    fake.transact("mint", OMNIBUS, 700)
    desk.open_books(OMNIBUS)
    desk.allocate(OMNIBUS, C_1=700)
    outcome = desk.sweep()
    assert desk.only_case(FindingKind.SHORTFALL).finding.base_units == -700
    fake.transact("mint", OMNIBUS, 1)
    world.mint(OMNIBUS, 700)
    outcome = desk.sweep()
    assert desk.result(outcome, OMNIBUS).status is Status.MATCHED
    assert kinds(outcome) == {}
    assert outcome.exit_code == 0


class TestDust:
    """Small unsolicited deposits share one case per asset and day."""

    @pytest.fixture
    def dusty(self, desk: Desk, world: AnvilWorld) -> Desk:
        """Three wallets, one of them with a claim, and a dust limit of ten base units."""
        desk.open_books(OMNIBUS, SECOND, THIRD, assets=[{"dust_limit": "0.000010"}])
        world.mint(OMNIBUS, 700)
        desk.allocate(OMNIBUS, C_1=700)
        assert desk.sweep().exit_code == 0
        return desk

    def test_shares_one_case_that_covers_every_wallet(self, dusty: Desk, world: AnvilWorld) -> None:
        for wallet, base_units in ((OMNIBUS, 1), (SECOND, 9), (THIRD, 5)):
            world.mint(wallet, base_units)
        outcome = dusty.sweep()
        case = dusty.only_case(FindingKind.UNALLOCATED_BALANCE)
        assert case.finding.base_units == 15
        covered = {location for location, _ in dusty.store.case_covers(case.case_id)}
        assert covered == {dusty.at(wallet) for wallet in (OMNIBUS, SECOND, THIRD)}
        assert outcome.summary is not None
        assert outcome.summary.diverged == 3

    def test_a_deposit_of_the_limit_is_a_case_of_its_own(self, dusty: Desk, world: AnvilWorld) -> None:
        world.mint(SECOND, 10)
        world.mint(THIRD, 9)
        dusty.sweep()
        assert sorted(case.finding.location_id for case in dusty.open_cases()) == [dusty.chain_id, dusty.at(SECOND)]

    def test_stays_in_its_case_on_the_next_day(self, dusty: Desk, world: AnvilWorld) -> None:
        world.mint(SECOND, 9)
        first = dusty.sweep().cases
        world.node.mine(2, interval_seconds=DAY)
        later = dusty.sweep().cases
        assert [(seen.case_id, seen.is_new) for seen in later] == [(first[0].case_id, False)]
        world.mint(THIRD, 4)
        next_day = dusty.sweep().cases
        assert len(next_day) == 2, "what arrives on another day has that day's case"
        assert {seen.case_id for seen in next_day if not seen.is_new} == {first[0].case_id}


class TestGasFloat:
    """The firm's own coin for fees explains a surplus up to what is recorded, and never fills a client's gap."""

    @pytest.fixture
    def floating(self, desk: Desk, world: AnvilWorld) -> Desk:
        """A wallet with 3 ether of a client and 1 ether of gas float; all of it is there."""
        native = {"asset_id": desk.native.asset_id, "symbol": "ETH", "decimals": "18", "dust_limit": "0"}
        desk.open_books(OMNIBUS, assets=[native])
        desk.take(wallets=[{"address": OMNIBUS, "gas_float_limit": "1"}])
        world.give_native(OMNIBUS, 4 * 10**18)
        row = {"asset_id": desk.native.asset_id, "location": desk.at(OMNIBUS)}
        own = {"client_id": "FIRM", "account_class": "proprietary", "kind": "gas_float", "quantity": "1"}
        desk.take(allocations=[row | {"client_id": "C-1", "quantity": "3"}, row | own])
        return desk

    def native_result(self, desk: Desk) -> tuple[Status, int | None, int]:
        """Status, difference and used float of the newest sweep's one holding."""
        summary = desk.store.latest_summary(desk.chain_id)
        assert summary is not None
        (result,) = desk.store.reconciliations(summary.sweep_id)
        return result.status, result.difference, result.gas_float_observed

    def test_fees_use_it_up(self, floating: Desk, world: AnvilWorld) -> None:
        assert floating.sweep().exit_code == 0
        assert self.native_result(floating) == (Status.MATCHED, 0, 10**18)
        _, fee = world.pay_native(OMNIBUS, OMNIBUS, 0)
        assert fee > 0
        assert floating.sweep().exit_code == 0
        assert self.native_result(floating) == (Status.MATCHED, 0, 10**18 - fee)

    def test_it_never_fills_a_clients_gap(self, floating: Desk, world: AnvilWorld) -> None:
        floating.approve("A-1", OMNIBUS, OUTSIDE, 1, asset_id=floating.native.asset_id, quantity_max="2")
        _, fee = world.pay_native(OMNIBUS, OUTSIDE, 10**18 + 1)
        outcome = floating.sweep()
        assert self.native_result(floating) == (Status.DIVERGED, -1 - fee, 0)
        assert kinds(outcome) == {FindingKind.SHORTFALL: 1}

    def test_more_than_recorded_is_an_excess(self, floating: Desk, world: AnvilWorld) -> None:
        world.give_native(OMNIBUS, 2)
        outcome = floating.sweep()
        assert self.native_result(floating) == (Status.DIVERGED, 2, 10**18)
        assert kinds(outcome) == {FindingKind.EXCESS: 1}

    def test_above_the_wallets_limit_it_is_a_breach(self, floating: Desk) -> None:
        assert floating.sweep().exit_code == 0
        floating.take(wallets=[{"address": OMNIBUS, "gas_float_limit": "0.999999999999999999"}])
        outcome = floating.sweep()
        assert floating.only_case(FindingKind.STRUCTURE_BREACH).finding.base_units == 1
        assert outcome.summary is not None
        assert outcome.summary.matched == 1
        assert outcome.exit_code == 1


class TestSeenAgain:
    """A finding is one case, however often it is seen."""

    @pytest.fixture
    def short(self, desk: Desk, world: AnvilWorld) -> Desk:
        """A wallet that is one base unit short, swept once."""
        world.mint(OMNIBUS, 699)
        desk.open_books(OMNIBUS)
        desk.allocate(OMNIBUS, C_1=700)
        desk.sweep()
        return desk

    def test_the_same_sweep_again_opens_and_adds_nothing(self, short: Desk) -> None:
        (case,) = short.open_cases()
        events = short.store.case_events(case.case_id)
        again = short.sweep()
        assert [(seen.case_id, seen.is_new) for seen in again.cases] == [(case.case_id, False)]
        assert short.store.case_events(case.case_id) == events
        assert again.exit_code == 1

    def test_a_new_figure_is_noted_in_the_same_case(self, short: Desk, world: AnvilWorld) -> None:
        short.approve("A-1", OMNIBUS, OUTSIDE, 9)
        world.pay(OMNIBUS, OUTSIDE, 9)
        short.sweep()
        case = short.only_case(FindingKind.SHORTFALL)
        assert case.finding.base_units == -10
        assert [event.base_units for event in short.store.case_events(case.case_id)] == [-1, -10]

    def test_a_healed_finding_stays_open_and_is_no_longer_seen(self, short: Desk, world: AnvilWorld) -> None:
        world.mint(OMNIBUS, 1)
        outcome = short.sweep()
        assert (outcome.exit_code, outcome.cases) == (0, ())
        case = short.only_case(FindingKind.SHORTFALL)
        assert not case.is_seen
        assert short.status().exit_code == 1, "a case is open until a second person closes it"
        short.close(case)
        assert short.status().exit_code == 0

    def test_closed_while_it_is_still_there_it_comes_back(self, short: Desk) -> None:
        (case,) = short.open_cases()
        short.close(case)
        outcome = short.sweep()
        again = short.only_case(FindingKind.SHORTFALL)
        assert (again.occurrence, again.finding.finding_key) == (2, case.finding.finding_key)
        assert [seen.is_new for seen in outcome.cases] == [True]
        assert short.store.case(case.case_id).state is CaseState.CLOSED

    def test_looking_back_changes_nothing_that_is_known(self, short: Desk, world: AnvilWorld) -> None:
        first = short.store.latest_summary(short.chain_id)
        assert first is not None
        world.mint(OMNIBUS, 1)
        world.mint(OMNIBUS, 2)
        short.sweep()
        assert {case.finding.kind: case.is_seen for case in short.open_cases()} == {
            FindingKind.SHORTFALL: False,
            FindingKind.EXCESS: True,
        }
        back = short.sweep(at=first.block.height)
        assert kinds(back) == {FindingKind.SHORTFALL: 1}
        assert back.exit_code == 1
        assert {case.finding.kind: case.is_seen for case in short.open_cases()} == {
            FindingKind.SHORTFALL: False,
            FindingKind.EXCESS: True,
        }
        chain = short.status().chains[0]
        assert chain.summary is not None
        assert chain.summary.block.height == world.node.block_number(), "the status speaks of the highest block"
