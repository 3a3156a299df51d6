"""From comparisons to findings: every kind, and what must not be one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chains.types import Address, AssetId, BalanceObservation, LocationId
from mapping.types import AccountClass, AssetRecord, CustodianAddress, LegalClass, Structure, Wallet
from tests.verifier.rules.make import (
    CHAIN,
    DAI,
    ETH,
    MOMENT,
    NOON,
    OTHER_CHAIN,
    PIN,
    SKEW,
    USDC,
    A,
    B,
    C,
    address,
    around,
    block,
    claim,
    claims,
    holding,
    observed,
    place,
    read,
    statement,
    wallet,
)
from verifier.records import Finding, FindingKind, Status
from verifier.rules.claims import Claim, Holder
from verifier.rules.findings import reconciliation_findings, unplaced_statement_findings
from verifier.rules.holdings import MappedHolding
from verifier.rules.inventory import asset_findings, inventory_findings, unparsed_findings
from verifier.rules.reconcile import reconcile
from verifier.rules.structure import structure_findings
from verifier.rules.surroundings import Surroundings, dust_limits

K = FindingKind
DUST = {USDC.asset_id: 10}


def found(
    balance: int | None,
    books: Claim | None,
    *stated: object,
    plan: MappedHolding | None = None,
    reads: dict[tuple[Address, AssetId], BalanceObservation] | None = None,
    near: Surroundings | None = None,
) -> list[Finding]:
    plan = plan or holding(A)
    reads = reads if reads is not None else observed(read(A, plan.asset, balance))
    result = reconcile(plan, reads, books, list(stated), MOMENT)  # type: ignore[arg-type]
    findings = reconciliation_findings(result, plan, books, reads, near or around())
    assert findings or result.status is Status.MATCHED, "whatever is not matched is somebody's"
    return findings


def brief(findings: list[Finding]) -> list[tuple[FindingKind, int | None, str]]:
    return [(each.kind, each.base_units, each.subject) for each in findings]


@pytest.mark.parametrize(
    ("balance", "books", "expected"),
    [
        (100, claim(100), []),
        (95, claim(100), [(K.SHORTFALL, -5, "")]),
        (105, claim(100), [(K.EXCESS, 5, "")]),
        (0, None, []),
        (5, None, [(K.UNALLOCATED_BALANCE, 5, "")]),
        (5, claim(0), [(K.UNALLOCATED_BALANCE, 5, "")]),
        (None, claim(100), [(K.UNVERIFIED, None, "")]),
        (None, None, [(K.UNVERIFIED, None, "")]),
        (100, claim(100, as_of=NOON + timedelta(seconds=SKEW + 1)), [(K.UNVERIFIED, None, "")]),
        (100, claim(110, -10), [(K.NEGATIVE_ALLOCATION, -10, "c2:customer")]),
        (90, claim(110, -10), [(K.SHORTFALL, -10, ""), (K.NEGATIVE_ALLOCATION, -10, "c2:customer")]),
    ],
)
@pytest.mark.fault("B12", "D3")
def test_sub_ledger_against_chain(
    balance: int | None, books: Claim | None, expected: list[tuple[FindingKind, int | None, str]]
) -> None:
    assert brief(found(balance, books)) == expected


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ([], []),
        ([statement(100)], []),
        ([statement(98)], [(K.CUSTODIAN_MISMATCH, 2, "Acme Custody")]),
        ([statement(103)], [(K.CUSTODIAN_MISMATCH, -3, "Acme Custody")]),
        ([statement(100, as_of=NOON - timedelta(days=1))], [(K.UNVERIFIED, None, "statement:Acme Custody")]),
    ],
)
@pytest.mark.fault("B19")
def test_the_custodians_statement_against_chain(
    stated: list[object], expected: list[tuple[FindingKind, int | None, str]]
) -> None:
    assert brief(found(100, claim(100), *stated)) == expected


@pytest.mark.fault("D1")
@given(balance=st.integers(0, 2**255), figure=st.integers(0, 2**255))
def test_a_shortfall_is_never_called_an_excess(balance: int, figure: int) -> None:
    kinds = {finding.kind for finding in found(balance, claim(figure))}
    expected = set() if balance == figure else {K.SHORTFALL} if balance < figure else {K.EXCESS}
    assert kinds == (expected if figure or not balance else {K.UNALLOCATED_BALANCE})


@pytest.mark.fault("D1")
def test_the_text_has_both_figures_exact_and_the_reviewed_symbol() -> None:
    (short,) = found(95_000_001, claim(100_000_000))
    assert short.text == "Short by 4.999999 USDC: the chain shows 95.000001 USDC, the books claim 100.00 USDC."
    (more,) = found(6, claim(2, gas_float=3), plan=holding(A, asset=ETH))
    assert more.text.startswith("Too much by 0.000000000000000001 ETH: the chain shows 0.000000000000000006 ETH")
    assert "is the firm's gas float of 0.000000000000000003 ETH" in more.text
    assert (short.block, short.provisional, short.location_id) == (PIN, False, place())
    (early,) = found(0, claim(1), near=around(provisional=True))
    assert early.provisional


def test_one_discrepancy_is_one_case_whatever_its_size_and_block() -> None:
    later = around(pin=block(200))
    assert found(95, claim(100))[0].finding_key == found(94, claim(100), near=later)[0].finding_key
    assert found(95, claim(100))[0].finding_key != found(105, claim(100))[0].finding_key


@pytest.mark.fault("A39")
@pytest.mark.parametrize(
    ("balance", "books", "is_dust"),
    [
        (9, None, True),
        (10, None, False),  # the limit itself is no dust
        (109, claim(100), True),
        (110, claim(100), False),
        (99, claim(100), False),  # a shortfall is never dust
    ],
)
def test_dust_of_an_asset_and_day_shares_one_case(balance: int, books: Claim | None, is_dust: bool) -> None:
    (first,) = found(balance, books, near=around(dust=DUST))
    elsewhere = observed(read(B, USDC, balance))
    near = around(wallet(A), wallet(B), dust=DUST)
    (second,) = found(balance, books, plan=holding(B), reads=elsewhere, near=near)
    assert (first.finding_key == second.finding_key) == is_dust
    if is_dust:
        assert (first.location_id, first.subject) == (LocationId(CHAIN), f"dust:{USDC.asset_id}:2026-03-02")
        assert place() in first.text
        tomorrow = around(dust=DUST, pin=replace(PIN, timestamp=datetime(2026, 3, 3, tzinfo=UTC)))
        assert found(balance, books, near=tomorrow)[0].finding_key != first.finding_key


def test_an_asset_without_a_limit_has_no_dust() -> None:
    assert found(1, None, near=around(dust={DAI.asset_id: 10}))[0].subject == ""
    record = AssetRecord(USDC, LegalClass.PAYMENT_STABLECOIN, date(2026, 1, 1), "memo", dust_limit=10)
    assert dust_limits([record]) == DUST


CLOSED = wallet(closed_on=date(2026, 3, 1))


@pytest.mark.fault("B12")
@pytest.mark.parametrize(
    ("near", "balance", "books", "expected"),
    [
        (around(CLOSED), 50, None, [(K.UNMAPPED_BALANCE, 50, "")]),
        (around(CLOSED), 0, None, []),
        (around(CLOSED), 50, claim(50), [(K.UNMAPPED_BALANCE, 50, "")]),  # though the sum is right
        (around(CLOSED), 50, claim(60), [(K.SHORTFALL, -10, ""), (K.UNMAPPED_BALANCE, 50, "")]),
        (around(wallet(closed_on=date(2026, 3, 2))), 50, claim(50), []),  # closes at the end of its day
        (around(CLOSED, dust=DUST), 9, None, [(K.UNALLOCATED_BALANCE, 9, f"dust:{USDC.asset_id}:2026-03-02")]),
        (around(CLOSED, dust=DUST), 9, claim(9), [(K.UNMAPPED_BALANCE, 9, "")]),
    ],
)
def test_a_closed_wallet_that_still_holds(
    near: Surroundings, balance: int, books: Claim | None, expected: list[tuple[FindingKind, int | None, str]]
) -> None:
    assert brief(found(balance, books, near=near)) == expected


def test_a_closed_wallet_within_a_pool_is_named_itself() -> None:
    reads = observed(read(A, USDC, 60), read(B, USDC, 40))
    near = around(wallet(A), wallet(B, closed_on=date(2026, 2, 1)))
    (only,) = found(None, claim(100), plan=holding(A, B, pool="P"), reads=reads, near=near)
    assert (only.kind, only.location_id, only.base_units) == (K.UNMAPPED_BALANCE, place(B), 40)


def test_a_statement_about_an_unknown_place_is_a_mismatch() -> None:
    stray = statement(5, at=place(C))
    (only,) = unplaced_statement_findings([stray], {USDC.asset_id: USDC}, around())
    assert (only.kind, only.location_id, only.base_units) == (K.CUSTODIAN_MISMATCH, place(C), -5)
    assert unplaced_statement_findings([], {}, around()) == []


def structure(
    books: dict[tuple[LocationId, AssetId], Claim], *wallets: Wallet, plan: list[MappedHolding] | None = None
) -> list[tuple[FindingKind, int | None, str]]:
    plan = plan or [holding(A, asset=asset) for asset in (USDC, DAI, ETH)]
    return brief(structure_findings(plan, claims(books), around(*wallets)))


SEGREGATED = wallet(structure=Structure.FULLY_SEGREGATED, gas_float_limit=5)
OMNIBUS = wallet(gas_float_limit=5)
AT_A = (place(), USDC.asset_id)
NATIVE_AT_A = (place(), ETH.asset_id)
TWO_ASSETS = {
    AT_A: Claim((Holder("c1", AccountClass.CUSTOMER, 1),), NOON),
    (place(), DAI.asset_id): Claim((Holder("c2", AccountClass.CUSTOMER, 1),), NOON),
}
TWO_CLASSES = Claim((Holder("c1", AccountClass.CUSTOMER, 1), Holder("c1", AccountClass.PAB, 1)), NOON)


@pytest.mark.fault("B11")
@pytest.mark.parametrize(
    ("only", "books", "expected"),
    [
        (SEGREGATED, {AT_A: claim(100)}, []),
        (SEGREGATED, {AT_A: claim(60, 40)}, [(K.STRUCTURE_BREACH, None, "clients")]),
        (SEGREGATED, {AT_A: claim(100, 0)}, []),
        (SEGREGATED, {AT_A: claim(100, -1)}, [(K.STRUCTURE_BREACH, None, "clients")]),
        (SEGREGATED, TWO_ASSETS, [(K.STRUCTURE_BREACH, None, "clients")]),
        (OMNIBUS, TWO_ASSETS, []),
        (SEGREGATED, {AT_A: TWO_CLASSES}, []),
        (SEGREGATED, {AT_A: claim(100, firm=7)}, [(K.STRUCTURE_BREACH, 7, "firm:firm")]),
        (OMNIBUS, {AT_A: claim(100, firm=7)}, [(K.COMMINGLING, 7, "firm:firm")]),
        (OMNIBUS, {AT_A: claim(60, 40)}, []),
        (SEGREGATED, {NATIVE_AT_A: claim(100, gas_float=5)}, []),
        (SEGREGATED, {NATIVE_AT_A: claim(100, gas_float=6)}, [(K.STRUCTURE_BREACH, 1, "gas_float_limit")]),
        (OMNIBUS, {NATIVE_AT_A: claim(100, gas_float=5)}, []),
        (OMNIBUS, {NATIVE_AT_A: claim(100, gas_float=6)}, [(K.STRUCTURE_BREACH, 1, "gas_float_limit")]),
        # a float of a token is the firm's own asset
        (OMNIBUS, {AT_A: claim(100, gas_float=5)}, [(K.COMMINGLING, 5, "firm:firm")]),
        (SEGREGATED, {AT_A: claim(100, gas_float=5)}, [(K.STRUCTURE_BREACH, 5, "firm:firm")]),
    ],
)
def test_structure(
    only: Wallet, books: dict[tuple[LocationId, AssetId], Claim], expected: list[tuple[FindingKind, int | None, str]]
) -> None:
    assert structure(books, only) == expected


@pytest.mark.fault("B11")
@given(figures=st.lists(st.integers(1, 2**100), min_size=1, max_size=9))
def test_a_segregated_wallet_has_one_client_even_when_the_sum_matches(figures: list[int]) -> None:
    books = claim(*figures)
    assert found(sum(figures), books, near=around(SEGREGATED)) == []
    expected = [(K.STRUCTURE_BREACH, None, "clients")] if len(figures) > 1 else []
    assert structure({AT_A: books}, SEGREGATED) == expected


def test_a_pools_float_limit_is_that_of_its_wallets() -> None:
    wallets = [wallet(A, gas_float_limit=5), wallet(B, gas_float_limit=5)]
    plan = [holding(A, B, asset=ETH, pool="P")]
    key = (LocationId("pool:P"), ETH.asset_id)
    assert structure({key: claim(1, gas_float=10)}, *wallets, plan=plan) == []
    breach = [(K.STRUCTURE_BREACH, 1, "gas_float_limit")]
    assert structure({key: claim(1, gas_float=11)}, *wallets, plan=plan) == breach


def listed(
    at: Address = A, *, by: str = "Acme Custody", vault: str = "v1", hours: int = 0, chain: object = CHAIN
) -> CustodianAddress:
    return CustodianAddress(by, chain, at, vault, NOON + timedelta(hours=hours))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("inventory", "wallets", "expected"),
    [
        ([listed()], [wallet()], []),
        ([], [wallet()], []),  # no inventory says nothing
        ([listed(), listed(B)], [wallet()], [(K.UNMAPPED_ADDRESS, B, "inventory_only:Acme Custody")]),
        ([listed()], [wallet(), wallet(B)], [(K.UNMAPPED_ADDRESS, B, "mapping_only:Acme Custody")]),
        ([listed()], [wallet(), wallet(B, custodian="Beta")], []),
        ([listed()], [wallet(), wallet(B, closed_on=date(2026, 2, 1))], []),
        ([listed(by="Beta")], [wallet()], [(K.UNMAPPED_ADDRESS, A, "inventory_only:Beta")]),
        ([listed(vault="v2")], [wallet()], [(K.CUSTODIAN_MISMATCH, A, "vault:Acme Custody")]),
        ([listed(vault="")], [wallet()], []),
        ([listed(B, hours=-1), listed()], [wallet()], []),  # the latest inventory counts
        ([listed(), listed(B, hours=-1)], [wallet()], []),
        ([listed(hours=-1), listed(B)], [wallet(), wallet(B)], [(K.UNMAPPED_ADDRESS, A, "mapping_only:Acme Custody")]),
        ([listed(B, chain=OTHER_CHAIN)], [wallet()], [(K.UNMAPPED_ADDRESS, A, "mapping_only:Acme Custody")]),
    ],
)
def test_the_custodians_inventory_is_compared_both_ways(
    inventory: list[CustodianAddress], wallets: list[Wallet], expected: list[tuple[FindingKind, Address, str]]
) -> None:
    findings = inventory_findings(inventory, around(*wallets))
    assert [(f.kind, f.location_id, f.subject) for f in findings] == [(k, place(at), s) for k, at, s in expected]


def test_an_asset_that_changed_on_chain() -> None:
    assets = {USDC.asset_id: USDC}
    (only,) = asset_findings({USDC.asset_id: "decimals() is 8, not 6"}, assets, around())
    assert (only.kind, only.asset, only.subject) == (K.ASSET_CHANGED, USDC, USDC.asset_id)
    assert "decimals() is 8, not 6" in only.text
    assert asset_findings({}, assets, around()) == []


def test_events_that_could_not_be_read_are_a_finding() -> None:
    assets = {USDC.asset_id: USDC}
    (only,) = unparsed_findings({USDC.asset_id: 2, DAI.asset_id: 0}, assets, 5, 9, around())
    assert (only.kind, only.asset, only.subject) == (K.UNPARSED_EVENTS, USDC, f"{USDC.asset_id}:5-9")
    (unknown,) = unparsed_findings({"eip155:31337/erc20:0xee": 1}, assets, 5, 9, around())
    assert unknown.asset is None


def test_a_text_names_a_few_clients_and_counts_the_rest() -> None:
    (only,) = structure_findings([holding(A)], claims({AT_A: claim(*range(1, 9))}), around(SEGREGATED))
    assert only.text.endswith("to 8 clients: c1, c2, c3, c4, c5 and 3 more.")
    assert address(0xA) == A
