"""Checks 16 to 23: the reader's own node, control, the liabilities tree and the reserve."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from chains.errors import ReadError, StateUnavailable
from chains.evm.accounts import ContractQuestion
from chains.types import BlockRef
from exports.bundle import Bundle
from exports.reserve.computation import Occasion
from tests.conformance_bundles.recipe import Made, bad, good, read_by
from tests.exports.sample import (
    BLOCK_TIME,
    ETH,
    OMNIBUS,
    OUTSIDE,
    POOL,
    allocation,
    control,
    sample_bundle,
    with_liabilities,
)
from tests.exports.test_acceptances import decided, decision
from tests.exports.test_control_checks import (
    altered,
    challenge,
    proof,
    proven,
    swapped,
    with_cases,
    with_control,
    with_grant,
    with_review,
)
from tests.exports.test_own_node import BLOCK, OTHER_HASH, TRUTH, OwnNode
from tests.exports.test_reserve_checks import bundle as with_reserve
from tests.exports.test_reserve_checks import position, record, recorded, reserve_case
from tests.verifier.key_signers import ADDRESSES, EIP712, EIP1271


@good("keys of two wallets signed a challenge, one by EIP-191 and one by EIP-712")
def keys_signed() -> Bundle:
    return proven(proof(0), proof(1, EIP712))


@good("the firm accepts a spender for as much as it was granted")
def spender_accepted() -> Bundle:
    return decided(decision(), accepted=1)


@good("three reserve computations, one of them a correction and one a test run")
def reserve_computed() -> Bundle:
    return with_reserve(record(1), record(2, cents=2_000_00, replaces=1), record(3, occasion=Occasion.TEST))


@good("read by somebody whose own node says the same")
def own_node_agrees() -> Made:
    return read_by(sample_bundle(), OwnNode())


@bad(16, "the firm made the pinned block up, in one piece with its balances", also=(17, 21), node_says="another block")
def block_made_up() -> Made:
    return read_by(sample_bundle(), OwnNode(block=replace(BLOCK, block_hash=OTHER_HASH)))


@bad(17, "one balance is one unit above the truth", node_says="one unit less")
def balance_made_up() -> Made:
    truth = {**TRUTH, (OMNIBUS, ETH): 3 * 10**18 + 10**16 - 1}
    return read_by(sample_bundle(), OwnNode(balances=truth))


@bad(17, "the reader's node keeps no state that old", possible=False, node_says="nothing about the balances")
def node_without_the_state() -> Made:
    return read_by(sample_bundle(), OwnNode(balance_error=StateUnavailable("missing trie node")))


class NodeWithContracts(OwnNode):
    """One that asks contract wallets about signatures, and is told what they say."""

    accepts: bool

    def block_at(self, height: int) -> BlockRef:
        return replace(BLOCK, height=height)

    def contracts_accept(self, block: BlockRef, questions: Sequence[ContractQuestion]) -> list[bool | ReadError]:
        return [self.accepts] * len(questions)


def asking_contracts(*, accepts: bool) -> OwnNode:
    """A node whose contracts accept every signature or none."""
    node = NodeWithContracts()
    node.accepts = accepts
    return node


@bad(20, "a contract wallet is said to accept a signature", node_says="that it does not")
def contract_does_not_accept() -> Made:
    return read_by(proven(proof(0, EIP1271)), asking_contracts(accepts=False))


@good("a contract wallet accepts a signature, as the reader's own node says too")
def contract_accepts() -> Made:
    return read_by(proven(proof(0, EIP1271)), asking_contracts(accepts=True))


@bad(21, "the bundle understates what a spender may take", node_says="a grant of 71")
def grant_understated() -> Made:
    return read_by(sample_bundle(), OwnNode(allowance=71))


@bad(18, "what a spender could take at the block is understated")
def exposure_understated() -> Bundle:
    return with_grant(sample_bundle(), exposed=69)


@bad(18, "a spender without a case")
def spender_without_a_case() -> Bundle:
    return replace(sample_bundle(), cases=sample_bundle().cases[:-1])


@bad(18, "a grant left out, and its count not")
def grant_left_out() -> Bundle:
    return replace(sample_bundle(), grants=())


@bad(18, "one wallet was not asked who controls it")
def wallet_not_asked() -> Bundle:
    bundle = sample_bundle()
    return with_review(replace(bundle, controls=bundle.controls[1:]), controls=3)


@bad(18, "no review of who else could move it")
def no_review() -> Bundle:
    return replace(sample_bundle(), control_reviews=())


@bad(18, "a module of a contract wallet without a case")
def module_without_a_case() -> Bundle:
    bundle = replace(sample_bundle(), cases=sample_bundle().cases[:-1], grants=())
    state = control(OMNIBUS, account_kind="safe", modules=OUTSIDE, owners="0x1,0x2,0x3", threshold="2")
    return with_review(with_control(bundle, state), grants=0)


@bad(18, "a decision accepts less than what was granted")
def accepted_beyond_the_decision() -> Bundle:
    return decided(decision(base_units_max=69), accepted=1)


@bad(18, "a decision that had ended before the block")
def decision_that_ended() -> Bundle:
    day = timedelta(days=1)
    ended = decision(valid_from=BLOCK_TIME - 3 * day, valid_until=BLOCK_TIME - day, approved_at=BLOCK_TIME - 4 * day)
    return decided(ended, accepted=0, cases=True)


@bad(18, "approvals were looked for in later blocks only, without a case")
def approvals_not_looked_for() -> Bundle:
    return with_review(sample_bundle(), approvals_first=50)


@bad(19, "one digit of a wallet's signature is another")
def key_signature_altered() -> Bundle:
    return proven(altered())


@bad(19, "one wallet's signature in another's name")
def key_signature_of_another() -> Bundle:
    return proven(swapped())


@bad(19, "a signature of one scheme in the name of another")
def key_scheme_swapped() -> Bundle:
    return proven(replace(proof(0, EIP712), scheme=proof(0).scheme))


@bad(19, "a signature of an earlier challenge")
def key_signature_replayed() -> Bundle:
    earlier = challenge(*ADDRESSES[:2], nonce=8)
    return proven(replace(proof(0), signature=proof(0, asked=earlier).signature))


@bad(19, "answered after the challenge had expired")
def key_answered_too_late() -> Bundle:
    return proven(proof(0, answered_at=proof(0).answered_at + timedelta(days=2)))


@bad(19, "a challenge that nobody answered is shown as if it were a proof")
def key_challenge_unanswered() -> Bundle:
    return proven()


def stated(bundle: Bundle, number: int = 0, **changes: object) -> Bundle:
    """One position of the tree said differently; the root stays."""
    records = list(bundle.liabilities)
    records[number] = replace(records[number], **changes)  # type: ignore[arg-type]
    return replace(bundle, liabilities=tuple(records))


def totalled(bundle: Bundle, **changes: object) -> Bundle:
    """One asset's tree said differently."""
    records = list(bundle.liability_totals)
    records[0] = replace(records[0], **changes)  # type: ignore[arg-type]
    return replace(bundle, liability_totals=tuple(records))


