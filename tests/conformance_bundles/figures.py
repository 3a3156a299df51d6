"""Checks 6 to 14: what the records say about each other. The firm itself wrote and signed every lie here.

Each bundle is made right again around its lie, so that one check alone can find it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from chains.types import (
    Address,
    AnchorEvidence,
    AssetId,
    LocationId,
    ReadStatus,
    StateEvidence,
    TransferKind,
    account_location,
)
from exports.bundle import Bundle
from exports.records import (
    CaseStatus,
    CoverRecord,
    Outcome,
    Rail,
    ReconciliationRecord,
    Status,
    UseRecord,
    WitnessRecord,
)
from tests.conformance_bundles.recipe import bad, good
from tests.exports.sample import (
    BLOCK_TIME,
    CHAIN,
    ETH,
    OMNIBUS,
    OUTSIDE,
    POOL,
    POOLED_A,
    SEGREGATED,
    USD,
    allocation,
    balance,
    case,
    sample_bundle,
    small_bundle,
    transfer,
    with_liabilities,
)

HERE = account_location(CHAIN, OMNIBUS)
THERE = account_location(CHAIN, SEGREGATED)


@good("four matched, one short, one unread; a pool, a gas float, a statement, four transfers, a grant")
def one_of_everything() -> Bundle:
    return sample_bundle()


@good("the least that verifies: one wallet, one asset, one owner, one match")
def smallest() -> Bundle:
    return small_bundle()


@good("two operators agree on the block")
def agreed_by_two_operators() -> Bundle:
    bundle = sample_bundle()
    witnesses = (*bundle.sweeps[0].witnesses, WitnessRecord("node-b", "Operator B"))
    balances = tuple(replace(each, anchor=AnchorEvidence.AGREED) for each in bundle.balances)
    return replace(bundle, sweeps=(replace(bundle.sweeps[0], witnesses=witnesses),), balances=balances)


@good("names and texts beyond ASCII, in the one form of Unicode")
def names_of_all_scripts() -> Bundle:
    bundle = sample_bundle()
    firm = replace(bundle.firm, name='Ünïted "Söhne" \\ 証券 🏦')
    return with_liabilities(replace(bundle, firm=firm, scope_text="Кастоди · \u2028 / \u007e"))


def reconciled(bundle: Bundle, location: str, asset_id: AssetId, **changes: Any) -> Bundle:
    """One reconciliation said differently."""

    def edit(record: ReconciliationRecord) -> ReconciliationRecord:
        return replace(record, **changes) if (record.location, record.asset_id) == (location, asset_id) else record

    return replace(bundle, reconciliations=tuple(edit(each) for each in bundle.reconciliations))


def balanced(bundle: Bundle, address: Address, asset_id: AssetId, **changes: Any) -> Bundle:
    """One balance said differently."""
    return replace(
        bundle,
        balances=tuple(
            replace(each, **changes) if (each.address, each.asset_id) == (address, asset_id) else each
            for each in bundle.balances
        ),
    )


def swept(bundle: Bundle, **changes: Any) -> Bundle:
    """The sweep said differently."""
    return replace(bundle, sweeps=(replace(bundle.sweeps[0], **changes),))


def moved(bundle: Bundle, number: int, **changes: Any) -> Bundle:
    """One transfer said differently."""
    transfers = list(bundle.transfers)
    transfers[number] = replace(transfers[number], **changes)
    return replace(bundle, transfers=tuple(transfers))


def cased(bundle: Bundle, kind: str, /, **changes: Any) -> Bundle:
    """The case of a kind said differently."""
    return replace(
        bundle, cases=tuple(replace(each, **changes) if each.kind == kind else each for each in bundle.cases)
    )


@bad(6, "a transfer names an authorization that is not in the bundle")
def authorization_unknown() -> Bundle:
    return moved(sample_bundle(), 2, authorization_id="auth-9")


@bad(6, "a transfer that touches no wallet of the bundle")
def transfer_of_nobody() -> Bundle:
    strange = transfer("0x" + "d9" * 32, TransferKind.NATIVE, 9, asset_id=ETH, sender=OUTSIDE, receiver=OUTSIDE)
    return replace(sample_bundle(), transfers=(*sample_bundle().transfers, strange))


@bad(6, "two cases with one id")
def case_id_twice() -> Bundle:
    bundle = sample_bundle()
    return replace(bundle, cases=(*bundle.cases, replace(bundle.cases[0], text="again")))


@bad(6, "an asset id spells the contract's address in another way: one asset could be two")
def asset_spelt_otherwise() -> Bundle:
    bundle = sample_bundle()
    strange = AssetId(USD.lower())
    return replace(bundle, assets=(*bundle.assets, replace(bundle.assets[1], asset_id=strange)))


@bad(6, "an address in another spelling than its checksum's")
def address_spelt_otherwise() -> Bundle:
    bundle = sample_bundle()
    strange = replace(
        bundle.wallets[0], address=Address("0x" + "Ab" * 20), closed_on=BLOCK_TIME.date().replace(year=2025)
    )
    return replace(bundle, wallets=(*bundle.wallets, strange))


@bad(6, "the firm's gas float in a token, which pays no fees")
def gas_float_in_a_token() -> Bundle:
    bundle = sample_bundle()
    fee = replace(bundle.allocations[2], asset_id=USD, base_units=0)
    return with_liabilities(replace(bundle, allocations=(*bundle.allocations, fee)))


@bad(7, "the gas float of a place is higher than what its records add up to")
def gas_float_raised() -> Bundle:
    return reconciled(sample_bundle(), HERE, ETH, gas_float_recorded=3 * 10**16)


@bad(7, "an owner's assets lie where nobody looked")
def allocated_and_not_reconciled() -> Bundle:
    bundle = sample_bundle()
    lost = allocation("client-9", account_location(CHAIN, OUTSIDE), ETH, 0)
    return with_liabilities(replace(bundle, allocations=(*bundle.allocations, lost)))


@bad(7, "what is claimed is shifted from one place to another: each sum over all places is right")
def claimed_at_another_place() -> Bundle:
    bundle = sample_bundle()
    allocations = [*bundle.allocations]
    allocations[5] = replace(allocations[5], base_units=2 * 10**18 - 12)  # at the segregated wallet
    allocations[7] = replace(allocations[7], base_units=24)  # in the pool
    return with_liabilities(replace(bundle, allocations=tuple(allocations)))


@bad(8, "a place is said to hold what two wallets' balances do not add up to; the other place makes up for it")
def observed_at_another_place() -> Bundle:
    bundle = balanced(sample_bundle(), SEGREGATED, ETH, base_units=2 * 10**18 - 1)
    return balanced(bundle, POOLED_A, ETH, base_units=6)


@bad(8, "a wallet was read and stands in no reconciliation")
def balance_nobody_reconciled() -> Bundle:
    bundle = small_bundle()
    wallets = (*bundle.wallets, sample_bundle().wallets[0])
    extra = replace(bundle, wallets=wallets, balances=(*bundle.balances, balance(OMNIBUS, ETH, 5)))
    controls = (*bundle.controls, sample_bundle().controls[0])
    reviewed = replace(bundle.control_reviews[0], wallets_asked=2, controls=2)
    return replace(extra, controls=controls, control_reviews=(reviewed,))


@bad(8, "a failed read was counted as zero")
def failed_read_counted_as_zero() -> Bundle:
    failed = {"base_units": None, "status": ReadStatus.FAILED, "reason": "malformed-answer: 64 bytes instead of 32"}
    return balanced(sample_bundle(), POOLED_A, USD, **failed)


@bad(8, "a wallet of two pools is counted twice")
def wallet_in_two_pools() -> Bundle:
    bundle = sample_bundle()
    second = replace(bundle.pools[0], pool_id="other")
    place = LocationId("pool:other")
    twin = replace(bundle.reconciliations[4], location=place, claimed=5, observed=5)
    owned = replace(bundle.allocations[7], location=place, base_units=5)
    changed = replace(
        bundle,
        pools=(*bundle.pools, second),
        reconciliations=(*bundle.reconciliations, twin),
        allocations=(*bundle.allocations, owned),
    )
    return with_liabilities(swept(changed, expected=7, matched=5))


@bad(8, "a figure of a rail for which the format has no evidence")
def rail_without_evidence() -> Bundle:
    return reconciled(sample_bundle(), POOL, ETH, rail=Rail.CASH)


@bad(9, "a shortfall is called a surplus")
def shortfall_called_a_surplus() -> Bundle:
    bundle = cased(sample_bundle(), "shortfall", kind="excess")
    return reconciled(bundle, POOL, USD, difference=10 * 10**6)


@bad(9, "unverified, and no reason given")
def unverified_without_a_reason() -> Bundle:
    return reconciled(sample_bundle(), THERE, USD, reason="")


@bad(9, "a gas float is said to be there though the book has none")
def gas_float_from_nowhere() -> Bundle:
    changed = reconciled(sample_bundle(), THERE, USD, gas_float_observed=1)
    return with_liabilities(changed)


@bad(9, "the custodian's statement says another figure and is called matched")
def statement_differs() -> Bundle:
    bundle = sample_bundle()
    statement = bundle.reconciliations[1].statement
    assert statement is not None
    return reconciled(bundle, HERE, USD, statement=replace(statement, base_units=999))


@bad(9, "the custodian's statement is of another day and is called matched")
def statement_of_another_day() -> Bundle:
    bundle = sample_bundle()
    statement = bundle.reconciliations[1].statement
    assert statement is not None
    return reconciled(bundle, HERE, USD, statement=replace(statement, as_of=BLOCK_TIME - timedelta(days=1)))


@bad(9, "a shortfall is called matched, and the counts with it")
def shortfall_called_matched() -> Bundle:
    bundle = reconciled(sample_bundle(), POOL, USD, status=Status.MATCHED)
    return with_liabilities(swept(bundle, matched=5, diverged=0))


@bad(10, "a holding that was expected is left out of the counts")
def expected_one_more() -> Bundle:
    return swept(sample_bundle(), expected=7)


@bad(10, "the counts say one more matched than there is")
def counted_one_more() -> Bundle:
    return swept(sample_bundle(), matched=5, expected=7)


@bad(10, "a diverged one is counted as matched")
def diverged_counted_as_matched() -> Bundle:
    return swept(sample_bundle(), matched=5, diverged=0)


@bad(11, "the case of a shortfall is closed while the shortfall lasts")
def case_closed_too_early() -> Bundle:
    return cased(sample_bundle(), "shortfall", status=CaseStatus.CLOSED)


@bad(11, "the case of a shortfall is about another asset")
def case_of_another_asset() -> Bundle:
    return cased(sample_bundle(), "shortfall", covers=(CoverRecord(POOL, ETH),))


@bad(11, "a shortfall has a case of another kind")
def case_of_another_kind() -> Bundle:
    return cased(sample_bundle(), "shortfall", kind="excess")


@bad(11, "a balance that could not be read has no case")
def unread_without_a_case() -> Bundle:
    bundle = sample_bundle()
    return replace(bundle, cases=tuple(each for each in bundle.cases if each.kind != "unverified"))


@bad(11, "an unauthorized transfer has no case")
def transfer_without_a_case() -> Bundle:
    return cased(sample_bundle(), "unauthorized_transfer", tx_ids=())


@bad(11, "a surplus above the dust limit hides in the chain's case for dust")
def surplus_called_dust() -> Bundle:
    bundle = balanced(sample_bundle(), POOLED_A, ETH, base_units=5 + 10**12)
    bundle = reconciled(bundle, POOL, ETH, observed=12 + 10**12, difference=10**12, status=Status.DIVERGED)
    dust = replace(case("case-9", "excess", POOL, ETH), location=LocationId(CHAIN))
    changed = swept(replace(bundle, cases=(*bundle.cases, dust)), matched=3, diverged=2)
    return with_liabilities(changed)


@bad(12, "a balance is graded higher than its evidence carries")
def graded_above_its_evidence() -> Bundle:
    return balanced(sample_bundle(), POOLED_A, ETH, grade=StateEvidence.PROVEN)


@bad(12, "one operator is said to agree with itself")
def agreed_by_one_operator() -> Bundle:
    return balanced(sample_bundle(), POOLED_A, ETH, anchor=AnchorEvidence.AGREED)


@bad(12, "the firm speaks for the auditor's node")
def anchored_by_the_auditor() -> Bundle:
    return balanced(sample_bundle(), POOLED_A, ETH, anchor=AnchorEvidence.AUDITOR)


@bad(13, "a balance is of another block than the one that is pinned")
def balance_of_another_block() -> Bundle:
    return balanced(sample_bundle(), POOLED_A, ETH, block_hash="0x" + "ee" * 32)


@bad(13, "a balance is said to be of a checked header while the sweep's was not")
def header_said_to_be_checked() -> Bundle:
    return balanced(sample_bundle(), POOLED_A, ETH, header_checked=False)


@bad(13, "a balance comes from a node that never vouched for the block")
def node_is_no_witness() -> Bundle:
    return balanced(sample_bundle(), POOLED_A, ETH, node_id="node-z")


@bad(13, "the sweep ends after the bundle was made")
def sweep_after_the_bundle() -> Bundle:
    return swept(sample_bundle(), finished_at=BLOCK_TIME + timedelta(days=2))


@bad(13, "figures of another moment than the block's")
def observed_at_another_moment() -> Bundle:
    changed = reconciled(sample_bundle(), POOL, ETH, observed_as_of=BLOCK_TIME - timedelta(seconds=5))
    return with_liabilities(changed)


@bad(14, "a transfer lies outside the blocks that were looked through")
def transfer_outside_coverage() -> Bundle:
    return moved(sample_bundle(), 3, height=79, block_hash="0x" + "cd" * 32)


@bad(14, "two blocks at one height")
def two_blocks_at_one_height() -> Bundle:
    return moved(sample_bundle(), 3, block_hash="0x" + "cd" * 32)


@bad(14, "a payment left a wallet and was held against no approval")
def never_judged() -> Bundle:
    return moved(sample_bundle(), 2, outcome=None, reason="")


@bad(14, "a payment moves more than was approved")
def more_than_approved() -> Bundle:
    return moved(sample_bundle(), 0, base_units=26, uses=(UseRecord("auth-1", 26),))


@bad(14, "a payment went elsewhere than was approved")
def elsewhere_than_approved() -> Bundle:
    return moved(sample_bundle(), 0, receiver=Address("0x" + "9" * 40))


@bad(14, "a payment was approved afterwards")
def approved_afterwards() -> Bundle:
    bundle = sample_bundle()
    return replace(
        bundle,
        authorizations=(replace(bundle.authorizations[0], approved_at=BLOCK_TIME - timedelta(minutes=1)),),
    )


@bad(14, "a payment cost more in fees than was approved")
def fee_above_its_limit() -> Bundle:
    return moved(sample_bundle(), 1, base_units=30_001)


@bad(14, "a payment on a chain without change is called change")
def called_change() -> Bundle:
    return moved(sample_bundle(), 2, outcome=Outcome.CHANGE)


@bad(14, "the blocks that were looked through end before the pinned one")
def coverage_ends_early() -> Bundle:
    return swept(sample_bundle(), coverage_last=95)