@bad(22, "an owner is left out of the tree and the published root")
def owner_left_out_of_the_tree() -> Bundle:
    bundle = sample_bundle()
    fewer = with_liabilities(replace(bundle, allocations=bundle.allocations[1:]))
    return replace(fewer, allocations=bundle.allocations)


@bad(22, "an owner's position in the tree is smaller than what is allocated")
def owed_less_than_allocated() -> Bundle:
    return stated(sample_bundle(), base_units=1)


@bad(22, "the root over all assets is another one")
def another_root() -> Bundle:
    bundle = sample_bundle()
    return replace(bundle, liability_roots=(replace(bundle.liability_roots[0], root="ab" * 32),))


@bad(22, "one position has another salt than the one its root was made with")
def another_salt() -> Bundle:
    return stated(sample_bundle(), position_key="ab" * 32)


@bad(22, "two positions have one salt")
def one_salt_for_two() -> Bundle:
    bundle = sample_bundle()
    return stated(bundle, 1, position_key=bundle.liabilities[0].position_key)


@bad(22, "the sum of what is owed is understated")
def owed_understated() -> Bundle:
    return totalled(sample_bundle(), owed=1)


@bad(22, "the tree of another moment")
def tree_of_another_moment() -> Bundle:
    return replace(sample_bundle(), as_of=BLOCK_TIME - timedelta(seconds=1))


@bad(22, "an owner who owes is netted against what the others are owed")
def debt_netted() -> Bundle:
    bundle = sample_bundle()
    allocations = (*bundle.allocations, allocation("client-8", POOL, ETH, -5))
    reconciliations = tuple(
        replace(each, claimed=7, difference=5, status=type(each.status)("diverged"))
        if (each.location, each.asset_id) == (POOL, ETH)
        else each
        for each in bundle.reconciliations
    )
    sweep = replace(bundle.sweeps[0], matched=3, diverged=2)
    changed = replace(bundle, allocations=allocations, reconciliations=reconciliations, sweeps=(sweep,))
    kinds = ("excess", "negative_allocation")
    covered = with_cases(changed, *kinds, place=POOL, asset=ETH)
    covers = sample_bundle().cases[1].covers
    cases = tuple(
        replace(each, covers=(replace(covers[0], location=POOL, asset_id=ETH),)) if each.kind in kinds else each
        for each in covered.cases
    )
    full = with_liabilities(replace(covered, cases=cases))
    owed = full.liability_totals[0].owed - 5
    return totalled(full, owed=owed)


@bad(23, "a figure in a reserve computation was changed, with its digest")
def reserve_figure_changed() -> Bundle:
    made = record(1)
    document = made.document.replace("100000", "100001")
    assert document != made.document
    digest = hashlib.sha256(document.encode()).hexdigest()
    return with_reserve(replace(made, document=document, digest=digest))


@bad(23, "a reserve document does not have its digest")
def reserve_digest_wrong() -> Bundle:
    return with_reserve(replace(record(1), digest="ab" * 32))


@bad(23, "a reserve computation is left out: its number is missing")
def reserve_computation_left_out() -> Bundle:
    return with_reserve(record(2))


@bad(23, "two computations of one day stand beside each other")
def reserve_computed_twice() -> Bundle:
    return with_reserve(record(1), record(2))


@bad(23, "the reserve is short, and nobody has a case of it")
def reserve_deficit_without_a_case() -> Bundle:
    return with_reserve(record(1), held=position(1_00))


@good("the reserve is short, and the case is open")
def reserve_deficit_with_its_case() -> Bundle:
    short = with_reserve(record(1), held=position(1_00))
    return replace(short, cases=(*short.cases, reserve_case("customer")))


@bad(23, "reserve accounts of another week")
def reserve_position_of_another_week() -> Bundle:
    held = recorded(position(on=position().on - timedelta(days=9)))
    return replace(with_reserve(record(1)), reserve_positions=(held,))
